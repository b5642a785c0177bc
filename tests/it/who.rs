//! Everybody who may, and everything that somebody may, on the sample tenant.

use serde_json::Value;

use crate::tarbac::{Tarbac, contoso};
use crate::world::{entities, user};

#[test]
fn everybody_who_may_with_the_path_that_gives_it() {
    insta::assert_snapshot!(contoso(&["who", "Run script", "WS-TST-001"]));
}

#[test]
fn the_others_stand_together_with_whoever_is_refused_alike() {
    insta::assert_snapshot!(contoso(&["who", "Run script", "WS-BER-014", "--may-not"]));
}

#[test]
fn many_who_may_fit_a_screen() {
    let tarbac = Tarbac::with_tenant(&[]);
    let people = (0..30).map(|number| {
        let parents = [("Intune::RoleAssignment", "a1")];
        user(
            &format!("m{number}"),
            &format!("m{number}@t.example"),
            &parents,
        )
    });
    tarbac.write("entities/many.json", entities(&people.collect::<Vec<_>>()));
    let who = ["who", "Run script", "PC-1"];
    let ran = tarbac.run(&who);
    assert!(ran.stdout.starts_with("31 accounts may "), "{ran}");
    assert!(
        ran.stdout
            .contains("and 11 more accounts (--all lists them)"),
        "{ran}"
    );
    let ran = tarbac.run(&[&who[..], &["--all"]].concat());
    let listed = ran.stdout.lines().filter(|line| line.starts_with("    m"));
    assert_eq!(listed.count(), 30, "{ran}");
}

#[test]
fn nobody_who_may_is_an_answer_too() {
    let ran = contoso(&["who", "rotateBitLockerKeys", "SRV-ANT-01"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.starts_with("0 accounts may "), "{ran}");
}

/// What check says of each account is what who says of all.
#[test]
fn it_is_what_check_says_of_each() {
    let ran = contoso(&["who", "viewScripts", "WS-BER-014", "--format", "json"]);
    let who: Value = serde_json::from_str(&ran.stdout).unwrap();
    let names = |people: &Value| -> Vec<String> {
        let people = people.as_array().unwrap().iter();
        people
            .map(|person| person["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut checked = 0;
    for permitted in who["may"].as_array().unwrap() {
        let name = permitted["principal"]["name"].as_str().unwrap();
        assert_eq!(
            contoso(&["check", name, "viewScripts", "WS-BER-014"]).status,
            0,
            "{name}"
        );
        checked += 1;
    }
    for refused in who["may_not"].as_array().unwrap() {
        for name in names(&refused["principals"]) {
            let ran = contoso(&[
                "check",
                &name,
                "viewScripts",
                "WS-BER-014",
                "--format",
                "json",
            ]);
            assert_eq!(ran.status, 1, "{ran}");
            let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
            assert_eq!(answer["policies"], refused["policies"], "{name}");
            checked += 1;
        }
    }
    assert_eq!(checked, 24);
}

#[test]
fn what_nobody_is_called_is_an_error() {
    let ran = contoso(&["who", "Run script", "nothing"]);
    assert_eq!(ran.status, 2, "{ran}");
}

#[test]
fn everything_that_somebody_may_by_devices_that_are_treated_alike() {
    insta::assert_snapshot!(contoso(&["what", "ada@contoso.example"]));
}

#[test]
fn one_device_is_everything_where_it_is_named() {
    insta::assert_snapshot!(contoso(&["what", "karin@contoso.example", "WS-BER-014"]));
}

/// What matrix shows of each device is what what says of all.
#[test]
fn every_device_is_in_one_group() {
    let ran = contoso(&["what", "rosa@contoso.example", "--all", "--format", "json"]);
    assert_eq!(ran.status, 0, "{ran}");
    let what: Value = serde_json::from_str(&ran.stdout).unwrap();
    let groups = what["alike"].as_array().unwrap();
    let mut resources: Vec<String> = Vec::new();
    for group in groups {
        let of_group = group["resources"].as_array().unwrap();
        assert_eq!(group["count"], of_group.len());
        resources.extend(of_group.iter().map(|resource| resource["id"].to_string()));
    }
    let count = resources.len();
    resources.sort();
    resources.dedup();
    // 14 devices and 2 tenants.
    assert_eq!((count, resources.len()), (16, 16));
}

/// Every format says the same of everybody.
#[test]
fn rows_say_what_the_document_says() {
    let asked = ["who", "Run script", "WS-BER-014", "--format"];
    let run = |format: &str| contoso(&[&asked[..], &[format]].concat()).stdout;
    let document: Value = serde_json::from_str(&run("json")).unwrap();
    let mut expected = Vec::new();
    for permitted in document["may"].as_array().unwrap() {
        expected.push((
            permitted["principal"].clone(),
            "allow",
            permitted["policies"].clone(),
        ));
    }
    for refused in document["may_not"].as_array().unwrap() {
        for principal in refused["principals"].as_array().unwrap() {
            expected.push((principal.clone(), "deny", refused["policies"].clone()));
        }
    }
    let csv = run("csv");
    let mut sheet = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = sheet.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), expected.len());
    for (row, (principal, decision, policies)) in rows.iter().zip(&expected) {
        let policies = policies.as_array().unwrap().iter();
        let policies: Vec<&str> = policies.map(|id| id.as_str().unwrap()).collect();
        assert_eq!(row[3], *policies.join(" "));
        assert_eq!(row[1], *principal["name"].as_str().unwrap());
        assert_eq!(&row[2], *decision);
    }
    let may = document["may"].as_array().unwrap().len();
    assert_eq!(run("markdown").lines().count(), may + 2);
}

#[test]
fn what_somebody_may_do_as_rows() {
    let asked = ["what", "ada@contoso.example", "--format"];
    let run = |format: &str| contoso(&[&asked[..], &[format]].concat()).stdout;
    let document: Value = serde_json::from_str(&run("json")).unwrap();
    let alike = document["alike"].as_array().unwrap();
    let decisions: usize = alike
        .iter()
        .map(|of| of["decisions"].as_array().unwrap().len())
        .sum();
    assert_eq!(run("csv").lines().count(), decisions + 1);
    assert_eq!(run("markdown").lines().count(), decisions + 2);
}
