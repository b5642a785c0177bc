//! Azurite and moto, which speak as Azure Blob and S3 do, with a line to them that fails.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{ARCHIVED, Fleet, number, program, until, writes};
use crate::installed::{in_target, python};
use crate::serve::client::{PATIENCE, Server};

/// The account of Azurite, which everybody knows: it is in its documentation.
const ACCOUNT: &str = "devstoreaccount1";

/// Creates a container in Azurite, by a request that is signed as Azure wants it.
const CONTAINER: &str = r#"
import base64, hashlib, hmac, sys, urllib.request
from email.utils import formatdate
url, account, name = sys.argv[1:]
key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
date = formatdate(usegmt=True)
headers = f"x-ms-date:{date}\nx-ms-version:2021-12-02\n"
text = "PUT" + "\n" * 12 + headers + f"/{account}/{account}/{name}\nrestype:container"
digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
sent = {"x-ms-date": date, "x-ms-version": "2021-12-02", "Content-Length": "0",
        "Authorization": f"SharedKey {account}:" + base64.b64encode(digest).decode()}
request = urllib.request.Request(f"{url}/{account}/{name}?restype=container", method="PUT", headers=sent)
urllib.request.urlopen(request, timeout=30)
"#;

/// Runs moto with one request at a time. Its own server has a thread for each, between which its conditional writes
/// are not atomic, as those of S3 are.
const MOTO: &str = r#"
import sys
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app, run_simple
app = DomainDispatcherApplication(create_backend_app)
run_simple("127.0.0.1", int(sys.argv[1]), app, request_handler=MotoRequestHandler)
"#;

/// How the line to a cloud is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Good,
    /// Nobody answers.
    Away,
    /// Every answer is 503.
    Broken,
    /// Answers end in the middle.
    Cut,
    /// Answers come late.
    Slow,
}

const LINES: [Line; 5] = [Line::Good, Line::Away, Line::Broken, Line::Cut, Line::Slow];

/// A server of objects, behind a line that can be made to fail.
struct Cloud {
    child: Child,
    line: Arc<AtomicU8>,
    /// The environment by which it is found.
    environment: Vec<(&'static str, String)>,
    store: &'static str,
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

impl Cloud {
    fn azurite() -> Option<Self> {
        let program = in_target("azurite/node_modules/.bin/azurite-blob", "azurite")?;
        let port = free_port();
        let port_text = port.to_string();
        let mut command = Command::new(program);
        command.args([
            "--inMemoryPersistence",
            "--silent",
            "--disableTelemetry",
            "--skipApiVersionCheck",
        ]);
        command.args(["--blobHost", "127.0.0.1", "--blobPort", &port_text]);
        let (child, line, front) = started(command, port);
        let direct = format!("http://127.0.0.1:{port}");
        let made = Command::new("python3")
            .args(["-c", CONTAINER, &direct, ACCOUNT, "revisions"])
            .status();
        assert!(made.unwrap().success());
        Some(Self {
            child,
            line,
            environment: vec![
                ("AZURE_STORAGE_USE_EMULATOR", "true".to_owned()),
                (
                    "AZURITE_BLOB_STORAGE_URL",
                    format!("http://127.0.0.1:{front}"),
                ),
                ("AZURE_ALLOW_HTTP", "true".to_owned()),
            ],
            store: "az://devstoreaccount1/revisions/contoso",
        })
    }

    fn moto() -> Option<Self> {
        let program = python("moto", "moto")?;
        let port = free_port();
        let port_text = port.to_string();
        let mut command = Command::new(program);
        command.args(["-c", MOTO, &port_text]);
        let (child, line, front) = started(command, port);
        let made = ureq::put(format!("http://127.0.0.1:{port}/revisions"))
            .send_empty()
            .unwrap();
        assert_eq!(made.status(), 200);
        Some(Self {
            child,
            line,
            environment: vec![
                ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{front}")),
                ("AWS_ALLOW_HTTP", "true".to_owned()),
                ("AWS_ACCESS_KEY_ID", "test".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
                ("AWS_REGION", "us-east-1".to_owned()),
            ],
            store: "s3://revisions/contoso",
        })
    }

    fn make(&self, line: Line) {
        let index = LINES.iter().position(|of| *of == line).unwrap();
        self.line
            .store(u8::try_from(index).unwrap(), Ordering::SeqCst);
    }

    fn run(&self, fleet: &Fleet, arguments: &[&str]) -> std::process::Output {
        let mut command = program(fleet, arguments);
        command
            .env("TARBAC_STORE", self.store)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.output().unwrap()
    }

    fn publish(&self, fleet: &Fleet, arguments: &[&str]) {
        let output = self.run(fleet, &[&["-C", "w", "publish"], arguments].concat());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn replica(&self, fleet: &Fleet, arguments: &[&str]) -> Server {
        let serve = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--drain",
            "0s",
            "--poll",
            "200ms",
            "--max-staleness",
            "2s",
        ];
        let mut command = program(fleet, &[&serve, arguments].concat());
        command
            .env("TARBAC_STORE", self.store)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        Server::run(command, 1)
    }
}

/// A server behind a line, once it answers: the process, the line, and the port before the line.
fn started(mut command: Command, port: u16) -> (Child, Arc<AtomicU8>, u16) {
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < PATIENCE, "{command:?} does not answer");
        thread::sleep(Duration::from_millis(50));
    }
    let line = Arc::new(AtomicU8::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let front = listener.local_addr().unwrap().port();
    let of_line = Arc::clone(&line);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let line = Arc::clone(&of_line);
            thread::spawn(move || carried(client, port, &line));
        }
    });
    (child, line, front)
}

/// Carries a connection over a line, which may turn bad while it lasts.
fn carried(client: TcpStream, port: u16, line: &Arc<AtomicU8>) {
    let now = |line: &AtomicU8| LINES[usize::from(line.load(Ordering::SeqCst))];
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
        return;
    };
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    let of_requests = Arc::clone(line);
    thread::spawn(move || {
        let mut piece = [0; 16 * 1024];
        while let Ok(count) = from_client.read(&mut piece) {
            match now(&of_requests) {
                _ if count == 0 => break,
                Line::Away => break,
                Line::Broken => {
                    let answer =
                        "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    let _ = from_client.write_all(answer.as_bytes());
                    break;
                }
                Line::Slow => thread::sleep(Duration::from_millis(300)),
                Line::Good | Line::Cut => {}
            }
            if to_server.write_all(&piece[..count]).is_err() {
                break;
            }
        }
        let _ = from_client.shutdown(Shutdown::Both);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let (mut from_server, mut to_client) = (server, client);
    let mut piece = [0; 16 * 1024];
    while let Ok(count) = from_server.read(&mut piece) {
        if count == 0 || now(line) == Line::Away {
            break;
        }
        if now(line) == Line::Cut {
            let _ = to_client.write_all(&piece[..count / 2]);
            break;
        }
        if to_client.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    let _ = to_client.shutdown(Shutdown::Both);
    let _ = from_server.shutdown(Shutdown::Both);
}

/// What holds of a folder holds of a cloud, and no fault of the line to it is more than a delay.
fn works(cloud: &Cloud) {
    let fleet = Fleet::new();
    cloud.publish(&fleet, &[]);
    let cache = fleet.workspace.path("cache");
    let cache = ["--cache", cache.to_str().unwrap()];
    let server = cloud.replica(&fleet, &cache);
    assert!(writes(&server));
    assert_eq!(number(&server), 1);
    let open = fleet.workspace.read("w/entities/records.json");
    for (round, line) in (2..).zip([Line::Slow, Line::Cut, Line::Broken, Line::Away]) {
        cloud.make(line);
        if line != Line::Slow {
            until("it is stale", &server, || {
                server.get("/readyz").status == 503
            });
            let output = cloud.run(&fleet, &["store", "status"]);
            assert_eq!(
                output.status.code(),
                Some(2),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        assert_eq!(
            (writes(&server), number(&server)),
            (round % 2 == 0, round - 1)
        );
        if line == Line::Away {
            break;
        }
        if line != Line::Slow {
            cloud.make(Line::Good);
        }
        let text = if round % 2 == 0 { ARCHIVED } else { &open };
        fleet.workspace.write("w/entities/records.json", text);
        cloud.publish(&fleet, &["--part", "entities"]);
        until("it is taken", &server, || number(&server) == round);
        until("it is ready", &server, || {
            server.get("/readyz").status == 200
        });
    }
    // The line is down: a start is from what was kept.
    drop(server);
    let kept = cloud.replica(&fleet, &cache);
    assert_eq!(number(&kept), 4);
    assert_eq!(kept.get("/readyz").status, 503);
    cloud.make(Line::Good);
    until("it is ready", &kept, || kept.get("/readyz").status == 200);
    let output = cloud.run(&fleet, &["store", "prune", "--keep", "1"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let output = cloud.run(&fleet, &["store", "log", "--format", "json"]);
    let log: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(log["revisions"].as_array().unwrap().len(), 1);
}

/// Publishers of two parts at once.
fn never_undoes(cloud: &Cloud) {
    let fleet = Fleet::new();
    cloud.publish(&fleet, &[]);
    let before = cloud.run(&fleet, &["store", "log", "--format", "json"]);
    let before: serde_json::Value = serde_json::from_slice(&before.stdout).unwrap();
    let first = before["revisions"][0]["number"].as_u64().unwrap();
    let folders: Vec<Fleet> = (0..4).map(|_| Fleet::new()).collect();
    thread::scope(|scope| {
        for (index, own) in folders.iter().enumerate() {
            scope.spawn(move || {
                let part = if index % 2 == 0 {
                    "policies"
                } else {
                    "entities"
                };
                let policy = format!(
                    "@id(\"p{index}\")\npermit (principal, action == Action::\"read\", resource);\n"
                );
                own.workspace
                    .write(&format!("w/policies/p{index}.cedar"), policy);
                if index % 2 == 1 {
                    own.workspace.write(
                        "w/entities/records.json",
                        ARCHIVED.replace("alice", &format!("alice{index}")),
                    );
                }
                cloud.publish(own, &["--part", part]);
            });
        }
    });
    let after = cloud.run(&fleet, &["store", "log", "--format", "json"]);
    let after: serde_json::Value = serde_json::from_slice(&after.stdout).unwrap();
    let numbers = after["revisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["number"].as_u64().unwrap());
    let numbers: Vec<u64> = numbers.take(5).collect();
    assert_eq!(numbers, (first..first + 5).rev().collect::<Vec<u64>>());
}

/// All at once: most of it is waiting for a line.
#[test]
fn azurite_and_moto_are_stores() {
    thread::scope(|scope| {
        for started in [Cloud::azurite, Cloud::moto] {
            for holds in [never_undoes, works] {
                scope.spawn(move || started().as_ref().map(holds));
            }
        }
    });
}
