//! Set cover: the fewest sets that cover all elements.
//!
//! A small problem is solved exactly. A large one gets a good cover, marked as one that may not be the smallest.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// The most steps of the search; a plan that a person can read takes far fewer.
const STEPS: usize = 200_000;

/// The number of elements whose scan for a missing one counts as another step.
const LOOKED_AT: usize = 100;

/// The number of smallest covers that are compared.
const MOST: usize = 500;

/// Covers of as few sets as possible.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Covers {
    /// Some covers of equal size, each by the indices of its sets; empty if the sets do not cover every element.
    pub all: Vec<Vec<usize>>,
    /// Whether it is certain that no cover is smaller.
    pub is_smallest: bool,
}

/// Covers the numbers below `universe` with as few of these sets as possible.
pub(super) fn covers(universe: usize, sets: &[BTreeSet<usize>]) -> Covers {
    if universe == 0 {
        return Covers {
            all: vec![Vec::new()],
            is_smallest: true,
        };
    }
    let Some(quick) = quickly(universe, sets) else {
        return Covers {
            all: Vec::new(),
            is_smallest: true,
        };
    };
    let mut search = Search::new(universe, sets);
    for size in 1..=quick.len() {
        let is_complete = search.of_size(size);
        if !search.found.is_empty() {
            return Covers {
                all: search.found,
                is_smallest: true,
            };
        }
        if !is_complete {
            break;
        }
    }
    Covers {
        all: vec![quick],
        is_smallest: false,
    }
}

/// A greedy cover, without the sets that the others make redundant; `None` if the sets do not cover every element.
fn quickly(universe: usize, sets: &[BTreeSet<usize>]) -> Option<Vec<usize>> {
    let mut covered = vec![0_usize; universe];
    let mut missing = universe;
    let mut chosen = Vec::new();
    // The gain of a set only falls, so most sets need no second look.
    let mut waiting: BinaryHeap<(usize, Reverse<usize>)> = sets
        .iter()
        .enumerate()
        .map(|(place, set)| (set.len(), Reverse(place)))
        .collect();
    while missing > 0 {
        let (_, Reverse(place)) = waiting.pop()?;
        let set = sets.get(place)?;
        let gives = set
            .iter()
            .filter(|element| covered.get(**element) == Some(&0));
        let gives = gives.count();
        match waiting.peek() {
            _ if gives == 0 => continue,
            Some(next) if *next > (gives, Reverse(place)) => waiting.push((gives, Reverse(place))),
            _ => {
                missing -= gives;
                count(&mut covered, set, |count| count + 1);
                chosen.push(place);
            }
        }
    }
    for place in chosen.clone() {
        let set = sets.get(place)?;
        if set.iter().all(|element| covered.get(*element) > Some(&1)) {
            count(&mut covered, set, |count| count - 1);
            chosen.retain(|other| *other != place);
        }
    }
    chosen.sort_unstable();
    Some(chosen)
}

fn count(covered: &mut [usize], set: &BTreeSet<usize>, change: impl Fn(usize) -> usize) {
    for element in set {
        if let Some(count) = covered.get_mut(*element) {
            *count = change(*count);
        }
    }
}

/// The search for covers of a size.
struct Search<'s> {
    sets: &'s [BTreeSet<usize>],
    /// For each element, the sets that have it.
    having: Vec<Vec<usize>>,
    /// The elements, those first that the fewest sets have.
    order: Vec<usize>,
    largest: usize,
    /// How many of the chosen sets have each element.
    covered: Vec<usize>,
    missing: usize,
    chosen: Vec<usize>,
    steps: usize,
    found: Vec<Vec<usize>>,
}

impl<'s> Search<'s> {
    fn new(universe: usize, sets: &'s [BTreeSet<usize>]) -> Self {
        let mut having = vec![Vec::new(); universe];
        for (place, set) in sets.iter().enumerate() {
            for element in set {
                if let Some(having) = having.get_mut(*element) {
                    having.push(place);
                }
            }
        }
        let mut order: Vec<usize> = (0..universe).collect();
        order.sort_by_key(|element| having.get(*element).map_or(0, Vec::len));
        Self {
            sets,
            having,
            order,
            largest: sets.iter().map(BTreeSet::len).max().unwrap_or_default(),
            covered: vec![0; universe],
            missing: universe,
            chosen: Vec::new(),
            steps: 0,
            found: Vec::new(),
        }
    }

    /// Finds the covers of `size` sets. Returns whether the search was complete.
    fn of_size(&mut self, size: usize) -> bool {
        self.steps += 1 + self.covered.len() / LOOKED_AT;
        if self.steps > STEPS || self.found.len() >= MOST {
            return false;
        }
        if self.missing == 0 {
            let mut cover = self.chosen.clone();
            cover.sort_unstable();
            if !self.found.contains(&cover) {
                self.found.push(cover);
            }
            return true;
        }
        if self.missing > size * self.largest {
            return true;
        }
        let is_missing = |element: &&usize| self.covered.get(**element) == Some(&0);
        let Some(element) = self.order.iter().find(is_missing).copied() else {
            return true;
        };
        let having = self.having.get(element).cloned().unwrap_or_default();
        let mut is_complete = true;
        for place in having {
            self.choose(place);
            is_complete &= self.of_size(size - 1);
            self.give_back();
        }
        is_complete
    }

    fn choose(&mut self, place: usize) {
        for element in self.sets.get(place).into_iter().flatten() {
            if let Some(count) = self.covered.get_mut(*element) {
                self.missing -= usize::from(*count == 0);
                *count += 1;
            }
        }
        self.chosen.push(place);
    }

    fn give_back(&mut self) {
        let place = self.chosen.pop();
        let set = place.and_then(|place| self.sets.get(place));
        for element in set.into_iter().flatten() {
            if let Some(count) = self.covered.get_mut(*element) {
                *count -= 1;
                self.missing += usize::from(*count == 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Covers, covers};

    fn sets(sets: &[&[usize]]) -> Vec<BTreeSet<usize>> {
        sets.iter()
            .map(|set| set.iter().copied().collect())
            .collect()
    }

    #[test]
    fn taking_the_largest_set_first_is_not_always_best() {
        let sets = sets(&[&[0, 1, 2, 3], &[0, 1, 4], &[2, 3, 5]]);
        let found = covers(6, &sets);
        assert_eq!(found.all, [[1, 2]]);
        assert!(found.is_smallest);
    }

    #[test]
    fn all_covers_of_the_smallest_size_are_found() {
        let sets = sets(&[&[0], &[0, 1], &[1], &[0, 1]]);
        assert_eq!(covers(2, &sets).all, [[1], [3]]);
    }

    #[test]
    fn what_no_set_has_cannot_be_covered() {
        let nothing = Covers {
            all: Vec::new(),
            is_smallest: true,
        };
        assert_eq!(covers(2, &sets(&[&[0]])), nothing);
    }

    #[test]
    fn what_is_too_large_is_said_to_be() {
        // Forty elements in a ring, each set has neighbours of several distances.
        let sets: Vec<BTreeSet<usize>> = (0..60)
            .map(|place| [0, 1, 7, 19, 31].map(|step| (place + step) % 60).into())
            .collect();
        let found = covers(60, &sets);
        assert_eq!(found.all.len(), 1);
        assert!(!found.is_smallest);
    }
}
