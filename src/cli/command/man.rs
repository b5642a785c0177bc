//! `tarbac man`: the manual pages.

use std::path::PathBuf;

use clap::Args;
use clap::CommandFactory;
use clap_mangen::Man;

use crate::arguments::format::format_fixed;
use crate::arguments::{Arguments, Format};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::Output;

/// Write the manual page to standard output, or one page for each command into a folder.
///
/// Exit status: 0 written, 2 could not answer.
#[derive(Debug, Args)]
#[command(arg = format_fixed(&[Format::Human]), after_help = "\
Examples:
  tarbac man | man -l -
  tarbac man --out ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Write the pages of all commands into this folder.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

pub(crate) fn run(arguments: &ManArgs, output: &mut Output) -> Result<Exit, Failure> {
    let mut command = Arguments::command();
    command.build();
    match &arguments.out {
        None => {
            let mut page = Vec::new();
            Man::new(command)
                .render(&mut page)
                .map_err(Failure::Output)?;
            output.write_verbatim(&String::from_utf8_lossy(&page))?;
        }
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .map_err(|error| ShellError::file("make", folder, error))?;
            clap_mangen::generate_to(command, folder)
                .map_err(|error| ShellError::file("write into", folder, error))?;
        }
    }
    Ok(Exit::Yes)
}
