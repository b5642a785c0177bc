//! The command line of tarbac: parse, run, exit.

mod cli;
mod command;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    command::run(&cli::Arguments::parse()).into()
}
