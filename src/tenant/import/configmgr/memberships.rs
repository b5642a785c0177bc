//! Innermost collections of devices; devices outside the upload collection are removed.

use std::collections::BTreeSet;
use std::ops::Range;

use hashbrown::{HashMap, HashSet};

use super::collections::{CollectionIndices, limiting};
use super::devices::Systems;
use super::{Reader, Site};
use crate::exports::configmgr::SmsFullCollectionMembership;
use crate::exports::{Files, RefusedExport};
use crate::import::intune::called;
use crate::import::report::{
    DEVICE_NOT_UPLOADED, DEVICE_WITHOUT_COLLECTION, UNKNOWN_COLLECTION, UNKNOWN_RESOURCE,
};

const CLASS: &str = "SMS_FullCollectionMembership";

/// The `ResourceType` of a device; 4 is a user.
const SYSTEM: u32 = 5;

/// The resource ids of members that are not devices: computers that booted from the network before the site knows them
/// (0x7A000000 and up), and computers that are being provisioned (0x7D000000 and up). Every site has some.
const NO_DEVICES: [Range<u32>; 2] = [0x7A00_0000..0x7B00_0000, 0x7D00_0000..0x7E00_0000];

/// The index of a device, and of a collection that contains it.
type Pair = (u32, u32);

impl<F: Files> Reader<'_, '_, F> {
    /// Reads the memberships, and removes the devices that are not uploaded.
    pub(super) fn memberships(
        &self,
        site: &mut Site,
        systems: &Systems,
        collections: Option<&CollectionIndices>,
    ) -> Result<(), RefusedExport> {
        let mut pairs = self.pairs(site, systems, collections)?;
        pairs.sort_unstable();
        pairs.dedup();
        self.keep_uploaded(site, &mut pairs, collections.is_some())?;
        keep_innermost(site, &pairs);
        Ok(())
    }

    fn pairs(
        &self,
        site: &mut Site,
        systems: &Systems,
        collections: Option<&CollectionIndices>,
    ) -> Result<Vec<Pair>, RefusedExport> {
        let devices: HashMap<u32, u32> = (0..)
            .zip(&site.devices)
            .map(|(index, device)| (device.id, index))
            .collect();
        let is_no_device = |id: &u32| {
            let mut ranges = NO_DEVICES.iter();
            systems.not_uploaded.contains(id) || ranges.any(|range| range.contains(id))
        };
        let (mut unknown_collections, mut unknown_resources) = (BTreeSet::new(), BTreeSet::new());
        let mut pairs: Vec<Pair> = Vec::new();
        let is_there =
            self.folder
                .records(&self.name(CLASS), |row: SmsFullCollectionMembership| {
                    if row.resource_type.is_some_and(|kind| kind != SYSTEM) {
                        return Ok(());
                    }
                    match collections.and_then(|indices| indices.get(&row.collection_id)) {
                        Some(Some(collection)) => match devices.get(&row.resource_id) {
                            Some(device) => pairs.push((*device, *collection)),
                            None if is_no_device(&row.resource_id) => {}
                            None => drop(unknown_resources.insert(row.resource_id)),
                        },
                        // Collections of users do not matter.
                        Some(None) => {}
                        None => drop(unknown_collections.insert(row.collection_id)),
                    }
                    Ok(())
                })?;
        if is_there && collections.is_none() {
            return Err(self.needed("SMS_Collection", CLASS));
        }
        site.has_memberships = is_there && self.have_collections(site, &pairs);
        if is_there && !systems.are_exported && !unknown_resources.is_empty() {
            return Err(self.needed("SMS_R_System", CLASS));
        }
        for id in unknown_collections {
            let name = format!("{id} of {}", self.site);
            site.notes.add(&UNKNOWN_COLLECTION, name);
        }
        for id in unknown_resources {
            let name = format!("{id} of {}", self.site);
            site.notes.add(&UNKNOWN_RESOURCE, name);
        }
        Ok(pairs)
    }

    /// Whether each device is in a collection. In a complete export it is, because All Systems contains every device;
    /// otherwise the list was cut off, or the caller may not read all of it.
    fn have_collections(&self, site: &mut Site, pairs: &[Pair]) -> bool {
        let with: HashSet<u32> = pairs.iter().map(|(device, _)| *device).collect();
        let all = (0..).zip(&site.devices);
        for (_, device) in all.filter(|(index, _)| !with.contains(index)) {
            let name = format!("{} of {}", device.name, self.site);
            site.notes.add(&DEVICE_WITHOUT_COLLECTION, name);
        }
        with.len() == site.devices.len()
    }

    /// Removes the devices, with their memberships, that are in neither the upload collection nor a collection limited
    /// to it. The pairs are sorted.
    fn keep_uploaded(
        &self,
        site: &mut Site,
        pairs: &mut Vec<Pair>,
        has_collections: bool,
    ) -> Result<(), RefusedExport> {
        if self.upload_collection.is_some() && !site.devices.is_empty() && !has_collections {
            return Err(self.needed("SMS_Collection", "SMS_R_System"));
        }
        let Some(uploaded) = self.uploaded_collection(site)? else {
            return Ok(());
        };
        let is_within = |index: &u32| {
            *index == uploaded || limiting(&site.collections, *index).any(|limit| limit == uploaded)
        };
        let within: HashSet<u32> = (0..)
            .take(site.collections.len())
            .filter(is_within)
            .collect();
        let uploaded_pairs = pairs.iter().filter(|(_, index)| within.contains(index));
        let kept: BTreeSet<u32> = uploaded_pairs.map(|(device, _)| *device).collect();
        let collection = site.collections.get(uploaded as usize);
        let collection = collection.map(|of| called(of.name.as_deref(), &of.id));
        let collection = collection.unwrap_or_default();
        let with: HashSet<u32> = pairs.iter().map(|(device, _)| *device).collect();
        let devices = std::mem::take(&mut site.devices);
        for (index, device) in (0..).zip(devices) {
            let reason = match (kept.contains(&index), with.contains(&index)) {
                (true, _) => {
                    site.devices.push(device);
                    continue;
                }
                (false, true) => format!("not in {collection}"),
                (false, false) => {
                    format!(
                        "its collections are not known, so nor is whether it is in {collection}"
                    )
                }
            };
            let name = format!("{} of {}: {reason}", device.name, self.site);
            site.notes.add(&DEVICE_NOT_UPLOADED, name);
            site.not_uploaded.push(device.name);
        }
        let new_indices: HashMap<u32, u32> = kept.into_iter().zip(0..).collect();
        let with_new_index = |(device, collection): &Pair| {
            let device = new_indices.get(device)?;
            Some((*device, *collection))
        };
        *pairs = pairs.iter().filter_map(with_new_index).collect();
        Ok(())
    }
}

/// Keeps only the innermost collections of each device: a limiting collection contains the devices of the collections
/// limited to it. The pairs are sorted.
fn keep_innermost(site: &mut Site, mut pairs: &[Pair]) {
    let mut implied_for = vec![u32::MAX; site.collections.len()];
    for (index, device) in (0..).zip(&mut site.devices) {
        let length = pairs.partition_point(|(device, _)| *device == index);
        let (own, rest) = pairs.split_at(length);
        pairs = rest;
        for (_, collection) in own {
            for limit in limiting(&site.collections, *collection) {
                if let Some(implied) = implied_for.get_mut(limit as usize) {
                    *implied = index;
                }
            }
        }
        let is_implied = |collection: u32| implied_for.get(collection as usize) == Some(&index);
        let collections = own.iter().map(|(_, collection)| *collection);
        site.memberships
            .extend(collections.filter(|collection| !is_implied(*collection)));
        device.end = site.memberships.len();
    }
}
