//! Intune roles, role assignments and scope tags, joined from rows of Graph.

use std::collections::{BTreeMap, BTreeSet};

use super::key;
use super::report::{
    AMBIGUOUS_ASSIGNMENT, ASSIGNMENT_WITHOUT_MEMBERS, BUILT_IN_UNKNOWN, NOT_ALLOWED, NOT_SELECTED,
    Notes, ROLE_LISTS_DIFFER, UNCLAIMED_ASSIGNMENT, UNKNOWN_ROLE_DEFINITION, UNKNOWN_SCOPE,
};
use crate::exports::graph::{IdRow, RoleAssignmentRow, RoleDefinitionRow, ScopeTagRow, ScopeType};
use crate::exports::{Files, Folder, RecordError, RefusedExport};

const DEFINITIONS: &str = "graph/roleDefinitions";
const ASSIGNMENTS: &str = "graph/roleAssignments";
const SCOPE_TAGS: &str = "graph/roleScopeTags";

/// The scope tag of a role assignment without scope tags, which stands for all of them.
pub(super) const ALL_SCOPE_TAGS: &str = "*";

/// The scope tag Default.
const DEFAULT_SCOPE_TAG: &str = "0";

/// The built-in roles by id, which is the same in every tenant, with their documented names. The service may translate
/// the names, and spells one of them differently.
const BUILT_IN: [(&str, &str); 9] = [
    (
        "c1d9fcbb-cba5-40b0-bf6b-527006585f4b",
        "Application Manager",
    ),
    (
        "e9a9f614-7527-44e2-a61a-1879747ccfd7",
        "Endpoint Privilege Manager",
    ),
    (
        "9553af24-bd83-4ac3-a339-0e58f9e5478e",
        "Endpoint Privilege Reader",
    ),
    (
        "c56d53a2-73d0-4502-b6bd-4a9d3dba28d5",
        "Endpoint Security Manager",
    ),
    ("9e0cc482-82df-4ab2-a24c-0c23a3f52e1e", "Help Desk Operator"),
    (
        "fb2603eb-3c87-4be3-8b5b-d58a5b4a0bc0",
        "Intune Role Administrator",
    ),
    (
        "0bd113fe-6be5-400c-a28f-ae5553f9c0be",
        "Policy and Profile Manager",
    ),
    ("fa1d7878-e8cb-41a1-8254-0142355c9f84", "Read Only Operator"),
    (
        "2f9f4f7e-2d13-427b-adf2-361a1eef7ae8",
        "School Administrator",
    ),
];

/// The roles, role assignments and scope tags of Intune.
pub(super) struct Intune {
    /// Sorted by id.
    pub(super) roles: Vec<Role>,
    /// Sorted by id.
    pub(super) assignments: Vec<Assignment>,
    /// Whether there are further assignments, each of which may give any of the roles.
    pub(super) has_assignment_without_role: bool,
    /// The names of the scope tags, by their ids.
    pub(super) scope_tags: BTreeMap<String, Option<String>>,
}

/// A role.
pub(super) struct Role {
    /// The id in Microsoft Graph.
    pub(super) graph_id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) is_built_in: bool,
    /// The ids of its permissions in Microsoft Graph.
    pub(super) permissions: BTreeSet<String>,
}

impl Role {
    /// Whether the role has the permission with this id of Microsoft Graph. Graph writes ids in varying case.
    pub(super) fn has_permission(&self, id: &str) -> bool {
        let mut permissions = self.permissions.iter();
        permissions.any(|permission| permission.eq_ignore_ascii_case(id))
    }
}

/// A role assignment.
pub(super) struct Assignment {
    pub(super) id: String,
    pub(super) name: Option<String>,
    /// The id of the role in Microsoft Graph.
    pub(super) role: String,
    pub(super) members: BTreeSet<String>,
    pub(super) scope_groups: BTreeSet<String>,
    /// Empty for all scope tags.
    pub(super) scope_tags: BTreeSet<String>,
}

impl Assignment {
    /// The name with the id.
    pub(super) fn called(&self) -> String {
        called(self.name.as_deref(), &self.id)
    }

    /// Whether the assignment has scope tags, and Default is not one of them. If the tenant has opted in to Scoped
    /// permissions, it then gives nothing on tenant-attached devices, which have the scope tag Default only.
    pub(super) fn is_elsewhere(&self) -> bool {
        let mut tags = self.scope_tags.iter();
        !self.scope_tags.is_empty()
            && !tags.any(|tag| tag == DEFAULT_SCOPE_TAG || tag == ALL_SCOPE_TAGS)
    }
}

/// The name of an object with its id, or the id alone if it has no name.
pub(super) fn called(name: Option<&str>, id: &str) -> String {
    match name {
        Some(name) if name != id => format!("{name} ({id})"),
        _ => id.to_owned(),
    }
}

impl Intune {
    pub(super) fn read<F: Files>(
        folder: &Folder<'_, F>,
        notes: &mut Notes,
    ) -> Result<Self, RefusedExport> {
        let definitions = definitions(folder, notes)?;
        let mut claims: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut answered = BTreeSet::new();
        for id in folder.objects(DEFINITIONS)?.into_values() {
            let mut claimed = Vec::new();
            let is_there = folder.records(
                &format!("{DEFINITIONS}/{id}/roleAssignments"),
                |row: IdRow| {
                    claimed.push(key(&row.id));
                    Ok(())
                },
            )?;
            if is_there {
                answered.insert(key(&id));
            }
            if !claimed.is_empty() && !definitions.contains_key(&key(&id)) {
                notes.add(&UNKNOWN_ROLE_DEFINITION, id.as_str());
            }
            for assignment in claimed {
                claims.entry(assignment).or_default().insert(key(&id));
            }
        }
        // An answer with `$expand=roleAssignments` is used for a role whose assignments were not exported separately.
        for (id, definition) in &definitions {
            let embedded = definition.role_assignments.iter().flatten();
            for row in embedded {
                // If two answers contradict each other, both claims are kept, and the assignment is ambiguous.
                let claim = key(&row.id);
                if !answered.contains(id) || claims.contains_key(&claim) {
                    claims.entry(claim).or_default().insert(id.clone());
                }
            }
        }
        let (assignments, has_assignment_without_role) =
            assignments(folder, &definitions, claims, notes)?;
        let mut scope_tags = BTreeMap::from([(ALL_SCOPE_TAGS.to_owned(), None)]);
        let has_tags = folder.records(SCOPE_TAGS, |row: ScopeTagRow| {
            match scope_tags.insert(row.id.clone(), row.display_name) {
                None => Ok(()),
                Some(_) => Err(RecordError::duplicate("scope tag", &row.id)),
            }
        })?;
        for assignment in &assignments {
            for tag in &assignment.scope_tags {
                if has_tags && !scope_tags.contains_key(tag) {
                    notes.add(
                        &UNKNOWN_SCOPE,
                        format!("scope tag {tag} of {}", assignment.called()),
                    );
                }
                scope_tags.entry(tag.clone()).or_default();
            }
        }
        let roles = definitions.into_values().map(|row| role(&row, notes));
        Ok(Self {
            roles: roles.collect(),
            assignments,
            has_assignment_without_role,
            scope_tags,
        })
    }
}

fn definitions<F: Files>(
    folder: &Folder<'_, F>,
    notes: &mut Notes,
) -> Result<BTreeMap<String, RoleDefinitionRow>, RefusedExport> {
    let mut definitions = BTreeMap::new();
    let mut built_in = BTreeSet::new();
    folder.records(DEFINITIONS, |row: RoleDefinitionRow| {
        // Built-in roles are identified by name.
        let name = built_in_name(&row).map(str::to_ascii_lowercase);
        if name.is_some_and(|name| !built_in.insert(name)) {
            return Err(RecordError::duplicate("built-in role", &row.display_name));
        }
        if !is_id(&row.id) {
            return Err(RecordError::RoleDefinitionId(row.id));
        }
        match definitions.insert(key(&row.id), row) {
            None => Ok(()),
            Some(row) => Err(RecordError::duplicate("role definition", &row.id)),
        }
    })?;
    if !definitions.is_empty() && !definitions.values().any(RoleDefinitionRow::has_permissions) {
        let name = "rolePermissions of graph/roleDefinitions.json: what the roles permit is not known, so they give nothing";
        notes.add(&NOT_SELECTED, name);
    }
    Ok(definitions)
}

/// The documented name of a built-in role, or its own name if it is not documented. `None` for a custom role.
fn built_in_name(row: &RoleDefinitionRow) -> Option<&str> {
    let id = key(&row.id);
    let known = BUILT_IN.iter().find(|(known, _)| *known == id);
    match (row.is_built_in(), known) {
        (Some(false), _) | (None, None) => None,
        (_, Some((_, name))) => Some(name),
        (Some(true), None) => Some(row.display_name.trim()),
    }
}

/// Whether a text can be the id of a role definition. Names of roles usually cannot.
fn is_id(text: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '-';
    !text.is_empty() && text.chars().all(is_part)
}

fn role(row: &RoleDefinitionRow, notes: &mut Notes) -> Role {
    for id in row.not_allowed() {
        notes.add(&NOT_ALLOWED, format!("{id} of {}", row.display_name));
    }
    if row.is_contradictory() {
        let name = called(Some(&row.display_name), &row.id);
        notes.add(&ROLE_LISTS_DIFFER, name);
    }
    let built_in = built_in_name(row);
    if row.is_built_in().is_none() && built_in.is_none() {
        notes.add(&BUILT_IN_UNKNOWN, called(Some(&row.display_name), &row.id));
    }
    Role {
        graph_id: row.id.clone(),
        name: built_in.unwrap_or(&row.display_name).to_owned(),
        description: row.description.clone().unwrap_or_default(),
        is_built_in: built_in.is_some(),
        permissions: row.permissions().into_iter().map(str::to_owned).collect(),
    }
}

/// The assignments of known roles, and whether there are others.
fn assignments<F: Files>(
    folder: &Folder<'_, F>,
    definitions: &BTreeMap<String, RoleDefinitionRow>,
    mut claims: BTreeMap<String, BTreeSet<String>>,
    notes: &mut Notes,
) -> Result<(Vec<Assignment>, bool), RefusedExport> {
    let mut assignments = BTreeMap::new();
    let mut seen = BTreeSet::new();
    folder.records(ASSIGNMENTS, |row: RoleAssignmentRow| {
        if !seen.insert(key(&row.id)) {
            return Err(RecordError::duplicate("role assignment", &row.id));
        }
        let lacks = |property| RecordError::IncompleteAssignment {
            id: row.id.clone(),
            property,
        };
        let members = row.members.ok_or_else(|| lacks("members"))?;
        let scope_tags = row
            .role_scope_tag_ids
            .ok_or_else(|| lacks("roleScopeTagIds"))?;
        let scope_groups = match row.scope_type {
            Some(ScopeType::Everything) => BTreeSet::new(),
            Some(ScopeType::ResourceScope) | None => {
                let groups = row.resource_scopes.into_iter().chain(row.scope_members);
                groups.flatten().map(|id| key(&id)).collect()
            }
        };
        let mut assignment = Assignment {
            id: row.id,
            name: row.display_name,
            role: String::new(),
            members: members.into_iter().collect(),
            scope_groups,
            scope_tags: scope_tags.into_iter().collect(),
        };
        let mut claimed = claims.remove(&key(&assignment.id)).unwrap_or_default();
        claimed.extend(row.role_definition.as_deref().map(key));
        let mut roles = claimed.into_iter();
        match (roles.next(), roles.next()) {
            // An assignment of an unknown definition is covered by the note on that definition.
            (Some(role), None) if !definitions.contains_key(&role) => {
                if let Some(role) = row.role_definition {
                    notes.add(&UNKNOWN_ROLE_DEFINITION, role);
                }
            }
            (Some(role), None) => {
                assignment.role = role;
                assignments.insert(assignment.id.clone(), assignment);
            }
            (None, _) => notes.add(&UNCLAIMED_ASSIGNMENT, assignment.called()),
            (Some(_), Some(_)) => notes.add(&AMBIGUOUS_ASSIGNMENT, assignment.called()),
        }
        Ok(())
    })?;
    for id in claims.into_keys() {
        notes.add(&ASSIGNMENT_WITHOUT_MEMBERS, id);
    }
    let has_others = assignments.len() < seen.len();
    Ok((assignments.into_values().collect(), has_others))
}
