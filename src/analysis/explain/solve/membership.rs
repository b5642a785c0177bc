//! Changes of memberships and of sets that make `in` true.

use std::collections::BTreeSet;

use cedar_policy::EntityUid;
use cedar_policy_core::ast;

use super::Candidate;
use crate::explain::change::{self, ChangeKind, RemedyChange};
use crate::explain::probe::Probe;
use crate::explain::role;
use crate::explain::value::Value;
use tarbac_host::bundle::Policy;

/// The number of entities that are tried for a set, the closest first.
const CLOSEST: usize = 3;

/// Makes `left in right` true by adding an ancestor of `left` to the set on the right.
///
/// An ancestor that was added to another set before is preferred: several permissions are granted on one collection,
/// not each on its own.
pub(super) fn holding<'a>(
    left: &ast::Expr,
    right: &ast::Expr,
    state: &Candidate<'a>,
) -> Vec<Candidate<'a>> {
    let Some((entity, target)) = state.probe.entity(left).zip(state.probe.target(right)) else {
        return Vec::new();
    };
    let Some(type_name) = target.attribute.kind.entity_type() else {
        return Vec::new();
    };
    let holders: Vec<(usize, Value)> = by_distance(&entity, &state.probe)
        .into_iter()
        .filter(|(_, holder)| holder.type_name().to_string() == type_name)
        .map(|(distance, holder)| (distance, Value::Entity(state.probe.names().named(&holder))))
        .collect();
    let chosen: Vec<(usize, Value)> = holders
        .iter()
        .filter(|(_, holder)| {
            state
                .changes
                .iter()
                .any(|change| change.kind == ChangeKind::Add && change.value == *holder)
        })
        .cloned()
        .collect();
    let tried = if chosen.is_empty() { holders } else { chosen };
    tried
        .into_iter()
        .take(CLOSEST)
        .filter_map(|(distance, holder)| {
            let change = RemedyChange::add(&state.probe, &target, holder)?;
            state.with(RemedyChange { distance, ..change })
        })
        .collect()
}

/// An entity and its ancestors with their distances, the closest first.
fn by_distance(entity: &EntityUid, probe: &Probe<'_>) -> Vec<(usize, EntityUid)> {
    let directory = probe.engine().directory();
    let from = directory.row(entity);
    let distance = |to: &EntityUid| {
        let path = from
            .zip(directory.row(to))
            .and_then(|(from, to)| directory.path(from, to));
        path.map_or(usize::MAX, |path| path.len())
    };
    let mut all: Vec<(usize, EntityUid)> = std::iter::once(entity.clone())
        .chain(probe.ancestors(entity))
        .map(|uid| (distance(&uid), uid))
        .collect();
    all.sort();
    all
}

/// Makes `principal in right` true: the principal joins a group on the right side, or one that comes with such a
/// group.
pub(super) fn joining<'a>(
    left: &ast::Expr,
    right: &ast::Expr,
    state: &Candidate<'a>,
) -> Vec<Candidate<'a>> {
    if state.probe.entity(left).as_ref() != Some(&state.probe.request().principal) {
        return Vec::new();
    }
    let mut joined: Vec<EntityUid> = Vec::new();
    for wanted in state.probe.entities(right) {
        let type_name = wanted.type_name().to_string();
        let along: Vec<EntityUid> = change::brought_along(&state.probe)
            .into_iter()
            .filter(|(_, other)| *other == type_name)
            .flat_map(|(joined, _)| known(&state.probe, &joined))
            .collect();
        joined.push(wanted);
        joined.extend(along);
    }
    let mut states = granted(&state.probe.entities(right), state);
    states.extend(joined.iter().flat_map(|group| brought_into(group, state)));
    states
}

/// Makes the principal a member of one of these by activating a membership or restoring a withheld parent.
fn granted<'a>(wanted: &[EntityUid], state: &Candidate<'a>) -> Vec<Candidate<'a>> {
    let probe = &state.probe;
    let directory = probe.engine().directory();
    let leads = |uid: &EntityUid| {
        let row = directory.row(uid);
        let mut wanted = wanted.iter().map(|wanted| (wanted, directory.row(wanted)));
        wanted.any(|(wanted, to)| {
            uid == wanted
                || row
                    .zip(to)
                    .is_some_and(|(from, to)| directory.ancestors(from).any(|above| above == to))
        })
    };
    let activations = probe
        .engine()
        .activations(&probe.request().principal, probe.slice());
    let activations = activations
        .iter()
        .filter(|activation| leads(&activation.entity))
        .filter_map(|activation| RemedyChange::activate(probe, activation));
    let withheld = role::withheld(probe);
    let restored = withheld
        .iter()
        .filter(|withheld| leads(&withheld.parent))
        .filter_map(|withheld| RemedyChange::restore(probe, withheld));
    let changes: Vec<RemedyChange> = activations.chain(restored).collect();
    let states = changes.into_iter();
    states.filter_map(|change| state.with(change)).collect()
}

fn brought_into<'a>(group: &EntityUid, state: &Candidate<'a>) -> Vec<Candidate<'a>> {
    let Some(change) = RemedyChange::join(&state.probe, group) else {
        return Vec::new();
    };
    if let Some(state) = state.with(change.clone()) {
        return vec![state];
    }
    change::needed_first(&state.probe, group)
        .iter()
        .flat_map(|type_name| known(&state.probe, type_name))
        .filter_map(|first| {
            state
                .with(RemedyChange::join(&state.probe, &first)?)?
                .with(change.clone())
        })
        .collect()
}

/// The entities of a type that permits of the requested action name in their scope, or those of all permits if there
/// are none.
fn known(probe: &Probe<'_>, type_name: &str) -> Vec<EntityUid> {
    let anchors = |policies: &mut dyn Iterator<Item = &Policy>| -> BTreeSet<EntityUid> {
        policies
            .filter_map(Policy::principal_anchor)
            .filter(|anchor| anchor.type_name().to_string() == type_name)
            .collect()
    };
    let mut found = anchors(&mut role::permits_of(probe));
    if found.is_empty() {
        found = anchors(&mut role::permits(probe));
    }
    found.into_iter().collect()
}
