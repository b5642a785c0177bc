//! The exports of the sample tenants give the sample workspace.

use std::collections::BTreeMap;
use std::path::Path;

use cedar_policy::{Context, EntityUid};
use serde_json::Value;
use tarbac::Request;
use tarbac::engine::Engine;

use super::{copied, files, load, run_import};
use crate::tarbac::Tarbac;

/// The entities of a workspace by their names, with what is in no order sorted.
fn entities(folder: &Path) -> BTreeMap<String, Value> {
    let mut entities = BTreeMap::new();
    for (path, bytes) in files(&folder.join("entities")) {
        let family: Vec<Value> = serde_json::from_slice(&bytes).expect(&path);
        for entity in family {
            let known = entities.insert(entity["uid"].to_string(), sorted(entity));
            assert_eq!(known, None);
        }
    }
    entities
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Array(values) => {
            let mut values: Vec<Value> = values.into_iter().map(sorted).collect();
            values.sort_by_key(Value::to_string);
            Value::Array(values)
        }
        Value::Object(object) => {
            let fields = object.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(fields.collect())
        }
        value => value,
    }
}

fn imported(tenant: &str) -> Tarbac {
    let tarbac = copied(&format!("tests/exports/{tenant}"));
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    tarbac
}

#[test]
fn the_exports_give_exactly_the_entities_of_the_sample() {
    let mut both = BTreeMap::new();
    for tenant in ["contoso", "fabrikam"] {
        let workspace = entities(&imported(tenant).path("workspace"));
        // Built-in roles, directory roles and scope tags are in both, and the same.
        for (uid, entity) in workspace {
            let other = both.insert(uid, entity.clone());
            assert!(other.is_none_or(|other| other == entity), "{entity}");
        }
    }
    let sample = entities(Path::new("tests/contoso"));
    for (uid, entity) in &sample {
        assert_eq!(both.get(uid), Some(entity));
    }
    assert_eq!(both.len(), sample.len());
}

/// Every entity of a type.
fn all(engine: &Engine, type_name: &str) -> Vec<EntityUid> {
    let type_name = type_name.parse().unwrap();
    let directory = engine.directory();
    directory
        .rows_of(&type_name)
        .map(|row| directory.uid(row))
        .collect()
}

#[test]
fn what_is_imported_decides_as_the_sample_does() {
    let sample = load(Path::new("tests/contoso"));
    let mut decisions = 0;
    for tenant in ["contoso", "fabrikam"] {
        let tarbac = imported(tenant);
        let engine = load(&tarbac.path("workspace"));
        for action in sample.bundle().vocabulary().permissions() {
            let resources: Vec<EntityUid> = action
                .resources
                .iter()
                .flat_map(|type_name| all(&engine, &type_name.to_string()))
                .collect();
            for principal in all(&engine, "Entra::User") {
                for resource in &resources {
                    let request = Request {
                        principal: principal.clone(),
                        action: action.uid.clone(),
                        resource: resource.clone(),
                        context: Context::empty(),
                    };
                    let (ours, theirs) = (engine.answer(&request), sample.answer(&request));
                    assert_eq!(
                        ours.outcome.decision, theirs.outcome.decision,
                        "{request:?}"
                    );
                    assert_eq!(ours.notices, theirs.notices, "{request:?}");
                    decisions += 1;
                }
            }
        }
    }
    // 13 permissions and the tenant for 21 people and 12 devices, and for 3 and 2.
    assert_eq!(decisions, 21 * (13 * 12 + 1) + 3 * (13 * 2 + 1));
}

#[test]
fn the_policies_are_those_that_ship_and_the_custom_role() {
    let tarbac = imported("contoso");
    let mut workspace = files(&tarbac.path("workspace"));
    for part in ["policies", "schema"] {
        for (path, bytes) in files(Path::new(part)) {
            assert_eq!(
                workspace.remove(&format!("{part}/{path}")),
                Some(bytes),
                "{path}"
            );
        }
    }
    workspace.retain(|path, _| !path.starts_with("entities/"));
    assert_eq!(
        workspace.into_keys().collect::<Vec<_>>(),
        [
            ".github/workflows/tarbac.yml",
            ".gitignore",
            "policies/custom/script-runner.cedar",
            "tarbac-files.json",
            "tests/everybody.yaml",
            "tests/suite.schema.json",
        ]
    );
    let ran = tarbac.run(&["-C", "workspace", "fmt", "--check"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""), "{ran}");
}

#[test]
fn the_same_exports_give_the_same_bytes() {
    let workspaces = [(); 2].map(|()| files(&imported("contoso").path("workspace")));
    let [one, other] = workspaces;
    assert!(one == other);
}
