//! What an engine keeps of the clauses of policies changes no decision, answer or finding.

use std::sync::Arc;

use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use serde_json::{Value, json};
use tarbac::bundle::Texts;
use tarbac::decision::{Decision, Request};
use tarbac::source::Source;
use tarbac::{Engine, Switches};

use super::both::{Both, bundle_of, directory_of};
use super::random::Dice;
use crate::world::{entity, uid, uids};

/// Another engine of the same policies and entities, which asks Cedar about each clause each time.
fn forgetful(engine: &Engine) -> Engine {
    let (bundle, directory) = (Arc::clone(engine.bundle()), Arc::clone(engine.directory()));
    let switches = Switches {
        on: engine.readings().to_vec(),
        ..Switches::default()
    };
    Engine::new(bundle, directory, &switches)
        .unwrap()
        .keeping_nothing()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn answers_on_random_worlds(seed in any::<u64>()) {
        let dice = &mut Dice(seed);
        let both = Both::of(dice, &Switches::default());
        let forgetful = forgetful(&both.engine);
        prop_assert_eq!(both.engine.findings(), forgetful.findings(), "seed {}", seed);
        let now = json!({ "now": "2026-11-23T08:05:00Z" });
        let all = both.requests();
        for _ in 0..200 {
            let mut request = all[dice.roll(all.len())].clone();
            if dice.roll(4) == 0 {
                request.context = both.engine.context(&request.action, now.clone()).unwrap();
            }
            let (answer, anew) = (both.engine.answer(&request), forgetful.answer(&request));
            prop_assert_eq!(answer, anew, "{:?} seed {}", request, seed);
            let (decided, anew) = (both.engine.decide(&request), forgetful.decide(&request));
            prop_assert_eq!(decided, anew, "{:?} seed {}", request, seed);
        }
    }

    #[test]
    fn decisions_of_several_threads(seed in any::<u64>()) {
        let dice = &mut Dice(seed);
        let both = Both::of(dice, &Switches::default());
        let forgetful = forgetful(&both.engine);
        let requests = both.requests();
        let expected = requests.iter().map(|request| (forgetful.decide(request), request));
        let expected: Vec<_> = expected.collect();
        std::thread::scope(|scope| {
            for start in [0, requests.len() / 2] {
                let (engine, expected) = (&both.engine, &expected);
                scope.spawn(move || {
                    for (outcome, request) in expected.iter().cycle().skip(start).take(expected.len()) {
                        assert_eq!(engine.decide(request), *outcome, "{request:?} seed {seed}");
                    }
                });
            }
        });
    }
}

/// Rules in which each clause compares the two parties of a request in another way, about people and boxes of whom no
/// two are alike.
fn boxes() -> Both {
    let texts = Texts {
        schema: vec![Source::held(
            "box.cedarschema",
            "entity Room in [Room] { owner?: Person };
             entity Person in [Room] { name: String, boxes: Set<Box>, rooms: Set<Room>, at: { desk: Room, age: Long } };
             entity Box in [Room] { name: String, size: Long, owner?: Person, makers: Set<Person>, room: Room };
             action open, close, move, paint, lift, lock, label, sell, keep, count
               appliesTo { principal: Person, resource: Box, context: { size?: Long } };",
        )],
        policies: vec![Source::held(
            "box.cedar",
            r#"
            @id("open") permit (principal, action == Action::"open", resource) when { resource in principal.rooms };
            @id("close") permit (principal, action == Action::"close", resource) when { principal.boxes.contains(resource) };
            @id("move") permit (principal, action == Action::"move", resource) when { resource has owner && resource.owner == principal };
            @id("paint") permit (principal, action == Action::"paint", resource) when { resource.makers.contains(principal) || principal.at.age > resource.size };
            @id("lift") permit (principal, action == Action::"lift", resource) when { principal.at.age == resource.size };
            @id("lock") permit (principal, action == Action::"lock", resource) when { principal in resource.room };
            @id("label") permit (principal, action == Action::"label", resource) when { resource.name like "b*" && principal.name != resource.name };
            @id("sell") permit (principal, action == Action::"sell", resource) unless { context has size && context.size > resource.size };
            @id("keep") permit (principal in Room::"r1", action == Action::"keep", resource in Room::"r2");
            @id("count") permit (principal, action == Action::"count", resource) when { resource.room has owner && (resource.room.owner == principal || principal.rooms.containsAny([resource.room])) };
            "#,
        )],
        ..Texts::default()
    };
    Both::made(
        rooms_people_and_boxes().into(),
        &texts,
        &[],
        &Switches::default(),
    )
}

fn rooms_people_and_boxes() -> Vec<Value> {
    let room = |number: u32| format!("r{number}");
    let mut all = Vec::new();
    for number in 0..4 {
        let owner = match number % 2 {
            0 => json!({ "owner": uid("Person", &format!("p{number}")) }),
            _ => json!({}),
        };
        let above = room(number + 1);
        let parents = [("Room", above.as_str())];
        let parents = &parents[..usize::from(number < 3)];
        all.push(entity("Room", &room(number), owner, parents));
    }
    for number in 0..6_u32 {
        let name = format!("b{}", number % 3);
        let other = room(number % 4);
        let person = json!({
            "name": name,
            "boxes": uids("Box", &[&format!("b{number}"), &format!("b{}", number / 2)]),
            "rooms": uids("Room", &[&room(number % 3)]),
            "at": { "desk": uid("Room", &other), "age": number },
        });
        all.push(entity(
            "Person",
            &format!("p{number}"),
            person,
            &[("Room", &other)],
        ));
        let mut boxed = json!({
            "name": format!("{}{}", if number == 5 { "x" } else { "b" }, number % 2),
            "size": number / 2,
            "makers": uids("Person", &[&format!("p{}", number / 3)]),
            "room": uid("Room", &other),
        });
        if number > 2 {
            boxed["owner"] = uid("Person", &format!("p{}", number - 2));
        }
        all.push(entity(
            "Box",
            &format!("b{number}"),
            boxed,
            &[("Room", &other)],
        ));
    }
    all
}

/// Each way to compare is decided as by Cedar, for one after the other, and each allows somebody and refuses somebody.
#[test]
fn each_way_to_compare() {
    let both = boxes();
    let forgetful = forgetful(&both.engine);
    let uid = |type_name: &str, id: String| {
        cedar_policy::EntityUid::from_type_name_and_id(
            type_name.parse().unwrap(),
            cedar_policy::EntityId::new(id),
        )
    };
    for action in both.engine.bundle().vocabulary().permissions() {
        let mut allowed = 0;
        for number in 0..72_u32 {
            let about = match number / 36 {
                0 => json!({}),
                _ => json!({ "size": 1 }),
            };
            let request = Request {
                principal: uid("Person", format!("p{}", number % 6)),
                action: action.uid.clone(),
                resource: uid("Box", format!("b{}", number / 6 % 6)),
                context: both.engine.context(&action.uid, about).unwrap(),
            };
            let outcome = both.engine.decide(&request);
            let (decision, policies, errors) = both.plain(&request);
            assert_eq!(outcome.decision, decision, "{request:?}");
            assert_eq!((&outcome.policies, &outcome.errors), (&policies, &errors));
            assert_eq!(outcome, forgetful.decide(&request));
            allowed += u32::from(decision == Decision::Allow);
        }
        assert!((1..72).contains(&allowed), "{}: {allowed}", action.id());
    }
}

/// The laws would hold of an engine that keeps nothing: this one keeps, and asks nothing anew.
#[test]
fn clauses_are_kept() {
    let dice = &mut Dice(7);
    let both = Both::of(dice, &Switches::default());
    let requests = both.requests();
    let mut kept = Vec::new();
    for _ in 0..2 {
        for request in &requests {
            both.engine.answer(request);
        }
        kept.push(both.engine.kept());
    }
    assert!(kept[0] > 50 && kept[0] < requests.len() * 5, "{kept:?}");
    assert_eq!(kept[0], kept[1]);
    let forgetful = forgetful(&both.engine);
    forgetful.answer(&requests[0]);
    assert_eq!(forgetful.kept(), 0);
}

/// A clause that fails for one says so for each, with the entity of each.
#[test]
fn what_fails_is_not_kept() {
    let texts = Texts {
        schema: vec![Source::held(
            "box.cedarschema",
            "entity Person; entity Box { size: Long };
             action open appliesTo { principal: Person, resource: Box };",
        )],
        policies: vec![Source::held(
            "box.cedar",
            "@id(\"open\") permit (principal, action, resource) when { resource.size + 9223372036854775806 > 0 };",
        )],
        ..Texts::default()
    };
    let boxed = |id: &str, size: u8| entity("Box", id, json!({ "size": size }), &[]);
    let bundle = bundle_of(&texts);
    let all = json!([
        entity("Person", "ada", json!({}), &[]),
        boxed("small", 1),
        boxed("large", 2),
        boxed("larger", 2)
    ]);
    let directory = directory_of(&all, &bundle);
    let engine = Engine::new(Arc::new(bundle), Arc::new(directory), &Switches::default()).unwrap();
    for _ in 0..2 {
        let decided = ["small", "large", "larger"].map(|id| {
            let decided = engine.decide(&Request {
                principal: "Person::\"ada\"".parse().unwrap(),
                action: "Action::\"open\"".parse().unwrap(),
                resource: format!("Box::{id:?}").parse().unwrap(),
                context: cedar_policy::Context::empty(),
            });
            decided.decision
        });
        let [small, large, larger] = decided;
        assert_eq!(small, Decision::Allow);
        assert_eq!([large, larger], [Decision::Indeterminate; 2]);
    }
}
