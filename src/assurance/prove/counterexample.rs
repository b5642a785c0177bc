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
/// where the world is none.
pub(super) type Decided = Option<(Outcome, Option<Outcome>)>;

/// Decides in a world.
pub(super) type Decides<'d> = &'d dyn Fn(&Model) -> Decided;

/// A world in which something does not hold, decided by plain Cedar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// The smallest such world that was found.
    pub world: Model,
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
    /// The smallest counterexample that is found from a world that refutes something. `decides` says
    /// what is decided in a world.
    pub(super) fn new(
        world: Model,
        surroundings: &Literals<'_>,
        refutes: Refutes<'_>,
        decides: Decides<'_>,
    ) -> Option<Self> {
        if !refutes(&world) {
            return None;
        }
        let smallest = shrink::smallest(world, surroundings, refutes);
        let facts = facts(&smallest, surroundings, refutes);
        let possible = possible(&smallest, surroundings, refutes);
        let is_possible = possible.is_some();
        let world = possible.unwrap_or(smallest);
        let (outcome, other) = decides(&world)?;
        let anonymous = world
            .entities
            .keys()
            .filter(|uid| !surroundings.keeps_name(uid))
            .cloned()
            .collect();
        Some(Self {
            anonymous,
            world,
            is_possible,
            facts,
            outcome,
            other,
        })
    }
}
