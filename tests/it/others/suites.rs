//! Suites of `cedar run-tests` with rules and entities of their own.

use super::{ENTITIES, POLICY, SCHEMA, passes, suite};
use crate::tarbac::Tarbac;

#[test]
fn a_suite_without_a_schema_is_run_without_one() {
    let policies = "@id(\"p\")\npermit (principal == Agent::\"helper\", action == Action::\"call\", resource) when { context.depth < 3 };\n";
    let test = |depth: &str, decision: &str, reason: &str, errors: usize| {
        format!(
            r#"{{"request": {{"principal": "Agent::\"helper\"", "action": "Action::\"call\"", "resource": "Tool::\"search\"",
            "context": {{"depth": {depth}}}}}, "entities": [], "decision": "{decision}", "reason": [{reason}], "num_errors": {errors}}}"#
        )
    };
    let suite = |tests: &[String]| format!("[{}]", tests.join(","));
    let good = [
        test("1", "allow", r#""p""#, 0),
        test("5", "deny", "", 0),
        test("\"deep\"", "deny", "", 1),
    ];
    let files = [
        ("p.cedar", policies),
        ("good.json", &suite(&good)),
        ("bad.json", &suite(&[test("5", "allow", "", 0)])),
    ];
    let folder = Tarbac::with(&files);
    let run =
        |more: &[&str]| folder.run(&[&["--policies", "p.cedar", "test", "--cedar"], more].concat());
    passes(&run(&["good.json", "--no-schema"]));
    let ran = run(&["bad.json", "--no-schema"]);
    assert_eq!(
        (ran.status, ran.stdout.contains("expected allow")),
        (1, true),
        "{ran}"
    );
    // With the schema that ships it is said whose that is, and what to do.
    let ran = run(&["good.json"]);
    assert_eq!(ran.status, 2, "{ran}");
    for words in ["the one that ships with tarbac", "--no-schema", "--schema"] {
        assert!(ran.stderr.contains(words), "{words}: {ran}");
    }
    let ran = folder.run(&["test", "--cedar", "good.json", "--no-schema"]);
    assert_eq!(ran.status, 2, "{ran}");
}

#[test]
fn a_suite_brings_its_entities_and_those_of_the_folder_are_left_out() {
    let workspace = Tarbac::with(&[
        ("policies.cedar", POLICY),
        ("schema.cedarschema", SCHEMA),
        ("entities/broken.json", "[{\"uid\": 1}]"),
        ("tests.json", &suite("p", ENTITIES)),
    ]);
    let flags = [
        "--policies",
        "policies.cedar",
        "--schema",
        "schema.cedarschema",
    ];
    let ran = workspace.run(&[&flags[..], &["test", "--cedar", "tests.json"]].concat());
    passes(&ran);
    assert_eq!(
        workspace.run(&[&flags[..], &["validate"]].concat()).status,
        1
    );
}
