//! What changes between two random worlds, beside plain Cedar.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;
use proptest::prelude::{prop_assert, prop_assert_eq};
use proptest::test_runner::{TestCaseError, TestCaseResult};
use tarbac::bundle::Vocabulary;
use tarbac::change::impact::{Affected, ChangedDecision, Direction, Impact, ImpactTotals, States};
use tarbac::decision::{Decision, Outcome};
use tarbac::explain::Named;

use super::both::Both;

/// A person, an action and a resource.
type Key = (EntityUid, EntityUid, EntityUid);

/// The decision and what determines it, where both are there.
type Decided = Option<(Decision, Vec<String>)>;

type Answers = BTreeMap<Key, Decided>;

/// What was decided and is, where that is another thing.
type Changes = BTreeMap<Key, (Direction, Decided, Decided)>;

/// What changes between two worlds, for whom and on what, is what plain Cedar says of each person,
/// action and resource in both.
pub(super) fn impact(before: &Both, after: &Both, seed: u64) -> TestCaseResult {
    let plain = Plain {
        before: answers(before),
        after: answers(after),
    };
    let states = States {
        before: &before.engine,
        after: &after.engine,
    };
    let comparison =
        states.compare(|engine, action| engine.context(&action.uid, before.about.clone()).unwrap());
    let mut impact = comparison.impact(|| {});
    comparison.detail(&mut impact.people, usize::MAX, || {});

    let changes = plain.changes();
    prop_assert_eq!(&found(&impact, before, after)?, &changes, "seed {}", seed);
    let vocabulary = after.engine.bundle().vocabulary();
    let (unreachable, carried) = plain.out_of_reach(vocabulary);
    prop_assert_eq!(&told_out_of_reach(&impact), &unreachable, "seed {}", seed);
    prop_assert_eq!(&told_carried(&impact), &carried, "seed {}", seed);
    let everything = |touched: &&Affected| touched.loses_everything();
    let losing = impact.people.iter().filter(everything);
    let totals = ImpactTotals {
        people_losing_everything: losing.map(|touched| touched.people.len() as u64).sum(),
        ..plain.totals(&changes)
    };
    prop_assert_eq!(&impact.totals, &totals, "seed {}", seed);
    Ok(())
}

/// What plain Cedar says in both worlds.
struct Plain {
    before: Answers,
    after: Answers,
}

fn answers(both: &Both) -> Answers {
    let directory = both.engine.directory();
    let requests = both.requests().into_iter();
    requests
        .map(|request| {
            let is_there =
                directory.defines(&request.principal) && directory.defines(&request.resource);
            let decided = is_there.then(|| {
                let (decision, determining, _) = both.plain(&request);
                (decision, determining)
            });
            let key = (request.principal, request.action, request.resource);
            (key, decided)
        })
        .collect()
}

fn is_decided(of: &Decided, decision: Decision) -> bool {
    of.as_ref().is_some_and(|(decided, _)| *decided == decision)
}

fn direction(was: &Decided, is: &Decided) -> Option<Direction> {
    let is_unknown = |of: &Decided| is_decided(of, Decision::Indeterminate);
    match [was, is].map(|of| is_decided(of, Decision::Allow)) {
        [false, true] => Some(Direction::Gained),
        [true, false] => Some(Direction::Lost),
        [false, false] if is_unknown(was) != is_unknown(is) => Some(Direction::Undecided),
        _ => None,
    }
}

impl Plain {
    fn changes(&self) -> Changes {
        let changes = self.before.iter().filter_map(|(key, was)| {
            let is = &self.after[key];
            Some((key.clone(), (direction(was, is)?, was.clone(), is.clone())))
        });
        changes.collect()
    }

    /// The totals, but for whoever loses everything.
    fn totals(&self, changes: &Changes) -> ImpactTotals {
        let count = |answers: &Answers, decision| {
            let of = answers.values().filter(|of| is_decided(of, decision));
            of.count() as u64
        };
        let changed =
            |direction| changes.values().filter(|(of, ..)| *of == direction).count() as u64;
        let distinct = |direction: Option<Direction>, part: fn(&Key) -> &EntityUid| {
            let of = changes
                .iter()
                .filter(|(_, (of, ..))| direction.is_none_or(|direction| *of == direction));
            of.map(|(key, _)| part(key)).collect::<BTreeSet<_>>().len() as u64
        };
        let is_somewhere = |key: &&Key| self.before[*key].is_some() || self.after[*key].is_some();
        ImpactTotals {
            decisions: self.before.keys().filter(is_somewhere).count() as u64,
            allowed_before: count(&self.before, Decision::Allow),
            allowed_after: count(&self.after, Decision::Allow),
            unknown_before: count(&self.before, Decision::Indeterminate),
            unknown_after: count(&self.after, Decision::Indeterminate),
            gained: changed(Direction::Gained),
            lost: changed(Direction::Lost),
            undecided: changed(Direction::Undecided),
            people_gaining: distinct(Some(Direction::Gained), |key| &key.0),
            people_losing: distinct(Some(Direction::Lost), |key| &key.0),
            resources: distinct(None, |key| &key.2),
            ..ImpactTotals::default()
        }
    }

    /// What a page carries is out of reach where the page is refused: by page and person on how many
    /// resources, and by page what it carries.
    fn out_of_reach(&self, vocabulary: &Vocabulary) -> (Unreachable, Carried) {
        let mut stuck: BTreeMap<(EntityUid, EntityUid), BTreeSet<EntityUid>> = BTreeMap::new();
        let mut carried = Carried::new();
        for action in vocabulary.permissions() {
            let Some(page) = action.page().and_then(|page| vocabulary.permission(page)) else {
                continue;
            };
            for key in self.after.keys().filter(|(_, of, _)| *of == action.uid) {
                let (person, of, resource) = key;
                let on_page = (person.clone(), page.uid.clone(), resource.clone());
                let is_stuck = |plain: &Answers| may(plain, key) && !may(plain, &on_page);
                if is_stuck(&self.after) && !is_stuck(&self.before) {
                    let on = stuck.entry((page.uid.clone(), person.clone())).or_default();
                    on.insert(resource.clone());
                    let name = vocabulary.action(of).unwrap().short_name();
                    carried.insert((page.uid.clone(), name.to_owned()));
                }
            }
        }
        let counted = stuck.into_iter().map(|(key, on)| (key, on.len() as u64));
        (counted.collect(), carried)
    }
}

/// By page and person, on how many resources.
type Unreachable = BTreeMap<(EntityUid, EntityUid), u64>;

/// Pages and what they carry, by its short name.
type Carried = BTreeSet<(EntityUid, String)>;

fn may(plain: &Answers, key: &Key) -> bool {
    plain
        .get(key)
        .is_some_and(|of| is_decided(of, Decision::Allow))
}

fn told_out_of_reach(impact: &Impact) -> Unreachable {
    let pages = impact.pages.iter().flat_map(|page| {
        let people = page.people.iter();
        people.map(|of| ((page.page.clone(), of.person.uid.clone()), of.resources))
    });
    pages.collect()
}

fn told_carried(impact: &Impact) -> Carried {
    let pages = impact.pages.iter().flat_map(|page| {
        let carries = page.carries.iter();
        carries.map(|name| (page.page.clone(), name.clone()))
    });
    pages.collect()
}

/// What is told of each person, action and resource; nothing is told twice.
fn found(impact: &Impact, before: &Both, after: &Both) -> Result<Changes, TestCaseError> {
    let outcome = |outcome: &Option<Outcome>| {
        let outcome = outcome.as_ref();
        outcome.map(|outcome| (outcome.decision, outcome.policies.clone()))
    };
    let mut found = Changes::new();
    for touched in &impact.people {
        for change in &touched.changes {
            counts_of_groups(change, before, after)?;
            let of = (
                change.direction,
                outcome(&change.before),
                outcome(&change.after),
            );
            for person in &touched.people {
                for resource in &change.resources {
                    let action = change.action.clone();
                    let key = (person.uid.clone(), action, resource.uid.clone());
                    prop_assert!(found.insert(key, of.clone()).is_none());
                }
            }
        }
    }
    Ok(found)
}

/// The resources of a change are as many as it counts, in each group and under all.
fn counts_of_groups(change: &ChangedDecision, before: &Both, after: &Both) -> TestCaseResult {
    let resources = &change.resources;
    prop_assert_eq!(resources.len() as u64, change.count);
    for (group, count) in &change.groups {
        // What is no longer there is in what it was in.
        let is_in = |of: &&Named| {
            let is_there = after.engine.directory().defines(&of.uid);
            let world = if is_there { after } else { before };
            let directory = world.engine.directory();
            let row = directory.row(&group.uid);
            let mut above = directory.ancestors(directory.row(&of.uid).unwrap());
            above.any(|above| Some(above) == row)
        };
        prop_assert_eq!(resources.iter().filter(is_in).count() as u64, *count);
    }
    let under: u64 = change.under.iter().map(|(_, count)| count).sum();
    prop_assert!(under == change.count || resources[0].uid.type_name().basename() == "Tenant");
    Ok(())
}
