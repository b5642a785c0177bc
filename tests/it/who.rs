//! Everybody who may, and everything that somebody may, on the sample tenant.

use serde_json::Value;

use crate::tarbac::contoso;

#[test]
fn everybody_who_may_with_the_path_that_gives_it() {
    insta::assert_snapshot!(contoso(&["who", "Run script", "WS-TST-001"]));
}

#[test]
fn the_others_stand_together_with_whoever_is_refused_alike() {
    insta::assert_snapshot!(contoso(&["who", "Run script", "WS-BER-014", "--may-not"]));
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
