//! What the certification of decision points asks, beyond what stands elsewhere.

use serde_json::{Value, json};

use super::client::records;

fn request(person: &str, action: &str, record: &str) -> Value {
    json!({
        "subject": { "type": "user", "id": person },
        "action": { "name": action },
        "resource": { "type": "record", "id": record },
    })
}

#[test]
fn the_records_are_decided_by_their_rules() {
    let server = records();
    for (person, action, record, expected) in [
        ("alice", "read", "record-1", true),
        ("alice", "read", "record-2", true),
        ("alice", "write", "record-1", true),
        ("alice", "write", "record-2", false),
        ("bob", "write", "record-2", true),
        ("bob", "delete", "record-1", false),
        ("alice", "delete", "record-1", false),
    ] {
        let body = request(person, action, record);
        assert_eq!(server.evaluate(&body).decision(), expected, "{body}");
    }
}

/// A property of an action is a key of the context, unless the context has it.
#[test]
fn properties_of_an_action_reach_the_policies() {
    let server = records();
    let ask = |properties: Value, context: Value| {
        let mut body = request("bob", "delete", "record-1");
        body["action"]["properties"] = properties;
        body["context"] = context;
        server.evaluate(&body)
    };
    assert!(ask(json!({ "soft": true }), Value::Null).decision());
    assert!(ask(json!({ "soft": true, "other": [] }), json!({ "time": 1 })).decision());
    assert!(!ask(json!({ "soft": false }), Value::Null).decision());
    assert!(!ask(json!({ "soft": true }), json!({ "soft": false })).decision());
    assert_eq!(ask(json!({ "soft": "yes" }), Value::Null).status, 400);
}

#[test]
fn the_same_request_gets_the_same_body() {
    let server = records();
    let body = request("alice", "read", "record-1");
    let first = server.evaluate(&body);
    for _ in 0..2 {
        assert_eq!(server.evaluate(&body).text, first.text);
    }
}

#[test]
fn unknown_members_are_ignored() {
    let server = records();
    let mut body = request("alice", "read", "record-1");
    body["more"] = json!({ "a": [1, null] });
    for part in ["subject", "action", "resource"] {
        body[part]["more"] = json!("x");
        body[part]["properties"] = json!({ "more": {} });
    }
    assert!(server.evaluate(&body).decision());
}
