//! Two states that are compared: before and after a change, or two revisions.

use std::sync::Arc;

use tarbac_analysis::change::impact::States;
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::inquiry::{
    self, ComparisonInquiry, ContextInquiry, Naming, Progress, RolesInquiry, ScopeInquiry,
};
use tarbac_host::Engine;
use tarbac_report::impact;

use super::bodies::bodies;
use super::typed::Typed;
use crate::fault::Fault;
use crate::jobs::ComparisonAnswer;

/// Two states, and the limits of their comparison.
pub(super) struct Compared<'a> {
    /// The states before and after.
    pub(super) states: [&'a Arc<Engine>; 2],
    /// Their names, if each has one.
    pub(super) names: Option<[String; 2]>,
    /// The limits.
    pub(super) scope: &'a ScopeInquiry,
    /// The context of requests.
    pub(super) context: &'a ContextInquiry,
    /// The role changes that are looked for.
    pub(super) roles: RolesInquiry,
}

impl Compared<'_> {
    /// Compares them.
    ///
    /// # Errors
    /// A name means nothing, the context is none of the schema, or a plan cannot be made.
    pub(super) fn made(
        self,
        mut premises: Premises,
        command: String,
        progress: &dyn Progress,
    ) -> Result<ComparisonAnswer, Fault> {
        let [before, after] = self.states;
        premises.notes.extend(self.scope.in_words());
        let inquiry = ComparisonInquiry {
            about: self.scope.about([before, after])?,
            context: self.context.clone(),
            gains_first: self.names.is_some(),
            roles: self.roles,
            naming: Naming {
                rows: usize::MAX,
                named: impact::LISTED,
                otherwise: impact::LISTED,
                most: u64::MAX,
            },
        };
        let states = States { before, after };
        let compared = inquiry::compare(states, &inquiry, progress)?;
        Ok(ComparisonAnswer {
            premises,
            states: [before, after].map(|engine| Arc::clone(engine.provenance())),
            names: self.names,
            bodies: bodies(after, &compared.roles),
            impact: compared.impact,
            roles: compared.roles,
            command,
        })
    }
}

/// Adds the limits and the context of a comparison to a command.
pub(super) fn add_limits(typed: &mut Typed, scope: &ScopeInquiry, context: &ContextInquiry) {
    let limits = [
        ("principal", &scope.principals),
        ("action", &scope.actions),
        ("resource", &scope.resources),
    ];
    for (name, values) in limits {
        values.iter().for_each(|value| typed.value(name, value));
    }
    if let Some(context) = &context.context {
        typed.value("context", &context.to_string());
    }
    if let Some(now) = &context.now {
        typed.value("now", now);
    }
}
