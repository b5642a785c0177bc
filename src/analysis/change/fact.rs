//! Hypothetical facts of `what-if` and suites, and the entities they change or create.
//!
//! A fact is a Cedar expression about an entity, and the value that it is to have:
//!
//! | fact | makes it so |
//! |---|---|
//! | `E.attribute: VALUE`, also through records | the attribute has the value |
//! | `E has attribute: false` | the attribute is absent |
//! | `E.attribute.contains(F): true` or `false` | the set has the element, or has it not |
//! | `E in F: true` or `false` | the parent is there, or is not |
//! | `E: {…}` | there is such an entity, with these attributes |
//!
//! Where the schema puts a type between those of `E` and `F`, as role assignments between people
//! and roles, `E in F: true` makes an entity of that type, with the parents that the type requires
//! and the one it has unless another is stated (`@unless_stated`). An entity goes by its id or, as in
//! `Entra::User::"ada@contoso.example"`, by what people call it.
//!
//! Where the schema says that an attribute stands in place of a parent while a setting is on (`@in_place_of`,
//! `@while`), what the facts change is arranged so, unless the facts say otherwise.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use cedar_policy::{Entity, EntityId, EntityTypeName, EntityUid};
use cedar_policy_core::ast;
use serde_json::{Map, Value, json};

use tarbac_diagnostic::code::Code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Place;
use tarbac_host::bundle::{Kind, StandIn, Vocabulary};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, Name, NameError, did_you_mean};
use tarbac_store::{GivenEntity, Row};

/// A fact that is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The expression, for example `Intune::Tenant::"contoso".useIntuneRbac`.
    pub expression: String,
    /// Its value.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
    /// The map it stands in: its file and where it begins.
    pub map: (String, u64),
}

/// What facts make of the entities of a directory.
pub(crate) struct Given {
    /// The entities that they change or make.
    pub entities: Vec<GivenEntity>,
    /// What each of them states, but for those that are wrong.
    pub stated: Vec<Stated>,
    /// What is wrong with them, but for what follows.
    pub findings: Vec<Finding>,
    /// Facts that give what a fact before gives, whatever its value.
    pub twice: Vec<Twice>,
    /// Facts by number that do not hold after all, each with the one that sees to that.
    pub undone: Vec<(usize, usize)>,
}

/// What is given by two facts.
pub(crate) struct Twice {
    /// What it is, for example `Intune::Tenant::"contoso".useIntuneRbac`.
    pub what: String,
    /// The two facts, by number.
    pub facts: (usize, usize),
}

/// What a fact states of an entity.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stated {
    /// Which of the facts states it, by number.
    pub fact: usize,
    /// The entity.
    pub entity: EntityUid,
    /// What is stated of it.
    pub what: Statement,
    /// Whether it is so without the fact; what is absent is what the schema says it counts as (`@absent`).
    pub was_so: bool,
}

/// What is stated of an entity.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Statement {
    /// There is such an entity.
    Made,
    /// The attribute at this path has a value, as Cedar's JSON has it; without one it is absent.
    Is(Vec<String>, Option<Value>),
    /// The set at this path has the element, or has it not.
    Contains(Vec<String>, Value, bool),
    /// It is in another, or is not.
    In(EntityUid, bool),
}

/// The entities that facts change or make; or what is wrong with the facts, under this code.
pub fn entities(
    engine: &Engine,
    names: &Lookup,
    facts: &[Fact],
    code: &Code,
) -> (Vec<GivenEntity>, Vec<Finding>) {
    let given = given(engine, names, facts, code);
    let mut findings = given.findings;
    for twice in given.twice {
        let [one, other] = [twice.facts.0, twice.facts.1].map(|number| facts.get(number));
        let message = format!("`{}` is given twice", twice.what);
        let mut finding = Finding::error(code.clone(), message).help("keep one of the two");
        if let (Some(one), Some(other)) = (one, other) {
            finding = finding.label(other.place.clone(), "this fact");
            finding = finding.label(one.place.clone(), "and this one");
        }
        findings.push(finding);
    }
    (given.entities, findings)
}

/// What facts make of the entities; what is wrong with the facts is found under this code.
pub(crate) fn given(engine: &Engine, names: &Lookup, facts: &[Fact], code: &Code) -> Given {
    let mut changes = Edits {
        engine,
        names,
        changed: BTreeMap::new(),
        said: BTreeMap::new(),
        as_said: BTreeSet::new(),
    };
    let mut stated = Vec::new();
    let mut findings = Vec::new();
    let mut twice = Vec::new();
    for (number, fact) in facts.iter().enumerate() {
        match changes.apply(fact, number) {
            Ok(of_fact) => stated.push(of_fact),
            Err(Wrong::Twice(of_fact)) => twice.push(of_fact),
            Err(Wrong::Problem(problem)) => {
                let mut finding = Finding::error(code.clone(), problem.message)
                    .label(fact.place.clone(), "this fact");
                finding.help = problem.help;
                findings.push(finding);
            }
        }
    }
    let undone = changes.undone(facts, &stated);
    if let Some(place) = facts.first().map(|fact| &fact.place)
        && let Err(problem) = changes.settle()
    {
        let mut finding = Finding::error(code.clone(), problem.message)
            .label(place.clone(), "with the facts from here on");
        finding.help = problem.help;
        findings.push(finding);
    }
    Given {
        entities: changes.changed.into_values().collect(),
        stated,
        findings,
        twice,
        undone,
    }
}

/// Why a fact is not applied.
enum Wrong {
    /// Another fact gives the same.
    Twice(Twice),
    /// It is no fact about these entities.
    Problem(Problem),
}

impl From<Problem> for Wrong {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// What is wrong with a fact.
struct Problem {
    message: String,
    help: Option<String>,
}

impl Problem {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

struct Edits<'a> {
    engine: &'a Engine,
    names: &'a Lookup<'a>,
    changed: BTreeMap<EntityUid, GivenEntity>,
    /// What has been given, each with the map it stands in and by which fact: there it stands once, however it
    /// is spelled. A case may well give what its suite gives otherwise.
    said: BTreeMap<(String, (String, u64)), usize>,
    /// Entities of which it is given what stands in place of a parent, or that parent.
    as_said: BTreeSet<EntityUid>,
}

impl Edits<'_> {
    fn apply(&mut self, fact: &Fact, number: usize) -> Result<Stated, Wrong> {
        let stated = |entity, what, was_so| Stated {
            fact: number,
            entity,
            what,
            was_so,
        };
        let expression = ast::Expr::from_str(&fact.expression).map_err(|error| {
            let reason = error.iter().next().map(ToString::to_string);
            Problem::new(format!(
                "`{}` is no Cedar expression: {}",
                fact.expression,
                reason.unwrap_or_default()
            ))
            .help("for example: Intune::Tenant::\"contoso\".useIntuneRbac")
        })?;
        match expression.expr_kind() {
            ast::ExprKind::Lit(ast::Literal::EntityUID(uid)) => {
                self.make(uid, &fact.value)?;
                let uid = EntityUid::from(uid.as_ref().clone());
                Ok(stated(uid, Statement::Made, false))
            }
            ast::ExprKind::GetAttr { .. } => {
                let (uid, path) = self.target(&expression)?;
                self.say(fact, number, format!("{uid}.{}", path.join(".")))?;
                let value = self.value(&uid, &path, &fact.value, false)?;
                let was = self.was(&uid, &path)?;
                let was = was.or_else(|| self.counts_as(&uid, &path));
                let was_so = was.is_some_and(|was| is_same(&was, &value));
                self.set(&uid, &path, value.clone())?;
                Ok(stated(uid, Statement::Is(path, Some(value)), was_so))
            }
            ast::ExprKind::HasAttr { expr, attr } => {
                let (uid, mut path) = self.target(expr)?;
                path.push(attr.to_string());
                self.say(fact, number, format!("{uid}.{}", path.join(".")))?;
                if truth(&fact.value)? {
                    return Err(Problem::new(format!(
                        "that `{uid}` has `{}` says nothing of its value",
                        path.join(".")
                    ))
                    .help("give it a value instead")
                    .into());
                }
                let was_so = self.was(&uid, &path)?.is_none();
                self.take_away(&uid, &path)?;
                Ok(stated(uid, Statement::Is(path, None), was_so))
            }
            ast::ExprKind::BinaryApp { op, arg1, arg2 } => match op {
                ast::BinaryOp::In => {
                    let (uid, group) = (self.literal(arg1)?, self.literal(arg2)?);
                    self.say(fact, number, format!("{uid} in {group}"))?;
                    let is_in = truth(&fact.value)?;
                    let was_so = is_in_other(self.engine, &uid, &group) == is_in;
                    match is_in {
                        true => self.join(&uid, &group),
                        false => self.leave(&uid, &group),
                    }?;
                    Ok(stated(uid, Statement::In(group, is_in), was_so))
                }
                ast::BinaryOp::Contains => {
                    let (uid, path) = self.target(arg1)?;
                    let element = match arg2.expr_kind() {
                        ast::ExprKind::Lit(literal) => literal_value(literal),
                        _ => return Err(unknown_form().into()),
                    };
                    let element = self.value(&uid, &path, &element, true)?;
                    self.say(
                        fact,
                        number,
                        format!("{uid}.{}.contains({element})", path.join(".")),
                    )?;
                    let contained = truth(&fact.value)?;
                    let was = self.was(&uid, &path)?;
                    let was = was.as_ref().and_then(Value::as_array).into_iter().flatten();
                    let was_so = was.into_iter().any(|was| is_same(was, &element)) == contained;
                    self.contain(&uid, &path, element.clone(), contained)?;
                    let what = Statement::Contains(path, element, contained);
                    Ok(stated(uid, what, was_so))
                }
                _ => Err(unknown_form().into()),
            },
            _ => Err(unknown_form().into()),
        }
    }

    /// What has been stated that does not hold in the end, each with what else is stated of the entity. Whether
    /// something is in another is not looked at: that may come about by a third.
    fn undone(&self, facts: &[Fact], stated: &[Stated]) -> Vec<(usize, usize)> {
        let gone = stated.iter().filter(|stated| !self.holds(facts, stated));
        let undone = gone.filter_map(|gone| {
            let mut others = stated.iter().rev();
            let other =
                others.find(|other| other.entity == gone.entity && other.fact != gone.fact)?;
            Some((gone.fact, other.fact))
        });
        undone.collect()
    }

    fn holds(&self, facts: &[Fact], stated: &Stated) -> bool {
        let Some(written) = self.changed.get(&stated.entity) else {
            return false;
        };
        let at = |path: &[String]| {
            let (first, rest) = path.split_first()?;
            let mut steps = rest.iter();
            steps.try_fold(written.attributes.get(first)?, |value, step| {
                value.get(step)
            })
        };
        match &stated.what {
            Statement::Made => {
                let given = facts
                    .get(stated.fact)
                    .and_then(|fact| fact.value.as_object());
                given.into_iter().flatten().all(|(name, value)| {
                    let path = std::slice::from_ref(name);
                    let value = self.value(&stated.entity, path, value, false);
                    value.is_ok_and(|value| at(path).is_some_and(|is| is_same(is, &value)))
                })
            }
            Statement::Is(path, None) => at(path).is_none(),
            Statement::Is(path, Some(value)) => at(path).is_some_and(|is| is_same(is, value)),
            Statement::Contains(path, element, contained) => {
                let elements = at(path).and_then(Value::as_array).into_iter().flatten();
                elements.into_iter().any(|is| is_same(is, element)) == *contained
            }
            Statement::In(..) => true,
        }
    }

    /// Puts attributes in place of parents, and parents in place of attributes, where what is changed asks for it.
    fn settle(&mut self) -> Result<(), Problem> {
        let vocabulary = self.engine.bundle().vocabulary();
        for of_type in vocabulary.type_names() {
            for stand_in in vocabulary.stand_ins(of_type) {
                if let Some(during) = stand_in.during {
                    for uid in self.affected(of_type, during) {
                        self.settle_one(&uid, &stand_in, during)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The entities of a type that are changed, or of whose parents of another type this attribute is.
    fn affected(&self, of_type: &str, (type_name, attribute): (&str, &str)) -> BTreeSet<EntityUid> {
        let directory = self.engine.directory();
        let is_of = |uid: &EntityUid, name: &str| uid.type_name().to_string() == name;
        let changed = self.changed.keys().filter(|uid| is_of(uid, of_type));
        let mut affected: BTreeSet<EntityUid> = changed.cloned().collect();
        let before = |uid: &EntityUid| {
            let row = directory.row(uid);
            row.is_some_and(|row| is_true(directory.entity(row).get(attribute)))
        };
        let turned: BTreeSet<Row> = self
            .changed
            .iter()
            .filter(|(uid, written)| {
                let now = written.attributes.get(attribute);
                is_of(uid, type_name) && before(uid) != (now == Some(&Value::Bool(true)))
            })
            .filter_map(|(uid, _)| directory.row(uid))
            .collect();
        if let Ok(of_type) = EntityTypeName::from_str(of_type)
            && !turned.is_empty()
        {
            let rows = directory.rows_of(&of_type);
            let below = rows.filter(|row| directory.parents(*row).any(|of| turned.contains(&of)));
            affected.extend(below.map(|row| directory.uid(row)));
        }
        affected.retain(|uid| !self.as_said.contains(uid));
        affected
    }

    fn settle_one(
        &mut self,
        uid: &EntityUid,
        stand_in: &StandIn<'_>,
        (type_name, attribute): (&str, &str),
    ) -> Result<(), Problem> {
        let written = self.written(uid)?;
        let parents = written.parents.clone();
        let standing_in = written.attributes.get(stand_in.attribute).cloned();
        let of_type = |name: &str| -> Vec<&EntityUid> {
            let parents = parents.iter();
            let of_type = parents.filter(|parent| parent.type_name().to_string() == name);
            of_type.collect()
        };
        let mut is_on = false;
        for parent in of_type(type_name) {
            let value = self.written(parent)?.attributes.get(attribute);
            is_on = is_on || value == Some(&Value::Bool(true));
        }
        let is_kept = parents
            .iter()
            .any(|parent| stand_in.exceptions.contains(parent));
        let replaced = of_type(stand_in.parent);
        match (is_on && !is_kept, replaced.as_slice(), standing_in) {
            (true, [parent], None) => {
                let value = reference(parent);
                let written = self.written(uid)?;
                written.parents.retain(|other| other != *parent);
                written
                    .attributes
                    .insert(stand_in.attribute.to_owned(), value);
            }
            (true, [_, _, ..], None) => {
                return Err(Problem::new(format!(
                    "`{uid}` has several parents of type `{}`, and its `{}` is one",
                    stand_in.parent, stand_in.attribute
                ))
                .help("keep one of them"));
            }
            (false, [], Some(value)) => {
                let id = plain(&value).get("id").and_then(Value::as_str);
                let type_name = EntityTypeName::from_str(stand_in.parent)
                    .map_err(|error| Problem::new(error.to_string()))?;
                let parent =
                    id.map(|id| EntityUid::from_type_name_and_id(type_name, EntityId::new(id)));
                let written = self.written(uid)?;
                written.parents.extend(parent);
                written.attributes.remove(stand_in.attribute);
            }
            _ => {}
        }
        Ok(())
    }

    /// Notes that the attribute of an entity, or its parents of a type, are to be as they are given.
    fn keep_as_said(&mut self, uid: &EntityUid, is_meant: impl Fn(&StandIn<'_>) -> bool) {
        let vocabulary = self.engine.bundle().vocabulary();
        let stand_ins = vocabulary.stand_ins(&uid.type_name().to_string());
        if stand_ins.iter().any(is_meant) {
            self.as_said.insert(uid.clone());
        }
    }

    /// Notes that something is given.
    fn say(&mut self, fact: &Fact, number: usize, what: String) -> Result<(), Wrong> {
        match self.said.entry((what.clone(), fact.map.clone())) {
            Entry::Vacant(entry) => {
                entry.insert(number);
                Ok(())
            }
            Entry::Occupied(entry) => Err(Wrong::Twice(Twice {
                what,
                facts: (*entry.get(), number),
            })),
        }
    }

    /// What the schema says that an attribute counts as where it is absent.
    fn counts_as(&self, uid: &EntityUid, path: &[String]) -> Option<Value> {
        let vocabulary = self.engine.bundle().vocabulary();
        let attribute = vocabulary.attribute(&uid.type_name().to_string(), path)?;
        let text = attribute.annotations.get("absent")?;
        Some(serde_json::from_str(text).unwrap_or_else(|_| json!(text)))
    }

    /// The entity that a path of attributes starts at, and the path.
    fn target(&self, expression: &ast::Expr) -> Result<(EntityUid, Vec<String>), Problem> {
        match expression.expr_kind() {
            ast::ExprKind::GetAttr { expr, attr } => {
                let (uid, mut path) = self.target(expr)?;
                path.push(attr.to_string());
                Ok((uid, path))
            }
            _ => Ok((self.literal(expression)?, Vec::new())),
        }
    }

    fn literal(&self, expression: &ast::Expr) -> Result<EntityUid, Problem> {
        match expression.expr_kind() {
            ast::ExprKind::Lit(ast::Literal::EntityUID(uid)) => {
                self.known(&EntityUid::from(uid.as_ref().clone()))
            }
            _ => Err(unknown_form()),
        }
    }

    /// The entity of this uid, or the one of its type that is called like it.
    fn known(&self, uid: &EntityUid) -> Result<EntityUid, Problem> {
        match self.changed.contains_key(uid) || self.engine.directory().knows(uid) {
            true => Ok(uid.clone()),
            false => self.called(uid),
        }
    }

    /// The entity that is called like this: its id is the one of this uid, or its name is.
    fn called(&self, uid: &EntityUid) -> Result<EntityUid, Problem> {
        let directory = self.engine.directory();
        // What a fact before has made is in no directory.
        if self.changed.contains_key(uid) && !directory.knows(uid) {
            return Ok(uid.clone());
        }
        let text = uid.id().unescaped();
        let found = self.names.of_type(uid.type_name(), &Name::from(text));
        found.map_err(|error| Problem {
            message: match &error {
                NameError::Ambiguous { .. } => error.to_string(),
                _ => format!("`{uid}` is nobody and nothing"),
            },
            help: match directory.rows_of(uid.type_name()).next() {
                Some(_) => miette::Diagnostic::help(&error).map(|help| help.to_string()),
                None => Some(format!("there is no `{}` at all", uid.type_name())),
            },
        })
    }

    /// The entity as the directory has it; empty if it has none.
    fn of_directory(&self, uid: &EntityUid) -> Result<GivenEntity, Problem> {
        let directory = self.engine.directory();
        let Some(row) = directory.row(uid).filter(|row| directory.is_defined(*row)) else {
            return Ok(GivenEntity::new(uid.clone()));
        };
        let entity = Entity::from(directory.entity(row).as_ref().clone());
        let mut json = entity
            .to_json_value()
            .map_err(|error| Problem::new(error.to_string()))?;
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
    fn was(&self, uid: &EntityUid, path: &[String]) -> Result<Option<Value>, Problem> {
        let mut steps = path.iter();
        let mut attributes = self.of_directory(uid)?.attributes;
        let mut value = steps.next().and_then(|step| attributes.remove(step));
        for step in steps {
            value = value
                .as_mut()
                .and_then(|value| value.get_mut(step))
                .map(Value::take);
        }
        Ok(value)
    }

    /// The entity as it is so far.
    fn written(&mut self, uid: &EntityUid) -> Result<&mut GivenEntity, Problem> {
        if !self.changed.contains_key(uid) {
            let written = self.of_directory(uid)?;
            self.changed.insert(uid.clone(), written);
        }
        self.changed
            .get_mut(uid)
            .ok_or_else(|| Problem::new(format!("`{uid}` is nobody and nothing")))
    }

    fn make(&mut self, uid: &ast::EntityUID, value: &Value) -> Result<(), Problem> {
        let uid = EntityUid::from(uid.clone());
        if self.changed.contains_key(&uid) || self.engine.directory().knows(&uid) {
            return Err(Problem::new(format!("`{uid}` is there already"))
                .help("give its attributes one by one"));
        }
        let Value::Object(attributes) = value else {
            return Err(Problem::new(format!("`{uid}` needs its attributes"))
                .help("write them as a map; `{}` for none"));
        };
        let mut written = GivenEntity::new(uid.clone());
        for (name, value) in attributes {
            let value = self.value(&uid, std::slice::from_ref(name), value, false)?;
            written.attributes.insert(name.clone(), value);
        }
        self.changed.insert(uid, written);
        Ok(())
    }

    fn set(&mut self, uid: &EntityUid, path: &[String], value: Value) -> Result<(), Problem> {
        let (last, record) = self.record(uid, path)?;
        record.insert(last, value);
        Ok(())
    }

    fn take_away(&mut self, uid: &EntityUid, path: &[String]) -> Result<(), Problem> {
        self.kind(uid, path)?;
        let (last, record) = self.record(uid, path)?;
        record.remove(&last);
        Ok(())
    }

    fn contain(
        &mut self,
        uid: &EntityUid,
        path: &[String],
        element: Value,
        contained: bool,
    ) -> Result<(), Problem> {
        let (last, record) = self.record(uid, path)?;
        let set = record.entry(last).or_insert_with(|| json!([]));
        let Value::Array(elements) = set else {
            return Err(Problem::new(format!("`{}` is no set", path.join("."))));
        };
        elements.retain(|other| plain(other) != plain(&element));
        if contained {
            elements.push(element);
        }
        Ok(())
    }

    /// The record that the last attribute of a path stands in, and its name.
    fn record(
        &mut self,
        uid: &EntityUid,
        path: &[String],
    ) -> Result<(String, &mut Map<String, Value>), Problem> {
        let Some((last, records)) = path.split_last() else {
            return Err(unknown_form());
        };
        self.keep_as_said(uid, |stand_in| {
            path.first().is_some_and(|of| of == stand_in.attribute)
        });
        let mut record = &mut self.written(uid)?.attributes;
        for name in records {
            record = match record.get_mut(name) {
                Some(Value::Object(record)) => record,
                _ => {
                    return Err(Problem::new(format!("`{uid}` has no `{name}`"))
                        .help(format!("give `{uid}.{name}` as a whole")));
                }
            };
        }
        Ok((last.clone(), record))
    }

    fn join(&mut self, uid: &EntityUid, group: &EntityUid) -> Result<(), Problem> {
        let vocabulary = self.engine.bundle().vocabulary();
        let (of, to) = (uid.type_name().to_string(), group.type_name().to_string());
        if is_parent_type(vocabulary, &of, &to) {
            self.keep_as_said(uid, |stand_in| stand_in.parent == to);
            let parents = &mut self.written(uid)?.parents;
            if !parents.contains(group) {
                parents.push(group.clone());
            }
            return Ok(());
        }
        let between: Vec<&str> = vocabulary
            .type_names()
            .filter(|name| {
                is_parent_type(vocabulary, &of, name) && is_parent_type(vocabulary, name, &to)
            })
            .collect();
        let [between] = between.as_slice() else {
            return Err(Problem::new(format!("`{of}` cannot be in `{to}`")));
        };
        let required = vocabulary.required_parents();
        let mut parents = vec![group.clone()];
        for type_name in required.get(*between).into_iter().flatten() {
            if *type_name != to {
                parents.push(self.own(uid, type_name).ok_or_else(|| {
                    Problem::new(format!(
                        "`{between}` needs a `{type_name}`, and `{uid}` belongs to none"
                    ))
                    .help(format!("make the `{between}` with facts of its own"))
                })?);
            }
        }
        let stated = vocabulary
            .type_annotation(between, "unless_stated")
            .and_then(|uid| EntityUid::from_str(uid).ok());
        parents.extend(stated.filter(|uid| uid.type_name().to_string() != to));
        let link = EntityTypeName::from_str(between)
            .map_err(|error| Problem::new(error.to_string()))
            .map(|type_name| {
                let id = format!("given: {uid} in {group}");
                EntityUid::from_type_name_and_id(type_name, EntityId::new(id))
            })?;
        self.changed.insert(
            link.clone(),
            GivenEntity {
                parents,
                ..GivenEntity::new(link.clone())
            },
        );
        self.written(uid)?.parents.push(link);
        Ok(())
    }

    fn leave(&mut self, uid: &EntityUid, group: &EntityUid) -> Result<(), Problem> {
        let to = group.type_name().to_string();
        self.keep_as_said(uid, |stand_in| stand_in.parent == to);
        let parents = &mut self.written(uid)?.parents;
        let before = parents.len();
        parents.retain(|parent| parent != group);
        if parents.len() < before {
            return Ok(());
        }
        let directory = self.engine.directory();
        let path = match (directory.row(uid), directory.row(group)) {
            (Some(from), Some(to)) => directory.path(from, to),
            _ => None,
        };
        Err(match path {
            Some(path) => {
                let steps: Vec<String> = path
                    .iter()
                    .map(|row| directory.uid(*row).to_string())
                    .collect();
                Problem::new(format!("`{group}` is no direct parent of `{uid}`")).help(format!(
                    "take one of these steps away: {}",
                    steps.join(" in ")
                ))
            }
            None => Problem::new(format!("`{uid}` is not in `{group}`")),
        })
    }

    /// The entity of a type that another belongs to: the one that an attribute names, or the only one that it
    /// is in, or the only one there is, or the one that everybody in it belongs to.
    fn own(&mut self, uid: &EntityUid, type_name: &str) -> Option<EntityUid> {
        if let Some(named) = self.named_by(uid, type_name) {
            return Some(named);
        }
        let directory = self.engine.directory();
        let above = directory.row(uid).into_iter();
        let above = above.flat_map(|row| directory.ancestors(row));
        let above: Vec<_> = above
            .filter(|row| directory.type_name(*row) == type_name)
            .collect();
        let all = EntityTypeName::from_str(type_name).ok()?;
        let all: Vec<_> = directory.rows_of(&all).take(2).collect();
        match (above.as_slice(), all.as_slice()) {
            ([only], _) | ([], [only]) => Some(directory.uid(*only)),
            ([], _) => self.of_members(uid, type_name),
            _ => None,
        }
    }

    /// The only entity of a type that attributes of those name who are in a group.
    fn of_members(&self, group: &EntityUid, type_name: &str) -> Option<EntityUid> {
        let directory = self.engine.directory();
        let group = directory.row(group)?;
        let is_in = |row: &Row| directory.ancestors(*row).any(|above| above == group);
        let members = directory.every_row().filter(is_in);
        let named = members.filter_map(|row| {
            let attribute = self.naming(directory.type_name(row), type_name)?;
            directory.attribute_entity(row, attribute)
        });
        let named: BTreeSet<Row> = named.collect();
        let only = named.first().filter(|_| named.len() == 1)?;
        Some(directory.uid(*only))
    }

    /// The attribute of entities of a type that names one of another type.
    fn naming(&self, of_type: &str, type_name: &str) -> Option<&str> {
        let vocabulary = self.engine.bundle().vocabulary();
        let mut attributes = vocabulary.attributes(of_type)?.iter();
        let found =
            attributes.find(|(_, attribute)| attribute.kind == Kind::Entity(type_name.to_owned()));
        found.map(|(name, _)| name.as_str())
    }

    /// The entity of a type that an attribute of another names.
    fn named_by(&mut self, uid: &EntityUid, type_name: &str) -> Option<EntityUid> {
        let attribute = self
            .naming(&uid.type_name().to_string(), type_name)?
            .to_owned();
        let value = plain(self.written(uid).ok()?.attributes.get(&attribute)?);
        let id = value.get("id")?.as_str()?;
        let type_name = EntityTypeName::from_str(type_name).ok()?;
        Some(EntityUid::from_type_name_and_id(
            type_name,
            EntityId::new(id),
        ))
    }

    /// The kind of an attribute.
    fn kind(&self, uid: &EntityUid, path: &[String]) -> Result<&Kind, Problem> {
        let vocabulary = self.engine.bundle().vocabulary();
        let type_name = uid.type_name().to_string();
        match vocabulary.attribute(&type_name, path) {
            Some(attribute) => Ok(&attribute.kind),
            None => {
                let owner = match path.split_last() {
                    Some((_, record)) if !record.is_empty() => {
                        match vocabulary
                            .attribute(&type_name, record)
                            .map(|known| &known.kind)
                        {
                            Some(Kind::Record(record)) => record.clone(),
                            _ => type_name.clone(),
                        }
                    }
                    _ => type_name.clone(),
                };
                let known = vocabulary.attributes(&owner).into_iter().flatten();
                let known: Vec<&str> = known.map(|(name, _)| name.as_str()).collect();
                let name = path.last().map(String::as_str).unwrap_or_default();
                let mut problem = Problem::new(format!(
                    "`{type_name}` has no attribute `{}`",
                    path.join(".")
                ));
                problem.help = did_you_mean(name, known.iter().copied())
                    .or_else(|| Some(format!("its attributes are: {}", known.join(", "))));
                Err(problem)
            }
        }
    }

    /// A value as Cedar's JSON has it, by the kind that the schema gives the attribute, or its
    /// elements.
    fn value(
        &self,
        uid: &EntityUid,
        path: &[String],
        value: &Value,
        is_element: bool,
    ) -> Result<Value, Problem> {
        match (self.kind(uid, path)?, is_element) {
            (Kind::Set(element), true) => self.of_kind(element, value),
            (_, true) => Err(Problem::new(format!("`{}` is no set", path.join(".")))),
            (kind, false) => self.of_kind(kind, value),
        }
    }

    fn of_kind(&self, kind: &Kind, value: &Value) -> Result<Value, Problem> {
        match (kind, value) {
            (Kind::Entity(type_name), Value::String(text)) => {
                if text.contains("::\"") {
                    let uid = EntityUid::from_str(text)
                        .map_err(|error| Problem::new(format!("`{text}`: {error}")))?;
                    return Ok(reference(&self.known(&uid)?));
                }
                let type_name = EntityTypeName::from_str(type_name)
                    .map_err(|error| Problem::new(error.to_string()))?;
                let uid = EntityUid::from_type_name_and_id(type_name, EntityId::new(text));
                Ok(reference(&self.called(&uid)?))
            }
            (Kind::Bool, value) if !value.is_boolean() => Err(Problem::new(format!(
                "the value must be a Bool, which is true or false, and not {value}"
            ))),
            (Kind::Long, value) if !value.is_i64() => Err(Problem::new(format!(
                "the value must be a Long, which is a whole number, and not {value}"
            ))),
            (Kind::String, value) if !value.is_string() => Err(Problem::new(format!(
                "the value must be a String, and not {value}"
            ))),
            (Kind::Set(element), Value::Array(values)) => values
                .iter()
                .map(|value| self.of_kind(element, value))
                .collect::<Result<Vec<Value>, Problem>>()
                .map(Value::Array),
            (Kind::Record(record), Value::Object(fields)) => {
                let vocabulary = self.engine.bundle().vocabulary();
                let known = vocabulary.attributes(record);
                let mut written = Map::new();
                for (name, value) in fields {
                    let value = match known.and_then(|known| known.get(name)) {
                        Some(attribute) => self.of_kind(&attribute.kind, value)?,
                        // The reader of entities says what is wrong with it.
                        None => value.clone(),
                    };
                    written.insert(name.clone(), value);
                }
                Ok(Value::Object(written))
            }
            _ => Ok(value.clone()),
        }
    }
}

/// Whether an entity is in another, directly or not.
pub(crate) fn is_in_other(engine: &Engine, uid: &EntityUid, group: &EntityUid) -> bool {
    let directory = engine.directory();
    let (Some(row), Some(group)) = (directory.row(uid), directory.row(group)) else {
        return false;
    };
    directory.ancestors(row).any(|above| above == group)
}

fn unknown_form() -> Problem {
    Problem::new("this is no fact").help(
        "facts are `E.attribute`, `E has attribute`, `E.attribute.contains(F)`, `E in F`, and `E` for a new entity, where E and F are entities such as Intune::Tenant::\"contoso\"",
    )
}

fn truth(value: &Value) -> Result<bool, Problem> {
    value
        .as_bool()
        .ok_or_else(|| Problem::new(format!("the fact is true or false, and not `{value}`")))
}

fn is_parent_type(vocabulary: &Vocabulary, of: &str, parent: &str) -> bool {
    vocabulary
        .declared_parents()
        .get(of)
        .is_some_and(|parents| parents.contains(parent))
}

fn reference(uid: &EntityUid) -> Value {
    json!({ "type": uid.type_name().to_string(), "id": uid.id().unescaped() })
}

fn literal_value(literal: &ast::Literal) -> Value {
    match literal {
        ast::Literal::Bool(bool) => json!(bool),
        ast::Literal::Long(long) => json!(long),
        ast::Literal::String(text) => json!(text.as_str()),
        ast::Literal::EntityUID(uid) => json!(uid.to_string()),
    }
}

/// Whether the value of an attribute is true.
pub(crate) fn is_true(value: Option<&ast::PartialValue>) -> bool {
    value.is_some_and(|value| match value {
        ast::PartialValue::Value(value) => matches!(
            value.value_kind(),
            ast::ValueKind::Lit(ast::Literal::Bool(true))
        ),
        ast::PartialValue::Residual(_) => false,
    })
}

/// An element of a set without the wrapping that Cedar's JSON allows.
fn plain(value: &Value) -> &Value {
    value.get("__entity").unwrap_or(value)
}

/// Whether two values are one: a set has no order.
fn is_same(one: &Value, other: &Value) -> bool {
    let all_in = |one: &[Value], other: &[Value]| {
        let mut elements = one.iter();
        elements.all(|element| other.iter().any(|known| is_same(element, known)))
    };
    match (plain(one), plain(other)) {
        (Value::Array(one), Value::Array(other)) => all_in(one, other) && all_in(other, one),
        (Value::Object(one), Value::Object(other)) => {
            let mut fields = one.iter();
            one.len() == other.len()
                && fields
                    .all(|(name, value)| other.get(name).is_some_and(|known| is_same(value, known)))
        }
        (one, other) => one == other,
    }
}
