//! Comparisons with a revision of git.

use std::path::PathBuf;

use super::{READERS, two};
use crate::rules_in_force::git;
use crate::solver::solver_or_return;
use crate::tarbac::{Tarbac, command};

/// A repository of git with a workspace, and what is proved in it.
struct Repository {
    workspace: Tarbac,
    solver: PathBuf,
}

impl Repository {
    fn new(solver: PathBuf) -> Self {
        let workspace = two();
        git(&workspace, &["init", "--quiet"]);
        let repository = Self { workspace, solver };
        repository.commit();
        repository
    }

    fn commit(&self) {
        git(&self.workspace, &["add", "."]);
        git(&self.workspace, &["commit", "--quiet", "-m", "one"]);
    }

    /// The text of a comparison that ends with a status.
    fn prove(&self, status: i32, arguments: &[&str]) -> String {
        // The program finds git on the PATH, which tests do not pass on by themselves.
        let output = command(&self.workspace.path(""))
            .env("PATH", std::env::var_os("PATH").unwrap())
            .args(["prove", "--solver"])
            .arg(&self.solver)
            .args(arguments)
            .output()
            .unwrap();
        let text =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{text}");
        text
    }
}

fn says(text: &str, part: &str) {
    assert!(text.contains(part), "{text}");
}

#[test]
fn a_comparison_with_a_revision() {
    let repository = Repository::new(solver_or_return!());
    repository.prove(0, &["--compare", "HEAD"]);
    repository
        .workspace
        .write("policies/custom/readers.cedar", READERS);
    let text = repository.prove(1, &["--compare", "HEAD"]);
    says(&text, "less permissive  View scripts");
    says(
        &text,
        "allowed by custom.readers (HEAD:policies/custom/readers.cedar:1)",
    );
}

#[test]
fn a_workspace_in_a_folder_of_the_repository_is_compared() {
    let repository = Repository::new(solver_or_return!());
    let scripts = READERS.replace("Timeline", "Scripts");
    repository
        .workspace
        .write("old/policies/custom/readers.cedar", scripts);
    let text = repository.prove(1, &["-C", "old", "--compare", "HEAD"]);
    says(&text, "more permissive  View scripts");
    // A folder that the revision had not says nothing.
    repository
        .workspace
        .write("new/policies/custom/readers.cedar", READERS);
    let text = repository.prove(2, &["-C", "new", "--compare", "HEAD"]);
    says(&text, "it has nothing in this folder");
}

#[test]
fn a_workspace_that_had_nothing_of_its_own_had_what_ships() {
    let repository = Repository::new(solver_or_return!());
    repository.workspace.write("bare/entities/none.json", "[]");
    repository.commit();
    repository
        .workspace
        .write("bare/policies/custom/readers.cedar", READERS);
    let text = repository.prove(1, &["-C", "bare", "--compare", "HEAD"]);
    says(&text, "HEAD has no policies of its own here");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_in_a_revision_is_refused() {
    let repository = Repository::new(solver_or_return!());
    let link = repository.workspace.path("policies/custom/link.cedar");
    std::os::unix::fs::symlink("readers.cedar", &link).unwrap();
    repository.commit();
    std::fs::remove_file(&link).unwrap();
    let text = repository.prove(2, &["--compare", "HEAD"]);
    says(
        &text,
        "`policies/custom/link.cedar` is a symbolic link or a submodule",
    );
}

#[test]
fn a_revision_that_is_none_is_refused() {
    let repository = Repository::new(solver_or_return!());
    let text = repository.prove(2, &["--compare", "nothing"]);
    says(&text, "cannot read `nothing`");
    repository.prove(2, &["--compare=--help"]);
}

#[test]
fn the_options_of_today_say_nothing_of_a_revision() {
    let repository = Repository::new(solver_or_return!());
    let text = repository.prove(2, &["--policies", "policies", "--compare", "HEAD"]);
    says(&text, "--policies and --schema name others");
}

/// A checkout of continuous integration has the last commit only.
#[test]
fn a_shallow_clone_says_how_to_have_the_history() {
    let origin = Tarbac::with_tenant(&[]);
    git(&origin, &["init", "--quiet", "--initial-branch=main"]);
    for message in ["one", "two"] {
        origin.write("policies/custom/a.cedar", format!("// {message}\n"));
        git(&origin, &["add", "."]);
        git(&origin, &["commit", "--quiet", "--message", message]);
    }
    let clone = Tarbac::with(&[]);
    let from = format!("file://{}", origin.path("").display());
    git(
        &clone,
        &["clone", "--quiet", "--depth", "1", &from, "clone"],
    );
    for command in [&["diff", "HEAD~1"][..], &["prove", "--compare", "HEAD~1"]] {
        let ran = clone.run(&[&["-C", "clone"][..], command].concat());
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains("--unshallow"), "{ran}");
        assert!(ran.stderr.contains("fetch-depth: 0"), "{ran}");
    }
}
