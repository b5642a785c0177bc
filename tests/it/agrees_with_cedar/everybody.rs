//! Who may, what somebody may, and what changes, about everybody and everything in random worlds beside plain
//! Cedar.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use cedar_policy::EntityUid;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use proptest::test_runner::TestCaseResult;
use serde_json::{Value, json};
use tarbac::Switches;
use tarbac::change::impact::{Affected, Direction, ImpactTotals, States};
use tarbac::decision::{Decision, Outcome};
use tarbac::explain::Named;
use tarbac::who_what::{What, Who};

use super::both::Both;
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

/// Who may, and what somebody may, is what plain Cedar says of each person, action and resource.
fn who_and_what(both: &Both, seed: u64) -> TestCaseResult {
    let engine = &both.engine;
    let permissions: Vec<_> = engine.bundle().vocabulary().permissions().collect();
    // By person, action and resource: the decision, and what determines it.
    let mut plain = BTreeMap::new();
    for request in both.requests() {
        let (decision, determining, _) = both.plain(&request);
        plain.insert(
            (request.principal, request.action, request.resource),
            (decision, determining),
        );
    }

    let mut by_who = BTreeMap::new();
    let mut asked: Vec<_> = plain
        .keys()
        .map(|(_, action, resource)| (action, resource))
        .collect();
    asked.sort();
    asked.dedup();
    for (action, resource) in asked {
        let known = engine.bundle().vocabulary().action(action).unwrap();
        let who = Who::new(engine, known, resource, usize::MAX, &both.context(action));
        for permitted in who.may {
            for path in &permitted.paths {
                prop_assert_eq!(&path.steps[0].uid, &permitted.principal.uid);
            }
            let key = (permitted.principal.uid, action.clone(), resource.clone());
            by_who.insert(key, (Decision::Allow, permitted.policies));
        }
        for refused in who.may_not.into_iter().chain(who.unknown) {
            let decided = (refused.outcome.decision, refused.outcome.policies);
            prop_assert_eq!(refused.principals.len(), refused.count);
            for person in refused.principals {
                by_who.insert(
                    (person.uid, action.clone(), resource.clone()),
                    decided.clone(),
                );
            }
        }
    }
    prop_assert_eq!(&by_who, &plain, "seed {}", seed);

    let mut by_what = BTreeMap::new();
    for person in both
        .people
        .iter()
        .map(|person| EntityUid::from_str(&format!("Entra::User::\"{person}\"")).unwrap())
    {
        for alike in What::new(engine, &person, None, usize::MAX, |action| {
            both.context(&action.uid)
        })
        .alike
        {
            for decided in &alike.decisions {
                let action = permissions
                    .iter()
                    .find(|action| action.id() == decided.action)
                    .unwrap();
                for resource in &alike.resources {
                    let key = (person.clone(), action.uid.clone(), resource.uid.clone());
                    by_what.insert(key, (decided.decision, decided.policies.clone()));
                }
            }
        }
    }
    prop_assert_eq!(&by_what, &plain, "seed {}", seed);
    Ok(())
}

/// What changes between two worlds, for whom and on what, is what plain Cedar says of each person,
/// action and resource in both.
fn impact(before: &Both, after: &Both, seed: u64) -> TestCaseResult {
    // By person, action and resource, where both are there.
    type Decided = Option<(Decision, Vec<String>)>;
    let decided = |both: &Both| -> BTreeMap<(EntityUid, EntityUid, EntityUid), Decided> {
        let directory = both.engine.directory();
        both.requests()
            .into_iter()
            .map(|request| {
                let is_there =
                    directory.defines(&request.principal) && directory.defines(&request.resource);
                let decided = is_there.then(|| {
                    let (decision, determining, _) = both.plain(&request);
                    (decision, determining)
                });
                (
                    (request.principal, request.action, request.resource),
                    decided,
                )
            })
            .collect()
    };
    let (plain_before, plain_after) = (decided(before), decided(after));
    let mut plain = BTreeMap::new();
    let mut totals = ImpactTotals::default();
    for (key, was) in &plain_before {
        let is = &plain_after[key];
        let is_decided = |of: &Decided, as_what: Decision| {
            of.as_ref()
                .is_some_and(|(decision, _)| *decision == as_what)
        };
        let [may, might] = [is, was].map(|of| is_decided(of, Decision::Allow));
        totals.decisions += u64::from(was.is_some() || is.is_some());
        totals.allowed_before += u64::from(might);
        totals.allowed_after += u64::from(may);
        totals.unknown_before += u64::from(is_decided(was, Decision::Indeterminate));
        totals.unknown_after += u64::from(is_decided(is, Decision::Indeterminate));
        let is_unknown = |of: &Decided| is_decided(of, Decision::Indeterminate);
        let direction = match (might, may) {
            (false, true) => Direction::Gained,
            (true, false) => Direction::Lost,
            (false, false) if is_unknown(was) != is_unknown(is) => Direction::Undecided,
            _ => continue,
        };
        plain.insert(key.clone(), (direction, was.clone(), is.clone()));
    }
    let distinct = |direction: Option<Direction>,
                    part: fn(&(EntityUid, EntityUid, EntityUid)) -> &EntityUid| {
        let of = plain
            .iter()
            .filter(|(_, (of, _, _))| direction.is_none_or(|direction| *of == direction));
        of.map(|(key, _)| part(key)).collect::<BTreeSet<_>>().len() as u64
    };
    let changed = |direction| plain.values().filter(|(of, _, _)| *of == direction).count() as u64;
    totals.gained = changed(Direction::Gained);
    totals.lost = changed(Direction::Lost);
    totals.undecided = changed(Direction::Undecided);
    totals.people_gaining = distinct(Some(Direction::Gained), |key| &key.0);
    totals.people_losing = distinct(Some(Direction::Lost), |key| &key.0);
    totals.resources = distinct(None, |key| &key.2);

    let states = States {
        before: &before.engine,
        after: &after.engine,
    };
    let comparison =
        states.compare(|engine, action| engine.context(&action.uid, before.about.clone()).unwrap());
    let mut impact = comparison.impact(|| {});
    comparison.detail(&mut impact.people, usize::MAX, || {});
    let mut found = BTreeMap::new();
    for touched in &impact.people {
        for change in &touched.changes {
            let outcome = |outcome: &Option<Outcome>| {
                outcome
                    .as_ref()
                    .map(|outcome| (outcome.decision, outcome.policies.clone()))
            };
            let resources = &change.resources;
            prop_assert_eq!(resources.len() as u64, change.count);
            for (group, count) in &change.groups {
                // What is no longer there is in what it was in.
                let is_in = |of: &&Named| {
                    let is_there = after.engine.directory().defines(&of.uid);
                    let directory = if is_there {
                        after.engine.directory()
                    } else {
                        before.engine.directory()
                    };
                    let row = directory.row(&group.uid);
                    directory
                        .ancestors(directory.row(&of.uid).unwrap())
                        .any(|above| Some(above) == row)
                };
                prop_assert_eq!(resources.iter().filter(is_in).count() as u64, *count);
            }
            let under: u64 = change.under.iter().map(|(_, count)| count).sum();
            prop_assert!(
                under == change.count || resources[0].uid.type_name().basename() == "Tenant"
            );
            for person in &touched.people {
                for resource in resources {
                    let key = (
                        person.uid.clone(),
                        change.action.clone(),
                        resource.uid.clone(),
                    );
                    let of = (
                        change.direction,
                        outcome(&change.before),
                        outcome(&change.after),
                    );
                    prop_assert!(found.insert(key, of).is_none());
                }
            }
        }
    }
    // What a page carries is out of reach where the page is refused, by page, person and resource.
    let may = |plain: &BTreeMap<_, Decided>, key: &(EntityUid, EntityUid, EntityUid)| {
        matches!(plain.get(key), Some(Some((Decision::Allow, _))))
    };
    let mut stuck: BTreeMap<(EntityUid, EntityUid), BTreeSet<EntityUid>> = BTreeMap::new();
    let mut carried = BTreeSet::new();
    let vocabulary = after.engine.bundle().vocabulary();
    for action in vocabulary.permissions() {
        let Some(page) = action.page().and_then(|page| vocabulary.permission(page)) else {
            continue;
        };
        for (person, of, resource) in plain_after.keys().filter(|(_, of, _)| *of == action.uid) {
            let (on_page, action) = (
                [person, &page.uid, resource].map(Clone::clone),
                [person, of, resource].map(Clone::clone),
            );
            let is_stuck =
                |plain| may(plain, &action.clone().into()) && !may(plain, &on_page.clone().into());
            if is_stuck(&plain_after) && !is_stuck(&plain_before) {
                stuck
                    .entry((page.uid.clone(), person.clone()))
                    .or_default()
                    .insert(resource.clone());
                carried.insert((
                    page.uid.clone(),
                    vocabulary.action(of).unwrap().short_name().to_owned(),
                ));
            }
        }
    }
    let counted: BTreeMap<_, _> = stuck
        .into_iter()
        .map(|(key, on)| (key, on.len() as u64))
        .collect();
    let unreachable = impact.pages.iter().flat_map(|page| {
        page.people
            .iter()
            .map(|of| ((page.page.clone(), of.person.uid.clone()), of.resources))
    });
    prop_assert_eq!(
        &unreachable.collect::<BTreeMap<_, _>>(),
        &counted,
        "seed {}",
        seed
    );
    let carries = impact.pages.iter().flat_map(|page| {
        page.carries
            .iter()
            .map(|name| (page.page.clone(), name.clone()))
    });
    prop_assert_eq!(&carries.collect::<BTreeSet<_>>(), &carried, "seed {}", seed);
    let everything = |touched: &&Affected| touched.loses_everything();
    let losing = impact
        .people
        .iter()
        .filter(everything)
        .map(|touched| touched.people.len() as u64);
    totals.people_losing_everything = losing.sum();
    prop_assert_eq!(&found, &plain, "seed {}", seed);
    prop_assert_eq!(&impact.totals, &totals, "seed {}", seed);
    Ok(())
}
