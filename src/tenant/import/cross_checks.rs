//! Notes across exports: ineffective scopes, missing SIDs, disabled holders, unlisted members, one-way discoveries.

use std::collections::BTreeSet;

use super::configmgr::Site;
use super::entra::{Entra, Group, Holder};
use super::intune::{Assignment, Intune, called};
use super::report::{
    DISABLED, DISCOVERED_ONE_WAY, ELIGIBLE, MEMBERS_NOT_LISTED, NARROWED, NOT_SELECTED, Notes,
    SCOPE_GROUP_WITHOUT_EFFECT, SCOPE_TAG_WITHOUT_EFFECT, UNKNOWN_SCOPE,
};
use crate::exports::declared::Tenant;

/// Whether Scoped permissions make an assignment ineffective on tenant-attached devices.
pub(super) fn narrows(tenant: &Tenant, assignment: &Assignment) -> bool {
    tenant.scoped_permissions == Some(true) && assignment.is_elsewhere()
}

/// Adds notes on scope tags and scope groups, which have no effect on tenant-attached devices.
pub(super) fn note_assignments(intune: &Intune, entra: &Entra, tenant: &Tenant, notes: &mut Notes) {
    for assignment in &intune.assignments {
        let is_narrowed = narrows(tenant, assignment);
        if is_narrowed {
            notes.add(&NARROWED, assignment.called());
        }
        let tags = assignment.scope_tags.iter();
        for id in tags.filter(|id| *id != "0" && !is_narrowed) {
            let name = intune.scope_tags.get(id).and_then(Option::as_deref);
            let tag = called(name, id);
            notes.add(
                &SCOPE_TAG_WITHOUT_EFFECT,
                format!("{tag} of {}", assignment.called()),
            );
        }
        for id in &assignment.scope_groups {
            let group = match entra.holder(id) {
                Some(Holder::Group(group)) => entra.group(group).map(Group::called),
                _ => None,
            };
            let group = group.unwrap_or_else(|| {
                let name = format!("scope group {id} of {}", assignment.called());
                notes.add(&UNKNOWN_SCOPE, name);
                id.clone()
            });
            notes.add(
                &SCOPE_GROUP_WITHOUT_EFFECT,
                format!("{group} of {}", assignment.called()),
            );
        }
    }
}

/// Adds a note if security identifiers were not exported, and discovered or administrative users cannot be matched
/// without them.
pub(super) fn note_sids(sites: &[(String, Site)], entra: &Entra, notes: &mut Notes) {
    let sum = |count: fn(&Site) -> usize| sites.iter().map(|(_, site)| count(site)).sum::<usize>();
    let (unmatched, without_sid) = (sum(|site| site.unmatched), sum(|site| site.without_sid));
    let mut not_selected = |file: &str, effect: String| {
        let name = format!("onPremisesSecurityIdentifier of {file}: {effect}");
        notes.add(&NOT_SELECTED, name);
    };
    if !entra.people.is_empty() && !entra.people_have_sids && unmatched + without_sid > 0 {
        let effect = format!(
            "the permissions of {unmatched} administrative users of Configuration Manager are nobody's, and {without_sid} \
             users that Active Directory user discovery has found count as not found"
        );
        not_selected("graph/users.json", effect);
    }
    if !entra.groups.is_empty() && !entra.groups_have_sids && unmatched > 0 {
        let effect = format!(
            "whichever of {unmatched} administrative users of Configuration Manager are groups, their permissions are nobody's"
        );
        not_selected("graph/groups.json", effect);
    }
}

/// Adds notes on disabled holders of roles or permissions, on memberships that people may activate, and on groups with
/// hidden members. Returns the groups that give a role or permission and may have more members than the exports list.
pub(super) fn note_holders(
    sites: &[(String, Site)],
    entra: &Entra,
    intune: &Intune,
    notes: &mut Notes,
) -> BTreeSet<u32> {
    let mut holders: BTreeSet<u32> = BTreeSet::new();
    let mut groups: BTreeSet<u32> = BTreeSet::new();
    for id in intune.assignments.iter().flat_map(|of| &of.members) {
        match entra.holder(id) {
            Some(Holder::Person(person)) => drop(holders.insert(person)),
            Some(Holder::Group(group)) => groups.extend(entra.nested(group)),
            None => {}
        }
    }
    for (_, site) in sites {
        holders.extend(site.permitted.keys());
        groups.extend(&site.administrator_groups);
    }
    for group in groups.iter().filter_map(|group| entra.group(*group)) {
        holders.extend(&group.people);
    }
    groups.extend(&entra.groups_with_directory_roles);
    for group in groups.iter().filter_map(|group| entra.group(*group)) {
        // A missing members.json is noted elsewhere.
        if group.has_members && group.is_empty() {
            let hidden = if group.is_hidden {
                ", whose members are hidden"
            } else {
                ""
            };
            notes.add(&MEMBERS_NOT_LISTED, format!("{}{hidden}", group.called()));
        }
    }
    note_people(entra, &holders, notes);
    let may_have_more = |group: &u32| entra.group(*group).is_some_and(Group::may_have_more);
    groups.into_iter().filter(may_have_more).collect()
}

fn note_people(entra: &Entra, holders: &BTreeSet<u32>, notes: &mut Notes) {
    for (index, person) in (0..).zip(&entra.people) {
        let holds = holders.contains(&index) || !person.directory_roles.is_empty();
        if holds && person.is_enabled == Some(false) {
            notes.add(&DISABLED, person.user_principal_name.as_str());
        }
        let groups = person.eligible_groups.iter();
        let groups =
            groups.filter_map(|(group, until)| Some((entra.group(*group)?.called(), until)));
        let roles = person.eligible_directory_roles.iter();
        let roles = roles.map(|(role, until)| (role.clone(), until));
        for (name, until) in groups.chain(roles) {
            let until = until.map_or_else(String::new, |until| format!(", until {until}"));
            let name = format!("{}: {name}{until}", person.user_principal_name);
            notes.add(&ELIGIBLE, name);
        }
    }
}

/// Adds notes on people found by only one of the two user discoveries of a hierarchy.
pub(super) fn note_discoveries(sites: &[(String, Site)], entra: &Entra, notes: &mut Notes) {
    for (code, site) in sites {
        for (person, by) in &site.discovered {
            if by.is_unknown {
                continue;
            }
            let (by, person) = match (by.by_entra, by.by_active_directory, entra.person(*person)) {
                (true, false, Some(person)) => ("Microsoft Entra", person),
                (false, true, Some(person)) => ("Active Directory", person),
                _ => continue,
            };
            let name = &person.user_principal_name;
            notes.add(
                &DISCOVERED_ONE_WAY,
                format!("{name} in {code}, by {by} only"),
            );
        }
    }
}
