//! The writer of hierarchies, collections, devices, and the attribute `configMgr` of people.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use smol_str::SmolStr;

use super::{COLLECTION, DEVICE, HIERARCHY, assumed_names, is_false, uid};
use crate::import::Imported;
use crate::import::entity::{Family, Uid};

const DISCOVERED_BY_ACTIVE_DIRECTORY: &str = "discoveredByActiveDirectory";
const DISCOVERED_BY_ENTRA: &str = "discoveredByEntra";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HierarchyAttributes<'a> {
    tenant: Uid<'a>,
    version: Option<u32>,
    enforce_config_mgr_rbac: bool,
    early_update_ring: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CollectionAttributes<'a> {
    hierarchy: Uid<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    members_unknown: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceAttributes<'a> {
    name: &'a str,
    hierarchy: Uid<'a>,
    co_managed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    operating_system: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assumed: Vec<&'static str>,
}

impl Imported {
    pub(super) fn write_hierarchies<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        for hierarchy in &self.tenant.hierarchies {
            let attributes = HierarchyAttributes {
                tenant: self.tenant(),
                version: hierarchy.version,
                enforce_config_mgr_rbac: hierarchy.enforce_config_mgr_rbac,
                early_update_ring: hierarchy.early_update_ring,
            };
            family.entity(uid(HIERARCHY, &hierarchy.site_code), attributes, &[])?;
        }
        family.finish()
    }

    /// The discoveries and permissions of a person in Configuration Manager; `None` if there are none.
    pub(super) fn administrator(&self, person: u32) -> Option<BTreeMap<&str, Vec<Uid<'_>>>> {
        let mut known: BTreeMap<&str, Vec<Uid<'_>>> = BTreeMap::new();
        known.insert(DISCOVERED_BY_ENTRA, Vec::new());
        known.insert(DISCOVERED_BY_ACTIVE_DIRECTORY, Vec::new());
        for operation in &self.operations {
            known.insert(&operation.attribute, Vec::new());
        }
        let nothing = known.clone();
        for (code, site) in &self.sites {
            let hierarchy = uid(HIERARCHY, code);
            let by = site.discovered.get(&person).copied().unwrap_or_default();
            let found = [
                (DISCOVERED_BY_ENTRA, by.by_entra),
                (DISCOVERED_BY_ACTIVE_DIRECTORY, by.by_active_directory),
            ];
            for (attribute, _) in found.into_iter().filter(|(_, found)| *found) {
                known.entry(attribute).or_default().push(hierarchy);
            }
            let permitted = site.permitted.get(&person).into_iter().flatten();
            for (operation, permitted) in self.operations.iter().zip(permitted) {
                let places = known.entry(&operation.attribute).or_default();
                let collections = permitted.collections.iter();
                let collections =
                    collections.filter_map(|index| site.collections.get(*index as usize));
                places.extend(collections.map(|collection| uid(COLLECTION, &collection.entity)));
                if !permitted.scopes.is_empty() {
                    places.push(hierarchy);
                }
            }
        }
        (known != nothing).then_some(known)
    }

    pub(super) fn write_collections<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        for (code, site) in &self.sites {
            for collection in &site.collections {
                let attributes = CollectionAttributes {
                    hierarchy: uid(HIERARCHY, code),
                    display_name: collection.name.as_deref(),
                    members_unknown: !site.has_memberships,
                };
                let limit = collection
                    .limit
                    .and_then(|limit| site.collections.get(limit as usize));
                let parents = limit.map(|limit| uid(COLLECTION, &limit.entity));
                family.entity(
                    uid(COLLECTION, &collection.entity),
                    attributes,
                    parents.as_slice(),
                )?;
            }
        }
        family.finish()
    }

    pub(super) fn write_devices<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        let mut parents = Vec::new();
        for (code, site) in &self.sites {
            let mut begin = 0;
            for device in &site.devices {
                let memberships = site.memberships.get(begin..device.end).unwrap_or_default();
                begin = device.end;
                let collections = memberships
                    .iter()
                    .filter_map(|index| site.collections.get(*index as usize));
                parents.clear();
                parents.extend(collections.map(|collection| uid(COLLECTION, &collection.entity)));
                let managed = self.managed.get(&device.name);
                let system = device.operating_system.as_ref();
                let system = system.or_else(|| managed?.operating_system.as_ref());
                let co_managed = managed.and_then(|managed| managed.is_co_managed);
                let assumed = [
                    ("coManaged", co_managed.is_none()),
                    // `devices.csv` has only the family of the operating system, and does not distinguish servers.
                    ("operatingSystem", device.operating_system.is_none()),
                ];
                let attributes = DeviceAttributes {
                    name: &device.name,
                    hierarchy: uid(HIERARCHY, code),
                    co_managed: co_managed == Some(true),
                    operating_system: system.map(SmolStr::as_str),
                    assumed: assumed_names(&assumed),
                };
                let id = format!("{code}-{}", device.id);
                family.entity(uid(DEVICE, &id), attributes, &parents)?;
            }
        }
        family.finish()
    }
}
