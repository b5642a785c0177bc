//! Findings about policies of a workspace that depend on assumed values.
//!
//! An entity can record which of its attributes have an assumed value (`@assumed` in the schema). An import assumes
//! the value with which the rules that ship permit less; it is an error if other rules permit more because of it. The
//! absence of an attribute may also mean that the value is not known (`@assumed("absent")`), and the schema says what
//! the absence stands for; that is a warning.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityTypeName;
use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, Literal};

use super::Engine;
use crate::bundle::absence::{Mention, leaves_with};
use crate::bundle::{Effect, Policy, Scope};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_store::Row;

/// The assumed value of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Assumed {
    Nothing,
    False,
    /// True, or a value that is no Bool.
    Something,
}

/// The entities whose value of an attribute is not known.
#[derive(Default)]
struct Unknown {
    values: BTreeSet<Assumed>,
    first: Option<Row>,
    count: usize,
    /// Whether an entity records this; otherwise, only the absence of the attribute shows it.
    is_recorded: bool,
}

impl Engine {
    /// Findings about policies of the workspace that depend on assumed values.
    pub(crate) fn assumed_values(&self) -> Vec<Finding> {
        let vocabulary = self.bundle.vocabulary();
        let recording: BTreeMap<&str, &str> = vocabulary.assumed().collect();
        let mut unknown: BTreeMap<(String, String), Unknown> = BTreeMap::new();
        let mut findings = Vec::new();
        let policies = self.bundle.policies().iter();
        for policy in policies.filter(|policy| !policy.is_shipped()) {
            let scope = Scope::for_policy(policy, vocabulary);
            let mut told = BTreeSet::new();
            for (attribute, owners) in looked_at(policy, &scope) {
                for owner in owners {
                    let recorded = recording.get(owner.as_str()).copied();
                    if recorded.is_none() && !vocabulary.is_unknown_if_absent(&owner, attribute) {
                        continue;
                    }
                    let key = (owner, attribute.to_owned());
                    if !told.insert(key.clone()) {
                        continue;
                    }
                    let entry = unknown.entry(key.clone());
                    let of = entry.or_insert_with(|| self.unknown(&key, recorded));
                    findings.extend(self.assumed_value(policy, &scope, &key, of));
                }
            }
        }
        findings
    }

    /// The entities of a type whose value of an attribute is not known, because they record it in the attribute
    /// `recorded` or because the attribute is absent.
    fn unknown(&self, (owner, attribute): &(String, String), recorded: Option<&str>) -> Unknown {
        let directory = &self.directory;
        let vocabulary = self.bundle.vocabulary();
        let is_absent_unknown = vocabulary.is_unknown_if_absent(owner, attribute);
        let mut unknown = Unknown::default();
        let of_type = owner.parse::<EntityTypeName>().ok();
        let rows = of_type.iter().flat_map(|of| directory.rows_of(of));
        for row in rows {
            let is_recorded = recorded
                .is_some_and(|recorded| directory.attribute_has_text(row, recorded, attribute));
            let is_absent = !directory.has_attribute(row, attribute);
            let is_unknown = is_recorded || is_absent && is_absent_unknown;
            if !is_unknown {
                continue;
            }
            let is_true = directory.attribute_is_true(row, attribute);
            let is_bool = self.is_bool(owner, attribute);
            unknown.values.insert(match is_absent {
                true => Assumed::Nothing,
                false if is_bool && !is_true => Assumed::False,
                false => Assumed::Something,
            });
            unknown.first.get_or_insert(row);
            unknown.count += 1;
            unknown.is_recorded |= is_recorded;
        }
        unknown
    }

    fn is_bool(&self, owner: &str, attribute: &str) -> bool {
        let attributes = self.bundle.vocabulary().attributes(owner);
        let known = attributes.and_then(|attributes| attributes.get(attribute));
        known.is_some_and(|known| known.kind == crate::bundle::Kind::Bool)
    }

    fn assumed_value(
        &self,
        policy: &Policy,
        scope: &Scope<'_>,
        (owner, attribute): &(String, String),
        unknown: &Unknown,
    ) -> Option<Finding> {
        let row = unknown.first?;
        let is_bool = self.is_bool(owner, attribute);
        let is_it = |part: &Expr| {
            looks_at(part).is_some_and(|(of, name)| {
                name == attribute && scope.owners(of, name).contains(owner)
            })
        };
        let leaves = leaves_with(policy, &is_it);
        let allows_more = |(leaf, mention): &(&Expr, Mention)| {
            let mut values = unknown.values.iter();
            values.any(|value| match holds(leaf, *value, is_bool, &is_it) {
                Truth::Unasked => false,
                Truth::Is(true) => mention.allows_more_if_true,
                Truth::Is(false) => mention.allows_more,
                Truth::Open => mention.allows_more || mention.allows_more_if_true,
            })
        };
        let worst = leaves.iter().find(|leaf| allows_more(leaf));
        let (_, mention) = worst.or_else(|| leaves.first())?;
        let uid = self.directory.uid(row);
        let others = match unknown.count {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let message = format!(
            "the policy `{}` depends on `{attribute}` of `{uid}`{others}, which is not known but assumed",
            policy.id()
        );
        let finding = match worst {
            Some(_) if unknown.is_recorded => Finding::error(code::policy::ASSUMED_VALUE, message),
            _ => Finding::warning(code::policy::ASSUMED_VALUE, message),
        };
        let attributes = self.bundle.vocabulary().attributes(owner);
        let known = attributes.and_then(|attributes| attributes.get(attribute));
        let export = known.and_then(|known| known.annotations.get("exported"));
        let export = export.map_or_else(String::new, |export| format!(" from {export}"));
        let help = match (policy.effect(), worst.is_some()) {
            (Effect::Permit, true) => "it may permit more than it should",
            (Effect::Forbid, true) => "it may hold nobody back",
            (Effect::Permit, false) => "it may permit less than it should",
            (Effect::Forbid, false) => "it may hold back more than it should",
        };
        let finding = finding.label(mention.place.clone(), "by this");
        let place = self.directory.place(row);
        let finding = match place {
            Some(place) => finding.label(place, "assumed of this one"),
            None => finding,
        };
        Some(finding.help(format!(
            "{help}: import the value{export}, or set it by hand and take it out of the assumed ones, or decide by something else"
        )))
    }
}

/// The truth of a condition, as far as it is certain.
enum Truth {
    /// The condition is not evaluated.
    Unasked,
    Is(bool),
    Open,
}

/// The truth of a condition under an assumed value.
fn holds(leaf: &Expr, value: Assumed, is_bool: bool, is_it: &dyn Fn(&Expr) -> bool) -> Truth {
    let is_attribute =
        |part: &Expr| is_it(part) && matches!(part.expr_kind(), ExprKind::GetAttr { .. });
    match leaf.expr_kind() {
        ExprKind::HasAttr { .. } | ExprKind::ExtHasAttr { .. } if is_it(leaf) => match value {
            Assumed::Nothing => Truth::Is(false),
            // The presence of a value is certain.
            Assumed::False | Assumed::Something => Truth::Unasked,
        },
        _ if value == Assumed::Nothing => Truth::Unasked,
        ExprKind::GetAttr { .. } if is_bool && is_it(leaf) => {
            Truth::Is(value == Assumed::Something)
        }
        ExprKind::BinaryApp {
            op: BinaryOp::Eq,
            arg1,
            arg2,
        } if is_bool => {
            let literal = match (arg1.expr_kind(), arg2.expr_kind()) {
                (ExprKind::Lit(Literal::Bool(literal)), _) if is_attribute(arg2) => *literal,
                (_, ExprKind::Lit(Literal::Bool(literal))) if is_attribute(arg1) => *literal,
                _ => return Truth::Open,
            };
            Truth::Is((value == Assumed::Something) == literal)
        }
        // The set may have more elements than are known.
        ExprKind::BinaryApp {
            op: BinaryOp::Contains | BinaryOp::ContainsAll | BinaryOp::ContainsAny,
            arg1,
            ..
        } if is_within(arg1, is_it) => Truth::Is(false),
        ExprKind::BinaryApp {
            op: BinaryOp::In,
            arg2,
            ..
        } if is_within(arg2, is_it) => Truth::Is(false),
        _ => Truth::Open,
    }
}

/// Whether an expression is the attribute, or a field of a record in the attribute.
fn is_within(expression: &Expr, is_it: &dyn Fn(&Expr) -> bool) -> bool {
    match expression.expr_kind() {
        ExprKind::GetAttr { expr, .. } => is_it(expression) || is_within(expr, is_it),
        _ => false,
    }
}

/// The attributes that a policy reads, with the entity types that may have them.
fn looked_at<'p>(policy: &'p Policy, scope: &Scope<'_>) -> Vec<(&'p str, BTreeSet<String>)> {
    let condition = policy.ast().non_scope_constraints();
    let parts = condition.into_iter().flat_map(Expr::subexpressions);
    let looks = parts.filter_map(looks_at);
    looks
        .map(|(of, attribute)| (attribute, scope.owners(of, attribute)))
        .collect()
}

/// The attribute that an expression reads, after the expression whose attribute it is.
fn looks_at(expression: &Expr) -> Option<(&Expr, &str)> {
    match expression.expr_kind() {
        ExprKind::GetAttr { expr, attr } | ExprKind::HasAttr { expr, attr } => {
            Some((expr, attr.as_str()))
        }
        ExprKind::ExtHasAttr { expr, attrs } => Some((expr, attrs.first().as_str())),
        _ => None,
    }
}
