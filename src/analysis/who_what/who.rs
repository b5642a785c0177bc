//! The people who are allowed an action on a resource.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use cedar_policy::{Context, EntityUid};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use schemars::JsonSchema;
use serde::Serialize;

use super::eligible::ways_by_person;
use crate::bulk::class::Projection;
use crate::bulk::index::PersonId;
use crate::explain::{Labels, Named, Path, Support, supports_of, ways};
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Basis, Decision, Outcome, Refusal, Request};
use tarbac_host::engine::{Engine, Undecidable};
use tarbac_store::Row;
use tarbac_store::index::IndexVec;

/// The question for the message of the admin center if no policy permits.
const REFUSAL: &str = "refusal";

/// All people, by the decision about an action on a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Who {
    /// The people who are allowed, sorted by name.
    pub may: Vec<Permitted>,
    /// The people who are refused, those with the same reasons together; most people first. The eligible ones are in
    /// `eligible` alone, if they were asked for.
    pub may_not: Vec<RefusedPeople>,
    /// The people with an indeterminate decision; likewise.
    pub unknown: Vec<RefusedPeople>,
    /// The people who are refused now and allowed after an activation, sorted by name; `None` if they were not asked
    /// for.
    pub eligible: Option<Vec<Eligible>>,
}

/// A person who is refused now, and allowed after activating an eligible membership.
#[derive(Debug, Clone, PartialEq)]
pub struct Eligible {
    /// The person.
    pub principal: Named,
    /// The decision now.
    pub outcome: Outcome,
    /// The refusals now, with the words of the admin center.
    pub refusals: Vec<Refusal>,
    /// The ways; each one is enough.
    pub ways: Vec<Way>,
}

/// A set of memberships whose activation is enough for a permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Way {
    /// The memberships, to be activated together.
    pub activate: Vec<Named>,
    /// The ids of the policies that permit it then.
    pub policies: Vec<String>,
    /// The chains from the person through each of them to the groups that the policies ask for.
    pub paths: Vec<Path>,
}

/// A person who is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Permitted {
    /// The person.
    pub principal: Named,
    /// The ids of the policies that permit it.
    pub policies: Vec<String>,
    /// The chains from the person to the groups that these policies ask for.
    pub paths: Vec<Path>,
    /// The facts that keep forbids from refusing it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supports: Vec<Support>,
}

/// People who are refused for the same reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusedPeople {
    /// The decision about each.
    pub outcome: Outcome,
    /// The refusals, with the words of the admin center.
    pub refusals: Vec<Refusal>,
    /// The number of people; at least one.
    pub count: usize,
    /// The first of them, in the order of their ids.
    pub principals: Vec<Named>,
}

impl Who {
    /// Decides about all people of the types to which an action applies. At most `named` people with the same reasons
    /// of a refusal are named.
    pub fn new(
        engine: &Engine,
        action: &Action,
        resource: &EntityUid,
        named: usize,
        context: &Context,
    ) -> Self {
        let directory = engine.directory();
        let rows = action
            .principals
            .iter()
            .flat_map(|type_name| directory.rows_of(type_name));
        let people = rows.filter(|row| directory.is_defined(*row));
        let people: IndexVec<PersonId, Row> = people.collect();
        let questioner = Questioner {
            engine,
            action,
            resource,
            context,
        };
        let mut may = Vec::new();
        let mut refused: BTreeMap<(Outcome, Vec<Refusal>), Vec<Row>> = BTreeMap::new();
        for (members, (outcome, refusals)) in questioner.classes(&people) {
            match outcome.decision {
                Decision::Allow => match questioner.permitted(&members, &outcome) {
                    Ok(permitted) => may.extend(permitted),
                    Err(errors) => refused
                        .entry((Outcome::indeterminate(errors), Vec::new()))
                        .or_default()
                        .extend(members),
                },
                _ => refused
                    .entry((outcome, refusals))
                    .or_default()
                    .extend(members),
            }
        }
        may.sort_by(|one, other| one.principal.cmp(&other.principal));
        let mut who = Self {
            may,
            may_not: Vec::new(),
            unknown: Vec::new(),
            eligible: None,
        };
        let names = Labels::new(engine);
        for ((outcome, refusals), mut rows) in refused {
            rows.sort_unstable();
            let first = rows.iter().take(named);
            let list = match outcome.basis {
                Basis::Error => &mut who.unknown,
                _ => &mut who.may_not,
            };
            list.push(RefusedPeople {
                outcome,
                refusals,
                count: rows.len(),
                principals: first.map(|row| names.named(&directory.uid(*row))).collect(),
            });
        }
        for list in [&mut who.may_not, &mut who.unknown] {
            list.sort_by_key(|refused| Reverse(refused.count));
        }
        who
    }

    /// As [`Who::new`], with the people apart who are allowed after an activation.
    pub fn with_eligible(
        engine: &Engine,
        action: &Action,
        resource: &EntityUid,
        named: usize,
        context: &Context,
    ) -> Self {
        let mut who = Self::new(engine, action, resource, usize::MAX, context);
        let mut ways = ways_by_person(engine, action, resource, context);
        let mut eligible = Vec::new();
        for refused in &mut who.may_not {
            for principal in std::mem::take(&mut refused.principals) {
                match ways.remove(&principal.uid) {
                    Some(ways) => eligible.push(Eligible {
                        principal,
                        outcome: refused.outcome.clone(),
                        refusals: refused.refusals.clone(),
                        ways,
                    }),
                    None => refused.principals.push(principal),
                }
            }
            refused.count = refused.principals.len();
        }
        who.may_not.retain(|refused| refused.count > 0);
        who.may_not.sort_by_key(|refused| Reverse(refused.count));
        for refused in who.may_not.iter_mut().chain(&mut who.unknown) {
            refused.principals.truncate(named);
        }
        eligible.sort_by(|one, other| one.principal.cmp(&other.principal));
        who.eligible = Some(eligible);
        who
    }
}

impl Permitted {
    fn new(
        engine: &Engine,
        request: &Request,
        permits: &[String],
    ) -> Result<Self, Vec<Undecidable>> {
        let permits = permits.iter().filter_map(|id| engine.bundle().policy(id));
        let mut paths: Vec<Path> = Vec::new();
        for permit in permits.clone() {
            for path in ways(engine, permit, request)? {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        Ok(Self {
            principal: Labels::new(engine).named(&request.principal),
            paths,
            supports: Vec::new(),
            policies: permits.map(|permit| permit.id().to_owned()).collect(),
        })
    }
}

/// A question about one action on one resource, put for many people.
struct Questioner<'a> {
    engine: &'a Engine,
    action: &'a Action,
    resource: &'a EntityUid,
    context: &'a Context,
}

impl Questioner<'_> {
    fn request(&self, person: Row) -> Request {
        Request {
            principal: self.engine.directory().uid(person),
            action: self.action.uid.clone(),
            resource: self.resource.clone(),
            context: self.context.clone(),
        }
    }

    /// The classes of people, each with the decision about it.
    fn classes(
        &self,
        people: &IndexVec<PersonId, Row>,
    ) -> impl Iterator<Item = (Vec<Row>, (Outcome, Vec<Refusal>))> {
        let vocabulary = self.engine.bundle().vocabulary();
        let refusal = vocabulary.questions().find(|of| of.id() == REFUSAL);
        let rows = people.iter().map(|row| Some(*row)).collect();
        let actions = IndexVec::from(vec![Some(self.action), refusal]);
        let classes =
            Projection::new(self.engine, &actions).principals_by_values(self.engine, &rows);
        let firsts: Vec<PersonId> = classes.firsts().collect();
        let decided: Vec<(Outcome, Vec<Refusal>)> = firsts
            .par_iter()
            .map(|first| {
                let request = self.request(people[*first]);
                self.engine.decide_with_refusals(&request)
            })
            .collect();
        let members = classes.members().into_iter();
        let members = members.map(|members| members.into_iter().map(|of| people[of]).collect());
        members.zip(decided)
    }

    /// The members of an allowed class, each with the policies and facts behind the decision.
    fn permitted(
        &self,
        members: &[Row],
        outcome: &Outcome,
    ) -> Result<Vec<Permitted>, Vec<Undecidable>> {
        // If the first of a class has no supporting facts, no other member has any.
        let first = members.first();
        let first = first.map(|row| supports_of(self.engine, &self.request(*row)));
        let has_supports = first.is_some_and(|supports| !supports.is_empty());
        members
            .par_iter()
            .map(|row| {
                let request = self.request(*row);
                let mut permitted = Permitted::new(self.engine, &request, &outcome.policies)?;
                if has_supports {
                    permitted.supports = supports_of(self.engine, &request);
                }
                Ok(permitted)
            })
            .collect()
    }
}
