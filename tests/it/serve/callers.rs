//! Callers who have a token, and what each may ask.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::client::{Reply, Server, records_folder};
use super::decision_log::{read, wait};
use crate::tarbac::contoso;

const EVALUATION: &str = "/access/v1/evaluation";

/// A token as `tarbac token` makes it, and its entry with these rights.
pub fn token(name: &str, may: &[&str]) -> (String, Value) {
    let ran = contoso(&["token", name]);
    assert_eq!(ran.status, 0, "{ran}");
    let (token, entry) = ran.stdout.trim_end().split_once('\n').unwrap();
    let mut entry: Value = serde_json::from_str(entry).unwrap();
    assert_eq!(
        (&entry["name"], &entry["may"]),
        (&name.into(), &json!(["evaluate"]))
    );
    assert!(!entry.to_string().contains(token));
    entry["may"] = json!(may);
    (token.to_owned(), entry)
}

fn write(path: &Path, callers: &[&Value]) {
    std::fs::write(path, json!({ "callers": callers }).to_string()).unwrap();
}

fn body() -> Value {
    json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": { "type": "record", "id": "record-1" },
    })
}

/// Asks with a header `Authorization`.
fn ask(server: &Server, path: &str, authorization: &str) -> Reply {
    let mut body = body();
    if path.contains("search") {
        body["subject"] = json!({ "type": "user" });
    }
    server.post_text(path, &body.to_string(), &[("authorization", authorization)])
}

fn basic(name: &str, token: &str) -> String {
    use base64::Engine;
    let text = format!("{name}:{token}");
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(text)
    )
}

/// A server with three callers, and their tokens.
struct Three {
    folder: tempfile::TempDir,
    server: Server,
    /// It may evaluate.
    portal: String,
    /// It may search and explore.
    auditor: String,
    /// It may operate.
    runner: String,
}

const SEARCH: &str = "/access/v1/search/subject";

impl Three {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("callers.json");
        let (portal, portal_entry) = token("portal", &["evaluate"]);
        let (auditor, auditor_entry) = token("auditor of the house", &["search", "explore"]);
        let (runner, runner_entry) = token("runner", &["operate"]);
        write(&file, &[&portal_entry, &auditor_entry, &runner_entry]);
        let log = folder.path().join("decisions.ndjson");
        let (file, log) = (file.to_str().unwrap(), log.to_str().unwrap());
        let arguments = ["--tokens", file, "--decision-log", log];
        let server = Server::with(&records_folder(), &arguments);
        Self {
            folder,
            server,
            portal,
            auditor,
            runner,
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("decisions.ndjson")
    }

    /// Asks what some may and others may not.
    fn ask_all(&self) {
        let Self {
            portal,
            auditor,
            runner,
            ..
        } = self;
        for (path, authorization, status) in [
            (EVALUATION, format!("Bearer {portal}"), 200),
            (EVALUATION, format!("bearer  {portal}"), 200),
            (EVALUATION, basic("portal", portal), 200),
            (SEARCH, format!("Bearer {portal}"), 403),
            (EVALUATION, format!("Bearer {auditor}"), 403),
            (SEARCH, format!("Bearer {auditor}"), 200),
            (SEARCH, basic("auditor%20of+the%20house", auditor), 200),
            (SEARCH, basic("auditor of the house", auditor), 200),
            (SEARCH, format!("Bearer {runner}"), 403),
            ("/-/reload", format!("Bearer {portal}"), 403),
            ("/-/reload", format!("Bearer {runner}"), 200),
        ] {
            let reply = ask(&self.server, path, &authorization);
            assert_eq!(reply.status, status, "{path} {reply:?}");
        }
    }
}

#[test]
fn a_token_gives_its_rights_and_no_others() {
    let three = Three::new();
    three.ask_all();
    let mut explained = body();
    explained["options"] = json!({ "explain": true });
    let bearer = format!("Bearer {}", three.portal);
    let headers = [("authorization", bearer.as_str())];
    let reply = three
        .server
        .post_text(EVALUATION, &explained.to_string(), &headers);
    assert_eq!(reply.status, 403);
}

#[test]
fn whoever_has_no_token_is_told_nothing_but_that() {
    let three = Three::new();
    let nothing = three.server.post(EVALUATION, &body());
    assert_eq!(nothing.status, 401);
    let realm = nothing.header("www-authenticate");
    assert_eq!(realm, "Bearer realm=\"tarbac\"");
    assert!(nothing.json()["error"].is_string());
    let portal = &three.portal;
    let file = std::fs::read_to_string(three.folder.path().join("callers.json")).unwrap();
    let file: Value = serde_json::from_str(&file).unwrap();
    let digest = file["callers"][0]["sha256"].as_str().unwrap();
    for wrong in [
        "Bearer wrong",
        "Bearer ",
        "Bearer",
        "Digest x",
        &format!("Bearer {portal}x"),
        &format!("Bearer {digest}"),
        &basic("portal", "wrong"),
        &basic("auditor of the house", portal),
        &basic("", portal),
        "Basic !",
    ] {
        let reply = ask(&three.server, EVALUATION, wrong);
        assert_eq!(reply.status, 401, "{wrong}");
        assert_eq!(reply.text, nothing.text, "{wrong}");
    }
}

#[test]
fn what_is_open_to_everybody_is_so_with_a_wrong_token() {
    let server = Three::new().server;
    for path in ["/livez", "/readyz", "/version", "/openapi.json"] {
        assert_eq!(server.get(path).status, 200, "{path}");
        let wrong = server.send("GET", path, b"", &[("authorization", "Bearer wrong")]);
        assert_eq!(wrong.status, 200, "{path}");
    }
    assert_eq!(server.get("/metrics").status, 401);
}

#[test]
fn nothing_that_is_kept_or_shown_has_a_token() {
    let three = Three::new();
    assert_eq!(ask(&three.server, EVALUATION, "Bearer wrong").status, 401);
    three.ask_all();
    let bearer = format!("Bearer {}", three.runner);
    let headers = [("authorization", bearer.as_str())];
    let metrics = three.server.send("GET", "/metrics", b"", &headers);
    // The wrong token, and the four requests without the right.
    let rejected = r#"tarbac_http_rejected_total{reason="auth"} 5"#;
    assert!(metrics.text.contains(rejected), "{metrics:?}");
    let records = std::fs::read_to_string(three.log()).unwrap();
    for secret in [&three.portal, &three.auditor, &three.runner] {
        for shown in [&three.server.log(), &records, &metrics.text] {
            assert!(!shown.contains(secret.as_str()));
        }
    }
}

#[test]
fn a_record_names_the_caller() {
    let three = Three::new();
    three.ask_all();
    let log = three.log();
    three.server.stop();
    let names: Vec<Value> = read(&log).iter().map(|of| of["caller"].clone()).collect();
    let portal = json!({ "name": "portal", "by": "token" });
    assert_eq!(names[..3], [portal.clone(), portal.clone(), portal]);
    assert_eq!(names[3]["name"], "auditor of the house");
}

pub fn a_token_is_taken_back_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("callers.json");
    let (old, old_entry) = token("portal", &["evaluate"]);
    let (new, new_entry) = token("portal", &["evaluate"]);
    write(&file, &[&old_entry]);
    let server = Server::with(&records_folder(), &["--tokens", file.to_str().unwrap()]);
    let status = |token: &str| ask(&server, EVALUATION, &format!("Bearer {token}")).status;
    assert_eq!((status(&old), status(&new)), (200, 401));
    write(&file, &[&old_entry, &new_entry]);
    wait("the new token", || status(&new) == 200);
    assert_eq!(status(&old), 200);
    write(&file, &[&new_entry]);
    wait("the old token is refused", || status(&old) == 401);
    // A wrong file, or none, changes nothing and is told.
    std::fs::write(
        &file,
        r#"{"callers":[{"name":"all","may":["everything"]}]}"#,
    )
    .unwrap();
    wait("the wrong file is told", || {
        server
            .log()
            .contains("credentials changed and are not taken")
    });
    assert_eq!((status(&old), status(&new)), (401, 200));
}

#[test]
fn a_file_of_callers_is_read_strictly() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("callers.json");
    let digest = "a".repeat(64);
    let entry = |more: &str| format!(r#"{{"name":"a","may":["evaluate"],{more}}}"#);
    let one = entry(&format!(r#""sha256":"{digest}""#));
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        contoso(&["serve", "--check", "--tokens", file.to_str().unwrap()])
    };
    let good = check(&format!(r#"{{"callers":[{one}]}}"#));
    assert_eq!(good.status, 0, "{good}");
    for wrong in [
        String::new(),
        "[]".to_owned(),
        "{}".to_owned(),
        format!(r#"{{"callers":[{one},{one}]}}"#),
        format!(r#"{{"callers":[],"callers":[{one}]}}"#),
        format!(r#"{{"callers":[{}]}}"#, entry(r#""sha256":"abc""#)),
        format!(r#"{{"callers":[{}]}}"#, entry(r#""token":"secret""#)),
        format!(r#"{{"callers":[{}]}}"#, entry(r#""certificate":"""#)),
        format!(r#"{{"callers":[{}]}}"#, one.replace("evaluate", "all")),
        format!(r#"{{"callers":[{}]}}"#, one.replace("\"a\",", "\"\",")),
    ] {
        let ran = check(&wrong);
        assert_eq!(ran.status, 2, "{wrong}: {ran}");
        assert!(
            !ran.stderr.contains(&digest) && !ran.stderr.contains("secret"),
            "{ran}"
        );
    }
    let ran = contoso(&["serve", "--check", "--tokens", "nowhere.json"]);
    assert_eq!(ran.status, 2, "{ran}");
}

#[test]
fn nobody_else_is_answered_without_tls_and_callers() {
    let ran = contoso(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(ran.status, 2, "{ran}");
    for way in ["--tls-cert", "--insecure-http"] {
        assert!(ran.stderr.contains(way), "{ran}");
    }
    let management = ["serve", "--management", "0.0.0.0:0"];
    assert_eq!(contoso(&management).status, 2);
    assert_eq!(contoso(&["serve", "--check"]).status, 0);
}

#[test]
fn a_token_is_made_of_chance() {
    let (one, first) = token("portal", &[]);
    let (other, second) = token("portal", &[]);
    assert_ne!(one, other);
    assert_ne!(first["sha256"], second["sha256"]);
    // 256 bits in base64url.
    assert_eq!(one.len(), 43);
    assert_eq!(contoso(&["token", ""]).status, 2);
}
