//! Contradictions between policies about who is in authority, found among the entities.

use std::collections::BTreeSet;

use cedar_policy::{Context, EntityUid};

use crate::bulk::class::Classes;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::bundle::Policy;
use tarbac_host::decision::Request;
use tarbac_host::engine::{Engine, answering, authority_findings, two_authorities};

/// Two policies that answer about one and the same, each pair once with what they answer about.
///
/// What is wrong whatever the directory is not told again, and the rules that ship are not looked at: they never
/// contradict each other.
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
            let outcome = question.map(|question| engine.decide(&question));
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
