//! The tests of `cedar run-tests`: ours are theirs and theirs are ours. Where the program `cedar`
//! is on the PATH, it is asked as well.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use cedar_policy::{Authorizer, Context, Entities, EntityUid, PolicySet, Request as CedarRequest};
use cedar_policy_core::ast;
use serde_json::{Value, json};
use tarbac::cedar_run_tests::{self, CedarTest, Difference, EntityFiles, Expectation, Verdict};
use tarbac::decision::{Decision, Request};
use tarbac::source::Source;
use tarbac::{Engine, Layout, Outcome, Switches, Workspace, code, shipped, workspace};

use crate::contoso::{contoso, request};

const EXAMPLES: [&str; 3] = ["albums", "forge", "papers"];

fn folder(example: &str) -> PathBuf {
    Path::new("tests/cedar").join(example)
}

fn load(example: &str) -> Engine {
    let workspace = Workspace::load(
        &Layout::of(folder(example), shipped::rules()),
        &Switches::default(),
    )
    .unwrap();
    assert_eq!(workspace.warnings, [], "{example}");
    workspace.engine
}

fn run(engine: &Engine, text: &str, files: &EntityFiles) -> Vec<Verdict> {
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

fn words(verdicts: &[Verdict]) -> Vec<&'static str> {
    verdicts
        .iter()
        .map(|verdict| match verdict {
            Verdict::Passed(_) => "ok",
            Verdict::Failed(..) => "fail",
            Verdict::NotRun(_) => "error",
        })
        .collect()
}

fn schema_of(example: &str) -> String {
    std::fs::read_to_string(folder(example).join(format!("schema/{example}.cedarschema"))).unwrap()
}

fn shipped_schema() -> String {
    let texts = tarbac::shipped::rules().alone();
    let texts: Vec<&str> = texts.schema.iter().map(|source| source.text()).collect();
    texts.join("\n")
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

/// Tests of the albums: one that passes, and many that do not.
fn albums_with_mistakes() -> Vec<Value> {
    let (source, _) = tests_of("albums");
    let tests: Vec<Value> = serde_json::from_str(source.text()).unwrap();
    let fine = tests[0].clone();
    let but = |path: &str, value: Value| {
        let mut test = fine.clone();
        match path.rsplit_once('/') {
            Some((parent, key)) => test.pointer_mut(parent).unwrap()[key] = value,
            None => test[path] = value,
        }
        test
    };
    let without = |key: &str| {
        let mut test = fine.clone();
        test.as_object_mut().unwrap().remove(key);
        test
    };
    let album = json!({"uid": {"type": "Album", "id": "beach"}, "attrs": {}, "parents": []});
    let twin = json!({"uid": {"type": "Circle", "id": "family"}, "attrs": {}, "parents": [{"type": "Circle", "id": "cousins"}]});
    let with = |entity: Value| {
        let mut test = fine.clone();
        test["entities"].as_array_mut().unwrap().push(entity);
        test
    };
    let action = |parents: Value| json!({"uid": {"type": "Action", "id": "look"}, "attrs": {}, "parents": parents});
    vec![
        fine.clone(),
        but("decision", json!("deny")),
        but("decision", json!("Allow")),
        but("decision", json!(null)),
        but("reason", json!(["albums.summer", "albums.keeper"])),
        but("reason", json!("albums.summer")),
        but("num_errors", json!(1)),
        but("num_errors", json!(-1)),
        but("num_errors", json!("0")),
        but("name", json!(7)),
        but("entities", json!("missing.json")),
        but("entities", json!({})),
        but("entities", json!([7])),
        but("entities", json!([])),
        but("request", json!([])),
        but("/request/principal", json!("kai")),
        but("/request/principal", json!(null)),
        but(
            "/request/principal",
            json!({"type": "Visitor", "id": "kai"}),
        ),
        but("/request/principal", json!("Picture::\"sand\"")),
        but("/request/action", json!("Action::\"burn\"")),
        but("/request/resource", json!("Album::\"beach\"")),
        but("/request/context", json!({"bonus": "much"})),
        but("/request/context", json!({"malus": 1})),
        but("/request/context", json!(null)),
        without("name"),
        without("request"),
        without("entities"),
        without("decision"),
        without("reason"),
        without("num_errors"),
        with(fine["entities"][0].clone()),
        with(twin),
        with(album),
        with(json!({"uid": {"type": "Camera", "id": "1"}, "attrs": {}, "parents": []})),
        with(action(json!([]))),
        with(action(json!([{"type": "Action", "id": "remove"}]))),
        json!(7),
        json!("test"),
        json!(null),
    ]
}

#[test]
fn mistakes_are_those_of_cedar() {
    let engine = load("albums");
    let tests = albums_with_mistakes();
    let text = serde_json::to_string_pretty(&tests).unwrap();
    let verdicts = run(&engine, &text, &EntityFiles::new());
    let ours = words(&verdicts);
    assert_eq!(
        ours[..7],
        ["ok", "fail", "error", "error", "fail", "error", "fail"]
    );
    let schema = schema_of("albums");
    if let Some(theirs) = asked_of_cedar(&engine, Some(&schema), &text, &EntityFiles::new()) {
        for ((test, ours), theirs) in tests.iter().zip(&ours).zip(&theirs) {
            assert_eq!(ours, theirs, "{test}");
        }
        assert_eq!(ours.len(), theirs.len());
    }
}

#[test]
fn what_differs_is_said() {
    let engine = load("albums");
    let tests = albums_with_mistakes();
    let text = serde_json::to_string_pretty(&tests).unwrap();
    let verdicts = run(&engine, &text, &EntityFiles::new());
    let differences = |index: usize| match &verdicts[index] {
        Verdict::Failed(_, differences) => differences.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        differences(1),
        [Difference::Decision {
            expected: Decision::Deny,
            came: Decision::Allow
        }]
    );
    assert_eq!(
        differences(4),
        [Difference::Reason(vec!["albums.keeper".to_owned()])]
    );
    assert_eq!(
        differences(6),
        [Difference::Errors {
            expected: 1,
            came: 0
        }]
    );
}

#[test]
fn a_report_says_where_and_why() {
    let engine = load("albums");
    let text = serde_json::to_string_pretty(&albums_with_mistakes()).unwrap();
    let source = Source::held("tests.json", text.as_str());
    let tests = cedar_run_tests::read(&source).unwrap();
    let verdicts = cedar_run_tests::run(
        engine.bundle(),
        engine.readings(),
        &tests,
        &EntityFiles::new(),
    );
    let mut report = String::new();
    for test in cedar_run_tests::group(&source, &tests, &verdicts).tests {
        if let Some(failure) = test.failure {
            let finding = failure.finding;
            let place = &finding.labels[0].place;
            writeln!(
                report,
                "{}: {}\n{}\n",
                place.line().unwrap(),
                finding.code,
                finding.message
            )
            .unwrap();
            if finding.code == code::test::FAILED {
                writeln!(report, "{}\n", failure.detail).unwrap();
            }
        }
    }
    insta::assert_snapshot!(report);
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
        assert!(matches!(verdict, Verdict::NotRun(_)), "{key}: {verdict:?}");
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

/// Requests of three people, every permission and three devices, with their names.
fn contoso_requests(engine: &Engine) -> Vec<(String, Request)> {
    let mut requests = Vec::new();
    for person in ["ada", "farid", "samir"] {
        for action in engine.bundle().vocabulary().permissions() {
            let resources: &[&str] = match action.id() {
                "updateRoles" => &["contoso"],
                _ => &["WS-TST-001", "WS-BER-014", "WS-MUC-003"],
            };
            for resource in resources {
                let name = format!("{person} {} {resource}", action.id());
                requests.push((name, request(engine, person, action.id(), resource)));
            }
        }
    }
    requests
}

fn written(
    engine: &Engine,
    requests: &[(String, Request)],
) -> (cedar_run_tests::Written, Vec<Outcome>) {
    let outcomes: Vec<Outcome> = requests
        .iter()
        .map(|(_, request)| engine.decide(request))
        .collect();
    let expectations: Vec<Expectation> = requests
        .iter()
        .zip(&outcomes)
        .map(|((name, request), outcome)| Expectation {
            engine,
            name,
            request,
            decision: outcome.decision,
            policies: &outcome.policies,
        })
        .collect();
    (cedar_run_tests::write(&expectations), outcomes)
}

#[test]
fn what_is_written_passes_here_and_in_cedar() {
    let engine = contoso(&[]);
    let mut requests = contoso_requests(&engine);
    // A context with a moment in it.
    let mut timed = request(&engine, "ada", "viewClientDetails", "WS-TST-001");
    let now = json!({"now": "2026-11-23T08:05:00Z"});
    timed.context = engine.context(&timed.action, now).unwrap();
    requests.push(("with a moment".to_owned(), timed));
    let (written, outcomes) = written(&engine, &requests);
    assert_eq!(written.skipped, []);
    assert!(outcomes.iter().any(|one| one.decision == Decision::Allow));
    assert!(outcomes.iter().any(|one| one.decision == Decision::Deny));

    let verdicts = run(&engine, &written.document, &EntityFiles::new());
    assert_eq!(verdicts.len(), requests.len());
    for ((name, _), (verdict, outcome)) in requests.iter().zip(verdicts.iter().zip(&outcomes)) {
        assert!(verdict.passed(), "{name}: {verdict:?}");
        assert_eq!(verdict.response().unwrap().policies, outcome.policies);
    }
    let schema = shipped_schema();
    for schema in [None, Some(schema.as_str())] {
        let theirs = asked_of_cedar(&engine, schema, &written.document, &EntityFiles::new());
        if let Some(theirs) = theirs {
            assert_eq!(theirs, vec!["ok"; requests.len()]);
        }
    }
}

#[test]
fn what_is_written_says_what_it_expects() {
    let engine = contoso(&[]);
    let request = request(&engine, "ada", "viewClientDetails", "WS-TST-001");
    let (written, _) = written(&engine, &[("ada sees the details".to_owned(), request)]);
    insta::assert_snapshot!(written.document);
}

#[test]
fn what_cannot_be_said_is_named() {
    let engine = contoso(&[]);
    let fine = request(&engine, "ada", "viewClientDetails", "WS-TST-001");
    let mut nobody = fine.clone();
    nobody.principal = "Entra::User::\"nobody\"".parse().unwrap();
    let expectation = |name, request, decision| Expectation {
        engine: &engine,
        name,
        request,
        decision,
        policies: &[],
    };
    let written = cedar_run_tests::write(&[
        expectation("open", &fine, Decision::Indeterminate),
        expectation("fine", &fine, Decision::Deny),
        expectation("nobody", &nobody, Decision::Deny),
    ]);
    let skipped: Vec<&str> = written
        .skipped
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(skipped, ["open", "nobody"]);
    // What is expected stands there even if it is not what comes.
    let verdicts = run(&engine, &written.document, &EntityFiles::new());
    assert_eq!(words(&verdicts), ["fail"]);
}

#[test]
fn policies_in_force_are_those_of_the_readings() {
    for readings in [&[][..], &["!entra-administrators"]] {
        let engine = contoso(readings);
        let text = cedar_run_tests::policies_in_force(engine.bundle(), engine.readings());
        let set: PolicySet = text.parse().unwrap();
        let mut ids: Vec<String> = set
            .policies()
            .map(|policy| policy.annotation("id").unwrap().to_owned())
            .collect();
        ids.sort();
        let ours: Vec<&str> = engine
            .bundle()
            .in_force(engine.readings())
            .map(|policy| policy.id())
            .collect();
        assert_eq!(ids, ours);
    }
}

/// Every policy in force, as one set.
fn whole_set(engine: &Engine) -> PolicySet {
    let mut set = ast::PolicySet::new();
    for policy in engine.bundle().in_force(engine.readings()) {
        set.add(policy.ast().clone()).unwrap();
    }
    PolicySet::from(set)
}

/// Decision, reason and errors of plain Cedar with the whole set of policies, if it takes the
/// entities.
fn plainly(
    engine: &Engine,
    set: &PolicySet,
    test: &Value,
) -> Option<(String, Vec<String>, Vec<String>)> {
    let schema = engine.bundle().schema();
    let uid =
        |part: &str| -> EntityUid { test["request"][part].as_str().unwrap().parse().unwrap() };
    let context = test["request"]["context"].clone();
    let context = Context::from_json_value(context, Some((schema, &uid("action")))).unwrap();
    let request = CedarRequest::new(
        uid("principal"),
        uid("action"),
        uid("resource"),
        context,
        Some(schema),
    )
    .unwrap();
    let entities = Entities::from_json_value(test["entities"].clone(), Some(schema)).ok()?;
    let response = Authorizer::new().is_authorized(&request, set, &entities);
    let diagnostics = response.diagnostics();
    let mut reason: Vec<String> = diagnostics.reason().map(ToString::to_string).collect();
    let mut errors: Vec<String> = diagnostics.errors().map(ToString::to_string).collect();
    reason.sort();
    errors.sort();
    let decision = format!("{:?}", response.decision()).to_lowercase();
    Some((decision, reason, errors))
}

/// Whichever entities are missing, the answer is that of the whole set of policies: a policy that
/// is not asked would neither have held nor failed.
#[test]
fn every_answer_is_that_of_all_policies() {
    let mut failing = 0;
    let contoso = contoso(&[]);
    let (written, _) = written(&contoso, &contoso_requests(&contoso));
    let mut workspaces: Vec<(Engine, Vec<Value>)> =
        vec![(contoso, serde_json::from_str(&written.document).unwrap())];
    for example in EXAMPLES {
        let (source, _) = tests_of(example);
        workspaces.push((load(example), serde_json::from_str(source.text()).unwrap()));
    }
    for (engine, tests) in workspaces {
        let set = whole_set(&engine);
        let mut all = Vec::new();
        for test in tests.into_iter().filter(|test| test["entities"].is_array()) {
            for missing in 0..test["entities"].as_array().unwrap().len() {
                let mut test = test.clone();
                test["entities"].as_array_mut().unwrap().remove(missing);
                all.push(test);
            }
            all.push(test);
        }
        let text = serde_json::to_string(&all).unwrap();
        for (test, verdict) in all.iter().zip(run(&engine, &text, &EntityFiles::new())) {
            let ours = verdict.response().map(|response| {
                (
                    response.decision.word().to_owned(),
                    response.policies.clone(),
                    response.errors.clone(),
                )
            });
            failing += usize::from(verdict.is_indeterminate());
            assert_eq!(ours, plainly(&engine, &set, test), "{test}");
        }
    }
    assert!(failing > 100, "{failing}");
}
