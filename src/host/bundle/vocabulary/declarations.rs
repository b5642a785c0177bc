//! The declarations of schema fragments, with the annotations that Cedar's `Schema` does not keep.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{Entities, EntityId, EntityTypeName, EntityUid, Schema};
use serde_json::Value;

use super::{Action, Annotations, Attribute, Kind, Vocabulary};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};

/// The declarations of all fragments. Names of types are resolved after all fragments are known.
#[derive(Default)]
pub(in crate::bundle) struct Declarations {
    types: BTreeMap<String, Annotations>,
    parents: Vec<(String, String, Vec<String>)>,
    records: BTreeMap<String, ()>,
    attributes: Vec<(String, String, String, Value)>,
    actions: Vec<(String, String, Annotations, Place)>,
    choices: BTreeMap<String, BTreeSet<String>>,
    /// For each name that programs may use for an entity type, the types with this name and their places.
    named: BTreeMap<String, Vec<(String, Place)>>,
}

impl Declarations {
    pub(in crate::bundle) fn add_fragment(
        &mut self,
        json: &Value,
        source: &Arc<Source>,
        findings: &mut Vec<Finding>,
    ) {
        for (namespace, definition) in entries(json) {
            for (name, entity) in entries(&definition["entityTypes"]) {
                self.add_entity_type(namespace, name, entity, source, findings);
            }
            for (name, record) in entries(&definition["commonTypes"]) {
                let name = full_name(namespace, name);
                self.records.insert(name.clone(), ());
                self.add_attributes(namespace, &name, record, source, findings);
            }
            for (id, action) in entries(&definition["actions"]) {
                self.add_action(namespace, id, action, source, findings);
            }
        }
        // Cedar sorts the actions of a fragment by name; the order in the file has a meaning for readers.
        self.actions.sort_by_key(|(_, _, _, place)| place.start);
    }

    fn add_entity_type(
        &mut self,
        namespace: &str,
        name: &str,
        entity: &Value,
        source: &Arc<Source>,
        findings: &mut Vec<Finding>,
    ) {
        let full_name = full_name(namespace, name);
        let annotations = annotations(entity);
        let place = || place_of_word(source, &[format!("entity {name}"), quoted(name)]);
        let title = format!("the entity type `{full_name}`");
        check_annotations(&annotations, &title, place, findings);
        let by_programs = annotations.get("authzen").cloned();
        for name in std::iter::once(full_name.clone()).chain(by_programs) {
            let named = self.named.entry(name).or_default();
            if named.iter().all(|(known, _)| *known != full_name) {
                named.push((full_name.clone(), place()));
            }
        }
        self.types.insert(full_name.clone(), annotations);
        if let Some(ids) = entity["enum"].as_array() {
            let ids = ids.iter().filter_map(Value::as_str).map(str::to_owned);
            self.choices.insert(full_name.clone(), ids.collect());
        }
        let parents = entity["memberOfTypes"].as_array().into_iter().flatten();
        let parents = parents.filter_map(Value::as_str).map(str::to_owned);
        self.parents
            .push((namespace.to_owned(), full_name.clone(), parents.collect()));
        self.add_attributes(namespace, &full_name, &entity["shape"], source, findings);
    }

    fn add_action(
        &mut self,
        namespace: &str,
        id: &str,
        action: &Value,
        source: &Arc<Source>,
        findings: &mut Vec<Finding>,
    ) {
        let annotations = annotations(action);
        let words = [
            format!("@id(\"{id}\")"),
            format!("action {id}"),
            format!("action \"{id}\""),
            quoted(id),
        ];
        let mut found = words.iter().filter_map(|word| source.text().find(word));
        let start = found.next().unwrap_or_default();
        let place = Place::new(source, start..start + 1);
        let full_name = full_name(namespace, &format!("Action::\"{id}\""));
        let title = format!("the action `{full_name}`");
        check_annotations(&annotations, &title, || place.clone(), findings);
        let type_name = self::full_name(namespace, "Action");
        self.actions
            .push((type_name, id.to_owned(), annotations, place));
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
            check_annotations(
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

    /// Errors about entity types with the same name (`@authzen`), which make requests ambiguous.
    pub(in crate::bundle) fn shared_names(&self) -> Vec<Finding> {
        let shared = self.named.iter().filter(|(_, types)| types.len() > 1);
        let findings = shared.map(|(name, types)| {
            let listed: Vec<String> = types.iter().map(|(of, _)| format!("`{of}`")).collect();
            let message = format!("the name `{name}` stands for {}", listed.join(" and "));
            let mut finding = Finding::error(code::schema::SHARED_NAME, message)
                .help("give each entity type a name of its own: `@authzen(\"…\")`");
            for (_, place) in types {
                finding = finding.label(place.clone(), "one of them");
            }
            finding
        });
        findings.collect()
    }

    pub(in crate::bundle) fn finish(
        self,
        schema: &Schema,
        action_entities: &Entities,
    ) -> Vocabulary {
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

/// The place of the first of these words that occurs in the text.
fn place_of_word(source: &Arc<Source>, words: &[String]) -> Place {
    let text = source.text();
    let found = words.iter().find_map(|word| {
        let start = text.find(word)?;
        Some(start..start + word.len())
    });
    Place::new(source, found.unwrap_or(0..0))
}

/// A name as a JSON string.
fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn check_annotations(
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
    for key in ["unless_stated", "unless_in"] {
        let named = annotations.get(key).into_iter();
        let named = named.flat_map(|named| named.split(',').map(str::trim));
        let is_entity = |name: &&str| EntityUid::from_str(name).is_ok();
        findings.extend(named.filter(|name| !is_entity(name)).map(|name| {
            let message = format!("`@{key}` of {what} says `{name}`, which is no entity");
            Finding::warning(code::schema::ANNOTATION, message)
                .label(place(), "declared here")
                .help("name the entity with its type: `Type::\"id\"`")
        }));
    }
}

/// The name of a declaration with its namespace.
fn full_name(namespace: &str, name: &str) -> String {
    match namespace {
        "" => name.to_owned(),
        namespace => format!("{namespace}::{name}"),
    }
}
