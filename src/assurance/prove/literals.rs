//! The literals of policies and specs, and the names of the schema.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use cedar_policy::EntityUid;
use cedar_policy_core::ast;
use serde_json::{Value, json};

use super::model::kind_of_extension;
use tarbac_host::bundle::{Bundle, Policy};

/// Neutral values of extension types, by their constructor functions.
const PLAIN: [(&str, &str); 8] = [
    ("datetime", "1970-01-01"),
    ("datetime", "9999-12-31"),
    ("decimal", "0.0"),
    ("decimal", "1.0"),
    ("duration", "0ms"),
    ("duration", "1d"),
    ("ip", "127.0.0.1"),
    ("ip", "::1"),
];

/// The literals of some policies.
pub(super) struct Literals<'a> {
    pub bundle: &'a Arc<Bundle>,
    /// The entities that a policy or spec names; these keep their names.
    named: HashSet<EntityUid>,
    /// The numbers that policies and specs compare with and their neighbours, simplest first.
    pub numbers: Vec<i64>,
    /// The extension values that they compare with, and neutral ones, by kind, simplest first.
    extensions: BTreeMap<String, Vec<Value>>,
}

impl<'a> Literals<'a> {
    /// The literals of the policies of a bundle, and of further ones.
    pub(super) fn new<'p>(
        bundle: &'a Arc<Bundle>,
        beside: impl Iterator<Item = &'p Policy>,
    ) -> Self {
        let mut literals = Self {
            bundle,
            named: HashSet::new(),
            numbers: Vec::new(),
            extensions: BTreeMap::new(),
        };
        let mut numbers = BTreeSet::new();
        for policy in bundle.policies() {
            literals.add(policy, &mut numbers);
        }
        for policy in beside {
            literals.add(policy, &mut numbers);
        }
        for (function, argument) in PLAIN {
            literals.add_extension(function, argument);
        }
        // Numbers that policies contain come before their neighbours.
        let beside = numbers.iter().rev().flat_map(|number| {
            [number.checked_sub(1), number.checked_add(1)]
                .into_iter()
                .flatten()
        });
        let mut seen = BTreeSet::new();
        // Neutral numbers come last.
        let plain = [0, 1].into_iter();
        literals.numbers = numbers
            .iter()
            .rev()
            .copied()
            .chain(beside)
            .chain(plain)
            .collect();
        literals.numbers.retain(|number| seen.insert(*number));
        literals
    }

    /// Whether an entity has to keep its name: a policy names it, or its type enumerates it.
    pub(super) fn keeps_name(&self, uid: &EntityUid) -> bool {
        self.named.contains(uid) || self.choices(uid).is_some()
    }

    /// The ids of an enumerated type.
    pub(super) fn choices(&self, uid: &EntityUid) -> Option<&BTreeSet<String>> {
        let type_name = uid.type_name().to_string();
        self.bundle.vocabulary().choices(&type_name)
    }

    /// The values of the kind of a value of an extension, simplest first.
    pub(super) fn extensions_like(&self, value: &Value) -> &[Value] {
        kind_of_extension(value)
            .and_then(|kind| self.extensions.get(kind))
            .map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, policy: &Policy, numbers: &mut BTreeSet<i64>) {
        self.named.extend(policy.named_entities());
        let conditions = policy.written().non_scope_constraints().into_iter();
        for part in conditions.flat_map(ast::Expr::subexpressions) {
            match part.expr_kind() {
                ast::ExprKind::Lit(ast::Literal::Long(long)) => {
                    numbers.insert(*long);
                }
                ast::ExprKind::ExtensionFunctionApp { fn_name, args } => {
                    if let Some(ast::ExprKind::Lit(ast::Literal::String(argument))) =
                        args.first().map(ast::Expr::expr_kind)
                    {
                        self.add_extension(&fn_name.to_string(), argument);
                    }
                }
                _ => {}
            }
        }
    }

    fn add_extension(&mut self, function: &str, argument: &str) {
        let value = json!({ "__extn": { "fn": function, "arg": argument } });
        let known = self.extensions.entry(function.to_owned()).or_default();
        if !known.contains(&value) {
            known.push(value);
        }
    }
}
