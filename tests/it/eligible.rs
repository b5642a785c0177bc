//! Memberships that somebody can activate: a notice, a remedy, and whoever is listed apart.

use serde_json::{Value, json};

use crate::tarbac::Tarbac;
use crate::world::{assignment, entities, entity, tenant, uid, uids};

const ASK: [&str; 3] = ["bob@t.example", "runScript", "PC-1"];

/// The small tenant, in which Bob has these attributes besides, with a group that has the role, one in that
/// group, one without a role, and the directory roles.
fn workspace(attributes: &Value, more: &[Value]) -> Tarbac {
    let mut all = with_attributes(tenant(), "u2", attributes);
    let group = |id: &str, parents: &[(&str, &str)]| {
        entity("Entra::Group", id, json!({ "displayName": id }), parents)
    };
    all.extend([
        group("desk", &[("Intune::RoleAssignment", "a1")]),
        group("inner", &[("Entra::Group", "desk")]),
        group("other", &[]),
        entity(
            "Entra::DirectoryRole",
            "Intune Administrator",
            json!({}),
            &[],
        ),
        entity("Entra::DirectoryRole", "Reports Reader", json!({}), &[]),
    ]);
    all.extend_from_slice(more);
    Tarbac::with(&[("entities/tenant.json", &entities(&all))])
}

/// The same entities, of which one has these attributes besides.
fn with_attributes(mut all: Vec<Value>, id: &str, attributes: &Value) -> Vec<Value> {
    let entity = all.iter_mut().find(|entity| entity["uid"]["id"] == id);
    let of_entity = entity.unwrap()["attrs"].as_object_mut().unwrap();
    of_entity.extend(attributes.as_object().unwrap().clone());
    all
}

fn groups(ids: &[&str]) -> Value {
    json!({ "eligibleGroups": uids("Entra::Group", ids) })
}

fn roles(ids: &[&str]) -> Value {
    json!({ "eligibleDirectoryRoles": uids("Entra::DirectoryRole", ids) })
}

fn check(workspace: &Tarbac) -> String {
    workspace.run(&[&["check"][..], &ASK].concat()).to_string()
}

fn json_of(workspace: &Tarbac, arguments: &[&str]) -> Value {
    let ran = workspace.run(&[arguments, &["--format", "json"]].concat());
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"))
}

#[test]
fn a_refusal_that_the_activation_would_lift_is_told() {
    insta::assert_snapshot!(check(&workspace(&groups(&["desk"]), &[])), @r#"
    DENY  not permitted — You don't have access to view this information. Make sure a proper user role is assigned from Intune.
    --- stderr
    note: The person is eligible for this group: with the membership activated in Privileged Identity Management, it is allowed. (Entra::Group::"desk")
    --- exit 1
    "#);
    insta::assert_snapshot!(check(&workspace(&roles(&["Intune Administrator"]), &[])), @r#"
    DENY  not permitted — You don't have access to view this information. Make sure a proper user role is assigned from Intune.
    --- stderr
    note: The person is eligible for this Microsoft Entra role: with it activated in Privileged Identity Management, it is allowed. (Entra::DirectoryRole::"Intune Administrator")
    --- exit 1
    "#);
    // About a tenant as well.
    let workspace_of_tenant = workspace(&roles(&["Intune Administrator"]), &[]);
    let ran = workspace_of_tenant.run(&["check", "bob@t.example", "Roles/Update", "t"]);
    assert!(
        ran.stderr.contains("Privileged Identity Management"),
        "{ran}"
    );
    // By way of a group in the group.
    let inner = check(&workspace(&groups(&["inner"]), &[]));
    assert!(inner.contains(r#"(Entra::Group::"inner")"#), "{inner}");
}

/// It is said only where deciding again allows.
#[test]
fn what_would_not_help_is_not_told() {
    let mut disabled = groups(&["desk"]);
    disabled["accountEnabled"] = json!(false);
    for attributes in [
        groups(&["other"]),
        groups(&[]),
        roles(&["Reports Reader"]),
        disabled,
    ] {
        let checked = check(&workspace(&attributes, &[]));
        assert!(checked.starts_with("DENY"), "{attributes}: {checked}");
        assert!(
            !checked.contains("Privileged Identity"),
            "{attributes}: {checked}"
        );
        let workspace = workspace(&attributes, &[]);
        let who = json_of(&workspace, &["who", "runScript", "PC-1", "--eligible"]);
        assert_eq!(who["eligible"].as_array().unwrap().len(), 0, "{attributes}");
    }
    // Nor to somebody who is allowed it already.
    let workspace = workspace(&groups(&["desk"]), &[]);
    let all = serde_json::from_str(&workspace.read("entities/tenant.json")).unwrap();
    let all = with_attributes(all, "u1", &roles(&["Intune Administrator"]));
    workspace.write("entities/tenant.json", entities(&all));
    let ran = workspace
        .run(&["check", "ana@t.example", "runScript", "PC-1"])
        .to_string();
    assert!(
        ran.starts_with("ALLOW") && !ran.contains("Privileged"),
        "{ran}"
    );
}

/// One that gives the role in the tenant, and one that brings the scope tag that a reading asks for.
#[test]
fn what_takes_several_is_told_of_each_together() {
    let parents = |id: &str, role: &str, tag: &str| {
        let parents = [
            ("Intune::Role", role),
            ("Intune::Tenant", "t"),
            ("Intune::ScopeTag", tag),
        ];
        assignment(id, &parents)
    };
    let group = |id: &str, to: &str| {
        entity(
            "Entra::Group",
            id,
            json!({}),
            &[("Intune::RoleAssignment", to)],
        )
    };
    let more = [
        entity("Intune::ScopeTag", "0", json!({}), &[]),
        entity("Intune::ScopeTag", "3", json!({}), &[]),
        parents("a2", "Help Desk Operator", "3"),
        parents("a3", "Read Only Operator", "0"),
        group("branch", "a2"),
        group("readers", "a3"),
    ];
    let workspace = workspace(&groups(&["branch", "other", "readers"]), &more);
    let reading = ["--reading", "default-scope-tag"];
    let checked = workspace.run(&[&["check"][..], &ASK, &reading].concat());
    let checked = checked.to_string();
    assert!(
        checked.contains(r#"together with `Entra::Group::"readers"` (Entra::Group::"branch")"#),
        "{checked}"
    );
    assert!(!checked.contains("other"), "{checked}");
    let who = json_of(
        &workspace,
        &[&["who", "runScript", "PC-1", "--eligible"][..], &reading].concat(),
    );
    assert_eq!(
        who["eligible"][0]["ways"][0]["activate"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn whoever_may_after_activating_stands_apart_with_the_path() {
    let workspace = workspace(&groups(&["inner"]), &[]);
    let who = ["who", "runScript", "PC-1"];
    insta::assert_snapshot!(workspace.run(&[&who[..], &["--eligible"]].concat()), @r"
    1 account may Run script on PC-1
      ana@t.example
        ana@t.example -> role assignment a1 -> role Help Desk Operator

    1 account may not now, but may after activating an eligible membership
      bob@t.example
        bob@t.example -> group inner -> group desk -> role assignment a1 -> role Help Desk Operator

    0 other accounts may not (--may-not says why)
    --- exit 0
    ");
    let plain = workspace.run(&who).to_string();
    assert!(!plain.contains("bob"), "{plain}");
    let json = json_of(&workspace, &[&who[..], &["--eligible"]].concat());
    let names = |path: &Value| -> Vec<String> {
        let steps = path.as_array().unwrap().iter();
        steps
            .map(|step| step["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let eligible = &json["eligible"][0];
    assert_eq!(eligible["principal"]["name"], "bob@t.example");
    assert_eq!(
        names(&eligible["ways"][0]["paths"][0]),
        ["bob@t.example", "inner", "desk", "a1", "Help Desk Operator"]
    );
    assert!(json_of(&workspace, &who).get("eligible").is_none());
    assert_eq!(eligible["messages"].as_array().unwrap().len(), 1);
}

const WHO: [&str; 4] = ["who", "runScript", "PC-1", "--eligible"];

/// Bob, who is eligible, and Cleo, who is not.
fn bob_and_cleo() -> Tarbac {
    let cleo = entity(
        "Entra::User",
        "cleo",
        json!({ "tenant": uid("Intune::Tenant", "t"), "userPrincipalName": "cleo@t.example", "cloudOnly": false }),
        &[],
    );
    workspace(&groups(&["inner"]), &[cleo])
}

/// Whoever is eligible may not now: the decision is that of `check`, and it is told once.
#[test]
fn whoever_is_eligible_is_told_once() {
    let workspace = bob_and_cleo();
    insta::assert_snapshot!(workspace.run(&[&WHO[..], &["--may-not"]].concat()), @r#"
    1 account may Run script on PC-1
      ana@t.example
        ana@t.example -> role assignment a1 -> role Help Desk Operator

    1 account may not now, but may after activating an eligible membership
      bob@t.example
        now: no policy permits it
        bob@t.example -> group inner -> group desk -> role assignment a1 -> role Help Desk Operator

    1 other account may not
      1: no policy permits it
        "You don't have access to view this information. Make sure a proper user role is assigned from
          Intune."
        cleo@t.example
    --- exit 0
    "#);
    let json = json_of(&workspace, &WHO);
    let names = json["may_not"].as_array().unwrap().iter().flat_map(|of| {
        let principals = of["principals"].as_array().unwrap().iter();
        principals.map(|of| of["name"].as_str().unwrap())
    });
    assert_eq!(names.collect::<Vec<_>>(), ["cleo@t.example"]);
    // Nobody is apart where it was not asked for.
    let plain = json_of(&workspace, &WHO[..3]);
    assert!(plain.to_string().contains("bob@t.example"), "{plain}");
    assert!(plain.get("eligible").is_none(), "{plain}");
}

#[test]
fn whoever_is_eligible_is_on_one_row_of_a_table() {
    let workspace = bob_and_cleo();
    insta::assert_snapshot!(workspace.run(&[&WHO[..], &["--format", "csv"]].concat()), @r#"
    principal,principal_name,decision,policies,through,says,errors,with,eligible
    "Entra::User::""u1""",ana@t.example,allow,roles.help-desk-operator,ana@t.example -> role assignment a1 -> role Help Desk Operator,,,,
    "Entra::User::""u2""",bob@t.example,deny,,,You don't have access to view this information. Make sure a proper user role is assigned from Intune.,,,bob@t.example -> group inner -> group desk -> role assignment a1 -> role Help Desk Operator
    "Entra::User::""cleo""",cleo@t.example,deny,,,You don't have access to view this information. Make sure a proper user role is assigned from Intune.,,,
    --- exit 0
    "#);
    insta::assert_snapshot!(workspace.run(&[&WHO[..], &["--format", "markdown"]].concat()), @r#"
    | principal | principal_name | decision | policies | through | says | errors | with | eligible |
    |---|---|---|---|---|---|---|---|---|
    | Entra::User::"u1" | ana@t.example | allow | roles.help-desk-operator | ana@t.example -\> role assignment a1 -\> role Help Desk Operator |  |  |  |  |
    | Entra::User::"u2" | bob@t.example | deny |  |  | You don't have access to view this information. Make sure a proper user role is assigned from Intune. |  |  | bob@t.example -\> group inner -\> group desk -\> role assignment a1 -\> role Help Desk Operator |
    --- exit 0
    "#);
}

#[test]
fn explain_offers_to_activate_it() {
    let workspace = workspace(&groups(&["other", "desk"]), &[]);
    let explained = json_of(&workspace, &[&["explain"][..], &ASK].concat());
    let first = &explained["changes"]["alternatives"][0];
    assert_eq!(first.as_array().unwrap().len(), 1, "{first}");
    assert_eq!(first[0]["kind"], "activate");
    assert_eq!(first[0]["attribute"], "eligibleGroups");
    assert_eq!(first[0]["value"]["id"], "desk");
    assert_eq!(
        first[0]["sentence"],
        "let bob@t.example activate the membership of desk in Privileged Identity Management"
    );
}

/// What somebody can activate is held to the tenant like what they have.
#[test]
fn an_eligible_group_of_another_tenant_is_found() {
    let more = [
        entity("Intune::Tenant", "x", json!({ "useIntuneRbac": true }), &[]),
        assignment(
            "ax",
            &[
                ("Intune::Role", "Help Desk Operator"),
                ("Intune::Tenant", "x"),
            ],
        ),
        entity(
            "Entra::Group",
            "foreign",
            json!({}),
            &[("Intune::RoleAssignment", "ax")],
        ),
    ];
    let ran = workspace(&groups(&["foreign"]), &more)
        .run(&["validate"])
        .to_string();
    assert!(ran.contains("entities::foreign_assignment"), "{ran}");
}

/// Nobody is in it now, and somebody can be.
#[test]
fn what_can_be_activated_cannot_go() {
    let more = |id: &str| {
        entity(
            "Intune::RoleAssignment",
            id,
            json!({ "displayName": id }),
            &[
                ("Intune::Role", "Help Desk Operator"),
                ("Intune::Tenant", "t"),
                ("Intune::ScopeTag", "*"),
            ],
        )
    };
    let group = |id: &str, parents: &[(&str, &str)]| {
        entity("Entra::Group", id, json!({ "displayName": id }), parents)
    };
    let more = [
        more("later"),
        more("never"),
        group("outer", &[("Intune::RoleAssignment", "later")]),
        group("waiting", &[("Entra::Group", "outer")]),
        group("nobody", &[("Intune::RoleAssignment", "never")]),
    ];
    let document = json_of(&workspace(&groups(&["waiting"]), &more), &["access"]);
    let gives = |to: &str| {
        let assignments = document["assignments"].as_array().unwrap().iter();
        let of: Vec<&Value> = assignments.filter(|of| of["to"]["name"] == to).collect();
        assert_eq!(of.len(), 1, "{document}");
        of[0]["gives"].clone()
    };
    assert_eq!(gives("later"), "suspended");
    assert_eq!(gives("never"), "nothing");
}
