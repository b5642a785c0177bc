//! The writer of entities in Cedar's JSON format, one a line.

use std::io::{self, Write};

use serde::Serialize;

/// The uid of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Uid<'a> {
    /// The type.
    #[serde(rename = "type")]
    pub type_name: &'a str,
    /// The id.
    pub id: &'a str,
}

/// The text of a file without entities.
pub const NOTHING: &str = "[\n]\n";

#[derive(Serialize)]
struct Entity<'a, Attributes> {
    uid: Uid<'a>,
    attrs: Attributes,
    parents: &'a [Uid<'a>],
}

/// A file of entities being written.
pub(super) struct Family<W> {
    file: W,
    is_empty: bool,
}

impl<W: Write> Family<W> {
    /// Begins the file.
    pub(super) fn new(mut file: W) -> io::Result<Self> {
        file.write_all(b"[")?;
        Ok(Self {
            file,
            is_empty: true,
        })
    }

    /// Writes an entity.
    pub(super) fn entity(
        &mut self,
        uid: Uid<'_>,
        attrs: impl Serialize,
        parents: &[Uid<'_>],
    ) -> io::Result<()> {
        let before: &[u8] = match self.is_empty {
            true => b"\n",
            false => b",\n",
        };
        self.is_empty = false;
        self.file.write_all(before)?;
        let entity = Entity {
            uid,
            attrs,
            parents,
        };
        serde_json::to_writer(&mut self.file, &entity)?;
        Ok(())
    }

    /// Ends the file.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.file.write_all(b"\n]\n")?;
        self.file.flush()
    }
}
