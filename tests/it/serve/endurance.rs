//! What only shows under load, or after a long time. Most of it takes minutes and is run by hand:
//! `cargo nextest run --run-ignored only -E 'test(endurance)' --no-capture` prints what was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{PATIENCE, Server, records_folder};
use crate::tarbac::{Tarbac, copy};

const EVALUATION: &str = "/access/v1/evaluation";
const EVALUATIONS: &str = "/access/v1/evaluations";

/// How long is asked at most, if a test fails meanwhile.
const LONGEST: Duration = Duration::from_secs(300);

/// A connection that is kept, as long as the server keeps it.
struct Kept {
    stream: BufReader<TcpStream>,
    is_last: bool,
}

/// An answer: its status, revision and body.
struct Answer {
    status: u16,
    revision: String,
    body: Value,
}

impl Kept {
    fn to(server: &Server) -> Option<Self> {
        let stream = TcpStream::connect(&server.addresses[0]).ok()?;
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Some(Self {
            stream: BufReader::new(stream),
            is_last: false,
        })
    }

    /// Asks; `None` where the server has closed the connection before it took the request.
    fn ask(&mut self, path: &str, body: &str) -> std::io::Result<Option<Answer>> {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let (mut length, mut revision) = (0, String::new());
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "tarbac-revision" => value.clone_into(&mut revision),
                "connection" => self.is_last = value == "close",
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Some(Answer {
            status,
            revision,
            body: serde_json::from_slice(&body).unwrap(),
        }))
    }
}

fn one() -> Value {
    json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "write" },
        "resource": { "type": "record", "id": "record-1" },
    })
}

fn batch(items: usize) -> String {
    json!({ "evaluations": vec![one(); items] }).to_string()
}

/// A copy of the records, served.
fn served(arguments: &[&str]) -> (Tarbac, Server) {
    let workspace = Tarbac::with(&[]);
    for part in ["schema", "policies", "entities"] {
        copy(&records_folder().join(part), &workspace.path(part));
    }
    let server = Server::with(&workspace.path(""), arguments);
    (workspace, server)
}

/// The resident memory of a process, in KiB.
fn memory(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let size = line.unwrap().split_whitespace().nth(1);
    size.unwrap().parse().unwrap()
}

/// The decisions of each revision that was answered with.
type Seen = BTreeMap<String, BTreeSet<bool>>;

/// Asks until it is over: nine times for one decision, and then for a hundred, all of which have to be the same.
fn ask_on(server: &Server, number: usize, is_over: &AtomicBool) -> (usize, Seen) {
    let mut kept = Kept::to(server).unwrap();
    let mut seen = Seen::new();
    let mut count = 0;
    let (single, several) = (one().to_string(), batch(100));
    let began = Instant::now();
    let mut due = began;
    while !is_over.load(Ordering::Relaxed) && began.elapsed() < LONGEST {
        let is_batch = (count + number).is_multiple_of(10);
        let (path, body) = match is_batch {
            true => (EVALUATIONS, &several),
            false => (EVALUATION, &single),
        };
        let answer = kept.ask(path, body).unwrap().unwrap();
        assert_eq!(answer.status, 200);
        let items = match is_batch {
            true => answer.body["evaluations"].as_array().unwrap().clone(),
            false => vec![answer.body],
        };
        assert_eq!(items.len(), if is_batch { 100 } else { 1 });
        let decisions = items.iter().map(|of| of["decision"].as_bool().unwrap());
        let decisions: BTreeSet<bool> = decisions.collect();
        assert_eq!(decisions.len(), 1, "a batch of two revisions");
        seen.entry(answer.revision).or_default().extend(decisions);
        count += 1;
        due += Duration::from_millis(8);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    (count, seen)
}

/// Two revisions take turns twice a second under load: no request fails, and no answer mixes the two.
#[test]
#[ignore = "takes a minute"]
fn a_hundred_reloads_lose_and_mix_nothing() {
    let (workspace, server) = served(&["--no-watch"]);
    let content = workspace.read("entities/records.json");
    let archived = content.replace("\"active\"", "\"archived\"");
    assert_ne!(content, archived);
    let is_over = AtomicBool::new(false);
    let (server, is_over) = (&server, &is_over);
    let all = thread::scope(|scope| {
        let asking: Vec<_> = (0..8)
            .map(|number| scope.spawn(move || ask_on(server, number, is_over)))
            .collect();
        for turn in 0..100 {
            let text = if turn % 2 == 0 { &archived } else { &content };
            workspace.write("entities/records.json", text);
            let reloaded = server.send("POST", "/-/reload", b"", &[]);
            assert_eq!(reloaded.json()["result"], "ok", "{reloaded:?}");
            thread::sleep(Duration::from_millis(500));
        }
        is_over.store(true, Ordering::Relaxed);
        let all = asking.into_iter().map(|of| of.join().unwrap());
        all.collect::<Vec<_>>()
    });
    let mut seen = Seen::new();
    for (revision, decisions) in all.iter().flat_map(|(_, seen)| seen) {
        seen.entry(revision.clone()).or_default().extend(decisions);
    }
    let count: usize = all.iter().map(|(count, _)| count).sum();
    eprintln!("{count} requests over 100 reloads, and none failed: {seen:?}");
    assert_eq!(seen.len(), 2);
    assert!(seen.values().all(|of| of.len() == 1), "{seen:?}");
}

/// Asks until the server takes up no connection; the answers, and what broke off.
fn ask_to_the_end(server: &Server) -> (usize, Option<std::io::Error>) {
    let mut answered = 0;
    let body = one().to_string();
    while let Some(mut kept) = Kept::to(server) {
        while !kept.is_last {
            match kept.ask(EVALUATION, &body) {
                Ok(Some(answer)) => {
                    assert_eq!(answer.status, 200);
                    answered += 1;
                }
                // It was closed between two requests, and took up no other.
                Ok(None) => break,
                Err(error) => return (answered, Some(error)),
            }
        }
    }
    (answered, None)
}

/// The server is told to stop while many ask: whoever is taken up gets an answer, and every decision is in the log.
#[cfg(unix)]
#[test]
fn a_stop_under_load_breaks_nothing_off() {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset};

    let folder = Tarbac::with(&[]);
    let log = folder.path("decisions.ndjson");
    let path = log.to_str().unwrap();
    let drained = ["--drain", "1s", "--grace", "30s", "--decision-log", path];
    let (_workspace, server) = served(&drained);
    let all = thread::scope(|scope| {
        let asking: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| ask_to_the_end(&server)))
            .collect();
        thread::sleep(Duration::from_millis(500));
        server.signal("TERM");
        let began = Instant::now();
        while server.get("/readyz").status != 503 {
            assert!(began.elapsed() < PATIENCE, "{}", server.log());
        }
        let all = asking.into_iter().map(|of| of.join().unwrap());
        all.collect::<Vec<_>>()
    });
    let began = Instant::now();
    while !server.log().contains("stopped") {
        assert!(began.elapsed() < PATIENCE, "{}", server.log());
        thread::sleep(Duration::from_millis(20));
    }
    for fault in all.iter().filter_map(|(_, fault)| fault.as_ref()) {
        // Only a connection that was closed meanwhile may refuse what is written to it: nobody decides that.
        assert!(
            matches!(fault.kind(), BrokenPipe | ConnectionReset),
            "{fault}"
        );
    }
    let records = fs::read_to_string(&log).unwrap();
    assert!(records.ends_with('\n'));
    for line in records.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
    let answered: usize = all.iter().map(|(answered, _)| answered).sum();
    let logged = records.lines().count();
    assert!(answered > 0 && logged >= answered, "{answered}, {logged}");
}

/// Connections that nobody uses, beside one that asks.
#[test]
#[ignore = "opens 5,000 connections"]
fn idle_connections_are_in_nobody_s_way() {
    let (_workspace, server) = served(&["--max-connections", "6000"]);
    let idle: Vec<TcpStream> = (0..5000)
        .map(|_| TcpStream::connect(&server.addresses[0]).unwrap())
        .collect();
    let mut kept = Kept::to(&server).unwrap();
    let body = one().to_string();
    let mut times: Vec<Duration> = (0..1000)
        .map(|_| {
            let began = Instant::now();
            assert_eq!(kept.ask(EVALUATION, &body).unwrap().unwrap().status, 200);
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    eprintln!(
        "with {} idle connections, of 1,000 evaluations: median {:?}, slowest {:?}; memory {} KiB",
        idle.len(),
        times[500],
        times[999],
        memory(&server)
    );
}

/// A client that sends a byte a second is closed, in its head or in its body.
#[test]
#[ignore = "takes ten seconds"]
fn whoever_is_slow_is_closed() {
    let (_workspace, server) = served(&[]);
    let head = "POST /access/v1/evaluation HTTP/1.1\r\nHost: localhost\r\n";
    let body = format!("{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n");
    for (what, start) in [("head", head), ("body", body.as_str())] {
        let mut stream = TcpStream::connect(&server.addresses[0]).unwrap();
        stream.write_all(start.as_bytes()).unwrap();
        let mut slow = stream.try_clone().unwrap();
        let began = Instant::now();
        let sending = thread::spawn(move || {
            while slow.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_secs(1));
            }
        });
        let mut answer = Vec::new();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.lines().next().unwrap_or("no answer").to_owned();
        eprintln!(
            "a slow {what}: closed after {:?} with {status}",
            began.elapsed()
        );
        assert!(what == "head" || status.contains(" 408 "), "{status}");
        drop(stream);
        sending.join().unwrap();
    }
}

/// A million decisions and more, one by one and in batches.
#[test]
#[ignore = "takes minutes"]
fn memory_stays_as_it_is() {
    let (_workspace, server) = served(&[]);
    let (single, several) = (one().to_string(), batch(1000));
    let mut figures = Vec::new();
    for round in 0..10 {
        let ask = || {
            let mut kept = Kept::to(&server).unwrap();
            for number in 0..25_000 {
                let answer = match number % 500 {
                    0 => kept.ask(EVALUATIONS, &several),
                    _ => kept.ask(EVALUATION, &single),
                };
                assert_eq!(answer.unwrap().unwrap().status, 200);
            }
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(ask);
            }
        });
        figures.push(memory(&server));
        eprintln!(
            "{} requests: {} KiB",
            (round + 1) * 100_000,
            memory(&server)
        );
    }
    let (early, late) = (figures[2], figures[9]);
    assert!(late < early + early / 10, "{figures:?}");
}
