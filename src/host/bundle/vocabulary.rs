//! The vocabulary of a schema: spellings of actions, annotations of types and attributes.
//!
//! Cedar's `Schema` keeps none of it, so it is taken from the schema fragments.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{
    Entities, EntityId, EntityTypeName, EntityUid, Schema, SchemaError, SchemaFragment,
};
use serde_json::Value;

use super::{depth_limit, diagnostic};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};

/// The namespace of the actions that ask the policies to explain; every other action is a
/// permission.
pub const QUESTIONS: &str = "Tarbac";

/// The record type of what a question may know besides the principal and the resource.
pub const QUESTION_CONTEXT: &str = "Tarbac::QuestionContext";

/// Annotations by key.
pub type Annotations = BTreeMap<String, String>;

/// The words of the schema.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    actions: Vec<Action>,
    types: BTreeMap<String, Annotations>,
    parents: BTreeMap<String, BTreeSet<String>>,
    attributes: BTreeMap<String, BTreeMap<String, Attribute>>,
    choices: BTreeMap<String, BTreeSet<String>>,
}

/// A permission, or a question of [`QUESTIONS`].
#[derive(Debug, Clone)]
pub struct Action {
    /// The action entity.
    pub uid: EntityUid,
    /// The groups it is in, directly or through others.
    pub groups: Vec<EntityUid>,
    /// The types that may ask.
    pub principals: Vec<EntityTypeName>,
    /// The types it is asked about.
    pub resources: Vec<EntityTypeName>,
    /// What the schema says of it.
    pub annotations: Annotations,
    /// Where the schema declares it.
    pub place: Place,
}

/// An attribute that stands in place of a parent: what its entities are in of a type, or would be but for the
/// setting of something else that they are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn<'v> {
    /// The name of the attribute.
    pub attribute: &'v str,
    /// The type of the parent.
    pub parent: &'v str,
    /// The type and the attribute of the parent while which is true the attribute stands in (`@while`).
    pub during: Option<(&'v str, &'v str)>,
    /// Parents of which any keeps the entity where it would be without (`@unless_in`).
    pub exceptions: Vec<EntityUid>,
    /// What an administrator does who gives it one of those (`@restore`).
    pub restoring: Option<&'v str>,
    /// What it comes to, in words (`@told`).
    pub told: Option<&'v str>,
}

/// An attribute of an entity type or of a record.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// What the schema says of it.
    pub annotations: Annotations,
    /// What its values are.
    pub kind: Kind,
    /// Whether every entity has it.
    pub required: bool,
}

/// What the values of an attribute are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `Bool`
    Bool,
    /// `Long`
    Long,
    /// `String`
    String,
    /// An entity of the named type.
    Entity(String),
    /// A set of values.
    Set(Box<Kind>),
    /// A record; its attributes are found in the vocabulary under this name.
    Record(String),
    /// An extension type, for example `datetime`.
    Extension(String),
}

impl Kind {
    /// The type of the entities that the values name, be it one or a set of them.
    pub fn entity_type(&self) -> Option<&str> {
        match self {
            Self::Entity(type_name) => Some(type_name),
            Self::Set(element) => element.entity_type(),
            _ => None,
        }
    }

    /// The entity type or the record that the values are of, be it one or a set of them.
    pub fn named(&self) -> Option<&str> {
        match self {
            Self::Entity(name) | Self::Record(name) => Some(name),
            Self::Set(element) => element.named(),
            _ => None,
        }
    }
}

impl Action {
    /// The id, for example `runScript`.
    pub fn id(&self) -> &str {
        self.uid.id().unescaped()
    }

    /// The documented name, or the id where the schema gives none.
    pub fn name(&self) -> &str {
        self.annotations
            .get("name")
            .map_or_else(|| self.id(), String::as_str)
    }

    /// The documented name without its category, for example `Run script`.
    pub fn short_name(&self) -> &str {
        self.name().rsplit(['\\', '/']).next().unwrap_or_default()
    }

    /// Every spelling a person may use; [`Vocabulary::actions_spelled`] compares them.
    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        let spelled = ["id", "name", "graph"]
            .into_iter()
            .filter_map(|key| self.annotations.get(key).map(String::as_str));
        std::iter::once(self.id()).chain(spelled).chain([
            self.short_name(),
            without_remark(self.name()),
            without_remark(self.short_name()),
        ])
    }

    /// The permission whose page carries this action, by id: the action is out of reach without it.
    pub fn page(&self) -> Option<&str> {
        self.annotations.get("page").map(String::as_str)
    }

    /// Why it is meant to be outside of the guardrails, if it is.
    pub fn unguarded(&self) -> Option<&str> {
        let why = self.annotations.get("unguarded")?.trim();
        (!why.is_empty()).then_some(why)
    }

    /// Whether it is a question and no permission.
    pub fn is_question(&self) -> bool {
        self.uid.type_name().namespace() == QUESTIONS
    }

    /// Whether the action is asked of a principal of one type about a resource of another.
    pub fn applies_to(&self, principal: &EntityTypeName, resource: &EntityTypeName) -> bool {
        self.principals.contains(principal) && self.resources.contains(resource)
    }
}

impl Vocabulary {
    /// The permissions and the questions.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter()
    }

    /// The permissions, in the order in which the schema gives them.
    pub fn permissions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(|action| !action.is_question())
    }

    /// The questions.
    pub fn questions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(|action| action.is_question())
    }

    /// Whether it asks any question of ours. A schema that asks none is other people's, and decides as Cedar does.
    pub fn asks(&self) -> bool {
        self.questions().next().is_some()
    }

    /// The question with this id.
    pub fn question(&self, id: &str) -> Option<&Action> {
        let mut questions = self.questions();
        questions
            .find(|action| action.id() == id && action.uid.type_name().namespace() == QUESTIONS)
    }

    /// The action with this uid.
    pub fn action(&self, uid: &EntityUid) -> Option<&Action> {
        self.actions.iter().find(|action| &action.uid == uid)
    }

    /// The permission with this id.
    pub fn permission(&self, id: &str) -> Option<&Action> {
        self.permissions().find(|action| action.id() == id)
    }

    /// The permissions of this spelling: the case of ASCII letters does not matter, `\` and `/` are one separator, and
    /// the category may be left out.
    pub fn actions_spelled(&self, text: &str) -> Vec<&Action> {
        let wanted = plain(text);
        self.permissions()
            .filter(|action| {
                action.uid.to_string() == text
                    || action.spellings().any(|spelling| plain(spelling) == wanted)
            })
            .collect()
    }

    /// An annotation of an entity type.
    pub fn type_annotation(&self, type_name: &str, key: &str) -> Option<&str> {
        self.types.get(type_name)?.get(key).map(String::as_str)
    }

    /// The names of the entity types, sorted.
    pub fn type_names(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// The ids that an enumerated entity type has, and no others; `None` for any other type.
    pub fn choices(&self, type_name: &str) -> Option<&BTreeSet<String>> {
        self.choices.get(type_name)
    }

    /// For each entity type, the types after its `in`: those of its direct parents.
    pub fn declared_parents(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.parents
    }

    /// For each entity type with `@requires`, the types of which every entity needs a parent.
    pub fn required_parents(&self) -> BTreeMap<String, Vec<String>> {
        self.types
            .iter()
            .filter_map(|(name, annotations)| {
                let required = annotations.get("requires")?.split(',');
                Some((
                    name.clone(),
                    required.map(|name| name.trim().to_owned()).collect(),
                ))
            })
            .collect()
    }

    /// For each entity type, the attributes that stand in place of a parent of a type, each with that type.
    pub fn in_place_of_parents(&self) -> BTreeMap<String, Vec<(String, String)>> {
        let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for owner in self.attributes.keys() {
            for stand_in in self.stand_ins(owner) {
                let of_owner = found.entry(owner.clone()).or_default();
                of_owner.push((stand_in.attribute.to_owned(), stand_in.parent.to_owned()));
            }
        }
        found
    }

    /// The attributes that say, where they are true, that more may be in the entity than is known, and those that name
    /// what the entity may be in (`@unlisted`), by the type that has them.
    pub fn unlisted(&self) -> impl Iterator<Item = (&str, &str)> {
        self.annotated("unlisted")
    }

    /// The attributes that name those attributes of an entity whose values are not known (`@assumed`), by the type that
    /// has them.
    pub fn assumed(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.annotated("assumed");
        all.filter(|(owner, name)| !self.is_unknown_if_absent(owner, name))
    }

    /// Whether the value of an attribute is not known where it is absent (`@assumed("absent")`).
    pub fn is_unknown_if_absent(&self, owner: &str, attribute: &str) -> bool {
        let attributes = self.attributes.get(owner);
        let known = attributes.and_then(|attributes| attributes.get(attribute));
        let assumed = known.and_then(|known| known.annotations.get("assumed"));
        assumed.is_some_and(|assumed| assumed == "absent")
    }

    /// The attributes with an annotation, by what has them.
    fn annotated<'v>(&'v self, key: &'v str) -> impl Iterator<Item = (&'v str, &'v str)> {
        let all = self.attributes.iter().flat_map(|(owner, attributes)| {
            let attributes = attributes.iter();
            attributes.map(move |(name, attribute)| (owner.as_str(), name.as_str(), attribute))
        });
        all.filter(move |(.., attribute)| attribute.annotations.contains_key(key))
            .map(|(owner, name, _)| (owner, name))
    }

    /// The attributes of an entity type that stand in place of a parent: those annotated `@in_place_of`.
    pub fn stand_ins(&self, owner: &str) -> Vec<StandIn<'_>> {
        let attributes = self.attributes.get(owner).into_iter().flatten();
        let stand_ins = attributes.filter_map(|(name, attribute)| {
            let said = |key: &str| attribute.annotations.get(key).map(String::as_str);
            let exceptions = said("unless_in").unwrap_or_default().split(',');
            Some(StandIn {
                attribute: name,
                parent: said("in_place_of")?,
                during: said("while").and_then(|path| path.rsplit_once('.')),
                exceptions: exceptions
                    .filter_map(|uid| EntityUid::from_str(uid.trim()).ok())
                    .collect(),
                restoring: said("restore"),
                told: said("told"),
            })
        });
        stand_ins.collect()
    }

    /// The attributes of an entity type that name what an entity can put itself into (`@activate`), each with
    /// the words for it.
    pub fn activations<'v>(
        &'v self,
        owner: &str,
    ) -> impl Iterator<Item = (&'v str, &'v str)> + use<'v> {
        let attributes = self.attributes.get(owner).into_iter().flatten();
        attributes.filter_map(|(name, attribute)| {
            let words = attribute.annotations.get("activate")?;
            Some((name.as_str(), words.as_str()))
        })
    }

    /// The attributes of all entity types and records, by the name of what has them.
    pub fn all_attributes(&self) -> &BTreeMap<String, BTreeMap<String, Attribute>> {
        &self.attributes
    }

    /// The attributes of an entity type or a record, by name.
    pub fn attributes(&self, owner: &str) -> Option<&BTreeMap<String, Attribute>> {
        self.attributes.get(owner)
    }

    /// The attribute at the end of a path of attributes that starts at an entity type and stays
    /// within its records.
    pub fn attribute(&self, type_name: &str, path: &[impl AsRef<str>]) -> Option<&Attribute> {
        let (first, rest) = path.split_first()?;
        let attribute = self.attributes.get(type_name)?.get(first.as_ref())?;
        match (&attribute.kind, rest.is_empty()) {
            (_, true) => Some(attribute),
            (Kind::Record(record), false) => self.attribute(record, rest),
            _ => None,
        }
    }

    /// The attributes whose value is the name of one entity only, each with its type: those annotated
    /// `@alias("unique")`.
    pub fn unique_aliases(&self) -> impl Iterator<Item = (EntityTypeName, &str)> {
        let types = self.types.keys();
        let types = types.filter_map(|name| Some((name.parse::<EntityTypeName>().ok()?, name)));
        types.flat_map(move |(type_name, name)| {
            let unique = self.attributes.get(name).into_iter().flatten();
            let unique = unique.filter(|(_, attribute)| {
                let alias = attribute.annotations.get("alias");
                alias.is_some_and(|alias| alias == "unique")
            });
            unique.map(move |(attribute, _)| (type_name.clone(), attribute.as_str()))
        })
    }

    /// The attributes of a type that name its entities as well as their id does: those annotated
    /// `@alias`.
    pub fn aliases(&self, type_name: &str) -> impl Iterator<Item = &str> {
        self.attributes
            .get(type_name)
            .into_iter()
            .flatten()
            .filter(|(_, attribute)| attribute.annotations.contains_key("alias"))
            .map(|(name, _)| name.as_str())
    }
}

/// A name without a remark like `(preview)` at its end.
fn without_remark(name: &str) -> &str {
    match name.rsplit_once(" (") {
        Some((name, remark)) if remark.ends_with(')') => name,
        _ => name,
    }
}

fn plain(spelling: &str) -> String {
    spelling.trim().replace('\\', "/").to_ascii_lowercase()
}

/// Reads the schema files together; the schema is absent when one of the findings is an error.
pub(super) fn read(sources: &[Arc<Source>]) -> (Option<(Schema, Vocabulary)>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut fragments = Vec::new();
    for source in sources {
        if let Some(finding) = depth_limit::of_schema(source) {
            findings.push(finding);
            continue;
        }
        if is_json(source) {
            match SchemaFragment::from_json_str(source.text()) {
                Ok(fragment) => fragments.push(fragment),
                Err(error) => findings.push(of_json(source, &error)),
            }
            continue;
        }
        match SchemaFragment::from_cedarschema_str(source.text()) {
            Ok((fragment, warnings)) => {
                for warning in warnings {
                    let finding = Finding::warning(code::schema::WARNING, warning.to_string());
                    findings.push(diagnostic::complete(finding, source, &warning));
                }
                fragments.push(fragment);
            }
            Err(error) => findings.push(diagnostic::of_cedar(code::schema::SYNTAX, source, &error)),
        }
    }
    if tarbac_diagnostic::finding::any_error(&findings) {
        return (None, findings);
    }
    let joined = Schema::from_schema_fragments(fragments.iter().cloned())
        .map_err(|error| error.to_string())
        .and_then(|schema| {
            let actions = schema
                .action_entities()
                .map_err(|error| error.to_string())?;
            Ok((schema, actions))
        });
    let (schema, action_entities) = match joined {
        Ok(joined) => joined,
        Err(message) => {
            let mut finding = Finding::error(code::schema::CONFLICT, message);
            for source in sources {
                finding = finding.label(Place::new(source, 0..0), "one of these files");
            }
            findings.push(finding);
            return (None, findings);
        }
    };
    let mut words = Words::default();
    for (fragment, source) in fragments.into_iter().zip(sources) {
        match fragment.to_json_value() {
            Ok(json) => words.add_fragment(&json, source, &mut findings),
            Err(error) => findings.push(diagnostic::of_cedar(code::schema::SYNTAX, source, &error)),
        }
    }
    let vocabulary = words.finish(&schema, &action_entities);
    (Some((schema, vocabulary)), findings)
}

/// Whether a schema is another than `known` altogether: it is sound by itself, says what is asked of whom, and has
/// no namespace in common with the other.
pub fn is_another_schema(sources: &[Arc<Source>], known: &[Arc<Source>]) -> bool {
    let fragment = |source: &Arc<Source>| {
        let is_sound = depth_limit::of_schema(source).is_none();
        match is_json(source) {
            _ if !is_sound => None,
            true => SchemaFragment::from_json_str(source.text()).ok(),
            false => Some(SchemaFragment::from_cedarschema_str(source.text()).ok()?.0),
        }
    };
    let namespaces = |fragment: &SchemaFragment| -> BTreeSet<Option<String>> {
        let names = fragment.namespaces();
        names
            .map(|name| name.map(|name| name.to_string()))
            .collect()
    };
    let is_known = |source: &Arc<Source>| known.iter().any(|known| known.text() == source.text());
    if sources.is_empty() || sources.iter().any(is_known) {
        return false;
    }
    let known = known.iter().filter_map(fragment);
    let known: BTreeSet<_> = known.flat_map(|known| namespaces(&known)).collect();
    let mut fragments = Vec::new();
    for source in sources {
        match fragment(source) {
            Some(fragment) if namespaces(&fragment).is_disjoint(&known) => fragments.push(fragment),
            _ => return false,
        }
    }
    let schema = Schema::from_schema_fragments(fragments);
    schema.is_ok_and(|schema| schema.request_envs().next().is_some())
}

/// Whether a schema is in Cedar's JSON format: no text in the other begins like this.
fn is_json(source: &Source) -> bool {
    source.text().trim_start().starts_with(['{', '['])
}

/// What is wrong with a schema in the JSON format.
fn of_json(source: &Arc<Source>, error: &SchemaError) -> Finding {
    let mut finding = diagnostic::of_cedar(code::schema::SYNTAX, source, error);
    if let Some((line, column)) = position(&finding.message) {
        let lines = source.text().split_inclusive('\n');
        let before: usize = lines.take(line.saturating_sub(1)).map(str::len).sum();
        let at = (before + column.saturating_sub(1)).min(source.text().len());
        finding.labels.clear();
        finding = finding.label(Place::new(source, at..at), "here");
    }
    finding.message = format!("no schema in Cedar's JSON format: {}", finding.message);
    finding
}

/// The line and column at the end of a message about JSON.
fn position(message: &str) -> Option<(usize, usize)> {
    let (_, position) = message.rsplit_once(" at line ")?;
    let (line, column) = position.split_once(" column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// A schema in the Cedar format, whichever it is written in.
pub(super) fn in_cedar_format(source: &Source) -> Cow<'_, str> {
    if !is_json(source) {
        return Cow::Borrowed(source.text());
    }
    let fragment = SchemaFragment::from_json_str(source.text()).ok();
    let text = fragment.and_then(|fragment| fragment.to_cedarschema().ok());
    // What the other format cannot express stays as it is.
    text.map_or(Cow::Borrowed(source.text()), Cow::Owned)
}

/// Collects the words of all fragments; types are named in full only once all are known.
#[derive(Default)]
struct Words {
    types: BTreeMap<String, Annotations>,
    parents: Vec<(String, String, Vec<String>)>,
    records: BTreeMap<String, ()>,
    attributes: Vec<(String, String, String, Value)>,
    actions: Vec<(String, String, Annotations, Place)>,
    choices: BTreeMap<String, BTreeSet<String>>,
}

impl Words {
    fn add_fragment(&mut self, json: &Value, source: &Arc<Source>, findings: &mut Vec<Finding>) {
        let text = source.text();
        for (namespace, definition) in entries(json) {
            let full = |name: &str| match namespace {
                "" => name.to_owned(),
                namespace => format!("{namespace}::{name}"),
            };
            for (name, entity) in entries(&definition["entityTypes"]) {
                let annotations = annotations(entity);
                let place = || place_of_word(source, &[format!("entity {name}"), quoted(name)]);
                check_doc(
                    &annotations,
                    &format!("the entity type `{}`", full(name)),
                    place,
                    findings,
                );
                self.types.insert(full(name), annotations);
                if let Some(ids) = entity["enum"].as_array() {
                    let ids = ids.iter().filter_map(Value::as_str).map(str::to_owned);
                    self.choices.insert(full(name), ids.collect());
                }
                let parents = entity["memberOfTypes"].as_array().into_iter().flatten();
                self.parents.push((
                    namespace.to_owned(),
                    full(name),
                    parents
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect(),
                ));
                self.add_attributes(namespace, &full(name), &entity["shape"], source, findings);
            }
            for (name, record) in entries(&definition["commonTypes"]) {
                self.records.insert(full(name), ());
                self.add_attributes(namespace, &full(name), record, source, findings);
            }
            for (id, action) in entries(&definition["actions"]) {
                let annotations = annotations(action);
                let position = [
                    format!("@id(\"{id}\")"),
                    format!("action {id}"),
                    format!("action \"{id}\""),
                    quoted(id),
                ]
                .iter()
                .find_map(|word| text.find(word))
                .unwrap_or_default();
                let place = Place::new(source, position..position + 1);
                check_doc(
                    &annotations,
                    &format!("the action `{}`", full(&format!("Action::\"{id}\""))),
                    || place.clone(),
                    findings,
                );
                self.actions
                    .push((full("Action"), id.to_owned(), annotations, place));
            }
        }
        // Cedar gives the actions of a fragment by name; the file gives them in an order that means
        // something to its readers.
        self.actions.sort_by_key(|(_, _, _, place)| place.start);
    }

    fn add_attributes(
        &mut self,
        namespace: &str,
        owner: &str,
        shape: &Value,
        source: &Arc<Source>,
        findings: &mut Vec<Finding>,
    ) {
        for (name, attribute) in entries(&shape["attributes"]) {
            check_doc(
                &annotations(attribute),
                &format!("the attribute `{name}` of `{owner}`"),
                || place_of_word(source, &[name.to_owned()]),
                findings,
            );
            self.attributes.push((
                namespace.to_owned(),
                owner.to_owned(),
                name.to_owned(),
                attribute.clone(),
            ));
            if attribute["type"] == "Record" {
                let record = format!("{owner}.{name}");
                self.records.insert(record.clone(), ());
                self.add_attributes(namespace, &record, attribute, source, findings);
            }
        }
    }

    fn finish(self, schema: &Schema, action_entities: &Entities) -> Vocabulary {
        let mut attributes: BTreeMap<String, BTreeMap<String, Attribute>> = BTreeMap::new();
        for (namespace, owner, name, json) in &self.attributes {
            let attribute = Attribute {
                annotations: annotations(json),
                kind: self.kind(namespace, &format!("{owner}.{name}"), json),
                required: json["required"].as_bool().unwrap_or(true),
            };
            attributes
                .entry(owner.clone())
                .or_default()
                .insert(name.clone(), attribute);
        }
        let actions = self
            .actions
            .iter()
            .filter_map(|declared| action(schema, action_entities, declared))
            .collect();
        let parents = self
            .parents
            .iter()
            .map(|(namespace, name, parents)| {
                let full = |parent: &String| match self.named(namespace, parent) {
                    Kind::Entity(full) => full,
                    _ => parent.clone(),
                };
                (name.clone(), parents.iter().map(full).collect())
            })
            .collect();
        Vocabulary {
            actions,
            types: self.types,
            parents,
            attributes,
            choices: self.choices,
        }
    }

    fn kind(&self, namespace: &str, path: &str, json: &Value) -> Kind {
        let named = || json["name"].as_str().unwrap_or_default();
        match json["type"].as_str().unwrap_or_default() {
            "Set" => Kind::Set(Box::new(self.kind(namespace, path, &json["element"]))),
            "Record" => Kind::Record(path.to_owned()),
            "EntityOrCommon" | "Entity" | "Extension" => self.named(namespace, named()),
            primitive => self.named(namespace, primitive),
        }
    }

    fn named(&self, namespace: &str, name: &str) -> Kind {
        for full in [format!("{namespace}::{name}"), name.to_owned()] {
            if self.records.contains_key(&full) {
                return Kind::Record(full);
            }
            if self.types.contains_key(&full) {
                return Kind::Entity(full);
            }
        }
        match name.trim_start_matches("__cedar::") {
            "Bool" | "Boolean" => Kind::Bool,
            "Long" => Kind::Long,
            "String" => Kind::String,
            other => Kind::Extension(other.to_owned()),
        }
    }
}

fn action(
    schema: &Schema,
    entities: &Entities,
    (type_name, id, annotations, place): &(String, String, Annotations, Place),
) -> Option<Action> {
    let type_name = EntityTypeName::from_str(type_name).ok()?;
    let uid = EntityUid::from_type_name_and_id(type_name, EntityId::new(id));
    let sorted = |mut types: Vec<EntityTypeName>| {
        types.sort();
        types
    };
    let principals = sorted(schema.principals_for_action(&uid)?.cloned().collect());
    let resources = sorted(schema.resources_for_action(&uid)?.cloned().collect());
    if principals.is_empty() {
        return None; // a group of actions
    }
    let mut groups: Vec<_> = entities.ancestors(&uid)?.cloned().collect();
    groups.sort();
    Some(Action {
        uid,
        groups,
        principals,
        resources,
        annotations: annotations.clone(),
        place: place.clone(),
    })
}

fn entries(json: &Value) -> impl Iterator<Item = (&str, &Value)> {
    json.as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value))
}

fn annotations(json: &Value) -> Annotations {
    entries(&json["annotations"])
        .map(|(key, value)| {
            (
                key.to_owned(),
                value.as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect()
}

/// Where the first of these words stands that the text has.
fn place_of_word(source: &Arc<Source>, words: &[String]) -> Place {
    let text = source.text();
    let found = words.iter().find_map(|word| {
        let start = text.find(word)?;
        Some(start..start + word.len())
    });
    Place::new(source, found.unwrap_or(0..0))
}

/// A name as JSON has it.
fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn check_doc(
    annotations: &Annotations,
    what: &str,
    place: impl Fn() -> Place,
    findings: &mut Vec<Finding>,
) {
    if !annotations.contains_key("doc") {
        findings.push(
            Finding::warning(code::schema::MISSING_DOC, format!("{what} has no `@doc`"))
                .label(place(), "declared here")
                .help("say in one sentence what it is: `@doc(\"…\")`"),
        );
    }
}
