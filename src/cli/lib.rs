//! The command line: arguments, files, streams and exit status.

#![warn(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::too_many_lines
)]

mod arguments;
mod atomic;
mod clock;
mod command;
mod exit;
mod failure;
mod output;
mod product;

use std::process::ExitCode;

pub use product::Product;

/// Reads the arguments, runs the command, and returns its exit status.
pub fn run(product: Product) -> ExitCode {
    product::set(product);
    let answered = command::completions::answer();
    let exit = match answered.and_then(|answered| match answered {
        true => Ok(None),
        false => arguments::Arguments::read().map(Some),
    }) {
        Ok(None) => return ExitCode::SUCCESS,
        Ok(Some(arguments)) => command::run(&arguments),
        // Help and the version are answers like any other.
        Err(error) => command::say_of_arguments(&error),
    };
    exit.into()
}
