//! Sets of persons, and the keys of classes.

use serde_json::json;

use super::*;
use crate::bulk::tests::{collection, device, engine, permit, references, row, user};

fn projection(engine: &Engine) -> Projection {
    let actions = engine.bundle().vocabulary().permissions().map(Some);
    Projection::new(engine, &actions.collect())
}

fn key(engine: &Engine, uid: &str) -> Vec<u32> {
    let mut key = Vec::new();
    let fingerprints = projection(engine).resource_fingerprints(engine);
    fingerprints.evaluated(engine, row(engine, uid), &mut key);
    key
}

#[test]
fn equal_sets_of_a_person_are_one() {
    let conditions = [
        "principal has granted && resource in principal.granted",
        "principal has watched && resource in principal.watched",
        "principal has devices && principal.devices.contains(resource)",
    ];
    let text: String = (conditions.iter().enumerate())
        .map(|(number, condition)| permit(&format!("p{number}"), condition))
        .collect();
    let granted = references("Collection", &["a", "b"]);
    let attributes =
        json!({ "granted": granted, "watched": granted, "devices": references("Device", &["d"]) });
    let engine = engine(
        &text,
        &[
            user("ada", attributes),
            user("eve", json!({})),
            collection("a", &[]),
            collection("b", &[]),
            device("d", 1, &["a"]),
        ],
    );
    let projection = projection(&engine);
    let sets = projection.owned_sets(&engine, row(&engine, r#"User::"ada""#));
    let rows = |uids: &[&str]| uids.iter().map(|uid| row(&engine, uid)).collect::<Vec<_>>();
    let mut found: Vec<(Vec<Row>, bool)> = sets
        .iter()
        .map(|set| (set.rows.clone(), set.is_itself))
        .collect();
    found.sort();
    let mut expected = vec![
        (rows(&[r#"Collection::"a""#, r#"Collection::"b""#]), false),
        (rows(&[r#"Device::"d""#]), true),
    ];
    expected.sort();
    assert_eq!(found, expected);
    let none = projection.owned_sets(&engine, row(&engine, r#"User::"eve""#));
    assert_eq!(none, []);
}

#[test]
fn a_condition_that_is_true_false_or_fails_makes_another_key() {
    let condition = "resource.weight + 1 > 10";
    let devices = [
        ("light", 1),
        ("slight", 2),
        ("heavy", 10),
        ("fails", i64::MAX),
    ];
    let entities: Vec<_> = (devices.iter())
        .map(|(id, weight)| device(id, *weight, &[]))
        .collect();
    let engine = engine(&permit("p", condition), &entities);
    let [light, slight, heavy, fails] =
        devices.map(|(id, _)| key(&engine, &format!("Device::\"{id}\"")));
    assert_eq!(light, slight);
    assert_ne!(light, heavy);
    assert_ne!(light, fails);
    assert_ne!(heavy, fails);
}
