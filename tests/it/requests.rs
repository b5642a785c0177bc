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
    {"decision":"allow","basis":"permitted","authority":"intune","policies":["roles.help-desk-operator"],"errors":[],"notices":[],"messages":[],"readings":["any-intune-role","entra-administrators"],"rules_in_force":"shipped-and-custom","revision":"…","not_read":[]}
    {"decision":"deny","basis":"forbidden","authority":"configmgr","policies":["configmgr.identity","configmgr.pages.any.read","configmgr.pages.scripts.read-resource","configmgr.pages.scripts.read-scripts","configmgr.pages.scripts.run-script","readings.discovery-either.both"],"errors":[],"notices":["toggle_settling"],"former":"deny","messages":["Unable to get device information. Make sure Azure AD and AD user discovery are configured and the user is discovered by both. Verify that the user has proper permissions in Configuration Manager.","Device can't be found or you don't have permission to access the device","Unexpected error occurred","Unable to get Scripts information. Make sure Azure AD and AD user discovery are configured and the user is discovered by both. Verify that the user has proper permissions in Configuration Manager."],"readings":["any-intune-role","entra-administrators"],"rules_in_force":"shipped-and-custom","revision":"…","not_read":[]}
    {"decision":"deny","basis":"not-permitted","authority":"intune","policies":[],"errors":[],"notices":[],"messages":["You don't have access to view this information. Make sure a proper user role is assigned from Intune."],"readings":["any-intune-role","entra-administrators"],"rules_in_force":"shipped-and-custom","revision":"…","not_read":[]}
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
    "indeterminate" ["the line is not a request: unknown field `contxt`, expected one of `id`, `principal`, `action`, `resource`, `context` at column 97"]
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

const LINE: &str =
    r#""principal":"ada@contoso.example","action":"runScript","resource":"WS-TST-001""#;

/// The answers to lines, under these flags.
fn answers(lines: &[String], flags: &[&str]) -> String {
    let asked = [&["check", "--requests", "-"], flags].concat();
    contoso_with(&asked, (lines.join("\n") + "\n").as_bytes()).stdout
}

/// The id of an answer as it is written; none where it has none.
fn id_of(answer: &str) -> Option<&str> {
    let rest = answer.strip_prefix(r#"{"id":"#)?;
    rest.split_once(r#","decision":"#).map(|(id, _)| id)
}

#[test]
fn an_id_rides_along_as_it_is_written() {
    for id in [
        "7",
        "-1.50",
        "12345678901234567890123",
        "1e400",
        r#""a""#,
        r#""\u00e4 \"b\" é""#,
        r#""""#,
    ] {
        for line in [
            format!(r#"{{"id": {id}, {LINE}}}"#),
            format!(r#"{{{LINE},"id":{id}}}"#),
        ] {
            for kind in ["full", "decision"] {
                let answer = answers(std::slice::from_ref(&line), &["--answer", kind]);
                assert_eq!(id_of(&answer), Some(id), "{answer}");
                assert!(answer.contains(r#""decision":"allow""#), "{answer}");
            }
        }
    }
    // Without one, the answer is what it was.
    for line in [format!("{{{LINE}}}"), format!(r#"{{"id":null,{LINE}}}"#)] {
        let answer = answers(&[line], &[]);
        assert!(answer.starts_with(r#"{"decision":"allow""#), "{answer}");
    }
}

#[test]
fn what_is_no_id_is_refused() {
    for id in ["true", "{}", "[1]", r#""\ud800""#] {
        let answer = answers(&[format!(r#"{{"id":{id},{LINE}}}"#)], &[]);
        assert_eq!(id_of(&answer), None, "{answer}");
        let said = "an id is a string or a number";
        assert!(answer.contains(said), "{answer}");
        assert!(answer.contains("indeterminate"), "{answer}");
    }
}

#[test]
fn a_bad_line_is_answered_with_its_id_where_it_can_be_read() {
    let long = format!(r#"{{"id":9,"x":"{}"}}"#, "x".repeat(2 * 1024 * 1024));
    let cases: &[(&str, Option<&str>)] = &[
        (r#"{"id":1}"#, Some("1")),
        (
            r#"{"principal":"ada","id":"a","wrong":[{"id":2}]}"#,
            Some(r#""a""#),
        ),
        (r#"{"principal":{"id":5},"id":3}"#, Some("3")),
        (
            r#"{"id":4,"principal":"ada@contoso.example","acti"#,
            Some("4"),
        ),
        (r#"{"principal":{"id":5}}"#, None),
        // Nobody knows which of two it is.
        (r#"{"id":6,"id":7}"#, None),
        (r#"{"id":"#, None),
        (r#"[{"id":8}]"#, None),
        ("", None),
        (&long, Some("9")),
    ];
    let lines: Vec<String> = cases.iter().map(|(line, _)| (*line).to_owned()).collect();
    for kind in ["full", "decision"] {
        let answers = answers(&lines, &["--answer", kind]);
        assert_eq!(answers.lines().count(), cases.len());
        for ((line, id), answer) in cases.iter().zip(answers.lines()) {
            assert_eq!(id_of(answer), *id, "{answer}");
            assert!(answer.contains("indeterminate"), "{line:.80}: {answer}");
        }
    }
}

/// Requests of everybody about some devices, each with a number.
fn many() -> Vec<String> {
    let people = ["ada", "ben", "mia", "karin", "olivia", "nobody"];
    let devices = ["WS-TST-001", "WS-BER-014", "WS-OLD-001", "no such device"];
    let actions = ["runScript", "viewTimeline", "no such action"];
    let mut lines = Vec::new();
    for _ in 0..10 {
        for person in people {
            for device in devices {
                for action in actions {
                    let id = lines.len();
                    lines.push(format!(
                        r#"{{"id":{id},"principal":"{person}@contoso.example","action":"{action}","resource":"{device}"}}"#
                    ));
                }
            }
        }
    }
    lines
}

#[test]
fn the_answers_are_in_order_and_the_same_on_any_number_of_processors() {
    let lines = many();
    for kind in ["full", "decision"] {
        let one = answers(&lines, &["--answer", kind, "--jobs", "1"]);
        let ids: Vec<&str> = one.lines().filter_map(id_of).collect();
        let expected: Vec<String> = (0..lines.len()).map(|id| id.to_string()).collect();
        assert_eq!(ids, expected);
        assert!(one == answers(&lines, &["--answer", kind, "--jobs", "7"]));
        assert!(one == answers(&lines, &["--answer", kind]));
    }
}

#[test]
fn the_decision_alone_is_that_of_the_full_answer() {
    let lines = many();
    let full = answers(&lines, &[]);
    let alone = answers(&lines, &["--answer", "decision"]);
    for (full, alone) in full.lines().zip(alone.lines()) {
        let full: serde_json::Value = serde_json::from_str(full).unwrap();
        let alone: serde_json::Value = serde_json::from_str(alone).unwrap();
        for (key, value) in alone.as_object().unwrap() {
            assert_eq!(full[key], *value, "{full}");
        }
        for key in ["authority", "notices", "messages"] {
            assert_eq!(alone.get(key), None, "{alone}");
        }
    }
    insta::assert_snapshot!(alone.lines().next().unwrap(), @r#"{"id":0,"decision":"allow","basis":"permitted","policies":["roles.help-desk-operator"],"errors":[],"rules_in_force":"shipped-and-custom","revision":"…","not_read":[]}"#);
}

#[test]
fn neither_answer_nor_jobs_are_for_one_request() {
    for flag in [["--answer", "decision"], ["--jobs", "2"]] {
        let asked = ["check", "ada@contoso.example", "runScript", "WS-TST-001"];
        let ran = contoso_with(&[&asked[..], &flag].concat(), b"");
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains("cannot be used with"), "{ran}");
    }
}

/// However the lines come: two at once, and the beginning of one that is not whole.
#[test]
fn no_line_waits_for_one_that_is_not_there_yet() {
    let mut child = command(&contoso_folder())
        .args(["check", "--requests", "-", "--jobs", "4"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut answer = |id: &str| {
        let mut answer = String::new();
        stdout.read_line(&mut answer).unwrap();
        assert_eq!(id_of(&answer), Some(id), "{answer}");
    };
    let line = |id: &str| format!("{{\"id\":{id},{LINE}}}\n");
    let half = line("3");
    let (begun, rest) = half.split_at(half.len() / 2);
    write!(stdin, "{}{}{begun}", line("1"), line("2")).unwrap();
    answer("1");
    answer("2");
    write!(stdin, "{rest}").unwrap();
    answer("3");
    drop(stdin);
    assert!(child.wait().unwrap().success());
}
