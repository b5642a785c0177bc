//! The reach of a request: entities of the directory, and policies that can match it.

use std::collections::BTreeSet;

use cedar_policy::{Context, EntityUid};
use cedar_policy_core::ast;

use super::authority::Asking;
use super::case::Parties;
use super::index::Bucket;
use super::{Engine, NotAsked, Undecidable};
use crate::bundle::Action;
use crate::decision::Request;
use tarbac_store::Row;

/// The reach of a request.
pub(super) struct Reach<'e> {
    pub action: &'e Action,
    pub parties: Parties,
    /// The rows from which its entities can be reached.
    pub rows: Vec<Row>,
    /// The policies that can match it.
    pub buckets: Vec<&'e Bucket>,
    /// The question who is in authority, if it arises.
    pub authority: Option<Asking<'e>>,
}

impl Engine {
    /// The reach of a request.
    ///
    /// # Errors
    /// Those of [`Engine::slice`].
    pub(super) fn reach(&self, request: &Request) -> Result<Reach<'_>, Vec<Undecidable>> {
        let action = self.conforming(request).map_err(|error| vec![error])?;
        let (principal, resource) = match (
            self.defined(&request.principal),
            self.defined(&request.resource),
        ) {
            (Ok(principal), Ok(resource)) => (principal, resource),
            (principal, resource) => {
                return Err([principal, resource]
                    .into_iter()
                    .filter_map(Result::err)
                    .collect());
            }
        };
        let mut rows = vec![principal, resource];
        for uid in entities_of(&request.context) {
            rows.push(self.defined(&uid).map_err(|error| vec![error])?);
        }
        let reached = [principal, resource]
            .into_iter()
            .flat_map(|row| std::iter::once(row).chain(self.directory.ancestors(row)));
        let buckets: Vec<&Bucket> = {
            let matching = self.index.matching(request, action.is_question(), reached);
            matching.collect()
        };
        let authority = self.asks_authority(action, request);
        let beside = authority.as_ref().and_then(|asking| asking.asked);
        for bucket in buckets.iter().copied().chain(beside) {
            rows.extend(&bucket.looked_into);
        }
        Ok(Reach {
            action,
            authority,
            parties: Parties {
                principal,
                resource,
            },
            rows,
            buckets,
        })
    }

    fn conforming(&self, request: &Request) -> Result<&Action, Undecidable> {
        let known = self.known(&request.action)?;
        let (principal, resource) = (request.principal.type_name(), request.resource.type_name());
        match known.action.applies_to(principal, resource) {
            true => Ok(&known.action),
            false => Err(Undecidable::NotAsked(Box::new(NotAsked {
                action: request.action.clone(),
                principal: principal.clone(),
                resource: resource.clone(),
            }))),
        }
    }

    pub(super) fn defined(&self, uid: &EntityUid) -> Result<Row, Undecidable> {
        self.directory
            .row(uid)
            .filter(|row| self.directory.is_defined(*row))
            .ok_or_else(|| Undecidable::Missing(Box::new(uid.clone())))
    }
}

/// The entities that a context refers to.
pub fn entities_of(context: &Context) -> BTreeSet<EntityUid> {
    let values = context.clone().into_iter();
    let named = values.flat_map(|(_, value)| {
        let value: &ast::RestrictedExpr = value.as_ref();
        entities_named_in(value).collect::<Vec<_>>()
    });
    named.collect()
}

/// The entities that an expression names.
pub(super) fn entities_named_in(expression: &ast::Expr) -> impl Iterator<Item = EntityUid> + '_ {
    expression
        .subexpressions()
        .filter_map(|part| match part.expr_kind() {
            ast::ExprKind::Lit(ast::Literal::EntityUID(uid)) => {
                Some(EntityUid::from(uid.as_ref().clone()))
            }
            _ => None,
        })
}
