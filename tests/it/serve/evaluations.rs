//! Several decisions at once.

use serde_json::{Value, json};

use super::client::{asked, contoso, records};

const PATH: &str = "/access/v1/evaluations";

fn record(id: &str) -> Value {
    json!({ "type": "record", "id": id })
}

fn decisions(reply: &Value) -> Vec<bool> {
    let items = reply["evaluations"].as_array().unwrap().iter();
    items.map(|of| of["decision"].as_bool().unwrap()).collect()
}

#[test]
fn a_batch_ends_where_it_is_told_to() {
    let server = records();
    let ask = |semantic: Value| {
        server.post(
            PATH,
            &json!({
                "subject": { "type": "user", "id": "alice" },
                "options": { "evaluations_semantic": semantic, "other": 1 },
                "evaluations": [
                    { "action": { "name": "write" }, "resource": record("record-1") },
                    { "action": { "name": "write" }, "resource": record("record-2") },
                    { "action": { "name": "read" }, "resource": record("record-2") },
                ],
            }),
        )
    };
    for (semantic, expected) in [
        (Value::Null, vec![true, false, true]),
        (json!("execute_all"), vec![true, false, true]),
        (json!("deny_on_first_deny"), vec![true, false]),
        (json!("permit_on_first_permit"), vec![true]),
    ] {
        assert_eq!(decisions(&ask(semantic).json()), expected);
    }
    for bogus in [json!("bogus"), json!(1)] {
        assert_eq!(ask(bogus).status, 400);
    }
}

#[test]
fn without_items_a_batch_is_one_request() {
    let server = records();
    let body = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": record("record-1"),
    });
    for items in [None, Some(json!([])), Some(Value::Null)] {
        let mut body = body.clone();
        if let Some(items) = items {
            body["evaluations"] = items;
        }
        assert_eq!(server.post(PATH, &body).text, r#"{"decision":true}"#);
    }
    let mut bogus = body.clone();
    bogus["options"] = json!({ "evaluations_semantic": "bogus" });
    assert_eq!(server.post(PATH, &bogus).status, 400);
    let mut broken = body;
    broken["evaluations"] = json!({});
    assert_eq!(server.post(PATH, &broken).status, 400);
}

/// A default is taken whole or not at all: a part of an entity never comes from elsewhere.
#[test]
fn defaults_replace_whole_entities() {
    let server = records();
    let ask = |resource: Value, item: Value| {
        server.post(
            PATH,
            &json!({
                "subject": { "type": "user", "id": "alice" },
                "action": { "name": "read" },
                "resource": resource,
                "evaluations": [item],
            }),
        )
    };
    let whole = json!({ "resource": record("record-1") });
    assert_eq!(decisions(&ask(json!({}), whole.clone()).json()), [true]);
    assert_eq!(
        decisions(&ask(json!({ "type": "record" }), whole.clone()).json()),
        [true]
    );
    for wrong in [json!("x"), json!({ "type": 1 }), json!([])] {
        assert_eq!(ask(wrong, whole.clone()).status, 400);
    }
    let part = json!({ "resource": { "id": "record-1" } });
    let merged = ask(json!({ "type": "record" }), part).json();
    assert_eq!(decisions(&merged), [false]);
    let error = &merged["evaluations"][0]["context"]["error"];
    assert_eq!(error["status"], 400);
    assert_eq!(error["message"], "/evaluations/0/resource/type is missing");
}

/// Who does not know the subject of an item does not mean that of the batch.
#[test]
fn a_part_that_is_null_is_no_default() {
    let server = records();
    let mut body = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": record("record-1"),
        "context": {},
    });
    for part in ["subject", "action", "resource", "context"] {
        body["evaluations"] = json!([{}, { part: null }]);
        let reply = server.post(PATH, &body).json();
        assert_eq!(decisions(&reply), [true, false]);
        let message = &reply["evaluations"][1]["context"]["error"]["message"];
        assert_eq!(*message, format!("/evaluations/1/{part} is null"));
    }
}

#[test]
fn a_bad_item_spoils_no_other() {
    let server = records();
    let reply = server.post(
        PATH,
        &json!({
            "action": { "name": "delete" },
            "resource": record("record-1"),
            "evaluations": [
                {},
                5,
                { "subject": { "type": "user", "id": "bob" }, "context": { "soft": true } },
                { "subject": { "type": "user", "id": "bob" }, "context": { "soft": "yes" } },
                { "subject": { "type": "user", "id": "bob" } },
                { "subject": { "type": "user", "id": "nobody" }, "context": { "soft": true } },
                { "subject": "bob" },
            ],
        }),
    );
    assert_eq!(reply.status, 200);
    let reply = reply.json();
    assert_eq!(
        decisions(&reply),
        [false, false, true, false, false, false, false]
    );
    let status = |item: usize| reply["evaluations"][item]["context"]["error"]["status"].clone();
    let statuses: Vec<Value> = (0..7).map(status).collect();
    assert_eq!(
        json!(statuses),
        json!([400, 400, null, 400, null, 404, 400])
    );
}

#[test]
fn a_long_batch_is_answered_in_order_and_a_longer_one_refused() {
    let server = contoso();
    let people = ["ada@contoso.example", "nobody@contoso.example"];
    let batch = |length: usize| {
        let items = (0..length).map(|number| asked(people[number % 2], "runScript", "WS-TST-001"));
        json!({ "evaluations": items.collect::<Value>() })
    };
    let reply = server.post(PATH, &batch(1000));
    assert_eq!(reply.status, 200);
    let expected: Vec<bool> = (0..1000).map(|number| number % 2 == 0).collect();
    assert_eq!(decisions(&reply.json()), expected);
    for _ in 0..2 {
        assert_eq!(server.post(PATH, &batch(1000)).text, reply.text);
    }
    let refused = server.post(PATH, &batch(1001));
    assert_eq!(refused.status, 400);
    assert!(
        refused.json()["error"]
            .as_str()
            .unwrap()
            .starts_with("/evaluations")
    );
}
