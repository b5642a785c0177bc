//! Exemptions from coverage.

use std::sync::Arc;

use super::Resolver;
use crate::suite::document;
use crate::suite::{Exemption, did_you_mean, error};
use tarbac_diagnostic::code;
use tarbac_diagnostic::source::Source;
use tarbac_host::bundle::Conditions;
use tarbac_host::yaml::place;

impl Resolver<'_> {
    pub(super) fn exemption(
        &mut self,
        source: &Arc<Source>,
        exemption: &document::Exemption,
    ) -> Option<Exemption> {
        let at = place(source, exemption.policy.referenced);
        let id = &exemption.policy.value;
        if exemption.reason.trim().is_empty() {
            self.findings.push(error(
                code::suite::EXEMPTION,
                "an exemption has a reason, and this one is empty",
                at.clone(),
                "exempted here",
            ));
        }
        let bundle = self.settings.base().bundle();
        let Some(policy) = bundle.policy(id) else {
            let ids = bundle.policies().iter().map(|policy| policy.id());
            let mut finding = error(
                code::suite::UNKNOWN_POLICY,
                format!("there is no policy `{id}`"),
                at,
                "exempted here",
            );
            finding.help = did_you_mean(id, ids);
            self.findings.push(finding);
            return None;
        };
        if let Some(clause) = &exemption.clause {
            let known = Conditions::from_policy(policy).names();
            if !known.contains(&clause.value) {
                let mut finding = error(
                    code::suite::UNKNOWN_CLAUSE,
                    format!("the policy `{id}` has no clause `{}`", clause.value),
                    place(source, clause.referenced),
                    "exempted here",
                );
                finding.help = Some(format!("its clauses are: `{}`", known.join("`, `")));
                self.findings.push(finding);
                return None;
            }
        }
        Some(Exemption {
            policy: id.clone(),
            clause: exemption.clause.as_ref().map(|clause| clause.value.clone()),
            reason: exemption.reason.clone(),
            place: at,
        })
    }
}
