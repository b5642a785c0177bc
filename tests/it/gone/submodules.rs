//! Submodules of git that are not checked out: their rules are missing, and nothing is decided.

use std::fs;

use super::{CHECK, begun, within};
use crate::rules_in_force::git;
use crate::tarbac::{Tarbac, command};

/// Files of a workspace, after whose name `/` stands for an empty folder.
type Files<'f> = &'f [(&'f str, &'f str)];

const LISTED: &str = "[submodule \"p\"]\n\tpath = policies/org\n\turl = x\n";

fn workspace(files: Files<'_>) -> Tarbac {
    let workspace = begun();
    for (path, text) in files {
        let path = format!("ws/{path}");
        match path.ends_with('/') {
            true => fs::create_dir_all(workspace.path(&path)).unwrap(),
            false => workspace.write(&path, text),
        }
    }
    workspace
}

fn assert_refused(workspace: &Tarbac, why: &str) {
    for command in [
        &CHECK[..],
        &["validate"],
        &["who", "runScript", "WS-TST-001"],
    ] {
        let ran = within(workspace, command);
        assert_ne!(ran.status, 0, "{why}\n{ran}");
        assert!(
            ran.to_string().contains("workspace::submodule"),
            "{why}\n{ran}"
        );
    }
}

#[test]
fn a_submodule_that_is_not_checked_out_is_no_folder_without_rules() {
    let rules = Tarbac::with(&[(
        "none.cedar",
        "@id(\"none\")\n@doc(\"Nobody.\")\nforbid (principal, action, resource);\n",
    )]);
    git(&rules, &["init", "-q"]);
    git(&rules, &["add", "."]);
    git(&rules, &["commit", "-qm", "rules"]);
    let workspace = begun();
    git(&workspace, &["init", "-q"]);
    let from = rules.path("");
    let add = ["-c", "protocol.file.allow=always", "submodule", "add", "-q"];
    let to = [from.to_str().unwrap(), "ws/policies/custom/rules"];
    git(&workspace, &[&add[..], &to].concat());
    assert_eq!(within(&workspace, &CHECK).status, 1);
    fs::remove_dir_all(workspace.path(to[1])).unwrap();
    fs::create_dir(workspace.path(to[1])).unwrap();
    assert_refused(&workspace, "a clone without its submodules");
}

#[test]
fn a_folder_without_rules_is_none_that_is_checked_out() {
    let refused: [(&str, Files<'_>); 7] = [
        (
            "an empty folder, in a copy without .git",
            &[("policies/org/", "")],
        ),
        ("no folder", &[]),
        (
            "notes of a file manager",
            &[(".git/", ""), ("policies/org/.DS_Store", "x")],
        ),
        (
            "a file that keeps the folder",
            &[("policies/org/.gitkeep", "")],
        ),
        (
            "an empty folder in it",
            &[(".git/", ""), ("policies/org/custom/", "")],
        ),
        (
            "a checkout without its files",
            &[(".git/", ""), ("policies/org/.git", "gitdir: x")],
        ),
        (
            "another file, and no checkout",
            &[(".git/", ""), ("policies/org/README.md", "x")],
        ),
    ];
    for (why, files) in refused {
        let listed = [files, &[(".gitmodules", LISTED)]].concat();
        assert_refused(&workspace(&listed), why);
    }
}

#[test]
fn a_submodule_of_a_submodule_is_looked_for() {
    let nested = "[submodule \"c\"]\n\tpath = common\n";
    assert_refused(
        &workspace(&[
            (".git/", ""),
            (".gitmodules", LISTED),
            ("policies/org/.git", "gitdir: x"),
            ("policies/org/README.md", "x"),
            ("policies/org/.gitmodules", nested),
            ("policies/org/common/", ""),
        ]),
        "a clone without --recursive",
    );
}

#[test]
#[cfg(unix)]
fn a_link_into_a_submodule_is_followed() {
    let list = "[submodule \"s\"]\n\tpath = shared\n";
    let workspace = workspace(&[(".git/", ""), (".gitmodules", list), ("shared/", "")]);
    let link = workspace.path("ws/policies/shared");
    std::os::unix::fs::symlink("../shared", link).unwrap();
    assert_refused(&workspace, "a link to the folder of a submodule");
}

/// A repository that was added with `git add`: its files are nowhere else, and no list says so.
#[test]
fn a_repository_in_another_is_a_submodule_without_a_list() {
    let workspace = begun();
    git(&workspace, &["init", "-q"]);
    let org = Tarbac::with(&[("none.cedar", "forbid (principal, action, resource);\n")]);
    git(&org, &["init", "-q"]);
    git(&org, &["add", "."]);
    git(&org, &["commit", "-qm", "rules"]);
    let (from, to) = (org.path(""), "ws/policies/custom/team/org");
    git(&workspace, &["clone", "-q", from.to_str().unwrap(), to]);
    git(&workspace, &["add", "."]);
    git(&workspace, &["commit", "-qm", "workspace"]);
    assert_eq!(within(&workspace, &CHECK).status, 1);
    fs::remove_dir_all(workspace.path(to)).unwrap();
    fs::create_dir(workspace.path(to)).unwrap();
    assert_refused(&workspace, "a clone");
    for kept in [".gitkeep", "README.md", "x.cedar"] {
        workspace.write(&format!("{to}/{kept}"), "// Nothing.\n");
        assert_refused(&workspace, kept);
    }
    fs::remove_dir_all(workspace.path(to)).unwrap();
    assert_refused(&workspace, "without the folder");
    // Another folder without files is nothing to git.
    git(&workspace, &["rm", "-q", "--cached", to]);
    fs::create_dir(workspace.path(to)).unwrap();
    assert_eq!(within(&workspace, &CHECK).status, 0);
}

/// Its files are those of the repository now, and the list still has it.
#[test]
fn a_submodule_whose_files_were_added_is_none() {
    let workspace = workspace(&[
        (".gitmodules", LISTED),
        ("policies/org/x.cedar", "// Nothing yet.\n"),
    ]);
    git(&workspace, &["-C", "ws", "init", "-q"]);
    git(&workspace, &["-C", "ws", "add", "."]);
    git(&workspace, &["-C", "ws", "commit", "-qm", "workspace"]);
    assert_eq!(within(&workspace, &CHECK).status, 0);
    // Nor is a folder that is gone with its files.
    git(&workspace, &["-C", "ws", "rm", "-rqf", "policies/org"]);
    assert_eq!(within(&workspace, &CHECK).status, 0);
}

/// What is in the repository stands in its index, which is read without git.
#[test]
fn an_answer_takes_no_git() {
    let workspace = workspace(&[("policies/team/.gitkeep", ""), ("policies/empty/", "")]);
    git(&workspace, &["-C", "ws", "init", "-q"]);
    let mut command = command(&workspace.path("ws"));
    let output = command.args(CHECK).env("PATH", "").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// A branch may be called as a policy is.
#[test]
fn the_data_of_git_are_no_rules() {
    let workspace = begun();
    git(
        &workspace,
        &["-C", "ws/policies", "init", "-q", "-b", "fix.cedar"],
    );
    git(&workspace, &["-C", "ws/policies", "add", "."]);
    git(&workspace, &["-C", "ws/policies", "commit", "-qm", "rules"]);
    let ran = within(&workspace, &CHECK);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran}");
}

#[test]
fn other_submodules_are_no_matter() {
    let rules = "@id(\"custom.x\")\n@doc(\"Nobody.\")\nforbid (principal, action == Intune::Action::\"viewTimeline\", resource) when { resource.name == \"WS-TST-001\" };\n";
    let fine: [(&str, Files<'_>); 5] = [
        (
            "elsewhere",
            &[(".gitmodules", "[submodule \"t\"]\n\tpath = tools\n")],
        ),
        (
            "in another section",
            &[(".gitmodules", "[other]\n\tpath = policies\n")],
        ),
        (
            "checked out",
            &[
                (".git/", ""),
                (".gitmodules", LISTED),
                ("policies/org/.git", "gitdir: x"),
                ("policies/org/x.cedar", rules),
            ],
        ),
        (
            "copied with its files, without .git",
            &[(".gitmodules", LISTED), ("policies/org/x.cedar", rules)],
        ),
        (
            "a file by now",
            &[
                (".git/", ""),
                (
                    ".gitmodules",
                    "[submodule \"p\"]\n\tpath = policies/x.cedar\n",
                ),
                ("policies/x.cedar", rules),
            ],
        ),
    ];
    for (why, files) in fine {
        let ran = within(&workspace(files), &CHECK);
        assert_eq!(ran.status, 0, "{why}\n{ran}");
    }
}
