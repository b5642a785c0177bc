//! What changes for whom, on the sample tenant: `what-if` and `diff`, and the formats of both.

use serde_json::{Value, json};

use crate::browser::{browser, seen};
use crate::tarbac::{Ran, Tarbac, command, contoso, sample};
use crate::world::{entities, user};

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

/// A part of the report is the report of everything, narrowed.
#[test]
fn a_report_about_some_of_it() {
    let of = |only: &[&str]| -> Value {
        let ran = production(&[&["--all", "--format", "json"], only].concat());
        serde_json::from_str(&ran.stdout).unwrap()
    };
    let whole = of(&[]);
    let changes = |document: &Value| -> Vec<(String, String, u64, Value)> {
        let mut changes = Vec::new();
        for touched in document["people"].as_array().unwrap() {
            for person in touched["principals"].as_array().unwrap() {
                for change in touched["changes"].as_array().unwrap() {
                    let text = |of: &Value| of.as_str().unwrap().to_owned();
                    let count = change["count"].as_u64().unwrap();
                    let resources = change["resources"].clone();
                    changes.push((
                        text(&person["name"]),
                        text(&change["action"]),
                        count,
                        resources,
                    ));
                }
            }
        }
        changes.sort_by_key(|of| (of.0.clone(), of.1.clone(), of.2, of.3.to_string()));
        changes
    };
    let total = |document: &Value, of: &str| document["totals"][of].as_u64().unwrap();
    // Of people and actions it is the rows about them.
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
        let part = of(&named.chain(asked).collect::<Vec<_>>());
        let is_named = |name: &String| people.is_empty() || people.contains(&name.as_str());
        let is_asked = |action: &String| {
            let short = |name: &&str| action.eq_ignore_ascii_case(&name.replace(' ', ""));
            actions.is_empty() || actions.iter().any(short)
        };
        let expected = changes(&whole).into_iter();
        let expected = expected.filter(|(name, action, ..)| is_named(name) && is_asked(action));
        let expected: Vec<_> = expected.collect();
        assert_eq!(changes(&part), expected, "{people:?} {actions:?}");
        let moved: u64 = expected.iter().map(|(_, _, count, _)| count).sum();
        assert_eq!(total(&part, "gained") + total(&part, "lost"), moved);
    }
    // Of a device it is what there is to decide about it.
    let part = of(&["--resource", "WS-BER-014", "--action", "runScript"]);
    assert_eq!(total(&part, "decisions"), 24);
    assert_eq!(total(&part, "resources"), 1);
    let note = "only about runScript; WS-BER-014";
    assert_eq!(part["asked"]["notes"], json!([note]));
    // Where nothing of it changes, the status says so; nobody is a mistake.
    let still = production(&["--resource", "WS-TST-001"]);
    assert_eq!(still.status, 0, "{still}");
    assert!(still.stdout.contains("Nothing changes"), "{still}");
    for nobody in [
        ["--principal", "nobody@x"],
        ["--action", "fly"],
        ["--resource", "PC-0"],
    ] {
        let ran = production(&nobody);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
    }
    // A plan is about everybody.
    assert_eq!(
        production(&["--plan", "--principal", "ada@contoso.example"]).status,
        2
    );
    // The same of two states.
    let ran = contoso(&[
        "diff",
        ".",
        ".",
        "--principal",
        "ada@contoso.example",
        "--format",
        "json",
    ]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(total(&document, "decisions") * 24, 4416, "{ran}");
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
    let says =
        "The page View scripts is refused to people who may still do what it carries: Run script.";
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

#[test]
fn one_state_and_another() {
    let ran = contoso(&["diff", "."]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.starts_with("Nothing changes"), "{ran}");
    // Policies alone are joined with the entities of the workspace.
    let workspace = sample();
    workspace.write(
        "proposal/more.cedar",
        "@id(\"custom.more\")\n@doc(\"Everybody sees Timeline.\")\npermit (\n  principal,\n  action == Intune::Action::\"viewTimeline\",\n  resource\n);\n",
    );
    workspace.write("proposal/tarbac.yaml", "replaces: shipped\n");
    workspace.write(
        "proposal/authority.cedar",
        "@id(\"authority\")\n@doc(\"Intune.\")\n@authority(\"intune\")\npermit (principal, action == Tarbac::Action::\"authority\", resource);\n",
    );
    let ran = workspace.run(&["diff", ".", "proposal"]);
    assert_eq!(ran.status, 1, "{ran}");
    // Only this policy is there: everything else is lost.
    assert!(ran.stdout.contains("now permitted by custom.more"), "{ran}");
    assert!(
        ran.stdout.contains("now refused: no policy permits it"),
        "{ran}"
    );
    // Who gains most comes first, and not who loses everything.
    let both = json_of(&workspace.run(&["diff", ".", "proposal", "--format", "json"]));
    let gained = changed(&both, "gained");
    assert!(gained.is_sorted_by(|one, other| one >= other), "{gained:?}");
    assert_ne!(gained.first(), gained.last());
    // Back again what was gained is lost.
    let there = json_of(&workspace.run(&["diff", ".", "proposal", "--format", "json"]));
    let back = json_of(&workspace.run(&["diff", "proposal", ".", "--format", "json"]));
    assert_eq!(there["totals"]["gained"], back["totals"]["lost"]);
    assert_eq!(there["totals"]["lost"], back["totals"]["gained"]);
    // A reading holds for both, and the report says so.
    let switch = ["--no-reading", "any-intune-role"];
    let ran = workspace.run(&[&["diff", ".", ".", "--format", "json"], &switch[..]].concat());
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        document["asked"]["changes"],
        json!(["diff . .", "--no-reading any-intune-role"])
    );
    assert_eq!(document["totals"]["gained"], 0);
    let refused = |name: &str, said: &str| {
        let ran = workspace.run(&["diff", name]);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains(said), "{ran}");
    };
    refused("nowhere", "nowhere");
    // What holds no policies is no state in which nobody may anything.
    std::fs::create_dir(workspace.path("empty")).unwrap();
    refused("empty", "it is a folder without policies");
    let ran = Tarbac::with(&[]).run(&["diff", "."]);
    assert!(ran.stderr.contains("cannot read `.`"), "{ran}");
    // The readings that there are help whoever mistypes one.
    let ran = workspace.run(&["what-if", "--reading", "any-role"]);
    assert!(
        ran.stderr.contains("the readings are: any-intune-role"),
        "{ran}"
    );
    refused("entities", "it is a folder without policies");
    // What neither of the two states looks at is not passed over in silence.
    let ran = workspace.run(&["diff", ".", ".", "--entities", "elsewhere"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
}

/// A folder with nothing outside of `custom/` adds to the rules that ship, whoever names it.
#[test]
fn a_proposal_adds_to_the_rules_that_ship() {
    let workspace = sample();
    for same in [
        ["what-if", "--policies", "policies"].as_slice(),
        &["diff", "policies"],
    ] {
        let ran = workspace.run(same);
        assert_eq!(ran.status, 0, "{ran}");
        assert!(ran.stdout.contains("Nothing changes"), "{ran}");
    }
    // It has all its rules itself only where it says so, and where there are none nothing is allowed.
    workspace.write("proposal/mine.cedar", "");
    workspace.write("proposal/custom/mine.cedar", "");
    std::fs::create_dir(workspace.path("empty")).unwrap();
    let allowed_after = |other: &str| {
        let ran = workspace.run(&["what-if", "--policies", other, "--format", "json"]);
        json_of(&ran)["totals"]["allowed_after"].clone()
    };
    assert_ne!(allowed_after("empty"), 0);
    assert_eq!(allowed_after("proposal"), allowed_after("empty"));
    workspace.write("proposal/tarbac.yaml", "replaces: shipped\n");
    assert_eq!(allowed_after("proposal"), 0);
}

#[test]
fn what_is_called_the_same_has_its_id() {
    let workspace = sample();
    let file = "entities/devices.json";
    let devices = workspace.read(file);
    workspace.write(file, devices.replace("\"WS-MUC-003\"", "\"WS-BER-014\""));
    let device = "ConfigMgr::Device::\"P01-16777222\"";
    let left = format!("{device} in ConfigMgr::Collection::\"P0100014\"=false");
    let moved = format!("{device}.hierarchy=TST");
    let ran = workspace.run(&["what-if", "--set", &left, "--set", &moved]);
    assert!(
        ran.stdout.contains("on 1 device (WS-BER-014 P01-16777222)"),
        "{ran}"
    );
    for command in [
        ["what", "tess@contoso.example"].as_slice(),
        &["access", "--all"],
    ] {
        for format in ["human", "csv"] {
            let ran = workspace.run(&[command, &["--format", format]].concat());
            let mut called = ran.stdout.split("WS-BER-014").skip(1).peekable();
            assert!(called.peek().is_some(), "{ran}");
            assert!(
                called.all(|after| after.starts_with(" P01-167772")),
                "{ran}"
            );
        }
    }
}

#[test]
fn somebody_with_an_equals_sign_is_granted_a_role() {
    let workspace = Tarbac::with_tenant(&[]);
    workspace.write(
        "entities/more.json",
        entities(&[user("u=3", "u=3@t.example", &[])]),
    );
    for who in ["Entra::User::\"u=3\"", "u=3@t.example"] {
        let ran = workspace.run(&["what-if", "--grant", &format!("{who}=Help Desk Operator")]);
        assert_eq!(ran.status, 1, "{ran}");
        assert!(
            ran.stdout.contains("accounts that gain something: 1"),
            "{ran}"
        );
    }
}

#[test]
fn a_revision_has_its_own_entities() {
    let workspace = sample();
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.current_dir(workspace.path(".")).args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
        ]);
        let output = command.args(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "one"]);
    assert_eq!(workspace.run(&["diff", "HEAD"]).status, 0);
    let file = "entities/hierarchies.json";
    let text = workspace.read(file).replace(
        "\"enforceConfigMgrRbac\": true",
        "\"enforceConfigMgrRbac\": false",
    );
    workspace.write(file, text);
    let ran = workspace.run(&["diff", "HEAD", "--format", "json"]);
    assert!(json_of(&ran)["totals"]["gained"].as_u64().unwrap() > 0);
    // A part of a revision is none, and a name of two things is neither.
    let refused = |name: &str, said: &str| {
        let ran = workspace.run(&["diff", name]);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains(said), "{ran}");
    };
    refused("HEAD:policies", "it is a part of a revision");
    git(&["branch", "proposal"]);
    workspace.write("proposal/none.cedar", "");
    refused("proposal", "a revision of git has the same name");
    assert_eq!(workspace.run(&["diff", "./proposal"]).status, 1);
    assert_eq!(workspace.run(&["diff", "refs/heads/proposal"]).status, 1);
}

#[test]
fn an_object_a_line() {
    let ran = production(&["--format", "ndjson"]);
    let lines: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["kind"], "totals");
    let changes = lines.iter().filter(|line| line["kind"] == "change");
    let gained: u64 = changes
        .filter(|line| line["change"] == "gained")
        .map(|line| {
            line["count"].as_u64().unwrap() * line["principals"].as_array().unwrap().len() as u64
        })
        .sum();
    assert_eq!(lines[0]["gained"], gained);
}

#[test]
fn a_sheet_has_a_row_for_each_person_and_change() {
    let ran = production(&["--format", "csv"]);
    let mut reader = csv::Reader::from_reader(ran.stdout.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let at = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (change, count) = (at("change"), at("count"));
    let gained: u64 = reader
        .records()
        .map(Result::unwrap)
        .filter(|row| &row[change] == "gained")
        .map(|row| row[count].parse::<u64>().unwrap())
        .sum();
    assert_eq!(totals(&PRODUCTION[1..])["gained"], gained);
    // Every device is in some collection, in every row.
    let groups = at("groups");
    let mut reader = csv::Reader::from_reader(ran.stdout.as_bytes());
    let mut rows = reader.records().map(Result::unwrap);
    assert!(rows.all(|row| row[groups].starts_with("All ")), "{ran}");
}

#[test]
fn devices_of_one_name_are_told_apart() {
    let workspace = sample();
    let file = "entities/devices.json";
    let devices = workspace
        .read(file)
        .replace("\"WS-BER-015\"", "\"WS-BER-014\"");
    workspace.write(file, devices);
    let ran = workspace.run(PRODUCTION);
    let names = ["WS-BER-014 P01-16777220", "WS-BER-014 P01-16777221"];
    assert!(names.iter().all(|name| ran.stdout.contains(name)), "{ran}");
}

#[test]
fn a_page_of_a_wiki() {
    insta::assert_snapshot!(contoso(&[
        "what-if",
        "--revoke",
        "ada@contoso.example=Help Desk Operator",
        "--format",
        "markdown",
    ]));
}

#[test]
fn other_formats_are_not_for_it() {
    let ran = contoso(&["what-if", "--format", "table"]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr
            .contains("[possible values: human, json, ndjson, markdown, csv, html]"),
        "{ran}"
    );
}

#[test]
fn the_page_in_a_browser() {
    let Some(browser) = browser("impact::the_page_in_a_browser") else {
        return;
    };
    let html = production(&["--format", "html", "--all"]).stdout;
    // It needs nothing from anywhere.
    for outside in ["http://", "https://", "src=", "@import"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let page = seen(&browser, &html, "");
    assert!(page.contains(">535 gained</strong>"), "{page}");
    assert!(page.contains("ada@contoso.example"), "{page}");
    assert!(
        page.contains("<button class=\"good\" type=\"button\" title=\"gained: why\">+4<"),
        "{page}"
    );
    assert!(
        page.contains("<button class=\"bad\" type=\"button\" title=\"lost: why\">−"),
        "{page}"
    );
    assert!(page.contains("<summary class=\"open\">Roles that would need a permission so that nobody loses it (3)<"), "{page}");
    // A filter leaves the rest out.
    let lost = seen(&browser, &html, "byId('kind').value = 'lost'; draw();");
    let table = |page: &str| page.split_once("<tbody>").unwrap().1.to_owned();
    assert!(!table(&lost).contains("class=\"good\""), "{lost}");
    assert!(table(&lost).contains("samir@contoso.example"), "{lost}");
    let one = seen(&browser, &html, "byId('person').value = 'SAMIR'; draw();");
    assert_eq!(table(&one).matches("<tr").count(), 1, "{one}");
    // A click says why.
    let why = seen(
        &browser,
        &html,
        "document.querySelector('button.bad').click();",
    );
    assert!(why.contains("readings.any-intune-role"), "{why}");
}

#[test]
fn a_hostile_name_stays_a_name() {
    let workspace = sample();
    let file = "entities/people.json";
    let name = "</script><script>document.title='x'</script>|`*@contoso.example";
    let people = workspace.read(file);
    let mut people: Value = serde_json::from_str(&people).unwrap();
    let ada = people
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .find(|person| person["attrs"]["userPrincipalName"] == "ada@contoso.example");
    ada.unwrap()["attrs"]["userPrincipalName"] = json!(name);
    workspace.write(file, people.to_string());
    let run = |format: &str| {
        workspace
            .run(&[PRODUCTION, &["--format", format]].concat())
            .stdout
    };
    assert!(!run("html").contains("</script><script>document"));
    let access = workspace.run(&["access", "--format", "html"]).stdout;
    assert!(access.contains("document.title") && !access.contains("</script><script>document"));
    assert!(run("markdown").contains("\\</script\\>"));
    let ran = command(&workspace.path("."))
        .args(PRODUCTION)
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1));
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
