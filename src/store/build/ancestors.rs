//! The ancestors of entities, kept once for each distinct list of parents.

use std::io;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::Row;
use crate::index::{Id, IndexVec};
use crate::tables::column::Column;
use crate::tables::ids::ListId;
use crate::tables::lists::ListTable;
use crate::tables::value_ref::ValueRef;
use crate::tables::written::{Tables, Writer};

/// For each list of parents, the further ancestors: those that are not in the list.
#[derive(Default)]
pub(crate) struct Closure {
    rows: Column<Row>,
    spans: Column<Span>,
}

#[derive(Copy, Clone, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Span {
    start: u32,
    end: u32,
}

/// The most further ancestors of all lists together.
///
/// Chains of parents need memory by the square of their length; real ones have about a dozen entities.
const MOST: usize = 1 << 28;

/// The reason why the ancestors cannot be computed.
pub(crate) enum ClosureError {
    /// A cycle: the next row is a parent of each row, and the first one of the last.
    Cycle(Vec<Row>),
    /// There are too many ancestors.
    TooMany,
}

/// A row on the path of the depth-first walk, and its next parent to visit.
struct Step {
    row: Row,
    next: usize,
}

#[derive(Copy, Clone, Eq, PartialEq)]
enum Mark {
    Unseen,
    Open,
    Done,
}

impl Closure {
    /// Computes the ancestors; `list_of` returns the list of parents of a row.
    pub(crate) fn new(
        parents: &ListTable<ListId>,
        rows: usize,
        list_of: impl Fn(Row) -> Option<ListId> + Sync,
    ) -> (Self, Vec<ClosureError>) {
        let mut closure = Self {
            rows: Column::default(),
            spans: vec![Span::default(); parents.len()].into(),
        };
        let mut errors = Vec::new();
        let mut done: IndexVec<ListId, bool> = IndexVec::filled(false, parents.len());
        let order = Self::order(parents, rows, &list_of, &mut errors);
        let mut union = Union::new(rows);
        for row in order {
            let Some(list) = list_of(row) else { continue };
            if std::mem::replace(&mut done[list], true) {
                continue;
            }
            let start = closure.rows.len();
            let Self { rows, spans } = &closure;
            let above = union.above(
                parents,
                list,
                |row| extra(rows, spans, list_of(row)?),
                &list_of,
            );
            closure.rows.to_mut().extend_from_slice(above);
            if closure.rows.len() > MOST {
                errors.push(ClosureError::TooMany);
                return (Self::default(), errors);
            }
            let span = Span {
                start: start as u32,
                end: closure.rows.len() as u32,
            };
            closure.spans.set(list.index(), span);
        }
        if !closure.leaves(parents, rows, &list_of, &done) {
            errors.push(ClosureError::TooMany);
            return (Self::default(), errors);
        }
        (closure, errors)
    }

    /// Computes the lists of rows that are no parents. They are independent of each other, so the cores share them.
    fn leaves(
        &mut self,
        parents: &ListTable<ListId>,
        rows: usize,
        list_of: &(impl Fn(Row) -> Option<ListId> + Sync),
        done: &IndexVec<ListId, bool>,
    ) -> bool {
        let todo: Vec<ListId> = done.indices().filter(|list| !done[*list]).collect();
        let cores = thread::available_parallelism().map_or(2, NonZero::get);
        let share = todo.len().div_ceil(cores).max(1);
        let (known, spans) = (&self.rows, &self.spans);
        let parts: Vec<(Vec<Row>, Vec<u32>)> = thread::scope(|scope| {
            let threads: Vec<_> = todo
                .chunks(share)
                .map(|lists| {
                    scope.spawn(move || {
                        let mut union = Union::new(rows);
                        let mut above = Vec::new();
                        let mut ends = Vec::with_capacity(lists.len());
                        for &list in lists {
                            above.extend_from_slice(union.above(
                                parents,
                                list,
                                |row| extra(known, spans, list_of(row)?),
                                list_of,
                            ));
                            if above.len() > MOST {
                                break;
                            }
                            ends.push(above.len() as u32);
                        }
                        (above, ends)
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        for (lists, (above, ends)) in todo.chunks(share).zip(parts) {
            let base = self.rows.len();
            if base + above.len() > MOST || ends.len() != lists.len() {
                return false;
            }
            self.rows.to_mut().extend_from_slice(&above);
            let mut start = 0;
            for (&list, end) in lists.iter().zip(ends) {
                let span = Span {
                    start: base as u32 + start,
                    end: base as u32 + end,
                };
                self.spans.set(list.index(), span);
                start = end;
            }
        }
        self.rows.to_mut().shrink_to_fit();
        true
    }

    /// The rows that are parents, each after its own parents.
    fn order(
        parents: &ListTable<ListId>,
        rows: usize,
        list_of: &impl Fn(Row) -> Option<ListId>,
        errors: &mut Vec<ClosureError>,
    ) -> Vec<Row> {
        let mut marks: IndexVec<Row, Mark> = IndexVec::filled(Mark::Unseen, rows);
        let mut starts: IndexVec<Row, bool> = IndexVec::filled(false, rows);
        for row in parents.items().filter_map(|item| item.as_entity()) {
            starts[row] = true;
        }
        let mut order = Vec::new();
        let mut walk: Vec<Step> = Vec::new();
        for row in starts.indices().filter(|row| starts[*row]) {
            visit(row, &mut marks, &mut walk);
            while let Some(step) = walk.last_mut() {
                let above = list_of(step.row).map_or(&[][..], |list| parents.get(list));
                let next = above.get(step.next).and_then(|item| item.as_entity());
                step.next += 1;
                match next {
                    Some(parent) => {
                        if !visit(parent, &mut marks, &mut walk) && marks[parent] == Mark::Open {
                            let cycle = walk.iter().map(|step| step.row);
                            errors.push(ClosureError::Cycle(
                                cycle.skip_while(|row| *row != parent).collect(),
                            ));
                        }
                    }
                    None => {
                        marks[step.row] = Mark::Done;
                        order.push(step.row);
                        walk.pop();
                    }
                }
            }
        }
        order
    }

    /// The further ancestors of entities with this list of parents.
    pub(crate) fn above(&self, list: ListId) -> &[Row] {
        extra(&self.rows, &self.spans, list).unwrap_or_default()
    }

    /// Writes the tables, for [`Closure::from_tables`].
    pub(crate) fn write(&self, out: &mut Writer<'_>) -> io::Result<()> {
        out.table(&self.rows)?;
        out.table(&self.spans)
    }

    /// The ancestors of a written directory.
    pub(crate) fn from_tables(tables: &mut Tables) -> Option<Self> {
        Some(Self {
            rows: tables.table()?,
            spans: tables.table()?,
        })
    }
}

/// Starts the visit of a row, unless it was visited before; returns whether it does.
fn visit(row: Row, marks: &mut IndexVec<Row, Mark>, walk: &mut Vec<Step>) -> bool {
    let is_new = marks[row] == Mark::Unseen;
    if is_new {
        marks[row] = Mark::Open;
        walk.push(Step { row, next: 0 });
    }
    is_new
}

/// The further ancestors of a list; `None` if the directory is damaged.
fn extra<'c>(rows: &'c Column<Row>, spans: &Column<Span>, list: ListId) -> Option<&'c [Row]> {
    let span = spans.get(list.index())?;
    rows.slice(span.start as usize..span.end as usize)
}

/// The union of lists of rows.
struct Union {
    /// For each row, the latest round that met it.
    met: IndexVec<Row, u32>,
    round: u32,
    rows: Vec<Row>,
}

impl Union {
    fn new(rows: usize) -> Self {
        Self {
            met: IndexVec::filled(0, rows),
            round: 0,
            rows: Vec::new(),
        }
    }

    /// The further ancestors of a list of parents, in order.
    fn above<'c>(
        &mut self,
        parents: &ListTable<ListId>,
        list: ListId,
        above: impl Fn(Row) -> Option<&'c [Row]>,
        list_of: &impl Fn(Row) -> Option<ListId>,
    ) -> &[Row] {
        self.round += 1;
        self.rows.clear();
        let direct = parents.get(list);
        for row in direct.iter().filter_map(|item| item.as_entity()) {
            self.meet(row);
        }
        for row in direct.iter().filter_map(|item| item.as_entity()) {
            let Some(list) = list_of(row) else { continue };
            for row in parents
                .get(list)
                .iter()
                .filter_map(|item| ValueRef::as_entity(*item))
            {
                self.add(row);
            }
            for &row in above(row).unwrap_or_default() {
                self.add(row);
            }
        }
        self.rows.sort_unstable();
        &self.rows
    }

    fn add(&mut self, row: Row) {
        if self.meet(row) {
            self.rows.push(row);
        }
    }

    /// Whether this is the first time that this round meets the row.
    fn meet(&mut self, row: Row) -> bool {
        std::mem::replace(&mut self.met[row], self.round) != self.round
    }
}
