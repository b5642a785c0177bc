//! The people who may do an action, and the actions of a person.
//!
//! People whom no policy can tell apart get the same answer, and so do devices (see
//! [`class`](crate::bulk::class)): one of each class is asked about, by Cedar, and the answer is that of all. The
//! result is that of asking about each.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Context, EntityTypeName, EntityUid};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use schemars::JsonSchema;
use serde::Serialize;

use crate::bulk::class::Projection;

use crate::bulk::index::{CellId, ClassId, PersonId, StateId};
use crate::bulk::survey::{BulkDecision, ClassDecisions, Population};
use crate::explain::{Labels, Named, Path, Support, supports_of, ways};
use crate::wire;
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Basis, Decision, Outcome, Refusal, Request};
use tarbac_host::engine::Engine;
use tarbac_store::Row;
use tarbac_store::index::IndexVec;
use tarbac_store::index_type;

/// The question what the admin center says where nothing permits.
const REFUSAL: &str = "refusal";

/// Everybody, by whether they may do something to a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Who {
    /// Those who may, sorted by name.
    pub may: Vec<Permitted>,
    /// Those who may not, together with whoever is refused for the same reasons; by how many there are. Whoever is
    /// eligible stands there only, where that was asked.
    pub may_not: Vec<Refused>,
    /// Those about whom it cannot be decided, and why; likewise.
    pub unknown: Vec<Refused>,
    /// Those who may not now, and may after activating something, sorted by name; absent where nobody asked for
    /// them.
    pub eligible: Option<Vec<Eligible>>,
}

/// Somebody who may not now, and who may after activating what the schema says can be activated.
#[derive(Debug, Clone, PartialEq)]
pub struct Eligible {
    /// The person.
    pub principal: Named,
    /// What is decided now.
    pub outcome: Outcome,
    /// What refuses it now, with what the admin center says.
    pub refusals: Vec<Refusal>,
    /// Each is enough.
    pub ways: Vec<Way>,
}

/// What somebody can activate to be permitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Way {
    /// What is activated, all of it together.
    pub activate: Vec<Named>,
    /// The ids of the policies that permit it then.
    pub policies: Vec<String>,
    /// From the person by way of each to what the policies ask to be in.
    pub paths: Vec<Path>,
}

/// Somebody who may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Permitted {
    /// The person.
    pub principal: Named,
    /// The ids of the policies that permit it.
    pub policies: Vec<String>,
    /// From the person to what each of them asks to be in.
    pub paths: Vec<Path>,
    /// What keeps forbids from refusing it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supports: Vec<Support>,
}

/// People who are refused for the same reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// What was decided about each.
    pub outcome: Outcome,
    /// What refuses it, with what the admin center says.
    pub refusals: Vec<Refusal>,
    /// How many there are; at least one.
    pub count: usize,
    /// The first of them, in the order of their ids.
    pub principals: Vec<Named>,
}

impl Who {
    /// Asks about everybody that the schema lets ask for an action; so many people of those who are refused
    /// for the same reasons are named.
    pub fn of(
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
        let names = Labels::new(engine);
        let mut who = Self {
            may: Vec::new(),
            may_not: Vec::new(),
            unknown: Vec::new(),
            eligible: None,
        };
        let mut refused: BTreeMap<_, Vec<Row>> = BTreeMap::new();
        let vocabulary = engine.bundle().vocabulary();
        let refusal = vocabulary.questions().find(|of| of.id() == REFUSAL);
        let people: IndexVec<PersonId, Row> = people.collect();
        let rows = people.iter().map(|row| Some(*row)).collect();
        let actions = IndexVec::from(vec![Some(action), refusal]);
        let classes = Projection::new(engine, &actions).principals_as_seen(engine, &rows);
        let firsts: Vec<PersonId> = classes.firsts().collect();
        let request = |person: Row| Request {
            principal: directory.uid(person),
            action: action.uid.clone(),
            resource: resource.clone(),
            context: context.clone(),
        };
        let decided: Vec<(Outcome, Vec<Refusal>)> = firsts
            .par_iter()
            .map(|first| engine.decide_with_refusals(&request(people[*first])))
            .collect();
        for (members, (outcome, refusals)) in classes.members().into_iter().zip(decided) {
            let members = members.into_iter().map(|of| people[of]);
            if outcome.decision == Decision::Allow {
                let members: Vec<Row> = members.collect();
                // Nobody of a class has what its first has not.
                let first = members
                    .first()
                    .map(|row| supports_of(engine, &request(*row)));
                let is_carried = first.is_some_and(|supports| !supports.is_empty());
                let may: Vec<Permitted> = members
                    .par_iter()
                    .map(|row| {
                        let request = request(*row);
                        let mut permitted = Permitted::of(engine, &request, &outcome.policies);
                        if is_carried {
                            permitted.supports = supports_of(engine, &request);
                        }
                        permitted
                    })
                    .collect();
                who.may.extend(may);
                continue;
            }
            refused
                .entry((outcome, refusals))
                .or_default()
                .extend(members);
        }
        who.may
            .sort_by(|one, other| one.principal.cmp(&other.principal));
        for ((outcome, refusals), mut rows) in refused {
            rows.sort_unstable();
            let first = rows.iter().take(named);
            let alike = match outcome.basis {
                Basis::Error => &mut who.unknown,
                _ => &mut who.may_not,
            };
            alike.push(Refused {
                outcome,
                refusals,
                count: rows.len(),
                principals: first.map(|row| names.named(&directory.uid(*row))).collect(),
            });
        }
        for alike in [&mut who.may_not, &mut who.unknown] {
            alike.sort_by_key(|refused| std::cmp::Reverse(refused.count));
        }
        who
    }

    /// The same, with those apart who may after activating something.
    pub fn with_eligible(
        engine: &Engine,
        action: &Action,
        resource: &EntityUid,
        named: usize,
        context: &Context,
    ) -> Self {
        let mut who = Self::of(engine, action, resource, usize::MAX, context);
        let mut ways = ways_of_everybody(engine, action, resource, context);
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
        who.may_not
            .sort_by_key(|refused| std::cmp::Reverse(refused.count));
        for refused in who.may_not.iter_mut().chain(&mut who.unknown) {
            refused.principals.truncate(named);
        }
        eligible.sort_by(|one, other| one.principal.cmp(&other.principal));
        who.eligible = Some(eligible);
        who
    }
}

impl Permitted {
    fn of(engine: &Engine, request: &Request, permits: &[String]) -> Self {
        let permits = permits.iter().filter_map(|id| engine.bundle().policy(id));
        let mut paths: Vec<Path> = Vec::new();
        for path in permits
            .clone()
            .flat_map(|permit| ways(engine, permit, request))
        {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        Self {
            principal: Labels::new(engine).named(&request.principal),
            paths,
            supports: Vec::new(),
            policies: permits.map(|permit| permit.id().to_owned()).collect(),
        }
    }
}

/// What those can activate whom the schema lets ask for an action, and who may not and may after that.
fn ways_of_everybody(
    engine: &Engine,
    action: &Action,
    resource: &EntityUid,
    context: &Context,
) -> BTreeMap<EntityUid, Vec<Way>> {
    let directory = engine.directory();
    let vocabulary = engine.bundle().vocabulary();
    let mut people = Vec::new();
    for type_name in &action.principals {
        let named = type_name.to_string();
        let attributes: Vec<&str> = vocabulary.activations(&named).map(|of| of.0).collect();
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

fn ways_if_refused(engine: &Engine, request: &Request) -> Option<Vec<Way>> {
    let world = engine.world(request).ok()?;
    if engine.decide_in(request, &world).decision != Decision::Deny {
        return None;
    }
    let names = Labels::new(engine);
    let lifting = engine.lifting(request, &world);
    let ways = lifting.iter().filter_map(|together| {
        let entities: Vec<&EntityUid> = together.iter().map(|of| &of.entity).collect();
        let activated = engine.activated(request, &world, &entities)?;
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

/// What somebody may do, over everything.
#[derive(Debug, Clone, PartialEq)]
pub struct What {
    /// Resources on which everything is decided alike, by type and then by how many there are.
    pub alike: Vec<Alike>,
}

/// Resources on which a person is decided about alike.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Alike {
    /// How many there are; at least one.
    pub count: usize,
    /// The first of them, in the order of their ids.
    pub resources: Vec<Named>,
    /// What is decided about each action that can be asked about them, in the order of the schema.
    pub decisions: Vec<Decided>,
}

/// What is decided about an action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Decided {
    /// The id of the action.
    pub action: String,
    /// Its documented name without its category.
    #[serde(skip)]
    pub name: String,
    /// The decision.
    #[schemars(schema_with = "wire::decision")]
    pub decision: Decision,
    /// The ids of the policies that determine it.
    pub policies: Vec<String>,
    /// What went wrong, if anything did.
    pub errors: Vec<String>,
}

impl What {
    /// Asks about everything, or one resource, on which the schema lets a person do something; so many
    /// resources of those that are decided about alike are named.
    pub fn of(
        engine: &Engine,
        principal: &EntityUid,
        resource: Option<&EntityUid>,
        named: usize,
        context: impl Fn(&Action) -> Context,
    ) -> Self {
        let vocabulary = engine.bundle().vocabulary();
        let asked = vocabulary
            .permissions()
            .filter(|action| action.principals.contains(principal.type_name()));
        let types: BTreeSet<&EntityTypeName> = asked.flat_map(|of| &of.resources).collect();
        let engines = [engine];
        let mut alike = Vec::new();
        for type_name in types {
            let resources = match resource {
                Some(resource) if resource.type_name() != type_name => continue,
                Some(resource) => Population::one(&engines, resource),
                None => Population::of(&engines, type_name),
            };
            let survey = BulkDecision::new(
                &engines,
                (principal.type_name(), Population::one(&engines, principal)),
                (type_name, resources),
                |action| !action.is_question(),
                |_, action| context(action),
            );
            let mut of_type = survey.one(ClassId::new(0), |seen| {
                alike_in(engine, &survey, seen, named)
            });
            of_type.sort_by(|one, other| {
                let by_count = other.count.cmp(&one.count);
                by_count.then_with(|| one.resources.cmp(&other.resources))
            });
            alike.extend(of_type);
        }
        Self { alike }
    }
}

index_type! {
    /// Resources about which the same is decided.
    struct AlikeId;
}

/// Resources by what is decided about them.
fn alike_in(
    engine: &Engine,
    survey: &BulkDecision<'_>,
    seen: &ClassDecisions<'_>,
    named: usize,
) -> Vec<Alike> {
    let now = StateId::new(0);
    let mut alike: IndexVec<AlikeId, Alike> = IndexVec::new();
    let mut of_cells: IndexVec<CellId, AlikeId> = IndexVec::new();
    for (cell, of) in seen.cells().iter_enumerated() {
        let decisions = survey.actions().iter_enumerated();
        let decisions = decisions.filter_map(|(number, uid)| {
            let outcome = seen.outcome(now, number, cell)?;
            let action = engine.bundle().vocabulary().action(uid)?;
            Some(Decided {
                action: action.id().to_owned(),
                name: action.short_name().to_owned(),
                decision: outcome.decision,
                policies: outcome.policies.clone(),
                errors: outcome.errors.clone(),
            })
        });
        let decisions: Vec<Decided> = decisions.collect();
        let place = alike.position(|known| known.decisions == decisions);
        let place = place.unwrap_or_else(|| {
            alike.push(Alike {
                count: 0,
                resources: Vec::new(),
                decisions,
            })
        });
        alike[place].count += usize::try_from(of.count).unwrap_or(usize::MAX);
        of_cells.push(place);
    }
    let names = Labels::new(engine);
    let mut missing: usize = alike.iter().map(|alike| alike.count.min(named)).sum();
    for number in survey.resources() {
        if missing == 0 {
            break;
        }
        let alike = &mut alike[of_cells[seen.cell(number)]];
        if alike.resources.len() < named
            && let Some(row) = survey.resource(now, number)
        {
            alike
                .resources
                .push(names.named(&engine.directory().uid(row)));
            missing -= 1;
        }
    }
    alike.raw
}
