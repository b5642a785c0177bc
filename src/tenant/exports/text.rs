//! The text of an exported file, whatever it was saved as.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};

use encoding_rs_io::DecodeReaderBytes;
use flate2::bufread::MultiGzDecoder;

use super::Unread;

/// How gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// How a ZIP archive begins.
const ZIP: [u8; 4] = *b"PK\x03\x04";

/// The text as UTF-8 without a byte order mark: UTF-8 or, as Windows PowerShell writes it, UTF-16,
/// plain or gzip.
///
/// `unread` counts the bytes that were read since whoever reads last set it to zero: more than [`LONGEST`] are no record.
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
    // PowerShell saves nothing as a byte order mark, which is too short to be taken for one.
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

/// The longest record that is read, in bytes. One has at most some thousands of ids; a file may be one text without
/// an end, and unpack to a thousand times its size.
const LONGEST: u64 = 32 * 1024 * 1024;

/// Text that is read up to a length.
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

/// What to say of a record that is too long, `before` of which there are others.
pub(super) fn too_long(before: usize) -> String {
    let longest = LONGEST / 1024 / 1024;
    let which = match before {
        0 => "its first record".to_owned(),
        before => format!("the record after the first {before}"),
    };
    format!("{which} is longer than {longest} MiB; look for a quotation mark that is never closed")
}

/// How much is read at once, in bytes.
const BLOCK: usize = 64 * 1024;
