//! tarbac beside plain Cedar, in one run: the cost of a decision, of loading, and of a whole
//! process, each as a ratio.
//!
//! `cargo bench` prints the tables, `cargo bench -- NAME` one of `roles`, `devices`,
//! `loading`, `requests`, `process`, `suites` and `mutants`; `cargo bench -- --test` only checks that they can be made, on
//! small sizes. The comparisons of whole processes need the `cedar` command line on the PATH
//! (`cargo install cedar-policy-cli`) and are left out without it.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, writes files, and has failed if it cannot measure"
)]

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use cedar_policy::{Authorizer, Context, Entities, EntityUid, PolicySet, Request as CedarRequest};
use tarbac::cedar_run_tests::{self, Expectation};
use tarbac::decision::Request;
use tarbac::{Engine, Layout, Switches, Workspace, shipped};

#[path = "support/memory.rs"]
mod memory;
#[path = "support/plain.rs"]
mod plain;
#[path = "support/tenant.rs"]
mod tenant;

use tenant::Tenant;

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
    if wants("roles") {
        decisions_by_roles(if smoke {
            &[10]
        } else {
            &[10, 100, 1_000, 10_000]
        });
    }
    let sizes: &[u32] = if smoke {
        &[1_000]
    } else {
        &[1_000, 10_000, 100_000, 1_000_000]
    };
    if wants("devices") {
        decisions_by_devices(sizes);
    }
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
            &Layout::of(self.folder.path(), shipped::rules()),
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

/// The time of one decision of tarbac and one of plain Cedar, in microseconds: medians of turns
/// that alternate, so that both meet the same machine.
fn decide(
    engine: &Engine,
    requests: &[Request],
    plain: Option<(&PolicySet, &Entities)>,
) -> (f64, Option<f64>) {
    let authorizer = Authorizer::new();
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for turn in requests.chunks(500) {
        let start = Instant::now();
        for request in turn {
            black_box(engine.decide(request));
        }
        ours.push(start.elapsed().as_secs_f64() * 1e6 / turn.len() as f64);
        if let Some((policies, entities)) = plain {
            let turn: Vec<CedarRequest> = turn.iter().take(10).map(plain::request).collect();
            let start = Instant::now();
            for request in &turn {
                black_box(authorizer.is_authorized(request, policies, entities));
            }
            theirs.push(start.elapsed().as_secs_f64() * 1e6 / turn.len() as f64);
        }
    }
    (median(ours), plain.map(|_| median(theirs)))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn decisions_by_roles(sizes: &[u32]) {
    println!("\nOne decision, 1,000 devices, by number of custom roles\n");
    println!("| custom roles | tarbac, µs | to the first | plain Cedar, µs | Cedar / tarbac |");
    println!("|---:|---:|---:|---:|---:|");
    let mut first = None;
    for &roles in sizes {
        let sample = Sample::new(Tenant {
            devices: 1_000,
            people: 20_000,
            roles,
            ..Tenant::default()
        });
        let engine = sample.engine();
        let (policies, entities) = (plain::policies(&engine), sample.plain_entities());
        let requests = sample.requests(&engine);
        let (ours, theirs) = decide(&engine, &requests, Some((&policies, &entities)));
        let theirs = theirs.unwrap();
        let first = *first.get_or_insert(ours);
        println!(
            "| {roles} | {ours:.1} | {:.2} | {theirs:.0} | {:.0} |",
            ours / first,
            theirs / ours
        );
    }
}

/// Who may, and what somebody may, beside asking about each.
fn decisions_by_devices(sizes: &[u32]) {
    println!("\nOne decision, 10 custom roles, by number of devices\n");
    println!("| devices | tarbac, µs | to the first |");
    println!("|---:|---:|---:|");
    let mut first = None;
    for &devices in sizes {
        let sample = Sample::new(Tenant {
            devices,
            people: 20_000,
            roles: 10,
            ..Tenant::default()
        });
        let engine = sample.engine();
        let (ours, _) = decide(&engine, &sample.requests(&engine), None);
        let first = *first.get_or_insert(ours);
        println!("| {devices} | {ours:.1} | {:.2} |", ours / first);
    }
}

/// Loads the entities of a folder and prints seconds and peak memory.
fn load_and_report(folder: &Path) {
    let start = Instant::now();
    let workspace =
        Workspace::load(&Layout::of(folder, shipped::rules()), &Switches::default()).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    black_box(&workspace);
    println!("{seconds} {}", memory::peak().unwrap_or(f64::NAN));
}

fn loading(sizes: &[u32]) {
    println!("\nLoading a workspace, a tenth as many people as devices, from JSON\n");
    println!("| devices | tarbac, s | peak, MiB | plain Cedar, s | Cedar / tarbac |");
    println!("|---:|---:|---:|---:|---:|");
    for &devices in sizes {
        let tenant = Tenant {
            devices,
            people: devices / 10,
            administrators: 300.min(devices / 100),
            ..Tenant::large()
        };
        let sample = Sample::new(tenant);
        let output = Command::new(std::env::current_exe().unwrap())
            .arg("load")
            .arg(sample.folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (seconds, memory) = text.trim().split_once(' ').unwrap();
        let seconds: f64 = seconds.parse().unwrap();
        let memory: f64 = memory.parse().unwrap();
        // Plain Cedar takes most of a minute and several gigabytes for a million.
        if devices > 100_000 {
            println!("| {devices} | {seconds:.2} | {memory:.0} | | |");
            continue;
        }
        let start = Instant::now();
        black_box(sample.plain_files());
        let theirs = start.elapsed().as_secs_f64();
        println!(
            "| {devices} | {seconds:.2} | {memory:.0} | {theirs:.2} | {:.0} |",
            theirs / seconds
        );
    }
}

/// `tarbac check` on the sample tenant beside `cedar authorize` on the same files, joined into one
/// as it takes them.
fn whole_process(turns: usize) {
    println!("\nA whole process that decides one request on tests/contoso\n");
    if !cedar_is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = Workspace::load(
        &Layout::of("tests/contoso", shipped::rules()),
        &Switches::default(),
    )
    .unwrap()
    .engine;
    let policies = cedar_run_tests::policies_in_force(engine.bundle(), engine.readings());
    fs::write(folder.path().join("policies.cedar"), policies).unwrap();
    fs::write(folder.path().join("schema.cedarschema"), shipped_schema()).unwrap();
    let mut entities: Vec<serde_json::Value> = Vec::new();
    for file in fs::read_dir("tests/contoso/entities").unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        entities.extend(serde_json::from_str::<Vec<serde_json::Value>>(&text).unwrap());
    }
    fs::write(
        folder.path().join("entities.json"),
        serde_json::to_string(&entities).unwrap(),
    )
    .unwrap();
    let (user, device) = ("00000000-0000-4000-8000-0000000000a1", "TST-16777220");
    let mut ours = Command::new(env!("CARGO_BIN_EXE_tarbac"));
    ours.args(["-C", "tests/contoso", "check", user, "viewTimeline", device]);
    let mut theirs = Command::new("cedar");
    theirs
        .current_dir(folder.path())
        .args(["authorize", "--policies", "policies.cedar"]);
    theirs.args([
        "--schema",
        "schema.cedarschema",
        "--entities",
        "entities.json",
    ]);
    theirs.args(["--principal", &format!("Entra::User::\"{user}\"")]);
    theirs.args(["--action", "Intune::Action::\"viewTimeline\""]);
    theirs.args(["--resource", &format!("ConfigMgr::Device::\"{device}\"")]);
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..turns {
        times.0.push(run(&mut ours).as_secs_f64() * 1e3);
        times.1.push(run(&mut theirs).as_secs_f64() * 1e3);
    }
    let (ours, theirs) = (median(times.0), median(times.1));
    println!("| tarbac check, ms | cedar authorize, ms | cedar / tarbac |");
    println!("|---:|---:|---:|");
    println!("| {ours:.1} | {theirs:.1} | {:.2} |", theirs / ours);
}

/// What `tarbac check --requests` answers in a second, by what is asked of it and on how many processors.
fn requests(count: usize) {
    println!("\n`tarbac check --requests`, {count} lines, 1,000 devices and 10,000 people\n");
    let sample = Sample::new(small_tenant(10));
    let some = sample.requests(&sample.engine());
    let lines = some.iter().cycle().take(count).map(|request| {
        let [principal, action, resource] =
            [&request.principal, &request.action, &request.resource]
                .map(|uid| uid.id().unescaped());
        let line =
            serde_json::json!({"principal": principal, "action": action, "resource": resource});
        format!("{line}\n")
    });
    let file = sample.folder.path().join("requests.ndjson");
    fs::write(&file, lines.collect::<String>()).unwrap();
    let none = sample.folder.path().join("none.ndjson");
    fs::write(&none, "").unwrap();
    let seconds = |file: &Path, answer: &str, jobs: usize| {
        let mut ours = Command::new(env!("CARGO_BIN_EXE_tarbac"));
        ours.arg("-C").arg(sample.folder.path()).arg("check");
        ours.arg("--requests").arg(file);
        ours.args(["--answer", answer, "--jobs", &jobs.to_string()]);
        median((0..5).map(|_| run(&mut ours).as_secs_f64()).collect())
    };
    let processors = std::thread::available_parallelism().unwrap().get();
    let loading = seconds(&none, "full", 1);
    let mut first = None;
    println!("| answer | jobs | requests a second | to the first |");
    println!("|---|---:|---:|---:|");
    for answer in ["full", "decision"] {
        for jobs in BTreeSet::from([1, processors]) {
            let rate = count as f64 / (seconds(&file, answer, jobs) - loading);
            let ratio = rate / *first.get_or_insert(rate);
            println!("| {answer} | {jobs} | {rate:.0} | {ratio:.1} |");
        }
    }
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

/// `tarbac test --cedar` beside `cedar run-tests` on one file of tests, which need no directory.
fn suites(policies: usize, tests: usize, turns: usize) {
    println!("\nA whole process that runs {tests} tests of one file against {policies} policies\n");
    if !cedar_is_there() {
        return;
    }
    let shipped = Sample::new(small_tenant(0)).engine();
    let shipped = shipped.bundle().in_force(shipped.readings()).count();
    let sample = Sample::new(small_tenant((policies - shipped) as u32));
    let engine = sample.engine();
    let requests = sample.requests(&engine);
    let document = document(&engine, requests.iter().take(tests));
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir_all(folder.path().join("policies/custom")).unwrap();
    write("policies/custom/roles.cedar", &sample.tenant.policies());
    let in_force = cedar_run_tests::policies_in_force(engine.bundle(), engine.readings());
    write("policies.cedar", &in_force);
    write("schema.cedarschema", &shipped_schema());
    write("tests.json", &document);

    let path = |name: &str| folder.path().join(name);
    let mut ours = Command::new(env!("CARGO_BIN_EXE_tarbac"));
    ours.arg("-C").arg(folder.path()).args(["test", "--cedar"]);
    ours.arg(path("tests.json"));
    let theirs = || {
        let mut command = Command::new("cedar");
        command.arg("run-tests");
        command.arg("--policies").arg(path("policies.cedar"));
        command.arg("--tests").arg(path("tests.json"));
        command
    };
    // The same requests as cases of a suite, decided in the directory that they are about.
    fs::create_dir_all(sample.folder.path().join("tests")).unwrap();
    fs::write(
        sample.folder.path().join("tests/many.yaml"),
        suite(&engine, requests.iter().take(tests)),
    )
    .unwrap();
    let mut suite = Command::new(env!("CARGO_BIN_EXE_tarbac"));
    suite.arg("-C").arg(sample.folder.path()).arg("test");
    let mut without = theirs();
    let mut with = theirs();
    with.arg("--schema").arg(path("schema.cedarschema"));
    let mut times = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..turns {
        times.0.push(run(&mut ours).as_secs_f64());
        times.1.push(run(&mut without).as_secs_f64());
        times.2.push(run(&mut suite).as_secs_f64());
    }
    // Once is enough: it takes that long because it validates all policies for each test.
    let with = run(&mut with).as_secs_f64();
    let (ours, without, suite) = (median(times.0), median(times.1), median(times.2));
    println!("| program | seconds | to tarbac |");
    println!("|---|---:|---:|");
    println!("| tarbac test --cedar | {ours:.3} | 1 |");
    println!(
        "| tarbac test, a suite | {suite:.3} | {:.1} |",
        suite / ours
    );
    println!("| cedar run-tests | {without:.3} | {:.1} |", without / ours);
    println!(
        "| cedar run-tests --schema | {with:.3} | {:.1} |",
        with / ours
    );
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

/// A suite with a case for each request.
fn suite<'r>(engine: &Engine, requests: impl Iterator<Item = &'r Request>) -> String {
    let mut text = String::from("suite: Many\ncases:\n");
    for (number, request) in (1..).zip(requests) {
        let outcome = engine.decide(request);
        text += &format!(
            "  - name: Case {number}\n    principal: {}\n    action: {}\n    resource: {}\n    expect: {}\n    because: [{}]\n",
            request.principal.id().unescaped(),
            request.action.id().unescaped(),
            request.resource.id().unescaped(),
            outcome.decision.word(),
            outcome.policies.join(", "),
        );
    }
    text
}

/// The mutants of the shipped policies under the suites of the sample tenant.
fn mutants() {
    println!(
        "\nThe shipped policies, changed one way at a time, under the suites of tests/contoso\n"
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_tarbac"));
    command.args([
        "-C",
        "tests/contoso",
        "test",
        "--shipped",
        "--mutate",
        "--format",
        "json",
    ]);
    let start = Instant::now();
    let output = command.output().unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    println!("| mutants | seconds |");
    println!("|---:|---:|");
    let mutants = json.pointer("/mutants/mutants").unwrap();
    println!("| {mutants} | {seconds:.1} |");
}

/// A file of tests, each with what its request can reach and everything above that.
fn document<'r>(engine: &Engine, requests: impl Iterator<Item = &'r Request>) -> String {
    let mut tests: Vec<serde_json::Value> = Vec::new();
    for (number, request) in (1..).zip(requests) {
        let outcome = engine.decide(request);
        let expectation = Expectation {
            engine,
            name: &format!("case {number}"),
            request,
            decision: outcome.decision,
            policies: &outcome.policies,
        };
        let written = cedar_run_tests::write(&[expectation]);
        assert!(written.skipped.is_empty(), "{:?}", written.skipped);
        let mut test: serde_json::Value = serde_json::from_str(&written.document).unwrap();
        let above = entities_above(engine, request);
        let test = test.get_mut(0).unwrap();
        test.get_mut("entities")
            .and_then(serde_json::Value::as_array_mut)
            .unwrap()
            .extend(above);
        tests.push(test.take());
    }
    let entities: usize = tests
        .iter()
        .filter_map(|test| test.get("entities")?.as_array())
        .map(Vec::len)
        .sum();
    println!(
        "{} tests with {:.1} entities each, on average\n",
        tests.len(),
        entities as f64 / tests.len() as f64
    );
    serde_json::to_string_pretty(&tests).unwrap()
}

fn entities_above(engine: &Engine, request: &Request) -> Vec<serde_json::Value> {
    let directory = engine.directory();
    let rows: BTreeSet<tarbac::directory::Row> = [&request.principal, &request.resource]
        .into_iter()
        .filter_map(|uid| directory.row(uid))
        .flat_map(|row| directory.ancestors(row))
        .filter(|row| directory.is_defined(*row))
        .collect();
    rows.into_iter()
        // The tenant is there already: the principal's attributes lead to it.
        .filter(|row| directory.uid(*row).type_name().basename() != "Tenant")
        .map(|row| directory.entity(row).to_json_value().unwrap())
        .collect()
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
