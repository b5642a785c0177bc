//! The clauses of a policy, conjunct by conjunct.

use cedar_policy_core::ast;

use super::observation::{self, Observation};
use super::probe::Probe;
use tarbac_diagnostic::source::Place;
use tarbac_host::bundle::{Keyword, Policy, text};
use tarbac_host::engine::Undecidable;

/// A `when` or an `unless` of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedClause {
    /// `when` or `unless`.
    pub keyword: Keyword,
    /// Its line, counted from 1.
    pub line: Option<usize>,
    /// The text between its braces, on one line.
    pub text: String,
    /// The value of all its parts together.
    pub truth: Truth,
    /// The operands of `&&`, in order.
    pub parts: Vec<ExplainedCondition>,
}

/// A condition of a clause: an operand of `&&`.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedCondition {
    /// Its text, on one line.
    pub text: String,
    /// The value.
    pub truth: Truth,
    /// The values it read.
    pub facts: Vec<Observation>,
}

/// The value of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// It is true.
    True,
    /// It is false.
    False,
    /// It cannot be evaluated, for this reason.
    Error(String),
    /// It was not judged: it relies on an earlier condition that does not hold.
    NotJudged,
}

impl ExplainedClause {
    /// Whether a part determines the value of the clause: each part of a true clause; of any other, the parts that are
    /// not true.
    pub fn is_decisive(&self, part: &ExplainedCondition) -> bool {
        match self.truth {
            Truth::True => true,
            _ => matches!(part.truth, Truth::False | Truth::Error(_)),
        }
    }
}

/// The clauses of a policy, judged in a probe.
pub(super) fn clauses(policy: &Policy, probe: &Probe<'_>) -> Vec<ExplainedClause> {
    policy
        .clauses()
        .into_iter()
        .map(|clause| ExplainedClause {
            keyword: clause.keyword,
            line: clause.place.as_ref().and_then(Place::line),
            text: text(clause.body),
            truth: truth(probe.truth(clause.body)),
            parts: judged(&clause.conjuncts, probe),
        })
        .collect()
}

fn judged(conjuncts: &[&ast::Expr], probe: &Probe<'_>) -> Vec<ExplainedCondition> {
    let mut parts = Vec::new();
    // A condition may rely on an earlier `has`, and is not judged if that does not hold.
    let mut is_guard_down = false;
    for conjunct in conjuncts {
        let truth = if is_guard_down {
            Truth::NotJudged
        } else {
            truth(probe.truth(conjunct))
        };
        if truth != Truth::True && has_guard(conjunct) {
            is_guard_down = true;
        }
        parts.push(ExplainedCondition {
            text: text(conjunct),
            facts: match truth {
                Truth::NotJudged => Vec::new(),
                _ => observation::facts(conjunct, probe),
            },
            truth,
        });
    }
    parts
}

fn has_guard(expression: &ast::Expr) -> bool {
    expression
        .subexpressions()
        .any(|part| match part.expr_kind() {
            ast::ExprKind::HasAttr { .. }
            | ast::ExprKind::ExtHasAttr { .. }
            | ast::ExprKind::Is { .. } => true,
            ast::ExprKind::BinaryApp { op, .. } => *op == ast::BinaryOp::HasTag,
            _ => false,
        })
}

fn truth(judged: Result<bool, Undecidable>) -> Truth {
    match judged {
        Ok(true) => Truth::True,
        Ok(false) => Truth::False,
        Err(error) => Truth::Error(error.to_string()),
    }
}
