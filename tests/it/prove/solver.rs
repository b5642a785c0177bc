//! Solvers that fail, answer garbage, are slow, or are not there.

use std::path::{Path, PathBuf};

use super::{holds, with_specs};
use crate::solver::prove;
use crate::tarbac::{Ran, Tarbac, command};

// The solver.

/// A program that answers what is asked first as a solver does, and then does something else.
#[cfg(unix)]
fn false_solver(workspace: &Tarbac, then: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let script = format!(
        "#!/bin/sh\nn=0\nwhile read -r line; do\n  case \"$line\" in *check-sat*)\n    n=$((n+1))\n    case $n in 1) echo sat ;; 2) echo unsat ;; *) {then} ;; esac ;;\n  esac\ndone\n"
    );
    workspace.write("solver", script);
    let path = workspace.path("solver");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path
}

#[cfg(unix)]
fn with_false_solver(then: &str, arguments: &[&str]) -> Ran {
    let workspace = with_specs(&[holds()]);
    let solver = false_solver(&workspace, then);
    let ran = prove(&workspace, &solver, arguments);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(!ran.stdout.contains("proved: 1 spec"), "{ran}");
    ran
}

#[test]
#[cfg(unix)]
fn a_solver_that_cannot_tell_proves_nothing() {
    let ran = with_false_solver("echo unknown", &[]);
    assert!(
        ran.stdout
            .contains("Not proved for View scripts: the solver cannot tell."),
        "{ran}"
    );
}

#[test]
#[cfg(unix)]
fn a_solver_that_answers_garbage_proves_nothing() {
    let ran = with_false_solver("echo banana", &[]);
    assert!(
        ran.stdout.contains("unrecognized solver output: banana"),
        "{ran}"
    );
    // A model that is none.
    let ran = with_false_solver("echo sat; printf '(\\nbanana\\n)\\n'", &[]);
    assert!(ran.stdout.contains("Not proved"), "{ran}");
}

#[test]
#[cfg(unix)]
fn a_solver_that_is_killed_proves_nothing() {
    let ran = with_false_solver("kill -9 $$", &[]);
    assert!(ran.stdout.contains("the solver failed"), "{ran}");
}

#[test]
#[cfg(unix)]
fn a_slow_solver_proves_nothing() {
    let ran = with_false_solver("sleep 1000", &["--timeout", "0.2"]);
    assert!(
        ran.stdout
            .contains("the solver gave no answer within 0.2 s"),
        "{ran}"
    );
}

#[test]
#[cfg(unix)]
fn what_is_no_solver_is_not_asked() {
    use std::os::unix::fs::PermissionsExt;
    let workspace = with_specs(&[holds()]);
    for script in [
        // Says yes to everything.
        "#!/bin/sh\nwhile read -r line; do case \"$line\" in *check-sat*) echo unsat ;; esac; done\n",
        "#!/bin/sh\nexit 0\n",
        "#!/bin/sh\necho hello\n",
    ] {
        workspace.write("solver", script);
        let path = workspace.path("solver");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let ran = prove(&workspace, &path, &[]);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains("solver::unusable"), "{ran}");
    }
}

#[test]
fn without_a_solver_it_is_said_how_to_get_one() {
    let ran = prove(&with_specs(&[holds()]), Path::new("/nowhere/cvc5"), &[]);
    assert_eq!(ran.status, 2);
    insta::assert_snapshot!(ran);
}

/// As a shell leaves it: `CVC5= tarbac prove`.
#[test]
fn a_variable_that_is_empty_names_no_solver() {
    let workspace = with_specs(&[holds()]);
    let output = command(&workspace.path(""))
        .env("CVC5", "")
        .env("PATH", workspace.path(""))
        .args(["prove"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("the solver `cvc5` cannot be started"),
        "{said}"
    );
}
