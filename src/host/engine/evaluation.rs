//! A request prepared for the evaluation of policies one by one.
//!
//! [`Engine::decide`] evaluates only what a decision needs. An [`Evaluation`] also answers which clause was true, and
//! what another policy would have decided.

use std::collections::BTreeSet;

use cedar_policy::{Context, Effect, Entities, Request as CedarRequest};
use cedar_policy_core::ast;
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

use super::{Engine, EntitySlice, Undecidable, cedar_request};
use crate::bundle::{Action, Policy};
use crate::decision::{Basis, Decision, Outcome, Request};
use tarbac_store::Row;

/// A request and its entity slice, in Cedar's form.
#[derive(Debug, Clone)]
pub struct Evaluation {
    request: CedarRequest,
    entities: Entities,
}

/// The policies that apply to a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applicable {
    /// The permits, by id.
    pub permits: BTreeSet<String>,
    /// The forbids, by id.
    pub forbids: BTreeSet<String>,
    /// The errors, each with the id of its policy.
    pub errors: BTreeSet<(String, String)>,
    /// The permits that may apply, by a value that is not known, each with what that is.
    pub open_permits: BTreeSet<(String, String)>,
    /// The forbids that may apply.
    pub open_forbids: BTreeSet<(String, String)>,
}

impl Evaluation {
    /// A request in a slice.
    ///
    /// # Errors
    /// The action is not in the schema, or the slice has two entities with the same uid.
    pub fn within(
        engine: &Engine,
        request: &Request,
        slice: &EntitySlice,
    ) -> Result<Self, Undecidable> {
        let known = engine.known(&request.action)?;
        Ok(Self {
            request: cedar_request(request)?,
            entities: slice.entities(&known.entity)?,
        })
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// The expression cannot be evaluated.
    pub fn evaluate(&self, expression: &ast::Expr) -> Result<ast::Value, Undecidable> {
        Ok(self
            .evaluator()
            .interpret(expression, &ast::SlotEnv::new())?)
    }

    /// Whether a condition is true.
    ///
    /// # Errors
    /// The condition cannot be evaluated, or its value is not a Bool.
    pub fn truth(&self, condition: &ast::Expr) -> Result<bool, Undecidable> {
        self.truth_with(condition, &ast::SlotEnv::new())
    }

    /// Whether a condition with these values of slots is true.
    pub(super) fn truth_with(
        &self,
        condition: &ast::Expr,
        slots: &ast::SlotEnv,
    ) -> Result<bool, Undecidable> {
        truth(&self.evaluator(), condition, slots)
    }

    /// Whether a policy applies, by its scope and conditions.
    ///
    /// # Errors
    /// The policy cannot be evaluated.
    pub fn applies(&self, policy: &ast::Policy) -> Result<bool, Undecidable> {
        self.truth_with(&policy.condition(), policy.env())
    }

    fn evaluator(&self) -> Evaluator<'_> {
        let request: &ast::Request = self.request.as_ref();
        Evaluator::new(
            request.clone(),
            self.entities.as_ref(),
            Extensions::all_available(),
        )
    }
}

/// Whether a condition is true.
fn truth(
    evaluator: &Evaluator<'_>,
    condition: &ast::Expr,
    slots: &ast::SlotEnv,
) -> Result<bool, Undecidable> {
    match evaluator.partial_interpret(condition, slots)? {
        ast::PartialValue::Value(value) => match value.value_kind() {
            ast::ValueKind::Lit(ast::Literal::Bool(bool)) => Ok(*bool),
            _ => Err(Undecidable::NotBool),
        },
        ast::PartialValue::Residual(rest) => {
            let unknown = rest.unknowns().map(|unknown| unknown.name.to_string());
            Err(Undecidable::NotKnown(unknown.collect()))
        }
    }
}

impl Applicable {
    /// Adds a policy by the result of its evaluation.
    pub fn put(&mut self, id: &str, effect: Effect, applies: Result<bool, Undecidable>) {
        let (set, open) = match effect {
            Effect::Permit => (&mut self.permits, &mut self.open_permits),
            Effect::Forbid => (&mut self.forbids, &mut self.open_forbids),
        };
        let why = |error: Undecidable| (id.to_owned(), error.to_string());
        match applies {
            Ok(true) => drop(set.insert(id.to_owned())),
            Ok(false) => {}
            Err(error @ Undecidable::NotKnown(_)) => drop(open.insert(why(error))),
            Err(error) => drop(self.errors.insert(why(error))),
        }
    }

    /// These policies without one of them.
    #[must_use]
    pub fn without(&self, id: &str) -> Self {
        let mut rest = self.clone();
        rest.permits.remove(id);
        rest.forbids.remove(id);
        for reasons in [
            &mut rest.errors,
            &mut rest.open_permits,
            &mut rest.open_forbids,
        ] {
            reasons.retain(|(of, _)| of != id);
        }
        rest
    }

    /// These policies as the answers to a question: each counts, so one that may apply is an error.
    pub(super) fn answers(mut self) -> Self {
        self.errors.append(&mut self.open_permits);
        self.errors.append(&mut self.open_forbids);
        self
    }

    /// Whether a value that is not known makes a difference to the decision.
    fn is_open(&self) -> bool {
        let may_be_permitted = !self.permits.is_empty() || !self.open_permits.is_empty();
        self.forbids.is_empty()
            && match self.open_forbids.is_empty() {
                true => self.permits.is_empty() && may_be_permitted,
                false => may_be_permitted,
            }
    }

    /// The outcome of these policies.
    pub fn outcome(&self) -> Outcome {
        self.clone().into()
    }
}

impl From<Applicable> for Outcome {
    /// Forbids prevail over permits, and errors over both. A value that is not known is an error only where the
    /// decision depends on it.
    fn from(mut applied: Applicable) -> Self {
        if applied.is_open() {
            applied = applied.answers();
        }
        let (permits, forbids) = (applied.permits, applied.forbids);
        let (decision, basis, policies) = match (permits.is_empty(), forbids.is_empty()) {
            (_, false) => (Decision::Deny, Basis::Forbidden, forbids),
            (false, true) => (Decision::Allow, Basis::Permitted, permits),
            (true, true) => (Decision::Deny, Basis::NotPermitted, permits),
        };
        let outcome = Self {
            decision,
            basis,
            policies: policies.into_iter().collect(),
            errors: Vec::new(),
        };
        let errors = applied.errors.into_iter();
        let errors =
            errors.map(|(id, error)| format!("error while evaluating policy `{id}`: {error}"));
        outcome.with_errors(errors.collect())
    }
}

impl Engine {
    /// A request with every entity that any policy could reach.
    ///
    /// # Errors
    /// Those of [`Engine::slice`].
    pub fn trial(&self, request: &Request) -> Result<Evaluation, Vec<Undecidable>> {
        let mut slice = self.slice(request)?;
        slice.reach(&self.directory, self.index.looked_into());
        Evaluation::within(self, request, &slice).map_err(|error| vec![error])
    }

    /// The entities that any policy in force looks into, for every request.
    pub fn looked_into(&self) -> EntitySlice {
        let mut slice = EntitySlice::default();
        slice.reach(&self.directory, self.index.looked_into());
        slice
    }

    /// A principal or resource with every entity that is reachable from it, for expressions that read only this one.
    /// `looked_into` is that of the engine.
    ///
    /// # Errors
    /// Cedar does not accept the request.
    pub fn trial_alone(
        &self,
        row: Row,
        looked_into: &EntitySlice,
    ) -> Result<Evaluation, Undecidable> {
        let mut slice = looked_into.clone();
        slice.reach(&self.directory, [row]);
        let uid = self.directory.uid(row);
        // Such expressions read neither the action nor the context.
        let request = cedar_request(&Request {
            principal: uid.clone(),
            action: uid.clone(),
            resource: uid,
            context: Context::empty(),
        })?;
        let entities = slice.entities_alone()?;
        Ok(Evaluation { request, entities })
    }

    /// Whether a policy is in force under the readings of the engine.
    pub fn is_in_force(&self, policy: &Policy) -> bool {
        policy.holds_under(&self.readings)
    }

    /// The policies in force whose scope matches an action, sorted by id.
    pub fn asked_about<'a>(&'a self, action: &'a Action) -> impl Iterator<Item = &'a Policy> {
        self.bundle
            .in_force(&self.readings)
            .filter(move |policy| policy.action_scope().answers(action))
    }

    /// The forbids among these. A tenant has thousands of permits and few forbids, so the scopes of the permits are not
    /// looked at.
    pub fn forbids_about<'a>(&'a self, action: &'a Action) -> impl Iterator<Item = &'a Policy> {
        self.bundle
            .in_force(&self.readings)
            .filter(|policy| policy.effect() == Effect::Forbid)
            .filter(move |policy| policy.action_scope().answers(action))
    }

    /// The policies in force that apply to a request, each evaluated by itself.
    pub fn applied(&self, action: &Action, trial: &Evaluation) -> Applicable {
        let mut applied = Applicable::default();
        for policy in self.asked_about(action) {
            applied.put(policy.id(), policy.effect(), trial.applies(policy.ast()));
        }
        applied
    }
}
