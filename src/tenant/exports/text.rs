//! The decoder of exported files: UTF-8 or UTF-16, plain or gzip.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};

use encoding_rs_io::DecodeReaderBytes;
use flate2::bufread::MultiGzDecoder;

use super::Unread;

/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The first bytes of a ZIP archive.
const ZIP: [u8; 4] = *b"PK\x03\x04";

/// The text as UTF-8 without a byte order mark, from UTF-8 or UTF-16 (as written by Windows PowerShell), plain or
/// gzip.
///
/// `unread` counts the bytes read since the caller last reset it, which it does for each record. Beyond [`LONGEST`]
/// reading fails.
pub(super) fn text<'r>(
    reader: impl Read + 'r,
    unread: &'r Cell<u64>,
) -> Result<BufReader<Bounded<'r>>, Unread> {
    let mut reader = BufReader::with_capacity(BLOCK, reader);
    let begin = reader.fill_buf().map_err(Unread::Io)?;
    if begin.starts_with(&ZIP) {
        return Err(Unread::Text {
            message: "it is a ZIP archive; put the file that is in it here".to_owned(),
            line: 1,
            column: 1,
        });
    }
    let is_gzip = begin.starts_with(&GZIP);
    // Windows PowerShell writes an empty text as a byte order mark alone, which is too short for the decoder to
    // detect.
    let is_empty = begin == [0xff, 0xfe] || begin == [0xfe, 0xff];
    let plain: Box<dyn Read + 'r> = match (is_gzip, is_empty) {
        (true, _) => Box::new(MultiGzDecoder::new(reader)),
        (false, true) => Box::new(io::empty()),
        (false, false) => Box::new(reader),
    };
    let decoded = Bounded {
        reader: Box::new(DecodeReaderBytes::new(plain)),
        unread,
    };
    Ok(BufReader::with_capacity(BLOCK, decoded))
}

/// The longest accepted record, in bytes. A record has at most some thousands of ids. The limit guards against
/// an endless text, since gzip may expand a file to a thousand times its size.
const LONGEST: u64 = 32 * 1024 * 1024;

/// A reader that fails when a record is too long.
pub(super) struct Bounded<'r> {
    reader: Box<dyn Read + 'r>,
    unread: &'r Cell<u64>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.unread.set(self.unread.get() + count as u64);
        match self.unread.get() > LONGEST + BLOCK as u64 {
            true => Err(io::ErrorKind::FileTooLarge.into()),
            false => Ok(count),
        }
    }
}

/// The message for a record that is too long, after `before` others.
pub(super) fn too_long(before: usize) -> String {
    let longest = LONGEST / 1024 / 1024;
    let which = match before {
        0 => "its first record".to_owned(),
        before => format!("the record after the first {before}"),
    };
    format!("{which} is longer than {longest} MiB; look for a quotation mark that is never closed")
}

/// The size of a read buffer, in bytes.
const BLOCK: usize = 64 * 1024;
