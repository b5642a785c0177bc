//! A counterexample: a model in which a claim does not hold.

use std::collections::BTreeSet;

use cedar_policy::EntityUid;

use super::feasible::possible;
use super::literals::Literals;
use super::model::Model;
use super::relevance::{RelevantFact, facts};
use super::shrink::{self, Refutes};
use tarbac_host::decision::Outcome;

/// The outcome in a model, and the other outcome where two decisions are compared; `None`
/// where the model is none.
pub(super) type Decided = Option<(Outcome, Option<Outcome>)>;

/// Decides in a model.
pub(super) type Decides<'d> = &'d dyn Fn(&Model) -> Decided;

/// A model in which something does not hold, decided by plain Cedar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// The smallest such model that was found.
    pub model: Model,
    /// Whether a directory can have it. In others somebody is, for example, in a role without an
    /// assignment that has a tenant, or assigned in a tenant without an account; and a spec that is
    /// refuted by nothing else has to say so.
    pub is_possible: bool,
    /// The entities that are not those of a policy or spec: it is enough what they are.
    pub anonymous: BTreeSet<EntityUid>,
    /// The facts that matter.
    pub facts: Vec<RelevantFact>,
    /// The outcome.
    pub outcome: Outcome,
    /// The other outcome, where two decisions are compared.
    pub other: Option<Outcome>,
}

impl Counterexample {
    /// The smallest counterexample that is found from a model that refutes something. `decides` says
    /// what is decided in a model.
    pub(super) fn new(
        model: Model,
        surroundings: &Literals<'_>,
        refutes: Refutes<'_>,
        decides: Decides<'_>,
    ) -> Option<Self> {
        if !refutes(&model) {
            return None;
        }
        let smallest = shrink::smallest(model, surroundings, refutes);
        let facts = facts(&smallest, surroundings, refutes);
        let possible = possible(&smallest, surroundings, refutes);
        let is_possible = possible.is_some();
        let model = possible.unwrap_or(smallest);
        let (outcome, other) = decides(&model)?;
        let anonymous = model
            .entities
            .keys()
            .filter(|uid| !surroundings.keeps_name(uid))
            .cloned()
            .collect();
        Some(Self {
            anonymous,
            model,
            is_possible,
            facts,
            outcome,
            other,
        })
    }
}
