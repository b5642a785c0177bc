//! Marks of cells, carried over to their resources.

use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::class_decisions::CellMarks;
use super::split::CellSplit;
use crate::bulk::index::{ClassId, ResourceId};
use tarbac_store::index::{Id, IndexVec};

/// The results of a visit of every class of people.
pub(crate) struct Visited<T> {
    /// For each class, its result.
    pub(crate) results: IndexVec<ClassId, T>,
    /// For each resource, whether any class has marked its cell.
    pub(crate) marks: IndexVec<ResourceId, bool>,
}

/// Marks the resources of marked cells.
pub(super) fn mark(marks: &mut IndexVec<ResourceId, bool>, cells: &[(&CellSplit<'_>, &CellMarks)]) {
    let cells: Vec<_> = cells
        .iter()
        .filter(|(_, cell_marks)| cell_marks.raw.contains(&true))
        .collect();
    let resources = marks.raw.par_iter_mut().enumerate();
    resources
        .filter(|(_, is_marked)| !**is_marked)
        .for_each(|(resource, is_marked)| {
            let resource = ResourceId::from_usize(resource);
            let mut cells = cells.iter();
            *is_marked = cells.any(|(split, cell_marks)| cell_marks[split.cell(resource)]);
        });
}
