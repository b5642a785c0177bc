//! `tarbac init`: a sample workspace, or the rules for one of your own.
//!
//! It overwrites nothing.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use tarbac_host::record::{self, FoundFile, Origin, Record, Step, WrittenFile};
use tarbac_host::workspace::{PARTS, Transaction, found, regular};
use tarbac_report as render;

use super::starters;
use crate::arguments::format::{DOCUMENTS, format_among};
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{self, Output};
use crate::product;

/// Write a sample workspace to try tarbac on.
///
/// Writes the policies and the schema that ship, two small invented tenants, and a README with the next steps. It overwrites
/// nothing: if one of the files exists, nothing is written. An existing .gitignore gets further lines.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac init contoso && tarbac -C contoso access
  tarbac init --bare .                     in a repository, for a tenant of your own")]
pub(crate) struct InitArgs {
    /// Write only rules, a first suite and a workflow, without the sample tenant and its README.
    #[arg(long)]
    pub bare: bool,

    /// Write into this folder, which is created if it does not exist.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// The most existing files that are listed.
const LISTED: usize = 10;

/// The one file that may exist: lines are added to it.
const GITIGNORE: &str = ".gitignore";

/// The largest `.gitignore` that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &InitArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let folder = &arguments.folder;
    let files = match arguments.bare {
        true => starters::bare_files(),
        false => starters::sample_files(),
    };
    let wait = || {
        let text = format!(
            "waiting: another program writes into {}\n",
            folder.display()
        );
        output::note(&text);
    };
    // These files may be left from a run that was stopped.
    let transaction = Transaction::begin(folder, wait)?;
    transaction.finished().into_iter().for_each(output::warning);
    refuse_existing(&files, arguments)?;
    let failed = |error| ShellError::file("write into", folder, error);
    let mut record = transaction.record().cloned().unwrap_or_default();
    let (steps, ignored) = write(&files, &transaction, &mut record, folder).map_err(failed)?;
    let names = steps.iter().map(|step| step.path.as_str());
    let mut names: Vec<&str> = names.chain([record::FILE]).collect();
    names.sort_unstable();
    let names: Vec<String> = names
        .into_iter()
        .map(|name| folder.join(name).display().to_string())
        .collect();
    transaction.commit(steps, record).map_err(failed)?;
    if global.format == Format::Json {
        output.write(&render::files::document(&names))?;
        return Ok(Exit::Yes);
    }
    output.write(&summary(names.len(), ignored, arguments))?;
    Ok(Exit::Yes)
}

/// Refuses to overwrite files.
fn refuse_existing(
    files: &[tarbac_host::bundle::TextFile],
    arguments: &InitArgs,
) -> Result<(), Failure> {
    // A dangling link is in the way as well.
    let is_there = |file: &&tarbac_host::bundle::TextFile| {
        let path = arguments.folder.join(&file.path);
        fs::symlink_metadata(path).is_ok()
    };
    let existing = files.iter().filter(is_there);
    let mut existing: Vec<&str> = existing.map(|file| file.path.as_str()).collect();
    if existing.is_empty() {
        return Ok(());
    }
    let rules = starters::bare_files();
    let is_of_sample = |path: &&str| !rules.iter().any(|file| file.path == **path);
    let help = match !arguments.bare && existing.iter().all(is_of_sample) {
        true => "leave the sample tenant and its README out with --bare, or choose another folder",
        false => "choose another folder, or move the files away",
    };
    let more = existing.len().saturating_sub(LISTED);
    existing.truncate(LISTED);
    let paths = existing.iter().map(|path| arguments.folder.join(path));
    let mut lines: Vec<String> = paths.map(|path| format!("  {}", path.display())).collect();
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    Err(ShellError::Arguments {
        message: format!(
            "nothing was written, because these files exist:\n{}",
            lines.join("\n")
        ),
        help: Some(help.to_owned()),
    }
    .into())
}

/// The result for the `.gitignore`.
enum Ignored {
    Written,
    AddedTo,
    AsItWas,
    /// It is no regular file and stays unchanged.
    NoFile,
}

/// Writes the files into the draft of a transaction.
fn write(
    files: &[tarbac_host::bundle::TextFile],
    transaction: &Transaction,
    record: &mut Record,
    folder: &Path,
) -> io::Result<(Vec<Step>, Ignored)> {
    let mut steps = Vec::new();
    let mut put = |path: &str, text: &str, before| -> io::Result<()> {
        let mut file = transaction.draft().create(path)?;
        file.write_all(text.as_bytes())?;
        let digest = record::digest(text);
        steps.push(Step {
            path: path.to_owned(),
            before,
            after: Some(digest),
        });
        let is_of_workspace = PARTS.iter().any(|part| {
            path.strip_prefix(part)
                .is_some_and(|rest| rest.starts_with('/'))
        });
        if is_of_workspace {
            let origin = match product::rules().has_text(text) {
                true => Origin::Shipped,
                false => Origin::Tenant,
            };
            record
                .files
                .insert(path.to_owned(), WrittenFile { origin, digest });
        }
        Ok(())
    };
    for file in files {
        put(&file.path, &file.text, None)?;
    }
    let ignored = match found(folder, GITIGNORE)? {
        None => {
            put(GITIGNORE, &starters::gitignore(""), None)?;
            Ignored::Written
        }
        Some(FoundFile::File(digest)) => {
            let before = regular::read(&folder.join(GITIGNORE), LARGEST)?;
            let before = String::from_utf8(before)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            let text = starters::gitignore(&before);
            if text == before {
                Ignored::AsItWas
            } else {
                put(GITIGNORE, &text, Some(digest))?;
                Ignored::AddedTo
            }
        }
        Some(_) => Ignored::NoFile,
    };
    Ok((steps, ignored))
}

fn summary(count: usize, ignored: Ignored, arguments: &InitArgs) -> String {
    let folder = arguments.folder.display();
    let mut text = match arguments.folder == Path::new(".") {
        true => format!("Wrote {count} files here.\n"),
        false => format!("Wrote {count} files to {folder}.\n"),
    };
    match ignored {
        Ignored::Written | Ignored::AsItWas => {}
        Ignored::AddedTo => text += "Lines were added to the existing .gitignore.\n",
        Ignored::NoFile => {
            text += &format!(
                "The .gitignore is not a regular file; add these lines to it: {}\n",
                starters::IGNORED.join(" ")
            );
        }
    }
    match arguments.bare {
        true => {
            text += &format!(
                "\nNext:\n  tarbac import EXPORTS --out {folder}     or write entities/ by hand\n  tarbac -C {folder} validate\n  tarbac -C {folder} test --accept\n"
            );
        }
        false => {
            text += &format!(
                "\nNext:\n  tarbac -C {folder} validate\n  tarbac -C {folder} matrix\n  tarbac -C {folder} test\n\n{folder}/README.md has questions to try.\n"
            );
        }
    }
    text + &starters::about_workflow(&arguments.folder)
}
