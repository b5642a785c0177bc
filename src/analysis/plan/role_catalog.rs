//! The roles of a state: their permissions, whether they can change, who holds them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use cedar_policy::{EntityTypeName, EntityUid};

use super::Permission;
use super::held::RoleVia;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::bundle::{self, Policy};
use tarbac_host::engine::Engine;
use tarbac_host::roles;
use tarbac_store::Row;

/// The roles of a state, with their policies.
pub(super) struct RoleCatalog<'e> {
    pub engine: &'e Engine,
    pub role_type: EntityTypeName,
    by_role: BTreeMap<EntityUid, Vec<&'e Policy>>,
    /// The role by the id of a policy that lists its permissions.
    listing: BTreeMap<String, EntityUid>,
    /// The entities that the shipped policies name.
    shipped: HashSet<EntityUid>,
}

impl<'e> RoleCatalog<'e> {
    /// # Errors
    /// The schema does not say which of its types is that of roles, or the rules that ship cannot be read.
    pub(super) fn new(engine: &'e Engine) -> Result<Self, Vec<Finding>> {
        let Some(role_type) = roles::role_type(engine.bundle().vocabulary()) else {
            let finding = Finding::error(
                code::what_if::PLAN,
                "the schema does not say which of its types is that of roles",
            )
            .help("annotate it with `@graph(\"deviceAndAppManagementRoleDefinition\")`");
            return Err(vec![finding]);
        };
        // A role of theirs must not pass for one that can be changed.
        let (shipped, findings) = bundle::read(&engine.bundle().shipped().alone());
        let shipped = shipped.map_err(|_| findings)?;
        let mut catalog = Self {
            engine,
            by_role: roles::by_role(engine, |uid| *uid.type_name() == role_type),
            role_type,
            listing: BTreeMap::new(),
            shipped: shipped.named_entities(),
        };
        let lists = catalog.by_role.keys().flat_map(|role| {
            let lists = catalog.lists(role).unwrap_or_default().iter();
            lists.map(|policy| (policy.id().to_owned(), role.clone()))
        });
        catalog.listing = lists.collect();
        Ok(catalog)
    }

    /// The policies that list the permissions of a role; `None` if a policy that names the role does anything else.
    pub(super) fn lists(&self, role: &EntityUid) -> Option<&[&'e Policy]> {
        let policies = self.by_role.get(role)?;
        let is_list = |policy: &&Policy| roles::is_list(self.engine, policy, role);
        policies.iter().all(is_list).then_some(policies.as_slice())
    }

    /// The role whose permissions a policy lists.
    pub(super) fn role_of(&self, policy: &str) -> Option<&EntityUid> {
        self.listing.get(policy)
    }

    /// The permissions that lists give a role, in the order of the schema.
    pub(super) fn permissions(&self, role: &EntityUid) -> Vec<EntityUid> {
        let lists = self.lists(role).unwrap_or_default();
        let bundle = self.engine.bundle();
        let given: BTreeSet<&EntityUid> = lists
            .iter()
            .flat_map(|policy| bundle.permissions_of(policy))
            .map(|action| &action.uid)
            .collect();
        self.in_order(|action| given.contains(action))
    }

    /// Some permissions, in the order of the schema.
    pub(super) fn in_order(&self, is_one: impl Fn(&EntityUid) -> bool) -> Vec<EntityUid> {
        let permissions = self.engine.bundle().vocabulary().permissions();
        let uids = permissions.map(|action| &action.uid);
        uids.filter(|uid| is_one(uid)).cloned().collect()
    }

    /// Some permissions by name.
    pub(super) fn named<'a>(
        &self,
        actions: impl IntoIterator<Item = &'a EntityUid>,
    ) -> Vec<Permission> {
        let vocabulary = self.engine.bundle().vocabulary();
        let name = |uid: &EntityUid| match vocabulary.action(uid) {
            Some(action) => action.short_name().to_owned(),
            None => uid.id().unescaped().to_owned(),
        };
        let named = actions.into_iter().map(|uid| Permission {
            action: uid.clone(),
            name: name(uid),
        });
        named.collect()
    }

    /// Whether a role can be changed: it is not built in, and its policies are of this workspace.
    pub(super) fn is_custom(&self, role: &EntityUid) -> bool {
        let is_own = |policy: &&Policy| policy.ast().is_static() && !policy.is_shipped();
        let lists = self.lists(role);
        lists.is_some_and(|lists| lists.iter().all(is_own))
            && !self.shipped.contains(role)
            && !roles::is_built_in(self.engine, role)
    }

    /// The roles that can be changed and that some of these people have.
    pub(super) fn custom_of(&self, people: &[EntityUid]) -> BTreeSet<EntityUid> {
        let directory = self.engine.directory();
        let rows = people.iter().filter_map(|uid| directory.row(uid));
        let above: BTreeSet<Row> = rows.flat_map(|row| directory.ancestors(row)).collect();
        let is_above = |role: &&EntityUid| {
            let row = directory.row(role);
            row.is_some_and(|row| above.contains(&row))
        };
        let held = self.by_role.keys().filter(is_above);
        held.filter(|role| self.is_custom(role)).cloned().collect()
    }

    /// The roles of a person, each with the entity that gives it.
    pub(super) fn roles_of(&self, person: Row) -> BTreeSet<RoleVia> {
        let directory = self.engine.directory();
        let mut roles = BTreeSet::new();
        let role_type = self.role_type.to_string();
        for row in std::iter::once(person).chain(directory.ancestors(person)) {
            for parent in directory.parents(row) {
                if directory.type_name(parent) == role_type {
                    roles.insert(RoleVia {
                        role: directory.uid(parent),
                        through: directory.uid(row),
                    });
                }
            }
        }
        roles
    }

    /// The rows of all people who could have a role, by the types of principals.
    pub(super) fn people(&self) -> impl Iterator<Item = Row> {
        let vocabulary = self.engine.bundle().vocabulary();
        let asking: BTreeSet<EntityTypeName> = vocabulary
            .permissions()
            .flat_map(|action| action.principals.iter().cloned())
            .collect();
        let directory = self.engine.directory();
        asking
            .into_iter()
            .flat_map(|type_name| directory.rows_of(&type_name).collect::<Vec<_>>())
    }

    /// The people who have one of these roles, sorted.
    pub(super) fn holders(&self, roles: &BTreeSet<EntityUid>) -> Vec<Row> {
        let directory = self.engine.directory();
        let mut is_role = directory.table(false);
        for row in roles.iter().filter_map(|role| directory.row(role)) {
            is_role[row] = true;
        }
        let has = |person: &Row| {
            let mut above = directory.ancestors(*person);
            above.any(|row| is_role[row])
        };
        self.people().filter(has).collect()
    }
}
