//! A request in a world, in which expressions of policies can be evaluated.

use std::cell::OnceCell;

use cedar_policy::{Entities, EntityUid, Request as CedarRequest};
use cedar_policy_core::ast;
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

use super::value::Names;
use crate::bundle::{Attribute, Vocabulary};
use crate::decision::Request;
use crate::engine::{Engine, World};

/// A request in a world.
#[derive(Clone)]
pub(super) struct Scene<'a> {
    engine: &'a Engine,
    request: Request,
    world: World,
    /// Made when something is first evaluated: many worlds are only passed through.
    taken: OnceCell<Result<(CedarRequest, Entities), String>>,
}

/// What a path of attributes leads to.
pub(super) struct Target<'a> {
    /// The last entity on the way.
    pub entity: EntityUid,
    /// The attributes from there: one, or more where records are passed.
    pub path: Vec<String>,
    /// What the schema says of the last one.
    pub attribute: &'a Attribute,
}

impl<'a> Scene<'a> {
    pub fn new(engine: &'a Engine, request: &Request, mut world: World) -> Self {
        engine.widen(request, &mut world);
        Self {
            engine,
            request: request.clone(),
            world,
            taken: OnceCell::new(),
        }
    }

    /// The same request in another world.
    pub fn within(&self, world: World) -> Self {
        Self::new(self.engine, &self.request, world)
    }

    pub fn engine(&self) -> &'a Engine {
        self.engine
    }

    pub fn names(&self) -> Names<'a> {
        Names::new(self.engine)
    }

    pub fn vocabulary(&self) -> &'a Vocabulary {
        self.engine.bundle().vocabulary()
    }

    pub fn request(&self) -> &Request {
        &self.request
    }

    pub fn world(&self) -> &World {
        &self.world
    }

    pub fn evaluate(&self, expression: &ast::Expr) -> Result<ast::Value, String> {
        let taken = self
            .taken
            .get_or_init(|| self.engine.as_cedar_takes_it(&self.request, &self.world));
        let (request, entities) = taken.as_ref().map_err(Clone::clone)?;
        let request: &ast::Request = request.as_ref();
        Evaluator::new(
            request.clone(),
            entities.as_ref(),
            Extensions::all_available(),
        )
        .interpret(expression, &ast::SlotEnv::new())
        .map_err(|error| error.to_string())
    }

    pub fn truth(&self, expression: &ast::Expr) -> Result<bool, String> {
        match self.evaluate(expression)?.value_kind() {
            ast::ValueKind::Lit(ast::Literal::Bool(bool)) => Ok(*bool),
            _ => Err("it is neither true nor false".to_owned()),
        }
    }

    /// The entity that an expression evaluates to.
    pub fn entity(&self, expression: &ast::Expr) -> Option<EntityUid> {
        as_entity(&self.evaluate(expression).ok()?)
    }

    /// The entity, or the entities of the set, that an expression evaluates to; sorted.
    pub fn entities(&self, expression: &ast::Expr) -> Vec<EntityUid> {
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

    /// What an expression leads to, if it is a path of attributes that the schema knows. Its end
    /// need not be there, as when an optional record on the way is absent.
    pub fn target(&self, expression: &ast::Expr) -> Option<Target<'a>> {
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

    /// Everything an entity is in, sorted.
    pub fn ancestors(&self, entity: &EntityUid) -> Vec<EntityUid> {
        let mut ancestors: Vec<EntityUid> = self
            .world
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
