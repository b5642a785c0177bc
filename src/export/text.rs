//! The text of an exported file, whatever it was saved as.

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
pub fn text<'r>(reader: impl Read + 'r) -> Result<BufReader<Box<dyn Read + 'r>>, Unread> {
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
    let decoded = Box::new(DecodeReaderBytes::new(plain));
    Ok(BufReader::with_capacity(BLOCK, decoded))
}

/// How much is read at once, in bytes.
const BLOCK: usize = 64 * 1024;
