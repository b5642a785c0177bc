//! The cost of whole processes: one request, a stream of requests, and loading.

use std::collections::BTreeSet;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;
use std::time::Instant;

use cedar_policy::PolicySet;
use tarbac::cedar_run_tests;
use tarbac::{Layout, Switches, Workspace, shipped};

use super::memory;
use super::tenant::Tenant;
use super::{Sample, cedar_is_there, median, run, shipped_schema, small_tenant};

/// Loads the entities of a folder and prints seconds and peak memory.
pub(super) fn load_and_report(folder: &Path) {
    let start = Instant::now();
    let workspace =
        Workspace::load(&Layout::new(folder, shipped::rules()), &Switches::default()).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    black_box(&workspace);
    println!("{seconds} {}", memory::peak().unwrap_or(f64::NAN));
}

pub(super) fn loading(sizes: &[u32]) {
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

/// By the number of custom roles, beside Cedar's parser on the same policies, which is on one processor.
pub(super) fn loading_roles(sizes: &[u32]) {
    println!("\nLoading a workspace of 1,000 people and devices, by the number of custom roles\n");
    println!("| custom roles | tarbac, s | Cedar's parser, s | beyond it, s | ms a role |");
    println!("|---:|---:|---:|---:|---:|");
    for &roles in sizes {
        let sample = Sample::new(Tenant {
            people: 1_000,
            devices: 1_000,
            roles,
            ..Tenant::default()
        });
        let start = Instant::now();
        black_box(sample.engine());
        let ours = start.elapsed().as_secs_f64();
        let text = sample.tenant.policies();
        let start = Instant::now();
        black_box(PolicySet::from_str(&text).unwrap());
        let theirs = start.elapsed().as_secs_f64();
        println!(
            "| {roles} | {ours:.2} | {theirs:.2} | {:.2} | {:.2} |",
            ours - theirs,
            ours * 1e3 / f64::from(roles)
        );
    }
}

/// `tarbac check` on the sample tenant beside `cedar authorize` on the same files, joined into one
/// as it takes them.
pub(super) fn whole_process(turns: usize) {
    println!("\nA whole process that decides one request on tests/contoso\n");
    if !cedar_is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = Workspace::load(
        &Layout::new("tests/contoso", shipped::rules()),
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
pub(super) fn requests(count: usize) {
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
