//! The files of entities of a workspace, and the progress of reading them.

use std::fs::Metadata;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use super::folders::files;
use super::{Layout, LoadOptions, ReadProgress, Unreadable, regular, unreadable};
use tarbac_diagnostic::source::{Source, Text, shown};
use tarbac_store::Input;

/// A file of entities that can be read.
pub(super) struct EntityFile {
    pub source: Arc<Source>,
    pub path: PathBuf,
    pub metadata: Metadata,
    pub reader: Box<dyn Read + Send>,
}

/// The files of entities of a workspace.
pub(super) fn opened(
    layout: &Layout,
    passed_over: &mut Vec<PathBuf>,
) -> Result<Vec<EntityFile>, Unreadable> {
    let folder = layout.root.join("entities");
    files(&layout.entities, &folder, &["json"], passed_over)?
        .into_iter()
        .map(|path| {
            // Each file is opened again when it is read, because there may be more files than a program may have open.
            let failed = |error: io::Error| unreadable(&path, &error.to_string(), None);
            let file = regular::open(&path).map_err(failed)?;
            Ok(EntityFile {
                source: Arc::new(Source {
                    name: shown(&path),
                    text: Text::OnDisk(path.clone()),
                }),
                metadata: file.metadata().map_err(failed)?,
                reader: Box::new(regular::Later::at(&path)),
                path,
            })
        })
        .collect()
}

/// The files of entities as input for a directory, with reports of the progress.
pub(super) fn inputs(files: Vec<EntityFile>, options: &LoadOptions) -> Vec<Input> {
    let size = files.iter().map(|file| file.metadata.len()).sum();
    let watched = |reader: Box<dyn Read + Send>| match &options.progress {
        Some(progress) => Box::new(Watched {
            reader,
            progress: Arc::clone(progress),
            size,
        }),
        None => reader,
    };
    let files = files.into_iter().map(|file| Input {
        source: file.source,
        reader: watched(file.reader),
    });
    files.collect()
}

/// A reader that reports its progress.
pub(super) struct Watched {
    reader: Box<dyn Read + Send>,
    progress: ReadProgress,
    size: u64,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        (self.progress)(count as u64, self.size);
        Ok(count)
    }
}
