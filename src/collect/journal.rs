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
    Tenant(Tenant),
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

/// The id of the tenant that a token is for; `None` if the token does not state one.
pub(crate) type Tenant = Option<String>;

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
    /// The tenant that it was begun in; `None` if nobody has signed in yet.
    tenant: Mutex<Option<Tenant>>,
    /// The saved pages, by file name without ending.
    saved: Mutex<BTreeMap<String, Pages>>,
}

impl Journal {
    /// A new journal.
    pub(crate) fn begin(path: &Path, plan: &Plan) -> io::Result<Self> {
        let journal = Self {
            file: Mutex::new(File::create(path)?),
            tenant: Mutex::default(),
            saved: Mutex::default(),
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
        let (mut plan, mut tenant) = (None, None);
        let mut saved: BTreeMap<String, Pages> = BTreeMap::new();
        for line in BufReader::new(&file).split(b'\n') {
            // The last line may be incomplete if the run was killed while writing it.
            match serde_json::from_slice(&line?) {
                Ok(Line::Plan(of)) => plan = Some(of),
                Ok(Line::Tenant(of)) => tenant = Some(of),
                Ok(Line::Page { stem, rows, next }) => {
                    saved.entry(stem).or_default().pages.push((rows, next));
                }
                Ok(Line::Done { stem }) => saved.entry(stem).or_default().is_done = true,
                Ok(Line::Restart { stem }) => drop(saved.remove(&stem)),
                Err(_) => {}
            }
        }
        file.write_all(b"\n")?;
        let journal = Self {
            file: Mutex::new(file),
            tenant: Mutex::new(tenant),
            saved: Mutex::new(saved),
        };
        Ok(plan.map(|plan| (journal, plan)))
    }

    /// Whether the collection was begun in this tenant; the first call begins it.
    pub(crate) fn is_of(&self, tenant: Tenant) -> io::Result<bool> {
        let mut begun = self.tenant.lock().unwrap_or_else(PoisonError::into_inner);
        match &*begun {
            Some(begun) => Ok(*begun == tenant),
            None => {
                *begun = Some(tenant.clone());
                self.write(&Line::Tenant(tenant)).map(|()| true)
            }
        }
    }

    /// The saved pages of a file.
    pub(crate) fn saved(&self, stem: &str) -> Pages {
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        saved.get(stem).cloned().unwrap_or_default()
    }

    /// Records a saved page.
    pub(crate) fn page(&self, stem: &str, rows: u64, next: Option<&str>) -> io::Result<()> {
        let next = next.map(str::to_owned);
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let pages = saved.entry(stem.to_owned()).or_default();
        pages.pages.push((rows, next.clone()));
        drop(saved);
        self.write(&Line::Page {
            stem: stem.to_owned(),
            rows,
            next,
        })
    }

    /// Records that a file is complete.
    pub(crate) fn done(&self, stem: &str) -> io::Result<()> {
        self.write(&Line::Done {
            stem: stem.to_owned(),
        })
    }

    /// Records that a file begins again. Returns the pages it had.
    pub(crate) fn restart(&self, stem: &str) -> io::Result<Pages> {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let pages = saved.remove(stem).unwrap_or_default();
        drop(saved);
        self.write(&Line::Restart {
            stem: stem.to_owned(),
        })?;
        Ok(pages)
    }

    fn write(&self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&text)
    }
}
