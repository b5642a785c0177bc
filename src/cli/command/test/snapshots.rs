//! The snapshots of suites and their files.
//!
//! `NAME.snap` stands beside `NAME.yaml`. If the current decisions differ, they are left in `NAME.snap.new`. Under CI
//! nothing is written.

use std::fs;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use tarbac_assurance::snapshot::{Flip, NoSnapshot, Taken};
use tarbac_assurance::suite::{Snapshot, Suite, Suites};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::printable::line;
use tarbac_host::workspace::{SuiteFile, snapshot};
use tarbac_report::{self as render, Style};

use crate::atomic;
use crate::failure::{Failure, ShellError};
use crate::output::{Output, is_ci};

/// The most changed decisions of a snapshot that are shown.
const SHOWN: usize = 40;

/// The help for a file that is no snapshot.
const PUT_BACK: &str = "put the file back as it was, or one side of the merge, with `git checkout`, and run the suite again";

/// The snapshots of a run.
pub(crate) struct Snapshots<'a> {
    compared: Vec<Compared<'a>>,
}

/// A snapshot, compared with its file.
pub(crate) struct Compared<'a> {
    /// The suite of the snapshot.
    pub suite: &'a Suite,
    /// The snapshot as the suite declares it.
    pub snapshot: &'a Snapshot,
    /// The path of its file.
    pub path: PathBuf,
    /// The current decisions.
    pub taken: Taken,
    /// The result of the comparison.
    pub state: State,
}

/// The result of comparing a snapshot with its file.
pub(crate) enum State {
    /// Equal.
    Same,
    /// There is no file yet.
    Missing,
    /// There is no file yet, and the workspace has no people or no resources to decide about.
    Empty,
    /// The changed decisions; none where only the layout changed.
    Differs(Vec<Flip>),
    /// The file is no snapshot.
    Unreadable(NoSnapshot),
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SnapshotWire<'a> {
    suite: &'a str,
    file: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    flips: Vec<render::snapshot::FlipWire<'a>>,
}

impl<'a> Snapshots<'a> {
    /// Takes the snapshots of suites, and compares them with their files.
    pub(crate) fn compare(suites: &'a Suites, files: &[SuiteFile]) -> Result<Self, Failure> {
        let mut compared = Vec::new();
        for suite in &suites.suites {
            let (Some(asked), Some(file)) = (
                &suite.snapshot,
                files
                    .iter()
                    .find(|file| file.source.name == suite.source.name),
            ) else {
                continue;
            };
            let Some(engine) = suites.engine(asked.setting) else {
                continue;
            };
            let path = file.path.with_extension("snap");
            if compared.iter().any(|other: &Compared| other.path == path) {
                return Err(ShellError::Arguments {
                    message: format!(
                        "two suites would keep their snapshots in `{}`",
                        path.display()
                    ),
                    help: Some("give one of them another name".to_owned()),
                }
                .into());
            }
            let taken = Taken::take(engine, &asked.selection);
            let state = match snapshot(&path)? {
                None if taken.is_empty() => State::Empty,
                None => State::Missing,
                Some(before) if before == taken.text => State::Same,
                Some(before) => match taken.flips_since(&before) {
                    Ok(flips) => State::Differs(flips),
                    Err(error) => State::Unreadable(error),
                },
            };
            compared.push(Compared {
                suite,
                snapshot: asked,
                path,
                taken,
                state,
            });
        }
        Ok(Self { compared })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.compared.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.compared.len()
    }

    /// The number of snapshots that differ from their files.
    pub(crate) fn differing(&self) -> usize {
        self.different().count()
    }

    pub(crate) fn passed(&self) -> bool {
        self.differing() == 0
    }

    /// The snapshots that differ from their files.
    pub(crate) fn different(&self) -> impl Iterator<Item = &Compared<'a>> {
        self.compared
            .iter()
            .filter(|compared| !compared.is_as_it_should_be())
    }

    /// Writes the changed decisions, newly allowed ones first.
    pub(crate) fn write(&self, accepted: bool, output: &mut Output) -> Result<(), Failure> {
        for compared in &self.compared {
            if accepted && !compared.is_as_it_should_be() {
                let (name, path) = (&compared.suite.name, compared.name());
                let unseen = match &compared.state {
                    State::Unreadable(error) => {
                        format!(", with which nothing was compared: {error}")
                    }
                    _ => String::new(),
                };
                output.write_fitted(&format!("taken  {name}  {}{unseen}\n", line(&path)))?;
                continue;
            }
            output.write_fitted(&format!("{}\n", compared.headline(output.style())))?;
            let flips = compared.flips();
            for flip in flips.iter().take(SHOWN) {
                output.write_fitted(&format!("    {}\n", render::snapshot::line(flip)))?;
            }
            if flips.len() > SHOWN {
                output.write(&format!("    and {} more\n", flips.len() - SHOWN))?;
            }
        }
        Ok(())
    }

    /// The differences, as findings at the places that declare the snapshots.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.different()
            .map(|compared| {
                let path = compared.name();
                let mut message = format!("the snapshot `{path}` differs{}", compared.words());
                if let Some(first) = compared.flips().first() {
                    message += &format!("; first {}", render::snapshot::line(first));
                }
                Finding::error(code::snapshot::DIFFERS, message)
                    .label(compared.snapshot.place.clone(), "declared here")
                    .help(match compared.state {
                        State::Unreadable(_) => PUT_BACK,
                        _ => "look at the change, and take it with `tarbac test --accept` if it is right",
                    })
            })
            .collect()
    }

    /// Writes the current decisions beside the old files, or in their place if they are `accepted`. A failure beside one
    /// file does not stop the others.
    pub(crate) fn keep(&self, accepted: bool) -> Result<(), Failure> {
        if is_ci() {
            return Ok(());
        }
        let mut result = Ok(());
        for compared in &self.compared {
            match (&compared.state, accepted) {
                (State::Same | State::Empty, _) => compared.forget()?,
                (_, true) => compared.accept()?,
                (_, false) => {
                    let path = compared.new_path();
                    if let Err(reason) = atomic::write_regular(&path, &compared.taken.text) {
                        let path = path.display().to_string();
                        result = Err(ShellError::NotLeft { path, reason }.into());
                    }
                }
            }
        }
        result
    }

    pub(crate) fn wire(&self) -> Vec<SnapshotWire<'_>> {
        self.compared
            .iter()
            .map(|compared| SnapshotWire {
                suite: &compared.suite.name,
                file: compared.name(),
                state: match &compared.state {
                    State::Same => "same",
                    State::Missing => "missing",
                    State::Empty => "empty",
                    State::Differs(_) => "differs",
                    State::Unreadable(_) => "unreadable",
                },
                problem: match &compared.state {
                    State::Unreadable(error) => Some(error.to_string()),
                    _ => None,
                },
                flips: compared
                    .flips()
                    .iter()
                    .map(render::snapshot::wire)
                    .collect(),
            })
            .collect()
    }
}

impl Compared<'_> {
    fn is_as_it_should_be(&self) -> bool {
        matches!(self.state, State::Same | State::Empty)
    }

    /// The path of its file for messages.
    pub(crate) fn name(&self) -> String {
        let suite = Path::new(&self.suite.source.name);
        suite.with_extension("snap").display().to_string()
    }

    /// The changed decisions.
    pub(crate) fn flips(&self) -> &[Flip] {
        match &self.state {
            State::Differs(flips) => flips,
            _ => &[],
        }
    }

    /// The result of the comparison, in one line.
    pub(crate) fn headline(&self, style: Style) -> String {
        let sign = match self.state {
            State::Same | State::Empty => style.green("ok"),
            _ => style.red("DIFFERS"),
        };
        let path = self.name();
        format!(
            "{sign}  {}  {}{}",
            self.suite.name,
            line(&path),
            self.words()
        )
    }

    fn words(&self) -> String {
        match &self.state {
            State::Same => String::new(),
            State::Empty => ": the workspace has no people or no resources yet".to_owned(),
            State::Missing => ": there is no snapshot yet; look at it and take it with `tarbac test --accept`".to_owned(),
            State::Differs(flips) if flips.is_empty() => {
                ": no decision changed, but the text did; look at it, and take it with `tarbac test --accept`".to_owned()
            }
            State::Differs(flips) => format!(
                ": {} changed; `tarbac review` shows them one by one",
                render::words::counted(flips.len(), "decision")
            ),
            State::Unreadable(error) => format!(": {error}, so nothing was compared; {PUT_BACK}"),
        }
    }

    /// Replaces the file by the current decisions.
    pub(crate) fn accept(&self) -> Result<(), Failure> {
        atomic::write_regular(&self.path, &self.taken.text)
            .map_err(|error| ShellError::file("write", &self.path, error))?;
        self.forget()
    }

    /// Removes the file `.new` of an earlier run.
    pub(crate) fn forget(&self) -> Result<(), Failure> {
        let path = self.new_path();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(ShellError::file("remove", &path, error).into())
            }
            _ => Ok(()),
        }
    }

    fn new_path(&self) -> PathBuf {
        self.path.with_extension("snap.new")
    }
}

/// The failure to take snapshots under CI.
pub(crate) fn nothing_is_written() -> Failure {
    ShellError::Arguments {
        message: "under CI no snapshot is written".to_owned(),
        help: Some(
            "run `tarbac test --accept` where you can look at it, and commit the file".to_owned(),
        ),
    }
    .into()
}
