//! Classes: entities that policies cannot tell apart.
//!
//! A decision depends on a person and a device only through what the policies look at: the
//! attributes they name, the groups they ask about, and the entities they name by id. Entities that
//! agree in all of that get the same decision in every request, so one of them stands for all.
//!
//! What cannot be followed is taken for seen, so a class may be split without need, but two
//! entities that any policy could tell apart are never in one.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use cedar_policy::EntityUid;
use cedar_policy_core::ast;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::bundle::{Action, Kind, Policy, Vocabulary};
use crate::directory::{Directory, Row};
use crate::engine::Engine;

/// Entities in classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes(Vec<Vec<EntityUid>>);

impl Classes {
    /// The classes of some entities under the policies in force that decide about permissions, in
    /// the order of their first members.
    pub fn of(engine: &Engine, entities: &[EntityUid]) -> Self {
        let vocabulary = engine.bundle().vocabulary();
        let deciding = engine
            .bundle()
            .in_force(engine.readings())
            .filter(|policy| {
                vocabulary
                    .permissions()
                    .any(|action| policy.action_scope().answers(action))
            });
        Self::under(engine, deciding, entities)
    }

    /// The classes of some entities under these policies.
    pub fn under<'p>(
        engine: &Engine,
        policies: impl IntoIterator<Item = &'p Policy>,
        entities: &[EntityUid],
    ) -> Self {
        let mut sight = Sight::default();
        for policy in policies {
            sight.look_through(policy, engine.bundle().vocabulary());
        }
        let looking = Looking::with(&sight, engine);
        let seen: Vec<Seen> = entities.par_iter().map(|uid| looking.at(uid)).collect();
        let mut index: BTreeMap<Seen, usize> = BTreeMap::new();
        let mut classes: Vec<Vec<EntityUid>> = Vec::new();
        for (uid, seen) in entities.iter().zip(seen) {
            let next = classes.len();
            let class = *index.entry(seen).or_insert(next);
            match classes.get_mut(class) {
                Some(members) => members.push(uid.clone()),
                None => classes.push(vec![uid.clone()]),
            }
        }
        Self(classes)
    }

    /// The first of each class.
    pub fn representatives(&self) -> Vec<EntityUid> {
        self.0
            .iter()
            .filter_map(|members| members.first().cloned())
            .collect()
    }

    /// The classes, each in the order of the entities.
    pub fn members(&self) -> &[Vec<EntityUid>] {
        &self.0
    }
}

/// What policies look at.
#[derive(Debug, Default)]
struct Sight {
    /// The names of attributes, whoever has them.
    attributes: BTreeSet<String>,
    /// Those whose values are taken as a whole, records with every field.
    whole: BTreeSet<String>,
    /// The entities that are named.
    literals: BTreeSet<EntityUid>,
    /// The types of which it is asked whether something is in one.
    groups: Groups,
    /// The types whose entities are compared with others.
    compared: BTreeSet<String>,
    /// Whether tags are looked at.
    tags: bool,
}

/// Types of groups.
#[derive(Debug)]
enum Groups {
    Every,
    Of(BTreeSet<String>),
}

impl Default for Groups {
    fn default() -> Self {
        Self::Of(BTreeSet::new())
    }
}

/// What policies see of an entity.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    type_name: String,
    uid: Option<EntityUid>,
    groups: Vec<Row>,
    attributes: BTreeMap<String, String>,
}

/// Looks at entities.
struct Looking<'a> {
    sight: &'a Sight,
    directory: &'a Directory,
    /// The entities that are named.
    literals: HashSet<Row>,
}

/// The types that the variables of a policy have.
struct Scope<'v> {
    vocabulary: &'v Vocabulary,
    principals: BTreeSet<String>,
    resources: BTreeSet<String>,
}

impl Sight {
    fn look_through(&mut self, policy: &Policy, vocabulary: &Vocabulary) {
        self.literals.extend(policy.named_entities());
        let mut scope = Scope {
            vocabulary,
            principals: BTreeSet::new(),
            resources: BTreeSet::new(),
        };
        let actions = vocabulary.permissions().chain(vocabulary.questions());
        for action in actions.filter(|action| policy.action_scope().answers(action)) {
            scope.add(action);
        }
        if let Some(condition) = policy.ast().non_scope_constraints() {
            self.look(condition, &scope);
        }
    }

    /// Notes what an expression looks at; the expression itself is taken as a value.
    fn look(&mut self, expression: &ast::Expr, scope: &Scope<'_>) {
        match expression.expr_kind() {
            ast::ExprKind::Var(_) => match scope.types(expression) {
                Some(types) => self.compared.extend(types),
                None => self.compared.extend(scope.everything()),
            },
            ast::ExprKind::GetAttr { attr, .. } => {
                self.whole.insert(attr.to_string());
                self.look_into(expression, scope);
            }
            ast::ExprKind::HasAttr { expr, attr } => {
                self.attributes.insert(attr.to_string());
                self.look_into(expr, scope);
            }
            ast::ExprKind::ExtHasAttr { expr, attrs } => {
                self.attributes
                    .extend(attrs.iter().map(ToString::to_string));
                self.look_into(expr, scope);
            }
            ast::ExprKind::Is { expr, .. } => self.look_into(expr, scope),
            ast::ExprKind::BinaryApp { op, arg1, arg2 } => {
                match op {
                    ast::BinaryOp::In => {
                        self.look_into(arg1, scope);
                        match scope.types(arg2) {
                            Some(types) => self.add_groups(types),
                            None => self.groups = Groups::Every,
                        }
                    }
                    ast::BinaryOp::GetTag | ast::BinaryOp::HasTag => {
                        self.tags = true;
                        self.look_into(arg1, scope);
                    }
                    _ => self.look(arg1, scope),
                }
                self.look(arg2, scope);
            }
            ast::ExprKind::Lit(_) | ast::ExprKind::Slot(_) | ast::ExprKind::Unknown(_) => {}
            ast::ExprKind::If {
                test_expr,
                then_expr,
                else_expr,
            } => {
                self.look(test_expr, scope);
                self.look(then_expr, scope);
                self.look(else_expr, scope);
            }
            ast::ExprKind::And { left, right } | ast::ExprKind::Or { left, right } => {
                self.look(left, scope);
                self.look(right, scope);
            }
            ast::ExprKind::UnaryApp { arg, .. } => self.look(arg, scope),
            ast::ExprKind::Like { expr, .. } => self.look(expr, scope),
            ast::ExprKind::ExtensionFunctionApp { args, .. } => {
                args.iter().for_each(|part| self.look(part, scope));
            }
            ast::ExprKind::Set(elements) => {
                elements.iter().for_each(|part| self.look(part, scope));
            }
            ast::ExprKind::Record(fields) => {
                fields.values().for_each(|part| self.look(part, scope));
            }
        }
    }

    /// Notes what an expression looks at that is not compared itself.
    fn look_into(&mut self, expression: &ast::Expr, scope: &Scope<'_>) {
        match expression.expr_kind() {
            ast::ExprKind::Var(_) => {}
            ast::ExprKind::GetAttr { expr, attr } => {
                self.attributes.insert(attr.to_string());
                self.look_into(expr, scope);
            }
            _ => self.look(expression, scope),
        }
    }

    fn add_groups(&mut self, types: BTreeSet<String>) {
        if let Groups::Of(known) = &mut self.groups {
            known.extend(types);
        }
    }

    /// Whether it is asked whether something is in one of a type.
    fn is_group(&self, type_name: &str) -> bool {
        match &self.groups {
            Groups::Every => true,
            Groups::Of(types) => types.contains(type_name),
        }
    }

    /// What is seen of the value of an attribute.
    fn seen(&self, name: &str, value: &ast::PartialValue) -> String {
        match value {
            ast::PartialValue::Value(value) => self.part(self.whole.contains(name), value),
            ast::PartialValue::Residual(residual) => residual.to_string(),
        }
    }

    /// A value as text; of a record that is not taken as a whole only the fields that are looked at.
    fn part(&self, is_whole: bool, value: &ast::Value) -> String {
        match value.value_kind() {
            ast::ValueKind::Record(fields) => fields
                .iter()
                .filter(|(name, _)| is_whole || self.attributes.contains(name.as_str()))
                .map(|(name, value)| {
                    let is_whole = is_whole || self.whole.contains(name.as_str());
                    format!("{name}: {};", self.part(is_whole, value))
                })
                .collect(),
            ast::ValueKind::Set(set) => {
                let elements: BTreeSet<String> = set.iter().map(ToString::to_string).collect();
                elements.into_iter().map(|element| element + ",").collect()
            }
            _ => value.to_string(),
        }
    }
}

impl<'a> Looking<'a> {
    fn with(sight: &'a Sight, engine: &'a Engine) -> Self {
        let directory = engine.directory();
        let literals = sight.literals.iter();
        Self {
            sight,
            directory,
            literals: literals.filter_map(|uid| directory.row(uid)).collect(),
        }
    }

    /// What is seen of an entity.
    fn at(&self, uid: &EntityUid) -> Seen {
        let Self {
            sight, directory, ..
        } = self;
        let type_name = uid.type_name().to_string();
        // Everything is in itself.
        let is_known = sight.is_group(&type_name)
            || sight.compared.contains(&type_name)
            || sight.literals.contains(uid);
        let row = directory.row(uid);
        let ancestors = row.into_iter().flat_map(|row| directory.ancestors(row));
        let mut groups: Vec<Row> = ancestors
            .filter(|group| {
                self.literals.contains(group) || sight.is_group(directory.type_name(*group))
            })
            .collect();
        groups.sort_unstable();
        let mut attributes = BTreeMap::new();
        if let Some(row) = row.filter(|row| directory.is_defined(*row)) {
            let entity = directory.entity(row);
            for (name, value) in entity.attrs() {
                if sight.attributes.contains(name.as_str()) {
                    attributes.insert(name.to_string(), sight.seen(name, value));
                }
            }
            if sight.tags {
                for (name, value) in entity.tags() {
                    attributes.insert(format!("{name} of tags"), value.to_string());
                }
            }
        }
        Seen {
            uid: is_known.then(|| uid.clone()),
            type_name,
            groups,
            attributes,
        }
    }
}

impl Scope<'_> {
    fn add(&mut self, action: &Action) {
        self.principals
            .extend(action.principals.iter().map(ToString::to_string));
        self.resources
            .extend(action.resources.iter().map(ToString::to_string));
    }

    fn everything(&self) -> impl Iterator<Item = String> {
        self.principals.iter().chain(&self.resources).cloned()
    }

    /// The types of the entities that an expression can be, or of the elements of the set; `None`
    /// where that cannot be followed.
    fn types(&self, expression: &ast::Expr) -> Option<BTreeSet<String>> {
        self.kinds(expression)?
            .iter()
            .map(|kind| kind.entity_type().map(str::to_owned))
            .collect()
    }

    fn kinds(&self, expression: &ast::Expr) -> Option<Vec<Kind>> {
        let entities = |types: &BTreeSet<String>| types.iter().cloned().map(Kind::Entity).collect();
        match expression.expr_kind() {
            ast::ExprKind::Var(ast::Var::Principal) => Some(entities(&self.principals)),
            ast::ExprKind::Var(ast::Var::Resource) => Some(entities(&self.resources)),
            ast::ExprKind::Lit(ast::Literal::EntityUID(uid)) => {
                Some(vec![Kind::Entity(uid.entity_type().to_string())])
            }
            ast::ExprKind::Set(elements) => {
                let mut all = Vec::new();
                for element in elements.iter() {
                    all.extend(self.kinds(element)?);
                }
                Some(all)
            }
            ast::ExprKind::GetAttr { expr, attr } => {
                // Of the types that a variable can be, those without the attribute are out.
                let kinds: Vec<Kind> = self
                    .kinds(expr)?
                    .iter()
                    .filter_map(|kind| match kind {
                        Kind::Entity(owner) | Kind::Record(owner) => {
                            self.vocabulary.attributes(owner)
                        }
                        _ => None,
                    })
                    .filter_map(|attributes| Some(attributes.get(attr.as_str())?.kind.clone()))
                    .collect();
                (!kinds.is_empty()).then_some(kinds)
            }
            _ => None,
        }
    }
}
