//! The files of a revision in a git repository.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::baseline::wrong;
use super::places::real;
use super::repository::Repository;
use super::text::{LARGEST_TEXT, text_of};
use super::{Layout, Unreadable, left_behind, unreadable};
use tarbac_diagnostic::source::{Source, shown};

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

/// A workspace in a repository.
struct InRepository {
    repository: Repository,
    /// The folder of the workspace from the top of the repository, with a slash at its end; empty at the top.
    folder: String,
}

impl InRepository {
    /// The workspace of a layout; `None` if there is no repository around it.
    ///
    /// # Errors
    /// The data of git cannot be read.
    fn of(layout: &Layout) -> Result<Option<Self>, Unreadable> {
        let root = real(&layout.root)?;
        let repository = Repository::around(&root)?;
        Ok(repository.map(|repository| {
            let within = root.strip_prefix(&repository.top).into_iter();
            let within = within.flat_map(Path::components);
            let within = within.map(|part| format!("{}/", part.as_os_str().to_string_lossy()));
            Self {
                folder: within.collect(),
                repository,
            }
        }))
    }

    /// The refs with this name, or with that of the revision from which this one counts. Git would take the first of
    /// them, and a tag can be called like a branch.
    fn refs(&self, revision: &str) -> Vec<String> {
        let end = revision.find(['~', '^', '@', ':']);
        let (name, _) = revision.split_at(end.unwrap_or(revision.len()));
        let refs = ["tags", "heads", "remotes"].map(|kind| format!("refs/{kind}/{name}"));
        let mut list = self.git(&["for-each-ref", "--format=%(refname)"]);
        let Ok(listed) = list.args(&refs).output() else {
            // Then nothing else can be asked.
            return Vec::new();
        };
        let listed = String::from_utf8_lossy(&listed.stdout);
        let known = listed
            .lines()
            .filter(|line| refs.iter().any(|of| of == line));
        known.map(str::to_owned).collect()
    }

    fn git(&self, arguments: &[&str]) -> Command {
        self.repository.git(arguments)
    }

    /// Whether the repository has only a part of its history, as in a checkout of continuous integration.
    fn is_shallow(&self) -> bool {
        let said = self.git(&["rev-parse", "--is-shallow-repository"]).output();
        said.is_ok_and(|said| said.stdout.trim_ascii() == b"true")
    }

    /// Whether git knows a commit with this name.
    fn has_commit(&self, name: &str) -> bool {
        let commit = format!("{name}^{{commit}}");
        let verify = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
        let known = self.git(&verify).arg(commit).output();
        known.is_ok_and(|known| known.status.success())
    }

    /// Git's list of the files of some parts in a revision: lines for [`Listed::parse`], separated by zero bytes.
    fn listed(&self, revision: &str, parts: &[&str]) -> Result<Vec<u8>, Unreadable> {
        let wrong = |reason: &str| wrong(revision, reason);
        if let [first, second, ..] = self.refs(revision).as_slice() {
            let reason = format!("both `{first}` and `{second}` are called so");
            let help = format!("say `{first}` or `{second}`");
            return Err(unreadable(Path::new(revision), &reason, Some(&help)));
        }
        let parts = parts.iter().map(|part| format!("{}{part}", self.folder));
        let listed = self
            .git(&["ls-tree", "-r", "-z", revision, "--"])
            .args(parts)
            .output()
            .map_err(|error| wrong(&format!("no such path, and git cannot be run: {error}")))?;
        if String::from_utf8_lossy(&listed.stderr).contains("safe.directory") {
            let help = format!(
                "`git config --global --add safe.directory {}` trusts it",
                shown(&self.repository.top)
            );
            let reason = "git does not trust the folder, which is somebody else's";
            return Err(unreadable(Path::new(revision), reason, Some(&help)));
        }
        if !listed.status.success() {
            return Err(match self.is_shallow() {
                true => unreadable(Path::new(revision), NO_SUCH, Some(SHALLOW)),
                false => wrong(NO_SUCH),
            });
        }
        match self.has_commit(revision) {
            true => Ok(listed.stdout),
            false => Err(wrong("it is a part of a revision, and not a revision")),
        }
    }

    /// Whether a revision has nothing in the folder of the workspace, which may have had another name.
    fn is_nowhere(&self, revision: &str) -> bool {
        let mut here = self.git(&["ls-tree", revision, "--"]);
        if !self.folder.is_empty() {
            here.arg(&self.folder);
        }
        let here = here.output();
        here.is_ok_and(|here| here.stdout.is_empty())
    }
}

/// The reason if a name is neither that of a path nor that of a revision.
const NO_SUCH: &str = "no such path or git revision";

/// The help if the history is missing.
pub(super) const SHALLOW: &str = "this is a shallow clone, which lacks older commits and other branches: run `git fetch \
                       --unshallow`, or give `fetch-depth: 0` to actions/checkout (GIT_DEPTH: 0 in GitLab)";

/// Whether git knows a commit with this name.
pub(super) fn is_commit(layout: &Layout, name: &str) -> bool {
    let workspace = InRepository::of(layout).ok().flatten();
    workspace.is_some_and(|workspace| workspace.has_commit(name))
}

/// The commit of git that a workspace is at, if it is in a repository.
pub fn commit(layout: &Layout) -> Option<String> {
    let workspace = InRepository::of(layout).ok()??;
    let head = ["rev-parse", "--verify", "--quiet", "HEAD"];
    let said = workspace.git(&head).output().ok()?;
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
    let Some(workspace) = InRepository::of(layout)? else {
        return Err(wrong(
            "no such path, and no git repository is around the workspace".to_owned(),
        ));
    };
    // Git would take a name that begins with a dash for an option.
    if revision.starts_with('-') {
        return Err(wrong(NO_SUCH.to_owned()));
    }
    if !layout.policies.is_empty() || !layout.schema.is_empty() {
        return Err(wrong(
            "a revision has its own policies/ and schema/, and --policies and --schema name others"
                .to_owned(),
        ));
    }
    let listed = workspace.listed(revision, parts)?;
    let listed = String::from_utf8_lossy(&listed);
    let lines = listed.split('\0');
    let files = lines.filter_map(|line| Listed::parse(line, &workspace.folder));
    let files: Vec<Listed<'_>> = files.collect();
    if let Some(other) = files.iter().find(|file| !file.is_plain()) {
        let reason = format!(
            "its `{}` is a symbolic link or a submodule, and these are not followed in a revision",
            other.name
        );
        return Err(wrong(reason));
    }
    if files.is_empty() && workspace.is_nowhere(revision) {
        return Err(wrong("it has nothing in this folder".to_owned()));
    }
    let contents = contents(workspace.git(&["cat-file", "--batch"]), &files)
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

/// The mode of a symbolic link in git.
pub(super) const SYMBOLIC_LINK: &str = "120000";

/// A file of a revision in git's list.
pub(super) struct Listed<'l> {
    mode: &'l str,
    kind: &'l str,
    object: &'l str,
    name: &'l str,
}

impl<'l> Listed<'l> {
    /// Parses `<mode> <type> <object>`, a tab, and the name, of which the name in a folder stays.
    fn parse(line: &'l str, folder: &str) -> Option<Self> {
        let (facts, name) = line.split_once('\t')?;
        let name = name.strip_prefix(folder)?;
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
            .ok_or_else(|| std::io::Error::other(lack_of(file, header.trim_end())))?;
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

/// The reason why git does not give a file, from what it says instead.
fn lack_of(file: &Listed<'_>, said: &str) -> String {
    match said.ends_with(" missing") {
        true => format!(
            "`{}` is not in this clone: a partial clone has all files after `git fetch --refetch --no-filter`",
            file.name
        ),
        false => said.to_owned(),
    }
}
