//! Configuration Manager permissions of people, from administrative users matched by security identifier.

use std::collections::{BTreeMap, BTreeSet};

use super::collections::CollectionIndices;
use super::security_roles::SecurityRoles;
use super::{Permitted, Reader, Site};
use crate::exports::configmgr::{SmsAPermission, SmsAdmin, SmsSecuredCategory};
use crate::exports::{Files, RecordError, RefusedExport};
use crate::import::entra::Holder;
use crate::import::intune::called;
use crate::import::report::{
    IMPOSSIBLE_ADMINISTRATOR, MEMBERS_MISSING, NOT_SELECTED, REMOVAL_UNKNOWN, SECURITY_SCOPES,
    UNKNOWN_CATEGORY, UNKNOWN_COLLECTION, UNKNOWN_SECURITY_ROLE, UNMATCHED_ADMINISTRATOR,
};

const CLASS: &str = "SMS_Admin";
/// The types of categories in the permissions of an administrative user.
const COLLECTION: u32 = 1;
const SECURITY_SCOPE: u32 = 29;
/// The account type of a group of Active Directory.
const GROUP: u32 = 1;
/// The account type of a machine.
const MACHINE: u32 = 2;
/// The security scope All.
const ALL_SCOPES: &str = "SMS00ALL";

/// An administrative user of a site.
struct Administrator {
    logon_name: String,
    sid: String,
    is_machine: bool,
    /// Whether it may be a group, which the site need not say.
    may_be_group: bool,
    permissions: Vec<SmsAPermission>,
}

impl<F: Files> Reader<'_, '_, F> {
    pub(super) fn administrators(
        &self,
        site: &mut Site,
        collections: Option<&CollectionIndices>,
    ) -> Result<(), RefusedExport> {
        let administrators = self.administrative_users(site)?;
        let wanted: BTreeSet<&str> = administrators
            .iter()
            .flat_map(|of| &of.permissions)
            .map(|permission| permission.role_id.as_str())
            .collect();
        if wanted.is_empty() {
            // There are no administrative users, so security roles do not matter.
            for class in ["SMS_Role", "SMS_AvailableOperation", "SMS_SecuredCategory"] {
                self.folder.count_as_read(&self.name(class), true)?;
            }
            return Ok(());
        }
        let Some(collections) = collections else {
            return Err(self.needed("SMS_Collection", CLASS));
        };
        let roles = self.security_roles(site, &wanted)?;
        let scope_names = self.security_scopes()?;
        for administrator in &administrators {
            let Some(people) = self.people(administrator, site) else {
                continue;
            };
            let operations = self.permitted(site, &administrator.permissions, &roles, collections);
            for person in people {
                let known = site.permitted.entry(person);
                let known = known.or_insert_with(|| vec![Permitted::default(); operations.len()]);
                for (known, permitted) in known.iter_mut().zip(&operations) {
                    known.collections.extend(&permitted.collections);
                    known.scopes.extend(permitted.scopes.iter().cloned());
                }
            }
        }
        self.note_scopes(site, &scope_names);
        Ok(())
    }

    fn administrative_users(&self, site: &mut Site) -> Result<Vec<Administrator>, RefusedExport> {
        let mut administrators = Vec::new();
        let mut maybe_removed: BTreeSet<String> = BTreeSet::new();
        let mut says_removed = false;
        let mut ids = BTreeSet::new();
        self.folder.records(&self.name(CLASS), |row: SmsAdmin| {
            let id = row.admin_id;
            if !ids.insert(id) {
                return Err(RecordError::duplicate(
                    "administrative user",
                    &id.to_string(),
                ));
            }
            says_removed |= row.is_deleted.is_some();
            if row.is_deleted == Some(true) {
                return Ok(());
            }
            let logon_name = row.logon_name.unwrap_or_else(|| id.to_string());
            if row.is_deleted.is_none() {
                maybe_removed.insert(logon_name.clone());
            }
            let lacks = |property| RecordError::LazyAdministrator {
                name: logon_name.clone(),
                property,
                id: id.to_string(),
            };
            let sid = row.admin_sid.ok_or_else(|| lacks("AdminSid"))?;
            let permissions = row.permissions.ok_or_else(|| lacks("Permissions"))?;
            let is_machine = row.account_type == Some(MACHINE) || logon_name.ends_with('$');
            administrators.push(Administrator {
                logon_name,
                sid,
                is_machine,
                may_be_group: row.account_type.is_none_or(|kind| kind == GROUP),
                permissions,
            });
            Ok(())
        })?;
        if ids.is_empty() {
            // The caller is an administrative user, so an empty export is incomplete.
            self.folder.count_as_read(&self.name(CLASS), false)?;
        }
        if says_removed {
            self.folder.note_property(&self.name(CLASS), "IsDeleted");
            // If other rows state whether they are removed, a row that does not may be removed.
            administrators.retain(|of: &Administrator| !maybe_removed.contains(&of.logon_name));
            for name in maybe_removed {
                let name = format!("{name} of {}", self.site);
                site.notes.add(&REMOVAL_UNKNOWN, name);
            }
        } else if !maybe_removed.is_empty() {
            let name = format!(
                "IsDeleted of {}.json: administrative users who were removed cannot be told apart, so all {} are taken as in place",
                self.name(CLASS),
                maybe_removed.len()
            );
            site.notes.add(&NOT_SELECTED, name);
        }
        Ok(administrators)
    }

    /// The people who are an administrative user, directly or through a group; `None`, with a note, if the security
    /// identifier belongs to no account or group.
    fn people(&self, administrator: &Administrator, site: &mut Site) -> Option<BTreeSet<u32>> {
        let sid = administrator.sid.as_str();
        match self.entra.with_sid(sid) {
            Some(Holder::Person(person)) => return Some(BTreeSet::from([person])),
            Some(Holder::Group(group)) => {
                let nested = self.entra.nested(group);
                for group in nested.iter().filter_map(|group| self.entra.group(*group)) {
                    if !group.has_members {
                        site.notes.add(&MEMBERS_MISSING, group.called());
                    }
                }
                site.administrator_groups.extend(nested);
                return Some(self.entra.people_in(group));
            }
            None => {}
        }
        let name = format!("{} of {} ({sid})", administrator.logon_name, self.site);
        let impossible = impossible(sid, administrator.is_machine);
        // If no account or no group has a security identifier, one note covers all of them.
        let groups_have_sids = self.entra.groups.is_empty() || self.entra.groups_have_sids;
        let is_covered =
            !self.entra.people_have_sids || administrator.may_be_group && !groups_have_sids;
        match (impossible, is_covered) {
            (Some(reason), _) => {
                let name = format!("{name}: {reason}");
                site.notes.add(&IMPOSSIBLE_ADMINISTRATOR, name);
                return None;
            }
            (None, true) => {}
            (None, false) => site.notes.add(&UNMATCHED_ADMINISTRATOR, name),
        }
        site.unmatched += 1;
        None
    }

    /// The permitted collections and scopes of an administrative user, for each operation. A role applies to the
    /// collections and security scopes that it is associated with, and to no others.
    fn permitted(
        &self,
        site: &mut Site,
        permissions: &[SmsAPermission],
        roles: &SecurityRoles,
        collections: &CollectionIndices,
    ) -> Vec<Permitted> {
        let mut permitted = vec![Permitted::default(); self.operations.len()];
        for permission in permissions {
            let category = permission.category_id.as_str();
            let Some(role) = roles.get(&permission.role_id) else {
                let name = format!("{} of {}", permission.role_id, self.site);
                site.notes.add(&UNKNOWN_SECURITY_ROLE, name);
                continue;
            };
            let collection = match (permission.category_type_id, collections.get(category)) {
                (SECURITY_SCOPE, _) => None,
                (COLLECTION, Some(Some(collection))) => Some(*collection),
                // Collections of users do not matter.
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
            for index in role {
                let entry = permitted.get_mut(*index).zip(self.operations.get(*index));
                let Some((permitted, operation)) = entry else {
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
        permitted
    }

    /// The names of the security scopes, by their ids.
    fn security_scopes(&self) -> Result<BTreeMap<String, String>, RefusedExport> {
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

    /// Adds notes on people who have permissions in some security scopes only.
    fn note_scopes(&self, site: &mut Site, names: &BTreeMap<String, String>) {
        for (index, permitted) in &site.permitted {
            let scopes = permitted.iter().map(|of| &of.scopes);
            let scopes = scopes.filter(|of| !of.contains(ALL_SCOPES)).flatten();
            let names: BTreeSet<String> = scopes
                .map(|id| called(names.get(id).map(String::as_str), id))
                .collect();
            if let (Some(person), false) = (self.entra.person(*index), names.is_empty()) {
                let names: Vec<String> = names.into_iter().collect();
                let person = &person.user_principal_name;
                let name = format!("{person} in {}: {}", self.site, names.join(", "));
                site.notes.add(&SECURITY_SCOPES, name);
            }
        }
    }
}

/// The kind of an identity whose security identifier matches no exported account or group in any tenant; `None` if the
/// identifier may be from Active Directory.
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

/// Whether a security identifier is the same on every computer, for example Everyone (S-1-1-0), SYSTEM (S-1-5-18) and
/// Authenticated Users (S-1-5-11).
fn is_well_known(sid: &str) -> bool {
    let parts: Vec<&str> = sid.split('-').collect();
    matches!(parts.as_slice(), ["S", "1", authority, _] if ["0", "1", "2", "3", "5"].contains(authority))
        || sid.starts_with("S-1-5-80-")
}
