//! Co-management and operating system of devices, by name, from `devices.csv`.

use hashbrown::HashMap;
use smol_str::{SmolStr, StrExt};

use super::configmgr::{Device, Site};
use super::report::{CO_MANAGEMENT_UNKNOWN, DEVICE_OF_NO_HIERARCHY, Notes};
use crate::exports::catalog::DEVICES;
use crate::exports::{Files, Folder, RefusedExport, devices};

/// The devices of the admin center, by name in lower case; `None` for a name of several devices.
#[derive(Default)]
pub(super) struct Managed(HashMap<SmolStr, Option<ManagedDevice>>);

/// A device in the list of the admin center.
pub(super) struct ManagedDevice {
    /// `None` if the list does not state that Configuration Manager manages the device, alone or with Intune.
    pub(super) is_co_managed: Option<bool>,
    pub(super) operating_system: Option<SmolStr>,
}

impl Managed {
    /// Reads the export. `elsewhere` has the names of devices that are known not to be in the workspace.
    pub(super) fn read<F: Files>(
        folder: &Folder<'_, F>,
        sites: &[(String, Site)],
        elsewhere: &[SmolStr],
        notes: &mut Notes,
    ) -> Result<Self, RefusedExport> {
        let mut managed = Self::default();
        let mut attached = Vec::new();
        let is_there = folder.read(DEVICES, |reader| {
            devices::read(reader, |row| {
                let name = SmolStr::from(row.name.as_str());
                let system = Some(row.operating_system.as_str()).filter(|text| !text.is_empty());
                let device = ManagedDevice {
                    is_co_managed: row.is_attached().then(|| row.is_co_managed()),
                    operating_system: system.map(SmolStr::from),
                };
                let known = managed.0.entry(name.to_ascii_lowercase_smolstr());
                known
                    .and_modify(|known| *known = None)
                    .or_insert(Some(device));
                if row.is_attached() {
                    attached.push(name);
                }
            })
        })?;
        let mut known: HashMap<SmolStr, u32> = HashMap::new();
        let devices = sites.iter().flat_map(|(_, site)| &site.devices);
        for name in devices.map(|device| &device.name).chain(elsewhere) {
            *known.entry(name.to_ascii_lowercase_smolstr()).or_default() += 1;
        }
        for name in attached {
            if !known.contains_key(&name.to_ascii_lowercase_smolstr()) {
                notes.add(&DEVICE_OF_NO_HIERARCHY, name);
            }
        }
        for (name, device) in &mut managed.0 {
            if known.get(name).is_some_and(|count| *count > 1) {
                *device = None;
            }
        }
        for (code, site) in sites {
            match is_there {
                Some(()) => {
                    let is_known = |of: &&Device| {
                        managed
                            .get(&of.name)
                            .is_some_and(|of| of.is_co_managed.is_some())
                    };
                    let unknown = site.devices.iter().filter(|of| !is_known(of));
                    unknown.for_each(|of| notes.add(&CO_MANAGEMENT_UNKNOWN, of.name.as_str()));
                }
                None if site.devices.is_empty() => {}
                None => {
                    let count = site.devices.len();
                    notes.add(&CO_MANAGEMENT_UNKNOWN, format!("all of {code}: {count}"));
                }
            }
        }
        Ok(managed)
    }

    /// The device with a name; `None` if no device or several have it.
    pub(super) fn get(&self, name: &SmolStr) -> Option<&ManagedDevice> {
        self.0.get(&name.to_ascii_lowercase_smolstr())?.as_ref()
    }
}
