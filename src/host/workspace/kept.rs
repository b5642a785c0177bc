//! A kept directory of the cache, as bytes that are read on demand.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tarbac_store::SharedBytes;

/// A file of the cache with a written directory.
pub(super) struct KeptDirectory {
    file: File,
    path: PathBuf,
    /// Computes the bytes again from the files of entities.
    work_out: Box<dyn Fn() -> Option<Vec<u8>> + Send + Sync>,
    loss: Loss,
}

/// A mark that is set if a part of a kept directory could neither be read nor be computed again, because the files of
/// entities have changed; answers since then may be incomplete. Clones share the mark.
#[derive(Debug, Clone, Default)]
pub struct Loss(Arc<AtomicBool>);

impl Loss {
    /// Whether the mark is set.
    pub fn is_any(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl KeptDirectory {
    /// The file at a path. `work_out` computes the same bytes from the files of entities, and `loss` is set if that
    /// fails.
    pub(crate) fn at(
        path: &Path,
        loss: Loss,
        work_out: impl Fn() -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Ok(Self {
            file: super::regular::open(path)?,
            path: path.to_owned(),
            work_out: Box::new(work_out),
            loss,
        })
    }
}

impl SharedBytes for KeptDirectory {
    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    #[cfg(unix)]
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, mut offset: u64, mut bytes: &mut [u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = std::os::windows::fs::FileExt::seek_read(&self.file, bytes, offset)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            offset += count as u64;
            bytes = bytes.get_mut(count..).unwrap_or_default();
        }
        Ok(())
    }

    fn anew(&self) -> Option<Vec<u8>> {
        // The next run must not use this file.
        let _ = fs::remove_file(&self.path);
        (self.work_out)()
    }

    fn lost(&self) {
        self.loss.0.store(true, Ordering::Release);
    }
}
