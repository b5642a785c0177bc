//! The solver that proofs need.

use std::path::PathBuf;

use crate::installed::{on_path, or_left_out};
use crate::tarbac::{Ran, Tarbac};

/// The path of the solver, or `None` where the test is to be left out.
pub fn solver(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("CVC5").map(PathBuf::from);
    or_left_out(named.or_else(|| on_path("cvc5")), "cvc5", test)
}

/// Runs `tarbac prove` with the solver.
pub fn prove(workspace: &Tarbac, solver: &std::path::Path, arguments: &[&str]) -> Ran {
    let solver = solver.to_str().unwrap();
    workspace.run(&[&["prove", "--solver", solver], arguments].concat())
}

/// The solver, or the end of the test.
macro_rules! solver_or_return {
    () => {{
        fn here() {}
        let name = std::any::type_name_of_val(&here);
        match $crate::solver::solver(name.trim_end_matches("::here")) {
            Some(solver) => solver,
            None => return,
        }
    }};
}
pub(crate) use solver_or_return;
