//! `tarbac man`: the manual pages.

use clap::CommandFactory;
use clap_mangen::Man;

use super::output::Output;
use super::{Exit, Failure, ShellError};
use crate::cli::{self, Arguments};

pub fn run(arguments: &cli::Man, output: &mut Output) -> Result<Exit, Failure> {
    let mut command = Arguments::command();
    command.build();
    match &arguments.out {
        None => {
            let mut page = Vec::new();
            Man::new(command)
                .render(&mut page)
                .map_err(Failure::Output)?;
            output.write_as_it_is(&String::from_utf8_lossy(&page))?;
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
