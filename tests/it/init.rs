//! `tarbac init`: a sample workspace that never overwrites.

use crate::tarbac::Tarbac;

#[test]
fn what_it_writes_is_valid_and_answers() {
    let folder = Tarbac::with(&[]);
    let ran = folder.run(&["init", "sample"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.contains("tarbac -C sample validate"), "{ran}");
    let ran = folder.run(&["-C", "sample", "validate", "--format", "json"]);
    assert_eq!(ran.status, 0, "{ran}");
    insta::assert_snapshot!(folder.run(&["-C", "sample", "check", "ada@contoso.example", "runScript", "WS-TST-001"]), @r#"
    ALLOW  roles.help-desk-operator
    --- exit 0
    "#);
}

#[test]
fn it_never_overwrites() {
    let folder = Tarbac::with(&[
        ("sample/policies/authority.cedar", "mine"),
        ("sample/notes.txt", "mine too"),
    ]);
    insta::assert_snapshot!(folder.run(&["init", "sample"]), @r#"
    --- stderr
    arguments::invalid

      × nothing was written, because these files exist:
      │   sample/policies/authority.cedar
      help: choose another folder, or move the files away
    --- exit 2
    "#);
    assert_eq!(folder.read("sample/policies/authority.cedar"), "mine");
    assert!(!folder.path("sample/schema").exists());
}

#[test]
fn other_files_are_not_in_the_way() {
    let folder = Tarbac::with(&[("sample/notes.txt", "mine")]);
    assert_eq!(folder.run(&["init", "sample"]).status, 0);
    assert_eq!(folder.read("sample/notes.txt"), "mine");
}
