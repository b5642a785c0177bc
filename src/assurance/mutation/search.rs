//! A search for a request that tells a mutant from its original.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use cedar_policy::{Context, EntityTypeName, EntityUid};
use cedar_policy_core::ast;
use rayon::prelude::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use serde_json::{Map, Value, json};

use super::{Mutant, Survivor};
use crate::suite::{BecauseText, CaseText, Suites};
use tarbac_analysis::bulk::class::Classes;
use tarbac_host::bundle::{Action, Policy, Switches};
use tarbac_host::decision::{Decision, Outcome, Request};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, Name};

/// The most requests that are tried for all mutants together.
const MOST: usize = 4_000_000;

/// A request that tells a mutant from the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// The case that states what the original decides, ready to be put under `cases:`.
    pub case: String,
}

/// The request that tells a mutant from its original, with the index of its row.
type SharedTelling = Mutex<Option<(usize, Telling)>>;

/// A place to search for requests: a directory under some readings.
struct Place<'a> {
    engine: &'a Engine,
    given: &'a [(String, Value)],
}

/// Requests of one action in one place: every principal on every resource.
struct Ground<'a> {
    place: &'a Place<'a>,
    action: &'a Action,
    principals: Vec<EntityUid>,
    resources: Vec<EntityUid>,
    contexts: Vec<Context>,
}

/// Sorts mutants into those that a request tells from the original, those that none does, and those with too many
/// requests to try.
pub(super) fn tell_apart(
    suites: &Suites,
    mutants: Vec<Mutant>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> (Vec<Survivor>, Vec<Mutant>, Vec<Mutant>) {
    if mutants.is_empty() {
        return (Vec::new(), Vec::new(), Vec::new());
    }
    let switched = switched(suites);
    let places: Vec<Place> = suites
        .settings
        .iter()
        .map(|setting| Place {
            engine: &setting.engine,
            given: &setting.given,
        })
        .chain(switched.iter().map(|engine| Place { engine, given: &[] }))
        .collect();
    let grounds: Vec<Ground> = places
        .iter()
        .flat_map(|place| grounds(suites, place, &mutants))
        .collect();
    let requests = |ground: &Ground| {
        let pairs = ground.principals.len() * ground.resources.len();
        pairs * ground.contexts.len()
    };
    let too_many = grounds.iter().map(requests).sum::<usize>() > MOST;
    if too_many {
        return (Vec::new(), Vec::new(), mutants);
    }
    let rows: Vec<(&Ground, &EntityUid)> = grounds
        .iter()
        .flat_map(|ground| {
            ground
                .principals
                .iter()
                .map(move |principal| (ground, principal))
        })
        .collect();
    let found: Vec<SharedTelling> = mutants.iter().map(|_| SharedTelling::default()).collect();
    let done = AtomicUsize::new(0);
    rows.par_iter().enumerate().for_each(|(number, row)| {
        let (ground, principal) = row;
        try_row(ground, principal, number, &mutants, &found);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, rows.len());
    });
    let mut survivors = Vec::new();
    let mut equivalent = Vec::new();
    for (mutant, found) in mutants.into_iter().zip(found) {
        match found.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, telling)) => survivors.push(Survivor { mutant, telling }),
            None => equivalent.push(mutant),
        }
    }
    (survivors, equivalent, Vec::new())
}

/// The unchanged directory with each reading on and off: there, a policy that no suite puts in force can be told from
/// its mutants.
fn switched(suites: &Suites) -> Vec<Engine> {
    let Some(base) = suites
        .settings
        .iter()
        .find(|setting| setting.given.is_empty())
    else {
        return Vec::new();
    };
    base.engine
        .bundle()
        .readings()
        .iter()
        .flat_map(|reading| {
            let name = || vec![reading.name.clone()];
            [
                Switches {
                    on: name(),
                    off: Vec::new(),
                },
                Switches {
                    on: Vec::new(),
                    off: name(),
                },
            ]
        })
        .filter_map(|switches| base.engine.under(&switches).ok())
        .collect()
}

/// The requests in one place that could tell one of the mutants from its original.
fn grounds<'a>(suites: &Suites, place: &'a Place<'a>, mutants: &[Mutant]) -> Vec<Ground<'a>> {
    let engine = place.engine;
    let in_force: Vec<&Mutant> = mutants
        .iter()
        .filter(|mutant| engine.is_in_force(&mutant.original))
        .collect();
    let vocabulary = engine.bundle().vocabulary();
    vocabulary
        .permissions()
        .chain(vocabulary.questions())
        .filter_map(|action| {
            let concerned: Vec<&&Mutant> = in_force
                .iter()
                .filter(|mutant| mutant.concerns(action))
                .collect();
            if concerned.is_empty() {
                return None;
            }
            // A mutant reads no more than its original, except for the actions that it adds.
            let changed: Vec<&Policy> = concerned
                .iter()
                .filter_map(|mutant| mutant.changed.as_ref())
                .collect();
            let of_types = |types: &[EntityTypeName]| {
                let directory = engine.directory();
                let all: Vec<EntityUid> = types
                    .iter()
                    .flat_map(|type_name| directory.rows_of(type_name))
                    .map(|row| directory.uid(row))
                    .collect();
                let policies = engine.asked_about(action).chain(changed.iter().copied());
                Classes::under(engine, policies, &all).representatives()
            };
            Some(Ground {
                place,
                action,
                principals: of_types(&action.principals),
                resources: of_types(&action.resources),
                contexts: match concerned.iter().any(|mutant| mutant.looks_at_context()) {
                    true => contexts(suites, engine, action, &concerned),
                    false => vec![Context::empty()],
                },
            })
        })
        .collect()
}

/// The empty context, the contexts of suites that fit the action, and contexts from the constants of the mutants: each
/// context attribute that they name, with each value that they compare with, and moments before and after all of
/// these.
fn contexts(
    suites: &Suites,
    engine: &Engine,
    action: &Action,
    concerned: &[&&Mutant],
) -> Vec<Context> {
    let mut attributes = BTreeSet::new();
    let mut values: BTreeSet<String> = ["true", "false", "\"0001-01-01\"", "\"9999-12-31\""]
        .map(str::to_owned)
        .into();
    for part in concerned.iter().flat_map(|mutant| mutant.expressions()) {
        match part.expr_kind() {
            ast::ExprKind::GetAttr { expr, attr } | ast::ExprKind::HasAttr { expr, attr } => {
                if let ast::ExprKind::Var(ast::Var::Context) = expr.expr_kind() {
                    attributes.insert(attr.to_string());
                }
            }
            ast::ExprKind::Lit(literal) => drop(
                values.insert(match literal {
                    ast::Literal::Bool(bool) => json!(bool).to_string(),
                    ast::Literal::Long(long) => json!(long).to_string(),
                    ast::Literal::String(text) => json!(text.as_str()).to_string(),
                    ast::Literal::EntityUID(uid) => json!({
                        "type": uid.entity_type().to_string(),
                        "id": AsRef::<str>::as_ref(uid.eid()),
                    })
                    .to_string(),
                }),
            ),
            _ => {}
        }
    }
    let suggested = attributes.iter().flat_map(|attribute| {
        values
            .iter()
            .map(move |value| format!("{{{}:{value}}}", json!(attribute)))
    });
    let of_suites = suites
        .checks()
        .map(|(_, check)| json_of(&check.request.context).to_string());
    let mut known: BTreeSet<String> = suggested.chain(of_suites).collect();
    let empty = "{}".to_owned();
    known.remove(&empty);
    std::iter::once(empty)
        .chain(known)
        .filter_map(|context| serde_json::from_str(&context).ok())
        .filter_map(|context| engine.context(&action.uid, context).ok())
        .collect()
}

/// Tries the requests of one principal.
fn try_row(
    ground: &Ground<'_>,
    principal: &EntityUid,
    number: usize,
    mutants: &[Mutant],
    found: &[SharedTelling],
) {
    let engine = ground.place.engine;
    let is_open = |found: &SharedTelling| {
        let found = found.lock().unwrap_or_else(PoisonError::into_inner);
        // The first request in the order of the rows is reported.
        found.as_ref().is_none_or(|(first, _)| number < *first)
    };
    for resource in &ground.resources {
        for context in &ground.contexts {
            let open: Vec<(&Mutant, &SharedTelling)> = mutants
                .iter()
                .zip(found)
                .filter(|(mutant, _)| mutant.concerns(ground.action))
                .filter(|(mutant, _)| engine.is_in_force(&mutant.original))
                .filter(|(_, found)| is_open(found))
                .collect();
            if open.is_empty() {
                return;
            }
            let request = Request {
                principal: principal.clone(),
                action: ground.action.uid.clone(),
                resource: resource.clone(),
                context: context.clone(),
            };
            let Ok(trial) = engine.trial(&request) else {
                continue;
            };
            let applied = OnceCell::new();
            let all = || applied.get_or_init(|| engine.applied(ground.action, &trial));
            for (mutant, found) in open {
                if mutant.is_told(ground.action, &trial, all) {
                    let case = case(ground.place, &request, &all().outcome(), mutant);
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    // Another thread may have found a request in an earlier row meanwhile.
                    if found.as_ref().is_none_or(|(known, _)| number < *known) {
                        *found = Some((number, Telling { case }));
                    }
                }
            }
        }
    }
}

/// The case that states what the original decides.
fn case(place: &Place<'_>, request: &Request, outcome: &Outcome, mutant: &Mutant) -> String {
    let engine = place.engine;
    let names = Lookup::new(engine);
    let action = engine.bundle().vocabulary().action(&request.action);
    let is_question = action.is_none_or(Action::is_question);
    let called = |uid: &EntityUid, found: Result<EntityUid, _>| match found {
        Ok(found) if found == *uid => names.name_of(uid),
        _ => uid.to_string(),
    };
    let named = |uid: &EntityUid| Name::from(names.name_of(uid).as_str());
    let principal = called(
        &request.principal,
        names.any_principal(&named(&request.principal)),
    );
    let resource = called(
        &request.resource,
        names.any_resource(&named(&request.resource)),
    );
    let may = match (is_question, outcome.decision) {
        (true, _) => "on the question",
        (false, Decision::Allow) => "may",
        (false, Decision::Deny) => "may not",
        (false, Decision::Indeterminate) => "cannot be known to be allowed",
    };
    let asked = action.map_or_else(
        || request.action.to_string(),
        |action| action.short_name().to_owned(),
    );
    let text = CaseText {
        name: format!("{principal} {may} {asked} on {resource}"),
        given: place.given.iter().cloned().collect(),
        principal,
        action: match is_question {
            true => request.action.to_string(),
            false => request.action.id().unescaped().to_owned(),
        },
        resource,
        context: match json_of(&request.context) {
            Value::Object(context) => context,
            _ => Map::new(),
        },
        expect: outcome.decision.word(),
        because: BecauseText::These(outcome.policies.clone()),
    };
    let readings = match engine.readings() {
        [] => "none".to_owned(),
        on => on.join(", "),
    };
    let yaml = serde_saphyr::to_string(&[text]).unwrap_or_default();
    format!(
        "# not so where in {} {}; the readings in force are: {readings}\n{yaml}",
        mutant.original.id(),
        mutant.what
    )
}

/// A context as JSON, as a suite has it.
fn json_of(context: &Context) -> Value {
    context.to_json_value().unwrap_or(Value::Null)
}
