//! The format of `tenant.json`: settings and attached hierarchies, declared by hand.

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::lenient::stated;

/// A declared tenant.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tenant {
    /// The name of the tenant, which is the id of its entity.
    #[serde(deserialize_with = "not_empty")]
    pub name: String,
    /// The toggle Use Intune RBAC; `None` if it is exported from Graph.
    #[serde(default)]
    pub use_intune_rbac: Option<bool>,
    /// The time of the last change of the toggle, in Cedar's format.
    #[serde(default, deserialize_with = "moment")]
    pub use_intune_rbac_changed_at: Option<String>,
    /// Whether the tenant allows access to unlicensed administrators.
    pub allows_unlicensed_administrators: bool,
    /// Whether the tenant has opted in to Scoped permissions.
    #[serde(default, deserialize_with = "stated")]
    pub scoped_permissions: Option<bool>,
    /// The hierarchies that are attached to it.
    #[serde(default)]
    pub hierarchies: Vec<Hierarchy>,
}

/// A declared hierarchy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hierarchy {
    /// The site code of the top site, three letters or digits; also the id of the entity.
    #[serde(deserialize_with = "site_code")]
    pub site_code: String,
    /// The version as year and month: 2403; `None` to take it from the export of the site.
    #[serde(default, deserialize_with = "version")]
    pub version: Option<u32>,
    /// The checkbox Enforce Configuration Manager RBAC.
    pub enforce_config_mgr_rbac: bool,
    /// Whether the version came from the early update ring.
    pub early_update_ring: bool,
    /// The id or name of the collection to which the upload of devices is limited, including its child collections;
    /// `None` if all devices are uploaded.
    #[serde(default, deserialize_with = "optional_name")]
    pub upload_collection: Option<String>,
}

fn not_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.trim() {
        "" => Err(D::Error::custom("a name is expected, and it is empty")),
        text => Ok(text.to_owned()),
    }
}

fn optional_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    match text.as_deref().map(str::trim).unwrap_or_default() {
        "" => Err(D::Error::custom(
            "a name is expected, and it is empty; leave it out where all devices are uploaded",
        )),
        text => Ok(Some(text.to_owned())),
    }
}

fn site_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let code = not_empty(deserializer)?;
    match code.len() == 3
        && code
            .chars()
            .all(|character| character.is_ascii_alphanumeric())
    {
        true => Ok(code),
        false => Err(D::Error::custom(format!(
            "`{code}` is no site code; the console shows it, three letters or digits, beside the name of the site"
        ))),
    }
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let moment = DateTime::parse_from_rfc3339(&text).ok();
    let moment = moment.map(|moment| moment.with_timezone(&Utc));
    // Cedar has no leap seconds, and four digits for the year.
    let is_cedar = |moment: &DateTime<Utc>| {
        (1970..=9999).contains(&moment.year()) && moment.timestamp_subsec_millis() < 1000
    };
    let moment = moment.filter(is_cedar).ok_or_else(|| {
        D::Error::custom(format!(
            "`{text}` is no moment since 1970; write it as 2026-11-23T08:00:00Z"
        ))
    })?;
    let format = match moment.timestamp_subsec_millis() {
        0 => SecondsFormat::Secs,
        _ => SecondsFormat::Millis,
    };
    Ok(Some(moment.to_rfc3339_opts(format, true)))
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    deserializer.deserialize_any(Version).map(Some)
}

struct Version;

impl Visitor<'_> for Version {
    type Value = u32;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(
            "a version as year and month, as 2403 (the console names it beside 5.00.9128.1000)",
        )
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<u32, E> {
        /// The last version below the numbers of builds, as 7711 or 9012, which can pass for a year and a month.
        const BEFORE_BUILDS: u32 = 6912;
        match u32::try_from(number) {
            Ok(version)
                if (1000..=BEFORE_BUILDS).contains(&version)
                    && (1..=12).contains(&(version % 100)) =>
            {
                Ok(version)
            }
            _ => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<u32, E> {
        match text.trim().parse() {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}
