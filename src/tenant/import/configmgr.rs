//! Administrators, collections and devices of Configuration Manager, one hierarchy at a time.
//!
//! The schema names the operations that decisions depend on, in annotations `@operation` of the attributes of an
//! administrator. The meaning of the bits of a security role comes from the export SMS_AvailableOperation of the site;
//! no bit is built in here.

mod administrators;
mod collections;
mod devices;
mod discoveries;
mod memberships;
mod security_roles;

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::entra::Entra;
use super::report::Notes;
use crate::exports::{Files, Folder, RefusedExport};
use tarbac_host::bundle::{Attribute, Kind, Vocabulary};

/// The type, in the schema, of the record with the Configuration Manager permissions of a person.
const ADMINISTRATOR: &str = "ConfigMgr::Administrator";

/// An operation of Configuration Manager that decisions depend on.
#[derive(Debug)]
pub(super) struct Operation {
    /// The attribute with the places where a person has the operation.
    pub(super) attribute: String,
    /// The type of object and the name: `Collection: Read`.
    name: String,
    /// Whether the operation is permitted on collections; otherwise on the hierarchy.
    pub(super) is_on_collections: bool,
}

/// The operations that the schema annotates.
pub(super) fn operations(vocabulary: &Vocabulary) -> Vec<Operation> {
    let attributes = vocabulary.attributes(ADMINISTRATOR).into_iter().flatten();
    let operation = |(attribute, described): (&String, &Attribute)| {
        let name = described.annotations.get("operation")?.clone();
        Some(Operation {
            attribute: attribute.clone(),
            name,
            is_on_collections: described.kind
                == Kind::Set(Box::new(Kind::Entity("ConfigMgr::Collection".to_owned()))),
        })
    };
    attributes.filter_map(operation).collect()
}

/// The contents of one hierarchy, joined with the accounts of [`Entra`].
///
/// People, groups and collections are indices in [`Entra`] and in `collections`.
#[derive(Default)]
pub(super) struct Site {
    /// Sorted by id.
    pub(super) collections: Vec<Collection>,
    /// Sorted by id.
    pub(super) devices: Vec<Device>,
    /// The collections of all devices in one list. The section of each device ends at [`Device::end`].
    pub(super) memberships: Vec<u32>,
    /// Whether the memberships were exported, and each device has at least one.
    pub(super) has_memberships: bool,
    /// The discovered users, by person.
    pub(super) discovered: BTreeMap<u32, Discovered>,
    /// For each person, the permissions in the order of the operations.
    pub(super) permitted: BTreeMap<u32, Vec<Permitted>>,
    /// The groups that are administrative users, and the groups nested in them.
    pub(super) administrator_groups: BTreeSet<u32>,
    /// The number of administrative users whose security identifier belongs to no exported account or group.
    pub(super) unmatched: usize,
    /// The number of discovered users whose account has no exported security identifier.
    pub(super) without_sid: usize,
    /// Whether no discovered user has a property that tells who was discovered, and how.
    pub(super) are_discoveries_unknown: bool,
    /// The names of the systems that are not uploaded, and therefore not devices of the workspace.
    pub(super) not_uploaded: Vec<SmolStr>,
    pub(super) notes: Notes,
}

/// A collection of devices.
pub(super) struct Collection {
    id: SmolStr,
    /// The id of the entity. It includes the site code if `id` does not: built-in collections have the same id in
    /// every hierarchy.
    pub(super) entity: SmolStr,
    pub(super) name: Option<String>,
    /// The index of its limiting collection.
    pub(super) limit: Option<u32>,
}

/// A device that is uploaded to the tenant.
pub(super) struct Device {
    pub(super) id: u32,
    pub(super) name: SmolStr,
    pub(super) operating_system: Option<SmolStr>,
    /// The end of the section of this device in [`Site::memberships`]; the section begins at the end of the preceding
    /// device.
    pub(super) end: usize,
}

/// The user discoveries that found a person.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Discovered {
    pub(super) by_entra: bool,
    pub(super) by_active_directory: bool,
    /// Whether the export does not state the discoveries.
    pub(super) is_unknown: bool,
}

/// The collections and security scopes in which a person is permitted an operation.
#[derive(Debug, Default, Clone)]
pub(super) struct Permitted {
    pub(super) collections: BTreeSet<u32>,
    /// The ids of the security scopes, for operations on the hierarchy.
    pub(super) scopes: BTreeSet<String>,
}

/// The reader of the exports of one hierarchy.
pub(super) struct Reader<'r, 'f, F> {
    pub(super) folder: &'r Folder<'f, F>,
    /// The site code.
    pub(super) site: &'r str,
    /// The name of the folder of the site, which may differ in case.
    pub(super) directory: &'r str,
    /// The id or name of the collection to which the upload is limited.
    pub(super) upload_collection: Option<&'r str>,
    pub(super) entra: &'r Entra,
    pub(super) operations: &'r [Operation],
}

impl<F: Files> Reader<'_, '_, F> {
    pub(super) fn read(&self) -> Result<Site, RefusedExport> {
        let mut site = Site::default();
        let collections = self.collections(&mut site)?;
        let systems = self.devices(&mut site)?;
        self.memberships(&mut site, &systems, collections.as_ref())?;
        self.discoveries(&mut site)?;
        self.administrators(&mut site, collections.as_ref())?;
        Ok(site)
    }

    /// The names of the devices, for a hierarchy that is not part of the workspace.
    pub(super) fn device_names(&self) -> Result<Vec<SmolStr>, RefusedExport> {
        let mut site = Site::default();
        self.devices(&mut site)?;
        Ok(site.devices.into_iter().map(|device| device.name).collect())
    }

    fn name(&self, class: &str) -> String {
        format!("configmgr/{}/{class}", self.directory)
    }

    /// The refusal of a hierarchy that lacks the export of `class`, on which the export of `by` depends.
    fn needed(&self, class: &str, by: &str) -> RefusedExport {
        let purpose = format!("{by}.json cannot be understood without it");
        self.folder.missing(&self.name(class), &purpose)
    }
}
