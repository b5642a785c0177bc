//! The format of `devices.csv`, the admin center's export of All devices.

use std::cell::Cell;
use std::io::{self, Read};

use super::Unread;
use super::text::{text, too_long};

/// A device listed in the admin center.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// The name of the device.
    pub name: String,
    /// The managing service, as the export names it.
    pub managed_by: String,
    /// The operating system.
    pub operating_system: String,
}

/// The names of the columns: in the export of All devices, and in the reports DevicesWithInventory and
/// ComanagementEligibilityTenantAttachedDevices. Source: reports-export-graph-available-reports.md. Columns with
/// localized values end in `_loc`.
const NAME: [&str; 2] = ["Device name", "DeviceName"];
const MANAGED_BY: [&str; 5] = [
    "Managed by",
    "ManagedBy_loc",
    "ManagementAgents_loc",
    "ManagedBy",
    "ManagementAgents",
];
const OPERATING_SYSTEM: [&str; 2] = ["OS", "OSDescription"];

/// The values of the admin center and of `managementAgentType` for management by Configuration Manager alone.
const ATTACHED: [&str; 4] = [
    "ConfigMgr",
    "Configuration Manager",
    "configurationManagerClient",
    "8",
];
/// The values for co-management.
const CO_MANAGED: [&str; 5] = [
    "Co-managed",
    "configurationManagerClientMdm",
    "configurationManagerClientMdmEas",
    "10",
    "11",
];

impl DeviceRow {
    /// Whether Configuration Manager manages the device, alone or together with Intune.
    pub fn is_attached(&self) -> bool {
        self.is_co_managed() || is_one_of(&self.managed_by, &ATTACHED)
    }

    /// Whether both Configuration Manager and Intune manage the device.
    pub fn is_co_managed(&self) -> bool {
        is_one_of(&self.managed_by, &CO_MANAGED)
    }
}

/// Rows in the format that [`read`] accepts.
///
/// # Errors
/// Writing fails, which does not happen in memory.
pub fn written(rows: &[DeviceRow]) -> io::Result<Vec<u8>> {
    let mut sheet = csv::Writer::from_writer(Vec::new());
    let columns = [&NAME[..], &MANAGED_BY, &OPERATING_SYSTEM];
    sheet.write_record(columns.into_iter().filter_map(<[&str]>::first))?;
    for row in rows {
        sheet.write_record([&row.name, &row.managed_by, &row.operating_system])?;
    }
    sheet.into_inner().map_err(csv::IntoInnerError::into_error)
}

fn is_one_of(text: &str, names: &[&str]) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(text))
}

/// Reads the export, and calls `each` with its rows in order.
///
/// # Errors
/// The file cannot be read, or a column is missing, for example because the admin center was in another language.
pub fn read(reader: impl Read, mut each: impl FnMut(DeviceRow)) -> Result<(), Unread> {
    let unread_bytes = Cell::new(0);
    let mut rows = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text(reader, &unread_bytes)?);
    let headers = rows.headers().map_err(|error| unread(error, 0))?;
    let column = |names: &[&str]| {
        let mut known = names.iter();
        known.find_map(|name| {
            let mut headers = headers.iter();
            headers.position(|header| header.eq_ignore_ascii_case(name))
        })
    };
    let needed = |names: &[&str]| {
        column(names).ok_or_else(|| Unread::Text {
            message: format!(
                "the first line has no column `{}`; export All devices while the admin center speaks English, \
                 and leave the commas between the columns",
                names.first().copied().unwrap_or_default()
            ),
            line: 1,
            column: 1,
        })
    };
    let (name, managed_by) = (needed(&NAME)?, needed(&MANAGED_BY)?);
    let operating_system = column(&OPERATING_SYSTEM);
    for (count, row) in (1..).zip(rows.records()) {
        let row = row.map_err(|error| unread(error, count))?;
        unread_bytes.set(0);
        let field = |number| row.get(number).unwrap_or_default().to_owned();
        each(DeviceRow {
            name: field(name),
            managed_by: field(managed_by),
            operating_system: operating_system.map(field).unwrap_or_default(),
        });
    }
    Ok(())
}

/// The error of an export, after `count` rows.
fn unread(error: csv::Error, count: usize) -> Unread {
    // The line number would be wrong for line ends CR LF: the parser gives that of the preceding line.
    let line = error.position().map_or(1, |position| position.record() + 1);
    let message = match error.into_kind() {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            return Unread::Io(io::Error::new(error.kind(), too_long(count)));
        }
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
        other => format!("{other:?}"),
    };
    Unread::Text {
        message,
        line: usize::try_from(line).unwrap_or(usize::MAX),
        column: 1,
    }
}
