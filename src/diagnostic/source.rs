//! Sources (texts or files) and places (byte ranges in them), for messages.
//!
//! This crate opens no file; the loader of a workspace does.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file of policies, schema or entities, or a text in place of one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The name in messages: a path as the user would type it, or `shipped/` and a path.
    pub name: String,
    /// The text, or the file that contains it.
    pub text: Text,
}

/// The text of a [`Source`], in memory or on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Text {
    /// The whole text, for policies and schema.
    Held(String),
    /// The file, for entities, since it may be larger than memory.
    OnDisk(PathBuf),
}

impl Source {
    /// A source with its text in memory.
    pub fn held(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            text: Text::Held(text.into()),
        })
    }

    /// The text, or an empty string if it is not in memory.
    pub fn text(&self) -> &str {
        match &self.text {
            Text::Held(text) => text,
            Text::OnDisk(_) => "",
        }
    }
}

/// A range of bytes in a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The source.
    pub source: Arc<Source>,
    /// The first byte.
    pub start: u64,
    /// The first byte after the range.
    pub end: u64,
}

impl Place {
    /// A range of `source`.
    pub fn new(source: &Arc<Source>, span: Range<usize>) -> Self {
        Self {
            source: Arc::clone(source),
            start: span.start as u64,
            end: span.end as u64,
        }
    }

    /// The line of the first byte, counted from 1; `None` if the text is not in memory.
    pub fn line(&self) -> Option<usize> {
        let Text::Held(text) = &self.source.text else {
            return None;
        };
        let start = usize::try_from(self.start).ok()?;
        let before = text.as_bytes().get(..start)?;
        Some(1 + before.iter().filter(|byte| **byte == b'\n').count())
    }
}

/// The name of the source and the line, for example `policies/roles.cedar:12`.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source.name)?;
        match self.line() {
            Some(line) => write!(formatter, ":{line}"),
            None => Ok(()),
        }
    }
}

/// A path as messages show it: with `/`, and without `./` at the beginning.
pub fn shown(path: &Path) -> String {
    let within = path.strip_prefix("./").ok();
    // The folder `./` itself has no shorter name.
    let path = within
        .filter(|within| *within != Path::new(""))
        .unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}
