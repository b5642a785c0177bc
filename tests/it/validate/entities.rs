//! Findings about entities, one by one and as a hierarchy.

use serde_json::json;

use super::{more, with};
use crate::tarbac::Tarbac;
use crate::world::{assignment, device, entity, tenant_entity, uid, user};

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

      × attribute `hierarchy` of `ConfigMgr::Device::"d2"` refers to `ConfigMgr::Hierarchy::"G"`, which does not exist
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
fn entities_several_parents() {
    insta::assert_snapshot!(more(&[assignment("a2", &[("Intune::Role", "Help Desk Operator"), ("Intune::Role", "Read Only Operator"), ("Intune::Tenant", "t")]), user("u3", "eve@t.example", &[("Intune::RoleAssignment", "a2")])]), @r#"
    entities::several_parents

      × `Intune::RoleAssignment::"a2"` has several parents of type `Intune::Role`: `Intune::Role::"Help Desk Operator"`,
      │ `Intune::Role::"Read Only Operator"`
       ╭─[entities/x.json:2:1]
     1 │ [
     2 │ {"uid": {"type": "Intune::RoleAssignment", "id": "a2"}, "attrs": {}, "parents": [{"type": "Intune::Role", "id": "Help Desk Operator"}, {"type": "Intune::Role", 
       · ┬
       · ╰── this entity
       ╰────
      help: a `Intune::RoleAssignment` has one: keep one of them in its `parents`

    errors: 1 error
    --- exit 1
    "#);
    insta::assert_snapshot!(more(&[tenant_entity("s", true), assignment("a2", &[("Intune::Role", "Help Desk Operator"), ("Intune::Tenant", "s"), ("Intune::Tenant", "t")]), user("u3", "eve@t.example", &[("Intune::RoleAssignment", "a2")])]), @r#"
    entities::several_parents

      × `Intune::RoleAssignment::"a2"` has several parents of type `Intune::Tenant`: `Intune::Tenant::"s"`,
      │ `Intune::Tenant::"t"`
       ╭─[entities/x.json:3:1]
     3 │ {"uid": {"type": "Intune::RoleAssignment", "id": "a2"}, "attrs": {}, "parents": [{"type": "Intune::Role", "id": "Help Desk Operator"}, {"type": "Intune::Tenant"
       · ┬
       · ╰── this entity
       ╰────
      help: a `Intune::RoleAssignment` has one: keep one of them in its `parents`

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
