//! Each finding and each failed test in each format.

use std::sync::Arc;

use tarbac::code::{self, Code};
use tarbac::excerpt::Excerpts;
use tarbac::finding::Finding;
use tarbac::render::ci::{ReportFormat, render};
use tarbac::source::{Place, Source};
use tarbac::test_report::{Failure, Group, Test, TestReport};

use super::readers;
use super::{clean, test, wrong};
use crate::tarbac::Tarbac;

fn warned() -> Tarbac {
    Tarbac::with(&[(
        "policies/custom/x.cedar",
        "@id(\"custom.x\")\npermit (principal, action, resource);\n",
    )])
}

/// The report that goes to standard output.
fn validated(workspace: &Tarbac, format: ReportFormat) -> String {
    let ran = workspace.run(&["validate", "--report", &format!("{format}=-")]);
    assert_ne!(ran.status, 2, "{ran}");
    ran.stdout
}

const HOSTILE: &str = "\"a\" 'b' <b>&amp;</b> ]]> <!-- | `c` # d \\ % :: , *e* _f_ ~g~ [h](i) $j$ \u{1b}[31m\u{0}\u{fffe} 🦀\r\nnot ok 9 - ::error::k";

/// The same as every format shows it, or on one line where it has but one.
fn hostile(is_one_line: bool) -> String {
    let text = HOSTILE
        .replace(['\u{1b}', '\u{0}', '\u{fffe}'], "\u{fffd}")
        .replace('\r', "");
    match is_one_line {
        true => text.replace('\n', " "),
        false => text,
    }
}

fn suite() -> Arc<Source> {
    Source::held(
        "tests/roles.json",
        "[\n  \"ö one\",\n  \"two\",\n  \"three\n\"\n]\n",
    )
}

/// What testing comes to: two suites, a failure in each, and a warning beside them.
fn tested() -> TestReport {
    let source = suite();
    let other = Source::held("tests/a, b.json", "[]\n");
    TestReport {
        command: "test",
        groups: vec![
            Group {
                name: "roles".to_owned(),
                file: source.name.clone(),
                tests: vec![
                    test("ada sees client details", Place::new(&source, 4..12), None),
                    test(
                        "bob sees nothing",
                        Place::new(&source, 16..21),
                        Some((
                            "expected deny, got allow",
                            "expected  deny\ngot       allow\n\n  by `roles.help-desk-operator`\n",
                        )),
                    ),
                ],
            },
            Group {
                name: "nothing".to_owned(),
                file: other.name.clone(),
                tests: vec![test(
                    "the empty suite",
                    Place::new(&other, 0..0),
                    Some(("no case", "")),
                )],
            },
        ],
        findings: vec![
            Finding::warning(code::test::INVALID, "the person `x|y` is in no case")
                .label(Place::new(&source, 25..32), "here\u{7}")
                .label(Place::new(&other, 0..2), "not here"),
        ],
        coverage: None,
        provenance: None,
    }
}

/// A report all of whose text means harm.
fn harmful() -> TestReport {
    let source = Source::held(HOSTILE, "x\n");
    let place = Place::new(&source, 0..1);
    let finding = Finding::error(Code::of_policy(HOSTILE), HOSTILE)
        .label(place.clone(), HOSTILE)
        .label(place.clone(), HOSTILE)
        .help(HOSTILE);
    let failure = Failure {
        finding: finding.clone(),
        detail: format!("{HOSTILE}\n````\n</code>\n"),
    };
    TestReport {
        command: "test",
        groups: vec![Group {
            name: HOSTILE.to_owned(),
            file: HOSTILE.to_owned(),
            tests: vec![Test {
                name: HOSTILE.to_owned(),
                place,
                failure: Some(failure),
            }],
        }],
        findings: vec![finding, Finding::warning(code::test::INVALID, HOSTILE)],
        coverage: None,
        provenance: None,
    }
}

fn rendered(format: ReportFormat, report: &TestReport) -> String {
    render(format, report, &Excerpts::around(report.places()))
}

#[test]
fn what_each_format_looks_like() {
    for format in ReportFormat::ALL
        .iter()
        .copied()
        .filter(|format| !format.is_of_coverage())
    {
        let parts = [
            ("errors and warnings", validated(&wrong(), format)),
            ("a warning", validated(&warned(), format)),
            ("nothing", validated(&clean(), format)),
            ("tests", rendered(format, &tested())),
        ];
        let parts: Vec<String> = parts
            .iter()
            .map(|(name, text)| format!("======== {name}\n{text}"))
            .collect();
        let text = parts.join("").replace(
            &format!("ersion\": \"{}\"", env!("CARGO_PKG_VERSION")),
            "ersion\": \"[version]\"",
        );
        insta::assert_snapshot!(format.to_string(), text);
    }
}

#[test]
fn each_finding_is_in_each_format() {
    for workspace in [wrong(), warned(), clean()] {
        let answer = workspace.run(&["validate", "--format", "json"]).stdout;
        let document: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let count = |key: &str| usize::try_from(document[key].as_u64().unwrap()).unwrap();
        let (errors, warnings) = (count("errors"), count("warnings"));
        let findings = errors + warnings;
        let passed = usize::from(findings == 0);

        let junit = readers::junit(&validated(&workspace, ReportFormat::Junit));
        assert_eq!(junit.tests as usize, findings + passed);
        assert_eq!(junit.failures as usize, errors);
        assert_eq!(junit.skipped as usize, warnings);

        let sarif = readers::sarif(&validated(&workspace, ReportFormat::Sarif));
        assert_eq!(sarif.runs[0].results.as_ref().unwrap().len(), findings);

        let github = readers::github(&validated(&workspace, ReportFormat::Github));
        let errors_there = github.iter().filter(|one| one.name == "error").count();
        let warnings_there = github.iter().filter(|one| one.name == "warning").count();
        assert_eq!((errors_there, warnings_there), (errors, warnings));

        let page = readers::markdown(&validated(&workspace, ReportFormat::Markdown));
        assert_eq!(page.rows.len().saturating_sub(1), findings);

        let tap = readers::tap(&validated(&workspace, ReportFormat::Tap));
        assert_eq!(tap.len(), findings + passed);
        assert_eq!(tap.iter().filter(|point| point.is_ok).count(), passed);
        assert_eq!(tap.iter().filter(|point| point.is_todo).count(), warnings);
    }
}

#[test]
fn each_test_is_in_each_format() {
    let report = tested();
    let junit = readers::junit(&rendered(ReportFormat::Junit, &report));
    assert_eq!((junit.tests, junit.failures, junit.skipped), (4, 2, 1));
    let failed = &junit.suites[0].cases[1];
    assert_eq!(failed.file.as_deref(), Some("tests/roles.json"));
    assert_eq!(failed.line, Some(3));
    assert!(
        failed
            .status
            .failure_as_ref()
            .text
            .contains("got       allow")
    );

    let sarif = readers::sarif(&rendered(ReportFormat::Sarif, &report));
    let results = sarif.runs[0].results.as_ref().unwrap();
    let levels: Vec<String> = results
        .iter()
        .map(|result| result.level.as_ref().unwrap().to_string())
        .collect();
    assert_eq!(levels, ["error", "error", "warning"]);

    assert_eq!(
        readers::github(&rendered(ReportFormat::Github, &report)).len(),
        3
    );

    let page = readers::markdown(&rendered(ReportFormat::Markdown, &report));
    assert_eq!(page.rows[1], ["roles", "tests/roles.json", "1", "1"]);
    assert_eq!(page.headings[1], "roles: bob sees nothing");
    assert!(page.blocks[0].contains("got       allow\n"));

    let tap = readers::tap(&rendered(ReportFormat::Tap, &report));
    let is_ok: Vec<bool> = tap.iter().map(|point| point.is_ok).collect();
    assert_eq!(is_ok, [true, false, false, false]);
}

/// Regions are 1-based, in characters, and end behind the last one.
#[test]
fn places_are_lines_and_columns() {
    let sarif: serde_json::Value =
        serde_json::from_str(&rendered(ReportFormat::Sarif, &tested())).unwrap();
    let results = &sarif["runs"][0]["results"];
    let region = |result: usize| {
        let region = &results[result]["locations"][0]["physicalLocation"]["region"];
        ["startLine", "startColumn", "endLine", "endColumn"]
            .map(|key| region[key].as_u64().unwrap())
    };
    assert_eq!(region(0), [3, 3, 3, 8]);
    assert_eq!(region(1), [1, 1, 1, 1]);
    assert_eq!(region(2), [4, 3, 5, 1]);
    // An annotation over several lines has no columns.
    let github = readers::github(&rendered(ReportFormat::Github, &tested()));
    assert_eq!(github[2].properties["endLine"], "5");
    assert!(!github[2].properties.contains_key("col"));
}

#[test]
fn files_are_relative_and_encoded() {
    let sarif: serde_json::Value =
        serde_json::from_str(&validated(&wrong(), ReportFormat::Sarif)).unwrap();
    let text = sarif.to_string();
    assert!(
        text.contains("policies/custom/a%20b/%C3%BC.cedar"),
        "{text}"
    );
    assert!(!text.contains("[folder]"), "{text}");
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    let ids: Vec<&str> = rules
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    assert!(ids.is_sorted(), "{ids:?}");
    for result in sarif["runs"][0]["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], ids[index]);
        assert!(!result["locations"].as_array().unwrap().is_empty());
    }
    // A path that is not relative stays what it is, as the URI of a file.
    let source = Source::held("/a b/c.cedar", "x");
    let report = TestReport {
        command: "validate",
        groups: Vec::new(),
        findings: vec![
            Finding::error(code::policy::TYPE, "c").label(Place::new(&source, 0..1), "d"),
        ],
        coverage: None,
        provenance: None,
    };
    let text = rendered(ReportFormat::Sarif, &report);
    readers::sarif(&text);
    assert!(text.contains("\"file:///a%20b/c.cedar\""), "{text}");
}

#[test]
fn the_reader_of_sarif_is_strict() {
    let mut document: serde_json::Value =
        serde_json::from_str(&rendered(ReportFormat::Sarif, &tested())).unwrap();
    assert_eq!(readers::sarif_error(&document), None);
    document["runs"][0]["results"][0]["level"] = "grave".into();
    assert!(readers::sarif_error(&document).is_some());
}

#[test]
fn hostile_text_stays_text() {
    let report = harmful();

    let text = rendered(ReportFormat::Junit, &report);
    let junit = readers::junit(&text);
    assert_eq!((junit.tests, junit.failures, junit.skipped), (3, 2, 1));
    let case = &junit.suites[0].cases[0];
    assert_eq!(case.original_name, hostile(false));
    let failure = case.status.failure_as_ref();
    assert_eq!(failure.message, hostile(false));
    for text in readers::junit_failures(&text) {
        assert!(text.contains(&hostile(false)), "{text}");
    }

    let sarif = readers::sarif(&rendered(ReportFormat::Sarif, &report));
    let results = sarif.runs[0].results.as_ref().unwrap();
    let message = results[0].message.text.as_ref().unwrap();
    assert!(message.starts_with(&hostile(false)), "{message}");

    let github = readers::github(&rendered(ReportFormat::Github, &report));
    assert_eq!(github.len(), 3);
    let code = format!("entities::{}", hostile(false));
    assert_eq!(github[0].properties["title"], code);
    assert_eq!(github[0].properties["file"], hostile(false));
    assert!(github[0].message.starts_with(&hostile(false)));

    let tap = readers::tap(&rendered(ReportFormat::Tap, &report));
    assert_eq!(tap.len(), 3);
    assert!(tap[2].is_todo);

    let page = readers::markdown(&rendered(ReportFormat::Markdown, &report));
    let shown = hostile(true);
    let unquoted = shown.replace('`', "");
    assert_eq!(page.rows[1][..2], [unquoted.clone(), shown.clone()]);
    assert_eq!(page.rows[3][1], format!("entities::{shown}"));
    assert!(page.rows[3][3].starts_with(&unquoted), "{:?}", page.rows);
    assert!(
        page.rows.iter().all(|row| row.len() == 4),
        "{:?}",
        page.rows
    );
    assert_eq!(page.headings.len(), 2);
    assert_eq!(
        page.blocks,
        [format!("{}\n````\n</code>\n", hostile(false))]
    );
}

#[test]
fn the_same_report_is_the_same_text() {
    let workspace = wrong();
    for format in ReportFormat::ALL
        .iter()
        .copied()
        .filter(|format| !format.is_of_coverage())
    {
        assert_eq!(validated(&workspace, format), validated(&workspace, format));
    }
}
