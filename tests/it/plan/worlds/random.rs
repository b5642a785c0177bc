//! Random worlds in which a plan has something to do.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tarbac::source::Source;
use tarbac::{Switches, shipped};

use crate::agrees_with_cedar::both::Both;
use crate::agrees_with_cedar::random::{
    ASSIGNMENTS, COLLECTIONS, Dice, HIERARCHIES, link_file, random_directory, random_policies,
};
use crate::world::uids;

/// A world in which Configuration Manager decides, most people administer most of it and have roles, of which
/// two are custom, and everybody is of one tenant.
pub(super) fn world(dice: &mut Dice) -> Both {
    let mut json = random_directory(dice);
    let tenant = json!({ "type": "Intune::Tenant", "id": "t0" });
    let is_scoped = json.as_array().unwrap().iter().any(|entity| {
        entity["uid"] == tenant && entity["attrs"]["scopedPermissions"] == json!(true)
    });
    for entity in json.as_array_mut().unwrap() {
        match entity["uid"]["type"].as_str().unwrap() {
            "Intune::Tenant" => entity["attrs"]["useIntuneRbac"] = json!(is_usual(dice)),
            "ConfigMgr::Hierarchy" => {
                entity["attrs"]["tenant"] = tenant.clone();
                if is_usual(dice) {
                    entity["attrs"]["version"] = json!(2403);
                    entity["attrs"]["enforceConfigMgrRbac"] = json!(is_usual(dice));
                }
            }
            "Entra::User" => {
                entity["attrs"]["tenant"] = tenant.clone();
                make_person_usual(entity, dice);
            }
            "Intune::RoleAssignment" => make_assignment_usual(entity, &tenant, is_scoped, dice),
            "Intune::Role" => {
                let is_custom = entity["uid"]["id"].as_str().unwrap().starts_with('r');
                entity["attrs"]["builtIn"] = json!(!is_custom);
            }
            _ => {}
        }
    }
    keep_apart(&mut json);
    let mut text = custom_roles(dice);
    let mut links = Vec::new();
    if dice.roll(4) == 0 {
        let (more, of_more) = random_policies(dice);
        text += &more;
        links = of_more;
    }
    let mut texts = shipped::rules().alone();
    texts
        .policies
        .push(Source::held("policies/custom/random.cedar", text));
    texts.links.push(link_file(&links));
    Both::made(json, &texts, &links, &Switches::default())
}

fn is_usual(dice: &mut Dice) -> bool {
    dice.roll(4) > 0
}

/// Most are hybrid, have a role, and may something in Configuration Manager.
fn make_person_usual(person: &mut Value, dice: &mut Dice) {
    person["attrs"]["cloudOnly"] = json!(!is_usual(dice));
    if let Some(Value::Object(administrator)) = person["attrs"].get_mut("configMgr") {
        for (name, of) in administrator {
            let (kind, all) = match name.as_str() {
                "discoveredByEntra"
                | "discoveredByActiveDirectory"
                | "readScripts"
                | "readApplications"
                | "approveApplications" => ("ConfigMgr::Hierarchy", HIERARCHIES),
                _ => ("ConfigMgr::Collection", COLLECTIONS),
            };
            if is_usual(dice) {
                *of = uids(kind, all);
            }
        }
    }
    if is_usual(dice) {
        let id = dice.pick(ASSIGNMENTS);
        let assignment = json!({ "type": "Intune::RoleAssignment", "id": id });
        let parents = person["parents"].as_array_mut().unwrap();
        parents.retain(|parent| *parent != assignment);
        parents.push(assignment);
    }
}

/// All are of the tenant, and most of one of three roles.
fn make_assignment_usual(entity: &mut Value, tenant: &Value, is_scoped: bool, dice: &mut Dice) {
    let attributes = entity["attrs"].as_object_mut().unwrap();
    if let Some(role) = attributes.remove("narrowedRole") {
        entity["parents"].as_array_mut().unwrap().push(role);
    }
    for parent in entity["parents"].as_array_mut().unwrap() {
        match parent["type"].as_str().unwrap() {
            "Intune::Tenant" => *parent = tenant.clone(),
            "Intune::Role" if is_usual(dice) => {
                parent["id"] = json!(dice.pick(&["r0", "r1", "Application Manager"]));
            }
            _ => {}
        }
    }
    // Under Scoped permissions an assignment with other scope tags is not in its role.
    let parents = entity["parents"].as_array_mut().unwrap();
    let is_whole = |parent: &Value| {
        let tags = [json!("0"), json!("*")];
        parent["type"] == "Intune::ScopeTag" && tags.contains(&parent["id"])
    };
    if is_scoped && !parents.iter().any(is_whole) {
        let is_role = |parent: &Value| parent["type"] == "Intune::Role";
        let role = parents.iter().position(is_role).unwrap();
        entity["attrs"]["narrowedRole"] = parents.remove(role);
    }
}

/// The policies of custom roles, each a list of permissions.
fn custom_roles(dice: &mut Dice) -> String {
    let mut text = String::new();
    for role in ["r0", "r1"] {
        let all = [
            "viewScripts",
            "runScript",
            "viewTimeline",
            "enrollNow",
            "updateRoles",
        ];
        let actions = dice.some(&all);
        if !actions.is_empty() {
            let actions = actions.iter().map(|id| format!("Intune::Action::\"{id}\""));
            let actions = actions.collect::<Vec<_>>().join(", ");
            text += &format!(
                "// The role {role}.\n@id(\"custom.{role}\")\n@doc(\"A list (of) permissions.\")\npermit (principal in Intune::Role::\"{role}\", action in [{actions}], resource);\n"
            );
        }
    }
    text
}

/// Takes devices and collections out of the collections of other hierarchies, which are contradictions.
fn keep_apart(json: &mut Value) {
    let entities = json.as_array_mut().unwrap();
    let hierarchies: BTreeMap<String, Value> = entities
        .iter()
        .filter(|entity| entity["uid"]["type"] == "ConfigMgr::Collection")
        .map(|entity| {
            let id = entity["uid"]["id"].as_str().unwrap().to_owned();
            (id, entity["attrs"]["hierarchy"].clone())
        })
        .collect();
    for entity in entities {
        let hierarchy = entity["attrs"]["hierarchy"].clone();
        let parents = entity["parents"].as_array_mut().unwrap();
        parents.retain(|parent| {
            let of_parent = parent["id"].as_str().and_then(|id| hierarchies.get(id));
            parent["type"] != "ConfigMgr::Collection" || of_parent.is_none_or(|of| *of == hierarchy)
        });
    }
}

/// The same world in which Intune decides about most of the hierarchies; now and then another.
pub(super) fn changed(world: &Both, dice: &mut Dice) -> Both {
    if dice.roll(5) == 0 {
        return world.turned(dice);
    }
    let mut json = world.json.clone();
    for entity in json.as_array_mut().unwrap() {
        let attributes = &mut entity["attrs"];
        if attributes.get("useIntuneRbac").is_some() {
            attributes["useIntuneRbac"] = json!(true);
        }
        if attributes.get("enforceConfigMgrRbac").is_some() && dice.roll(4) > 0 {
            attributes["enforceConfigMgrRbac"] = json!(false);
        }
    }
    world.with(json, world.texts.clone())
}
