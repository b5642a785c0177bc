//! Differences of all classes of people, summed up.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::compare::ClassImpact;
use super::{Affected, Concern, Concerned, Direction, Impact, ImpactTotals, States, Unreachable};
use crate::explain::Named;

/// The differences of the classes so far.
#[derive(Default)]
pub(super) struct Differences {
    pub(super) totals: ImpactTotals,
    affected: Vec<Affected>,
    concerns: BTreeMap<(String, Direction), Vec<Concerned>>,
    /// By page, the permissions on it and the people to whom it is refused.
    pages: BTreeMap<EntityUid, (BTreeSet<EntityUid>, Vec<Concerned>)>,
}

impl Differences {
    /// Adds the changes of each of some people.
    pub(super) fn add(&mut self, impact: ClassImpact, mut people: Vec<Named>) {
        people.sort();
        for (concern, resources) in &impact.concerns {
            let of_policy = self.concerns.entry(concern.clone()).or_default();
            of_policy.extend(resources.for_each_of(&people));
        }
        for (page, (carried, resources)) in &impact.pages {
            let (all, of_page) = self.pages.entry(page.clone()).or_default();
            all.extend(carried.iter().cloned());
            of_page.extend(resources.for_each_of(&people));
        }
        self.affected.push(Affected {
            people,
            allowed_before: impact.allowed_before,
            allowed_after: impact.allowed_after,
            changes: impact.changes,
        });
    }

    /// The result, sorted.
    pub(super) fn into_impact(mut self, states: States<'_>) -> Impact {
        self.affected.sort_by_cached_key(|affected| {
            let of = [Direction::Lost, Direction::Gained, Direction::Undecided];
            let counts = of.map(|direction| affected.count(direction));
            let first = affected.people.first().cloned();
            (!affected.loses_everything(), Reverse(counts), first)
        });
        let concerns = self.concerns.into_iter();
        let concerns = concerns
            .map(|((policy, direction), people)| concern(states, policy, direction, people));
        Impact {
            totals: self.totals,
            people: self.affected,
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
                "It is not known whether the permissions that are {} deserve a look first: {policy}",
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

/// The unreachable pages in the order of the schema.
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

/// Sorts people by the number of resources, most first, and then by name.
fn most_first(mut people: Vec<Concerned>) -> Vec<Concerned> {
    people.sort_by_cached_key(|of| (Reverse(of.resources), of.person.clone()));
    people
}
