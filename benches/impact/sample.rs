//! The same questions about a sample of a tenant, beside plain Cedar.

use std::io::{BufRead, BufReader};
use std::path::Path;

use cedar_policy::{Authorizer, Context, Entities, EntityId, EntityUid};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use serde_json::Value;
use std::fs::File;
use tarbac::change::impact::States;
use tarbac::decision::{Decision, Request};

use super::plain;
use super::tenant::Tenant;
use super::{changed, load};

/// Decides about people, actions and devices that are spread over the tenant, before and after, and once
/// more by plain Cedar with all policies.
pub(super) fn sample(tenant: &Tenant, count: usize) {
    let folder = tempfile::tempdir().unwrap();
    tenant.write(folder.path());
    let before = load(folder.path());
    let after = changed(&before);
    // Every second of these has a role; administrators are few.
    let people = some(folder.path(), "people", |number, line| {
        number % 25 == 0 || line.contains("configMgr")
    });
    // An odd step: devices take turns among the hierarchies.
    let step = (tenant.devices as usize / 2_000) | 1;
    let devices = some(folder.path(), "devices", |number, _| number % step == 0);
    let base = some(folder.path(), "base", |_, _| true);
    let changed = base.iter().cloned().map(changed_entity).collect();
    let plain = [base, changed].map(|base: Vec<Value>| {
        let all: Vec<Value> = [base, people.clone(), devices.clone()].concat();
        Entities::from_json_value(all.into(), Some(before.bundle().schema())).unwrap()
    });
    let policies = plain::policies(&before);
    let permissions = before.bundle().vocabulary().permissions();
    let actions: Vec<EntityUid> = permissions
        .filter(|action| {
            action.applies_to(
                uid_of(&people[0]).type_name(),
                uid_of(&devices[0]).type_name(),
            )
        })
        .map(|action| action.uid.clone())
        .collect();
    let states = States {
        before: &before,
        after: &after,
    };
    let comparison = states.compare(|_, _| Context::empty());
    let each = count.div_ceil(people.len());
    let found: Vec<[usize; 3]> = people
        .par_iter()
        .enumerate()
        .map(|(number, person)| {
            let person = uid_of(person);
            // Every person meets other devices, and asks for each with another action.
            let asked: Vec<(EntityUid, EntityUid)> = (number * each..(number + 1) * each)
                .map(|at| {
                    (
                        actions[at % actions.len()].clone(),
                        uid_of(&devices[at * 7 % devices.len()]),
                    )
                })
                .collect();
            let ours = comparison.decisions(&person, &asked);
            let mut found = [0; 3];
            for ((action, device), ours) in asked.into_iter().zip(ours) {
                let request = plain::request(&Request {
                    principal: person.clone(),
                    action: action.clone(),
                    resource: device.clone(),
                    context: Context::empty(),
                });
                for (entities, ours) in plain.iter().zip(ours) {
                    let response = Authorizer::new().is_authorized(&request, &policies, entities);
                    let theirs = match response.decision() {
                        _ if response.diagnostics().errors().next().is_some() => {
                            Decision::Indeterminate
                        }
                        cedar_policy::Decision::Allow => Decision::Allow,
                        cedar_policy::Decision::Deny => Decision::Deny,
                    };
                    assert_eq!(ours, Some(theirs), "{person} {action} {device}");
                    found[theirs as usize] += 1;
                }
            }
            found
        })
        .collect();
    let sum = |at: usize| found.iter().map(|found| found[at]).sum::<usize>();
    println!(
        "\n{} decisions about {} people and {} devices, before and after, are those of plain Cedar: \
         {} allow, {} deny, {} indeterminate",
        found.iter().flatten().sum::<usize>() / 2,
        people.len(),
        devices.len(),
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
