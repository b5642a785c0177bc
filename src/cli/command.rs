//! The commands: each loads, calls the core, renders, and says how it ended.
//!
//! Answers go to standard output, everything else to standard error. What an answer says is decided
//! in the library; here it meets files, streams and the terminal.

mod access;
pub mod candidates;
mod check;
mod completions;
mod diff;
mod explain;
mod file;
mod fmt;
mod help;
mod impact;
mod import;
mod init;
mod man;
mod matrix;
mod output;
#[cfg(feature = "prove")]
mod prove;
mod readings;
mod report;
mod requests;
mod review;
mod role;
mod schema;
mod starters;
mod suppose;
mod test;
mod validate;
mod what;
mod what_if;
mod who;

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::CommandFactory;
use clap::error::ErrorKind;
use miette::Diagnostic;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::bundle::UnknownReading;
use tarbac_host::excerpt::Excerpts;
use tarbac_host::lookup::NameError;
use tarbac_host::workspace::{self, LoadOptions, NotBegun, Unreadable};
use tarbac_host::{Layout, LoadError, Switches, Workspace};
use tarbac_report::{self as render, Style};
use tarbac_tenant::exports::{Exports, Refused};
use thiserror::Error;

use crate::cli::{Arguments, Command, Format, Global};
use crate::product;
use output::{Output, Wishes, progress};

pub use completions::answer as answer_shell;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Allow, clean, done.
    Yes,
    /// Deny, findings.
    No,
    /// Could not answer.
    Unanswered,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Yes => Self::SUCCESS,
            Exit::No => Self::from(1),
            Exit::Unanswered => Self::from(2),
        }
    }
}

/// Why a command could not answer.
#[derive(Debug)]
enum Failure {
    /// One error.
    Error(Box<dyn Diagnostic>),
    /// Files have errors, and what follows from it.
    Invalid(Vec<Finding>, &'static str),
    /// The answer could not be written.
    Output(io::Error),
}

/// An error of the shell itself.
#[derive(Debug, Error, Diagnostic)]
enum ShellError {
    #[error("cannot {what} `{path}`: {reason}")]
    #[diagnostic(code(file::failed))]
    File {
        what: &'static str,
        path: String,
        reason: io::Error,
    },
    #[error("cannot leave `{path}` to look at: {reason}")]
    #[diagnostic(
        code(file::failed),
        help(
            "what differs is shown above; under CI (the variable CI is set) nothing is left beside a snapshot"
        )
    )]
    NotLeft { path: String, reason: io::Error },
    #[error(
        "what was kept of the workspace is damaged, and its files have changed since: the answer may lack something"
    )]
    #[diagnostic(
        code(workspace::damaged),
        help("run the command again; if this comes back, look at the disk")
    )]
    Lost,
    #[error("{message}")]
    #[diagnostic(code(arguments::invalid))]
    Arguments {
        message: String,
        #[help]
        help: Option<String>,
    },
}

impl ShellError {
    /// What a build without a feature of Cargo cannot do.
    #[cfg(not(all(feature = "prove", feature = "watch")))]
    fn left_out(feature: &str) -> Failure {
        Self::Arguments {
            message: format!("this build of tarbac leaves out `{feature}`"),
            help: Some(format!("build it with `--features {feature}`")),
        }
        .into()
    }

    fn file(what: &'static str, path: &Path, reason: io::Error) -> Self {
        Self::File {
            what,
            path: path.display().to_string(),
            reason,
        }
    }
}

/// Runs a command.
pub fn run(arguments: &Arguments) -> Exit {
    let global = &arguments.global;
    if let Err(error) = check_flags(arguments) {
        return say_of_arguments(&error);
    }
    Wishes {
        quiet: global.quiet,
        color: global.color,
    }
    .hold();
    let mut output = Output::new();
    if global.format.is_text() && is_report(&arguments.command) {
        output.colour();
    }
    let result = match &arguments.command {
        Command::Check(check) => check::run(global, check, &mut output),
        Command::Explain(ask) => explain::run(global, ask, &mut output),
        Command::Who(who) => who::run(global, who, &mut output),
        Command::What(what) => what::run(global, what, &mut output),
        Command::Access(access) => access::run(global, access, &mut output),
        Command::WhatIf(what_if) => what_if::run(global, what_if, &mut output),
        Command::Diff(diff) => diff::run(global, diff, &mut output),
        Command::Matrix(matrix) => matrix::run(global, matrix, &mut output),
        Command::Validate(validate) => validate::run(global, validate, &mut output),
        Command::Test(test) => test::run(global, test, &mut output),
        #[cfg(feature = "prove")]
        Command::Prove(prove) => prove::run(global, prove, &mut output),
        #[cfg(not(feature = "prove"))]
        Command::Prove(_) => Err(ShellError::left_out("prove")),
        Command::Review(review) => review::run(global, review, &mut output),
        Command::Role(role) => role::run(global, role, &mut output),
        Command::Fmt(fmt) => fmt::run(global, fmt, &mut output),
        Command::Readings => readings::run(global, &mut output),
        Command::Init(init) => init::run(global, init, &mut output),
        Command::Import(import) => import::run(global, import, &mut output),
        Command::Schema(schema) => schema::run(schema, &mut output),
        Command::Completions(completions) => completions::run(completions, &mut output),
        Command::Man(man) => man::run(man, &mut output),
        Command::Help(help) => help::run(help, &mut output),
    };
    let result = result.and_then(|exit| output.finish().map(|()| exit).map_err(Failure::Output));
    ended(match global.loss.is_any() {
        // Whatever else failed may have failed for want of it.
        true => Err(ShellError::Lost.into()),
        false => result,
    })
}

/// Says what is to be said of the arguments: what is wrong with them, or the help that they ask for.
pub fn say_of_arguments(error: &clap::Error) -> Exit {
    let rendered = error.render();
    let text = |style: Style| match style.colour {
        true => rendered.ansi().to_string(),
        false => rendered.to_string(),
    };
    if error.use_stderr() {
        output::say(&text(output::error_style()));
        return Exit::Unanswered;
    }
    let mut output = Output::new();
    let written = output.write(&text(output.style()));
    ended(written.and_then(|()| output.finish().map(|()| Exit::Yes).map_err(Failure::Output)))
}

/// How a command ended; why there is no answer is said.
fn ended(result: Result<Exit, Failure>) -> Exit {
    match result {
        Ok(exit) => exit,
        Err(failure) => {
            report(&failure);
            Exit::Unanswered
        }
    }
}

/// Whether the answer of a command is a report, which is laid out before it is coloured.
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

/// What the flags of one command do not allow together.
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
            wrong("a sheet has no room for a plan: leave --plan or --format csv away".to_owned())
        }
        (Command::Import(import), Format::Markdown) if !import.how => {
            wrong("only import --how writes the format markdown".to_owned())
        }
        _ => Ok(()),
    }
}

/// Says on standard error why there is no answer.
fn report(failure: &Failure) {
    let style = output::error_style();
    let text = match failure {
        // Whoever closed the pipe has seen enough.
        Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return,
        Failure::Output(error) => format!("cannot write the answer: {error}\n"),
        Failure::Error(error) => render::diagnostic(error.as_ref(), style),
        Failure::Invalid(findings, so) => {
            let text = render::findings::human(findings, &Excerpts::of(findings), style);
            let summary = render::findings::summary(findings, style);
            format!("{text}\n{summary}{so}\n")
        }
    };
    output::say(&text);
}

/// The workspace, ready to decide.
fn load(global: &Global) -> Result<Workspace, Failure> {
    load_from(&layout(global), &switches(global)?, global)
}

/// A workspace, ready to decide.
fn load_from(layout: &Layout, switches: &Switches, global: &Global) -> Result<Workspace, Failure> {
    let workspace = reading(global, |means| {
        Ok(Workspace::load_by(layout, switches, means)?)
    })?;
    tell(&workspace);
    Ok(workspace)
}

/// Says what whoever decides says of a workspace.
fn tell(workspace: &Workspace) {
    let told = workspace.warnings.iter();
    told.filter(|finding| workspace::TOLD.contains(&finding.code))
        .for_each(output::warning);
    output::not_read(workspace.engine.provenance());
}

/// Reads something that may be large; whoever waits is shown how far that has come.
fn reading<T>(
    global: &Global,
    read: impl FnOnce(&LoadOptions) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let bar = progress("reading");
    let shown = bar.clone();
    let means = LoadOptions {
        cache: !global.no_cache,
        progress: Some(Arc::new(move |count, size| {
            shown.set_length(size);
            shown.inc(count);
        })),
        loss: global.loss.clone(),
    };
    let result = read(&means);
    bar.finish_and_clear();
    result
}

/// The exports in a folder; every file that is read goes through `wrap`.
fn exports_in<W>(folder: &Path, wrap: W) -> Result<Exports<W>, Failure> {
    match folder.is_dir() {
        true => Ok(Exports::of(folder, wrap)),
        false => Err(ShellError::Arguments {
            message: format!("`{}` is no folder", folder.display()),
            help: Some(
                "give the folder of the exports; `tarbac import --how` shows what is in it"
                    .to_owned(),
            ),
        }
        .into()),
    }
}

fn layout(global: &Global) -> Layout {
    Layout {
        root: global.workspace.clone(),
        policies: global.policies.clone(),
        schema: global.schema.clone(),
        entities: global.entities.clone(),
        others: Vec::new(),
        shipped: product::rules(),
    }
}

fn switches(global: &Global) -> Result<Switches, Failure> {
    if let Some(name) = global
        .reading
        .iter()
        .find(|name| global.no_reading.contains(name))
    {
        return Err(ShellError::Arguments {
            message: format!("the reading `{name}` is switched on and off"),
            help: Some("leave one of --reading and --no-reading away".to_owned()),
        }
        .into());
    }
    Ok(Switches {
        on: global.reading.clone(),
        off: global.no_reading.clone(),
    })
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Unreadable(error) => error.into(),
            LoadError::Reading(error) => error.into(),
            LoadError::Invalid(findings) => Self::Invalid(
                findings,
                "The workspace has errors, so nothing is decided with it.",
            ),
        }
    }
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<NotBegun> for Failure {
    fn from(error: NotBegun) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<Refused> for Failure {
    fn from(error: Refused) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<UnknownReading> for Failure {
    fn from(error: UnknownReading) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<ShellError> for Failure {
    fn from(error: ShellError) -> Self {
        Self::Error(Box::new(error))
    }
}
