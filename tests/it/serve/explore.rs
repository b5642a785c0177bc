//! The API of the page: the documents are those of the commands.

use serde_json::{Value, json};

use super::client::{Server, contoso};
use crate::tarbac::{command, contoso_folder};

/// The document that a command writes about the sample tenant.
fn written(arguments: &[&str]) -> Value {
    let output = command(&contoso_folder())
        .args(arguments)
        .args(["--format", "json"])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn asked(server: &Server, path: &str, body: &Value) -> Value {
    let reply = server.post(&format!("/api/v1/{path}"), body);
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

#[test]
fn the_documents_are_those_of_the_commands() {
    let server = contoso();
    let (ada, run, device) = ("ada@contoso.example", "runScript", "WS-BER-014");
    let cases: [(&str, Value, Vec<&str>); 8] = [
        (
            "who",
            json!({ "action": run, "resource": device }),
            vec!["who", run, device],
        ),
        (
            "who",
            json!({ "action": run, "resource": device, "eligible": true }),
            vec!["who", run, device, "--eligible"],
        ),
        (
            "who",
            json!({ "action": run, "resource": device, "enforce-configmgr-rbac": ["P01=off"] }),
            vec!["who", run, device, "--enforce-configmgr-rbac", "P01=off"],
        ),
        ("what", json!({ "principal": ada }), vec!["what", ada]),
        (
            "explain",
            json!({ "principal": ada, "action": run, "resource": device, "readings": { "any-intune-role": false } }),
            vec![
                "explain",
                ada,
                run,
                device,
                "--no-reading",
                "any-intune-role",
            ],
        ),
        ("matrix", json!({}), vec!["matrix"]),
        (
            "matrix",
            json!({ "principal": ada, "resource": [device] }),
            vec!["matrix", "--principal", ada, "--resource", device],
        ),
        ("access", json!({}), vec!["access"]),
    ];
    for (path, body, command) in cases {
        assert_eq!(
            asked(&server, path, &body),
            written(&command),
            "{command:?}"
        );
    }
    assert_eq!(
        server.get("/api/v1/readings").json(),
        written(&["readings"])
    );
}

#[test]
fn lists_come_part_by_part() {
    let server = contoso();
    for (path, body, list) in [
        (
            "who",
            json!({ "action": "runScript", "resource": "WS-TST-001" }),
            "may",
        ),
        (
            "what",
            json!({ "principal": "ada@contoso.example" }),
            "alike",
        ),
        ("access", json!({}), "people"),
    ] {
        let whole = asked(&server, path, &body)[list]
            .as_array()
            .unwrap()
            .clone();
        let mut parts = Vec::new();
        let mut body = body;
        body["limit"] = json!(1);
        loop {
            let part = asked(&server, path, &body);
            assert_eq!(part["page"]["total"], whole.len(), "{path}");
            parts.extend(part[list].as_array().unwrap().clone());
            if part["page"]["next"].is_null() {
                break;
            }
            body["after"] = part["page"]["next"].clone();
        }
        assert_eq!(parts, whole, "{path}");
        assert!(whole.len() > 1, "{path}");
    }
}

#[test]
fn names_are_found_as_they_are_typed() {
    let server = contoso();
    let names = |query: &str| -> Vec<String> {
        let found = server.get(&format!("/api/v1/find?{query}")).json();
        let found = found["results"].as_array().unwrap().iter();
        found
            .map(|of| of["value"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("q=ADA&kind=user"), ["ada@contoso.example"]);
    assert_eq!(names("q=014&kind=device"), ["WS-BER-014"]);
    assert_eq!(names("q=ws-ber&limit=1").len(), 1);
    assert!(names("q=contoso&kind=principal").len() > 1);
    assert_eq!(names("q=script&kind=action"), ["viewScripts", "runScript"]);
    assert!(names("q=help+desk&kind=role").contains(&"Help Desk Operator".to_owned()));
    assert!(names("q=zzz").is_empty() && names("q=").is_empty());
    assert_eq!(server.get("/api/v1/find?q=a&kind=nothing").status, 400);
}

#[test]
fn what_is_wrong_is_said() {
    let server = contoso();
    let message = |path: &str, body: Value| {
        let reply = server.post(path, &body);
        assert_eq!(reply.status, 400, "{reply:?}");
        reply.json()["error"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        message("/api/v1/who", json!({ "action": "x" })),
        "`resource` is missing"
    );
    // A change that is misspelt would be none.
    let misspelt = json!({ "principal": "ada@contoso.example", "enforce-configmgr": "off" });
    assert_eq!(
        message("/api/v1/what", misspelt),
        "`enforce-configmgr` is no argument here"
    );
    let unknown = message(
        "/api/v1/what",
        json!({ "principal": "adaa@contoso.example" }),
    );
    assert!(unknown.contains("ada@contoso.example"), "{unknown}");
    let reading = json!({ "principal": "ada@contoso.example", "reading": "nothing" });
    assert!(message("/api/v1/what", reading).contains("not a reading"));
    let plain = server.send(
        "POST",
        "/api/v1/who",
        b"{}",
        &[("content-type", "text/plain")],
    );
    assert_eq!(plain.status, 415);
    let elsewhere = ("sec-fetch-site", "cross-site");
    assert_eq!(
        server.post_text("/api/v1/who", "{}", &[elsewhere]).status,
        403
    );
}
