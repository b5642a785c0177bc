//! Findings about policies of a workspace that depend on assumed values.
//!
//! An entity can record which of its attributes have an assumed value (`@assumed` in the schema). An import assumes
//! the value with which the rules that ship permit less. Where other rules would allow more because of it, what they
//! say about this entity is not known ([`super::unknown_values`]). The absence of an attribute may also mean that the
//! value is not known (`@assumed("absent")`), and the schema says what the absence stands for; by that, policies decide.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityTypeName;
use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, Literal};

use super::Engine;
use crate::bundle::absence::{Mention, leaves_with};
use crate::bundle::{Bundle, Effect, Kind, Policy, Scope};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Place;
use tarbac_store::{Directory, Row};

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
struct Unassured {
    values: BTreeSet<Assumed>,
    first: Option<Row>,
    count: usize,
    /// Whether an entity records this; otherwise, only the absence of the attribute shows it.
    is_recorded: bool,
}

/// What policies of a workspace make of assumed values.
pub(super) struct Assumptions<'e> {
    bundle: &'e Bundle,
    directory: &'e Directory,
}

/// A policy that reads an attribute of which a value is assumed.
pub(super) struct Dependency<'e> {
    pub(super) policy: &'e Policy,
    /// The attribute, after its entity type.
    pub(super) attribute: (String, String),
    /// The place where the policy reads it.
    place: Place,
    /// Whether the policy could allow more than it should because of an assumed value.
    allows_more: bool,
    /// Whether an entity records that the value is assumed.
    is_recorded: bool,
    /// An entity with such a value, and how many there are.
    row: Row,
    count: usize,
}

impl Dependency<'_> {
    /// Whether nothing must be decided by the value.
    pub(super) fn is_decisive(&self) -> bool {
        self.allows_more && self.is_recorded
    }
}

impl Engine {
    /// Findings about policies of the workspace that depend on assumed values.
    pub(crate) fn assumed_values(&self) -> Vec<Finding> {
        let assumptions = Assumptions::new(&self.bundle, &self.directory);
        let dependencies = assumptions.dependencies().into_iter();
        dependencies.map(|it| self.assumed_value(&it)).collect()
    }

    fn assumed_value(&self, dependency: &Dependency<'_>) -> Finding {
        let policy = dependency.policy;
        let (owner, attribute) = &dependency.attribute;
        let uid = self.directory.uid(dependency.row);
        let others = match dependency.count {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let message = format!(
            "the policy `{}` depends on `{attribute}` of `{uid}`{others}, which is not known but assumed",
            policy.id()
        );
        let attributes = self.bundle.vocabulary().attributes(owner);
        let known = attributes.and_then(|attributes| attributes.get(attribute));
        let export = known.and_then(|known| known.annotations.get("exported"));
        let export = export.map_or_else(String::new, |export| format!(" from {export}"));
        let help = match (policy.effect(), dependency.allows_more) {
            _ if dependency.is_decisive() => "no decision is given where it matters",
            (Effect::Permit, true) => "it may permit more than it should",
            (Effect::Forbid, true) => "it may hold nobody back",
            (Effect::Permit, false) => "it may permit less than it should",
            (Effect::Forbid, false) => "it may hold back more than it should",
        };
        let finding = Finding::warning(code::policy::ASSUMED_VALUE, message)
            .label(dependency.place.clone(), "by this");
        let finding = match self.directory.place(dependency.row) {
            Some(place) => finding.label(place, "assumed of this one"),
            None => finding,
        };
        finding.help(format!(
            "{help}: import the value{export}, or set it by hand and take it out of the assumed ones, or decide by something else"
        ))
    }
}

impl<'e> Assumptions<'e> {
    pub(super) fn new(bundle: &'e Bundle, directory: &'e Directory) -> Self {
        Self { bundle, directory }
    }

    /// The policies that depend on assumed values, once for each attribute.
    pub(super) fn dependencies(&self) -> Vec<Dependency<'e>> {
        let vocabulary = self.bundle.vocabulary();
        let recording: BTreeMap<&str, &str> = vocabulary.assumed().collect();
        let mut unassured: BTreeMap<(String, String), Unassured> = BTreeMap::new();
        let mut found = Vec::new();
        let policies = self.bundle.policies().iter();
        for policy in policies.filter(|policy| !policy.is_shipped()) {
            let scope = Scope::for_policy(policy, vocabulary);
            let mut seen = BTreeSet::new();
            for (attribute, owners) in looked_at(policy, &scope) {
                for owner in owners {
                    let recorded = recording.get(owner.as_str()).copied();
                    if recorded.is_none() && !vocabulary.is_unknown_if_absent(&owner, attribute) {
                        continue;
                    }
                    let key = (owner, attribute.to_owned());
                    if !seen.insert(key.clone()) {
                        continue;
                    }
                    let entry = unassured.entry(key.clone());
                    let of = entry.or_insert_with(|| self.unassured(&key, recorded));
                    found.extend(self.dependency(policy, &scope, key, of));
                }
            }
        }
        found
    }

    /// The entities of a type whose value of an attribute is not known, because they record it in the attribute
    /// `recorded` or because the attribute is absent.
    fn unassured(
        &self,
        (owner, attribute): &(String, String),
        recorded: Option<&str>,
    ) -> Unassured {
        let directory = self.directory;
        let is_absent_unknown = self
            .bundle
            .vocabulary()
            .is_unknown_if_absent(owner, attribute);
        let is_bool = self.is_bool(owner, attribute);
        let mut unassured = Unassured::default();
        let of_type = owner.parse::<EntityTypeName>().ok();
        let rows = of_type.iter().flat_map(|of| directory.rows_of(of));
        for row in rows {
            let is_recorded = recorded
                .is_some_and(|recorded| directory.attribute_has_text(row, recorded, attribute));
            let is_absent =
                (is_recorded || is_absent_unknown) && !directory.has_attribute(row, attribute);
            if !is_recorded && !is_absent {
                continue;
            }
            let is_true = directory.attribute_is_true(row, attribute);
            unassured.values.insert(match is_absent {
                true => Assumed::Nothing,
                false if is_bool && !is_true => Assumed::False,
                false => Assumed::Something,
            });
            unassured.first.get_or_insert(row);
            unassured.count += 1;
            unassured.is_recorded |= is_recorded;
        }
        unassured
    }

    fn is_bool(&self, owner: &str, attribute: &str) -> bool {
        let attributes = self.bundle.vocabulary().attributes(owner);
        let known = attributes.and_then(|attributes| attributes.get(attribute));
        known.is_some_and(|known| known.kind == Kind::Bool)
    }

    fn dependency(
        &self,
        policy: &'e Policy,
        scope: &Scope<'_>,
        attribute: (String, String),
        unassured: &Unassured,
    ) -> Option<Dependency<'e>> {
        let row = unassured.first?;
        let (owner, name) = &attribute;
        let is_bool = self.is_bool(owner, name);
        let is_it = |part: &Expr| {
            looks_at(part).is_some_and(|(of, read)| {
                read == name && scope.possible_owners(of, read).contains(owner)
            })
        };
        let leaves = leaves_with(policy, self.bundle.vocabulary(), &is_it);
        let allows_more = |(leaf, mention): &(&Expr, Mention)| {
            let mut values = unassured.values.iter();
            values.any(|value| match holds(leaf, *value, is_bool, &is_it) {
                AssumedTruth::Unasked => false,
                AssumedTruth::Is(true) => mention.allows_more_if_true,
                AssumedTruth::Is(false) => mention.allows_more,
                AssumedTruth::Open => mention.allows_more || mention.allows_more_if_true,
            })
        };
        let worst = leaves.iter().find(|leaf| allows_more(leaf));
        let (_, mention) = worst.or_else(|| leaves.first())?;
        let place = mention.place.clone();
        Some(Dependency {
            policy,
            place,
            allows_more: worst.is_some(),
            is_recorded: unassured.is_recorded,
            row,
            count: unassured.count,
            attribute,
        })
    }
}

/// The truth of a condition, as far as it is certain.
enum AssumedTruth {
    /// The condition is not evaluated.
    Unasked,
    Is(bool),
    Open,
}

/// The truth of a condition under an assumed value.
fn holds(
    leaf: &Expr,
    value: Assumed,
    is_bool: bool,
    is_it: &dyn Fn(&Expr) -> bool,
) -> AssumedTruth {
    let is_attribute =
        |part: &Expr| is_it(part) && matches!(part.expr_kind(), ExprKind::GetAttr { .. });
    match leaf.expr_kind() {
        ExprKind::HasAttr { .. } | ExprKind::ExtHasAttr { .. } if is_it(leaf) => match value {
            Assumed::Nothing => AssumedTruth::Is(false),
            // The presence of a value is certain.
            Assumed::False | Assumed::Something => AssumedTruth::Unasked,
        },
        _ if value == Assumed::Nothing => AssumedTruth::Unasked,
        ExprKind::GetAttr { .. } if is_bool && is_it(leaf) => {
            AssumedTruth::Is(value == Assumed::Something)
        }
        ExprKind::BinaryApp {
            op: BinaryOp::Eq,
            arg1,
            arg2,
        } if is_bool => {
            let literal = match (arg1.expr_kind(), arg2.expr_kind()) {
                (ExprKind::Lit(Literal::Bool(literal)), _) if is_attribute(arg2) => *literal,
                (_, ExprKind::Lit(Literal::Bool(literal))) if is_attribute(arg1) => *literal,
                _ => return AssumedTruth::Open,
            };
            AssumedTruth::Is((value == Assumed::Something) == literal)
        }
        // The set may have more elements than are known.
        ExprKind::BinaryApp {
            op: BinaryOp::Contains | BinaryOp::ContainsAll | BinaryOp::ContainsAny,
            arg1,
            ..
        } if is_within(arg1, is_it) => AssumedTruth::Is(false),
        ExprKind::BinaryApp {
            op: BinaryOp::In,
            arg2,
            ..
        } if is_within(arg2, is_it) => AssumedTruth::Is(false),
        _ => AssumedTruth::Open,
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
    let condition = policy.written().non_scope_constraints();
    let parts = condition.into_iter().flat_map(Expr::subexpressions);
    let looks = parts.filter_map(looks_at);
    looks
        .map(|(of, attribute)| (attribute, scope.possible_owners(of, attribute)))
        .collect()
}

/// The attribute that an expression reads, after the expression whose attribute it is.
pub(super) fn looks_at(expression: &Expr) -> Option<(&Expr, &str)> {
    match expression.expr_kind() {
        ExprKind::GetAttr { expr, attr } | ExprKind::HasAttr { expr, attr } => {
            Some((expr, attr.as_str()))
        }
        ExprKind::ExtHasAttr { expr, attrs } => Some((expr, attrs.first().as_str())),
        _ => None,
    }
}
