//! Mutation operators: the ways in which a policy is changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{Effect, EntityUid};
use cedar_policy_core::ast;

use super::Mutant;
use tarbac_diagnostic::source::Place;
use tarbac_host::bundle::{Action, Keyword, Policy, PolicyEdit, Vocabulary, text};

/// Every mutant of a policy: it is dropped, its effect is swapped, its scope is widened, an action
/// is dropped or added, a conjunct is dropped or negated, something within one is dropped, and a
/// constant is another.
pub(super) fn mutants(policy: &Policy, vocabulary: &Vocabulary) -> Vec<Mutant> {
    let mut changes = Changes {
        policy,
        vocabulary,
        draft: PolicyEdit::of(policy),
        mutants: Vec::new(),
    };
    let all = changes.actions_where(|action| policy.may_apply_to(action));
    changes.mutants.push(Mutant::new(
        policy,
        None,
        "the policy is dropped".to_owned(),
        policy.place().clone(),
        all,
    ));
    changes.effect();
    changes.scope();
    changes.actions();
    changes.conditions();
    changes.mutants
}

struct Changes<'p> {
    policy: &'p Policy,
    vocabulary: &'p Vocabulary,
    draft: PolicyEdit,
    mutants: Vec<Mutant>,
}

impl Changes<'_> {
    fn add(&mut self, what: String, place: Option<Place>, change: impl FnOnce(&mut PolicyEdit)) {
        let mut draft = self.draft.clone();
        change(&mut draft);
        let Some(body) = draft.policy(self.policy.ast().id().clone()) else {
            return;
        };
        let changed = self.policy.with_body(body);
        // Where nothing but the actions is another, only those that come or go make a difference.
        let only_actions = draft.effect == self.draft.effect
            && draft.principal == self.draft.principal
            && draft.resource == self.draft.resource
            && draft.clauses == self.draft.clauses;
        let actions = self.actions_where(|action| {
            let (before, now) = (
                self.policy.may_apply_to(action),
                changed.may_apply_to(action),
            );
            match only_actions {
                true => before != now,
                false => before || now,
            }
        });
        self.mutants.push(Mutant::new(
            self.policy,
            Some(changed),
            what,
            place.unwrap_or_else(|| self.policy.place().clone()),
            actions,
        ));
    }

    fn actions_where(&self, holds: impl Fn(&Action) -> bool) -> BTreeSet<EntityUid> {
        self.vocabulary
            .permissions()
            .chain(self.vocabulary.questions())
            .filter(|action| holds(action))
            .map(|action| action.uid.clone())
            .collect()
    }

    fn effect(&mut self) {
        let (word, other, name) = match self.draft.effect {
            Effect::Permit => ("permit", Effect::Forbid, "forbids"),
            Effect::Forbid => ("forbid", Effect::Permit, "permits"),
        };
        let place = self.policy.place_of_word(&format!("{word} ("));
        self.add(format!("it {name}"), Some(place), |draft| {
            draft.effect = other;
        });
    }

    fn scope(&mut self) {
        let is_any = |constraint: &ast::PrincipalOrResourceConstraint| {
            matches!(constraint, ast::PrincipalOrResourceConstraint::Any)
        };
        if !is_any(self.draft.principal.as_inner()) {
            let place = self.policy.place_of_word("principal");
            self.add(
                "it is about every principal".to_owned(),
                Some(place),
                |draft| {
                    draft.principal = ast::PrincipalConstraint::any();
                },
            );
        }
        if !is_any(self.draft.resource.as_inner()) {
            let place = self.policy.place_of_word("resource");
            self.add(
                "it is about every resource".to_owned(),
                Some(place),
                |draft| {
                    draft.resource = ast::ResourceConstraint::any();
                },
            );
        }
        if !matches!(self.draft.action, ast::ActionConstraint::Any) {
            let place = self.policy.place_of_word("action");
            self.add(
                "it is about every action".to_owned(),
                Some(place),
                |draft| {
                    draft.action = ast::ActionConstraint::any();
                },
            );
        }
    }

    fn actions(&mut self) {
        let vocabulary = self.vocabulary;
        let named: Vec<Arc<ast::EntityUID>> = match &self.draft.action {
            ast::ActionConstraint::In(named) => named.clone(),
            ast::ActionConstraint::Eq(uid) => vec![Arc::clone(uid)],
            ast::ActionConstraint::Any => Vec::new(),
        };
        if named.is_empty() {
            return;
        }
        if named.len() > 1 {
            for (index, uid) in named.iter().enumerate() {
                let mut rest = named.clone();
                rest.remove(index);
                let place = self.policy.place_of_word(&uid.to_string());
                self.add(
                    format!("the action `{uid}` is dropped"),
                    Some(place),
                    |draft| {
                        draft.action = ast::ActionConstraint::In(rest);
                    },
                );
            }
        }
        let scope = self.policy.action_scope();
        // A policy answers questions or decides about permissions; it is not made to do the other.
        let answers_questions = vocabulary.questions().any(|action| scope.covers(action));
        for action in vocabulary.permissions().chain(vocabulary.questions()) {
            if scope.covers(action) || action.is_question() != answers_questions {
                continue;
            }
            let uid = Arc::new(action.uid.as_ref().clone());
            let mut more = named.clone();
            more.push(uid);
            let place = self.policy.place_of_word("action");
            self.add(
                format!("the action `{}` is added", action.uid),
                Some(place),
                |draft| draft.action = ast::ActionConstraint::In(more),
            );
        }
    }

    fn conditions(&mut self) {
        let clauses = self.draft.clauses.clone();
        for (at, (keyword, conjuncts)) in clauses.iter().enumerate() {
            for (index, conjunct) in conjuncts.iter().enumerate() {
                let said = text(conjunct);
                let place = self.policy.place_of(conjunct);
                let what = match (keyword, conjuncts.len()) {
                    (Keyword::When, 1) => format!("`when {{ {said} }}` is dropped"),
                    (Keyword::Unless, 1) => format!("`unless {{ {said} }}` is dropped"),
                    _ => format!("the conjunct `{said}` is dropped"),
                };
                self.add(what, place.clone(), |draft| {
                    if let Some((_, conjuncts)) = draft.clauses.get_mut(at) {
                        conjuncts.remove(index);
                    }
                });
                let negated = ast::Expr::not((*conjunct).clone());
                let what = format!("the conjunct `{said}` is negated");
                self.replace((at, index), what, place.clone(), negated);
                for variant in variants(conjunct) {
                    let place = variant
                        .origin
                        .and_then(|origin| self.policy.place_of(origin))
                        .or_else(|| place.clone());
                    self.replace((at, index), variant.what, place, variant.expression);
                }
            }
        }
    }

    /// Puts another expression in place of a conjunct.
    fn replace(
        &mut self,
        (clause, conjunct): (usize, usize),
        what: String,
        place: Option<Place>,
        other: ast::Expr,
    ) {
        self.add(what, place, |draft| {
            let slot = draft
                .clauses
                .get_mut(clause)
                .and_then(|(_, conjuncts)| conjuncts.get_mut(conjunct));
            if let Some(slot) = slot {
                *slot = other;
            }
        });
    }
}

/// An expression that is changed in one place.
struct Variant<'e> {
    expression: ast::Expr,
    what: String,
    /// What was changed, as it stands in the policy.
    origin: Option<&'e ast::Expr>,
}

impl<'e> Variant<'e> {
    fn new(origin: &'e ast::Expr, what: String, expression: ast::Expr) -> Self {
        Self {
            expression,
            what,
            origin: Some(origin),
        }
    }

    /// The same change within a larger expression.
    fn within(self, whole: impl FnOnce(ast::Expr) -> ast::Expr) -> Self {
        Self {
            expression: whole(self.expression),
            ..self
        }
    }
}

/// The ways to change an expression in one place: what it joins is dropped, a negation is dropped,
/// an element of a set is dropped, a constant is another.
fn variants(expression: &ast::Expr) -> Vec<Variant<'_>> {
    let own = |expression: &ast::Expr| expression.clone();
    let mut found = Vec::new();
    match expression.expr_kind() {
        ast::ExprKind::Lit(literal) => {
            found.extend(constants(literal).into_iter().map(|other| {
                let what = format!("`{}` is `{other}`", text(expression));
                Variant::new(expression, what, ast::Expr::val(other))
            }));
        }
        ast::ExprKind::And { left, right } => {
            found.extend(dropped(expression, left, right));
            found.extend(both(left, right, ast::Expr::and));
        }
        ast::ExprKind::Or { left, right } => {
            found.extend(dropped(expression, left, right));
            found.extend(both(left, right, ast::Expr::or));
        }
        ast::ExprKind::UnaryApp { op, arg } => {
            if *op == ast::UnaryOp::Not {
                let what = format!("`{}` is not negated", text(expression));
                found.push(Variant::new(expression, what, own(arg)));
            }
            found.extend(
                variants(arg)
                    .into_iter()
                    .map(|variant| variant.within(|arg| ast::Expr::unary_app(*op, arg))),
            );
        }
        ast::ExprKind::BinaryApp { op, arg1, arg2 } => {
            found.extend(both(arg1, arg2, |one, other| {
                ast::Expr::binary_app(*op, one, other)
            }));
        }
        ast::ExprKind::If {
            test_expr,
            then_expr,
            else_expr,
        } => {
            found.extend(variants(test_expr).into_iter().map(|variant| {
                variant.within(|test| ast::Expr::ite(test, own(then_expr), own(else_expr)))
            }));
            found.extend(variants(then_expr).into_iter().map(|variant| {
                variant.within(|then| ast::Expr::ite(own(test_expr), then, own(else_expr)))
            }));
            found.extend(variants(else_expr).into_iter().map(|variant| {
                variant.within(|other| ast::Expr::ite(own(test_expr), own(then_expr), other))
            }));
        }
        ast::ExprKind::Set(elements) if elements.len() > 1 => {
            for (index, element) in elements.iter().enumerate() {
                let rest = elements
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != index)
                    .map(|(_, element)| element.clone());
                let what = format!("the element `{}` is dropped", text(element));
                found.push(Variant::new(element, what, ast::Expr::set(rest)));
            }
        }
        ast::ExprKind::ExtensionFunctionApp { fn_name, args } => {
            for (index, argument) in args.iter().enumerate() {
                found.extend(variants(argument).into_iter().map(|variant| {
                    variant.within(|other| {
                        let args = args.iter().enumerate().map(|(at, argument)| {
                            if at == index {
                                other.clone()
                            } else {
                                argument.clone()
                            }
                        });
                        ast::Expr::call_extension_fn(fn_name.clone(), args.collect())
                    })
                }));
            }
        }
        _ => {}
    }
    found
}

/// Only the one or the other of what is joined.
fn dropped<'e>(
    whole: &'e ast::Expr,
    left: &'e ast::Expr,
    right: &'e ast::Expr,
) -> [Variant<'e>; 2] {
    [(left, right), (right, left)].map(|(kept, dropped)| {
        let what = format!("of `{}`, `{}` is dropped", text(whole), text(dropped));
        Variant::new(dropped, what, kept.clone())
    })
}

/// The variants of either side, within the whole.
fn both<'e>(
    left: &'e ast::Expr,
    right: &'e ast::Expr,
    whole: impl Fn(ast::Expr, ast::Expr) -> ast::Expr,
) -> Vec<Variant<'e>> {
    let lefts = variants(left)
        .into_iter()
        .map(|variant| variant.within(|left| whole(left, right.clone())));
    let rights = variants(right)
        .into_iter()
        .map(|variant| variant.within(|right| whole(left.clone(), right)));
    lefts.chain(rights).collect()
}

/// Other constants close to one.
fn constants(literal: &ast::Literal) -> Vec<ast::Literal> {
    match literal {
        ast::Literal::Bool(bool) => vec![ast::Literal::Bool(!bool)],
        ast::Literal::Long(long) => [long.checked_sub(1), long.checked_add(1)]
            .into_iter()
            .flatten()
            .map(ast::Literal::Long)
            .collect(),
        ast::Literal::String(text) => vec![ast::Literal::String(other_text(text).into())],
        // Who an entity is, is no constant: what it names is dropped or widened instead.
        ast::Literal::EntityUID(_) => Vec::new(),
    }
}

/// A text whose last number is one more, as in a duration or a version; or a longer text.
fn other_text(text: &str) -> String {
    let is_digit = |character: char| character.is_ascii_digit();
    let Some(end) = text.rfind(is_digit).map(|last| last + 1) else {
        return format!("{text}x");
    };
    let (number, rest) = text.split_at(end);
    let start = number
        .rfind(|character| !is_digit(character))
        .map_or(0, |last| last + 1);
    let (before, digits) = number.split_at(start);
    match digits.parse::<u64>() {
        Ok(value) => format!("{before}{}{rest}", value.saturating_add(1)),
        Err(_) => format!("{text}x"),
    }
}
