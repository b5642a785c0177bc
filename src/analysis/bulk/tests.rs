//! A small tenant for the tests of bulk decisions.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use std::io::Cursor;

use cedar_policy::EntityUid;
use serde_json::{Value, json};
use tarbac_diagnostic::source::Source;
use tarbac_host::bundle::{Policy, Switches, Texts};
use tarbac_host::{Engine, assembly};
use tarbac_store::{Input, Row};

const SCHEMA: &str = r#"
entity Collection in [Collection];
entity User = {
  name?: String,
  boss?: User,
  granted?: Set<Collection>,
  watched?: Set<Collection>,
  devices?: Set<Device>,
};
entity Device in [Collection] = { name: String, owner?: String, weight: Long };
action use, see appliesTo { principal: User, resource: Device, context: { by?: User, note?: String } };
"#;

/// An engine for these policies and entities.
pub(super) fn engine(policies: &str, entities: &[Value]) -> Engine {
    let texts = Texts {
        schema: vec![Source::held("a.cedarschema", SCHEMA)],
        policies: vec![Source::held("a.cedar", policies)],
        ..Texts::default()
    };
    let text = Value::from(entities).to_string();
    let input = Input {
        source: Source::held("a.json", text.clone()),
        reader: Box::new(Cursor::new(text)),
    };
    let examination = assembly::examine(&texts, vec![input], &Switches::default()).unwrap();
    let engine = examination.engine;
    engine.unwrap_or_else(|| panic!("{:#?}", examination.findings))
}

/// The policies of an engine, in the order of their ids.
pub(super) fn policies(engine: &Engine) -> Vec<&Policy> {
    engine.bundle().policies().iter().collect()
}

/// A permit with an id and a condition.
pub(super) fn permit(id: &str, condition: &str) -> String {
    format!("@id(\"{id}\")\npermit (principal, action, resource) when {{ {condition} }};\n")
}

/// A user with these attributes.
pub(super) fn user(id: &str, attributes: Value) -> Value {
    json!({ "uid": { "type": "User", "id": id }, "attrs": attributes, "parents": [] })
}

/// A device in these collections.
pub(super) fn device(id: &str, weight: i64, collections: &[&str]) -> Value {
    let attributes = json!({ "name": id, "weight": weight });
    json!({ "uid": { "type": "Device", "id": id }, "attrs": attributes, "parents": references("Collection", collections) })
}

/// A collection in others.
pub(super) fn collection(id: &str, above: &[&str]) -> Value {
    json!({ "uid": { "type": "Collection", "id": id }, "attrs": {}, "parents": references("Collection", above) })
}

/// A set of references to entities of a type.
pub(super) fn references(type_name: &str, ids: &[&str]) -> Value {
    let ids = ids.iter();
    ids.map(|id| json!({ "type": type_name, "id": id }))
        .collect()
}

/// The uid of a text such as `User::"ada"`.
pub(super) fn uid(text: &str) -> EntityUid {
    text.parse().unwrap()
}

/// The row of an entity.
pub(super) fn row(engine: &Engine, text: &str) -> Row {
    engine.directory().row(&uid(text)).expect(text)
}
