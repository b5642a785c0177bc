//! The report as JSON, NDJSON, CSV, Markdown and HTML.

use serde_json::{Value, json};

use super::{PRODUCTION, production, totals};
use crate::browser::{browser, seen};
use crate::tarbac::{command, contoso, sample};

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
