//! The command line of tarbac: parse, run, exit.

mod cli;
mod command;
mod product;

use std::process::ExitCode;

use mimalloc::MiMalloc;
use tarbac::shipped;

/// Policies are parsed by several threads into millions of small pieces, for which glibc asks the system for
/// a page at a time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    product::set(product::Product {
        rules: shipped::rules,
        sample: shipped::sample,
        shipped_before_records: shipped::shipped_before_records,
    });
    let answered = command::answer_shell();
    let exit = match answered.and_then(|answered| match answered {
        true => Ok(None),
        false => cli::Arguments::read().map(Some),
    }) {
        Ok(None) => return ExitCode::SUCCESS,
        Ok(Some(arguments)) => command::run(&arguments),
        // Help and the version are answers like any other.
        Err(error) => command::say_of_arguments(&error),
    };
    exit.into()
}
