//! Devices of a site: systems with a client that are neither obsolete nor decommissioned.

use std::collections::BTreeSet;

use hashbrown::HashSet;
use smol_str::SmolStr;

use super::{Device, Reader, Site};
use crate::exports::configmgr::SmsRSystem;
use crate::exports::{Files, RecordError, RefusedExport};
use crate::import::report::{CLIENT_UNKNOWN, DEVICE_NOT_UPLOADED, NOT_SELECTED};

const CLASS: &str = "SMS_R_System";

/// The systems of a site that are not devices of the workspace.
#[derive(Default)]
pub(super) struct Systems {
    /// Whether the systems were exported.
    pub(super) are_exported: bool,
    /// The ids of the systems that are not uploaded.
    pub(super) not_uploaded: HashSet<u32>,
}

/// Facts about all rows of SMS_R_System.
#[derive(Default)]
struct Rows {
    ids: HashSet<u32>,
    has_client: bool,
    has_any_client: bool,
    obsolete: Retirement,
    decommissioned: Retirement,
    /// The operating systems, each stored once: there are few, and many devices.
    operating_systems: BTreeSet<SmolStr>,
}

/// A property of systems whose truth means that they are not uploaded.
#[derive(Default)]
struct Retirement {
    /// Whether any system has the property.
    is_stated: bool,
    /// The ids of the systems with a client that lack the property.
    unknown: HashSet<u32>,
}

impl Rows {
    fn operating_system(&mut self, text: String) -> SmolStr {
        let text = SmolStr::from(text);
        match self.operating_systems.get(&text) {
            Some(known) => known.clone(),
            None => {
                self.operating_systems.insert(text.clone());
                text
            }
        }
    }
}

impl<F: Files> Reader<'_, '_, F> {
    /// Reads the devices. Membership in the upload collection is checked later.
    pub(super) fn devices(&self, site: &mut Site) -> Result<Systems, RefusedExport> {
        let mut rows = Rows::default();
        let mut systems = Systems::default();
        systems.are_exported = self.folder.records(&self.name(CLASS), |row: SmsRSystem| {
            self.device(row, &mut rows, &mut systems, site)
        })?;
        self.check_properties(&rows, site)?;
        let retirements = [
            ("Obsolete", rows.obsolete),
            ("Decommissioned", rows.decommissioned),
        ];
        let mut unknown = HashSet::new();
        for (property, retirement) in retirements {
            if retirement.is_stated {
                self.folder.note_property(&self.name(CLASS), property);
                // If other systems have the property, a system without it may be retired.
                unknown.extend(retirement.unknown);
            }
        }
        for device in site.devices.extract_if(.., |of| unknown.contains(&of.id)) {
            let name = format!("{} of {}", device.name, self.site);
            site.notes.add(&CLIENT_UNKNOWN, name);
            site.not_uploaded.push(device.name);
            systems.not_uploaded.insert(device.id);
        }
        site.devices.sort_unstable_by_key(|device| device.id);
        Ok(systems)
    }

    /// Adds a system to the devices, or to the systems that are not uploaded.
    fn device(
        &self,
        row: SmsRSystem,
        rows: &mut Rows,
        systems: &mut Systems,
        site: &mut Site,
    ) -> Result<(), RecordError> {
        if !rows.ids.insert(row.resource_id) {
            let id = row.resource_id.to_string();
            return Err(RecordError::duplicate("device", &id));
        }
        rows.has_client |= row.client.is_some();
        rows.has_any_client |= row.client == Some(Some(true));
        let (obsolete, decommissioned) = (row.obsolete.flatten(), row.decommissioned.flatten());
        rows.obsolete.is_stated |= obsolete.is_some();
        rows.decommissioned.is_stated |= decommissioned.is_some();
        let name = row.name.or(row.netbios_name).map(SmolStr::from);
        let called = match &name {
            Some(name) => format!("{name} of {}", self.site),
            None => format!("{} of {}", row.resource_id, self.site),
        };
        match (row.client, obsolete, decommissioned) {
            (None, ..) => site.notes.add(&CLIENT_UNKNOWN, called),
            (Some(None | Some(false)), ..) => {
                site.notes
                    .add(&DEVICE_NOT_UPLOADED, format!("{called}: no client"));
            }
            (Some(Some(true)), Some(true), _) => {
                site.notes
                    .add(&DEVICE_NOT_UPLOADED, format!("{called}: obsolete"));
            }
            (Some(Some(true)), _, Some(true)) => {
                site.notes
                    .add(&DEVICE_NOT_UPLOADED, format!("{called}: decommissioned"));
            }
            (Some(Some(true)), obsolete, decommissioned) => {
                if obsolete.is_none() {
                    rows.obsolete.unknown.insert(row.resource_id);
                }
                if decommissioned.is_none() {
                    rows.decommissioned.unknown.insert(row.resource_id);
                }
                let name = name.ok_or(RecordError::DeviceWithoutName(row.resource_id))?;
                site.devices.push(Device {
                    id: row.resource_id,
                    name,
                    operating_system: row.operating_system.map(|text| rows.operating_system(text)),
                    end: 0,
                });
                return Ok(());
            }
        }
        site.not_uploaded.extend(name);
        systems.not_uploaded.insert(row.resource_id);
        Ok(())
    }

    /// Refuses an export without `Client`, and adds notes on other properties that no system has.
    fn check_properties(&self, rows: &Rows, site: &mut Site) -> Result<(), RefusedExport> {
        let class = self.name(CLASS);
        if rows.ids.is_empty() {
            return Ok(());
        }
        if !rows.has_client {
            return Err(self.folder.refuse(
                &format!("{class}.json"),
                "no device has `Client`, which says whether it is uploaded to the tenant",
                "export SMS_R_System with Client and Obsolete; `tarbac import --how` has the call",
            ));
        }
        if site.devices.is_empty() && !rows.has_any_client {
            let name = format!(
                "Client of {class}.json: no system is known to have a client, so all {} are left out",
                rows.ids.len()
            );
            site.notes.add(&NOT_SELECTED, name);
        }
        if !rows.obsolete.is_stated {
            let name = format!(
                "Obsolete of {class}.json: records that a newer one has replaced count as devices"
            );
            site.notes.add(&NOT_SELECTED, name);
        }
        let devices = &site.devices;
        if !devices.is_empty() && devices.iter().all(|of| of.operating_system.is_none()) {
            let name = format!(
                "OperatingSystemNameandVersion of {class}.json: which operating system a device has is not known, but for the family that devices.csv tells"
            );
            site.notes.add(&NOT_SELECTED, name);
        }
        Ok(())
    }
}
