//! The import of Configuration Manager's administrators, collections and devices.
//!
//! Which operations decisions are about, the schema says: its attributes of what Configuration Manager
//! gives a person are annotated with `@operation`. What the bits of a security role mean, the site says,
//! in SMS_AvailableOperation; nothing is known about them here.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use hashbrown::{HashMap, HashSet};
use smol_str::SmolStr;

use super::entra::{Entra, Holder};
use super::intune::{called, twice};
use super::key;
use super::report::{
    CLIENT_UNKNOWN, COLLECTION_WITHOUT_LIMIT, DEVICE_NOT_UPLOADED, DISCOVERY_CONFLICT,
    DISCOVERY_UNKNOWN, IMPOSSIBLE_ADMINISTRATOR, MEMBERS_MISSING, MISSING_OPERATION, NOT_SELECTED,
    Notes, SECURITY_SCOPES, UNKNOWN_CATEGORY, UNKNOWN_COLLECTION, UNKNOWN_RESOURCE,
    UNKNOWN_SECURITY_ROLE, UNMATCHED_ADMINISTRATOR, UNNAMED_OPERATION,
};
use crate::exports::catalog::TENANT;
use crate::exports::configmgr::{
    SmsAPermission, SmsAdmin, SmsAvailableOperation, SmsCollection, SmsFullCollectionMembership,
    SmsRSystem, SmsRUser, SmsRole, SmsSecuredCategory,
};
use crate::exports::{Files, Folder, Refused};
use tarbac_host::bundle::{Kind, Vocabulary};

/// What Configuration Manager gives a person, in the schema.
const ADMINISTRATOR: &str = "ConfigMgr::Administrator";

/// A collection of devices; 1 is one of users.
const OF_DEVICES: u32 = 2;
/// What a permission of an administrative user is about.
const COLLECTION: u32 = 1;
const SECURITY_SCOPE: u32 = 29;
/// The type of an administrative user that is a machine.
const MACHINE: u32 = 2;
/// The security scope All.
const ALL_SCOPES: &str = "SMS00ALL";
/// Members of device collections that are no devices: what boots from the network before a site knows it
/// (0x7A000000 and up), and what is being provisioned (0x7D000000 and up). Every site has some.
const NO_DEVICES: [Range<u32>; 2] = [0x7A00_0000..0x7B00_0000, 0x7D00_0000..0x7E00_0000];
/// The agent of Active Directory user discovery.
const AD_USER_DISCOVERY: &str = "SMS_AD_USER_DISCOVERY_AGENT";

/// An operation that decisions are about.
#[derive(Debug)]
pub(super) struct Operation {
    /// The attribute that says where a person is permitted it.
    pub(super) attribute: String,
    /// Its type of object and its name: `Collection: Read`.
    name: String,
    /// Whether it is permitted for collections; otherwise it is in the hierarchy.
    pub(super) is_on_collections: bool,
}

/// The operations that decisions are about, by the schema.
pub(super) fn operations(vocabulary: &Vocabulary) -> Vec<Operation> {
    let attributes = vocabulary.attributes(ADMINISTRATOR).into_iter().flatten();
    let operation = |(attribute, described): (&String, &tarbac_host::bundle::Attribute)| {
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

/// What a hierarchy knows.
#[derive(Default)]
pub(super) struct Site {
    /// Sorted by id.
    pub(super) collections: Vec<Collection>,
    /// Sorted by id.
    pub(super) devices: Vec<Device>,
    /// The collections that devices are in, in one list; a device has a part of it.
    pub(super) memberships: Vec<u32>,
    /// Whether it was exported which devices are in which collections.
    pub(super) has_memberships: bool,
    /// Who was discovered, by the number of the person.
    pub(super) discovered: BTreeMap<u32, Discovered>,
    /// What people are permitted, by the number of the person and of the operation.
    pub(super) permitted: BTreeMap<u32, Vec<Permitted>>,
    /// The groups that are administrative users, with the groups in them.
    pub(super) administrator_groups: BTreeSet<u32>,
    /// How many administrative users no account or group has the security identifier of.
    pub(super) unmatched: usize,
    /// How many discovered users have an account whose security identifier is not known.
    pub(super) without_sid: usize,
    /// The names of the systems that are not uploaded, and so are no devices.
    pub(super) not_uploaded: Vec<SmolStr>,
    pub(super) notes: Notes,
}

/// A collection of devices.
pub(super) struct Collection {
    id: SmolStr,
    /// The id of its entity: collections that ship have the same id in every hierarchy.
    pub(super) entity: SmolStr,
    pub(super) name: Option<String>,
    /// The collection it is limited to.
    pub(super) limit: Option<u32>,
}

/// A device.
pub(super) struct Device {
    pub(super) id: u32,
    pub(super) name: SmolStr,
    pub(super) operating_system: Option<SmolStr>,
    /// Where its part of the memberships ends; it begins where that of the device before it ends.
    pub(super) end: usize,
}

/// Which discoveries have found a person.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Discovered {
    pub(super) by_entra: bool,
    pub(super) by_active_directory: bool,
    /// Whether the export leaves it open.
    pub(super) is_unknown: bool,
}

/// Where a person is permitted an operation.
#[derive(Debug, Default, Clone)]
pub(super) struct Permitted {
    pub(super) collections: BTreeSet<u32>,
    /// The security scopes in which it is permitted on something of the hierarchy.
    pub(super) scopes: BTreeSet<String>,
}

/// The operations that a site knows, by object type and bit; each with its number if decisions are about
/// it.
type Available = HashMap<(u32, u32), Option<usize>>;

/// Reads the exports of one hierarchy.
pub(super) struct Reader<'r, 'f, F> {
    pub(super) folder: &'r Folder<'f, F>,
    /// The site code.
    pub(super) site: &'r str,
    /// The name of its folder, which may be in another case.
    pub(super) directory: &'r str,
    /// The collection of which alone devices are uploaded, by its id or name.
    pub(super) upload_collection: Option<&'r str>,
    pub(super) entra: &'r Entra,
    pub(super) operations: &'r [Operation],
}

/// The systems that a hierarchy knows and that are no devices here.
#[derive(Default)]
struct Systems {
    /// Whether they were exported.
    are_there: bool,
    /// The ids of those that are not uploaded.
    not_uploaded: HashSet<u32>,
}

impl<F: Files> Reader<'_, '_, F> {
    pub(super) fn read(&self) -> Result<Site, Refused> {
        let mut site = Site::default();
        let collection_of = self.collections(&mut site)?;
        let systems = self.devices(&mut site)?;
        self.memberships(&mut site, &systems, collection_of.as_ref())?;
        self.discoveries(&mut site)?;
        self.administrators(&mut site, collection_of.as_ref())?;
        Ok(site)
    }

    /// The names of the devices, for a hierarchy of which nothing else is wanted.
    pub(super) fn device_names(&self) -> Result<Vec<SmolStr>, Refused> {
        let mut site = Site::default();
        self.devices(&mut site)?;
        Ok(site.devices.into_iter().map(|device| device.name).collect())
    }

    /// The number of the collection of which alone devices are uploaded, if it was declared.
    fn uploaded_collection(&self, site: &Site) -> Result<Option<u32>, Refused> {
        let Some(declared) = self.upload_collection else {
            return Ok(None);
        };
        let numbered = || (0..).zip(&site.collections);
        let is_id = |of: &Collection| of.id.eq_ignore_ascii_case(declared);
        if let Some((number, _)) = numbered().find(|(_, collection)| is_id(collection)) {
            return Ok(Some(number));
        }
        let is_name = |of: &Collection| {
            let name = of.name.as_deref().map(str::trim);
            name.is_some_and(|name| name.eq_ignore_ascii_case(declared))
        };
        let named: Vec<u32> = numbered()
            .filter(|(_, collection)| is_name(collection))
            .map(|(number, _)| number)
            .collect();
        let wrong = match named.as_slice() {
            [number] => return Ok(Some(*number)),
            [] => "is the id or name of no device collection",
            _ => "is the name of several device collections",
        };
        let collections = self.name("SMS_Collection");
        Err(self.folder.refuse(
            TENANT,
            format!(
                "`{declared}`, which {} uploads, {wrong} of {collections}.json",
                self.site
            ),
            "write the id of the collection that the cloud attach properties name, for example SMS00001",
        ))
    }

    fn name(&self, class: &str) -> String {
        format!("configmgr/{}/{class}", self.directory)
    }

    /// Says that an export is needed.
    fn needed(&self, class: &str, by: &str) -> Refused {
        let what_for = format!("{by}.json cannot be understood without it");
        self.folder.missing(&self.name(class), &what_for)
    }

    /// Reads the collections; `None` if they were not exported. Those of users are known, but not kept.
    fn collections(
        &self,
        site: &mut Site,
    ) -> Result<Option<HashMap<SmolStr, Option<u32>>>, Refused> {
        let mut numbers: HashMap<SmolStr, Option<u32>> = HashMap::new();
        let mut rows: Vec<SmsCollection> = Vec::new();
        let is_there =
            self.folder
                .records(&self.name("SMS_Collection"), |row: SmsCollection| {
                    if numbers.insert(row.collection_id.clone(), None).is_some() {
                        return Err(twice("collection", &row.collection_id));
                    }
                    if row.collection_type == OF_DEVICES {
                        rows.push(row);
                    }
                    Ok(())
                })?;
        rows.sort_by(|one, other| one.collection_id.cmp(&other.collection_id));
        for (number, row) in (0..).zip(&rows) {
            numbers.insert(row.collection_id.clone(), Some(number));
        }
        let has_limits = rows.iter().any(|row| row.limit_to_collection_id.is_some());
        if rows.len() > 1 && !has_limits {
            let class = self.name("SMS_Collection");
            let so = "no collection is known to be limited to another, so whoever has permissions on one has none on those in it";
            let name = format!("LimitToCollectionID of {class}.json: {so}");
            site.notes.add(&NOT_SELECTED, name);
        }
        for row in rows {
            let limit = row.limit_to_collection_id.as_deref();
            let known = limit.and_then(|limit| numbers.get(limit).copied().flatten());
            if let (Some(limit), None) = (limit, known) {
                let name = called(row.name.as_deref(), &row.collection_id);
                site.notes
                    .add(&COLLECTION_WITHOUT_LIMIT, format!("{name} in {limit}"));
            }
            let entity = match row.collection_id.starts_with(self.site) {
                true => row.collection_id.clone(),
                false => format!("{}-{}", self.site, row.collection_id).into(),
            };
            site.collections.push(Collection {
                id: row.collection_id,
                entity,
                name: row.name,
                limit: known,
            });
        }
        for (number, collection) in (0..).zip(&site.collections) {
            if limiting(&site.collections, number).any(|limit| limit == number) {
                return Err(self.folder.refuse(
                    &format!("{}.json", self.name("SMS_Collection")),
                    format!(
                        "the collection `{}` is limited to itself, through others or directly",
                        collection.id
                    ),
                    "export it again: Configuration Manager has no such collection",
                ));
            }
        }
        Ok(is_there.then_some(numbers))
    }

    /// Reads the devices: the systems that have a client and are not obsolete. Which of these are uploaded, the
    /// collection of the upload says.
    fn devices(&self, site: &mut Site) -> Result<Systems, Refused> {
        let class = self.name("SMS_R_System");
        let mut operating_systems: BTreeSet<SmolStr> = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut not_uploaded = HashSet::new();
        let (mut has_client, mut has_any_client, mut has_obsolete) = (false, false, false);
        let mut may_be_obsolete: HashMap<u32, String> = HashMap::new();
        let are_there = self.folder.records(&class, |row: SmsRSystem| {
            if !seen.insert(row.resource_id) {
                return Err(twice("device", &row.resource_id.to_string()));
            }
            has_client |= row.client.is_some();
            has_any_client |= row.client == Some(Some(true));
            has_obsolete |= row.obsolete.flatten().is_some();
            let name = row.name.or(row.netbios_name).map(SmolStr::from);
            let called = || match &name {
                Some(name) => format!("{name} of {}", self.site),
                None => format!("{} of {}", row.resource_id, self.site),
            };
            let why = match (row.client, row.obsolete) {
                (None, _) => {
                    site.notes.add(&CLIENT_UNKNOWN, called());
                    None
                }
                (Some(None | Some(false)), _) => Some("no client"),
                (Some(Some(true)), Some(Some(true))) => Some("obsolete"),
                (Some(Some(true)), obsolete) => {
                    if obsolete.flatten().is_none() {
                        may_be_obsolete.insert(row.resource_id, called());
                    }
                    let Some(name) = name else {
                        return Err(format!(
                            "the device {} has neither `Name` nor `NetbiosName`; export SMS_R_System with them",
                            row.resource_id
                        ));
                    };
                    // There are few operating systems, and many devices.
                    let operating_system = row.operating_system.map(|text| {
                        let text = SmolStr::from(text);
                        match operating_systems.get(&text) {
                            Some(known) => known.clone(),
                            None => {
                                operating_systems.insert(text.clone());
                                text
                            }
                        }
                    });
                    site.devices.push(Device {
                        id: row.resource_id,
                        name,
                        operating_system,
                        end: 0,
                    });
                    return Ok(());
                }
            };
            if let Some(why) = why {
                let name = format!("{}: {why}", called());
                site.notes.add(&DEVICE_NOT_UPLOADED, name);
            }
            site.not_uploaded.extend(name);
            not_uploaded.insert(row.resource_id);
            Ok(())
        })?;
        if !seen.is_empty() && !has_client {
            return Err(self.folder.refuse(
                &format!("{class}.json"),
                "no device has `Client`, which says whether it is uploaded to the tenant",
                "export SMS_R_System with Client and Obsolete; `tarbac import --how` has the call",
            ));
        }
        if !seen.is_empty() && site.devices.is_empty() && !has_any_client {
            let name = format!(
                "Client of {class}.json: no system is known to have a client, so all {} are left out",
                seen.len()
            );
            site.notes.add(&NOT_SELECTED, name);
        }
        if !seen.is_empty() && !has_obsolete {
            let name = format!(
                "Obsolete of {class}.json: records that a newer one has replaced count as devices"
            );
            site.notes.add(&NOT_SELECTED, name);
        }
        // Where the others say it, one that does not is not known to be uploaded.
        if has_obsolete {
            let unknown = site
                .devices
                .extract_if(.., |device| may_be_obsolete.contains_key(&device.id));
            site.not_uploaded.extend(unknown.map(|device| device.name));
            for (id, called) in may_be_obsolete {
                site.notes.add(&CLIENT_UNKNOWN, called);
                not_uploaded.insert(id);
            }
        }
        site.devices.sort_unstable_by_key(|device| device.id);
        Ok(Systems {
            are_there,
            not_uploaded,
        })
    }

    fn memberships(
        &self,
        site: &mut Site,
        systems: &Systems,
        collection_of: Option<&HashMap<SmolStr, Option<u32>>>,
    ) -> Result<(), Refused> {
        const CLASS: &str = "SMS_FullCollectionMembership";
        let number_of: HashMap<u32, u32> = (0..)
            .zip(&site.devices)
            .map(|(number, device)| (device.id, number))
            .collect();
        let is_no_device = |id: &u32| {
            let mut ranges = NO_DEVICES.iter();
            systems.not_uploaded.contains(id) || ranges.any(|range| range.contains(id))
        };
        let (mut unknown, mut left_out) = (BTreeSet::new(), BTreeSet::new());
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        let is_there =
            self.folder
                .records(&self.name(CLASS), |row: SmsFullCollectionMembership| {
                    match collection_of.and_then(|of| of.get(&row.collection_id)) {
                        Some(Some(collection)) => match number_of.get(&row.resource_id) {
                            Some(device) => pairs.push((*device, *collection)),
                            None if is_no_device(&row.resource_id) => {}
                            None => drop(left_out.insert(row.resource_id)),
                        },
                        // A collection of users.
                        Some(None) => {}
                        None => drop(unknown.insert(row.collection_id)),
                    }
                    Ok(())
                })?;
        site.has_memberships = is_there;
        if is_there && collection_of.is_none() {
            return Err(self.needed("SMS_Collection", CLASS));
        }
        if is_there && !systems.are_there && !left_out.is_empty() {
            return Err(self.needed("SMS_R_System", CLASS));
        }
        for collection in unknown {
            site.notes.add(
                &UNKNOWN_COLLECTION,
                format!("{collection} of {}", self.site),
            );
        }
        for resource in left_out {
            site.notes
                .add(&UNKNOWN_RESOURCE, format!("{resource} of {}", self.site));
        }
        pairs.sort_unstable();
        pairs.dedup();
        self.keep_uploaded(site, &mut pairs, collection_of.is_some())?;
        // What another collection is limited to holds its devices already.
        let mut implied_for = vec![u32::MAX; site.collections.len()];
        let mut pairs = pairs.as_slice();
        for (number, device) in (0..).zip(&mut site.devices) {
            let length = pairs.partition_point(|(device, _)| *device == number);
            let (own, rest) = pairs.split_at(length);
            pairs = rest;
            for (_, collection) in own {
                for limit in limiting(&site.collections, *collection) {
                    if let Some(implied) = implied_for.get_mut(limit as usize) {
                        *implied = number;
                    }
                }
            }
            let is_implied =
                |collection: u32| implied_for.get(collection as usize) == Some(&number);
            let told = own.iter().map(|(_, collection)| *collection);
            site.memberships
                .extend(told.filter(|collection| !is_implied(*collection)));
            device.end = site.memberships.len();
        }
        Ok(())
    }

    /// Leaves out the devices that are neither in the collection of the upload nor in one that is limited to it,
    /// with their memberships: pairs of the numbers of a device and of a collection, sorted.
    fn keep_uploaded(
        &self,
        site: &mut Site,
        pairs: &mut Vec<(u32, u32)>,
        has_collections: bool,
    ) -> Result<(), Refused> {
        if self.upload_collection.is_some() && !site.devices.is_empty() && !has_collections {
            return Err(self.needed("SMS_Collection", "SMS_R_System"));
        }
        let Some(uploaded) = self.uploaded_collection(site)? else {
            return Ok(());
        };
        let within = |number: &u32| {
            *number == uploaded || limiting(&site.collections, *number).any(|of| of == uploaded)
        };
        let within: HashSet<u32> = (0..).take(site.collections.len()).filter(within).collect();
        let is_within = pairs.iter().filter(|(_, of)| within.contains(of));
        let kept: BTreeSet<u32> = is_within.map(|(device, _)| *device).collect();
        let collection = site.collections.get(uploaded as usize);
        let collection = collection.map(|of| called(of.name.as_deref(), &of.id));
        let collection = collection.unwrap_or_default();
        let devices = std::mem::take(&mut site.devices);
        for (number, device) in (0..).zip(devices) {
            match kept.contains(&number) {
                true => site.devices.push(device),
                false => {
                    let name = format!("{} of {}: not in {collection}", device.name, self.site);
                    site.notes.add(&DEVICE_NOT_UPLOADED, name);
                    site.not_uploaded.push(device.name);
                }
            }
        }
        let renumbered: HashMap<u32, u32> = kept.into_iter().zip(0..).collect();
        let renumber = |(device, collection): &(u32, u32)| {
            renumbered.get(device).map(|device| (*device, *collection))
        };
        *pairs = pairs.iter().filter_map(renumber).collect();
        Ok(())
    }

    /// Reads who was discovered.
    ///
    /// The id of the account in a row comes from Microsoft Entra user discovery (the troubleshooting pages
    /// look for it there), the agent of Active Directory user discovery is named, and the security
    /// identifier says whom it has found.
    fn discoveries(&self, site: &mut Site) -> Result<(), Refused> {
        self.folder
            .records(&self.name("SMS_R_User"), |row: SmsRUser| {
                let text = |property: &Option<Option<String>>| {
                    property
                        .clone()
                        .flatten()
                        .filter(|text| !text.trim().is_empty())
                };
                let (id, sid) = (text(&row.aad_user_id), text(&row.sid));
                let found = person(id.and_then(|id| self.entra.holder(&id)));
                let with_sid = person(sid.as_deref().and_then(|sid| self.entra.with_sid(sid)));
                let Some(number) = found.or(with_sid) else {
                    return Ok(());
                };
                let own_sid = self
                    .entra
                    .person(number)
                    .and_then(|person| person.sid.as_deref());
                let is_same = |sid: &str| own_sid.map(|own| key(own) == key(sid));
                let name = match row.unique_user_name.as_deref() {
                    Some(name) => format!("{name} of {}", self.site),
                    None => format!("{} of {}", row.resource_id, self.site),
                };
                if sid.as_deref().and_then(is_same) == Some(false) {
                    site.notes.add(&DISCOVERY_CONFLICT, name);
                    return Ok(());
                }
                let agents = row.agent_name.as_ref().map(|agents| {
                    // What ConvertTo-Json cuts off is one text.
                    let mut agents = agents.iter().flat_map(|agents| agents.split_whitespace());
                    agents.any(|agent| agent.eq_ignore_ascii_case(AD_USER_DISCOVERY))
                });
                let has_sid = sid.as_deref().and_then(is_same) == Some(true);
                let is_unknown = row.aad_user_id.is_none()
                    || agents.is_none()
                    || agents == Some(true) && !has_sid;
                if is_unknown && !self.entra.people_have_sids && sid.is_some() && own_sid.is_none()
                {
                    // Nobody has a SID: that is said once.
                    site.without_sid += 1;
                } else if is_unknown {
                    site.notes.add(&DISCOVERY_UNKNOWN, name);
                }
                let discovered = site.discovered.entry(number).or_default();
                discovered.by_entra |= found.is_some();
                discovered.by_active_directory |= agents == Some(true) && has_sid;
                discovered.is_unknown |= is_unknown;
                Ok(())
            })?;
        let is_found = |by: &Discovered| by.by_entra || by.by_active_directory;
        site.discovered.retain(|_, by| is_found(by));
        Ok(())
    }

    fn administrators(
        &self,
        site: &mut Site,
        collection_of: Option<&HashMap<SmolStr, Option<u32>>>,
    ) -> Result<(), Refused> {
        const CLASS: &str = "SMS_Admin";
        let mut administrators = Vec::new();
        let mut seen = BTreeSet::new();
        self.folder.records(&self.name(CLASS), |row: SmsAdmin| {
            if !seen.insert(row.admin_id) {
                return Err(twice("administrative user", &row.admin_id.to_string()));
            }
            if row.is_deleted == Some(true) {
                return Ok(());
            }
            let called = row.logon_name.unwrap_or_else(|| row.admin_id.to_string());
            let lazy = |property: &str| {
                format!(
                    "the administrative user `{called}` lacks the lazy property {property}, which a list leaves \
                     out; read it by itself: GET https://<provider>/AdminService/wmi/SMS_Admin({})",
                    row.admin_id
                )
            };
            let sid = row.admin_sid.ok_or_else(|| lazy("AdminSid"))?;
            let permissions = row.permissions.ok_or_else(|| lazy("Permissions"))?;
            let is_machine = row.account_type == Some(MACHINE) || called.ends_with('$');
            administrators.push((called, sid, is_machine, permissions));
            Ok(())
        })?;
        let wanted: BTreeSet<&str> = administrators
            .iter()
            .flat_map(|(.., permissions)| permissions.iter().map(|of| of.role_id.as_str()))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let Some(collection_of) = collection_of else {
            return Err(self.needed("SMS_Collection", CLASS));
        };
        let roles = self.roles(site, &wanted)?;
        let scopes = self.scopes()?;
        for (name, sid, is_machine, permissions) in &administrators {
            let people = match self.entra.with_sid(sid) {
                Some(Holder::Person(person)) => BTreeSet::from([person]),
                Some(Holder::Group(group)) => {
                    let nested = self.entra.nested(group);
                    for group in nested.iter().filter_map(|group| self.entra.group(*group)) {
                        if !group.has_members {
                            site.notes.add(&MEMBERS_MISSING, group.called());
                        }
                    }
                    site.administrator_groups.extend(nested);
                    self.entra.people_in(group)
                }
                None => {
                    let name = format!("{name} of {} ({sid})", self.site);
                    match (impossible(sid, *is_machine), self.entra.people_have_sids) {
                        (Some(why), _) => site
                            .notes
                            .add(&IMPOSSIBLE_ADMINISTRATOR, format!("{name}: {why}")),
                        (None, true) => {
                            site.unmatched += 1;
                            site.notes.add(&UNMATCHED_ADMINISTRATOR, name);
                        }
                        // Nobody has a SID: that is said once.
                        (None, false) => site.unmatched += 1,
                    }
                    continue;
                }
            };
            let given = self.given(site, permissions, &roles, collection_of);
            for person in people {
                let permitted = site.permitted.entry(person);
                let permitted =
                    permitted.or_insert_with(|| vec![Permitted::default(); given.len()]);
                for (permitted, given) in permitted.iter_mut().zip(&given) {
                    permitted.collections.extend(&given.collections);
                    permitted.scopes.extend(given.scopes.iter().cloned());
                }
            }
        }
        for (number, permitted) in &site.permitted {
            let scoped = permitted.iter().map(|of| &of.scopes);
            let scoped = scoped.filter(|of| !of.contains(ALL_SCOPES)).flatten();
            let names: BTreeSet<String> = scoped
                .map(|id| called(scopes.get(id).map(String::as_str), id))
                .collect();
            if let (Some(person), false) = (self.entra.person(*number), names.is_empty()) {
                let names: Vec<String> = names.into_iter().collect();
                let of = &person.user_principal_name;
                let name = format!("{of} in {}: {}", self.site, names.join(", "));
                site.notes.add(&SECURITY_SCOPES, name);
            }
        }
        Ok(())
    }

    /// What an administrative user is permitted, operation by operation. A role holds for the collections
    /// and security scopes that it is associated with, and for no others.
    fn given(
        &self,
        site: &mut Site,
        permissions: &[SmsAPermission],
        roles: &BTreeMap<String, BTreeSet<usize>>,
        collection_of: &HashMap<SmolStr, Option<u32>>,
    ) -> Vec<Permitted> {
        let mut given = vec![Permitted::default(); self.operations.len()];
        for permission in permissions {
            let category = permission.category_id.as_str();
            let Some(role) = roles.get(&permission.role_id) else {
                let name = format!("{} of {}", permission.role_id, self.site);
                site.notes.add(&UNKNOWN_SECURITY_ROLE, name);
                continue;
            };
            let collection = match (permission.category_type_id, collection_of.get(category)) {
                (SECURITY_SCOPE, _) => None,
                (COLLECTION, Some(Some(collection))) => Some(*collection),
                // A collection of users.
                (COLLECTION, Some(None)) => continue,
                (COLLECTION, None) => {
                    let name = format!("{category} of {}", self.site);
                    site.notes.add(&UNKNOWN_COLLECTION, name);
                    continue;
                }
                (other, _) => {
                    let name = format!("{category} of type {other} in {}", self.site);
                    site.notes.add(&UNKNOWN_CATEGORY, name);
                    continue;
                }
            };
            for number in role {
                let of = given.get_mut(*number).zip(self.operations.get(*number));
                let Some((permitted, operation)) = of else {
                    continue;
                };
                match collection {
                    Some(collection) if operation.is_on_collections => {
                        permitted.collections.insert(collection);
                    }
                    None if !operation.is_on_collections => {
                        permitted.scopes.insert(category.to_owned());
                    }
                    _ => {}
                }
            }
        }
        given
    }

    /// The operations of each security role that decisions are about, by their numbers.
    fn roles(
        &self,
        site: &mut Site,
        wanted: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, BTreeSet<usize>>, Refused> {
        const CLASS: &str = "SMS_Role";
        let Some(named) = self.available(site)? else {
            return Err(self.needed("SMS_AvailableOperation", "SMS_Admin"));
        };
        let mut roles: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        let is_there = self.folder.records(&self.name(CLASS), |row: SmsRole| {
            if roles.contains_key(&row.role_id) {
                return Err(twice("security role", &row.role_id));
            }
            let called = called(row.role_name.as_deref(), &row.role_id);
            let operations = match row.operations {
                Some(operations) => operations,
                None if !wanted.contains(row.role_id.as_str()) => return Ok(()),
                None => {
                    return Err(format!(
                        "the security role `{called}` lacks the lazy property Operations, which a list leaves \
                         out; read it by itself: GET https://<provider>/AdminService/wmi/SMS_Role('{}')",
                        row.role_id
                    ));
                }
            };
            let mut known = BTreeSet::new();
            for granted in operations {
                let bits = (0..u32::BITS).map(|bit| 1 << bit);
                for bit in bits.filter(|bit| granted.granted_operations & bit != 0) {
                    match named.get(&(granted.object_type_id, bit)) {
                        Some(operation) => known.extend(*operation),
                        None => site.notes.add(
                            &UNNAMED_OPERATION,
                            format!("{bit} of object type {} in {called}, {}", granted.object_type_id, self.site),
                        ),
                    }
                }
            }
            roles.insert(row.role_id, known);
            Ok(())
        })?;
        match is_there {
            true => Ok(roles),
            false => Err(self.needed(CLASS, "SMS_Admin")),
        }
    }

    /// The operations that the site knows; `None` if they were not exported.
    fn available(&self, site: &mut Site) -> Result<Option<Available>, Refused> {
        let mut named: HashMap<(u32, u32), (String, Option<usize>)> = HashMap::new();
        let mut bits: BTreeMap<String, u32> = BTreeMap::new();
        let class = self.name("SMS_AvailableOperation");
        let is_there = self.folder.records(&class, |row: SmsAvailableOperation| {
            let name = plain(&row.object_type_name, &row.operation_name);
            let is_named = |operation: &Operation| {
                let parts = operation.name.split_once(": ");
                parts.is_some_and(|(object, of)| plain(object, of) == name)
            };
            let number = self.operations.iter().position(is_named);
            let called = format!("{} of {}", row.operation_name, row.object_type_name);
            let twice = |what: String| {
                Err(format!("{what}, so nobody can tell what a role permits; export it of one hierarchy only"))
            };
            if bits.insert(name.clone(), row.bit_flag).is_some_and(|bit| bit != row.bit_flag) {
                return twice(format!("{called} has two bits"));
            }
            let bit = (row.object_type_id, row.bit_flag);
            match named.insert(bit, (name.clone(), number)) {
                Some((other, _)) if other != name => {
                    twice(format!("the bit {} is {called} and {other}", row.bit_flag))
                }
                _ => Ok(()),
            }
        })?;
        let known = named.iter().filter(|((_, bit), _)| bit.is_power_of_two());
        let known: BTreeSet<usize> = known.filter_map(|(_, (_, number))| *number).collect();
        let missing = (0..self.operations.len()).filter(|number| !known.contains(number));
        for operation in missing.filter_map(|number| self.operations.get(number)) {
            if is_there {
                let name = format!("{} in {}", operation.name, self.site);
                site.notes.add(&MISSING_OPERATION, name);
            }
        }
        let named = named.into_iter().map(|(bit, (_, number))| (bit, number));
        Ok(is_there.then(|| named.collect()))
    }

    /// The names of the security scopes.
    fn scopes(&self) -> Result<BTreeMap<String, String>, Refused> {
        let mut scopes = BTreeMap::new();
        self.folder.records(
            &self.name("SMS_SecuredCategory"),
            |row: SmsSecuredCategory| {
                if let Some(name) = row.category_name {
                    scopes.insert(row.category_id, name);
                }
                Ok(())
            },
        )?;
        Ok(scopes)
    }
}

/// Why no account of Microsoft Entra can have a security identifier that Active Directory gave it.
fn impossible(sid: &str, is_machine: bool) -> Option<&'static str> {
    let sid = sid.trim().to_ascii_uppercase();
    match () {
        () if is_machine => Some("a machine"),
        () if sid.starts_with("S-1-5-21-") => None,
        () if sid.starts_with("S-1-5-32-") => Some("a group that is built into Windows"),
        () if sid.starts_with("S-1-12-1-") => Some("an account that Microsoft Entra alone knows"),
        () if is_well_known(&sid) => Some("an identity that is built into Windows"),
        () => None,
    }
}

/// Whether a security identifier is the same on every computer: Everyone (S-1-1-0), SYSTEM (S-1-5-18),
/// Authenticated Users (S-1-5-11) and their like.
fn is_well_known(sid: &str) -> bool {
    let parts: Vec<&str> = sid.split('-').collect();
    matches!(parts.as_slice(), ["S", "1", authority, _] if ["0", "1", "2", "3", "5"].contains(authority))
        || sid.starts_with("S-1-5-80-")
}

/// The collections that a collection is limited to, one through the other; the collection itself is the
/// last one if they lead back to it.
fn limiting(collections: &[Collection], of: u32) -> impl Iterator<Item = u32> {
    let limit = |number: &u32| collections.get(*number as usize)?.limit;
    std::iter::successors(limit(&of), limit).take(collections.len())
}

fn person(holder: Option<Holder>) -> Option<u32> {
    match holder? {
        Holder::Person(person) => Some(person),
        Holder::Group(_) => None,
    }
}

/// An operation without what sources spell in different ways: `SMS_Collection`, `Read Resource` and
/// `Collection`, `ReadResource` are one.
fn plain(object: &str, operation: &str) -> String {
    let plain = |text: &str| {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.collect::<String>().to_ascii_lowercase()
    };
    let object = plain(object);
    let object = object.strip_prefix("sms").unwrap_or(&object);
    format!("{object}: {}", plain(operation))
}
