//! The types of role assignments, by the schema and the policies in force.
//!
//! A type is one of roles if permits ask the principal to be in its entities. A type between people and roles is one
//! of assignments, unless its entities can be in each other, as groups can.

use std::collections::BTreeSet;

use cedar_policy::{Effect, EntityTypeName, EntityUid};
use cedar_policy_core::ast;

use tarbac_host::bundle::{Kind, Policy, Vocabulary};
use tarbac_host::engine::Engine;
use tarbac_store::{Directory, Row};

/// The permits in force, without those that answer questions.
pub(super) fn permits(engine: &Engine) -> impl Iterator<Item = &Policy> {
    let bundle = engine.bundle();
    let permits = bundle.in_force(engine.readings());
    permits.filter(|policy| {
        policy.effect() == Effect::Permit && bundle.permissions_of(policy).next().is_some()
    })
}

pub(super) fn rows<'d>(
    directory: &'d Directory,
    type_name: &str,
) -> impl Iterator<Item = Row> + use<'d> {
    let type_name = type_name.parse::<EntityTypeName>().ok();
    type_name
        .into_iter()
        .flat_map(|name| directory.rows_of(&name))
}

/// The types of entities in chains from people to roles.
pub(super) struct AssignmentTypes {
    pub(super) people: BTreeSet<String>,
    pub(super) roles: BTreeSet<String>,
    /// Types between people and roles.
    pub(super) assignments: BTreeSet<String>,
    /// People and their groups.
    pub(super) holders: BTreeSet<String>,
}

impl AssignmentTypes {
    pub(super) fn new(engine: &Engine) -> Self {
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
        // Groups that resources can be in too are left out: taking a person out could change the resource.
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

    /// People and groups whose own memberships policies read, because a policy or an attribute names them, with all of
    /// their groups.
    pub(super) fn named_by_policies(&self, engine: &Engine) -> BTreeSet<Row> {
        let directory = engine.directory();
        let vocabulary = engine.bundle().vocabulary();
        let is_holder = |row: &Row| self.holders.contains(directory.type_name(*row));
        let slice = engine.looked_into();
        let named = slice
            .iter()
            .map(|entity| EntityUid::from(entity.uid().clone()));
        let named = named.filter_map(|uid| directory.row(&uid));
        let referring = vocabulary
            .type_names()
            .filter(|name| self.refers(vocabulary, name));
        let referred = referring
            .flat_map(|name| rows(directory, name))
            .flat_map(|row| directory.references(row));
        let named: BTreeSet<Row> = named.chain(referred).filter(is_holder).collect();
        let above = named.iter().flat_map(|row| directory.ancestors(*row));
        let above: Vec<Row> = above.collect();
        named.into_iter().chain(above).collect()
    }

    /// Whether attributes of a type or record have people or groups as values.
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

/// The types that entities of some types can be in, directly or through others.
fn above(vocabulary: &Vocabulary, types: &BTreeSet<String>) -> BTreeSet<String> {
    let mut above = BTreeSet::new();
    let mut open: Vec<&String> = types.iter().collect();
    while let Some(name) = open.pop() {
        let parents = vocabulary.declared_parents().get(name);
        for parent in parents.into_iter().flatten() {
            if above.insert(parent.clone()) {
                open.push(parent);
            }
        }
    }
    above
}

/// Whether a policy in force compares the resource with a value that depends on memberships of the principal.
pub(super) fn is_entangled(engine: &Engine) -> bool {
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
