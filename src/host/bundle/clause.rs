//! The clauses of a policy and their conjuncts, as in its file.

use cedar_policy_core::ast;

use super::policy::Policy;
use tarbac_diagnostic::source::Place;

/// The keyword of a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keyword {
    /// `when`: the policy applies only if all conjuncts are true.
    When,
    /// `unless`: the policy applies only if a conjunct is not true.
    Unless,
}

/// A `when` or `unless` clause of a policy.
#[derive(Debug, Clone)]
pub struct Clause<'p> {
    /// The keyword.
    pub keyword: Keyword,
    /// The expression between the braces.
    pub body: &'p ast::Expr,
    /// The operands of `&&` in the body, in order.
    pub conjuncts: Vec<&'p ast::Expr>,
    /// The place; `None` for an expression that stands in no file.
    pub place: Option<Place>,
}

impl Keyword {
    /// The keyword as text.
    pub fn word(self) -> &'static str {
        match self {
            Self::When => "when",
            Self::Unless => "unless",
        }
    }
}

impl Policy {
    /// The clauses, in order.
    pub fn clauses(&self) -> Vec<Clause<'_>> {
        let mut clauses = Vec::new();
        if let Some(condition) = self.ast().non_scope_constraints() {
            self.split(condition, &mut clauses);
        }
        clauses
    }

    /// Cedar joins the clauses of a policy by `&&`, and gives this expression the place of the whole policy.
    fn split<'p>(&'p self, expression: &'p ast::Expr, clauses: &mut Vec<Clause<'p>>) {
        match expression.expr_kind() {
            ast::ExprKind::And { left, right }
                if expression.source_loc().is_some()
                    && expression.source_loc() == self.ast().loc() =>
            {
                self.split(left, clauses);
                self.split(right, clauses);
            }
            ast::ExprKind::UnaryApp {
                op: ast::UnaryOp::Not,
                arg,
            } if snippet(expression).starts_with("unless") => {
                clauses.push(self.clause(Keyword::Unless, arg, expression));
            }
            _ => clauses.push(self.clause(Keyword::When, expression, expression)),
        }
    }

    fn clause<'p>(&self, keyword: Keyword, body: &'p ast::Expr, whole: &ast::Expr) -> Clause<'p> {
        Clause {
            keyword,
            body,
            conjuncts: conjuncts(body),
            place: self.place_of(whole),
        }
    }

    /// The place of the first occurrence of a word in the policy, or else the whole policy.
    pub fn place_of_word(&self, word: &str) -> Place {
        let whole = self.place();
        let start = usize::try_from(whole.start).unwrap_or_default();
        let end = usize::try_from(whole.end).unwrap_or_default();
        let found = whole
            .source
            .text()
            .get(start..end)
            .and_then(|text| text.find(word));
        match found {
            Some(at) => Place::new(&whole.source, start + at..start + at + word.len()),
            None => whole.clone(),
        }
    }

    /// The place of an expression of the policy.
    pub fn place_of(&self, expression: &ast::Expr) -> Option<Place> {
        let loc = expression.source_loc()?;
        Some(Place::new(&self.place().source, loc.start()..loc.end()))
    }
}

/// The operands of `&&` in an expression, in order.
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

/// The text of an expression on one line, from its file or else from Cedar.
pub fn text(expression: &ast::Expr) -> String {
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
