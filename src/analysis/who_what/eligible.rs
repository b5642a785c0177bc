//! Refused people who would be allowed after activating eligible memberships.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Context, EntityUid};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::Way;
use crate::explain::{Labels, Path};
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Decision, Request};
use tarbac_host::engine::Engine;

/// The ways of each person who is refused now and allowed after an activation.
pub(super) fn ways_by_person(
    engine: &Engine,
    action: &Action,
    resource: &EntityUid,
    context: &Context,
) -> BTreeMap<EntityUid, Vec<Way>> {
    let directory = engine.directory();
    let vocabulary = engine.bundle().vocabulary();
    let mut people = Vec::new();
    for type_name in &action.principals {
        let name = type_name.to_string();
        let attributes: Vec<&str> = vocabulary.activations(&name).map(|of| of.0).collect();
        let rows = directory.rows_of(type_name);
        people.extend(rows.filter(|row| {
            let mut attributes = attributes.iter();
            attributes.any(|attribute| directory.has_attribute(*row, attribute))
        }));
    }
    let found = people.par_iter().filter_map(|row| {
        let request = Request {
            principal: directory.uid(*row),
            action: action.uid.clone(),
            resource: resource.clone(),
            context: context.clone(),
        };
        let ways = ways_if_refused(engine, &request)?;
        Some((request.principal, ways))
    });
    found.collect()
}

/// The ways by which a refused request is allowed; `None` without any.
fn ways_if_refused(engine: &Engine, request: &Request) -> Option<Vec<Way>> {
    let slice = engine.slice(request).ok()?;
    if engine.decide_in(request, &slice).decision != Decision::Deny {
        return None;
    }
    let names = Labels::new(engine);
    let lifting = engine.lifting(request, &slice);
    let ways = lifting.iter().filter_map(|together| {
        let entities: Vec<&EntityUid> = together.iter().map(|of| &of.entity).collect();
        let activated = engine.activated(request, &slice, &entities)?;
        let outcome = engine.decide_in(request, &activated);
        let permits = outcome.policies.iter();
        let anchors = permits.filter_map(|id| engine.bundle().policy(id)?.principal_anchor());
        let anchors: BTreeSet<EntityUid> = anchors.collect();
        let person = names.named(&request.principal);
        let paths = entities.iter().flat_map(|entity| {
            let further = anchors.iter();
            let mut further: Vec<Path> = further
                .filter_map(|anchor| Path::between(engine, entity, anchor))
                .collect();
            if further.is_empty() {
                further.push(Path {
                    steps: vec![names.named(entity)],
                });
            }
            let from_person = further.into_iter().map(|path| Path {
                steps: std::iter::once(person.clone()).chain(path.steps).collect(),
            });
            from_person.collect::<Vec<Path>>()
        });
        Some(Way {
            activate: entities.iter().map(|uid| names.named(uid)).collect(),
            paths: paths.collect(),
            policies: outcome.policies,
        })
    });
    let ways: Vec<Way> = ways.collect();
    (!ways.is_empty()).then_some(ways)
}
