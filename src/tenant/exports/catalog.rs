//! The catalog of export files: purpose, call, rights, and recognition of their paths.
//!
//! `<id>` stands for the id of each object, `<site>` for the site code of a hierarchy, and `<provider>` for the host
//! of its SMS Provider. The help, the collector and the PowerShell script are all made from the same table.

mod call;
mod cloud;
mod declaration;
mod permission;
mod table;

pub use call::{ClassCall, ClassKey, ExportSource, GraphCall};
pub use cloud::{CLOUDS, Cloud};
pub use declaration::{DECLARED, Declared};
pub use permission::{GRAPH_APPLICATION, GRAPH_PERMISSIONS, GraphPermission, permissions};
pub use table::{EXPORTS, READ_ONLY_ANALYST};

/// A file of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Export {
    /// The path in the folder.
    pub file: &'static str,
    /// The purpose.
    pub purpose: &'static str,
    /// The source.
    pub source: ExportSource,
    /// The permission of Microsoft Graph or the role that is needed to read it.
    pub rights: &'static str,
    /// Whether an import without it is complete.
    pub is_optional: bool,
}

/// The file with the values that no service returns, declared by hand.
pub const TENANT: &str = "tenant.json";
/// The export of the toggle Use Intune RBAC.
pub const TOGGLE: &str = "graph/tenantAttachRBAC.json";
/// The export of All devices.
pub const DEVICES: &str = "devices.csv";
/// The account of a collection: the outcome of each call.
pub const COLLECTED: &str = "collected.json";

/// The file name endings of pages of records.
pub(super) const PAGES: [&str; 4] = [".json", ".json.gz", ".ndjson", ".ndjson.gz"];

/// The reports that list devices; their file names begin with the name of the report:
/// `DevicesWithInventory_<guid>.csv`.
const REPORTS: [&str; 3] = [
    "DevicesWithInventory",
    "ComanagementEligibilityTenantAttachedDevices",
    "Devices",
];

/// The catalog file that a downloaded report stands for, under the name that the admin center gave it.
pub fn known_as(path: &str) -> Option<&'static str> {
    let stem = path.strip_suffix(".gz").unwrap_or(path);
    // The content of an archive is checked when it is read.
    let stem = stem.strip_suffix(".csv").or(stem.strip_suffix(".zip"))?;
    let report = stem.split(['_', ' ', '(']).next().unwrap_or_default();
    let is_report = REPORTS.iter().any(|name| name.eq_ignore_ascii_case(report));
    (is_report && !stem.contains('/')).then_some(DEVICES)
}

/// The name of the export to which a path belongs, with the site code of its hierarchy, and with `<id>` for the ids of
/// objects. `None` for declared files.
pub fn called(path: &str) -> Option<String> {
    if known_as(path).is_some() {
        return Some(DEVICES.to_owned());
    }
    let export = page_of(path).filter(|export| ![TENANT, TOGGLE].contains(&export.file))?;
    let parts = export.file.split('/').zip(path.split('/'));
    let parts = parts.map(|(part, given)| match part {
        "<site>" => given.to_ascii_uppercase(),
        part => part.to_owned(),
    });
    Some(parts.collect::<Vec<String>>().join("/"))
}

/// The export that is read from the file at this path: a page with an ending that is read, or the file itself.
pub fn export_at(path: &str) -> Option<Export> {
    EXPORTS.into_iter().find(|export| is_at(path, export.file))
}

/// The export that a path belongs to. Schedules of eligibilities may be exported in place of instances.
pub fn page_of(path: &str) -> Option<Export> {
    export_at(&path.replace("ligibilitySchedules", "ligibilityScheduleInstances"))
}

/// The export whose path this would be if capitals did not count, and which is not at this path.
pub(super) fn in_other_letters(path: &str) -> Option<&'static str> {
    if export_at(path).is_some() {
        return None;
    }
    let lower = path.to_ascii_lowercase();
    let mut files = EXPORTS.into_iter().map(|export| export.file);
    files.find(|file| is_at(&lower, &file.to_ascii_lowercase()))
}

/// Whether a file of the catalog is read from this path.
fn is_at(path: &str, file: &str) -> bool {
    let ((folder, name), (pattern, file)) = (split(path), split(file));
    is_folder_of(folder, pattern) && is_file_of(name, file)
}

/// The folder and the name of a file.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Whether a folder is one of a pattern of the catalog: `graph/groups/<id>`.
fn is_folder_of(folder: &str, pattern: &str) -> bool {
    let (mut given, mut parts) = (folder.split('/'), pattern.split('/'));
    loop {
        match (parts.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(_)) if part.starts_with('<') => {}
            (Some(part), Some(given)) if part == given => {}
            _ => return false,
        }
    }
}

/// Whether a name is that of this file of the catalog, plain or gzip, or of a page of it.
fn is_file_of(name: &str, file: &str) -> bool {
    match file {
        TENANT | DEVICES => name.strip_suffix(".gz").unwrap_or(name) == file,
        _ => {
            let stem = file.strip_suffix(".json");
            let rest = stem.and_then(|stem| name.strip_prefix(stem));
            rest.and_then(page_number).is_some()
        }
    }
}

/// The number of a page, by what follows the name of its export: `.json` is 1, `-2.json.gz` is 2. `None` for what is
/// no page.
pub(super) fn page_number(rest: &str) -> Option<u64> {
    PAGES
        .iter()
        .find_map(|ending| match rest.strip_suffix(ending)? {
            "" => Some(1),
            number => {
                let digits = number.strip_prefix('-')?;
                let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
                is_number.then(|| digits.parse().ok())?
            }
        })
}
