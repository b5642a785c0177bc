//! The settings that a change can give another value, in the words of the schema.

use cedar_policy::EntityTypeName;
use cedar_policy_core::ast;

use super::FLAG;
use super::facts::entities_of;
use crate::explain::{Labels, Named, Value};
use tarbac_host::bundle::{Attribute, Kind};
use tarbac_host::engine::Engine;

/// The most entities that a setting is listed for.
const LISTED: usize = 200;

/// A setting of one entity.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantSetting {
    /// The flag that sets it, for example `use-intune-rbac`.
    pub flag: String,
    /// The entity that has it.
    pub entity: Named,
    /// Its value now; `None` where it is absent.
    pub value: Option<Value>,
    /// Its `@doc`.
    pub doc: String,
    /// What the setting says of the entity.
    pub says: SettingWords,
}

/// What a setting says of its entity, in the words of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingWords {
    /// It is on or off: the sentence of each.
    Switch {
        /// That of true.
        on: String,
        /// That of false.
        off: String,
    },
    /// It has a value: the sentence up to it.
    Value(String),
}

/// The settings of all entities, in the order of the schema: attributes with `@flag`.
pub fn settings_now(engine: &Engine) -> Vec<TenantSetting> {
    let vocabulary = engine.bundle().vocabulary();
    let mut settings = Vec::new();
    for type_name in vocabulary.type_names() {
        let Ok(of_type) = type_name.parse::<EntityTypeName>() else {
            continue;
        };
        for (name, attribute) in vocabulary.attributes(type_name).into_iter().flatten() {
            if let Some(flag) = attribute.annotations.get(FLAG) {
                settings.extend(of_all(engine, &of_type, (name, attribute), flag));
            }
        }
    }
    settings
}

fn of_all(
    engine: &Engine,
    of_type: &EntityTypeName,
    (name, attribute): (&str, &Attribute),
    flag: &str,
) -> Vec<TenantSetting> {
    let names = Labels::new(engine);
    let directory = engine.directory();
    let said = |key: &str| attribute.annotations.get(key).map(String::as_str);
    let entities = entities_of(engine, of_type).into_iter().take(LISTED);
    let settings = entities.filter_map(|uid| {
        let entity = names.named(&uid);
        let row = directory.row(&uid)?;
        let value = match directory.entity(row).get(name) {
            Some(ast::PartialValue::Value(value)) => Some(names.value(value)),
            Some(ast::PartialValue::Residual(_)) | None => {
                let absent = said("absent").map(|text| text == "true");
                absent.map(Value::Bool)
            }
        };
        let of_entity = |text: &str| text.replace("{entity}", &entity.name);
        let otherwise = |what: &str| format!("{name} of {} is {what}", entity.name);
        let says = match attribute.kind {
            Kind::Bool => SettingWords::Switch {
                on: said("told").map_or_else(|| otherwise("true"), of_entity),
                off: said("told_not").map_or_else(|| otherwise("false"), of_entity),
            },
            _ => {
                let told = said("told").map_or_else(|| otherwise("{value}"), of_entity);
                let before = told.split_once("{value}");
                SettingWords::Value(
                    before
                        .map_or(told.as_str(), |(before, _)| before)
                        .trim()
                        .to_owned(),
                )
            }
        };
        Some(TenantSetting {
            flag: flag.to_owned(),
            doc: said("doc").unwrap_or_default().to_owned(),
            entity,
            value,
            says,
        })
    });
    settings.collect()
}

/// The flags of all settings, as [`Change::Flag`](super::Change::Flag) takes them.
pub fn flags(engine: &Engine) -> Vec<String> {
    let vocabulary = engine.bundle().vocabulary();
    let attributes = vocabulary.type_names();
    let attributes = attributes.flat_map(|of| vocabulary.attributes(of).into_iter().flatten());
    let flags = attributes.filter_map(|(_, attribute)| attribute.annotations.get(FLAG).cloned());
    flags.collect()
}
