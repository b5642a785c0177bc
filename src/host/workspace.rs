//! The workspace on disk: its files, found and read.
//!
//! [`examine`] reads everything and collects what is wrong; [`Workspace::load`] does the same and
//! refuses when anything is.

mod astray;
mod cache;
mod cedar;
mod earlier;
mod gone;
mod kept;
mod manifest;
pub mod regular;
mod rules;
mod transaction;

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;
use walkdir::WalkDir;

use crate::assembly::{self, Examination, NothingKnown, assemble};
use crate::bundle::{Shipped, Switches, Texts, UnknownReading};
use crate::engine::Engine;
use tarbac_diagnostic::code::{self, Code};
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_diagnostic::source::{Place, Source, Text, shown};
use tarbac_store::Input;

use cache::Cache;
use rules::Part;

pub use cedar::{cedar_tests, cedar_tests_from_standard_input, entity_files};
pub use earlier::{Baseline, earlier, stands_alone, state};
pub use kept::Loss;
pub use transaction::{Draft, DraftFile, NotBegun, Transaction, files_in, found, recorded};

/// The largest policy or schema file that is read, in bytes. Nobody writes one by hand; a file
/// that large is the wrong file.
const LARGEST_TEXT: u64 = 16 * 1024 * 1024;

/// The folders of a workspace.
pub const PARTS: [&str; 3] = ["entities", "policies", "schema"];

/// The codes of the warnings that are told by whatever decides.
pub const TOLD: [Code; 2] = [code::workspace::INSIDE, code::workspace::FINISHED];

/// How many files are named before the others are counted.
const LISTED: usize = 5;

/// The largest snapshot that is read, in bytes: a cell has a byte or two.
const LARGEST_SNAPSHOT: u64 = 256 * 1024 * 1024;

/// The folder of a workspace, and what is read in place of its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The folder that holds `policies/`, `schema/` and `entities/`.
    pub root: PathBuf,
    /// Files and folders in place of `policies/`; empty for that folder.
    pub policies: Vec<PathBuf>,
    /// Files and folders in place of `schema/`.
    pub schema: Vec<PathBuf>,
    /// Files and folders in place of `entities/`.
    pub entities: Vec<PathBuf>,
    /// Files and folders that are read as another state: they are in the right place.
    pub others: Vec<PathBuf>,
    /// The rules that are in force unless the workspace replaces them.
    pub shipped: Arc<Shipped>,
}

/// A file that could not be read.
#[derive(Debug, Error, Diagnostic)]
#[error("cannot read `{path}`: {reason}")]
#[diagnostic(code(workspace::unreadable))]
pub struct Unreadable {
    path: String,
    reason: String,
    #[help]
    help: Option<String>,
}

/// Why there is no workspace to decide with.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file could not be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The workspace has errors; nothing is decided with it.
    #[error("the workspace has errors, so nothing is decided with it")]
    Invalid(Vec<Finding>),
    /// A switch names no reading.
    #[error(transparent)]
    Reading(#[from] UnknownReading),
}

/// How the entities of a workspace are read.
#[derive(Clone, Default)]
pub struct LoadOptions {
    /// Whether what is worked out from the files of a large workspace is kept in a folder beside them, and
    /// taken from there. It changes no answer.
    pub cache: bool,
    /// Told of the bytes that were just read, and of how many there are altogether.
    pub progress: Option<Progress>,
    /// Told where something of what was kept is lost.
    pub loss: Loss,
}

/// Whoever wants to know how far reading has come.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// A workspace without errors, ready to decide.
#[derive(Debug)]
pub struct Workspace {
    /// Decides requests.
    pub engine: Engine,
    /// The warnings.
    pub warnings: Vec<Finding>,
}

impl Layout {
    /// The workspace in this folder, with these rules in force unless it replaces them.
    pub fn of(root: impl Into<PathBuf>, shipped: Arc<Shipped>) -> Self {
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
    /// A file cannot be read, anything in the workspace is wrong, or a switch names no reading.
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

    /// The same by these means.
    ///
    /// # Errors
    /// Those of [`Workspace::load`].
    pub fn load_by(
        layout: &Layout,
        switches: &Switches,
        means: &LoadOptions,
    ) -> Result<Self, LoadError> {
        Self::of(examine_by(layout, switches, means)?)
    }

    /// The workspace that was examined.
    ///
    /// # Errors
    /// Anything in it is wrong.
    pub fn of(examination: Examination) -> Result<Self, LoadError> {
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

/// Reads a whole workspace and says everything that is wrong with it.
///
/// # Errors
/// A file cannot be read, or a switch names no reading.
pub fn examine(layout: &Layout, switches: &Switches) -> Result<Examination, LoadError> {
    examine_by(layout, switches, &LoadOptions::default())
}

fn examine_by(
    layout: &Layout,
    switches: &Switches,
    means: &LoadOptions,
) -> Result<Examination, LoadError> {
    match metadata(&layout.root)? {
        Some(root) if root.is_dir() => {}
        _ => return Err(unreadable(&layout.root, "it is not a folder", None).into()),
    }
    whole(layout, |finished| {
        let mut examination = examine_once(layout, switches, means)?;
        examination.findings.extend(is_finished(finished));
        finding::sort(&mut examination.findings);
        Ok(examination)
    })
}

fn examine_once(
    layout: &Layout,
    switches: &Switches,
    means: &LoadOptions,
) -> Result<Examination, LoadError> {
    let mut passed_over = Vec::new();
    let mut texts = match texts(layout, &mut passed_over) {
        // Which rules are in force is not known, so nothing else can be said of them.
        Err(LoadError::Invalid(findings)) => return Ok(Examination::without_rules(findings)),
        texts => texts?,
    };
    let gone = match gone::look(layout, &texts) {
        Err(LoadError::Invalid(findings)) => return Ok(Examination::without_rules(findings)),
        gone => gone?,
    };
    let entities = opened(layout, &mut passed_over)?;
    let above = astray::above(layout);
    // What lies in a folder of the workspace above is where it belongs.
    if above.is_empty() {
        astray::look(layout, &mut passed_over);
    }
    let astray = astray::told(passed_over.iter().map(|path| shown(path)));
    texts.not_read.clone_from(&astray);
    texts.not_read.extend(gone.names.iter().cloned());
    texts.missing = gone.names;
    texts.not_read.extend(above.iter().map(|path| shown(path)));
    let cache = means
        .cache
        .then(|| Cache::of(layout, &entities, &means.loss));
    let inputs = || inputs(entities, means);
    let mut examination = match cache.flatten() {
        Some(mut cache) => assemble(&texts, inputs, switches, &mut cache)?,
        None => assemble(&texts, inputs, switches, &mut NothingKnown)?,
    };
    examination.findings.extend(gone.findings);
    examination.findings.extend(not_read(&astray));
    examination.findings.extend(astray::inside(layout, &above));
    finding::sort(&mut examination.findings);
    Ok(examination)
}

/// What to say of files that were written because a change had been interrupted: where what was left of it came with a
/// repository, nobody else says so.
fn is_finished(files: &[String]) -> Option<Finding> {
    let first = files.first()?;
    let more = match files.len() - 1 {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    let message = format!("a change that was stopped was finished: `{first}`{more} changed");
    let place = Place::new(&Source::held(first.clone(), ""), 0..0);
    Some(
        Finding::warning(code::workspace::FINISHED, message)
            .label(place, "this file")
            .help("there is nothing to do; where nobody changed this workspace, see what git says has changed"),
    )
}

/// How often something is read again that changes while it is read.
const ATTEMPTS: u32 = 20;

/// Reads files of a workspace, or again where they were changed as a whole in the meantime: half of them would be
/// the old ones. Whoever reads is given the files of an interrupted change that were written before.
fn whole<T, E: From<Unreadable>>(
    layout: &Layout,
    mut read: impl FnMut(&[String]) -> Result<T, E>,
) -> Result<T, E> {
    let roots = roots(layout);
    let mut finished = Vec::new();
    for _ in 0..ATTEMPTS {
        let mut before = Vec::new();
        for root in &roots {
            let (generation, paths) = transaction::settled(root)?;
            before.push(generation);
            finished.extend(paths.iter().map(|path| shown(&root.join(path))));
        }
        let result = read(&finished);
        let after = roots.iter().map(|root| transaction::generation(root));
        if after.collect::<Result<Vec<_>, Unreadable>>()? == before {
            return result;
        }
    }
    let reason = "it is changed again and again while it is read";
    Err(unreadable(&layout.root, reason, None).into())
}

/// The workspaces that are read: the one at hand, and those of which a part is named.
fn roots(layout: &Layout) -> BTreeSet<PathBuf> {
    let mut roots = BTreeSet::from([layout.root.clone()]);
    let named = [&layout.policies, &layout.schema, &layout.entities];
    for path in named.into_iter().flatten() {
        let Ok(path) = std::path::absolute(path) else {
            continue;
        };
        let within = path.ancestors().zip(path.ancestors().skip(1));
        let within = within.filter(|(folder, _)| PARTS.iter().any(|part| folder.ends_with(part)));
        roots.extend(within.map(|(_, root)| root.to_owned()));
    }
    roots
}

/// The texts of the rules in force in a workspace.
///
/// # Errors
/// A file cannot be read, or a manifest is wrong.
fn texts(layout: &Layout, passed_over: &mut Vec<PathBuf>) -> Result<Texts, LoadError> {
    let policies = part(
        &layout.policies,
        &layout.root.join("policies"),
        &["cedar", "json"],
        passed_over,
    )?;
    let schema = part(
        &layout.schema,
        &layout.root.join("schema"),
        &["cedarschema", "json"],
        passed_over,
    )?;
    Ok(rules::in_force(policies, schema, &layout.shipped))
}

/// The files of policies or schema of a workspace, with what their manifests say.
fn part(
    named: &[PathBuf],
    default: &Path,
    extensions: &[&str],
    passed_over: &mut Vec<PathBuf>,
) -> Result<Part, LoadError> {
    let mut others = Vec::new();
    let paths = files(named, default, extensions, &mut others)?;
    let default = [default.to_owned()];
    let folders = match named {
        [] => &default,
        named => named,
    };
    let mut part = Part {
        is_custom: !paths.is_empty()
            && paths.iter().all(|path| {
                let within = folders.iter().find_map(|root| path.strip_prefix(root).ok());
                within.is_some_and(|within| within.starts_with("custom"))
            }),
        ..Part::default()
    };
    let mut wrong = Vec::new();
    for path in others {
        if !manifest::is_called(&path) {
            passed_over.push(path);
            continue;
        }
        let root = folders.iter().find(|root| path.starts_with(root));
        let root = root.map_or(path.as_path(), PathBuf::as_path);
        if !folders.iter().any(|root| path == root.join(manifest::NAME)) {
            wrong.push(manifest::misplaced(&shown(&path), &shown(root)));
            continue;
        }
        match manifest::replaces(&held(&path)?) {
            Ok(replaces) => part.replaces |= replaces,
            Err(finding) => wrong.push(finding),
        }
    }
    if !wrong.is_empty() {
        return Err(LoadError::Invalid(wrong));
    }
    for path in paths {
        let source = held(&path)?;
        // A schema may be JSON itself.
        match is_json(&path) && extensions.contains(&"cedar") {
            true => part.links.push(source),
            false => part.sources.push(source),
        }
    }
    Ok(part)
}

/// Loads the policies and the schema of a workspace without its entities.
///
/// # Errors
/// Those of [`Workspace::load`].
pub fn rules(layout: &Layout, switches: &Switches) -> Result<Workspace, LoadError> {
    whole(layout, |finished| {
        let mut texts = texts(layout, &mut Vec::new())?;
        texts.missing = gone::look(layout, &texts)?.names;
        texts.not_read.clone_from(&texts.missing);
        let mut examination = assembly::examine(&texts, Vec::new(), switches)?;
        examination.findings.extend(is_finished(finished));
        Workspace::of(examination)
    })
}

/// The policy files of a workspace and nothing that ships, for whoever does without a schema; besides, what is to be
/// told where an interrupted change was finished.
///
/// # Errors
/// A file cannot be read.
pub fn own_policies(layout: &Layout) -> Result<(Texts, Option<Finding>), Unreadable> {
    whole(layout, |finished| {
        Ok((own_policies_once(layout)?, is_finished(finished)))
    })
}

fn own_policies_once(layout: &Layout) -> Result<Texts, Unreadable> {
    let mut texts = Texts::default();
    let folder = layout.root.join("policies");
    for path in files(
        &layout.policies,
        &folder,
        &["cedar", "json"],
        &mut Vec::new(),
    )? {
        let source = held(&path)?;
        match is_json(&path) {
            true => texts.links.push(source),
            false => texts.policies.push(source),
        }
    }
    Ok(texts)
}

fn is_json(path: &Path) -> bool {
    let extension = path.extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// The policy files of a workspace with their texts, for whoever rewrites them; none where the
/// workspace uses those that ship. Besides, what is to be told where an interrupted change was finished.
///
/// # Errors
/// A file cannot be read.
pub fn policy_files(layout: &Layout) -> Result<(Vec<PolicyFile>, Option<Finding>), Unreadable> {
    whole(layout, |finished| {
        Ok((policy_files_once(layout)?, is_finished(finished)))
    })
}

/// Where a policy file is, and its text.
pub type PolicyFile = (PathBuf, Arc<Source>);

fn policy_files_once(layout: &Layout) -> Result<Vec<PolicyFile>, Unreadable> {
    let folder = layout.root.join("policies");
    files(&layout.policies, &folder, &["cedar"], &mut Vec::new())?
        .into_iter()
        .filter(|path| !is_json(path))
        .map(|path| {
            let source = held(&path)?;
            Ok((path, source))
        })
        .collect()
}

/// A file under `tests/`.
#[derive(Debug, Clone)]
pub struct SuiteFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub source: Arc<Source>,
    /// Whether it is to be run, and not only there for others to use.
    pub wanted: bool,
}

/// The suite files of a workspace: those under `tests/`, and the files and folders of `named`.
/// Where some are named, only those are to be run.
///
/// A folder under `tests/` that is a workspace of its own has its own suites, and is passed over.
///
/// # Errors
/// A file cannot be read, or what is named does not exist.
pub fn suite_files(layout: &Layout, named: &[PathBuf]) -> Result<Vec<SuiteFile>, Unreadable> {
    let extensions = ["yaml", "yml"];
    // One file may be named in several ways.
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut wanted = Vec::new();
    for root in named {
        match is_named_folder(root)? {
            true => walk(root, &extensions, &mut wanted, &mut Vec::new())?,
            false => wanted.push(root.clone()),
        }
    }
    let is_wanted: BTreeSet<PathBuf> = wanted.iter().map(|path| real(path)).collect();
    let mut paths = Vec::new();
    let mut add = |folder: &Path, left_out: &dyn Fn(&Path) -> bool| match is_folder(folder)? {
        true => walk_unless(folder, &extensions, left_out, &mut paths, &mut Vec::new()),
        false => Ok(()),
    };
    add(&layout.root.join("tests"), &is_workspace)?;
    // A file that is named may use those beside it.
    for path in &wanted {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        add(folder.unwrap_or(Path::new(".")), &|_| true)?;
    }
    paths.extend(wanted);
    let mut seen = BTreeSet::new();
    paths.retain(|path| seen.insert(real(path)));
    let mut files = paths
        .into_iter()
        .map(|path| {
            Ok(SuiteFile {
                source: held(&path)?,
                wanted: named.is_empty() || is_wanted.contains(&real(&path)),
                path,
            })
        })
        .collect::<Result<Vec<SuiteFile>, Unreadable>>()?;
    files.sort_by(|one, other| one.source.name.cmp(&other.source.name));
    Ok(files)
}

/// The specs of a workspace: the policy files under `tests/specs/`, or the files and folders of
/// `named` in their place.
///
/// # Errors
/// A file cannot be read, or what is named does not exist.
pub fn spec_files(
    layout: &Layout,
    named: &[PathBuf],
) -> Result<Vec<(PathBuf, Arc<Source>)>, Unreadable> {
    let folder = layout.root.join("tests").join("specs");
    files(named, &folder, &["cedar"], &mut Vec::new())?
        .into_iter()
        .map(|path| {
            let source = held(&path)?;
            Ok((path, source))
        })
        .collect()
}

/// Whether a folder holds a part of a workspace.
pub fn is_workspace(folder: &Path) -> bool {
    PARTS.iter().any(|part| folder.join(part).is_dir())
}

/// A file of entities that was opened.
struct EntityFile {
    source: Arc<Source>,
    path: PathBuf,
    metadata: Metadata,
    reader: Box<dyn Read + Send>,
}

/// The files of the entities of a workspace.
fn opened(layout: &Layout, passed_over: &mut Vec<PathBuf>) -> Result<Vec<EntityFile>, Unreadable> {
    let folder = layout.root.join("entities");
    files(&layout.entities, &folder, &["json"], passed_over)?
        .into_iter()
        .map(|path| {
            // It is opened once more when it is its turn to be read: there may be more files than a
            // program may have open.
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

/// The files as a directory takes them, with whoever wants to know how far reading them has come.
fn inputs(files: Vec<EntityFile>, means: &LoadOptions) -> Vec<Input> {
    let size = files.iter().map(|file| file.metadata.len()).sum();
    let watched = |reader: Box<dyn Read + Send>| match &means.progress {
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

/// Tells somebody how much is read.
struct Watched {
    reader: Box<dyn Read + Send>,
    progress: Progress,
    size: u64,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        (self.progress)(count as u64, self.size);
        Ok(count)
    }
}

/// The files of a part of the workspace, sorted. A file that is named is taken whatever its name;
/// in folders, those with another extension go to `passed_over`.
fn files(
    named: &[PathBuf],
    default: &Path,
    extensions: &[&str],
    passed_over: &mut Vec<PathBuf>,
) -> Result<Vec<PathBuf>, Unreadable> {
    let mut found = Vec::new();
    if named.is_empty() && is_folder(default)? {
        walk(default, extensions, &mut found, passed_over)?;
    }
    for root in named {
        match is_named_folder(root)? {
            true => walk(root, extensions, &mut found, passed_over)?,
            false => found.push(root.clone()),
        }
    }
    Ok(found)
}

/// What is at a path; `None` only of what is certainly not there.
///
/// # Errors
/// It cannot be known, or a link leads nowhere.
fn metadata(path: &Path) -> Result<Option<Metadata>, Unreadable> {
    let is_absent = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if is_absent(&error) => match fs::symlink_metadata(path) {
            Ok(_) => Err(unreadable(path, "the link leads nowhere", None)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(unreadable(path, &error.to_string(), None)),
        },
        Err(error) => Err(unreadable(path, &error.to_string(), None)),
    }
}

/// Whether what was named is a folder.
///
/// # Errors
/// It is not there, or that cannot be known.
fn is_named_folder(path: &Path) -> Result<bool, Unreadable> {
    let metadata =
        fs::metadata(path).map_err(|error| unreadable(path, &error.to_string(), None))?;
    Ok(metadata.is_dir())
}

/// Whether there is a folder of a workspace at a path.
///
/// # Errors
/// Something else is there, or it cannot be known.
fn is_folder(path: &Path) -> Result<bool, Unreadable> {
    match metadata(path)? {
        None => Ok(false),
        Some(metadata) if metadata.is_dir() => Ok(true),
        Some(metadata) if metadata.is_file() => {
            let reason = "it is a file where a folder is expected";
            Err(unreadable(path, reason, None))
        }
        Some(_) => Err(unreadable(path, "it is not a folder", None)),
    }
}

fn walk(
    root: &Path,
    extensions: &[&str],
    found: &mut Vec<PathBuf>,
    passed_over: &mut Vec<PathBuf>,
) -> Result<(), Unreadable> {
    walk_unless(root, extensions, &transaction::is_aside, found, passed_over)
}

/// The same without the folders that are `left_out`.
fn walk_unless(
    root: &Path,
    extensions: &[&str],
    left_out: &dyn Fn(&Path) -> bool,
    found: &mut Vec<PathBuf>,
    passed_over: &mut Vec<PathBuf>,
) -> Result<(), Unreadable> {
    let entries = WalkDir::new(root)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            entry.depth() == 0 || !entry.file_type().is_dir() || !left_out(entry.path())
        });
    for entry in entries {
        let entry = entry.map_err(|error| walk_error(root, &error))?;
        let is_known = entry.path().extension().is_some_and(|extension| {
            extensions
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        });
        let kind = entry.file_type();
        // A manifest is a file as well.
        let is_file_by_name = is_known || manifest::is_called(entry.path());
        if kind.is_dir() {
            if is_file_by_name {
                let reason = "it is a folder where a file is expected";
                return Err(unreadable(entry.path(), reason, None));
            }
        } else if !is_known {
            passed_over.push(entry.into_path());
        } else if kind.is_file() {
            found.push(entry.into_path());
        } else {
            // Reading a pipe could take for ever.
            return Err(unreadable(entry.path(), "it is not a regular file", None));
        }
    }
    Ok(())
}

/// What to say of files that are not read: a forbid in them holds nobody back.
fn not_read(names: &[String]) -> impl Iterator<Item = Finding> {
    // One more is as short as the number of the others.
    let (named, others) = match names.len() {
        count if count <= LISTED + 1 => (names, [].as_slice()),
        _ => names.split_at(LISTED),
    };
    let one = |name: &String| {
        let message = format!("`{name}` is not read: no file of its kind is expected there");
        (name.clone(), message)
    };
    let rest = others.first().map(|name| {
        let message = format!("{} more files are not read, like `{name}`", others.len());
        (name.clone(), message)
    });
    let told: Vec<(String, String)> = named.iter().map(one).chain(rest).collect();
    told.into_iter().map(|(name, message)| {
        // Nothing of it is read to show it either: it may be a pipe.
        let place = Place::new(&Source::held(name, ""), 0..0);
        Finding::warning(code::workspace::NOT_READ, message)
            .label(place, "this file")
            .help("policies end in `.cedar`, links of templates and entities in `.json`, schema in `.cedarschema` or `.json`; they stand in `policies/`, `entities/` and `schema/`")
    })
}

fn walk_error(root: &Path, error: &walkdir::Error) -> Unreadable {
    let path = error.path().unwrap_or(root);
    match (error.loop_ancestor(), error.io_error()) {
        (Some(ancestor), _) => unreadable(
            path,
            &format!("the link leads back to `{}`", shown(ancestor)),
            Some("remove the link, or let it lead elsewhere"),
        ),
        (None, Some(error)) => unreadable(path, &error.to_string(), None),
        (None, None) => unreadable(path, &error.to_string(), None),
    }
}

/// Reads a policy or schema file: UTF-8, with or without a byte order mark, whatever its line ends.
fn held(path: &Path) -> Result<Arc<Source>, Unreadable> {
    held_up_to(path, LARGEST_TEXT)
}

fn held_up_to(path: &Path, largest: u64) -> Result<Arc<Source>, Unreadable> {
    let bytes = regular::read(path, largest).map_err(|error| {
        let is_large = error.kind() == io::ErrorKind::FileTooLarge;
        let help = "no file of that kind is that large; is it the right file?";
        unreadable(path, &error.to_string(), is_large.then_some(help))
    })?;
    let text = text_of(bytes).map_err(|reason| unreadable(path, &reason, Some(AS_UTF8)))?;
    Ok(Source::held(shown(path), text))
}

/// What to do about a file that is no text.
const AS_UTF8: &str =
    "save the file as UTF-8; in Windows PowerShell, `Set-Content -Encoding utf8` does";

/// The text of a file without a byte order mark, with line feeds: UTF-8 or, as Windows PowerShell writes it, UTF-16
/// with a byte order mark.
fn text_of(bytes: Vec<u8>) -> Result<String, String> {
    let utf16 = |of: fn([u8; 2]) -> u16| {
        let (units, rest) = bytes.as_chunks();
        let text = String::from_utf16(&units.iter().map(|unit| of(*unit)).collect::<Vec<u16>>());
        let text = text.ok().filter(|_| rest.is_empty());
        text.ok_or_else(|| "it begins like UTF-16 and is not".to_owned())
    };
    let text = match bytes.first_chunk() {
        Some([0xff, 0xfe]) => utf16(u16::from_le_bytes)?,
        Some([0xfe, 0xff]) => utf16(u16::from_be_bytes)?,
        _ => String::from_utf8(bytes)
            .map_err(|error| format!("it is not UTF-8: {}", error.utf8_error()))?,
    };
    // No text has such a character, and every second one of UTF-16 that is taken for UTF-8 is one.
    if let Some(at) = text.find('\0') {
        return Err(format!("it is no text: byte {at} is zero"));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(text.replace("\r\n", "\n"))
}

/// Reads standard input as a file of policies is read.
///
/// # Errors
/// It cannot be read, or is no text.
pub fn standard_input() -> Result<Arc<Source>, Unreadable> {
    standard_input_up_to(LARGEST_TEXT)
}

fn standard_input_up_to(largest: u64) -> Result<Arc<Source>, Unreadable> {
    let name = Path::new("standard input");
    let bytes = regular::up_to(io::stdin().lock(), largest);
    let bytes = bytes.map_err(|error| unreadable(name, &error.to_string(), None))?;
    let text = text_of(bytes).map_err(|reason| unreadable(name, &reason, Some(AS_UTF8)))?;
    Ok(Source::held("standard input", text))
}

/// The text of a snapshot; `None` if there is none.
///
/// # Errors
/// It cannot be read.
pub fn snapshot(path: &Path) -> Result<Option<String>, Unreadable> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => Ok(Some(held_up_to(path, LARGEST_SNAPSHOT)?.text().to_owned())),
    }
}

fn unreadable(path: &Path, reason: &str, help: Option<&str>) -> Unreadable {
    Unreadable {
        path: shown(path),
        reason: reason.to_owned(),
        help: help.map(str::to_owned),
    }
}
