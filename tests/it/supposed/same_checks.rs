//! A fact that is given passes the same checks as one in a file.

use serde_json::{Value, json};

use crate::tarbac::{Ran, Tarbac, sample};

/// Policies of a workspace that forbid nobody once a fact is given, with the fact and the finding.
const CASES: [(&str, &str, &str); 5] = [
    (
        r#"(principal in Entra::Group::"00000000-0000-4000-8000-0000000000c2", action == Intune::Action::"runScript", resource)"#,
        r#"Entra::Group::"00000000-0000-4000-8000-0000000000c2".membersUnknown=true"#,
        "depends on who is in",
    ),
    (
        r#"(principal, action == Intune::Action::"runScript", resource) when { resource in ConfigMgr::Collection::"TST00015" }"#,
        r#"ConfigMgr::Collection::"TST00015".membersUnknown=true"#,
        "depends on who is in",
    ),
    (
        r#"(principal, action == Intune::Action::"runScript", resource) when { principal in Intune::Role::"Policy and Profile Manager" }"#,
        r#"ada@contoso.example.assignmentsWithLicenseUnknown=[{"type": "Intune::RoleAssignment", "id": "00000000-0000-4000-8000-0000000000e4"}]"#,
        "depends on who is in",
    ),
    (
        r#"(principal, action == Intune::Action::"runScript", resource) when { principal.userPrincipalName == "ada@contoso.example" }"#,
        r#"ada@contoso.example.userPrincipalName="Ada@contoso.example""#,
        "compares `",
    ),
    (
        r#"(principal, action == Intune::Action::"runScript", resource) when { resource.name == "WS-TST-001" }"#,
        r#"WS-TST-001.name="ws-tst-001""#,
        "compares `",
    ),
];

/// The decision about a request under a forbid and a fact.
fn checked(workspace: &Tarbac, scope: &str, fact: &str) -> Ran {
    let policy = format!(
        "@id(\"custom.x\")\n@doc(\"x\")\n@message(\"x\")\n@advice(\"x\")\nforbid {scope};\n"
    );
    workspace.write("policies/custom/x.cedar", policy);
    let check = ["check", "ada@contoso.example", "runScript", "WS-TST-001"];
    workspace.run(&[&check[..], &["--set", fact]].concat())
}

#[test]
fn a_rule_that_a_given_fact_makes_void_is_an_error() {
    for (scope, fact, finding) in CASES {
        let ran = checked(&sample(), scope, fact);
        assert_eq!(ran.status, 2, "{fact}\n{ran}");
        assert!(ran.stderr.contains(finding), "{fact}\n{ran}");
    }
}

/// The members are unknown in the file, and only the given attribute leads to them.
#[test]
fn an_attribute_that_leads_to_unknown_members_is_an_error() {
    let group = "00000000-0000-4000-8000-0000000000c3";
    let workspace = sample();
    let groups = workspace.read("entities/groups.json");
    let mut groups: Value = serde_json::from_str(&groups).unwrap();
    let mut all = groups.as_array_mut().unwrap().iter_mut();
    let hidden = all.find(|of| of["uid"]["id"] == group).unwrap();
    hidden["attrs"]["membersUnknown"] = true.into();
    workspace.write("entities/groups.json", groups.to_string());
    let scope = r#"(principal, action == Intune::Action::"runScript", resource) when { principal has eligibleGroups && principal in principal.eligibleGroups }"#;
    let fact = format!(
        r#"ada@contoso.example.eligibleGroups=[{{"type": "Entra::Group", "id": "{group}"}}]"#
    );
    let ran = checked(&workspace, scope, &fact);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("depends on who is in"), "{ran}");
    let ran = checked(&workspace, scope, "ada@contoso.example.cloudOnly=true");
    assert_eq!(ran.status, 0, "{ran}");
}

/// The members of a group are unknown in the file, and a parent that is given puts it into another.
#[test]
fn a_parent_that_leads_to_unknown_members_is_an_error() {
    let [outer, middle, inner] =
        ["d7", "d8", "d9"].map(|end| format!("00000000-0000-4000-8000-0000000000{end}"));
    let group = |id: &str, hidden: bool, parents: &[&String]| {
        let parents = parents.iter();
        let parents: Vec<Value> = parents
            .map(|id| json!({"type": "Entra::Group", "id": id}))
            .collect();
        let mut group = json!({
            "uid": {"type": "Entra::Group", "id": id},
            "attrs": {"displayName": id},
            "parents": parents,
        });
        if hidden {
            group["attrs"]["membersUnknown"] = true.into();
        }
        group
    };
    let workspace = sample();
    let groups = json!([
        group(&outer, false, &[]),
        group(&middle, false, &[]),
        group(&inner, true, &[&middle]),
    ]);
    workspace.write("entities/nested.json", groups.to_string());
    let scope = format!(
        r#"(principal in Entra::Group::"{outer}", action == Intune::Action::"runScript", resource)"#
    );
    let fact = format!(r#"Entra::Group::"{middle}" in Entra::Group::"{outer}"=true"#);
    let ran = checked(&workspace, &scope, &fact);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("depends on who is in"), "{ran}");
    let ran = checked(&workspace, &scope, "ada@contoso.example.cloudOnly=true");
    assert_eq!(ran.status, 0, "{ran}");
}
