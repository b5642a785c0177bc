//! The format of `devices.csv`, the admin center's export of All devices.

use std::cell::Cell;
use std::collections::BTreeMap;
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

/// The values for management by neither.
const ELSEWHERE: [&str; 25] = [
    "Intune",
    "MDM",
    "EAS",
    "EAS/MDM",
    "easMdm",
    "intuneClient",
    "easIntuneClient",
    "jamf",
    "googleCloudDevicePolicyController",
    "microsoft365ManagedMdm",
    "msSense",
    "MDE",
    "intuneAosp",
    "1",
    "2",
    "3",
    "4",
    "5",
    "16",
    "32",
    "64",
    "258",
    "1024",
    "2048",
    "4096",
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

/// The managing service by the values of all columns that name it: the one that is known, because a column may have it
/// in another language. All values if they contradict each other, which is none that is known.
fn managed_by(values: &[&str]) -> String {
    let kinds = [&CO_MANAGED[..], &ATTACHED, &ELSEWHERE];
    let kind = |text: &&str| kinds.iter().position(|names| is_one_of(text, names));
    let known: BTreeMap<usize, &str> = values
        .iter()
        .filter_map(|value| Some((kind(value)?, *value)))
        .collect();
    match (known.len(), known.values().next()) {
        (0, _) => values.first().copied().unwrap_or_default().to_owned(),
        (1, Some(value)) => (*value).to_owned(),
        _ => values.join(", "),
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
    let columns = |names: &[&str]| -> Vec<usize> {
        let position = |name: &&str| headers.iter().position(|of| of.eq_ignore_ascii_case(name));
        names.iter().filter_map(position).collect()
    };
    let column = |names: &[&str]| columns(names).first().copied();
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
    let name = needed(&NAME)?;
    needed(&MANAGED_BY)?;
    let managing = columns(&MANAGED_BY);
    let operating_system = column(&OPERATING_SYSTEM);
    for (count, row) in (1..).zip(rows.records()) {
        let row = row.map_err(|error| unread(error, count))?;
        unread_bytes.set(0);
        let field = |number| row.get(number).unwrap_or_default().to_owned();
        let managing = managing.iter().filter_map(|number| row.get(*number));
        each(DeviceRow {
            name: field(name),
            managed_by: managed_by(&managing.collect::<Vec<&str>>()),
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
