//! The cost of a decision: kept by class, made anew, with everything beside it, and by plain Cedar.

use std::hint::black_box;
use std::time::Instant;

use cedar_policy::Authorizer;
use tarbac::Engine;
use tarbac::bulk::decider::Decider;
use tarbac::decision::{Decision, Outcome, Request};

use super::plain;
use super::tenant::Tenant;
use super::{Sample, median};

/// In so many parts requests are made, of whose times the median is taken.
const PARTS: usize = 10;

/// Above so many devices plain Cedar takes minutes to read them.
const PLAIN: u32 = 1_000;

/// By the numbers of custom roles, of people and of devices. The answers of all are compared.
pub(super) fn decisions(sizes: &[(u32, u32, u32)]) {
    println!("\nOne decision, µs\n");
    println!(
        "| custom roles | people | devices | kept | first of its kind | made anew | the whole answer | plain Cedar | Cedar / anew | anew / kept |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for &(roles, people, devices) in sizes {
        let sample = Sample::new(Tenant {
            roles,
            people,
            devices,
            ..Tenant::large()
        });
        let engine = sample.engine();
        let requests = sample.requests(&engine);
        let decider = Decider::new(&engine);
        let first = first_of_its_kind(&decider, &requests);
        for request in &requests {
            assert_eq!(*decider.decide(request), engine.decide(request));
        }
        let kept = per_request(&requests, |request| decider.decide(request));
        let anew = per_request(&requests, |request| engine.decide(request));
        let answer = per_request(&requests, |request| engine.answer(request));
        let plain = (devices <= PLAIN).then(|| plainly(&sample, &engine, &requests));
        let [plain, to_plain] = plain.map_or_else(Default::default, |plain| {
            [format!("{plain:.0}"), format!("{:.0}", plain / anew)]
        });
        println!(
            "| {roles} | {people} | {devices} | {kept:.2} | {first:.1} | {anew:.1} | {answer:.1} | {plain} | {to_plain} | {:.0} |",
            anew / kept,
        );
    }
}

/// By the number of collections on which Configuration Manager grants the people each permission; the answers of both
/// are compared.
pub(super) fn granted(collections: &[u32]) {
    println!("\nOne decision about an administrator, µs\n");
    println!(
        "| collections granted | kept | first of its kind | made anew | the whole answer | by Cedar each time |"
    );
    println!("|---:|---:|---:|---:|---:|---:|");
    for &collections in collections {
        let sample = Sample::new(Tenant {
            collections,
            roles: 10,
            people: 10_000,
            devices: 10_000,
            administrators: 200,
            ..Tenant::default()
        });
        let engine = sample.engine();
        let requests = sample.requests(&engine);
        let decider = Decider::new(&engine);
        let first = first_of_its_kind(&decider, &requests);
        for request in &requests {
            assert_eq!(*decider.decide(request), engine.decide(request));
        }
        let kept = per_request(&requests, |request| decider.decide(request));
        let anew = per_request(&requests, |request| engine.decide(request));
        let answer = per_request(&requests, |request| engine.answer(request));
        let decided: Vec<Outcome> = requests.iter().map(|of| engine.decide(of)).collect();
        let engine = engine.keeping_nothing();
        for (request, outcome) in requests.iter().zip(&decided) {
            assert_eq!(engine.decide(request), *outcome);
        }
        let each = per_request(&requests, |request| engine.decide(request));
        println!(
            "| {} | {kept:.2} | {first:.1} | {anew:.1} | {answer:.1} | {each:.1} |",
            collections * 2 / 3
        );
    }
}

/// The time of one request in microseconds.
fn per_request<T>(requests: &[Request], decide: impl Fn(&Request) -> T) -> f64 {
    let parts = requests.chunks(requests.len().div_ceil(PARTS)).map(|part| {
        let start = Instant::now();
        for request in part {
            black_box(decide(request));
        }
        start.elapsed().as_secs_f64() * 1e6 / part.len() as f64
    });
    median(parts.collect())
}

/// The time of a request of a kind that was not asked about before, in microseconds.
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

/// The time of one request by Cedar with every policy and every entity, in microseconds.
fn plainly(sample: &Sample, engine: &Engine, requests: &[Request]) -> f64 {
    let (policies, entities) = (plain::policies(engine), sample.plain_entities());
    let authorizer = Authorizer::new();
    let decide = |request: &Request| {
        authorizer
            .is_authorized(&plain::request(request), &policies, &entities)
            .decision()
    };
    // With 10,000 roles each takes as long as hundreds of ours.
    let some: Vec<Request> = requests.iter().step_by(50).cloned().collect();
    for request in &some {
        let is_allowed = decide(request) == cedar_policy::Decision::Allow;
        assert_eq!(
            is_allowed,
            engine.decide(request).decision == Decision::Allow
        );
    }
    per_request(&some, decide)
}
