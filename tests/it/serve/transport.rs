//! What HTTP asks of the server, whatever is asked of the policies.

use serde_json::json;

use super::client::{PATIENCE, Server, asked, contoso, records, records_folder};
use crate::tarbac::contoso_folder;

const PATH: &str = "/access/v1/evaluation";

#[test]
fn what_is_no_json_object_is_refused_with_its_request_id() {
    let server = contoso();
    let good = asked("ada@contoso.example", "runScript", "WS-TST-001").to_string();
    let deep = format!("{}{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let twice = good.replacen('{', r#"{"subject":{},"#, 1);
    let within = good.replacen(r#""id":"#, r#""id":"x","id":"#, 1);
    let unknown = good.replacen('{', r#"{"m":{"a":1,"a":2},"#, 1);
    let surrogate = good.replacen('{', r#"{"m":"\ud800","#, 1);
    let json = "application/json";
    for (body, kind, status) in [
        (twice.as_bytes(), json, 400),
        (within.as_bytes(), json, 400),
        (unknown.as_bytes(), json, 400),
        (surrogate.as_bytes(), json, 400),
        (deep.as_bytes(), json, 400),
        (&utf16, json, 400),
        (b"", json, 400),
        (b"[]", json, 400),
        (b"null", json, 400),
        (b"{", json, 400),
        (b"{} {}", json, 400),
        (good.as_bytes(), "text/plain", 400),
        (good.as_bytes(), "application/json; charset=utf-8", 200),
        (good.as_bytes(), "Application/JSON", 200),
        (&vec![b' '; 2 << 20], json, 413),
    ] {
        let headers = [("content-type", kind), ("x-request-id", "mine")];
        let reply = server.send("POST", PATH, body, &headers);
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        assert_eq!(reply.status, status, "{shown} {reply:?}");
        assert_eq!(reply.header("x-request-id"), "mine");
        if status != 200 {
            assert!(reply.json()["error"].is_string());
        }
    }
    let without = server.send("POST", PATH, good.as_bytes(), &[]);
    assert_eq!(without.status, 400);
}

#[test]
fn a_request_keeps_its_id() {
    let server = records();
    let long = "x".repeat(200);
    for id in [r#"a b;"c""#, long.as_str()] {
        for path in [PATH, "/nope", "/livez"] {
            let reply = server.send("POST", path, b"{}", &[("x-request-id", id)]);
            assert_eq!(reply.header("x-request-id"), id);
        }
    }
    let made = server.get("/livez");
    let made = made.header("x-request-id");
    assert_eq!((made.len(), &made[14..15]), (36, "7"), "{made}");
}

#[test]
fn other_methods_and_paths_are_refused_in_json() {
    let server = records();
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        for path in [PATH, "/access/v1/evaluations"] {
            let reply = server.send(method, path, b"", &[]);
            assert_eq!(reply.status, 405, "{method} {path}");
            assert_eq!(reply.header("allow"), "POST");
            assert!(reply.json()["error"].is_string());
        }
    }
    let reply = server.get("/nope");
    assert_eq!(reply.status, 404);
    assert!(reply.json()["error"].is_string());
}

/// A page of another site may lead its own name to this machine, or send what a form can send.
#[test]
fn browsers_of_other_sites_get_nothing() {
    let server = records();
    let body = json!({}).to_string();
    for path in [PATH, "/version", "/nope"] {
        let reply = server.send("POST", path, body.as_bytes(), &[("host", "evil.example")]);
        assert_eq!(reply.status, 421, "{path}");
    }
    assert_eq!(
        server
            .send("GET", "/livez", b"", &[("host", "evil.example")])
            .status,
        200
    );
    for headers in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://evil.example"),
        ("origin", "null"),
    ] {
        let reply = server.post_text(PATH, &body, &[headers]);
        assert_eq!(reply.status, 403, "{headers:?}");
        assert!(reply.json()["error"].is_string());
    }
    let own = format!("http://{}", server.addresses[0]);
    assert_eq!(
        server.post_text(PATH, &body, &[("origin", &own)]).status,
        400
    );
    let reply = server.send("OPTIONS", PATH, b"", &[("origin", "http://evil.example")]);
    let allows = reply
        .headers
        .keys()
        .any(|name| name.as_str().starts_with("access-control"));
    assert!(!allows, "{reply:?}");
}

#[test]
fn a_host_may_be_allowed() {
    let arguments = [
        "--public-url",
        "https://pdp.example.com/t",
        "--allow-host",
        "pdp.internal",
    ];
    let server = Server::with(&records_folder(), &arguments);
    for (host, status) in [
        ("pdp.example.com", 200),
        ("PDP.example.com:443", 200),
        ("pdp.example.com:8443", 421),
        ("pdp.internal", 200),
        ("pdp.internal:99", 200),
        ("localhost:1", 200),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
    ] {
        let reply = server.send("GET", "/version", b"", &[("host", host)]);
        assert_eq!(reply.status, status, "{host}");
    }
}

#[test]
fn probes_are_answered() {
    let server = contoso();
    assert_eq!(server.get("/livez").status, 200);
    assert_eq!(server.get("/readyz").text, "ok\n");
    assert_eq!(
        server.get("/readyz?verbose").text,
        "loaded: ok\nfresh: ok\nlog: ok\ndraining: ok\n"
    );
    let version = server.get("/version").json();
    let quoted = format!("\"{}\"", version["revision"].as_str().unwrap());
    assert_eq!(server.get("/livez").header("tarbac-revision"), quoted);
    // That of `validate`, as far as it goes.
    let mut command = crate::tarbac::command(&contoso_folder());
    let validated = command
        .args(["validate", "--format", "json"])
        .output()
        .unwrap();
    let validated: serde_json::Value = serde_json::from_slice(&validated.stdout).unwrap();
    let revision = validated["revision"].as_str().unwrap();
    assert_eq!(version["revision"], revision[..16]);
}

#[test]
fn management_may_have_an_address_of_its_own() {
    let arguments = ["--listen", "127.0.0.1:0", "--management", "127.0.0.1:0"];
    let mut server = Server::listening(&records_folder(), &arguments, 2);
    assert_eq!(server.get("/readyz").status, 404);
    assert_eq!(server.post(PATH, &json!({})).status, 400);
    server.addresses.reverse();
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(server.post(PATH, &json!({})).status, 404);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_server() {
    let server = Server::with(&records_folder(), &["--grace", "10s"]);
    assert_eq!(server.get("/livez").status, 200);
    assert_eq!(server.stop(), 0);
}

/// While requests should go elsewhere already, those that come are answered.
#[cfg(unix)]
#[test]
fn a_server_that_stops_says_so_first() {
    let server = Server::with(&records_folder(), &["--drain", "1h"]);
    server.signal("TERM");
    let began = std::time::Instant::now();
    while server.get("/readyz").status != 503 {
        assert!(began.elapsed() < PATIENCE, "{}", server.log());
    }
    assert_eq!(server.get("/livez").status, 200);
    let checks = server.get("/readyz?verbose").text;
    assert_eq!(
        checks,
        "loaded: ok\nfresh: ok\nlog: ok\ndraining: the server is stopping\n"
    );
    let body = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": { "type": "record", "id": "record-1" },
    });
    assert!(server.evaluate(&body).decision());
    // Told twice, it does not wait.
    assert_eq!(server.stop(), 1);
}

#[cfg(unix)]
#[test]
fn a_socket_in_the_file_system_is_listened_to() {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pdp.sock");
    let listen = format!("unix:{}", path.display());
    for _ in 0..2 {
        // The second finds what the first has left, which was killed.
        let server = Server::listening(&records_folder(), &["--listen", &listen], 1);
        let mut stream = UnixStream::connect(&path).unwrap();
        let request = b"GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        drop(server);
    }
}

#[test]
fn nothing_is_served_to_others_without_being_asked_for() {
    let workspace = crate::tarbac::contoso;
    let ran = workspace(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("--insecure-http"), "{ran}");
    let ran = workspace(&["serve", "--listen", "0.0.0.0:0", "--insecure-http"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("--anonymous"), "{ran}");
    let ran = workspace(&["serve", "--check"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.starts_with("127.0.0.1:8180: revision"), "{ran}");
    for wrong in [
        ["--listen", "nowhere"],
        ["--public-url", "http://pdp.example.com"],
        ["--public-url", "https://pdp.example.com/?q"],
        ["--drain", "soon"],
        ["--max-body", "much"],
    ] {
        let ran = workspace(&[["serve", "--check"], wrong].concat());
        assert_eq!(ran.status, 2, "{ran}");
    }
}
