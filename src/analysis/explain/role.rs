//! Roles that would permit a request, and the roles the person holds instead.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityTypeName, EntityUid};
use schemars::JsonSchema;
use serde::Serialize;

use super::grant::Path;
use super::probe::Probe;
use super::value::Named;
use tarbac_host::bundle::{Effect, Policy};

/// The groups that would permit, and the groups of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantingGroups {
    /// The groups of which one is enough for a permission, sorted by type and name.
    pub giving: Vec<GrantingGroup>,
    /// The groups of the person, of the types that permits name in their scope; sorted likewise.
    pub held: Vec<HeldGroup>,
    /// The groups of the person with an attribute in place of a parent of these types; sorted by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Elsewhere>,
}

/// A group of the person with an attribute in place of a parent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Elsewhere {
    /// The withheld parent, for example a role.
    pub entity: Named,
    /// How the person comes to be in what would be in it.
    pub path: Option<Path>,
    /// The words of the schema for it.
    pub told: String,
}

/// An ancestor of the principal, with the parent that one of its attributes replaces.
pub(super) struct Withheld {
    /// An ancestor of the principal, for example a role assignment.
    pub from: EntityUid,
    /// The attribute.
    pub attribute: String,
    /// The entity in the attribute.
    pub parent: EntityUid,
}

/// Something one has to be in to be permitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantingGroup {
    /// The entity, for example a role.
    pub entity: Named,
    /// The permits that name it, by id.
    pub policies: Vec<String>,
}

/// Something the person is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HeldGroup {
    /// The entity, for example a role.
    pub entity: Named,
    /// How the person comes to be in it.
    pub path: Option<Path>,
}

impl GrantingGroups {
    pub(super) fn new(probe: &Probe<'_>) -> Self {
        let names = probe.names();
        let mut giving: BTreeMap<EntityUid, Vec<String>> = BTreeMap::new();
        for policy in permits_of(probe) {
            if let Some(anchor) = policy.principal_anchor() {
                giving
                    .entry(anchor)
                    .or_default()
                    .push(policy.id().to_owned());
            }
        }
        let types: BTreeSet<EntityTypeName> = permits(probe)
            .filter_map(Policy::principal_anchor)
            .map(|anchor| anchor.type_name().clone())
            .collect();
        let mut held: Vec<HeldGroup> = probe
            .ancestors(&probe.request().principal)
            .iter()
            .filter(|uid| types.contains(uid.type_name()))
            .map(|uid| HeldGroup {
                entity: names.named(uid),
                path: Path::to(uid, probe),
            })
            .collect();
        let mut giving: Vec<GrantingGroup> = giving
            .into_iter()
            .map(|(uid, policies)| GrantingGroup {
                entity: names.named(&uid),
                policies,
            })
            .collect();
        giving.sort_by_cached_key(|giving| by_type(&giving.entity));
        held.sort_by_cached_key(|held| by_type(&held.entity));
        let withheld = withheld(probe).into_iter();
        let withheld = withheld.filter_map(|withheld| Elsewhere::new(probe, &withheld));
        let mut withheld: Vec<Elsewhere> = withheld
            .filter(|of| types.contains(of.entity.uid.type_name()))
            .collect();
        withheld.sort();
        Self {
            giving,
            held,
            withheld,
        }
    }
}

impl Elsewhere {
    fn new(probe: &Probe<'_>, withheld: &Withheld) -> Option<Self> {
        let names = probe.names();
        let of_type = withheld.from.type_name().to_string();
        let stand_ins = probe.vocabulary().stand_ins(&of_type).into_iter();
        let mut told = stand_ins.filter(|of| of.attribute == withheld.attribute);
        let entity = names.named(&withheld.parent);
        let told = told.find_map(|of| of.told)?;
        Some(Self {
            told: told
                .replace("{entity}", &names.named(&withheld.from).name)
                .replace("{value}", &entity.name),
            path: Path::to(&withheld.from, probe),
            entity,
        })
    }
}

/// The ancestors of the principal with an attribute in place of a parent, sorted.
pub(super) fn withheld(probe: &Probe<'_>) -> Vec<Withheld> {
    let directory = probe.engine().directory();
    let mut found = Vec::new();
    for from in probe.ancestors(&probe.request().principal) {
        let Some(row) = directory.row(&from) else {
            continue;
        };
        for stand_in in probe.vocabulary().stand_ins(directory.type_name(row)) {
            if let Some(parent) = directory.attribute_entity(row, stand_in.attribute) {
                found.push(Withheld {
                    from: from.clone(),
                    attribute: stand_in.attribute.to_owned(),
                    parent: directory.uid(parent),
                });
            }
        }
    }
    found
}

fn by_type(entity: &Named) -> (String, Named) {
    (entity.uid.type_name().to_string(), entity.clone())
}

/// The permits in force.
pub(super) fn permits<'a>(probe: &Probe<'a>) -> impl Iterator<Item = &'a Policy> {
    let engine = probe.engine();
    engine
        .bundle()
        .in_force(engine.readings())
        .filter(|policy| {
            policy.effect() == Effect::Permit
                && engine.bundle().permissions_of(policy).next().is_some()
        })
}

/// The permits in force whose scope has the action of the request.
pub(super) fn permits_of<'a>(probe: &Probe<'a>) -> impl Iterator<Item = &'a Policy> {
    let bundle = probe.engine().bundle();
    let action = probe.request().action.clone();
    permits(probe).filter(move |policy| {
        bundle
            .permissions_of(policy)
            .any(|of_policy| of_policy.uid == action)
    })
}
