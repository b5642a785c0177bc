//! The pages of searches, and the document about the endpoints.

use serde_json::{Value, json};

use super::client::{Server, contoso, records, records_folder};
use super::search::{ids, search, subjects};
use crate::tarbac::contoso_folder;

/// Follows the pages to the end, with or without the limit in each request.
fn pages(server: &Server, body: &Value, limit: usize, is_repeated: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut page = json!({ "limit": limit });
    loop {
        let mut body = body.clone();
        body["page"] = page;
        let reply = search(server, "subject", &body);
        let ids = ids(&reply);
        assert_eq!(reply["page"]["count"], ids.len());
        found.extend(ids);
        let token = reply["page"]["next_token"].as_str().unwrap().to_owned();
        if token.is_empty() {
            assert_eq!(reply["page"]["total"], found.len());
            return found;
        }
        page = json!({ "token": token });
        if is_repeated {
            page["limit"] = limit.into();
        }
    }
}

#[test]
fn pages_make_up_the_whole() {
    let server = contoso();
    let body = subjects("WS-TST-001");
    let whole = ids(&search(&server, "subject", &body));
    assert!(whole.len() > 1);
    for limit in [1, 3, whole.len(), 500] {
        assert_eq!(pages(&server, &body, limit, true), whole);
        assert_eq!(pages(&server, &body, limit, false), whole);
    }
    let mut none = body.clone();
    none["page"] = json!({ "limit": 0 });
    let none = search(&server, "subject", &none);
    assert_eq!(ids(&none).len(), 0);
    assert_eq!(none["page"]["total"], whole.len());
    let mut start = body;
    start["page"] = json!({ "token": none["page"]["next_token"] });
    assert_eq!(ids(&search(&server, "subject", &start)).len(), 0);
}

#[test]
fn a_token_goes_with_its_request_alone() {
    let server = records();
    let path = "/access/v1/search/subject";
    let body = |record: &str, page: Value| {
        json!({
            "subject": { "type": "user" },
            "action": { "name": "read" },
            "resource": { "type": "record", "id": record },
            "page": page,
        })
    };
    let first = server
        .post(path, &body("record-1", json!({ "limit": 1 })))
        .json();
    let token = first["page"]["next_token"].as_str().unwrap();
    let cut = &token[..token.len() - 1];
    for (record, page) in [
        ("record-2", json!({ "token": token })),
        ("record-1", json!({ "token": token, "limit": 2 })),
        ("record-1", json!({ "token": cut })),
        ("record-1", json!({ "token": format!("{token}A") })),
        ("record-1", json!({ "token": "garbage" })),
        ("record-1", json!({ "token": 5 })),
        ("record-1", json!({ "limit": -1 })),
        ("record-1", json!({ "limit": 1.5 })),
        ("record-1", json!({ "limit": "1" })),
        ("record-1", json!(1)),
    ] {
        let reply = server.post(path, &body(record, page.clone()));
        assert_eq!(reply.status, 400, "{page}");
        assert!(reply.json()["error"].as_str().unwrap().starts_with("/page"));
    }
    // Any server that serves the same goes on, whatever the order of the members.
    let other = records();
    let page = json!({ "token": token, "limit": 1 });
    let text = format!(
        r#"{{"page":{page},"resource":{{"id":"record-1","type":"record"}},"action":{{"name":"read"}},"subject":{{"type":"user"}}}}"#
    );
    let rest = other.post_text(path, &text, &[]).json();
    assert_eq!(ids(&rest), ["bob"]);
    assert_eq!(rest["page"]["next_token"], "");
}

#[test]
fn an_answer_that_is_not_whole_has_a_page() {
    let arguments = ["--page-size", "2", "--max-page-size", "3"];
    let server = Server::with(&contoso_folder(), &arguments);
    let mut body = subjects("WS-TST-001");
    let reply = search(&server, "subject", &body);
    assert_eq!(ids(&reply).len(), 2);
    assert_ne!(reply["page"]["next_token"], "");
    body["page"] = json!({ "limit": 1000 });
    assert_eq!(ids(&search(&server, "subject", &body)).len(), 3);
}

#[test]
fn the_document_says_where_everything_is() {
    let well_known = "/.well-known/authzen-configuration";
    let server = records();
    assert_eq!(server.get(well_known).status, 404);
    let url = "https://pdp.example.com/t1";
    let server = Server::with(&records_folder(), &["--public-url", url]);
    assert_eq!(server.get(well_known).status, 404);
    let reply = server.get(&format!("{well_known}/t1"));
    assert_eq!(reply.header("cache-control"), "max-age=3600");
    insta::assert_snapshot!(serde_json::to_string_pretty(&reply.json()).unwrap(), @r#"
    {
      "policy_decision_point": "https://pdp.example.com/t1",
      "access_evaluation_endpoint": "https://pdp.example.com/t1/access/v1/evaluation",
      "access_evaluations_endpoint": "https://pdp.example.com/t1/access/v1/evaluations",
      "search_subject_endpoint": "https://pdp.example.com/t1/access/v1/search/subject",
      "search_resource_endpoint": "https://pdp.example.com/t1/access/v1/search/resource",
      "search_action_endpoint": "https://pdp.example.com/t1/access/v1/search/action"
    }
    "#);
    let body = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": { "type": "record", "id": "record-1" },
    });
    assert!(server.post("/t1/access/v1/evaluation", &body).decision());
    assert_eq!(server.evaluate(&body).status, 404);
}
