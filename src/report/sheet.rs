//! Comma-separated values, for programs of spreadsheets.

use tarbac_analysis::change::what_if::Premises;
use tarbac_host::lookup::visible;

/// The heading of the column that says what is supposed.
const CHANGES: &str = "changes";

/// What spreadsheets take for the beginning of a formula.
const FORMULA: &[char] = &['=', '+', '-', '@'];

/// A sheet with a heading, which is written row by row.
pub(super) struct Sheet {
    writer: csv::Writer<Vec<u8>>,
    /// What every row supposes.
    supposed: Option<String>,
}

impl Sheet {
    /// A sheet with these columns.
    pub fn new(headings: &[&str]) -> Result<Self, csv::Error> {
        Self::supposing(headings, &Premises::default())
    }

    /// The same; where anything is supposed, the last column says it in each row.
    pub fn supposing(headings: &[&str], premises: &Premises) -> Result<Self, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let supposed =
            (!premises.is_empty()).then(|| premises.all_typed().collect::<Vec<_>>().join(" "));
        let last = supposed.as_ref().map(|_| CHANGES);
        writer.write_record(headings.iter().copied().chain(last))?;
        Ok(Self { writer, supposed })
    }

    /// Adds a row of as many cells. What somebody is called is never a formula: an apostrophe before it
    /// keeps it a text.
    pub fn row<'c>(&mut self, cells: impl IntoIterator<Item = &'c str>) -> Result<(), csv::Error> {
        let supposed = self.supposed.clone();
        let cells = cells.into_iter().map(visible);
        for cell in cells.chain(supposed.as_deref().map(visible)) {
            match cell.starts_with(FORMULA) {
                true => self.writer.write_field(format!("'{cell}"))?,
                false => self.writer.write_field(cell)?,
            }
        }
        self.writer.write_record(None::<&[u8]>)
    }

    /// The text of the sheet.
    pub fn text(self) -> Result<String, csv::Error> {
        let bytes = self
            .writer
            .into_inner()
            .map_err(|error| error.into_error())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Sheet;

    #[test]
    fn a_name_is_no_formula() -> Result<(), csv::Error> {
        let mut sheet = Sheet::new(&["name", "count"])?;
        sheet.row(["=HYPERLINK(\"https://example.com\")", "1"])?;
        sheet.row(["a=b, \u{1b}[31mc", "2"])?;
        let expected = "name,count\n\"'=HYPERLINK(\"\"https://example.com\"\")\",1\n\"a=b, \u{fffd}[31mc\",2\n";
        assert_eq!(sheet.text()?, expected);
        Ok(())
    }
}
