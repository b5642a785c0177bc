//! Tables of decisions: the permissions of roles, and of people.
//!
//! A matrix is for the review of policies: a changed policy shows as changed cells. Its plain text
//! ([`std::fmt::Display`]) is always the same for the same policies and entities, so that it can be kept as a
//! snapshot. Other formats are in `tarbac_report::matrix`.

mod table;

use std::collections::BTreeMap;

use cedar_policy::{Context, EntityUid};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use schemars::JsonSchema;
use serde::Serialize;
use strum::AsRefStr;

use tarbac_host::bundle::{Action, Effect, Policy};
use tarbac_host::decision::{Decision, Outcome, Request};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::Lookup;

pub use table::{NOBODY, table};
pub use table::{first, others, tables};

/// A table of decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// One block, or one for each resource.
    pub blocks: Vec<Block>,
    /// The ids of the permits in force that belong to no single role, and so to no column.
    pub others: Vec<String>,
    /// The `@doc` of the policies that cells name, by id.
    pub says: BTreeMap<String, String>,
}

/// The people, actions and resources of a matrix.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The rows.
    pub principals: Vec<EntityUid>,
    /// The columns, each with the context of its requests; each block has those that apply to its resource.
    pub actions: Vec<(EntityUid, Context)>,
    /// A block each.
    pub resources: Vec<EntityUid>,
}

/// Rows that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The resource that the decisions are about; `None` in a table of roles.
    pub resource: Option<Heading>,
    /// The columns: roles, or permissions in the order of the schema.
    pub columns: Vec<Heading>,
    /// The rows: permissions in schema order, or people.
    pub rows: Vec<Line>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The heading of the row.
    pub heading: Heading,
    /// One cell for each column.
    pub cells: Vec<Cell>,
}

/// An entity and its name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// The entity.
    pub uid: EntityUid,
    /// The name.
    pub name: String,
}

/// One decision and the policies that determine it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The decision.
    pub mark: Mark,
    /// The ids of the determining policies, sorted.
    pub policies: Vec<String>,
}

/// The decision of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, AsRefStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Mark {
    /// It is permitted.
    Yes,
    /// It is permitted where the conditions of the policies hold.
    Conditional,
    /// It is not permitted, or forbidden.
    No,
    /// It could not be decided.
    Indeterminate,
}

impl Matrix {
    /// Permissions × roles, by the policies in force: the built-in roles, whose shipped policies are the table of
    /// Microsoft's documents, and the custom ones.
    ///
    /// A role is an entity that a permit's scope names as principal, of a type that people are assigned (`@join` in
    /// the schema). Other conditions of the policies are ignored, except for a forbid that takes a permission from a
    /// role, or from every principal.
    pub fn of_roles(engine: &Engine) -> Self {
        let bundle = engine.bundle();
        let vocabulary = bundle.vocabulary();
        let names = Lookup::new(engine);
        let in_force: Vec<&Policy> = bundle.in_force(engine.readings()).collect();
        let mut roles: BTreeMap<String, EntityUid> = BTreeMap::new();
        let mut others = Vec::new();
        for policy in in_force
            .iter()
            .filter(|policy| policy.effect() == Effect::Permit)
        {
            if !vocabulary
                .permissions()
                .any(|action| policy.may_apply_to(action))
            {
                continue;
            }
            let role = policy.principal_anchor().filter(|uid| {
                vocabulary
                    .type_annotation(&uid.type_name().to_string(), "join")
                    .is_some()
            });
            match role {
                Some(uid) => {
                    roles.insert(format!("{}\n{uid}", names.name_of(&uid)), uid);
                }
                None => others.push(policy.id().to_owned()),
            }
        }
        let columns: Vec<Heading> = roles
            .into_values()
            .map(|uid| heading(&names, uid))
            .collect();
        let rows = vocabulary
            .permissions()
            .map(|action| Line {
                heading: Heading {
                    uid: action.uid.clone(),
                    name: action.name().to_owned(),
                },
                cells: columns
                    .iter()
                    .map(|role| cell_of_role(&in_force, action, &role.uid))
                    .collect(),
            })
            .collect();
        Self {
            blocks: vec![Block {
                resource: None,
                columns,
                rows,
            }],
            others,
            says: BTreeMap::new(),
        }
    }

    /// People × selected permissions, a block for each resource.
    pub fn new(engine: &Engine, selection: &Selection) -> Self {
        let vocabulary = engine.bundle().vocabulary();
        let actions = selection.actions.iter();
        let columns =
            actions.filter_map(|(uid, context)| Some((vocabulary.action(uid)?, context.clone())));
        let (principals, resources) = (&selection.principals, &selection.resources);
        Self::in_context(engine, principals, columns.collect(), resources)
    }

    /// People × permissions, a block for each resource; each cell is the decision of [`Engine::decide`] with an empty
    /// context.
    pub fn of_people(engine: &Engine, principals: &[EntityUid], resources: &[EntityUid]) -> Self {
        let permissions = engine.bundle().vocabulary().permissions();
        let columns = permissions.map(|action| (action, Context::empty()));
        Self::in_context(engine, principals, columns.collect(), resources)
    }

    /// The same with a context for each permission.
    pub fn in_context(
        engine: &Engine,
        principals: &[EntityUid],
        columns: Vec<(&Action, Context)>,
        resources: &[EntityUid],
    ) -> Self {
        let names = Lookup::new(engine);
        let people = told_apart(
            principals
                .iter()
                .map(|uid| heading(&names, uid.clone()))
                .collect(),
        );
        let block = |resource: &EntityUid| {
            let columns: Vec<&(&Action, Context)> = columns
                .iter()
                .filter(|(action, _)| action.resources.contains(resource.type_name()))
                .collect();
            let row = |person: &Heading| Line {
                heading: person.clone(),
                cells: columns
                    .iter()
                    .map(|(action, context)| {
                        cell(engine.decide(&Request {
                            principal: person.uid.clone(),
                            action: action.uid.clone(),
                            resource: resource.clone(),
                            context: context.clone(),
                        }))
                    })
                    .collect(),
            };
            Block {
                resource: Some(heading(&names, resource.clone())),
                columns: columns
                    .iter()
                    .map(|(action, _)| heading_of_action(action))
                    .collect(),
                rows: people.par_iter().map(row).collect(),
            }
        };
        let blocks: Vec<Block> = resources.iter().map(block).collect();
        let rows = blocks.iter().flat_map(|block| &block.rows);
        let cells = rows.flat_map(|row| &row.cells);
        let says = cells.filter_map(|cell| {
            let id = cell.policies.first()?;
            let doc = engine.bundle().policy(id)?.doc()?;
            Some((id.clone(), one_line(doc)))
        });
        Self {
            says: says.collect(),
            blocks,
            others: Vec::new(),
        }
    }
}

fn heading(names: &Lookup, uid: EntityUid) -> Heading {
    Heading {
        name: names.name_of(&uid),
        uid,
    }
}

/// A name on one line, as it is read back from a table.
pub fn one_line(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Adds the UID to rows with the same name.
fn told_apart(mut headings: Vec<Heading>) -> Vec<Heading> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for heading in &headings {
        *counts.entry(one_line(&heading.name)).or_default() += 1;
    }
    for heading in &mut headings {
        if counts.get(&one_line(&heading.name)) != Some(&1) {
            heading.name = format!("{} {}", one_line(&heading.name), heading.uid);
        }
    }
    headings
}

fn heading_of_action(action: &Action) -> Heading {
    // A single word says too little without its category.
    let name = match action.short_name() {
        short if short.contains(' ') => short,
        _ => action.name(),
    };
    Heading {
        uid: action.uid.clone(),
        name: name.to_owned(),
    }
}

fn cell(outcome: Outcome) -> Cell {
    Cell {
        mark: match outcome.decision {
            Decision::Allow => Mark::Yes,
            Decision::Deny => Mark::No,
            Decision::Indeterminate => Mark::Indeterminate,
        },
        policies: outcome.policies,
    }
}

fn cell_of_role(in_force: &[&Policy], action: &Action, role: &EntityUid) -> Cell {
    let mut forbids = Vec::new();
    let mut permits = Vec::new();
    let mut is_narrowed = false;
    let mut is_certain = false;
    for policy in in_force.iter().filter(|policy| policy.may_apply_to(action)) {
        let is_of_role = policy.principal_anchor().as_ref() == Some(role);
        let is_of_all = policy.principal_anchor().is_none();
        match policy.effect() {
            Effect::Permit if is_of_role => {
                is_certain |= !is_conditional(policy);
                permits.push(policy.id().to_owned());
            }
            Effect::Forbid if (is_of_role || is_of_all) && !is_conditional(policy) => {
                forbids.push(policy.id().to_owned());
            }
            Effect::Forbid => is_narrowed |= is_of_role,
            Effect::Permit => {}
        }
    }
    let (mark, policies) = match (permits.is_empty(), forbids.is_empty()) {
        (true, _) => (Mark::No, Vec::new()),
        (false, false) => (Mark::No, forbids),
        (false, true) if is_certain && !is_narrowed => (Mark::Yes, permits),
        (false, true) => (Mark::Conditional, permits),
    };
    Cell { mark, policies }
}

/// Whether a policy asks for more than a principal in a role and an action.
fn is_conditional(policy: &Policy) -> bool {
    policy.has_conditions() || policy.resource_anchor().is_some()
}
