//! Files of `cedar run-tests` that tarbac writes, and the policies in force beside them.

use cedar_policy::{Authorizer, Context, Entities, EntityUid, PolicySet, Request as CedarRequest};
use cedar_policy_core::ast;
use serde_json::{Value, json};
use tarbac::cedar_run_tests::{self, Expectation};
use tarbac::decision::{Decision, Request};
use tarbac::workspace::EntityFiles;
use tarbac::{Engine, Outcome};

use super::{EXAMPLES, asked_of_cedar, load, run, tests_of, words};
use crate::contoso::{contoso, request};

fn shipped_schema() -> String {
    let texts = tarbac::shipped::rules().alone();
    let texts: Vec<&str> = texts.schema.iter().map(|source| source.text()).collect();
    texts.join("\n")
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
) -> (cedar_run_tests::WrittenTests, Vec<Outcome>) {
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
