//! Request environments, and what Cedar's typechecker says in them.

use std::collections::BTreeMap;

use cedar_policy::EntityUid;
use cedar_policy_core::ast::{self, Expr, ExprKind, Var};
use cedar_policy_core::validator::typecheck::{PolicyCheck, Typechecker};
use cedar_policy_core::validator::types::{RequestEnv, Type};
use cedar_policy_core::validator::{ValidationMode, ValidatorSchema};

use super::super::vocabulary::{Action, Vocabulary};

/// The variables of a request, in the order of [`Environment::numbers`].
const VARIABLES: [Var; 4] = [Var::Principal, Var::Resource, Var::Action, Var::Context];

/// A request environment of a schema.
pub(super) struct Environment<'a> {
    pub request: RequestEnv<'a>,
    pub action: &'a Action,
    /// For each variable a number, which is the same in environments in which the variable has the same type. An action
    /// has a number of its own.
    numbers: [usize; 4],
}

impl Environment<'_> {
    /// What is the same in environments with the same types of principal and resource.
    pub(super) fn types(&self) -> [usize; 2] {
        let [principal, resource, ..] = self.numbers;
        [principal, resource]
    }
}

/// The request environments of a schema.
pub(super) fn environments<'a>(
    schema: &'a ValidatorSchema,
    vocabulary: &'a Vocabulary,
) -> Vec<Environment<'a>> {
    let declared = vocabulary.actions().map(|action| (&action.uid, action));
    let declared: BTreeMap<&EntityUid, &Action> = declared.collect();
    let (mut types, mut actions, mut contexts) =
        (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    // The context is the same for all environments of an action.
    let mut of_actions: BTreeMap<usize, usize> = BTreeMap::new();
    let requests = schema.unlinked_request_envs(ValidationMode::Strict);
    let numbered = requests.filter_map(|request| {
        let uid = EntityUid::from(request.action_entity_uid()?.clone());
        let declared = *declared.get(&uid)?;
        let action = number(&mut actions, &declared.uid);
        let context = *of_actions
            .entry(action)
            .or_insert_with(|| number(&mut contexts, request.context_type()));
        let numbers = [
            number(&mut types, request.principal_entity_type()?),
            number(&mut types, request.resource_entity_type()?),
            action,
            context,
        ];
        Some(Environment {
            request,
            action: declared,
            numbers,
        })
    });
    numbered.collect()
}

fn number<T: Ord>(known: &mut BTreeMap<T, usize>, what: T) -> usize {
    let next = known.len();
    *known.entry(what).or_insert(next)
}

/// What the typechecker says of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypedTruth {
    /// It always has this value.
    Is(bool),
    /// It can have either value.
    Open,
    /// It has no type by itself.
    Untyped,
}

/// A policy that the typechecker is asked about, with its answers in the environments that differ for it.
pub(super) struct Question<'t, 'a> {
    typechecker: &'t Typechecker<'a>,
    policy: ast::Template,
    reads: [bool; 4],
    known: BTreeMap<[Option<usize>; 4], TypedTruth>,
}

impl<'t, 'a> Question<'t, 'a> {
    pub(super) fn new(typechecker: &'t Typechecker<'a>, policy: ast::Template) -> Self {
        let condition = policy.condition();
        let reads = VARIABLES.map(|var| {
            let mut parts = condition.subexpressions();
            parts.any(|part| matches!(part.expr_kind(), ExprKind::Var(other) if *other == var))
        });
        Self {
            typechecker,
            policy,
            reads,
            known: BTreeMap::new(),
        }
    }

    /// What the typechecker says in an environment.
    pub(super) fn truth(&mut self, environment: &Environment<'_>) -> TypedTruth {
        let mut key = environment.numbers.map(Some);
        for (part, reads) in key.iter_mut().zip(self.reads) {
            *part = part.filter(|_| reads);
        }
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let truth = match self.typed(environment) {
            PolicyCheck::Irrelevant(errors, _) if errors.is_empty() => TypedTruth::Is(false),
            PolicyCheck::Success(typed) if *typed.data() == Some(Type::singleton_boolean(true)) => {
                TypedTruth::Is(true)
            }
            PolicyCheck::Success(_) => TypedTruth::Open,
            PolicyCheck::Irrelevant(..) | PolicyCheck::Fail(_) => TypedTruth::Untyped,
        };
        self.known.insert(key, truth);
        truth
    }

    /// The answer of the typechecker itself.
    pub(super) fn typed(&self, environment: &Environment<'_>) -> PolicyCheck {
        let typechecker = self.typechecker;
        typechecker.typecheck_by_single_request_env(&self.policy, &environment.request)
    }
}

/// Whether a guard makes sure of an attribute or a tag that a part reads.
pub(super) fn lets_read(guard: &Expr, part: &Expr) -> bool {
    guard.subexpressions().any(|test| match test.expr_kind() {
        ExprKind::HasAttr { expr, attr } => reads_attribute(part, expr, attr),
        ExprKind::ExtHasAttr { expr, attrs } => reads_attribute(part, expr, attrs.first()),
        ExprKind::BinaryApp {
            op: ast::BinaryOp::HasTag,
            arg1,
            arg2,
        } => part.subexpressions().any(|part| {
            matches!(part.expr_kind(), ExprKind::BinaryApp { op: ast::BinaryOp::GetTag, arg1: of, arg2: tag }
                if of.eq_shape(arg1) && tag.eq_shape(arg2))
        }),
        _ => false,
    })
}

fn reads_attribute(part: &Expr, of: &Expr, attribute: &str) -> bool {
    part.subexpressions().any(|part| {
        matches!(part.expr_kind(), ExprKind::GetAttr { expr, attr }
            if attr == attribute && expr.eq_shape(of))
    })
}
