//! Findings about policies that depend on what a tenant did not say.

use serde_json::{Value, json};

use super::with;
use crate::tarbac::{Ran, Tarbac};
use crate::world::{device, entities, entity, uids, user};

/// A device, with attributes that are not known but assumed, as an import has it where no export tells.
fn device_with(assumed: &str) -> Value {
    with(device("d7", "PC-7", "H"), "assumed", json!([assumed]))
}

/// Likewise a person.
fn person_with(attribute: &str, value: Value) -> Value {
    let person = with(user("u7", "eve@t.example", &[]), attribute, value);
    with(person, "assumed", json!([attribute]))
}

/// The small tenant with an entity, and a policy beside those that ship.
fn beside(entity: &Value, effect: &str, condition: &str) -> Tarbac {
    let policy = format!(
        "@id(\"custom.x\")\n@doc(\"x\")\n@message(\"No.\")\n@advice(\"Ask.\")\n{effect} (principal, action == Intune::Action::\"runScript\", resource)\n{condition};\n"
    );
    Tarbac::with_tenant(&[
        ("policies/custom/x.cedar", &policy),
        ("entities/x.json", &entities(std::slice::from_ref(entity))),
    ])
}

/// What becomes of decisions by an assumed value, as a warning says it: `open` where none is given, `decided` where they
/// are made by that value, or `none` without a warning.
fn consequence(workspace: &Tarbac) -> &'static str {
    let ran = workspace.run(&["validate", "--format", "json"]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let findings = document["findings"].as_array().unwrap().iter();
    let mut of_code = findings.filter(|of| of["code"] == "policy::assumed_value");
    let Some(finding) = of_code.next() else {
        return "none";
    };
    assert!(of_code.next().is_none(), "{ran}");
    assert_eq!(finding["severity"], "warning", "{ran}");
    let help = finding["help"].as_str().unwrap();
    match help.starts_with("no decision is given where it matters") {
        true => "open",
        false => "decided",
    }
}

/// Conditions with the consequence that each has as a forbid and as a permit.
fn are_found(entity: &Value, cases: &[(&str, &str, &str)]) {
    for (condition, forbid, permit) in cases {
        for (effect, expected) in [("forbid", forbid), ("permit", permit)] {
            let found = consequence(&beside(entity, effect, condition));
            assert_eq!(found, *expected, "{effect} {condition}");
        }
    }
}

#[test]
fn a_forbid_by_a_value_that_is_assumed_is_told() {
    let workspace = beside(
        &device_with("coManaged"),
        "forbid",
        "when { resource.coManaged }",
    );
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

      ⚠ the policy `custom.x` depends on `coManaged` of `ConfigMgr::Device::"d7"`, which is not known but assumed
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
      help: no decision is given where it matters: import the value from devices.csv, or set it by hand and take it out of
            the assumed ones, or decide by something else

    warnings: 2 warnings
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
    let ran = workspace.run(&["check", "ana@t.example", "runScript", "PC-7"]);
    assert_eq!(ran.status, 2, "{ran}");
}

#[test]
fn of_devices_it_is_assumed_that_nobody_manages_them() {
    are_found(
        &device_with("coManaged"),
        &[
            ("when { resource.coManaged }", "open", "decided"),
            ("unless { !resource.coManaged }", "open", "decided"),
            ("when { resource.coManaged == true }", "open", "decided"),
            ("when { false != resource.coManaged }", "open", "decided"),
            (
                "when { principal.cloudOnly && resource.coManaged }",
                "open",
                "decided",
            ),
            (
                "when { if resource.coManaged then true else false }",
                "open",
                "decided",
            ),
            ("unless { resource.coManaged }", "decided", "open"),
            ("when { !resource.coManaged }", "decided", "open"),
            (
                "when { resource.coManaged == principal.cloudOnly }",
                "open",
                "open",
            ),
            ("when { resource.name like \"PC*\" }", "none", "none"),
            // That an account is enabled is what its absence counts as.
            (
                "when { principal has accountEnabled && !principal.accountEnabled }",
                "decided",
                "decided",
            ),
        ],
    );
    // What is known of everybody is no matter.
    let known = device("d7", "PC-7", "H");
    let found = consequence(&beside(&known, "forbid", "when { resource.coManaged }"));
    assert_eq!(found, "none");
}

#[test]
fn of_people_it_is_assumed_that_they_are_cloud_only() {
    are_found(
        &person_with("cloudOnly", json!(true)),
        &[
            ("when { !principal.cloudOnly }", "open", "decided"),
            ("unless { principal.cloudOnly }", "open", "decided"),
            ("when { principal.cloudOnly }", "decided", "open"),
        ],
    );
}

#[test]
fn what_is_absent_for_want_of_knowing_it_is_assumed() {
    let is_server = "resource has operatingSystem && resource.operatingSystem like \"*Server*\"";
    are_found(
        &device_with("operatingSystem"),
        &[
            (&format!("when {{ {is_server} }}"), "open", "decided"),
            (&format!("unless {{ {is_server} }}"), "decided", "open"),
        ],
    );
    let unknown = with(
        user("u7", "eve@t.example", &[]),
        "assumed",
        json!(["configMgr"]),
    );
    are_found(
        &unknown,
        &[
            ("when { principal has configMgr }", "open", "decided"),
            ("unless { principal has configMgr.read }", "decided", "open"),
        ],
    );
}

/// What a person may in Configuration Manager: nothing that is known, and more may be.
fn administrator() -> Value {
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
    administrator["discoveredByActiveDirectory"] = uids("ConfigMgr::Hierarchy", &["H"]);
    administrator
}

#[test]
fn there_may_be_more_in_a_set_that_is_assumed() {
    let is_found = "principal has configMgr && principal.configMgr.discoveredByEntra.contains(resource.hierarchy)";
    are_found(
        &person_with("configMgr", administrator()),
        &[
            (&format!("when {{ {is_found} }}"), "open", "decided"),
            (&format!("unless {{ {is_found} }}"), "decided", "open"),
            (
                "unless { principal has configMgr && resource in principal.configMgr.read }",
                "decided",
                "open",
            ),
            (
                "when { principal has configMgr && principal.configMgr.read.isEmpty() }",
                "open",
                "open",
            ),
        ],
    );
}

/// It depends on much that is assumed, and permits less by it.
#[test]
fn what_ships_may_depend_on_what_is_assumed() {
    let cloud = person_with("cloudOnly", json!(true));
    let some = person_with("configMgr", administrator());
    for person in [cloud, some] {
        let workspace = Tarbac::with_tenant(&[("entities/x.json", &entities(&[person]))]);
        assert_eq!(consequence(&workspace), "none");
    }
}

/// A group of which not every member is known, in another, and one of which they are.
fn groups() -> [Value; 3] {
    let group = |id: &str, attributes: Value, parents: &[(&str, &str)]| {
        entity("Entra::Group", id, attributes, parents)
    };
    let unknown = json!({"membersUnknown": true});
    [
        group("outer", json!({}), &[]),
        group("hidden", unknown, &[("Entra::Group", "outer")]),
        group("listed", json!({"membersUnknown": false}), &[]),
    ]
}

/// What is found in a policy about these groups.
pub(super) fn about_groups(policy: &str) -> Ran {
    let policy =
        format!("@id(\"custom.x\")\n@doc(\"x\")\n@message(\"No.\")\n@advice(\"Ask.\")\n{policy}");
    let files = [
        ("policies/custom/x.cedar", policy.as_str()),
        ("entities/x.json", &entities(&groups())),
    ];
    Tarbac::with_tenant(&files).run(&["validate"])
}

#[test]
fn a_forbid_by_members_of_whom_not_all_are_known_is_an_error() {
    let forbid = "forbid (principal in Entra::Group::\"hidden\", action == Intune::Action::\"runScript\", resource);\n";
    insta::assert_snapshot!(about_groups(forbid), @r#"
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
       ·        ╰── asked here
     2 │ @doc("x")
       ╰────
      help: it may hold nobody back: export the members, or decide by something else

    errors: 1 error, 1 warning
    --- exit 1
    "#);
}

#[test]
fn it_is_no_error_where_more_members_would_only_be_permitted_more() {
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
        let ran = about_groups(condition);
        assert_eq!(ran.status, status, "{condition}: {ran}");
    }
}

/// An attribute of devices that names a group, a device with these values, and a policy of one's own.
fn about_reached(attributes: Value, policy: &str) -> Ran {
    let schema = "namespace ConfigMgr {\n@doc(\"A device of one's own.\")\nentity Laptop = {\n@doc(\"Its name.\") @alias name: String,\n@doc(\"Its owners.\") owners?: Entra::Group,\n@doc(\"Those held off.\") blocked?: Set<Entra::Group>,\n@doc(\"Its hierarchy.\") hierarchy: Hierarchy };\n}\nnamespace Intune {\n@doc(\"Wipe.\") @name(\"Remote tasks/Wipe\") @unguarded(\"No guardrail is about it.\")\naction wipe appliesTo { principal: Entra::User, resource: ConfigMgr::Laptop };\n}\n";
    let policy =
        format!("@id(\"custom.x\")\n@doc(\"x\")\n@message(\"No.\")\n@advice(\"Ask.\")\n{policy}");
    let mut laptop = entity("ConfigMgr::Laptop", "l", attributes, &[]);
    laptop["attrs"]["name"] = json!("L-1");
    laptop["attrs"]["hierarchy"] = crate::world::uid("ConfigMgr::Hierarchy", "H");
    let [outer, mut hidden, listed] = groups();
    // The tenant has members that are not known, too.
    hidden["parents"] = json!([
        crate::world::uid("Entra::Group", "outer"),
        crate::world::uid("Intune::RoleAssignment", "a1"),
    ]);
    let files = [
        ("schema/custom/x.cedarschema", schema),
        ("policies/custom/x.cedar", policy.as_str()),
        (
            "entities/x.json",
            &entities(&[outer, hidden, listed, laptop]),
        ),
    ];
    Tarbac::with_tenant(&files).run(&["validate"])
}

#[test]
fn members_that_are_not_known_are_reached_by_expressions_too() {
    let group = |id: &str| crate::world::uid("Entra::Group", id);
    let of = |id: &str| json!({"owners": group(id), "blocked": [group(id)]});
    let scope = "(principal, action == Intune::Action::\"wipe\", resource)";
    // Each is asked about a group with unknown members, and about one of which they are known.
    for (condition, is_tenant) in [
        ("resource has owners && principal in resource.owners", false),
        (
            "resource has blocked && principal in resource.blocked",
            false,
        ),
        (
            "resource has owners && principal in [Entra::Group::\"listed\", resource.owners]",
            false,
        ),
        (
            "resource has owners && principal in (if principal.cloudOnly then resource.owners else Entra::Group::\"listed\")",
            false,
        ),
        ("principal in principal.tenant", true),
        ("principal in resource.hierarchy.tenant", true),
        ("principal in [resource.hierarchy.tenant]", true),
    ] {
        for (id, is_unknown) in [("hidden", true), ("outer", true), ("listed", is_tenant)] {
            for (policy, allows_more) in [
                (format!("forbid {scope} when {{ {condition} }};"), true),
                (format!("permit {scope} unless {{ {condition} }};"), true),
                (format!("permit {scope} when {{ !({condition}) }};"), true),
                (format!("forbid {scope} unless {{ {condition} }};"), false),
                (format!("permit {scope} when {{ {condition} }};"), false),
            ] {
                let ran = about_reached(of(id), &policy);
                assert_eq!(
                    ran.to_string().contains("policy::unknown_members"),
                    is_unknown && allows_more,
                    "{id} {policy}: {ran}"
                );
                assert_eq!(
                    ran.status,
                    i32::from(is_unknown && allows_more),
                    "{policy}: {ran}"
                );
            }
        }
    }
}
