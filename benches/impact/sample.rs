//! The same questions about a sample of a tenant, beside plain Cedar.

use std::io::{BufRead, BufReader};
use std::path::Path;

use cedar_policy::{Authorizer, Context, Entities, EntityId, EntityUid, PolicySet};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use serde_json::Value;
use std::fs::File;
use tarbac::Engine;
use tarbac::change::impact::States;
use tarbac::decision::{Decision, Request};

use super::plain;
use super::tenant::Tenant;
use super::{changed, load};

/// What is asked about, spread over the tenant, and the directory before and after for plain Cedar.
struct Spread {
    people: Vec<Value>,
    devices: Vec<Value>,
    plain: [Entities; 2],
}

impl Spread {
    fn of(tenant: &Tenant, folder: &Path, before: &Engine) -> Self {
        // Every second of these has a role; administrators are few.
        let people = some(folder, "people", |number, line| {
            number % 25 == 0 || line.contains("configMgr")
        });
        // An odd step: devices take turns among the hierarchies.
        let step = (tenant.devices as usize / 2_000) | 1;
        let devices = some(folder, "devices", |number, _| number % step == 0);
        let base = some(folder, "base", |_, _| true);
        let changed = base.iter().cloned().map(changed_entity).collect();
        let plain = [base, changed].map(|base: Vec<Value>| {
            let all: Vec<Value> = [base, people.clone(), devices.clone()].concat();
            Entities::from_json_value(all.into(), Some(before.bundle().schema())).unwrap()
        });
        Self {
            people,
            devices,
            plain,
        }
    }

    /// The actions of these people on these devices.
    fn actions(&self, before: &Engine) -> Vec<EntityUid> {
        let permissions = before.bundle().vocabulary().permissions();
        let (person, device) = (uid_of(&self.people[0]), uid_of(&self.devices[0]));
        permissions
            .filter(|action| action.applies_to(person.type_name(), device.type_name()))
            .map(|action| action.uid.clone())
            .collect()
    }
}

/// Decides about people, actions and devices that are spread over the tenant, before and after, and once
/// more by plain Cedar with all policies.
pub(super) fn sample(tenant: &Tenant, count: usize) {
    let folder = tempfile::tempdir().unwrap();
    tenant.write(folder.path());
    let before = load(folder.path());
    let after = changed(&before);
    let spread = Spread::of(tenant, folder.path(), &before);
    let policies = plain::policies(&before);
    let actions = spread.actions(&before);
    let states = States {
        before: &before,
        after: &after,
    };
    let comparison = states.compare(|_, _| Context::empty());
    let each = count.div_ceil(spread.people.len());
    let people = spread.people.par_iter().enumerate();
    let found = people.map(|(number, person)| {
        let person = uid_of(person);
        // Every person meets other devices, and asks for each with another action.
        let asked = (number * each..(number + 1) * each).map(|at| {
            let device = &spread.devices[at * 7 % spread.devices.len()];
            (actions[at % actions.len()].clone(), uid_of(device))
        });
        let asked: Vec<(EntityUid, EntityUid)> = asked.collect();
        let ours = comparison.decisions(&person, &asked);
        let mut found = [0; 3];
        for ((action, resource), ours) in asked.into_iter().zip(ours) {
            let request = Request {
                principal: person.clone(),
                action,
                resource,
                context: Context::empty(),
            };
            let theirs = spread
                .plain
                .each_ref()
                .map(|entities| decide(&request, &policies, entities));
            assert_eq!(ours, theirs.map(Some), "{request:?}");
            theirs
                .iter()
                .for_each(|theirs| found[*theirs as usize] += 1);
        }
        found
    });
    report(&found.collect::<Vec<_>>(), &spread);
}

/// What plain Cedar decides.
fn decide(request: &Request, policies: &PolicySet, entities: &Entities) -> Decision {
    let response = Authorizer::new().is_authorized(&plain::request(request), policies, entities);
    match response.decision() {
        _ if response.diagnostics().errors().next().is_some() => Decision::Indeterminate,
        cedar_policy::Decision::Allow => Decision::Allow,
        cedar_policy::Decision::Deny => Decision::Deny,
    }
}

/// Prints how many decisions there were of each kind.
fn report(found: &[[usize; 3]], spread: &Spread) {
    let sum = |at: usize| found.iter().map(|found| found[at]).sum::<usize>();
    println!(
        "\n{} decisions about {} people and {} devices, before and after, are those of plain Cedar: \
         {} allow, {} deny, {} indeterminate",
        found.iter().flatten().sum::<usize>() / 2,
        spread.people.len(),
        spread.devices.len(),
        sum(Decision::Allow as usize),
        sum(Decision::Deny as usize),
        sum(Decision::Indeterminate as usize),
    );
}

/// What the what-if changes, changed in a file.
fn changed_entity(mut entity: Value) -> Value {
    let uid = (&entity["uid"]["type"], &entity["uid"]["id"]);
    let (attribute, value) = match (uid.0.as_str().unwrap(), uid.1.as_str().unwrap()) {
        ("Intune::Tenant", _) => ("useIntuneRbac", false),
        ("ConfigMgr::Hierarchy", "P01") => ("enforceConfigMgrRbac", true),
        _ => return entity,
    };
    entity["attrs"][attribute] = value.into();
    entity
}

/// The entities of a file that are wanted, by their number and their line.
pub(super) fn some(
    folder: &Path,
    file: &str,
    is_wanted: impl Fn(usize, &str) -> bool,
) -> Vec<Value> {
    let text = File::open(folder.join(format!("entities/{file}.json"))).unwrap();
    let lines = BufReader::new(text).lines().map(Result::unwrap);
    let entities = lines.filter(|line| line.starts_with('{')).enumerate();
    entities
        .filter(|(number, line)| is_wanted(*number, line))
        .map(|(_, line)| serde_json::from_str(line.trim_end_matches(',')).unwrap())
        .collect()
}

fn uid_of(entity: &Value) -> EntityUid {
    let part = |name: &str| entity["uid"][name].as_str().unwrap();
    EntityUid::from_type_name_and_id(part("type").parse().unwrap(), EntityId::new(part("id")))
}
