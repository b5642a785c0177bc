//! One store and many decision points: `tarbac publish`, `store` and `serve --store`.

mod analysis;
mod clouds;
mod page;
mod publishing;
mod replaying;
mod replicas;
mod workspaces;

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::serve::client::{PATIENCE, Server, records_folder};
use crate::tarbac::{Ran, Tarbac, command, copy};

/// A workspace of records with a store beside it.
pub(crate) struct Fleet {
    pub workspace: Tarbac,
}

/// People who may write `record-1`, by the file of entities.
pub(crate) const ARCHIVED: &str = r#"[{ "uid": { "type": "user", "id": "alice" }, "attrs": {}, "parents": [] },
 { "uid": { "type": "user", "id": "bob" }, "attrs": { "role": "admin" }, "parents": [] },
 { "uid": { "type": "record", "id": "record-1" }, "attrs": { "status": "archived" }, "parents": [] }]"#;

impl Fleet {
    pub fn new() -> Self {
        let workspace = Tarbac::with(&[]);
        for part in ["schema", "policies", "entities"] {
            copy(
                &records_folder().join(part),
                &workspace.path(&format!("w/{part}")),
            );
        }
        Self { workspace }
    }

    /// The URL of a store in the folder of the test.
    pub fn url(&self, name: &str) -> String {
        format!("file://{}", self.workspace.path(name).display())
    }

    pub fn publish(&self, arguments: &[&str]) -> Ran {
        let url = self.url("store");
        self.workspace
            .run(&[&["-C", "w", "publish", "--store", &url], arguments].concat())
    }

    /// The same, which has to go well.
    pub fn published(&self, arguments: &[&str]) -> Value {
        let ran = self.publish(&[arguments, &["--format", "json"]].concat());
        assert_eq!(ran.status, 0, "{ran}");
        serde_json::from_str(&ran.stdout).unwrap()
    }

    pub fn store(&self, arguments: &[&str]) -> Ran {
        let url = self.url("store");
        self.workspace
            .run(&[&["store"], arguments, &["--store", &url]].concat())
    }

    /// A decision point that follows the store.
    pub fn replica(&self, arguments: &[&str]) -> Server {
        self.follow(&self.url("store"), arguments)
    }

    pub fn follow(&self, url: &str, arguments: &[&str]) -> Server {
        let often = ["--store", url, "--poll", "100ms"];
        Server::with(
            self.workspace.path("").as_path(),
            &[&often, arguments].concat(),
        )
    }

    /// A run of `serve` that ends by itself.
    pub fn refused(&self, arguments: &[&str]) -> Ran {
        let url = self.url("store");
        let serve = ["serve", "--listen", "127.0.0.1:0", "--store", &url];
        self.workspace.run(&[&serve, arguments].concat())
    }
}

pub(crate) fn request(person: &str, action: &str, record: &str) -> Value {
    json!({
        "subject": { "type": "user", "id": person },
        "action": { "name": action },
        "resource": { "type": "record", "id": record },
    })
}

/// Whether alice may write the first record, which an archived one nobody may.
pub(crate) fn writes(server: &Server) -> bool {
    server
        .evaluate(&request("alice", "write", "record-1"))
        .decision()
}

/// The number that a server answers with.
pub(crate) fn number(server: &Server) -> u64 {
    let reply = server.get("/livez");
    let header = reply.header("tarbac-revision");
    header
        .split_once(";number=")
        .map_or(0, |(_, number)| number.parse().unwrap())
}

/// Waits until something holds.
pub(crate) fn until(what: &str, server: &Server, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}\n{}", server.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// The blobs of a store, by what they hold.
pub(crate) fn blobs(store: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let files = walkdir::WalkDir::new(store.join("blobs"))
        .into_iter()
        .map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            (
                entry.path().to_owned(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect()
}

/// A command in the folder of a fleet, to which an environment can be given.
pub(crate) fn program(fleet: &Fleet, arguments: &[&str]) -> std::process::Command {
    let mut command = command(&fleet.workspace.path(""));
    command.args(arguments);
    command
}
