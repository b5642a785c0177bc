//! Things in classes, by what is seen of them.

use hashbrown::HashMap;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

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

/// What was seen, numbered.
#[derive(Default)]
struct Seen {
    numbers: HashMap<Box<[u32]>, u32>,
    firsts: Vec<u32>,
}

impl Seen {
    /// The number of what was seen of a thing.
    fn number(&mut self, seen: &[u32], thing: u32) -> u32 {
        if let Some(number) = self.numbers.get(seen) {
            return *number;
        }
        let number = self.firsts.len() as u32;
        self.firsts.push(thing);
        self.numbers.insert(seen.into(), number);
        number
    }
}

impl Partition {
    /// Puts `count` things into classes: those of one class for which `look` adds the same numbers.
    pub fn of(count: usize, look: impl Fn(usize, &mut Vec<u32>) + Sync) -> Self {
        let shares: Vec<(Seen, Vec<u32>)> = (0..count.div_ceil(SHARE))
            .into_par_iter()
            .map(|share| {
                let mut known = Seen::default();
                let mut seen = Vec::new();
                let things = share * SHARE..count.min((share + 1) * SHARE);
                let classes = things.map(|thing| {
                    seen.clear();
                    look(thing, &mut seen);
                    known.number(&seen, thing as u32)
                });
                let classes = classes.collect();
                (known, classes)
            })
            .collect();
        let mut all = Seen::default();
        let mut classes = Vec::with_capacity(count);
        for (known, of_share) in shares {
            let mut seen: Vec<(Box<[u32]>, u32)> = known.numbers.into_iter().collect();
            seen.sort_unstable_by_key(|(_, number)| *number);
            let numbers: Vec<u32> = seen
                .iter()
                .zip(&known.firsts)
                .map(|((seen, _), first)| all.number(seen, *first))
                .collect();
            let renamed = of_share.iter().map(|class| numbers.get(*class as usize));
            classes.extend(renamed.map(|class| class.copied().unwrap_or_default()));
        }
        Self {
            classes,
            firsts: all.firsts,
        }
    }

    /// Joins classes: those together for whose first things `look` adds the same numbers.
    #[must_use]
    pub fn joined(&self, look: impl Fn(usize, &mut Vec<u32>) + Sync) -> Self {
        let first = |class: usize| self.firsts.get(class).map_or(0, |thing| *thing as usize);
        let of_classes = Self::of(self.len(), |class, seen| look(first(class), seen));
        let class = |class: &u32| of_classes.class(*class as usize);
        Self {
            classes: self.classes.iter().map(class).collect(),
            firsts: of_classes
                .firsts
                .iter()
                .map(|of| first(*of as usize) as u32)
                .collect(),
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
