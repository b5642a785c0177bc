//! Who may and what somebody may, about everybody and everything in random worlds beside plain Cedar.

use std::collections::BTreeMap;
use std::str::FromStr;

use cedar_policy::EntityUid;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use proptest::test_runner::TestCaseResult;
use serde_json::{Value, json};
use tarbac::Switches;
use tarbac::bundle::Action;
use tarbac::decision::Decision;
use tarbac::who_what::{What, Who};

use super::both::Both;
use super::impact::impact;
use super::random::{DEVICES, Dice, PEOPLE, random_tenants};
/// What may be known about a request.
fn random_context(dice: &mut Dice) -> Value {
    match dice.roll(3) {
        0 => json!({}),
        1 => json!({ "now": "2026-11-23T08:05:00Z" }),
        _ => json!({ "now": "2026-11-23T15:00:00Z" }),
    }
}

fn small(dice: &mut Dice) -> Both {
    let about = random_context(dice);
    Both::of(dice, &Switches::default()).asked(PEOPLE, DEVICES, about)
}

/// A world of 2,400 pairs of a person and a device; policies name the first of both.
fn large(dice: &mut Dice) -> Both {
    let ids = |prefix: &str, count: usize| -> Vec<String> {
        (0..count)
            .map(|number| format!("{prefix}{number}"))
            .collect()
    };
    let (people, devices) = (ids("p", 30), ids("d", 80));
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let devices: Vec<&str> = devices.iter().map(String::as_str).collect();
    let about = random_context(dice);
    let entities = |dice: &mut Dice| random_tenants(dice, &people, &devices);
    let world = Both::of_entities(dice, entities, &Switches::default());
    world.asked(&people, &devices, about)
}

/// Two states of the same people and devices: worlds of their own, or one with something turned.
fn two(dice: &mut Dice, world: impl Fn(&mut Dice) -> Both) -> (Both, Both) {
    let one = world(dice);
    let other = match dice.coin() {
        true => world(dice),
        false => one.turned(dice),
    };
    let other = Both {
        people: one.people.clone(),
        devices: one.devices.clone(),
        about: one.about.clone(),
        ..other
    };
    match dice.coin() {
        true => (one, other),
        false => (other, one),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn who_and_what_on_random_worlds(seed in any::<u64>()) {
        who_and_what(&small(&mut Dice(seed)), seed)?;
    }

    #[test]
    fn impact_on_random_worlds(seed in any::<u64>()) {
        let (before, after) = two(&mut Dice(seed), small);
        impact(&before, &after, seed)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2))]

    #[test]
    fn who_and_what_on_large_random_worlds(seed in any::<u64>()) {
        who_and_what(&large(&mut Dice(seed)), seed)?;
    }

    #[test]
    fn impact_on_large_random_worlds(seed in any::<u64>()) {
        let (before, after) = two(&mut Dice(seed), large);
        impact(&before, &after, seed)?;
    }
}

/// By person, action and resource: the decision, and what determines it.
type Answers = BTreeMap<(EntityUid, EntityUid, EntityUid), (Decision, Vec<String>)>;

/// Who may, and what somebody may, is what plain Cedar says of each person, action and resource.
fn who_and_what(both: &Both, seed: u64) -> TestCaseResult {
    let plain = plain(both);
    let mut by_who = Answers::new();
    let mut asked: Vec<_> = plain
        .keys()
        .map(|(_, action, resource)| (action, resource))
        .collect();
    asked.sort();
    asked.dedup();
    for (action, resource) in asked {
        ask_who(both, action, resource, &mut by_who)?;
    }
    prop_assert_eq!(&by_who, &plain, "seed {}", seed);

    let mut by_what = Answers::new();
    for person in &both.people {
        let person = EntityUid::from_str(&format!("Entra::User::\"{person}\"")).unwrap();
        ask_what(both, &person, &mut by_what);
    }
    prop_assert_eq!(&by_what, &plain, "seed {}", seed);
    Ok(())
}

fn plain(both: &Both) -> Answers {
    let requests = both.requests().into_iter();
    requests
        .map(|request| {
            let (decision, determining, _) = both.plain(&request);
            let key = (request.principal, request.action, request.resource);
            (key, (decision, determining))
        })
        .collect()
}

fn ask_who(
    both: &Both,
    action: &EntityUid,
    resource: &EntityUid,
    answers: &mut Answers,
) -> TestCaseResult {
    let known = both.engine.bundle().vocabulary().action(action).unwrap();
    let who = Who::new(
        &both.engine,
        known,
        resource,
        usize::MAX,
        &both.context(action),
    );
    let key = |person: EntityUid| (person, action.clone(), resource.clone());
    for permitted in who.may {
        for path in &permitted.paths {
            prop_assert_eq!(&path.steps[0].uid, &permitted.principal.uid);
        }
        let allowed = (Decision::Allow, permitted.policies);
        answers.insert(key(permitted.principal.uid), allowed);
    }
    for refused in who.may_not.into_iter().chain(who.unknown) {
        let decided = (refused.outcome.decision, refused.outcome.policies);
        prop_assert_eq!(refused.principals.len(), refused.count);
        for person in refused.principals {
            answers.insert(key(person.uid), decided.clone());
        }
    }
    Ok(())
}

fn ask_what(both: &Both, person: &EntityUid, answers: &mut Answers) {
    let vocabulary = both.engine.bundle().vocabulary();
    let context = |action: &Action| both.context(&action.uid);
    for alike in What::new(&both.engine, person, None, usize::MAX, context).alike {
        for decided in &alike.decisions {
            let mut permissions = vocabulary.permissions();
            let action = permissions
                .find(|action| action.id() == decided.action)
                .unwrap();
            for resource in &alike.resources {
                let key = (person.clone(), action.uid.clone(), resource.uid.clone());
                answers.insert(key, (decided.decision, decided.policies.clone()));
            }
        }
    }
}
