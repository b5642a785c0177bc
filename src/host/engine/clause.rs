//! Clauses: parts of conditions whose truth is kept for the values they read.
//!
//! A clause is true or false by what it reads of the principal and the resource. So what Cedar has said of a clause
//! holds for every request in which these values are the same, as long as the entities are those of the directory: an
//! engine never changes. Cedar alone judges. It is asked once for each combination of values, and again whenever a
//! clause reads the action or values of the context, cannot be evaluated, or has come up with too many combinations.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cedar_policy::EntityUid;
use cedar_policy_core::ast;

use super::Undecidable;
use super::case::{Case, Parties};
use super::context_key::Key;
use super::kept::KeptTruths;
use super::read_set::{ReadSetBuilder, Variables};
use crate::bundle::{Scope, Vocabulary};
use tarbac_store::{Directory, Fingerprinter, Row};

/// A part of a condition, with its truth as far as it is known.
#[derive(Debug)]
pub(super) struct KeptClause {
    expression: ast::Expr,
    reads: OnceLock<Reads>,
}

/// The reads of a clause.
#[derive(Debug)]
enum Reads {
    /// The action, or values of the context: of these nothing is kept.
    Others,
    /// A test of which the directory knows how it stands; by that, the truth.
    Test(Test, [OnceLock<bool>; 2]),
    /// Values of the principal, the resource and entities of the context; by them, the truth.
    Values {
        read: Box<Fingerprinter>,
        of: Variables,
        context: Vec<Key>,
        kept: KeptTruths,
    },
}

/// A comparison of entities or values, with two ways to stand.
#[derive(Debug)]
enum Test {
    /// Whether one party is an entity, or in it.
    Within(Side, Row),
    /// Whether one party is an entity at the end of a path or in the set there or, if ancestors count, is in one.
    LedTo(Path, Side, bool),
    /// Whether there are equal values at the ends of two paths.
    Equal(Path, Path),
}

/// A path of attributes from one party.
#[derive(Debug, PartialEq)]
struct Path(Side, Vec<String>);

/// One of the two parties of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Principal,
    Resource,
}

/// The clauses of an engine, each once, by their texts.
#[derive(Debug, Default)]
pub(super) struct Clauses(Mutex<BTreeMap<String, Arc<KeptClause>>>);

impl Clauses {
    /// The clause of an expression.
    pub(super) fn clause(&self, expression: &ast::Expr) -> Arc<KeptClause> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let clause = known.entry(expression.to_string()).or_insert_with(|| {
            Arc::new(KeptClause {
                expression: expression.clone(),
                reads: OnceLock::new(),
            })
        });
        Arc::clone(clause)
    }

    /// The number of truth values that are kept.
    pub(super) fn kept(&self) -> usize {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().map(|clause| clause.kept()).sum()
    }
}

impl KeptClause {
    fn kept(&self) -> usize {
        match self.reads.get() {
            Some(Reads::Test(_, truths)) => truths.iter().filter_map(OnceLock::get).count(),
            Some(Reads::Values { kept, .. }) => kept.len(),
            Some(Reads::Others) | None => 0,
        }
    }

    /// Whether the clause is true.
    ///
    /// # Errors
    /// Cedar cannot evaluate it.
    pub(super) fn truth(&self, case: &Case<'_>) -> Result<bool, Undecidable> {
        let ask = || case.truth(&self.expression, &ast::SlotEnv::new());
        let Some(parties) = case.parties() else {
            return ask();
        };
        let directory = case.directory();
        let reads = || Reads::new(&self.expression, case.vocabulary(), directory);
        match self.reads.get_or_init(reads) {
            Reads::Others => ask(),
            Reads::Test(test, [if_not, if_so]) => {
                let kept = match test.stands(directory, parties) {
                    Some(true) => if_so,
                    Some(false) => if_not,
                    None => return ask(),
                };
                match kept.get() {
                    Some(truth) => Ok(*truth),
                    None => ask().map(|truth| *kept.get_or_init(|| truth)),
                }
            }
            Reads::Values {
                read,
                of,
                context,
                kept,
            } => case.with_key(|key| {
                for part in context {
                    match part.read(case, key) {
                        Some(Some(row)) => directory.fingerprint(row, read, key),
                        Some(None) => {}
                        None => return ask(),
                    }
                }
                if of.principal {
                    directory.fingerprint(parties.principal, read, key);
                }
                if of.resource {
                    directory.fingerprint(parties.resource, read, key);
                }
                match kept.get(key) {
                    Some(truth) => Ok(truth),
                    None => ask().inspect(|truth| kept.put(key, *truth)),
                }
            }),
        }
    }
}

impl Reads {
    fn new(expression: &ast::Expr, vocabulary: &Vocabulary, directory: &Directory) -> Self {
        let of = Variables::new(expression);
        let mut context = Vec::new();
        if of.other && !Key::collect(expression, &mut context) {
            return Self::Others;
        }
        context.sort_unstable();
        context.dedup();
        let scope = Scope::of_all(vocabulary);
        if let Some(test) = Test::new(expression, &scope, directory) {
            return Self::Test(test, Default::default());
        }
        let mut read = ReadSetBuilder::default();
        read.add(expression, &scope);
        Self::Values {
            read: Box::new(Fingerprinter::new(&read.build(directory), directory)),
            of,
            context,
            kept: KeptTruths::default(),
        }
    }
}

impl Test {
    /// The test that an expression is; `None` if it is none.
    fn new(expression: &ast::Expr, scope: &Scope<'_>, directory: &Directory) -> Option<Self> {
        let ast::ExprKind::BinaryApp { op, arg1, arg2 } = expression.expr_kind() else {
            return None;
        };
        let party = |part| Path::new(part).filter(|path| path.1.is_empty());
        match op {
            ast::BinaryOp::In => {
                let Path(side, _) = party(arg1)?;
                match arg2.expr_kind() {
                    ast::ExprKind::Lit(ast::Literal::EntityUID(uid)) => {
                        let row = directory.row(&EntityUid::from(uid.as_ref().clone()))?;
                        Some(Self::Within(side, row))
                    }
                    _ => Some(Self::LedTo(Path::new(arg2)?, side, true)),
                }
            }
            ast::BinaryOp::Contains => {
                let Path(side, _) = party(arg2)?;
                Some(Self::LedTo(Path::new(arg1)?, side, false))
            }
            ast::BinaryOp::Eq if scope.is_scalar(arg1) && scope.is_scalar(arg2) => {
                Some(Self::Equal(Path::new(arg1)?, Path::new(arg2)?))
            }
            _ => None,
        }
    }

    /// How it stands between two parties; `None` if there is nothing to compare.
    fn stands(&self, directory: &Directory, parties: Parties) -> Option<bool> {
        match self {
            Self::Within(side, row) => {
                let party = side.of(parties);
                Some(party == *row || directory.ancestors(party).any(|above| above == *row))
            }
            Self::LedTo(Path(from, path), side, do_ancestors_count) => {
                let from = (from.of(parties), path.as_slice());
                directory.leads_to(from, side.of(parties), *do_ancestors_count)
            }
            Self::Equal(one, other) => {
                let number = |Path(from, path): &Path| directory.number_at(from.of(parties), path);
                Some(number(one)? == number(other)?)
            }
        }
    }
}

impl Path {
    /// The path that an expression is; `None` if it is none.
    fn new(expression: &ast::Expr) -> Option<Self> {
        match expression.expr_kind() {
            ast::ExprKind::Var(ast::Var::Principal) => Some(Self(Side::Principal, Vec::new())),
            ast::ExprKind::Var(ast::Var::Resource) => Some(Self(Side::Resource, Vec::new())),
            ast::ExprKind::GetAttr { expr, attr } => {
                let Self(side, mut path) = Self::new(expr)?;
                path.push(attr.to_string());
                Some(Self(side, path))
            }
            _ => None,
        }
    }
}

impl Side {
    fn of(self, parties: Parties) -> Row {
        match self {
            Self::Principal => parties.principal,
            Self::Resource => parties.resource,
        }
    }
}
