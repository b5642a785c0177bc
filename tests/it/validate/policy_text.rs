//! Findings about the text of a policy: its syntax, id and annotations, templates and links.

use super::policy;
use crate::tarbac::{Ran, Tarbac};

#[test]
fn policy_syntax() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
permit (principal, action resource);
"#), @r#"
    policy::syntax

      × unexpected token `resource`
       ╭─[policies/custom/x.cedar:2:27]
     1 │ @id("custom.x")
     2 │ permit (principal, action resource);
       ·                           ────┬───
       ·                               ╰── expected `!=`, `)`, `,`, `:`, `<`, `<=`, `==`, `>`, `>=`, `in`, or `is`
       ╰────

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn policy_missing_id() {
    insta::assert_snapshot!(policy(r#"@doc("No id.")
permit (
  principal in Intune::Role::"r",
  action,
  resource
);
"#), @r#"
    policy::missing_id

      ⚠ a policy has no id, so it goes by its position: `policy0`
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @doc("No id.")
       · ───────┬──────
       ·        ╰── this policy
     2 │ permit (
       ╰────
      help: give it an `@id("…")` that starts with the path of its file

    warnings: 1 warning
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}

#[test]
fn policy_duplicate_id() {
    insta::assert_snapshot!(policy(r#"@id("roles.help-desk-operator")
@doc("A second one.")
permit (
  principal in Intune::Role::"r",
  action,
  resource
);
"#), @r#"
    policy::duplicate_id

      × the id `roles.help-desk-operator` is that of 2 policies
       ╭─[shipped/policies/roles/help-desk-operator.cedar:4:1]
     3 │ // reference of built-in roles.
     4 │ @id("roles.help-desk-operator")
       · ───────────────┬───────────────
       ·                ╰── first here
     5 │ @doc("A Help Desk Operator sees every page of a tenant-attached device and takes every action on it.")
       ╰────
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("roles.help-desk-operator")
       · ───────────────┬───────────────
       ·                ╰── again here
     2 │ @doc("A second one.")
       ╰────
      help: the policies that ship are in force too: rename it; where these files are meant in place of what ships, say so
            in a file `tarbac.yaml` in their folder, with the line `replaces: shipped`

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn policy_unknown_annotation() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("Misspelt.")
@raeding("observed-roles")
permit (
  principal in Intune::Role::"r",
  action,
  resource
);
"#), @r#"
    policy::unknown_annotation

      × `@raeding` is not an annotation that tarbac knows
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── on this policy
     2 │ @doc("Misspelt.")
       ╰────
      help: did you mean `@reading`?

    errors: 1 error
    --- exit 1
    "#);
    // Whatever is like none of ours is somebody else's.
    let ran = policy(
        r#"@id("custom.x")
@doc("Made up.")
@ticket("4711")
permit (
  principal in Intune::Role::"r",
  action,
  resource
);
"#,
    );
    assert!(ran.stdout.starts_with("ok: no findings\n"), "{ran}");
}

#[test]
fn policy_missing_doc() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
permit (
  principal in Intune::Role::"r",
  action,
  resource
);
"#), @r#"
    policy::missing_doc

      ⚠ the policy `custom.x` has no `@doc`
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── this policy
     2 │ permit (
       ╰────
      help: say in one sentence what it allows or refuses: `@doc("…")`

    warnings: 1 warning
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}

#[test]
fn policy_missing_message() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("Nobody does anything.")
forbid (principal, action, resource);
"#), @r#"
    policy::missing_message

      ⚠ the forbid `custom.x` has no `@message` and no `@advice`
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── this policy
     2 │ @doc("Nobody does anything.")
       ╰────
      help: `@message` is what the admin center says, `@advice` what the refused person can do

    warnings: 1 warning
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}

#[test]
fn policy_severity() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("A finding.")
@severity("grave")
permit (
  principal,
  action == Tarbac::Action::"finding",
  resource
);
"#), @r#"
    policy::severity

      × `@severity("grave")` is neither "error" nor "warning"
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── this policy
     2 │ @doc("A finding.")
       ╰────

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn policy_unlinked_template() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("A template.")
permit (principal in ?principal, action, resource);
"#), @r#"
    policy::unformatted

      ⚠ `policies/custom/x.cedar` is not formatted
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ▲
       · ╰── in this file
     2 │ @doc("A template.")
       ╰────
      help: run `tarbac fmt`

    policy::unlinked_template

      ⚠ no link uses the template `custom.x`, so it decides nothing
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── this template
     2 │ @doc("A template.")
       ╰────
      help: link it in a `.json` file beside it, in the format of `cedar link`

    warnings: 2 warnings
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}

#[test]
fn policy_link() {
    insta::assert_snapshot!(Tarbac::with(&[("policies/custom/x.json", r#"[{"template_id": "custom.none", "link_id": "custom.x", "args": {}}]"#)]).run(&["validate"]), @r#"
    policy::link

      × the link `custom.x` is of a template `custom.none` that does not exist
       ╭─[policies/custom/x.json:1:1]
     1 │ [{"template_id": "custom.none", "link_id": "custom.x", "args": {}}]
       · ▲
       · ╰── in this file
       ╰────

    errors: 1 error
    --- exit 1
    "#);
    insta::assert_snapshot!(Tarbac::with(&[("policies/custom/x.json", "{}")]).run(&["validate"]), @r#"
    policy::link

      × not a file of template links: invalid type: map, expected a sequence at line 1 column 0
       ╭─[policies/custom/x.json:1:1]
     1 │ {}
       · ▲
       · ╰── in this file
       ╰────

    errors: 1 error
    --- exit 1
    "#);
}

/// The last value does not count alone.
#[test]
fn a_slot_that_is_filled_twice_makes_no_link() {
    let args = r#"{"?principal": "Entra::Group::\"a\"", "?principal": "Entra::Group::\"b\""}"#;
    let link = format!(r#"[{{"template_id": "custom.t", "link_id": "custom.l", "args": {args}}}]"#);
    let ran = Tarbac::with(&[("policies/custom/x.json", &link)]).run(&["validate"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("duplicate field `?principal`"), "{ran}");
}

#[test]
fn policy_nesting() {
    insta::assert_snapshot!(policy(&format!("@id(\"custom.x\")\n@doc(\"Deep.\")\npermit (principal, action, resource)\nwhen {{ {}true{} }};\n", "(".repeat(40), ")".repeat(40))), @r#"
    policy::nesting

      × brackets are nested more than 32 deep
       ╭─[policies/custom/x.cedar:4:39]
     4 │ when { ((((((((((((((((((((((((((((((((((((((((true)))))))))))))))))))))))))))))))))))))))) };
       ·                                       ┬
       ·                                       ╰── here
       ╰────
      help: write it flatter

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn policy_unformatted() {
    insta::assert_snapshot!(policy(r#"@id("custom.x")
@doc("Unformatted.")
permit(principal in Intune::Role::"r",action,resource);
"#), @r#"
    policy::unformatted

      ⚠ `policies/custom/x.cedar` is not formatted
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ▲
       · ╰── in this file
     2 │ @doc("Unformatted.")
       ╰────
      help: run `tarbac fmt`

    warnings: 1 warning
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}

/// What is found in a policy of this id, and nothing else.
fn named(id: &str) -> Ran {
    policy(&format!(
        "@id(\"{id}\")\n@doc(\"A role.\")\npermit (\n  principal in Intune::Role::\"r\",\n  action == Intune::Action::\"updateRoles\",\n  resource\n);\n"
    ))
}

#[test]
fn an_id_with_characters_that_do_not_show_is_an_error() {
    let shown = |ran: Ran| ran.to_string().replace('\u{200b}', "<ZWSP>");
    insta::assert_snapshot!(shown(named("custom.a\u{200b}b")), @r#"
    policy::unfit_id

      × the id `custom.a\u{200b}b` has characters that do not show
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.a<ZWSP>b")
       · ────────┬───────
       ·         ╰── this policy
     2 │ @doc("A role.")
       ╰────
      help: an id is written into logs: use letters, digits, dots and hyphens

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn an_id_that_says_another_place_is_a_warning() {
    insta::assert_snapshot!(named("guardrails.mine"), @r#"
    policy::misleading_id

      ⚠ the id `guardrails.mine` says that the policy stands in `guardrails`
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("guardrails.mine")
       · ───────────┬──────────
       ·            ╰── this policy
     2 │ @doc("A role.")
       ╰────
      help: begin it with the path of its file, for example `custom.`

    warnings: 1 warning
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}

#[test]
fn an_id_that_looks_like_another_is_a_warning() {
    insta::assert_snapshot!(named("readings.Observed-roles"), @r#"
    policy::misleading_id

      ⚠ the id `readings.Observed-roles` says that the policy stands in `readings`
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("readings.Observed-roles")
       · ───────────────┬──────────────
       ·                ╰── this policy
     2 │ @doc("A role.")
       ╰────
      help: begin it with the path of its file, for example `custom.`

    policy::similar_id

      ⚠ the id `readings.observed-roles` looks like `readings.Observed-roles`
       ╭─[shipped/policies/readings/observed-roles.cedar:4:1]
     3 │ // table of the seed page.
     4 │ @id("readings.observed-roles")
       · ───────────────┬──────────────
       ·                ╰── this one
     5 │ @doc("A Policy and Profile Manager also sees Software updates.")
       ╰────
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("readings.Observed-roles")
       · ───────────────┬──────────────
       ·                ╰── and this one
     2 │ @doc("A role.")
       ╰────
      help: an id in a log must lead to one policy: rename one of the two

    warnings: 2 warnings
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}
