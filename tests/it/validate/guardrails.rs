//! Findings about permissions that nothing gives or guards, and about forbids that refuse nothing.

use serde_json::json;

use super::{policy, policy_in_tenant};
use crate::tarbac::Tarbac;
use crate::world::{entities, entity};

#[test]
fn policy_unreachable_permission() {
    insta::assert_snapshot!(policy_in_tenant(r#"@id("custom.x")
@doc("Runs scripts without seeing them.")
permit (
  principal in Intune::Role::"Help Desk Operator",
  action == Intune::Action::"runScript",
  resource
);
"#), @"
    ok: no findings
    rules: shipped-and-custom, revision …
    --- exit 0
    ");
    insta::assert_snapshot!(Tarbac::with(&[("policies/custom/x.cedar", r#"@id("custom.x")
@doc("Runs scripts without seeing them.")
permit (
  principal in Intune::Role::"x",
  action == Intune::Action::"runScript",
  resource
);
"#), ("entities/x.json", &entities(&[entity("Intune::Role", "x", json!({}), &[])]))]).run(&["validate"]), @r#"
    policy::unreachable_permission

      ⚠ `Intune::Role::"x"` has the permission `runScript` but not `viewScripts`, whose page carries it
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── given here
     2 │ @doc("Runs scripts without seeing them.")
       ╰────
      help: add `viewScripts`, or take `runScript` away

    warnings: 1 warning
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}

#[test]
fn policy_idle_forbid() {
    let forbid = |scope: &str| {
        format!(
            "@id(\"custom.x\")\n@doc(\"No.\")\n@message(\"No.\")\n@advice(\"None.\")\nforbid (\n  principal {scope},\n  action == Intune::Action::\"runScript\",\n  resource\n);\n"
        )
    };
    let ran = policy(&forbid("== Entra::Group::\"g\""));
    insta::assert_snapshot!(ran, @r#"
    policy::idle_forbid

      × for policy `custom.x`, unable to find an applicable action given the policy scope constraints
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── here
     2 │ @doc("No.")
       ╰────
      help: a forbid that can never apply holds nobody back: is `in` meant for `==`, or another type?

    policy::suspicious

      ⚠ for policy `custom.x`, policy is impossible: the policy expression evaluates to false for all valid requests
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── here
     2 │ @doc("No.")
       ╰────

    errors: 1 error, 1 warning
    --- exit 1
    "#);
    let ran = policy(&forbid("is Entra::Group"));
    assert_eq!(ran.status, 1, "{ran}");
    let forbid_all = |principal: &str, resource: &str| {
        let text = forbid(principal).replace("action == Intune::Action::\"runScript\"", "action");
        policy(&text.replace("resource\n", &format!("resource {resource}\n")))
    };
    for (principal, resource) in [("is Entra::Group", ""), ("", "is ConfigMgr::Collection")] {
        let ran = forbid_all(principal, resource);
        assert!(
            ran.status == 1 && ran.to_string().contains("policy::idle_forbid"),
            "{ran}"
        );
    }
    // Some of the actions are about tenants.
    let ran = forbid_all("", "is Intune::Tenant");
    assert!(
        ran.status == 0 && !ran.to_string().contains("idle"),
        "{ran}"
    );
}

// The ways to each of these are in `loopholes.rs`.

#[test]
fn a_permission_that_gets_round_a_guardrail_is_an_error() {
    insta::assert_snapshot!(Tarbac::with(&[(
        "schema/custom/x.cedarschema",
        "namespace Intune {\n@doc(\"Wipe.\")\naction \"wipe\" appliesTo { principal: Entra::User, resource: Tenant };\n}\n",
    )]).run(&["validate"]), @r#"
    policy::unguarded_permission

      × no policy of the guardrail `tenant` holds `Intune::Action::"wipe"` on a `Intune::Tenant`, so it gets round it
       ╭─[schema/custom/x.cedarschema:3:1]
     2 │ @doc("Wipe.")
     3 │ action "wipe" appliesTo { principal: Entra::User, resource: Tenant };
       · ┬
       · ╰── declared here
     4 │ }
       ╰────
      help: put it into `Intune::Action::"cloudAttachedDevices"` or `Intune::Action::"remoteTasks"`, or name it in
            `guardrails.tenant.device`, `guardrails.tenant.settings`; if nothing is to hold it back, say why in the
            schema: `@unguarded("…")`

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn a_name_in_another_case_is_an_error() {
    insta::assert_snapshot!(policy_in_tenant(r#"@id("custom.x")
@doc("A name in another case.")
@message("No.")
@advice("None.")
forbid (
  principal,
  action == Intune::Action::"runScript",
  resource
)
when { principal.userPrincipalName == "Ana@t.example" };
"#), @r#"
    policy::unknown_name

      × the policy `custom.x` compares `userPrincipalName` with `Ana@t.example`, which is `ana@t.example` in another
      │ letter case
        ╭─[policies/custom/x.cedar:10:8]
      9 │ )
     10 │ when { principal.userPrincipalName == "Ana@t.example" };
        ·        ───────────────────────┬──────────────────────
        ·                               ╰── compared here
        ╰────
      help: a forbid that names nobody holds nobody back: Cedar compares letter by letter, so write the name as it is, or
            name the entity by its id

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn a_second_authority_is_an_error() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("A second answer.")
@authority("ours")
permit (
  principal,
  action == Tarbac::Action::"authority",
  resource
)
when { resource.coManaged };
"#), @r#"
    policy::two_authorities

      × `custom.x` and `authority.configmgr` both say which authority is in force, so decisions are indeterminate
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── this one
     2 │ @doc("A second answer.")
       ╰────
        ╭─[shipped/policies/authority.cedar:23:1]
     22 │ 
     23 │ @id("authority.configmgr")
        · ─────────────┬────────────
        ·              ╰── and this one
     24 │ @doc("Configuration Manager decides, along with an Intune role, in every other case.")
        ╰────
      help: exactly one policy may answer: remove one of the two, or give them conditions of which never both are true

    errors: 1 error
    rules: shipped-and-custom, revision …
    --- exit 1
    "#);
}

#[test]
fn a_guardrail_of_a_reading_is_an_error() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("A guardrail of a reading.")
@message("No.")
@advice("None.")
@guardrail("mine")
@reading("any-intune-role")
@holds("off")
forbid (
  principal,
  action == Intune::Action::"updateRoles",
  resource
);
"#), @r#"
    policy::guardrail

      × `custom.x` is no guardrail: it does not hold for everybody and always
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── this policy
     2 │ @doc("A guardrail of a reading.")
       ╰────
      help: `@guardrail` is for a forbid of no reading that can apply, whose scope names neither principal nor resource

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn a_forbid_that_silences_a_question_is_an_error() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("No finding is one.")
@message("No.")
@advice("None.")
forbid (
  principal,
  action == Tarbac::Action::"finding",
  resource
);
"#), @r#"
    policy::silences_question

      × the forbid `custom.x` takes away the answers to `Tarbac::Action::"finding"`
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── this policy
     2 │ @doc("No finding is one.")
       ╰────
      help: a permit answers a question, and a forbid takes the answers of others away: change the policies that answer

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn a_permit_for_everybody_is_a_warning() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("Anybody.")
permit (
  principal,
  action == Intune::Action::"updateRoles",
  resource
);
"#), @r#"
    policy::for_everybody

      ⚠ the policy `custom.x` permits everybody what it names
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── this policy
     2 │ @doc("Anybody.")
       ╰────
      help: name in the scope who may, for example a role: `principal in Intune::Role::"…"`

    warnings: 1 warning
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}
