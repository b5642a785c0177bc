//! Scoped permissions of a tenant: what is said of assignments whose role gives nothing, and opting in.

use serde_json::{Value, json};

use crate::tarbac::{Ran, Tarbac, contoso};
use crate::world::{assignment, device, entities, entity, hierarchy, tenant_entity, uid, user};

const TENANT: (&str, &str) = ("Intune::Tenant", "t");
const DESK: (&str, &str) = ("Intune::Role", "Help Desk Operator");
const BRANCH: (&str, &str) = ("Intune::ScopeTag", "3");

/// The attributes of an assignment whose role gives nothing.
fn narrowed_role() -> Value {
    json!({ "narrowedRole": uid("Intune::Role", "Help Desk Operator") })
}

/// A tenant with or without Scoped permissions, or of which it is not known, with Ana in the assignment a1.
fn workspace(scoped: Option<bool>, assignment: Value) -> Tarbac {
    let mut tenant = tenant_entity("t", true);
    if let Some(scoped) = scoped {
        tenant["attrs"]["scopedPermissions"] = json!(scoped);
    }
    let workspace = Tarbac::with(&[]);
    let tag = |id: &str| entity("Intune::ScopeTag", id, json!({}), &[]);
    let all = [
        tenant,
        hierarchy("H", "t", false),
        device("d1", "PC-1", "H"),
        tag("0"),
        tag("3"),
        tag("*"),
        assignment,
        user("u1", "ana@t.example", &[("Intune::RoleAssignment", "a1")]),
    ];
    workspace.write("entities/all.json", entities(&all));
    workspace
}

const SCOPED: Option<bool> = Some(true);
const CHECK: [&str; 4] = ["check", "ana@t.example", "runScript", "PC-1"];

#[test]
fn an_assignment_without_its_role_gives_nothing_and_is_told() {
    let narrowed = entity(
        "Intune::RoleAssignment",
        "a1",
        narrowed_role(),
        &[TENANT, BRANCH],
    );
    let workspace = workspace(SCOPED, narrowed);
    insta::assert_snapshot!(workspace.run(&CHECK), @r#"
    DENY  not permitted — The admin center hides this page or action.
    --- stderr
    note: The tenant has Scoped permissions, and this role assignment is without the scope tag Default, so that its role gives nothing on tenant-attached devices. (Intune::RoleAssignment::"a1")
    --- exit 1
    "#);
    let explained = workspace.run(&["explain", "ana@t.example", "runScript", "PC-1"]);
    let said = [
        "ana@t.example holds no role that counts here:",
        "a1 gives Help Desk Operator elsewhere than on tenant-attached devices",
        "add the scope tag 0 to the role assignment a1",
    ];
    for said in said {
        assert!(explained.stdout.contains(said), "{said}: {explained}");
    }
    let explained = workspace.run(&[
        "explain",
        "ana@t.example",
        "runScript",
        "PC-1",
        "--format",
        "json",
    ]);
    let explained: Value = serde_json::from_str(&explained.stdout).unwrap();
    assert_eq!(
        explained["roles"]["withheld"][0]["entity"]["id"],
        "Help Desk Operator"
    );
    let access = workspace.run(&["access"]);
    assert!(
        access
            .stdout
            .contains("Assignments that give nothing here: 1 of 1"),
        "{access}"
    );
    assert!(!access.stdout.contains("all of them can go"), "{access}");
}

/// What is offered is allowed once it is done.
#[test]
fn the_scope_tag_that_is_advised_lifts_the_refusal() {
    let narrowed = entity(
        "Intune::RoleAssignment",
        "a1",
        narrowed_role(),
        &[TENANT, BRANCH],
    );
    let workspace = workspace(SCOPED, narrowed);
    let ran = workspace.run(&[
        "what-if",
        "--set",
        r#"Intune::RoleAssignment::"a1" in Intune::ScopeTag::"0"=true"#,
    ]);
    assert!(ran.stdout.contains("13 decisions gained, 0 lost"), "{ran}");
    assert!(
        ran.stdout
            .contains("now permitted by roles.help-desk-operator"),
        "{ran}"
    );
}

#[test]
fn what_contradicts_the_setting_of_the_tenant_is_an_error() {
    let both = entity(
        "Intune::RoleAssignment",
        "a1",
        narrowed_role(),
        &[TENANT, BRANCH, DESK],
    );
    let neither = assignment("a1", &[TENANT, BRANCH]);
    let in_role = assignment("a1", &[TENANT, BRANCH, DESK]);
    let narrowed = |tag: &str| {
        entity(
            "Intune::RoleAssignment",
            "a1",
            narrowed_role(),
            &[TENANT, ("Intune::ScopeTag", tag)],
        )
    };
    let off = Some(false);
    for (scoped, assignment, code) in [
        (SCOPED, both.clone(), "entities::superfluous_parent"),
        (None, both, "entities::superfluous_parent"),
        (SCOPED, neither, "entities::missing_parent"),
        (SCOPED, in_role.clone(), "entities::unnarrowed_assignment"),
        (None, narrowed("3"), "entities::narrowed_without_need"),
        (off, narrowed("3"), "entities::narrowed_without_need"),
        (SCOPED, narrowed("0"), "entities::narrowed_without_need"),
        (SCOPED, narrowed("*"), "entities::narrowed_without_need"),
    ] {
        let workspace = workspace(scoped, assignment);
        let ran = workspace.run(&["validate"]);
        assert!(format!("{ran}").contains(code), "{code}: {ran}");
        assert_eq!(ran.status, 1, "{code}: {ran}");
        // Nothing is decided with it.
        assert_eq!(workspace.run(&CHECK).status, 2, "{code}");
    }
    for scoped in [None, off] {
        let ran = workspace(scoped, in_role.clone()).run(&CHECK);
        assert_eq!(ran.status, 0, "{ran}");
    }
}

#[test]
fn opting_in_moves_the_assignments_with_other_scope_tags() {
    let in_role = assignment("a1", &[TENANT, BRANCH, DESK]);
    let workspace = workspace(None, in_role);
    for change in [
        ["--scoped-permissions", "on"],
        ["--scoped-permissions", "t=on"],
        ["--set", "t.scopedPermissions=true"],
    ] {
        let ran = workspace.run(&[&["what-if"][..], &change].concat());
        assert!(
            ran.stdout.contains("0 decisions gained, 13 lost"),
            "{change:?}: {ran}"
        );
    }
    let with_default = assignment("a1", &[TENANT, BRANCH, DESK, ("Intune::ScopeTag", "0")]);
    let without_tags = assignment("a1", &[TENANT, DESK, ("Intune::ScopeTag", "*")]);
    for assignment in [with_default, without_tags] {
        let workspace = self::workspace(None, assignment);
        let ran = workspace.run(&["what-if", "--scoped-permissions", "on"]);
        assert!(ran.stdout.contains("Nothing changes"), "{ran}");
    }
}

/// Every decision after opting in is that of the assignments by themselves.
#[test]
fn only_those_of_the_tenant_that_opts_in_are_moved() {
    let lost = |tenant: &str| -> Ran {
        contoso(&["what-if", "--scoped-permissions", &format!("{tenant}=on")])
    };
    let ran = lost("contoso");
    assert!(
        ran.stdout
            .contains("1 account loses everything: quinn@contoso.example"),
        "{ran}"
    );
    assert!(ran.stdout.contains("0 decisions gained"), "{ran}");
    let ran = lost("fabrikam");
    assert!(ran.stdout.contains("Nothing changes"), "{ran}");
}

#[test]
fn opting_in_cannot_be_undone() {
    let narrowed = entity(
        "Intune::RoleAssignment",
        "a1",
        narrowed_role(),
        &[TENANT, BRANCH],
    );
    let workspace = workspace(SCOPED, narrowed);
    for change in [
        ["--scoped-permissions", "off"],
        ["--scoped-permissions", "t=off"],
        ["--set", "t.scopedPermissions=false"],
        [
            "--set",
            r#"Intune::Tenant::"t" has scopedPermissions=false"#,
        ],
    ] {
        let ran = workspace.run(&[&["what-if"][..], &change].concat());
        assert_eq!(ran.status, 2, "{change:?}: {ran}");
        let said = "t has opted in to Scoped permissions, and opting in cannot be undone";
        assert!(ran.stderr.contains(said), "{change:?}: {ran}");
    }
    let ran = contoso(&["what-if", "--scoped-permissions", "contoso=off"]);
    assert!(ran.stdout.contains("Nothing changes"), "{ran}");
}

/// The scope tag `*` stands for none: beside another one it would be believed, and give what the tag takes away.
#[test]
fn no_scope_tags_and_one_contradict_each_other() {
    let both = assignment("a1", &[TENANT, BRANCH, DESK, ("Intune::ScopeTag", "*")]);
    let ran = workspace(None, both).run(&CHECK);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("entities::superfluous_parent"), "{ran}");
}

/// The first scope tag takes the place of `*`, and `*` that of the last one.
#[test]
fn a_scope_tag_that_is_supposed_takes_the_place_of_none() {
    let tag = |tag: &str, is: bool| {
        format!(r#"Intune::RoleAssignment::"a1" in Intune::ScopeTag::"{tag}"={is}"#)
    };
    let supposed = |from: &str, set: &[String]| {
        let workspace = workspace(
            None,
            assignment("a1", &[TENANT, DESK, ("Intune::ScopeTag", from)]),
        );
        let mut check = [&CHECK[..], &["--scoped-permissions", "on"]].concat();
        check.extend(set.iter().flat_map(|set| ["--set", set.as_str()]));
        workspace.run(&check).status
    };
    assert_eq!(supposed("*", &[]), 0);
    assert_eq!(supposed("*", &[tag("3", true)]), 1);
    assert_eq!(supposed("3", &[]), 1);
    assert_eq!(supposed("3", &[tag("3", false)]), 0);
}
