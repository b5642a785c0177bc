//! What changes for whom, on the sample tenant: `what-if` and `diff`, and the formats of both.

mod diff;
mod formats;
mod selection;

use serde_json::{Value, json};

use crate::tarbac::{Ran, Tarbac, contoso, sample};
use crate::world::{entities, tenant};

/// What the question of use-intune-rbac.md is about: production follows the test hierarchy.
const PRODUCTION: &[&str] = &["what-if", "--enforce-configmgr-rbac", "P01=off"];

fn production(arguments: &[&str]) -> Ran {
    contoso(&[PRODUCTION, arguments].concat())
}

fn json_of(ran: &Ran) -> Value {
    assert_eq!(ran.status, 1, "{ran}");
    serde_json::from_str(&ran.stdout).unwrap()
}

fn totals(changes: &[&str]) -> Value {
    let ran = contoso(&[&["what-if", "--format", "json"], changes].concat());
    serde_json::from_str::<Value>(&ran.stdout).unwrap()["totals"].take()
}

#[test]
fn production_follows_the_test_hierarchy() {
    let ran = production(&[]);
    assert!(ran.stdout.lines().count() <= 50, "it fits a screen: {ran}");
    insta::assert_snapshot!(ran);
    // Whoever loses most comes first.
    let document = json_of(&production(&["--format", "json"]));
    let lost = changed(&document, "lost");
    assert!(lost.is_sorted_by(|one, other| one >= other), "{lost:?}");
    assert_ne!(lost.first(), lost.last());
}

/// For each group of people how many decisions about each of them are gained, or lost.
fn changed(document: &Value, change: &str) -> Vec<u64> {
    let people = document["people"].as_array().unwrap().iter();
    let count = |of: &Value| -> u64 {
        let changes = of["changes"].as_array().unwrap().iter();
        let changes = changes.filter(|of| of["change"] == change);
        changes.map(|of| of["count"].as_u64().unwrap()).sum()
    };
    people.map(count).collect()
}

#[test]
fn every_row_with_every_device() {
    insta::assert_snapshot!(contoso(&[
        "what-if",
        "--revoke",
        "ada@contoso.example=Help Desk Operator",
        "--set",
        "samir@contoso.example.cloudOnly=true",
        "--all",
    ]));
}

/// Each number and each name is what check says before and after.
#[test]
fn it_is_what_check_says_before_and_after() {
    let ran = production(&["--all", "--format", "json"]);
    let document = json_of(&ran);
    let cleared = sample();
    let checks: Vec<String> = ["ada", "samir", "tess", "noah"]
        .iter()
        .flat_map(|name| {
            ["viewTimeline", "enrollNow", "runScript"]
                .iter()
                .flat_map(move |action| {
                    ["WS-BER-014", "SRV-SQL-01", "WS-TST-001", "WS-OLD-001"]
                        .iter()
                        .map(move |device| {
                            let principal = format!("{name}@contoso.example");
                            json!({"principal": principal, "action": action, "resource": device})
                                .to_string()
                        })
                })
        })
        .collect();
    let requests = checks.join("\n") + "\n";
    let file = "entities/hierarchies.json";
    let mut hierarchies: Value = serde_json::from_str(&cleared.read(file)).unwrap();
    for hierarchy in hierarchies.as_array_mut().unwrap() {
        if hierarchy["uid"]["id"] == "P01" {
            hierarchy["attrs"]["enforceConfigMgrRbac"] = json!(false);
        }
    }
    cleared.write(file, hierarchies.to_string());
    let decided = |ran: Ran| -> Vec<bool> {
        let lines = ran
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|line| line["decision"] == "allow").collect()
    };
    let before = decided(crate::tarbac::contoso_with(
        &["check", "--requests", "-"],
        requests.as_bytes(),
    ));
    let after = decided(cleared.run_with(&["check", "--requests", "-"], requests.as_bytes()));
    assert_eq!(before.len(), checks.len());
    let mut changed = 0;
    for (check, (before, after)) in checks.iter().zip(before.iter().zip(&after)) {
        let check: Value = serde_json::from_str(check).unwrap();
        let said = document["people"]
            .as_array()
            .unwrap()
            .iter()
            .find_map(|touched| {
                let is_named = |of: &Value| of["name"] == check["principal"];
                touched["principals"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|of| is_named(of))?;
                touched["changes"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .find_map(|change| {
                        let mut devices = change["resources"].as_array().unwrap().iter();
                        let is_it = change["action"] == check["action"]
                            && devices.any(|device| device["name"] == check["resource"]);
                        is_it.then(|| change["change"].as_str().unwrap().to_owned())
                    })
            });
        let expected = match (before, after) {
            (false, true) => Some("gained"),
            (true, false) => Some("lost"),
            _ => None,
        };
        assert_eq!(said.as_deref(), expected, "{check}");
        changed += usize::from(expected.is_some());
    }
    assert!(changed > 5, "{changed}");
}

#[test]
fn flags_say_what_they_do() {
    // A flag without a name is about everything that has the attribute.
    let all = totals(&["--enforce-configmgr-rbac", "off"]);
    let one_by_one: Vec<String> = ["P01", "OLD", "ANT", "RNG", "TST", "FAB"]
        .iter()
        .map(|hierarchy| format!("--enforce-configmgr-rbac={hierarchy}=off"))
        .collect();
    let one_by_one: Vec<&str> = one_by_one.iter().map(String::as_str).collect();
    assert_eq!(all, totals(&one_by_one));
    // The same, in Cedar's words.
    let set = r#"ConfigMgr::Hierarchy::"P01".enforceConfigMgrRbac=false"#;
    assert_eq!(totals(&["--set", set]), totals(&PRODUCTION[1..]));
    assert_eq!(
        totals(&["--set", "P01.enforceConfigMgrRbac=off"]),
        totals(&PRODUCTION[1..])
    );
    assert_eq!(totals(&[])["gained"], 0);
    let granted = totals(&["--grant", "mia@contoso.example=Help Desk Operator"]);
    assert_eq!(
        (&granted["people_gaining"], &granted["lost"]),
        (&json!(1), &json!(0))
    );
    let desk = totals(&["--grant", "Berlin Service Desk=Intune Role Administrator"]);
    assert!(desk["gained"].as_u64().unwrap() > 0, "{desk}");
    // A group without a role is of the tenant that its members are of.
    let administrators = "Configuration Manager Administrators=Help Desk Operator";
    let administrators = totals(&["--grant", administrators]);
    assert!(
        administrators["people_gaining"].as_u64() > Some(1),
        "{administrators}"
    );
    let old = totals(&[
        "--site-version",
        "OLD=2403",
        "--enforce-configmgr-rbac",
        "OLD=off",
    ]);
    assert!(old["gained"].as_u64().unwrap() > 0, "{old}");
    // What a flag says of one thing holds whatever it says of everything, in any order.
    let but_for_one = totals(&[
        "--enforce-configmgr-rbac",
        "P01=off",
        "--enforce-configmgr-rbac",
        "on",
    ]);
    assert_eq!(
        but_for_one,
        totals(&[
            "--enforce-configmgr-rbac",
            "on",
            "--enforce-configmgr-rbac",
            "P01=off",
        ])
    );
    // What is said twice is said.
    assert_eq!(
        totals(&[&PRODUCTION[1..], &PRODUCTION[1..]].concat()),
        totals(&PRODUCTION[1..])
    );
    let reading = totals(&["--reading", "discovery-either"]);
    assert_eq!(reading["lost"], 0);
    assert!(reading["gained"].as_u64().unwrap() > 0, "{reading}");
}

#[test]
fn what_cannot_be_changed_is_an_error() {
    let errors: &[(&[&str], &str)] = &[
        (&["--set", "P01.foo=3"], "has no attribute `foo`"),
        (&["--set", "nobody.version=3"], "is called `nobody`"),
        (&["--set", "P01"], "write an attribute, an equals sign"),
        (&["--set", "P01.version=new"], "must be a Long"),
        (
            &["--grant", "ada@contoso.example"],
            "an equals sign, and the role",
        ),
        (
            &["--grant", "ada@contoso.example=Fooling"],
            "no role is called `Fooling`",
        ),
        (
            &["--grant", "WS-BER-014=Help Desk Operator"],
            "no user or group is called `WS-BER-014`",
        ),
        (
            &["--revoke", "mia@contoso.example=Help Desk Operator"],
            "does not have that role",
        ),
        (
            &["--site-version", "Reykjavik=2403"],
            "there are: ANT, FAB, OLD, P01, RNG, TST",
        ),
        (&["--use-intune-rbac", "perhaps"], "must be a Bool"),
        (
            &["--enforce-configmgr-rbac", "P01"],
            "--enforce-configmgr-rbac NAME=VALUE",
        ),
        (
            &["--use-intune-rbac", "on", "--use-intune-rbac", "off"],
            "`--use-intune-rbac on` and `--use-intune-rbac off` contradict each other",
        ),
        (
            &["--site-version", "P01=2403", "--set", "P01.version=2409"],
            "`--site-version P01=2403` and `--set P01.version=2409` contradict each other",
        ),
        (
            &[
                "--grant",
                "ada@contoso.example=Help Desk Operator",
                "--revoke",
                "ada@contoso.example=Help Desk Operator",
            ],
            "contradict",
        ),
        (
            &[
                "--grant",
                "ada@contoso.example=Help Desk Operator",
                "--revoke",
                "ADA@contoso.example=Help Desk Operator",
            ],
            "contradict",
        ),
        (
            &["--grant", "ada@contoso.example=help desk operator"],
            "did you mean `Help Desk Operator`?",
        ),
        (&["--reading", "imagined"], "imagined"),
    ];
    for (changes, said) in errors {
        let ran = contoso(&[&["what-if"], *changes].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
        assert!(ran.stderr.contains(said), "{said}: {ran}");
        // One for each change that is wrong, however much it would change.
        assert_eq!(ran.stderr.matches("×").count(), 1, "{ran}");
    }
}

#[test]
fn without_a_change_nothing_changes() {
    let ran = contoso(&["what-if"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.starts_with("Nothing changes"), "{ran}");
    assert!(ran.stderr.contains("no change is named"), "{ran}");
}

/// Whoever leaves a group for the sake of a role has nothing else of the group either, which is said.
#[test]
fn a_role_that_a_group_gives_is_revoked_with_the_group() {
    let workspace = sample();
    let revoke = [
        "what-if",
        "--revoke",
        "ada@contoso.example=Help Desk Operator",
    ];
    let says = "gives more than Help Desk Operator: School Administrator";
    let ran = workspace.run(&revoke);
    assert!(!ran.stdout.contains("gives more than"), "{ran}");
    // The same group has another role.
    let file = "entities/groups.json";
    let mut groups: Value = serde_json::from_str(&workspace.read(file)).unwrap();
    for group in groups.as_array_mut().unwrap() {
        if group["attrs"]["displayName"] == "Service Desk" {
            let parents = group["parents"].as_array_mut().unwrap();
            parents.push(json!({ "type": "Intune::RoleAssignment", "id": "school" }));
        }
    }
    groups.as_array_mut().unwrap().push(json!({
        "uid": { "type": "Intune::RoleAssignment", "id": "school" },
        "attrs": {},
        "parents": [
            { "type": "Intune::Role", "id": "School Administrator" },
            { "type": "Intune::Tenant", "id": "contoso" },
            { "type": "Intune::ScopeTag", "id": "0" },
        ],
    }));
    workspace.write(file, groups.to_string());
    let run = |format: &str| workspace.run(&[&revoke[..], &["--format", format]].concat());
    for format in ["human", "markdown", "html", "json", "ndjson"] {
        let ran = run(format);
        let on_one_line = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(on_one_line.contains(says), "{ran}");
    }
}

/// What is named beside a workspace counts as the change, so without a workspace everything would be one.
#[test]
fn nothing_is_compared_with_a_folder_that_is_no_workspace() {
    let tarbac = Tarbac::with(&[("elsewhere/tenant.json", &entities(&tenant()))]);
    let ran = tarbac.run(&[
        "--entities",
        "elsewhere",
        "what-if",
        "--use-intune-rbac",
        "off",
    ]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("is no workspace"), "{ran}");
}
