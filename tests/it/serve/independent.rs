//! A client that others wrote discovers the endpoints and gets its answers, over TLS.

use std::net::TcpListener;
use std::path::Path;

use authzen_rs::prelude::*;

use super::authority::Authority;
use super::client::{Server, asked, contoso};
use super::search::{ids, search, subjects};
use crate::tarbac::contoso_folder;

/// A server that is known by an address of its own, and a client that trusts its certificate.
async fn discovered(folder: &Path) -> (Server, AuthZenClient) {
    let authority = Authority::new();
    authority.issue(&["127.0.0.1"], "pdp").write(folder);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let url = format!("https://{address}/t1");
    let server = Server::listening(
        &contoso_folder(),
        &[
            "--listen",
            &address,
            "--public-url",
            &url,
            "--tls-cert",
            &path("server.pem"),
            "--tls-key",
            &path("server.key"),
        ],
        1,
    );
    let root = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let http = reqwest::Client::builder().add_root_certificate(root);
    let client = AuthZenClient::builder(url)
        .http_client(http.build().unwrap())
        .discover();
    (server, client.build().await.unwrap())
}

fn ada() -> Subject {
    Subject::new("user", "ada@contoso.example")
}

fn run_script() -> Action {
    Action::new("runScript")
}

fn device(name: &str) -> Resource {
    Resource::new("device", name)
}

#[tokio::test]
async fn decisions_are_those_that_a_plain_request_gets() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, client) = discovered(folder.path()).await;
    let one = |device_name: &str| EvaluationRequest::new(ada(), run_script(), device(device_name));
    let allowed = client.evaluate(one("WS-TST-001")).await.unwrap();
    assert!(allowed.allowed());
    let batch = EvaluationsRequest::new(vec![one("WS-TST-001"), one("WS-BER-014")]);
    let answers = client.evaluations(batch).await.unwrap();
    let plain = contoso();
    let decisions: Vec<bool> = answers
        .evaluations()
        .iter()
        .map(Decision::allowed)
        .collect();
    let expected = ["WS-TST-001", "WS-BER-014"].map(|name| {
        let asked = asked("ada@contoso.example", "runScript", name);
        plain.evaluate(&asked).decision()
    });
    assert_eq!(decisions, expected);
    assert_ne!(decisions[0], decisions[1]);
}

#[tokio::test]
async fn searches_are_followed_to_their_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, client) = discovered(folder.path()).await;
    let plain = contoso();
    let page = PageRequest::new().with_limit(2);

    let request =
        SubjectSearchRequest::new(Subject::query("user"), run_script(), device("WS-TST-001"));
    let mut pages = client
        .paginate_subjects(request.with_page(page.clone()))
        .unwrap();
    let mut found = Vec::new();
    while let Some(page) = pages.next_page().await.unwrap() {
        found.extend(page.results().iter().map(|of| of.id().unwrap().to_owned()));
    }
    assert_eq!(
        found,
        ids(&search(&plain, "subject", &subjects("WS-TST-001")))
    );
    assert!(found.len() > 2, "{found:?}");

    let request = ResourceSearchRequest::new(ada(), run_script(), Resource::query("device"));
    let mut pages = client.paginate_resources(request.with_page(page)).unwrap();
    let mut found = Vec::new();
    while let Some(page) = pages.next_page().await.unwrap() {
        found.extend(page.results().iter().map(|of| of.id().unwrap().to_owned()));
    }
    let mut body = asked("ada@contoso.example", "runScript", "");
    body["resource"] = serde_json::json!({ "type": "device" });
    assert_eq!(found, ids(&search(&plain, "resource", &body)));

    let request = ActionSearchRequest::new(ada(), device("WS-TST-001"));
    let actions = client.search_actions(request).await.unwrap();
    let actions: Vec<&str> = actions.results().iter().filter_map(Action::name).collect();
    assert!(actions.contains(&"runScript"), "{actions:?}");
}
