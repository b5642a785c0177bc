//! The journal of a collection, by which a later run goes on.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// What a collection asks for: one that goes on has to ask for the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) graph: Option<String>,
    pub(crate) sites: Vec<(String, String)>,
    pub(crate) has_all_groups: bool,
    pub(crate) started_at: String,
}

impl Plan {
    /// Whether it asks for the same as another one, whenever that was.
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
    /// Begun again: the pages before are no more.
    Restart {
        stem: String,
    },
}

/// The pages of a file that are there.
#[derive(Debug, Default, Clone)]
pub(crate) struct Pages {
    /// The records of each page, and the address of the page after it.
    pub(crate) pages: Vec<(u64, Option<String>)>,
    /// Whether there are no more.
    pub(crate) is_done: bool,
}

/// The journal of a collection.
#[derive(Debug)]
pub(crate) struct Journal {
    file: Mutex<File>,
    /// What an earlier run has left, by the names of files without their endings.
    before: Mutex<BTreeMap<String, Pages>>,
}

impl Journal {
    /// A new one.
    pub(crate) fn begin(path: &Path, plan: &Plan) -> io::Result<Self> {
        let journal = Self {
            file: Mutex::new(File::create(path)?),
            before: Mutex::default(),
        };
        journal.write(&Line::Plan(plan.clone()))?;
        Ok(journal)
    }

    /// One that an earlier run has left, and its plan; `None` where there is none that can be read.
    pub(crate) fn resume(path: &Path) -> io::Result<Option<(Self, Plan)>> {
        let mut file = match OpenOptions::new().read(true).append(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut plan = None;
        let mut before: BTreeMap<String, Pages> = BTreeMap::new();
        for line in BufReader::new(&file).split(b'\n') {
            // Of the last line there may be a part, if the run was killed while it wrote.
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

    /// What an earlier run has left of a file.
    pub(crate) fn before(&self, stem: &str) -> Pages {
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        before.get(stem).cloned().unwrap_or_default()
    }

    /// Notes a page that is there.
    pub(crate) fn page(&self, stem: &str, rows: u64, next: Option<&str>) -> io::Result<()> {
        self.write(&Line::Page {
            stem: stem.to_owned(),
            rows,
            next: next.map(str::to_owned),
        })
    }

    /// Notes that a file has no more pages.
    pub(crate) fn done(&self, stem: &str) -> io::Result<()> {
        self.write(&Line::Done {
            stem: stem.to_owned(),
        })
    }

    /// Notes that a file begins again.
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
