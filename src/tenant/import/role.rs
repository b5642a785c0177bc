//! Imported roles: policies for custom and for differing built-in ones, entities for all.

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
use tarbac_host::bundle::TextFile;
use tarbac_host::bundle::policy_text::{line, slug};
use tarbac_host::engine::Engine;

/// The type of the entities of devices.
const DEVICE: &str = "ConfigMgr::Device";

/// The policies and the schema of a workspace, and its roles.
pub(super) struct Roles {
    pub(super) texts: Vec<TextFile>,
    /// One entity for each Intune role, in the same order.
    pub(super) entities: Vec<RoleEntity>,
}

/// A role as an entity of the workspace.
pub(super) struct RoleEntity {
    pub(super) id: String,
    /// The description, unless a policy has exactly this text.
    pub(super) description: Option<String>,
    /// The ids in Microsoft Graph of the permissions that no policy gives.
    pub(super) others: BTreeSet<String>,
}

/// Writes policies for the roles. A built-in role gets the permissions that it has in the tenant.
pub(super) fn roles(
    intune: &Intune,
    tenant: &Tenant,
    shipped: &Engine,
    notes: &mut Notes,
) -> Roles {
    let mut writer = Writer::new(tenant, shipped, notes);
    let entities = intune.roles.iter().map(|role| writer.role(role));
    let entities = entities.collect();
    let Writer {
        texts, documented, ..
    } = writer;
    if !intune.roles.is_empty() {
        for uid in documented.into_values() {
            notes.add(&BUILT_IN_ROLE_MISSING, uid.id().unescaped());
        }
    }
    let texts = texts
        .into_iter()
        .map(|(path, text)| TextFile { path, text });
    Roles {
        texts: texts.collect(),
        entities,
    }
}

/// The writer of the policies of roles.
struct Writer<'a> {
    tenant: &'a Tenant,
    shipped: &'a Engine,
    notes: &'a mut Notes,
    /// The texts of the policies and of the schema, by path.
    texts: BTreeMap<String, String>,
    /// The roles of the shipped policies that were not yet found in the tenant, by name in lower case.
    documented: BTreeMap<String, EntityUid>,
    /// The file names in `policies/roles` and `policies/custom`, without endings.
    slugs: BTreeSet<String>,
}

impl<'a> Writer<'a> {
    fn new(tenant: &'a Tenant, shipped: &'a Engine, notes: &'a mut Notes) -> Self {
        let files = shipped.bundle().shipped().files().iter();
        let texts: BTreeMap<String, String> = files
            .map(|file| (file.path.clone(), file.text.clone()))
            .collect();
        let documented = graph_role::roles(shipped).into_iter();
        let slugs = texts
            .keys()
            .filter_map(|path| path.strip_prefix("policies/roles/")?.strip_suffix(".cedar"))
            .map(str::to_owned);
        Self {
            tenant,
            shipped,
            notes,
            documented: documented
                .map(|uid| (uid.id().unescaped().to_ascii_lowercase(), uid))
                .collect(),
            slugs: slugs.collect(),
            texts,
        }
    }

    fn role(&mut self, role: &Role) -> RoleEntity {
        let permissions = Permissions::new(role, self.shipped);
        let id = match role.is_built_in {
            true => self.built_in(role, &permissions),
            false => self.custom(role, &permissions),
        };
        RoleEntity {
            id,
            description: permissions.description(role),
            others: permissions
                .others
                .iter()
                .map(|id| (*id).to_owned())
                .collect(),
        }
    }

    /// Writes the policy of a custom role, and returns the id of the entity.
    fn custom(&mut self, role: &Role, permissions: &Permissions<'_>) -> String {
        let slug = self.free_slug(role);
        if !permissions.has_device_actions() {
            let name = called(Some(&role.name), &role.graph_id);
            self.notes.add(&CUSTOM_ROLE_WITHOUT_PERMISSIONS, name);
        }
        let id = format!("custom.{slug}");
        let text = permissions.policy(role, &role.graph_id, &id, self.tenant);
        let path = format!("policies/custom/{slug}.cedar");
        self.texts.insert(path, text);
        role.graph_id.clone()
    }

    /// Writes the policy of a built-in role unless it equals the shipped one, and returns the id of the entity.
    fn built_in(&mut self, role: &Role, permissions: &Permissions<'_>) -> String {
        if let Some(uid) = self.documented.remove(&role.name.to_ascii_lowercase()) {
            self.rewrite(role, permissions, &uid);
            return uid.id().unescaped().to_owned();
        }
        if !permissions.actions.is_empty() {
            let slug = self.free_slug(role);
            let id = format!("roles.{slug}");
            let text = permissions.policy(role, &role.name, &id, self.tenant);
            let path = format!("policies/roles/{slug}.cedar");
            self.texts.insert(path, text);
            for action in &permissions.actions {
                let name = format!("{}: {}, of the tenant only", role.name, action.name());
                self.notes.add(&BUILT_IN_ROLE_DIFFERS, name);
            }
        }
        role.name.clone()
    }

    /// Adds notes on the permissions in which the shipped policy of a role differs from the tenant. Returns whether
    /// there are any.
    fn differs(&mut self, role: &Role, uid: &EntityUid) -> bool {
        let Ok(documented) = graph_role::permissions(self.shipped, uid) else {
            // The shipped policy cannot be compared, and the tenant is authoritative for its own roles.
            let name = uid.id().unescaped();
            let note = format!("{name}: the shipped policy is no list of permissions");
            self.notes.add(&BUILT_IN_ROLE_DIFFERS, note);
            return true;
        };
        let mut differs = false;
        for action in self.shipped.bundle().vocabulary().permissions() {
            let Some(id) = action.annotations.get("graph") else {
                continue;
            };
            let holder = match (role.has_permission(id), documented.contains(id)) {
                (true, false) => "the tenant",
                (false, true) => "the documents",
                _ => continue,
            };
            differs = true;
            let name = action.name();
            let name = format!("{}: {name}, of {holder} only", uid.id().unescaped());
            self.notes.add(&BUILT_IN_ROLE_DIFFERS, name);
        }
        differs
    }

    /// Replaces the shipped policy of a role by one with the permissions of the tenant, if they differ.
    fn rewrite(&mut self, role: &Role, permissions: &Permissions<'_>, uid: &EntityUid) {
        if !self.differs(role, uid) {
            return;
        }
        let mut in_force = self.shipped.bundle().in_force(self.shipped.readings());
        let policy = in_force.find(|policy| policy.named_entities().any(|named| named == *uid));
        if let Some(policy) = policy {
            let path = policy.place().source.name.trim_start_matches("shipped/");
            let entity = uid.id().unescaped();
            let text = permissions.policy(role, entity, policy.id(), self.tenant);
            self.texts.insert(path.to_owned(), text);
        }
    }

    /// An unused file name for a role.
    fn free_slug(&mut self, role: &Role) -> String {
        let name = slug(&role.name);
        let with_id = format!("{name}-{}", slug(&role.graph_id));
        for candidate in [name.as_str(), &with_id] {
            let candidate = candidate.trim_start_matches('-');
            if !candidate.is_empty() && self.slugs.insert(candidate.to_owned()) {
                return candidate.to_owned();
            }
        }
        let mut number = 2_u64;
        loop {
            let numbered = format!("{name}-{number}");
            let candidate = numbered.trim_start_matches('-');
            if self.slugs.insert(candidate.to_owned()) {
                return candidate.to_owned();
            }
            number += 1;
        }
    }
}

/// The `@doc` of the policy of a role: the description, or else the name, as one line.
fn doc(role: &Role) -> String {
    let text = match role.description.as_str() {
        "" => &role.name,
        description => description,
    };
    line(text)
}

/// The permissions of a role.
struct Permissions<'a> {
    /// The actions of the schema, in its order.
    actions: Vec<&'a Action>,
    /// The ids of the other permissions in Microsoft Graph.
    others: BTreeSet<&'a str>,
}

impl<'a> Permissions<'a> {
    fn new(role: &'a Role, shipped: &'a Engine) -> Self {
        let mut others: BTreeSet<&str> = role.permissions.iter().map(String::as_str).collect();
        let permissions = shipped.bundle().vocabulary().permissions();
        let is_known = |action: &&Action| {
            let id = action.annotations.get("graph");
            let before = others.len();
            // Graph writes ids in varying case.
            others.retain(|other| id.is_none_or(|id| !id.eq_ignore_ascii_case(other)));
            others.len() < before
        };
        Self {
            actions: permissions.filter(is_known).collect(),
            others,
        }
    }

    /// Whether any of the permissions is for devices.
    fn has_device_actions(&self) -> bool {
        let is_on_devices = |action: &&Action| {
            let mut resources = action.resources.iter();
            resources.any(|type_name| type_name.to_string() == DEVICE)
        };
        self.actions.iter().any(is_on_devices)
    }

    /// The description of a role, unless its policy has exactly this text.
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
}
