//! The roles of a tenant: policies for custom ones, and entities for all.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::intune::{Intune, Role, called};
use super::policy::RolePolicy;
use super::report::{
    BUILT_IN_ROLE_DIFFERS, BUILT_IN_ROLE_MISSING, CUSTOM_ROLE_WITHOUT_PERMISSIONS, Notes,
};
use crate::exports::declared::Tenant;
use crate::graph_role;
use tarbac_host::bundle::Action;
use tarbac_host::bundle::File;
use tarbac_host::bundle::policy_text::{line, slug};
use tarbac_host::engine::Engine;

/// The type of the entities of devices.
const DEVICE: &str = "ConfigMgr::Device";

/// The policies and the schema of a workspace, and its roles.
pub(super) struct Roles {
    pub(super) texts: Vec<File>,
    /// For each role of Intune, in their order.
    pub(super) entities: Vec<RoleEntity>,
}

/// What a role is in the workspace.
pub(super) struct RoleEntity {
    pub(super) id: String,
    /// What it is for, where no policy says exactly that.
    pub(super) description: Option<String>,
    /// The permissions that no policy gives, by their ids in Microsoft Graph.
    pub(super) others: BTreeSet<String>,
}

/// Makes policies of the roles: those that are built in are as the tenant has them.
pub(super) fn roles(
    intune: &Intune,
    tenant: &Tenant,
    shipped: &Engine,
    notes: &mut Notes,
) -> Roles {
    let mut texts: BTreeMap<String, String> = shipped
        .bundle()
        .shipped()
        .files()
        .iter()
        .map(|file| (file.path.clone(), file.text.clone()))
        .collect();
    let mut documented: BTreeMap<String, EntityUid> = graph_role::roles(shipped)
        .into_iter()
        .map(|uid| (uid.id().unescaped().to_ascii_lowercase(), uid))
        .collect();
    let mut slugs: BTreeSet<String> = texts
        .keys()
        .filter_map(|path| path.strip_prefix("policies/roles/")?.strip_suffix(".cedar"))
        .map(str::to_owned)
        .collect();
    let mut entities = Vec::new();
    for role in &intune.roles {
        let known = Known::of(role, shipped);
        let mut entity = RoleEntity {
            id: role.graph_id.clone(),
            description: known.description(role),
            others: known.others.iter().map(|id| (*id).to_owned()).collect(),
        };
        if !role.is_built_in {
            let slug = free_slug(&mut slugs, role);
            if !known.has_device_actions() {
                let name = called(Some(&role.name), &role.graph_id);
                notes.add(&CUSTOM_ROLE_WITHOUT_PERMISSIONS, name);
            }
            let text = known.policy(role, &role.graph_id, &format!("custom.{slug}"), tenant);
            texts.insert(format!("policies/custom/{slug}.cedar"), text);
            entities.push(entity);
            continue;
        }
        match documented.remove(&role.name.to_ascii_lowercase()) {
            Some(uid) => {
                known.rewrite(role, &uid, shipped, tenant, &mut texts, notes);
                entity.id = uid.id().unescaped().to_owned();
            }
            None => {
                if !known.actions.is_empty() {
                    let slug = free_slug(&mut slugs, role);
                    let text = known.policy(role, &role.name, &format!("roles.{slug}"), tenant);
                    texts.insert(format!("policies/roles/{slug}.cedar"), text);
                    for action in &known.actions {
                        let name = action.name();
                        let name = format!("{}: {name}, of the tenant only", role.name);
                        notes.add(&BUILT_IN_ROLE_DIFFERS, name);
                    }
                }
                entity.id = role.name.clone();
            }
        }
        entities.push(entity);
    }
    if !intune.roles.is_empty() {
        for uid in documented.into_values() {
            notes.add(&BUILT_IN_ROLE_MISSING, uid.id().unescaped());
        }
    }
    let texts = texts.into_iter().map(|(path, text)| File { path, text });
    Roles {
        texts: texts.collect(),
        entities,
    }
}

/// The name of the file of a role, which no other has.
fn free_slug(taken: &mut BTreeSet<String>, role: &Role) -> String {
    let name = slug(&role.name);
    let with_id = format!("{name}-{}", slug(&role.graph_id));
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let names = [name.clone(), with_id].into_iter().chain(numbered);
    let mut names = names.map(|name| name.trim_start_matches('-').to_owned());
    let free = names.find(|name| !name.is_empty() && !taken.contains(name));
    let free = free.unwrap_or_default();
    taken.insert(free.clone());
    free
}

/// What a policy says of a role: what it is for, or its name, fit to be shown.
fn doc(role: &Role) -> String {
    let text = match role.description.as_str() {
        "" => &role.name,
        description => description,
    };
    line(text)
}

/// What of a role decisions are about, and what not.
struct Known<'a> {
    actions: Vec<&'a Action>,
    others: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(role: &'a Role, shipped: &'a Engine) -> Self {
        let mut others: BTreeSet<&str> = role.permissions.iter().map(String::as_str).collect();
        let permissions = shipped.bundle().vocabulary().permissions();
        let is_known = |action: &&Action| {
            let id = action.annotations.get("graph");
            id.is_some_and(|id| others.remove(id.as_str()))
        };
        Self {
            actions: permissions.filter(is_known).collect(),
            others,
        }
    }

    /// Whether it has any permission on devices.
    fn has_device_actions(&self) -> bool {
        let is_on_devices = |action: &&Action| {
            let mut resources = action.resources.iter();
            resources.any(|type_name| type_name.to_string() == DEVICE)
        };
        self.actions.iter().any(is_on_devices)
    }

    /// What a role is for, where its policy does not say exactly that.
    fn description(&self, role: &Role) -> Option<String> {
        let is_said = !self.actions.is_empty() && doc(role) == role.description;
        (!is_said).then(|| role.description.clone())
    }

    fn policy(&self, role: &Role, entity: &str, id: &str, tenant: &Tenant) -> String {
        let kind = match role.is_built_in {
            true => "built-in",
            false => "custom",
        };
        RolePolicy {
            role,
            entity,
            id,
            doc: &doc(role),
            has_device_actions: self.has_device_actions(),
            provenance: &format!(
                "a {kind} role of {}, as graph/roleDefinitions.json has it",
                tenant.name
            ),
            actions: &self.actions,
            others: &self.others,
        }
        .text()
    }

    /// Gives a documented role what the tenant says, where that is not what the documents say.
    fn rewrite(
        &self,
        role: &Role,
        uid: &EntityUid,
        shipped: &Engine,
        tenant: &Tenant,
        texts: &mut BTreeMap<String, String>,
        notes: &mut Notes,
    ) {
        let documented = graph_role::permissions(shipped, uid).unwrap_or_default();
        let vocabulary = shipped.bundle().vocabulary();
        let mut differs = false;
        for action in vocabulary.permissions() {
            let Some(id) = action.annotations.get("graph") else {
                continue;
            };
            let of = match (role.permissions.contains(id), documented.contains(id)) {
                (true, false) => "the tenant",
                (false, true) => "the documents",
                _ => continue,
            };
            differs = true;
            let name = format!("{}: {}, of {of} only", uid.id().unescaped(), action.name());
            notes.add(&BUILT_IN_ROLE_DIFFERS, name);
        }
        if !differs {
            return;
        }
        let mut in_force = shipped.bundle().in_force(shipped.readings());
        let policy = in_force.find(|policy| policy.named_entities().any(|named| named == *uid));
        if let Some(policy) = policy {
            let file = policy
                .place()
                .source
                .name
                .trim_start_matches("shipped/")
                .to_owned();
            texts.insert(
                file,
                self.policy(role, uid.id().unescaped(), policy.id(), tenant),
            );
        }
    }
}
