//! Ids learned from answers, which later calls need.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::answer::Row;

/// The exports from whose records later calls take ids.
const ROLES: &str = "graph/roleDefinitions.json";
const DIRECTORY_ROLES: &str = "graph/directoryRoles.json";
const GROUPS: &str = "graph/groups.json";
/// The exports that list members or eligible principals, any of which may be a group.
const NAMING: [&str; 5] = [
    "graph/roleAssignments.json",
    "graph/directoryRoles/<id>/members.json",
    "graph/roleEligibilityScheduleInstances.json",
    "graph/groups/<id>/members.json",
    "graph/groups/<id>/eligibilityScheduleInstances.json",
];
const ADMINISTRATORS: &str = "configmgr/<site>/SMS_Admin.json";

/// The ids known so far.
#[derive(Debug, Default)]
pub(crate) struct Facts(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    roles: BTreeSet<String>,
    directory_roles: BTreeSet<String>,
    /// The groups by lower-case id, each with its id as written and its security identifier.
    groups: BTreeMap<String, (String, Option<String>)>,
    /// The lower-case ids of members and eligible principals.
    named: BTreeSet<String>,
    /// The lower-case security identifiers of administrative users.
    administrators: BTreeSet<String>,
    /// The groups that were returned before.
    asked: BTreeSet<String>,
}

impl Facts {
    /// Whether the records of an export are kept for later calls.
    pub(crate) fn keeps(file: &str) -> impl Fn(&Row) -> bool + use<> {
        let is_kept = [ROLES, DIRECTORY_ROLES, GROUPS, ADMINISTRATORS].contains(&file)
            || NAMING.contains(&file);
        move |_: &Row| is_kept
    }

    /// Takes the ids from the records of an export.
    pub(crate) fn learn(&self, file: &str, rows: Vec<Row>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            match file {
                ROLES => known.roles.extend(row.id),
                DIRECTORY_ROLES => known.directory_roles.extend(row.id),
                ADMINISTRATORS => known.administrators.extend(row.admin_sid.map(lower)),
                GROUPS => {
                    if let Some(id) = row.id {
                        known.groups.insert(lower(id.clone()), (id, row.sid));
                    }
                }
                _ => {
                    let members = row.members.into_iter().flatten();
                    // The `id` of a schedule is not that of the member.
                    let member = row.principal.or(row.id);
                    let named = members.chain(member).map(lower);
                    known.named.extend(named);
                }
            }
        }
    }

    /// The role definitions of Intune.
    pub(crate) fn roles(&self) -> Vec<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.roles.iter().cloned().collect()
    }

    /// The roles of Microsoft Entra.
    pub(crate) fn directory_roles(&self) -> Vec<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.directory_roles.iter().cloned().collect()
    }

    /// The groups not returned before: all, or only members, eligible principals and administrative users.
    pub(crate) fn further_groups(&self, has_all: bool) -> Vec<String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Known {
            groups,
            named,
            administrators,
            asked,
            ..
        } = &mut *known;
        let mut found = Vec::new();
        for (key, (id, sid)) in groups {
            let sid = sid.clone().map(lower);
            let gives = named.contains(key) || sid.is_some_and(|sid| administrators.contains(&sid));
            if (has_all || gives) && asked.insert(key.clone()) {
                found.push(id.clone());
            }
        }
        // Ids that are no groups belong to people, and need not be looked up again.
        named.clear();
        found
    }
}

/// Ids are compared without regard to case.
fn lower(text: String) -> String {
    text.trim().to_ascii_lowercase()
}
