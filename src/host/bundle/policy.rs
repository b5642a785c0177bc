//! A policy with its place and annotations.

use std::collections::BTreeMap;

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast;

use super::vocabulary::Action;
use tarbac_diagnostic::source::Place;

pub use cedar_policy::Effect;

/// A policy of a bundle: a static policy, or a linked template.
#[derive(Debug, Clone)]
pub struct Policy {
    ast: ast::Policy,
    /// The form that is evaluated, if it is another than the written one.
    evaluated: Option<ast::Policy>,
    id: String,
    annotations: BTreeMap<String, String>,
    place: Place,
    shipped: bool,
    /// Whether the annotations other than [`WORDS`] have an effect.
    has_meaning: bool,
}

/// The annotations that are texts for a reader.
const WORDS: [&str; 5] = ["advice", "doc", "id", "message", "source"];

/// Whether an annotation is a text for a reader.
pub(super) fn is_for_readers(key: &str) -> bool {
    WORDS.contains(&key)
}

/// The actions in the scope of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionScope {
    /// No action is named: every action.
    Any,
    /// `==`: this action; if it is a group, not its members.
    Is(EntityUid),
    /// `in`: these actions and the members of these action groups.
    In(Vec<EntityUid>),
}

impl ActionScope {
    /// Whether a policy with this scope is evaluated for an action: a permission that it covers, or a question that it
    /// names.
    pub fn answers(&self, action: &Action) -> bool {
        self.covers(action) && !(action.is_question() && *self == Self::Any)
    }

    /// Whether the scope contains an action, by itself or through a group.
    pub fn covers(&self, action: &Action) -> bool {
        match self {
            Self::Any => true,
            Self::Is(named) => *named == action.uid,
            Self::In(named) => {
                named.contains(&action.uid)
                    || action.groups.iter().any(|group| named.contains(group))
            }
        }
    }
}

impl Policy {
    pub(super) fn new(ast: ast::Policy, place: Place, shipped: bool) -> Self {
        let annotations = ast
            .annotations()
            .map(|(key, value)| (key.to_string(), value.val.to_string()))
            .collect();
        Self {
            id: ast.id().to_string(),
            ast,
            evaluated: None,
            annotations,
            place,
            shipped,
            has_meaning: true,
        }
    }

    /// Makes annotations other than [`WORDS`] ineffective, unless the policy ships. Without questions in the schema,
    /// or without a schema, their author meant something else, and the policy is in force as Cedar has it.
    pub(super) fn mean_nothing(&mut self) {
        self.has_meaning = self.shipped;
    }

    /// The policy with another body, and the same id, annotations and place.
    #[must_use]
    pub fn with_body(&self, body: ast::Policy) -> Self {
        let mut policy = self.clone();
        policy.ast = body;
        policy.evaluated = None;
        policy
    }

    /// The policy, evaluated in another form.
    #[must_use]
    pub(super) fn evaluated_as(&self, evaluated: Option<ast::Policy>) -> Self {
        Self {
            evaluated,
            ..self.clone()
        }
    }

    /// The id: its `@id`, or the id of the link.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Permit or forbid.
    pub fn effect(&self) -> Effect {
        self.ast.effect()
    }

    /// The value of an annotation, if it has an effect or is a text for a reader.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        let means = self.has_meaning || is_for_readers(key);
        self.annotations
            .get(key)
            .filter(|_| means)
            .map(String::as_str)
    }

    /// All annotations, by key.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// The meaning in one sentence: `@doc`.
    pub fn doc(&self) -> Option<&str> {
        self.annotation("doc")
    }

    /// The document that the policy comes from: `@source`.
    pub fn source(&self) -> Option<&str> {
        self.annotation("source")
    }

    /// The message of the admin center: `@message`.
    pub fn message(&self) -> Option<&str> {
        self.annotation("message")
    }

    /// The advice to a refused person: `@advice`.
    pub fn advice(&self) -> Option<&str> {
        self.annotation("advice")
    }

    /// The reason why a person should deal with this refusal first: `@first`.
    pub fn first(&self) -> Option<&str> {
        self.annotation("first")
    }

    /// The guardrail that the policy belongs to: `@guardrail`.
    pub fn guardrail(&self) -> Option<&str> {
        self.annotation("guardrail")
    }

    /// Further resources of the guardrail: `@guards`.
    pub fn guards(&self) -> Option<&str> {
        self.annotation("guards")
    }

    /// The name of its reading, and whether the policy is in force if that is on.
    pub fn reading(&self) -> Option<(&str, bool)> {
        let name = self.annotation("reading")?;
        Some((name, self.annotation("holds") != Some("off")))
    }

    /// Whether the policy is in force with these readings on.
    pub fn holds_under(&self, on: &[String]) -> bool {
        self.reading()
            .is_none_or(|(name, holds)| on.iter().any(|reading| reading == name) == holds)
    }

    /// The place, from the first annotation to the semicolon.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Whether the policy stands in a file that ships with this version, unchanged.
    pub fn is_shipped(&self) -> bool {
        self.shipped
    }

    /// The syntax tree that Cedar evaluates.
    pub fn ast(&self) -> &ast::Policy {
        self.evaluated.as_ref().unwrap_or(&self.ast)
    }

    /// The syntax tree of the text. The evaluated one differs where the policy must not decide by values that are not
    /// known.
    pub fn written(&self) -> &ast::Policy {
        &self.ast
    }

    /// The actions in the scope.
    pub fn action_scope(&self) -> ActionScope {
        match self.ast.action_constraint() {
            ast::ActionConstraint::Any => ActionScope::Any,
            ast::ActionConstraint::Eq(uid) => {
                ActionScope::Is(EntityUid::from(uid.as_ref().clone()))
            }
            constraint => ActionScope::In(
                constraint
                    .iter_euids()
                    .map(|uid| EntityUid::from(uid.clone()))
                    .collect(),
            ),
        }
    }

    /// Whether the policy can apply to a request of an action, by the types in its scope.
    pub fn may_apply_to(&self, action: &Action) -> bool {
        self.may_apply_among(action, &action.principals, &action.resources)
    }

    /// Whether the policy can apply to a request of an action with some of its types.
    pub fn may_apply_among(
        &self,
        action: &Action,
        principals: &[EntityTypeName],
        resources: &[EntityTypeName],
    ) -> bool {
        let principal = self.ast.principal_constraint();
        let resource = self.ast.resource_constraint();
        self.action_scope().answers(action)
            && is_of_one(principal.as_inner(), principals)
            && is_of_one(resource.as_inner(), resources)
    }

    /// The entity that the principal must be or be in, by the scope.
    pub fn principal_anchor(&self) -> Option<EntityUid> {
        anchor(self.ast.principal_constraint().as_inner())
    }

    /// The entity that the resource must be or be in, by the scope.
    pub fn resource_anchor(&self) -> Option<EntityUid> {
        anchor(self.ast.resource_constraint().as_inner())
    }

    /// Whether the policy has clauses.
    pub fn has_conditions(&self) -> bool {
        self.ast.non_scope_constraints().is_some()
    }

    /// Whether a clause reads one of these variables.
    pub fn reads(&self, variables: &[ast::Var]) -> bool {
        let clauses = self.ast.non_scope_constraints();
        let mut parts = clauses.into_iter().flat_map(ast::Expr::subexpressions);
        parts.any(
            |part| matches!(part.expr_kind(), ast::ExprKind::Var(var) if variables.contains(var)),
        )
    }

    /// Whether the policy applies to every principal and resource: the scope names no entity, and the conditions are
    /// obviously true.
    pub fn is_unconditional(&self) -> bool {
        let names_none = self.principal_anchor().is_none() && self.resource_anchor().is_none();
        let is_true = |condition: &ast::Expr| is_constant(condition) == Some(true);
        names_none && self.ast.non_scope_constraints().is_none_or(is_true)
    }

    /// Whether the policy never applies: the conditions are obviously false.
    pub fn is_void(&self) -> bool {
        let condition = self.ast.non_scope_constraints();
        condition.is_some_and(|condition| is_constant(condition) == Some(false))
    }

    /// The entities in scope and conditions, except actions.
    pub fn named_entities(&self) -> impl Iterator<Item = EntityUid> {
        let condition = self.ast.condition();
        let named: Vec<EntityUid> = condition
            .subexpressions()
            .filter_map(|expression| match expression.expr_kind() {
                ast::ExprKind::Lit(ast::Literal::EntityUID(uid)) if !uid.is_action() => {
                    Some(EntityUid::from(uid.as_ref().clone()))
                }
                _ => None,
            })
            .chain(self.principal_anchor())
            .chain(self.resource_anchor())
            .collect();
        named.into_iter()
    }
}

/// The value of a condition that is obviously the same for every request.
pub(super) fn is_constant(condition: &ast::Expr) -> Option<bool> {
    match condition.expr_kind() {
        ast::ExprKind::Lit(ast::Literal::Bool(value)) => Some(*value),
        ast::ExprKind::UnaryApp {
            op: ast::UnaryOp::Not,
            arg,
        } => is_constant(arg).map(|value| !value),
        ast::ExprKind::And { left, right } => match (is_constant(left), is_constant(right)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (one, other) => Some(one? && other?),
        },
        ast::ExprKind::Or { left, right } => match (is_constant(left), is_constant(right)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (one, other) => Some(one? || other?),
        },
        // Anything equals itself.
        ast::ExprKind::BinaryApp {
            op: ast::BinaryOp::Eq | ast::BinaryOp::In,
            arg1,
            arg2,
        } if arg1.eq_shape(arg2) => Some(true),
        _ => None,
    }
}

fn is_of_one(constraint: &ast::PrincipalOrResourceConstraint, types: &[EntityTypeName]) -> bool {
    match constraint {
        ast::PrincipalOrResourceConstraint::Is(wanted)
        | ast::PrincipalOrResourceConstraint::IsIn(wanted, _) => types.iter().any(|known| {
            let known: &ast::EntityType = known.as_ref();
            known == wanted.as_ref()
        }),
        _ => true,
    }
}

fn anchor(constraint: &ast::PrincipalOrResourceConstraint) -> Option<EntityUid> {
    constraint
        .get_euid()
        .map(|uid| EntityUid::from(uid.as_ref().clone()))
}
