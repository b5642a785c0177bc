//! Who may do what, over everybody and everything at once.
//!
//! People whom no policy can tell apart get the same answer, and so do devices (see
//! [`class`](crate::class)): one of each class is asked about, by Cedar, and the answer is that of all. The
//! result is that of asking about each.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Context, EntityTypeName, EntityUid};

use crate::bundle::{Action, Policy};
use crate::class::Classes;
use crate::decision::{Basis, Decision, Outcome, Refusal, Request};
use crate::engine::Engine;
use crate::explain::{Named, Names, Path};

/// Everybody, by whether they may do something to a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Who {
    /// Those who may, sorted by name.
    pub may: Vec<Permitted>,
    /// Those who may not, together with whoever is refused for the same reasons; by the name of the first.
    pub may_not: Vec<Refused>,
    /// Those about whom it cannot be decided, and why; likewise.
    pub unknown: Vec<Refused>,
}

/// Somebody who may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permitted {
    /// The person.
    pub principal: Named,
    /// The ids of the policies that permit it.
    pub policies: Vec<String>,
    /// From the person to what each of them asks to be in.
    pub paths: Vec<Path>,
}

/// People who are refused for the same reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// What was decided about each.
    pub outcome: Outcome,
    /// What refuses it, with what the admin center says.
    pub refusals: Vec<Refusal>,
    /// The people, sorted by name.
    pub principals: Vec<Named>,
}

impl Who {
    /// Asks about everybody that the schema lets ask for an action.
    pub fn of(engine: &Engine, action: &Action, resource: &EntityUid, context: &Context) -> Self {
        let directory = engine.directory();
        let rows = action
            .principals
            .iter()
            .flat_map(|type_name| directory.rows_of(type_name));
        let people: Vec<EntityUid> = rows
            .filter(|row| directory.is_defined(*row))
            .map(|row| directory.uid(row))
            .collect();
        let names = Names::new(engine);
        let mut who = Self {
            may: Vec::new(),
            may_not: Vec::new(),
            unknown: Vec::new(),
        };
        let mut refused = BTreeMap::new();
        for members in Classes::under(engine, asked(engine, action), &people).members() {
            let Some(first) = members.first() else {
                continue;
            };
            let answer = engine.answer(&Request {
                principal: first.clone(),
                action: action.uid.clone(),
                resource: resource.clone(),
                context: context.clone(),
            });
            if answer.outcome.decision == Decision::Allow {
                let permits = &answer.outcome.policies;
                who.may.extend(
                    members
                        .iter()
                        .map(|person| Permitted::of(engine, person, permits)),
                );
                continue;
            }
            let principals = members.iter().map(|person| names.named(person));
            let reasons = (
                answer.outcome.policies.clone(),
                answer.refusals.clone(),
                answer.outcome.errors.clone(),
            );
            let alike = refused.entry(reasons).or_insert_with(|| Refused {
                outcome: answer.outcome,
                refusals: answer.refusals,
                principals: Vec::new(),
            });
            alike.principals.extend(principals);
        }
        who.may
            .sort_by(|one, other| one.principal.cmp(&other.principal));
        for mut refused in refused.into_values() {
            refused.principals.sort();
            match refused.outcome.basis {
                Basis::Error => who.unknown.push(refused),
                _ => who.may_not.push(refused),
            }
        }
        for alike in [&mut who.may_not, &mut who.unknown] {
            alike.sort_by(|one, other| one.principals.cmp(&other.principals));
        }
        who
    }
}

/// The policies in force whose answer depends on who asks: those that decide about the action, and those
/// that explain a refusal.
fn asked<'a>(engine: &'a Engine, action: &'a Action) -> impl Iterator<Item = &'a Policy> {
    let vocabulary = engine.bundle().vocabulary();
    let in_force = engine.bundle().in_force(engine.readings());
    in_force.filter(move |policy| {
        let scope = policy.action_scope();
        let mut questions = vocabulary
            .questions()
            .filter(|question| question.id() == "refusal");
        scope.answers(action) || questions.any(|question| scope.answers(question))
    })
}

impl Permitted {
    fn of(engine: &Engine, person: &EntityUid, permits: &[String]) -> Self {
        let permits = permits.iter().filter_map(|id| engine.bundle().policy(id));
        let paths = permits
            .clone()
            .filter_map(|permit| Path::between(engine, person, &permit.principal_anchor()?));
        Self {
            principal: Names::new(engine).named(person),
            paths: paths.collect(),
            policies: permits.map(|permit| permit.id().to_owned()).collect(),
        }
    }
}

/// What somebody may do, over everything.
#[derive(Debug, Clone, PartialEq)]
pub struct What {
    /// Resources on which everything is decided alike, by type and then by how many there are.
    pub alike: Vec<Alike>,
}

/// Resources on which a person is decided about alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Alike {
    /// The resources, sorted by name; there is at least one.
    pub resources: Vec<Named>,
    /// What is decided about each action that can be asked about them, in the order of the schema.
    pub decisions: Vec<Decided>,
}

/// What is decided about an action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decided {
    /// The id of the action.
    pub action: String,
    /// Its documented name without its category.
    pub name: String,
    /// The decision.
    pub decision: Decision,
    /// The ids of the policies that determine it.
    pub policies: Vec<String>,
    /// What went wrong, if anything did.
    pub errors: Vec<String>,
}

impl What {
    /// Asks about everything, or one resource, on which the schema lets a person do something.
    pub fn of(
        engine: &Engine,
        principal: &EntityUid,
        resource: Option<&EntityUid>,
        context: impl Fn(&Action) -> Context,
    ) -> Self {
        let vocabulary = engine.bundle().vocabulary();
        let names = Names::new(engine);
        let directory = engine.directory();
        let mut alike: BTreeMap<(String, Vec<Decided>), Vec<Named>> = BTreeMap::new();
        let types = vocabulary
            .permissions()
            .flat_map(|action| &action.resources);
        let types: BTreeSet<&EntityTypeName> = types.collect();
        for type_name in types {
            let actions: Vec<&Action> = vocabulary
                .permissions()
                .filter(|action| action.applies_to(principal.type_name(), type_name))
                .collect();
            let resources: Vec<EntityUid> = match resource {
                Some(resource) if resource.type_name() != type_name => continue,
                Some(resource) => vec![resource.clone()],
                None => {
                    let rows = directory.rows_of(type_name);
                    let rows = rows.filter(|row| directory.is_defined(*row));
                    rows.map(|row| directory.uid(row)).collect()
                }
            };
            for members in Classes::of(engine, &resources).members() {
                let Some(first) = members.first() else {
                    continue;
                };
                let decisions = actions.iter().map(|action| {
                    let outcome = engine.decide(&Request {
                        principal: principal.clone(),
                        action: action.uid.clone(),
                        resource: first.clone(),
                        context: context(action),
                    });
                    Decided {
                        action: action.id().to_owned(),
                        name: action.short_name().to_owned(),
                        decision: outcome.decision,
                        policies: outcome.policies,
                        errors: outcome.errors,
                    }
                });
                let key = (type_name.to_string(), decisions.collect());
                let resources = members.iter().map(|resource| names.named(resource));
                alike.entry(key).or_default().extend(resources);
            }
        }
        let mut alike: Vec<(String, Alike)> = alike
            .into_iter()
            .map(|((type_name, decisions), mut resources)| {
                resources.sort();
                (
                    type_name,
                    Alike {
                        resources,
                        decisions,
                    },
                )
            })
            .collect();
        alike.sort_by(|(one, these), (other, those)| {
            let by_count = those.resources.len().cmp(&these.resources.len());
            one.cmp(other)
                .then(by_count)
                .then_with(|| these.resources.cmp(&those.resources))
        });
        Self {
            alike: alike.into_iter().map(|(_, alike)| alike).collect(),
        }
    }
}
