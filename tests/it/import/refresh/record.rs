//! The record of what an import wrote: missing, damaged, or of a newer tarbac.

use serde_json::{Value, json};

use super::super::{files, run_import};
use super::{FREEZE, READING, check, export, imported, refreshed, remove, replace, update_site};
use crate::tarbac::Tarbac;

/// A workspace as it was made before there were records, by a tarbac with other rules.
fn without_record() -> Tarbac {
    let tarbac = imported();
    for path in [
        "tarbac-files.json",
        ".gitignore",
        "tests/everybody.yaml",
        "tests/suite.schema.json",
    ] {
        remove(&tarbac, path);
    }
    std::fs::remove_dir(tarbac.path("workspace/tests")).unwrap();
    tarbac
}

#[test]
fn a_workspace_without_a_record_loses_nothing() {
    let tarbac = without_record();
    tarbac.write("workspace/policies/custom/freeze.cedar", FREEZE);
    replace(&tarbac, READING, "@default(\"on\")", "@default(\"off\")");
    update_site(&tarbac);
    let before = files(&tarbac.path("workspace"));
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("entities/hierarchies.json: no import wrote it"),
        "{ran}"
    );
    assert!(ran.stderr.contains("--force"), "{ran}");
    assert!(files(&tarbac.path("workspace")) == before);
    let report = refreshed(&tarbac, &["--force"]);
    assert_eq!(report["changed"], json!(["entities/hierarchies.json"]));
    assert_eq!(report["kept"][1]["file"], READING);
    assert!(check(&tarbac).stdout.contains("custom.freeze"));
    assert!(
        tarbac
            .read(&format!("workspace/{READING}"))
            .contains("\"off\"")
    );
    // From here on there is one.
    export(&tarbac, "tenant.json", |tenant| {
        tenant["hierarchies"][0]["version"] = json!(2403);
    });
    let report = refreshed(&tarbac, &[]);
    assert_eq!(report["changed"], json!(["entities/hierarchies.json"]));
}

#[test]
fn copies_of_earlier_rules_are_updated_and_changed_ones_are_not() {
    let tarbac = imported();
    // As if an earlier tarbac had shipped and written other texts.
    let old = "// As it was.\n";
    let (copy, changed) = ("policies/README.md", "policies/guardrails/tenant.cedar");
    let now = tarbac.read(&format!("workspace/{changed}"));
    let mut record: Value =
        serde_json::from_str(&tarbac.read("workspace/tarbac-files.json")).unwrap();
    for path in [copy, changed] {
        record["shipped"][path] = json!(tarbac::record::digest(old).to_string());
    }
    tarbac.write("workspace/tarbac-files.json", record.to_string());
    tarbac.write(&format!("workspace/{copy}"), old);
    let mine = format!("// Mine.\n{now}");
    tarbac.write(&format!("workspace/{changed}"), &mine);
    for _ in 0..2 {
        let report = refreshed(&tarbac, &[]);
        assert_eq!(
            report["kept"],
            json!([{"file": changed, "why": "changed by hand; what ships is another text by now"}])
        );
        assert_eq!(tarbac.read(&format!("workspace/{changed}")), mine);
        assert_ne!(tarbac.read(&format!("workspace/{copy}")), old);
    }
    let report = refreshed(&tarbac, &["--take", changed]);
    assert_eq!(report["changed"], json!([changed]));
    assert_eq!(tarbac.read(&format!("workspace/{changed}")), now);
}

#[test]
fn other_line_ends_are_no_change() {
    let tarbac = imported();
    for (path, bytes) in files(&tarbac.path("workspace")) {
        let text = String::from_utf8(bytes).unwrap();
        tarbac.write(&format!("workspace/{path}"), text.replace('\n', "\r\n"));
    }
    update_site(&tarbac);
    let report = refreshed(&tarbac, &[]);
    assert_eq!(report["changed"], json!(["entities/hierarchies.json"]));
    assert_eq!(report["kept"], json!([]));
}

#[test]
fn a_record_that_is_none_is_no_missing_one() {
    let tarbac = imported();
    let record = tarbac.read("workspace/tarbac-files.json");
    tarbac.write(
        "workspace/tarbac-files.json",
        format!("<<<<<<< HEAD\n{record}"),
    );
    let ran = check(&tarbac);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("tarbac-files.json"), "{ran}");
    assert_eq!(run_import(&tarbac, &["--force"]).status, 2);
    // One that would have files written elsewhere is none either.
    let wrong = record.replace("\"policies/README.md\"", "\"../README.md\"");
    tarbac.write("workspace/tarbac-files.json", wrong);
    assert_eq!(check(&tarbac).status, 2);
}

#[test]
fn a_record_of_a_newer_tarbac_is_told_as_one() {
    for record in [
        "{\"version\":2}",
        "{\"version\": 2, \"files\": [], \"about\": 1}",
    ] {
        let tarbac = imported();
        tarbac.write("workspace/tarbac-files.json", record);
        for ran in [check(&tarbac), run_import(&tarbac, &[])] {
            assert_eq!(ran.status, 2, "{ran}");
            assert!(
                ran.stderr.contains("a newer tarbac has written it"),
                "{ran}"
            );
            assert!(
                ran.stderr.contains("use a tarbac that is at least as new"),
                "{ran}"
            );
        }
    }
}
