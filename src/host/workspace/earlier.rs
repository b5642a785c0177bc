//! The baseline of a comparison: another workspace, a policy folder or a revision of git.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::rules::{self, Part};
use super::{
    LARGEST_TEXT, Layout, LoadError, LoadOptions, PARTS, Unreadable, astray, examine_by, files,
    gone, is_finished, is_folder, manifest, metadata, text_of, texts, unreadable, whole,
};
use crate::assembly::{self, Examination};
use crate::bundle::{Switches, Texts};
use crate::record;
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_diagnostic::source::Source;
use tarbac_store::Input;

/// Policies and schema of an earlier state.
#[derive(Debug)]
pub struct Baseline {
    /// The texts. Where the earlier state has no schema of its own, that of the workspace.
    pub texts: Texts,
    /// Whether the schema is its own.
    pub has_own_schema: bool,
    /// Whether it has neither policies nor a schema of its own, and so has those that ship.
    pub is_bare: bool,
    /// What is to be told of it besides.
    pub told: Vec<Finding>,
}

/// Reads what a workspace is compared with.
///
/// A folder that holds `policies/`, `schema/` or `entities/` is a workspace; another folder, or a file,
/// holds policies; and what is neither is a revision of the git repository that the workspace is in.
///
/// # Errors
/// A file cannot be read, a manifest is wrong, or it is no revision.
pub fn earlier(layout: &Layout, old: &str) -> Result<Baseline, LoadError> {
    let Some(of) = on_disk(layout, old)? else {
        return of_revision(layout, old);
    };
    let has_own_schema = of.policies.is_empty();
    let has = |part: &str| of.root.join(part).is_dir();
    let (texts, told) = whole(&of, |finished| {
        let texts = texts(&of, &mut Vec::new())?;
        let mut told = gone::look(&of, &texts)?.findings;
        told.extend(is_finished(finished));
        Ok::<_, LoadError>((texts, told))
    })?;
    Ok(Baseline {
        is_bare: has_own_schema && !has("policies") && !has("schema"),
        texts,
        has_own_schema,
        told,
    })
}

/// What a name stands for on disk: a workspace, or the one at hand with other policies; `None` for what is not
/// there, which may be a revision.
///
/// # Errors
/// It is a revision as well, or has no policies.
fn on_disk(layout: &Layout, name: &str) -> Result<Option<Layout>, Unreadable> {
    let path = Path::new(name);
    if !may_be_on_disk(path) || metadata(path)?.is_none() {
        return Ok(None);
    }
    if is_commit(layout, name) {
        let help = format!("say `./{name}` for the one, or `refs/heads/{name}` for the other");
        let reason = "it is there, and a revision of git has the same name";
        return Err(unreadable(path, reason, Some(&help)));
    }
    for part in ["entities", "policies", "schema"] {
        if path.is_dir() && is_folder(&path.join(part))? {
            return Ok(Some(Layout::of(path, Arc::clone(&layout.shipped))));
        }
    }
    let policies = vec![path.to_owned()];
    let found = files(&policies, path, &["cedar"], &mut Vec::new())?;
    if found.is_empty() {
        return Err(wrong(name, "it is a folder without policies"));
    }
    Ok(Some(Layout {
        policies,
        ..layout.clone()
    }))
}

/// Whether there can be anything of this name on disk: that of a revision may begin with the name of a file, or be
/// longer than any.
fn may_be_on_disk(path: &Path) -> bool {
    use std::io::ErrorKind::{InvalidFilename, NotADirectory};
    let error = std::fs::symlink_metadata(path).err();
    error.is_none_or(|error| !matches!(error.kind(), NotADirectory | InvalidFilename))
}

/// Whether what a name stands for has everything of its own, as a workspace and a revision have, and takes nothing
/// of the workspace at hand.
///
/// # Errors
/// Those of [`state`].
pub fn stands_alone(layout: &Layout, name: &str) -> Result<bool, Unreadable> {
    let of = on_disk(layout, name)?;
    Ok(of.is_none_or(|of| of == Layout::of(name, Arc::clone(&layout.shipped))))
}

/// Examines another state of a workspace: what [`earlier`] reads, with the entities of the other workspace
/// or of the revision; policies alone are joined with the entities of the workspace.
///
/// # Errors
/// A file cannot be read, it is no revision, or a switch names no reading.
pub fn state(
    layout: &Layout,
    name: &str,
    switches: &Switches,
    means: &LoadOptions,
) -> Result<Examination, LoadError> {
    match on_disk(layout, name)? {
        Some(of) => examine_by(&of, switches, means),
        None => match revision(layout, name) {
            Err(LoadError::Invalid(findings)) => Ok(Examination::without_rules(findings)),
            revision => {
                let (texts, entities, told) = revision?;
                let mut examination = assembly::examine(&texts, entities, switches)?;
                examination.findings.extend(told);
                finding::sort(&mut examination.findings);
                Ok(examination)
            }
        },
    }
}

/// Texts and entities of a workspace in a revision of git, with what is to be told of it.
fn revision(
    layout: &Layout,
    revision: &str,
) -> Result<(Texts, Vec<Input>, Vec<Finding>), LoadError> {
    let Committed { files, record } = committed(layout, revision, &PARTS)?;
    let names = names(&files);
    if files.is_empty() {
        let reason = "it has neither policies/ nor schema/ nor entities/ in this folder";
        return Err(wrong(revision, reason).into());
    }
    let (entities, texts): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|file| file.name.starts_with("entities/"));
    let (entities, others): (Vec<_>, Vec<_>) =
        entities.into_iter().partition(|file| file.is_of("json"));
    let others = others
        .iter()
        .map(|file| format!("{revision}:{}", file.name));
    let others = astray::told(others);
    let entities = entities.into_iter();
    let entities = entities.map(|file| {
        let name = format!("{revision}:{}", file.name);
        let reader = Box::new(Cursor::new(file.content.clone()));
        let text = String::from_utf8_lossy(&file.content).into_owned();
        Input {
            source: Source::held(name, text),
            reader,
        }
    });
    let entities = entities.collect();
    let mut texts = texts_of(layout, revision, texts)?;
    texts.not_read.extend(others);
    let told = gone_of(revision, &PARTS, record, &names, &mut texts)?;
    Ok((texts, entities, told))
}

fn names(files: &[CommittedFile]) -> BTreeSet<String> {
    files.iter().map(|file| file.name.clone()).collect()
}

/// What to say of files that are gone in a revision of which these parts are read, as it is said of files on disk.
fn gone_of(
    revision: &str,
    parts: &[&str],
    record: Option<CommittedFile>,
    names: &BTreeSet<String>,
    texts: &mut Texts,
) -> Result<Vec<Finding>, LoadError> {
    let Some(record) = record else {
        return Ok(Vec::new());
    };
    let record = record.held(revision)?;
    let (missing, findings) = gone::look_in(parts, &record, names, texts).map_err(|error| {
        wrong(
            revision,
            &format!("of its file `{}`, {error}", record::FILE),
        )
    })?;
    if finding::any_error(&findings) {
        return Err(LoadError::Invalid(findings));
    }
    let missing = missing.iter().map(|path| format!("{revision}:{path}"));
    texts.missing.extend(missing);
    texts.not_read.extend(texts.missing.iter().cloned());
    Ok(findings)
}

/// The policies and schema of a workspace in a revision of git.
fn of_revision(layout: &Layout, revision: &str) -> Result<Baseline, LoadError> {
    let parts = ["policies", "schema"];
    let Committed { files, record } = committed(layout, revision, &parts)?;
    let (names, is_bare) = (names(&files), files.is_empty());
    let mut texts = texts_of(layout, revision, files)?;
    let told = gone_of(revision, &parts, record, &names, &mut texts)?;
    Ok(Baseline {
        is_bare,
        texts,
        has_own_schema: true,
        told,
    })
}

/// Parts of a workspace in a revision.
struct Committed {
    files: Vec<CommittedFile>,
    /// The record of what was written into it.
    record: Option<CommittedFile>,
}

/// The files of some parts of a workspace in a revision, with its record.
fn committed(layout: &Layout, revision: &str, parts: &[&str]) -> Result<Committed, Unreadable> {
    let with_record = [parts, &[record::FILE]].concat();
    let mut files = files_of(layout, revision, &with_record)?;
    let at = files.iter().position(|file| file.name == record::FILE);
    Ok(Committed {
        record: at.map(|at| files.swap_remove(at)),
        files,
    })
}

/// A file of a revision.
struct CommittedFile {
    name: String,
    content: Vec<u8>,
}

impl CommittedFile {
    fn is_of(&self, extension: &str) -> bool {
        is_of(Path::new(&self.name), extension)
    }

    /// Its text, as that of a file on disk is read.
    fn held(self, revision: &str) -> Result<Arc<Source>, Unreadable> {
        let name = format!("{revision}:{}", self.name);
        let text = text_of(self.content)
            .map_err(|reason| wrong(revision, &format!("of its file `{}`, {reason}", self.name)))?;
        Ok(Source::held(name, text))
    }

    /// Whether it is a part of the schema, in either format.
    fn is_schema(&self) -> bool {
        let is_known = self.is_of("cedarschema") || self.is_of("json");
        is_known && self.name.starts_with("schema/")
    }
}

fn is_of(path: &Path, extension: &str) -> bool {
    let known = path.extension();
    known.is_some_and(|known| known.eq_ignore_ascii_case(extension))
}

fn wrong(revision: &str, reason: &str) -> Unreadable {
    let help =
        "name a workspace, a folder or file of policies, or a revision of git such as HEAD or main";
    unreadable(Path::new(revision), reason, Some(help))
}

/// Git in the folder of a workspace.
fn git(layout: &Layout, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(&layout.root).args(arguments);
    command
}

/// What to do where the history is not there.
const SHALLOW: &str = "this is a shallow clone, which lacks older commits and other branches: run `git fetch \
                       --unshallow`, or give `fetch-depth: 0` to actions/checkout (GIT_DEPTH: 0 in GitLab)";

/// Whether the repository has only a part of its history, as a checkout of continuous integration does.
fn is_shallow(layout: &Layout) -> bool {
    let said = git(layout, &["rev-parse", "--is-shallow-repository"]).output();
    said.is_ok_and(|said| said.stdout.trim_ascii() == b"true")
}

/// Whether git knows a commit by this name.
fn is_commit(layout: &Layout, name: &str) -> bool {
    let commit = format!("{name}^{{commit}}");
    let known = git(
        layout,
        &[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ],
    )
    .output();
    known.is_ok_and(|known| known.status.success())
}

/// The files of some parts of a workspace in a revision of git.
fn files_of(
    layout: &Layout,
    revision: &str,
    parts: &[&str],
) -> Result<Vec<CommittedFile>, Unreadable> {
    let wrong = |reason: String| wrong(revision, &reason);
    let git = |arguments: &[&str]| git(layout, arguments);
    // What begins with a dash would be taken for an option.
    if revision.starts_with('-') {
        return Err(wrong("it is no file and no revision".to_owned()));
    }
    if !layout.policies.is_empty() || !layout.schema.is_empty() {
        return Err(wrong(
            "a revision has its own policies/ and schema/, and --policies and --schema name others"
                .to_owned(),
        ));
    }
    let listed = git(&["ls-tree", "-r", "-z", revision, "--"])
        .args(parts)
        .output()
        .map_err(|error| wrong(format!("it is no file, and git cannot be run: {error}")))?;
    if !listed.status.success() {
        let said = String::from_utf8_lossy(&listed.stderr);
        let said = said.trim().trim_start_matches("fatal: ").to_owned();
        let reason = format!("it is no file, and git says: {said}");
        return Err(match is_shallow(layout) {
            true => unreadable(Path::new(revision), &reason, Some(SHALLOW)),
            false => wrong(reason),
        });
    }
    if !is_commit(layout, revision) {
        return Err(wrong(
            "it is a part of a revision, and not a revision".to_owned(),
        ));
    }
    let listed = String::from_utf8_lossy(&listed.stdout);
    let files: Vec<Listed<'_>> = listed.split('\0').filter_map(Listed::of).collect();
    if let Some(other) = files.iter().find(|file| !file.is_plain()) {
        let reason = format!(
            "its `{}` is a symbolic link or a submodule, and these are not followed in a revision",
            other.name
        );
        return Err(wrong(reason));
    }
    // A folder that was elsewhere had its policies there.
    if files.is_empty() {
        let here = git(&["ls-tree", revision]).output();
        if here.is_ok_and(|here| here.stdout.is_empty()) {
            return Err(wrong("it has nothing in this folder".to_owned()));
        }
    }
    let contents = contents(git(&["cat-file", "--batch"]), &files)
        .map_err(|error| wrong(format!("git did not give its files: {error}")))?;
    let files = files
        .iter()
        .zip(contents)
        .map(|(file, content)| CommittedFile {
            name: file.name.to_owned(),
            content,
        });
    Ok(files.collect())
}

/// The texts of the rules in force in a revision, which has these files of policies and schema.
fn texts_of(
    layout: &Layout,
    revision: &str,
    files: Vec<CommittedFile>,
) -> Result<Texts, LoadError> {
    let (mut policies, mut schema) = (Part::default(), Part::default());
    let mut wrong = Vec::new();
    let mut not_read = Vec::new();
    let mut is_custom = true;
    for file in files {
        let folder = match file.name.starts_with("policies/") {
            true => "policies",
            false => "schema",
        };
        let part = match folder {
            "policies" => &mut policies,
            _ => &mut schema,
        };
        if manifest::is_called(Path::new(&file.name)) {
            if file.name != format!("{folder}/{}", manifest::NAME) {
                let name = format!("{revision}:{}", file.name);
                wrong.push(manifest::misplaced(&name, folder));
                continue;
            }
            match manifest::replaces(&file.held(revision)?) {
                Ok(replaces) => part.replaces |= replaces,
                Err(finding) => wrong.push(finding),
            }
            continue;
        }
        let list = match folder {
            "policies" if file.is_of("cedar") => &mut part.sources,
            "policies" if file.is_of("json") => &mut part.links,
            "schema" if file.is_schema() => {
                is_custom &= file.name.starts_with("schema/custom/");
                &mut part.sources
            }
            _ => {
                not_read.push(format!("{revision}:{}", file.name));
                continue;
            }
        };
        list.push(file.held(revision)?);
    }
    if !wrong.is_empty() {
        return Err(LoadError::Invalid(wrong));
    }
    schema.is_custom = is_custom;
    let mut texts = rules::in_force(policies, schema, &layout.shipped);
    texts.not_read = astray::told(not_read.into_iter());
    Ok(texts)
}

/// What git calls the mode of a symbolic link.
const SYMBOLIC_LINK: &str = "120000";

/// A file of a revision, as git lists it.
struct Listed<'l> {
    mode: &'l str,
    kind: &'l str,
    object: &'l str,
    name: &'l str,
}

impl<'l> Listed<'l> {
    /// `<mode> <type> <object>`, a tab, and the name.
    fn of(line: &'l str) -> Option<Self> {
        let (facts, name) = line.split_once('\t')?;
        let mut facts = facts.split(' ');
        let (mode, kind, object) = (facts.next()?, facts.next()?, facts.next()?);
        Some(Self {
            mode,
            kind,
            object,
            name,
        })
    }

    fn is_plain(&self) -> bool {
        self.kind == "blob" && self.mode != SYMBOLIC_LINK
    }
}

/// The contents of files of a revision, in their order.
fn contents(mut git: Command, files: &[Listed<'_>]) -> std::io::Result<Vec<Vec<u8>>> {
    let mut child = git
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let failed = || std::io::Error::other("it ended early");
    let mut questions = child.stdin.take().ok_or_else(failed)?;
    let mut answers = BufReader::new(child.stdout.take().ok_or_else(failed)?);
    let mut contents = Vec::with_capacity(files.len());
    for file in files {
        writeln!(questions, "{}", file.object)?;
        questions.flush()?;
        let mut header = String::new();
        answers.read_line(&mut header)?;
        // `<object> blob <size>`, then the content and a line feed.
        let size = header
            .trim_end()
            .rsplit(' ')
            .next()
            .and_then(|size| size.parse::<usize>().ok())
            .ok_or_else(|| std::io::Error::other(header.trim_end().to_owned()))?;
        // Entities may be large; what is larger than a text can be is not read at all.
        let is_text = !file.name.starts_with("entities/");
        if is_text && size as u64 > LARGEST_TEXT {
            let reason = format!("{} is larger than {} MiB", file.name, LARGEST_TEXT >> 20);
            return Err(std::io::Error::other(reason));
        }
        let mut content = vec![0; size];
        answers.read_exact(&mut content)?;
        answers.read_exact(&mut [0])?;
        contents.push(content);
    }
    drop(questions);
    child.wait()?;
    Ok(contents)
}
