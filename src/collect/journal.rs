//! The journal of a collection, from which a later run resumes it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// The scope of a collection; a resumed one must have the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) graph: Option<String>,
    pub(crate) sites: Vec<(String, String)>,
    pub(crate) has_all_groups: bool,
    pub(crate) started_at: String,
}

impl Plan {
    /// Whether two plans have the same scope, whenever each was started.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.graph, &self.sites, self.has_all_groups)
            == (&other.graph, &other.sites, other.has_all_groups)
    }
}

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Plan(Plan),
    Page {
        stem: String,
        rows: u64,
        next: Option<String>,
    },
    Done {
        stem: String,
    },
    /// The file begins again: its earlier pages are discarded.
    Restart {
        stem: String,
    },
}

/// The saved pages of a file.
#[derive(Debug, Default, Clone)]
pub(crate) struct Pages {
    /// The number of records of each page, and the address of the next page.
    pub(crate) pages: Vec<(u64, Option<String>)>,
    /// Whether the last page is saved.
    pub(crate) is_done: bool,
}

/// The journal of a collection.
#[derive(Debug)]
pub(crate) struct Journal {
    file: Mutex<File>,
    /// The pages saved by an earlier run, by file name without ending.
    before: Mutex<BTreeMap<String, Pages>>,
}

impl Journal {
    /// A new journal.
    pub(crate) fn begin(path: &Path, plan: &Plan) -> io::Result<Self> {
        let journal = Self {
            file: Mutex::new(File::create(path)?),
            before: Mutex::default(),
        };
        journal.write(&Line::Plan(plan.clone()))?;
        Ok(journal)
    }

    /// The journal of an earlier run, with its plan; `None` if there is none or its plan cannot be read.
    pub(crate) fn resume(path: &Path) -> io::Result<Option<(Self, Plan)>> {
        let mut file = match OpenOptions::new().read(true).append(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut plan = None;
        let mut before: BTreeMap<String, Pages> = BTreeMap::new();
        for line in BufReader::new(&file).split(b'\n') {
            // The last line may be incomplete if the run was killed while writing it.
            match serde_json::from_slice(&line?) {
                Ok(Line::Plan(of)) => plan = Some(of),
                Ok(Line::Page { stem, rows, next }) => {
                    before.entry(stem).or_default().pages.push((rows, next));
                }
                Ok(Line::Done { stem }) => before.entry(stem).or_default().is_done = true,
                Ok(Line::Restart { stem }) => drop(before.remove(&stem)),
                Err(_) => {}
            }
        }
        file.write_all(b"\n")?;
        let journal = Self {
            file: Mutex::new(file),
            before: Mutex::new(before),
        };
        Ok(plan.map(|plan| (journal, plan)))
    }

    /// The pages of a file that an earlier run saved.
    pub(crate) fn before(&self, stem: &str) -> Pages {
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        before.get(stem).cloned().unwrap_or_default()
    }

    /// Records a saved page.
    pub(crate) fn page(&self, stem: &str, rows: u64, next: Option<&str>) -> io::Result<()> {
        self.write(&Line::Page {
            stem: stem.to_owned(),
            rows,
            next: next.map(str::to_owned),
        })
    }

    /// Records that a file is complete.
    pub(crate) fn done(&self, stem: &str) -> io::Result<()> {
        self.write(&Line::Done {
            stem: stem.to_owned(),
        })
    }

    /// Records that a file begins again.
    pub(crate) fn restart(&self, stem: &str) -> io::Result<()> {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        before.remove(stem);
        drop(before);
        self.write(&Line::Restart {
            stem: stem.to_owned(),
        })
    }

    fn write(&self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&text)
    }
}
