//! Plans on random worlds beside plain Cedar, which is given nothing but what a plan says that somebody
//! should do.

mod kept;
mod random;

use cedar_policy::{Context, EntityUid};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use tarbac::bundle;
use tarbac::change::impact::States;
use tarbac::decision::Decision;
use tarbac::plan::{Plan, Planner, Proposal, Reason, RoleChange, RoleChangeKind};
use tarbac::source::Source;

use super::facts::Key;
use crate::agrees_with_cedar::both::Both;
use crate::agrees_with_cedar::random::{Dice, PEOPLE};
use kept::Kept;
use random::{changed, world};

/// What plain Cedar allows.
pub(super) fn allowed(both: &Both) -> BTreeSet<Key> {
    let directory = both.engine.directory();
    let mut allowed = BTreeSet::new();
    for request in both.requests() {
        let is_there =
            directory.defines(&request.principal) && directory.defines(&request.resource);
        if is_there && both.plain(&request).0 == Decision::Allow {
            allowed.insert((request.principal, request.action, request.resource));
        }
    }
    allowed
}

/// What is done of a change.
#[derive(Clone, Copy, PartialEq)]
enum Done {
    All,
    /// Roles are made and assigned, and give nothing.
    WithoutPermissions,
}

/// The world with changes, by what these say: policies in files, and role assignments.
fn with(world: &Both, changes: &[&RoleChange], done: Done) -> Both {
    let mut texts = world.texts.clone();
    let mut json = world.json.clone();
    let entities = json.as_array_mut().unwrap();
    let uid = |uid: &EntityUid| json!({ "type": uid.type_name().to_string(), "id": uid.id().unescaped() });
    for change in changes {
        for file in change.files.iter().filter(|_| done == Done::All) {
            texts.policies.retain(|source| source.name != file.path);
            texts
                .policies
                .push(Source::held(file.path.clone(), file.text.clone()));
        }
        let role = uid(&change.role.uid);
        if matches!(change.what, RoleChangeKind::Made | RoleChangeKind::Replaced) {
            entities.push(json!({ "uid": role.clone(), "attrs": {}, "parents": [] }));
        }
        for assigned in &change.assigned {
            let to = uid(&assigned.to.uid);
            let assigned = entities
                .iter_mut()
                .find(|entity| entity["uid"] == to)
                .unwrap();
            let parents = assigned["parents"].as_array_mut().unwrap();
            if let Some(instead) = &change.instead_of {
                parents.retain(|parent| *parent != uid(&instead.uid));
                parents.push(role.clone());
                continue;
            }
            let id = format!("{} to {}", role["id"], to["id"]);
            let assignment = json!({ "type": "Intune::RoleAssignment", "id": id });
            parents.push(assignment.clone());
            entities.push(json!({
                "uid": assignment,
                "attrs": {},
                "parents": [
                    role.clone(),
                    { "type": "Intune::Tenant", "id": "t0" },
                    { "type": "Intune::ScopeTag", "id": "*" },
                ],
            }));
        }
    }
    world.with(json, texts)
}

/// Changes in the same file are in it together.
fn without(proposal: &Proposal, number: usize) -> Option<Vec<&RoleChange>> {
    let changes = proposal.changes.iter().enumerate();
    let others: Vec<&RoleChange> = changes
        .filter(|(other, _)| *other != number)
        .map(|(_, change)| change)
        .collect();
    let path = |change: &RoleChange| change.files.first().map(|file| file.path.clone());
    let this = path(&proposal.changes[number]);
    let is_shared = others
        .iter()
        .any(|other| this.is_some() && path(other) == this);
    (!is_shared).then_some(others)
}

fn planned(before: &Both, after: &Both) -> Plan {
    let states = States {
        before: &before.engine,
        after: &after.engine,
    };
    let context = |_: &tarbac::Engine, _: &bundle::Action| Context::empty();
    let compare = |states: States<'_>| states.compare(context).impact(|| {});
    let impact = compare(states);
    let planning = Planner {
        states,
        impact: &impact,
        context: &context,
        compare: &compare,
    };
    let plan = planning.plan();
    plan.unwrap_or_else(|error| panic!("{error:#?}"))
}

/// Everybody whom a change gives its permissions.
fn reached(world: &Both, change: &RoleChange) -> BTreeSet<EntityUid> {
    let directory = world.engine.directory();
    let is_in = |person: &EntityUid, group: &EntityUid| {
        let (Some(person), Some(group)) = (directory.row(person), directory.row(group)) else {
            return false;
        };
        person == group || directory.ancestors(person).any(|row| row == group)
    };
    let people = PEOPLE.iter();
    let people = people.map(|id| {
        format!("Entra::User::\"{id}\"")
            .parse::<EntityUid>()
            .unwrap()
    });
    people
        .filter(|person| match change.what {
            RoleChangeKind::Extended => is_in(person, &change.role.uid),
            _ => change
                .assigned
                .iter()
                .any(|assigned| is_in(person, &assigned.to.uid)),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// With a plan nobody loses anything but what it says that no role keeps, nobody is given what they did
    /// not lose, no change is there for nothing, and no fewer changes do.
    #[test]
    fn what_is_lost_is_kept_on_random_worlds(seed in any::<u64>()) {
        let kept = Kept::new(&mut Dice(seed), seed);
        prop_assert!(kept.plan.is_verified(), "seed {}: {:#?}", seed, kept.plan);
        kept.what_is_lost_is_said()?;
        kept.no_role_keeps_it()?;
        kept.nobody_is_given_what_they_did_not_lose()?;
        kept.what_people_gain_is_said()?;
        kept.each_change_is_needed()?;
        kept.no_fewer_changes_do()?;
    }

    /// What a plan takes away costs nobody what they had before, and what it leaves is what it says.
    #[test]
    fn what_is_gained_is_taken_away_on_random_worlds(seed in any::<u64>()) {
        let dice = &mut Dice(seed);
        let before = world(dice);
        let after = changed(&before, dice);
        let plan = planned(&before, &after);
        prop_assert!(plan.is_verified(), "seed {}: {:#?}", seed, plan);
        let [was, is] = [&before, &after].map(allowed);
        let changes: Vec<&RoleChange> = plan.against_gains.changes.iter().collect();
        let spared = allowed(&with(&after, &changes, Done::All));
        for key in &spared {
            prop_assert!(is.contains(key), "seed {}: {:?}", seed, key);
        }
        for key in is.difference(&spared) {
            prop_assert!(!was.contains(key), "seed {}: {:?}", seed, key);
        }
        let stays: u64 = plan.gained.iter().map(|gained| gained.decisions).sum();
        prop_assert_eq!(stays, spared.difference(&was).count() as u64, "seed {}", seed);
        for gained in plan.gained.iter().filter(|gained| gained.reason == Reason::HadElsewhere) {
            for person in &gained.people {
                for permission in &gained.permissions {
                    let had = was.iter().any(|key| key.0 == person.uid && key.1 == permission.action && is.contains(key));
                    prop_assert!(had, "seed {}: {} {:?}", seed, person, permission);
                }
            }
        }
        for number in 0..changes.len() {
            if let Some(others) = without(&plan.against_gains, number) {
                let left = allowed(&with(&after, &others, Done::All));
                prop_assert!(left.difference(&was).count() as u64 > stays, "seed {}", seed);
            }
        }
    }
}

/// Every kind of change and every reason is met on the random worlds, or these show nothing.
#[test]
fn the_random_worlds_are_not_dull() {
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..60 {
        let dice = &mut Dice(seed);
        let before = world(dice);
        let plan = planned(&before, &changed(&before, dice));
        let changes = plan
            .against_losses
            .changes
            .iter()
            .chain(&plan.against_gains.changes);
        let kinds = changes.map(|change| format!("{:?}", change.what));
        let reasons = plan.gained.iter().map(|gained| match gained.reason {
            Reason::HadElsewhere => "HadElsewhere".to_owned(),
            Reason::Shared { .. } => "Shared".to_owned(),
            Reason::ByOther(_) => "ByOther".to_owned(),
        });
        for kind in kinds.chain(reasons) {
            *met.entry(kind).or_default() += 1;
        }
        let count = format!("{} changes", plan.against_losses.changes.len());
        *met.entry(count).or_default() += 1;
    }
    for kind in [
        "Extended",
        "Made",
        "Reduced",
        "Replaced",
        "HadElsewhere",
        "Shared",
        "ByOther",
        "2 changes",
    ] {
        assert!(met.contains_key(kind), "{kind}: {met:?}");
    }
}
