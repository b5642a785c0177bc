//! A partition: items in classes of equal fingerprints.

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use tarbac_store::index::{Id, IndexVec};

/// The number of items that one core classifies before another can take over.
const SHARE: usize = 1 << 14;

/// Items `T` in classes `C`, which are in the order of their first items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partition<T: Id, C: Id> {
    /// The class of each item.
    classes: IndexVec<T, C>,
    /// The first item of each class.
    firsts: IndexVec<C, T>,
}

/// The keys, each with its first item; the position of a key is its class.
type Keys<T> = IndexMap<Box<[u32]>, T, DefaultHashBuilder>;

/// The class of a key, which is a new one for a new key.
fn class_of<T: Id, C: Id>(known: &mut Keys<T>, key: &[u32], item: T) -> C {
    let index = known.get_index_of(key);
    C::from_usize(index.unwrap_or_else(|| known.insert_full(key.into(), item).0))
}

impl<T: Id, C: Id> Partition<T, C> {
    /// Divides `count` items into classes by the keys that `write_key` writes.
    pub(crate) fn new(count: usize, write_key: impl Fn(T, &mut Vec<u32>) + Sync) -> Self {
        let mut classes: IndexVec<T, C> = IndexVec::filled(C::from_usize(0), count);
        let shares = classes.raw.par_chunks_mut(SHARE).enumerate();
        let shares: Vec<Keys<T>> = shares
            .map(|(share, classes)| {
                let mut known = Keys::default();
                let mut key = Vec::new();
                for (class, item) in classes.iter_mut().zip(share * SHARE..) {
                    let item = T::from_usize(item);
                    key.clear();
                    write_key(item, &mut key);
                    *class = class_of(&mut known, &key, item);
                }
                known
            })
            .collect();
        let mut all = Keys::default();
        let new_classes = shares.into_iter().map(|known| {
            let known = known.iter();
            let in_all = known.map(|(key, first)| class_of(&mut all, key, *first));
            in_all.collect()
        });
        let new_classes: Vec<IndexVec<C, C>> = new_classes.collect();
        let shares = classes.raw.par_chunks_mut(SHARE).zip(new_classes);
        shares.for_each(|(classes, new_classes)| {
            classes
                .iter_mut()
                .for_each(|class| *class = new_classes[*class]);
        });
        Self {
            classes,
            firsts: all.into_values().collect(),
        }
    }

    /// Joins classes by the keys that `write_key` writes for their first items.
    #[must_use]
    pub(crate) fn joined(mut self, write_key: impl Fn(T, &mut Vec<u32>) + Sync) -> Self {
        let joined: Partition<C, C> =
            Partition::new(self.len(), |class, key| write_key(self.firsts[class], key));
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

    /// The number of items.
    pub(crate) fn count(&self) -> usize {
        self.classes.len()
    }

    /// The number of classes.
    pub(crate) fn len(&self) -> usize {
        self.firsts.len()
    }

    /// The class of an item.
    pub(crate) fn class(&self, item: T) -> C {
        self.classes[item]
    }

    /// The first item of a class.
    pub(crate) fn first(&self, class: C) -> T {
        self.firsts[class]
    }

    /// The first item of each class.
    pub(crate) fn firsts(&self) -> impl Iterator<Item = T> {
        self.firsts.iter().copied()
    }

    /// The items of each class, in order; at least one.
    pub(crate) fn members(&self) -> Vec<Vec<T>> {
        let mut members: IndexVec<C, Vec<T>> = IndexVec::filled(Vec::new(), self.len());
        for item in self.classes.indices() {
            members[self.class(item)].push(item);
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

    /// People with these fingerprints.
    fn people(seen: &[&[u32]]) -> People {
        let seen: IndexVec<PersonId, &[u32]> = seen.iter().copied().collect();
        Partition::new(seen.len(), |person, all| all.extend(seen[person]))
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
        let people: People = Partition::new(count, |person, all| all.push(seen(person)));
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

    /// An index out of range stops the program, as the decisions of another class would be wrong.
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
