//! Contradictions between policies about authority, found with the entities of a directory.

use std::collections::BTreeSet;

use cedar_policy::{Context, EntityUid};

use crate::bulk::class::Classes;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::bundle::Policy;
use tarbac_host::decision::Request;
use tarbac_host::engine::{Engine, answering, authority_findings, two_authorities};

/// A finding for each pair of policies that both answer the question of authority, with the first resource for which
/// both do.
///
/// There are none if the bundle has findings about authority without any entities, or if all of the policies ship:
/// shipped policies never contradict each other.
pub fn contradicting(engine: &Engine) -> Vec<Finding> {
    let bundle = engine.bundle();
    let Some((question, answers)) = answering(bundle, engine.readings()) else {
        return Vec::new();
    };
    let are_shipped = answers.iter().all(|policy| policy.is_shipped());
    if are_shipped || !authority_findings(bundle, engine.readings()).is_empty() {
        return Vec::new();
    }
    let representatives = |types: &[_]| -> Vec<EntityUid> {
        let rows = types.iter().flat_map(|of| engine.directory().rows_of(of));
        let entities: Vec<EntityUid> = rows.map(|row| engine.directory().uid(row)).collect();
        Classes::under(engine, answers.iter().copied(), &entities).representatives()
    };
    let resources = representatives(&question.resources);
    let mut told = BTreeSet::new();
    let mut findings = Vec::new();
    for principal in representatives(&question.principals) {
        for resource in &resources {
            let request = Request {
                principal: principal.clone(),
                action: question.uid.clone(),
                resource: resource.clone(),
                context: Context::empty(),
            };
            let question = engine.as_question(question.id(), &request, resource);
            let outcome = question.ok().flatten();
            let outcome = outcome.map(|question| engine.decide(&question));
            let answered = outcome.iter().flat_map(|outcome| &outcome.policies);
            let answered: Vec<&Policy> = answered.filter_map(|id| bundle.policy(id)).collect();
            if let [one, other, ..] = answered.as_slice()
                && told.insert((one.id(), other.id()))
            {
                let row = engine.directory().row(resource);
                let place = row.and_then(|row| engine.directory().place(row));
                let finding = two_authorities(one, other);
                findings.push(match place {
                    Some(place) => finding.label(place, "asked about this one"),
                    None => finding,
                });
            }
        }
    }
    findings
}
