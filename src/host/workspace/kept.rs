//! A file of the cache, checked block by block as it is read.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tarbac_store::SharedBytes;

/// A directory that was kept.
pub(super) struct Kept {
    file: File,
    path: PathBuf,
    /// Works it out anew, from the files of the entities.
    work_out: Box<dyn Fn() -> Option<Vec<u8>> + Send + Sync>,
    loss: Loss,
}

/// Whether something that was kept of a workspace could not be read as it was written, when its files were no longer
/// those that it came from: what was answered meanwhile may lack it. Clones tell of the same workspaces.
#[derive(Debug, Clone, Default)]
pub struct Loss(Arc<AtomicBool>);

impl Loss {
    /// Whether anything was lost so far.
    pub fn is_any(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Kept {
    /// What was kept in a file; `work_out` gives the same bytes from the files that they came from, and `loss` is told
    /// where it cannot.
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

impl SharedBytes for Kept {
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
        // The next run is not to begin with it.
        let _ = fs::remove_file(&self.path);
        (self.work_out)()
    }

    fn lost(&self) {
        self.loss.0.store(true, Ordering::Release);
    }
}
