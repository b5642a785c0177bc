//! The cost of a decision, by the number of roles and of devices.

use std::hint::black_box;
use std::time::Instant;

use cedar_policy::{Authorizer, Entities, PolicySet, Request as CedarRequest};
use tarbac::Engine;
use tarbac::decision::Request;

use super::plain;
use super::tenant::Tenant;
use super::{Sample, median};

/// The time of one decision of tarbac and one of plain Cedar, in microseconds: medians of turns
/// that alternate, so that both meet the same machine.
pub(super) fn decide(
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

pub(super) fn decisions_by_roles(sizes: &[u32]) {
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
pub(super) fn decisions_by_devices(sizes: &[u32]) {
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
