//! `tarbac fmt`: Cedar's formatter over policy files.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tarbac_diagnostic::printable;
use tarbac_diagnostic::source::Source;
use tarbac_host::bundle;
use tarbac_host::workspace::{policy_files, spec_files, standard_input};
use tarbac_report as render;

use super::layout;
use crate::arguments::format::{DOCUMENTS, format_among};
use crate::arguments::{Format, GlobalArgs};
use crate::atomic;
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{self, Output};

/// Format policy files as Cedar does.
///
/// Formats the policy files of the workspace, or the named ones. If a file is not valid Cedar, nothing is written.
///
/// Exit status: 0 formatted, 1 some files are not formatted (--check), 2 could not read or write.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac fmt
  tarbac fmt --check policies/custom
  tarbac fmt - < script-runner.cedar")]
pub(crate) struct FmtArgs {
    /// List the files that are not formatted, and write nothing.
    #[arg(long)]
    pub check: bool,

    /// Format these files and folders; `-` formats standard input to standard output.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &FmtArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut layout = layout(global);
    match arguments.paths.as_slice() {
        [] => {}
        [path] if path.as_os_str() == "-" => return format_input(arguments.check, output),
        paths => layout.policies = paths.to_vec(),
    }
    let (mut files, finished) = policy_files(&layout)?;
    finished.iter().for_each(output::warning);
    if arguments.paths.is_empty() {
        files.extend(spec_files(&layout, &[])?);
    }
    // All files are formatted before any is written: a file with a syntax error stops all.
    let mut changed: Vec<(PathBuf, Arc<Source>, String)> = Vec::new();
    let mut findings = Vec::new();
    for (path, source) in files {
        match bundle::formatted(&source) {
            Ok(text) if text == source.text() => {}
            Ok(text) => changed.push((path, source, text)),
            Err(finding) => findings.push(finding),
        }
    }
    if !findings.is_empty() {
        return Err(Failure::Invalid(findings, "Nothing was written."));
    }
    for (path, source, text) in &changed {
        if arguments.check {
            continue;
        }
        atomic::replace(path, text).map_err(|error| ShellError::file("write", path, error))?;
        output::note(&format!("formatted {}\n", printable::line(&source.name)));
    }
    let names: Vec<String> = changed
        .iter()
        .map(|(_, source, _)| source.name.clone())
        .collect();
    if global.format == Format::Json {
        output.write(&render::files::document(&names))?;
    } else if arguments.check {
        for name in &names {
            output.write(&format!("{}\n", printable::line(name)))?;
        }
    }
    Ok(match arguments.check && !changed.is_empty() {
        true => Exit::No,
        false => Exit::Yes,
    })
}

fn format_input(check: bool, output: &mut Output) -> Result<Exit, Failure> {
    let source = standard_input()?;
    let formatted = bundle::formatted(&source)
        .map_err(|finding| Failure::Invalid(vec![finding], "Nothing was written."))?;
    if !check {
        output.write_verbatim(&formatted)?;
        return Ok(Exit::Yes);
    }
    match formatted == source.text() {
        true => Ok(Exit::Yes),
        false => {
            output.write("standard input\n")?;
            Ok(Exit::No)
        }
    }
}
