//! The folder of exports: its files, and the order of their pages.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::Mutex;

use miette::Diagnostic;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::{RecordError, Unread, catalog, key, page};

/// The file name endings of other exports.
const OTHER_ENDINGS: [&str; 4] = [".csv", ".csv.gz", ".zip", ".zip.gz"];

/// A source of export files, on disk or in memory.
pub trait Files: Sync {
    /// The paths of all files, relative to the folder, with `/` between their parts.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn paths(&self) -> io::Result<BTreeSet<String>>;

    /// The bytes of a file.
    ///
    /// # Errors
    /// The file cannot be opened.
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send + '_>>;

    /// The path of a file for messages.
    fn shown(&self, path: &str) -> String;
}

/// The refusal of an export.
#[derive(Debug, Error, Diagnostic)]
#[error("cannot read `{path}`: {reason}")]
#[diagnostic(code(export::refused))]
pub struct RefusedExport {
    path: String,
    reason: String,
    #[help]
    help: Option<String>,
}

/// A folder of exports.
pub struct Folder<'f, F> {
    files: &'f F,
    /// The paths as written, by paths with the ending in lower case.
    paths: BTreeMap<String, String>,
    /// The files that were read.
    read: Mutex<BTreeSet<String>>,
    /// The requested exports that do not exist.
    absent: Mutex<BTreeSet<String>>,
    /// The properties that some record of an export has, and whose absence would give people more access.
    properties: Mutex<BTreeSet<String>>,
}

impl<'f, F: Files> Folder<'f, F> {
    /// Lists the files of a folder.
    ///
    /// # Errors
    /// The folder cannot be read, or two paths differ only in the case of their ending.
    pub fn new(files: &'f F) -> Result<Self, RefusedExport> {
        let found = files
            .paths()
            .map_err(|error| refused(files.shown(""), error.to_string(), None))?;
        let mut paths = BTreeMap::new();
        for path in found {
            if let Some(file) = catalog::in_other_letters(&with_plain_ending(&path)) {
                let reason = format!("{file} is spelled with other capitals");
                let help = Some("rename it: where capitals count, it is another file".to_owned());
                return Err(refused(files.shown(&path), reason, help));
            }
            if let Some(other) = paths.insert(with_plain_ending(&path), path.clone()) {
                let reason = format!("`{}` is there as well", files.shown(&other));
                let help = Some("keep one of the two".to_owned());
                return Err(refused(files.shown(&path), reason, help));
            }
        }
        Ok(Self {
            files,
            paths,
            read: Mutex::default(),
            properties: Mutex::default(),
            absent: Mutex::default(),
        })
    }

    /// Reads the records of an export, for example `graph/roleDefinitions`, page by page: `NAME.json`, `NAME-2.json`
    /// and so on. `false` if it does not exist.
    ///
    /// # Errors
    /// A page cannot be read, has a wrong number, or is missing: the page before links to it, or a page with a higher
    /// number exists.
    pub fn records<T: DeserializeOwned>(
        &self,
        name: &str,
        mut each: impl FnMut(T) -> Result<(), RecordError>,
    ) -> Result<bool, RefusedExport> {
        let mut pages = self.pages(name)?;
        let last = pages.keys().next_back().copied().unwrap_or_default();
        let mut next: Option<String> = None;
        for number in 1.. {
            let page = match number {
                1 => name.to_owned(),
                number => format!("{name}-{number}"),
            };
            let Some(path) = pages.remove(&number) else {
                let (reason, help) = match next {
                    Some(address) => (
                        "it is missing: the page before it says that there is more",
                        Some(format!("save what {address} answers under this name")),
                    ),
                    None if number <= last => (
                        "it is missing, and a page after it is there",
                        Some("save that page, or number the pages without a gap".to_owned()),
                    ),
                    None if number > 1 => return Ok(true),
                    None => {
                        if let Ok(mut absent) = self.absent.lock() {
                            absent.insert(format!("{name}.json"));
                        }
                        return Ok(false);
                    }
                };
                let path = self.files.shown(&format!("{page}.json"));
                return Err(refused(path, reason.to_owned(), help));
            };
            let read = page::read(self.open(&path)?, &mut each);
            let read = read.map_err(|error| self.unread(&path, error))?;
            // Graph says where the next page is; instances of a class may be read one by one.
            if read.is_appended && name.starts_with("graph/") {
                let reason = "one whole answer follows another, as where an export was added to an older one";
                return Err(self.refuse(&path, reason, "export it again into a new file"));
            }
            next = read.next;
        }
        Ok(true)
    }

    /// Reads a file that is not a page of records, as `PATH` or `PATH.gz`; `None` if it does not exist.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read<T>(
        &self,
        path: &str,
        read: impl FnOnce(Box<dyn Read + Send + '_>) -> Result<T, Unread>,
    ) -> Result<Option<T>, RefusedExport> {
        let paths = [path.to_owned(), format!("{path}.gz")];
        let is_known = |of: &&String| paths.contains(of) || catalog::known_as(of) == Some(path);
        let mut known = self.paths.keys().filter(is_known);
        let Some(path) = known.next() else {
            return Ok(None);
        };
        if let Some(other) = known.next() {
            let reason = format!("`{}` is there as well", self.shown(other));
            return Err(self.refuse(path, reason, "keep one of the two"));
        }
        let read = read(self.open(path)?);
        read.map(Some).map_err(|error| self.unread(path, error))
    }

    /// The names of the folders in a folder, by key: in lower case, without braces around an id.
    ///
    /// # Errors
    /// Two folders have the same key.
    pub fn objects(&self, folder: &str) -> Result<BTreeMap<String, String>, RefusedExport> {
        let mut objects: BTreeMap<String, String> = BTreeMap::new();
        for name in self.folders(folder) {
            if let Some(other) = objects.insert(key(&name), name.clone()) {
                let reason = format!(
                    "`{}` is there as well",
                    self.files.shown(&format!("{folder}/{other}"))
                );
                let path = format!("{folder}/{name}");
                return Err(self.refuse(&path, reason, "keep one of the two"));
            }
        }
        Ok(objects)
    }

    /// The names of the folders in a folder, sorted.
    fn folders(&self, folder: &str) -> BTreeSet<String> {
        let within = |path: &String| {
            let rest = path.strip_prefix(folder)?.strip_prefix('/')?;
            Some(rest.split_once('/')?.0.to_owned())
        };
        let from = self.paths.range(format!("{folder}/")..);
        from.map_while(|(path, _)| path.starts_with(folder).then_some(path))
            .filter_map(within)
            .collect()
    }

    /// The files that were not read, except for those of the catalog, which some imports do not need.
    pub fn not_read(&self) -> Vec<String> {
        let read = self
            .read
            .lock()
            .map(|read| read.clone())
            .unwrap_or_default();
        let left = self.paths.iter().filter(|(path, _)| !read.contains(*path));
        left.filter(|(path, _)| catalog::export_at(path).is_none())
            .map(|(_, path)| path.clone())
            .collect()
    }

    /// Marks an existing export as read, or as not read.
    ///
    /// # Errors
    /// Two files are the same page, or one has a wrong number.
    pub fn count_as_read(&self, name: &str, is_read: bool) -> Result<(), RefusedExport> {
        let pages = self.pages(name)?;
        if let Ok(mut read) = self.read.lock() {
            match is_read {
                true => read.extend(pages.into_values()),
                false => read.retain(|path| !pages.values().any(|page| page == path)),
            }
        }
        Ok(())
    }

    /// The exports that were read, each once for all of its pages and objects: `configmgr/P01/SMS_Admin.json`,
    /// `graph/groups/<id>/members.json`.
    pub fn exports(&self) -> BTreeSet<String> {
        let read = self.read.lock();
        let read = read.map(|read| read.clone()).unwrap_or_default();
        let properties = self.properties.lock();
        let properties = properties.map(|of| of.clone()).unwrap_or_default();
        read.iter()
            .filter_map(|path| catalog::called(path))
            .chain(properties)
            .collect()
    }

    /// Records that a file, given by its path without ending, has a property whose absence would give people more
    /// access. A later import without that property is then recognized as incomplete.
    pub fn note_property(&self, path: &str, property: &str) {
        let called = catalog::called(&format!("{path}.json"));
        if let (Some(file), Ok(mut properties)) = (called, self.properties.lock()) {
            properties.insert(format!("{file}: {property}"));
        }
    }

    /// The existing exports, read or not, by the names of [`Folder::exports`].
    pub fn present(&self) -> BTreeSet<String> {
        let paths = self.paths.keys();
        paths.filter_map(|path| catalog::called(path)).collect()
    }

    /// The requested exports that do not exist and are not optional, except for those of single objects.
    pub fn absent(&self) -> Vec<String> {
        let absent = self.absent.lock().map(|absent| absent.clone());
        let is_lost = |path: &String| {
            catalog::export_at(path)
                .is_some_and(|export| !export.is_optional && !export.file.contains("<id>"))
        };
        absent
            .unwrap_or_default()
            .into_iter()
            .filter(is_lost)
            .collect()
    }

    /// The refusal of a file, with reason and help.
    pub fn refuse(
        &self,
        path: &str,
        reason: impl Into<String>,
        help: impl Into<String>,
    ) -> RefusedExport {
        refused(self.shown(path), reason.into(), Some(help.into()))
    }

    /// The refusal of an import for a missing export, with the reason why it is needed.
    pub fn missing(&self, name: &str, what_for: &str) -> RefusedExport {
        let path = format!("{name}.json");
        let help = catalog::export_at(&path)
            .map(|export| format!("save what this gives: {}", export.call()));
        let reason = format!("it is missing, and {what_for}");
        refused(self.files.shown(&path), reason, help)
    }

    /// The paths of the pages of an export, by number.
    fn pages(&self, name: &str) -> Result<BTreeMap<u64, String>, RefusedExport> {
        let mut pages: BTreeMap<u64, String> = BTreeMap::new();
        for path in self.paths.range(name.to_owned()..).map(|(path, _)| path) {
            // The files in a folder of the same name sort after the pages.
            let Some(rest) = path
                .strip_prefix(name)
                .filter(|rest| !rest.starts_with('/'))
            else {
                break;
            };
            let Some(number) = catalog::page_number(rest) else {
                continue;
            };
            if number < 2 && rest.starts_with('-') {
                let reason = format!(
                    "no page is called so: the first one is {name}.json, the second {name}-2.json"
                );
                return Err(self.refuse(path, reason, "number the pages in this way"));
            }
            if let Some(other) = pages.insert(number, path.clone()) {
                let reason = format!("`{}` is there as well", self.shown(path));
                let help = Some("keep one of the two".to_owned());
                return Err(refused(self.shown(&other), reason, help));
            }
        }
        Ok(pages)
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read + Send + '_>, RefusedExport> {
        if let Ok(mut read) = self.read.lock() {
            read.insert(path.to_owned());
        }
        let file = self.files.open(self.real(path));
        file.map_err(|error| refused(self.shown(path), error.to_string(), None))
    }

    /// The path of a file as written.
    fn real<'p>(&'p self, path: &'p str) -> &'p str {
        self.paths.get(path).map_or(path, String::as_str)
    }

    fn shown(&self, path: &str) -> String {
        self.files.shown(self.real(path))
    }

    fn unread(&self, path: &str, error: Unread) -> RefusedExport {
        let shown = self.shown(path);
        match error {
            Unread::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => refused(
                shown,
                "it ends in the middle: it was cut off".to_owned(),
                Some("export or copy it again".to_owned()),
            ),
            Unread::Io(error) => refused(shown, error.to_string(), None),
            Unread::Text {
                message,
                line,
                column,
            } => refused(
                format!("{shown}:{line}:{column}"),
                message,
                catalog::export_at(path)
                    .map(|export| format!("the file has what this gives: {}", export.call())),
            ),
        }
    }
}

/// A path with the ending in lower case, because Windows ignores case.
fn with_plain_ending(path: &str) -> String {
    let lower = path.to_ascii_lowercase();
    let endings = catalog::PAGES.iter().chain(&OTHER_ENDINGS);
    let ending = endings.filter(|ending| lower.ends_with(*ending));
    let length = ending.map(|ending| ending.len()).max().unwrap_or_default();
    let (stem, ending) = path.split_at(path.len().saturating_sub(length));
    format!("{stem}{}", ending.to_ascii_lowercase())
}

fn refused(path: String, reason: String, help: Option<String>) -> RefusedExport {
    RefusedExport { path, reason, help }
}
