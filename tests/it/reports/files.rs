//! Where reports go: files, standard output, and places that cannot be written.

use super::readers;
use super::{clean, wrong};
use crate::tarbac::contoso;

#[test]
fn several_reports_at_once() {
    let workspace = wrong();
    let plain = workspace.run(&["validate"]);
    let ran = workspace.run(&[
        "validate",
        "--report",
        "junit=junit.xml",
        "--report",
        "github=-",
        "--report=sarif=out.sarif",
    ]);
    assert_eq!((plain.status, ran.status), (1, 1));
    // The report has standard output for itself, and the answer is as it was.
    readers::github(&ran.stdout);
    assert_eq!(ran.stderr, plain.stdout);
    readers::junit(&workspace.read("junit.xml"));
    readers::sarif(&workspace.read("out.sarif"));
    let mut names: Vec<String> = std::fs::read_dir(workspace.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["entities", "junit.xml", "out.sarif", "policies"]);
    // Without one on standard output the answer stays there.
    let ran = workspace.run(&["validate", "--report", "tap=report.tap"]);
    assert_eq!((ran.stdout, ran.stderr), (plain.stdout, String::new()));
}

#[test]
fn the_answer_for_programs_makes_way_too() {
    let ran = contoso(&["validate", "--format", "json", "--report", "tap=-"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert_eq!(readers::tap(&ran.stdout).len(), 2, "{ran}");
    let document: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(document["warnings"], 2, "{ran}");
    let ran = contoso(&["validate", "--deny-warnings", "--report", "tap=-"]);
    assert_eq!(ran.status, 1, "{ran}");
}

#[test]
fn what_cannot_be_asked_for() {
    let workspace = clean();
    workspace.write("folder/file", "");
    let mut texts = String::new();
    for reports in [
        &["junit"][..],
        &["xml=report.xml"],
        &["json=report.json"],
        &["junit="],
        &["junit=-", "tap=-"],
        &["junit=report", "tap=report"],
        &["junit=nowhere/report.xml"],
    ] {
        let reports = reports.iter().flat_map(|report| ["--report", report]);
        let arguments: Vec<&str> = ["validate"].into_iter().chain(reports).collect();
        let ran = workspace.run(&arguments);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
        texts += &format!("$ tarbac {}\n{}\n", arguments.join(" "), ran.stderr);
    }
    assert!(!workspace.path("report").exists());
    insta::assert_snapshot!(texts);
}

#[test]
fn a_report_that_cannot_be_written_spoils_nothing_else() {
    let workspace = clean();
    workspace.write("folder/file", "");
    let ran = workspace.run(&[
        "validate",
        "--report",
        "junit=folder",
        "--report",
        "tap=after.tap",
    ]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stdout.starts_with("ok: no findings\n"), "{ran}");
    assert!(
        ran.stderr.contains("cannot write the report `folder`"),
        "{ran}"
    );
    readers::tap(&workspace.read("after.tap"));
}

#[cfg(unix)]
#[test]
fn a_file_is_replaced_and_a_link_stays() {
    use std::os::unix::fs::PermissionsExt;

    let workspace = clean();
    workspace.write(
        "real/old.tap",
        "old, and longer than any report ".repeat(100),
    );
    workspace.write("made", "");
    std::os::unix::fs::symlink("real/old.tap", workspace.path("link.tap")).unwrap();
    let arguments = [
        "--report=tap=link.tap",
        "--report=junit=new.xml",
        "--report=sarif=/dev/null",
    ];
    let arguments: Vec<&str> = ["validate"].into_iter().chain(arguments).collect();
    let ran = workspace.run(&arguments);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(workspace.path("link.tap").is_symlink());
    assert_eq!(readers::tap(&workspace.read("real/old.tap")).len(), 1);
    // Whoever may read other new files may read a report.
    let mode = |path: &str| {
        let metadata = std::fs::metadata(workspace.path(path)).unwrap();
        metadata.permissions().mode()
    };
    assert_eq!(mode("new.xml"), mode("made"));
}
