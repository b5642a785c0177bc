//! The report as JSON, NDJSON, CSV, Markdown and HTML.

use serde_json::{Value, json};

use super::{PRODUCTION, production, totals};
use crate::browser::{browser, filtered, seen};
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
    // It opens with a sentence, and says the changes in words.
    let sentence = "If Enforce Configuration Manager RBAC is cleared for P01, 16 accounts gain 535 permissions, and \
                    7 accounts lose 52 permissions; nobody loses everything.";
    assert!(
        page.contains(&format!("<p class=\"lead\">{sentence}</p>")),
        "{page}"
    );
    for said in [
        "Tenant contoso",
        " UTC",
        "Lost and gained, by hierarchy",
        "Lost and gained, by permission",
        "Roles that would need a permission so that nobody loses it",
        "readings.any-intune-role",
        "What these policies say",
        "tarbac what-if --enforce-configmgr-rbac P01=off",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    // The script runs, although the policy of the page forbids any other.
    assert!(!page.contains("data-filter=\"\" hidden"), "{page}");
    let all = filtered(&page);
    let is = |row: &&&str, word: &str| row.contains(&format!("</svg>{word}</span>"));
    assert!(all.iter().any(|row| is(&row, "Gained")));
    assert!(all.iter().any(|row| is(&row, "Lost")));
    // A filter leaves the rest out.
    let page = seen(&browser, &html, "#kind=lost");
    let lost = filtered(&page);
    assert!(
        !lost.is_empty() && lost.iter().all(|row| is(&row, "Lost")),
        "{page}"
    );
    let page = seen(&browser, &html, "#who=SAMIR&kind=lost");
    assert!(page.contains(">1 account shown<"), "{page}");
    assert!(filtered(&page).len() < lost.len(), "{page}");
    assert!(
        filtered(&seen(&browser, &html, "#who=nobody+of+this+name")).is_empty(),
        "{page}"
    );
}

/// Every place, permission and account of a page is a link to nowhere else, and no style stands in an element.
#[test]
fn the_page_needs_no_style_in_elements() {
    for arguments in [&["what-if", "--use-intune-rbac", "off"][..], &["access"]] {
        let html = contoso(&[arguments, &["--format", "html"]].concat()).stdout;
        let body = html.split_once("<body").unwrap().1;
        assert!(
            !body.contains(" style=") && !body.contains(" onclick="),
            "{body}"
        );
    }
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
