//! Agreement with Cedar: the same files are accepted, and give the same entities.
//!
//! The reader is stricter only about duplicates, dangling references, the number of required parents, unknown keys,
//! and `unknown`.

use std::collections::HashSet;

use cedar_policy::{Entities, Entity, Schema};
use proptest::prelude::{Strategy, any, prop};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use proptest::{prop_assert, prop_assert_eq};
use serde_json::{Value, json};

use super::{SCHEMA, lines, read, reopened, rules, written};
use tarbac_diagnostic::code::{self, Code};

/// The codes of the mistakes that Cedar does not check for.
const STRICTER: [Code; 4] = [
    code::entities::DUPLICATE,
    code::entities::DANGLING,
    code::entities::MISSING_PARENT,
    code::entities::SEVERAL_PARENTS,
];

/// The number of files that are tried.
const CASES: u32 = 512;

/// Valid spellings of values for each attribute of `Test::Every`.
#[expect(clippy::too_many_lines, reason = "a table")]
fn spellings() -> Vec<(&'static str, Vec<Value>)> {
    let thing = json!({"type": "Test::Thing", "id": "t"});
    vec![
        (
            "color",
            vec![
                json!({"type": "Test::Color", "id": "red"}),
                json!({"__entity": {"type": "Test::Color", "id": "dark green"}}),
            ],
        ),
        (
            "inner",
            vec![
                json!({"hub": thing}),
                json!({"hub": {"__entity": thing}, "others": [thing, thing], "at": "2024-10-15"}),
            ],
        ),
        (
            "inners",
            vec![
                json!([]),
                json!([{"hub": thing}, {"hub": thing, "others": []}, {"hub": thing}]),
            ],
        ),
        (
            "price",
            vec![
                json!("1.5"),
                json!({"fn": "decimal", "arg": "1.50"}),
                json!({"__extn": {"fn": "decimal", "arg": "-0.1"}}),
                json!({"__extn": {"fn": "decimal", "args": ["2.0"]}}),
            ],
        ),
        (
            "address",
            vec![json!("10.0.0.0/8"), json!({"fn": "ip", "arg": "::1"})],
        ),
        (
            "at",
            vec![
                json!("2024-10-15T11:35:00Z"),
                json!({"fn": "offset", "args": ["2024-10-15", "1h"]}),
                json!({"__extn": {"fn": "toDate", "arg": "2024-10-15T11:35:00Z"}}),
            ],
        ),
        (
            "lasts",
            vec![
                json!("1d2h"),
                json!({"fn": "durationSince", "args": ["2024-10-15", "2024-10-14"]}),
            ],
        ),
        ("flags", vec![json!([true, false, true]), json!([])]),
        (
            "count",
            vec![
                json!(-3),
                json!({"__extn": {"fn": "toDays", "arg": {"__extn": {"fn": "duration", "arg": "3d"}}}}),
            ],
        ),
        (
            "yes",
            vec![
                json!(true),
                json!({"__extn": {"fn": "isIpv4", "arg": {"__extn": {"fn": "ip", "arg": "::1"}}}}),
            ],
        ),
        ("text", vec![json!(""), json!("ä\u{0}\"")]),
    ]
}

/// A valid file; the choices determine the attributes and their spellings.
fn base(choices: &[u8]) -> Value {
    let mut attrs = serde_json::Map::new();
    for ((name, spellings), choice) in spellings().into_iter().zip(choices) {
        if let Some(value) = spellings.get(usize::from(*choice) % (spellings.len() + 1)) {
            attrs.insert(name.to_owned(), value.clone());
        }
    }
    let entity = |name: &str, id: &str, attrs: Value, parents: Value| json!({"uid": {"type": name, "id": id}, "attrs": attrs, "parents": parents});
    let uid = |name: &str, id: &str| json!({"type": name, "id": id});
    let every = json!({
        "uid": {"__entity": {"type": "Test::Every", "id": "e"}},
        "attrs": attrs,
        "parents": [uid("Test::Every", "f"), {"__entity": {"type": "Test::Color", "id": "red"}}],
        "tags": {"one": [1, 2, 1], "none": []},
    });
    json!([
        every,
        entity("Test::Every", "f", json!({}), json!([])),
        entity("Test::Thing", "t", json!({}), json!([])),
        entity("Test::Color", "red", json!({}), json!([])),
        entity(
            "Intune::Tenant",
            "c",
            json!({"useIntuneRbac": true}),
            json!([])
        ),
        entity("Intune::Role", "r", json!({"builtIn": true}), json!([])),
        entity(
            "Intune::RoleAssignment",
            "a",
            json!({}),
            json!([uid("Intune::Role", "r"), uid("Intune::Tenant", "c"),])
        ),
        entity(
            "Entra::Group",
            "g",
            json!({}),
            json!([uid("Intune::RoleAssignment", "a")])
        ),
        entity(
            "ConfigMgr::Hierarchy",
            "P01",
            json!({
                "tenant": uid("Intune::Tenant", "c"), "version": 2403,
                "enforceConfigMgrRbac": false, "earlyUpdateRing": false,
            }),
            json!([])
        ),
        entity(
            "Entra::User",
            "u",
            json!({
                "tenant": uid("Intune::Tenant", "c"), "userPrincipalName": "u@c", "cloudOnly": false,
            }),
            json!([
                uid("Entra::Group", "g"),
                uid("Intune::Role", "r"),
                uid("Entra::Group", "g")
            ])
        ),
    ])
}

/// Values that replace valid ones.
fn values() -> Vec<Value> {
    let mut values: Vec<Value> = spellings()
        .into_iter()
        .flat_map(|(_, values)| values)
        .collect();
    values.extend([
        json!(null),
        json!(true),
        json!(0),
        json!(1.0),
        json!(u64::MAX),
        json!(i64::MIN),
        json!("red"),
        json!({}),
        json!([]),
        json!([1, true]),
        json!({"type": "Test::Thing", "id": "t"}),
        json!({"type": "Entra::Group", "id": "g"}),
        json!({"type": "Entra :: Group", "id": "g"}),
        json!({"type": "Test::Color", "id": "blue"}),
        json!({"type": "No::Such", "id": "x"}),
        json!({"type": "Intune::Action", "id": "runScript"}),
        json!({"__extn": {"fn": "datetime", "arg": "yesterday"}}),
        json!({"fn": "nothing", "arg": "1"}),
        json!({"fn": "ip", "args": ["::1", "::1"]}),
        json!({"__extn": {"fn": "unknown", "arg": "x"}}),
        json!({"__expr": "1"}),
        json!("Entra::User"),
        json!("e"),
        json!("Test::Every"),
    ]);
    values
}

const KEYS: [&str; 14] = [
    "uid", "attrs", "parents", "tags", "type", "id", "__entity", "__extn", "fn", "arg", "hub",
    "text", "nobody", "count",
];

/// A change of a file: its kind, the place, and the value and key for it.
type Change = (u8, usize, usize, usize);

fn paths(value: &Value, path: &str, paths: &mut Vec<String>) {
    let mut step = |key: &str, value: &Value| {
        let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
        self::paths(value, &path, paths);
        paths.push(path);
    };
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                step(&index.to_string(), item);
            }
        }
        Value::Object(object) => {
            for (key, value) in object {
                step(key, value);
            }
        }
        _ => {}
    }
}

fn change(file: &mut Value, (kind, place, pick, name): Change) {
    let mut all = Vec::new();
    paths(file, "", &mut all);
    if all.is_empty() {
        return;
    }
    let path = &all[place % all.len()];
    let values = values();
    let value = values[pick % values.len()].clone();
    let name = KEYS[name % KEYS.len()];
    let (above, key) = path.rsplit_once('/').unwrap();
    let copied = file.pointer(&all[pick % all.len()]).unwrap().clone();
    match kind % 8 {
        0 => *file.pointer_mut(path).unwrap() = value,
        1 => *file.pointer_mut(path).unwrap() = copied,
        2 => match file.pointer_mut(above).unwrap() {
            Value::Array(items) => drop(items.remove(key.parse().unwrap())),
            Value::Object(object) => drop(object.remove(key)),
            _ => {}
        },
        3 => {
            if let Value::Object(object) = file.pointer_mut(above).unwrap()
                && let Some(value) = object.remove(key)
            {
                object.insert(name.to_owned(), value);
            }
        }
        4 => match file.pointer_mut(path).unwrap() {
            Value::Array(items) => items.push(value),
            Value::Object(object) => drop(object.insert(name.to_owned(), value)),
            _ => {}
        },
        5 => match file.pointer_mut(path).unwrap() {
            Value::Array(items) => items.push(copied),
            // It becomes a second key of the name when the file is written.
            Value::Object(object) => {
                let key = object.keys().next().map(|key| format!("!{key}"));
                object.extend(key.map(|key| (key, value)));
            }
            _ => {}
        },
        6 => {
            let value = file.pointer_mut(path).unwrap();
            *value = json!({"__entity": value.take()});
        }
        _ => {
            let value = file.pointer_mut(path).unwrap();
            *value = json!({"__extn": value.take()});
        }
    }
}

/// Moves the uid to the front, where most files have it.
fn uid_first(file: &mut Value) {
    for entity in file.as_array_mut().into_iter().flatten() {
        if let Value::Object(object) = entity
            && let Some(uid) = object.remove("uid")
        {
            object.insert("!uid".to_owned(), uid);
        }
    }
}

fn file() -> impl Strategy<Value = String> {
    let choices = prop::collection::vec(any::<u8>(), 11);
    let changes = prop::collection::vec(any::<(u8, usize, usize, usize)>(), 0..4);
    (choices, changes, any::<bool>()).prop_map(|(choices, changes, first)| {
        let mut file = base(&choices);
        for made in changes {
            change(&mut file, made);
        }
        if first {
            uid_first(&mut file);
        }
        serde_json::to_string_pretty(&file)
            .unwrap()
            .replace("\"!", "\"")
    })
}

/// Whether Cedar accepts the file, and whether there are no findings.
fn compare(json: &str, schema: &Schema) -> Result<(bool, bool), TestCaseError> {
    let (directory, findings) = read(json);
    let theirs = match Entities::from_json_str(json, Some(schema)) {
        Ok(theirs) => theirs,
        Err(error) => {
            prop_assert!(!findings.is_empty(), "Cedar refuses: {error:?}\n{json}");
            return Ok((false, false));
        }
    };
    for finding in &findings {
        let stricter = STRICTER.contains(&finding.code)
            || finding.message.contains("has the unknown key")
            || finding.help.as_deref() == Some("write the value; `unknown` stands for none")
            || json.contains("\"unknown\"")
            || json.contains("Intune::Action");
        prop_assert!(stricter, "Cedar accepts: {}\n{json}", lines(&findings));
    }
    if !findings.is_empty() {
        return Ok((true, false));
    }
    let theirs: Vec<&Entity> = theirs
        .iter()
        .filter(|entity| entity.uid().type_name().basename() != "Action")
        .collect();
    // A written directory and an overlay without entities have the same entities too.
    let reopened = reopened(&written(&directory)).unwrap();
    let (changed, findings) = reopened.overlaid(&[], &HashSet::new(), &rules());
    prop_assert_eq!(findings, []);
    for directory in [directory, reopened, changed] {
        prop_assert_eq!(theirs.len(), directory.len());
        for their in &theirs {
            let row = directory.row(&their.uid());
            prop_assert!(row.is_some());
            let our = Entity::from((*directory.entity(row.unwrap())).clone());
            prop_assert!(our.deep_eq(their), "{our:?}\n{their:?}");
        }
    }
    Ok((true, true))
}

#[test]
fn cedar_agrees() {
    let mut counts = [0_u32; 3];
    let counter = std::cell::RefCell::new(&mut counts);
    let mut runner = TestRunner::new(Config::with_cases(CASES));
    let result = runner.run(&file(), |json| {
        let (theirs, ours) = compare(&json, &SCHEMA)?;
        counter.borrow_mut()[usize::from(theirs) + usize::from(ours)] += 1;
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    // If either answer were rare, the test would say little.
    assert!(
        counts[0] > CASES / 10 && counts[2] > CASES / 10,
        "{counts:?}"
    );
}
