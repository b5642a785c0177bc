//! Claims: relations between the decisions of two sets of policies in one request environment.

use std::sync::{Arc, OnceLock};

use cedar_policy::{Authorizer, Decision as CedarDecision, PolicySet, RequestEnv, Schema};
use cedar_policy_core::ast;
use cedar_policy_symcc::err::Error as SymbolicError;
use cedar_policy_symcc::{
    CompiledPolicy, CompiledPolicySet, CompiledSchema, SymEnv, WellFormedAsserts, disjoint_asserts,
    equivalent_asserts, implies_asserts, never_errors_asserts,
};

use super::counterexample::Decided;
use super::model::Model;
use super::solver::{Unknown, in_full};
use tarbac_host::bundle::{Action, Bundle, Policy, PolicyEdit, Vocabulary, static_policy};
use tarbac_host::decision::{Basis, Decision, Outcome};

/// The prefix of the ids of policies that proofs create.
const MARK: &str = "claimed: ";

/// A request environment: an action, a type of principal and a type of resource.
#[derive(Debug)]
pub(super) struct Environment<'a> {
    /// Its index among all environments.
    pub number: usize,
    pub action: &'a Action,
    pub types: RequestEnv,
    pub schema: &'a Schema,
    symbols: SymEnv,
}

impl<'a> Environment<'a> {
    /// Every request environment of the schema, permissions first.
    ///
    /// # Errors
    /// The symbolic compiler does not support the schema.
    pub(super) fn all(bundle: &'a Bundle) -> Result<Vec<Self>, Unknown> {
        let unsupported = |error: SymbolicError| Unknown::Failed(in_full(&error));
        let symbols = CompiledSchema::new(bundle.schema()).map_err(unsupported)?;
        let vocabulary = bundle.vocabulary();
        vocabulary
            .permissions()
            .chain(vocabulary.questions())
            .flat_map(|action| {
                action.principals.iter().flat_map(move |principal| {
                    action.resources.iter().map(move |resource| {
                        let types = RequestEnv::new(
                            principal.clone(),
                            action.uid.clone(),
                            resource.clone(),
                        );
                        (action, types)
                    })
                })
            })
            .enumerate()
            .map(|(number, (action, types))| {
                Ok(Self {
                    number,
                    action,
                    schema: bundle.schema(),
                    symbols: symbols.sym_env(&types).map_err(unsupported)?,
                    types,
                })
            })
            .collect()
    }

    /// Whether a policy or a spec can apply to a request of this environment.
    pub(super) fn asks(&self, policy: &Policy) -> bool {
        policy.may_apply_among(
            self.action,
            std::slice::from_ref(self.types.principal()),
            std::slice::from_ref(self.types.resource()),
        )
    }

    /// Whether another schema has requests of this environment.
    pub(super) fn is_known_to(&self, vocabulary: &Vocabulary) -> bool {
        let action = vocabulary.action(self.types.action());
        let (principal, resource) = (self.types.principal(), self.types.resource());
        action.is_some_and(|action| action.applies_to(principal, resource))
    }

    /// One policy, compiled.
    pub(super) fn compiled(&self, policy: &ast::Policy) -> Result<CompiledPolicy, Unknown> {
        CompiledPolicy::compile_with_custom_symenv(
            &cedar_policy::Policy::from(policy.clone()),
            &self.types,
            self.schema,
            self.symbols.clone(),
        )
        .map_err(|error| Unknown::Unsupported {
            policy: policy.id().to_string(),
            reason: in_full(&error),
        })
    }
}

/// Policies that decide in one environment, compiled when they are first needed.
#[derive(Debug)]
pub(super) struct Side {
    pub policies: Vec<ast::Policy>,
    set: PolicySet,
    compiled: OnceLock<Result<CompiledPolicySet, Unknown>>,
}

impl Side {
    pub(super) fn new(policies: Vec<ast::Policy>) -> Arc<Self> {
        let mut set = ast::PolicySet::new();
        // Ids are unique within a bundle, and those of specs have a mark of their own. A duplicate makes the result
        // unknown.
        let added = policies
            .iter()
            .try_for_each(|policy| set.add(policy.clone()))
            .map_err(|error| Unknown::Failed(in_full(&error)));
        Arc::new(Self {
            set: PolicySet::from(set),
            policies,
            compiled: added
                .err()
                .map(Err)
                .map_or_else(OnceLock::new, OnceLock::from),
        })
    }

    fn compiled(&self, environment: &Environment<'_>) -> Result<&CompiledPolicySet, Unknown> {
        self.compiled
            .get_or_init(|| {
                CompiledPolicySet::compile_with_custom_symenv(
                    &self.set,
                    &environment.types,
                    environment.schema,
                    environment.symbols.clone(),
                )
                .map_err(|error| self.unsupported(environment, &error))
            })
            .as_ref()
            .map_err(Clone::clone)
    }

    /// Finds the policy that cannot be compiled.
    fn unsupported(&self, environment: &Environment<'_>, error: &SymbolicError) -> Unknown {
        self.policies
            .iter()
            .find_map(|policy| environment.compiled(policy).err())
            .unwrap_or_else(|| Unknown::Failed(in_full(error)))
    }

    /// The outcome of plain Cedar with these policies, and with their errors. `None` if the model does not conform to
    /// the schema.
    pub(super) fn outcome(&self, model: &Model, schema: &Schema) -> Option<Outcome> {
        let (request, entities) = model.to_cedar(schema).ok()?;
        let response = Authorizer::new().is_authorized(&request, &self.set, &entities);
        let mut policies: Vec<String> = response
            .diagnostics()
            .reason()
            .map(ToString::to_string)
            .collect();
        policies.sort();
        let mut errors: Vec<String> = response
            .diagnostics()
            .errors()
            .map(ToString::to_string)
            .collect();
        errors.sort();
        let (decision, basis) = match (response.decision(), policies.is_empty()) {
            (CedarDecision::Allow, _) => (Decision::Allow, Basis::Permitted),
            (CedarDecision::Deny, false) => (Decision::Deny, Basis::Forbidden),
            (CedarDecision::Deny, true) => (Decision::Deny, Basis::NotPermitted),
        };
        Some(Outcome {
            decision,
            basis,
            policies,
            errors,
        })
    }
}

/// A relation between two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// The right side allows all requests that the left side allows.
    Implies,
    /// No request is allowed by both.
    Disjoint,
    /// The same requests are allowed by both.
    Equivalent,
}

/// The claim that two sides are related.
#[derive(Debug)]
pub(super) struct Claim {
    pub left: Arc<Side>,
    pub relation: Relation,
    pub right: Arc<Side>,
}

impl Claim {
    pub(super) fn new(left: &Arc<Side>, relation: Relation, right: &Arc<Side>) -> Self {
        Self {
            left: Arc::clone(left),
            relation,
            right: Arc::clone(right),
        }
    }

    /// Assertions that are satisfiable if and only if the claim does not hold.
    pub(super) fn asserts<'c>(
        &'c self,
        environment: &Environment<'_>,
    ) -> Result<WellFormedAsserts<'c>, Unknown> {
        let left = self.left.compiled(environment)?;
        let right = self.right.compiled(environment)?;
        Ok(match self.relation {
            Relation::Implies => implies_asserts(left, right),
            Relation::Disjoint => disjoint_asserts(left, right),
            Relation::Equivalent => equivalent_asserts(left, right),
        })
    }

    /// The outcomes of the left and of the right side in a model, by plain Cedar.
    pub(super) fn decided(&self, model: &Model, schema: &Schema) -> Decided {
        let left = self.left.outcome(model, schema)?;
        Some((left, Some(self.right.outcome(model, schema)?)))
    }

    /// Whether the claim does not hold in a model, by plain Cedar.
    pub(super) fn is_refuted_by(&self, model: &Model, schema: &Schema) -> bool {
        let Some((left, Some(right))) = self.decided(model, schema) else {
            return false;
        };
        let (left, right) = (left.decision, right.decision);
        match self.relation {
            Relation::Implies => left == Decision::Allow && right != Decision::Allow,
            Relation::Disjoint => left == Decision::Allow && right == Decision::Allow,
            Relation::Equivalent => left != right,
        }
    }
}

/// Assertions that are satisfiable if and only if a policy can raise an evaluation error.
pub(super) fn errors(policy: &CompiledPolicy) -> WellFormedAsserts<'_> {
    never_errors_asserts(policy)
}

/// A policy for the solver and for plain Cedar, with the slots of a link filled.
pub(super) fn body(policy: &Policy) -> ast::Policy {
    let filled = || PolicyEdit::from_policy(policy).policy(policy.written().id().clone());
    match policy.written().is_static() {
        true => policy.written().clone(),
        false => filled().unwrap_or_else(|| policy.written().clone()),
    }
}

/// A permit of every request that a policy matches, whatever its effect.
pub(super) fn permit(policy: &Policy) -> ast::Policy {
    judging(policy, ast::Effect::Permit, |matches| matches)
}

/// A forbid of every request that a policy does not match.
pub(super) fn forbid_the_rest(policy: &Policy) -> ast::Policy {
    judging(policy, ast::Effect::Forbid, ast::Expr::not)
}

/// A policy for all requests, with one condition that is made from the scope and the conditions of another policy.
fn judging(
    policy: &Policy,
    effect: ast::Effect,
    condition: impl FnOnce(ast::Expr) -> ast::Expr,
) -> ast::Policy {
    let body = body(policy);
    static_policy(
        // The mark keeps the id apart from those of other policies.
        ast::PolicyID::from_string(format!("{MARK}{}", policy.id())),
        effect,
        ast::PrincipalConstraint::any(),
        ast::ActionConstraint::any(),
        ast::ResourceConstraint::any(),
        Some(condition(body.condition())),
    )
    .unwrap_or(body)
}
