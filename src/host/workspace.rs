//! The workspace on disk: finding and reading its files.
//!
//! [`examine`] reads everything and collects all findings; [`Workspace::load`] does the same and fails if one is an
//! error.

mod astray;
mod baseline;
mod cache;
mod cedar;
mod checkout;
mod consistent_read;
mod contents;
mod entities;
mod folders;
mod git;
mod gone;
mod kept;
mod left_behind;
mod manifest;
mod places;
pub mod regular;
mod repository;
mod revision;
mod rule_files;
mod rules;
mod suites;
mod text;
mod transaction;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;

use crate::assembly::{Examination, NothingKnown, assemble};
use crate::bundle::{Shipped, Switches, UnknownReading};
use crate::engine::Engine;
use tarbac_diagnostic::code::{self, Code};
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_diagnostic::source::shown;

use cache::Cache;
use consistent_read::{consistently, finished_change};
use folders::metadata;
use rule_files::texts;

pub use baseline::{Baseline, earlier, stands_alone, state};
pub use cedar::{
    EntityFileError, EntityFiles, cedar_tests, cedar_tests_from_standard_input, entity_files,
};
pub use contents::{PartContent, PartFile, contents};
pub use git::commit;
pub use kept::Loss;
pub use rule_files::{PolicyFile, own_policies, policy_files, rules};
pub use suites::{SuiteFile, complete_suites, spec_files, suite_files};
pub use text::{snapshot, standard_input};
pub use transaction::{Draft, DraftFile, NotBegun, Transaction, files_in, found, recorded};

/// The folders that a workspace is made of, its parts.
pub const PARTS: [&str; 3] = ["entities", "policies", "schema"];

/// The codes of the warnings that commands which decide show too.
pub const TOLD: [Code; 3] = [
    code::policy::NOT_AS_SHIPPED,
    code::workspace::FINISHED,
    code::workspace::INSIDE,
];

/// The most files that are named in messages; the others are counted.
const LISTED: usize = 5;

/// The folder of a workspace, and the files that are read in place of its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The folder that holds `policies/`, `schema/` and `entities/`.
    pub root: PathBuf,
    /// Files and folders in place of `policies/`; without any, that folder is read.
    pub policies: Vec<PathBuf>,
    /// Files and folders in place of `schema/`.
    pub schema: Vec<PathBuf>,
    /// Files and folders in place of `entities/`.
    pub entities: Vec<PathBuf>,
    /// Files and folders that are read as another state, so they are in the right place.
    pub others: Vec<PathBuf>,
    /// The rules that are in force unless the workspace replaces them.
    pub shipped: Arc<Shipped>,
}

/// A file that cannot be read.
#[derive(Debug, Error, Diagnostic)]
#[error("cannot read `{path}`: {reason}")]
#[diagnostic(code(workspace::unreadable))]
pub struct Unreadable {
    path: String,
    reason: String,
    #[help]
    help: Option<String>,
}

/// The reason why there is no workspace to decide with.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The workspace has errors, so nothing is decided with it.
    #[error("the workspace has errors, so nothing is decided with it")]
    Invalid(Vec<Finding>),
    /// A switch names a reading that does not exist.
    #[error(transparent)]
    Reading(#[from] UnknownReading),
}

/// Options for reading the entities of a workspace.
#[derive(Clone, Default)]
pub struct LoadOptions {
    /// Whether to keep the results of reading a large workspace in a folder beside its files, and to use them. It
    /// changes no answer.
    pub cache: bool,
    /// A function that is called with the number of bytes just read and the total number.
    pub progress: Option<ReadProgress>,
    /// A mark that is set if a part of the kept results is lost.
    pub loss: Loss,
}

/// A function that is called with the progress of reading: the bytes just read, and the total.
pub type ReadProgress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// A workspace without errors.
#[derive(Debug)]
pub struct Workspace {
    /// The engine.
    pub engine: Engine,
    /// The warnings.
    pub warnings: Vec<Finding>,
}

impl Layout {
    /// The workspace in a folder; the rules that ship are in force unless it replaces them.
    pub fn new(root: impl Into<PathBuf>, shipped: Arc<Shipped>) -> Self {
        Self {
            root: root.into(),
            shipped,
            ..Self::default()
        }
    }
}

impl Workspace {
    /// Loads a workspace under these switches of readings.
    ///
    /// # Errors
    /// A file cannot be read, the workspace has an error, or a switch names a reading that does not exist.
    ///
    /// # Examples
    /// ```
    /// use std::path::PathBuf;
    ///
    /// use tarbac_host::{Layout, Switches, Workspace};
    ///
    /// let layout = Layout {
    ///     root: PathBuf::from("../../tests/contoso"),
    ///     policies: vec![PathBuf::from("../../policies")],
    ///     schema: vec![PathBuf::from("../../schema")],
    ///     ..Layout::default()
    /// };
    /// let workspace = Workspace::load(&layout, &Switches::default())?;
    /// assert!(!workspace.engine.directory().is_empty());
    /// # Ok::<(), tarbac_host::LoadError>(())
    /// ```
    pub fn load(layout: &Layout, switches: &Switches) -> Result<Self, LoadError> {
        Self::load_by(layout, switches, &LoadOptions::default())
    }

    /// Loads a workspace with these options.
    ///
    /// # Errors
    /// Those of [`Workspace::load`].
    pub fn load_by(
        layout: &Layout,
        switches: &Switches,
        options: &LoadOptions,
    ) -> Result<Self, LoadError> {
        Self::from_examination(examine_by(layout, switches, options)?)
    }

    /// The workspace of an examination.
    ///
    /// # Errors
    /// The workspace has an error.
    pub fn from_examination(examination: Examination) -> Result<Self, LoadError> {
        match examination.engine {
            Some(engine) => Ok(Self {
                engine,
                warnings: examination.findings,
            }),
            None => Err(LoadError::Invalid(
                examination
                    .findings
                    .into_iter()
                    .filter(|finding| finding.severity == finding::Severity::Error)
                    .collect(),
            )),
        }
    }
}

/// Reads a whole workspace and collects its findings.
///
/// # Errors
/// A file cannot be read, or a switch names a reading that does not exist.
pub fn examine(layout: &Layout, switches: &Switches) -> Result<Examination, LoadError> {
    examine_by(layout, switches, &LoadOptions::default())
}

fn examine_by(
    layout: &Layout,
    switches: &Switches,
    options: &LoadOptions,
) -> Result<Examination, LoadError> {
    match metadata(&layout.root)? {
        Some(root) if root.is_dir() => {}
        _ => return Err(unreadable(&layout.root, "it is not a folder", None).into()),
    }
    consistently(layout, |finished| {
        let mut examination = examine_once(layout, switches, options)?;
        examination.findings.extend(finished_change(finished));
        finding::sort(&mut examination.findings);
        Ok(examination)
    })
}

fn examine_once(
    layout: &Layout,
    switches: &Switches,
    options: &LoadOptions,
) -> Result<Examination, LoadError> {
    let mut passed_over = Vec::new();
    let mut texts = match texts(layout, &mut passed_over) {
        // It is not known which rules are in force, so there can be no findings about them.
        Err(LoadError::Invalid(findings)) => return Ok(Examination::without_rules(findings)),
        texts => texts?,
    };
    let gone = match gone::find(layout, &texts) {
        Err(LoadError::Invalid(findings)) => return Ok(Examination::without_rules(findings)),
        gone => gone?,
    };
    let entities = entities::opened(layout, &mut passed_over)?;
    let above = astray::above(layout);
    // Files in a folder of the workspace above are where they belong.
    if above.is_empty() {
        astray::look(layout, &mut passed_over);
    }
    let astray = passed_over.iter();
    let astray = astray.filter(|path| !left_behind::is_no_matter(path, layout));
    let astray = astray::told(astray.map(|path| shown(path)));
    texts.not_read.clone_from(&astray);
    texts.not_read.extend(gone.names.iter().cloned());
    texts.missing = gone.names;
    texts.not_read.extend(above.iter().map(|path| shown(path)));
    let cache = options
        .cache
        .then(|| Cache::for_workspace(layout, &entities, &options.loss));
    let inputs = || entities::inputs(entities, options);
    let mut examination = match cache.flatten() {
        Some(mut cache) => assemble(&texts, inputs, switches, &mut cache)?,
        None => assemble(&texts, inputs, switches, &mut NothingKnown)?,
    };
    examination.findings.extend(gone.findings);
    if let Some(engine) = &examination.engine {
        let departures = engine.bundle().departures(&texts.policies, &gone.on_record);
        examination.findings.extend(departures);
    }
    examination.findings.extend(astray::not_read(&astray));
    examination.findings.extend(astray::inside(layout, &above));
    finding::sort(&mut examination.findings);
    Ok(examination)
}

/// Whether a folder contains a part of a workspace.
pub fn is_workspace(folder: &Path) -> bool {
    PARTS.iter().any(|part| folder.join(part).is_dir())
}

/// The error about a workspace that changes again and again while it is read.
pub fn restless(root: &Path) -> Unreadable {
    unreadable(root, "it is changed again and again while it is read", None)
}

fn unreadable(path: &Path, reason: &str, help: Option<&str>) -> Unreadable {
    Unreadable {
        path: shown(path),
        reason: reason.to_owned(),
        help: help.map(str::to_owned),
    }
}
