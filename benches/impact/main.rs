//! What it takes to find out what changes for whom in a large tenant, and who may do what in it.
//!
//! `cargo bench --bench impact` prints the tables; `cargo bench --bench impact -- write FOLDER` only
//! writes the workspace, to try the program on; `-- policies` prints the time by the number of policies that name a
//! collection, and `-- comparison` that with a policy that compares attributes of person and device; `-- curves`, with
//! words of the axes that are meant, prints every question along one axis at a time; `-- sample COUNT` compares so many
//! decisions about the large tenant, before and after, with those of plain Cedar, for which it takes minutes;
//! `-- --test` checks that all of this can be made, on small sizes.

#![warn(clippy::too_many_lines)]
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, writes files, and has failed if it cannot measure"
)]

mod curves;
#[path = "../support/memory.rs"]
mod memory;
#[path = "../support/plain.rs"]
mod plain;
mod sample;
#[path = "../support/tenant.rs"]
mod tenant;

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cedar_policy::{Context, EntityId, EntityUid};
use tarbac::bundle::Action;
use tarbac::change::impact::{Impact, States};
use tarbac::change::what_if::{Change, after};
use tarbac::decision::Request;
use tarbac::plan::Planner;
use tarbac::who_what::{What, Who};
use tarbac::{Engine, Layout, Switches, Workspace, shipped};
use tenant::Tenant;

use curves::curves;
use sample::sample;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["write", folder, ..] => large().write(Path::new(folder)),
        // Memory is that of a process of its own.
        ["what-if", folder] => what_if(Path::new(folder)),
        ["diff", folder] => diff(Path::new(folder)),
        ["everybody", folder] => everybody(Path::new(folder)),
        ["question", question, folder] => curves::question(question, Path::new(folder)),
        ["curves", ref words @ ..] => {
            let words = words.iter().filter(|word| !word.starts_with("--"));
            curves(&words.copied().collect::<Vec<_>>(), &[]);
        }
        ["sample", count, ..] => sample(&large(), count.parse().unwrap()),
        ["policies", ..] => policies(&medium(), &[0, 8, 16, 24, 100]),
        ["comparison", ..] => {
            let square = |size| Tenant {
                people: size,
                devices: size,
                ..medium()
            };
            comparison(&[square(250), square(500), medium()]);
        }
        _ if arguments.contains(&"--test") => {
            table(&[small()]);
            policies(&small(), &[0, 8]);
            comparison(&[small()]);
            curves(&["roles"], &[10]);
            sample(&small(), 200);
        }
        _ => table(&curve()),
    }
}

/// The tenant that the figures of `docs/performance.md` are about.
fn large() -> Tenant {
    Tenant {
        roles: 1_000,
        is_limited: true,
        ..Tenant::large()
    }
}

fn medium() -> Tenant {
    Tenant {
        people: 10_000,
        devices: 100_000,
        ..large()
    }
}

fn small() -> Tenant {
    Tenant {
        people: 100,
        devices: 1_000,
        roles: 10,
        administrators: 5,
        is_limited: true,
        ..Tenant::default()
    }
}

/// A hundred times as many pairs each time; the roles and the administrators, and with them the classes,
/// grow as well, until they are as many as the large tenant has.
fn curve() -> Vec<Tenant> {
    let of = |people: u32, devices: u32, administrators: u32| Tenant {
        people,
        devices,
        administrators,
        ..large()
    };
    vec![
        of(1_000, 1_000, 30),
        of(10_000, 10_000, 300),
        of(10_000, 100_000, 300),
        of(100_000, 100_000, 300),
        of(100_000, 1_000_000, 300),
    ]
}

fn table(tenants: &[Tenant]) {
    println!(
        "\nWhat changes if Use Intune RBAC is turned and a checkbox with it; who may run a script on a \
         device, and what an administrator may do, beside asking about each\n"
    );
    println!(
        "| people | devices | decisions | classes of people | loading, s | what-if, s | MiB | diff, s | MiB \
         | access, s | MiB | who, ms | each / who | what, ms | each / what | check, ms | anew / check |"
    );
    println!(
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    );
    for tenant in tenants {
        let folder = tempfile::tempdir().unwrap();
        tenant.write(folder.path());
        let in_process = |what: &str| measured(&[what, folder.path().to_str().unwrap()]);
        let [loading, what_if, memory, classes, decisions] = in_process("what-if")[..] else {
            panic!("five numbers");
        };
        let [diff, diff_memory] = in_process("diff")[..] else {
            panic!("two numbers");
        };
        let access = ["question", "access", folder.path().to_str().unwrap()];
        let [_, access, access_memory] = measured(&access)[..] else {
            panic!("three numbers");
        };
        // What takes milliseconds is asked in several processes, since the first time is what counts.
        let runs: Vec<Vec<f64>> = (0..5).map(|_| in_process("everybody")).collect();
        let [who, each_who, what, each_what] =
            [0, 1, 2, 3].map(|column| median(runs.iter().map(|run| run[column]).collect()));
        let [anew, check] = check(folder.path());
        println!(
            "| {} | {} | {decisions:.1e} | {classes} | {loading:.1} | {what_if:.2} | {memory:.0} \
             | {diff:.2} | {diff_memory:.0} | {access:.2} | {access_memory:.0} | {who:.0} | {:.0} | {what:.0} | {:.0} | {check:.0} | {:.0} |",
            tenant.people,
            tenant.devices,
            each_who / who,
            each_what / what,
            anew / check,
        );
    }
}

/// By the number of policies that each name a collection, about one permission each.
fn policies(tenant: &Tenant, numbers: &[u32]) {
    println!("\nThe same question, by policies that name a collection\n");
    println!("| policies | classes of people | loading, s | what-if, s | MiB |");
    println!("|---:|---:|---:|---:|---:|");
    for &forbids in numbers {
        let folder = tempfile::tempdir().unwrap();
        let tenant = Tenant {
            forbids,
            ..tenant.clone()
        };
        tenant.write(folder.path());
        let numbers = measured(&["what-if", folder.path().to_str().unwrap()]);
        let [loading, what_if, memory, classes, _] = numbers[..] else {
            panic!("five numbers");
        };
        println!("| {forbids} | {classes} | {loading:.1} | {what_if:.2} | {memory:.0} |");
    }
}

/// A policy that compares an attribute of the person with one of the device.
const COMPARISON: &str = r#"@id("custom.comparison")
@doc("Nobody runs scripts on a device called like them.")
@message("This device is called like you.")
@advice("Ask somebody else.")
forbid (
  principal is Entra::User,
  action == Intune::Action::"runScript",
  resource is ConfigMgr::Device
)
when { resource.name == principal.userPrincipalName };
"#;

/// The same question with such a policy, and without.
fn comparison(tenants: &[Tenant]) {
    println!("\nThe same question, with a policy that compares attributes of person and device\n");
    println!("| people | devices | without, s | with, s | MiB |");
    println!("|---:|---:|---:|---:|---:|");
    for tenant in tenants {
        let folder = tempfile::tempdir().unwrap();
        tenant.write(folder.path());
        let arguments = ["what-if", folder.path().to_str().unwrap()];
        let without = measured(&arguments);
        let policies = folder.path().join("policies/custom");
        std::fs::create_dir_all(&policies).unwrap();
        std::fs::write(policies.join("comparison.cedar"), COMPARISON).unwrap();
        let with = measured(&arguments);
        let Tenant {
            people, devices, ..
        } = tenant;
        println!(
            "| {people} | {devices} | {:.2} | {:.2} | {:.0} |",
            without[1], with[1], with[2]
        );
    }
}

/// The time of a whole process that decides one request, in milliseconds: one that reads everything anew,
/// and the median of those that do not, in turns with it.
fn check(folder: &Path) -> [f64; 2] {
    let run = |more: &[&str]| {
        let device = tenant::device(0);
        milliseconds(|| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_tarbac"));
            command.args(["check", "person0@contoso.com", "Run script", &device]);
            let output = command.args(more).current_dir(folder).output().unwrap();
            assert!(output.stderr.is_empty(), "{output:?}");
        })
    };
    run(&[]);
    // What was written a moment ago may still change unseen, and is hashed once more.
    std::thread::sleep(Duration::from_secs(3));
    run(&[]);
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..5 {
        times[0].push(run(&["--no-cache"]));
        times[1].extend([run(&[]), run(&[])]);
    }
    times.map(median)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// The numbers that this benchmark prints with other arguments.
fn measured(arguments: &[&str]) -> Vec<f64> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect()
}

fn load(folder: &Path) -> Engine {
    Workspace::load(&Layout::new(folder, shipped::rules()), &Switches::default())
        .unwrap()
        .engine
}

/// The toggle and one checkbox.
fn changed(engine: &Engine) -> Engine {
    let flag = |flag: &str, value: &str| Change::Flag {
        flag: flag.to_owned(),
        value: value.to_owned(),
    };
    let changes = [
        flag("use-intune-rbac", "off"),
        flag("enforce-configmgr-rbac", "P01=on"),
    ];
    after(engine, &changes, &Switches::default()).unwrap()
}

/// Everything that the report of the program has.
fn compare(before: &Engine, after: &Engine) -> (Impact, usize) {
    let states = States { before, after };
    let context = |_: &Engine, _: &Action| Context::empty();
    let comparison = states.compare(context);
    let mut impact = comparison.impact(|| {});
    let shown = impact.people.len().min(10);
    comparison.detail(&mut impact.people[..shown], 5, || {});
    let planning = Planner {
        states,
        impact: &impact,
        context: &context,
        compare: &|states| states.compare(context).impact(|| {}),
    };
    black_box(planning.roles_in_need().unwrap());
    (impact, comparison.classes())
}

fn what_if(folder: &Path) {
    let start = Instant::now();
    let before = load(folder);
    let loading = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let after = changed(&before);
    let (impact, classes) = compare(&before, &after);
    let seconds = start.elapsed().as_secs_f64();
    let memory = memory::peak().unwrap_or(f64::NAN);
    println!(
        "{loading} {seconds} {memory} {classes} {}",
        impact.totals.decisions
    );
}

fn diff(folder: &Path) {
    let before = load(folder);
    let after = changed(&load(folder));
    let start = Instant::now();
    black_box(compare(&before, &after));
    let seconds = start.elapsed().as_secs_f64();
    println!("{seconds} {}", memory::peak().unwrap_or(f64::NAN));
}

fn everybody(folder: &Path) {
    let engine = load(folder);
    let vocabulary = engine.bundle().vocabulary();
    let action = vocabulary.permission("runScript").unwrap();
    let uid = |type_name: &str, id: &str| {
        EntityUid::from_type_name_and_id(type_name.parse().unwrap(), EntityId::new(id))
    };
    let device = uid("ConfigMgr::Device", &tenant::device(0));
    let person = uid("Entra::User", &tenant::person(0));
    let directory = engine.directory();
    let rows = |uid: &EntityUid| {
        directory
            .rows_of(uid.type_name())
            .map(|row| directory.uid(row))
    };
    let ask = |principal: &EntityUid, action: &EntityUid, resource: &EntityUid| {
        black_box(engine.decide(&Request {
            principal: principal.clone(),
            action: action.clone(),
            resource: resource.clone(),
            context: Context::empty(),
        }));
    };
    let who = milliseconds(|| {
        drop(black_box(Who::new(
            &engine,
            action,
            &device,
            5,
            &Context::empty(),
        )));
    });
    let each_who =
        milliseconds(|| rows(&person).for_each(|person| ask(&person, &action.uid, &device)));
    let what = milliseconds(|| {
        drop(black_box(What::new(&engine, &person, None, 5, |_| {
            Context::empty()
        })));
    });
    let actions: Vec<&EntityUid> = vocabulary
        .permissions()
        .filter(|action| action.applies_to(person.type_name(), device.type_name()))
        .map(|action| &action.uid)
        .collect();
    // A million devices would take minutes.
    let all = rows(&device).count();
    let some = all.min(10_000);
    let each_what = milliseconds(|| {
        for device in rows(&device).take(some) {
            actions
                .iter()
                .for_each(|action| ask(&person, action, &device));
        }
    });
    let each_what = each_what * all as f64 / some as f64;
    println!("{who} {each_who} {what} {each_what}");
}

fn milliseconds(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64() * 1e3
}
