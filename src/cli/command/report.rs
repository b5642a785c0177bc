//! Reports written beside the answer of a command.

use tarbac_assurance::test_report::Report;
use tarbac_host::excerpt::Excerpts;
use tarbac_report::report::{Format, render};

use super::output::Output;
use super::{Failure, ShellError, file};
use crate::cli::{self, Target};

/// The reports that were asked for, each with a place to go to.
#[derive(Debug)]
pub struct Reports<'a>(&'a [cli::Report]);

impl<'a> Reports<'a> {
    /// Takes the reports that were asked for, before the command does its work: what cannot be
    /// written is said at once. Where a report goes to standard output, the answer goes to standard
    /// error from here on.
    pub fn prepare(arguments: &'a cli::Reports, output: &mut Output) -> Result<Self, Failure> {
        let mut rest = arguments.report.as_slice();
        while let [report, others @ ..] = rest {
            if others.iter().any(|other| other.target == report.target) {
                return Err(twice(&report.target).into());
            }
            if let Target::File(path) = &report.target {
                let folder = file::folder(path);
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
        let is_output = |report: &cli::Report| report.target == Target::Output;
        if arguments.report.iter().any(is_output) {
            output.make_way();
        }
        Ok(Self(&arguments.report))
    }

    /// Whether none is asked for, so that there is nothing to prepare.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes all reports, after the answer. One that cannot be written does not keep the others
    /// from being; the first error is returned.
    pub fn write(
        &self,
        report: &Report,
        excerpts: &Excerpts,
        output: &mut Output,
    ) -> Result<(), Failure> {
        let mut result = Ok(());
        for cli::Report { format, target } in self.0 {
            let text = render(*format, report, excerpts);
            let written = match target {
                // These are the commands that a runner is to obey.
                Target::Output if *format == Format::Github => output.write_as_it_is(&text),
                Target::Output => output.write_report(&text),
                Target::File(path) => file::write(path, &text)
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
