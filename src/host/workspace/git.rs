//! The files of a revision in a git repository.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::baseline::wrong;
use super::text::{LARGEST_TEXT, text_of};
use super::{Layout, Unreadable, left_behind, unreadable};
use tarbac_diagnostic::source::Source;

/// A file of a revision.
pub(super) struct CommittedFile {
    pub name: String,
    pub content: Vec<u8>,
}

impl CommittedFile {
    pub(crate) fn is_of(&self, extension: &str) -> bool {
        is_of(Path::new(&self.name), extension)
    }

    /// The text, decoded like that of a file on disk.
    pub(crate) fn held(self, revision: &str) -> Result<Arc<Source>, Unreadable> {
        let name = format!("{revision}:{}", self.name);
        let text = text_of(self.content)
            .map_err(|reason| wrong(revision, &format!("of its file `{}`, {reason}", self.name)))?;
        Ok(Source::held(name, text))
    }

    /// Whether an editor or a system left the file beside others.
    pub(crate) fn is_left_behind(&self) -> bool {
        left_behind::is_left_behind_with(Path::new(&self.name), &self.content)
    }

    /// Whether nobody takes the file for a rule, although it is not read.
    pub(crate) fn is_no_matter(&self, layout: &Layout) -> bool {
        let text = || String::from_utf8_lossy(&self.content).replace("\r\n", "\n");
        let is_readme = left_behind::is_readme(Path::new(&self.name));
        self.is_left_behind()
            || is_readme
                && (left_behind::names_no_rule(&self.content) || layout.shipped.has_text(&text()))
    }

    /// Whether the file belongs to the schema, in either format.
    pub(crate) fn is_schema(&self) -> bool {
        let is_known = self.is_of("cedarschema") || self.is_of("json");
        is_known && self.name.starts_with("schema/")
    }
}

pub(super) fn is_of(path: &Path, extension: &str) -> bool {
    let known = path.extension();
    known.is_some_and(|known| known.eq_ignore_ascii_case(extension))
}

/// A git command in the folder of a workspace.
pub(super) fn git(layout: &Layout, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(&layout.root).args(arguments);
    command
}

/// The variables that tell git which repository is meant, and where it may look for one.
const OF_REPOSITORY: [&str; 5] = [
    "GIT_CEILING_DIRECTORIES",
    "GIT_DIR",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_INDEX_FILE",
    "GIT_WORK_TREE",
];

/// The submodules at a folder or below it, by the index of the repository around it.
///
/// # Errors
/// Git cannot be run, or knows no repository there.
pub(super) fn submodules_at(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(around), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Ok(Vec::new());
    };
    // Lines such as `160000 3f78… 0\tpolicies/team`.
    let listed = files_in_index(around, "--stage", Path::new(name))?;
    let submodules = listed.iter().filter_map(|line| {
        let (about, path) = line.split_once('\t')?;
        about.starts_with(SUBMODULE).then(|| around.join(path))
    });
    Ok(submodules.collect())
}

/// The files at a path or below it that a sparse checkout of the repository leaves out.
///
/// # Errors
/// Git cannot be run, or knows no repository there.
pub(super) fn left_out(repository: &Path, path: &Path) -> io::Result<Vec<PathBuf>> {
    // Lines such as `S policies/team.cedar`.
    let listed = files_in_index(repository, "-t", path)?;
    let left_out = listed.iter().filter_map(|line| line.strip_prefix("S "));
    Ok(left_out.map(|path| repository.join(path)).collect())
}

/// What git lists of the files at a path, by the index of the repository around a folder.
fn files_in_index(folder: &Path, how: &str, path: &Path) -> io::Result<Vec<String>> {
    let mut git = Command::new("git");
    // A hook of git names the repository that it runs for.
    for variable in OF_REPOSITORY {
        git.env_remove(variable);
    }
    let listed = git
        .arg("-C")
        .arg(folder)
        .args(["--literal-pathspecs", "ls-files", how, "-z", "--"])
        .arg(path)
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::other("git is not installed"),
            _ => error,
        })?;
    if !listed.status.success() {
        let said = String::from_utf8_lossy(&listed.stderr);
        return Err(io::Error::other(said.trim().to_owned()));
    }
    let listed = String::from_utf8_lossy(&listed.stdout);
    Ok(listed.split('\0').map(str::to_owned).collect())
}

/// The help if the history is missing.
pub(super) const SHALLOW: &str = "this is a shallow clone, which lacks older commits and other branches: run `git fetch \
                       --unshallow`, or give `fetch-depth: 0` to actions/checkout (GIT_DEPTH: 0 in GitLab)";

/// Whether the repository has only a part of its history, as in a checkout of continuous integration.
fn is_shallow(layout: &Layout) -> bool {
    let said = git(layout, &["rev-parse", "--is-shallow-repository"]).output();
    said.is_ok_and(|said| said.stdout.trim_ascii() == b"true")
}

/// Whether git knows a commit with this name.
pub(super) fn is_commit(layout: &Layout, name: &str) -> bool {
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

/// The commit of git that a workspace is at, if it is in a repository.
pub fn commit(layout: &Layout) -> Option<String> {
    let said = git(layout, &["rev-parse", "--verify", "--quiet", "HEAD"])
        .output()
        .ok()?;
    let text = String::from_utf8(said.stdout).ok()?;
    let commit = text.trim();
    (said.status.success() && !commit.is_empty()).then(|| commit.to_owned())
}

/// The files of some parts of a workspace in a revision.
pub(super) fn files_of(
    layout: &Layout,
    revision: &str,
    parts: &[&str],
) -> Result<Vec<CommittedFile>, Unreadable> {
    let wrong = |reason: String| wrong(revision, &reason);
    let git = |arguments: &[&str]| git(layout, arguments);
    // Git would take a name that begins with a dash for an option.
    if revision.starts_with('-') {
        return Err(wrong("no such path or git revision".to_owned()));
    }
    if !layout.policies.is_empty() || !layout.schema.is_empty() {
        return Err(wrong(
            "a revision has its own policies/ and schema/, and --policies and --schema name others"
                .to_owned(),
        ));
    }
    let listed = listed(layout, revision, parts)?;
    let listed = String::from_utf8_lossy(&listed);
    let files: Vec<Listed<'_>> = listed.split('\0').filter_map(Listed::parse).collect();
    if let Some(other) = files.iter().find(|file| !file.is_plain()) {
        let reason = format!(
            "its `{}` is a symbolic link or a submodule, and these are not followed in a revision",
            other.name
        );
        return Err(wrong(reason));
    }
    // The folder may have had another name in that revision.
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

/// Git's list of the files of some parts in a revision: lines for [`Listed::parse`], separated by zero bytes.
fn listed(layout: &Layout, revision: &str, parts: &[&str]) -> Result<Vec<u8>, Unreadable> {
    let wrong = |reason: &str| wrong(revision, reason);
    let listed = git(layout, &["ls-tree", "-r", "-z", revision, "--"])
        .args(parts)
        .output()
        .map_err(|error| wrong(&format!("no such path, and git cannot be run: {error}")))?;
    if !listed.status.success() {
        let reason = "no such path or git revision";
        return Err(match is_shallow(layout) {
            true => unreadable(Path::new(revision), reason, Some(SHALLOW)),
            false => wrong(reason),
        });
    }
    match is_commit(layout, revision) {
        true => Ok(listed.stdout),
        false => Err(wrong("it is a part of a revision, and not a revision")),
    }
}

/// The mode of a symbolic link in git.
pub(super) const SYMBOLIC_LINK: &str = "120000";

/// The mode of a submodule in git.
const SUBMODULE: &str = "160000";

/// A file of a revision in git's list.
pub(super) struct Listed<'l> {
    mode: &'l str,
    kind: &'l str,
    object: &'l str,
    name: &'l str,
}

impl<'l> Listed<'l> {
    /// Parses `<mode> <type> <object>`, a tab, and the name.
    fn parse(line: &'l str) -> Option<Self> {
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
pub(super) fn contents(mut git: Command, files: &[Listed<'_>]) -> std::io::Result<Vec<Vec<u8>>> {
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
        // A file of entities may be large; another file that is too large for a text is not read.
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
