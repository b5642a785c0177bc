//! Reports limited to some people, permissions or devices, and what a report says beside the changes.

use serde_json::{Value, json};

use super::{json_of, production};
use crate::tarbac::{Ran, contoso, sample};

/// The sample tenant with another policy, and what changes by it.
fn with_policy(policy: &str, format: &str) -> Ran {
    let workspace = sample();
    let custom = workspace.path("policies/custom");
    workspace.write("more.cedar", policy);
    let (custom, more) = (custom.display().to_string(), workspace.path("more.cedar"));
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/policies");
    let policies = ["--policies", shipped, "--policies", &custom, "--policies"];
    let arguments = [&["what-if", "--format", format], &policies[..]].concat();
    workspace.run(&[&arguments[..], &[&more.display().to_string()]].concat())
}

/// A report that is sent to somebody says what it is of.
#[test]
fn what_was_asked_is_said() {
    let asked = "--enforce-configmgr-rbac P01=off";
    for format in ["html", "json", "ndjson"] {
        let ran = production(&["--format", format]);
        assert!(ran.stdout.contains(asked), "{ran}");
    }
    let markdown = production(&["--format", "markdown", "--no-reading", "any-intune-role"]).stdout;
    let head = "If Enforce Configuration Manager RBAC is cleared for P01, with --no-reading any-intune-role:";
    assert!(markdown.starts_with(head), "{markdown}");
    assert_eq!(
        markdown
            .matches("Enforce Configuration Manager RBAC")
            .count(),
        1
    );
}

fn narrowed(only: &[&str]) -> Value {
    let ran = production(&[&["--all", "--format", "json"], only].concat());
    serde_json::from_str(&ran.stdout).unwrap()
}

fn total(document: &Value, of: &str) -> u64 {
    document["totals"][of].as_u64().unwrap()
}

/// The changes of a report, in order: a person, an action, the number of resources and these.
fn changes(document: &Value) -> Vec<(String, String, u64, Value)> {
    let mut changes = Vec::new();
    for touched in document["people"].as_array().unwrap() {
        for person in touched["principals"].as_array().unwrap() {
            for change in touched["changes"].as_array().unwrap() {
                let text = |of: &Value| of.as_str().unwrap().to_owned();
                let (name, action) = (text(&person["name"]), text(&change["action"]));
                let count = change["count"].as_u64().unwrap();
                changes.push((name, action, count, change["resources"].clone()));
            }
        }
    }
    changes.sort_by_key(|of| (of.0.clone(), of.1.clone(), of.2, of.3.to_string()));
    changes
}

/// Of people and actions it is the rows about them.
#[test]
fn a_report_about_some_people_or_actions_is_the_whole_report_narrowed() {
    let whole = changes(&narrowed(&[]));
    for (people, actions) in [
        (vec!["rosa@contoso.example"], vec![]),
        (vec![], vec!["runScript"]),
        (
            vec!["rosa@contoso.example", "ada@contoso.example"],
            vec!["Run script", "enrollNow"],
        ),
    ] {
        let named = people.iter().flat_map(|name| ["--principal", name]);
        let asked = actions.iter().flat_map(|name| ["--action", name]);
        let part = narrowed(&named.chain(asked).collect::<Vec<_>>());
        let is_named = |name: &String| people.is_empty() || people.contains(&name.as_str());
        let is_asked = |action: &String| {
            let short = |name: &&str| action.eq_ignore_ascii_case(&name.replace(' ', ""));
            actions.is_empty() || actions.iter().any(short)
        };
        let expected = whole
            .iter()
            .filter(|(name, action, ..)| is_named(name) && is_asked(action));
        let expected: Vec<_> = expected.cloned().collect();
        assert_eq!(changes(&part), expected, "{people:?} {actions:?}");
        let moved: u64 = expected.iter().map(|(_, _, count, _)| count).sum();
        assert_eq!(total(&part, "gained") + total(&part, "lost"), moved);
    }
}

/// Of a device it is what there is to decide about it.
#[test]
fn a_report_about_a_device_counts_its_decisions() {
    let part = narrowed(&["--resource", "WS-BER-014", "--action", "runScript"]);
    assert_eq!(total(&part, "decisions"), 24);
    assert_eq!(total(&part, "resources"), 1);
    let note = "only about runScript; WS-BER-014";
    assert_eq!(part["asked"]["notes"], json!([note]));
    // Where nothing of it changes, the status says so.
    let still = production(&["--resource", "WS-TST-001"]);
    assert_eq!(still.status, 0, "{still}");
    assert!(still.stdout.contains("Nothing changes"), "{still}");
    // The same of two states.
    let of_ada = ["--principal", "ada@contoso.example", "--format", "json"];
    let ran = contoso(&[&["diff", ".", "."], &of_ada[..]].concat());
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(total(&document, "decisions") * 24, 4416, "{ran}");
}

#[test]
fn a_report_about_nobody_is_a_mistake() {
    for nobody in [
        ["--principal", "nobody@x"],
        ["--action", "fly"],
        ["--resource", "PC-0"],
    ] {
        let ran = production(&nobody);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
    }
    // A plan is about everybody.
    let plan = production(&["--plan", "--principal", "ada@contoso.example"]);
    assert_eq!(plan.status, 2, "{plan}");
}

#[test]
fn pages_that_become_unreachable() {
    let policy = r#"@id("custom.no-scripts")
@doc("Nobody opens the page of scripts.")
forbid (
  principal is Entra::User,
  action == Intune::Action::"viewScripts",
  resource is ConfigMgr::Device
);
"#;
    let says = "The page View scripts is refused to people who keep permissions on it: Run script.";
    let ran = with_policy(policy, "human");
    let pavel = "pavel@contoso.example: 9 devices, for example WS-BER-014, SRV-SQL-01, WS-RNG-001";
    assert!(
        ran.stdout.contains(says) && ran.stdout.contains(pavel),
        "{ran}"
    );
    assert!(with_policy(policy, "markdown").stdout.contains(says));
    let document = json_of(&with_policy(policy, "json"));
    let page = &document["pages"][0];
    assert_eq!(
        (&page["page"], &page["carries"]),
        (&json!("viewScripts"), &json!(["Run script"]))
    );
    // Nothing else becomes unreachable, and nothing without a change.
    assert_eq!(document["pages"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        json_of(&production(&["--format", "json"]))["pages"],
        json!([])
    );
}

#[test]
fn roles_that_would_need_a_permission() {
    let ran = production(&[]);
    let role = "Make a role of View applications, Take application actions (1 account)";
    assert!(ran.stdout.contains(role), "{ran}");
    assert!(production(&["--format", "markdown"]).stdout.contains(role));
    // They are those of the plan, which is said instead.
    let planned = production(&["--plan"]);
    assert!(!planned.stdout.contains(role), "{planned}");
    let in_need = json_of(&production(&["--format", "json"]));
    let planned = json_of(&production(&["--plan", "--format", "json"]));
    assert_eq!(in_need["roles"], planned["roles"]);
    let changes = planned["plan"]["keep"]["changes"].as_array().unwrap();
    let roles = in_need["roles"].as_array().unwrap();
    assert_eq!(roles.len(), changes.len());
    for (role, change) in roles.iter().zip(changes) {
        assert_eq!(role["role"], change["role"]);
        assert_eq!(role["permissions"], change["permissions"]);
    }
}

/// Nobody gains or loses what is refused before and cannot be decided after, but somebody wants to know.
#[test]
fn what_can_no_longer_be_decided() {
    let policy = r#"@id("custom.overflow")
@doc("Fails for everybody.")
forbid (
  principal is Entra::User,
  action == Intune::Action::"runScript",
  resource is ConfigMgr::Device
)
when { resource.hierarchy.version * 9223372036854775807 > 0 };
"#;
    let document = json_of(&with_policy(policy, "json"));
    let totals = &document["totals"];
    let undecided = totals["undecided"].as_u64().unwrap();
    assert!(undecided > 0, "{totals}");
    // Nothing was undecidable before: what is now was lost, or was refused.
    assert_eq!(totals["unknown_before"], 0);
    let lost = totals["lost"].as_u64().unwrap();
    assert_eq!(totals["unknown_after"], undecided + lost);
    let rows = document["people"].as_array().unwrap().iter();
    let rows = rows.flat_map(|of| {
        let people = of["principals"].as_array().unwrap().len() as u64;
        let changes = of["changes"].as_array().unwrap().iter();
        changes.map(move |change| (people, change))
    });
    let undecided_rows = rows.filter(|(_, change)| change["change"] == "undecided");
    let counted: u64 = undecided_rows
        .map(|(people, change)| {
            assert_eq!(change["before"]["decision"], "deny");
            assert_eq!(change["after"]["decision"], "indeterminate");
            people * change["count"].as_u64().unwrap()
        })
        .sum();
    assert_eq!(counted, undecided);
    let ran = with_policy(policy, "human");
    assert!(ran.stdout.contains("  ? Run script\n"), "{ran}");
    assert!(
        ran.stdout
            .contains("now undecided by error while evaluating policy `custom.overflow`"),
        "{ran}"
    );
    let sheet = with_policy(policy, "csv").stdout;
    assert!(sheet.contains("runScript,undecided,"), "{sheet}");
}

/// A policy that cannot say whether to look at a change says so.
#[test]
fn a_concern_that_cannot_be_evaluated_is_said() {
    let workspace = sample();
    workspace.write(
        "policies/custom/concerns.cedar",
        r#"@id("custom.concerns.overflow")
@doc("Never heard.")
permit (
  principal,
  action == Tarbac::Action::"concern",
  resource is ConfigMgr::Device
)
when { resource.hierarchy.version + 9223372036854775807 > 0 };
"#,
    );
    let ran = workspace.run(&["what-if", "--enforce-configmgr-rbac", "P01=off"]);
    assert!(ran.stdout.contains("custom.concerns.overflow"), "{ran}");
    assert!(ran.stdout.contains("overflow"), "{ran}");
}
