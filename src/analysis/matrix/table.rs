//! A matrix as a table in plain text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use tarbac_diagnostic::wrap;
use unicode_width::UnicodeWidthStr;

use super::{Block, Cell, Heading, Line, Mark, Matrix};

/// The key of a cell that no policy determines.
pub const NOBODY: &str = "–";

/// The number of columns of a terminal that a cell takes beside its text.
const BETWEEN: usize = 3;

/// The least width of a wrapped heading.
const NARROWEST: usize = 8;

const STYLE: TableStyle = NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));

impl Mark {
    /// The sign in a table.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Yes => "✓",
            Self::Conditional => "(✓)",
            Self::No => "✗",
            Self::Indeterminate => "!",
        }
    }

    /// The decision of a sign in a table.
    pub fn of_sign(sign: &str) -> Option<Self> {
        [Self::Yes, Self::Conditional, Self::No, Self::Indeterminate]
            .into_iter()
            .find(|mark| mark.sign() == sign)
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&table(self, None))
    }
}

/// A table in plain text. A table that is wider than `width` columns is cut into several, one below the other.
pub fn table(matrix: &Matrix, width: Option<usize>) -> String {
    let mut parts = Vec::new();
    let keys = keys(matrix);
    for block in &matrix.blocks {
        parts.push(match &block.resource {
            None => roles(block, width),
            Some(resource) => people(block, resource, (&keys, &matrix.says), width),
        });
    }
    if let Some(others) = others(matrix) {
        parts.push(sentence(&others, width));
    }
    parts.join("\n")
}

/// A sentence, on lines of a terminal.
fn sentence(text: &str, width: Option<usize>) -> String {
    match width {
        Some(width) => filled(text, width.max(NARROWEST), "", "  ") + "\n",
        None => format!("{text}\n"),
    }
}

/// Permissions by category, one column for each role.
fn roles(block: &Block, width: Option<usize>) -> String {
    let mut category = "";
    let mut rows: Vec<Vec<String>> = Vec::new();
    for row in &block.rows {
        let (of, name) = row
            .heading
            .name
            .rsplit_once(['\\', '/'])
            .unwrap_or(("", &row.heading.name));
        if of != category {
            category = of;
            rows.push(vec![of.to_owned()]);
        }
        let signs = row.cells.iter().map(|cell| match cell.mark {
            Mark::No => String::new(),
            mark => mark.sign().to_owned(),
        });
        rows.push(std::iter::once(format!("  {name}")).chain(signs).collect());
    }
    let mut text = tables(&headings(block), &rows, width);
    if block
        .rows
        .iter()
        .flat_map(|row| &row.cells)
        .any(|cell| cell.mark == Mark::Conditional)
    {
        let sign = "(✓) permitted where the conditions of the policy hold";
        text += &format!("\n{}", sentence(sign, width));
    }
    text
}

/// One row for each person; each cell has the mark and a key to its first deciding policy.
fn people(
    block: &Block,
    resource: &Heading,
    (keys, says): (&BTreeMap<&str, String>, &BTreeMap<String, String>),
    width: Option<usize>,
) -> String {
    let key_of = |cell: &Cell| {
        first(cell)
            .and_then(|id| keys.get(id))
            .map_or(NOBODY, String::as_str)
    };
    let rows: Vec<Vec<String>> = block
        .rows
        .iter()
        .map(|Line { heading, cells }| {
            let cells = cells
                .iter()
                .map(|cell| format!("{} {}", cell.mark.sign(), key_of(cell)));
            std::iter::once(heading.name.clone()).chain(cells).collect()
        })
        .collect();
    let heading = format!("{}  {}", resource.name, resource.uid);
    let mut text = format!(
        "{}\n{}\n",
        sentence(&heading, width),
        tables(&headings(block), &rows, width)
    );
    text += &legend(block, keys, says, width);
    text
}

/// The entries of the policies that decide a cell of a block, and of the signs without a policy.
fn legend(
    block: &Block,
    keys: &BTreeMap<&str, String>,
    says: &BTreeMap<String, String>,
    width: Option<usize>,
) -> String {
    let cells = || block.rows.iter().flat_map(|row| &row.cells);
    let mut text = String::new();
    let deciding: BTreeSet<&str> = cells().filter_map(first).collect();
    let legend: Vec<(&str, &str)> = deciding
        .iter()
        .filter_map(|id| Some((keys.get(id)?.as_str(), *id)))
        .collect();
    let longest = legend
        .iter()
        .map(|(key, _)| key.width())
        .max()
        .unwrap_or_default();
    for (key, id) in legend {
        let said = says
            .get(id)
            .map_or(String::new(), |says| format!("  {says}"));
        let entry = format!("{id}{said}");
        let hang = longest + 4;
        let first = format!("  {key}{}  ", " ".repeat(longest - key.width()));
        // Without a width it is one line, so that it can be read back.
        text += &match width {
            Some(width) => filled(
                &entry,
                width.max(hang + NARROWEST),
                &first,
                &" ".repeat(hang),
            ),
            None => first + &entry,
        };
        text.push('\n');
    }
    if cells().any(|cell| cell.mark == Mark::No && cell.policies.is_empty()) {
        text += &format!("  {NOBODY:longest$}  no policy permits it\n");
    }
    if cells().any(|cell| cell.mark == Mark::Indeterminate) {
        text += &format!("  {:longest$}  could not be decided\n", "!");
    }
    text
}

/// The first of the policies that determine a cell.
pub fn first(cell: &Cell) -> Option<&str> {
    cell.policies.first().map(String::as_str)
}

/// A key for each policy that a cell names: the initials of its id, so that a change of the policies leaves the other
/// cells as they are. Of equal keys, the later ones get a number.
fn keys(matrix: &Matrix) -> BTreeMap<&str, String> {
    let deciding: BTreeSet<&str> = matrix
        .blocks
        .iter()
        .flat_map(|block| &block.rows)
        .flat_map(|row| &row.cells)
        .filter_map(first)
        .collect();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    deciding
        .into_iter()
        .map(|id| {
            let initials: String = id
                .split(|character: char| !character.is_alphanumeric())
                .filter_map(|word| word.chars().next())
                .collect();
            let count = taken.entry(initials.clone()).or_default();
            *count += 1;
            let key = match *count {
                1 => initials,
                several => format!("{initials}{several}"),
            };
            (id, key)
        })
        .collect()
}

/// The permits that no column shows, in a sentence.
pub fn others(matrix: &Matrix) -> Option<String> {
    (!matrix.others.is_empty())
        .then(|| format!("Other permits in force: {}", matrix.others.join(", ")))
}

/// The headings of a table: an empty corner, and the names of the columns.
fn headings(block: &Block) -> Vec<String> {
    let columns = block.columns.iter();
    let columns = columns.map(|heading| wrapped(&heading.name));
    std::iter::once(String::new()).chain(columns).collect()
}

/// Rows under headings, in as many tables as the width takes. The first cell of a row is repeated
/// in each; a row of one cell is a line between the others.
pub fn tables(headings: &[String], rows: &[Vec<String>], width: Option<usize>) -> String {
    let (corner, headings) = headings
        .split_first()
        .map_or(("", headings), |(corner, rest)| (corner.as_str(), rest));
    let cell_width = |text: &str| text.lines().map(UnicodeWidthStr::width).max();
    let widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(index, heading)| {
            let cells = rows.iter().filter_map(|row| row.get(index + 1));
            let widest = cells
                .chain([heading])
                .filter_map(|text| cell_width(text))
                .max();
            widest.unwrap_or_default() + BETWEEN
        })
        .collect();
    let widest = widths.iter().max().copied().unwrap_or_default();
    let labels = rows.iter().map(|row| {
        let label = row.first().map_or("", String::as_str);
        match width {
            Some(width) => hanging(label, width.saturating_sub(widest + 1)),
            None => label.to_owned(),
        }
    });
    let labels: Vec<String> = labels.collect();
    let label = labels.iter().map(String::as_str).chain([corner]);
    let label = label.filter_map(cell_width).max().unwrap_or_default() + 1;
    let mut parts = Vec::new();
    let mut start = 0;
    while start < headings.len() || parts.is_empty() {
        let mut used = label;
        let mut count = 0;
        for column in widths.iter().skip(start) {
            used += column;
            if count > 0 && width.is_some_and(|width| used > width) {
                break;
            }
            count += 1;
        }
        let mut table = plain_table(
            std::iter::once(corner)
                .chain(headings.iter().skip(start).take(count).map(String::as_str)),
        );
        for (row, label) in rows.iter().zip(&labels) {
            let cells = row.iter().skip(start + 1).take(count);
            table.add_row(std::iter::once(label).chain(cells));
        }
        if let Some(column) = table.column_mut(0) {
            column.set_padding((0, 1));
        }
        parts.push(table.trim_fmt() + "\n");
        start += count.max(1);
    }
    parts.join("\n")
}

/// A table in plain text, with a rule below the headings.
fn plain_table<'h>(headings: impl IntoIterator<Item = &'h str>) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings);
    table
}

/// A text on lines as wide as this, or as their only word.
fn filled(text: &str, width: usize, first: &str, others: &str) -> String {
    wrap::lines(text, width, first, others).join("\n")
}

/// The label of a row on lines as wide as this; those after the first are indented more.
fn hanging(label: &str, width: usize) -> String {
    let words = label.trim_start_matches(' ');
    let indent = " ".repeat(label.len() - words.len());
    filled(words, width.max(NARROWEST), &indent, &format!("{indent}  "))
}

/// A heading on several lines, as narrow as its longest word.
fn wrapped(name: &str) -> String {
    let words: Vec<&str> = name.split(' ').filter(|word| !word.is_empty()).collect();
    let width = words.iter().map(|word| word.width()).max();
    let width = width.unwrap_or_default().max(NARROWEST);
    filled(&words.join(" "), width, "", "")
}
