//! tarbac beside plain Cedar, in one run: the cost of a decision, of loading, and of a whole
//! process, each as a ratio.
//!
//! `cargo bench` prints the tables, `cargo bench -- NAME` one of `decisions`, `granted`, `roles`,
//! `loading`, `requests`, `process`, `suites` and `mutants`; `cargo bench -- --test` only checks that they can be made, on
//! small sizes. The comparisons of whole processes need the `cedar` command line on the PATH
//! (`cargo install cedar-policy-cli`) and are left out without it.

#![warn(clippy::too_many_lines)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, writes files, and has failed if it cannot measure"
)]

mod decisions;
#[path = "../support/memory.rs"]
mod memory;
#[path = "../support/plain.rs"]
mod plain;
mod process;
mod suites;
#[path = "../support/tenant.rs"]
mod tenant;

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use cedar_policy::{Context, Entities, EntityUid};
use tarbac::decision::Request;
use tarbac::{Engine, Layout, Switches, Workspace, shipped};
use tenant::Tenant;

use decisions::{decisions, granted};
use process::{load_and_report, loading, loading_roles, requests, whole_process};
use suites::{mutants, suites};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // The memory of a load is that of a process of its own.
    if let [_, "load", folder] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return load_and_report(Path::new(folder));
    }
    let smoke = arguments.iter().any(|argument| argument == "--test");
    let named: Vec<&String> = arguments
        .iter()
        .skip(1)
        .filter(|name| !name.starts_with("--"))
        .collect();
    let wants = |name: &str| named.is_empty() || named.iter().any(|wanted| *wanted == name);
    if wants("decisions") {
        decisions(match smoke {
            true => &[(10, 1_000, 1_000)],
            false => &[
                (10, 1_000, 1_000),
                (1_000, 1_000, 1_000),
                (10_000, 1_000, 1_000),
                (10, 100_000, 100_000),
                (1_000, 100_000, 1_000_000),
                (10_000, 100_000, 1_000_000),
            ],
        });
    }
    if wants("granted") {
        granted(match smoke {
            true => &[50],
            false => &[50, 500, 2_000, 5_000],
        });
    }
    if wants("roles") {
        loading_roles(match smoke {
            true => &[10],
            false => &[100, 1_000, 10_000, 50_000],
        });
    }
    let sizes: &[u32] = if smoke {
        &[1_000]
    } else {
        &[1_000, 10_000, 100_000, 1_000_000]
    };
    if wants("loading") {
        loading(sizes);
    }
    if wants("requests") {
        requests(if smoke { 100 } else { 50_000 });
    }
    if wants("process") {
        whole_process(if smoke { 1 } else { 40 });
    }
    if wants("suites") {
        match smoke {
            true => suites(60, 20, 1),
            false => suites(504, 2_000, 7),
        }
    }
    if wants("mutants") && !smoke {
        mutants();
    }
}

/// A workspace in a temporary folder.
struct Sample {
    folder: tempfile::TempDir,
    tenant: Tenant,
}

impl Sample {
    fn new(tenant: Tenant) -> Self {
        let folder = tempfile::tempdir().unwrap();
        tenant.write(folder.path());
        Self { folder, tenant }
    }

    fn engine(&self) -> Engine {
        Workspace::load(
            &Layout::new(self.folder.path(), shipped::rules()),
            &Switches::default(),
        )
        .unwrap()
        .engine
    }

    /// Requests by people with roles on devices anywhere, the same each time.
    fn requests(&self, engine: &Engine) -> Vec<Request> {
        let actions: Vec<EntityUid> = engine
            .bundle()
            .vocabulary()
            .permissions()
            .filter(|action| action.id() != "updateRoles")
            .map(|action| action.uid.clone())
            .collect();
        (0..5_000_u32)
            .map(|number| {
                // Every fiftieth person has a role; a multiplicative hash spreads the devices.
                let person = number.wrapping_mul(7) % (self.tenant.people / 50) * 50;
                let device = number.wrapping_mul(2_654_435_761) % self.tenant.devices;
                let action = actions.get(number as usize % actions.len()).unwrap();
                Request {
                    principal: uid("Entra::User", &tenant::person(person)),
                    action: action.clone(),
                    resource: uid("ConfigMgr::Device", &tenant::device(device)),
                    context: Context::empty(),
                }
            })
            .collect()
    }

    /// The entities of each file in plain Cedar, read with the schema, as ours are.
    fn plain_files(&self) -> Vec<Entities> {
        let schema = schema();
        ["base.json", "people.json", "devices.json"]
            .iter()
            .map(|file| {
                let path = self.folder.path().join("entities").join(file);
                let json = fs::read_to_string(path).unwrap();
                Entities::from_json_str(&json, Some(&schema)).unwrap()
            })
            .collect()
    }

    /// All entities in plain Cedar.
    fn plain_entities(&self) -> Entities {
        let actions: HashSet<EntityUid> = schema().actions().cloned().collect();
        let all = self
            .plain_files()
            .into_iter()
            .flatten()
            .filter(|entity| !actions.contains(&entity.uid()));
        let groups = schema().action_entities().unwrap();
        Entities::from_entities(all.chain(groups), None).unwrap()
    }
}

fn schema() -> cedar_policy::Schema {
    let fragments = tarbac::shipped::rules()
        .alone()
        .schema
        .iter()
        .map(|source| {
            cedar_policy::SchemaFragment::from_cedarschema_str(source.text())
                .unwrap()
                .0
        })
        .collect::<Vec<_>>();
    cedar_policy::Schema::from_schema_fragments(fragments).unwrap()
}

fn uid(type_name: &str, id: &str) -> EntityUid {
    EntityUid::from_str(&format!("{type_name}::\"{id}\"")).unwrap()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Says that a comparison is left out where there is no `cedar`.
fn cedar_is_there() -> bool {
    let found = Command::new("cedar")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok();
    if !found {
        println!("left out: no `cedar` on the PATH");
    }
    found
}

fn shipped_schema() -> String {
    let schema = tarbac::shipped::rules().alone().schema;
    let texts: Vec<&str> = schema.iter().map(|source| source.text()).collect();
    texts.join("\n")
}

fn small_tenant(roles: u32) -> Tenant {
    Tenant {
        people: 10_000,
        devices: 1_000,
        collections: 40,
        memberships: 2,
        roles,
        ..Tenant::default()
    }
}

fn run(command: &mut Command) -> Duration {
    let start = Instant::now();
    let output = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    start.elapsed()
}
