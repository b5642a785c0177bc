//! `tarbac validate`: the smallest example of each finding, with its text.

mod assumed;
mod codes;
mod entities;
mod guardrails;
mod meaning;
mod members;
mod policy_text;
mod schema_text;
mod tenant;
mod written_otherwise;

use serde_json::Value;

use crate::tarbac::{Ran, Tarbac, contoso};
use crate::world::entities;

/// The findings about a policy beside the ones that ship, without a directory.
fn policy(text: &str) -> Ran {
    Tarbac::with(&[("policies/custom/x.cedar", text)]).run(&["validate"])
}

/// The findings about a policy beside the ones that ship, with a small tenant.
fn policy_in_tenant(text: &str) -> Ran {
    Tarbac::with_tenant(&[("policies/custom/x.cedar", text)]).run(&["validate"])
}

/// An entity of which an attribute is another.
fn with(mut entity: Value, attribute: &str, value: Value) -> Value {
    entity["attrs"][attribute] = value;
    entity
}

/// The findings about entities beside a small tenant.
fn more(some: &[Value]) -> Ran {
    Tarbac::with_tenant(&[("entities/x.json", &entities(some))]).run(&["validate"])
}

#[test]
fn warnings_are_clean_unless_denied() {
    let warned =
        "@id(\"custom.x\")\npermit (principal in Intune::Role::\"r\", action, resource);\n";
    let workspace = Tarbac::with(&[("policies/custom/x.cedar", warned)]);
    assert_eq!(workspace.run(&["validate"]).status, 0);
    assert_eq!(workspace.run(&["validate", "--deny-warnings"]).status, 1);
    insta::assert_snapshot!(Tarbac::with(&[]).run(&["validate", "--deny-warnings"]), @"
    ok: no findings
    rules: shipped, revision …
    --- exit 0
    ");
}

#[test]
fn findings_are_written_as_json() {
    let text = "@id(\"custom.x\")\n@doc(\"ö\") permit (principal, action);\n";
    let workspace = Tarbac::with(&[
        ("policies/custom/x.cedar", text),
        ("entities/x.json", "[\n  {}\n]\n"),
    ]);
    insta::assert_snapshot!(workspace.run(&["validate", "--format", "json"]), @r#"
    {
      "version": 1,
      "errors": 2,
      "warnings": 0,
      "findings": [
        {
          "code": "entities::nonconforming",
          "severity": "error",
          "message": "an entity has no `uid`",
          "help": "say which one it is: \"uid\": {\"type\": …, \"id\": …}",
          "labels": [
            {
              "file": "entities/x.json",
              "line": 2,
              "column": 3,
              "text": "this entity"
            }
          ]
        },
        {
          "code": "policy::syntax",
          "severity": "error",
          "message": "this policy is missing the `resource` variable in the scope",
          "help": "policy scopes must contain a `principal`, `action`, and `resource` element in that order",
          "labels": [
            {
              "file": "policies/custom/x.cedar",
              "line": 2,
              "column": 36,
              "text": "here"
            }
          ]
        }
      ]
    }
    --- exit 1
    "#);
}

#[test]
fn the_sample_tenant_has_two_warnings() {
    let ran = contoso(&["validate", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (document["errors"].as_u64(), document["warnings"].as_u64()),
        (Some(0), Some(2)),
        "{ran}"
    );
}

#[test]
fn a_file_that_is_not_read_is_a_warning() {
    let ran = Tarbac::with(&[
        (
            "policies/custom/suspend.txt",
            "forbid (principal, action, resource);",
        ),
        ("policies/README.md", ""),
        ("entities/.hidden", ""),
    ])
    .run(&["validate", "--deny-warnings"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert_eq!(
        ran.stdout.matches("workspace::not_read").count(),
        1,
        "{ran}"
    );
}
