//! The clauses of a policy, conjunct by conjunct.

use cedar_policy_core::ast;

use super::fact::{self, Fact};
use super::scene::Scene;
use crate::bundle::Policy;

/// Whether a clause must hold or must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keyword {
    /// `when`: the policy holds only where all parts are true.
    When,
    /// `unless`: the policy holds only where one of the parts is not true.
    Unless,
}

/// A `when` or an `unless` of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// Which of the two.
    pub keyword: Keyword,
    /// Its line, counted from 1.
    pub line: Option<usize>,
    /// What stands between its braces, on one line.
    pub text: String,
    /// What its parts come to, all together.
    pub truth: Truth,
    /// What it joins by `&&`, in order.
    pub parts: Vec<Part>,
}

/// One of the conditions that a clause joins.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its text, on one line.
    pub text: String,
    /// What it comes to.
    pub truth: Truth,
    /// The values it read.
    pub facts: Vec<Fact>,
}

/// What a condition comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// It is true.
    True,
    /// It is false.
    False,
    /// It cannot be evaluated, and why.
    Error(String),
    /// It was not judged: it relies on an earlier condition that does not hold.
    NotJudged,
}

impl Clause {
    /// Whether a part is among those that make the clause what it is: all of a true clause, those
    /// that are not true of any other.
    pub fn is_decisive(&self, part: &Part) -> bool {
        match self.truth {
            Truth::True => true,
            _ => matches!(part.truth, Truth::False | Truth::Error(_)),
        }
    }
}

/// The clauses of a policy, judged in a scene.
pub(super) fn clauses(policy: &Policy, scene: &Scene<'_>) -> Vec<Clause> {
    let Some(condition) = policy.ast().non_scope_constraints() else {
        return Vec::new();
    };
    let mut bodies = Vec::new();
    split_clauses(condition, policy, &mut bodies);
    bodies
        .into_iter()
        .map(|(keyword, body, line)| {
            let parts = judged(body, scene);
            Clause {
                keyword,
                line,
                text: text(body),
                truth: truth(scene.truth(body)),
                parts,
            }
        })
        .collect()
}

/// Cedar joins the clauses of a policy by `&&` and gives that the place of the whole policy.
fn split_clauses<'a>(
    expression: &'a ast::Expr,
    policy: &Policy,
    clauses: &mut Vec<(Keyword, &'a ast::Expr, Option<usize>)>,
) {
    match expression.expr_kind() {
        ast::ExprKind::And { left, right }
            if expression.source_loc().is_some()
                && expression.source_loc() == policy.ast().loc() =>
        {
            split_clauses(left, policy, clauses);
            split_clauses(right, policy, clauses);
        }
        ast::ExprKind::UnaryApp {
            op: ast::UnaryOp::Not,
            arg,
        } if snippet(expression).starts_with("unless") => {
            clauses.push((Keyword::Unless, arg, line(expression)));
        }
        _ => clauses.push((Keyword::When, expression, line(expression))),
    }
}

fn judged(body: &ast::Expr, scene: &Scene<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    // A condition may rely on an earlier `has`, and has nothing to say where that does not hold.
    let mut is_guard_down = false;
    for conjunct in conjuncts(body) {
        let truth = if is_guard_down {
            Truth::NotJudged
        } else {
            truth(scene.truth(conjunct))
        };
        if truth != Truth::True && has_guard(conjunct) {
            is_guard_down = true;
        }
        parts.push(Part {
            text: text(conjunct),
            facts: match truth {
                Truth::NotJudged => Vec::new(),
                _ => fact::facts(conjunct, scene),
            },
            truth,
        });
    }
    parts
}

/// What an expression joins by `&&`, in order.
fn conjuncts(expression: &ast::Expr) -> Vec<&ast::Expr> {
    match expression.expr_kind() {
        ast::ExprKind::And { left, right } => {
            let mut all = conjuncts(left);
            all.extend(conjuncts(right));
            all
        }
        _ => vec![expression],
    }
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

fn truth(judged: Result<bool, String>) -> Truth {
    match judged {
        Ok(true) => Truth::True,
        Ok(false) => Truth::False,
        Err(error) => Truth::Error(error),
    }
}

/// The text of an expression as its file has it, or as Cedar writes it.
fn text(expression: &ast::Expr) -> String {
    let snippet = snippet(expression);
    if snippet.is_empty() {
        return expression.to_string();
    }
    let lines = snippet.lines().map(|line| match line.find("//") {
        Some(comment) if !line.get(..comment).unwrap_or_default().contains('"') => {
            line.get(..comment).unwrap_or_default()
        }
        _ => line,
    });
    lines
        .flat_map(str::split_whitespace)
        .collect::<Vec<_>>()
        .join(" ")
}

fn snippet(expression: &ast::Expr) -> &str {
    expression
        .source_loc()
        .and_then(|loc| loc.snippet())
        .unwrap_or_default()
}

fn line(expression: &ast::Expr) -> Option<usize> {
    let loc = expression.source_loc()?;
    let before = loc.src.get(..loc.start())?;
    Some(1 + before.bytes().filter(|byte| *byte == b'\n').count())
}
