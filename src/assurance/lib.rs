//! Assurance of the policies: suites, snapshots, coverage, mutants and proofs.

#![warn(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::too_many_lines
)]

pub mod cedar_run_tests;
pub mod coverage;
pub mod mutation;
#[cfg(feature = "prove")]
pub mod prove;
pub mod snapshot;
pub mod suite;
pub mod test_report;
