//! The tenant as other engines take it: documents by id, with what is inherited written out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::tenant::Tenant;

/// People, devices, hierarchies and tenants, each by id, and the actions of roles.
pub struct Facts {
    /// `{"people": …, "devices": …, "hierarchies": …, "tenants": …, "roles": …, "groups": …}`
    pub json: Value,
}

type Entities = BTreeMap<(String, String), (Value, Vec<(String, String)>)>;

impl Facts {
    /// The facts about the tenant in a folder.
    pub fn read(folder: &Path, tenant: &Tenant) -> Self {
        let mut all = Entities::new();
        for file in ["base.json", "people.json", "devices.json"] {
            let text = fs::read_to_string(folder.join("entities").join(file)).unwrap();
            let entities: Vec<Value> = serde_json::from_str(&text).unwrap();
            all.extend(entities.into_iter().map(|entity| {
                let parents = entity["parents"].as_array().unwrap().iter().map(key);
                (key(&entity["uid"]), (entity["attrs"].clone(), parents.collect()))
            }));
        }
        let mut json = json!({
            "people": {}, "devices": {}, "hierarchies": {}, "tenants": {},
            "roles": roles(tenant), "groups": groups(),
        });
        for ((type_name, id), (attributes, _)) in &all {
            let above = above(&all, &(type_name.clone(), id.clone()));
            let of = |wanted: &str| -> Map<String, Value> {
                let ids = above.iter().filter(|(type_name, _)| type_name == wanted);
                ids.map(|(_, id)| (id.clone(), json!(true))).collect()
            };
            let mut document = plain(attributes);
            let kind = match type_name.as_str() {
                "Entra::User" => {
                    document["roles"] = of("Intune::Role").into();
                    document["tenants"] = of("Intune::Tenant").into();
                    document["directoryRoles"] = of("Entra::DirectoryRole").into();
                    "people"
                }
                "ConfigMgr::Device" => {
                    document["collections"] = of("ConfigMgr::Collection").into();
                    "devices"
                }
                "ConfigMgr::Hierarchy" => "hierarchies",
                "Intune::Tenant" => "tenants",
                _ => continue,
            };
            json[kind][id] = document;
        }
        Self { json }
    }
}

fn key(uid: &Value) -> (String, String) {
    let text = |name: &str| uid[name].as_str().unwrap().to_owned();
    (text("type"), text("id"))
}

/// The ancestors of an entity.
fn above(all: &Entities, of: &(String, String)) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![of.clone()];
    while let Some(next) = waiting.pop() {
        for parent in all.get(&next).into_iter().flat_map(|(_, parents)| parents) {
            if !found.contains(parent) {
                found.push(parent.clone());
                waiting.push(parent.clone());
            }
        }
    }
    found
}

/// Attributes with ids in place of references, and sets of these as objects, in which a look-up takes no search.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(fields) => match fields.get("id") {
            Some(id) => id.clone(),
            None => {
                let fields = fields.iter();
                let plain = fields.map(|(name, value)| (name.clone(), plain(value)));
                plain.collect::<Map<_, _>>().into()
            }
        },
        Value::Array(elements) => {
            let ids = elements.iter().map(|element| key(element).1);
            ids.map(|id| (id, json!(true))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

const ALL: [&str; 13] = [
    "viewCollections", "viewResourceExplorer", "viewTimeline", "viewSoftwareUpdates",
    "viewScripts", "runScript", "runCmPivotQuery", "viewClientDetails", "viewApplications",
    "takeApplicationActions", "enrollNow", "rotateBitLockerKeys",
    "initiateConfigurationManagerAction",
];

/// The actions of each role: the built-in one of the tenant has all, the custom ones those of the generator.
fn roles(tenant: &Tenant) -> Value {
    const CUSTOM: [&str; 6] = [
        "viewCollections", "viewResourceExplorer", "viewTimeline", "viewScripts", "runScript",
        "viewClientDetails",
    ];
    let actions = |names: &[&str]| -> Value {
        let names = names.iter().map(|name| ((*name).to_owned(), json!(true)));
        names.collect::<Map<_, _>>().into()
    };
    let mut roles = Map::new();
    roles.insert(super::tenant::BUILT_IN.to_owned(), actions(&ALL));
    for number in 0..tenant.roles {
        let skipped = CUSTOM.get(number as usize % 3..).unwrap_or_default();
        roles.insert(super::tenant::role(number), actions(skipped));
    }
    roles.into()
}

/// The two groups of actions.
fn groups() -> Value {
    let of = |names: &[&str]| -> Map<String, Value> {
        names.iter().map(|name| ((*name).to_owned(), json!(true))).collect()
    };
    json!({ "attached": of(&ALL[..11]), "remote": of(&ALL[11..]) })
}
