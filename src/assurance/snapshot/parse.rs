//! The parser of snapshots.

use std::collections::BTreeMap;
use std::iter::Peekable;

use cedar_policy::EntityUid;
use unicode_width::UnicodeWidthChar;

use super::{CellDecision, CellName, NoSnapshot, READINGS};
use tarbac_analysis::matrix::{Mark, NOBODY, one_line};

/// The markers that git writes at the beginning of lines where the sides of a merge differ.
const CONFLICT: [&str; 4] = ["<<<<<<< ", "||||||| ", "=======", ">>>>>>> "];

/// A parsed snapshot.
#[derive(Default)]
pub(super) struct Read {
    pub(super) cells: BTreeMap<CellName, CellDecision>,
    /// The names of the resources, by UID.
    pub(super) resources: BTreeMap<String, String>,
}

impl Read {
    pub(super) fn parse(text: &str) -> Result<Self, NoSnapshot> {
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

    /// Reads the table of a resource, after its heading.
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
) -> Result<CellDecision, NoSnapshot> {
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
    Ok(CellDecision { mark, policy })
}

/// The name and the UID of the resource of a heading. Either may have several spaces in a row.
fn resource_of(line: &str) -> Option<(&str, &str)> {
    let mut splits = line
        .match_indices("  ")
        .filter_map(|(at, gap)| Some((line.get(..at)?, line.get(at + gap.len()..)?)));
    splits.find(|(_, uid)| uid.parse::<EntityUid>().is_ok())
}

/// The headings of the columns, which take several lines.
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
