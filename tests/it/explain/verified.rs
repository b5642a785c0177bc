//! Whatever is offered on the sample tenant is allowed by Cedar itself, asked about all policies
//! and about entities in whose JSON the change was made.

use std::path::Path;

use cedar_policy::{Authorizer, Context, Entities, PolicySet, Request as CedarRequest};
use serde_json::{Value as Json, json};

use super::contoso;
use tarbac::decision::{Decision, Request};
use tarbac::engine::Engine;
use tarbac::explain::{ChangeKind, Named, RemedyChange, Value, explain};

#[test]
fn what_is_offered_is_allowed_by_cedar() {
    verify(23);
}

#[test]
#[ignore = "every person, permission and device; takes minutes"]
fn whatever_is_offered_is_allowed_by_cedar() {
    verify(1);
}

/// Looks at one request of so many.
fn verify(step: usize) {
    let engine = contoso();
    let entities = json_of_contoso();
    let policies = policies(&engine);
    let mut verified = 0;
    for request in requests(&engine).iter().step_by(step) {
        let explanation = explain(&engine, request);
        let Some(remedies) = &explanation.remedies else {
            assert_ne!(explanation.answer.outcome.decision, Decision::Deny);
            continue;
        };
        assert!(!remedies.is_cut, "{request:?}");
        // Nobody crosses from one tenant to the other; everything else can be changed.
        let is_lost = explanation
            .answer
            .outcome
            .policies
            .iter()
            .any(|id| id.starts_with("guardrails.tenant."));
        assert_eq!(remedies.alternatives.is_empty(), is_lost, "{request:?}");
        let entities = only_reached(&entities, request);
        for alternative in &remedies.alternatives {
            assert!(
                allows(&engine, &policies, entities.clone(), request, alternative),
                "{alternative:?}"
            );
            for needed in alternative {
                let fewer: Vec<RemedyChange> = alternative
                    .iter()
                    .filter(|change| *change != needed)
                    .cloned()
                    .collect();
                assert!(
                    !allows(&engine, &policies, entities.clone(), request, &fewer),
                    "{alternative:?}"
                );
            }
            verified += 1;
        }
    }
    assert!(verified > 50, "{verified}");
}

fn requests(engine: &Engine) -> Vec<Request> {
    let directory = engine.directory();
    let mut requests = Vec::new();
    for action in engine.bundle().vocabulary().permissions() {
        for principal in action
            .principals
            .iter()
            .flat_map(|name| directory.rows_of(name))
        {
            for resource in action
                .resources
                .iter()
                .flat_map(|name| directory.rows_of(name))
            {
                requests.push(Request {
                    principal: directory.uid(principal),
                    action: action.uid.clone(),
                    resource: directory.uid(resource),
                    context: Context::empty(),
                });
            }
        }
    }
    requests
}

fn policies(engine: &Engine) -> PolicySet {
    let mut set = cedar_policy_core::ast::PolicySet::new();
    for policy in engine.bundle().in_force(engine.readings()) {
        set.add(policy.ast().clone()).unwrap();
    }
    PolicySet::from(set)
}

fn json_of_contoso() -> Vec<Json> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contoso/entities");
    let mut all = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        all.extend(serde_json::from_str::<Vec<Json>>(&text).unwrap());
    }
    all
}

/// Without the people and the devices that the request is not about.
fn only_reached(entities: &[Json], request: &Request) -> Vec<Json> {
    entities
        .iter()
        .filter(|entity| {
            let is_one_of_many = ["Entra::User", "ConfigMgr::Device"]
                .map(Json::from)
                .contains(&entity["uid"]["type"]);
            let id = entity["uid"]["id"].as_str();
            !is_one_of_many
                || id == Some(request.principal.id().unescaped())
                || id == Some(request.resource.id().unescaped())
        })
        .cloned()
        .collect()
}

fn allows(
    engine: &Engine,
    policies: &PolicySet,
    mut entities: Vec<Json>,
    request: &Request,
    changes: &[RemedyChange],
) -> bool {
    for change in changes {
        make(change, &mut entities);
    }
    let entities =
        Entities::from_json_value(Json::Array(entities), Some(engine.bundle().schema())).unwrap();
    let request = CedarRequest::new(
        request.principal.clone(),
        request.action.clone(),
        request.resource.clone(),
        request.context.clone(),
        Some(engine.bundle().schema()),
    );
    let response = Authorizer::new().is_authorized(&request.unwrap(), policies, &entities);
    assert_eq!(response.diagnostics().errors().count(), 0);
    response.decision() == cedar_policy::Decision::Allow
}

/// Makes a change in the JSON of the entities.
fn make(change: &RemedyChange, entities: &mut Vec<Json>) {
    let uid = uid(&change.entity);
    let mut all = entities.iter_mut();
    let entity = all.find(|entity| entity["uid"] == uid).unwrap();
    match change.kind {
        ChangeKind::Set => set(entity, change),
        ChangeKind::Add => add(entity, change),
        ChangeKind::Activate => extend_parents(entity, [named(change)]),
        // A role assignment with another scope tag is in its role again with Default.
        ChangeKind::Join if change.entity.uid.type_name().basename() == "RoleAssignment" => {
            let attributes = entity["attrs"].as_object_mut().unwrap();
            let role = attributes.remove("narrowedRole").unwrap();
            extend_parents(entity, [role, named(change)]);
        }
        ChangeKind::Join => {
            let assignment = json!({ "type": "Intune::RoleAssignment", "id": "made for the test" });
            let tenant = entity["attrs"]["tenant"].clone();
            extend_parents(entity, [assignment.clone()]);
            let scope_tag = json!({ "type": "Intune::ScopeTag", "id": "*" });
            entities.push(json!({ "uid": assignment, "attrs": {}, "parents": [named(change), tenant, scope_tag] }));
        }
    }
}

fn set(entity: &mut Json, change: &RemedyChange) {
    let [attribute] = change.attribute.as_slice() else {
        panic!("{change:?}")
    };
    entity["attrs"][attribute] = match &change.value {
        Value::Bool(bool) => json!(bool),
        Value::Long(long) => json!(long),
        other => panic!("{other:?}"),
    };
}

fn add(entity: &mut Json, change: &RemedyChange) {
    let [record, attribute] = change.attribute.as_slice() else {
        panic!("{change:?}")
    };
    if entity["attrs"][record].is_null() {
        entity["attrs"][record] = json!({
            "discoveredByEntra": [], "discoveredByActiveDirectory": [], "read": [], "readResource": [],
            "notifyResource": [], "runCmPivot": [], "runScript": [], "readBitLockerRecoveryKey": [],
            "readScripts": [], "readApplications": [], "approveApplications": []
        });
    }
    let elements = entity["attrs"][record][attribute].as_array_mut();
    elements.unwrap().push(named(change));
}

/// The entity that a change names.
fn named(change: &RemedyChange) -> Json {
    match &change.value {
        Value::Entity(entity) => uid(entity),
        other => panic!("{other:?}"),
    }
}

fn extend_parents(entity: &mut Json, more: impl IntoIterator<Item = Json>) {
    entity["parents"].as_array_mut().unwrap().extend(more);
}

fn uid(entity: &Named) -> Json {
    json!({ "type": entity.uid.type_name().to_string(), "id": entity.uid.id().unescaped() })
}
