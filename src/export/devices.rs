//! `devices.csv`: the export of All devices in the admin center.

use std::io::Read;

use serde::Deserialize;

use super::Unread;
use super::text::text;

/// A device that the admin center shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DeviceRow {
    /// The name of the device.
    #[serde(rename = "Device name")]
    pub name: String,
    /// Who manages it.
    #[serde(rename = "Managed by")]
    pub managed_by: String,
    /// The operating system.
    #[serde(default, rename = "OS")]
    pub operating_system: String,
}

impl DeviceRow {
    /// Whether Configuration Manager manages it, be it together with Intune.
    pub fn is_attached(&self) -> bool {
        let names = ["ConfigMgr", "Configuration Manager"];
        self.is_co_managed()
            || names
                .iter()
                .any(|name| self.managed_by.eq_ignore_ascii_case(name))
    }

    /// Whether Intune manages it as well.
    pub fn is_co_managed(&self) -> bool {
        self.managed_by.eq_ignore_ascii_case("Co-managed")
    }
}

/// Reads the export and hands on its rows, in order.
///
/// # Errors
/// It cannot be read, or is no such export: a column is missing, for example where the admin center
/// spoke another language.
pub fn read(reader: impl Read, mut each: impl FnMut(DeviceRow)) -> Result<(), Unread> {
    let mut rows = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text(reader)?);
    let headers = rows.headers().map_err(unread)?;
    for column in ["Device name", "Managed by"] {
        if !headers.iter().any(|header| header == column) {
            return Err(Unread::Text {
                message: format!(
                    "the first line has no column `{column}`; export All devices while the admin center speaks English, \
                     and leave the commas between the columns"
                ),
                line: 1,
                column: 1,
            });
        }
    }
    for row in rows.deserialize() {
        each(row.map_err(unread)?);
    }
    Ok(())
}

fn unread(error: csv::Error) -> Unread {
    // The line of a position is that of the line end before it, where that is CR LF.
    let line = error.position().map_or(1, |position| position.record() + 1);
    let message = match error.into_kind() {
        csv::ErrorKind::Io(error) => return Unread::Io(error),
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!(
            "the row has {len} fields, and the first line {expected_len}; export it again, or mend the row \
             (a quote that is not closed takes in those after it)"
        ),
        csv::ErrorKind::Utf8 { .. } => {
            "there are bytes that are no UTF-8; export it again, or save it as UTF-8".to_owned()
        }
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        other => format!("{other:?}"),
    };
    Unread::Text {
        message,
        line: usize::try_from(line).unwrap_or(usize::MAX),
        column: 1,
    }
}
