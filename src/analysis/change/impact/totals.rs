//! Differences of all classes, summed up.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::compare::ClassImpact;
use super::{Affected, Concern, Concerned, Direction, Impact, States, Totals, Unreachable};
use crate::explain::Named;

/// What was found so far.
#[derive(Default)]
pub(super) struct Gathered {
    pub totals: Totals,
    touched: Vec<Affected>,
    concerns: BTreeMap<(String, Direction), Vec<Concerned>>,
    /// By page what it carries, and whom it is refused to.
    pages: BTreeMap<EntityUid, (BTreeSet<EntityUid>, Vec<Concerned>)>,
}

impl Gathered {
    /// Adds what changes for each of some people.
    pub fn add(&mut self, made: ClassImpact, mut people: Vec<Named>) {
        people.sort();
        for (concern, on) in &made.concerns {
            let of_policy = self.concerns.entry(concern.clone()).or_default();
            of_policy.extend(on.each(&people));
        }
        for (page, (carried, on)) in &made.pages {
            let (all, of_page) = self.pages.entry(page.clone()).or_default();
            all.extend(carried.iter().cloned());
            of_page.extend(on.each(&people));
        }
        self.touched.push(Affected {
            people,
            allowed_before: made.allowed_before,
            allowed_after: made.allowed_after,
            changes: made.changes,
        });
    }

    /// All of it, in order.
    pub fn impact(mut self, states: States<'_>) -> Impact {
        self.touched.sort_by_cached_key(|touched| {
            let of = [Direction::Lost, Direction::Gained, Direction::Undecided];
            let counts = of.map(|direction| touched.count(direction));
            let first = touched.people.first().cloned();
            (!touched.loses_everything(), Reverse(counts), first)
        });
        let concerns = self.concerns.into_iter();
        let concerns = concerns
            .map(|((policy, direction), people)| concern(states, policy, direction, people));
        Impact {
            totals: self.totals,
            people: self.touched,
            concerns: concerns.collect(),
            pages: unreachable(states, self.pages),
        }
    }
}

fn concern(
    states: States<'_>,
    policy: String,
    direction: Direction,
    people: Vec<Concerned>,
) -> Concern {
    let people = most_first(people);
    let Some(known) = states.engine(direction).bundle().policy(&policy) else {
        return Concern {
            policy: None,
            says: format!(
                "Whether to look at what is {} cannot be told: {policy}",
                direction.as_ref()
            ),
            advice: None,
            direction,
            people,
        };
    };
    Concern {
        says: known.doc().unwrap_or(&policy).to_owned(),
        advice: known.advice().map(str::to_owned),
        policy: Some(policy),
        direction,
        people,
    }
}

/// Pages in the order of the schema.
fn unreachable(
    states: States<'_>,
    mut pages: BTreeMap<EntityUid, (BTreeSet<EntityUid>, Vec<Concerned>)>,
) -> Vec<Unreachable> {
    let permissions = states.permissions();
    let pages = permissions.iter().filter_map(|page| {
        let (carried, people) = pages.remove(&page.uid)?;
        let carried = permissions.iter().filter(|of| carried.contains(&of.uid));
        Some(Unreachable {
            page: page.uid.clone(),
            name: page.short_name().to_owned(),
            carries: carried.map(|of| of.short_name().to_owned()).collect(),
            people: most_first(people),
        })
    });
    pages.collect()
}

/// By how many resources, and then by name.
fn most_first(mut people: Vec<Concerned>) -> Vec<Concerned> {
    people.sort_by_cached_key(|of| (Reverse(of.resources), of.person.clone()));
    people
}
