//! Role assignments and their direct members.
//!
//! Which entities are assignments is found out of the schema and the policies in force. The types of what
//! permits ask the principal to be in are the types of roles; a type on the way from people to those is one of
//! assignments, unless its entities can be in each other, as groups can.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cedar_policy::{Effect, EntityTypeName, EntityUid};
use cedar_policy_core::ast;
use schemars::JsonSchema;
use serde::Serialize;
use strum::AsRefStr;

use super::Named;
use crate::wire;
use tarbac_host::bundle::{Kind, Policy, Vocabulary};
use tarbac_host::engine::Engine;
use tarbac_store::index::IndexVec;
use tarbac_store::index_type;
use tarbac_store::{Directory, Row};

/// A role assignment with somebody or a group that is directly in it; or a role without assignments in
/// between. It *gives nothing* if the permits of no role behind it allow anything to anybody, and if without
/// it every decision about everybody is what it is: without it alone, and without all that give nothing at
/// once. If without it alone every decision is what it is, but not the rest, then it gives what others give.
///
/// Nor can one go in which an account may do nothing because of what it is (`@accounts`, as one that is disabled): what
/// it gives comes back with the account. Nor one that somebody can come to be in by activating a membership (`@activate`).
///
/// So an assignment that allows nothing by itself, but without which Configuration Manager would let somebody
/// in no more, is neither; nor is one of somebody about whom something cannot be decided, nor one that more may
/// have than is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Assignment {
    /// Whether it gives nothing at all.
    #[serde(rename = "gives")]
    pub idle: Redundancy,
    /// Who is directly in it, a person or a group; none where nobody and nothing is.
    pub from: Option<Named>,
    /// The assignment, or the role where there is none in between.
    pub to: Named,
    /// The roles behind it.
    pub roles: Vec<Named>,
    /// How many people are in it through that.
    pub people: u64,
    /// The permits in force that name it or a role behind it.
    pub policies: Vec<String>,
    /// The policies that refuse what it grants, each with how many decisions, most first.
    #[serde(serialize_with = "wire::reasons")]
    #[schemars(with = "Vec<wire::ReasonCount<'_>>")]
    pub reasons: Vec<(String, u64)>,
    /// What it comes to where its role is withheld, in words of the schema.
    #[serde(skip)]
    pub told: Option<String>,
}

/// What an assignment does not give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, AsRefStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Redundancy {
    /// Anything.
    Nothing,
    /// Anything that others do not give.
    Repeats,
    /// Anything here: an attribute stands in place of its role.
    Withheld,
    /// Anything more now, and it may again: accounts in it may do nothing because of what they are, or people can
    /// activate a membership of it.
    Suspended,
}

index_type! {
    /// A step into an assignment or a role.
    pub(super) struct EdgeId;
}

/// A step into an assignment or a role.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    /// A person or a group; none where nobody and nothing is in it.
    pub from: Option<Row>,
    pub to: Row,
    /// Whether a policy looks at what `from` is in whoever asks, so that anything may depend on it.
    pub is_looked_at: bool,
    /// Whether more people may come by it than are known, so that nothing can be said about its end.
    pub is_unlisted: bool,
}

/// Every step into an assignment or a role.
pub(super) struct Assignments<'e> {
    engine: &'e Engine,
    all: IndexVec<EdgeId, Edge>,
    /// By who is in it.
    from: BTreeMap<Row, Vec<EdgeId>>,
    /// What permits in force name as what the principal is to be or to be in.
    roles: BTreeMap<Row, Vec<&'e Policy>>,
    /// The types of these.
    role_types: BTreeSet<String>,
    /// By row, whether it is an assignment or a role or such a thing is in it.
    is_above: IndexVec<Row, bool>,
    /// Whether a policy asks of a resource to be in what depends on what the principal is in.
    pub is_entangled: bool,
}

impl<'e> Assignments<'e> {
    /// Those of an engine.
    pub fn of(engine: &'e Engine) -> Self {
        let directory = engine.directory();
        let types = Types::of(engine);
        let mut roles: BTreeMap<Row, Vec<&Policy>> = BTreeMap::new();
        for permit in permits(engine) {
            if let Some(row) = permit
                .principal_anchor()
                .and_then(|uid| directory.row(&uid))
            {
                roles.entry(row).or_default().push(permit);
            }
        }
        let is_to = |row: Row| {
            let name = directory.type_name(row);
            types.assignments.contains(name)
                || (roles.contains_key(&row) && !types.people.contains(name))
        };
        let looked_at = types.looked_at(engine);
        let unlisted = engine.unlisted();
        let mut all: IndexVec<EdgeId, Edge> = IndexVec::new();
        let mut entered = BTreeSet::new();
        for from in types.holders.iter().flat_map(|name| rows(directory, name)) {
            for to in directory.parents(from).filter(|to| is_to(*to)) {
                entered.insert(to);
                all.push(Edge {
                    from: Some(from),
                    to,
                    is_looked_at: looked_at.contains(&from),
                    is_unlisted: unlisted.contains(&from),
                });
            }
        }
        let assignments = types.assignments.iter();
        let empty = assignments.flat_map(|name| rows(directory, name));
        all.raw
            .extend(empty.filter(|to| !entered.contains(to)).map(|to| Edge {
                from: None,
                to,
                is_looked_at: false,
                is_unlisted: unlisted.contains(&to),
            }));
        let mut from: BTreeMap<Row, Vec<EdgeId>> = BTreeMap::new();
        let mut is_above = directory.table(false);
        for (number, edge) in all.iter_enumerated() {
            if let Some(row) = edge.from {
                from.entry(row).or_default().push(number);
            }
            for row in std::iter::once(edge.to).chain(directory.ancestors(edge.to)) {
                is_above[row] = true;
            }
        }
        Self {
            engine,
            all,
            from,
            roles,
            role_types: types.roles,
            is_above,
            is_entangled: is_entangled(engine),
        }
    }

    /// All of them.
    pub fn all(&self) -> &IndexVec<EdgeId, Edge> {
        &self.all
    }

    /// The direct parents of a person that any of them matters to: what is lost without some of them depends
    /// on these alone.
    pub fn leading(&self, person: Row) -> impl Iterator<Item = Row> {
        let directory = self.engine.directory();
        let is_above = |row: Row| self.is_above[row];
        let parents = directory.parents(person);
        parents
            .filter(move |parent| is_above(*parent) || directory.ancestors(*parent).any(is_above))
    }

    /// Those of a person alone, by what they lead into.
    pub fn own(&self, person: Row) -> impl Iterator<Item = (Row, EdgeId)> {
        let numbers = self.from.get(&person).into_iter().flatten();
        numbers.map(|number| (self.all[*number].to, *number))
    }

    /// Those that a person is in, sorted.
    pub fn of_person(&self, person: Row) -> Vec<EdgeId> {
        let above = self.engine.directory().ancestors(person);
        let on_the_way: BTreeSet<Row> = std::iter::once(person).chain(above).collect();
        let steps = on_the_way.iter().filter_map(|row| self.from.get(row));
        let mut numbers: Vec<EdgeId> = steps.flatten().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// The permits that name something that a person is or is in.
    pub fn roles_of(&self, person: Row) -> Vec<&'e Policy> {
        let roles = self.behind(person).filter_map(|row| self.roles.get(&row));
        roles.flatten().copied().collect()
    }

    /// What permits name that something is or is in, each once.
    pub fn roles_at(&self, row: Row) -> impl Iterator<Item = (Row, &[&'e Policy])> {
        let roles = self.behind(row).collect::<BTreeSet<Row>>().into_iter();
        roles.filter_map(|row| Some((row, self.roles.get(&row)?.as_slice())))
    }

    /// An entity and everything it is in.
    pub fn behind(&self, row: Row) -> impl Iterator<Item = Row> {
        std::iter::once(row).chain(self.engine.directory().ancestors(row))
    }

    /// What stands behind an assignment and is of the types of roles, whether or not a permit names it.
    pub fn roles_behind(&self, assignment: Row) -> impl Iterator<Item = Row> {
        let directory = self.engine.directory();
        let above = directory.ancestors(assignment);
        above.filter(|row| self.role_types.contains(directory.type_name(*row)))
    }

    /// What an assignment has in place of a role, with the words of the schema for it.
    pub fn withheld(&self, assignment: Row) -> Vec<(Row, &'e str)> {
        let directory = self.engine.directory();
        let vocabulary = self.engine.bundle().vocabulary();
        let stand_ins = vocabulary.stand_ins(directory.type_name(assignment));
        let of_roles = stand_ins
            .into_iter()
            .filter(|stand_in| self.role_types.contains(stand_in.parent));
        let withheld = of_roles.filter_map(|stand_in| {
            let role = directory.attribute_entity(assignment, stand_in.attribute)?;
            Some((role, stand_in.told.unwrap_or_default()))
        });
        withheld.collect()
    }

    /// What permits name, each with these.
    pub fn roles(&self) -> &BTreeMap<Row, Vec<&'e Policy>> {
        &self.roles
    }

    /// A person as if some of the steps were not there.
    pub fn without(&self, person: Row, edges: &[EdgeId]) -> ast::Entity {
        let directory = self.engine.directory();
        let is_gone = |from: Row, to: Row| {
            let mut gone = edges.iter().map(|number| self.all[*number]);
            gone.any(|edge| (edge.from, edge.to) == (Some(from), to))
        };
        let parents = |from: Row| {
            directory
                .parents(from)
                .filter(move |to| !is_gone(from, *to))
        };
        let direct: BTreeSet<Row> = parents(person).collect();
        let mut kept = direct.clone();
        let mut waiting: VecDeque<Row> = direct.iter().copied().collect();
        while let Some(row) = waiting.pop_front() {
            waiting.extend(parents(row).filter(|above| kept.insert(*above)));
        }
        let uids = |rows: &mut dyn Iterator<Item = &Row>| {
            rows.map(|row| directory.uid(*row).as_ref().clone())
                .collect()
        };
        let entity = directory.entity(person);
        let (uid, attributes, _, _, tags) = entity.as_ref().clone().into_inner();
        ast::Entity::new_with_attr_partial_value(
            uid,
            attributes,
            uids(&mut kept.difference(&direct)),
            uids(&mut direct.iter()),
            tags,
        )
    }
}

/// The permits in force, but for answers to questions.
fn permits(engine: &Engine) -> impl Iterator<Item = &Policy> {
    let bundle = engine.bundle();
    let permits = bundle.in_force(engine.readings());
    permits.filter(|policy| {
        policy.effect() == Effect::Permit && bundle.permissions_of(policy).next().is_some()
    })
}

fn rows<'d>(directory: &'d Directory, type_name: &str) -> impl Iterator<Item = Row> + use<'d> {
    let type_name = type_name.parse::<EntityTypeName>().ok();
    type_name
        .into_iter()
        .flat_map(|name| directory.rows_of(&name))
}

/// The types of entities that have a part in assignments.
struct Types {
    people: BTreeSet<String>,
    roles: BTreeSet<String>,
    /// What stands between people and roles.
    assignments: BTreeSet<String>,
    /// People and their groups.
    holders: BTreeSet<String>,
}

impl Types {
    fn of(engine: &Engine) -> Self {
        let vocabulary = engine.bundle().vocabulary();
        let permissions = || vocabulary.permissions();
        let names =
            |types: &[EntityTypeName]| types.iter().map(ToString::to_string).collect::<Vec<_>>();
        let people: BTreeSet<String> = permissions().flat_map(|of| names(&of.principals)).collect();
        let resources: BTreeSet<String> =
            permissions().flat_map(|of| names(&of.resources)).collect();
        let roles: BTreeSet<String> = permits(engine)
            .filter_map(Policy::principal_anchor)
            .map(|uid| uid.type_name().to_string())
            .collect();
        let is_of_groups = |name: &String| {
            let parents = vocabulary.declared_parents().get(name);
            parents.is_some_and(|parents| parents.contains(name))
        };
        let above_people = above(vocabulary, &people);
        let assignments: BTreeSet<String> = above_people
            .iter()
            .filter(|name| !people.contains(*name) && !is_of_groups(name))
            .filter(|name| {
                let above = above(vocabulary, &BTreeSet::from([(*name).clone()]));
                !above.is_disjoint(&roles)
            })
            .cloned()
            .collect();
        // What a resource may be in as well is left alone: without it the resource would be another.
        let of_resources = above(vocabulary, &resources);
        let holders = people.iter().chain(&above_people);
        let holders = holders.filter(|name| {
            !assignments.contains(*name)
                && !resources.contains(*name)
                && !of_resources.contains(*name)
        });
        Self {
            holders: holders.cloned().collect(),
            people,
            roles,
            assignments,
        }
    }

    /// People and groups of which a policy asks what they are in whoever asks, because it names them or an
    /// attribute of something else does; with everything that they are in.
    fn looked_at(&self, engine: &Engine) -> BTreeSet<Row> {
        let directory = engine.directory();
        let vocabulary = engine.bundle().vocabulary();
        let is_holder = |row: &Row| self.holders.contains(directory.type_name(*row));
        let world = engine.looked_into();
        let named = world
            .iter()
            .map(|entity| EntityUid::from(entity.uid().clone()));
        let named = named.filter_map(|uid| directory.row(&uid));
        let referring = vocabulary
            .type_names()
            .filter(|name| self.refers(vocabulary, name));
        let referred = referring
            .flat_map(|name| rows(directory, name))
            .flat_map(|row| directory.references(row));
        let looked_at: BTreeSet<Row> = named.chain(referred).filter(is_holder).collect();
        let above = looked_at.iter().flat_map(|row| directory.ancestors(*row));
        let above: Vec<Row> = above.collect();
        looked_at.into_iter().chain(above).collect()
    }

    /// Whether attributes of a type or record name people or groups.
    fn refers(&self, vocabulary: &Vocabulary, owner: &str) -> bool {
        let attributes = vocabulary.attributes(owner).into_iter().flatten();
        attributes
            .into_iter()
            .any(|(_, attribute)| match &attribute.kind {
                Kind::Entity(name) => self.holders.contains(name),
                Kind::Record(name) => self.refers(vocabulary, name),
                _ => false,
            })
    }
}

/// The types that entities of some types can be in, directly or not.
fn above(vocabulary: &Vocabulary, types: &BTreeSet<String>) -> BTreeSet<String> {
    let mut above = BTreeSet::new();
    let mut waiting: Vec<&String> = types.iter().collect();
    while let Some(name) = waiting.pop() {
        let parents = vocabulary.declared_parents().get(name);
        for parent in parents.into_iter().flatten() {
            if above.insert(parent.clone()) {
                waiting.push(parent);
            }
        }
    }
    above
}

/// Whether a policy in force compares a resource with what depends on what the principal is in.
fn is_entangled(engine: &Engine) -> bool {
    let mentions = |expression: &ast::Expr, variable: ast::Var| {
        let mut parts = expression.subexpressions();
        parts.any(|part| matches!(part.expr_kind(), ast::ExprKind::Var(var) if *var == variable))
    };
    let asks = |expression: &ast::Expr| {
        let mut parts = expression.subexpressions();
        parts.any(|part| {
            let is_in = matches!(
                part.expr_kind(),
                ast::ExprKind::BinaryApp {
                    op: ast::BinaryOp::In,
                    ..
                }
            );
            is_in && mentions(part, ast::Var::Principal)
        })
    };
    let policies = engine.bundle().in_force(engine.readings());
    let mut conditions = policies.filter_map(|policy| policy.ast().non_scope_constraints());
    conditions.any(|condition| {
        condition
            .subexpressions()
            .any(|part| match part.expr_kind() {
                ast::ExprKind::BinaryApp { arg1, arg2, .. } => {
                    mentions(part, ast::Var::Resource) && (asks(arg1) || asks(arg2))
                }
                _ => false,
            })
    })
}
