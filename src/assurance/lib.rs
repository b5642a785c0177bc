//! Whether the policies are right: suites, snapshots, coverage, mutants and proofs.

pub mod cedar_tests;
pub mod coverage;
pub mod mutant;
#[cfg(feature = "prove")]
pub mod proof;
pub mod report;
pub mod snapshot;
pub mod suite;
