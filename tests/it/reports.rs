//! `--report`: each format read by a reader of somebody else's, with findings, without, and with
//! text that means harm.

mod readers;

use std::sync::Arc;

use serde_json::Value;
use tarbac::code::{self, Code};
use tarbac::excerpt::Excerpts;
use tarbac::finding::Finding;
use tarbac::render::report::{Format, render};
use tarbac::source::{Place, Source};
use tarbac::test_report::{Failure, Group, Report, Test};

use crate::solver::solver;
use crate::tarbac::{Tarbac, contoso};

/// A workspace with errors and warnings, in policies and in entities.
fn wrong() -> Tarbac {
    Tarbac::with_tenant(&[
        (
            "policies/custom/a b/ü.cedar",
            "@id(\"custom.ü\")\n@doc(\"ö\") permit (principal, action);\n",
        ),
        (
            "policies/custom/doc.cedar",
            "@id(\"custom.doc\")\npermit (principal, action == Intune::Action::\"runScript\",\n  resource)\nwhen { resource.nmae == \"PC-1\" };\n",
        ),
        ("policies/custom/left.txt", ""),
        ("entities/x.json", "[\n  {}\n]\n"),
    ])
}

fn warned() -> Tarbac {
    Tarbac::with(&[(
        "policies/custom/x.cedar",
        "@id(\"custom.x\")\npermit (principal, action, resource);\n",
    )])
}

fn clean() -> Tarbac {
    Tarbac::with_tenant(&[])
}

/// The report that goes to standard output.
fn validated(workspace: &Tarbac, format: Format) -> String {
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

fn test(name: &str, place: Place, failure: Option<(&str, &str)>) -> Test {
    let failure = failure.map(|(message, detail)| Failure {
        finding: Finding::error(code::test::FAILED, message)
            .label(place.clone(), "this test")
            .help("mend the policy, or the test"),
        detail: detail.to_owned(),
    });
    Test {
        name: name.to_owned(),
        place,
        failure,
    }
}

/// What testing comes to: two suites, a failure in each, and a warning beside them.
fn tested() -> Report {
    let source = suite();
    let other = Source::held("tests/a, b.json", "[]\n");
    Report {
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
fn harmful() -> Report {
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
    Report {
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

fn rendered(format: Format, report: &Report) -> String {
    render(format, report, &Excerpts::around(report.places()))
}

#[test]
fn what_each_format_looks_like() {
    for format in Format::ALL
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
        let document: serde_json::Value =
            serde_json::from_str(&validated(&workspace, Format::Json)).unwrap();
        let count = |key: &str| usize::try_from(document[key].as_u64().unwrap()).unwrap();
        let (errors, warnings) = (count("errors"), count("warnings"));
        let findings = errors + warnings;
        let passed = usize::from(findings == 0);

        let junit = readers::junit(&validated(&workspace, Format::Junit));
        assert_eq!(junit.tests as usize, findings + passed);
        assert_eq!(junit.failures as usize, errors);
        assert_eq!(junit.skipped as usize, warnings);

        let sarif = readers::sarif(&validated(&workspace, Format::Sarif));
        assert_eq!(sarif.runs[0].results.as_ref().unwrap().len(), findings);

        let github = readers::github(&validated(&workspace, Format::Github));
        let errors_there = github.iter().filter(|one| one.name == "error").count();
        let warnings_there = github.iter().filter(|one| one.name == "warning").count();
        assert_eq!((errors_there, warnings_there), (errors, warnings));

        let page = readers::markdown(&validated(&workspace, Format::Markdown));
        assert_eq!(page.rows.len().saturating_sub(1), findings);

        let tap = readers::tap(&validated(&workspace, Format::Tap));
        assert_eq!(tap.len(), findings + passed);
        assert_eq!(tap.iter().filter(|point| point.is_ok).count(), passed);
        assert_eq!(tap.iter().filter(|point| point.is_todo).count(), warnings);
    }
}

#[test]
fn each_test_is_in_each_format() {
    let report = tested();
    let document: serde_json::Value =
        serde_json::from_str(&rendered(Format::Json, &report)).unwrap();
    assert_eq!(
        (&document["tests"], &document["failed"]),
        (&3.into(), &2.into())
    );

    let junit = readers::junit(&rendered(Format::Junit, &report));
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

    let sarif = readers::sarif(&rendered(Format::Sarif, &report));
    let results = sarif.runs[0].results.as_ref().unwrap();
    let levels: Vec<String> = results
        .iter()
        .map(|result| result.level.as_ref().unwrap().to_string())
        .collect();
    assert_eq!(levels, ["error", "error", "warning"]);

    assert_eq!(readers::github(&rendered(Format::Github, &report)).len(), 3);

    let page = readers::markdown(&rendered(Format::Markdown, &report));
    assert_eq!(page.rows[1], ["roles", "tests/roles.json", "1", "1"]);
    assert_eq!(page.headings[1], "roles: bob sees nothing");
    assert!(page.blocks[0].contains("got       allow\n"));

    let tap = readers::tap(&rendered(Format::Tap, &report));
    let is_ok: Vec<bool> = tap.iter().map(|point| point.is_ok).collect();
    assert_eq!(is_ok, [true, false, false, false]);
}

/// Regions are 1-based, in characters, and end behind the last one.
#[test]
fn places_are_lines_and_columns() {
    let sarif: serde_json::Value =
        serde_json::from_str(&rendered(Format::Sarif, &tested())).unwrap();
    let results = &sarif["runs"][0]["results"];
    let region = |result: usize| {
        let region = &results[result]["locations"][0]["physicalLocation"]["region"];
        ["startLine", "startColumn", "endLine", "endColumn"]
            .map(|key| region[key].as_u64().unwrap())
    };
    assert_eq!(region(0), [3, 3, 3, 8]);
    assert_eq!(region(1), [1, 1, 1, 1]);
    assert_eq!(region(2), [4, 3, 5, 1]);
    // The first test starts with a letter of two bytes.
    let json: serde_json::Value = serde_json::from_str(&rendered(Format::Json, &tested())).unwrap();
    let test = &json["groups"][0]["tests"][0];
    assert_eq!((&test["line"], &test["column"]), (&2.into(), &3.into()));
    // An annotation over several lines has no columns.
    let github = readers::github(&rendered(Format::Github, &tested()));
    assert_eq!(github[2].properties["endLine"], "5");
    assert!(!github[2].properties.contains_key("col"));
}

#[test]
fn files_are_relative_and_encoded() {
    let sarif: serde_json::Value =
        serde_json::from_str(&validated(&wrong(), Format::Sarif)).unwrap();
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
    let report = Report {
        command: "validate",
        groups: Vec::new(),
        findings: vec![
            Finding::error(code::policy::TYPE, "c").label(Place::new(&source, 0..1), "d"),
        ],
        coverage: None,
        provenance: None,
    };
    let text = rendered(Format::Sarif, &report);
    readers::sarif(&text);
    assert!(text.contains("\"file:///a%20b/c.cedar\""), "{text}");
}

#[test]
fn the_reader_of_sarif_is_strict() {
    let mut document: serde_json::Value =
        serde_json::from_str(&rendered(Format::Sarif, &tested())).unwrap();
    assert_eq!(readers::sarif_error(&document), None);
    document["runs"][0]["results"][0]["level"] = "grave".into();
    assert!(readers::sarif_error(&document).is_some());
}

#[test]
fn hostile_text_stays_text() {
    let report = harmful();

    let text = rendered(Format::Junit, &report);
    let junit = readers::junit(&text);
    assert_eq!((junit.tests, junit.failures, junit.skipped), (3, 2, 1));
    let case = &junit.suites[0].cases[0];
    assert_eq!(case.original_name, hostile(false));
    let failure = case.status.failure_as_ref();
    assert_eq!(failure.message, hostile(false));
    for text in readers::junit_failures(&text) {
        assert!(text.contains(&hostile(false)), "{text}");
    }

    let sarif = readers::sarif(&rendered(Format::Sarif, &report));
    let results = sarif.runs[0].results.as_ref().unwrap();
    let message = results[0].message.text.as_ref().unwrap();
    assert!(message.starts_with(&hostile(false)), "{message}");

    let github = readers::github(&rendered(Format::Github, &report));
    assert_eq!(github.len(), 3);
    let code = format!("entities::{}", hostile(false));
    assert_eq!(github[0].properties["title"], code);
    assert_eq!(github[0].properties["file"], hostile(false));
    assert!(github[0].message.starts_with(&hostile(false)));

    let tap = readers::tap(&rendered(Format::Tap, &report));
    assert_eq!(tap.len(), 3);
    assert!(tap[2].is_todo);

    let page = readers::markdown(&rendered(Format::Markdown, &report));
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

    let json: serde_json::Value = serde_json::from_str(&rendered(Format::Json, &report)).unwrap();
    assert_eq!(json["groups"][0]["name"], HOSTILE);
}

#[test]
fn the_same_report_is_the_same_text() {
    let workspace = wrong();
    for format in Format::ALL
        .iter()
        .copied()
        .filter(|format| !format.is_of_coverage())
    {
        assert_eq!(validated(&workspace, format), validated(&workspace, format));
    }
}

#[test]
fn several_reports_at_once() {
    let workspace = wrong();
    let plain = workspace.run(&["validate"]);
    let ran = workspace.run(&[
        "validate",
        "--report",
        "junit=junit.xml",
        "--report",
        "github=-",
        "--report=sarif=out.sarif",
    ]);
    assert_eq!((plain.status, ran.status), (1, 1));
    // The report has standard output for itself, and the answer is as it was.
    readers::github(&ran.stdout);
    assert_eq!(ran.stderr, plain.stdout);
    readers::junit(&workspace.read("junit.xml"));
    readers::sarif(&workspace.read("out.sarif"));
    let mut names: Vec<String> = std::fs::read_dir(workspace.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["entities", "junit.xml", "out.sarif", "policies"]);
    // Without one on standard output the answer stays there.
    let ran = workspace.run(&["validate", "--report", "tap=report.tap"]);
    assert_eq!((ran.stdout, ran.stderr), (plain.stdout, String::new()));
}

#[test]
fn the_answer_for_programs_makes_way_too() {
    let ran = contoso(&["validate", "--format", "json", "--report", "json=-"]);
    assert_eq!(ran.status, 0, "{ran}");
    for text in [&ran.stdout, &ran.stderr] {
        let document: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(document["warnings"], 2, "{ran}");
    }
    let ran = contoso(&["validate", "--deny-warnings", "--report", "tap=-"]);
    assert_eq!(ran.status, 1, "{ran}");
}

#[test]
fn what_cannot_be_asked_for() {
    let workspace = clean();
    workspace.write("folder/file", "");
    let mut texts = String::new();
    for reports in [
        &["junit"][..],
        &["xml=report.xml"],
        &["junit="],
        &["junit=-", "tap=-"],
        &["junit=report", "tap=report"],
        &["junit=nowhere/report.xml"],
    ] {
        let reports = reports.iter().flat_map(|report| ["--report", report]);
        let arguments: Vec<&str> = ["validate"].into_iter().chain(reports).collect();
        let ran = workspace.run(&arguments);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
        texts += &format!("$ tarbac {}\n{}\n", arguments.join(" "), ran.stderr);
    }
    assert!(!workspace.path("report").exists());
    insta::assert_snapshot!(texts);
}

#[test]
fn a_report_that_cannot_be_written_spoils_nothing_else() {
    let workspace = clean();
    workspace.write("folder/file", "");
    let ran = workspace.run(&[
        "validate",
        "--report",
        "junit=folder",
        "--report",
        "tap=after.tap",
    ]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stdout.starts_with("ok: no findings\n"), "{ran}");
    assert!(
        ran.stderr.contains("cannot write the report `folder`"),
        "{ran}"
    );
    readers::tap(&workspace.read("after.tap"));
}

#[cfg(unix)]
#[test]
fn a_file_is_replaced_and_a_link_stays() {
    use std::os::unix::fs::PermissionsExt;

    let workspace = clean();
    workspace.write(
        "real/old.tap",
        "old, and longer than any report ".repeat(100),
    );
    workspace.write("made", "");
    std::os::unix::fs::symlink("real/old.tap", workspace.path("link.tap")).unwrap();
    let arguments = [
        "--report=tap=link.tap",
        "--report=json=new.json",
        "--report=sarif=/dev/null",
    ];
    let arguments: Vec<&str> = ["validate"].into_iter().chain(arguments).collect();
    let ran = workspace.run(&arguments);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(workspace.path("link.tap").is_symlink());
    assert_eq!(readers::tap(&workspace.read("real/old.tap")).len(), 1);
    // Whoever may read other new files may read a report.
    let mode = |path: &str| {
        let metadata = std::fs::metadata(workspace.path(path)).unwrap();
        metadata.permissions().mode()
    };
    assert_eq!(mode("new.json"), mode("made"));
}

/// What a report in JSON was decided with, as the answer in JSON has it.
#[test]
fn reports_in_json_say_which_rules_are_in_force() {
    let workspace = Tarbac::with_tenant(&[
        (
            "tests/a.yaml",
            "suite: A\ncases:\n  - { name: a, principal: ana@t.example, action: runScript, resource: PC-1, expect: allow, because: [roles.help-desk-operator] }\n",
        ),
        ("empty.json", "[]"),
        (
            "cedar.json",
            r#"[{"name": "a", "request": {"principal": "Entra::User::\"a\"", "action": "Intune::Action::\"runScript\"", "resource": "ConfigMgr::Device::\"d\"", "context": {}}, "entities": "empty.json", "decision": "deny", "reason": [], "num_errors": 0}]"#,
        ),
    ]);
    let mut commands = vec![
        vec!["validate"],
        vec!["test"],
        vec!["test", "--cedar", "cedar.json"],
    ];
    if let Some(solver) = solver("reports_in_json_say_which_rules_are_in_force") {
        let solver: &'static str = solver.into_os_string().into_string().unwrap().leak();
        commands.push(vec!["prove", "--solver", solver]);
        commands.push(vec!["prove", "--compare", ".", "--solver", solver]);
    }
    for command in commands {
        let ran = workspace.run(&[&command[..], &["--report", "json=-"]].concat());
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
        let ran = workspace.run(&[&command[..], &["--format", "json"]].concat());
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
        assert_eq!(report["rules_in_force"], "shipped", "{command:?}");
        for key in ["rules_in_force", "revision", "not_read"] {
            assert_eq!(report[key], answer[key], "{command:?}");
        }
    }
    // A suite with an error keeps nobody from knowing them.
    workspace.write("tests/a.yaml", "suite: A\ncases: [{}]\n");
    let ran = workspace.run(&["test", "--report", "json=-"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
    assert_eq!(report["rules_in_force"], "shipped", "{ran}");
}
