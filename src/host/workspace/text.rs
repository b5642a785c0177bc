//! The texts of files and of standard input.

use std::io;
use std::path::Path;
use std::str::Utf8Error;
use std::sync::Arc;

use thiserror::Error;

use super::{Unreadable, regular, unreadable};
use tarbac_diagnostic::source::{Source, shown};

/// The largest policy or schema file, in bytes. Nobody writes a larger one by hand, so it must be the wrong file.
pub(super) const LARGEST_TEXT: u64 = 16 * 1024 * 1024;

/// The largest snapshot, in bytes; a cell takes a byte or two.
pub(super) const LARGEST_SNAPSHOT: u64 = 256 * 1024 * 1024;

/// Reads a policy or schema file in UTF-8, with or without a byte order mark, and with any line ends.
pub(super) fn held(path: &Path) -> Result<Arc<Source>, Unreadable> {
    held_up_to(path, LARGEST_TEXT)
}

pub(super) fn held_up_to(path: &Path, largest: u64) -> Result<Arc<Source>, Unreadable> {
    let bytes = regular::read(path, largest).map_err(|error| {
        let is_large = error.kind() == io::ErrorKind::FileTooLarge;
        let help = "no file of that kind is that large; is it the right file?";
        unreadable(path, &error.to_string(), is_large.then_some(help))
    })?;
    let text =
        text_of(bytes).map_err(|reason| unreadable(path, &reason.to_string(), Some(AS_UTF8)))?;
    Ok(Source::held(shown(path), text))
}

/// The help for a file that is not text.
pub(super) const AS_UTF8: &str =
    "save the file as UTF-8; in Windows PowerShell, `Set-Content -Encoding utf8` does";

/// The reason why bytes are not text; displays as a sentence about the file.
#[derive(Debug, Error)]
pub(super) enum NoText {
    #[error("it begins like UTF-16 and is not")]
    Utf16,
    #[error("it is not UTF-8: {0}")]
    Utf8(#[from] Utf8Error),
    #[error("it is no text: byte {0} is zero")]
    Zero(usize),
}

/// The text of a file, with line feeds and without a byte order mark. It is in UTF-8 or, as Windows PowerShell writes
/// it, in UTF-16 with a byte order mark.
pub(super) fn text_of(bytes: Vec<u8>) -> Result<String, NoText> {
    let utf16 = |of: fn([u8; 2]) -> u16| {
        let (units, rest) = bytes.as_chunks();
        let text = String::from_utf16(&units.iter().map(|unit| of(*unit)).collect::<Vec<u16>>());
        let text = text.ok().filter(|_| rest.is_empty());
        text.ok_or(NoText::Utf16)
    };
    let text = match bytes.first_chunk() {
        Some([0xff, 0xfe]) => utf16(u16::from_le_bytes)?,
        Some([0xfe, 0xff]) => utf16(u16::from_be_bytes)?,
        _ => String::from_utf8(bytes).map_err(|error| error.utf8_error())?,
    };
    // A text has no zero character. UTF-16 read as UTF-8 has many.
    if let Some(at) = text.find('\0') {
        return Err(NoText::Zero(at));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(text.replace("\r\n", "\n"))
}

/// Reads standard input as a policy file.
///
/// # Errors
/// Standard input cannot be read, or is not text.
pub fn standard_input() -> Result<Arc<Source>, Unreadable> {
    standard_input_up_to(LARGEST_TEXT)
}

pub(super) fn standard_input_up_to(largest: u64) -> Result<Arc<Source>, Unreadable> {
    let name = Path::new("standard input");
    let bytes = regular::up_to(io::stdin().lock(), largest);
    let bytes = bytes.map_err(|error| unreadable(name, &error.to_string(), None))?;
    let text =
        text_of(bytes).map_err(|reason| unreadable(name, &reason.to_string(), Some(AS_UTF8)))?;
    Ok(Source::held("standard input", text))
}

/// The text of a snapshot; `None` if there is none.
///
/// # Errors
/// The snapshot cannot be read.
pub fn snapshot(path: &Path) -> Result<Option<String>, Unreadable> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => Ok(Some(held_up_to(path, LARGEST_SNAPSHOT)?.text().to_owned())),
    }
}
