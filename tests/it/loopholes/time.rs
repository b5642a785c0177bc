//! Rules with a date hold whoever asks: the time of a request that gives none is that of the question.

use super::{NONE, findings};
use crate::tarbac::{Tarbac, contoso_folder, copy};

/// A forbid since 2020, and a permit that lapsed then.
const FREEZE: &str = r#"@id("custom.freeze")
@doc("Freeze.")
@message("Frozen.")
@advice("Wait.")
forbid (
  principal,
  action == Intune::Action::"runScript",
  resource
)
when { context has now && context.now >= datetime("2020-01-01") };
"#;

const LAPSED: &str = r#"@id("custom.lapsed")
@doc("Until 2020.")
permit (
  principal == Entra::User::"u2",
  action == Intune::Action::"runScript",
  resource
)
unless { context has now && context.now >= datetime("2020-01-01") };
"#;

const BEFORE: [&str; 2] = ["--now", "2019-12-31T23:59:59Z"];

#[test]
fn a_rule_with_a_date_holds_in_every_command() {
    let workspace = Tarbac::with_tenant(&[("policies/custom/x.cedar", FREEZE)]);
    assert_eq!(findings(&workspace), NONE);
    let request = ["ana@t.example", "runScript", "PC-1"];
    let check = [&["check"][..], &request].concat();
    assert_eq!(workspace.run(&check).status, 1);
    assert_eq!(workspace.run(&[&check[..], &BEFORE].concat()).status, 0);
    let explain = [&["explain"][..], &request].concat();
    let ran = workspace.run(&explain);
    assert!(ran.stdout.contains("custom.freeze"), "{ran}");
    let line = r#"{"principal":"ana@t.example","action":"runScript","resource":"PC-1"}"#;
    for answer in ["full", "decision"] {
        let requests = ["check", "--requests", "-", "--answer", answer];
        let ran = workspace.run_with(&requests, line.as_bytes());
        assert!(
            ran.stdout.contains(r#""decision":"deny""#),
            "{answer} {ran}"
        );
        let line = line.replace('}', r#","context":{"now":"2019-01-01T00:00:00Z"}}"#);
        let ran = workspace.run_with(&requests, line.as_bytes());
        assert!(
            ran.stdout.contains(r#""decision":"allow""#),
            "{answer} {ran}"
        );
    }
    let allowed = |arguments: &[&str]| workspace.run(arguments).stdout;
    let who = ["who", "runScript", "PC-1"];
    assert!(
        allowed(&who).contains("0 accounts may"),
        "{}",
        allowed(&who)
    );
    let before = allowed(&[&who[..], &BEFORE].concat());
    assert!(before.contains("1 account may"), "{before}");
    for (arguments, names) in [
        (
            &["what", "ana@t.example", "PC-1", "--format", "csv"][..],
            "custom.freeze",
        ),
        (&["access", "--format", "json"], "custom.freeze"),
        (&["matrix", "--all", "--format", "json"], "custom.freeze"),
    ] {
        assert!(allowed(arguments).contains(names), "{arguments:?}");
    }
}

#[test]
fn a_rule_with_a_date_is_a_difference() {
    let workspace = Tarbac::with(&[]);
    for (folder, rule) in [("one", ""), ("two", FREEZE)] {
        copy(&contoso_folder(), &workspace.path(folder));
        workspace.write(&format!("{folder}/policies/custom/x.cedar"), rule);
    }
    let ran = workspace.run(&["-C", "two", "diff", "one"]);
    assert!(ran.stdout.contains("custom.freeze"), "{ran}");
}

#[test]
fn a_permit_that_has_lapsed_permits_nothing() {
    let workspace = Tarbac::with_tenant(&[("policies/custom/x.cedar", LAPSED)]);
    let check = ["check", "bob@t.example", "runScript", "PC-1"];
    assert_eq!(workspace.run(&check).status, 1);
    assert_eq!(workspace.run(&[&check[..], &BEFORE].concat()).status, 0);
}
