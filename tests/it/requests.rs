//! `tarbac check --requests`: a request a line in, an answer a line out.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use crate::tarbac::{Tarbac, command, contoso_folder, contoso_with};

#[test]
fn every_line_is_answered_in_order() {
    let lines = [
        r#"{"principal": "ada@contoso.example", "action": "viewTimeline", "resource": "WS-TST-001"}"#,
        r#"{"principal": {"type": "Entra::User", "id": "00000000-0000-4000-8000-0000000000a1"}, "action": {"type": "Intune::Action", "id": "runScript"}, "resource": "WS-BER-014", "context": {"now": "2026-11-23T08:05:00Z"}}"#,
        r#"{"principal": "mia@contoso.example", "action": "Run script", "resource": "ws-tst-001", "context": null}"#,
    ];
    insta::assert_snapshot!(contoso_with(&["check", "--requests", "-"], lines.join("\n").as_bytes()), @r#"
    {"decision":"allow","basis":"permitted","authority":"intune","policies":["roles.help-desk-operator"],"errors":[],"notices":[],"messages":[],"readings":["any-intune-role","entra-administrators"]}
    {"decision":"deny","basis":"forbidden","authority":"configmgr","policies":["configmgr.identity","configmgr.pages.any.read","configmgr.pages.scripts.read-resource","configmgr.pages.scripts.read-scripts","configmgr.pages.scripts.run-script","readings.discovery-either.both"],"errors":[],"notices":["toggle_settling"],"former":"deny","messages":["Unable to get device information. Make sure Azure AD and AD user discovery are configured and the user is discovered by both. Verify that the user has proper permissions in Configuration Manager.","Device can't be found or you don't have permission to access the device","Unexpected error occurred","Unable to get Scripts information. Make sure Azure AD and AD user discovery are configured and the user is discovered by both. Verify that the user has proper permissions in Configuration Manager."],"readings":["any-intune-role","entra-administrators"]}
    {"decision":"deny","basis":"not-permitted","authority":"intune","policies":[],"errors":[],"notices":[],"messages":["You don't have access to view this information. Make sure a proper user role is assigned from Intune."],"readings":["any-intune-role","entra-administrators"]}
    --- exit 0
    "#);
}

#[test]
fn a_bad_line_is_indeterminate_and_does_not_stop_the_rest() {
    let lines = [
        "",
        "nonsense",
        "[\"ada@contoso.example\", \"viewTimeline\", \"WS-TST-001\", null]",
        r#"{"principal": "ada@contoso.example", "action": "viewTimeline"}"#,
        r#"{"principal": "ada@contoso.example", "action": "viewTimeline", "resource": "WS-TST-001", "contxt": {}}"#,
        r#"{"principal": "ada@contoso.example", "action": "viewTimeline", "resource": "WS-TST-001", "resource": "WS-TST-002"}"#,
        r#"{"principal": "ada@contoso.example", "action": "viewTimeline", "resource": "WS-TST-001", "context": {"now": "2026-11-23", "now": "2026-11-24"}}"#,
        r#"{"principal": "ada@contoso.example", "action": "viewTimeline", "resource": "WS-TST-001", "context": {"then": 1}}"#,
        r#"{"principal": "adda@contoso.example", "action": "viewTimeline", "resource": "WS-TST-001"}"#,
        r#"{"principal": {"type": "Entra::User", "id": "x", "name": "y"}, "action": "viewTimeline", "resource": "WS-TST-001"}"#,
        r#"{"principal": {"type": "no type", "id": "x"}, "action": "viewTimeline", "resource": "WS-TST-001"}"#,
        r#"{"principal": 1, "action": "viewTimeline", "resource": "WS-TST-001"}"#,
        r#"{"principal": "ada@contoso.example", "action": "viewTimeline", "resource": "WS-TST-001"}"#,
    ];
    let ran = contoso_with(
        &["check", "--requests", "-"],
        (lines.join("\n") + "\n").as_bytes(),
    );
    let errors: Vec<String> = ran
        .stdout
        .lines()
        .map(|line| {
            let answer: serde_json::Value = serde_json::from_str(line).unwrap();
            format!("{} {}", answer["decision"], answer["errors"])
        })
        .collect();
    assert_eq!(errors.len(), lines.len());
    insta::assert_snapshot!(errors.join("\n"), @r#"
    "indeterminate" ["the line is empty"]
    "indeterminate" ["the line is not a JSON object"]
    "indeterminate" ["the line is not a JSON object"]
    "indeterminate" ["the line is not a request: missing field `resource` at column 62"]
    "indeterminate" ["the line is not a request: unknown field `contxt`, expected one of `principal`, `action`, `resource`, `context` at column 97"]
    "indeterminate" ["the line is not a request: duplicate field `resource` at column 99"]
    "indeterminate" ["the line is not a request: duplicate field `now` at column 142"]
    "indeterminate" ["the context does not conform to the schema: while parsing context, record attribute `then` should not exist according to the schema"]
    "indeterminate" ["no principal is called `adda@contoso.example`"]
    "indeterminate" ["the line is not a request: unknown field `name`, expected `type` or `id` at column 55"]
    "indeterminate" ["no principal is called `no type::\"x\"`"]
    "indeterminate" ["the line is not a request: invalid type: integer `1`, expected a name, or an object with type and id at column 15"]
    "allow" []
    "#);
    assert_eq!(ran.status, 2);
}

#[test]
fn byte_order_mark_and_carriage_returns_are_no_errors() {
    let line =
        r#"{"principal":"ada@contoso.example","action":"runScript","resource":"WS-TST-001"}"#;
    let ran = contoso_with(
        &["check", "--requests", "-"],
        format!("\u{feff}{line}\r\n{line}\r\n").as_bytes(),
    );
    assert_eq!(
        ran.stdout.matches(r#"{"decision":"allow""#).count(),
        2,
        "{ran}"
    );
    assert_eq!(ran.status, 0);
}

#[test]
fn a_long_line_is_not_kept() {
    let line =
        r#"{"principal":"ada@contoso.example","action":"runScript","resource":"WS-TST-001"}"#;
    let long = "x".repeat(3 * 1024 * 1024);
    let ran = contoso_with(
        &["check", "--requests", "-"],
        format!("{long}\n{line}\n{long}").as_bytes(),
    );
    let decisions: Vec<&str> = ran
        .stdout
        .lines()
        .map(|line| line.split(',').next().unwrap())
        .collect();
    insta::assert_snapshot!(decisions.join("\n"), @r#"
    {"decision":"indeterminate"
    {"decision":"allow"
    {"decision":"indeterminate"
    "#);
    assert!(
        ran.stdout.contains("the line is longer than 1048576 bytes"),
        "{ran}"
    );
}

#[test]
fn a_line_is_answered_before_the_next_is_sent() {
    let mut child = command(&contoso_folder())
        .args(["check", "--requests", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..2 {
        writeln!(
            stdin,
            r#"{{"principal":"ada@contoso.example","action":"runScript","resource":"WS-TST-001"}}"#
        )
        .unwrap();
        let mut answer = String::new();
        stdout.read_line(&mut answer).unwrap();
        assert!(answer.starts_with(r#"{"decision":"allow""#), "{answer}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let line =
        r#"{"principal":"ada@contoso.example","action":"runScript","resource":"WS-TST-001"}"#;
    let workspace = Tarbac::with(&[("requests.ndjson", &format!("{line}\n").repeat(2000))]);
    let mut child = command(&contoso_folder())
        .args(["check", "--requests"])
        .arg(workspace.path("requests.ndjson"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(stderr, "");
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn a_file_that_cannot_be_read_is_one_error() {
    insta::assert_snapshot!(contoso_with(&["check", "--requests", "entities"], b""), @r#"
    --- stderr
    file::failed

      × cannot read `entities`: it is a folder where a file is expected
    --- exit 2
    "#);
    insta::assert_snapshot!(contoso_with(&["check", "--requests", "missing.ndjson"], b""), @r#"
    --- stderr
    file::failed

      × cannot read `missing.ndjson`: No such file or directory (os error 2)
    --- exit 2
    "#);
}

#[test]
fn no_lines_are_no_answers() {
    insta::assert_snapshot!(contoso_with(&["check", "--requests", "-"], b""), @r#"--- exit 0"#);
}
