//! Who may do what in a random tenant, worked out without entities and policies.

use std::collections::BTreeSet;

use super::tenant::{Assignment, PERMISSIONS, Role, Site, Tenant};

impl Tenant {
    /// The groups in a group, with itself.
    fn nested(&self, of: usize) -> BTreeSet<usize> {
        let mut nested = BTreeSet::from([of]);
        loop {
            let more: BTreeSet<usize> = nested
                .iter()
                .flat_map(|of| self.groups[*of].groups.iter().copied())
                .collect();
            if more.is_subset(&nested) {
                return nested;
            }
            nested.extend(more);
        }
    }

    fn is_in(&self, person: usize, group: usize) -> bool {
        self.nested(group)
            .iter()
            .any(|group| self.groups[*group].people.contains(&person))
    }

    /// Whether a person has the role of an assignment.
    fn has(&self, person: usize, assignment: &Assignment) -> bool {
        let is_licensed = self.people[person].license == Some(true);
        let direct = is_licensed || self.allows_unlicensed;
        assignment.people.contains(&person) && direct
            || assignment.groups.iter().any(|group| {
                self.groups[*group].people.contains(&person) && direct
                    || self.is_in(person, *group) && is_licensed
            })
    }

    /// The roles of a person, each with whether it counts on tenant-attached devices; `None` is every permission.
    fn roles_of(&self, person: usize) -> Vec<(Option<&Role>, bool)> {
        let mut roles = Vec::new();
        for assignment in &self.assignments {
            if let (1, Some(role)) = (assignment.claims.len(), assignment.claims.first())
                && self.has(person, assignment)
            {
                let is_elsewhere = assignment.scope_tags == ["3"];
                let counts = self.scoped_permissions != Some(true) || !is_elsewhere;
                roles.push((Some(&self.roles[*role]), counts));
            }
        }
        for (name, people, groups) in &self.directory_roles {
            let is_member = people.contains(&person)
                || groups
                    .iter()
                    .any(|group| self.groups[*group].people.contains(&person));
            if is_member && *name != "Helpdesk Administrator" {
                roles.push((None, true));
            }
        }
        roles
    }

    /// Whether an account is enabled: one without a state is, unless others have one.
    fn is_enabled(&self, person: usize) -> bool {
        let has_states = self.people.iter().any(|of| of.is_enabled.is_some());
        self.people[person].is_enabled.unwrap_or(!has_states)
    }

    /// Whether a person may, by MODEL.md.
    pub(super) fn may(&self, person: usize, permission: usize, of: &Site, device: usize) -> bool {
        if !self.is_enabled(person) {
            return false;
        }
        let roles = self.roles_of(person);
        let has_permission = roles.iter().any(|(role, counts)| {
            let has = role.is_none_or(|role| {
                role.allowed.contains(&permission) && !role.not_allowed.contains(&permission)
            });
            has && *counts
        });
        if self.use_intune_rbac && !of.enforce && of.version >= 2207 {
            return has_permission;
        }
        let permission = &PERMISSIONS[permission];
        let has_role = match permission.is_remote_task {
            true => has_permission,
            false => !roles.is_empty(),
        };
        let is_hybrid = self.people[person].sync == Some(Some(true));
        is_hybrid
            && has_role
            && of.version >= permission.least_version
            && self.is_discovered(person, of)
            && permission.on_collection.iter().all(|operations| {
                operations
                    .iter()
                    .any(|operation| self.is_permitted(person, *operation, of, Some(device)))
            })
            && permission
                .in_hierarchy
                .iter()
                .all(|operation| self.is_permitted(person, *operation, of, None))
    }

    fn is_discovered(&self, who: usize, of: &Site) -> bool {
        let (mut by_entra, mut by_active_directory) = (false, false);
        for row in &of.discovered {
            let sid = row.sid.filter(|sid| self.people[*sid].has_sid);
            // A SID that nobody has is not that of somebody who has another one.
            let is_conflict = row.aad.is_some_and(|aad| {
                row.sid.is_some_and(|sid| sid != aad) && self.people[aad].has_sid
                    || sid.is_some_and(|sid| sid != aad)
            });
            if row.aad.or(sid) == Some(who) && !is_conflict {
                by_entra |= row.aad.is_some();
                by_active_directory |= row.agents == Some(true) && sid == Some(who);
            }
        }
        by_entra && by_active_directory
    }

    fn is_permitted(&self, who: usize, operation: usize, of: &Site, device: Option<usize>) -> bool {
        let holds = |collection: usize, device: usize| {
            of.memberships.iter().any(|(member, within)| {
                let mut limits = std::iter::successors(Some(*within), |within| {
                    let limit = of.collections[*within].1?;
                    of.collections
                        .get(limit)
                        .filter(|(is_of_devices, _)| *is_of_devices)
                        .map(|_| limit)
                });
                *member == device
                    && of.collections[*within].0
                    && limits.any(|limit| limit == collection)
            })
        };
        of.administrators
            .iter()
            .filter(|of| !of.is_deleted)
            .any(|administrator| {
                let is_who = match administrator.who {
                    Ok(person) => person == who && self.people[person].has_sid,
                    Err(Some(group)) => self.groups[group].has_sid && self.is_in(who, group),
                    Err(None) => false,
                };
                is_who
                    && administrator.permissions.iter().any(|(role, collection)| {
                        of.roles[*role].contains(&operation)
                            && of.named.contains(&operation)
                            && match (collection, device) {
                                (Some(collection), Some(device)) => {
                                    of.collections[*collection].0 && holds(*collection, device)
                                }
                                (None, None) => true,
                                _ => false,
                            }
                    })
            })
    }
}
