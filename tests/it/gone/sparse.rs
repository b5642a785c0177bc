//! Files that are not on disk, or that a link would have: sparse checkouts, and folders that are linked file by file.

use std::fs;

use super::{CHECK, begun, remove, within};
use crate::rules_in_force::git;
use crate::tarbac::Tarbac;

/// The path of a rule from the top of a repository.
pub(super) const FREEZES: &str = "ws/policies/custom/freeze.cedar";

pub(super) const FREEZE: &str = "@id(\"custom.freeze\")\n@doc(\"Nobody runs scripts.\")\n@message(\"Frozen.\")\n@advice(\"Wait.\")\nforbid (principal, action == Intune::Action::\"runScript\", resource);\n";

#[test]
fn what_a_sparse_checkout_leaves_out_is_missed() {
    let workspace = begun();
    workspace.write("ws/policies/custom/freeze.cedar", FREEZE);
    workspace.write("other/text", "");
    git(&workspace, &["init", "-q"]);
    git(&workspace, &["add", "."]);
    git(&workspace, &["commit", "-qm", "whole"]);
    assert_eq!(within(&workspace, &CHECK).status, 1);
    let set = ["sparse-checkout", "set"];
    for patterns in [
        &["--no-cone", "/*", "!/ws/policies/custom/freeze.cedar"][..],
        &["--cone", "ws/entities"],
        &["--cone", "other"],
    ] {
        git(&workspace, &[&set[..], patterns].concat());
        fs::create_dir_all(workspace.path("ws")).unwrap();
        for command in [
            &CHECK[..],
            &["who", "runScript", "WS-TST-001"],
            &["validate"],
        ] {
            let ran = within(&workspace, command);
            assert_ne!(ran.status, 0, "{patterns:?} {ran}");
            assert!(
                ran.to_string().contains("workspace::sparse"),
                "{patterns:?} {ran}"
            );
        }
    }
    // The whole workspace may be a part of the repository.
    git(&workspace, &[&set[..], &["--cone", "ws"]].concat());
    assert!(!workspace.path("other").exists());
    let ran = within(&workspace, &CHECK);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("custom.freeze"), "{ran}");
    // As in a worktree, which has patterns of its own.
    git(&workspace, &["worktree", "add", "-q", "tree"]);
    let tree = |arguments: &[&str]| workspace.run(&[&["-C", "tree/ws"], arguments].concat());
    assert_eq!(tree(&CHECK).status, 1);
    let patterns = ["-C", "tree", "sparse-checkout", "set", "ws/entities"];
    git(&workspace, &patterns);
    fs::create_dir_all(workspace.path("tree/ws")).unwrap();
    let ran = tree(&CHECK);
    assert!(ran.stderr.contains("workspace::sparse"), "{ran}");
}

/// Git keeps in its index what a checkout leaves out, whatever its configuration says by now.
#[test]
fn what_git_does_not_miss_is_missed() {
    let lost: [&[&[&str]]; 4] = [
        &[
            &["sparse-checkout", "set", "--no-cone", "/*", "!freeze.cedar"],
            &["config", "--worktree", "--unset", "core.sparseCheckout"],
        ],
        &[
            &["sparse-checkout", "set", "--no-cone", "/*", "!freeze.cedar"],
            &["config", "--worktree", "core.sparseCheckout", "on"],
        ],
        &[&["update-index", "--skip-worktree", FREEZES]],
        &[&["update-index", "--assume-unchanged", FREEZES]],
    ];
    for format in ["sha1", "sha256"] {
        for commands in lost {
            let workspace = begun();
            workspace.write(FREEZES, FREEZE);
            git(&workspace, &["init", "-q", "--object-format", format]);
            git(&workspace, &["add", "."]);
            git(&workspace, &["commit", "-qm", "whole"]);
            for command in commands {
                git(&workspace, command);
            }
            let file = workspace.path(FREEZES);
            if file.exists() {
                assert_eq!(within(&workspace, &CHECK).status, 1);
                fs::remove_file(&file).unwrap();
            }
            let ran = within(&workspace, &CHECK);
            assert_eq!(ran.status, 2, "{format} {commands:?} {ran}");
            assert!(ran.stderr.contains("workspace::sparse"), "{ran}");
        }
    }
}

/// Whoever publishes what is on disk publishes no rule that git has besides.
#[test]
fn what_is_left_out_is_not_published_without() {
    let workspace = begun();
    workspace.write(FREEZES, FREEZE);
    workspace.write("ws/policies/custom/NOTES.md", "Ours.");
    git(&workspace, &["init", "-q"]);
    git(&workspace, &["add", "."]);
    git(&workspace, &["commit", "-qm", "whole"]);
    let store = format!("file://{}", workspace.path("store").display());
    let publish = ["publish", "--store", &store];
    let set = ["sparse-checkout", "set", "--no-cone", "/*"];
    git(&workspace, &[&set[..], &["!NOTES.md"]].concat());
    assert_eq!(within(&workspace, &CHECK).status, 1);
    let ran = within(&workspace, &publish);
    assert_eq!(ran.status, 0, "{ran}");
    git(&workspace, &[&set[..], &["!freeze.cedar"]].concat());
    let ran = within(&workspace, &publish);
    assert_ne!(ran.status, 0, "{ran}");
    assert!(ran.stderr.contains("workspace::sparse"), "{ran}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_whose_name_is_no_text_is_looked_through() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let workspace = begun();
    workspace.write(FREEZES, FREEZE);
    let folder = workspace.path("").join(OsStr::from_bytes(b"w\xe9"));
    fs::rename(workspace.path("ws"), &folder).unwrap();
    git(&workspace, &["init", "-q"]);
    git(&workspace, &["add", "."]);
    git(&workspace, &["commit", "-qm", "whole"]);
    git(
        &workspace,
        &["sparse-checkout", "set", "--no-cone", "/*", "!freeze.cedar"],
    );
    let ran = crate::tarbac::command(&folder)
        .args(CHECK)
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
}

/// Suites that are not on disk would pass.
#[test]
fn suites_and_specs_that_are_left_out_are_missed() {
    let workspace = begun();
    workspace.write("ws/tests/specs/mine.cedar", "// None.\n");
    git(&workspace, &["init", "-q"]);
    git(&workspace, &["add", "."]);
    git(&workspace, &["commit", "-qm", "whole"]);
    git(
        &workspace,
        &[
            "sparse-checkout",
            "set",
            "--no-cone",
            "/*",
            "!/ws/tests/specs",
        ],
    );
    for command in ["test", "prove"] {
        let ran = within(&workspace, &[command]);
        assert_ne!(ran.status, 0, "{ran}");
        assert!(ran.stderr.contains("left out of this checkout"), "{ran}");
    }
    // They decide nothing.
    assert_eq!(within(&workspace, &CHECK).status, 0);
}

#[test]
fn an_index_that_cannot_be_read_is_an_error() {
    let workspace = begun();
    git(&workspace, &["init", "-q"]);
    assert_eq!(within(&workspace, &CHECK).status, 0);
    git(&workspace, &["add", "."]);
    assert_eq!(within(&workspace, &CHECK).status, 0);
    let index = workspace.path(".git/index");
    let whole = fs::read(&index).unwrap();
    fs::write(&index, &whole[..whole.len() / 2]).unwrap();
    let ran = within(&workspace, &CHECK);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("index of git cannot be read"), "{ran}");
}

#[cfg(unix)]
#[test]
fn a_rule_without_a_link_is_missed_where_its_neighbours_have_one() {
    use std::os::unix::fs::symlink;
    let linked = |from: &Tarbac| {
        for entry in walkdir::WalkDir::new(from.path("ws")).min_depth(1) {
            let entry = entry.unwrap();
            let within = entry.path().strip_prefix(from.path("ws")).unwrap();
            let parts = ["entities", "policies", "schema"];
            let is_of = parts.iter().any(|part| within.starts_with(part));
            let to = from.path("linked").join(within);
            match entry.file_type().is_dir() {
                _ if !is_of => {}
                true => fs::create_dir_all(to).unwrap(),
                false => symlink(entry.path(), to).unwrap(),
            }
        }
    };
    let whole = begun();
    linked(&whole);
    let check = [&["-C", "linked"], &CHECK[..]].concat();
    let ran = whole.run(&check);
    assert_eq!(ran.status, 0, "{ran}");
    for rule in [
        "policies/guardrails/account.cedar",
        "policies/authority.cedar",
    ] {
        let lacking = begun();
        remove(&lacking, rule);
        linked(&lacking);
        let ran = lacking.run(&check);
        assert_eq!(ran.status, 2, "{rule} {ran}");
        assert!(ran.stderr.contains("workspace::gone"), "{rule} {ran}");
    }
    // One file of another workspace is no copy of it.
    let lacking = begun();
    lacking.write("ws/policies/custom/freeze.cedar", FREEZE);
    lacking.write("alone/entities/none.json", "[]");
    fs::create_dir_all(lacking.path("alone/policies")).unwrap();
    let shared = lacking.path("ws/policies/custom/freeze.cedar");
    symlink(shared, lacking.path("alone/policies/freeze.cedar")).unwrap();
    remove(&lacking, "policies/guardrails/account.cedar");
    let ran = lacking.run(&["-C", "alone", "validate"]);
    assert!(!ran.to_string().contains("workspace::gone"), "{ran}");
}
