//! Tests of a resource against a principal, as the directory answers them.

use cedar_policy_core::ast;

use super::conditions::{EqualityTest, MembershipTest};
use tarbac_store::{Directory, Row};

/// A membership or equality test that takes no evaluation, and no time for each entity in the principal's set.
#[derive(Debug)]
pub(crate) enum PairTest {
    /// Whether the resource is at the end of a path of the principal's attributes, or in the set there.
    Member {
        path: Vec<String>,
        /// Whether the resource must be one of the entities; otherwise it may also be in one.
        is_itself: bool,
    },
    /// Whether an attribute of the resource equals the principal, or an attribute of it.
    Equal {
        principal: Option<String>,
        resource: String,
    },
}

impl PairTest {
    /// The membership test; `None` if its set has to be evaluated.
    pub(super) fn of_membership(test: &MembershipTest) -> Option<Self> {
        Some(Self::Member {
            path: path(&test.set)?,
            is_itself: test.is_itself,
        })
    }

    /// The equality test.
    pub(super) fn of_equality(test: &EqualityTest) -> Self {
        Self::Equal {
            principal: test.principal.clone(),
            resource: test.resource.clone(),
        }
    }

    /// Whether it holds; not for a principal or resource that has nothing to compare.
    pub(crate) fn holds(&self, directory: &Directory, principal: Row, resource: Row) -> bool {
        match self {
            Self::Member { path, is_itself } => directory
                .leads_to((principal, path), resource, !is_itself)
                .unwrap_or(false),
            Self::Equal {
                principal: attribute,
                resource: of_resource,
            } => {
                let sought = match attribute {
                    Some(attribute) => directory.value_number(principal, attribute),
                    None => Some(Directory::entity_number(principal)),
                };
                sought.is_some() && sought == directory.value_number(resource, of_resource)
            }
        }
    }
}

/// The attributes on the way from the principal to the value of an expression; `None` if it is no such path.
fn path(expression: &ast::Expr) -> Option<Vec<String>> {
    match expression.expr_kind() {
        ast::ExprKind::Var(ast::Var::Principal) => Some(Vec::new()),
        ast::ExprKind::GetAttr { expr, attr } => {
            let mut path = path(expr)?;
            path.push(attr.to_string());
            Some(path)
        }
        _ => None,
    }
}
