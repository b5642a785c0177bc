//! Edits that facts make to entities, and the statements that hold in the end.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use cedar_policy::{Entity, EntityUid};
use cedar_policy_core::ast;
use serde_json::{Map, Value};

use super::value::{is_same, literal_value};
use super::{Assertion, Fact, FactError, FactId, InvalidFact, Repetition, Statement, is_in_other};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, Name, NameError};
use tarbac_store::GivenEntity;
use tarbac_store::index::IndexVec;

/// The entities that facts change or create, while the facts are applied one by one.
pub(super) struct Edits<'a> {
    pub(super) engine: &'a Engine,
    names: &'a Lookup<'a>,
    pub(super) changed: BTreeMap<EntityUid, GivenEntity>,
    /// The index of the fact that makes a statement, by statement and map. A map makes a statement once, however it is
    /// spelled; a case may contradict its suite.
    stated_by: BTreeMap<(String, (String, u64)), FactId>,
    /// Entities for which a fact states an attribute in place of a parent, or that parent.
    pub(super) explicit: BTreeSet<EntityUid>,
}

/// An assertion without the index of its fact.
struct Applied {
    entity: EntityUid,
    statement: Statement,
    held_before: bool,
}

impl<'a> Edits<'a> {
    pub(super) fn new(engine: &'a Engine, names: &'a Lookup<'a>) -> Self {
        Self {
            engine,
            names,
            changed: BTreeMap::new(),
            stated_by: BTreeMap::new(),
            explicit: BTreeSet::new(),
        }
    }

    /// Applies the fact with this index.
    pub(super) fn apply(&mut self, fact: &Fact, index: FactId) -> Result<Assertion, FactError> {
        let expression = ast::Expr::from_str(&fact.expression).map_err(|error| {
            let reason = error.iter().next().map(ToString::to_string);
            InvalidFact::new(format!(
                "`{}` is no Cedar expression: {}",
                fact.expression,
                reason.unwrap_or_default()
            ))
            .help("for example: Intune::Tenant::\"contoso\".useIntuneRbac")
        })?;
        let applied = match expression.expr_kind() {
            ast::ExprKind::Lit(ast::Literal::EntityUID(uid)) => {
                self.create(uid, &fact.value)?;
                Applied {
                    entity: EntityUid::from(uid.as_ref().clone()),
                    statement: Statement::Exists,
                    held_before: false,
                }
            }
            ast::ExprKind::GetAttr { .. } => self.apply_value(fact, index, &expression)?,
            ast::ExprKind::HasAttr { expr, attr } => self.apply_absence(fact, index, expr, attr)?,
            ast::ExprKind::BinaryApp { op, arg1, arg2 } => match op {
                ast::BinaryOp::In => self.apply_membership(fact, index, arg1, arg2)?,
                ast::BinaryOp::Contains => self.apply_element(fact, index, arg1, arg2)?,
                _ => return Err(unknown_form().into()),
            },
            _ => return Err(unknown_form().into()),
        };
        Ok(Assertion {
            fact: index,
            entity: applied.entity,
            statement: applied.statement,
            held_before: applied.held_before,
        })
    }

    /// `E.attribute: VALUE`.
    fn apply_value(
        &mut self,
        fact: &Fact,
        index: FactId,
        expression: &ast::Expr,
    ) -> Result<Applied, FactError> {
        let (uid, path) = self.target(expression)?;
        self.state(fact, index, format!("{uid}.{}", path.join(".")))?;
        let value = self.value(&uid, &path, &fact.value, false)?;
        let before = self.original_value(&uid, &path)?;
        let before = before.or_else(|| self.absent_value(&uid, &path));
        let held_before =
            !self.is_assumed(&uid, &path) && before.is_some_and(|before| is_same(&before, &value));
        self.set(&uid, &path, value.clone())?;
        Ok(Applied {
            entity: uid,
            statement: Statement::Is(path, Some(value)),
            held_before,
        })
    }

    /// `E has attribute: false`.
    fn apply_absence(
        &mut self,
        fact: &Fact,
        index: FactId,
        owner: &ast::Expr,
        attribute: &str,
    ) -> Result<Applied, FactError> {
        let (uid, mut path) = self.target(owner)?;
        path.push(attribute.to_owned());
        self.state(fact, index, format!("{uid}.{}", path.join(".")))?;
        if truth(&fact.value)? {
            let path = path.join(".");
            let message = format!("that `{uid}` has `{path}` says nothing of its value");
            return Err(InvalidFact::new(message)
                .help("give it a value instead")
                .into());
        }
        let held_before =
            !self.is_assumed(&uid, &path) && self.original_value(&uid, &path)?.is_none();
        self.remove(&uid, &path)?;
        Ok(Applied {
            entity: uid,
            statement: Statement::Is(path, None),
            held_before,
        })
    }

    /// `E in F: true` or `false`.
    fn apply_membership(
        &mut self,
        fact: &Fact,
        index: FactId,
        member: &ast::Expr,
        group: &ast::Expr,
    ) -> Result<Applied, FactError> {
        let (uid, group) = (self.literal(member)?, self.literal(group)?);
        self.state(fact, index, format!("{uid} in {group}"))?;
        let is_in = truth(&fact.value)?;
        let held_before = is_in_other(self.engine, &uid, &group) == is_in;
        match is_in {
            true => self.join(&uid, &group),
            false => self.leave(&uid, &group),
        }?;
        Ok(Applied {
            entity: uid,
            statement: Statement::In(group, is_in),
            held_before,
        })
    }

    /// `E.attribute.contains(F): true` or `false`.
    fn apply_element(
        &mut self,
        fact: &Fact,
        index: FactId,
        set: &ast::Expr,
        element: &ast::Expr,
    ) -> Result<Applied, FactError> {
        let (uid, path) = self.target(set)?;
        let element = match element.expr_kind() {
            ast::ExprKind::Lit(literal) => literal_value(literal),
            _ => return Err(unknown_form().into()),
        };
        let element = self.value(&uid, &path, &element, true)?;
        let name = format!("{uid}.{}.contains({element})", path.join("."));
        self.state(fact, index, name)?;
        let is_contained = truth(&fact.value)?;
        let before = self.original_value(&uid, &path)?;
        let before = before.as_ref().and_then(Value::as_array);
        let mut before = before.into_iter().flatten();
        let held_before = before.any(|known| is_same(known, &element)) == is_contained;
        self.contain(&uid, &path, element.clone(), is_contained)?;
        Ok(Applied {
            entity: uid,
            statement: Statement::Contains(path, element, is_contained),
            held_before,
        })
    }

    /// The statements that do not hold in the end, each with another one about the same entity. Membership is not
    /// checked: it may come about through a third entity.
    pub(super) fn overridden(
        &self,
        facts: &IndexVec<FactId, &Fact>,
        assertions: &[Assertion],
    ) -> Vec<(FactId, FactId)> {
        let lost = assertions.iter().filter(|of| !self.holds(facts, of));
        let overridden = lost.filter_map(|lost| {
            let mut others = assertions.iter().rev();
            let other =
                others.find(|other| other.entity == lost.entity && other.fact != lost.fact)?;
            Some((lost.fact, other.fact))
        });
        overridden.collect()
    }

    fn holds(&self, facts: &IndexVec<FactId, &Fact>, assertion: &Assertion) -> bool {
        let Some(edited) = self.changed.get(&assertion.entity) else {
            return false;
        };
        let at = |path: &[String]| {
            let (first, rest) = path.split_first()?;
            let mut steps = rest.iter();
            steps.try_fold(edited.attributes.get(first)?, |value, step| value.get(step))
        };
        match &assertion.statement {
            Statement::Exists => {
                let attributes = facts[assertion.fact].value.as_object();
                attributes.into_iter().flatten().all(|(name, value)| {
                    let path = std::slice::from_ref(name);
                    let value = self.value(&assertion.entity, path, value, false);
                    value.is_ok_and(|value| at(path).is_some_and(|now| is_same(now, &value)))
                })
            }
            Statement::Is(path, None) => at(path).is_none(),
            Statement::Is(path, Some(value)) => at(path).is_some_and(|now| is_same(now, value)),
            Statement::Contains(path, element, is_contained) => {
                let mut elements = at(path).and_then(Value::as_array).into_iter().flatten();
                elements.any(|known| is_same(known, element)) == *is_contained
            }
            Statement::In(..) => true,
        }
    }

    /// Records the statement of a fact, unless another fact of the same map makes it.
    fn state(&mut self, fact: &Fact, index: FactId, statement: String) -> Result<(), FactError> {
        match self.stated_by.entry((statement.clone(), fact.map.clone())) {
            Entry::Vacant(entry) => {
                entry.insert(index);
                Ok(())
            }
            Entry::Occupied(entry) => Err(FactError::Repeated(Repetition {
                statement,
                facts: (*entry.get(), index),
            })),
        }
    }

    /// The entity that a path of attributes starts at, and the path.
    fn target(&self, expression: &ast::Expr) -> Result<(EntityUid, Vec<String>), InvalidFact> {
        match expression.expr_kind() {
            ast::ExprKind::GetAttr { expr, attr } => {
                let (uid, mut path) = self.target(expr)?;
                path.push(attr.to_string());
                Ok((uid, path))
            }
            _ => Ok((self.literal(expression)?, Vec::new())),
        }
    }

    fn literal(&self, expression: &ast::Expr) -> Result<EntityUid, InvalidFact> {
        match expression.expr_kind() {
            ast::ExprKind::Lit(ast::Literal::EntityUID(uid)) => {
                self.resolve(&EntityUid::from(uid.as_ref().clone()))
            }
            _ => Err(unknown_form()),
        }
    }

    /// The entity with this uid, or the one of its type with its id as a name.
    pub(super) fn resolve(&self, uid: &EntityUid) -> Result<EntityUid, InvalidFact> {
        match self.changed.contains_key(uid) || self.engine.directory().knows(uid) {
            true => Ok(uid.clone()),
            false => self.with_name(uid),
        }
    }

    /// The entity of this type whose id or name is the id of this uid.
    pub(super) fn with_name(&self, uid: &EntityUid) -> Result<EntityUid, InvalidFact> {
        let directory = self.engine.directory();
        // An entity that an earlier fact has created is in no directory.
        if self.changed.contains_key(uid) && !directory.knows(uid) {
            return Ok(uid.clone());
        }
        let text = uid.id().unescaped();
        let found = self.names.of_type(uid.type_name(), &Name::from(text));
        found.map_err(|error| InvalidFact {
            message: match &error {
                NameError::Ambiguous { .. } => error.to_string(),
                _ => format!("`{uid}` does not exist"),
            },
            help: match directory.rows_of(uid.type_name()).next() {
                Some(_) => miette::Diagnostic::help(&error).map(|help| help.to_string()),
                None => Some(format!("there is no `{}` at all", uid.type_name())),
            },
        })
    }

    /// The entity in the directory; an empty one if the directory does not define it.
    fn original(&self, uid: &EntityUid) -> Result<GivenEntity, InvalidFact> {
        let directory = self.engine.directory();
        let Some(row) = directory.row(uid).filter(|row| directory.is_defined(*row)) else {
            return Ok(GivenEntity::new(uid.clone()));
        };
        let entity = Entity::from(directory.entity(row).as_ref().clone());
        let mut json = entity
            .to_json_value()
            .map_err(|error| InvalidFact::new(error.to_string()))?;
        let mut part = |key: &str| match json.get_mut(key).map(Value::take) {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        Ok(GivenEntity {
            uid: uid.clone(),
            attributes: part("attrs"),
            tags: part("tags"),
            parents: directory
                .parents(row)
                .map(|row| directory.uid(row))
                .collect(),
        })
    }

    /// The value of an attribute in the directory.
    fn original_value(
        &self,
        uid: &EntityUid,
        path: &[String],
    ) -> Result<Option<Value>, InvalidFact> {
        let mut steps = path.iter();
        let mut attributes = self.original(uid)?.attributes;
        let mut value = steps.next().and_then(|step| attributes.remove(step));
        for step in steps {
            value = value
                .as_mut()
                .and_then(|value| value.get_mut(step))
                .map(Value::take);
        }
        Ok(value)
    }

    /// The entity with the edits so far.
    pub(super) fn edited(&mut self, uid: &EntityUid) -> Result<&mut GivenEntity, InvalidFact> {
        if !self.changed.contains_key(uid) {
            let original = self.original(uid)?;
            self.changed.insert(uid.clone(), original);
        }
        self.changed
            .get_mut(uid)
            .ok_or_else(|| InvalidFact::new(format!("`{uid}` does not exist")))
    }
}

pub(super) fn unknown_form() -> InvalidFact {
    InvalidFact::new("this is no fact").help(
        "facts are `E.attribute`, `E has attribute`, `E.attribute.contains(F)`, `E in F`, and `E` for a new entity, where E and F are entities such as Intune::Tenant::\"contoso\"",
    )
}

fn truth(value: &Value) -> Result<bool, InvalidFact> {
    value
        .as_bool()
        .ok_or_else(|| InvalidFact::new(format!("the fact is true or false, and not `{value}`")))
}
