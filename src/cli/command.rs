//! The commands: the arguments and the run of each.
//!
//! A run loads the workspace, asks the library, and writes the answer.
//! Answers go to standard output, everything else to standard error.

pub(crate) mod access;
pub(crate) mod candidates;
pub(crate) mod check;
#[cfg(feature = "collect")]
pub(crate) mod collect;
pub(crate) mod colophon;
pub(crate) mod completions;
mod context;
pub(crate) mod diff;
pub(crate) mod explain;
#[cfg(feature = "fleet")]
mod fleet;
pub(crate) mod fmt;
#[cfg(feature = "serve")]
pub(crate) mod health;
pub(crate) mod help;
pub(crate) mod impact;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod matrix;
#[cfg(feature = "serve")]
pub(crate) mod open;
pub(crate) mod prove;
#[cfg(feature = "fleet")]
pub(crate) mod publish;
pub(crate) mod readings;
pub(crate) mod replay;
pub(crate) mod report;
mod requests;
pub(crate) mod review;
pub(crate) mod role;
pub(crate) mod schema;
#[cfg(feature = "serve")]
pub(crate) mod serve;
mod starters;
#[cfg(feature = "fleet")]
pub(crate) mod store;
pub(crate) mod suppose;
pub(crate) mod test;
#[cfg(feature = "serve")]
pub(crate) mod token;
pub(crate) mod validate;
#[cfg(any(feature = "collect", feature = "serve"))]
mod value;
pub(crate) mod what;
pub(crate) mod what_if;
pub(crate) mod who;
mod workspace;

use clap::CommandFactory;
use clap::error::ErrorKind;
use tarbac_report::Style;

use crate::arguments::{Arguments, Command, Format};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{Output, OutputOptions, error_style, say};

pub(crate) use workspace::{exports_in, layout, load, load_from, note_warnings, reading, switches};

/// Runs a command.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    let global = &arguments.global;
    if let Err(error) = check_flags(arguments) {
        return say_of_arguments(&error);
    }
    OutputOptions {
        quiet: global.quiet,
        color: global.color,
    }
    .set();
    let mut output = Output::new();
    if global.format.is_text() && is_report(&arguments.command) {
        output.colour();
    }
    let result = match &arguments.command {
        Command::Check(check) => check::run(global, check, &mut output),
        Command::Explain(explain) => explain::run(global, explain, &mut output),
        Command::Who(who) => who::run(global, who, &mut output),
        Command::What(what) => what::run(global, what, &mut output),
        Command::Access(access) => access::run(global, access, &mut output),
        Command::WhatIf(what_if) => what_if::run(global, what_if, &mut output),
        Command::Diff(diff) => diff::run(global, diff, &mut output),
        Command::Replay(replay) => replay::run(global, replay, &mut output),
        Command::Matrix(matrix) => matrix::run(global, matrix, &mut output),
        Command::Validate(validate) => validate::run(global, validate, &mut output),
        Command::Test(test) => test::run(global, test, &mut output),
        Command::Prove(prove) => prove::run(global, prove, &mut output),
        Command::Review(review) => review::run(global, review, &mut output),
        Command::Role(role) => role::run(global, role, &mut output),
        Command::Fmt(fmt) => fmt::run(global, fmt, &mut output),
        Command::Readings(readings) => readings::run(global, readings, &mut output),
        Command::Init(init) => init::run(global, init, &mut output),
        Command::Import(import) => import::run(global, import, &mut output),
        #[cfg(feature = "collect")]
        Command::Collect(collect) => collect::run(global, collect, &mut output),
        #[cfg(feature = "serve")]
        Command::Serve(serve) => serve::run(global, serve, &mut output),
        #[cfg(feature = "serve")]
        Command::Open(open) => open::run(global, open),
        #[cfg(feature = "serve")]
        Command::Health(health) => health::run(health),
        #[cfg(feature = "serve")]
        Command::Token(token) => token::run(token, &mut output),
        #[cfg(feature = "fleet")]
        Command::Publish(publish) => publish::run(global, publish, &mut output),
        #[cfg(feature = "fleet")]
        Command::Store(store) => store::run(global, store, &mut output),
        Command::Schema(schema) => schema::run(schema, &mut output),
        Command::Completions(completions) => completions::run(completions, &mut output),
        Command::Man(man) => man::run(man, &mut output),
        Command::Help(help) => help::run(help, &mut output),
    };
    let result = result.and_then(|exit| output.finish().map(|()| exit).map_err(Failure::Output));
    ended(match global.loss.is_any() {
        // Any other failure may be a consequence.
        true => Err(ShellError::Lost.into()),
        false => result,
    })
}

/// Writes an error of the arguments, or the help or version that they ask for.
pub(crate) fn say_of_arguments(error: &clap::Error) -> Exit {
    let rendered = error.render();
    let text = |style: Style| match style.colour {
        true => rendered.ansi().to_string(),
        false => rendered.to_string(),
    };
    if error.use_stderr() {
        say(&text(error_style()));
        return Exit::Unanswered;
    }
    let mut output = Output::new();
    let written = output.write(&text(output.style()));
    ended(written.and_then(|()| output.finish().map(|()| Exit::Yes).map_err(Failure::Output)))
}

/// The end of a command; a failure is reported.
fn ended(result: Result<Exit, Failure>) -> Exit {
    match result {
        Ok(exit) => exit,
        Err(failure) => {
            failure.report();
            Exit::Unanswered
        }
    }
}

/// Whether the answer of a command is a report, which is coloured after it is laid out.
fn is_report(command: &Command) -> bool {
    matches!(
        command,
        Command::Explain(_)
            | Command::Who(_)
            | Command::What(_)
            | Command::Access(_)
            | Command::WhatIf(_)
            | Command::Diff(_)
            | Command::Matrix(_)
    )
}

/// Refuses combinations of flags that clap cannot express.
fn check_flags(arguments: &Arguments) -> Result<(), clap::Error> {
    let reports = match &arguments.command {
        Command::Validate(validate) => validate.reports.report.as_slice(),
        Command::Prove(prove) => prove.reports.report.as_slice(),
        _ => &[],
    };
    let wrong = |message: String| Err(Arguments::command().error(ErrorKind::InvalidValue, message));
    if let Some(report) = reports.iter().find(|report| report.format.is_of_coverage()) {
        return wrong(format!("only test writes the report {}", report.format));
    }
    match (&arguments.command, arguments.global.format) {
        (Command::WhatIf(what_if), Format::Csv) if what_if.plan => {
            wrong("a plan cannot be written as csv: leave out --plan or --format csv".to_owned())
        }
        #[cfg(feature = "collect")]
        (Command::Collect(collect), format)
            if !collect.permissions && format != Format::Human =>
        {
            wrong("only collect --permissions writes that format; collected.json is the account of a collection".to_owned())
        }
        (Command::Import(import), Format::Markdown) if !import.how => {
            wrong("only import --how writes the format markdown".to_owned())
        }
        _ => Ok(()),
    }
}
