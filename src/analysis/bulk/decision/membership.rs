//! Membership: the sets of people that resources are in, as bits.
//!
//! The sets of several people are looked up together, as many as a word holds: the look-up takes most of the time, as a
//! million devices are in ten collections each.

use std::collections::BTreeSet;
use std::ops::Range;

use hashbrown::HashMap;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::bits::{BitRows, WORD, first_word, join, set};
use super::groups::{Groups, ListPlace, Lists, StateResources};
use crate::bulk::index::{ActionId, ClassId, ResourceId, StateId};
use tarbac_store::index::{Id, IndexVec};
use tarbac_store::{Directory, ListId, Row};

/// The number of resources that one core looks up before another can take over.
const SHARE: usize = 1 << 14;

/// A set of a person that resources may be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnedSet {
    /// The state to whose directory its members belong.
    pub state: StateId,
    /// The members.
    pub rows: Vec<Row>,
    /// Whether the resource must be one of the members; otherwise it may also be in one.
    pub is_itself: bool,
    /// The actions, each with its state, whose policies ask about the set.
    pub asked: BTreeSet<(StateId, ActionId)>,
}

/// Classes of people whose sets are looked up together.
pub(super) struct Batch<'s> {
    pub members: Vec<Member<'s>>,
    pub words: usize,
}

/// A class of people with its sets, and the index of the first of their bits.
pub(super) struct Member<'s> {
    pub class: ClassId,
    pub sets: &'s [OwnedSet],
    pub start: usize,
}

/// For each resource, the sets of a batch that it is in.
pub(super) struct Membership(pub BitRows<ResourceId>);

impl<'s> Batch<'s> {
    /// Distributes the sets of classes over batches of one word each, or of more words for a class with more sets.
    pub(super) fn all(classes: impl Iterator<Item = (ClassId, &'s [OwnedSet])>) -> Vec<Self> {
        let mut batches: Vec<Self> = Vec::new();
        let mut next = 0;
        for (class, sets) in classes {
            let start = match batches.last() {
                Some(_) if next + sets.len() <= WORD => next,
                _ => {
                    batches.push(Self {
                        members: Vec::new(),
                        words: sets.len().div_ceil(WORD),
                    });
                    0
                }
            };
            next = start + sets.len();
            if let Some(batch) = batches.last_mut() {
                batch.members.push(Member { class, sets, start });
            }
        }
        batches
    }

    /// The members in runs of neighbours who together have at most so many sets, or of one member with more.
    pub(super) fn shares(&self, sets: usize) -> impl Iterator<Item = &[Member<'s>]> {
        let sets = sets.max(1);
        let window = move |set: usize| set / sets;
        let members = self.members.as_slice();
        members.chunk_by(move |one, other| window(one.start) == window(other.end() - 1))
    }
}

/// The first set of neighbouring members, and the number of sets of all.
pub(super) fn span(members: &[Member<'_>]) -> (usize, usize) {
    match (members.first(), members.last()) {
        (Some(first), Some(last)) => (first.start, last.end() - first.start),
        _ => (0, 0),
    }
}

impl<'s> Member<'s> {
    /// A class of people without sets.
    pub(super) fn without_sets(class: ClassId) -> Self {
        Self {
            class,
            sets: &[],
            start: 0,
        }
    }

    /// The index behind the last of its bits.
    fn end(&self) -> usize {
        self.start + self.sets.len()
    }

    /// The sets of the member that a resource is in, as bits; they must fit into the first word.
    pub(super) fn bits(&self, membership: &Membership, resource: ResourceId) -> u64 {
        membership.bits(self.start, self.sets.len(), resource)
    }

    /// The sets that are asked about in a state for an action, as bits.
    pub(super) fn asked(&self, state: StateId, action: ActionId) -> u64 {
        let sets = self.sets.iter().enumerate();
        let asked = sets.filter(|(_, set)| set.asked.contains(&(state, action)));
        asked.fold(0, |bits, (bit, _)| bits | 1 << bit)
    }
}

impl Membership {
    /// Looks up the sets of a batch in these states.
    pub(super) fn new(
        batch: &Batch<'_>,
        states: &IndexVec<StateId, StateResources<'_>>,
        groups: &IndexVec<StateId, Groups>,
    ) -> Self {
        let words = batch.words;
        let marks = states.iter_enumerated();
        let marks: Vec<(Marks<'_>, &StateResources<'_>)> = marks
            .filter_map(|(state, resources)| {
                let marks = Marks::new(batch, state, resources.directory, &groups[state])?;
                Some((marks, resources))
            })
            .collect();
        let resources = states.iter().map(|state| state.rows.len()).max();
        let mut rows = BitRows::new(words, resources.unwrap_or(0));
        let shares = rows.all_mut().par_chunks_mut(SHARE * words).enumerate();
        shares.for_each(|(share, bits)| {
            let resources = bits.chunks_exact_mut(words).zip(share * SHARE..);
            for (bits, resource) in resources {
                for (marks, state) in &marks {
                    marks.add(state, ResourceId::from_usize(resource), bits);
                }
            }
        });
        Self(rows)
    }

    /// The sets that a resource is in, as bits.
    pub(super) fn words(&self, resource: ResourceId) -> &[u64] {
        &self.0[resource]
    }

    /// Those of `width` sets from `start` on that a resource is in; they must fit into the first word.
    pub(super) fn bits(&self, start: usize, width: usize, resource: ResourceId) -> u64 {
        let ones = match width {
            0 => return 0,
            WORD.. => u64::MAX,
            width => (1 << width) - 1,
        };
        first_word(self.words(resource)) >> start & ones
    }
}

/// The sets of a batch in a state, by their members.
struct Marks<'g> {
    lists: &'g Lists,
    /// For each list of parents, the bits of the sets that hold a parent or one of its ancestors.
    inherited: BitRows<ListPlace>,
    /// The bits of the sets that hold a resource itself.
    own: HashMap<Row, Vec<u64>>,
}

impl<'g> Marks<'g> {
    /// `None` if the batch has no set in this state.
    fn new(
        batch: &Batch<'_>,
        state: StateId,
        directory: &Directory,
        groups: &'g Groups,
    ) -> Option<Self> {
        let words = batch.words;
        let sets = batch.members.iter();
        let sets = sets.flat_map(|member| (member.start..).zip(member.sets));
        let sets: Vec<(usize, &OwnedSet)> = sets.filter(|(_, set)| set.state == state).collect();
        if sets.is_empty() {
            return None;
        }
        let mut own: HashMap<Row, Vec<u64>> = HashMap::new();
        let mut members: HashMap<Row, Vec<u64>> = HashMap::new();
        let mark = |bits: &mut HashMap<Row, Vec<u64>>, row: Row, bit: usize| {
            set(bits.entry(row).or_insert_with(|| vec![0; words]), bit);
        };
        for (bit, set) in sets {
            for row in &set.rows {
                if groups.is_resource(*row, directory) {
                    mark(&mut own, *row, bit);
                }
                if !set.is_itself {
                    mark(&mut members, *row, bit);
                }
            }
        }
        let last = groups.above.iter().max();
        let mut of_groups: BitRows<Row> =
            BitRows::new(words, last.map_or(0, |row| row.index() + 1));
        for group in &groups.above {
            let above = std::iter::once(*group).chain(directory.ancestors(*group));
            let of_above = above.filter_map(|row| members.get(&row));
            let bits = &mut of_groups[*group];
            of_above.for_each(|of_row| join(bits, of_row));
        }
        Some(Self {
            lists: &groups.lists,
            inherited: inherited(&of_groups, directory, groups.lists.all.clone()),
            own,
        })
    }

    /// Adds the sets that a resource is in.
    fn add(&self, state: &StateResources<'_>, resource: ResourceId, bits: &mut [u64]) {
        if let Some(list) = self.lists.position(resource) {
            join(bits, &self.inherited[list]);
        }
        if !self.own.is_empty()
            && let Some(row) = state.rows[resource]
            && let Some(own) = self.own.get(&row)
        {
            join(bits, own);
        }
    }
}

/// For each list of parents, the bits of all parents.
fn inherited(
    of_groups: &BitRows<Row>,
    directory: &Directory,
    lists: Range<u32>,
) -> BitRows<ListPlace> {
    let words = of_groups.words();
    let mut inherited = BitRows::new(words, lists.len());
    let shares = inherited.all_mut().par_chunks_mut(SHARE * words);
    shares.enumerate().for_each(|(share, bits)| {
        let first = lists.start + (share * SHARE) as u32;
        for (bits, list) in bits.chunks_exact_mut(words).zip(first..) {
            let parents = directory.parents_in(ListId::new(list));
            // Lists of other entities may lie between those of resources: their groups have no bits.
            let of_parents = parents.filter_map(|group| of_groups.find(group));
            of_parents.for_each(|of_parent| join(bits, of_parent));
        }
    });
    inherited
}
