//! `--report FORMAT=FILE`: reports for build servers, checked before the run and written after the answer.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use tarbac_assurance::test_report::TestReport;
use tarbac_host::excerpt::Excerpts;
use tarbac_report::ci::{ReportFormat, UnknownFormat, render};
use thiserror::Error;

use crate::atomic;
use crate::failure::{Failure, ShellError};
use crate::output::Output;

/// The reports of a command.
#[derive(Debug, Default, Args)]
pub(crate) struct ReportsArgs {
    /// Write a report as well, for example junit=report.xml; repeatable.
    ///
    /// FORMAT is junit, sarif, github (workflow annotations), markdown (a job summary) or tap; for test also lcov,
    /// cobertura or listing, the formats of coverage. FILE is replaced; `-` is standard output, and the answer then goes to
    /// standard error. A report does not change the exit status.
    #[arg(long, value_name = "FORMAT=FILE")]
    pub report: Vec<ReportArg>,
}

/// A report in one format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReportArg {
    /// The format.
    pub format: ReportFormat,
    /// The place it is written to.
    pub target: Target,
}

/// The place that a report is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Standard output.
    Output,
    /// A file.
    File(PathBuf),
}

/// Why a value of `--report` is refused.
#[derive(Debug, Error)]
pub(crate) enum ReportArgError {
    #[error(
        "no file is named, as in junit=report.xml; the formats are {}",
        ReportFormat::names()
    )]
    NoFormat,
    #[error("no file is named, as in {0}=FILE")]
    NoFile(ReportFormat),
    #[error(transparent)]
    Format(#[from] UnknownFormat),
}

impl FromStr for ReportArg {
    type Err = ReportArgError;

    /// Parses `FORMAT=FILE`.
    fn from_str(text: &str) -> Result<Self, ReportArgError> {
        let (format, file) = text.split_once('=').ok_or(ReportArgError::NoFormat)?;
        let format: ReportFormat = format.parse()?;
        let target = match file {
            "" => return Err(ReportArgError::NoFile(format)),
            "-" => Target::Output,
            file => Target::File(file.into()),
        };
        Ok(Self { format, target })
    }
}

/// The reports that the arguments name.
#[derive(Debug)]
pub(crate) struct Reports<'a>(&'a [ReportArg]);

impl<'a> Reports<'a> {
    /// Checks the places of the reports before the command does its work. If a report goes to standard output, the answer
    /// goes to standard error from here on.
    pub(crate) fn prepare(
        arguments: &'a ReportsArgs,
        output: &mut Output,
    ) -> Result<Self, Failure> {
        let mut rest = arguments.report.as_slice();
        while let [report, others @ ..] = rest {
            if others.iter().any(|other| other.target == report.target) {
                return Err(twice(&report.target).into());
            }
            if let Target::File(path) = &report.target {
                let folder = atomic::folder(path);
                if !folder.is_dir() {
                    return Err(ShellError::Arguments {
                        message: format!(
                            "cannot write the report `{}`: there is no folder `{}`",
                            path.display(),
                            folder.display()
                        ),
                        help: Some(format!("make it first: mkdir -p {}", folder.display())),
                    }
                    .into());
                }
            }
            rest = others;
        }
        let is_output = |report: &ReportArg| report.target == Target::Output;
        if arguments.report.iter().any(is_output) {
            output.reserve_for_report();
        }
        Ok(Self(&arguments.report))
    }

    /// Whether no report is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes all reports, after the answer. An error in one does not stop the others; the first error is returned.
    pub(crate) fn write(
        &self,
        report: &TestReport,
        excerpts: &Excerpts,
        output: &mut Output,
    ) -> Result<(), Failure> {
        let mut result = Ok(());
        for ReportArg { format, target } in self.0 {
            let text = render(*format, report, excerpts);
            let written = match target {
                // A runner obeys these commands.
                Target::Output if *format == ReportFormat::Github => output.write_verbatim(&text),
                Target::Output => output.write_report(&text),
                Target::File(path) => atomic::write(path, &text)
                    .map_err(|error| ShellError::file("write the report", path, error).into()),
            };
            result = result.and(written);
        }
        result
    }
}

fn twice(target: &Target) -> ShellError {
    let (target, help) = match target {
        Target::Output => ("standard output".to_owned(), "one of them"),
        Target::File(path) => (format!("`{}`", path.display()), "each of them"),
    };
    ShellError::Arguments {
        message: format!("two reports go to {target}"),
        help: Some(format!("give {help} a file of its own")),
    }
}
