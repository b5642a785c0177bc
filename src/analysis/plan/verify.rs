//! Verification of a plan: a second comparison with the plan carried out.

use std::collections::{BTreeMap, HashMap};

use cedar_policy::EntityUid;

use super::{Deviation, Permission};
use crate::change::impact::{Direction, Impact};

/// The number of decisions that change, by person and action.
#[derive(Default)]
pub(super) struct Tally<'i>(HashMap<(&'i EntityUid, &'i EntityUid, Direction), u64>);

impl<'i> Tally<'i> {
    pub(super) fn new(impact: &'i Impact) -> Self {
        let mut tally = Self::default();
        for affected in &impact.people {
            for change in &affected.changes {
                for person in &affected.people {
                    let key = (&person.uid, &change.action, change.direction);
                    *tally.0.entry(key).or_default() += change.count;
                }
            }
        }
        tally
    }

    /// The number of decisions about an action that a person gains or loses.
    pub(super) fn count(
        &self,
        person: &EntityUid,
        action: &EntityUid,
        direction: Direction,
    ) -> u64 {
        let count = self.0.get(&(person, action, direction));
        count.copied().unwrap_or_default()
    }
}

/// The differences of a comparison from the expected result, by person and action, in the order of the impact.
/// `foreseen` gets the found number of decisions, and returns the highest expected one.
pub(super) fn deviations(
    found: &Impact,
    foreseen: impl Fn(&EntityUid, &EntityUid, Direction, u64) -> u64,
) -> Vec<Deviation> {
    let mut deviations = Vec::new();
    for affected in &found.people {
        let mut counts: BTreeMap<(&EntityUid, Direction), (&str, u64)> = BTreeMap::new();
        for change in &affected.changes {
            let key = (&change.action, change.direction);
            counts.entry(key).or_insert((&change.name, 0)).1 += change.count;
        }
        for person in &affected.people {
            for ((action, direction), (name, found)) in &counts {
                let foreseen = foreseen(&person.uid, action, *direction, *found);
                if *found > foreseen {
                    deviations.push(Deviation {
                        person: person.clone(),
                        permission: Permission {
                            action: (*action).clone(),
                            name: (*name).to_owned(),
                        },
                        direction: *direction,
                        foreseen,
                        found: *found,
                    });
                }
            }
        }
    }
    deviations
}
