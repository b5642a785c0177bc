//! The file of the decision log, which may be renamed while it is written.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::LogTarget;

/// An open log, with the lines that are not written yet.
pub(super) struct LogFile {
    /// `None` for standard output.
    path: Option<PathBuf>,
    file: File,
    /// Complete lines.
    lines: Vec<u8>,
    /// The number of their bytes that are written already.
    written: usize,
}

impl LogFile {
    pub(super) fn open(target: &LogTarget) -> io::Result<Self> {
        let (path, file) = match target {
            LogTarget::StandardOutput => (None, standard_output()?),
            LogTarget::File(path) => (Some(path.clone()), open(path)?),
        };
        Ok(Self {
            path,
            file,
            lines: Vec::new(),
            written: 0,
        })
    }

    /// Opens the path again. A line that was cut off in the old file is written again from its start.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        self.file = open(path)?;
        let written = self.lines.get(..self.written).unwrap_or_default();
        let line = written.iter().rposition(|byte| *byte == b'\n');
        self.written = line.map_or(0, |end| end + 1);
        Ok(())
    }

    /// Adds a line, which the next write writes.
    pub(super) fn add(&mut self, line: &str) {
        self.lines.extend_from_slice(line.as_bytes());
    }

    /// Whether all lines are written.
    pub(super) fn is_written(&self) -> bool {
        self.written == self.lines.len()
    }

    /// Writes the lines. If the path no longer leads to the open file, the path is opened again first.
    ///
    /// # Errors
    /// Some lines are not written. They stay for the next call.
    pub(super) fn write(&mut self) -> io::Result<()> {
        if self.is_renamed() {
            self.reopen()?;
        }
        while let Some(rest @ [_, ..]) = self.lines.get(self.written..) {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.lines.clear();
        self.written = 0;
        Ok(())
    }

    /// Whether the path leads to another file, or to none.
    fn is_renamed(&self) -> bool {
        let Some(path) = &self.path else {
            return false;
        };
        match (fs::metadata(path), self.file.metadata()) {
            (Ok(at_path), Ok(open)) => identity(&at_path) != identity(&open),
            (Err(error), _) => error.kind() == io::ErrorKind::NotFound,
            (Ok(_), Err(_)) => false,
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Standard output, without the lock of the standard library.
#[cfg(unix)]
fn standard_output() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Standard output, without the lock of the standard library.
#[cfg(windows)]
fn standard_output() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(io::stdout().as_handle().try_clone_to_owned()?.into())
}

/// The device and the inode of a file.
#[cfg(unix)]
fn identity(of: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((of.dev(), of.ino()))
}

/// Without inodes, a file counts as renamed only if its path leads to none.
#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}
