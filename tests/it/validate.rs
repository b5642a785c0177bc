//! `tarbac validate`: the smallest example of each finding, with its text.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use tarbac::code;

use crate::readme::codes_of_policies;
use crate::tarbac::{Ran, Tarbac, contoso};
use crate::world::{
    assignment, device, entities, entity, hierarchy, tenant_entity, uid, uids, user,
};

/// The findings about a policy beside the ones that ship, without a directory.
fn policy(text: &str) -> Ran {
    Tarbac::with(&[("policies/custom/x.cedar", text)]).run(&["validate"])
}

/// The findings about a policy beside the ones that ship, with a small tenant.
fn policy_in_tenant(text: &str) -> Ran {
    Tarbac::with_tenant(&[("policies/custom/x.cedar", text)]).run(&["validate"])
}

/// The findings about a schema file beside the ones that ship.
fn schema(text: &str) -> Ran {
    Tarbac::with(&[("schema/custom/x.cedarschema", text)]).run(&["validate"])
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

      ⚠ the policy `custom.x` names `Intune::Role::"Helpdesk"`, which exists nowhere
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

      × the policy `custom.x` names `Entra::User::"u3"`, which exists nowhere
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
fn schema_syntax() {
    insta::assert_snapshot!(schema("entity X = {\n  a Long\n};\n"), @r#"
    schema::syntax

      × error parsing schema: unexpected token `Long`
       ╭─[schema/custom/x.cedarschema:2:5]
     1 │ entity X = {
     2 │   a Long
       ·     ──┬─
       ·       ╰── expected `:` or `?`
     3 │ };
       ╰────

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn schema_conflict() {
    insta::assert_snapshot!(schema("@doc(\"Again.\")\nnamespace Entra {\n  @doc(\"Again.\")\n  entity User;\n}\n"), @r#"
    schema::conflict

      × duplicate entity type `Entra::User`
       ╭─[shipped/schema/configmgr.cedarschema:1:1]
     1 │ // What Configuration Manager knows: hierarchies with their checkbox, collections, devices,
       · ▲
       · ╰── one of these files
     2 │ // and what its own role-based access control grants to a person.
       ╰────
       ╭─[shipped/schema/entra.cedarschema:1:1]
     1 │ // Who asks: people, the groups they are in, and the directory roles they hold.
       · ▲
       · ╰── one of these files
       ╰────
       ╭─[shipped/schema/intune.cedarschema:1:1]
     1 │ // What Intune knows: the tenant with its toggle, roles, who is assigned which, and the permissions.
       · ▲
       · ╰── one of these files
       ╰────
       ╭─[shipped/schema/tarbac.cedarschema:1:1]
     1 │ // What tarbac asks the policies besides "may this person do this": questions whose answers
       · ▲
       · ╰── one of these files
       ╰────
       ╭─[schema/custom/x.cedarschema:1:1]
     1 │ @doc("Again.")
       · ▲
       · ╰── one of these files
     2 │ namespace Entra {
       ╰────
      help: the schema that ships is in force too; where these files are meant in place of what ships, say so in a file
            `tarbac.yaml` in their folder, with the line `replaces: shipped`

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn schema_missing_doc() {
    insta::assert_snapshot!(schema("@doc(\"More.\")\nnamespace More {\n  entity Thing;\n}\n"), @r#"
    schema::missing_doc

      ⚠ the entity type `More::Thing` has no `@doc`
       ╭─[schema/custom/x.cedarschema:3:3]
     2 │ namespace More {
     3 │   entity Thing;
       ·   ──────┬─────
       ·         ╰── declared here
     4 │ }
       ╰────
      help: say in one sentence what it is: `@doc("…")`

    warnings: 1 warning
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}

#[test]
fn schema_nesting() {
    insta::assert_snapshot!(schema(&format!("entity X {{ a: {}Long{} }};\n", "Set<".repeat(40), ">".repeat(40))), @r#"
    schema::nesting

      × brackets are nested more than 32 deep
       ╭─[schema/custom/x.cedarschema:1:142]
     1 │ <Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Long>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>> };
       ·                                                             ┬
       ·                                                             ╰── here
       ╰────
      help: write it flatter

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn schema_warning() {
    insta::assert_snapshot!(schema("@doc(\"More.\")\nnamespace More {\n  @doc(\"A thing.\")\n  entity Long;\n}\n"), @r#"
    schema::warning

      ⚠ The name `Long` shadows a builtin Cedar name. You'll have to refer to the builtin as `__cedar::Long`.
       ╭─[schema/custom/x.cedarschema:4:10]
     3 │   @doc("A thing.")
     4 │   entity Long;
       ·          ──┬─
       ·            ╰── here
     5 │ }
       ╰────

    warnings: 1 warning
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}

#[test]
fn entities_syntax() {
    insta::assert_snapshot!(Tarbac::with(&[("entities/x.json", "[\n  {\"uid\": }\n]\n")]).run(&["validate"]), @r#"
    entities::syntax

      × an entity cannot be read: expected value
       ╭─[entities/x.json:2:11]
     1 │ [
     2 │   {"uid": }
       ·           ┬
       ·           ╰── this entity
     3 │ ]
       ╰────

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn entities_unknown_field() {
    insta::assert_snapshot!(more(&[json!({ "uid": uid("Intune::Role", "x"), "attr": {}, "parents": [] })]), @r#"
    entities::unknown_field

      × `Intune::Role::"x"` has the unknown key `attr`
       ╭─[entities/x.json:2:1]
     1 │ [
     2 │ {"uid": {"type": "Intune::Role", "id": "x"}, "attr": {}, "parents": []}
       · ┬
       · ╰── this entity
     3 │ ]
       ╰────
      help: did you mean `attrs`?

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn entities_nonconforming() {
    insta::assert_snapshot!(more(&[with(device("d2", "PC-2", "H"), "coManaged", json!("no"))]), @r#"
    entities::nonconforming

      × attribute `coManaged` of `ConfigMgr::Device::"d2"` must be a Bool, but is the String `no`
       ╭─[entities/x.json:2:1]
     1 │ [
     2 │ {"uid": {"type": "ConfigMgr::Device", "id": "d2"}, "attrs": {"name": "PC-2", "coManaged": "no", "hierarchy": {"type": "ConfigMgr::Hierarchy", "id": "H"}}, "pare
       · ┬
       · ╰── this entity
       ╰────

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn entities_duplicate() {
    insta::assert_snapshot!(more(&[tenant_entity("t", false)]), @r#"
    entities::duplicate

      × `Intune::Tenant::"t"` stands twice
       ╭─[entities/tenant.json:2:1]
     1 │ [
     2 │ {"uid": {"type": "Intune::Tenant", "id": "t"}, "attrs": {"useIntuneRbac": true}, "parents": []},
       · ┬
       · ╰── first here
       ╰────
       ╭─[entities/x.json:2:1]
     1 │ [
     2 │ {"uid": {"type": "Intune::Tenant", "id": "t"}, "attrs": {"useIntuneRbac": false}, "parents": []}
       · ┬
       · ╰── and again here
     3 │ ]
       ╰────
      help: keep one of the two

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn entities_dangling() {
    insta::assert_snapshot!(more(&[device("d2", "PC-2", "G")]), @r#"
    entities::dangling

      × attribute `hierarchy` of `ConfigMgr::Device::"d2"` refers to `ConfigMgr::Hierarchy::"G"`, which stands nowhere
       ╭─[entities/x.json:2:1]
     1 │ [
     2 │ {"uid": {"type": "ConfigMgr::Device", "id": "d2"}, "attrs": {"name": "PC-2", "coManaged": false, "hierarchy": {"type": "ConfigMgr::Hierarchy", "id": "G"}}, "par
       · ┬
       · ╰── this entity
       ╰────
      help: add `ConfigMgr::Hierarchy::"G"` to a file of entities, or correct the reference

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn entities_cycle() {
    insta::assert_snapshot!(more(&[entity("Entra::Group", "g1", json!({}), &[("Entra::Group", "g2")]), entity("Entra::Group", "g2", json!({}), &[("Entra::Group", "g1")])]), @r#"
    entities::cycle

      × parents form a cycle: `Entra::Group::"g1"` in `Entra::Group::"g2"` in `Entra::Group::"g1"`
       ╭─[entities/x.json:2:1]
     1 │ [
     2 │ {"uid": {"type": "Entra::Group", "id": "g1"}, "attrs": {}, "parents": [{"type": "Entra::Group", "id": "g2"}]},
       · ┬
       · ╰── its parent is `Entra::Group::"g2"`
       ╰────
       ╭─[entities/x.json:3:1]
     3 │ {"uid": {"type": "Entra::Group", "id": "g2"}, "attrs": {}, "parents": [{"type": "Entra::Group", "id": "g1"}]}
       · ┬
       · ╰── its parent is `Entra::Group::"g1"`
     4 │ ]
       ╰────
      help: take one of these parents out

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn entities_missing_parent() {
    insta::assert_snapshot!(more(&[assignment("a2", &[("Intune::Role", "Help Desk Operator")])]), @r#"
    entities::missing_parent

      × `Intune::RoleAssignment::"a2"` has no parent of type `Intune::Tenant`
       ╭─[entities/x.json:2:1]
     1 │ [
     2 │ {"uid": {"type": "Intune::RoleAssignment", "id": "a2"}, "attrs": {}, "parents": [{"type": "Intune::Role", "id": "Help Desk Operator"}]}
       · ┬
       · ╰── this entity
     3 │ ]
       ╰────
      help: every `Intune::RoleAssignment` needs one: add it to its `parents`

    errors: 1 error
    --- exit 1
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
}

#[test]
fn entities_superfluous_parent() {
    let narrowed = entity(
        "Intune::RoleAssignment",
        "a2",
        json!({ "narrowedRole": uid("Intune::Role", "Help Desk Operator") }),
        &[
            ("Intune::Role", "Help Desk Operator"),
            ("Intune::Tenant", "t"),
        ],
    );
    insta::assert_snapshot!(more(&[narrowed]), @r#"
    entities::superfluous_parent

      × `Intune::RoleAssignment::"a2"` has the attribute `narrowedRole` and a parent of type `Intune::Role`
       ╭─[entities/x.json:2:1]
     1 │ [
     2 │ {"uid": {"type": "Intune::RoleAssignment", "id": "a2"}, "attrs": {"narrowedRole": {"type": "Intune::Role", "id": "Help Desk Operator"}}, "parents": [{"type": "I
       · ┬
       · ╰── this entity
       ╰────
      help: the attribute stands in place of the parent: keep one of the two

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn entities_foreign_assignment() {
    insta::assert_snapshot!(more(&[tenant_entity("s", true), assignment("a2", &[("Intune::Role", "Help Desk Operator"), ("Intune::Tenant", "s")]), user("u3", "eve@t.example", &[("Intune::RoleAssignment", "a2")])]), @r#"
    entities::foreign_tenant

      × a person reaches another tenant through a role assignment: `Intune::Tenant::"s"`
       ╭─[entities/x.json:3:1]
     3 │ {"uid": {"type": "Intune::RoleAssignment", "id": "a2"}, "attrs": {}, "parents": [{"type": "Intune::Role", "id": "Help Desk Operator"}, {"type": "Intune::Tenant"
       · ┬
       · ╰── through here, for example for `Entra::User::"u3"`
       ╰────
      help: Give the assignment one tenant, that of the people who hold it.

    entities::foreign_assignment

      × a person reaches a role assignment that does not belong to the tenant of the person:
      │ `Intune::RoleAssignment::"a2"`
       ╭─[entities/x.json:4:1]
     4 │ {"uid": {"type": "Entra::User", "id": "u3"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "t"}, "userPrincipalName": "eve@t.example", "cloudOnly": true}
       · ┬
       · ╰── through here, for example for `Entra::User::"u3"`
       ╰────
      help: Take the person out of the group, or correct the tenant of the assignment.

    errors: 2 errors
    --- exit 1
    "#);
}

#[test]
fn entities_foreign_tenant() {
    insta::assert_snapshot!(more(&[tenant_entity("s", true), assignment("a2", &[("Intune::Role", "Help Desk Operator"), ("Intune::Tenant", "s"), ("Intune::Tenant", "t")]), user("u3", "eve@t.example", &[("Intune::RoleAssignment", "a2")])]), @r#"
    entities::foreign_tenant

      × a person reaches another tenant through a role assignment: `Intune::Tenant::"s"`
       ╭─[entities/x.json:3:1]
     3 │ {"uid": {"type": "Intune::RoleAssignment", "id": "a2"}, "attrs": {}, "parents": [{"type": "Intune::Role", "id": "Help Desk Operator"}, {"type": "Intune::Tenant"
       · ┬
       · ╰── through here, for example for `Entra::User::"u3"`
       ╰────
      help: Give the assignment one tenant, that of the people who hold it.

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn entities_scope_tag_without_effect() {
    insta::assert_snapshot!(more(&[entity("Intune::ScopeTag", "7", json!({}), &[]), assignment("a2", &[("Intune::Role", "Help Desk Operator"), ("Intune::Tenant", "t"), ("Intune::ScopeTag", "7")]), user("u3", "eve@t.example", &[("Intune::RoleAssignment", "a2")])]), @r#"
    entities::scope_tag_without_effect

      ⚠ a role assignment carries a scope tag, which narrows nothing on tenant-attached devices: `Intune::ScopeTag::"7"`
       ╭─[entities/x.json:3:1]
     3 │ {"uid": {"type": "Intune::RoleAssignment", "id": "a2"}, "attrs": {}, "parents": [{"type": "Intune::Role", "id": "Help Desk Operator"}, {"type": "Intune::Tenant"
       · ┬
       · ╰── through here, for example for `Entra::User::"u3"`
       ╰────
      help: Do not count on the scope tag to keep anybody from tenant-attached devices.

    warnings: 1 warning
    rules: shipped, revision …
    --- exit 0
    "#);
}

#[test]
fn entities_scope_group_without_effect() {
    let scoped = entity(
        "Intune::RoleAssignment",
        "a2",
        json!({ "scopeGroups": uids("Entra::Group", &["g"]) }),
        &[
            ("Intune::Role", "Help Desk Operator"),
            ("Intune::Tenant", "t"),
        ],
    );
    insta::assert_snapshot!(more(&[entity("Entra::Group", "g", json!({}), &[]), scoped, user("u3", "eve@t.example", &[("Intune::RoleAssignment", "a2")])]), @r#"
    entities::scope_group_without_effect

      ⚠ a role assignment has scope groups, which narrow nothing on tenant-attached devices:
      │ `Intune::RoleAssignment::"a2"`
       ╭─[entities/x.json:4:1]
     4 │ {"uid": {"type": "Entra::User", "id": "u3"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "t"}, "userPrincipalName": "eve@t.example", "cloudOnly": true}
       · ┬
       · ╰── through here, for example for `Entra::User::"u3"`
       ╰────
      help: Do not count on the scope groups to keep anybody from tenant-attached devices.

    warnings: 1 warning
    rules: shipped, revision …
    --- exit 0
    "#);
}

#[test]
fn entities_checkbox_without_effect() {
    insta::assert_snapshot!(more(&[tenant_entity("s", false), hierarchy("G", "s", false)]), @r#"
    entities::checkbox_without_effect

      ⚠ the checkbox of the hierarchy is cleared while Use Intune RBAC is Off, which has no effect: Configuration Manager
      │ decides: `ConfigMgr::Hierarchy::"G"`
       ╭─[entities/x.json:3:1]
     3 │ {"uid": {"type": "ConfigMgr::Hierarchy", "id": "G"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "s"}, "version": 2403, "enforceConfigMgrRbac": false, 
       · ┬
       · ╰── this one
       ╰────
      help: Turn Use Intune RBAC On, or select the checkbox again.

    warnings: 1 warning
    rules: shipped, revision …
    --- exit 0
    "#);
}

#[test]
fn entities_unnarrowed_assignment() {
    let scoped = json!({ "useIntuneRbac": true, "scopedPermissions": true });
    let parents = [
        ("Intune::Tenant", "s"),
        ("Intune::Role", "Help Desk Operator"),
        ("Intune::ScopeTag", "3"),
    ];
    let scoped = [
        entity("Intune::Tenant", "s", scoped, &[]),
        entity("Intune::ScopeTag", "3", json!({}), &[]),
        assignment("a2", &parents),
        with(
            user("u9", "kim@t.example", &[("Intune::RoleAssignment", "a2")]),
            "tenant",
            uid("Intune::Tenant", "s"),
        ),
    ];
    insta::assert_snapshot!(more(&scoped), @r#"
    entities::unnarrowed_assignment

      × a tenant has Scoped permissions, and a role assignment that has other scope tags than Default stands in its role
      │ all the same: `Intune::RoleAssignment::"a2"`
       ╭─[entities/x.json:5:1]
     5 │ {"uid": {"type": "Entra::User", "id": "u9"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "s"}, "userPrincipalName": "kim@t.example", "cloudOnly": true}
       · ┬
       · ╰── through here, for example for `Entra::User::"u9"`
       ╰────
      help: Give the assignment its role as narrowedRole, and not as a parent.

    errors: 1 error
    --- exit 1
    "#);
}

/// A value that is assumed, as an import has it where no export tells.
#[test]
fn policy_assumed_value() {
    let assumed = |of: &str, attributes: Value, names: &[&str]| {
        let mut entity = match of {
            "device" => device("d7", "PC-7", "H"),
            _ => user("u7", "eve@t.example", &[]),
        };
        for (name, value) in attributes.as_object().unwrap() {
            entity["attrs"][name] = value.clone();
        }
        entity["attrs"]["assumed"] = json!(names);
        entity
    };
    let validate = |entity: &Value, effect: &str, condition: &str| {
        let policy = format!(
            "@id(\"custom.x\")\n@doc(\"x\")\n@message(\"No.\")\n@advice(\"Ask.\")\n{effect} (principal, action == Intune::Action::\"runScript\", resource)\n{condition};\n"
        );
        Tarbac::with_tenant(&[
            ("policies/custom/x.cedar", &policy),
            ("entities/x.json", &entities(std::slice::from_ref(entity))),
        ])
    };
    let told = |workspace: &Tarbac| {
        let ran = workspace.run(&["validate", "--format", "json"]);
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        let findings = document["findings"].as_array().unwrap().iter();
        let mut of_code = findings.filter(|of| of["code"] == "policy::assumed_value");
        let severity = of_code
            .next()
            .map(|of| of["severity"].as_str().unwrap().to_owned());
        assert!(of_code.next().is_none(), "{ran}");
        severity.unwrap_or_else(|| "none".to_owned())
    };
    let managed = assumed("device", json!({}), &["coManaged"]);
    let workspace = validate(&managed, "forbid", "when { resource.coManaged }");
    insta::assert_snapshot!(workspace.run(&["validate"]), @r#"
    policy::unformatted

      ⚠ `policies/custom/x.cedar` is not formatted
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ▲
       · ╰── in this file
     2 │ @doc("x")
       ╰────
      help: run `tarbac fmt`

    policy::assumed_value

      × the policy `custom.x` depends on `coManaged` of `ConfigMgr::Device::"d7"`, which is not known but assumed
       ╭─[policies/custom/x.cedar:6:8]
     6 │ when { resource.coManaged };
       ·        ─────────┬────────
       ·                 ╰── by this
       ╰────
       ╭─[entities/x.json:2:1]
     1 │ [
     2 │ {"uid": {"type": "ConfigMgr::Device", "id": "d7"}, "attrs": {"name": "PC-7", "coManaged": false, "hierarchy": {"type": "ConfigMgr::Hierarchy", "id": "H"}, "assu
       · ┬
       · ╰── assumed of this one
       ╰────
      help: it may hold nobody back: import the value from devices.csv, or set it by hand and take it out of what is
            assumed, or decide by something else

    errors: 1 error, 1 warning
    --- exit 1
    "#);
    let ran = workspace.run(&["check", "ana@t.example", "runScript", "PC-1"]);
    assert_eq!(ran.status, 2, "{ran}");

    let cloud = assumed("person", json!({"cloudOnly": true}), &["cloudOnly"]);
    let system = assumed("device", json!({}), &["operatingSystem"]);
    let unknown = assumed("person", json!({}), &["configMgr"]);
    let hierarchies = uids("ConfigMgr::Hierarchy", &["H"]);
    let mut administrator = json!({});
    for name in [
        "read",
        "readResource",
        "notifyResource",
        "runCmPivot",
        "runScript",
        "readBitLockerRecoveryKey",
        "readScripts",
        "readApplications",
        "approveApplications",
        "discoveredByEntra",
    ] {
        administrator[name] = json!([]);
    }
    administrator["discoveredByActiveDirectory"] = hierarchies;
    let some = assumed(
        "person",
        json!({"configMgr": administrator}),
        &["configMgr"],
    );
    let is_found = "principal has configMgr && principal.configMgr.discoveredByEntra.contains(resource.hierarchy)";
    for (entity, condition, forbid, permit) in [
        // Of devices, that nobody manages them is assumed.
        (&managed, "when { resource.coManaged }", "error", "warning"),
        (
            &managed,
            "unless { !resource.coManaged }",
            "error",
            "warning",
        ),
        (
            &managed,
            "when { resource.coManaged == true }",
            "error",
            "warning",
        ),
        (
            &managed,
            "when { false != resource.coManaged }",
            "error",
            "warning",
        ),
        (
            &managed,
            "when { principal.cloudOnly && resource.coManaged }",
            "error",
            "warning",
        ),
        (
            &managed,
            "when { if resource.coManaged then true else false }",
            "error",
            "warning",
        ),
        (
            &managed,
            "unless { resource.coManaged }",
            "warning",
            "error",
        ),
        (&managed, "when { !resource.coManaged }", "warning", "error"),
        (
            &managed,
            "when { resource.coManaged == principal.cloudOnly }",
            "error",
            "error",
        ),
        (
            &managed,
            "when { resource.name like \"PC*\" }",
            "none",
            "none",
        ),
        // Of people, that they are cloud-only.
        (&cloud, "when { !principal.cloudOnly }", "error", "warning"),
        (&cloud, "unless { principal.cloudOnly }", "error", "warning"),
        (&cloud, "when { principal.cloudOnly }", "warning", "error"),
        // What is absent for want of knowing it.
        (
            &system,
            "when { resource has operatingSystem && resource.operatingSystem like \"*Server*\" }",
            "error",
            "warning",
        ),
        (
            &system,
            "unless { resource has operatingSystem && resource.operatingSystem like \"*Server*\" }",
            "warning",
            "error",
        ),
        (
            &unknown,
            "when { principal has configMgr }",
            "error",
            "warning",
        ),
        (
            &unknown,
            "unless { principal has configMgr.read }",
            "warning",
            "error",
        ),
        // A set in which more may be.
        (&some, &format!("when {{ {is_found} }}"), "error", "warning"),
        (
            &some,
            &format!("unless {{ {is_found} }}"),
            "warning",
            "error",
        ),
        (
            &some,
            "unless { principal has configMgr && resource in principal.configMgr.read }",
            "warning",
            "error",
        ),
        (
            &some,
            "when { principal has configMgr && principal.configMgr.read.isEmpty() }",
            "error",
            "error",
        ),
        // That an account is enabled is what its absence counts as.
        (
            &managed,
            "when { principal has accountEnabled && !principal.accountEnabled }",
            "warning",
            "warning",
        ),
    ] {
        for (effect, expected) in [("forbid", forbid), ("permit", permit)] {
            let found = told(&validate(entity, effect, condition));
            assert_eq!(found, expected, "{effect} {condition}");
        }
    }
    // What is known of everybody is no matter.
    let known = device("d7", "PC-7", "H");
    let found = told(&validate(&known, "forbid", "when { resource.coManaged }"));
    assert_eq!(found, "none");
    // What ships depends on much that is assumed, and permits less by it.
    let workspace = Tarbac::with_tenant(&[("entities/x.json", &entities(&[cloud, some]))]);
    assert_eq!(told(&workspace), "none");
}

#[test]
fn policy_unknown_members() {
    let group = |id: &str, attributes: Value, parents: &[(&str, &str)]| {
        entity("Entra::Group", id, attributes, parents)
    };
    let unknown = json!({"membersUnknown": true});
    let within = [
        group("outer", json!({}), &[]),
        group("hidden", unknown, &[("Entra::Group", "outer")]),
        group("listed", json!({"membersUnknown": false}), &[]),
    ];
    let policy = |condition: &str| {
        format!("@id(\"custom.x\")\n@doc(\"x\")\n@message(\"No.\")\n@advice(\"Ask.\")\n{condition}")
    };
    let validate = |condition: &str| {
        let files = [
            ("policies/custom/x.cedar", policy(condition)),
            ("entities/x.json", entities(&within)),
        ];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        Tarbac::with_tenant(&files).run(&["validate"])
    };
    let forbid = "forbid (principal in Entra::Group::\"hidden\", action == Intune::Action::\"runScript\", resource);\n";
    insta::assert_snapshot!(validate(forbid), @r#"
    policy::unformatted

      ⚠ `policies/custom/x.cedar` is not formatted
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ▲
       · ╰── in this file
     2 │ @doc("x")
       ╰────
      help: run `tarbac fmt`

    policy::unknown_members

      × the policy `custom.x` depends on who is in `Entra::Group::"hidden"`, of which not every member is known
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ───────┬───────
       ·        ╰── named here
     2 │ @doc("x")
       ╰────
      help: it may hold nobody back: export the members, or name something else

    errors: 1 error, 1 warning
    --- exit 1
    "#);
    for (condition, status) in [
        // In a group, and in one that it is a member of.
        (
            "forbid (principal in Entra::Group::\"outer\", action == Intune::Action::\"runScript\", resource);",
            1,
        ),
        (
            "permit (principal, action == Intune::Action::\"runScript\", resource) unless { principal in Entra::Group::\"hidden\" };",
            1,
        ),
        (
            "forbid (principal, action == Intune::Action::\"runScript\", resource) when { principal in [Entra::Group::\"listed\", Entra::Group::\"hidden\"] };",
            1,
        ),
        // Somebody more in it would only be refused less, or not be permitted.
        (
            "forbid (principal in Entra::Group::\"listed\", action == Intune::Action::\"runScript\", resource);",
            0,
        ),
        (
            "forbid (principal, action == Intune::Action::\"runScript\", resource) unless { principal in Entra::Group::\"hidden\" };",
            0,
        ),
        (
            "permit (principal in Entra::Group::\"hidden\", action == Intune::Action::\"runScript\", resource);",
            0,
        ),
    ] {
        let ran = validate(condition);
        assert_eq!(ran.status, status, "{condition}: {ran}");
    }
}

#[test]
fn entities_narrowed_without_need() {
    let narrowed = json!({ "narrowedRole": uid("Intune::Role", "Help Desk Operator") });
    let narrowed = [
        entity(
            "Intune::RoleAssignment",
            "a2",
            narrowed,
            &[("Intune::Tenant", "t")],
        ),
        user("u9", "kim@t.example", &[("Intune::RoleAssignment", "a2")]),
    ];
    insta::assert_snapshot!(more(&narrowed), @r#"
    entities::narrowed_without_need

      × a role assignment has its role as narrowedRole where it counts: the tenant has no Scoped permissions, or the
      │ assignment has the scope tag Default or none: `Intune::RoleAssignment::"a2"`
       ╭─[entities/x.json:3:1]
     3 │ {"uid": {"type": "Entra::User", "id": "u9"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "t"}, "userPrincipalName": "kim@t.example", "cloudOnly": true}
       · ┬
       · ╰── through here, for example for `Entra::User::"u9"`
       ╰────
      help: Give the assignment its role as a parent, and take narrowedRole out.

    errors: 1 error
    --- exit 1
    "#);
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
fn as_json() {
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
fn loopholes() {
    // The ways to each of these are in `loopholes.rs`.
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

      × the forbid `custom.x` silences whoever answers `Tarbac::Action::"finding"`
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

#[test]
fn policy_ids() {
    let named = |id: &str| {
        policy(&format!(
            "@id(\"{id}\")\n@doc(\"A role.\")\npermit (\n  principal in Intune::Role::\"r\",\n  action == Intune::Action::\"updateRoles\",\n  resource\n);\n"
        ))
    };
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

#[test]
fn entities_that_contradict_each_other() {
    let collection = |id: &str, hierarchy: &str, parents: &[(&str, &str)]| {
        let hierarchy = json!({ "hierarchy": uid("ConfigMgr::Hierarchy", hierarchy) });
        entity("ConfigMgr::Collection", id, hierarchy, parents)
    };
    insta::assert_snapshot!(more(&[
        hierarchy("O", "t", false),
        collection("O1", "O", &[]),
        entity("ConfigMgr::Device", "d9", device("d9", "PC-9", "H")["attrs"].clone(), &[("ConfigMgr::Collection", "O1")]),
    ]), @r#"
    entities::foreign_collection

      × a device is in a collection of another hierarchy: `ConfigMgr::Device::"d9"` and `ConfigMgr::Collection::"O1"`
       ╭─[entities/x.json:4:1]
     4 │ {"uid": {"type": "ConfigMgr::Device", "id": "d9"}, "attrs": {"name": "PC-9", "coManaged": false, "hierarchy": {"type": "ConfigMgr::Hierarchy", "id": "H"}}, "par
       · ┬
       · ╰── this one
       ╰────
       ╭─[entities/x.json:3:1]
     3 │ {"uid": {"type": "ConfigMgr::Collection", "id": "O1"}, "attrs": {"hierarchy": {"type": "ConfigMgr::Hierarchy", "id": "O"}}, "parents": []},
       · ┬
       · ╰── and this one
       ╰────
      help: Take the device out of the collection, or correct the hierarchy of one of the two.

    errors: 1 error
    --- exit 1
    "#);
    insta::assert_snapshot!(more(&[
        hierarchy("O", "t", false),
        collection("O1", "O", &[]),
        collection("H1", "H", &[("ConfigMgr::Collection", "O1")]),
    ]), @r#"
    entities::foreign_limiting_collection

      × a collection is limited to a collection of another hierarchy: `ConfigMgr::Collection::"H1"` and
      │ `ConfigMgr::Collection::"O1"`
       ╭─[entities/x.json:4:1]
     4 │ {"uid": {"type": "ConfigMgr::Collection", "id": "H1"}, "attrs": {"hierarchy": {"type": "ConfigMgr::Hierarchy", "id": "H"}}, "parents": [{"type": "ConfigMgr::Col
       · ┬
       · ╰── this one
       ╰────
       ╭─[entities/x.json:3:1]
     3 │ {"uid": {"type": "ConfigMgr::Collection", "id": "O1"}, "attrs": {"hierarchy": {"type": "ConfigMgr::Hierarchy", "id": "O"}}, "parents": []},
       · ┬
       · ╰── and this one
       ╰────
      help: Limit the collection to one of its own hierarchy, or correct the hierarchy of one of the two.

    errors: 1 error
    --- exit 1
    "#);
    let configmgr = |read: &str, discovered: &str| {
        let sets = [
            "readResource",
            "notifyResource",
            "runCmPivot",
            "runScript",
            "readBitLockerRecoveryKey",
            "readScripts",
            "readApplications",
            "approveApplications",
            "discoveredByActiveDirectory",
        ];
        let of = |type_name: &str, id: &str| match id {
            "" => json!([]),
            id => uids(type_name, &[id]),
        };
        let mut permissions: serde_json::Map<String, Value> = sets
            .map(|set| (set.to_owned(), json!([])))
            .into_iter()
            .collect();
        permissions.insert("read".to_owned(), of("ConfigMgr::Collection", read));
        permissions.insert(
            "discoveredByEntra".to_owned(),
            of("ConfigMgr::Hierarchy", discovered),
        );
        with(
            user("u9", "eve@t.example", &[]),
            "configMgr",
            Value::Object(permissions),
        )
    };
    let foreign = [
        tenant_entity("other", true),
        hierarchy("F", "other", true),
        collection("F1", "F", &[]),
    ];
    insta::assert_snapshot!(more(&[&foreign[..], &[configmgr("F1", "")]].concat()), @r#"
    entities::foreign_permission

      × a person has a permission on a collection whose hierarchy is attached to another tenant: `Entra::User::"u9"` and
      │ `ConfigMgr::Collection::"F1"`
       ╭─[entities/x.json:5:1]
     5 │ {"uid": {"type": "Entra::User", "id": "u9"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "t"}, "userPrincipalName": "eve@t.example", "cloudOnly": true,
       · ┬
       · ╰── this one
       ╰────
       ╭─[entities/x.json:4:1]
     4 │ {"uid": {"type": "ConfigMgr::Collection", "id": "F1"}, "attrs": {"hierarchy": {"type": "ConfigMgr::Hierarchy", "id": "F"}}, "parents": []},
       · ┬
       · ╰── and this one
       ╰────
      help: Take the collection out of the permissions of the person, or correct the tenant of the hierarchy.

    errors: 1 error
    --- exit 1
    "#);
    insta::assert_snapshot!(more(&[&foreign[..], &[configmgr("", "F")]].concat()), @r#"
    entities::foreign_hierarchy

      × a person is discovered, or has a permission, in a hierarchy that is attached to another tenant:
      │ `Entra::User::"u9"` and `ConfigMgr::Hierarchy::"F"`
       ╭─[entities/x.json:5:1]
     5 │ {"uid": {"type": "Entra::User", "id": "u9"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "t"}, "userPrincipalName": "eve@t.example", "cloudOnly": true,
       · ┬
       · ╰── this one
       ╰────
       ╭─[entities/x.json:3:1]
     3 │ {"uid": {"type": "ConfigMgr::Hierarchy", "id": "F"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "other"}, "version": 2403, "enforceConfigMgrRbac": tru
       · ┬
       · ╰── and this one
       ╰────
      help: Take the hierarchy out of what the person has, or correct its tenant.

    errors: 1 error
    --- exit 1
    "#);
    insta::assert_snapshot!(more(&[&foreign[..], &[user("u9", "ana@t.example ", &[])]].concat()), @r#"
    entities::unfit_name

      ⚠ the name of `Entra::User::"u9"` begins or ends with a blank
       ╭─[entities/x.json:5:1]
     5 │ {"uid": {"type": "Entra::User", "id": "u9"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "t"}, "userPrincipalName": "ana@t.example ", "cloudOnly": true
       · ┬
       · ╰── this one
       ╰────
      help: whoever reads the name takes it for another: correct it, or name this one by its id

    warnings: 1 warning
    rules: shipped, revision …
    --- exit 0
    "#);
    insta::assert_snapshot!(more(&[&foreign[..], &[user("u9", "\u{430}na@t.example", &[])]].concat()), @r#"
    entities::similar_name

      ⚠ `аna@t.example`, the name of `Entra::User::"u9"`, looks like `ana@t.example`, that of `Entra::User::"u1"`
       ╭─[entities/x.json:5:1]
     5 │ {"uid": {"type": "Entra::User", "id": "u9"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "t"}, "userPrincipalName": "аna@t.example", "cloudOnly": true
       · ┬
       · ╰── this one
       ╰────
       ╭─[entities/tenant.json:7:1]
     7 │ {"uid": {"type": "Entra::User", "id": "u1"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "t"}, "userPrincipalName": "ana@t.example", "cloudOnly": true}
       · ┬
       · ╰── this one
       ╰────
      help: whoever reads one takes it for the other: correct one of the two

    entities::unfit_name

      ⚠ the name of `Entra::User::"u9"` has letters of several scripts in one word, some of which look like others
       ╭─[entities/x.json:5:1]
     5 │ {"uid": {"type": "Entra::User", "id": "u9"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "t"}, "userPrincipalName": "аna@t.example", "cloudOnly": true
       · ┬
       · ╰── this one
       ╰────
      help: whoever reads the name takes it for another: correct it, or name this one by its id

    warnings: 2 warnings
    rules: shipped, revision …
    --- exit 0
    "#);
    insta::assert_snapshot!(more(&[&foreign[..], &[user("u9", "ANA@t.example", &[])]].concat()), @r#"
    entities::shared_name

      ⚠ `ana@t.example` is the name of `Entra::User::"u1"` and `Entra::User::"u9"`
       ╭─[entities/tenant.json:7:1]
     7 │ {"uid": {"type": "Entra::User", "id": "u1"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "t"}, "userPrincipalName": "ana@t.example", "cloudOnly": true}
       · ┬
       · ╰── this one
       ╰────
       ╭─[entities/x.json:5:1]
     5 │ {"uid": {"type": "Entra::User", "id": "u9"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "t"}, "userPrincipalName": "ANA@t.example", "cloudOnly": true}
       · ┬
       · ╰── this one
       ╰────
      help: correct one of the two: a request that gives the name cannot be decided

    warnings: 1 warning
    rules: shipped, revision …
    --- exit 0
    "#);
}

/// The codes that nothing small provokes.
const EXEMPT: [(&str, &str); 2] = [
    ("policy::unread", "a panic within Cedar's parser"),
    ("entities::too_large", "four thousand million entities"),
];

#[test]
fn every_code_has_an_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = std::fs::read_to_string(root.join("tests/it/validate.rs")).unwrap();
    let areas = ["policy::", "schema::", "entities::", "manifest::"];
    let known = code::ALL.iter().map(|(code, _)| code.to_string());
    let known = known.filter(|code| areas.iter().any(|area| code.starts_with(area)));
    let given = codes_of_policies().into_iter().map(|(code, _)| code);
    let codes: BTreeSet<String> = known.chain(given).collect();
    for code in &codes {
        let is_exempt = EXEMPT.iter().any(|(exempt, _)| exempt == code);
        let has_example = examples.contains(&format!("    {code}\n"));
        assert!(
            is_exempt != has_example,
            "`{code}`: exempt {is_exempt}, example {has_example}"
        );
    }
    for (code, _) in EXEMPT {
        assert!(codes.contains(code), "`{code}` is exempt and is not there");
    }
}

#[test]
fn codes_stand_in_one_file() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let areas: BTreeSet<&str> = code::ALL
        .iter()
        .filter_map(|(code, _)| code.as_ref().split("::").next())
        .collect();
    let is_code = |quoted: &str| {
        let rest = quoted
            .split_once("::")
            .filter(|(area, _)| areas.contains(area));
        rest.is_some_and(|(_, name)| {
            let mut letters = name.chars();
            letters.all(|letter| letter.is_ascii_lowercase() || "_{}".contains(letter))
        })
    };
    for entry in walkdir::WalkDir::new(&source) {
        let path = entry.unwrap().into_path();
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        if !is_rust || path.ends_with("diagnostic/code.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        // The path of a function is none.
        let text = text.replace("schema_with = \"schema::", "");
        let code = text.split('"').find(|quoted| is_code(quoted));
        assert_eq!(code, None, "{}", path.display());
    }
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
fn manifest_syntax() {
    let manifest = |text: &str| Tarbac::with(&[("policies/tarbac.yaml", text)]).run(&["validate"]);
    insta::assert_snapshot!(manifest("# Ours.\nreplace: shipped\n"), @"
    manifest::syntax

      × `replace` is no key of a manifest
       ╭─[policies/tarbac.yaml:2:1]
     1 │ # Ours.
     2 │ replace: shipped
       · ───┬───
       ·    ╰── in this manifest
       ╰────
      help: a manifest is the line `replaces: shipped`, and says that the files beside it are in force and none of those
            that ship

    errors: 1 error
    --- exit 1
    ");
    for text in [
        "",
        "# replaces: shipped\n",
        "replaces:\n",
        "replaces: yes\n",
        "replaces: true\n",
        "replaces: Shipped\n",
        "replaces: [shipped]\n",
        "replaces: shipped\nreplaces: shipped\n",
        "replaces: shipped\nversion: 1\n",
        "replaces: shipped\n---\nreplaces: shipped\n",
        "Replaces: shipped\n",
        "- replaces: shipped\n",
        "shipped\n",
    ] {
        let ran = manifest(text);
        assert_eq!(ran.status, 1, "{ran}");
        assert!(ran.stdout.contains("manifest::syntax"), "{text:?} {ran}");
        assert!(
            ran.stdout.contains("[policies/tarbac.yaml:"),
            "{text:?} {ran}"
        );
    }
}

#[test]
fn manifest_misplaced() {
    insta::assert_snapshot!(Tarbac::with(&[
        ("schema/custom/tarbac.yaml", "replaces: shipped\n"),
    ]).run(&["validate"]), @"
    manifest::misplaced

      × `schema/custom/tarbac.yaml` is not read: a manifest stands in `schema` itself
       ╭─[schema/custom/tarbac.yaml:1:1]
       ╰────
      help: move it there, or remove it

    errors: 1 error
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

#[test]
fn a_parent_that_skips_the_assignment_is_no_parent() {
    for (type_name, id) in [
        ("Intune::Role", "Help Desk Operator"),
        ("Intune::Tenant", "t"),
        ("Intune::ScopeTag", "0"),
    ] {
        let ran = more(&[user("u9", "cyd@t.example", &[(type_name, id)])]);
        assert_eq!(ran.status, 1, "{ran}");
        assert!(ran.stdout.contains("entities::nonconforming"), "{ran}");
    }
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
