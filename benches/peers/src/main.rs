//! tarbac beside other engines for policies, in one process: the same rules about the same tenant.
//!
//! `cargo run --release` in this folder prints the table; `cargo run -- --test` compares the answers on a small tenant.
//! Every engine answers the same requests, and all answers are compared.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, and has failed if it cannot measure"
)]

mod by_casbin;
mod by_regorus;
mod facts;
#[path = "../../support/plain.rs"]
mod plain;
#[expect(dead_code, reason = "other benchmarks write more of the tenant")]
#[path = "../../support/tenant.rs"]
mod tenant;

use std::collections::HashSet;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use cedar_policy::{
    Authorizer, Context, Entities, EntityId, EntityUid, Schema, SchemaFragment,
};
use tarbac::bulk::decider::Decider;
use tarbac::decision::{Decision, Request};
use tarbac::{Engine, Layout, Switches, Workspace, shipped};

use facts::Facts;
use tenant::Tenant;

/// In so many parts requests are made, of whose times the median is taken.
const PARTS: usize = 10;

fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let sizes: &[(u32, u32)] = match is_test {
        true => &[(10, 200)],
        false => &[(10, 1_000), (1_000, 1_000), (10_000, 1_000), (10, 10_000)],
    };
    println!("\nOne decision, µs, by custom roles and by people and devices\n");
    println!(
        "| custom roles | people, devices | tarbac, kept | tarbac, `decide` | regorus, virtual machine | regorus, interpreter | casbin | plain Cedar |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    for &(roles, size) in sizes {
        compare(&Tenant {
            roles,
            people: size,
            devices: size,
            administrators: 30,
            is_limited: true,
            ..Tenant::default()
        });
    }
}

/// Asks all about one tenant, and prints a row.
fn compare(tenant: &Tenant) {
    let folder = tempfile::tempdir().unwrap();
    tenant.write(folder.path());
    let layout = Layout::new(folder.path(), shipped::rules());
    let engine = Workspace::load(&layout, &Switches::default()).unwrap().engine;
    let requests = requests(tenant, &engine);
    // Some take as long for one as others for thousands.
    let few: Vec<Request> = requests.iter().step_by(50).cloned().collect();
    let facts = Facts::read(folder.path(), tenant);

    let decider = Decider::new(&engine);
    let mut row = format!("| {} | {} |", tenant.roles, tenant.people);
    let mut put = |(allowed, time): (Vec<bool>, f64), requests: &[Request]| {
        let expected = requests.iter().map(|request| engine.decide(request).decision);
        let expected: Vec<bool> = expected.map(|decision| decision == Decision::Allow).collect();
        assert_eq!(allowed, expected);
        row.push_str(&match time < 10.0 {
            true => format!(" {time:.1} |"),
            false => format!(" {time:.0} |"),
        });
    };
    let allows = |request: &Request| decider.decide(request).decision == Decision::Allow;
    put(measured(&requests, allows), &requests);
    let anew = |request: &Request| engine.decide(request).decision == Decision::Allow;
    put(measured(&requests, anew), &requests);
    let mut machine = by_regorus::Machine::new(&facts);
    put(measured(&requests, |request| machine.allows(request)), &requests);
    let mut interpreter = by_regorus::Interpreter::new(&facts);
    put(measured(&few, |request| interpreter.allows(request)), &few);
    let casbin = by_casbin::Casbin::new(facts, tenant);
    put(measured(&few, |request| casbin.allows(request)), &few);
    let cedar = Plain::new(folder.path(), &engine);
    put(measured(&few, |request| cedar.allows(request)), &few);
    println!("{row}");
}

/// The answers, and the median time of one in microseconds. All are asked once before.
fn measured(requests: &[Request], mut allows: impl FnMut(&Request) -> bool) -> (Vec<bool>, f64) {
    let answers = requests.iter().map(&mut allows).collect();
    let parts = requests.chunks(requests.len().div_ceil(PARTS)).map(|part| {
        let start = Instant::now();
        for request in part {
            black_box(allows(request));
        }
        start.elapsed().as_secs_f64() * 1e6 / part.len() as f64
    });
    let mut times: Vec<f64> = parts.collect();
    times.sort_by(f64::total_cmp);
    (answers, times.get(times.len() / 2).copied().unwrap_or(f64::NAN))
}

/// Requests by people with roles, administrators and others on any device, the same each time.
fn requests(tenant: &Tenant, engine: &Engine) -> Vec<Request> {
    let uid = |type_name: &str, id: String| {
        EntityUid::from_type_name_and_id(type_name.parse().unwrap(), EntityId::new(id))
    };
    let permissions = engine.bundle().vocabulary().permissions();
    let permissions = permissions.filter(|action| action.id() != "updateRoles");
    let actions: Vec<EntityUid> = permissions.map(|action| action.uid.clone()).collect();
    let every = [50, (tenant.people / tenant.administrators).max(1), 1];
    let numbered = (0..5_000_u32).map(|number| {
        let every = every[number as usize % 3];
        let person = number.wrapping_mul(7) % (tenant.people / every).max(1) * every;
        let device = number.wrapping_mul(2_654_435_761) % tenant.devices;
        Request {
            principal: uid("Entra::User", tenant::person(person)),
            action: actions[number as usize % actions.len()].clone(),
            resource: uid("ConfigMgr::Device", tenant::device(device)),
            context: Context::empty(),
        }
    });
    numbered.collect()
}

/// Cedar with every policy and every entity.
struct Plain {
    policies: cedar_policy::PolicySet,
    entities: Entities,
}

impl Plain {
    fn new(folder: &Path, engine: &Engine) -> Self {
        let texts = shipped::rules().alone().schema;
        let fragments = texts.iter().map(|source| {
            let read = SchemaFragment::from_cedarschema_str(source.text());
            read.unwrap().0
        });
        let schema = Schema::from_schema_fragments(fragments).unwrap();
        let actions: HashSet<EntityUid> = schema.actions().cloned().collect();
        let files = ["base.json", "people.json", "devices.json"].iter();
        let read = files.flat_map(|file| {
            let json = fs::read_to_string(folder.join("entities").join(file)).unwrap();
            Entities::from_json_str(&json, Some(&schema)).unwrap()
        });
        let all = read.filter(|entity| !actions.contains(&entity.uid()));
        let all = all.chain(schema.action_entities().unwrap());
        Self {
            policies: plain::policies(engine),
            entities: Entities::from_entities(all, None).unwrap(),
        }
    }

    fn allows(&self, request: &Request) -> bool {
        let request = plain::request(request);
        let answer = Authorizer::new().is_authorized(&request, &self.policies, &self.entities);
        answer.decision() == cedar_policy::Decision::Allow
    }
}
