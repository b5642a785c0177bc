//! Snapshots: tables of decisions kept beside a suite.
//!
//! A snapshot is a [`Matrix`] as text, under a line that names the readings in force. It is read
//! back as text, so that the file in a repository is all there is to compare with.
//!
//! Nothing here opens a file; the shell does.

use std::collections::BTreeMap;
use std::iter::Peekable;

use cedar_policy::EntityUid;
use schemars::JsonSchema;
use serde::Serialize;
use unicode_width::UnicodeWidthChar;

use tarbac_analysis::matrix::{Heading, Mark, Matrix, NOBODY, Selection, one_line};
use tarbac_host::decision::Request;
use tarbac_host::engine::Engine;

/// The beginning of the first line of a snapshot.
const READINGS: &str = "readings in force: ";

/// A snapshot of what holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The decisions.
    pub matrix: Matrix,
    /// The text of its file.
    pub text: String,
}

/// A decision that is another than it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flip {
    /// The kind; more important kinds come first.
    pub kind: FlipKind,
    /// Where in the table.
    pub cell: CellName,
    /// The name of the resource, with its UID if another has the same name.
    pub resource: String,
    /// The old decision; `None` where the old table has no such cell.
    pub before: Option<Decided>,
    /// The new decision; `None` where the new table has no such cell.
    pub after: Option<Decided>,
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
    /// The decision is what it was, and another policy determines it.
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
pub struct Decided {
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
    /// In words.
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
    /// Takes the snapshot of an engine's decisions.
    pub fn of(engine: &Engine, selection: &Selection) -> Self {
        let matrix = Matrix::of(engine, selection);
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

    /// The request behind a cell; `None` where the table has no such cell.
    pub fn request(
        &self,
        engine: &Engine,
        selection: &Selection,
        cell: &CellName,
    ) -> Option<Request> {
        let block = self.matrix.blocks.iter().find(|block| {
            let resource = block.resource.as_ref();
            resource.is_some_and(|heading| heading.uid.to_string() == cell.resource)
        })?;
        let principal = named(block.rows.iter().map(|row| &row.heading), &cell.principal)?;
        let action = named(block.columns.iter(), &cell.action)?;
        Some(Request {
            context: engine.context(&action, selection.context.clone()).ok()?,
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

/// The markers that git writes at the beginning of lines where the sides of a merge differ.
const CONFLICT: [&str; 4] = ["<<<<<<< ", "||||||| ", "=======", ">>>>>>> "];

/// A snapshot that was read.
#[derive(Default)]
struct Read {
    cells: BTreeMap<CellName, Decided>,
    /// The names of the resources, by UID.
    resources: BTreeMap<String, String>,
}

impl Read {
    fn parse(text: &str) -> Result<Self, NoSnapshot> {
        let is_marker = |line: &str| CONFLICT.iter().any(|marker| line.starts_with(marker));
        if let Some(index) = text.lines().position(is_marker) {
            return Err(NoSnapshot::Conflict { line: index + 1 });
        }
        let mut read = Self::default();
        let mut lines = text.lines().enumerate().peekable();
        match lines.next() {
            Some((_, line)) if line.starts_with(READINGS) => {}
            _ => return Err(damaged(0, "it names no readings")),
        }
        while let Some((index, line)) = lines.next() {
            if !line.is_empty() {
                read.block(index, line, &mut lines)?;
            }
        }
        Ok(read)
    }

    /// Reads the table of a resource, whose heading has been read.
    fn block<'t>(
        &mut self,
        index: usize,
        heading: &'t str,
        lines: &mut Peekable<impl Iterator<Item = (usize, &'t str)>>,
    ) -> Result<(), NoSnapshot> {
        let heading = resource_of(heading);
        let (name, resource) = heading.ok_or(damaged(index, "it names no resource"))?;
        let mut headings = Vec::new();
        let mut has_rule = false;
        for (_, line) in lines.by_ref() {
            if line.starts_with('─') {
                has_rule = true;
                break;
            }
            headings.push(line);
        }
        if !has_rule {
            return Err(damaged(index, "no table follows"));
        }
        let columns = columns(&headings);
        let mut rows = Vec::new();
        while let Some(row) = lines.next_if(|(_, line)| !line.is_empty()) {
            rows.push(row);
        }
        lines.next_if(|(_, line)| line.is_empty());
        let legend = legend(lines)?;
        for (at, row) in rows {
            let row = row_of(row, columns.len());
            let (principal, marks) = row.ok_or(damaged(at, "it has too few cells"))?;
            for (action, mark) in columns.iter().zip(marks) {
                let cell = CellName {
                    resource: resource.to_owned(),
                    principal: one_line(principal),
                    action: action.clone(),
                };
                let decided = decided(at, mark, &legend)?;
                if self.cells.insert(cell, decided).is_some() {
                    return Err(damaged(at, "the cells of its name are there twice"));
                }
            }
        }
        self.resources.insert(resource.to_owned(), one_line(name));
        Ok(())
    }
}

fn damaged(index: usize, what: &'static str) -> NoSnapshot {
    NoSnapshot::Damaged {
        line: index + 1,
        what,
    }
}

/// Reads a legend: the policy of each key.
fn legend<'t>(
    lines: &mut Peekable<impl Iterator<Item = (usize, &'t str)>>,
) -> Result<BTreeMap<&'t str, &'t str>, NoSnapshot> {
    let mut legend = BTreeMap::new();
    while let Some((at, line)) = lines.next_if(|(_, line)| !line.is_empty()) {
        let entry = line.trim_start().split_once("  ");
        let (key, policy) = entry.ok_or(damaged(at, "it is no entry of a legend"))?;
        // The `@doc` of the policy follows.
        let policy = policy.trim_start().split("  ").next();
        legend.insert(key, policy.unwrap_or_default());
    }
    Ok(legend)
}

/// The decision of a cell by its sign and key.
fn decided(
    line: usize,
    (sign, key): (&str, &str),
    legend: &BTreeMap<&str, &str>,
) -> Result<Decided, NoSnapshot> {
    let mark = Mark::of_sign(sign).ok_or(damaged(line, "a cell has no mark"))?;
    let policy = match key {
        NOBODY => None,
        key => {
            let policy = legend.get(key);
            let policy =
                policy.ok_or(damaged(line, "a cell has a key that is not in the legend"))?;
            Some((*policy).to_owned())
        }
    };
    Ok(Decided { mark, policy })
}

/// The name and the UID of the resource of a heading. Either may have several spaces in a row.
fn resource_of(line: &str) -> Option<(&str, &str)> {
    let mut splits = line
        .match_indices("  ")
        .filter_map(|(at, gap)| Some((line.get(..at)?, line.get(at + gap.len()..)?)));
    splits.find(|(_, uid)| uid.parse::<EntityUid>().is_ok())
}

/// The headings of the columns, which stand on several lines.
fn columns(lines: &[&str]) -> Vec<String> {
    let Some(first) = lines.iter().find(|line| !line.trim().is_empty()) else {
        return Vec::new();
    };
    let first = in_columns(first);
    let starts: Vec<usize> = (0..first.len())
        .filter(|index| {
            let at = |index: usize| first.get(index).is_none_or(|found| found == " ");
            let starts = !at(*index);
            let after_gap = *index < 2 || (at(index - 1) && at(index - 2));
            starts && after_gap
        })
        .collect();
    starts
        .iter()
        .enumerate()
        .map(|(index, start)| {
            let end = starts.get(index + 1).copied().unwrap_or(usize::MAX);
            let words: Vec<String> = lines
                .iter()
                .map(|line| {
                    let columns = in_columns(line).into_iter();
                    let part: String = columns.skip(*start).take(end - start).collect();
                    part.trim().to_owned()
                })
                .filter(|part| !part.is_empty())
                .collect();
            words.join(" ")
        })
        .collect()
}

/// The characters in each column of a terminal. A wide character has two columns, of which the second is empty; a
/// combining one shares that of the character before.
fn in_columns(line: &str) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for character in line.chars() {
        match (character.width().unwrap_or_default(), columns.last_mut()) {
            (0, Some(last)) => last.push(character),
            (width, _) => {
                columns.push(character.to_string());
                columns.extend((1..width).map(|_| String::new()));
            }
        }
    }
    columns
}

/// The name of a row, and the sign and key of each of its cells.
fn row_of(row: &str, cells: usize) -> Option<(&str, Vec<(&str, &str)>)> {
    let mut rest = row.trim_end();
    let mut words = Vec::new();
    for _ in 0..2 * cells {
        let (before, word) = rest.rsplit_once(' ')?;
        words.push(word);
        rest = before.trim_end();
    }
    words.reverse();
    let marks = words
        .chunks_exact(2)
        .filter_map(|pair| match pair {
            [sign, key] => Some((*sign, *key)),
            _ => None,
        })
        .collect();
    Some((rest, marks))
}

/// The entity of the heading that is read back as `name`.
fn named<'a>(mut headings: impl Iterator<Item = &'a Heading>, name: &str) -> Option<EntityUid> {
    headings
        .find(|heading| one_line(&heading.name) == name)
        .map(|heading| heading.uid.clone())
}
