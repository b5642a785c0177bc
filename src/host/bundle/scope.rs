//! The types of expressions in a policy, by the schema.

use std::collections::BTreeSet;

use cedar_policy_core::ast;

use super::policy::Policy;
use super::vocabulary::{Action, Kind, QUESTION_CONTEXT, Vocabulary};

/// The possible types of the variables in a policy.
#[derive(Debug)]
pub struct Scope<'v> {
    vocabulary: &'v Vocabulary,
    principals: BTreeSet<String>,
    resources: BTreeSet<String>,
    /// Whether the policy answers a question, whose context has the resource of the request behind it.
    is_question: bool,
}

impl<'v> Scope<'v> {
    /// The types of the actions that a policy is evaluated for.
    pub fn for_policy(policy: &Policy, vocabulary: &'v Vocabulary) -> Self {
        Self::of(vocabulary, |action| policy.action_scope().answers(action))
    }

    /// The types of all actions.
    pub fn of_all(vocabulary: &'v Vocabulary) -> Self {
        Self::of(vocabulary, |_| true)
    }

    fn of(vocabulary: &'v Vocabulary, is_asked: impl Fn(&Action) -> bool) -> Self {
        let actions = vocabulary.permissions().chain(vocabulary.questions());
        let actions = actions.filter(|action| is_asked(action));
        let mut scope = Self {
            vocabulary,
            principals: BTreeSet::new(),
            resources: BTreeSet::new(),
            is_question: false,
        };
        actions.for_each(|action| scope.add(action));
        scope
    }

    fn add(&mut self, action: &Action) {
        self.principals
            .extend(action.principals.iter().map(ToString::to_string));
        self.resources
            .extend(action.resources.iter().map(ToString::to_string));
        self.is_question |= action.is_question();
    }

    /// The types of principals and resources.
    pub fn everything(&self) -> impl Iterator<Item = String> {
        self.principals.iter().chain(&self.resources).cloned()
    }

    /// The possible entity types of an expression, or of the elements of a set; `None` if they cannot be determined.
    pub fn types(&self, expression: &ast::Expr) -> Option<BTreeSet<String>> {
        self.kinds(expression)?
            .iter()
            .map(|kind| kind.entity_type().map(str::to_owned))
            .collect()
    }

    /// Whether every value of an expression is a Bool, a Long, a String or an entity.
    pub fn is_scalar(&self, expression: &ast::Expr) -> bool {
        let is_scalar = |kind: &Kind| {
            matches!(
                kind,
                Kind::Bool | Kind::Long | Kind::String | Kind::Entity(_)
            )
        };
        let kinds = self.kinds(expression);
        kinds.is_some_and(|kinds| kinds.iter().all(is_scalar))
    }

    /// The possible types of an expression that have an attribute; empty if they cannot be determined.
    pub fn owners(&self, expression: &ast::Expr, attribute: &str) -> BTreeSet<String> {
        let kinds = self.kinds(expression).into_iter().flatten();
        let named = kinds.filter_map(|kind| kind.named().map(str::to_owned));
        let has = |owner: &String| {
            let attributes = self.vocabulary.attributes(owner);
            attributes.is_some_and(|attributes| attributes.contains_key(attribute))
        };
        named.filter(has).collect()
    }

    /// The types that an expression may have of those that have an attribute: all of these if its types cannot be
    /// determined, as of a value of the context.
    pub fn possible_owners(&self, expression: &ast::Expr, attribute: &str) -> BTreeSet<String> {
        if self.kinds(expression).is_some() {
            return self.owners(expression, attribute);
        }
        let all = self.vocabulary.all_attributes().iter();
        let having = all.filter(|(_, attributes)| attributes.contains_key(attribute));
        having.map(|(owner, _)| owner.clone()).collect()
    }

    fn kinds(&self, expression: &ast::Expr) -> Option<Vec<Kind>> {
        let entities = |types: &BTreeSet<String>| types.iter().cloned().map(Kind::Entity).collect();
        match expression.expr_kind() {
            ast::ExprKind::Var(ast::Var::Principal) => Some(entities(&self.principals)),
            ast::ExprKind::Var(ast::Var::Resource) => Some(entities(&self.resources)),
            ast::ExprKind::Var(ast::Var::Context) if self.is_question => {
                Some(vec![Kind::Record(QUESTION_CONTEXT.to_owned())])
            }
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
            ast::ExprKind::If {
                then_expr,
                else_expr,
                ..
            } => {
                let mut all = self.kinds(then_expr)?;
                all.extend(self.kinds(else_expr)?);
                Some(all)
            }
            ast::ExprKind::GetAttr { expr, attr } => {
                if let Some(values) = written_out(expr, attr) {
                    let kinds = values.into_iter().map(|value| self.kinds(value));
                    return Some(kinds.collect::<Option<Vec<_>>>()?.concat());
                }
                // The types of a variable without the attribute are left out.
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

/// The possible values of a field in a record literal, or in record literals in the branches of a conditional.
pub(crate) fn written_out<'e>(record: &'e ast::Expr, field: &str) -> Option<Vec<&'e ast::Expr>> {
    match record.expr_kind() {
        ast::ExprKind::Record(fields) => Some(fields.get(field).into_iter().collect()),
        ast::ExprKind::If {
            then_expr,
            else_expr,
            ..
        } => {
            let mut values = written_out(then_expr, field)?;
            values.extend(written_out(else_expr, field)?);
            Some(values)
        }
        _ => None,
    }
}
