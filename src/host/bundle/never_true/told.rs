//! The findings about conditions that are never true.

use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, UnaryOp};

use super::super::clause::{Keyword, text};
use super::super::policy::Effect;
use super::reason::{one_of, with_article};
use super::search::{Found, How, Search};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;

impl Search<'_, '_> {
    /// The finding about a condition; `None` if it is no mistake, or nothing shows what else its author meant.
    pub(super) fn finding(&self, found: &Found<'_>) -> Option<Finding> {
        let part = found.part;
        let (told, value) = self.as_written(part);
        let is = match value {
            false => "which can never be true",
            true => "which is always true",
        };
        let (why, near) = self.reason(part, &found.reached);
        Some(match found.how {
            How::Never => {
                let finding = Finding::error(code::policy::NEVER_TRUE, self.depends(told, is));
                let help = self.effect_of(part, value);
                let help = near.map_or_else(|| help.to_owned(), |near| format!("{help}; {near}"));
                self.labelled(finding, part, why).help(help)
            }
            How::Alternative => {
                let finding = Finding::warning(code::policy::NEVER_TRUE, self.depends(told, is));
                self.labelled(finding, part, why)
                    .help("it adds nothing to its alternatives: remove it, or correct the type")
            }
            How::Outside => return None,
            How::OfSome => {
                let near = self.near(part, &found.reached)?;
                let ExprKind::BinaryApp { arg1, .. } = part.expr_kind() else {
                    return None;
                };
                let types = one_of(&self.entity_types(arg1, &found.reached));
                let is = format!("which can never be true of {}", with_article(&types));
                let finding = Finding::warning(code::policy::NEVER_TRUE, self.depends(part, &is));
                let help = format!("name the type that is meant in the scope; {near}");
                self.labelled(finding, part, why).help(help)
            }
            How::Group => {
                let mut parts = part.subexpressions();
                let group = parts.find_map(|part| self.group(part))?;
                let message = self.depends(part, "and no action is a group of actions");
                let finding = Finding::error(code::policy::NEVER_TRUE, message);
                self.labelled(finding, part, format!("`{group}` is a group"))
                    .help(format!("did you mean `action in {group}`?"))
            }
        })
    }

    fn depends(&self, part: &Expr, how: &str) -> String {
        format!(
            "the policy `{}` depends on `{}`, {how}",
            self.policy.id(),
            text(part)
        )
    }

    fn labelled(&self, finding: Finding, part: &Expr, why: String) -> Finding {
        let place = self.policy.place_of(part);
        finding.label(place.unwrap_or_else(|| self.policy.place().clone()), why)
    }

    /// A condition that is false, as its reader sees it, with its value: without the `!` or `unless` before it, and with
    /// the one in `!=`.
    fn as_written<'e>(&self, part: &'e Expr) -> (&'e Expr, bool) {
        if let Some(denied) = denied(part) {
            let (denied, value) = self.as_written(denied);
            return (denied, !value);
        }
        let condition = self.policy.written().non_scope_constraints();
        let mut parts = condition.into_iter().flat_map(Expr::subexpressions);
        let is_unequal = parts.any(|around| {
            denied(around).is_some_and(|denied| std::ptr::eq(denied, part))
                && around.source_loc() == part.source_loc()
                && matches!(
                    part.expr_kind(),
                    ExprKind::BinaryApp {
                        op: BinaryOp::Eq,
                        ..
                    }
                )
        });
        (part, is_unequal)
    }

    /// What the policy allows because a part of it always has this value, and what to do.
    fn effect_of(&self, part: &Expr, value: bool) -> &'static str {
        match (self.policy.effect(), self.is_in_exception(part), value) {
            (Effect::Forbid, _, false) => {
                "a forbid that waits for it holds nobody back: correct the condition, or remove it"
            }
            (Effect::Forbid, _, true) => {
                "a forbid that waits for the opposite holds nobody back: correct the condition, or remove it"
            }
            (Effect::Permit, true, false) => {
                "an exception that is never true excepts nobody: correct or remove it"
            }
            (Effect::Permit, true, true) => {
                "an exception that waits for the opposite excepts nobody: correct or remove it"
            }
            (Effect::Permit, false, _) => {
                "a condition that always has the same value restricts nobody: correct or remove it"
            }
        }
    }

    /// Whether a part of the policy stands in an `unless`.
    fn is_in_exception(&self, part: &Expr) -> bool {
        let Some(place) = self.policy.place_of(part) else {
            return false;
        };
        let clauses = self.policy.clauses();
        let mut exceptions = clauses
            .iter()
            .filter(|clause| clause.keyword == Keyword::Unless);
        exceptions.any(|clause| {
            let clause = clause.place.as_ref();
            clause.is_some_and(|clause| clause.start <= place.start && place.end <= clause.end)
        })
    }

    /// The question that may be meant instead of a membership or an equality: one of an attribute of the entity.
    pub(super) fn near(&self, part: &Expr, reached: &[usize]) -> Option<String> {
        let ExprKind::BinaryApp { arg1, arg2, .. } = part.expr_kind() else {
            return None;
        };
        let outer = self.entity_types(arg2, reached);
        let types = self.types(arg1, reached);
        let path = types.iter().find_map(|of| self.leading_to(of, &outer))?;
        let (of, with) = (text(arg1), text(arg2));
        let op = match arg2.expr_kind() {
            ExprKind::Set(_) => "in",
            _ => "==",
        };
        Some(format!("did you mean `{of}.{path} {op} {with}`?"))
    }
}

/// What an expression denies.
fn denied(part: &Expr) -> Option<&Expr> {
    match part.expr_kind() {
        ExprKind::UnaryApp {
            op: UnaryOp::Not,
            arg,
        } => Some(arg),
        _ => None,
    }
}
