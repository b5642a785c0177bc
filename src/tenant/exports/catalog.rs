//! The catalog of export files: purpose, call, rights, and recognition of their paths.
//!
//! `<id>` stands for the id of each object, `<site>` for the site code of a hierarchy, and `<provider>`
//! for the host of its SMS Provider. The table is data: what people are told, what a program asks for and what a script
//! asks for are made of the same rows.

mod call;
mod cloud;
mod declaration;
mod permission;
mod table;

pub use call::{ClassCall, ClassKey, ExportSource, GraphCall};
pub use cloud::{CLOUDS, Cloud};
pub use declaration::{DECLARED, Declared};
pub use permission::{APP_ROLES, GRAPH_APPLICATION, permissions};
pub use table::{EXPORTS, READ_ONLY_ANALYST};

/// A file of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Export {
    /// Its path in the folder.
    pub file: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// Where it comes from.
    pub source: ExportSource,
    /// What is needed to read it: a permission of Microsoft Graph, or a role.
    pub rights: &'static str,
    /// Whether nothing is lost without it.
    pub is_optional: bool,
}

/// The file that declares what no service tells.
pub const TENANT: &str = "tenant.json";
/// The export of the toggle Use Intune RBAC.
pub const TOGGLE: &str = "graph/tenantAttachRBAC.json";
/// The export of All devices.
pub const DEVICES: &str = "devices.csv";
/// The account of a collection, which says where every export came from.
pub const COLLECTED: &str = "collected.json";

/// The reports that list devices, whose files are called after them: `DevicesWithInventory_<guid>.csv`.
const REPORTS: [&str; 3] = [
    "DevicesWithInventory",
    "ComanagementEligibilityTenantAttachedDevices",
    "Devices",
];

/// The file that a file is, where the admin center has given it another name.
pub fn known_as(path: &str) -> Option<&'static str> {
    let stem = path.strip_suffix(".gz").unwrap_or(path);
    // What is in an archive is told when it is read.
    let stem = stem.strip_suffix(".csv").or(stem.strip_suffix(".zip"))?;
    let report = stem.split(['_', ' ', '(']).next().unwrap_or_default();
    let is_report = REPORTS.iter().any(|name| name.eq_ignore_ascii_case(report));
    (is_report && !stem.contains('/')).then_some(DEVICES)
}

/// The name of the export to which a path belongs: with the site code of its hierarchy, and without the ids of objects.
/// `None` for declared files.
pub fn called(path: &str) -> Option<String> {
    if known_as(path).is_some() {
        return Some(DEVICES.to_owned());
    }
    // The ones stand in for the others.
    let path = path.replace("ligibilitySchedules.", "ligibilityScheduleInstances.");
    let export = export_at(&path).filter(|export| ![TENANT, TOGGLE].contains(&export.file))?;
    let parts = export.file.split('/').zip(path.split('/'));
    let parts = parts.map(|(part, given)| match part {
        "<site>" => given.to_ascii_uppercase(),
        part => part.to_owned(),
    });
    Some(parts.collect::<Vec<String>>().join("/"))
}

/// What a path in the folder is, be it one of several pages.
pub fn export_at(path: &str) -> Option<Export> {
    let stem = |path: &str| {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let name = name.split('.').next().unwrap_or_default();
        let name = match name.rsplit_once('-') {
            Some((name, number)) if number.parse::<u32>().is_ok() => name,
            _ => name,
        };
        format!("{folder}/{name}")
    };
    let path = stem(path);
    EXPORTS.into_iter().find(|export| {
        let pattern = stem(export.file);
        let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
        loop {
            match (pattern.next(), path.next()) {
                (None, None) => return true,
                (Some(part), Some(_)) if part.starts_with('<') => {}
                (Some(part), Some(given)) if part == given => {}
                _ => return false,
            }
        }
    })
}
