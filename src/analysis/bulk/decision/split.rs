//! Cells: resource classes split by the sets of one class of people.
//!
//! Several classes of people share atoms, which the sets of all of them split; the cells of each are joined from these.
//! A million devices are thus divided once for several people.

use std::borrow::Cow;

use hashbrown::HashMap;
use rayon::iter::{
    IndexedParallelIterator, IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator,
};

use super::class_decisions::CellMarks;
use super::membership::{Member, Membership, span};
use crate::bulk::class::Partition;
use crate::bulk::index::{ActionId, CellId, ResourceClassId, ResourceId, StateId};
use tarbac_store::index::{Id, IndexVec};
use tarbac_store::index_type;

/// The most keys of a table of atoms. If there could be more, the resources are divided into finer classes instead.
const MOST: usize = 1 << 20;

/// The most keys of a table that each core has of its own: making and joining larger ones takes more time than another
/// core saves.
const FEW: usize = 1 << 14;

/// Resources of one class that are in the same sets of a person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    /// The number of resources.
    pub count: u64,
    /// The first resource.
    pub first: ResourceId,
}

/// Resources in classes.
type Resources = Partition<ResourceId, ResourceClassId>;

index_type! {
    /// Resources of one class that are in the same sets of all members that share atoms.
    struct AtomId;
}

index_type! {
    /// A class, and the bits of the sets.
    struct AtomKeyId;
}

/// The atoms of members of a batch.
pub(super) struct Atoms<'s> {
    classes: Cow<'s, Resources>,
    /// The sets that split the classes; `None` if these are split already.
    sets: Option<Sets<'s>>,
    table: AtomTable,
}

/// Neighbouring sets of a batch.
#[derive(Clone, Copy)]
struct Sets<'s> {
    membership: &'s Membership,
    start: usize,
    width: usize,
}

/// Atoms by key, in the order of their first resources.
#[derive(Default)]
struct AtomTable {
    /// `None` for a key that no resource has.
    numbers: IndexVec<AtomKeyId, Option<AtomId>>,
    atoms: IndexVec<AtomId, Cell>,
    keys: IndexVec<AtomId, AtomKeyId>,
}

/// The cells of a class of people.
pub(super) struct CellSplit<'s> {
    atoms: &'s Atoms<'s>,
    member: &'s Member<'s>,
    of: IndexVec<AtomId, CellId>,
    cells: IndexVec<CellId, Cell>,
}

/// The marked atoms.
pub(super) struct AtomMarks(IndexVec<AtomId, bool>);

/// The number of neighbouring sets that divide so many classes into few enough atoms for a small table.
pub(super) fn shared_sets(classes: usize) -> usize {
    let times = FEW / classes.max(1);
    times.max(1).ilog2() as usize
}

impl<'s> Atoms<'s> {
    /// The atoms of people without sets: one for each class of resources.
    pub(super) fn whole(classes: &'s Resources) -> Self {
        Self::new(Cow::Borrowed(classes), None)
    }

    /// The atoms of neighbouring members of a batch.
    pub(super) fn of_members(
        members: &[Member<'_>],
        membership: &'s Membership,
        classes: &'s Resources,
    ) -> Self {
        let (start, width) = span(members);
        let most = u32::try_from(width)
            .ok()
            .and_then(|width| 1_usize.checked_shl(width));
        if most.is_some_and(|most| most.saturating_mul(classes.len()) <= MOST) {
            let sets = Sets {
                membership,
                start,
                width,
            };
            return Self::new(Cow::Borrowed(classes), Some(sets));
        }
        let split = Partition::new(classes.count(), |resource, seen| {
            seen.push(classes.class(resource).raw());
            let bits = membership.words(resource).iter();
            seen.extend(bits.flat_map(|bits| [*bits as u32, (bits >> 32) as u32]));
        });
        Self::new(Cow::Owned(split), None)
    }

    fn new(classes: Cow<'s, Resources>, sets: Option<Sets<'s>>) -> Self {
        let mut atoms = Self {
            classes,
            sets,
            table: AtomTable::default(),
        };
        let width = sets.map_or(0, |sets| sets.width);
        let keys = atoms.classes.len() << width;
        let shares = match keys > FEW {
            true => 1,
            false => rayon::current_num_threads(),
        };
        let resources = atoms.classes.count();
        let share = resources.div_ceil(shares).max(1);
        let tables: Vec<AtomTable> = (0..resources.div_ceil(share))
            .into_par_iter()
            .map(|number| {
                let mut table = AtomTable::with_keys(keys);
                for first in number * share..resources.min((number + 1) * share) {
                    let first = ResourceId::from_usize(first);
                    table.add(atoms.key(first), Cell { count: 1, first });
                }
                table
            })
            .collect();
        let tables = tables.into_iter();
        atoms.table = tables.reduce(AtomTable::joined).unwrap_or_default();
        atoms
    }

    fn key(&self, resource: ResourceId) -> AtomKeyId {
        let class = self.classes.class(resource).index();
        AtomKeyId::from_usize(match self.sets {
            Some(Sets {
                membership,
                start,
                width,
            }) => class << width | membership.bits(start, width, resource) as usize,
            None => class,
        })
    }

    #[expect(
        clippy::expect_used,
        reason = "a resource without an atom is a bug, and must not become an answer"
    )]
    fn atom(&self, resource: ResourceId) -> AtomId {
        let atom = self.table.numbers[self.key(resource)];
        atom.expect("every resource is in an atom")
    }

    /// No marks.
    pub(super) fn unmarked(&self) -> AtomMarks {
        AtomMarks(IndexVec::filled(false, self.table.atoms.len()))
    }

    /// Marks the resources of marked atoms.
    pub(super) fn mark(&self, marked: &AtomMarks, marks: &mut IndexVec<ResourceId, bool>) {
        if !marked.0.raw.contains(&true) {
            return;
        }
        let resources = marks.raw.par_iter_mut().enumerate();
        resources.for_each(|(resource, is_marked)| {
            *is_marked |= marked.0[self.atom(ResourceId::from_usize(resource))];
        });
    }
}

impl AtomMarks {
    /// Adds the marks of others.
    pub(super) fn join(&mut self, others: &Self) {
        let pairs = self.0.iter_mut().zip(&others.0);
        pairs.for_each(|(is_marked, other)| *is_marked |= other);
    }
}

impl<'s> CellSplit<'s> {
    /// The cells of one of the members that share atoms.
    pub(super) fn new(atoms: &'s Atoms<'s>, member: &'s Member<'s>) -> Self {
        let mut split = Self {
            atoms,
            member,
            of: IndexVec::new(),
            cells: IndexVec::new(),
        };
        let mut known: HashMap<(ResourceClassId, u64), CellId> = HashMap::new();
        for atom in &atoms.table.atoms {
            let key = (atoms.classes.class(atom.first), split.bits(atom.first));
            let next = split.cells.next();
            let cell = *known.entry(key).or_insert(next);
            match cell == next {
                true => {
                    split.cells.push(*atom);
                }
                false => split.cells[cell].count += atom.count,
            }
            split.of.push(cell);
        }
        split
    }

    /// The cells.
    pub(super) fn cells(&self) -> &IndexVec<CellId, Cell> {
        &self.cells
    }

    /// Whether the cells are those of people without sets.
    pub(super) fn is_whole(&self) -> bool {
        self.atoms.sets.is_none() && matches!(self.atoms.classes, Cow::Borrowed(_))
    }

    /// The cell of a resource.
    pub(super) fn cell(&self, resource: ResourceId) -> CellId {
        self.of[self.atoms.atom(resource)]
    }

    /// The atoms of marked cells.
    pub(super) fn marked(&self, cells: &CellMarks) -> AtomMarks {
        match cells.is_empty() {
            true => self.atoms.unmarked(),
            false => AtomMarks(self.of.iter().map(|cell| cells[*cell]).collect()),
        }
    }

    /// The sets of the member that a resource is in, as bits; 0 if the sets are part of the classes.
    fn bits(&self, resource: ResourceId) -> u64 {
        let sets = self.atoms.sets.as_ref();
        sets.map_or(0, |sets| self.member.bits(sets.membership, resource))
    }

    /// The sets, as bits, that hold the resources of a cell and that the policies of an action read in a state. Cells
    /// of one class with equal bits get equal decisions.
    pub(super) fn sets_read(&self, cell: CellId, state: StateId, action: ActionId) -> u64 {
        match self.atoms.sets {
            Some(_) => self.bits(self.cells[cell].first) & self.member.asked(state, action),
            // The sets by which a class was split are not kept.
            None => u64::from(cell.raw()),
        }
    }
}

impl AtomTable {
    fn with_keys(keys: usize) -> Self {
        Self {
            numbers: IndexVec::filled(None, keys),
            ..Self::default()
        }
    }

    /// Adds resources to the atom of a key.
    fn add(&mut self, key: AtomKeyId, resources: Cell) {
        match self.numbers[key] {
            Some(atom) => self.atoms[atom].count += resources.count,
            None => {
                self.numbers[key] = Some(self.atoms.push(resources));
                self.keys.push(key);
            }
        }
    }

    /// The atoms of two ranges of resources, in order.
    fn joined(mut self, others: Self) -> Self {
        for (key, atom) in others.keys.into_iter().zip(others.atoms) {
            self.add(key, atom);
        }
        self
    }
}

#[cfg(test)]
mod tests;
