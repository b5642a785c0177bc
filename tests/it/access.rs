//! Who can do what, on the sample tenant: `access` and its formats.

use serde_json::{Value, json};

use crate::browser::{browser, filtered, seen};
use crate::tarbac::{Ran, Tarbac, contoso, sample};
use crate::world::{entity, uid};

fn json_of(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn who_can_do_what() {
    insta::assert_snapshot!(contoso(&["access"]));
}

#[test]
fn a_page_of_a_wiki() {
    insta::assert_snapshot!(contoso(&["access", "--format", "markdown"]));
}

#[test]
fn every_row_is_written_where_all_are_asked_for() {
    let some = contoso(&["access"]).stdout;
    let all = contoso(&["access", "--all"]).stdout;
    assert!(some.lines().count() <= 64, "{some}");
    assert!(!some.contains("jonas@contoso.example"), "{some}");
    // A role without a permission satisfies Configuration Manager, which asks for any.
    let jonas = all.split_once("\njonas@contoso.example\n").unwrap().1;
    let jonas = jonas.split_once("\n\n").unwrap().0;
    insta::assert_snapshot!(jonas, @r#"
      through group Role Stewards -> role assignment Role Stewards -> tenant contoso:
        readings.any-intune-role
        may View collections, View software updates, View client details, Enroll Now
          on 4 of 14 devices (WS-BER-014, WS-BER-015, WS-MUC-003, SRV-SQL-01) in P01
          of All Systems (4), All Workstations (3), Berlin Workstations (2), All Servers (1)
          with, for example, Collection: Read on All Systems (through Berlin Workstations, All
            Workstations)
      through group Role Stewards -> role assignment Role Stewards -> role Intune Role Administrator:
        roles.intune-role-administrator
        may Update
          on 1 of 2 tenants (contoso)
    "#);
}

/// Each number is that of check, summed.
#[test]
fn the_numbers_of_all_formats_agree() {
    let document = json_of(&contoso(&["access", "--format", "json"]));
    let sum = |status: &[&str]| {
        let people = document["people"].as_array().unwrap().iter();
        let counts = people.map(|holder| {
            let holds = holder["holds"].as_array().unwrap().iter();
            let holds = holds.filter(|hold| status.contains(&hold["status"].as_str().unwrap()));
            let count: u64 = holds.map(|hold| hold["count"].as_u64().unwrap()).sum();
            count * holder["principals"].as_array().unwrap().len() as u64
        });
        counts.sum::<u64>()
    };
    let totals = &document["totals"];
    assert_eq!(totals["allowed"], sum(&["allowed", "out-of-reach"]));
    assert_eq!(totals["refused"], sum(&["refused"]));
    let ran = contoso(&["access", "--format", "ndjson"]);
    let lines = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    assert_eq!(
        (&lines[0]["kind"], &lines[0]["allowed"]),
        (&json!("totals"), &totals["allowed"])
    );
    let of_kind = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!(of_kind("role"), document["roles"].as_array().unwrap().len());
    assert_eq!(
        of_kind("obstacle"),
        document["obstacles"].as_array().unwrap().len()
    );
    let ran = contoso(&["access", "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(ran.stdout.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let at = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let rows = reader.records().map(Result::unwrap);
    let refused = rows.filter(|row| &row[at("status")] == "refused");
    let refused: u64 = refused
        .map(|row| row[at("count")].parse::<u64>().unwrap())
        .sum();
    assert_eq!(totals["refused"], refused);
}

/// The sample tenant under Configuration Manager, with assignments besides that give nothing, or only
/// what others give.
fn with_idle_assignments() -> Tarbac {
    let workspace = sample();
    let file = "entities/tenants.json";
    let tenants = workspace.read(file);
    assert!(tenants.contains("\"useIntuneRbac\": true"));
    workspace.write(
        file,
        tenants.replace("\"useIntuneRbac\": true", "\"useIntuneRbac\": false"),
    );
    let more = json!([
        entity("Intune::Role", "Printing", json!({}), &[]),
        role_assignment("Nobody", "Help Desk Operator"),
        role_assignment("Empty Group", "Help Desk Operator"),
        assigned_group("Empty Group", "Empty Group"),
        role_assignment("Printers", "Printing"),
        assigned_group("Printers", "Printers"),
        role_assignment("Roles", "Intune Role Administrator"),
        assigned_group("Role People", "Roles"),
        assigned_group("Other Role People", "Roles"),
        newcomer(
            "nils@contoso.example",
            &["Printers", "Role People", "Other Role People"]
        ),
    ]);
    workspace.write("entities/more.json", more.to_string());
    workspace
}

fn role_assignment(id: &str, role: &str) -> Value {
    let parents = [
        ("Intune::Role", role),
        ("Intune::Tenant", "contoso"),
        ("Intune::ScopeTag", "*"),
    ];
    entity(
        "Intune::RoleAssignment",
        id,
        json!({ "displayName": id }),
        &parents,
    )
}

fn assigned_group(id: &str, assignment: &str) -> Value {
    let parents = [("Intune::RoleAssignment", assignment)];
    entity("Entra::Group", id, json!({ "displayName": id }), &parents)
}

fn newcomer(id: &str, groups: &[&str]) -> Value {
    let attrs = json!({ "tenant": uid("Intune::Tenant", "contoso"), "userPrincipalName": id, "cloudOnly": true });
    let groups = groups.iter().map(|group| ("Entra::Group", *group));
    entity("Entra::User", id, attrs, &groups.collect::<Vec<_>>())
}

#[test]
fn assignments_that_give_nothing() {
    let ran = with_idle_assignments().run(&["access"]);
    assert_eq!(ran.status, 1, "{ran}");
    let said: Vec<&str> = ran
        .stdout
        .split("\n\n")
        .filter(|part| part.starts_with("Assignments that "))
        .collect();
    insta::assert_snapshot!(said.join("\n\n"), @"
    Assignments that give nothing: 6 of 19; all of them can go, and no decision changes
      group Branch Service Desk -> role assignment Branch Service Desk -> role Help Desk Operator: 1
        account
        refused by configmgr.identity, configmgr.pages.any.read, readings.discovery-either.both and 14
          more
      group Modern Workplace -> role assignment Modern Workplace -> role Policy and Profile Manager: 1
        account
        refused by configmgr.identity, configmgr.pages.any.read, readings.discovery-either.both and 7
          more
      group Printers -> role assignment Printers -> role Printing: 1 account
        no policy in force permits it anything
      group School Support -> role assignment School Support -> role School Administrator: 1 account
        refused by configmgr.identity, configmgr.pages.any.read, readings.discovery-either.both and 12
          more
      group Empty Group -> role assignment Empty Group -> role Help Desk Operator: 0 accounts
        it has no members
      and 1 more assignment

    Assignments that give only what others give: 2 of 19; any one of them can go
      group Other Role People -> role assignment Roles -> role Intune Role Administrator: 1 account
      group Role People -> role assignment Roles -> role Intune Role Administrator: 1 account

    Assignments that give nothing here: 1 of 19; their effect elsewhere is not examined
      group Fabrikam Branch Desk -> role assignment Fabrikam Branch Desk -> role Help Desk Operator: 1
        account
        Fabrikam Branch Desk gives Help Desk Operator elsewhere than on tenant-attached devices
    ");
}

#[test]
fn assignments_that_give_nothing_can_go_at_once() {
    let workspace = with_idle_assignments();
    let document = json_of(&workspace.run(&["access", "--format", "json"]));
    let gone = document["assignments"].as_array().unwrap().iter();
    let gone = gone.filter(|of| of["gives"] == "nothing" && !of["from"].is_null());
    let cedar = |of: &Value| {
        format!(
            "{}::\"{}\"",
            of["type"].as_str().unwrap(),
            of["id"].as_str().unwrap()
        )
    };
    let gone: Vec<String> = gone
        .flat_map(|of| {
            [
                "--set".to_owned(),
                format!("{} in {}=false", cedar(&of["from"]), cedar(&of["to"])),
            ]
        })
        .collect();
    assert!(gone.len() > 4, "{gone:?}");
    let gone: Vec<&str> = std::iter::once("what-if")
        .chain(gone.iter().map(String::as_str))
        .collect();
    let ran = workspace.run(&gone);
    assert_eq!(ran.status, 0, "{ran}");
}

/// A tenant with one account, an administrator of Microsoft Entra.
fn administrator() -> Tarbac {
    let entities = json!([
        { "uid": { "type": "Intune::Tenant", "id": "t" }, "attrs": { "useIntuneRbac": true }, "parents": [] },
        { "uid": { "type": "Entra::DirectoryRole", "id": "Global Administrator" }, "attrs": {}, "parents": [] },
        {
            "uid": { "type": "Entra::User", "id": "u" },
            "attrs": { "tenant": { "type": "Intune::Tenant", "id": "t" }, "userPrincipalName": "u", "cloudOnly": true },
            "parents": [{ "type": "Entra::DirectoryRole", "id": "Global Administrator" }]
        }
    ]);
    Tarbac::with(&[("entities/all.json", &entities.to_string())])
}

#[test]
fn the_status_is_that_of_what_was_found() {
    let workspace = administrator();
    insta::assert_snapshot!(workspace.run(&["access"]), @r#"
    1 of 1 account can do something; of 1 decision, 1 are allowed
      a decision is one permission of one account on one device or tenant
      of 1 assignment, each gives something

    By role                               accounts  can use it    allowed    refused
    directory role Global Administrator          1           1          1          0
    and 8 roles that nobody has

    u
      through directory role Global Administrator
        may Update
          on 1 tenant (t)
    --- exit 0
    "#);
    workspace.write(
        "policies/custom/fails.cedar",
        "@id(\"custom.fails\")\n@doc(\"Fails.\")\npermit (\n  principal,\n  action == Intune::Action::\"updateRoles\",\n  resource\n)\nwhen { (if resource.useIntuneRbac then 9223372036854775807 else 0) + 1 > 0 };\n",
    );
    insta::assert_snapshot!(workspace.run(&["access"]), @r#"
    0 of 1 account can do something; of 1 decision, 0 are allowed
      a decision is one permission of one account on one device or tenant
      indeterminate: 1 decision
      of 1 assignment, not judged for that reason: 1

    By role                               accounts  can use it    allowed    refused
    directory role Global Administrator          1           0          0          0
    and 8 roles that nobody has

    u
      cannot be decided about: Update
        on 1 tenant (t)
        because of error while evaluating policy `custom.fails`: integer overflow while attempting to
          add the values `9223372036854775807` and `1`

    What these policies say
      custom.fails: Fails.
    --- exit 2
    "#);
    let ran = Tarbac::with(&[]).run(&["access"]);
    assert!(ran.stderr.contains("is this the right workspace"), "{ran}");
}

#[test]
fn the_page_in_a_browser() {
    let Some(browser) = browser("access::the_page_in_a_browser") else {
        return;
    };
    let html = contoso(&["access", "--format", "html"]).stdout;
    // It needs nothing from anywhere.
    for outside in ["http://", "https://", "src=", "@import"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let page = seen(&browser, &html, "");
    let sentence = "21 of 24 accounts can do something; of 4,416 permissions, 1,264 are allowed.";
    assert!(
        page.contains(&format!("<p class=\"lead\">{sentence}</p>")),
        "{page}"
    );
    for said in [
        "Tenant contoso",
        "What each role gives",
        "How many accounts may do what, by hierarchy",
        "Disabled accounts that still hold a role: 1",
        "Assignments that give nothing here: 1 of 14",
        "The policies that refuse most of the granted permissions",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    // A filter leaves the rest out.
    let page = seen(&browser, &html, "#kind=refused");
    let refused = filtered(&page);
    let is_refused = |row: &&str| row.contains("</svg>Refused</span>");
    assert!(
        !refused.is_empty() && refused.iter().all(is_refused),
        "{page}"
    );
    // A row says through what, and why not.
    let page = seen(&browser, &html, "#who=ADA&kind=refused");
    let ada = filtered(&page);
    assert!(!ada.is_empty() && ada.len() < refused.len(), "{page}");
    let path = "group Service Desk → role assignment Service Desk → role Help Desk Operator";
    assert!(ada.iter().all(|row| row.contains(path)), "{ada:#?}");
    assert!(
        ada.iter().any(|row| row.contains("configmgr.identity")),
        "{ada:#?}"
    );
}

/// Where Configuration Manager decides, an allow has two halves: the role, and the permissions that carry it.
#[test]
fn both_halves_of_an_allow_are_shown() {
    let half = "Collection: Read";
    let all = contoso(&["access", "--all"]).stdout;
    let jonas = all.split_once("\njonas@contoso.example\n").unwrap().1;
    let jonas = jonas.split_once("\n\n").unwrap().0;
    let with = jonas.split_once("with, for example, ").expect(jonas).1;
    assert!(
        with.contains(half) && with.contains(" on All Systems"),
        "{jonas}"
    );
    // Where Intune decides there is none, nor of what is refused.
    let document = json_of(&contoso(&["access", "--format", "json"]));
    let people = document["people"].as_array().unwrap().iter();
    let holds: Vec<&Value> = people
        .flat_map(|of| of["holds"].as_array().unwrap())
        .collect();
    let is_under = |hold: &Value, of: &str| {
        let under = hold["under"].as_array().unwrap();
        !under.is_empty() && under.iter().all(|under| under["name"] == of)
    };
    let is_allowed = |hold: &Value| hold["status"] == "allowed" || hold["status"] == "out-of-reach";
    let mut carried = 0;
    for hold in holds {
        let supports = hold["supports"].as_array().map_or(0, Vec::len);
        match is_allowed(hold) {
            true if is_under(hold, "P01") => {
                assert!(supports > 0, "{hold}");
                assert!(hold["supports"].to_string().contains(half), "{hold}");
                carried += 1;
            }
            true if is_under(hold, "TST") => assert_eq!(supports, 0, "{hold}"),
            true => {}
            false => assert_eq!(supports, 0, "{hold}"),
        }
    }
    assert!(carried > 0);
    let csv = contoso(&["access", "--format", "csv"]).stdout;
    assert!(csv.lines().next().unwrap().ends_with(",with"), "{csv}");
    for text in [csv, contoso(&["access", "--format", "markdown"]).stdout] {
        assert!(text.contains(half), "{text}");
    }
}
