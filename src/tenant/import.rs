//! The import: a workspace made of the exports of a live tenant.
//!
//! [`import`] reads the exports of Microsoft Graph, Configuration Manager and the admin center (see
//! [`exports`](mod@crate::exports)). It writes entities, the policies of roles, and an [`ImportReport`] on exports
//! that are missing or do not match. It does not decide or guess: a fact missing from the exports gives no access, and
//! is reported.
//!
//! | module | content |
//! |---|---|
//! | `collection` | the age of the exports, and refused calls |
//! | `tenant`, `sites`, `site_version` | the declared tenant, its toggle, hierarchies and their versions |
//! | `intune` | roles, role assignments, scope tags |
//! | `entra`, `license`, `membership` | people and groups, and the role assignments of each |
//! | `eligibility` | memberships that people may activate |
//! | `configmgr` | collections, devices, and the permissions of administrative users |
//! | `managed` | devices as listed in the admin center |
//! | `role`, `policy` | roles as policies and entities |
//! | `cross_checks` | notes that depend on several exports |
//! | `workspace`, `entity` | the files of the workspace |
//! | `report` | the notes and their texts |

mod collection;
mod configmgr;
mod cross_checks;
mod eligibility;
mod entity;
mod entra;
mod intune;
mod license;
mod managed;
mod membership;
mod policy;
mod report;
mod role;
mod site_version;
mod sites;
mod tenant;
mod workspace;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::exports::declared::Tenant;
use crate::exports::{Files, Folder, RefusedExport, key};
use configmgr::{Operation, Site};
use cross_checks::{narrows, note_assignments, note_discoveries, note_holders, note_sids};
use entra::Entra;
use intune::Intune;
use managed::Managed;
use membership::Membership;
use report::{
    DISCOVERY_CONFLICT, DISCOVERY_UNKNOWN, HIERARCHY_NOT_EXPORTED, MISSING_OPERATION,
    NOBODY_DISCOVERED, NOT_EXPORTED, NOT_READ, Notes, REMOVAL_UNKNOWN, UNKNOWN_CATEGORY,
    UNKNOWN_COLLECTION, UNKNOWN_SECURITY_ROLE, UNNAMED_OPERATION,
};
use sites::Sites;
use tarbac_host::bundle;
use tarbac_host::engine::Engine;

pub use entity::NOTHING;
pub use report::{CollectionAge, ImportReport, Matter, Note, Topic};

/// The topics that each mean that people may have more permissions or discoveries than the exports state.
const ADMINISTRATORS_UNKNOWN: [&Topic; 10] = [
    &DISCOVERY_CONFLICT,
    &DISCOVERY_UNKNOWN,
    &HIERARCHY_NOT_EXPORTED,
    &MISSING_OPERATION,
    &NOBODY_DISCOVERED,
    &REMOVAL_UNKNOWN,
    &UNKNOWN_CATEGORY,
    &UNKNOWN_COLLECTION,
    &UNKNOWN_SECURITY_ROLE,
    &UNNAMED_OPERATION,
];

/// The exports, with the declared values that a refresh must not lose unnoticed: the name of the tenant, because the
/// exports of another tenant are no refresh of its data; its hierarchies, each with its upload collection; and the
/// opt-in to Scoped permissions, which cannot be undone.
fn with_tenant(mut exports: BTreeSet<String>, tenant: &Tenant) -> BTreeSet<String> {
    exports.insert(format!("tenant.json of {}", tenant.name));
    let hierarchies = tenant.hierarchies.iter();
    exports.extend(hierarchies.map(|of| {
        format!(
            "tenant.json: hierarchy {}",
            of.site_code.to_ascii_uppercase()
        )
    }));
    let uploading = tenant.hierarchies.iter();
    let uploading = uploading.filter(|of| of.upload_collection.is_some());
    exports.extend(uploading.map(|of| {
        format!(
            "tenant.json: uploadCollection of {}",
            of.site_code.to_ascii_uppercase()
        )
    }));
    if tenant.scoped_permissions == Some(true) {
        exports.insert("tenant.json: scopedPermissions".to_owned());
    }
    exports
}

/// A workspace made of exports.
pub struct Imported {
    tenant: Tenant,
    intune: Intune,
    entra: Entra,
    membership: Membership,
    operations: Vec<Operation>,
    /// The hierarchies, sorted by site code; empty for one that was not exported.
    sites: Vec<(String, Site)>,
    managed: Managed,
    /// The groups that give a role or permission and may have more members than the exports list.
    unlisted: BTreeSet<u32>,
    /// Whether people may have more permissions or discoveries in Configuration Manager than the exports state.
    are_administrators_assumed: bool,
    /// Policies and schema.
    texts: Vec<bundle::TextFile>,
    roles: Vec<role::RoleEntity>,
    /// The exports that were read, and all existing ones.
    exports: BTreeSet<String>,
    present: BTreeSet<String>,
    /// Whether exports are missing whose contents would have been imported.
    is_partial: bool,
    report: ImportReport,
}

/// Makes a workspace of the exports of a tenant, with a copy of the policies and the schema of `shipped`. Eligible
/// memberships are those at the time `now`.
///
/// # Errors
/// A file cannot be read or is malformed, or a file is missing that another one depends on.
pub fn import<F: Files>(
    files: &F,
    shipped: &Engine,
    now: Timestamp,
) -> Result<Imported, RefusedExport> {
    let folder = Folder::new(files)?;
    let mut tenant = tenant::tenant(&folder)?;
    site_version::fill_in(&folder, &mut tenant)?;
    let mut notes = Notes::default();
    let collection = collection::note(&folder, now, &mut notes)?;
    let intune = Intune::read(&folder, &mut notes)?;
    let entra = Entra::read(&folder, now, &mut notes)?;
    let allows_unlicensed = tenant.allows_unlicensed_administrators;
    let membership = Membership::new(&entra, &intune, allows_unlicensed, &mut notes);
    let operations = configmgr::operations(shipped.bundle().vocabulary());
    let Sites {
        declared: sites,
        elsewhere,
        not_exported,
    } = sites::sites(&folder, &tenant, &entra, &operations, &mut notes)?;
    let managed = Managed::read(&folder, &sites, &elsewhere, &mut notes)?;
    note_sids(&sites, &entra, &mut notes);
    let unlisted = note_holders(&sites, &entra, &intune, &mut notes);
    note_assignments(&intune, &entra, &tenant, &mut notes);
    note_discoveries(&sites, &entra, &mut notes);
    let absent = folder.absent();
    let is_partial = !absent.is_empty() || !not_exported.is_empty();
    for path in absent {
        notes.add(&NOT_EXPORTED, path);
    }
    for path in folder.not_read() {
        notes.add(&NOT_READ, path);
    }
    let has_lost = |path: &String| path.starts_with("configmgr/");
    let are_administrators_assumed = folder.absent().iter().any(has_lost)
        || sites
            .iter()
            .any(|(_, of)| of.unmatched + of.without_sid > 0 || of.are_discoveries_unknown)
        || notes.have_any(&ADMINISTRATORS_UNKNOWN);
    let roles = role::roles(&intune, &tenant, shipped, &mut notes);
    let exports = with_tenant(folder.exports(), &tenant);
    let mut imported = Imported {
        tenant,
        intune,
        entra,
        membership,
        operations,
        sites,
        managed,
        unlisted,
        are_administrators_assumed,
        texts: roles.texts,
        roles: roles.entities,
        exports,
        present: folder.present(),
        is_partial,
        report: ImportReport::default(),
    };
    imported.report = ImportReport {
        counts: imported.counts(),
        notes: notes.into_notes(),
        collection,
    };
    Ok(imported)
}
