//! Files that editors and systems put beside others, and those that only look so.

use super::{CHECK, begun, within};
use crate::tarbac::{Ran, Tarbac};

const FREEZE: &str = "@id(\"freeze\")\n@doc(\"A.\")\n@message(\"B.\")\n@advice(\"C.\")\nforbid (\n  principal,\n  action,\n  resource\n);\n";

fn check(workspace: &Tarbac) -> Ran {
    workspace.run(&["check", "ana@t.example", "runScript", "PC-1"])
}

/// A lock of Emacs is a link to nothing; macOS writes bytes.
#[test]
fn what_an_editor_or_a_system_leaves_keeps_nobody_from_deciding() {
    let metadata: &[u8] = b"\0\x05\x16\x07\0\x02\0\0Mac OS X        (\xff";
    for path in [
        "policies/custom/._x.cedar",
        "policies/._x.json",
        "schema/._x.cedarschema",
        "entities/._people.json",
        "policies/.DS_Store",
        "schema/custom/.DS_Store",
        "policies/Thumbs.db",
        "policies/custom/desktop.ini",
        "policies/custom/.x.cedar.swp",
    ] {
        let workspace = Tarbac::with_tenant(&[]);
        workspace.write(path, metadata);
        let ran = check(&workspace);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{path} {ran}");
        let ran = workspace.run(&["validate", "--deny-warnings"]);
        assert_eq!(ran.status, 0, "{path} {ran}");
    }
    #[cfg(unix)]
    for path in [
        "policies/custom/.#x.cedar",
        "policies/.#links.json",
        "schema/.#x.cedarschema",
        "entities/.#people.json",
    ] {
        let workspace = Tarbac::with_tenant(&[("policies/custom/x.cedar", FREEZE)]);
        for folder in ["schema", "entities"] {
            std::fs::create_dir_all(workspace.path(folder)).unwrap();
        }
        std::os::unix::fs::symlink("ana@pc.4711:1", workspace.path(path)).unwrap();
        let ran = check(&workspace);
        assert_eq!((ran.status, ran.stderr.as_str()), (1, ""), "{path} {ran}");
        // A link of another name that leads nowhere is an error as before.
        std::os::unix::fs::symlink("nowhere", workspace.path("policies/custom/y.cedar")).unwrap();
        let ran = check(&workspace);
        assert_eq!(ran.status, 2, "{path} {ran}");
    }
    // Where there are no links, a lock has a line of text.
    let workspace = Tarbac::with_tenant(&[("policies/.#x.cedar", "ana@pc.4711:1")]);
    let ran = check(&workspace);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran}");
}

#[test]
fn a_rule_under_a_hidden_name_is_in_force_or_told() {
    for name in [
        ".freeze.cedar",
        ".freeze.CEDAR",
        ".#freeze.cedar",
        "._freeze.cedar",
    ] {
        let workspace = Tarbac::with_tenant(&[(&format!("policies/custom/{name}"), FREEZE)]);
        let ran = check(&workspace);
        assert_eq!((ran.status, ran.stderr.as_str()), (1, ""), "{name} {ran}");
    }
    for path in [
        "policies/custom/.freeze.cedar.bak",
        "policies/custom/freeze.cedar~",
        "policies/custom/#freeze.cedar#",
        "policies/custom/README.md",
        "schema/README.md",
        "policies/custom/.freeze.cedar.swp",
        "policies/custom/notes.txt",
    ] {
        let workspace = Tarbac::with_tenant(&[(path, FREEZE)]);
        let ran = check(&workspace);
        let said = format!("note: this is not read: {path}\n");
        assert_eq!((ran.status, ran.stderr), (0, said), "{path}");
        let ran = workspace.run(&["validate"]);
        assert!(ran.stdout.contains("workspace::not_read"), "{path} {ran}");
    }
}

#[test]
fn what_tarbac_wrote_about_a_folder_is_no_matter() {
    let workspace = begun();
    let ran = within(&workspace, &CHECK);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran}");
    // One of people.
    workspace.write(
        "ws/policies/custom/README.md",
        "Our roles (ask the desk).\n",
    );
    let ran = within(&workspace, &CHECK);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran}");
    // That of another version.
    let text = workspace.read("ws/policies/README.md");
    workspace.write("ws/policies/README.md", text + "\nMore.\n");
    let ran = within(&workspace, &CHECK);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran}");
}
