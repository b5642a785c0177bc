//! Small tenants, entity by entity, as files of a workspace have them.

use std::io;

use cedar_policy::EntityUid;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Value, json};
use tarbac::directory::GivenEntity;

/// A tenant in which Intune decides, with a Help Desk Operator, somebody without a role, and a
/// device.
pub fn tenant() -> Vec<Value> {
    vec![
        tenant_entity("t", true),
        hierarchy("H", "t", false),
        device("d1", "PC-1", "H"),
        entity("Intune::Role", "Help Desk Operator", json!({}), &[]),
        assignment(
            "a1",
            &[
                ("Intune::Role", "Help Desk Operator"),
                ("Intune::Tenant", "t"),
            ],
        ),
        user("u1", "ana@t.example", &[("Intune::RoleAssignment", "a1")]),
        user("u2", "bob@t.example", &[]),
    ]
}

/// Entities as the library takes them that stand in no file.
pub fn given(entities: &Value) -> Vec<GivenEntity> {
    let uid = |json: &Value| EntityUid::from_json(json.clone()).unwrap();
    let entity = |json: &Value| GivenEntity {
        attributes: json["attrs"].as_object().unwrap().clone(),
        parents: json["parents"]
            .as_array()
            .unwrap()
            .iter()
            .map(uid)
            .collect(),
        ..GivenEntity::new(uid(&json["uid"]))
    };
    entities.as_array().unwrap().iter().map(entity).collect()
}

pub fn tenant_entity(id: &str, toggle: bool) -> Value {
    entity(
        "Intune::Tenant",
        id,
        json!({ "useIntuneRbac": toggle }),
        &[],
    )
}

pub fn hierarchy(id: &str, tenant: &str, checkbox: bool) -> Value {
    let attrs = json!({
        "tenant": uid("Intune::Tenant", tenant),
        "version": 2403,
        "enforceConfigMgrRbac": checkbox,
        "earlyUpdateRing": false,
    });
    entity("ConfigMgr::Hierarchy", id, attrs, &[])
}

pub fn device(id: &str, name: &str, hierarchy: &str) -> Value {
    let attrs = json!({
        "name": name,
        "coManaged": false,
        "hierarchy": uid("ConfigMgr::Hierarchy", hierarchy),
    });
    entity("ConfigMgr::Device", id, attrs, &[])
}

pub fn assignment(id: &str, parents: &[(&str, &str)]) -> Value {
    entity("Intune::RoleAssignment", id, json!({}), parents)
}

/// A person of the tenant `t`.
pub fn user(id: &str, name: &str, parents: &[(&str, &str)]) -> Value {
    let attrs = json!({
        "tenant": uid("Intune::Tenant", "t"),
        "userPrincipalName": name,
        "cloudOnly": true,
    });
    entity("Entra::User", id, attrs, parents)
}

/// An entity with parents, each as a type and an id.
pub fn entity(type_name: &str, id: &str, attrs: Value, parents: &[(&str, &str)]) -> Value {
    let parents = parents.iter().map(|(type_name, id)| uid(type_name, id));
    json!({ "uid": uid(type_name, id), "attrs": attrs, "parents": parents.collect::<Value>() })
}

pub fn uid(type_name: &str, id: &str) -> Value {
    json!({ "type": type_name, "id": id })
}

/// A set of entities of one type.
pub fn uids(type_name: &str, ids: &[&str]) -> Value {
    ids.iter().map(|id| uid(type_name, id)).collect()
}

/// The text of a file, with an entity a line.
pub fn entities(all: &[Value]) -> String {
    let lines: Vec<String> = all.iter().map(line).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

fn line(entity: &Value) -> String {
    let mut line = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut line, Spaced);
    entity.serialize(&mut serializer).unwrap();
    String::from_utf8(line).unwrap()
}

/// JSON on one line that people can read.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        to.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        to.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }
}
