//! What changes for whom, on the sample tenant: `what-if` and `diff`, and the formats of both.

mod diff;
mod formats;
mod selection;

use serde_json::{Value, json};

use crate::tarbac::{Ran, Tarbac, contoso, contoso_with, sample};
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

/// Requests of several people, actions and devices.
fn requests() -> Vec<Value> {
    let mut requests = Vec::new();
    for name in ["ada", "samir", "tess", "noah"] {
        let principal = format!("{name}@contoso.example");
        for action in ["viewTimeline", "enrollNow", "runScript"] {
            for device in ["WS-BER-014", "SRV-SQL-01", "WS-TST-001", "WS-OLD-001"] {
                requests
                    .push(json!({"principal": principal, "action": action, "resource": device}));
            }
        }
    }
    requests
}

/// The sample tenant in which the checkbox of production is cleared.
fn cleared() -> Tarbac {
    let cleared = sample();
    let file = "entities/hierarchies.json";
    let mut hierarchies: Value = serde_json::from_str(&cleared.read(file)).unwrap();
    for hierarchy in hierarchies.as_array_mut().unwrap() {
        if hierarchy["uid"]["id"] == "P01" {
            hierarchy["attrs"]["enforceConfigMgrRbac"] = json!(false);
        }
    }
    cleared.write(file, hierarchies.to_string());
    cleared
}

/// For each line of an answer whether it is allowed.
fn decided(ran: &Ran) -> Vec<bool> {
    let lines = ran.stdout.lines();
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| line["decision"] == "allow").collect()
}

/// What a report says of a request: that it is gained or lost.
fn said<'d>(document: &'d Value, request: &Value) -> Option<&'d str> {
    let list = |of: &'d Value| of.as_array().unwrap().iter();
    list(&document["people"]).find_map(|touched| {
        list(&touched["principals"]).find(|of| of["name"] == request["principal"])?;
        list(&touched["changes"]).find_map(|change| {
            let is_it = change["action"] == request["action"]
                && list(&change["resources"]).any(|of| of["name"] == request["resource"]);
            is_it.then(|| change["change"].as_str().unwrap())
        })
    })
}

/// Each number and each name is what check says before and after.
#[test]
fn it_is_what_check_says_before_and_after() {
    let document = json_of(&production(&["--all", "--format", "json"]));
    let requests = requests();
    let lines = requests.iter().map(|request| format!("{request}\n"));
    let lines: String = lines.collect();
    let check = ["check", "--requests", "-"];
    let before = decided(&contoso_with(&check, lines.as_bytes()));
    let after = decided(&cleared().run_with(&check, lines.as_bytes()));
    assert_eq!(before.len(), requests.len());
    let mut changed = 0;
    for (request, (before, after)) in requests.iter().zip(before.iter().zip(&after)) {
        let expected = match (before, after) {
            (false, true) => Some("gained"),
            (true, false) => Some("lost"),
            _ => None,
        };
        assert_eq!(said(&document, request), expected, "{request}");
        changed += usize::from(expected.is_some());
    }
    assert!(changed > 5, "{changed}");
}

fn gains_something(totals: &Value) {
    assert!(totals["gained"].as_u64().unwrap() > 0, "{totals}");
}

#[test]
fn a_flag_without_a_name_is_about_everything_that_has_the_attribute() {
    let all = totals(&["--enforce-configmgr-rbac", "off"]);
    let one_by_one = ["P01", "OLD", "ANT", "RNG", "TST", "FAB"]
        .map(|hierarchy| format!("--enforce-configmgr-rbac={hierarchy}=off"));
    assert_eq!(all, totals(&one_by_one.each_ref().map(String::as_str)));
}

#[test]
fn a_flag_is_a_change_that_can_be_written_in_the_words_of_cedar() {
    let set = r#"ConfigMgr::Hierarchy::"P01".enforceConfigMgrRbac=false"#;
    for set in [set, "P01.enforceConfigMgrRbac=off"] {
        assert_eq!(totals(&["--set", set]), totals(&PRODUCTION[1..]));
    }
    assert_eq!(totals(&[])["gained"], 0);
}

#[test]
fn a_role_is_granted_to_a_person_or_a_group() {
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
}

#[test]
fn several_changes_are_made_together() {
    gains_something(&totals(&[
        "--site-version",
        "OLD=2403",
        "--enforce-configmgr-rbac",
        "OLD=off",
    ]));
    let reading = totals(&["--reading", "discovery-either"]);
    assert_eq!(reading["lost"], 0);
    gains_something(&reading);
}

/// What a flag says of one thing holds whatever it says of everything, in any order; what is said twice is
/// said.
#[test]
fn the_order_of_changes_is_none() {
    let (one, all) = (&PRODUCTION[1..], ["--enforce-configmgr-rbac", "on"]);
    let but_for_one = totals(&[one, &all].concat());
    assert_eq!(but_for_one, totals(&[&all, one].concat()));
    assert_eq!(totals(&[one, one].concat()), totals(one));
}

/// Changes that cannot be made, and what is said of them.
const REFUSED: [(&[&str], &str); 17] = [
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

#[test]
fn what_cannot_be_changed_is_an_error() {
    for (changes, said) in REFUSED {
        let ran = contoso(&[&["what-if"], changes].concat());
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
