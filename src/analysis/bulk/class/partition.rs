//! Things in classes, by what is seen of them.

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

/// How many things one core looks at before another can take over.
const SHARE: usize = 1 << 14;

/// Things in classes. Things and classes are numbered from 0; classes are in the order of their
/// first things.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Partition {
    /// For each thing its class.
    classes: Vec<u32>,
    /// For each class its first thing.
    firsts: Vec<u32>,
}

/// What was seen, numbered by its place, and the first thing of which it was.
type Seen = IndexMap<Box<[u32]>, u32, DefaultHashBuilder>;

/// The number of what was seen of a thing.
fn number(known: &mut Seen, seen: &[u32], thing: u32) -> u32 {
    let number = known.get_index_of(seen);
    number.unwrap_or_else(|| known.insert_full(seen.into(), thing).0) as u32
}

/// Gives classes other numbers.
fn rename(classes: &mut [u32], numbers: &[u32]) {
    for class in classes {
        *class = numbers.get(*class as usize).copied().unwrap_or_default();
    }
}

impl Partition {
    /// Puts `count` things into classes: those of one class for which `look` adds the same numbers.
    pub fn of(count: usize, look: impl Fn(usize, &mut Vec<u32>) + Sync) -> Self {
        let mut classes = vec![0; count];
        let shares = classes.par_chunks_mut(SHARE).enumerate();
        let shares: Vec<Seen> = shares
            .map(|(share, classes)| {
                let mut known = Seen::default();
                let mut seen = Vec::new();
                for (class, thing) in classes.iter_mut().zip(share * SHARE..) {
                    seen.clear();
                    look(thing, &mut seen);
                    *class = number(&mut known, &seen, thing as u32);
                }
                known
            })
            .collect();
        let mut all = Seen::default();
        let numbers = shares.into_iter().map(|known| {
            let known = known.iter();
            let in_all = known.map(|(seen, first)| number(&mut all, seen, *first));
            in_all.collect()
        });
        let numbers: Vec<Vec<u32>> = numbers.collect();
        let shares = classes.par_chunks_mut(SHARE).zip(numbers);
        shares.for_each(|(classes, numbers)| rename(classes, &numbers));
        Self {
            classes,
            firsts: all.into_values().collect(),
        }
    }

    /// Joins classes: those together for whose first things `look` adds the same numbers.
    #[must_use]
    pub fn joined(mut self, look: impl Fn(usize, &mut Vec<u32>) + Sync) -> Self {
        let first = |class: usize| self.firsts.get(class).copied().unwrap_or_default();
        let joined = Self::of(self.len(), |class, seen| look(first(class) as usize, seen));
        let firsts = joined.firsts().map(first).collect();
        let shares = self.classes.par_chunks_mut(SHARE);
        shares.for_each(|classes| rename(classes, &joined.classes));
        Self {
            classes: self.classes,
            firsts,
        }
    }

    /// How many things there are.
    pub fn count(&self) -> usize {
        self.classes.len()
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.firsts.len()
    }

    /// The class of a thing.
    pub fn class(&self, thing: usize) -> u32 {
        self.classes.get(thing).copied().unwrap_or_default()
    }

    /// The first thing of each class.
    pub fn firsts(&self) -> impl Iterator<Item = usize> {
        self.firsts.iter().map(|thing| *thing as usize)
    }

    /// The things of each class, in order.
    pub fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.len()];
        for (thing, class) in self.classes.iter().enumerate() {
            if let Some(members) = members.get_mut(*class as usize) {
                members.push(thing);
            }
        }
        members
    }
}
