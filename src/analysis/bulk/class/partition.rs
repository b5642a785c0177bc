//! A partition: items in classes of equal fingerprints.

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use tarbac_store::index::{Id, IndexVec};

/// How many things one core looks at before another can take over.
const SHARE: usize = 1 << 14;

/// Things `T` in classes `C`, which are in the order of their first things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partition<T: Id, C: Id> {
    /// For each thing its class.
    classes: IndexVec<T, C>,
    /// For each class its first thing.
    firsts: IndexVec<C, T>,
}

/// What was seen, each with the first thing of which it was; the place is that of the class.
type Seen<T> = IndexMap<Box<[u32]>, T, DefaultHashBuilder>;

/// The class of a thing of which this is seen.
fn class_of<T: Id, C: Id>(known: &mut Seen<T>, seen: &[u32], thing: T) -> C {
    let place = known.get_index_of(seen);
    C::from_usize(place.unwrap_or_else(|| known.insert_full(seen.into(), thing).0))
}

impl<T: Id, C: Id> Partition<T, C> {
    /// Puts `count` things into classes: those of one class for which `look` adds the same numbers.
    pub fn of(count: usize, look: impl Fn(T, &mut Vec<u32>) + Sync) -> Self {
        let mut classes: IndexVec<T, C> = IndexVec::filled(C::from_usize(0), count);
        let shares = classes.raw.par_chunks_mut(SHARE).enumerate();
        let shares: Vec<Seen<T>> = shares
            .map(|(share, classes)| {
                let mut known = Seen::default();
                let mut seen = Vec::new();
                for (class, thing) in classes.iter_mut().zip(share * SHARE..) {
                    let thing = T::from_usize(thing);
                    seen.clear();
                    look(thing, &mut seen);
                    *class = class_of(&mut known, &seen, thing);
                }
                known
            })
            .collect();
        let mut all = Seen::default();
        let numbers = shares.into_iter().map(|known| {
            let known = known.iter();
            let in_all = known.map(|(seen, first)| class_of(&mut all, seen, *first));
            in_all.collect()
        });
        let numbers: Vec<IndexVec<C, C>> = numbers.collect();
        let shares = classes.raw.par_chunks_mut(SHARE).zip(numbers);
        shares.for_each(|(classes, numbers)| {
            classes
                .iter_mut()
                .for_each(|class| *class = numbers[*class]);
        });
        Self {
            classes,
            firsts: all.into_values().collect(),
        }
    }

    /// Joins classes: those together for whose first things `look` adds the same numbers.
    #[must_use]
    pub fn joined(mut self, look: impl Fn(T, &mut Vec<u32>) + Sync) -> Self {
        let joined: Partition<C, C> =
            Partition::of(self.len(), |class, seen| look(self.firsts[class], seen));
        let shares = self.classes.raw.par_chunks_mut(SHARE);
        shares.for_each(|classes| {
            classes
                .iter_mut()
                .for_each(|class| *class = joined.class(*class));
        });
        let firsts = joined.firsts.iter();
        Self {
            firsts: firsts.map(|class| self.firsts[*class]).collect(),
            classes: self.classes,
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
    pub fn class(&self, thing: T) -> C {
        self.classes[thing]
    }

    /// The first thing of a class.
    pub fn first(&self, class: C) -> T {
        self.firsts[class]
    }

    /// The first thing of each class.
    pub fn firsts(&self) -> impl Iterator<Item = T> {
        self.firsts.iter().copied()
    }

    /// The things of each class, in order; there is one at least.
    pub fn members(&self) -> Vec<Vec<T>> {
        let mut members: IndexVec<C, Vec<T>> = IndexVec::filled(Vec::new(), self.len());
        for thing in self.classes.indices() {
            members[self.class(thing)].push(thing);
        }
        members.raw
    }
}

impl<T: Id, C: Id> Default for Partition<T, C> {
    fn default() -> Self {
        Self {
            classes: IndexVec::new(),
            firsts: IndexVec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::index::{ClassId, PersonId};

    type People = Partition<PersonId, ClassId>;

    /// People by what is seen of them.
    fn people(seen: &[&[u32]]) -> People {
        let seen: IndexVec<PersonId, &[u32]> = seen.iter().copied().collect();
        Partition::of(seen.len(), |person, all| all.extend(seen[person]))
    }

    fn numbers(members: Vec<Vec<PersonId>>) -> Vec<Vec<usize>> {
        let members = members.into_iter();
        members
            .map(|of| of.into_iter().map(PersonId::index).collect())
            .collect()
    }

    #[test]
    fn those_of_whom_the_same_is_seen_are_in_a_class() {
        let people = people(&[&[1], &[2, 3], &[1], &[], &[2, 3]]);
        assert_eq!(numbers(people.members()), [vec![0, 2], vec![1, 4], vec![3]]);
        let firsts: Vec<usize> = people.firsts().map(PersonId::index).collect();
        assert_eq!(firsts, [0, 1, 3]);
        assert_eq!((people.count(), people.len()), (5, 3));
    }

    #[test]
    fn classes_are_the_same_however_many_cores_look() {
        let count = 3 * SHARE + 7;
        let seen = |person: PersonId| (person.index() * 7919 % 101) as u32;
        let people: People = Partition::of(count, |person, all| all.push(seen(person)));
        assert_eq!(people.len(), 101);
        for person in (0..count).map(PersonId::from_usize) {
            let first = people.first(people.class(person));
            assert_eq!(seen(person), seen(first));
            assert!(first <= person);
        }
    }

    #[test]
    fn joined_classes_keep_their_first_things() {
        let people = people(&[&[1], &[2], &[3], &[1], &[4]]);
        // 0 and 3 are one class; 1 and 4 are joined.
        let joined = people.joined(|first, seen| seen.push(u32::from(first.index() % 3 == 1)));
        assert_eq!(numbers(joined.members()), [vec![0, 2, 3], vec![1, 4]]);
        assert_eq!(joined.first(ClassId::new(1)), PersonId::new(1));
    }

    #[test]
    fn nobody_is_in_no_class() {
        let nobody = people(&[]);
        assert_eq!((nobody.count(), nobody.len()), (0, 0));
        assert_eq!(nobody.joined(|_, _| {}), People::default());
    }

    /// An index of nothing stops the program: the first class has members for whom something else holds.
    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn somebody_unknown_is_in_no_class() {
        people(&[&[1]]).class(PersonId::new(1));
    }

    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn a_class_that_is_not_there_has_no_first() {
        people(&[&[1]]).first(ClassId::new(1));
    }
}
