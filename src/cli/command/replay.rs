//! `tarbac replay`: a decision log, decided again.

#[cfg(feature = "fleet")]
mod of_store;

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use tarbac_analysis::replay::{Replay, Replayer};
use tarbac_host::workspace::{regular, state};
use tarbac_host::{Engine, Layout, Workspace};
use tarbac_report as render;

use super::impact::scope::ScopeArgs;
use super::{layout, load_from, note_warnings, reading, switches};
use crate::arguments::format::format_among;
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{Output, progress};

/// So many lines are decided at once.
const AT_ONCE: usize = 8192;

/// The most bytes of a line; a longer one is no record.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The help where there is no log.
const NO_LOG: &str =
    "give a file that `tarbac serve --decision-log FILE` wrote, or - for standard input";

/// Decide the requests of a decision log again, and show the decisions that differ.
///
/// LOG is what `tarbac serve --decision-log` wrote, or - for standard input. Each record is decided again with its own
/// context and time: with this workspace, or with NEW, which is a workspace, a folder or file of policies that is joined
/// with the entities of this workspace, or a revision of its git repository. With --store, NEW is the number of a revision
/// in it, and by default the newest is taken; --each-revision takes for each record the revision that it names. With the
/// revision that was served, nothing differs. With another, the report lists the requests with another decision, by
/// policy and by person.
///
/// Exit status: 0 no decision differs, 1 some decisions differ, 2 a line could not be decided again.
#[derive(Debug, Args)]
#[command(arg = format_among(&[Format::Human, Format::Json]), after_help = "\
Examples:
  tarbac replay decisions.ndjson           does the log say what this workspace decides?
  tarbac replay decisions.ndjson proposal/policies
  tarbac replay decisions.ndjson HEAD~1 --action runScript --format json
  zcat decisions.ndjson.*.gz | tarbac replay - main
  tarbac replay decisions.ndjson --each-revision --store az://contosopdp/revisions/contoso
  tarbac help serving                      the page on serving")]
pub(crate) struct ReplayArgs {
    /// The decision log; - is standard input.
    #[arg(value_name = "LOG")]
    pub log: PathBuf,

    /// What the records are decided with; by default this workspace.
    pub new: Option<String>,

    /// Show every row.
    #[arg(long)]
    pub all: bool,

    /// The limits of the replay.
    #[command(flatten)]
    pub only: ScopeArgs,

    /// Revisions of a store.
    #[cfg(feature = "fleet")]
    #[command(flatten)]
    pub of_store: of_store::OfStoreArgs,
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &ReplayArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let failed = |error| ShellError::file_or("read", &arguments.log, error, NO_LOG);
    let lines = open(&arguments.log).map_err(failed)?;
    #[cfg(feature = "fleet")]
    if arguments.of_store.each_revision {
        let (replay, engine) = of_store::each_revision(global, arguments, lines)?;
        return write(global, arguments, (&replay, &engine), output);
    }
    let engine = workspace(global, arguments)?.engine;
    let about = arguments.only.given().about([&engine, &engine])?;
    let replayer = Replayer::new(&engine, about);
    let mut replay = Replay::default();
    let decided = some_at_a_time(lines, |lines| {
        replayer.replay(lines, &mut replay);
        Ok(())
    });
    decided.map_err(|stopped| stopped.at(failed))?;
    write(global, arguments, (&replay, &engine), output)
}

fn write(
    global: &GlobalArgs,
    arguments: &ReplayArgs,
    (replay, engine): (&Replay, &Engine),
    output: &mut Output,
) -> Result<Exit, Failure> {
    let provenance = engine.provenance();
    let text = match global.format {
        Format::Json => render::replay::document(replay, provenance),
        _ => {
            let shown = (output.style(), output.width());
            render::replay::human(replay, provenance, arguments.all, shown)
        }
    };
    output.write(&text)?;
    Ok(match (replay.is_whole(), replay.is_same()) {
        (false, _) => Exit::Unanswered,
        (true, true) => Exit::Yes,
        (true, false) => Exit::No,
    })
}

/// What the records are decided with.
fn workspace(global: &GlobalArgs, arguments: &ReplayArgs) -> Result<Workspace, Failure> {
    #[cfg(feature = "fleet")]
    if let Some(workspace) = of_store::one_revision(global, arguments)? {
        return Ok(workspace);
    }
    let (layout, switches) = (layout(global), switches(global)?);
    let Some(new) = &arguments.new else {
        return load_from(&layout, &switches, global);
    };
    let layout = Layout {
        others: vec![PathBuf::from(new)],
        ..layout
    };
    let workspace = reading(global, |options| {
        let examination = state(&layout, new, &switches, options)?;
        Ok::<_, Failure>(Workspace::from_examination(examination)?)
    })?;
    note_warnings(&workspace);
    Ok(workspace)
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(BufReader::new(regular::open(path)?)))
}

/// Why lines are not all decided again.
enum Stopped {
    /// The log cannot be read.
    Unread(io::Error),
    /// What they are decided with is not to be had.
    Undecided(Failure),
}

impl Stopped {
    /// The failure, where `failed` makes one of an error of the log.
    fn at(self, failed: impl FnOnce(io::Error) -> ShellError) -> Failure {
        match self {
            Self::Unread(error) => failed(error).into(),
            Self::Undecided(failure) => failure,
        }
    }
}

/// Decides the lines again, some at a time, each with its number.
fn some_at_a_time(
    mut lines: Box<dyn BufRead>,
    mut decide: impl FnMut(&[(u64, String)]) -> Result<(), Failure>,
) -> Result<(), Stopped> {
    let bar = progress("deciding again");
    let (mut number, mut some) = (0, Vec::new());
    loop {
        let line = next_line(lines.as_mut()).map_err(Stopped::Unread)?;
        let is_end = line.is_none();
        number += 1;
        some.extend(line.map(|line| (number, line)));
        if some.len() == AT_ONCE || is_end {
            decide(&some).map_err(Stopped::Undecided)?;
            bar.inc(some.len() as u64);
            some.clear();
        }
        if is_end {
            bar.finish_and_clear();
            return Ok(());
        }
    }
}

/// The next line without its end, or the beginning of it if it is too long; none at the end.
fn next_line(lines: &mut dyn BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let count = (&mut *lines).take(LONGEST).read_until(b'\n', &mut line)?;
    if count == 0 {
        return Ok(None);
    }
    if count as u64 == LONGEST && !line.ends_with(b"\n") {
        skip_line(lines)?;
    }
    let line = String::from_utf8_lossy(&line);
    Ok(Some(line.trim_end().to_owned()))
}

/// Passes over the rest of a line.
fn skip_line(lines: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = lines.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let (count, is_over) = match end {
            Some(end) => (end + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        lines.consume(count);
        if is_over {
            return Ok(());
        }
    }
}
