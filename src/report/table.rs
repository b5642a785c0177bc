//! Tables: CSV for a sheet, Markdown for a wiki.

use std::borrow::Borrow;

use super::matrix::in_markdown;
use tarbac_analysis::change::what_if::Premises;
use tarbac_host::lookup::visible;

/// The heading of the column of the premises.
const CHANGES: &str = "changes";

/// The characters at which a formula of a spreadsheet begins.
const FORMULA: &[char] = &['=', '+', '-', '@'];

/// Headings, and rows with as many cells; each row is made when it is written.
pub(super) struct Table<R> {
    headings: &'static [&'static str],
    rows: R,
}

impl<R: Iterator<Item = Vec<String>>> Table<R> {
    pub(crate) fn new(headings: &'static [&'static str], rows: R) -> Self {
        Self { headings, rows }
    }

    /// Comma-separated values; with premises, the last column of each row has them.
    ///
    /// # Errors
    /// The rows cannot be written, which does not happen in memory.
    pub(crate) fn csv(self, premises: &Premises) -> Result<String, csv::Error> {
        let supposed =
            (!premises.is_empty()).then(|| premises.all_typed().collect::<Vec<_>>().join(" "));
        let mut writer = csv::Writer::from_writer(Vec::new());
        let last = supposed.as_ref().map(|_| CHANGES);
        writer.write_record(self.headings.iter().copied().chain(last))?;
        for row in self.rows {
            writer.write_record(row.iter().chain(&supposed).map(|cell| in_sheet(cell)))?;
        }
        let bytes = writer.into_inner().map_err(|error| error.into_error())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A table of Markdown; empty without rows.
    pub(crate) fn markdown(self) -> String {
        let cells = |row: Vec<String>| row.iter().map(|cell| in_markdown(cell)).collect();
        of_markdown(self.headings, self.rows.map(cells))
    }
}

/// Comma-separated values with a heading, of rows that have as many cells.
///
/// # Errors
/// The rows cannot be written, which does not happen in memory.
pub fn sheet(
    headings: &'static [&'static str],
    rows: impl Iterator<Item = Vec<String>>,
) -> Result<String, csv::Error> {
    Table::new(headings, rows).csv(&Premises::default())
}

/// A table of cells that are Markdown already; empty without rows. Columns of numbers are aligned to the right.
pub(super) fn of_markdown(
    headings: &[impl Borrow<str>],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    if rows.is_empty() {
        return String::new();
    }
    let is_of_numbers = |column: usize| {
        let mut cells = rows.iter().filter_map(|row| row.get(column));
        cells.all(|cell| is_number(cell))
    };
    let rule = (0..headings.len()).map(|column| match is_of_numbers(column) {
        true => "---:|",
        false => "---|",
    });
    let rule: String = rule.collect();
    let rows = rows
        .iter()
        .map(|cells| format!("| {} |\n", cells.join(" | ")));
    let rows: String = rows.collect();
    format!("| {} |\n|{rule}\n{rows}", headings.join(" | "))
}

/// Whether a text is a number as [`super::tally::digits`] writes it.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|one| one.is_ascii_digit() || one == ',')
}

/// A cell of a sheet. An apostrophe before a name keeps a spreadsheet from taking it for a formula.
fn in_sheet(cell: &str) -> String {
    let cell = visible(cell);
    match cell.starts_with(FORMULA) {
        true => format!("'{cell}"),
        false => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::{Premises, Table};

    #[test]
    fn a_name_is_no_formula() -> Result<(), csv::Error> {
        let rows = [
            ["=HYPERLINK(\"https://example.com\")", "1"],
            ["a=b, \u{1b}[31mc", "2"],
        ];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let table = Table::new(&["name", "count"], rows.into_iter());
        let expected = "name,count\n\"'=HYPERLINK(\"\"https://example.com\"\")\",1\n\"a=b, \u{fffd}[31mc\",2\n";
        assert_eq!(table.csv(&Premises::default())?, expected);
        Ok(())
    }

    #[test]
    fn numbers_stand_to_the_right() {
        let rows = [["a", "1,234"], ["5", "7"]].map(|row| row.map(str::to_owned).to_vec());
        let table = Table::new(&["name", "count"], rows.into_iter()).markdown();
        let expected = "| name | count |\n|---|---:|\n| a | 1,234 |\n| 5 | 7 |\n";
        assert_eq!(table, expected);
    }
}
