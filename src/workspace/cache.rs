//! What was worked out from the files of a large workspace, kept in a folder beside them, so that the next
//! run need not work it out again: the entities as a [`Directory`](crate::directory::Directory), which is used where it lies, and what
//! was found of policies and entities together.
//!
//! Everything is kept under a name made of the content that it came from and of the build of the program. What
//! has another content has another name, so nothing that is found can be stale.
//!
//! To know what the files of entities hold without reading them, the cache notes a hash of each, with its
//! size, its times and the number by which the file system knows it. While these are the same so is the
//! content, unless the file changed so shortly before it was noted that its times could not tell. Then, and
//! if anything but its size is another, it is read to be hashed again.
//!
//! The same times tell whether anybody has touched what the cache has written. What changes a file without its
//! times, as writing to a mapped page for the second time may, is seen by nobody; `--no-cache` reads everything.
//!
//! Whatever cannot be read or written here is worked out anew, and nobody is told.

#![expect(clippy::disallowed_methods, reason = "the shell opens files")]

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use blake3::{Hash, Hasher};
use serde::{Deserialize, Serialize};

use super::mapped::map;
use super::{EntityFile, Layout};
use crate::bundle::{Bundle, Switches, Texts};
use crate::directory::Lender;
use crate::engine::Engine;
use crate::finding::Finding;
use crate::source::{Place, Source};

/// The folder, beside `entities/` or what is read in its place.
pub(super) const FOLDER: &str = ".tarbac";

/// The file of the notes.
const NOTES: &str = "contents.json";

/// What lets others pass over the folder: git, and programs that make backups
/// (<https://bford.info/cachedir/>).
const MARKS: [(&str, &str); 2] = [
    (".gitignore", "*\n"),
    (
        "CACHEDIR.TAG",
        "Signature: 8a477f597d28d172789f06886806bc55\n# What tarbac knows of the workspace; remove it at any time.\n",
    ),
];

/// Fewer bytes of entities than this are read as quickly as what was kept of them is found.
const WORTH_KEEPING: u64 = 4 * 1024 * 1024;

/// How coarse the times of a file may be; those of FAT are two seconds apart.
const COARSE: Duration = Duration::from_secs(2);

/// What is kept, and of how many contents: those that came last.
const DIRECTORIES: (&str, usize) = ("entities-", 3);
const FINDINGS: (&str, usize) = ("findings-", 30);

/// What is being written, and when it can only be what a program left that was stopped.
const UNFINISHED: (&str, Duration) = ("unfinished-", Duration::from_secs(3600));

/// What is kept of a workspace, as its files are now.
pub(super) struct Cache {
    folder: PathBuf,
    /// What tells the program from another build of it.
    program: String,
    /// What was noted of files when this began.
    notes: BTreeMap<PathBuf, Note>,
    files: Vec<Known>,
}

/// A file of entities.
struct Known {
    path: PathBuf,
    source: Arc<Source>,
    stamp: Stamp,
    /// The hash of its content, as far as that is known.
    content: Option<Hash>,
    reading: Arc<Mutex<Hashed>>,
}

/// What has been read of a file.
#[derive(Default)]
struct Hashed {
    hasher: Hasher,
    size: u64,
}

/// What tells whether a file has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    /// What nobody sets but the file system: when anything of the file changed, in seconds and nanoseconds,
    /// and the numbers of its device and of itself.
    system: Option<(i64, i64, u64, u64)>,
}

/// What is known of the content of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    stamp: Stamp,
    noted: SystemTime,
    /// The hash; empty of what the cache has written.
    content: String,
}

/// A finding that does not keep anybody from deciding, with its places by the number of their file.
#[derive(Serialize, Deserialize)]
struct Warning {
    code: String,
    message: String,
    help: Option<String>,
    labels: Vec<(usize, u64, u64, String)>,
}

impl Cache {
    /// What is kept beside the entities of a workspace; none where their files are read as quickly.
    pub fn of(layout: &Layout, files: &[EntityFile]) -> Option<Self> {
        let files: Option<Vec<Known>> = files.iter().map(Known::of).collect();
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
        // A link may lead to files that are not ours to write or to remove.
        if folder.is_symlink() {
            return None;
        }
        let mut cache = Self {
            program: program()?,
            notes: notes(&folder),
            folder,
            files,
        };
        cache.recognise();
        Some(cache)
    }

    /// Finds out what is in files that were seen before.
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
            let _ = self.note(None);
        }
    }

    /// The files, to be read so that their content is known afterwards.
    pub fn hashing(&self, files: Vec<EntityFile>) -> Vec<EntityFile> {
        let files = files.into_iter().zip(&self.files);
        let files = files.map(|(file, known)| EntityFile {
            reader: Box::new(Hashing {
                reader: file.reader,
                hashed: Arc::clone(&known.reading),
            }),
            ..file
        });
        files.collect()
    }

    /// What was found of these policies together with the entities.
    pub fn findings(&self, texts: &Texts, switches: &Switches) -> Option<Vec<Finding>> {
        let bytes = fs::read(self.path_of_findings(texts, switches)?).ok()?;
        let warnings: Vec<Warning> = serde_json::from_slice(&bytes).ok()?;
        let sources: Vec<&Arc<Source>> = self.sources(texts).collect();
        let warnings = warnings.into_iter();
        warnings.map(|warning| warning.finding(&sources)).collect()
    }

    /// The entities as a directory, as [`Directory::lent`](crate::directory::Directory::lent) takes it; none
    /// that anybody has touched since it was written.
    pub fn directory(&self, bundle: &Bundle) -> Option<Lender> {
        let path = self.path_of_directory(bundle)?;
        let stamp = Stamp::of(&path.metadata().ok()?);
        let note = self.notes.get(&path);
        let is_as_written = note.is_some_and(|note| note.stamp == stamp);
        is_as_written.then(|| map(&path).ok())?
    }

    /// The files of the entities, in their order.
    pub fn files(&self) -> Vec<Arc<Source>> {
        let files = self.files.iter();
        files.map(|file| Arc::clone(&file.source)).collect()
    }

    /// Keeps what was worked out, none of which is an error; the directory unless it was taken from here.
    pub fn keep(
        &mut self,
        texts: &Texts,
        switches: &Switches,
        engine: &Engine,
        is_lent: bool,
        findings: &[Finding],
    ) -> io::Result<()> {
        // What changed while it was read may have been read half before and half after.
        if !self.files.iter_mut().all(Known::is_read) {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        for (name, text) in MARKS {
            fs::write(self.folder.join(name), text)?;
        }
        let path = self.path_of_directory(engine.bundle());
        let made = path.filter(|_| !is_lent);
        if let Some(path) = &made {
            self.put(path, |out| engine.directory().write(out))?;
        }
        self.note(made.as_deref())?;
        if let Some(path) = self.path_of_findings(texts, switches) {
            let sources: Vec<&Arc<Source>> = self.sources(texts).collect();
            let warnings = findings.iter();
            let warnings = warnings.map(|finding| Warning::of(finding, &sources));
            let warnings: Vec<Warning> = warnings.collect();
            self.put(&path, |out| Ok(serde_json::to_writer(out, &warnings)?))?;
        }
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

    /// What this program makes of the content of the files, as far as it is known.
    fn key(&self) -> Option<Key> {
        let mut key = Key::default();
        key.add(&self.program);
        key.count(self.files.len());
        for file in &self.files {
            key.add(file.content?.to_hex().as_str());
        }
        Some(key)
    }

    /// Every file, in an order that does not depend on where the workspace is.
    fn sources<'s>(&'s self, texts: &'s Texts) -> impl Iterator<Item = &'s Arc<Source>> {
        let texts = [&texts.schema, &texts.policies, &texts.links];
        let entities = self.files.iter().map(|file| &file.source);
        texts.into_iter().flatten().chain(entities)
    }

    /// Notes what the files hold, and what a directory looks like that was just written, beside what is noted
    /// of others.
    fn note(&self, made: Option<&Path>) -> io::Result<()> {
        // Another program may have noted something in the meantime.
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
        if let Some(path) = made {
            let note = Note {
                stamp: Stamp::of(&path.metadata()?),
                noted,
                content: String::new(),
            };
            notes.insert(path.to_owned(), note);
        }
        notes.retain(|path, _| path.exists());
        let write = |out: &mut dyn Write| Ok(serde_json::to_writer(out, &notes)?);
        self.put(&self.folder.join(NOTES), write)
    }

    /// Writes a file, which is there when it is complete. Only who runs the program can read it: the files of
    /// entities may be nobody else's business.
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

    /// Removes what came first where there is much, and what was left unfinished.
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

/// What is noted in a folder.
fn notes(folder: &Path) -> BTreeMap<PathBuf, Note> {
    let notes = fs::read(folder.join(NOTES)).ok();
    let notes = notes.and_then(|notes| serde_json::from_slice(&notes).ok());
    notes.unwrap_or_default()
}

/// What tells a program from every other: two builds of one version may well differ. Containers give the same file
/// another number each time, so that is not looked at.
fn program() -> Option<String> {
    let path = env::current_exe().ok()?;
    let metadata = path.metadata().ok()?;
    let modified = metadata.modified().ok()?;
    let (version, size) = (env!("CARGO_PKG_VERSION"), metadata.len());
    Some(format!("{version} {path:?} {size} {modified:?}"))
}

impl Known {
    fn of(file: &EntityFile) -> Option<Self> {
        Some(Self {
            path: file.path.canonicalize().ok()?,
            source: Arc::clone(&file.source),
            stamp: Stamp::of(&file.metadata),
            content: None,
            reading: Arc::default(),
        })
    }

    /// Whether all of it was read, and is as it was before.
    fn is_read(&mut self) -> bool {
        if self.content.is_none() {
            let reading = self.reading.lock();
            let reading = reading.unwrap_or_else(PoisonError::into_inner);
            let is_all = reading.size == self.stamp.size;
            self.content = is_all.then(|| reading.hasher.finalize());
        }
        let now = self.path.metadata().map(|metadata| Stamp::of(&metadata));
        self.content.is_some() && now.is_ok_and(|now| now == self.stamp)
    }

    /// The hash of its content, which is read.
    fn hash(&self) -> Option<Hash> {
        let mut hasher = Hasher::new();
        hasher.update_reader(File::open(&self.path).ok()?).ok()?;
        let now = Stamp::of(&self.path.metadata().ok()?);
        (now == self.stamp).then(|| hasher.finalize())
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let system = {
            use std::os::unix::fs::MetadataExt;
            let changed = (metadata.ctime(), metadata.ctime_nsec());
            Some((changed.0, changed.1, metadata.dev(), metadata.ino()))
        };
        #[cfg(not(unix))]
        let system = None;
        Self {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            system,
        }
    }
}

impl Note {
    /// Whether a change after the note must have given the file other times.
    fn can_tell(&self) -> bool {
        let system = self.stamp.system.map(|(seconds, ..)| seconds);
        let changed = system.and_then(|seconds| u64::try_from(seconds).ok());
        let changed = changed.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let last = self.stamp.modified.max(changed);
        let since = last.and_then(|last| self.noted.duration_since(last).ok());
        since.is_some_and(|since| since > COARSE)
    }
}

impl Warning {
    fn of(finding: &Finding, sources: &[&Arc<Source>]) -> Self {
        let labels = finding.labels.iter().filter_map(|label| {
            let place = &label.place;
            let source = sources.iter().position(|known| **known == place.source)?;
            Some((source, place.start, place.end, label.text.clone()))
        });
        Self {
            code: finding.code.clone(),
            message: finding.message.clone(),
            help: finding.help.clone(),
            labels: labels.collect(),
        }
    }

    fn finding(self, sources: &[&Arc<Source>]) -> Option<Finding> {
        let mut finding = Finding::warning(self.code, self.message);
        finding.help = self.help;
        for (source, start, end, text) in self.labels {
            let source = Arc::clone(sources.get(source)?);
            finding = finding.label(Place { source, start, end }, text);
        }
        Some(finding)
    }
}

/// A name made of texts and numbers.
#[derive(Default)]
struct Key(Hasher);

impl Key {
    fn add(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    /// Says how many follow, so that nothing passes for the beginning of something else.
    fn count(&mut self, count: usize) {
        self.0.update(&(count as u64).to_le_bytes());
    }

    fn name(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.0.finalize().to_hex())
    }
}

/// A file that is hashed while it is read.
struct Hashing {
    reader: Box<dyn Read + Send>,
    hashed: Arc<Mutex<Hashed>>,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let hashed = self.hashed.lock();
        let mut hashed = hashed.unwrap_or_else(PoisonError::into_inner);
        hashed
            .hasher
            .update(buffer.get(..count).unwrap_or_default());
        hashed.size += count as u64;
        Ok(count)
    }
}
