//! Reading of regular files only.

#![expect(clippy::disallowed_methods, reason = "the shell opens files")]

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Opens a file for reading. Only regular files are opened, because opening a pipe can wait forever.
///
/// # Errors
/// The file cannot be opened, or is not a regular file.
pub fn open(path: &Path) -> io::Result<File> {
    check(&path.metadata()?)?;
    let file = File::open(path)?;
    check(&file.metadata()?)?;
    Ok(file)
}

/// The bytes of a file, if it has at most `largest`.
///
/// # Errors
/// The file cannot be read, is not a regular file, or is larger.
pub fn read(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    up_to(open(path)?, largest)
}

/// The bytes of a stream, if it has at most `largest`.
///
/// # Errors
/// The stream cannot be read, or is longer.
pub fn up_to(stream: impl Read, largest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        let reason = format!("it is larger than {} MiB", largest / 1024 / 1024);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(bytes)
}

/// A file that is opened at its first read and closed at its end.
#[derive(Debug)]
pub(super) struct Later {
    path: PathBuf,
    state: State,
}

#[derive(Debug)]
enum State {
    Unopened,
    Open(File),
    AtEnd,
}

impl Later {
    /// The file at a path.
    pub(crate) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            state: State::Unopened,
        }
    }
}

impl Read for Later {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let State::Unopened = self.state {
            self.state = State::Open(open(&self.path)?);
        }
        let State::Open(file) = &mut self.state else {
            return Ok(0);
        };
        let count = file.read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            self.state = State::AtEnd;
        }
        Ok(count)
    }
}

fn check(metadata: &Metadata) -> io::Result<()> {
    match (metadata.is_file(), metadata.is_dir()) {
        (true, _) => Ok(()),
        (_, true) => Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "it is a folder where a file is expected",
        )),
        _ => Err(io::Error::other("it is not a regular file")),
    }
}
