//! What Configuration Manager knows, hierarchy by hierarchy.
//!
//! Which operations decisions are about, the schema says: its attributes of what Configuration Manager
//! gives a person are annotated with `@operation`. What the bits of a security role mean, the site says,
//! in SMS_AvailableOperation; nothing is known about them here.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use smol_str::SmolStr;

use super::entra::{Entra, Holder};
use super::intune::{called, twice};
use super::key;
use super::report::{
    COLLECTION_WITHOUT_LIMIT, DISCOVERY_CONFLICT, DISCOVERY_UNKNOWN, MEMBERS_MISSING,
    MISSING_OPERATION, Notes, SECURITY_SCOPES, UNKNOWN_CATEGORY, UNKNOWN_COLLECTION,
    UNKNOWN_RESOURCE, UNKNOWN_SECURITY_ROLE, UNMATCHED_ADMINISTRATOR, UNNAMED_OPERATION,
};
use crate::bundle::{Kind, Vocabulary};
use crate::export::configmgr::{
    SmsAPermission, SmsAdmin, SmsAvailableOperation, SmsCollection, SmsFullCollectionMembership,
    SmsRSystem, SmsRUser, SmsRole, SmsSecuredCategory,
};
use crate::export::{Files, Folder, Refused};

/// What Configuration Manager gives a person, in the schema.
const ADMINISTRATOR: &str = "ConfigMgr::Administrator";

/// A collection of devices; 1 is one of users.
const OF_DEVICES: u32 = 2;
/// What a permission of an administrative user is about.
const COLLECTION: u32 = 1;
const SECURITY_SCOPE: u32 = 29;
/// The security scope All.
const ALL_SCOPES: &str = "SMS00ALL";
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
    let operation = |(attribute, described): (&String, &crate::bundle::Attribute)| {
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
    /// Who was discovered, by the number of the person.
    pub(super) discovered: BTreeMap<u32, Discovered>,
    /// What people are permitted, by the number of the person and of the operation.
    pub(super) permitted: BTreeMap<u32, Vec<Permitted>>,
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
    pub(super) entra: &'r Entra,
    pub(super) operations: &'r [Operation],
}

impl<F: Files> Reader<'_, '_, F> {
    pub(super) fn read(&self) -> Result<Site, Refused> {
        let mut site = Site::default();
        let collection_of = self.collections(&mut site)?;
        self.devices(&mut site)?;
        self.memberships(&mut site, collection_of.as_ref())?;
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

    fn devices(&self, site: &mut Site) -> Result<(), Refused> {
        let mut operating_systems: BTreeSet<SmolStr> = BTreeSet::new();
        self.folder.records(&self.name("SMS_R_System"), |row: SmsRSystem| {
            let Some(name) = row.name.or(row.netbios_name) else {
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
                name: name.into(),
                operating_system,
                end: 0,
            });
            Ok(())
        })?;
        site.devices.sort_unstable_by_key(|device| device.id);
        for pair in site.devices.windows(2) {
            if let [one, other] = pair
                && one.id == other.id
            {
                return Err(self.folder.refuse(
                    &format!("{}.json", self.name("SMS_R_System")),
                    format!("the device {} is there twice", one.id),
                    "keep one; a page may have been saved under two names",
                ));
            }
        }
        Ok(())
    }

    fn memberships(
        &self,
        site: &mut Site,
        collection_of: Option<&HashMap<SmolStr, Option<u32>>>,
    ) -> Result<(), Refused> {
        const CLASS: &str = "SMS_FullCollectionMembership";
        let number_of: HashMap<u32, u32> = (0..)
            .zip(&site.devices)
            .map(|(number, device)| (device.id, number))
            .collect();
        let (mut unknown, mut left_out) = (BTreeSet::new(), BTreeSet::new());
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        let is_there =
            self.folder
                .records(&self.name(CLASS), |row: SmsFullCollectionMembership| {
                    match collection_of.and_then(|of| of.get(&row.collection_id)) {
                        Some(Some(collection)) => match number_of.get(&row.resource_id) {
                            Some(device) => pairs.push((*device, *collection)),
                            None => drop(left_out.insert(row.resource_id)),
                        },
                        // A collection of users.
                        Some(None) => {}
                        None => drop(unknown.insert(row.collection_id)),
                    }
                    Ok(())
                })?;
        if is_there && collection_of.is_none() {
            return Err(self.needed("SMS_Collection", CLASS));
        }
        if is_there && site.devices.is_empty() && !left_out.is_empty() {
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
                if is_unknown {
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
            administrators.push((called, sid, permissions));
            Ok(())
        })?;
        let wanted: BTreeSet<&str> = administrators
            .iter()
            .flat_map(|(_, _, permissions)| permissions.iter().map(|of| of.role_id.as_str()))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let Some(collection_of) = collection_of else {
            return Err(self.needed("SMS_Collection", CLASS));
        };
        let roles = self.roles(site, &wanted)?;
        let scopes = self.scopes()?;
        for (name, sid, permissions) in &administrators {
            let people = match self.entra.with_sid(sid) {
                Some(Holder::Person(person)) => BTreeSet::from([person]),
                Some(Holder::Group(group)) => {
                    let nested = self.entra.nested(group);
                    for group in nested.iter().filter_map(|group| self.entra.group(*group)) {
                        if !group.has_members {
                            site.notes.add(&MEMBERS_MISSING, group.called());
                        }
                    }
                    self.entra.people_in(group)
                }
                None => {
                    let name = format!("{name} of {} ({sid})", self.site);
                    site.notes.add(&UNMATCHED_ADMINISTRATOR, name);
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
