//! Comma-separated values, for programs of spreadsheets.

use crate::names::visible;

/// What spreadsheets take for the beginning of a formula.
const FORMULA: &[char] = &['=', '+', '-', '@'];

/// A sheet with a heading, which is written row by row.
pub(super) struct Sheet(csv::Writer<Vec<u8>>);

impl Sheet {
    /// A sheet with these columns.
    pub fn new(headings: &[&str]) -> Result<Self, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(headings)?;
        Ok(Self(writer))
    }

    /// Adds a row of as many cells. What somebody is called is never a formula: an apostrophe before it
    /// keeps it a text.
    pub fn row<'c>(&mut self, cells: impl IntoIterator<Item = &'c str>) -> Result<(), csv::Error> {
        for cell in cells {
            let cell = visible(cell);
            match cell.starts_with(FORMULA) {
                true => self.0.write_field(format!("'{cell}"))?,
                false => self.0.write_field(cell)?,
            }
        }
        self.0.write_record(None::<&[u8]>)
    }

    /// The text of the sheet.
    pub fn text(self) -> Result<String, csv::Error> {
        let bytes = self.0.into_inner().map_err(|error| error.into_error())?;
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
