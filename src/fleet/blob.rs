//! Blobs: compressed contents of files, named by digest.

#![expect(
    clippy::disallowed_methods,
    reason = "blobs are made of files, and files of blobs"
)]

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use blake3::Hasher;
use bytes::Bytes;
use zstd::stream::read::Decoder;
use zstd::stream::write::Encoder;

use crate::digest::Digest;
use crate::error::FleetError;

/// Level 3 compresses files of entities to a twentieth, faster than a network transfers them.
const LEVEL: i32 = 3;

/// The size of a read buffer, in bytes.
const PIECE: usize = 256 * 1024;

/// The largest blob of a content of `size` bytes: incompressible content grows a little.
pub(crate) fn limit(size: u64) -> u64 {
    size.saturating_add(size / 128).saturating_add(1024)
}

/// The digest and the size of a file.
pub(crate) fn digest_of_file(path: &Path) -> io::Result<(Digest, u64)> {
    digest_of(File::open(path)?)
}

fn digest_of(mut from: impl Read) -> io::Result<(Digest, u64)> {
    let mut hasher = Hasher::new();
    let size = copy(&mut from, &mut hasher)?;
    Ok((hasher.finalize().into(), size))
}

/// Copies everything, and returns the number of bytes.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<u64> {
    let mut piece = vec![0; PIECE];
    let mut size = 0;
    loop {
        let count = match from.read(&mut piece) {
            Ok(0) => return Ok(size),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        to.write_all(piece.get(..count).unwrap_or_default())?;
        size += count as u64;
    }
}

/// The blob of a file.
pub(crate) fn compressed(path: &Path) -> io::Result<Bytes> {
    let mut encoder = Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(true)?;
    copy(&mut File::open(path)?, &mut encoder)?;
    Ok(encoder.finish()?.into())
}

/// A writer that computes the digest of the bytes it passes on.
struct Checked<W> {
    out: W,
    hasher: Hasher,
}

impl<W: Write> Write for Checked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes the content of a blob to `out`.
///
/// # Errors
/// The content does not have this size and digest; `out` then holds a part of it.
pub(crate) fn expand(
    blob: &Path,
    digest: &Digest,
    size: u64,
    out: &mut File,
) -> Result<(), FleetError> {
    let damaged = |reason: String| FleetError::Damaged {
        digest: digest.to_string(),
        reason,
    };
    let file = File::open(blob).map_err(|reason| FleetError::file("read", blob, reason))?;
    let decoder = Decoder::new(BufReader::new(file)).map_err(|error| damaged(error.to_string()))?;
    // One byte more than `size` is enough to detect a longer content.
    let mut decoder = decoder.take(size.saturating_add(1));
    let written = take(&mut decoder, out, digest, size);
    written.map_err(|error| damaged(error.to_string()))
}

/// Copies a file, and checks that its content is unchanged.
pub(crate) fn copy_of(
    from: &mut dyn Read,
    digest: &Digest,
    size: u64,
    out: &mut File,
) -> io::Result<()> {
    let mut from = from.take(size.saturating_add(1));
    take(&mut from, out, digest, size)
}

fn take(from: &mut impl Read, out: &mut File, digest: &Digest, size: u64) -> io::Result<()> {
    let mut checked = Checked {
        out,
        hasher: Hasher::new(),
    };
    let count = copy(from, &mut checked)?;
    if count != size {
        return Err(io::Error::other(format!("it has not {size} bytes")));
    }
    match Digest::from(checked.hasher.finalize()) {
        of if of == *digest => Ok(()),
        other => Err(io::Error::other(format!("its content is {other}"))),
    }
}
