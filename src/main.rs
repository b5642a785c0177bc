//! The program: the command line, with the rules and the sample that ship.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use tarbac::shipped;
use tarbac_cli::Product;

/// Policies are parsed by several threads into millions of small pieces, for which glibc asks the system for
/// a page at a time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tarbac_cli::run(Product {
        rules: shipped::rules,
        sample: shipped::sample,
        pages: shipped::pages,
        shipped_before_records: shipped::shipped_before_records,
    })
}
