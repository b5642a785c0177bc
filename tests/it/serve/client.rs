//! A server that runs for a test, and a client that asks it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

use crate::tarbac::{command, contoso_folder};

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub struct Server {
    child: Child,
    /// The addresses in the order of the listeners, as `127.0.0.1:port`.
    pub addresses: Vec<String>,
    log: Arc<Mutex<String>>,
    agent: Agent,
}

/// What a server answers.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        let kind = self.header("content-type");
        assert_eq!(kind, "application/json", "{self:?}");
        serde_json::from_str(&self.text).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The decision, which a good answer has.
    pub fn decision(&self) -> bool {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["decision"].as_bool().unwrap()
    }
}

impl Server {
    /// Serves a workspace on a free port.
    pub fn of(folder: &Path) -> Self {
        Self::with(folder, &[])
    }

    /// The same with further arguments.
    pub fn with(folder: &Path, arguments: &[&str]) -> Self {
        Self::listening(
            folder,
            &[&["--listen", "127.0.0.1:0"], arguments].concat(),
            1,
        )
    }

    /// A server with so many listeners.
    pub fn listening(folder: &Path, arguments: &[&str], listeners: usize) -> Self {
        let is_drained = arguments.contains(&"--drain");
        let drain: &[&str] = if is_drained { &[] } else { &["--drain", "0s"] };
        let mut command = command(folder);
        command.arg("serve").args(drain).args(arguments);
        Self::run(command, listeners)
    }

    /// A command that serves, once it listens on so many addresses.
    pub fn run(mut command: Command, listeners: usize) -> Self {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                *kept.lock().unwrap() += &format!("{line}\n");
                let _ = sender.send(line);
            }
        });
        let mut server = Self {
            child,
            addresses: Vec::new(),
            log,
            agent: agent(),
        };
        for _ in 0..listeners {
            let address = server.address(&lines);
            server.addresses.push(address);
        }
        server
    }

    fn address(&self, lines: &Receiver<String>) -> String {
        loop {
            let Ok(line) = lines.recv_timeout(PATIENCE) else {
                panic!("the server does not listen:\n{}", self.log());
            };
            let line = line.replace("\"https://", "\"http://");
            if let Some((_, after)) = line.split_once("address=\"http://") {
                return after.split('"').next().unwrap().to_owned();
            }
            if let Some((_, after)) = line.split_once("address=\"unix:") {
                return after.split('"').next().unwrap().to_owned();
            }
        }
    }

    /// What the server has written to standard error.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addresses[0])
    }

    /// Asks with JSON.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_text(path, &body.to_string(), &[])
    }

    /// Asks with JSON as it stands, and further headers.
    pub fn post_text(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Reply {
        let json = ("content-type", "application/json");
        self.send("POST", path, body.as_bytes(), &[&[json], headers].concat())
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, b"", &[])
    }

    /// Asks in any way.
    pub fn send(&self, method: &str, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = match body {
            b"" if method != "POST" => self.agent.run(request.body(()).unwrap()),
            body => self.agent.run(request.body(body).unwrap()),
        };
        let mut response = response.unwrap();
        Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.body_mut().read_to_string().unwrap(),
        }
    }

    /// Asks one evaluation.
    pub fn evaluate(&self, body: &Value) -> Reply {
        self.post("/access/v1/evaluation", body)
    }

    /// Sends bytes, and returns what comes until the server closes the connection.
    pub fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.addresses[0]).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells the server to stop, and waits until it has; its exit status.
    #[cfg(unix)]
    pub fn stop(mut self) -> i32 {
        self.signal("TERM");
        self.child.wait().unwrap().code().unwrap()
    }

    /// Sends the server a signal.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that takes every status as an answer.
fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(0)
        .timeout_global(Some(PATIENCE))
        .build();
    Agent::new_with_config(config)
}

/// The sample tenant.
pub fn contoso() -> Server {
    Server::of(&contoso_folder())
}

/// The records of the certification.
pub fn records() -> Server {
    Server::of(&records_folder())
}

pub fn records_folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certification")
}

/// A request of the sample tenant.
pub fn asked(person: &str, action: &str, device: &str) -> Value {
    serde_json::json!({
        "subject": { "type": "user", "id": person },
        "action": { "name": action },
        "resource": { "type": "device", "id": device },
    })
}
