//! Tables with a heading, for a sheet or a page of a wiki.

use super::matrix::in_markdown;
use super::sheet::Sheet;
use tarbac_analysis::change::what_if::Premises;

/// A heading and rows of as many cells.
pub(super) struct Table {
    headings: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(headings: &'static [&'static str], rows: Vec<Vec<String>>) -> Self {
        Self { headings, rows }
    }

    /// Comma-separated values, with what is supposed.
    ///
    /// # Errors
    /// The rows cannot be written, which does not happen in memory.
    pub fn csv(&self, premises: &Premises) -> Result<String, csv::Error> {
        let mut sheet = Sheet::supposing(self.headings, premises)?;
        for row in &self.rows {
            sheet.row(row.iter().map(String::as_str))?;
        }
        sheet.text()
    }

    /// A table of Markdown; nothing without rows.
    pub fn markdown(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut text = format!("| {} |\n", self.headings.join(" | "));
        text.push_str(&format!("|{}\n", "---|".repeat(self.headings.len())));
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(|cell| in_markdown(cell)).collect();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        text
    }
}
