//! The document about the endpoints, held against what they answer.

use boon::{Compiler, Schemas};
use serde_json::{Value, json};

use super::client::{Server, asked, contoso};

/// Holds an answer against what the document says of it.
fn check(document: &Value, method: &str, path: &str, status: u16, body: &Value) {
    let at = path.replace('/', "~1");
    let media = "application~1json";
    let schema = format!("/paths/{at}/{method}/responses/{status}/content/{media}/schema");
    assert!(document.pointer(&schema).is_some(), "{schema}");
    let mut compiler = Compiler::new();
    let location = "https://tarbac.test/openapi.json";
    compiler.add_resource(location, document.clone()).unwrap();
    let mut schemas = Schemas::new();
    let index = compiler.compile(&format!("{location}#{schema}"), &mut schemas);
    let index = index.unwrap();
    if let Err(error) = schemas.validate(body, index) {
        panic!("{path} {status}: {error}\n{body}");
    }
}

fn checked(server: &Server, document: &Value, path: &str, body: &Value) -> Value {
    let reply = server.post(path, body);
    let answer = reply.json();
    check(document, "post", path, reply.status, &answer);
    answer
}

#[test]
fn answers_are_as_the_document_says() {
    let server = contoso();
    let document = server.get("/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    let one = asked("ada@contoso.example", "runScript", "WS-TST-001");
    let evaluation = "/access/v1/evaluation";
    checked(&server, &document, evaluation, &one);
    checked(&server, &document, evaluation, &json!({}));
    checked(
        &server,
        &document,
        evaluation,
        &asked("nobody", "runScript", "x"),
    );
    let mut explained = asked("ada@contoso.example", "viewClientDetails", "WS-BER-014");
    explained["options"] = json!({ "explain": "full" });
    let answer = checked(&server, &document, evaluation, &explained);
    assert!(answer["context"]["explanation"].is_object());
    let evaluations = "/access/v1/evaluations";
    checked(&server, &document, evaluations, &one);
    checked(
        &server,
        &document,
        evaluations,
        &json!({ "evaluations": [one, 5] }),
    );
    for kind in ["subject", "resource", "action"] {
        let path = format!("/access/v1/search/{kind}");
        let mut body = one.clone();
        body["page"] = json!({ "limit": 1 });
        checked(&server, &document, &path, &body);
        checked(&server, &document, &path, &json!({}));
    }
    checked(&server, &document, "/-/reload", &Value::Null);
    check(
        &document,
        "get",
        "/version",
        200,
        &server.get("/version").json(),
    );
}

/// Each endpoint that is described is there, and is described with what refuses a request.
#[test]
fn every_endpoint_is_described() {
    let server = contoso();
    let document = server.get("/openapi.json").json();
    let paths = document["paths"].as_object().unwrap();
    let described: Vec<&str> = paths.keys().map(String::as_str).collect();
    insta::assert_snapshot!(described.join("\n"), @"
    /-/poll
    /-/reload
    /access/v1/evaluation
    /access/v1/evaluations
    /access/v1/search/action
    /access/v1/search/resource
    /access/v1/search/subject
    /api/v1/access
    /api/v1/actions
    /api/v1/changes
    /api/v1/explain
    /api/v1/find
    /api/v1/matrix
    /api/v1/readings
    /api/v1/revisions
    /api/v1/status
    /api/v1/what
    /api/v1/what-if
    /api/v1/what-if/{id}
    /api/v1/who
    /livez
    /metrics
    /readyz
    /version
    ");
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let reply = server.send(&method.to_uppercase(), path, b"", &[]);
            let is_of_one = path.contains('{');
            let is_missing = !is_of_one && reply.status == 404;
            assert!(!is_missing && reply.status != 405, "{method} {path}");
            let status = reply.status.to_string();
            assert!(
                methods[method]["responses"].get(&status).is_some(),
                "{path} {status}"
            );
        }
    }
}
