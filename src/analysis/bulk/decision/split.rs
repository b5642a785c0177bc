//! Cells: resource classes split by the sets of one class of people.
//!
//! The membership of a resource in a set is a bit. The sets of several people are looked up together, as many as a
//! word holds: the look-up takes most of the time, as a million devices are in ten collections each.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use hashbrown::HashMap;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::bits::{BitRows, WORD, first_word, join, set};
use super::groups::{Groups, ListPlace, Lists, StateResources};
use crate::bulk::class::Partition;
use crate::bulk::index::{ActionId, CellId, ClassId, ResourceClassId, ResourceId, StateId};
use tarbac_store::index::{Id, IndexVec};
use tarbac_store::index_type;
use tarbac_store::{Directory, ListId, Row};

/// The number of resources that one core looks up before another can take over.
const SHARE: usize = 1 << 14;

/// The most keys of a table of cells. If there could be more, the resources are divided into finer classes instead.
const MOST: usize = 1 << 20;

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
    words: usize,
}

/// A class of people with its sets, and the index of the first of their bits.
pub(super) struct Member<'s> {
    pub class: ClassId,
    sets: &'s [OwnedSet],
    start: usize,
}

/// For each resource, the sets of a batch that it is in.
pub(super) struct Membership(BitRows<ResourceId>);

/// Resources of one class that are in the same sets of a person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    /// The number of resources.
    pub count: u64,
    /// The first resource.
    pub first: ResourceId,
}

/// The cells of a class of people.
pub(super) struct CellSplit<'s> {
    classes: Cow<'s, Resources>,
    of: Option<(&'s Member<'s>, &'s Membership)>,
    width: usize,
    cells: Cells,
}

/// Resources in classes.
type Resources = Partition<ResourceId, ResourceClassId>;

index_type! {
    /// A class, and the bits of the sets.
    struct CellKeyId;
}

/// Cells by key, in the order of their first resources.
#[derive(Default)]
struct Cells {
    /// `None` for a key that no resource has.
    numbers: IndexVec<CellKeyId, Option<CellId>>,
    cells: IndexVec<CellId, Cell>,
    keys: IndexVec<CellId, CellKeyId>,
}

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
}

impl Member<'_> {
    /// The sets that are asked about in a state for an action, as bits.
    fn asked(&self, state: StateId, action: ActionId) -> u64 {
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

    fn words(&self, resource: ResourceId) -> &[u64] {
        &self.0[resource]
    }

    /// The sets of a member that a resource is in; they must fit into the first word.
    fn bits(&self, member: &Member<'_>, resource: ResourceId) -> u64 {
        let ones = match member.sets.len() {
            0 => return 0,
            WORD.. => u64::MAX,
            width => (1 << width) - 1,
        };
        first_word(self.words(resource)) >> member.start & ones
    }
}

impl<'s> CellSplit<'s> {
    /// The cells of people without sets: one for each class of resources.
    pub(super) fn none(classes: &'s Resources) -> Self {
        Self::new(Cow::Borrowed(classes), None)
    }

    /// Splits classes by the sets of a member of a batch.
    pub(super) fn by_sets_of(
        member: &'s Member<'s>,
        membership: &'s Membership,
        classes: &'s Resources,
    ) -> Self {
        let width = member.sets.len();
        let most = u32::try_from(width)
            .ok()
            .and_then(|width| 1_usize.checked_shl(width));
        if most.is_some_and(|most| most.saturating_mul(classes.len()) <= MOST) {
            return Self::new(Cow::Borrowed(classes), Some((member, membership)));
        }
        let split = Partition::new(classes.count(), |resource, seen| {
            seen.push(classes.class(resource).raw());
            let bits = membership.words(resource).iter();
            seen.extend(bits.flat_map(|bits| [*bits as u32, (bits >> 32) as u32]));
        });
        Self::new(Cow::Owned(split), None)
    }

    fn new(classes: Cow<'s, Resources>, of: Option<(&'s Member<'s>, &'s Membership)>) -> Self {
        let mut split = Self {
            width: of.map_or(0, |(member, _)| member.sets.len()),
            cells: Cells::default(),
            classes,
            of,
        };
        let keys = split.classes.len() << split.width;
        // A table of many keys takes more time to make and to join than another core saves.
        let shares = if keys > SHARE {
            1
        } else {
            rayon::current_num_threads()
        };
        let resources = split.classes.count();
        let share = resources.div_ceil(shares).max(1);
        let counted: Vec<Cells> = (0..resources.div_ceil(share))
            .into_par_iter()
            .map(|number| {
                let mut cells = Cells::with_keys(keys);
                for first in number * share..resources.min((number + 1) * share) {
                    let first = ResourceId::from_usize(first);
                    cells.add(split.key(first), Cell { count: 1, first });
                }
                cells
            })
            .collect();
        split.cells = counted
            .into_iter()
            .reduce(Cells::joined)
            .unwrap_or_default();
        split
    }

    /// The cells.
    pub(super) fn cells(&self) -> &IndexVec<CellId, Cell> {
        &self.cells.cells
    }

    fn key(&self, resource: ResourceId) -> CellKeyId {
        let class = self.classes.class(resource).index();
        CellKeyId::from_usize(class << self.width | self.bits(resource) as usize)
    }

    /// The sets that a resource is in, as bits; 0 if the sets are part of the classes.
    fn bits(&self, resource: ResourceId) -> u64 {
        self.of
            .map_or(0, |(member, membership)| membership.bits(member, resource))
    }

    /// Whether the cells are those of people without sets.
    pub(super) fn is_whole(&self) -> bool {
        self.of.is_none() && matches!(self.classes, Cow::Borrowed(_))
    }

    /// The cell of a resource.
    #[expect(
        clippy::expect_used,
        reason = "a resource without a cell is a bug, and must not become an answer"
    )]
    pub(super) fn cell(&self, resource: ResourceId) -> CellId {
        let cell = self.cells.numbers[self.key(resource)];
        cell.expect("every resource is in a cell")
    }

    /// The sets, as bits, that hold the resources of a cell and that the policies of an action read in a state. Cells
    /// of one class with equal bits get equal decisions.
    pub(super) fn sets_read(&self, cell: CellId, state: StateId, action: ActionId) -> u64 {
        let Some((member, _)) = self.of else {
            // The sets by which a class was split are not kept.
            return u64::from(cell.raw());
        };
        self.bits(self.cells()[cell].first) & member.asked(state, action)
    }
}

impl Cells {
    fn with_keys(keys: usize) -> Self {
        Self {
            numbers: IndexVec::filled(None, keys),
            ..Self::default()
        }
    }

    /// Adds resources to the cell of a key.
    fn add(&mut self, key: CellKeyId, resources: Cell) {
        match self.numbers[key] {
            Some(cell) => self.cells[cell].count += resources.count,
            None => {
                self.numbers[key] = Some(self.cells.push(resources));
                self.keys.push(key);
            }
        }
    }

    /// The cells of two ranges of resources, in order.
    fn joined(mut self, others: Self) -> Self {
        for (key, cell) in others.keys.into_iter().zip(others.cells) {
            self.add(key, cell);
        }
        self
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

#[cfg(test)]
mod tests;
