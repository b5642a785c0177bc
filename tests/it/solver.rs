//! The solver that proofs need. A machine without it leaves those tests out and says so; where `CI`
//! is set, that is a failure.

use std::io::Write;
use std::path::PathBuf;

use crate::tarbac::{Ran, Tarbac};

/// The path of the solver, or `None` where the test is to be left out.
pub fn solver(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("CVC5").map(PathBuf::from);
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|folder| folder.join("cvc5"))
            .find(|path| path.is_file())
    };
    let found = named.or_else(on_path);
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci.is_empty() || ci == "false"),
            "{test}: there is no cvc5, and CI is set; on Debian: apt-get install cvc5"
        );
        // Past the harness, which keeps to itself what a test that passes prints.
        let _ = writeln!(
            std::io::stderr(),
            "left out, since there is no cvc5: {test}"
        );
    }
    found
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
