//! What is supposed of random worlds beside worlds in which it is written.

use std::collections::HashMap;

use proptest::prelude::{ProptestConfig, any, prop_assert_eq, prop_assume, proptest};
use serde_json::Value;
use tarbac::Switches;
use tarbac::change::what_if::{Change, suppose};
use tarbac::lookup::Lookup;
use tarbac::who_what::Who;

use super::both::Both;
use super::random::Dice;

/// A change, as it is typed, and made by hand in the entities.
fn random_change(dice: &mut Dice, json: &mut Value) -> Change {
    let (flag, attribute) = dice.pick(&[
        ("use-intune-rbac", "useIntuneRbac"),
        ("enforce-configmgr-rbac", "enforceConfigMgrRbac"),
        ("site-version", "version"),
        ("", "cloudOnly"),
    ]);
    let value = match attribute {
        "version" => dice.pick(&["2107", "2203", "2207", "2403"]),
        _ => dice.pick(&["true", "false"]),
    };
    let entities = json.as_array_mut().unwrap();
    let mut having: Vec<&mut Value> = entities
        .iter_mut()
        .filter(|entity| entity["attrs"].get(attribute).is_some())
        .collect();
    let of_all = !flag.is_empty() && dice.coin();
    if !of_all {
        let one = having.swap_remove(dice.roll(having.len()));
        having = vec![one];
    }
    let mut names = Vec::new();
    for entity in having {
        entity["attrs"][attribute] = value.parse::<Value>().unwrap();
        let (type_name, id) = (&entity["uid"]["type"], &entity["uid"]["id"]);
        names.push(match flag {
            "" => format!("{}::{id}", type_name.as_str().unwrap()),
            _ => id.as_str().unwrap().to_owned(),
        });
    }
    match (flag, of_all) {
        ("", _) => Change::Set(format!("{}.{attribute}={value}", names[0])),
        (flag, true) => Change::Flag {
            flag: flag.to_owned(),
            value: value.to_owned(),
        },
        (flag, false) => Change::Flag {
            flag: flag.to_owned(),
            value: format!("{}={value}", names[0]),
        },
    }
}

/// The entities without what a workspace may not have: everybody and every assignment in one tenant, and what is
/// in collections in those of its own hierarchy.
fn conforming(mut json: Value) -> Value {
    let entities = json.as_array_mut().unwrap();
    let hierarchy = |entity: &Value| entity["attrs"]["hierarchy"]["id"].clone();
    let collections = entities
        .iter()
        .filter(|entity| entity["uid"]["type"] == "ConfigMgr::Collection");
    let of: HashMap<String, Value> = collections
        .map(|entity| (entity["uid"]["id"].to_string(), hierarchy(entity)))
        .collect();
    for entity in entities {
        let own = hierarchy(entity);
        if entity["uid"]["type"] == "Entra::User" {
            entity["attrs"]["tenant"]["id"] = "t0".into();
        }
        let is_link = entity["uid"]["type"] == "Intune::RoleAssignment";
        let parents = entity["parents"].as_array_mut().unwrap();
        parents.retain(|parent| match parent["type"].as_str().unwrap() {
            "ConfigMgr::Collection" => of.get(&parent["id"].to_string()) == Some(&own),
            "Intune::Tenant" => is_link,
            _ => true,
        });
        for parent in parents {
            if parent["type"] == "Intune::Tenant" {
                parent["id"] = "t0".into();
            }
        }
    }
    json
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A question with a change is the same question about the world in which the change was made by hand.
    #[test]
    fn on_random_worlds(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let switches = Switches::default();
        let world = Both::of(&mut dice, &switches);
        let world = world.with(conforming(world.json.clone()), world.texts.clone());
        let mut json = world.json.clone();
        let change = random_change(&mut dice, &mut json);
        let written = world.with(json, world.texts.clone());
        let supposed = suppose(&world.engine, &[change], &switches);
        // A workspace of which policies find errors is not loaded either.
        prop_assume!(supposed.is_ok());
        let (supposed, premises) = supposed.unwrap();
        let is_same = world.json == written.json;
        prop_assert_eq!(premises.says.is_empty(), is_same, "seed {}: {:?}", seed, premises);
        for request in written.requests() {
            let (decision, determining, _) = written.plain(&request);
            let answer = supposed.answer(&request);
            prop_assert_eq!(answer.outcome.decision, decision, "seed {}: {:?}", seed, request);
            prop_assert_eq!(&answer, &written.engine.answer(&request), "seed {}", seed);
            if answer.outcome.errors.is_empty() {
                prop_assert_eq!(&answer.outcome.policies, &determining, "seed {}", seed);
            }
        }
        let names = Lookup::new(&written.engine);
        for device in names.all(tarbac::lookup::RequestPart::Resource) {
            for action in written.engine.bundle().vocabulary().permissions() {
                if action.resources.contains(device.type_name()) {
                    let context = written.context(&action.uid);
                    let who = |engine| Who::new(engine, action, &device, usize::MAX, &context);
                    prop_assert_eq!(who(&supposed), who(&written.engine), "seed {}", seed);
                }
            }
        }
    }
}
