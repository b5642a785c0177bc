//! The cost of suites and of mutants.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use std::collections::BTreeSet;
use tarbac::Engine;
use tarbac::cedar_run_tests::{self, Expectation};
use tarbac::decision::Request;
use tempfile::TempDir;

use super::{Sample, cedar_is_there, median, run, shipped_schema, small_tenant};

/// One file of tests for both programs, and the same requests as the cases of a suite.
struct Prepared {
    folder: TempDir,
    sample: Sample,
}

impl Prepared {
    fn new(policies: usize, tests: usize) -> Self {
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
        // Decided in the directory that they are about.
        fs::create_dir_all(sample.folder.path().join("tests")).unwrap();
        let suite = suite(&engine, requests.iter().take(tests));
        fs::write(sample.folder.path().join("tests/many.yaml"), suite).unwrap();
        Self { folder, sample }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ours(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tarbac"));
        command.arg("-C").arg(self.folder.path());
        command
            .args(["test", "--cedar"])
            .arg(self.path("tests.json"));
        command
    }

    fn suite(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tarbac"));
        command.arg("-C").arg(self.sample.folder.path()).arg("test");
        command
    }

    fn theirs(&self) -> Command {
        let mut command = Command::new("cedar");
        command.arg("run-tests");
        command.arg("--policies").arg(self.path("policies.cedar"));
        command.arg("--tests").arg(self.path("tests.json"));
        command
    }
}

/// `tarbac test --cedar` beside `cedar run-tests` on one file of tests, which need no directory.
pub(super) fn suites(policies: usize, tests: usize, turns: usize) {
    println!("\nA whole process that runs {tests} tests of one file against {policies} policies\n");
    if !cedar_is_there() {
        return;
    }
    let prepared = Prepared::new(policies, tests);
    let mut times = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..turns {
        times.0.push(run(&mut prepared.ours()).as_secs_f64());
        times.1.push(run(&mut prepared.theirs()).as_secs_f64());
        times.2.push(run(&mut prepared.suite()).as_secs_f64());
    }
    // Once is enough: it takes that long because it validates all policies for each test.
    let mut with = prepared.theirs();
    with.arg("--schema")
        .arg(prepared.path("schema.cedarschema"));
    let with = run(&mut with).as_secs_f64();
    let (ours, without, suite) = (median(times.0), median(times.1), median(times.2));
    println!("| program | seconds | to tarbac |");
    println!("|---|---:|---:|");
    println!("| tarbac test --cedar | {ours:.3} | 1 |");
    for (program, seconds) in [
        ("tarbac test, a suite", suite),
        ("cedar run-tests", without),
        ("cedar run-tests --schema", with),
    ] {
        println!("| {program} | {seconds:.3} | {:.1} |", seconds / ours);
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
pub(super) fn mutants() {
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
