//! Files of a workspace that git could take for a repository: nothing in them is believed or run.

use std::fs;
use std::path::Path;

use super::sparse::{FREEZE, FREEZES};
use super::{CHECK, begun};
use crate::rules_in_force::git;
use crate::tarbac::{Tarbac, command};

fn committed() -> Tarbac {
    let workspace = begun();
    workspace.write(FREEZES, FREEZE);
    git(&workspace, &["init", "-q"]);
    git(&workspace, &["add", "."]);
    git(&workspace, &["commit", "-qm", "with a freeze"]);
    workspace
}

/// What a run in a folder prints, with git on the PATH.
fn run(folder: &Path, variables: &[(&str, &Path)], arguments: &[&str]) -> String {
    let mut command = command(folder);
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command.envs(variables.iter().copied()).args(arguments);
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// The data of a repository, as plain files that a pull request can add.
fn embed(folder: &Path, configuration: &str) {
    for (file, text) in [
        ("HEAD", "ref: refs/heads/main\n"),
        ("config", configuration),
        ("objects/.keep", ""),
        ("refs/.keep", ""),
    ] {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn a_configuration_among_the_files_runs_nothing() {
    let workspace = committed();
    let told = workspace.path("told");
    let configuration = format!(
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n\tfsmonitor = \"touch {}; false\"\n",
        told.display()
    );
    let folder = workspace.path("ws/policies/x");
    embed(&folder, &configuration);
    fs::create_dir(folder.join("sub")).unwrap();
    embed(&workspace.path("ws"), &configuration);
    for arguments in [&CHECK[..], &["validate"], &["diff", "HEAD~0"]] {
        run(&workspace.path("ws"), &[], arguments);
        assert!(!told.exists(), "{arguments:?}");
    }
    // Nor does that of the repository around them, which may have come in an archive.
    git(
        &workspace,
        &[
            "config",
            "core.fsmonitor",
            &format!("touch {}; false", told.display()),
        ],
    );
    for arguments in [&CHECK[..], &["diff", "HEAD~0"]] {
        run(&workspace.path("ws"), &[], arguments);
        assert!(!told.exists(), "{arguments:?}");
    }
}

#[test]
fn an_earlier_state_is_that_of_the_repository_around_the_workspace() {
    let workspace = committed();
    let ws = workspace.path("ws");
    fs::remove_file(workspace.path(FREEZES)).unwrap();
    let honest = run(&ws, &[], &["diff", "HEAD~0"]);
    assert!(honest.contains("gained"), "{honest}");
    // A repository of which this state is the first commit.
    let other = Tarbac::with(&[]);
    git(&other, &["init", "-q"]);
    git(&other, &["--work-tree", ws.to_str().unwrap(), "add", "."]);
    git(&other, &["commit", "-qm", "forged"]);
    git(&other, &["config", "core.worktree", "."]);
    for entry in walkdir::WalkDir::new(other.path(".git")).min_depth(1) {
        let entry = entry.unwrap();
        let to = ws.join(entry.path().strip_prefix(other.path(".git")).unwrap());
        match entry.file_type().is_dir() {
            true => fs::create_dir_all(to).unwrap(),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
    let forged = run(&ws, &[], &["diff", "HEAD~0"]);
    assert_eq!(forged, honest);
}

/// Git takes a tag before a branch of the same name, and whoever pushes can make a tag.
#[test]
fn a_tag_that_is_called_like_a_branch_is_no_earlier_state() {
    let workspace = committed();
    let ws = workspace.path("ws");
    git(
        &workspace,
        &["update-ref", "refs/remotes/origin/main", "HEAD"],
    );
    git(&workspace, &["rm", "-q", FREEZES]);
    git(&workspace, &["commit", "-qm", "without"]);
    let honest = run(&ws, &[], &["diff", "origin/main"]);
    assert!(honest.contains("gained"), "{honest}");
    git(&workspace, &["tag", "origin/main"]);
    for name in ["origin/main", "origin/main~0"] {
        let mut command = command(&ws);
        let ran = command.args(["diff", name]).output().unwrap();
        assert_eq!(ran.status.code(), Some(2), "{name} {ran:?}");
        let told = String::from_utf8(ran.stderr).unwrap();
        assert!(told.contains("are called so"), "{told}");
    }
    assert_eq!(run(&ws, &[], &["diff", "refs/remotes/origin/main"]), honest);
}

/// Git tells a hook which repository it runs for, and that may be a worktree of another one.
#[test]
fn a_hook_in_a_worktree_compares_its_own_workspace() {
    let workspace = committed();
    workspace.write("policies/custom/none.cedar", "// Nothing yet.\n");
    git(&workspace, &["add", "."]);
    git(&workspace, &["commit", "-qm", "a second workspace"]);
    git(&workspace, &["worktree", "add", "-q", "tree"]);
    let ws = workspace.path("tree/ws");
    fs::remove_file(workspace.path("tree").join(FREEZES)).unwrap();
    let by_hand = run(&ws, &[], &["diff", "HEAD~0"]);
    assert!(by_hand.contains("gained"), "{by_hand}");
    let data = workspace.path(".git/worktrees/tree");
    let index = data.join("index");
    let as_hook = [("GIT_DIR", data.as_path()), ("GIT_INDEX_FILE", &index)];
    let hooked = run(&ws, &as_hook, &["diff", "HEAD~0"]);
    assert_eq!(hooked, by_hand);
}
