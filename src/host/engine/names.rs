//! Unknown, similar and shared names.
//!
//! The schema says which attributes name an entity (`@alias`), and which of these are the name of one only. Cedar
//! compares text letter by letter: a policy with another letter case than the name has, or with a look-alike, is about
//! nobody.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityTypeName;
use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, Literal, Pattern, PatternElem};
use unicode_security::MixedScript;
use unicode_security::confusable_detection::skeleton;

use super::Engine;
use crate::bundle::absence::mentions_of;
use crate::bundle::ids::is_unseen;
use crate::bundle::{Effect, Policy, Scope, Vocabulary};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_store::Row;

/// How many findings of one kind are given.
const SHOWN: usize = 100;

/// A place where a policy compares the name of an entity with a text.
struct Comparison<'p> {
    expression: &'p Expr,
    attribute: &'p str,
    /// The types of the entities that it can be about.
    types: BTreeSet<String>,
    with: Text<'p>,
}

/// What a name is compared with.
#[derive(Clone, Copy)]
enum Text<'p> {
    Name(&'p str),
    Pattern(&'p Pattern),
}

/// Whom a text is about.
enum About<'d> {
    Nobody,
    /// Nobody, or not this one, whose name differs in letter case.
    NotThisOne(&'d str),
    Somebody,
}

impl Engine {
    /// What policies of the workspace compare with names that nobody has.
    pub(crate) fn unknown_names(&self) -> Vec<Finding> {
        let vocabulary = self.bundle.vocabulary();
        let mut findings = Vec::new();
        // Other people's annotations are not ours.
        let policies = self.bundle.policies().iter().filter(|_| vocabulary.asks());
        for policy in policies.filter(|policy| !policy.is_shipped()) {
            for comparison in comparisons(policy, vocabulary) {
                findings.extend(self.unknown_name(policy, &comparison));
            }
        }
        findings
    }

    fn unknown_name(&self, policy: &Policy, comparison: &Comparison<'_>) -> Option<Finding> {
        let about = self.about(comparison);
        let other = match about {
            About::Somebody => return None,
            About::NotThisOne(name) => Some(name),
            About::Nobody => None,
        };
        let is_it = |part: &Expr| std::ptr::eq(part, comparison.expression);
        let mentions = mentions_of(policy, &is_it);
        let worst = mentions
            .iter()
            .find(|mention| mention.allows_more)
            .or_else(|| mentions.first())?;
        let types: Vec<&str> = comparison.types.iter().map(String::as_str).collect();
        let (text, is_pattern) = match comparison.with {
            Text::Name(name) => (name.to_owned(), false),
            Text::Pattern(pattern) => (pattern.to_string(), true),
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
        // A pattern may well be about nobody yet.
        let finding = match worst.allows_more && (other.is_some() || !is_pattern) {
            true => Finding::error(code::policy::UNKNOWN_NAME, message),
            false => Finding::warning(code::policy::UNKNOWN_NAME, message),
        };
        Some(finding.label(worst.place.clone(), "compared here").help(format!(
            "{help}: Cedar compares letter by letter, so write the name as it is, or name the entity by its id"
        )))
    }

    /// Whom a comparison is about.
    fn about(&self, comparison: &Comparison<'_>) -> About<'_> {
        let attribute = comparison.attribute;
        let mut about = About::Nobody;
        let types = comparison.types.iter();
        for of in types.filter_map(|of| of.parse::<EntityTypeName>().ok()) {
            match comparison.with {
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
                    for name in rows.filter_map(|row| self.directory.attribute_text(row, attribute))
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

    /// Names of one entity only that another has too, that look like those of another, or that do not show what they are.
    pub(crate) fn misleading_names(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (type_name, attribute) in self.bundle.vocabulary().unique_aliases() {
            findings.extend(self.shared_names(&type_name, attribute));
            findings.extend(self.unfit_names(&type_name, attribute));
            findings.extend(self.similar_names(&type_name, attribute));
        }
        findings
    }

    /// Entities that share a name: a request that gives it is refused.
    fn shared_names(&self, type_name: &EntityTypeName, attribute: &str) -> Vec<Finding> {
        let of_name = |(name, rows): (&str, Vec<Row>)| {
            let uids: Vec<String> = rows
                .iter()
                .map(|row| format!("`{}`", self.directory.uid(*row)))
                .collect();
            let message = format!("`{name}` is the name of {}", uids.join(" and "));
            let finding = Finding::warning(code::entities::SHARED_NAME, message)
                .help("correct one of the two: a request that gives the name cannot be decided");
            self.at(finding, rows.into_iter().take(2))
        };
        let shared = self.directory.of_one_name(type_name, attribute);
        shared.into_iter().map(of_name).collect()
    }

    fn unfit_names(&self, type_name: &EntityTypeName, attribute: &str) -> Vec<Finding> {
        let rows = self.directory.rows_of(type_name);
        let unfit = rows.filter_map(|row| {
            let name = self.directory.attribute_text(row, attribute)?;
            Some((row, unfit(name)?))
        });
        let unfit = unfit.take(SHOWN).map(|(row, why)| {
            let message = format!("the name of `{}` {why}", self.directory.uid(row));
            let finding = Finding::warning(code::entities::UNFIT_NAME, message)
                .help("whoever reads the name takes it for another: correct it, or name this one by its id");
            self.at(finding, [row])
        });
        unfit.collect()
    }

    /// Names that look like those of others by letters of other scripts.
    fn similar_names(&self, type_name: &EntityTypeName, attribute: &str) -> Vec<Finding> {
        let named = || {
            let rows = self.directory.rows_of(type_name);
            rows.filter_map(|row| Some((row, self.directory.attribute_text(row, attribute)?)))
        };
        let look = |name: &str| skeleton(&name.to_lowercase()).collect::<String>();
        let mut by_look: BTreeMap<String, (Row, &str)> = BTreeMap::new();
        let mut similar = Vec::new();
        for (row, name) in named().filter(|(_, name)| !name.is_ascii()) {
            match by_look.get(&look(name)) {
                Some((other, of)) if !of.eq_ignore_ascii_case(name) => similar.push((row, *other)),
                Some(_) => {}
                None => drop(by_look.insert(look(name), (row, name))),
            }
        }
        if !by_look.is_empty() {
            for (row, name) in named().filter(|(_, name)| name.is_ascii()) {
                if let Some((other, _)) = by_look.get(&look(name)) {
                    similar.push((*other, row));
                }
            }
        }
        similar.sort_unstable();
        let similar = similar.into_iter().take(SHOWN).map(|(row, other)| {
            let name = |row| {
                self.directory
                    .attribute_text(row, attribute)
                    .unwrap_or_default()
            };
            let message = format!(
                "`{}`, the name of `{}`, looks like `{}`, that of `{}`",
                name(row),
                self.directory.uid(row),
                name(other),
                self.directory.uid(other)
            );
            let finding = Finding::warning(code::entities::SIMILAR_NAME, message)
                .help("whoever reads one takes it for the other: correct one of the two");
            self.at(finding, [row, other])
        });
        similar.collect()
    }

    fn at(&self, finding: Finding, rows: impl IntoIterator<Item = Row>) -> Finding {
        let places = rows.into_iter().filter_map(|row| self.directory.place(row));
        places.fold(finding, |finding, place| finding.label(place, "this one"))
    }
}

/// Why a reader cannot tell what a name is, if so.
fn unfit(name: &str) -> Option<&'static str> {
    if name.trim() != name {
        return Some("begins or ends with a blank");
    }
    if name.chars().any(is_unseen) {
        return Some("has characters that do not show");
    }
    // The words of an address may well be in scripts of their own.
    let mut words = name.split(|character: char| !character.is_alphabetic());
    let is_mixed = !name.is_ascii() && words.any(|word| !word.is_single_script());
    is_mixed.then_some("has letters of several scripts in one word, some of which look like others")
}

/// Every comparison of a name with a text in a policy.
fn comparisons<'p>(policy: &'p Policy, vocabulary: &Vocabulary) -> Vec<Comparison<'p>> {
    let mut found = Vec::new();
    let scope = Scope::of(policy, vocabulary);
    let condition = policy.ast().non_scope_constraints();
    for expression in condition.into_iter().flat_map(Expr::subexpressions) {
        let (names, texts) = match expression.expr_kind() {
            ExprKind::BinaryApp {
                op:
                    BinaryOp::Eq | BinaryOp::Contains | BinaryOp::ContainsAll | BinaryOp::ContainsAny,
                arg1,
                arg2,
            } => {
                let parts = [arg1, arg2].map(|arg| elements(arg));
                let names = parts.iter().flatten().filter_map(|part| name(part, &scope));
                let texts = parts.iter().flatten().filter_map(|part| text(part));
                (names.collect::<Vec<_>>(), texts.collect::<Vec<_>>())
            }
            ExprKind::Like { expr, pattern } => {
                let name = name(expr, &scope);
                (name.into_iter().collect(), vec![Text::Pattern(pattern)])
            }
            _ => continue,
        };
        for (attribute, owners) in names {
            let is_alias = |of: &String| vocabulary.aliases(of).any(|alias| alias == attribute);
            let types: BTreeSet<String> = owners.into_iter().filter(is_alias).collect();
            if types.is_empty() {
                continue;
            }
            found.extend(texts.iter().map(|with| Comparison {
                expression,
                attribute,
                types: types.clone(),
                with: *with,
            }));
        }
    }
    found
}

/// The elements of a set that is written out; otherwise the expression itself.
fn elements(expression: &Expr) -> Vec<&Expr> {
    match expression.expr_kind() {
        ExprKind::Set(elements) => elements.iter().collect(),
        _ => vec![expression],
    }
}

fn name<'p>(expression: &'p Expr, scope: &Scope<'_>) -> Option<(&'p str, BTreeSet<String>)> {
    match expression.expr_kind() {
        ExprKind::GetAttr { expr, attr } => Some((attr.as_str(), scope.owners(expr, attr))),
        _ => None,
    }
}

fn text(expression: &Expr) -> Option<Text<'_>> {
    match expression.expr_kind() {
        ExprKind::Lit(Literal::String(text)) => Some(Text::Name(text)),
        _ => None,
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
