//! Processor instructions of a decision, an answer, a start and a load, beside those in the repository.
//!
//! `cargo bench --bench instructions` counts them with `valgrind --tool=callgrind`, which has to be on the PATH, and
//! prints the difference to `benches/instructions/table.md`; `-- write` writes that table anew. Unlike times, the
//! counts are the same on a busy machine, but for a few in a thousand: hash tables have random seeds. `-- --test` only
//! checks that all of this runs, without valgrind.

#![warn(clippy::too_many_lines)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark starts programs, and has failed if it cannot measure"
)]

#[expect(dead_code, reason = "other benchmarks write more of the tenant")]
#[path = "../support/tenant.rs"]
mod tenant;

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use cedar_policy::{Context, EntityId, EntityTypeName, EntityUid};
use tarbac::bulk::decider::Decider;
use tarbac::decision::Request;
use tarbac::{Engine, Layout, Switches, Workspace, shipped};
use tenant::Tenant;

const SAMPLE: &str = "tests/contoso";
const TABLE: &str = "benches/instructions/table.md";

/// The requests of a round; their number does not divide that of people, devices or permissions.
const ROUND: usize = 997;

/// What is counted, by the argument of the process that does it and the unit of the count.
const COUNTED: [(&str, &str, usize); 6] = [
    ("kept", "a decision that a `Decider` keeps", ROUND),
    ("decide", "a decision, `Engine::decide`", ROUND),
    ("anew", "a decision of an engine that keeps nothing", ROUND),
    ("answer", "an answer, `Engine::answer`", ROUND),
    (
        "start",
        "a process of `tarbac check`, on `tests/contoso`",
        1,
    ),
    ("load", "a load of 10,000 custom roles", 1),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["run", what, rounds, folder] => run(what, rounds.parse().unwrap(), Path::new(folder)),
        _ if arguments.contains(&"--test") => {
            let folder = written(10);
            for (what, _, _) in COUNTED.iter().filter(|(what, _, _)| *what != "start") {
                run(what, 1, folder.path());
            }
        }
        _ if !is_there("valgrind") => println!("left out: no `valgrind` on the PATH"),
        _ => table(arguments.contains(&"write")),
    }
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

fn written(roles: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let tenant = Tenant {
        roles,
        devices: 1_000,
        ..Tenant::default()
    };
    tenant.write(folder.path());
    folder
}

/// Prints the counts beside those that are in the repository.
fn table(writes: bool) {
    let before = recorded();
    let folder = written(10_000);
    let mut lines =
        String::from("| instructions of | count | before | change |\n|---|---:|---:|---:|\n");
    let mut new = String::from("| instructions of | count |\n|---|---:|\n");
    for (what, title, unit) in COUNTED {
        let count = count(what, folder.path()) / unit as u64;
        let (known, change) = match before.get(title) {
            Some(known) => {
                let change = (count as f64 / *known as f64 - 1.0) * 100.0;
                (known.to_string(), format!("{change:+.1} %"))
            }
            None => Default::default(),
        };
        lines.push_str(&format!("| {title} | {count} | {known} | {change} |\n"));
        new.push_str(&format!("| {title} | {count} |\n"));
    }
    println!("\nProcessor instructions\n\n{lines}");
    if writes {
        let text = fs::read_to_string(TABLE).unwrap_or_default();
        let words = text.split("| instructions of").next().unwrap_or_default();
        fs::write(TABLE, format!("{words}{new}")).unwrap();
    }
}

/// The counts in the repository, by what they count.
fn recorded() -> BTreeMap<String, u64> {
    let text = fs::read_to_string(TABLE).unwrap_or_default();
    let rows = text.lines().filter_map(|line| {
        let (title, count) = line
            .strip_prefix("| ")?
            .strip_suffix(" |")?
            .split_once(" | ")?;
        Some((title.to_owned(), count.parse().ok()?))
    });
    rows.collect()
}

/// The instructions of one round: those of two rounds without those of one. A start and a load are counted with all
/// that a process does besides.
fn count(what: &str, folder: &Path) -> u64 {
    let ours = std::env::current_exe().unwrap();
    let rounds = |rounds: &str| {
        instructions(
            Command::new("valgrind")
                .arg("--tool=callgrind")
                .arg("--callgrind-out-file=/dev/null")
                .arg(&ours)
                .args(["run", what, rounds, folder.to_str().unwrap()]),
        )
    };
    match what {
        "start" => instructions(
            Command::new("valgrind")
                .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
                .arg(env!("CARGO_BIN_EXE_tarbac"))
                .args([
                    "-C",
                    SAMPLE,
                    "check",
                    "ada@contoso.example",
                    "Run script",
                    "WS-TST-001",
                ]),
        ),
        "load" => rounds("1") - rounds("0"),
        _ => rounds("3") - rounds("2"),
    }
}

/// The instructions that callgrind counts in a process.
fn instructions(command: &mut Command) -> u64 {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let (_, count) = collected.unwrap_or_else(|| panic!("{text}"));
    count.trim().parse().unwrap()
}

/// Does something so many times; what is made once is made before.
fn run(what: &str, rounds: usize, folder: &Path) {
    if what == "load" {
        for _ in 0..rounds {
            black_box(load(folder));
        }
        return;
    }
    let engine = load(Path::new(SAMPLE));
    let requests = requests(&engine);
    match what {
        "kept" => {
            let decider = Decider::new(&engine);
            each(&requests, rounds, |request| drop(decider.decide(request)));
        }
        "decide" => each(&requests, rounds, |request| drop(engine.decide(request))),
        "anew" => {
            let engine = engine.keeping_nothing();
            each(&requests, rounds, |request| drop(engine.decide(request)));
        }
        _ => each(&requests, rounds, |request| drop(engine.answer(request))),
    }
}

fn each(requests: &[Request], rounds: usize, decide: impl Fn(&Request)) {
    for _ in 0..rounds {
        requests
            .iter()
            .for_each(|request| decide(black_box(request)));
    }
}

fn load(folder: &Path) -> Engine {
    let layout = Layout::new(folder, shipped::rules());
    Workspace::load(&layout, &Switches::default())
        .unwrap()
        .engine
}

/// Requests of people about devices, the same each time.
fn requests(engine: &Engine) -> Vec<Request> {
    let directory = engine.directory();
    let all = |type_name: &str| -> Vec<EntityUid> {
        let type_name: EntityTypeName = type_name.parse().unwrap();
        let rows = directory.rows_of(&type_name);
        rows.map(|row| directory.uid(row)).collect()
    };
    let (people, devices) = (all("Entra::User"), all("ConfigMgr::Device"));
    let permissions = engine.bundle().vocabulary().permissions();
    let applies = permissions.filter(|action| {
        let device = devices.first().map(EntityUid::type_name);
        device.is_some_and(|device| action.resources.contains(device))
    });
    let actions: Vec<EntityUid> = applies.map(|action| action.uid.clone()).collect();
    let of = |all: &[EntityUid], number: usize| {
        let chosen = all.get(number % all.len()).cloned();
        chosen.unwrap_or_else(|| {
            EntityUid::from_type_name_and_id("Nobody".parse().unwrap(), EntityId::new(""))
        })
    };
    let numbered = (0..ROUND).map(|number| Request {
        principal: of(&people, number),
        action: of(&actions, number / 3),
        resource: of(&devices, number / 7),
        context: Context::empty(),
    });
    numbered.collect()
}
