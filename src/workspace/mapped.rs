//! Files that are mapped into memory.

#![expect(clippy::disallowed_methods, reason = "the shell opens files")]

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use crate::directory::Lender;

/// The bytes of a file, which are read when they are looked at. The file must be one of the cache: those are
/// never written to again.
#[expect(unsafe_code, reason = "a file can be mapped in no other way")]
pub(super) fn map(path: &Path) -> io::Result<Lender> {
    let file = File::open(path)?;
    // SAFETY: the bytes must not change while they are mapped. A file of the cache is made under another name,
    // gets this one when it is complete, and is only ever removed, which leaves the mapped bytes alone. Who
    // changes it in place by other means has access to the entities that it was made from as well.
    let bytes = unsafe { Mmap::map(&file) }?;
    Ok(Arc::new(bytes))
}
