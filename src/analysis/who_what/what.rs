//! The actions that a person is allowed, on all resources.

use std::collections::BTreeSet;

use cedar_policy::{Context, EntityTypeName, EntityUid};
use schemars::JsonSchema;
use serde::Serialize;

use crate::bulk::decision::{BulkDecision, ClassDecisions, Population};
use crate::bulk::index::{CellId, ClassId, StateId};
use crate::explain::{Labels, Named};
use crate::wire;
use tarbac_host::bundle::Action;
use tarbac_host::decision::Decision;
use tarbac_host::engine::Engine;
use tarbac_store::index::IndexVec;
use tarbac_store::index_type;

/// The decisions about a person on all resources.
#[derive(Debug, Clone, PartialEq)]
pub struct What {
    /// Resources with equal decisions, by type and then by their number, most first.
    pub alike: Vec<Alike>,
}

/// Resources with equal decisions about a person.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Alike {
    /// The number of resources; at least one.
    pub count: usize,
    /// The first of them, in the order of their ids.
    pub resources: Vec<Named>,
    /// The decisions about the actions that apply to them, in the order of the schema.
    pub decisions: Vec<ActionDecision>,
}

/// The decision about an action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ActionDecision {
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
    /// The errors.
    pub errors: Vec<String>,
}

impl What {
    /// Decides about all resources to which actions of the person apply, or about one. At most `named` resources with
    /// equal decisions are named.
    pub fn new(
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
                None => Population::all(&engines, type_name),
            };
            let bulk = BulkDecision::new(
                &engines,
                (principal.type_name(), Population::one(&engines, principal)),
                (type_name, resources),
                |action| !action.is_question(),
                |_, action| context(action),
            );
            let mut of_type = bulk.visit_class(ClassId::new(0), |decisions| {
                by_decisions(engine, &bulk, decisions, named)
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
    /// Resources with equal decisions.
    struct AlikeId;
}

/// The resources of a bulk decision by the decisions about them.
fn by_decisions(
    engine: &Engine,
    bulk: &BulkDecision<'_>,
    in_class: &ClassDecisions<'_>,
    named: usize,
) -> Vec<Alike> {
    let now = StateId::new(0);
    let mut alike: IndexVec<AlikeId, Alike> = IndexVec::new();
    let mut of_cells: IndexVec<CellId, AlikeId> = IndexVec::new();
    for (cell, of) in in_class.cells().iter_enumerated() {
        let decisions = bulk.actions().iter_enumerated();
        let decisions = decisions.filter_map(|(action, uid)| {
            let outcome = in_class.outcome(now, action, cell)?;
            let action = engine.bundle().vocabulary().action(uid)?;
            Some(ActionDecision {
                action: action.id().to_owned(),
                name: action.short_name().to_owned(),
                decision: outcome.decision,
                policies: outcome.policies.clone(),
                errors: outcome.errors.clone(),
            })
        });
        let decisions: Vec<ActionDecision> = decisions.collect();
        let id = alike.position(|known| known.decisions == decisions);
        let id = id.unwrap_or_else(|| {
            alike.push(Alike {
                count: 0,
                resources: Vec::new(),
                decisions,
            })
        });
        alike[id].count += usize::try_from(of.count).unwrap_or(usize::MAX);
        of_cells.push(id);
    }
    let names = Labels::new(engine);
    let mut missing: usize = alike.iter().map(|alike| alike.count.min(named)).sum();
    for resource in bulk.resources() {
        if missing == 0 {
            break;
        }
        let alike = &mut alike[of_cells[in_class.cell(resource)]];
        if alike.resources.len() < named
            && let Some(row) = bulk.resource(now, resource)
        {
            alike
                .resources
                .push(names.named(&engine.directory().uid(row)));
            missing -= 1;
        }
    }
    alike.raw
}
