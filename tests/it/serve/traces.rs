//! Spans of requests, as a collector gets them by OTLP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::client::{Server, asked};
use crate::tarbac::{command, contoso_folder};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The bodies that a collector was sent, and its URL.
fn collector() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let bodies = Arc::<Mutex<Vec<u8>>>::default();
    let kept = Arc::clone(&bodies);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            kept.lock().unwrap().extend(taken(stream.unwrap()));
        }
    });
    (url, bodies)
}

/// The body of a request, which is answered.
fn taken(stream: TcpStream) -> Vec<u8> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    for line in reader.by_ref().lines().map(Result::unwrap) {
        match line.to_lowercase().split_once(": ") {
            None if line.is_empty() => break,
            None => assert_eq!(line, "POST /v1/traces HTTP/1.1"),
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    body
}

/// Whether some bytes are part of others.
fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A server whose environment has these variables.
fn server(variables: &[(&str, &str)]) -> Server {
    let mut serve = command(&contoso_folder());
    serve.args(["serve", "--listen", "127.0.0.1:0", "--drain", "0s"]);
    serve.envs(variables.iter().copied());
    Server::run(serve, 1)
}

/// Asks for a decision with its reasons, and for everybody who may, in a trace; and stops the server.
fn ask(server: Server) {
    let mut body = asked("ada@contoso.example", "runScript", "WS-TST-001");
    body["options"] = json!({ "explain": true });
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let headers = [("traceparent", traceparent.as_str())];
    let text = body.to_string();
    let reply = server.post_text("/access/v1/evaluation", &text, &headers);
    assert!(reply.decision());
    body["subject"] = json!({ "type": "user" });
    body["options"].take();
    let text = body.to_string();
    let reply = server.post_text("/access/v1/search/subject", &text, &headers);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_collector_gets_the_steps_of_a_request_in_its_trace() {
    let (url, bodies) = collector();
    ask(server(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &url)]));
    let bodies = bodies.lock().unwrap();
    let trace: Vec<u8> = (0..TRACE.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&TRACE[at..at + 2], 16).unwrap())
        .collect();
    assert!(has(&bodies, &trace));
    let names = ["http", "read", "decide", "explain", "search"];
    for name in names.into_iter().chain(["tarbac", "search_subject"]) {
        // In protobuf, the length of a text stands before it.
        let text = [&[u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
        assert!(has(&bodies, &text), "{name}");
    }
    for personal in ["ada@contoso.example", "WS-TST-001"] {
        assert!(!has(&bodies, personal.as_bytes()), "{personal}");
    }
}

#[test]
fn nothing_is_sent_unless_the_environment_asks_for_it() {
    let (url, bodies) = collector();
    ask(server(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &url),
        ("OTEL_SDK_DISABLED", "true"),
    ]));
    ask(server(&[]));
    assert!(bodies.lock().unwrap().is_empty());
}

#[test]
fn a_collector_that_cannot_be_is_said_at_the_start() {
    let mut serve = command(&contoso_folder());
    serve.args(["serve", "--listen", "127.0.0.1:0"]);
    serve.env("OTEL_EXPORTER_OTLP_ENDPOINT", "no url");
    let output = serve.stdout(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("traces cannot be sent"), "{error}");
}
