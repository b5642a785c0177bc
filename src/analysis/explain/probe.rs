//! A request and its entities, for evaluating expressions of policies.

use std::cell::OnceCell;

use cedar_policy::EntityUid;
use cedar_policy_core::ast;

use super::value::Labels;
use tarbac_host::bundle::{Attribute, Vocabulary};
use tarbac_host::decision::Request;
use tarbac_host::engine::{Engine, EntitySlice, Evaluation, Undecidable};

/// A request with its entities.
#[derive(Clone)]
pub(super) struct Probe<'a> {
    engine: &'a Engine,
    request: Request,
    slice: EntitySlice,
    /// Made at the first evaluation: many probes are never evaluated.
    trial: OnceCell<Result<Evaluation, Undecidable>>,
}

/// The end of a path of attributes.
pub(super) struct Target<'a> {
    /// The last entity on the way.
    pub entity: EntityUid,
    /// The attributes from there on: one, or several through records.
    pub path: Vec<String>,
    /// The declaration of the last attribute.
    pub attribute: &'a Attribute,
}

impl<'a> Probe<'a> {
    pub(super) fn new(engine: &'a Engine, request: &Request, mut slice: EntitySlice) -> Self {
        engine.widen(request, &mut slice);
        Self {
            engine,
            request: request.clone(),
            slice,
            trial: OnceCell::new(),
        }
    }

    /// The same request with other entities.
    pub(super) fn within(&self, slice: EntitySlice) -> Self {
        Self::new(self.engine, &self.request, slice)
    }

    pub(super) fn engine(&self) -> &'a Engine {
        self.engine
    }

    pub(super) fn names(&self) -> Labels<'a> {
        Labels::new(self.engine)
    }

    pub(super) fn vocabulary(&self) -> &'a Vocabulary {
        self.engine.bundle().vocabulary()
    }

    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    pub(super) fn slice(&self) -> &EntitySlice {
        &self.slice
    }

    pub(super) fn evaluate(&self, expression: &ast::Expr) -> Result<ast::Value, Undecidable> {
        self.trial()?.evaluate(expression)
    }

    pub(super) fn truth(&self, expression: &ast::Expr) -> Result<bool, Undecidable> {
        self.trial()?.truth(expression)
    }

    fn trial(&self) -> Result<&Evaluation, Undecidable> {
        self.trial
            .get_or_init(|| Evaluation::within(self.engine, &self.request, &self.slice))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The entity that an expression evaluates to.
    pub(super) fn entity(&self, expression: &ast::Expr) -> Option<EntityUid> {
        as_entity(&self.evaluate(expression).ok()?)
    }

    /// The entity, or the entities of the set, that an expression evaluates to; sorted.
    pub(super) fn entities(&self, expression: &ast::Expr) -> Vec<EntityUid> {
        let Ok(value) = self.evaluate(expression) else {
            return Vec::new();
        };
        let mut entities: Vec<EntityUid> = match value.value_kind() {
            ast::ValueKind::Set(set) => set.iter().filter_map(as_entity).collect(),
            _ => as_entity(&value).into_iter().collect(),
        };
        entities.sort();
        entities
    }

    /// The target of an expression that is a path of attributes in the schema. It need not have a value, as when an
    /// optional record on the path is absent.
    pub(super) fn target(&self, expression: &ast::Expr) -> Option<Target<'a>> {
        let mut path = Vec::new();
        let mut rest = expression;
        loop {
            let ast::ExprKind::GetAttr { expr, attr } = rest.expr_kind() else {
                return None;
            };
            path.insert(0, attr.to_string());
            if let Some(entity) = self.entity(expr) {
                let attribute = self
                    .vocabulary()
                    .attribute(&entity.type_name().to_string(), &path)?;
                return Some(Target {
                    entity,
                    path,
                    attribute,
                });
            }
            rest = expr;
        }
    }

    /// The ancestors of an entity, sorted.
    pub(super) fn ancestors(&self, entity: &EntityUid) -> Vec<EntityUid> {
        let mut ancestors: Vec<EntityUid> = self
            .slice
            .get(entity)
            .into_iter()
            .flat_map(ast::Entity::ancestors)
            .map(|uid| EntityUid::from(uid.clone()))
            .collect();
        ancestors.sort();
        ancestors
    }
}

fn as_entity(value: &ast::Value) -> Option<EntityUid> {
    match value.value_kind() {
        ast::ValueKind::Lit(ast::Literal::EntityUID(uid)) => {
            Some(EntityUid::from(uid.as_ref().clone()))
        }
        _ => None,
    }
}
