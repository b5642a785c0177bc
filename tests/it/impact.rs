//! What changes for whom, on the sample tenant: `what-if` and `diff`, and the formats of both.

use serde_json::{Value, json};

use crate::browser::{browser, seen};
use crate::tarbac::{Ran, command, contoso, sample};

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
    insta::assert_snapshot!(production(&[]));
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
    let old = totals(&[
        "--site-version",
        "OLD=2403",
        "--enforce-configmgr-rbac",
        "OLD=off",
    ]);
    assert!(old["gained"].as_u64().unwrap() > 0, "{old}");
    let reading = totals(&["--reading", "discovery-either"]);
    assert_eq!(reading["lost"], 0);
    assert!(reading["gained"].as_u64().unwrap() > 0, "{reading}");
}

#[test]
fn what_cannot_be_changed_is_an_error() {
    for (changes, said) in [
        (["--set", "P01.foo=3"], "has no attribute `foo`"),
        (["--set", "nobody.version=3"], "is called `nobody`"),
        (["--set", "P01"], "write an attribute, an equals sign"),
        (["--set", "P01.version=new"], "must be a Long"),
        (
            ["--grant", "ada@contoso.example"],
            "an equals sign, and the role",
        ),
        (
            ["--grant", "ada@contoso.example=Fooling"],
            "is called `Fooling`",
        ),
        (
            ["--revoke", "mia@contoso.example=Help Desk Operator"],
            "does not have that role",
        ),
        (["--site-version", "P09=2403"], "is called `P09`"),
        (["--use-intune-rbac", "perhaps"], "must be a Bool"),
        (["--reading", "imagined"], "imagined"),
    ] {
        let ran = contoso(&[&["what-if"], &changes[..]].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
        assert!(ran.stderr.contains(said), "{said}: {ran}");
    }
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
    let ran = workspace.run(&["diff", ".", "proposal"]);
    assert_eq!(ran.status, 1, "{ran}");
    // Only this policy is there: everything else is lost.
    assert!(ran.stdout.contains("now permitted by custom.more"), "{ran}");
    assert!(
        ran.stdout.contains("now refused: no policy permits it"),
        "{ran}"
    );
    // Back again what was gained is lost.
    let there = json_of(&workspace.run(&["diff", ".", "proposal", "--format", "json"]));
    let back = json_of(&workspace.run(&["diff", "proposal", ".", "--format", "json"]));
    assert_eq!(there["totals"]["gained"], back["totals"]["lost"]);
    assert_eq!(there["totals"]["lost"], back["totals"]["gained"]);
    let ran = workspace.run(&["diff", "nowhere"]);
    assert_eq!(ran.status, 2, "{ran}");
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
            .contains("its formats are: human, json, ndjson, markdown, csv, html"),
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
