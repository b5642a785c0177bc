//! Splits resources by the sets that somebody has of them.
//!
//! Whether a resource is in a set is a bit. The sets of several people are looked up in one go, as many
//! as a word holds, for that is where the time goes: a million devices are in ten collections each.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use hashbrown::HashMap;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::groups::{Groups, Lists, Place};
use crate::bulk::class::Partition;
use tarbac_store::{Directory, Row};

/// How many sets are looked up at a time.
const WORD: usize = u64::BITS as usize;

/// How many resources one core looks up before another can take over.
const SHARE: usize = 1 << 14;

/// The most cells that are numbered by a table; what could be more is sorted into classes instead.
const MOST: usize = 1 << 20;

/// A set of somebody's that resources may be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnedSet {
    /// The state in whose directory its members are.
    pub state: usize,
    /// The members.
    pub rows: Vec<Row>,
    /// Whether only a resource itself counts, and not what it is in.
    pub is_itself: bool,
    /// The states that ask, each with the action.
    pub asked: BTreeSet<(usize, usize)>,
}

/// Some classes of people whose sets are looked up in one go.
pub(super) struct Batch<'s> {
    pub members: Vec<Member<'s>>,
    words: usize,
}

/// A class of people with its sets, and the first of their bits.
pub(super) struct Member<'s> {
    pub class: usize,
    sets: &'s [OwnedSet],
    start: usize,
}

/// For each resource the sets of a batch that it is in.
pub(super) struct Membership {
    words: usize,
    bits: Vec<u64>,
}

/// Resources that are treated alike for a person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    /// How many there are.
    pub count: u64,
    /// The first.
    pub first: usize,
}

/// Resources by the cell they are in: those of a class that are in the same sets.
pub(super) struct CellSplit<'s> {
    classes: Cow<'s, Partition>,
    of: Option<(&'s Member<'s>, &'s Membership)>,
    width: usize,
    cells: Cells,
}

/// Cells by key, in the order in which they came.
#[derive(Default)]
struct Cells {
    /// By key, which is made of a class and of bits, the number of the cell, counted from 1.
    numbers: Vec<u32>,
    cells: Vec<Cell>,
    keys: Vec<usize>,
}

impl<'s> Batch<'s> {
    /// Lays out the sets of classes over batches of a word each, or of more for somebody who has more
    /// sets than that.
    pub fn all(classes: impl Iterator<Item = (usize, &'s [OwnedSet])>) -> Vec<Self> {
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
    fn asked(&self, state: usize, action: usize) -> u64 {
        let sets = self.sets.iter().enumerate();
        let asked = sets.filter(|(_, set)| set.asked.contains(&(state, action)));
        asked.fold(0, |bits, (bit, _)| bits | 1 << bit)
    }
}

impl Membership {
    /// Looks up the sets of a batch in these states.
    pub fn of(batch: &Batch<'_>, states: &[Place<'_>], groups: &[Groups]) -> Self {
        let words = batch.words;
        let marks = states.iter().zip(groups).enumerate();
        let marks: Vec<(Marks<'_>, &Place<'_>)> = marks
            .filter_map(|(state, (place, groups))| {
                Some((Marks::of(batch, state, place.directory, groups)?, place))
            })
            .collect();
        let resources = states.first().map_or(0, |state| state.rows.len());
        let mut bits = vec![0; resources * words];
        let shares = bits.par_chunks_mut(SHARE * words).enumerate();
        shares.for_each(|(share, bits)| {
            let resources = bits.chunks_exact_mut(words).zip(share * SHARE..);
            for (bits, resource) in resources {
                for (marks, place) in &marks {
                    marks.add(place, resource, bits);
                }
            }
        });
        Self { words, bits }
    }

    fn words(&self, resource: usize) -> &[u64] {
        let start = resource * self.words;
        self.bits.get(start..start + self.words).unwrap_or_default()
    }

    /// The sets of a member, of whom they fit into a word, that a resource is in.
    fn bits(&self, member: &Member<'_>, resource: usize) -> u64 {
        let word = self.bits.get(resource * self.words).copied();
        let ones = match member.sets.len() {
            WORD.. => u64::MAX,
            width => (1 << width) - 1,
        };
        word.unwrap_or_default() >> member.start & ones
    }
}

impl<'s> CellSplit<'s> {
    /// The classes as they are, for whoever has no sets.
    pub fn none(classes: &'s Partition) -> Self {
        Self::new(Cow::Borrowed(classes), None)
    }

    /// Splits classes by the sets of a member of a batch.
    pub fn by(member: &'s Member<'s>, membership: &'s Membership, classes: &'s Partition) -> Self {
        let width = member.sets.len();
        let most = u32::try_from(width)
            .ok()
            .and_then(|width| 1_usize.checked_shl(width));
        if most.is_some_and(|most| most.saturating_mul(classes.len()) <= MOST) {
            return Self::new(Cow::Borrowed(classes), Some((member, membership)));
        }
        let split = Partition::of(classes.count(), |resource, seen| {
            seen.push(classes.class(resource));
            let bits = membership.words(resource).iter();
            seen.extend(bits.flat_map(|bits| [*bits as u32, (bits >> 32) as u32]));
        });
        Self::new(Cow::Owned(split), None)
    }

    fn new(classes: Cow<'s, Partition>, of: Option<(&'s Member<'s>, &'s Membership)>) -> Self {
        let mut split = Self {
            width: of.map_or(0, |(member, _)| member.sets.len()),
            cells: Cells::default(),
            classes,
            of,
        };
        let keys = split.classes.len() << split.width;
        // A table of many keys takes longer to make and to join than what another core spares.
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
                let mut cells = Cells::of(keys);
                for first in number * share..resources.min((number + 1) * share) {
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
    pub fn cells(&self) -> &[Cell] {
        &self.cells.cells
    }

    fn key(&self, resource: usize) -> usize {
        (self.classes.class(resource) as usize) << self.width | self.bits(resource) as usize
    }

    /// The sets that a resource is in; without any where the classes tell.
    fn bits(&self, resource: usize) -> u64 {
        self.of
            .map_or(0, |(member, membership)| membership.bits(member, resource))
    }

    /// Whether the cells are those of whoever has no sets.
    pub fn is_whole(&self) -> bool {
        self.of.is_none() && matches!(self.classes, Cow::Borrowed(_))
    }

    /// The cell of a resource.
    pub fn cell(&self, resource: usize) -> usize {
        let number = self.cells.numbers.get(self.key(resource)).copied();
        (number.unwrap_or(1) as usize).saturating_sub(1)
    }

    /// What an action sees in a state of the sets that the resources of a cell are in: cells of which the
    /// same is seen are decided alike if their classes are.
    pub fn seen(&self, cell: usize, state: usize, action: usize) -> u64 {
        let Some((member, _)) = self.of else {
            // Whatever else a class was split by is not known here.
            return cell as u64;
        };
        let first = self.cells().get(cell).map_or(0, |cell| cell.first);
        self.bits(first) & member.asked(state, action)
    }
}

impl Cells {
    fn of(keys: usize) -> Self {
        Self {
            numbers: vec![0; keys],
            ..Self::default()
        }
    }

    /// Counts resources in.
    fn add(&mut self, key: usize, resources: Cell) {
        let Some(number) = self.numbers.get_mut(key) else {
            return;
        };
        let known = number.checked_sub(1);
        match known.and_then(|known| self.cells.get_mut(known as usize)) {
            Some(cell) => cell.count += resources.count,
            None => {
                self.cells.push(resources);
                self.keys.push(key);
                *number = self.cells.len() as u32;
            }
        }
    }

    /// The same with those of resources that come after.
    fn joined(mut self, others: Self) -> Self {
        for (key, cell) in others.keys.into_iter().zip(others.cells) {
            self.add(key, cell);
        }
        self
    }
}

/// The sets of a batch in a state, by what is in them.
struct Marks<'g> {
    words: usize,
    lists: &'g Lists,
    /// For each list of parents the bits of the sets that hold one of these, or what one is in.
    inherited: Vec<u64>,
    /// For a resource that a set holds itself.
    own: HashMap<Row, Vec<u64>>,
}

impl<'g> Marks<'g> {
    /// None where nobody has a set in this state.
    fn of(
        batch: &Batch<'_>,
        state: usize,
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
            let bits = bits.entry(row).or_insert_with(|| vec![0; words]);
            if let Some(word) = bits.get_mut(bit / WORD) {
                *word |= 1 << (bit % WORD);
            }
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
        let mut of_groups = vec![0; last.map_or(0, |row| (row.index() + 1) * words)];
        for group in &groups.above {
            let above = std::iter::once(*group).chain(directory.ancestors(*group));
            let of_above = above.filter_map(|row| members.get(&row));
            let start = group.index() * words;
            if let Some(bits) = of_groups.get_mut(start..start + words) {
                of_above.for_each(|of_row| join(bits, of_row));
            }
        }
        Some(Self {
            words,
            lists: &groups.lists,
            inherited: inherited(&of_groups, words, directory, groups.lists.all.clone()),
            own,
        })
    }

    /// Adds the sets that a resource is in.
    fn add(&self, place: &Place<'_>, resource: usize, bits: &mut [u64]) {
        if let Some(list) = self.lists.place(resource) {
            let start = list * self.words;
            let inherited = self.inherited.get(start..start + self.words);
            join(bits, inherited.unwrap_or_default());
        }
        if !self.own.is_empty()
            && let Some(row) = place.rows.get(resource).copied().flatten()
            && let Some(own) = self.own.get(&row)
        {
            join(bits, own);
        }
    }
}

/// For each list of parents the bits of all of them.
fn inherited(
    of_groups: &[u64],
    words: usize,
    directory: &Directory,
    lists: Range<u32>,
) -> Vec<u64> {
    let mut inherited = vec![0; lists.len() * words];
    let shares = inherited.par_chunks_mut(SHARE * words);
    shares.enumerate().for_each(|(share, bits)| {
        let first = lists.start + (share * SHARE) as u32;
        for (bits, list) in bits.chunks_exact_mut(words).zip(first..) {
            let parents = directory.parents_in(list);
            match bits {
                // Nearly always there is one word, and this is done for every parent of a million devices.
                [word] => {
                    let of_parents = parents.filter_map(|group| of_groups.get(group.index()));
                    *word = of_parents.fold(0, |all, bits| all | bits);
                }
                bits => parents.for_each(|group| {
                    let start = group.index() * words;
                    let of_parent = of_groups.get(start..start + words);
                    join(bits, of_parent.unwrap_or_default());
                }),
            }
        }
    });
    inherited
}

fn join(bits: &mut [u64], others: &[u64]) {
    bits.iter_mut()
        .zip(others)
        .for_each(|(all, bits)| *all |= bits);
}
