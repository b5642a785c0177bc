//! Decisions kept by class are those that are made anew, on random worlds, whatever is kept and whoever asks
//! besides.

use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{Context, EntityUid};
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use proptest::test_runner::TestCaseResult;
use serde_json::json;
use tarbac::bulk::decider::Decider;
use tarbac::bundle::Texts;
use tarbac::decision::{Decision, Request};
use tarbac::source::Source;
use tarbac::{Engine, Switches};

use super::both::{Both, bundle_of, directory_of};
use super::random::{DEVICES, Dice, PEOPLE, random_directory};
use crate::world::entity;

const COPIES: usize = 3;

/// The ids of copies of somebody or something.
fn copies<'a>(ids: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    (0..COPIES).flat_map(|copy| {
        ids.iter()
            .map(move |id| format!("{id}{}", "x".repeat(copy)))
    })
}

/// A random world in which there are others like each person and each device, but for their ids and names.
fn world(dice: &mut Dice) -> Both {
    let entities = |dice: &mut Dice| {
        let mut all = random_directory(dice);
        let entities = all.as_array_mut().unwrap();
        for entity in entities.clone() {
            let type_name = entity["uid"]["type"].as_str().unwrap();
            let name = match type_name {
                "Entra::User" => "/attrs/userPrincipalName",
                "ConfigMgr::Device" => "/attrs/name",
                _ => continue,
            };
            for copy in 1..COPIES {
                let mut other = entity.clone();
                for text in ["/uid/id", name] {
                    let text = other.pointer_mut(text).unwrap();
                    *text = json!(format!("{}{}", text.as_str().unwrap(), "x".repeat(copy)));
                }
                entities.push(other);
            }
        }
        all
    };
    let (people, devices): (Vec<String>, Vec<String>) =
        (copies(PEOPLE).collect(), copies(DEVICES).collect());
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let devices: Vec<&str> = devices.iter().map(String::as_str).collect();
    Both::of_entities(dice, entities, &Switches::default()).asked(&people, &devices, json!({}))
}

/// Some requests of a world, in any order and some more than once; with the time of some of them.
fn requests(dice: &mut Dice, both: &Both, count: usize) -> Vec<Request> {
    let all = both.requests();
    let times = ["2026-11-23T08:05:00Z", "2026-11-23T15:00:00Z"];
    (0..count)
        .map(|_| {
            let mut request = all[dice.roll(all.len())].clone();
            if dice.roll(4) == 0 {
                let now = json!({ "now": dice.pick(&times) });
                request.context = both.engine.context(&request.action, now).unwrap();
            }
            request
        })
        .collect()
}

fn agrees(decider: &Decider<&Engine>, both: &Both, request: &Request, seed: u64) -> TestCaseResult {
    let directory = both.engine.directory();
    let (principal, resource) = (&request.principal, &request.resource);
    let rows = directory.row(principal).zip(directory.row(resource));
    let outcome = match rows.filter(|_| seed % 2 == 1) {
        Some((principal, resource)) => {
            let rows = (principal, &request.action, resource);
            decider.decide_rows(rows, &request.context)
        }
        None => decider.decide(request),
    };
    let (decision, determining, errors) = both.plain(request);
    prop_assert_eq!(
        &outcome.policies,
        &determining,
        "{:?} seed {}",
        request,
        seed
    );
    prop_assert_eq!(&outcome.errors, &errors, "{:?} seed {}", request, seed);
    prop_assert_eq!(outcome.decision, decision, "{:?} seed {}", request, seed);
    prop_assert_eq!(
        &*outcome,
        &both.engine.decide(request),
        "{:?} seed {}",
        request,
        seed
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn on_random_worlds(seed in any::<u64>()) {
        let dice = &mut Dice(seed);
        let both = world(dice);
        let decider = match dice.roll(3) {
            0 => Decider::new(&both.engine),
            // What is kept makes room for something else at once.
            1 => Decider::with_capacity(&both.engine, 1),
            _ => Decider::with_capacity(&both.engine, 1 + dice.roll(20)),
        };
        for request in requests(dice, &both, 300) {
            agrees(&decider, &both, &request, seed)?;
            if dice.roll(50) == 0 {
                decider.forget();
            }
        }
    }

    #[test]
    fn of_several_threads(seed in any::<u64>()) {
        let dice = &mut Dice(seed);
        let both = world(dice);
        let expected: Vec<_> = requests(dice, &both, 1_000)
            .into_iter()
            .map(|request| (both.engine.decide(&request), request))
            .collect();
        let decider = Decider::new(&both.engine);
        let starts: Vec<usize> = (0..4).map(|_| dice.roll(expected.len())).collect();
        std::thread::scope(|scope| {
            for start in starts {
                let (decider, expected) = (&decider, &expected);
                scope.spawn(move || {
                    for (outcome, request) in expected.iter().cycle().skip(start).take(expected.len()) {
                        assert_eq!(&*decider.decide(request), outcome, "{request:?} seed {seed}");
                    }
                });
            }
        });
    }
}

/// The law would hold of a decider that keeps nothing: this one does keep, across people and devices.
#[test]
fn most_requests_are_of_a_kind_that_is_known() {
    let dice = &mut Dice(7);
    let both = world(dice);
    let decider = Decider::new(Arc::new(
        Engine::new(
            Arc::clone(both.engine.bundle()),
            Arc::clone(both.engine.directory()),
            &Switches::default(),
        )
        .unwrap(),
    ));
    let requests = both.requests();
    for request in &requests {
        decider.decide(request);
    }
    let kept = decider.kept();
    assert!(
        kept > 0 && kept < requests.len() / 2,
        "{kept} of {}",
        requests.len()
    );
}

/// What goes wrong for one is no answer for another, and nobody who is not there is like somebody who is.
#[test]
fn errors_and_absence_are_of_one_alone() {
    let texts = Texts {
        schema: vec![Source::held(
            "box.cedarschema",
            "entity Person; entity Box { size: Long };
             action open appliesTo { principal: Person, resource: Box };",
        )],
        policies: vec![Source::held(
            "box.cedar",
            "@id(\"open\") permit (principal, action, resource) when { resource.size + 9223372036854775807 > 0 };",
        )],
        ..Texts::default()
    };
    let boxed = |id: &str, size: u8| entity("Box", id, json!({ "size": size }), &[]);
    let people = entity("Person", "here", json!({}), &[]);
    let bundle = bundle_of(&texts);
    let directory = directory_of(&json!([people, boxed("one", 1), boxed("two", 2)]), &bundle);
    let engine = Engine::new(Arc::new(bundle), Arc::new(directory), &Switches::default()).unwrap();
    let decider = Decider::new(&engine);
    for (person, resource) in [("here", "one"), ("here", "two"), ("nobody", "two")] {
        let uid = |type_name: &str, id: &str| {
            EntityUid::from_str(&format!("{type_name}::{id:?}")).unwrap()
        };
        let request = Request {
            principal: uid("Person", person),
            action: uid("Action", "open"),
            resource: uid("Box", resource),
            context: Context::empty(),
        };
        let outcome = decider.decide(&request);
        assert_eq!(*outcome, engine.decide(&request), "{person} {resource}");
        assert_eq!(outcome.decision, Decision::Indeterminate);
    }
    assert_eq!(decider.kept(), 0);
}
