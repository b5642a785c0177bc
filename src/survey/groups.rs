//! What resources are in, in one state or in several.

use hashbrown::HashMap;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSlice;

use super::State;
use crate::directory::{Directory, Row};
use crate::engine::Engine;

/// What the resources of a state are in.
pub(super) struct Groups {
    /// What they are directly in, each once, in order.
    pub direct: Vec<Row>,
    /// The first state in which every resource is in the same: this one, or an earlier.
    pub base: usize,
    /// Whatever resources are in, directly or not, with its row in that state.
    rows: HashMap<Row, Row>,
    resource_type: String,
}

impl Groups {
    /// Those of resources in state `number`, the next after `states`; `earlier` has the resources of those
    /// in the same order.
    pub fn of<'r>(
        engine: &Engine,
        number: usize,
        resources: &[Option<Row>],
        states: &[State<'_>],
        earlier: impl Fn(usize) -> &'r [Option<Row>],
    ) -> Self {
        let directory = engine.directory();
        let direct = direct(directory, resources);
        let above = direct.iter().flat_map(|row| directory.ancestors(*row));
        let mut rows: HashMap<Row, Row> = direct
            .iter()
            .copied()
            .chain(above)
            .map(|row| (row, row))
            .collect();
        let mut base = number;
        let bases = states.iter().enumerate();
        for (state, of) in bases.filter(|(state, of)| of.groups.base == *state) {
            let other = of.engine.directory();
            if let Some(known) = rows_in(directory, &rows, other, resources, earlier(state)) {
                rows = known;
                base = state;
                break;
            }
        }
        let first = resources.iter().flatten().next();
        Self {
            direct,
            base,
            rows,
            resource_type: first.map_or("", |row| directory.type_name(*row)).to_owned(),
        }
    }

    /// The row in the base of what a resource may be, or may be in; none of anything else.
    pub fn in_base(&self, row: Row, engine: &Engine, base: &Engine) -> Option<Row> {
        self.rows.get(&row).copied().or_else(|| {
            let directory = engine.directory();
            let is_resource = self.is_resource(row, directory);
            is_resource.then(|| base.directory().row(&directory.uid(row)))?
        })
    }

    /// Whether a row can be that of a resource.
    pub fn is_resource(&self, row: Row, directory: &Directory) -> bool {
        directory.type_name(row) == self.resource_type
    }
}

/// What entities are directly in, each once, in order.
fn direct(directory: &Directory, rows: &[Option<Row>]) -> Vec<Row> {
    let none = || vec![false; directory.every_row().len()];
    let share = rows.len().div_ceil(rayon::current_num_threads()).max(1);
    let is_direct = rows
        .par_chunks(share)
        .map(|rows| {
            let mut is_direct = none();
            for parent in rows
                .iter()
                .flatten()
                .flat_map(|row| directory.parents(*row))
            {
                if let Some(is_direct) = is_direct.get_mut(parent.index()) {
                    *is_direct = true;
                }
            }
            is_direct
        })
        .reduce(none, |mut all, some| {
            all.iter_mut()
                .zip(some)
                .for_each(|(all, some)| *all |= some);
            all
        });
    let rows = directory.every_row().zip(is_direct);
    rows.filter(|(_, is_direct)| *is_direct)
        .map(|(row, _)| row)
        .collect()
}

/// The rows in another directory of everything that resources are in, if every resource is in the same
/// there.
fn rows_in(
    directory: &Directory,
    groups: &HashMap<Row, Row>,
    other: &Directory,
    resources: &[Option<Row>],
    others: &[Option<Row>],
) -> Option<HashMap<Row, Row>> {
    let rows = groups.keys();
    let known = rows.map(|row| Some((*row, other.row(&directory.uid(*row))?)));
    let known: HashMap<Row, Row> = known.collect::<Option<_>>()?;
    let mut in_other = vec![None; directory.every_row().len()];
    for (row, other) in &known {
        if let Some(slot) = in_other.get_mut(row.index()) {
            *slot = Some(*other);
        }
    }
    let in_other = |row: Row| in_other.get(row.index()).copied().flatten();
    // Rows are in the order of their uids in both, if the types are.
    let is_same = |row: Row, same: Row| {
        let mapped = directory.ancestors(row).map(in_other);
        mapped.eq(other.ancestors(same).map(Some))
    };
    let groups = known.iter().all(|(row, same)| is_same(*row, *same));
    let is_there = |(row, same): (&Option<Row>, &Option<Row>)| match (row, same) {
        (Some(row), Some(same)) => {
            let mapped = directory.parents(*row).map(in_other);
            mapped.eq(other.parents(*same).map(Some))
        }
        _ => false,
    };
    (groups && resources.par_iter().zip(others).all(is_there)).then_some(known)
}
