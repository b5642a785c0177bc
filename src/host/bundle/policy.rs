//! One policy with its place and annotations.

use std::collections::BTreeMap;

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast;

use super::vocabulary::Action;
use tarbac_diagnostic::source::Place;

pub use cedar_policy::Effect;

/// A policy of a bundle: a static policy, or a template that was linked.
#[derive(Debug, Clone)]
pub struct Policy {
    ast: ast::Policy,
    id: String,
    annotations: BTreeMap<String, String>,
    place: Place,
    shipped: bool,
    /// Whether an annotation means anything beside its words.
    has_meaning: bool,
}

/// The annotations that are words for a reader, and decide nothing.
const WORDS: [&str; 5] = ["advice", "doc", "id", "message", "source"];

/// The actions that the scope of a policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionScope {
    /// No action is named: every action.
    Any,
    /// `==`: this action, and nothing of which it is the group.
    Is(EntityUid),
    /// `in`: these actions and the members of these action groups.
    In(Vec<EntityUid>),
}

impl ActionScope {
    /// Whether a policy of this scope is asked about an action: a permission that it covers, or a
    /// question that it names.
    pub fn answers(&self, action: &Action) -> bool {
        self.covers(action) && !(action.is_question() && *self == Self::Any)
    }

    /// Whether an action is one of these, or in one of these groups.
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
            annotations,
            place,
            shipped,
            has_meaning: true,
        }
    }

    /// Takes annotations for words alone, unless it ships: under a schema that asks none of our questions, or under
    /// none, whoever wrote them meant something else, and the policy is in force as Cedar has it.
    pub(super) fn mean_nothing(&mut self) {
        self.has_meaning = self.shipped;
    }

    /// The policy with another body under the same id, annotations and place.
    #[must_use]
    pub fn with_body(&self, body: ast::Policy) -> Self {
        let mut policy = self.clone();
        policy.ast = body;
        policy
    }

    /// The id: its `@id`, or the id of the link.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether it permits or forbids.
    pub fn effect(&self) -> Effect {
        self.ast.effect()
    }

    /// An annotation by its key, where it means what it does in policies of ours.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        let means = self.has_meaning || WORDS.contains(&key);
        self.annotations
            .get(key)
            .filter(|_| means)
            .map(String::as_str)
    }

    /// All annotations, by key.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// What it says, in one sentence: its `@doc`.
    pub fn doc(&self) -> Option<&str> {
        self.annotation("doc")
    }

    /// The document it comes from: its `@source`.
    pub fn source(&self) -> Option<&str> {
        self.annotation("source")
    }

    /// What the admin center says: its `@message`.
    pub fn message(&self) -> Option<&str> {
        self.annotation("message")
    }

    /// What the refused person can do: its `@advice`.
    pub fn advice(&self) -> Option<&str> {
        self.annotation("advice")
    }

    /// Why what it refuses is to be mended before anything else: its `@first`.
    pub fn first(&self) -> Option<&str> {
        self.annotation("first")
    }

    /// The guardrail that it is a part of: its `@guardrail`.
    pub fn guardrail(&self) -> Option<&str> {
        self.annotation("guardrail")
    }

    /// What its guardrail holds beside the resources that it is about: its `@guards`.
    pub fn guards(&self) -> Option<&str> {
        self.annotation("guards")
    }

    /// The reading it belongs to, and whether it holds when that is on.
    pub fn reading(&self) -> Option<(&str, bool)> {
        let name = self.annotation("reading")?;
        Some((name, self.annotation("holds") != Some("off")))
    }

    /// Whether it is in force where these readings are on.
    pub fn holds_under(&self, on: &[String]) -> bool {
        self.reading()
            .is_none_or(|(name, holds)| on.iter().any(|reading| reading == name) == holds)
    }

    /// Where it stands, from its first annotation to its semicolon.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Whether it stands, to the letter, in a file that ships with this version.
    pub fn is_shipped(&self) -> bool {
        self.shipped
    }

    /// Its syntax tree, as Cedar evaluates it.
    pub fn ast(&self) -> &ast::Policy {
        &self.ast
    }

    /// The actions its scope names.
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

    /// Whether its scope lets it apply to any request of an action, by the types that are asked and
    /// asked about.
    pub fn may_apply_to(&self, action: &Action) -> bool {
        self.may_apply_among(action, &action.principals, &action.resources)
    }

    /// The same for some of the types of the action.
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

    /// The entity that its scope requires the principal to be or to be in.
    pub fn principal_anchor(&self) -> Option<EntityUid> {
        anchor(self.ast.principal_constraint().as_inner())
    }

    /// The entity that its scope requires the resource to be or to be in.
    pub fn resource_anchor(&self) -> Option<EntityUid> {
        anchor(self.ast.resource_constraint().as_inner())
    }

    /// Whether it asks for more than its scope.
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

    /// Whether it applies to every principal and resource: its scope names none, and its conditions are
    /// plainly true.
    pub fn is_unconditional(&self) -> bool {
        let names_none = self.principal_anchor().is_none() && self.resource_anchor().is_none();
        let is_true = |condition: &ast::Expr| is_constant(condition) == Some(true);
        names_none && self.ast.non_scope_constraints().is_none_or(is_true)
    }

    /// Whether it never applies: its conditions are plainly false.
    pub fn is_void(&self) -> bool {
        let condition = self.ast.non_scope_constraints();
        condition.is_some_and(|condition| is_constant(condition) == Some(false))
    }

    /// The entities it names, scope and conditions alike, actions left out.
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

/// What a condition plainly is, whatever the request.
fn is_constant(condition: &ast::Expr) -> Option<bool> {
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
