//! The searches: complete, exact, and in pages that the server keeps nothing of.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::client::{Server, contoso, records};
use crate::tarbac::{Tarbac, command, contoso_folder};

pub fn search(server: &Server, kind: &str, body: &Value) -> Value {
    let reply = server.post(&format!("/access/v1/search/{kind}"), body);
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

pub fn ids(reply: &Value) -> Vec<String> {
    let results = reply["results"].as_array().unwrap().iter();
    let id = |of: &Value| {
        of.get("id")
            .unwrap_or(&of["name"])
            .as_str()
            .unwrap()
            .to_owned()
    };
    results.map(id).collect()
}

/// What a command of the program says of the sample tenant.
fn told(arguments: &[&str]) -> Value {
    let mut command = command(&contoso_folder());
    let output = command
        .args(arguments)
        .args(["--format", "json"])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

pub fn subjects(device: &str) -> Value {
    json!({
        "subject": { "type": "user", "id": "ignored" },
        "action": { "name": "runScript" },
        "resource": { "type": "device", "id": device },
    })
}

/// A search and the command are two ways to the same answer, and evaluations agree with both.
#[test]
fn a_search_finds_whom_who_lists() {
    let server = contoso();
    for device in ["WS-TST-001", "WS-BER-014"] {
        let found = search(&server, "subject", &subjects(device));
        let told = told(&["who", "runScript", device, "--all", "--may-not"]);
        let may = told["may"].as_array().unwrap().iter();
        let may = may.map(|of| of["principal"]["id"].as_str().unwrap().to_owned());
        let may: BTreeSet<String> = may.collect();
        let found = ids(&found);
        let sorted: BTreeSet<String> = found.iter().cloned().collect();
        assert_eq!(
            found,
            Vec::from_iter(sorted.iter().cloned()),
            "sorted, each once"
        );
        assert_eq!(sorted, may);
        let people = std::fs::read_to_string(contoso_folder().join("entities/people.json"));
        let people: Value = serde_json::from_str(&people.unwrap()).unwrap();
        let items = people.as_array().unwrap().iter();
        let people: Vec<&str> = items.map(|of| of["uid"]["id"].as_str().unwrap()).collect();
        let batch = people
            .iter()
            .map(|id| json!({ "subject": { "type": "user", "id": id } }));
        let mut body = subjects(device);
        body["evaluations"] = batch.collect();
        let decided = server.post("/access/v1/evaluations", &body).json();
        for (id, of) in people
            .iter()
            .zip(decided["evaluations"].as_array().unwrap())
        {
            assert_eq!(of["decision"], sorted.contains(*id), "{id}");
        }
    }
}

#[test]
fn a_search_finds_what_one_may_do_and_to_what() {
    let server = contoso();
    let ada = json!({ "type": "user", "id": "ada@contoso.example" });
    let body = json!({
        "subject": ada,
        "action": { "name": "runScript" },
        "resource": { "type": "ConfigMgr::Device" },
    });
    let found = search(&server, "resource", &body);
    assert!(
        found["results"]
            .as_array()
            .unwrap()
            .iter()
            .all(|of| of["type"] == "ConfigMgr::Device")
    );
    let found: BTreeSet<String> = ids(&found).into_iter().collect();
    assert!(!found.is_empty());
    let devices = std::fs::read_to_string(contoso_folder().join("entities/devices.json")).unwrap();
    let devices: Value = serde_json::from_str(&devices).unwrap();
    for device in devices.as_array().unwrap() {
        let id = device["uid"]["id"].as_str().unwrap();
        let mut one = body.clone();
        one["resource"]["id"] = id.into();
        assert_eq!(server.evaluate(&one).decision(), found.contains(id), "{id}");
        let resource = json!({ "type": "device", "id": id });
        let asked = json!({ "subject": ada, "resource": resource, "action": { "name": 5 } });
        let actions = search(&server, "action", &asked);
        let uid = format!("ConfigMgr::Device::\"{id}\"");
        let told = told(&["what", "ada@contoso.example", &uid]);
        let decided = told["alike"].as_array().unwrap().iter();
        let decided = decided.flat_map(|of| of["decisions"].as_array().unwrap());
        let allowed = decided.filter(|of| of["decision"] == "allow");
        let allowed: BTreeSet<&str> = allowed.map(|of| of["action"].as_str().unwrap()).collect();
        let names = ids(&actions);
        assert_eq!(
            names.iter().map(String::as_str).collect::<BTreeSet<_>>(),
            allowed,
            "{id}"
        );
    }
}

#[test]
fn what_is_unknown_is_found_nowhere() {
    let server = records();
    let user = json!({ "type": "user", "id": "alice" });
    let record = json!({ "type": "record", "id": "record-1" });
    let read = json!({ "name": "read" });
    for (kind, body) in [
        (
            "subject",
            json!({ "subject": { "type": "robot" }, "action": read, "resource": record }),
        ),
        (
            "subject",
            json!({ "subject": { "type": "record" }, "action": read, "resource": record }),
        ),
        (
            "subject",
            json!({ "subject": { "type": "user" }, "action": { "name": "fly" }, "resource": record }),
        ),
        (
            "subject",
            json!({ "subject": { "type": "user" }, "action": read, "resource": { "type": "record", "id": "none" } }),
        ),
        (
            "resource",
            json!({ "subject": user, "action": read, "resource": { "type": "robot" } }),
        ),
        (
            "resource",
            json!({ "subject": { "type": "user", "id": "none" }, "action": read, "resource": { "type": "record" } }),
        ),
        (
            "action",
            json!({ "subject": { "type": "user", "id": "none" }, "resource": record }),
        ),
        (
            "action",
            json!({ "subject": { "type": "robot", "id": "x" }, "resource": record }),
        ),
    ] {
        let reply = server.post(&format!("/access/v1/search/{kind}"), &body);
        assert_eq!(
            (reply.status, reply.text.as_str()),
            (200, r#"{"results":[]}"#),
            "{body}"
        );
    }
}

#[test]
fn items_are_exactly_what_the_standard_says() {
    let server = records();
    let read = json!({ "name": "read" });
    let body = json!({
        "subject": { "type": "user", "id": "x", "more": 1 },
        "action": read,
        "resource": { "type": "record", "id": "record-1" },
        "context": { "time": "2025-06-27T18:03-07:00" },
        "more": {},
    });
    let found = server.post("/access/v1/search/subject", &body);
    let expected = r#"{"results":[{"type":"user","id":"alice"},{"type":"user","id":"bob"}]}"#;
    assert_eq!(found.text, expected);
    let mut paged = body.clone();
    paged["page"] = json!({ "limit": 1, "properties": {}, "more": 1 });
    assert!(
        server
            .post("/access/v1/search/subject", &paged)
            .text
            .starts_with(r#"{"page":{"#)
    );
    let body = json!({
        "subject": { "type": "user", "id": "bob" },
        "resource": { "type": "record", "id": "record-1" },
        "context": { "soft": true },
    });
    let found = server.post("/access/v1/search/action", &body);
    let expected = r#"{"results":[{"name":"delete"},{"name":"read"},{"name":"write"}]}"#;
    assert_eq!(found.text, expected);
}

/// Of each search the members without which it is none.
const NEEDED: [(&str, &[&str]); 3] = [
    (
        "subject",
        &[
            "/subject",
            "/subject/type",
            "/action",
            "/action/name",
            "/resource",
            "/resource/type",
            "/resource/id",
        ],
    ),
    (
        "resource",
        &[
            "/subject",
            "/subject/type",
            "/subject/id",
            "/action",
            "/action/name",
            "/resource",
            "/resource/type",
        ],
    ),
    (
        "action",
        &[
            "/subject",
            "/subject/type",
            "/subject/id",
            "/resource",
            "/resource/type",
            "/resource/id",
        ],
    ),
];

#[test]
fn a_search_that_lacks_something_is_refused() {
    let server = records();
    let whole = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": { "type": "record", "id": "record-1" },
    });
    for (kind, pointers) in NEEDED {
        for pointer in pointers {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            for wrong in [None, Some(json!(7))] {
                let mut body = whole.clone();
                let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
                parent.remove(key);
                parent.extend(wrong.map(|wrong| (key.to_owned(), wrong)));
                let reply = server.post(&format!("/access/v1/search/{kind}"), &body);
                assert_eq!(reply.status, 400, "{kind} {body}");
                let error = reply.json()["error"].as_str().unwrap().to_owned();
                assert!(error.starts_with(pointer), "{pointer} {error}");
            }
        }
    }
    let mut wrong = whole;
    wrong["context"] = json!({ "soft": 5 });
    wrong["action"]["name"] = json!("delete");
    assert_eq!(server.post("/access/v1/search/subject", &wrong).status, 400);
}

/// What cannot be decided is no result, and it is told that there is such.
#[test]
fn what_cannot_be_decided_is_counted() {
    let workspace = Tarbac::with(&[
        (
            "schema/s.cedarschema",
            "entity User = { age: Long }; entity Door; action open appliesTo { principal: User, resource: Door };",
        ),
        (
            "policies/p.cedar",
            "@id(\"a\")\npermit (principal, action, resource);\n@id(\"b\")\nforbid (principal, action, resource) when { principal.age + 9223372036854775807 > 9223372036854775806 && false };\n",
        ),
        (
            "entities/e.json",
            r#"[{"uid":{"type":"User","id":"u"},"attrs":{"age":5},"parents":[]},
                {"uid":{"type":"User","id":"v"},"attrs":{"age":-5},"parents":[]},
                {"uid":{"type":"Door","id":"d"},"attrs":{},"parents":[]}]"#,
        ),
    ]);
    let server = Server::of(&workspace.path(""));
    let body = json!({
        "subject": { "type": "User" },
        "action": { "name": "open" },
        "resource": { "type": "Door", "id": "d" },
    });
    let reply = search(&server, "subject", &body);
    assert_eq!(ids(&reply), ["v"]);
    assert_eq!(reply["context"]["undecided"], 1);
}
