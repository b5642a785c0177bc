//! Findings about a tenant as a whole: settings and assignments without effect, and data that contradict each other.

use serde_json::{Value, json};

use super::{more, with};
use crate::tarbac::Ran;
use crate::world::{assignment, device, entity, hierarchy, tenant_entity, uid, uids, user};

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

      × a tenant has Scoped permissions, and a role assignment that is without the scope tag Default stands in its role
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

fn collection(id: &str, hierarchy: &str, parents: &[(&str, &str)]) -> Value {
    let hierarchy = json!({ "hierarchy": uid("ConfigMgr::Hierarchy", hierarchy) });
    entity("ConfigMgr::Collection", id, hierarchy, parents)
}

#[test]
fn a_device_in_a_collection_of_another_hierarchy_is_an_error() {
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
}

#[test]
fn a_collection_that_is_limited_to_one_of_another_hierarchy_is_an_error() {
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
}

/// Somebody who may read a collection, or is discovered in a hierarchy.
fn administrator(read: &str, discovered: &str) -> Value {
    let none = [
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
    let mut permissions: serde_json::Map<String, Value> = none
        .map(|set| (set.to_owned(), json!([])))
        .into_iter()
        .collect();
    let read = of("ConfigMgr::Collection", read);
    permissions.insert("read".to_owned(), read);
    let discovered = of("ConfigMgr::Hierarchy", discovered);
    permissions.insert("discoveredByEntra".to_owned(), discovered);
    let person = user("u9", "eve@t.example", &[]);
    with(person, "configMgr", Value::Object(permissions))
}

/// A person, beside another tenant with a hierarchy and a collection.
fn beside_another_tenant(person: Value) -> Ran {
    more(&[
        tenant_entity("other", true),
        hierarchy("F", "other", true),
        collection("F1", "F", &[]),
        person,
    ])
}

#[test]
fn a_permission_in_another_tenant_is_an_error() {
    insta::assert_snapshot!(beside_another_tenant(administrator("F1", "")), @r#"
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
}

#[test]
fn a_person_who_is_discovered_in_another_tenant_is_an_error() {
    insta::assert_snapshot!(beside_another_tenant(administrator("", "F")), @r#"
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
}

#[test]
fn a_name_that_ends_with_a_blank_is_told() {
    insta::assert_snapshot!(beside_another_tenant(user("u9", "ana@t.example ", &[])), @r#"
    entities::similar_name

      ⚠ `ana@t.example `, the name of `Entra::User::"u9"`, looks like `ana@t.example`, that of `Entra::User::"u1"`
       ╭─[entities/x.json:5:1]
     5 │ {"uid": {"type": "Entra::User", "id": "u9"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "t"}, "userPrincipalName": "ana@t.example ", "cloudOnly": true
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

      ⚠ the name of `Entra::User::"u9"` begins or ends with a blank
       ╭─[entities/x.json:5:1]
     5 │ {"uid": {"type": "Entra::User", "id": "u9"}, "attrs": {"tenant": {"type": "Intune::Tenant", "id": "t"}, "userPrincipalName": "ana@t.example ", "cloudOnly": true
       · ┬
       · ╰── this one
       ╰────
      help: whoever reads the name takes it for another: correct it, or name this one by its id

    warnings: 2 warnings
    rules: shipped, revision …
    --- exit 0
    "#);
}

#[test]
fn a_name_in_letters_that_look_like_others_is_told() {
    insta::assert_snapshot!(beside_another_tenant(user("u9", "\u{430}na@t.example", &[])), @r#"
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
}

#[test]
fn a_name_that_two_have_is_told() {
    insta::assert_snapshot!(beside_another_tenant(user("u9", "ANA@t.example", &[])), @r#"
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
