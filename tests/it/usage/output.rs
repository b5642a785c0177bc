//! Quiet runs, colours, and the workspace that a variable names.

use crate::tarbac::{Tarbac, command, contoso, contoso_folder};

#[test]
fn quiet_leaves_answers_and_errors() {
    let now = "--now=2026-11-23T08:05:00Z";
    let asked = [
        "check",
        "ada@contoso.example",
        "viewTimeline",
        "WS-BER-014",
        now,
    ];
    let loud = contoso(&asked);
    assert!(loud.stderr.contains("note: "), "{loud}");
    for quiet in ["-q", "--quiet"] {
        let ran = contoso(&[&[quiet][..], &asked].concat());
        assert_eq!((ran.stdout.as_str(), ran.status), (loud.stdout.as_str(), 1));
        assert_eq!(ran.stderr, "");
    }
    let wrong = [
        "check",
        "adda@contoso.example",
        "viewTimeline",
        "WS-BER-014",
    ];
    let ran = contoso(&[&wrong[..], &["-q"]].concat());
    assert_eq!(ran.stderr, contoso(&wrong).stderr);
    // An answer that a report sends to standard error stays there.
    let ran = contoso(&["validate", "--report", "tap=-", "-q"]);
    assert!(!ran.stderr.is_empty(), "{ran}");
}

#[test]
fn a_variable_names_the_workspace() {
    let nowhere = Tarbac::with(&[]);
    let asked = |folder: &std::path::Path, arguments: &[&str], workspace: &str| {
        let mut command = command(folder);
        let output = command.args(arguments).env("TARBAC_WORKSPACE", workspace);
        let output = output.output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let question = ["check", "ada@contoso.example", "viewTimeline", "WS-TST-001"];
    let contoso = contoso_folder();
    let here = contoso.to_str().unwrap();
    let answer = asked(&nowhere.path(""), &question, here);
    assert_eq!(answer.0, Some(0), "{}", answer.1);
    // The flag goes before it, and an empty one is none.
    let flagged = [&["-C", "."][..], &question].concat();
    assert_eq!(asked(&nowhere.path(""), &flagged, here).0, Some(2));
    assert_eq!(asked(&contoso, &question, ""), answer);
    // An empty flag is a mistake, and not this folder.
    let flagged = [&["-C", ""][..], &question].concat();
    assert_eq!(asked(&contoso, &flagged, "").0, Some(2));
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let asked = ["check", "ada@contoso.example", "viewTimeline", "WS-TST-001"];
    let with = |more: &[&str]| contoso(&[&asked[..], more].concat()).stdout;
    assert!(!with(&[]).contains('\u{1b}'));
    assert!(with(&["--color", "always"]).contains('\u{1b}'));
    assert!(!with(&["--color", "never"]).contains('\u{1b}'));
    assert!(!with(&["--color", "always", "--format", "json"]).contains('\u{1b}'));
    // Errors are text for people as well.
    let wrong = ["check", "adda", "viewTimeline", "WS-TST-001"];
    let ran = contoso(&[&wrong[..], &["--color", "always"]].concat());
    assert!(ran.stderr.contains('\u{1b}'), "{ran}");
}

/// Colours say what the words say, and move nothing.
#[test]
fn reports_are_coloured_as_they_are_laid_out() {
    let explained = "\u{1b}[1;31mDENY\u{1b}[0m  ada@contoso.example";
    let ask = ["explain", "ada@contoso.example", "runScript", "WS-BER-014"];
    let off = ["what-if", "--enforce-configmgr-rbac", "P01=off"];
    let cases: &[(&[&str], &str)] = &[
        (&ask, explained),
        (&["who", "runScript", "WS-TST-001"], "\u{1b}[1m11 accounts"),
        (
            &["what", "ada@contoso.example"],
            "\u{1b}[1;31mmay not\u{1b}[0m View",
        ),
        (
            &["what", "ada@contoso.example"],
            "\u{1b}[1;32mmay\u{1b}[0m View",
        ),
        (&["access"], "\u{1b}[1mBy role"),
        (&off, "  \u{1b}[1;31m-\u{1b}[0m View collections"),
        (&["matrix"], "\u{1b}[1;32m✓\u{1b}[0m"),
        (
            &["matrix", "--resource", "WS-BER-014"],
            "\u{1b}[1;31m✗\u{1b}[0m",
        ),
    ];
    for (asked, coloured) in cases {
        let with = |more: &[&str]| contoso(&[*asked, more].concat()).stdout;
        let report = with(&["--color", "always"]);
        assert!(report.contains(coloured), "{report}");
        let codes = [
            "\u{1b}[1;31m",
            "\u{1b}[1;32m",
            "\u{1b}[1;33m",
            "\u{1b}[1m",
            "\u{1b}[0m",
        ];
        let plain = codes
            .iter()
            .fold(report, |text, code| text.replace(code, ""));
        assert_eq!(plain, with(&[]));
        assert!(!with(&["--color", "always", "--format", "json"]).contains('\u{1b}'));
    }
}
