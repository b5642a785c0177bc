//! The tests of `cedar run-tests`: ours are theirs and theirs are ours. Where the program `cedar`
//! is on the PATH, it is asked as well.

mod mistakes;
mod written;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::json;
use tarbac::cedar_run_tests::{self, CedarTest, TestOutcome};
use tarbac::source::Source;
use tarbac::workspace::EntityFiles;
use tarbac::{Engine, Layout, Switches, Workspace, code, shipped, workspace};

const EXAMPLES: [&str; 3] = ["albums", "forge", "papers"];

fn folder(example: &str) -> PathBuf {
    Path::new("tests/cedar").join(example)
}

fn load(example: &str) -> Engine {
    let workspace = Workspace::load(
        &Layout::new(folder(example), shipped::rules()),
        &Switches::default(),
    )
    .unwrap();
    assert_eq!(workspace.warnings, [], "{example}");
    workspace.engine
}

fn run(engine: &Engine, text: &str, files: &EntityFiles) -> Vec<TestOutcome> {
    let source = Source::held("tests.json", text);
    let tests = cedar_run_tests::read(&source).unwrap();
    cedar_run_tests::run(engine.bundle(), engine.readings(), &tests, files)
}

/// The tests of an example, and the files that they name.
fn tests_of(example: &str) -> (Arc<Source>, EntityFiles) {
    let path = folder(example).join("tests.json");
    let source = workspace::cedar_tests(&path).unwrap();
    let files = files_of(&path, &cedar_run_tests::read(&source).unwrap());
    (source, files)
}

fn files_of(path: &Path, tests: &[CedarTest<'_>]) -> EntityFiles {
    workspace::entity_files(path, tests.iter().filter_map(CedarTest::entities_file))
}

/// The word of `cedar run-tests` for each test, `ok`, `fail` or `error`; nothing where there is no
/// such program.
fn asked_of_cedar(
    engine: &Engine,
    schema: Option<&str>,
    tests: &str,
    files: &EntityFiles,
) -> Option<Vec<String>> {
    let found = Command::new("cedar")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if found.is_err() {
        eprintln!("left out: no `cedar` on the PATH");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let policies = cedar_run_tests::policies_in_force(engine.bundle(), engine.readings());
    write("policies.cedar", &policies);
    write("tests.json", tests);
    for (name, text) in files {
        write(name, text.as_ref().unwrap());
    }
    let mut command = Command::new("cedar");
    command.current_dir(folder.path()).args([
        "run-tests",
        "--policies",
        "policies.cedar",
        "--tests",
    ]);
    // It finds no file beside tests that are named without a folder.
    command.arg(folder.path().join("tests.json"));
    if let Some(schema) = schema {
        write("schema.cedarschema", schema);
        command.args(["--schema", "schema.cedarschema"]);
    }
    let output = command.output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let words = output
        .lines()
        .filter(|line| line.starts_with("  test "))
        .map(|line| line.rsplit(" ... ").next().unwrap())
        .map(|rest| rest.split(':').next().unwrap().to_owned())
        .collect();
    Some(words)
}

fn words(verdicts: &[TestOutcome]) -> Vec<&'static str> {
    verdicts
        .iter()
        .map(|verdict| match verdict {
            TestOutcome::Passed(_) => "ok",
            TestOutcome::Failed(..) => "fail",
            TestOutcome::NotRun(_) => "error",
        })
        .collect()
}

fn schema_of(example: &str) -> String {
    std::fs::read_to_string(folder(example).join(format!("schema/{example}.cedarschema"))).unwrap()
}

#[test]
fn examples_pass() {
    for (example, indeterminate) in EXAMPLES.into_iter().zip([3, 2, 1]) {
        let engine = load(example);
        let (source, files) = tests_of(example);
        let tests = cedar_run_tests::read(&source).unwrap();
        let verdicts = cedar_run_tests::run(engine.bundle(), engine.readings(), &tests, &files);
        assert!(tests.len() > 10);
        let group = cedar_run_tests::group(&source, &tests, &verdicts);
        for test in &group.tests {
            assert_eq!(test.failure, None, "{example}: {}", test.name);
        }
        // A test that expects errors passes, and is told apart.
        let found = verdicts.iter().filter(|one| one.is_indeterminate()).count();
        assert_eq!(found, indeterminate, "{example}");
    }
}

#[test]
fn examples_pass_in_cedar() {
    for example in EXAMPLES {
        let engine = load(example);
        let (source, files) = tests_of(example);
        let ours = vec!["ok"; cedar_run_tests::read(&source).unwrap().len()];
        let schema = schema_of(example);
        let mut schemas = vec![Some(schema.as_str())];
        if example != "forge" {
            // The short references in the forge need the schema.
            schemas.push(None);
        }
        for schema in schemas {
            if let Some(theirs) = asked_of_cedar(&engine, schema, source.text(), &files) {
                assert_eq!(theirs, ours, "{example}");
            }
        }
    }
}

#[test]
fn a_malformed_file_is_named_with_the_line() {
    for (text, line, says) in [
        ("", 1, "EOF while parsing"),
        ("{\n}", 1, "expected a sequence"),
        (
            "[\n  {\"name\": \"a\"},\n  {\"name\" \"b\"}\n]",
            3,
            "expected `:`",
        ),
        ("[\n  {}\n", 3, "EOF while parsing"),
    ] {
        let source = Source::held("broken/tests.json", text);
        let finding = cedar_run_tests::read(&source).unwrap_err();
        let place = &finding.labels[0].place;
        assert_eq!(finding.code, code::test::SYNTAX);
        assert_eq!(place.source.name, "broken/tests.json");
        assert_eq!(place.line(), Some(line), "{text}");
        assert!(finding.message.contains(says), "{}", finding.message);
    }
}

#[test]
fn a_key_given_twice_is_an_error() {
    let engine = load("albums");
    let (source, _) = tests_of("albums");
    for (key, twice) in [
        (
            "\"decision\": \"allow\"",
            "\"decision\": \"deny\", \"decision\": \"allow\"",
        ),
        (
            "\"context\": {}",
            "\"context\": {\"bonus\": 1, \"bonus\": 2}",
        ),
        ("\"hidden\": false", "\"hidden\": true, \"hidden\": false"),
    ] {
        let text = source.text().replacen(key, twice, 1);
        assert_ne!(text, source.text());
        let verdict = run(&engine, &text, &EntityFiles::new()).swap_remove(0);
        assert!(
            matches!(verdict, TestOutcome::NotRun(_)),
            "{key}: {verdict:?}"
        );
    }
}

#[test]
fn entities_outside_of_the_folder_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let tests = folder.path().join("tests");
    std::fs::create_dir(&tests).unwrap();
    std::fs::write(folder.path().join("outside.json"), "[]").unwrap();
    std::fs::write(tests.join("inside.json"), "[]").unwrap();
    let test = |entities: &str| {
        json!({"request": {"principal": "", "action": "", "resource": "", "context": {}},
            "entities": entities, "decision": "deny", "reason": [], "num_errors": 0})
    };
    let names = [
        "inside.json",
        "../outside.json",
        "missing.json",
        "../tests/inside.json",
    ];
    let text = json!(names.map(test)).to_string();
    let source = Source::held("tests.json", text);
    let read = cedar_run_tests::read(&source).unwrap();
    let files = files_of(&tests.join("tests.json"), &read);
    let found: BTreeMap<&str, bool> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.is_ok()))
        .collect();
    assert_eq!(
        found,
        BTreeMap::from([
            ("../outside.json", false),
            ("../tests/inside.json", true),
            ("inside.json", true),
            ("missing.json", false),
        ])
    );
}
