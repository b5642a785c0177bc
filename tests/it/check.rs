//! `tarbac check`: one request, one line.

use crate::tarbac::{Tarbac, contoso};

#[test]
fn an_allow_names_its_permits() {
    insta::assert_snapshot!(contoso(&["check", "ada@contoso.example", "View client details", "WS-TST-001"]), @r#"
    ALLOW  roles.help-desk-operator
    --- exit 0
    "#);
    insta::assert_snapshot!(contoso(&["check", "liam@contoso.example", "View collections", "WS-TST-001"]), @r#"
    ALLOW  roles.application-manager, roles.endpoint-security-manager
    --- exit 0
    "#);
}

#[test]
fn a_refusal_names_its_first_rule_and_what_the_admin_center_says() {
    insta::assert_snapshot!(contoso(&["check", "ada@contoso.example", "View client details", "WS-BER-014"]), @r#"
    DENY  configmgr.identity — Unable to get device information. Make sure Azure AD and AD user discovery are configured and the user is discovered by both. Verify that the user has proper permissions in Configuration Manager. (and 2 more; see tarbac explain)
    --- exit 1
    "#);
    insta::assert_snapshot!(contoso(&["check", "noah@contoso.example", "runScript", "WS-BER-014"]), @r#"
    DENY  configmgr.intune-role — You don't have access to view this information. Make sure a proper user role is assigned from Intune.
    --- exit 1
    "#);
}

#[test]
fn a_refusal_without_a_rule_says_that_nothing_permits() {
    insta::assert_snapshot!(contoso(&["check", "mia@contoso.example", "viewTimeline", "WS-TST-001"]), @r#"
    DENY  not permitted — You don't have access to view this information. Make sure a proper user role is assigned from Intune.
    --- exit 1
    "#);
    insta::assert_snapshot!(contoso(&["check", "grace@contoso.example", "runScript", "WS-TST-001"]), @r#"
    DENY  not permitted — The admin center hides this page or action.
    --- stderr
    note: The person is eligible for this group: with the membership activated in Privileged Identity Management, it is allowed. (Entra::Group::"00000000-0000-4000-8000-0000000000c1")
    --- exit 1
    "#);
}

#[test]
fn notices_go_to_standard_error() {
    insta::assert_snapshot!(contoso(&["check", "ada@contoso.example", "rotateBitLockerKeys", "WS-TST-001", "--now", "2026-11-23T08:05:00Z"]), @r#"
    ALLOW  roles.help-desk-operator
    --- stderr
    note: the permission Rotate BitLockerKeys is in preview, so it can change
    note: Use Intune RBAC was changed less than ten minutes ago, so the former answer may still hold. The former answer is deny.
    --- exit 0
    "#);
}

#[test]
fn an_evaluation_error_is_indeterminate() {
    let workspace = Tarbac::with_tenant(&[(
        "policies/custom/overflow.cedar",
        "@id(\"custom.overflow\")\n@doc(\"Nobody, if one and the largest number are a number.\")\n@message(\"No.\")\n@advice(\"None.\")\nforbid (principal, action, resource is ConfigMgr::Device)\nwhen { resource.hierarchy.version + 9223372036854775807 > 0 };\n",
    )]);
    insta::assert_snapshot!(workspace.run(&["check", "ana@t.example", "viewTimeline", "PC-1"]), @r#"
    INDETERMINATE  error while evaluating policy `custom.overflow`: integer overflow while attempting to add the values `2403` and `9223372036854775807`
    --- exit 2
    "#);
}

#[test]
fn json_has_every_refusal() {
    insta::assert_snapshot!(contoso(&["check", "samir@contoso.example", "viewApplications", "WS-BER-014", "--format", "json"]), @r#"
    {
      "version": 1,
      "decision": "deny",
      "basis": "forbidden",
      "authority": "configmgr",
      "policies": [
        "configmgr.pages.applications.read-applications"
      ],
      "errors": [],
      "notices": [],
      "refusals": [
        {
          "policy": "configmgr.pages.applications.read-applications",
          "message": "Unable to get application information. Make sure Azure AD and AD user discovery are configured and the user is discovered by both. Verify that the user has proper permissions in Configuration Manager.",
          "advice": "Ask for the Configuration Manager permission Application: Read."
        }
      ],
      "readings": [
        "any-intune-role",
        "entra-administrators"
      ],
      "rules_in_force": "shipped-and-custom",
      "revision": "…",
      "not_read": []
    }
    --- exit 1
    "#);
}

#[test]
fn readings_are_switched_by_name() {
    let ask = ["check", "olivia@contoso.example", "runScript", "WS-TST-001"];
    insta::assert_snapshot!(contoso(&ask), @r#"
    ALLOW  readings.entra-administrators
    --- exit 0
    "#);
    insta::assert_snapshot!(contoso(&[&ask[..], &["--no-reading", "entra-administrators"]].concat()), @r#"
    DENY  not permitted — You don't have access to view this information. Make sure a proper user role is assigned from Intune.
    --- exit 1
    "#);
    insta::assert_snapshot!(contoso(&[&ask[..], &["--no-reading", "entra"]].concat()), @r#"
    --- stderr
    reading::unknown

      × `entra` is not a reading of these policies
      help: the readings are: any-intune-role, default-scope-tag, discovery-either, entra-administrators, observed-roles
    --- exit 2
    "#);
    insta::assert_snapshot!(contoso(&[&ask[..], &["--no-reading", "observed-roles", "--reading", "observed-roles"]].concat()), @r#"
    --- stderr
    arguments::invalid

      × the reading `observed-roles` is switched on and off
      help: leave out --reading or --no-reading
    --- exit 2
    "#);
}

#[test]
fn the_context_conforms_to_the_schema() {
    let ask = ["check", "ada@contoso.example", "viewTimeline", "WS-TST-001"];
    let with = |more: &[&str]| contoso(&[&ask[..], more].concat());
    insta::assert_snapshot!(with(&["--context", r#"{"now": "2026-11-23T09:00:00Z"}"#]), @r#"
    ALLOW  roles.help-desk-operator
    --- exit 0
    "#);
    insta::assert_snapshot!(with(&["--context", r#"{"nwo": "2026-11-23T09:00:00Z"}"#]), @r#"
    --- stderr
    arguments::invalid

      × the context does not conform to the schema: while parsing context, record attribute `nwo` should not exist
      │ according to the schema
      help: the context of an action is in the schema; for example --context '{"now": "2026-11-23T08:05:00Z"}'
    --- exit 2
    "#);
    insta::assert_snapshot!(with(&["--context", "{"]), @r#"
    --- stderr
    arguments::invalid

      × the context is not valid JSON: EOF while parsing an object at line 1 column 1
      help: the context of an action is in the schema; for example --context '{"now": "2026-11-23T08:05:00Z"}'
    --- exit 2
    "#);
    insta::assert_snapshot!(with(&["--context", "[]", "--now", "2026-11-23"]), @r#"
    --- stderr
    arguments::invalid

      × the context is not a JSON object
      help: the context of an action is in the schema; for example --context '{"now": "2026-11-23T08:05:00Z"}'
    --- exit 2
    "#);
    insta::assert_snapshot!(with(&["--context", r#"{"now": "2026-11-23", "now": "2026-11-24"}"#]), @r#"
    --- stderr
    arguments::invalid

      × the context is not valid JSON: duplicate field `now` at line 1 column 42
      help: the context of an action is in the schema; for example --context '{"now": "2026-11-23T08:05:00Z"}'
    --- exit 2
    "#);
    insta::assert_snapshot!(with(&["--context", r#"{"now": "2026-11-23"}"#, "--now", "2026-11-23"]), @r#"
    --- stderr
    arguments::invalid

      × both --context and --now give `now`
      help: the context of an action is in the schema; for example --context '{"now": "2026-11-23T08:05:00Z"}'
    --- exit 2
    "#);
    insta::assert_snapshot!(with(&["--now", "tomorrow"]), @r#"
    --- stderr
    arguments::invalid

      × the context does not conform to the schema: error while evaluating `datetime` extension function: invalid date
      │ pattern
      help: the context of an action is in the schema; for example --context '{"now": "2026-11-23T08:05:00Z"}'
    --- exit 2
    "#);
}

#[test]
fn nothing_is_decided_with_a_workspace_that_has_errors() {
    let workspace = Tarbac::with_tenant(&[(
        "policies/custom/broken.cedar",
        "permit (principal, action, resource",
    )]);
    insta::assert_snapshot!(workspace.run(&["check", "ana@t.example", "viewTimeline", "PC-1"]), @r#"
    --- stderr
    policy::syntax

      × unexpected end of input
       ╭─[policies/custom/broken.cedar:1:36]
     1 │ permit (principal, action, resource
       ·                                   ┬
       ·                                   ╰── expected `!=`, `)`, `,`, `:`, `<`, `<=`, `==`, `>`, `>=`, `in`, or `is`
       ╰────

    errors: 1 error
    The workspace has errors, so nothing is decided with it.
    --- exit 2
    "#);
}

#[test]
fn the_binary_alone_has_policies() {
    let workspace = Tarbac::with(&[]);
    insta::assert_snapshot!(workspace.run(&["check", "ana@t.example", "viewTimeline", "PC-1"]), @r#"
    --- stderr
    name::unknown

      × no principal is called `ana@t.example`
      help: the workspace has no principal at all: name one that has entities with -C, or write a sample with `tarbac
            init`
    --- exit 2
    "#);
}
