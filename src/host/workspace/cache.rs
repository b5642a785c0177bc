//! The cache of a large workspace: its directory and findings, kept beside it.
//!
//! The name of each result is a digest of the content that it was made from and of the program's build. Other content
//! has another name, so no result can be stale.
//!
//! To know the content of files of entities without reading them, the cache notes the digest of each file with its
//! size, its times and its number in the file system. While all of these are the same, so is the content, unless the
//! file changed so shortly before the note that its times could not show it. Then, or if anything but the size
//! differs, the file is read and its digest computed again.
//!
//! Every result is checked against a digest when it is read, a directory block by block, so a result that a disk or a
//! program has changed is not used. A result is also not used unless a run on this machine wrote it: one that came
//! with a repository, with a valid digest, is not the file that was noted.
//!
//! If a result cannot be read or written, or has changed, it is computed again without a message.

#![expect(clippy::disallowed_methods, reason = "the shell opens files")]

mod files;
mod sealed;
mod warning;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blake3::Hash;
use serde::Serialize;

use super::Layout;
use super::entities::EntityFile;
use super::kept::{KeptDirectory, Loss};
use crate::assembly::{EntityReader, Memo};
use crate::bundle::{Bundle, Switches, Texts};
use crate::engine::Engine;
use files::{CachedFile, Held, Note, Stamp, worked_out};
use sealed::{NameHasher, Sealed, digest, name_of, sealed};
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_diagnostic::source::Source;
use tarbac_store::{Content, Directory};
use warning::Warning;

/// The folder of the cache, beside `entities/` or the files in its place.
pub(super) const FOLDER: &str = ".tarbac";

/// The file with the notes.
const NOTES: &str = "contents.json";

/// The file that marks the folder as a cache for backup programs.
pub(super) const TAG: &str = "CACHEDIR.TAG";

/// Files that make git and backup programs (<https://bford.info/cachedir/>) skip the folder.
const MARKS: [(&str, &str); 2] = [
    (".gitignore", "*\n"),
    (
        TAG,
        "Signature: 8a477f597d28d172789f06886806bc55\n# What tarbac knows of the workspace; remove it at any time.\n",
    ),
];

/// The smallest size of all entities for which a cache is faster than reading them, in bytes.
const WORTH_KEEPING: u64 = 4 * 1024 * 1024;

/// The prefix of the names of kept directories, and how many of the latest are kept.
const DIRECTORIES: (&str, usize) = ("entities-", 3);

const FINDINGS: (&str, usize) = ("findings-", 30);

/// The prefix of files that are being written, and the age after which one is known to be abandoned.
const UNFINISHED: (&str, Duration) = ("unfinished-", Duration::from_secs(3600));

/// The cache of a workspace, for its files as they are now.
pub(super) struct Cache {
    folder: PathBuf,
    /// An identifier of this build of the program.
    program: String,
    /// The notes about files at the start.
    notes: BTreeMap<PathBuf, Note>,
    files: Vec<CachedFile>,
    /// The mark to set if a part of a kept result is lost.
    loss: Loss,
}

impl Cache {
    /// The cache beside the entities of a workspace; `None` if these are small.
    pub(crate) fn for_workspace(
        layout: &Layout,
        files: &[EntityFile],
        loss: &Loss,
    ) -> Option<Self> {
        let files: Option<Vec<CachedFile>> = files.iter().map(CachedFile::new).collect();
        let files = files?;
        let size: u64 = files.iter().map(|file| file.stamp.size).sum();
        if size < WORTH_KEEPING {
            return None;
        }
        let beside = match layout.entities.first().map(|path| path.parent()) {
            None => layout.root.as_path(),
            Some(Some(folder)) if folder != Path::new("") => folder,
            Some(_) => Path::new("."),
        };
        let folder = beside.canonicalize().ok()?.join(FOLDER);
        // A link may lead to files that tarbac must not write or remove.
        if folder.is_symlink() {
            return None;
        }
        let mut cache = Self {
            program: program()?,
            notes: notes(&folder),
            folder,
            files,
            loss: loss.clone(),
        };
        cache.recognise();
        Some(cache)
    }

    /// Finds the digests of files that are known by a note.
    fn recognise(&mut self) {
        let mut is_hashed = false;
        for file in &mut self.files {
            let Some(note) = self.notes.get(&file.path) else {
                continue;
            };
            if note.stamp == file.stamp && note.can_tell() {
                file.content = Hash::from_hex(&note.content).ok();
            } else if note.stamp.size == file.stamp.size {
                file.content = file.hash();
                is_hashed = true;
            }
        }
        if is_hashed {
            let _ = self.note([]);
        }
    }

    /// The kept findings for these texts and the entities.
    fn known_findings(&self, texts: &Texts, switches: &Switches) -> Option<Vec<Finding>> {
        let path = self.path_of_findings(texts, switches)?;
        let warnings: Vec<Warning> = self.is_ours(&path).then(|| sealed(&path))??;
        let sources: Vec<&Arc<Source>> = self.sources(texts).collect();
        let warnings = warnings.into_iter();
        warnings.map(|warning| warning.finding(&sources)).collect()
    }

    /// The kept directory, whose blocks are read at their first use.
    fn known_directory(&self, bundle: &Bundle) -> Option<Directory> {
        let path = self.path_of_directory(bundle)?;
        if !self.is_ours(&path) {
            return None;
        }
        let name = name_of(&path);
        let files: Option<Vec<Held>> = self.files.iter().map(Held::new).collect();
        let reader = Arc::new(EntityReader::for_bundle(bundle));
        let (files, of_files, of_name) = (files?, Arc::clone(&reader), name.clone());
        let work_out = move || worked_out(&files, &of_files, &of_name);
        let kept = KeptDirectory::at(&path, self.loss.clone(), work_out).ok()?;
        let files = self.files.iter().map(|file| {
            let content = Content {
                size: file.stamp.size,
                hash: file.content?,
            };
            Some((Arc::clone(&file.source), content))
        });
        let files = files.collect::<Option<_>>()?;
        reader.reopen(Arc::new(kept), &name, files)
    }

    /// Keeps findings without errors, and the directory unless it was read from the cache.
    fn keep(
        &mut self,
        texts: &Texts,
        switches: &Switches,
        engine: &Engine,
        findings: &[Finding],
    ) -> io::Result<()> {
        // If a file changed while it was read, its content may be half old and half new.
        let directory = engine.directory();
        if !self.files.iter_mut().all(|file| file.is_read(directory)) {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        for (name, text) in MARKS {
            self.put(&self.folder.join(name), |out| {
                out.write_all(text.as_bytes())
            })?;
        }
        let path = self.path_of_directory(engine.bundle());
        let made = path.filter(|_| !directory.is_shared());
        if let Some(path) = &made {
            self.put(path, |out| engine.directory().write(out, &name_of(path)))?;
        }
        let path = self.path_of_findings(texts, switches);
        if let Some(path) = &path {
            let sources: Vec<&Arc<Source>> = self.sources(texts).collect();
            let warnings = findings.iter();
            let warnings = warnings.map(|finding| Warning::new(finding, &sources));
            let warnings: Vec<Warning> = warnings.collect();
            self.put_sealed(path, &warnings)?;
        }
        self.note(made.into_iter().chain(path))?;
        self.prune()
    }

    fn path_of_directory(&self, bundle: &Bundle) -> Option<PathBuf> {
        let mut key = self.key()?;
        key.add(bundle.schema_text());
        let named = bundle.named_entities();
        let mut named: Vec<String> = named.iter().map(ToString::to_string).collect();
        named.sort_unstable();
        named.iter().for_each(|uid| key.add(uid));
        Some(self.folder.join(key.name(DIRECTORIES.0)))
    }

    fn path_of_findings(&self, texts: &Texts, switches: &Switches) -> Option<PathBuf> {
        let mut key = self.key()?;
        for files in [&texts.schema, &texts.policies, &texts.links] {
            key.count(files.len());
            for file in files {
                key.add(&file.name);
                key.add(file.text());
            }
        }
        for file in &self.files {
            key.add(&file.source.name);
        }
        for names in [&switches.on, &switches.off] {
            key.count(names.len());
            names.iter().for_each(|name| key.add(name));
        }
        Some(self.folder.join(key.name(FINDINGS.0)))
    }

    /// A key for the program and the content of all files of entities; `None` if a digest is not known.
    fn key(&self) -> Option<NameHasher> {
        let mut key = NameHasher::default();
        key.add(&self.program);
        key.count(self.files.len());
        for file in &self.files {
            key.add(file.content?.to_hex().as_str());
        }
        Some(key)
    }

    /// All sources, in an order that does not depend on the folder of the workspace.
    fn sources<'s>(&'s self, texts: &'s Texts) -> impl Iterator<Item = &'s Arc<Source>> {
        let texts = [&texts.schema, &texts.policies, &texts.links];
        let entities = self.files.iter().map(|file| &file.source);
        texts.into_iter().flatten().chain(entities)
    }

    /// Whether a run on this machine wrote this file, and nothing has taken its place.
    fn is_ours(&self, path: &Path) -> bool {
        let now = path.symlink_metadata();
        let note = self.notes.get(path).zip(now.ok());
        note.is_some_and(|(note, now)| note.stamp.is_of_same_file(&Stamp::new(&now)))
    }

    /// Notes the digests of the files of entities, and the files that were written to the cache. Other notes stay.
    fn note(&self, written: impl IntoIterator<Item = PathBuf>) -> io::Result<()> {
        // Another program may have added notes meanwhile.
        let mut notes = notes(&self.folder);
        let noted = SystemTime::now();
        for file in &self.files {
            if let Some(content) = file.content {
                let note = Note {
                    stamp: file.stamp.clone(),
                    noted,
                    content: content.to_hex().to_string(),
                };
                notes.insert(file.path.clone(), note);
            }
        }
        for path in written {
            let note = Note {
                stamp: Stamp::new(&path.symlink_metadata()?),
                noted,
                content: String::new(),
            };
            notes.insert(path, note);
        }
        notes.retain(|path, _| path.exists());
        self.put_sealed(&self.folder.join(NOTES), &notes)
    }

    /// Writes a file that [`sealed`] reads.
    fn put_sealed(&self, path: &Path, content: &impl Serialize) -> io::Result<()> {
        let content = serde_json::value::to_raw_value(content)?;
        let sealed = Sealed {
            digest: digest(path, &content),
            content: &content,
        };
        self.put(path, |out| Ok(serde_json::to_writer(out, &sealed)?))
    }

    /// Writes a file, which appears when it is complete. Only the user can read it, because the files of entities may
    /// be confidential.
    fn put(
        &self,
        path: &Path,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut builder = tempfile::Builder::new();
        let file = builder.prefix(UNFINISHED.0).tempfile_in(&self.folder)?;
        let mut out = BufWriter::with_capacity(1 << 20, file.as_file());
        write(&mut out)?;
        out.flush()?;
        drop(out);
        file.as_file().sync_data()?;
        file.persist(path)?;
        Ok(())
    }

    /// Removes the oldest results beyond the limits, and abandoned files.
    fn prune(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push((entry.metadata()?.modified()?, name, entry.path()));
        }
        files.sort();
        for (prefix, count) in [DIRECTORIES, FINDINGS] {
            let of_kind = files.iter().rev().filter(|file| file.1.starts_with(prefix));
            for (_, _, path) in of_kind.skip(count) {
                fs::remove_file(path)?;
            }
        }
        let now = SystemTime::now();
        let is_left = |file: &&(SystemTime, String, PathBuf)| {
            let age = now.duration_since(file.0).unwrap_or_default();
            file.1.starts_with(UNFINISHED.0) && age > UNFINISHED.1
        };
        for (_, _, path) in files.iter().filter(is_left) {
            fs::remove_file(path)?;
        }
        Ok(())
    }
}

impl Memo for Cache {
    fn directory(
        &mut self,
        bundle: &Bundle,
        read: impl FnOnce() -> (Directory, Vec<Finding>),
    ) -> (Directory, Vec<Finding>) {
        match self.known_directory(bundle) {
            // A directory with errors is never kept.
            Some(directory) => (directory, Vec::new()),
            None => read(),
        }
    }

    fn findings(
        &mut self,
        texts: &Texts,
        switches: &Switches,
        engine: &Engine,
        check: impl FnOnce() -> Vec<Finding>,
    ) -> Vec<Finding> {
        let known = self.known_findings(texts, switches);
        let is_known = known.is_some();
        let findings = known.unwrap_or_else(check);
        let is_kept = is_known && engine.directory().is_shared();
        if !is_kept && !finding::any_error(&findings) {
            // If it cannot be kept, the next run only takes as long as this one.
            let _ = self.keep(texts, switches, engine, &findings);
        }
        findings
    }
}

/// The notes in the folder of a cache.
fn notes(folder: &Path) -> BTreeMap<PathBuf, Note> {
    sealed(&folder.join(NOTES)).unwrap_or_default()
}

/// An identifier of this build of the program, since two builds of one version may differ. It leaves out the file's
/// number, which changes with each container.
fn program() -> Option<String> {
    let path = env::current_exe().ok()?;
    let metadata = path.metadata().ok()?;
    let modified = metadata.modified().ok()?;
    let (version, size) = (env!("CARGO_PKG_VERSION"), metadata.len());
    Some(format!("{version} {path:?} {size} {modified:?}"))
}
