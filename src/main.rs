//! The program: the command line, with the rules and the sample that ship.

#![warn(clippy::too_many_lines)]

use std::process::ExitCode;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};

use mimalloc::MiMalloc;
use tarbac::shipped;
use tarbac_cli::Product;

/// Policies are parsed by several threads into millions of small pieces, for which glibc asks the system for
/// a page at a time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Whether standard output was closed when the program began.
#[cfg(unix)]
static IS_OUTPUT_CLOSED: AtomicBool = AtomicBool::new(false);

/// Looks at standard output before the standard library opens `/dev/null` in its place, into which an answer would
/// vanish.
#[cfg(unix)]
#[ctor::ctor(unsafe)]
fn look_at_output() {
    let is_closed = rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err();
    IS_OUTPUT_CLOSED.store(is_closed, Ordering::Relaxed);
}

fn main() -> ExitCode {
    #[cfg(unix)]
    let is_output_closed = IS_OUTPUT_CLOSED.load(Ordering::Relaxed);
    #[cfg(not(unix))]
    let is_output_closed = false;
    tarbac_cli::run(Product {
        rules: shipped::rules,
        sample: shipped::sample,
        pages: shipped::pages,
        shipped_before_records: shipped::shipped_before_records,
        is_output_closed,
    })
}
