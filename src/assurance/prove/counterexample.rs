//! A counterexample: a model in which a claim does not hold.

use std::collections::BTreeSet;

use cedar_policy::EntityUid;

use super::feasible::possible;
use super::literals::Literals;
use super::model::Model;
use super::relevance::{RelevantFact, facts};
use super::shrink::{self, Refutes};
use tarbac_host::decision::Outcome;

/// The outcome in a model, and the other outcome if two decisions are compared; `None` if the model does not conform
/// to the schema.
pub(super) type Decided = Option<(Outcome, Option<Outcome>)>;

/// Decides in a model.
pub(super) type Decides<'d> = &'d dyn Fn(&Model) -> Decided;

/// A model that refutes a claim, decided by plain Cedar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// The smallest refuting model that was found.
    pub model: Model,
    /// Whether a directory can have this model. In an impossible one, a person is, for example, in a role without an
    /// assignment that has a tenant, or assigned in a tenant without an account. A spec that only such models refute
    /// has to exclude them.
    pub is_possible: bool,
    /// The entities that no policy or spec names: only their types matter.
    pub anonymous: BTreeSet<EntityUid>,
    /// The facts that the refutation depends on.
    pub facts: Vec<RelevantFact>,
    /// The outcome.
    pub outcome: Outcome,
    /// The other outcome, if two decisions are compared.
    pub other: Option<Outcome>,
}

impl Counterexample {
    /// The smallest counterexample that is found from a refuting model. `decides` gives the outcomes in a model.
    pub(super) fn new(
        model: Model,
        literals: &Literals<'_>,
        refutes: Refutes<'_>,
        decides: Decides<'_>,
    ) -> Option<Self> {
        if !refutes(&model) {
            return None;
        }
        let smallest = shrink::smallest(model, literals, refutes);
        let facts = facts(&smallest, literals, refutes);
        let possible = possible(&smallest, literals, refutes);
        let is_possible = possible.is_some();
        let model = possible.unwrap_or(smallest);
        let (outcome, other) = decides(&model)?;
        let anonymous = model
            .entities
            .keys()
            .filter(|uid| !literals.keeps_name(uid))
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
