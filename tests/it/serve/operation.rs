//! What whoever runs the server has to know, and the bounds that it keeps.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::client::{PATIENCE, Server, asked, contoso, records, records_folder};
use crate::tarbac::contoso_folder;

/// The names of the figures, without those of histograms and counters that are added to a name.
const FIGURES: [&str; 18] = [
    "tarbac_http_requests",
    "tarbac_http_request_duration_seconds",
    "tarbac_http_requests_in_flight",
    "tarbac_http_rejected",
    "tarbac_decisions",
    "tarbac_decision_duration_seconds",
    "tarbac_search_results",
    "tarbac_batch_items",
    "tarbac_revision_info",
    "tarbac_revision_loaded_timestamp_seconds",
    "tarbac_reloads",
    "tarbac_reload_duration_seconds",
    "tarbac_entities",
    "tarbac_policies",
    "tarbac_build_info",
    "process_start_time_seconds",
    "process_resident_memory_bytes",
    "process_open_fds",
];

#[test]
fn figures_are_told_and_name_nobody() {
    let server = contoso();
    let body = asked("ada@contoso.example", "runScript", "WS-TST-001");
    server.evaluate(&body);
    server.evaluate(&asked("nobody@contoso.example", "runScript", "WS-TST-001"));
    server.post(
        "/access/v1/evaluations",
        &json!({ "evaluations": [body, body] }),
    );
    let mut search = body.clone();
    search["subject"] = json!({ "type": "user" });
    server.post("/access/v1/search/subject", &search);
    server.send("GET", "/version", b"", &[("host", "evil.example")]);
    server.get("/nobody@contoso.example");
    let reply = server.get("/metrics");
    assert!(
        reply
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    for name in FIGURES {
        assert!(reply.text.contains(&format!("# TYPE {name} ")), "{name}");
    }
    for line in [
        r#"tarbac_decisions_total{decision="allow",basis="permitted"} 3"#,
        r#"tarbac_decisions_total{decision="indeterminate",basis="error"} 1"#,
        r#"tarbac_http_requests_total{endpoint="evaluation",method="POST",status="200"} 2"#,
        r#"tarbac_http_requests_total{endpoint="other",method="GET",status="404"} 1"#,
        r#"tarbac_http_rejected_total{reason="host"} 1"#,
        "tarbac_batch_items_count 1",
        "tarbac_search_results_count 1",
        "tarbac_http_requests_in_flight 1",
    ] {
        assert!(reply.text.contains(line), "{line}\n{}", reply.text);
    }
    let labels = reply.text.lines().filter(|line| !line.starts_with('#'));
    for line in labels {
        assert!(!line.contains('@') && !line.contains("WS-"), "{line}");
    }
    assert!(reply.text.ends_with("# EOF\n"));
}

#[test]
fn an_explanation_is_what_check_says() {
    let mut body = asked("ada@contoso.example", "viewClientDetails", "WS-BER-014");
    body["options"] = json!({ "explain": true });
    let reply = contoso().evaluate(&body);
    assert!(!reply.decision());
    let context = reply.json()["context"].clone();
    let check = [
        "check",
        "ada@contoso.example",
        "viewClientDetails",
        "WS-BER-014",
    ];
    let said = crate::tarbac::contoso(&check);
    let user = context["reason_user"]["403"].as_str().unwrap();
    assert!(said.stdout.contains(user), "{user} {said}");
    assert_eq!(context["reason_admin"]["403"], said.stdout.trim_end());
    let mut command = crate::tarbac::command(&contoso_folder());
    let checked = command.args(check).args(["--format", "json"]).output();
    let checked: Value = serde_json::from_slice(&checked.unwrap().stdout).unwrap();
    assert_eq!(context["tarbac"], checked);
    assert!(context.get("explanation").is_none());
}

#[test]
fn an_explanation_is_given_to_whoever_asks_for_it() {
    let server = contoso();
    let mut body = asked("ada@contoso.example", "viewClientDetails", "WS-BER-014");
    body["options"] = json!({ "explain": "full" });
    let full = server.evaluate(&body).json();
    let explanation = &full["context"]["explanation"];
    assert!(explanation["clauses"].is_array() || explanation.is_object());
    body["options"]["explain"] = "much".into();
    assert_eq!(server.evaluate(&body).status, 400);
    body["options"] = json!({ "explain": false });
    assert!(server.evaluate(&body).json().get("context").is_none());
}

#[test]
fn each_item_of_a_batch_has_an_explanation_of_its_own() {
    let batch = json!({ "options": { "explain": true }, "evaluations": [
        asked("ada@contoso.example", "runScript", "WS-TST-001"),
        asked("ada@contoso.example", "viewClientDetails", "WS-BER-014"),
        asked("nobody@contoso.example", "viewClientDetails", "WS-BER-014"),
    ] });
    let reply = contoso().post("/access/v1/evaluations", &batch).json();
    let context = |item: usize| reply["evaluations"][item]["context"].clone();
    assert_eq!(context(0)["tarbac"]["decision"], "allow");
    assert!(context(0).get("reason_user").is_none());
    assert!(context(1)["reason_user"]["403"].is_string());
    assert_eq!(context(2)["error"]["status"], 404);
}

#[test]
fn more_than_there_is_room_for_is_turned_away() {
    let server = Server::with(&records_folder(), &["--max-in-flight", "0"]);
    let reply = server.evaluate(&json!({}));
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    assert!(reply.json()["error"].is_string());
    assert_eq!(server.get("/readyz").status, 200);
    let server = Server::with(&records_folder(), &["--max-body", "10"]);
    assert_eq!(server.evaluate(&json!({ "long": "enough" })).status, 413);
    // One connection is the client's own, which is kept open.
    let server = Server::with(&records_folder(), &["--max-connections", "1"]);
    let mut kept = TcpStream::connect(&server.addresses[0]).unwrap();
    kept.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    kept.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = [0; 12];
    kept.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    assert_eq!(
        server.raw(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ""
    );
}

/// What comes a byte at a time is not waited for.
pub fn slow_requests_are_cut_off() {
    let server = records();
    let head = b"POST /access/v1/evaluation HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n";
    let head_never_ends = || {
        let answer = server.raw(head);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
    };
    let body_never_ends = || {
        let answer = server.raw(&[head.as_slice(), b"Connection: close\r\n\r\n{"].concat());
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    };
    let second_head_never_ends = || {
        let mut stream = TcpStream::connect(&server.addresses[0]).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.extend(byte);
        }
        stream.write_all(b"GET /liv").unwrap();
        // It ends; a connection that is idle is kept for longer than this waits.
        stream.read_to_end(&mut answer).unwrap();
    };
    std::thread::scope(|scope| {
        scope.spawn(head_never_ends);
        scope.spawn(body_never_ends);
        scope.spawn(second_head_never_ends);
    });
}

#[test]
fn a_large_head_is_refused() {
    let server = records();
    let large = "x".repeat(40_000);
    let head = format!(
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Large: {large}\r\n\r\n"
    );
    let answer = server.raw(head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[test]
fn health_asks_the_server_how_it_is() {
    let server = records();
    let health = |url: &str| crate::tarbac::contoso(&["health", url]).status;
    assert_eq!(health(&server.url("")), 0);
    assert_eq!(health(&server.url("/")), 0);
    let address = server.addresses[0].clone();
    drop(server);
    assert_eq!(health(&format!("http://{address}")), 1);
    assert_eq!(health("nonsense"), 2);
}

/// What systemd is told, where it listens.
#[cfg(unix)]
#[test]
fn systemd_is_told() {
    use std::os::unix::net::UnixDatagram;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let told = || {
        let mut text = [0; 200];
        let length = socket.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    };
    let mut command = crate::tarbac::command(&records_folder());
    command
        .env("NOTIFY_SOCKET", &path)
        .env("TARBAC_LISTEN", "127.0.0.1:0")
        .env("TARBAC_DRAIN", "0s")
        .env("TARBAC_NO_WATCH", "true")
        .arg("serve");
    let server = Server::run(command, 1);
    assert_eq!(told().trim(), "READY=1");
    server.signal("HUP");
    let reloading = told();
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
        "{reloading}"
    );
    assert_eq!(told().trim(), "READY=1");
    server.signal("TERM");
    assert_eq!(told().trim(), "STOPPING=1");
}
