//! Sources and places: the origin of a text, for messages.
//!
//! Nothing here opens a file; whoever loads a workspace does.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file of policies, schema or entities, or something that stands in for one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The name that messages show: a path as the user would type it, or `shipped/` and a path.
    pub name: String,
    /// What the text is.
    pub text: Text,
}

/// Whether the text of a [`Source`] is at hand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Text {
    /// The whole text, as policies and schema have it.
    Held(String),
    /// The file to read it from again, as entities have it: they may be larger than memory.
    OnDisk(PathBuf),
}

impl Source {
    /// Makes a source whose text is at hand.
    pub fn held(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            text: Text::Held(text.into()),
        })
    }

    /// The text, or the empty string when it is not at hand.
    pub fn text(&self) -> &str {
        match &self.text {
            Text::Held(text) => text,
            Text::OnDisk(_) => "",
        }
    }
}

/// A stretch of a source, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub source: Arc<Source>,
    /// First byte of the stretch.
    pub start: u64,
    /// First byte after the stretch.
    pub end: u64,
}

impl Place {
    /// A stretch of `source`.
    pub fn new(source: &Arc<Source>, span: Range<usize>) -> Self {
        Self {
            source: Arc::clone(source),
            start: span.start as u64,
            end: span.end as u64,
        }
    }

    /// The line of the first byte, counted from 1; `None` when the text is not at hand.
    pub fn line(&self) -> Option<usize> {
        let Text::Held(text) = &self.source.text else {
            return None;
        };
        let start = usize::try_from(self.start).ok()?;
        let before = text.as_bytes().get(..start)?;
        Some(1 + before.iter().filter(|byte| **byte == b'\n').count())
    }
}

/// The file and the line, as in `policies/roles.cedar:12`.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source.name)?;
        match self.line() {
            Some(line) => write!(formatter, ":{line}"),
            None => Ok(()),
        }
    }
}

/// A path as messages show it: with `/`, and without a leading `./`.
pub fn shown(path: &Path) -> String {
    let within = path.strip_prefix("./").ok();
    // The folder itself has no shorter name.
    let path = within
        .filter(|within| *within != Path::new(""))
        .unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}
