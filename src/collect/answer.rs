//! The reader of answers, which saves them while it reads.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tarbac_tenant::exports::{self, Unread};

use crate::client::ReadFault;
use crate::fault::CollectError;

/// The properties of a record that later calls depend on.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(expecting = "a record")]
pub(crate) struct Row {
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default, rename = "principalId")]
    pub(crate) principal: Option<String>,
    #[serde(default)]
    pub(crate) members: Option<Vec<String>>,
    #[serde(default, rename = "onPremisesSecurityIdentifier")]
    pub(crate) sid: Option<String>,
    #[serde(default, rename = "AdminID")]
    pub(crate) admin: Option<Value>,
    #[serde(default, rename = "AdminSid")]
    pub(crate) admin_sid: Option<String>,
    #[serde(default, rename = "RoleID")]
    pub(crate) role: Option<Value>,
    /// The resource id of a device or user in Configuration Manager.
    #[serde(
        default,
        rename = "ResourceID",
        alias = "ResourceId",
        deserialize_with = "number"
    )]
    pub(crate) resource: Option<u64>,
}

/// A number, also if written as text; `None` for any other value.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Text(String),
        Other(serde::de::IgnoredAny),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Number(number) => Some(number),
        Written::Text(text) => text.trim().parse().ok(),
        Written::Other(_) => None,
    })
}

/// The result of reading an answer.
#[derive(Debug, Default)]
pub(crate) struct AnswerRead {
    /// The number of records.
    pub(crate) rows: u64,
    /// The address of the next page.
    pub(crate) next: Option<String>,
    /// The records that later calls depend on.
    pub(crate) kept: Vec<Row>,
    /// The resource ids of the first and the last record.
    pub(crate) ends: Option<(u64, u64)>,
    /// Whether the resource ids never decrease.
    pub(crate) is_ordered: bool,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A list of records.
    List,
    /// One record.
    One,
}

/// Reads an answer.
pub(crate) fn read(
    reader: &mut dyn Read,
    form: Form,
    keep: &dyn Fn(&Row) -> bool,
) -> Result<AnswerRead, ReadFault> {
    let mut found = AnswerRead {
        is_ordered: true,
        ..AnswerRead::default()
    };
    let page = exports::read(reader, |row: Row| {
        found.rows += 1;
        if let Some(number) = row.resource {
            let (first, last) = found.ends.unwrap_or((number, number));
            found.is_ordered &= last <= number;
            found.ends = Some((first, number));
        }
        if keep(&row) {
            found.kept.push(row);
        }
        Ok(())
    });
    let page = page.map_err(|error| {
        ReadFault::Broken(match error {
            Unread::Io(error) => format!("the answer was cut off: {error}"),
            Unread::Text { message, .. } => format!("the answer is not as expected: {message}"),
        })
    })?;
    if form == Form::List && !page.is_answer {
        return Err(ReadFault::Broken("the answer is no list".to_owned()));
    }
    found.next = page.next;
    Ok(found)
}

/// Reads an answer, and saves it compressed at the same time. The file is complete only if there is no error.
pub(crate) fn save(
    reader: &mut dyn Read,
    path: &Path,
    form: Form,
    keep: &dyn Fn(&Row) -> bool,
) -> Result<AnswerRead, ReadFault> {
    let failed = |error| ReadFault::Kept(CollectError::file("write", path, error));
    let file = File::create(path).map_err(failed)?;
    let mut tee = Tee {
        reader,
        writer: GzEncoder::new(BufWriter::new(file), Compression::fast()),
        fault: None,
    };
    let found = read(&mut tee, form, keep);
    if let Some(error) = tee.fault {
        return Err(failed(error));
    }
    let found = found?;
    let file = tee.writer.finish().map_err(failed)?;
    file.into_inner()
        .map_err(|error| failed(error.into_error()))?;
    Ok(found)
}

/// A reader that also writes every byte it reads to `writer`.
struct Tee<'r, W> {
    reader: &'r mut dyn Read,
    writer: W,
    /// The error of the writer, if it failed.
    fault: Option<io::Error>,
}

impl<W: Write> Read for Tee<'_, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let read = buffer.get(..count).unwrap_or_default();
        if let Err(error) = self.writer.write_all(read) {
            let told = io::Error::new(error.kind(), "it cannot be saved");
            self.fault = Some(error);
            return Err(told);
        }
        Ok(count)
    }
}
