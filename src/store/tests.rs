//! Tests on literals, and on agreement with Cedar's own reader.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod accepted;
mod agreement;
mod copies;
mod findings;
mod tables;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use cedar_policy::{EntityId, EntityTypeName, EntityUid, Schema, SchemaFragment};
use cedar_policy_core::jsonvalue::JsonValueWithNoDuplicateKeys;
use serde_json::{Map, Value};

use super::{Content, Directory, EntityRules, GivenEntity, Input, Row, SharedBytes};
use crate::read::refusal::KEPT;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Source, Text};

/// A type with everything that the shipped schema has no example of.
const MORE: &str = r#"
namespace Test {
  type Inner = { hub: Thing, others?: Set<Thing>, at?: datetime };
  entity Color enum ["red", "dark green"];
  entity Thing;
  entity Every in [Every, Color] = {
    color?: Color,
    inner?: Inner,
    price?: decimal,
    address?: ipaddr,
    at?: datetime,
    lasts?: duration,
    flags?: Set<Bool>,
    inners?: Set<Inner>,
    count?: Long,
    yes?: Bool,
    text?: String,
  } tags Set<Long>;
}
"#;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let texts = [
        include_str!("../../schema/configmgr.cedarschema"),
        include_str!("../../schema/entra.cedarschema"),
        include_str!("../../schema/intune.cedarschema"),
        include_str!("../../schema/tarbac.cedarschema"),
        MORE,
    ];
    let fragments = texts.map(|text| SchemaFragment::from_cedarschema_str(text).unwrap().0);
    Schema::from_schema_fragments(fragments).unwrap()
});

fn input(name: &str, bytes: &[u8]) -> Input {
    let source = Arc::new(Source {
        name: name.to_owned(),
        text: Text::OnDisk(PathBuf::from(name)),
    });
    Input {
        source,
        reader: Box::new(std::io::Cursor::new(bytes.to_vec())),
    }
}

/// The rules for this schema.
fn rules() -> EntityRules {
    let required = BTreeMap::from([(
        "Intune::RoleAssignment".to_owned(),
        vec!["Intune::Role".to_owned(), "Intune::Tenant".to_owned()],
    )]);
    let names = BTreeMap::from([("ConfigMgr::Device".to_owned(), vec!["name".to_owned()])]);
    let in_place = BTreeMap::from([(
        "Intune::RoleAssignment".to_owned(),
        vec![("narrowedRole".to_owned(), "Intune::Role".to_owned())],
    )]);
    EntityRules {
        required,
        in_place,
        names,
        ..EntityRules::default()
    }
}

fn read_files(files: &[(&str, &[u8])], named: &[&str]) -> (Directory, Vec<Finding>) {
    let inputs = files.iter().map(|(name, bytes)| input(name, bytes));
    let named: HashSet<EntityUid> = named.iter().map(|uid| uid.parse().unwrap()).collect();
    Directory::read(inputs.collect(), &SCHEMA, &named, &rules())
}

/// The name that directories are written under.
const NAME: &str = "entities-1";

/// The bytes of a written directory, and the result of computing them again.
struct Kept {
    bytes: Vec<u8>,
    anew: Option<Vec<u8>>,
}

impl SharedBytes for Kept {
    fn size(&self) -> io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let part = self.bytes.get(offset as usize..).unwrap_or_default();
        io::Cursor::new(part).read_exact(bytes)
    }

    fn anew(&self) -> Option<Vec<u8>> {
        self.anew.clone()
    }
}

/// The bytes of a written directory.
fn written(directory: &Directory) -> Vec<u8> {
    let mut bytes = Vec::new();
    directory.write(&mut bytes, NAME).unwrap();
    bytes
}

/// The directory in these bytes.
fn reopened(bytes: &[u8]) -> Option<Directory> {
    reopened_or(bytes, None)
}

/// The directory in these bytes, with the result of computing them again.
fn reopened_or(bytes: &[u8], anew: Option<&[u8]>) -> Option<Directory> {
    let kept = Kept {
        bytes: bytes.to_vec(),
        anew: anew.map(<[u8]>::to_vec),
    };
    let content = Content {
        size: 0,
        hash: blake3::hash(b""),
    };
    let files = vec![(input("a.json", b"").source, content)];
    Directory::from_bytes(Arc::new(kept), NAME, files, &SCHEMA, &rules())
}

/// Reads a file; its entities pass the same checks if they are given.
fn read(json: &str) -> (Directory, Vec<Finding>) {
    let read = read_files(&[("a.json", json.as_bytes())], &[]);
    if let Some((directory, findings)) = read_given(json) {
        assert_eq!(
            findings.is_empty(),
            read.1.is_empty(),
            "{json}\n{findings:?}"
        );
        assert_eq!(directory.len(), read.0.len(), "{json}");
        for row in directory.rows().filter(|_| findings.is_empty()) {
            let of_file = read.0.row(&directory.uid(row)).unwrap();
            assert!(
                directory.entity(row).deep_eq(&read.0.entity(of_file)),
                "{json}"
            );
        }
    }
    read
}

/// Reads the entities of a file as given ones.
fn read_given(json: &str) -> Option<(Directory, Vec<Finding>)> {
    let entities = given(json)?;
    Some(Directory::given(
        &entities,
        &SCHEMA,
        &HashSet::new(),
        &rules(),
    ))
}

/// The entities of a file, if they can be given at all.
fn given(json: &str) -> Option<Vec<GivenEntity>> {
    let uid = |json: &Value| {
        let json = match json.get("__entity") {
            Some(entity) if json.as_object()?.len() == 1 => entity,
            _ => json,
        };
        let is_plain = json.as_object()?.len() == 2;
        let type_name: EntityTypeName = json.get("type")?.as_str()?.parse().ok()?;
        let id = EntityId::new(json.get("id")?.as_str()?);
        is_plain.then(|| EntityUid::from_type_name_and_id(type_name, id))
    };
    let entity = |json: &Value| {
        let tags = json.get("tags");
        let keys = 3 + usize::from(tags.is_some());
        let parents = json.get("parents")?.as_array()?.iter().map(uid);
        let entity = GivenEntity {
            uid: uid(json.get("uid")?)?,
            attributes: json.get("attrs")?.as_object()?.clone(),
            tags: tags.map_or(Some(Map::new()), |tags| tags.as_object().cloned())?,
            parents: parents.collect::<Option<_>>()?,
        };
        // An action may stand in a file.
        let is_plain =
            json.as_object()?.len() == keys && entity.uid.type_name().basename() != "Action";
        is_plain.then_some(entity)
    };
    // An object in a text may have a key twice.
    let json: JsonValueWithNoDuplicateKeys = serde_json::from_str(json).ok()?;
    json.as_array()?.iter().map(entity).collect()
}

/// Reads a file without errors.
fn good(json: &str) -> Directory {
    let (directory, findings) = read(json);
    assert_eq!(findings, []);
    directory
}

/// The findings about a file as lines: code, offset of each label, message, help.
fn wrong(json: &str) -> String {
    let findings = read(json).1;
    if let Some((_, given)) = read_given(json).filter(|_| findings.len() < KEPT) {
        // A given entity has no place.
        let without_places = |findings: &[Finding]| -> BTreeSet<String> {
            let findings = findings.iter().map(|finding| Finding {
                labels: Vec::new(),
                ..finding.clone()
            });
            findings.map(|finding| lines(&[finding])).collect()
        };
        assert_eq!(without_places(&findings), without_places(&given), "{json}");
    }
    lines(&findings)
}

fn lines(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let labels = finding.labels.iter().map(|label| {
            let place = &label.place;
            format!("{}:{}", place.source.name, place.start)
        });
        let labels: Vec<String> = labels.collect();
        let help = finding.help.as_deref().unwrap_or("-");
        format!(
            "{} [{}] {} ({help})",
            finding.code,
            labels.join(", "),
            finding.message
        )
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn row(directory: &Directory, uid: &str) -> Row {
    directory.row(&uid.parse().unwrap()).unwrap()
}

fn names(directory: &Directory, rows: impl IntoIterator<Item = Row>) -> Vec<String> {
    rows.into_iter()
        .map(|row| directory.uid(row).to_string())
        .collect()
}
