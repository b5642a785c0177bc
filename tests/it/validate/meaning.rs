//! Findings about what a policy decides: readings, types, entities that are nowhere, guardrails and authority.

use super::{policy, policy_in_tenant};
use crate::tarbac::Tarbac;

#[test]
fn policy_reading() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("Half a reading.")
@reading("mine")
@holds("on")
permit (
  principal in Intune::Role::"r",
  action,
  resource
);
"#), @r#"
    policy::reading

      × the reading `mine` is described by 0 policies with `@default`, not by one
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── belongs to the reading
     2 │ @doc("Half a reading.")
       ╰────
      help: let exactly one policy of a reading carry `@default("on")` or `@default("off")`

    errors: 1 error
    --- exit 1
    "#);
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("No reading.")
@holds("perhaps")
permit (
  principal in Intune::Role::"r",
  action,
  resource
);
"#), @r#"
    policy::reading

      × `@holds` without `@reading`
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── this policy
     2 │ @doc("No reading.")
       ╰────

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn policy_type() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("Misspelt.")
permit (
  principal,
  action == Intune::Action::"runScript",
  resource
)
when { resource.nmae == "PC-1" };
"#), @r#"
    policy::type

      × for policy `custom.x`, attribute `nmae` on entity type `ConfigMgr::Device` not found
       ╭─[policies/custom/x.cedar:8:8]
     7 │ )
     8 │ when { resource.nmae == "PC-1" };
       ·        ──────┬──────
       ·              ╰── here
       ╰────
      help: did you mean `name`?

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn policy_never_true() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("All but cloud-only persons.")
permit (
  principal in Intune::Role::"r",
  action == Intune::Action::"runScript",
  resource
)
unless { principal has cloudonly && principal.cloudonly };
"#), @"
    policy::never_true

      × the policy `custom.x` depends on `principal has cloudonly`, which can never be true
       ╭─[policies/custom/x.cedar:8:10]
     7 │ )
     8 │ unless { principal has cloudonly && principal.cloudonly };
       ·          ───────────┬───────────
       ·                     ╰── no `Entra::User` has `cloudonly`
       ╰────
      help: an exception that is never true excepts nobody: correct or remove it; did you mean `cloudOnly`?

    errors: 1 error
    --- exit 1
    ");
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("None of the test hierarchy.")
@message("No.")
@advice("Ask.")
forbid (
  principal,
  action == Intune::Action::"runScript",
  resource
)
when { resource.coManaged || resource in ConfigMgr::Hierarchy::"TST" };
"#), @r#"
    policy::never_true

      × the policy `custom.x` depends on `resource in ConfigMgr::Hierarchy::"TST"`, which can never be true
        ╭─[policies/custom/x.cedar:10:30]
      9 │ )
     10 │ when { resource.coManaged || resource in ConfigMgr::Hierarchy::"TST" };
        ·                              ───────────────────┬───────────────────
        ·                                                 ╰── no `ConfigMgr::Device` is in a `ConfigMgr::Hierarchy`
        ╰────
      help: a forbid that waits for it holds nobody back: correct the condition, or remove it; did you mean
            `resource.hierarchy == ConfigMgr::Hierarchy::"TST"`?

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn policy_suspicious() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("Nobody at all.")
permit (
  principal == Intune::Role::"x",
  action == Intune::Action::"runScript",
  resource
);
"#), @r#"
    policy::suspicious

      ⚠ for policy `custom.x`, policy is impossible: the policy expression evaluates to false for all valid requests
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── here
     2 │ @doc("Nobody at all.")
       ╰────

    policy::suspicious

      ⚠ for policy `custom.x`, unable to find an applicable action given the policy scope constraints
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── here
     2 │ @doc("Nobody at all.")
       ╰────
      help: try replacing `==` with `in` in the principal clause

    warnings: 2 warnings
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}

#[test]
fn policy_unknown_entity() {
    insta::assert_snapshot!(policy_in_tenant(r#"@id("custom.x")
@doc("A role of nobody.")
permit (
  principal in Intune::Role::"Helpdesk",
  action == Intune::Action::"viewTimeline",
  resource
);
"#), @r#"
    policy::unknown_entity

      ⚠ the policy `custom.x` names `Intune::Role::"Helpdesk"`, which does not exist
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── this policy
     2 │ @doc("A role of nobody.")
       ╰────
      help: it permits nothing until the directory has it

    warnings: 1 warning
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
    insta::assert_snapshot!(policy_in_tenant(r#"@id("custom.x")
@doc("Nobody suspended.")
@message("No.")
@advice("None.")
forbid (
  principal == Entra::User::"u3",
  action,
  resource
);
"#), @r#"
    policy::unknown_entity

      × the policy `custom.x` names `Entra::User::"u3"`, which does not exist
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── this policy
     2 │ @doc("Nobody suspended.")
       ╰────
      help: a forbid that names nobody holds nobody back: correct the id, or remove the policy

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn policy_no_authority() {
    insta::assert_snapshot!(Tarbac::with(&[
        ("policies/tarbac.yaml", "replaces: shipped\n"),
    ]).run(&["validate"]), @"
    policy::no_authority

      × no policy can say which authority is in force when a `Entra::User` asks about a `ConfigMgr::Device`, so every
      │ decision is indeterminate
      help: the rules that ship answer it in `policies/authority.cedar`: have it among your policies, or let those that
            ship be in force by removing `policies/tarbac.yaml`

    errors: 1 error
    rules: own, revision …
    --- exit 1
    ");
}

#[test]
fn policy_evaluation() {
    insta::assert_snapshot!(policy_in_tenant(r#"@id("custom.x")
@doc("A hierarchy whose version is beyond counting.")
permit (
  principal,
  action == Tarbac::Action::"finding",
  resource is ConfigMgr::Hierarchy
)
when { resource.version + 9223372036854775807 > 0 };
"#), @r#"
    policy::evaluation

      × a finding cannot be decided: error while evaluating policy `custom.x`: integer overflow while attempting to add
      │ the values `2403` and `9223372036854775807`
       ╭─[entities/tenant.json:3:1]
     3 │ {"uid": {"type": "ConfigMgr::Hierarchy", "id": "H"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "t"}, "version": 2403, "enforceConfigMgrRbac": false, 
       · ┬
       · ╰── asked about this one
       ╰────
      help: mend the policy: what it would find cannot be known

    errors: 1 error
    --- exit 1
    "#);
}

/// A forbid that has lost its links holds nobody back, and is an error as one that names nobody.
#[test]
fn policy_unlinked_template_of_a_forbid() {
    let forbid = r#"@id("custom.x")
@doc("A template.")
@message("No.")
@advice("None.")
forbid (principal in ?principal, action == Intune::Action::"runScript", resource);
"#;
    let workspace = Tarbac::with(&[("policies/custom/x.cedar", forbid)]);
    let ran = workspace.run(&["validate"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout
            .contains("× no link uses the template `custom.x`"),
        "{ran}"
    );
    let links = r#"[{"template_id": "custom.x", "link_id": "custom.y", "args": {"?principal": "Entra::Group::\"g\""}}]"#;
    workspace.write("policies/custom/x.json", links);
    let ran = workspace.run(&["validate"]);
    assert!(!ran.stdout.contains("policy::unlinked_template"), "{ran}");
}

/// A value of the context need not be in the directory, and what only depends on the context is no such value.
#[test]
fn a_value_that_the_context_chooses_is_none_of_the_context() {
    let tarbac = Tarbac::with(&[
        (
            "s.cedarschema",
            "entity User { boss?: User } tags String; entity Doc; action read appliesTo { principal: User, resource: Doc, context: { who?: User, session?: { user: User } } };",
        ),
        (
            "e.json",
            r#"[{"uid": {"type": "User", "id": "u"}, "attrs": {}, "parents": []}]"#,
        ),
    ]);
    for (condition, is_error) in [
        ("context has who && context.who == User::\"ghost\"", false),
        (
            "(if context has who then context.who else context.who) == User::\"ghost\"",
            false,
        ),
        (
            "(if context has who then principal else principal) == User::\"ghost\"",
            true,
        ),
        (
            "[User::\"ghost\"].contains(if context has who then context.who else principal)",
            true,
        ),
        ("!(User::\"ghost\".hasTag(\"a\") == false)", true),
        (
            "context has session && context.session.user == User::\"ghost\"",
            false,
        ),
        // What is behind a value of the context is data.
        (
            "context has who && context.who has boss && context.who.boss == User::\"ghost\"",
            true,
        ),
    ] {
        let policy = format!("forbid (principal, action, resource) when {{ {condition} }};\n");
        tarbac.write("p.cedar", policy);
        let files = [
            "--policies",
            "p.cedar",
            "--schema",
            "s.cedarschema",
            "--entities",
            "e.json",
        ];
        let ran = tarbac.run(&[&files[..], &["validate"]].concat());
        let error = ran.stdout.contains("policy::unknown_entity\n\n  ×");
        assert_eq!(error, is_error, "{condition} {ran}");
    }
}
