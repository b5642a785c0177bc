//! Collections: what a server answers from a folder of exports imports as that folder does.

mod faults;
mod law;
mod program;
mod pseudonym;
mod refusals;
pub mod script;
#[path = "../../benches/support/service.rs"]
mod service;
mod sign_in;
mod stand_ins;
mod windows;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tarbac::collect::{
    CollectError, CollectSettings, Secret, SignInError, SiteSettings, SiteSignIn, TokenSource,
    Waits, collect,
};
use tarbac::exports::catalog::CLOUDS;
use tarbac::exports::{Collected, Exports};
use tarbac::import::import;

use service::Service;

/// Tokens one after the other; the last one stays.
struct Given(Mutex<Vec<&'static str>>);

impl Given {
    fn new(tokens: &[&'static str]) -> Arc<Self> {
        let tokens = tokens.iter().rev().copied().collect();
        Arc::new(Self(Mutex::new(tokens)))
    }
}

impl TokenSource for Given {
    fn token(&self) -> Result<Secret, SignInError> {
        let mut tokens = self.0.lock().unwrap();
        let token = match tokens.as_slice() {
            [token] => token,
            _ => tokens.pop().unwrap(),
        };
        Ok(Secret::new(token))
    }
}

/// The settings of a collection from a server, into a folder; nobody waits.
fn settings(base: &str, sites: &[&str], out: &Path) -> CollectSettings {
    let token = Given::new(&["the-token"]);
    CollectSettings {
        out: out.to_owned(),
        program: "tarbac 0".to_owned(),
        cloud: CLOUDS[0],
        graph: Some(base.to_owned()),
        graph_token: Some(token.clone()),
        sites: sites
            .iter()
            .map(|code| SiteSettings {
                code: (*code).to_owned(),
                url: format!("{base}/{code}"),
                sign_in: SiteSignIn::Token(token.clone()),
            })
            .collect(),
        authorities: None,
        has_all_groups: false,
        is_resumed: false,
        jobs: 4,
        rows_of_page: 5,
        waits: Waits {
            silence: Duration::from_secs(10),
            answer: Duration::from_secs(10),
            times: 3,
            pause: Arc::new(|_| {}),
            ..Waits::default()
        },
        progress: Arc::new(|_| {}),
    }
}

/// The files of the workspace that a folder of exports makes, and the notes of the import.
fn imported(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = Exports::new(folder, |file| {
        Box::new(file) as Box<dyn std::io::Read + Send>
    });
    let now = tarbac::exports::moment("2026-11-23T08:00:00Z").unwrap();
    let imported = import(&files, &crate::import::shipped_engine(), now).unwrap();
    crate::import::written(&imported)
}

/// What a person puts beside what is collected.
fn declare(from: &Path, out: &Path) {
    std::fs::create_dir_all(out).unwrap();
    for file in ["tenant.json", "devices.csv"] {
        if from.join(file).exists() {
            std::fs::copy(from.join(file), out.join(file)).unwrap();
        }
    }
}

/// Collects everything from a server.
fn collected(settings: &CollectSettings) -> Result<Collected, CollectError> {
    collect(settings)
}

/// The exports of a tenant of this repository.
fn exports(tenant: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/exports")
        .join(tenant)
}

fn serve(tenant: &str) -> Service {
    Service::new(&exports(tenant))
}
