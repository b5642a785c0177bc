//! `tarbac fmt`: Cedar's formatter.

use crate::tarbac::Tarbac;

const PLAIN: &str = "// why\n@id(\"custom.x\") permit(principal,action,resource) // here\n;\r\n";

#[test]
fn unformatted_files_are_listed_and_then_rewritten() {
    let workspace = Tarbac::with(&[
        ("policies/custom/x.cedar", PLAIN),
        ("policies/custom/notes.txt", "no policy"),
    ]);
    insta::assert_snapshot!(workspace.run(&["fmt", "--check"]), @r#"
    policies/custom/x.cedar
    --- exit 1
    "#);
    insta::assert_snapshot!(workspace.run(&["fmt"]), @r#"
    --- stderr
    formatted policies/custom/x.cedar
    --- exit 0
    "#);
    insta::assert_snapshot!(workspace.read("policies/custom/x.cedar"), @r#"
    // why
    @id("custom.x")
    permit (principal, action, resource) // here
    ;
    "#);
    insta::assert_snapshot!(workspace.run(&["fmt", "--check"]), @r#"--- exit 0"#);
}

#[test]
fn nothing_is_written_when_one_file_is_no_policy() {
    let workspace = Tarbac::with(&[
        ("policies/a.cedar", PLAIN),
        ("policies/b.cedar", "permit ("),
    ]);
    insta::assert_snapshot!(workspace.run(&["fmt"]), @r#"
    --- stderr
    policy::syntax

      × unexpected end of input
       ╭─[policies/b.cedar:1:9]
     1 │ permit (
       ·        ┬
       ·        ╰── expected `)` or identifier
       ╰────

    errors: 1 error
    Nothing was written.
    --- exit 2
    "#);
    assert_eq!(workspace.read("policies/a.cedar"), PLAIN);
}

#[test]
fn nothing_but_the_named_files_is_formatted() {
    let workspace = Tarbac::with(&[("a.cedar", PLAIN), ("b.cedar", PLAIN)]);
    workspace.run(&["fmt", "a.cedar"]);
    assert_ne!(workspace.read("a.cedar"), PLAIN);
    assert_eq!(workspace.read("b.cedar"), PLAIN);
    insta::assert_snapshot!(workspace.run(&["fmt", "c.cedar"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `c.cedar`: No such file or directory (os error 2)
    --- exit 2
    "#);
}

#[test]
fn standard_input_to_standard_output() {
    let workspace = Tarbac::with(&[]);
    insta::assert_snapshot!(workspace.run_with(&["fmt", "-"], PLAIN.as_bytes()), @r#"
    // why
    @id("custom.x")
    permit (principal, action, resource) // here
    ;
    --- exit 0
    "#);
    insta::assert_snapshot!(workspace.run_with(&["fmt", "--check", "-"], PLAIN.as_bytes()), @r#"
    standard input
    --- exit 1
    "#);
}

#[test]
fn nothing_but_comments_is_kept() {
    let workspace = Tarbac::with(&[
        ("policies/a.cedar", "// one\n// two\n"),
        ("policies/b.cedar", ""),
    ]);
    workspace.run(&["fmt"]);
    assert_eq!(workspace.read("policies/a.cedar").trim(), "// one\n// two");
    assert_eq!(workspace.read("policies/b.cedar").trim(), "");
    insta::assert_snapshot!(workspace.run(&["fmt", "--check"]), @r#"--- exit 0"#);
}

#[cfg(unix)]
#[test]
fn links_stay_links_and_permissions_stay() {
    use std::os::unix::fs::PermissionsExt;
    let workspace = Tarbac::with(&[("elsewhere/x.cedar", PLAIN), ("policies/keep", "")]);
    let permissions = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(workspace.path("elsewhere/x.cedar"), permissions).unwrap();
    std::os::unix::fs::symlink("../elsewhere/x.cedar", workspace.path("policies/x.cedar")).unwrap();
    assert_eq!(workspace.run(&["fmt"]).status, 0);
    assert!(workspace.path("policies/x.cedar").is_symlink());
    assert_ne!(workspace.read("elsewhere/x.cedar"), PLAIN);
    let mode = std::fs::metadata(workspace.path("elsewhere/x.cedar"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(
        std::fs::read_dir(workspace.path("elsewhere"))
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn for_programs_the_files_are_a_document() {
    let workspace = Tarbac::with(&[(
        "policies/custom/x.cedar",
        "permit(principal,action,resource);",
    )]);
    insta::assert_snapshot!(workspace.run(&["fmt", "--check", "--format", "json"]), @r#"
    {
      "version": 1,
      "files": [
        "policies/custom/x.cedar"
      ]
    }
    --- exit 1
    "#);
}

#[test]
fn what_was_left_by_a_run_that_was_stopped_is_removed_by_the_next() {
    let workspace = Tarbac::with(&[
        ("policies/x.cedar", PLAIN),
        ("policies/.tarbac-left.new", "half of it"),
        ("policies/.tarbac-mine", "no unfinished file"),
        ("policies/.tarbac-busy.new", "somebody writes it"),
    ]);
    let busy = std::fs::File::options()
        .write(true)
        .open(workspace.path("policies/.tarbac-busy.new"))
        .unwrap();
    busy.lock().unwrap();
    assert_eq!(workspace.run(&["fmt"]).status, 0);
    let names = std::fs::read_dir(workspace.path("policies")).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".tarbac-busy.new", ".tarbac-mine", "x.cedar"]);
    let ran = workspace.run(&["fmt", "--check"]);
    assert_eq!(ran.to_string(), "--- exit 0");
}
