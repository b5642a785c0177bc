//! `tarbac review`: the changed decisions of snapshots, accepted one by one.

use std::io::{self, BufRead, Read};
use std::path::PathBuf;

use clap::Args;
use tarbac_analysis::explain;
use tarbac_host::Engine;
use tarbac_report::{self as render, explanation};

use super::test::{Compared, Snapshots, TestArgs, prepare};
use crate::arguments::format::format_fixed;
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{Output, is_ci};

/// Review the changed decisions of snapshots, one by one.
///
/// Shows each changed decision with its explanation, and asks whether to accept it. A snapshot is written if all of its
/// changed decisions are accepted.
///
/// Exit status: 0 every snapshot equals its file, 1 some differ, 2 could not review.
#[derive(Debug, Args)]
#[command(arg = format_fixed(&[Format::Human]), after_help = "\
Examples:
  tarbac review
  tarbac review tests/everybody.yaml
  tarbac help testing                      the page on suites")]
pub(crate) struct ReviewArgs {
    /// Review the snapshots of these files and folders; by default all under `tests/`.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// The longest answer, in bytes; a longer one is read as several.
const LONGEST: u64 = 1024;

/// The help on the keys.
const HELP: &str = "\
t  take it: the new decision is right
l  leave it: the new decision is wrong; the snapshot is not written until all of its decisions are taken
r  take this one and the rest of this snapshot
q  quit: snapshots that were taken as a whole stay written
";

/// The choice for a decision.
enum Choice {
    Take,
    Leave,
    TakeRest,
    Quit,
}

/// The indentation of an explanation, in columns.
const INDENT: usize = 2;

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &ReviewArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    if is_ci() {
        return Err(ShellError::Arguments {
            message: "a review is not possible under CI".to_owned(),
            help: Some("run `tarbac review` on a terminal".to_owned()),
        }
        .into());
    }
    let test = TestArgs {
        paths: arguments.paths.clone(),
        ..TestArgs::default()
    };
    let (files, suites) = prepare(global, &test)?;
    let snapshots = Snapshots::compare(&suites, &files)?;
    if snapshots.is_empty() {
        return Err(ShellError::Arguments {
            message: "there is no snapshot to review".to_owned(),
            help: Some("a suite with `snapshot:` has one".to_owned()),
        }
        .into());
    }
    let mut left = 0;
    for compared in snapshots.different() {
        output.write(&format!("{}\n\n", compared.headline(output.style())))?;
        let Some(engine) = suites.engine(compared.snapshot.setting) else {
            continue;
        };
        let Some(refused) = review(compared, engine, output)? else {
            return Ok(Exit::No);
        };
        if refused == 0 {
            compared.accept()?;
            output.write(&format!("taken: {}\n\n", compared.name()))?;
            continue;
        }
        left += 1;
        let refused = match refused {
            1 => "one was".to_owned(),
            several => format!("{several} were"),
        };
        output.write(&format!(
            "not written: {}, because {} not taken; correct the policies, or take every decision\n\n",
            compared.name(),
            refused
        ))?;
    }
    if left == 0 {
        output.write("No snapshot differs.\n")?;
    }
    Ok(if left == 0 { Exit::Yes } else { Exit::No })
}

/// Asks about each changed decision of a snapshot; returns how many were left, and `None` to quit.
fn review(
    compared: &Compared<'_>,
    engine: &Engine,
    output: &mut Output,
) -> Result<Option<usize>, Failure> {
    let flips = compared.flips();
    // A snapshot without a file, or with only a changed layout, is taken or left as a whole.
    if flips.is_empty() {
        output.write(&format!("{}\n", compared.taken.text))?;
        return Ok(match ask(output, "this snapshot:")? {
            Choice::Take | Choice::TakeRest => Some(0),
            Choice::Leave => Some(1),
            Choice::Quit => None,
        });
    }
    let mut refused = 0;
    for (number, flip) in (1..).zip(flips) {
        output.write(&format!(
            "{number} of {}: {}\n\n",
            flips.len(),
            render::snapshot::line(flip)
        ))?;
        let selection = &compared.snapshot.selection;
        if let Some(request) = compared.taken.request(selection, &flip.cell) {
            let width = output.width().map(|width| width.saturating_sub(INDENT));
            let explanation = explanation::human(&explain(engine, &request), width);
            output.write(&render::suite::indented(&explanation, INDENT))?;
            output.write("\n")?;
        }
        match ask(output, "this decision:")? {
            Choice::Take => {}
            Choice::Leave => refused += 1,
            Choice::TakeRest => break,
            Choice::Quit => return Ok(None),
        }
    }
    Ok(Some(refused))
}

/// Asks until a line of standard input is an answer; its end is [`Choice::Quit`].
fn ask(output: &mut Output, question: &str) -> Result<Choice, Failure> {
    loop {
        output.write(&format!(
            "{question} [t]ake, [l]eave, take the [r]est, [q]uit, [?]: "
        ))?;
        output.flush()?;
        let mut line = String::new();
        let read = io::stdin().lock().take(LONGEST).read_line(&mut line);
        let read = read.map_err(|error| {
            ShellError::file("read", std::path::Path::new("standard input"), error)
        })?;
        if read == 0 {
            return Ok(Choice::Quit);
        }
        match line.trim().to_lowercase().as_str() {
            "t" => return Ok(Choice::Take),
            "l" => return Ok(Choice::Leave),
            "r" => return Ok(Choice::TakeRest),
            "q" => return Ok(Choice::Quit),
            "?" | "h" | "help" => output.write(HELP)?,
            _ => output.write("t, l, r or q; ? says what each does\n")?,
        }
    }
}
