//! Role assignments and their direct members.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cedar_policy_core::ast;
use schemars::JsonSchema;
use serde::Serialize;
use strum::AsRefStr;

use super::assignment_types::{AssignmentTypes, is_entangled, permits, rows};
use crate::explain::Named;
use crate::wire;
use tarbac_host::bundle::Policy;
use tarbac_host::engine::Engine;
use tarbac_store::Row;
use tarbac_store::index::IndexVec;
use tarbac_store::index_type;

/// A role assignment with one direct member, or a role with a direct member that is no assignment.
///
/// An assignment *gives nothing* if the permits of the roles behind it allow nobody anything, and if every decision about
/// every person stays the same without it: without it alone, and without all assignments that give nothing at once. If
/// only the decisions without it alone stay the same, it *repeats* others.
///
/// Two kinds of assignments have their effect at another time. In some, an account is refused because of its state
/// (`@accounts`, as a disabled one), and the effect comes back with the account. Into others, people can activate a
/// membership (`@activate`).
///
/// An assignment is therefore not redundant if it allows nothing by itself, but Configuration Manager would refuse a
/// person without it. Nor is one judged if a decision about a person in it is indeterminate, or if its members are not
/// all known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Assignment {
    /// The kind of redundancy.
    #[serde(rename = "gives")]
    pub redundancy: Redundancy,
    /// The direct member: a person or a group; `None` for an assignment without members.
    pub from: Option<Named>,
    /// The assignment, or the role if the member is in it directly.
    pub to: Named,
    /// The roles behind it.
    pub roles: Vec<Named>,
    /// The number of people who are in it through the member.
    pub people: u64,
    /// The permits in force that name it or a role behind it.
    pub policies: Vec<String>,
    /// The policies that refuse permissions that it grants, each with the number of decisions, most first.
    #[serde(serialize_with = "wire::reasons")]
    #[schemars(with = "Vec<wire::ReasonCount<'_>>")]
    pub reasons: Vec<(String, u64)>,
    /// The words of the schema for a withheld role.
    #[serde(skip)]
    pub told: Option<String>,
}

/// The redundancy of an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, AsRefStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Redundancy {
    /// It gives nothing.
    Nothing,
    /// Others give the same.
    Repeats,
    /// It gives nothing here: an attribute stands in place of its role.
    Withheld,
    /// It gives nothing more now, and may again: accounts in it are refused because of their state, or people can
    /// activate a membership in it.
    Suspended,
}

index_type! {
    /// A direct membership in an assignment or a role.
    pub(super) struct EdgeId;
}

/// A direct membership in an assignment or a role.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    /// A person or a group; `None` for an assignment without members.
    pub(super) from: Option<Row>,
    pub(super) to: Row,
    /// Whether a policy or an attribute names `from`, so that any decision may depend on its memberships.
    pub(super) is_named: bool,
    /// Whether the members of `from` or `to` are not all known, so that the assignment cannot be judged.
    pub(super) is_unlisted: bool,
}

/// All direct memberships in assignments and roles.
pub(super) struct Assignments<'e> {
    engine: &'e Engine,
    all: IndexVec<EdgeId, Edge>,
    /// The memberships of each member.
    from: BTreeMap<Row, Vec<EdgeId>>,
    /// The entities that permits in force name as principals or groups of principals, with these permits.
    roles: BTreeMap<Row, Vec<&'e Policy>>,
    /// The types of these entities.
    role_types: BTreeSet<String>,
    /// By row, whether it is an assignment or role, or contains one.
    is_above: IndexVec<Row, bool>,
    /// Whether a policy compares the resource with a value that depends on memberships of the principal.
    pub(super) is_entangled: bool,
}

impl<'e> Assignments<'e> {
    /// The memberships in the directory of an engine.
    pub(super) fn new(engine: &'e Engine) -> Self {
        let directory = engine.directory();
        let types = AssignmentTypes::new(engine);
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
        let named = types.named_by_policies(engine);
        let unlisted = engine.unlisted();
        let mut all: IndexVec<EdgeId, Edge> = IndexVec::new();
        let mut entered = BTreeSet::new();
        for from in types.holders.iter().flat_map(|name| rows(directory, name)) {
            for to in directory.parents(from).filter(|to| is_to(*to)) {
                entered.insert(to);
                all.push(Edge {
                    from: Some(from),
                    to,
                    is_named: named.contains(&from),
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
                is_named: false,
                is_unlisted: unlisted.contains(&to),
            }));
        let mut from: BTreeMap<Row, Vec<EdgeId>> = BTreeMap::new();
        let mut is_above = directory.table(false);
        for (id, edge) in all.iter_enumerated() {
            if let Some(row) = edge.from {
                from.entry(row).or_default().push(id);
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

    /// All direct memberships.
    pub(super) fn all(&self) -> &IndexVec<EdgeId, Edge> {
        &self.all
    }

    /// The parents of a person that are assignments or roles, or contain or are in one. The effect of removing
    /// assignments depends on these parents alone.
    pub(super) fn leading(&self, person: Row) -> impl Iterator<Item = Row> {
        let directory = self.engine.directory();
        let is_above = |row: Row| self.is_above[row];
        let parents = directory.parents(person);
        parents
            .filter(move |parent| is_above(*parent) || directory.ancestors(*parent).any(is_above))
    }

    /// The memberships of a person other than those through groups, each with its assignment or role.
    pub(super) fn own(&self, person: Row) -> impl Iterator<Item = (Row, EdgeId)> {
        let ids = self.from.get(&person).into_iter().flatten();
        ids.map(|id| (self.all[*id].to, *id))
    }

    /// The memberships of a person and of the groups of the person, sorted.
    pub(super) fn of_person(&self, person: Row) -> Vec<EdgeId> {
        let above = self.engine.directory().ancestors(person);
        let on_the_way: BTreeSet<Row> = std::iter::once(person).chain(above).collect();
        let steps = on_the_way.iter().filter_map(|row| self.from.get(row));
        let mut ids: Vec<EdgeId> = steps.flatten().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// The permits that name a person or a group of the person.
    pub(super) fn roles_of(&self, person: Row) -> Vec<&'e Policy> {
        let roles = self.behind(person).filter_map(|row| self.roles.get(&row));
        roles.flatten().copied().collect()
    }

    /// The entities that permits name, out of an entity and its groups; each once, with these permits.
    pub(super) fn roles_at(&self, row: Row) -> impl Iterator<Item = (Row, &[&'e Policy])> {
        let roles = self.behind(row).collect::<BTreeSet<Row>>().into_iter();
        roles.filter_map(|row| Some((row, self.roles.get(&row)?.as_slice())))
    }

    /// An entity and its groups.
    pub(super) fn behind(&self, row: Row) -> impl Iterator<Item = Row> {
        std::iter::once(row).chain(self.engine.directory().ancestors(row))
    }

    /// The groups of an assignment whose type is one of roles, whether or not a permit names them.
    pub(super) fn roles_behind(&self, assignment: Row) -> impl Iterator<Item = Row> {
        let directory = self.engine.directory();
        let above = directory.ancestors(assignment);
        above.filter(|row| self.role_types.contains(directory.type_name(*row)))
    }

    /// The withheld roles of an assignment: values of attributes in place of a role, with the words of the schema.
    pub(super) fn withheld(&self, assignment: Row) -> Vec<(Row, &'e str)> {
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

    /// The entities that permits name, with these permits.
    pub(super) fn roles(&self) -> &BTreeMap<Row, Vec<&'e Policy>> {
        &self.roles
    }

    /// The entity of a person without some memberships.
    pub(super) fn without(&self, person: Row, edges: &[EdgeId]) -> ast::Entity {
        let directory = self.engine.directory();
        let is_gone = |from: Row, to: Row| {
            let mut gone = edges.iter().map(|id| self.all[*id]);
            gone.any(|edge| (edge.from, edge.to) == (Some(from), to))
        };
        let parents = |from: Row| {
            directory
                .parents(from)
                .filter(move |to| !is_gone(from, *to))
        };
        let direct: BTreeSet<Row> = parents(person).collect();
        let mut kept = direct.clone();
        let mut open: VecDeque<Row> = direct.iter().copied().collect();
        while let Some(row) = open.pop_front() {
            open.extend(parents(row).filter(|above| kept.insert(*above)));
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
