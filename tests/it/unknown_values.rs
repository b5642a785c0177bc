//! Values that an import assumes, since no export has them: what policies of one's own decide by them.

use serde_json::{Value, json};

use crate::tarbac::{Ran, Tarbac};
use crate::world::{device, entities, user};

/// A device, managed by Intune as well, or not, or nobody knows.
fn managed(id: &str, name: &str, is_co_managed: Option<bool>) -> Value {
    let mut device = device(id, name, "H");
    device["attrs"]["coManaged"] = json!(is_co_managed == Some(true));
    if is_co_managed.is_none() {
        device["attrs"]["assumed"] = json!(["coManaged"]);
    }
    device
}

/// Beside PC-1, which Intune does not manage, PC-8, which it does, and PC-7, of which nobody knows; and a policy.
fn with_policy(effect: &str, conditions: &str) -> Tarbac {
    let policy = format!(
        "@id(\"custom.x\")\n@doc(\"It depends.\")\n@message(\"No.\")\n@advice(\"None.\")\n{effect} (principal, action == Intune::Action::\"runScript\", resource)\n{conditions};\n"
    );
    let devices = [
        managed("d7", "PC-7", None),
        managed("d8", "PC-8", Some(true)),
    ];
    Tarbac::with_tenant(&[
        ("policies/custom/x.cedar", &policy),
        ("entities/x.json", &entities(&devices)),
    ])
}

fn check(workspace: &Tarbac, person: &str, device: &str, more: &[&str]) -> Ran {
    let person = format!("{person}@t.example");
    workspace.run(&[&["check", &person, "runScript", device], more].concat())
}

/// The exit status for ana, who has a role, about PC-1, PC-7 and PC-8, and for bob, who has none.
fn statuses(workspace: &Tarbac) -> [i32; 6] {
    let cases = ["ana", "bob"].map(|person| {
        ["PC-1", "PC-7", "PC-8"].map(|device| check(workspace, person, device, &[]).status)
    });
    let [[a, b, c], [d, e, f]] = cases;
    [a, b, c, d, e, f]
}

const ALLOW: i32 = 0;
const DENY: i32 = 1;
const OPEN: i32 = 2;

#[test]
fn a_policy_decides_about_every_device_but_that_of_which_the_value_is_not_known() {
    for (effect, conditions, expected) in [
        // Who may nothing anyway is refused, whatever the value is.
        (
            "forbid",
            "when { resource.coManaged }",
            [ALLOW, OPEN, DENY, DENY, DENY, DENY],
        ),
        (
            "forbid",
            "unless { !resource.coManaged }",
            [ALLOW, OPEN, DENY, DENY, DENY, DENY],
        ),
        (
            "forbid",
            "when { {it: [resource]}.it.contains(resource) && [resource.coManaged].contains(true) }",
            [ALLOW, OPEN, DENY, DENY, DENY, DENY],
        ),
        // What is not reached does not matter.
        (
            "forbid",
            "when { principal.userPrincipalName == \"bob@t.example\" && resource.coManaged }",
            [ALLOW, ALLOW, ALLOW, DENY, DENY, DENY],
        ),
        // Who is permitted anyway is allowed.
        (
            "permit",
            "when { !resource.coManaged }",
            [ALLOW, ALLOW, ALLOW, ALLOW, OPEN, DENY],
        ),
        (
            "permit",
            "unless { resource.coManaged }",
            [ALLOW, ALLOW, ALLOW, ALLOW, OPEN, DENY],
        ),
        // The assumed value permits less, or forbids more.
        (
            "permit",
            "when { resource.coManaged }",
            [ALLOW, ALLOW, ALLOW, DENY, DENY, ALLOW],
        ),
        (
            "forbid",
            "unless { resource.coManaged }",
            [DENY, DENY, ALLOW, DENY, DENY, DENY],
        ),
        // A policy may say itself what goes for devices of which it is not known.
        (
            "forbid",
            "when { !(resource has assumed && resource.assumed.contains(\"coManaged\")) && resource.coManaged }",
            [ALLOW, ALLOW, DENY, DENY, DENY, DENY],
        ),
    ] {
        let workspace = with_policy(effect, conditions);
        let ran = workspace.run(&["validate"]);
        assert_eq!(ran.status, 0, "{effect} {conditions} {ran}");
        let found = statuses(&workspace);
        assert_eq!(found, expected, "{effect} {conditions}");
    }
}

#[test]
fn what_is_not_known_is_said_by_everything_that_decides() {
    let workspace = with_policy("forbid", "when { resource.coManaged }");
    let said = "it depends on `resource.coManaged`, which is not known but assumed";
    for command in [
        &["check", "ana@t.example", "runScript", "PC-7"][..],
        &["explain", "ana@t.example", "runScript", "PC-7"],
        &[
            "check",
            "ana@t.example",
            "runScript",
            "PC-7",
            "--format",
            "json",
        ],
    ] {
        let ran = workspace.run(command);
        assert_eq!(ran.status, 2, "{command:?} {ran}");
        let text = ran.to_string();
        let words: Vec<&str> = text.split_whitespace().collect();
        assert!(words.join(" ").contains(said), "{command:?} {ran}");
    }
    let ran = workspace.run(&["who", "runScript", "PC-7", "--format", "json"]);
    assert!(ran.stdout.contains("custom.x"), "{ran}");
    let requests = "{\"principal\": \"ana@t.example\", \"action\": \"runScript\", \"resource\": \"PC-7\"}\n{\"principal\": \"ana@t.example\", \"action\": \"runScript\", \"resource\": \"PC-1\"}\n";
    for answer in ["full", "decision"] {
        let arguments = ["check", "--requests", "-", "--answer", answer];
        let ran = workspace.run_with(&arguments, requests.as_bytes());
        let decisions: Vec<Value> = ran
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["decision"].clone())
            .collect();
        assert_eq!(decisions, ["indeterminate", "allow"], "{ran}");
    }
}

#[test]
fn a_value_that_is_supposed_is_known() {
    let workspace = with_policy("forbid", "when { resource.coManaged }");
    for (value, status) in [("false", 0), ("true", 1)] {
        let set = format!("PC-7.coManaged={value}");
        let ran = check(&workspace, "ana", "PC-7", &["--set", &set]);
        assert_eq!(ran.status, status, "{value} {ran}");
    }
}

/// People as well, and values that are absent since they are not known.
#[test]
fn what_is_not_known_of_people_is_no_matter_to_others() {
    let mut eve = user("u7", "eve@t.example", &[("Intune::RoleAssignment", "a1")]);
    eve["attrs"]["assumed"] = json!(["cloudOnly", "configMgr"]);
    for (condition, ana) in [
        ("when { !principal.cloudOnly }", 0),
        ("when { principal has configMgr }", 0),
        ("when { principal has configMgr.read }", 0),
        ("unless { principal.cloudOnly }", 0),
    ] {
        let policy = format!(
            "@id(\"custom.x\")\n@doc(\"x\")\n@message(\"No.\")\n@advice(\"Ask.\")\nforbid (principal, action == Intune::Action::\"runScript\", resource)\n{condition};\n"
        );
        let workspace = Tarbac::with_tenant(&[
            ("policies/custom/x.cedar", &policy),
            ("entities/x.json", &entities(std::slice::from_ref(&eve))),
        ]);
        assert_eq!(
            check(&workspace, "ana", "PC-1", &[]).status,
            ana,
            "{condition}"
        );
        assert_eq!(
            check(&workspace, "eve", "PC-1", &[]).status,
            2,
            "{condition}"
        );
        let ran = workspace.run(&["check", "eve@t.example", "viewTimeline", "PC-1"]);
        assert_eq!(ran.status, 0, "{condition} {ran}");
    }
}
