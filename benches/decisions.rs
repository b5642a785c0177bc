//! One decision, in one run: kept by class, made anew, with everything beside it, and by plain Cedar; by the number of
//! custom roles, of people and devices, and of collections that an administrator is granted.
//!
//! All answers of all contestants are compared. `cargo bench --bench decisions -- --test` only checks that the tables
//! can be made, on small sizes.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, writes files, and has failed if it cannot measure"
)]

use std::collections::HashSet;
use std::hint::black_box;
use std::path::Path;
use std::str::FromStr;
use std::time::Instant;

use cedar_policy::{Authorizer, Context, Entities, EntityUid, PolicySet};
use tarbac::bulk::decider::Decider;
use tarbac::{Decision, Engine, Layout, Request, Switches, Workspace, shipped};

#[path = "support/plain.rs"]
mod plain;
#[path = "support/tenant.rs"]
mod tenant;

use tenant::Tenant;

/// How many requests are made in a round.
const REQUESTS: u32 = 5_000;

/// In so many parts, of whose times the median is taken.
const PARTS: usize = 10;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let is_smoke = arguments.iter().any(|argument| argument == "--test");
    let sizes: &[(u32, u32, u32)] = match is_smoke {
        true => &[(10, 1_000, 1_000)],
        false => &[
            (10, 1_000, 1_000),
            (10, 100_000, 100_000),
            (1_000, 100_000, 100_000),
            (1_000, 100_000, 1_000_000),
            (10_000, 100_000, 1_000_000),
        ],
    };
    println!("\nOne decision, µs\n");
    println!(
        "| custom roles | people | devices | kept | first of its kind | made anew | the whole answer | plain Cedar | anew / kept |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for &(roles, people, devices) in sizes {
        let tenant = Tenant {
            roles,
            people,
            devices,
            ..Tenant::large()
        };
        by_size(&tenant);
    }
}

fn by_size(tenant: &Tenant) {
    let folder = tempfile::tempdir().unwrap();
    tenant.write(folder.path());
    let layout = Layout::new(folder.path(), shipped::rules());
    let engine = Workspace::load(&layout, &Switches::default())
        .unwrap()
        .engine;
    let requests = requests(tenant, &engine);
    let decider = Decider::new(&engine);
    let first = first_of_its_kind(&decider, &requests);
    for request in &requests {
        assert_eq!(*decider.decide(request), engine.decide(request));
    }
    let kept = per_request(&requests, |request| decider.decide(request));
    let anew = per_request(&requests, |request| engine.decide(request));
    let answer = per_request(&requests, |request| engine.answer(request));
    // Plain Cedar takes minutes to read more.
    let plain = (tenant.devices <= 1_000).then(|| plainly(&engine, folder.path(), &requests));
    println!(
        "| {} | {} | {} | {kept:.2} | {first:.1} | {anew:.1} | {answer:.1} | {} | {:.0} |",
        tenant.roles,
        tenant.people,
        tenant.devices,
        plain.map_or_else(String::new, |plain| format!("{plain:.0}")),
        anew / kept,
    );
}

/// Requests by people with roles on devices anywhere, the same each time.
fn requests(tenant: &Tenant, engine: &Engine) -> Vec<Request> {
    let vocabulary = engine.bundle().vocabulary();
    let actions = vocabulary
        .permissions()
        .filter(|action| action.id() != "updateRoles");
    let actions: Vec<EntityUid> = actions.map(|action| action.uid.clone()).collect();
    let request = |number: u32| {
        // Every fiftieth person has a role; a multiplicative hash spreads the devices.
        let person = number.wrapping_mul(7) % (tenant.people / 50) * 50;
        let device = number.wrapping_mul(2_654_435_761) % tenant.devices;
        Request {
            principal: uid("Entra::User", &tenant::person(person)),
            action: actions
                .get(number as usize % actions.len())
                .unwrap()
                .clone(),
            resource: uid("ConfigMgr::Device", &tenant::device(device)),
            context: Context::empty(),
        }
    };
    (0..REQUESTS).map(request).collect()
}

/// The time of one request in microseconds: the median of the parts of a round.
fn per_request<T>(requests: &[Request], decide: impl Fn(&Request) -> T) -> f64 {
    let parts = requests.chunks(requests.len() / PARTS).map(|part| {
        let start = Instant::now();
        for request in part {
            black_box(decide(request));
        }
        start.elapsed().as_secs_f64() * 1e6 / part.len() as f64
    });
    median(parts.collect())
}

/// The time of a request of a kind that was not asked about before, in microseconds: the median.
fn first_of_its_kind(decider: &Decider<&Engine>, requests: &[Request]) -> f64 {
    let times = requests.iter().filter_map(|request| {
        let known = decider.kept();
        let start = Instant::now();
        black_box(decider.decide(request));
        let time = start.elapsed();
        (decider.kept() > known).then_some(time.as_secs_f64() * 1e6)
    });
    median(times.collect())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap()
}

/// The time of one request by Cedar with every policy and every entity, in microseconds.
fn plainly(engine: &Engine, folder: &Path, requests: &[Request]) -> f64 {
    let (policies, entities) = (plain::policies(engine), entities(engine, folder));
    let authorizer = Authorizer::new();
    let ask = |policies: &PolicySet, request: &Request| {
        authorizer.is_authorized(&plain::request(request), policies, &entities)
    };
    for request in requests {
        let is_allowed = ask(&policies, request).decision() == cedar_policy::Decision::Allow;
        assert_eq!(
            is_allowed,
            engine.decide(request).decision == Decision::Allow
        );
    }
    per_request(requests, |request| ask(&policies, request))
}

fn entities(engine: &Engine, folder: &Path) -> Entities {
    let schema = engine.bundle().schema();
    let actions: HashSet<EntityUid> = schema.actions().cloned().collect();
    let files = ["base.json", "people.json", "devices.json"].map(|file| {
        let json = std::fs::read_to_string(folder.join("entities").join(file)).unwrap();
        Entities::from_json_str(&json, Some(schema)).unwrap()
    });
    let all = files
        .into_iter()
        .flatten()
        .filter(|entity| !actions.contains(&entity.uid()));
    Entities::from_entities(all.chain(schema.action_entities().unwrap()), None).unwrap()
}

fn uid(type_name: &str, id: &str) -> EntityUid {
    EntityUid::from_str(&format!("{type_name}::\"{id}\"")).unwrap()
}
