//! Tests of `cedar run-tests` with mistakes.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tarbac::cedar_run_tests::{self, AnswerDifference, TestOutcome};
use tarbac::code;
use tarbac::decision::Decision;
use tarbac::source::Source;
use tarbac::workspace::EntityFiles;

use super::{asked_of_cedar, load, run, schema_of, tests_of, words};

/// A test that passes, of which others are made that do not.
struct Fine(Value);

impl Fine {
    fn but(&self, path: &str, value: Value) -> Value {
        let mut test = self.0.clone();
        match path.rsplit_once('/') {
            Some((parent, key)) => test.pointer_mut(parent).unwrap()[key] = value,
            None => test[path] = value,
        }
        test
    }

    fn without(&self, key: &str) -> Value {
        let mut test = self.0.clone();
        test.as_object_mut().unwrap().remove(key);
        test
    }

    fn with(&self, entity: Value) -> Value {
        let mut test = self.0.clone();
        test["entities"].as_array_mut().unwrap().push(entity);
        test
    }
}

/// Tests of the albums: one that passes, and many that do not.
fn albums_with_mistakes() -> Vec<Value> {
    let (source, _) = tests_of("albums");
    let mut tests: Vec<Value> = serde_json::from_str(source.text()).unwrap();
    let fine = Fine(tests.swap_remove(0));
    let mut tests = vec![fine.0.clone()];
    tests.extend(wrong_values().map(|(path, value)| fine.but(path, value)));
    let keys = [
        "name",
        "request",
        "entities",
        "decision",
        "reason",
        "num_errors",
    ];
    tests.extend(keys.map(|key| fine.without(key)));
    let twice = fine.0["entities"][0].clone();
    tests.push(fine.with(twice));
    tests.extend(wrong_entities().map(|entity| fine.with(entity)));
    tests.extend([json!(7), json!("test"), json!(null)]);
    tests
}

/// Where in a test, and what stands there.
fn wrong_values() -> impl Iterator<Item = (&'static str, Value)> {
    let visitor = json!({"type": "Visitor", "id": "kai"});
    [
        ("decision", json!("deny")),
        ("decision", json!("Allow")),
        ("decision", json!(null)),
        ("reason", json!(["albums.summer", "albums.keeper"])),
        ("reason", json!("albums.summer")),
        ("num_errors", json!(1)),
        ("num_errors", json!(-1)),
        ("num_errors", json!("0")),
        ("name", json!(7)),
        ("entities", json!("missing.json")),
        ("entities", json!({})),
        ("entities", json!([7])),
        ("entities", json!([])),
        ("request", json!([])),
        ("/request/principal", json!("kai")),
        ("/request/principal", json!(null)),
        ("/request/principal", visitor),
        ("/request/principal", json!("Picture::\"sand\"")),
        ("/request/action", json!("Action::\"burn\"")),
        ("/request/resource", json!("Album::\"beach\"")),
        ("/request/context", json!({"bonus": "much"})),
        ("/request/context", json!({"malus": 1})),
        ("/request/context", json!(null)),
    ]
    .into_iter()
}

/// Entities that do not go with those of a test or with the schema.
fn wrong_entities() -> impl Iterator<Item = Value> {
    let entity = |type_name: &str, id: &str, parents: Value| json!({"uid": {"type": type_name, "id": id}, "attrs": {}, "parents": parents});
    [
        entity(
            "Circle",
            "family",
            json!([{"type": "Circle", "id": "cousins"}]),
        ),
        entity("Album", "beach", json!([])),
        entity("Camera", "1", json!([])),
        entity("Action", "look", json!([])),
        entity(
            "Action",
            "look",
            json!([{"type": "Action", "id": "remove"}]),
        ),
    ]
    .into_iter()
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
        TestOutcome::Failed(_, differences) => differences.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        differences(1),
        [AnswerDifference::Decision {
            expected: Decision::Deny,
            came: Decision::Allow
        }]
    );
    assert_eq!(
        differences(4),
        [AnswerDifference::Reason(vec!["albums.keeper".to_owned()])]
    );
    assert_eq!(
        differences(6),
        [AnswerDifference::Errors {
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
