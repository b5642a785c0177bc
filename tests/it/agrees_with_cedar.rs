//! The engine against plain Cedar: on random directories, policies and requests, the decision and
//! the determining policies are those of `Authorizer::is_authorized` over everything.

mod access_review;
pub(crate) mod both;
mod by_class;
mod everybody;
mod impact;
mod kept;
mod proofs;
pub(crate) mod random;
mod supposed;

use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{Context, EntityUid};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};
use tarbac::bulk::class::Classes;
use tarbac::decision::Request;
use tarbac::engine::Engine;
use tarbac::{Switches, assembly, shipped};

use crate::world::given;
use both::Both;
pub(crate) use both::{bundle_of, directory_of};
use random::{DEVICES, Dice, PEOPLE, random_directory};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn decisions_are_those_of_cedar_on_random_worlds(seed in any::<u64>()) {
        let dice = &mut Dice(seed);
        let switches = Switches {
            on: dice.some(&["default-scope-tag", "discovery-either", "observed-roles"]).into_iter().map(str::to_owned).collect(),
            off: dice.some(&["any-intune-role", "entra-administrators"]).into_iter().map(str::to_owned).collect(),
        };
        let both = Both::of(dice, &switches);
        let engine = &both.engine;
        let timed = both.contexts(&json!({ "now": "2026-11-23T08:05:00Z" }));
        for mut request in both.requests() {
            if dice.coin() {
                request.context = timed[&request.action].clone();
            }
            let outcome = engine.decide(&request);
            let (decision, determining, errors) = both.plain(&request);
            prop_assert_eq!(&outcome.policies, &determining, "{:?} seed {}", request, seed);
            prop_assert_eq!(&outcome.errors, &errors, "{:?} seed {}", request, seed);
            prop_assert_eq!(outcome.decision, decision, "{:?} seed {}", request, seed);
            // A world that was not changed decides as the directory does.
            let world = engine.slice(&request).unwrap();
            prop_assert_eq!(engine.decide_in(&request, &world), outcome.clone());
            // The policies asked one by one come to the same.
            let action = engine.bundle().vocabulary().action(&request.action).unwrap();
            let trial = engine.trial(&request).unwrap();
            prop_assert_eq!(engine.applied(action, &trial).outcome(), outcome.clone());
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// People of one class, and devices of one class, are decided about alike.
    #[test]
    fn classes_on_random_worlds(seed in any::<u64>()) {
        let dice = &mut Dice(seed);
        let engine = Both::of(dice, &Switches::default()).engine;
        let all = |type_name: &str, ids: &[&str]| -> Vec<EntityUid> {
            ids.iter().map(|id| EntityUid::from_str(&format!("{type_name}::\"{id}\"")).unwrap()).collect()
        };
        let (people, devices) = (all("Entra::User", PEOPLE), all("ConfigMgr::Device", DEVICES));
        for action in engine.bundle().vocabulary().permissions().filter(|action| action.id() != "updateRoles") {
            let decide = |principal: &EntityUid, resource: &EntityUid| {
                engine.decide(&Request {
                    principal: principal.clone(),
                    action: action.uid.clone(),
                    resource: resource.clone(),
                    context: Context::empty(),
                })
            };
            for class in Classes::new(&engine, &people).members() {
                for person in class {
                    for device in &devices {
                        prop_assert_eq!(decide(&class[0], device), decide(person, device), "seed {}", seed);
                    }
                }
            }
            for class in Classes::new(&engine, &devices).members() {
                for device in class {
                    for person in &people {
                        prop_assert_eq!(decide(person, &class[0]), decide(person, device), "seed {}", seed);
                    }
                }
            }
        }
    }

    /// A directory with one entity put in is the one that is read from files with that entity.
    #[test]
    fn an_entity_put_in_random_worlds(seed in any::<u64>()) {
        let dice = &mut Dice(seed);
        let mut json = random_directory(dice);
        let texts = shipped::rules().alone();
        let switches = Switches::default();
        let engine_of = |json: &Value| {
            let bundle = bundle_of(&texts);
            let directory = directory_of(json, &bundle);
            Engine::new(Arc::new(bundle), Arc::new(directory), &switches).unwrap()
        };
        let before = engine_of(&json);
        let people: Vec<usize> = json
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .filter(|(_, entity)| entity["uid"]["type"] == "Entra::User")
            .map(|(index, _)| index)
            .collect();
        let person = &mut json[people[dice.roll(people.len())]];
        let cloud_only = person["attrs"]["cloudOnly"].as_bool().unwrap();
        person["attrs"]["cloudOnly"] = json!(!cloud_only);
        if dice.coin() {
            person["parents"] = json!([]);
        }
        let put_in = given(&Value::Array(vec![person.clone()]));
        let (changed, findings) = assembly::with_entities(&before, &put_in, &switches).unwrap();
        // Some random worlds are refused, for example those in which people cross tenants.
        let Some(changed) = changed else {
            prop_assert!(!findings.is_empty());
            return Ok(());
        };
        let after = engine_of(&json);
        for action in after.bundle().vocabulary().permissions().filter(|action| action.id() != "updateRoles") {
            for person in PEOPLE {
                for device in DEVICES {
                    let request = Request {
                        principal: EntityUid::from_str(&format!("Entra::User::\"{person}\"")).unwrap(),
                        action: action.uid.clone(),
                        resource: EntityUid::from_str(&format!("ConfigMgr::Device::\"{device}\"")).unwrap(),
                        context: Context::empty(),
                    };
                    prop_assert_eq!(changed.decide(&request), after.decide(&request), "seed {}", seed);
                }
            }
        }
    }
}
