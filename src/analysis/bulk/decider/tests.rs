//! Which decisions are kept, and for whom.

#![allow(clippy::expect_used, reason = "tests")]

use cedar_policy::{Context, RestrictedExpression};
use serde_json::{Value, json};

use super::*;
use crate::bulk::tests::{collection, device, engine, permit, references, uid, user};

fn request(principal: &str, resource: &str) -> Request {
    Request {
        principal: uid(&format!("User::\"{principal}\"")),
        action: uid(r#"Action::"use""#),
        resource: uid(&format!("Device::\"{resource}\"")),
        context: Context::empty(),
    }
}

fn with_context(key: &str, value: RestrictedExpression) -> Request {
    Request {
        context: Context::from_pairs([(key.to_owned(), value)]).expect("a context"),
        ..request("ada", "d1")
    }
}

/// Decides requests and compares each decision with that of the engine; the number of kept ones.
fn kept(decider: &Decider<&Engine>, requests: &[Request]) -> usize {
    for request in requests {
        let decided = decider.decide(request);
        assert_eq!(*decided, decider.engine.decide(request));
        // Once more, of those that are kept.
        assert_eq!(decider.decide(request), decided);
    }
    decider.kept()
}

fn tenant(condition: &str) -> Engine {
    let granted = |ids: &[&str]| json!({ "granted": references("Collection", ids) });
    let entities = [
        user("ada", granted(&["berlin"])),
        user("bob", granted(&["berlin"])),
        user("cid", granted(&["paris"])),
        collection("berlin", &[]),
        collection("paris", &[]),
        device("d1", 1, &["berlin"]),
        device("d2", 1, &["berlin"]),
        device("d3", i64::MAX, &["paris"]),
    ];
    engine(&permit("p", condition), &entities)
}

const GRANTED: &str = "principal has granted && resource in principal.granted";

#[test]
fn requests_of_one_kind_share_a_decision() {
    let engine = tenant(GRANTED);
    let decider = Decider::new(&engine);
    let alike = [
        request("ada", "d1"),
        request("bob", "d2"),
        request("bob", "d1"),
    ];
    assert_eq!(kept(&decider, &alike), 1);
    assert_eq!(kept(&decider, &[request("ada", "d3")]), 2);
    assert_eq!(kept(&decider, &[request("cid", "d3")]), 3);
    decider.forget();
    assert_eq!(decider.kept(), 0);
}

#[test]
fn without_room_each_decision_is_made_anew() {
    let engine = tenant(GRANTED);
    let decider = Decider::with_capacity(&engine, 0);
    assert_eq!(
        kept(&decider, &[request("ada", "d1"), request("ada", "d3")]),
        0
    );
}

#[test]
fn an_error_is_not_kept() {
    let engine = tenant("resource.weight + 1 > 0");
    let decider = Decider::new(&engine);
    assert_eq!(kept(&decider, &[request("ada", "d3")]), 0);
    assert_eq!(kept(&decider, &[request("ada", "d1")]), 1);
}

#[test]
fn nobody_has_a_kind_who_is_not_in_the_directory() {
    let engine = tenant(GRANTED);
    let decider = Decider::new(&engine);
    assert_eq!(
        kept(&decider, &[request("eve", "d1"), request("ada", "d9")]),
        0
    );
}

#[test]
fn a_context_is_indifferent_if_no_policy_reads_it_and_it_names_no_entity() {
    let text = || with_context("note", RestrictedExpression::new_string("x".to_owned()));
    let somebody = with_context(
        "by",
        RestrictedExpression::new_entity_uid(uid(r#"User::"bob""#)),
    );
    let engine = tenant(GRANTED);
    let decider = Decider::new(&engine);
    assert_eq!(kept(&decider, &[somebody]), 0);
    assert_eq!(kept(&decider, &[text()]), 1);
    let engine = tenant("context has note && context.note == \"x\"");
    let decider = Decider::new(&engine);
    assert_eq!(kept(&decider, &[text()]), 0);
    assert_eq!(kept(&decider, &[request("ada", "d1")]), 1);
}

#[test]
fn a_kind_has_a_bit_for_each_of_at_most_64_sets() {
    let sets = |count: usize| bits((0..count).map(|set| set + 1 == count));
    assert_eq!(sets(0), Some(0));
    assert_eq!(sets(1), Some(1));
    assert_eq!(sets(64), Some(1 << 63));
    assert_eq!(sets(65), None);
}

/// Sets that have to be evaluated: the classes with them, and a person with more than can be asked about.
#[test]
fn too_many_sets_are_decided_anew() {
    let asked: Vec<Value> = (0..65)
        .map(|number| collection(&format!("c{number}"), &[]))
        .collect();
    let ids: Vec<String> = (0..65).map(|number| format!("c{number}")).collect();
    for (count, expected) in [(64, 1), (65, 0)] {
        let text: String = ids
            .iter()
            .take(count)
            .map(|id| {
                let test = format!(
                    "resource in (if principal has name then Collection::\"{id}\" else Collection::\"c0\")"
                );
                permit(&format!("p-{id}"), &test)
            })
            .collect();
        let mut entities = asked.clone();
        entities.extend([
            user("ada", json!({ "name": "ada" })),
            device("d1", 1, &["c1"]),
        ]);
        let engine = engine(&text, &entities);
        let decider = Decider::new(&engine);
        assert_eq!(
            kept(&decider, &[request("ada", "d1")]),
            expected,
            "{count} sets"
        );
    }
}
