//! Findings about policies that depend on what a tenant did not say.

use serde_json::{Value, json};

use crate::tarbac::Tarbac;
use crate::world::{device, entities, entity, uids, user};

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
      help: it may hold nobody back: import the value from devices.csv, or set it by hand and take it out of the assumed
            ones, or decide by something else

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
