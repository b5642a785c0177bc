//! `tarbac completions`: what a shell needs to complete commands.

use clap::CommandFactory;

use super::output::Output;
use super::{Exit, Failure};
use crate::cli::{Arguments, Completions};

pub fn run(completions: &Completions, output: &mut Output) -> Result<Exit, Failure> {
    // Generated into memory first, because the generator does not survive a closed pipe.
    let mut text = Vec::new();
    clap_complete::generate(
        completions.shell,
        &mut Arguments::command(),
        "tarbac",
        &mut text,
    );
    output.write(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Yes)
}
