//! Mutation operators: the ways to change a policy.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{Effect, EntityUid};
use cedar_policy_core::ast;

use super::Mutant;
use tarbac_diagnostic::source::Place;
use tarbac_host::bundle::{Action, Keyword, Policy, PolicyEdit, Vocabulary, text};

/// All mutants of a policy: it is dropped, its effect is swapped, its scope is widened, an action is dropped or added,
/// a conjunct or a part of one is dropped or negated, or a constant is replaced.
pub(super) fn mutants(policy: &Policy, vocabulary: &Vocabulary) -> Vec<Mutant> {
    let mut changes = Changes {
        policy,
        vocabulary,
        draft: PolicyEdit::from_policy(policy),
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
        // If only the actions change, only added and removed actions make a difference.
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
        // A policy either answers questions or decides about permissions, and so does its mutant.
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
    /// The part of the policy that was changed.
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

    /// The variant within a larger expression.
    fn within(self, whole: impl FnOnce(ast::Expr) -> ast::Expr) -> Self {
        Self {
            expression: whole(self.expression),
            ..self
        }
    }
}

/// The variants of an expression: an operand, a negation or an element of a set is dropped, or a constant is replaced.
fn variants(expression: &ast::Expr) -> Vec<Variant<'_>> {
    match expression.expr_kind() {
        ast::ExprKind::Lit(literal) => {
            let others = constants(literal).into_iter().map(|other| {
                let what = format!("`{}` is `{other}`", text(expression));
                Variant::new(expression, what, ast::Expr::val(other))
            });
            others.collect()
        }
        ast::ExprKind::And { left, right } => {
            let mut found = Vec::from(dropped(expression, left, right));
            found.extend(both(left, right, ast::Expr::and));
            found
        }
        ast::ExprKind::Or { left, right } => {
            let mut found = Vec::from(dropped(expression, left, right));
            found.extend(both(left, right, ast::Expr::or));
            found
        }
        ast::ExprKind::UnaryApp { op, arg } => {
            let mut found = Vec::new();
            if *op == ast::UnaryOp::Not {
                let what = format!("`{}` is not negated", text(expression));
                found.push(Variant::new(expression, what, arg.as_ref().clone()));
            }
            let within = variants(arg).into_iter();
            found.extend(within.map(|of| of.within(|arg| ast::Expr::unary_app(*op, arg))));
            found
        }
        ast::ExprKind::BinaryApp { op, arg1, arg2 } => both(arg1, arg2, |one, other| {
            ast::Expr::binary_app(*op, one, other)
        }),
        ast::ExprKind::If {
            test_expr,
            then_expr,
            else_expr,
        } => variants_of_if(test_expr, then_expr, else_expr),
        ast::ExprKind::Set(elements) if elements.len() > 1 => variants_of_set(elements),
        ast::ExprKind::ExtensionFunctionApp { fn_name, args } => variants_of_call(fn_name, args),
        _ => Vec::new(),
    }
}

fn variants_of_if<'e>(
    test: &'e ast::Expr,
    then: &'e ast::Expr,
    otherwise: &'e ast::Expr,
) -> Vec<Variant<'e>> {
    let tests = variants(test).into_iter().map(|variant| {
        variant.within(|test| ast::Expr::ite(test, then.clone(), otherwise.clone()))
    });
    let thens = variants(then).into_iter().map(|variant| {
        variant.within(|then| ast::Expr::ite(test.clone(), then, otherwise.clone()))
    });
    let others = variants(otherwise).into_iter().map(|variant| {
        variant.within(|otherwise| ast::Expr::ite(test.clone(), then.clone(), otherwise))
    });
    tests.chain(thens).chain(others).collect()
}

fn variants_of_set(elements: &[ast::Expr]) -> Vec<Variant<'_>> {
    let without = elements.iter().enumerate().map(|(index, element)| {
        let rest = elements.iter().enumerate();
        let rest = rest.filter(|(other, _)| *other != index);
        let rest = rest.map(|(_, element)| element.clone());
        let what = format!("the element `{}` is dropped", text(element));
        Variant::new(element, what, ast::Expr::set(rest))
    });
    without.collect()
}

fn variants_of_call<'e>(name: &ast::Name, args: &'e [ast::Expr]) -> Vec<Variant<'e>> {
    let mut found = Vec::new();
    for (index, argument) in args.iter().enumerate() {
        let with = |changed: ast::Expr| {
            let mut args = args.to_vec();
            if let Some(argument) = args.get_mut(index) {
                *argument = changed;
            }
            ast::Expr::call_extension_fn(name.clone(), args)
        };
        found.extend(variants(argument).into_iter().map(|of| of.within(with)));
    }
    found
}

/// The variants of a junction in which one operand is dropped.
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

/// The variants of both operands, within the whole.
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

/// Other constants that are close to a given one.
fn constants(literal: &ast::Literal) -> Vec<ast::Literal> {
    match literal {
        ast::Literal::Bool(bool) => vec![ast::Literal::Bool(!bool)],
        ast::Literal::Long(long) => [long.checked_sub(1), long.checked_add(1)]
            .into_iter()
            .flatten()
            .map(ast::Literal::Long)
            .collect(),
        ast::Literal::String(text) => vec![ast::Literal::String(other_text(text).into())],
        // An entity is no constant: other operators drop or widen it.
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
