//! Time and memory of every question along one axis at a time, over three orders of magnitude.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use cedar_policy::{Context, EntityId, EntityUid};
use tarbac::access_review::Review;
use tarbac::decision::Request;
use tarbac::who_what::{What, Who};

use super::tenant::{self, Tenant};
use super::{changed, compare, load, measured, memory};

/// The questions, each asked in a process of its own, since memory is that of a process.
const QUESTIONS: [&str; 5] = ["check", "who", "what", "what-if", "access"];

/// An axis, with the tenant of a size.
type Axis = (&'static str, fn(u32) -> Tenant);

/// The axes, each with the tenant of a number.
const AXES: [Axis; 12] = [
    ("custom roles", |roles| Tenant { roles, ..middle() }),
    ("people", |people| Tenant {
        people: people * 10,
        ..middle()
    }),
    ("devices", |devices| Tenant {
        devices: devices * 10,
        ..middle()
    }),
    ("collections", |collections| Tenant {
        collections,
        ..middle()
    }),
    ("collections of a device", |memberships| Tenant {
        memberships: memberships / 10,
        collections: 4_000,
        devices: 2_000,
        ..middle()
    }),
    (
        "administrators, each with other collections",
        |administrators| Tenant {
            administrators,
            ..middle()
        },
    ),
    ("groups between person and assignment", |depth| Tenant {
        depth: depth / 10,
        roles: 10,
        ..middle()
    }),
    ("policies about a value of an attribute", |number| Tenant {
        more: forbids(number / 10, |number| {
            format!(
                "resource has operatingSystem && resource.operatingSystem == \"Windows {number}\""
            )
        }),
        ..middle()
    }),
    ("policies with `like`", |number| Tenant {
        more: forbids(number / 10, |number| {
            format!("resource.name like \"PC-{number:05}*\"")
        }),
        ..middle()
    }),
    ("policies that name a collection", |number| Tenant {
        forbids: number / 10,
        ..middle()
    }),
    ("policies about the name of person and device", |number| {
        Tenant {
            more: forbids(number / 100, |number| {
                format!(
                    "resource.name == principal.userPrincipalName && principal.userPrincipalName like \"*{number}*\""
                )
            }),
            ..middle()
        }
    }),
    ("policies about the time", |number| Tenant {
        more: forbids(number / 10, |number| {
            let year = 1970 + number % 200;
            format!("context has now && context.now < datetime(\"{year}-01-01\")")
        }),
        ..middle()
    }),
];

/// The values on an axis; what they stand for is part of the axis.
const VALUES: [u32; 4] = [10, 100, 1_000, 10_000];

fn middle() -> Tenant {
    Tenant {
        people: 5_000,
        devices: 5_000,
        roles: 50,
        administrators: 30,
        is_limited: true,
        ..Tenant::default()
    }
}

fn forbids(number: u32, condition: impl Fn(u32) -> String) -> String {
    let forbid = |number| {
        let condition = condition(number);
        format!(
            "@id(\"custom.more-{number}\")\n@doc(\"Forbid {number}.\")\nforbid (\n  principal is Entra::User,\n  action == Intune::Action::\"runScript\",\n  resource is ConfigMgr::Device\n)\nwhen {{ {condition} }};\n"
        )
    };
    (0..number).map(forbid).collect()
}

/// A table for each axis whose name contains one of these words; without any, for all.
pub(super) fn curves(words: &[&str], values: &[u32]) {
    for (axis, tenant) in AXES {
        if !words.is_empty() && !words.iter().any(|word| axis.contains(word)) {
            continue;
        }
        println!("\nBy {axis}\n");
        println!(
            "| of 10 to 10,000 | load, s | check, µs | who, s | what, s | what-if, s | MiB | access, s | MiB |"
        );
        println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        for value in VALUES
            .iter()
            .chain(values)
            .filter(|value| values.is_empty() || values.contains(value))
        {
            let folder = tempfile::tempdir().unwrap();
            tenant(*value).write(folder.path());
            let asked =
                |question| measured(&["question", question, folder.path().to_str().unwrap()]);
            let answers = QUESTIONS.map(asked);
            let [
                [loading, check, _],
                [_, who, _],
                [_, what, _],
                [_, what_if, memory],
                [_, access, most],
            ] = answers.map(|answer| <[f64; 3]>::try_from(answer).unwrap());
            println!(
                "| {value} | {loading:.2} | {:.1} | {who:.2} | {what:.2} | {what_if:.2} | {memory:.0} | {access:.2} | {most:.0} |",
                check * 1e6
            );
        }
    }
}

/// Prints the seconds of loading, those of a question, and the peak of memory.
pub(super) fn question(question: &str, folder: &Path) {
    let start = Instant::now();
    let engine = load(folder);
    let loading = start.elapsed().as_secs_f64();
    let action = engine
        .bundle()
        .vocabulary()
        .permission("runScript")
        .unwrap();
    let uid = |type_name: &str, id: &str| {
        EntityUid::from_type_name_and_id(type_name.parse().unwrap(), EntityId::new(id))
    };
    let device = |number| uid("ConfigMgr::Device", &tenant::device(number));
    let person = uid("Entra::User", &tenant::person(0));
    let start = Instant::now();
    let mut times = 1;
    match question {
        "check" => {
            times = 2_000;
            let devices = engine.directory().rows_of(device(0).type_name()).count() as u32;
            for number in 0..times {
                black_box(engine.answer(&Request {
                    principal: person.clone(),
                    action: action.uid.clone(),
                    resource: device(number % devices),
                    context: Context::empty(),
                }));
            }
        }
        "who" => drop(black_box(Who::new(
            &engine,
            action,
            &device(0),
            5,
            &Context::empty(),
        ))),
        "what" => drop(black_box(What::new(&engine, &person, None, 5, |_| {
            Context::empty()
        }))),
        "what-if" => drop(black_box(compare(&engine, &changed(&engine)))),
        _ => {
            let review = Review::new(&engine, |_| Context::empty());
            let mut access = review.access(|| {});
            let shown = access.people.len().min(10);
            review.detail(&mut access.people[..shown], 5, || {});
            black_box(access);
        }
    }
    let seconds = start.elapsed().as_secs_f64() / f64::from(times);
    println!("{loading} {seconds} {}", memory::peak().unwrap_or(f64::NAN));
}
