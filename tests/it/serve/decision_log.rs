//! The decision log: a line for whatever is given, and nothing given without one.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use super::client::{PATIENCE, Server, asked, records_folder};
use crate::tarbac::{command, contoso, contoso_folder};

const SEARCHES: [&str; 3] = ["subject", "resource", "action"];

/// Waits until something holds.
pub fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let pause = Duration::from_millis(50);
    for _ in 0..PATIENCE.as_millis() / pause.as_millis() {
        if holds() {
            return;
        }
        std::thread::sleep(pause);
    }
    panic!("waited in vain: {what}");
}

/// The records of a log.
pub fn read(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A server that logs its decisions.
pub fn logging(folder: &Path, log: &Path, more: &[&str]) -> Server {
    let arguments = [&["--decision-log", log.to_str().unwrap()], more].concat();
    Server::with(folder, &arguments)
}

fn assert_no_nulls(value: &Value) {
    match value {
        Value::Null => panic!("a null"),
        Value::Array(values) => values.iter().for_each(assert_no_nulls),
        Value::Object(values) => values.values().for_each(assert_no_nulls),
        _ => {}
    }
}

/// Sends so many evaluations, as many batches of ten as a tenth of them, and five searches.
pub fn ask_much(server: &Server, evaluations: usize) {
    let people = ["ada", "jonas", "olivia", "nobody"];
    let devices = ["WS-TST-001", "WS-BER-014"];
    let actions = ["runScript", "viewClientDetails", "Run script"];
    let bodies = (0..evaluations).map(|number| {
        let person = format!("{}@contoso.example", people[number % people.len()]);
        asked(&person, actions[number % 3], devices[number % 2])
    });
    for body in bodies.clone() {
        assert_eq!(server.evaluate(&body).status, 200);
    }
    let items: Vec<Value> = bodies.take(10).collect();
    for _ in 0..evaluations / 10 {
        let batch = json!({ "evaluations": items });
        assert_eq!(server.post("/access/v1/evaluations", &batch).status, 200);
    }
    for number in 0..5 {
        let mut body = asked("ada@contoso.example", "runScript", "WS-TST-001");
        let searched = SEARCHES[number % 3];
        body[searched] = match searched {
            "subject" => json!({ "type": "user" }),
            "resource" => json!({ "type": "device" }),
            _ => Value::Null,
        };
        let reply = server.post(&format!("/access/v1/search/{searched}"), &body);
        assert_eq!(reply.status, 200);
    }
}

/// Each of these documents is of a published shape.
pub fn conform(shape: &str, documents: &[Value]) {
    let schema = contoso(&["schema", shape]).stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("schema.json", schema).unwrap();
    let index = compiler.compile("schema.json", &mut schemas).unwrap();
    for document in documents {
        let conforms = schemas.validate(document, index);
        assert!(conforms.is_ok(), "{document}: {}", conforms.unwrap_err());
    }
}

/// The records of a server that was asked for a hundred evaluations, and its revision.
fn logged() -> (Vec<Value>, Value) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("decisions.ndjson");
    let server = logging(&contoso_folder(), &log, &[]);
    ask_much(&server, 100);
    let revision = server.get("/version").json()["revision"].clone();
    wait("every record is written", || {
        let metrics = server.get("/metrics").text;
        metrics.contains("\ntarbac_decision_log_records_total 205\n")
            && metrics.contains("\ntarbac_decision_log_queue 0\n")
            && metrics.contains("\ntarbac_decision_log_lost_total 0\n")
    });
    assert_eq!(server.stop(), 0);
    let records = read(&log);
    assert_eq!(records.len(), 205);
    (records, revision)
}

#[test]
fn each_decision_is_a_line_of_the_published_shape() {
    let (records, revision) = logged();
    conform("decision-log", &records);
    let mut ids: Vec<&str> = Vec::new();
    for record in &records {
        assert_no_nulls(record);
        assert_eq!(record["revision"]["id"], revision);
        let anonymous = json!({ "name": "anonymous", "by": "nothing" });
        assert_eq!(record["caller"], anonymous);
        ids.push(record["decision_id"].as_str().unwrap());
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 205);
}

#[test]
fn a_record_says_what_was_asked_and_what_was_decided() {
    let (records, _) = logged();
    let first = &records[0];
    assert_eq!(first["kind"], "decision");
    assert_eq!(first["decision"], "allow");
    assert_eq!(first["basis"], "permitted");
    assert!(first["authority"].is_string(), "{first}");
    assert_eq!(first["endpoint"], "/access/v1/evaluation");
    assert_eq!(first["subject"]["type"], "Entra::User");
    assert_eq!(
        first["asked"]["subject"],
        json!({ "type": "user", "id": "ada@contoso.example" })
    );
    assert_eq!(first["action"]["name"], "runScript");
    assert!(first["asked"].get("action").is_none());
    assert_eq!(records[2]["asked"]["action"], "Run script");
    // Nobody is called so.
    assert_eq!(records[3]["decision"], "indeterminate");
    assert_eq!(
        records[3]["subject"],
        json!({ "type": "Entra::User", "id": "nobody@contoso.example" })
    );
    assert_eq!(records[104]["item"], 4);
    let searches = records.iter().filter(|record| record["kind"] == "search");
    assert_eq!(searches.count(), 5);
    assert_eq!(records[200]["subject"], json!({ "type": "Entra::User" }));
    assert!(records[200]["total"].as_u64().unwrap() > 0);
}

#[test]
fn what_cannot_be_read_is_a_line_too() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("decisions.ndjson");
    let server = logging(&records_folder(), &log, &[]);
    let good = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "delete", "properties": { "soft": true, "why": "asked" } },
        "resource": { "type": "record", "id": "record-1" },
        "context": { "ip": "192.0.2.7" },
    });
    let batch = json!({ "evaluations": [{}, good, 7] });
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
    let headers = [("x-request-id", "mine"), ("traceparent", &traceparent)];
    let reply = server.post_text("/access/v1/evaluations", &batch.to_string(), &headers);
    assert_eq!(reply.status, 200);
    // Nothing was decided.
    assert_eq!(server.evaluate(&json!({})).status, 400);
    server.stop();
    let records = read(&log);
    assert_eq!(records.len(), 3, "{records:#?}");
    for (number, record) in records.iter().enumerate() {
        assert_eq!(record["item"], number);
        assert_eq!(record["request_id"], "mine");
        assert_eq!(record["trace_id"], trace);
    }
    assert_eq!(records[0]["decision"], "indeterminate");
    assert!(records[0].get("subject").is_none());
    assert_eq!(
        records[1]["context"],
        json!({ "ip": "192.0.2.7", "soft": true })
    );
    assert_eq!(
        records[1]["action"]["properties"],
        good["action"]["properties"]
    );
}

#[test]
fn what_is_left_out_is_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("decisions.ndjson");
    let omit = "/context/ip,/subject/id,/context/soft";
    let server = logging(&records_folder(), &log, &["--decision-log-omit", omit]);
    let body = json!({
        "subject": { "type": "user", "id": "mallory" },
        "action": { "name": "delete", "properties": { "soft": true, "ip": "192.0.2.7" } },
        "resource": { "type": "record", "id": "record-1" },
        "context": { "ip": "192.0.2.7", "other": "stays" },
    });
    assert_eq!(server.evaluate(&body).status, 200);
    let search = json!({ "subject": body["subject"], "resource": body["resource"] });
    assert_eq!(server.post("/access/v1/search/action", &search).status, 200);
    server.stop();
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(
        !text.contains("192.0.2.7") && !text.contains("mallory"),
        "{text}"
    );
    let records = read(&log);
    let omitted = json!(["/context/ip", "/subject/id", "/context/soft"]);
    assert_eq!(records[0]["omitted"], omitted);
    assert_eq!(records[0]["context"], json!({ "other": "stays" }));
    assert_eq!(records[0]["action"]["properties"], json!({}));
    assert_eq!(records[1]["omitted"], json!(["/subject/id"]));
    for wrong in ["context/ip", "/decision", "/revision/id", ""] {
        let ran = contoso(&["serve", "--check", "--decision-log-omit", wrong]);
        assert_eq!(ran.status, 2, "{ran}");
    }
}

#[cfg(unix)]
#[test]
fn a_log_that_is_moved_loses_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("decisions.ndjson");
    let server = logging(&records_folder(), &log, &[]);
    let body = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": { "type": "record", "id": "record-1" },
    });
    let lines = |path: &Path| std::fs::read_to_string(path).map_or(0, |text| text.lines().count());
    for number in 0..4 {
        for _ in 0..5 {
            assert!(server.evaluate(&body).decision());
        }
        let moved = folder.path().join(format!("decisions.{number}"));
        std::fs::rename(&log, &moved).unwrap();
        if number == 1 {
            server.signal("HUP");
        }
        wait("a new log", || log.exists());
    }
    server.evaluate(&body);
    server.stop();
    let moved = (0..4).map(|number| lines(&folder.path().join(format!("decisions.{number}"))));
    assert_eq!(moved.sum::<usize>() + lines(&log), 21);
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_logged_is_not_given() {
    let full = Path::new("/dev/full");
    let body = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": { "type": "record", "id": "record-1" },
    });
    let server = logging(&records_folder(), full, &[]);
    assert_eq!(server.get("/readyz").status, 200);
    // That the disk is full is known once something was written.
    server.evaluate(&body);
    wait("the server is not ready", || {
        server.get("/readyz").status == 503
    });
    assert!(
        server
            .get("/readyz?verbose")
            .text
            .contains("log: decisions cannot be logged")
    );
    let reply = server.evaluate(&body);
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    assert!(reply.json().get("decision").is_none());
    let batch = json!({ "evaluations": [body] });
    assert_eq!(server.post("/access/v1/evaluations", &batch).status, 503);
    let search = json!({ "subject": body["subject"], "resource": body["resource"] });
    assert_eq!(server.post("/access/v1/search/action", &search).status, 503);
    assert!(
        server
            .get("/metrics")
            .text
            .contains("tarbac_decision_log_lost_total 0\n")
    );

    let server = logging(&records_folder(), full, &["--decision-log-loss", "count"]);
    server.evaluate(&body);
    wait("the loss is known", || {
        assert!(server.evaluate(&body).decision());
        !server
            .get("/metrics")
            .text
            .contains("tarbac_decision_log_lost_total 0\n")
    });
    assert_eq!(server.get("/readyz").status, 200);
}

#[test]
fn a_log_that_cannot_be_opened_is_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("nowhere/decisions.ndjson");
    let log = log.to_str().unwrap();
    let ran = contoso(&["serve", "--listen", "127.0.0.1:0", "--decision-log", log]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("nowhere"), "{ran}");
}

#[test]
fn standard_output_is_a_log_too() {
    let mut child = command(&records_folder())
        .args(["serve", "--listen", "127.0.0.1:0", "--decision-log", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = lines.find_map(|line| {
        let line = line.unwrap();
        let (_, after) = line.split_once("address=\"")?;
        Some(after.split('"').next().unwrap().to_owned())
    });
    let body = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": { "type": "record", "id": "record-1" },
    });
    let url = format!("{}/access/v1/evaluation", address.unwrap());
    let sent = ureq::post(&url)
        .content_type("application/json")
        .send(body.to_string());
    assert_eq!(sent.unwrap().status(), 200);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let record: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(record["decision"], "allow");
}
