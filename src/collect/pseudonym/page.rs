//! The writer of a copied page.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

/// A page of records being written.
pub(super) struct Page {
    writer: GzEncoder<BufWriter<File>>,
    is_empty: bool,
}

impl Page {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let file = BufWriter::new(File::create_new(path)?);
        let mut writer = GzEncoder::new(file, Compression::fast());
        writer.write_all(b"{\"value\":[")?;
        Ok(Self {
            writer,
            is_empty: true,
        })
    }

    pub(super) fn add(&mut self, row: &Value) -> io::Result<()> {
        if !self.is_empty {
            self.writer.write_all(b",\n")?;
        }
        self.is_empty = false;
        serde_json::to_writer(&mut self.writer, row)?;
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.writer.write_all(b"]}\n")?;
        self.writer.finish()?.flush()
    }
}

/// Writes a file. One that is there is not replaced: an import would refuse the two.
pub(super) fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    File::create_new(path)?.write_all(text)
}
