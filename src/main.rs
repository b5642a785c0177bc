//! The command line of tarbac: parse, run, exit.

mod cli;
mod command;

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Policies are parsed by several threads into millions of small pieces, for which glibc asks the system for
/// a page at a time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match command::answer_shell() {
        Ok(false) => command::run(&cli::Arguments::read()).into(),
        Ok(true) => ExitCode::SUCCESS,
        Err(error) => error.exit(),
    }
}
