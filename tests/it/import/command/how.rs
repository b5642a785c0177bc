//! `tarbac import --how`: the catalog of exports, and the script that collects them.

use serde_json::Value;
use tarbac::exports::ExportsInMemory;

use super::super::import_held;
use crate::tarbac::Tarbac;

#[test]
fn how_lists_every_file_that_is_read() {
    let tarbac = Tarbac::with(&[]);
    let ran = tarbac.run(&["import", "--how"]);
    assert_eq!(ran.status, 0, "{ran}");
    let document = tarbac.run(&["import", "--how", "--format", "json"]);
    let document: Value = serde_json::from_str(&document.stdout).unwrap();
    let table = tarbac.run(&["import", "--how", "--format", "markdown"]);
    for export in document["files"].as_array().unwrap() {
        for part in ["file", "purpose", "call"] {
            let part = export[part].as_str().unwrap();
            assert!(ran.stdout.contains(part), "{part}");
            assert!(table.stdout.contains(part), "{part}");
        }
    }
    // The declaration that is shown is one that is taken.
    let files = document["files"].as_array().unwrap();
    let tenant = files
        .iter()
        .find(|export| export["file"] == "tenant.json")
        .unwrap();
    let mut held = ExportsInMemory::default();
    held.put("tenant.json", tenant["call"].as_str().unwrap());
    assert!(import_held(&held).is_ok());
    let ran = tarbac.run(&["import"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("--out"), "{ran}");
}

/// One script collects every file but those that a person makes, and asks for each permission once.
#[test]
fn how_writes_a_script_that_collects_everything() {
    let tarbac = Tarbac::with(&[]);
    let ran = tarbac.run(&["import", "--how", "--script"]);
    assert_eq!(ran.status, 0, "{ran}");
    let document = tarbac.run(&["import", "--how", "--format", "json"]);
    let document: Value = serde_json::from_str(&document.stdout).unwrap();
    let left = ["tenant.json", "devices.csv"];
    for export in document["files"].as_array().unwrap() {
        let (file, call) = (
            export["file"].as_str().unwrap(),
            export["call"].as_str().unwrap(),
        );
        if left.contains(&file) {
            continue;
        }
        let wanted = match file.strip_prefix("configmgr/<site>/") {
            Some(class) => format!("Name = '{}'", class.strip_suffix(".json").unwrap()),
            None => {
                let call = call
                    .strip_prefix("GET https://graph.microsoft.com/")
                    .unwrap();
                let uri = call.replace(' ', "%20").replace('\'', "%27");
                format!("File = '{file}'; Uri = '{uri}'")
            }
        };
        assert!(ran.stdout.contains(&wanted), "{wanted}");
        if file.starts_with("graph/") {
            let rights = export["rights"].as_str().unwrap();
            let scopes = document["scopes"].as_array().unwrap().iter();
            assert_eq!(
                scopes.filter(|scope| **scope == rights).count(),
                1,
                "{rights}"
            );
        }
    }
    let scopes = document["scopes"].as_array().unwrap().iter();
    let scopes: Vec<&str> = scopes.map(|scope| scope.as_str().unwrap()).collect();
    let connect = format!(
        "\nConnect-MgGraph -NoWelcome -Scopes {} -Environment $Environment\n",
        scopes.join(", ")
    );
    assert!(ran.stdout.contains(&connect), "{connect}");
    assert!(!ran.stdout.contains("{connect}") && !ran.stdout.contains("{environments}"));
    #[cfg(feature = "collect")]
    assert_eq!(tarbac.run(&["collect", "--script"]).stdout, ran.stdout);
    // Nothing is left to be filled in.
    for placeholder in ["<site>", "<provider>", "<AdminID>"] {
        assert!(!ran.stdout.contains(placeholder), "{placeholder}");
    }
    let ran = tarbac.run(&["import", "--script"]);
    assert_eq!(ran.status, 2, "{ran}");
}

/// Where every field of the declaration is found is told.
#[test]
fn how_says_where_each_value_of_the_declaration_is_found() {
    let tarbac = Tarbac::with(&[]);
    let document = tarbac.run(&["import", "--how", "--format", "json"]);
    let document: Value = serde_json::from_str(&document.stdout).unwrap();
    let declared = document["declared"].as_array().unwrap().iter();
    let told: Vec<&str> = declared.map(|of| of["field"].as_str().unwrap()).collect();
    let text = tarbac.run(&["import", "--how"]).stdout;
    for field in &told {
        assert!(text.contains(&format!("\n    {field}: ")), "{field}");
    }
    // What a misspelt field is answered with lists those there are.
    let fields = |declaration: &str| {
        let mut held = ExportsInMemory::default();
        held.put("tenant.json", declaration);
        let Err(error) = import_held(&held) else {
            panic!("{declaration} is taken");
        };
        let error = error.to_string();
        let (_, list) = error.split_once("expected one of ").unwrap();
        list.split(", ")
            .map(|field| field.trim_matches('`').to_owned())
            .collect::<Vec<_>>()
    };
    let of_tenant = fields(r#"{"misspelt": 1}"#).into_iter();
    let of_hierarchy = fields(r#"{"hierarchies": [{"misspelt": 1}]}"#).into_iter();
    let expected = of_tenant.filter(|field| field != "hierarchies");
    let mut expected: Vec<String> = expected
        .chain(of_hierarchy.map(|field| format!("hierarchies.{field}")))
        .collect();
    let mut told: Vec<String> = told.into_iter().map(str::to_owned).collect();
    expected.sort();
    told.sort();
    assert_eq!(told, expected);
}
