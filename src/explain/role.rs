//! Who would be permitted, and what the person holds instead.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityTypeName, EntityUid};

use super::grant::Path;
use super::scene::Scene;
use super::value::Named;
use crate::bundle::{Effect, Policy};

/// Who would be permitted, and what the person holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// What one has to be in to be permitted, sorted by type and name.
    pub giving: Vec<Giving>,
    /// What the person is in, of the types that permits name in their scope; sorted
    /// likewise.
    pub held: Vec<Held>,
}

/// Something one has to be in to be permitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Giving {
    /// The entity, for example a role.
    pub entity: Named,
    /// The permits that name it, by id.
    pub policies: Vec<String>,
}

/// Something the person is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The entity, for example a role.
    pub entity: Named,
    /// How the person comes to be in it.
    pub path: Option<Path>,
}

impl Roles {
    pub(super) fn of(scene: &Scene<'_>) -> Self {
        let names = scene.names();
        let mut giving: BTreeMap<EntityUid, Vec<String>> = BTreeMap::new();
        for policy in permits_of(scene) {
            if let Some(anchor) = policy.principal_anchor() {
                giving
                    .entry(anchor)
                    .or_default()
                    .push(policy.id().to_owned());
            }
        }
        let types: BTreeSet<EntityTypeName> = permits(scene)
            .filter_map(Policy::principal_anchor)
            .map(|anchor| anchor.type_name().clone())
            .collect();
        let mut held: Vec<Held> = scene
            .ancestors(&scene.request().principal)
            .iter()
            .filter(|uid| types.contains(uid.type_name()))
            .map(|uid| Held {
                entity: names.named(uid),
                path: Path::to(uid, scene),
            })
            .collect();
        let mut giving: Vec<Giving> = giving
            .into_iter()
            .map(|(uid, policies)| Giving {
                entity: names.named(&uid),
                policies,
            })
            .collect();
        giving.sort_by_cached_key(|giving| by_type(&giving.entity));
        held.sort_by_cached_key(|held| by_type(&held.entity));
        Self { giving, held }
    }
}

fn by_type(entity: &Named) -> (String, Named) {
    (entity.uid.type_name().to_string(), entity.clone())
}

/// The permits in force.
pub(super) fn permits<'a>(scene: &Scene<'a>) -> impl Iterator<Item = &'a Policy> {
    let engine = scene.engine();
    engine
        .bundle()
        .in_force(engine.readings())
        .filter(|policy| {
            policy.effect() == Effect::Permit
                && engine.bundle().permissions_of(policy).next().is_some()
        })
}

/// The permits in force whose scope has the action of the request.
pub(super) fn permits_of<'a>(scene: &Scene<'a>) -> impl Iterator<Item = &'a Policy> {
    let bundle = scene.engine().bundle();
    let action = scene.request().action.clone();
    permits(scene).filter(move |policy| {
        bundle
            .permissions_of(policy)
            .any(|of_policy| of_policy.uid == action)
    })
}
