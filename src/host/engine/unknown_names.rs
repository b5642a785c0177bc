//! Findings about texts in policies that no entity has.
//!
//! The schema marks the attributes that name an entity with `@alias`. Cedar compares texts letter by letter, so a
//! policy that writes a name in another letter case, or with a similar letter, matches nobody. Of other attributes not
//! every value is known beforehand, so only a text that some entity has in another letter case is a mistake.

use std::collections::BTreeSet;

use cedar_policy::EntityTypeName;
use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, Literal, Pattern, PatternElem, Var};

use super::Engine;
use crate::bundle::absence::{Mention, mentions_of};
use crate::bundle::scope::written_out;
use crate::bundle::{Effect, Policy, Scope, Vocabulary};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;

/// A comparison of an attribute with a text in a policy.
struct Comparison<'p> {
    expression: &'p Expr,
    attribute: &'p str,
    /// The types of the entities whose attribute it may be.
    types: BTreeSet<String>,
    /// Whether it names these entities.
    is_name: bool,
    /// Whether the attribute is certainly one of these entities; what is behind the context may be anything.
    is_certain: bool,
    with: Text<'p>,
}

/// The text that an attribute is compared with.
#[derive(Clone, Copy)]
enum Text<'p> {
    Name(&'p str),
    Pattern(&'p Pattern),
}

/// The entities that a text matches.
enum About<'d> {
    Nobody,
    /// None; but one has the text in another letter case.
    NotThisOne(&'d str),
    Somebody,
}

impl Engine {
    /// Findings about texts of workspace policies that are compared with names and that no entity has.
    pub(crate) fn unknown_names(&self) -> Vec<Finding> {
        let compared = self.compared_texts().filter(|(_, of)| of.is_name);
        let findings = compared.filter_map(|(policy, of)| self.unknown_name(policy, &of));
        findings.collect()
    }

    /// Findings about texts of workspace policies that the data have in another letter case.
    pub(crate) fn other_letter_cases(&self) -> Vec<Finding> {
        let compared = self.compared_texts().filter(|(_, of)| !of.is_name);
        let findings = compared.filter_map(|(policy, of)| self.other_letter_case(policy, &of));
        findings.collect()
    }

    /// The comparisons with texts in policies of the workspace.
    fn compared_texts(&self) -> impl Iterator<Item = (&Policy, Comparison<'_>)> {
        let vocabulary = self.bundle.vocabulary();
        // In a schema of another program, the annotation has another meaning.
        let policies = self.bundle.policies().iter().filter(|_| vocabulary.asks());
        let policies = policies.filter(|policy| !policy.is_shipped());
        policies.flat_map(|policy| {
            let compared = comparisons(policy, vocabulary).into_iter();
            compared.map(move |comparison| (policy, comparison))
        })
    }

    /// The texts that policies of the workspace compare with a name.
    pub(super) fn names_in_policies(&self, type_name: &str, attribute: &str) -> BTreeSet<&str> {
        let policies = self.bundle.policies().iter();
        let policies = policies.filter(|policy| !policy.is_shipped());
        let compared = policies.flat_map(|policy| comparisons(policy, self.bundle.vocabulary()));
        let of_names = compared
            .filter(|it| it.is_name && it.attribute == attribute && it.types.contains(type_name));
        let texts = of_names.filter_map(|comparison| match comparison.with {
            Text::Name(text) => Some(text),
            Text::Pattern(_) => None,
        });
        texts.collect()
    }

    /// The finding about a value that no entity has, and one has in another letter case.
    fn other_letter_case(&self, policy: &Policy, comparison: &Comparison<'_>) -> Option<Finding> {
        let About::NotThisOne(other) = self.about(comparison) else {
            return None;
        };
        let mention = worst_mention(policy, self.bundle.vocabulary(), comparison)?;
        let text = match comparison.with {
            Text::Name(text) => text.to_owned(),
            Text::Pattern(pattern) => pattern.to_string(),
        };
        let message = format!(
            "the policy `{}` compares `{}` with `{text}`, and the data have `{other}`, in another letter case",
            policy.id(),
            comparison.attribute,
        );
        let finding = Finding::warning(code::policy::LETTER_CASE, message)
            .label(mention.place, "compared here")
            .help("Cedar compares letter by letter, so write the text as the data have it");
        Some(finding)
    }

    fn unknown_name(&self, policy: &Policy, comparison: &Comparison<'_>) -> Option<Finding> {
        let about = self.about(comparison);
        let other = match about {
            About::Somebody => return None,
            About::NotThisOne(name) => Some(name),
            About::Nobody if !comparison.is_certain => return None,
            About::Nobody => None,
        };
        let worst = worst_mention(policy, self.bundle.vocabulary(), comparison)?;
        let types: Vec<&str> = comparison.types.iter().map(String::as_str).collect();
        let (text, is_pattern) = match comparison.with {
            Text::Name(name) => (name.to_owned(), false),
            Text::Pattern(pattern) => {
                let is_wildcard = |element: &PatternElem| matches!(element, PatternElem::Wildcard);
                (pattern.to_string(), pattern.iter().any(is_wildcard))
            }
        };
        let message = format!(
            "the policy `{}` compares `{}` with `{text}`, which {}",
            policy.id(),
            comparison.attribute,
            match (other, is_pattern) {
                (Some(other), _) => format!("is `{other}` in another letter case"),
                (None, false) => format!("is the name of no `{}`", types.join("` or `")),
                (None, true) => format!("matches the name of no `{}`", types.join("` or `")),
            }
        );
        let help = match (policy.effect(), worst.allows_more) {
            (Effect::Permit, false) => "it permits nothing by that",
            (Effect::Permit, true) => "an exception that names nobody excludes nobody",
            (Effect::Forbid, true) => "a forbid that names nobody holds nobody back",
            (Effect::Forbid, false) => "it spares nobody by that",
        };
        // The entities that a pattern is meant for may not exist yet.
        let is_meant = other.is_some() || !is_pattern;
        let finding = match worst.allows_more && is_meant && comparison.is_certain {
            true => Finding::error(code::policy::UNKNOWN_NAME, message),
            false => Finding::warning(code::policy::UNKNOWN_NAME, message),
        };
        Some(finding.label(worst.place, "compared here").help(format!(
            "{help}: Cedar compares letter by letter, so write the name as it is, or name the entity by its id"
        )))
    }

    /// The entities that a comparison matches.
    fn about(&self, comparison: &Comparison<'_>) -> About<'_> {
        let attribute = comparison.attribute;
        let mut about = About::Nobody;
        let types = comparison.types.iter();
        for of in types.filter_map(|of| of.parse::<EntityTypeName>().ok()) {
            match comparison.with {
                Text::Name(wanted) if !comparison.is_name => {
                    let lower = wanted.to_lowercase();
                    for row in self.directory.rows_of(&of) {
                        for text in self.directory.attribute_texts(row, attribute) {
                            if text == wanted {
                                return About::Somebody;
                            }
                            if text.eq_ignore_ascii_case(wanted)
                                || !wanted.is_ascii() && text.to_lowercase() == lower
                            {
                                about = About::NotThisOne(text);
                            }
                        }
                    }
                }
                Text::Name(wanted) => {
                    for row in self.directory.called(&of, wanted) {
                        match self.directory.attribute_text(row, attribute) {
                            Some(name) if name == wanted => return About::Somebody,
                            Some(name) if name.eq_ignore_ascii_case(wanted) => {
                                about = About::NotThisOne(name);
                            }
                            _ => {}
                        }
                    }
                }
                Text::Pattern(pattern) => {
                    let lower = lower(pattern);
                    let rows = self.directory.rows_of(&of);
                    for name in rows.flat_map(|row| self.directory.attribute_texts(row, attribute))
                    {
                        if pattern.wildcard_match(name) {
                            if matches!(about, About::Nobody) {
                                about = About::Somebody;
                            }
                        } else if lower.wildcard_match(&name.to_ascii_lowercase()) {
                            return About::NotThisOne(name);
                        }
                    }
                }
            }
        }
        about
    }
}

/// The mention of a comparison by which the policy allows more, or else its first.
fn worst_mention(
    policy: &Policy,
    vocabulary: &Vocabulary,
    comparison: &Comparison<'_>,
) -> Option<Mention> {
    let is_it = |part: &Expr| std::ptr::eq(part, comparison.expression);
    let (worst, others): (Vec<Mention>, Vec<Mention>) = mentions_of(policy, vocabulary, &is_it)
        .into_iter()
        .partition(|mention| mention.allows_more);
    worst.into_iter().chain(others).next()
}

/// All comparisons of attributes with texts in a policy.
fn comparisons<'p>(policy: &'p Policy, vocabulary: &Vocabulary) -> Vec<Comparison<'p>> {
    let mut found = Vec::new();
    let scope = Scope::for_policy(policy, vocabulary);
    let condition = policy.written().non_scope_constraints();
    for expression in condition.into_iter().flat_map(Expr::subexpressions) {
        for (part, with) in compared(expression) {
            let ExprKind::GetAttr { expr, attr } = part.expr_kind() else {
                continue;
            };
            let attribute = attr.as_str();
            let is_alias = |of: &String| vocabulary.aliases(of).any(|alias| alias == attribute);
            // A field of the context is no attribute.
            if matches!(expr.expr_kind(), ExprKind::Var(Var::Context)) {
                continue;
            }
            let is_certain = !scope.owners(expr, attribute).is_empty();
            let owners = scope.possible_owners(expr, attribute).into_iter();
            let (names, others): (BTreeSet<String>, BTreeSet<String>) = owners.partition(is_alias);
            let of_types = [(names, true), (others, false)].into_iter();
            let of_types = of_types.filter(|(types, _)| !types.is_empty());
            found.extend(of_types.map(|(types, is_name)| Comparison {
                expression,
                attribute,
                types,
                is_name,
                is_certain,
                with,
            }));
        }
    }
    found
}

/// The parts of an expression that are compared with texts, each with its text.
fn compared(expression: &Expr) -> Vec<(&Expr, Text<'_>)> {
    match expression.expr_kind() {
        ExprKind::BinaryApp {
            op: BinaryOp::Eq | BinaryOp::Contains | BinaryOp::ContainsAll | BinaryOp::ContainsAny,
            arg1,
            arg2,
        } => {
            let (left, right) = (Leaf::all_of(arg1), Leaf::all_of(arg2));
            let mut pairs = pairs(&left, &right);
            pairs.extend(self::pairs(&right, &left));
            pairs
        }
        ExprKind::Like { expr, pattern } => {
            let leaves = Leaf::all_of(expr).into_iter();
            leaves
                .map(|leaf| (leaf.expression, Text::Pattern(pattern)))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The leaves of one side, paired with the texts of the other side under the same keys.
fn pairs<'p>(leaves: &[Leaf<'p>], others: &[Leaf<'p>]) -> Vec<(&'p Expr, Text<'p>)> {
    let texts = others.iter().filter_map(|other| {
        let ExprKind::Lit(Literal::String(text)) = other.expression.expr_kind() else {
            return None;
        };
        Some((&other.keys, Text::Name(text)))
    });
    let of_text = |(keys, text): (&Vec<&str>, Text<'p>)| {
        let alike = leaves.iter().filter(move |leaf| leaf.keys == *keys);
        alike
            .map(|leaf| (leaf.expression, text))
            .collect::<Vec<_>>()
    };
    texts.flat_map(of_text).collect()
}

/// A part of one side of a comparison: an element of a set, a value of a record, or a branch of a conditional.
struct Leaf<'p> {
    /// The keys of the records around it, from the outermost.
    keys: Vec<&'p str>,
    expression: &'p Expr,
}

impl<'p> Leaf<'p> {
    fn all_of(expression: &'p Expr) -> Vec<Self> {
        let mut leaves = Vec::new();
        Self::collect(expression, &mut Vec::new(), &mut leaves);
        leaves
    }

    fn collect(expression: &'p Expr, keys: &mut Vec<&'p str>, leaves: &mut Vec<Self>) {
        match expression.expr_kind() {
            ExprKind::Set(elements) => {
                for element in elements.iter() {
                    Self::collect(element, keys, leaves);
                }
            }
            ExprKind::Record(fields) => {
                for (key, value) in fields.iter() {
                    keys.push(key);
                    Self::collect(value, keys, leaves);
                    keys.pop();
                }
            }
            ExprKind::If {
                then_expr,
                else_expr,
                ..
            } => {
                Self::collect(then_expr, keys, leaves);
                Self::collect(else_expr, keys, leaves);
            }
            kind => {
                let values = match kind {
                    ExprKind::GetAttr { expr, attr } => written_out(expr, attr),
                    _ => None,
                };
                match values {
                    Some(values) => {
                        for value in values {
                            Self::collect(value, keys, leaves);
                        }
                    }
                    None => leaves.push(Self {
                        keys: keys.clone(),
                        expression,
                    }),
                }
            }
        }
    }
}

/// A pattern in lower case.
fn lower(pattern: &Pattern) -> Pattern {
    let elements = pattern.iter().map(|element| match element {
        PatternElem::Char(character) => PatternElem::Char(character.to_ascii_lowercase()),
        PatternElem::Wildcard => PatternElem::Wildcard,
    });
    elements.collect()
}
