//! Snapshots: tables of decisions kept beside a suite.
//!
//! A snapshot is a [`Matrix`] as text, under a line that names the readings in force. It is compared as text, so that
//! the file in a repository is enough.
//!
//! No file is opened here.

mod parse;

use std::collections::BTreeMap;

use cedar_policy::EntityUid;
use schemars::JsonSchema;
use serde::Serialize;

use parse::Read;
use tarbac_analysis::matrix::{Heading, Mark, Matrix, Selection, one_line};
use tarbac_host::decision::Request;
use tarbac_host::engine::Engine;

/// The beginning of the first line of a snapshot.
const READINGS: &str = "readings in force: ";

/// A snapshot of the present decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The decisions.
    pub matrix: Matrix,
    /// The text of its file.
    pub text: String,
}

/// A changed decision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flip {
    /// The kind; more important kinds come first.
    pub kind: FlipKind,
    /// The cell of the table.
    pub cell: CellName,
    /// The name of the resource, with its UID if another has the same name.
    pub resource: String,
    /// The old decision; `None` if the old table has no such cell.
    pub before: Option<CellDecision>,
    /// The new decision; `None` if the new table has no such cell.
    pub after: Option<CellDecision>,
}

/// The kind of a difference, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlipKind {
    /// It is allowed, and was not.
    NewlyAllowed,
    /// It cannot be decided, and could be.
    NewlyIndeterminate,
    /// It is not allowed, and was.
    NoLongerAllowed,
    /// The decision is the same, and another policy determines it.
    DecidedOtherwise,
    /// The table has a new cell, which is not allowed.
    New,
    /// The table has lost the cell.
    Gone,
}

/// The headings of a cell, in the words of the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellName {
    /// The UID of the resource.
    pub resource: String,
    /// The name of the principal.
    pub principal: String,
    /// The heading of the column.
    pub action: String,
}

/// The decision in a cell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct CellDecision {
    /// The decision.
    #[serde(rename = "decision")]
    pub mark: Mark,
    /// The first of the policies that determine it.
    pub policy: Option<String>,
}

/// A text that is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSnapshot {
    /// A merge conflict has not been resolved.
    #[error("line {line} is a conflict marker of a merge")]
    Conflict {
        /// The line, counted from 1.
        line: usize,
    },
    /// It is no snapshot, or a damaged one.
    #[error("line {line} is not that of a snapshot: {what}")]
    Damaged {
        /// The line, counted from 1.
        line: usize,
        /// The problem.
        what: &'static str,
    },
}

impl FlipKind {
    /// The kind in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NewlyAllowed => "newly allowed",
            Self::NewlyIndeterminate => "no longer decidable",
            Self::NoLongerAllowed => "no longer allowed",
            Self::DecidedOtherwise => "decided by another policy",
            Self::New => "new in the table",
            Self::Gone => "no longer in the table",
        }
    }
}

impl Taken {
    /// The snapshot of an engine's decisions.
    pub fn take(engine: &Engine, selection: &Selection) -> Self {
        let matrix = Matrix::new(engine, selection);
        let readings = match engine.readings() {
            [] => "none".to_owned(),
            on => on.join(", "),
        };
        Self {
            text: format!("{READINGS}{readings}\n\n{matrix}"),
            matrix,
        }
    }

    /// Whether it has no decisions.
    pub fn is_empty(&self) -> bool {
        self.matrix.blocks.iter().all(|block| block.rows.is_empty())
    }

    /// The request behind a cell; `None` if the table has no such cell.
    pub fn request(&self, selection: &Selection, cell: &CellName) -> Option<Request> {
        let block = self.matrix.blocks.iter().find(|block| {
            let resource = block.resource.as_ref();
            resource.is_some_and(|heading| heading.uid.to_string() == cell.resource)
        })?;
        let principal = named(block.rows.iter().map(|row| &row.heading), &cell.principal)?;
        let action = named(block.columns.iter(), &cell.action)?;
        let mut asked = selection.actions.iter();
        let (_, context) = asked.find(|(asked, _)| *asked == action)?;
        Some(Request {
            context: context.clone(),
            resource: block.resource.as_ref()?.uid.clone(),
            principal,
            action,
        })
    }

    /// The differences from an old snapshot, the most important first.
    ///
    /// # Errors
    /// The old text is no snapshot.
    pub fn flips_since(&self, before: &str) -> Result<Vec<Flip>, NoSnapshot> {
        let Read {
            cells: mut before,
            resources: mut names,
        } = Read::parse(before)?;
        let after = Read::parse(&self.text)?;
        // Of two names of a device, the newer one counts.
        names.extend(after.resources);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in names.values() {
            *counts.entry(name).or_default() += 1;
        }
        let unambiguous = |(uid, name): (&String, &String)| match counts.get(name.as_str()) {
            Some(1) => (uid.clone(), name.clone()),
            _ => (uid.clone(), format!("{name} {uid}")),
        };
        let resources: BTreeMap<String, String> = names.iter().map(unambiguous).collect();
        let resource = |cell: &CellName| resources.get(&cell.resource).cloned().unwrap_or_default();
        let mut flips = Vec::new();
        for (cell, after) in after.cells {
            let before = before.remove(&cell);
            if before.as_ref() == Some(&after) {
                continue;
            }
            let was_allowed = before
                .as_ref()
                .is_some_and(|before| before.mark == Mark::Yes);
            let kind = match (after.mark, &before) {
                (Mark::Yes, _) if !was_allowed => FlipKind::NewlyAllowed,
                (Mark::Indeterminate, Some(before)) if before.mark != Mark::Indeterminate => {
                    FlipKind::NewlyIndeterminate
                }
                (Mark::No | Mark::Conditional, _) if was_allowed => FlipKind::NoLongerAllowed,
                (_, None) => FlipKind::New,
                _ => FlipKind::DecidedOtherwise,
            };
            flips.push(Flip {
                kind,
                resource: resource(&cell),
                cell,
                before,
                after: Some(after),
            });
        }
        flips.extend(before.into_iter().map(|(cell, before)| Flip {
            kind: FlipKind::Gone,
            resource: resource(&cell),
            cell,
            before: Some(before),
            after: None,
        }));
        flips.sort();
        Ok(flips)
    }
}

/// The entity of the heading that is read back as `name`.
fn named<'a>(mut headings: impl Iterator<Item = &'a Heading>, name: &str) -> Option<EntityUid> {
    headings
        .find(|heading| one_line(&heading.name) == name)
        .map(|heading| heading.uid.clone())
}
