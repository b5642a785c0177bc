//! Readings: interpretations of unclear places in the documents, switched by name.

use std::collections::BTreeMap;

use super::policy::Policy;
use super::vocabulary::Vocabulary;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;

/// An interpretation of an unclear place in the documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The name.
    pub name: String,
    /// Whether the reading is on by default.
    pub default: bool,
    /// The effect of the reading if it is on, in one sentence.
    pub doc: String,
    /// The document that the reading comes from.
    pub source: String,
}

/// Readings that are switched on and off by name; all others have their default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Switches {
    /// Readings to switch on.
    pub on: Vec<String>,
    /// Readings to switch off.
    pub off: Vec<String>,
}

/// A name that is not a reading of the policies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{name}` is not a reading of these policies")]
#[diagnostic(code(reading::unknown), help("{}{}", help_of_setting(setting.as_deref()), listed(known)))]
pub struct UnknownReading {
    /// The name as given.
    pub name: String,
    /// The names of all readings.
    pub known: Vec<String>,
    /// The flag of `what-if` for a setting with that name, if there is one.
    pub setting: Option<String>,
}

impl UnknownReading {
    /// The error, with the setting of the schema that has this name, for example `scoped-permissions`.
    pub(crate) fn among_settings(self, vocabulary: &Vocabulary) -> Self {
        let letters = |name: &str| {
            let letters = name.chars().filter(|letter| letter.is_alphanumeric());
            letters.collect::<String>().to_lowercase()
        };
        let meant = letters(&self.name);
        let mut attributes = vocabulary
            .type_names()
            .flat_map(|name| vocabulary.attributes(name).into_iter().flatten());
        let setting = attributes.find_map(|(name, attribute)| {
            let flag = attribute.annotations.get("flag")?;
            let is_meant = [letters(name), letters(flag)].contains(&meant);
            is_meant.then(|| flag.clone())
        });
        Self { setting, ..self }
    }
}

fn listed(known: &[String]) -> String {
    match known {
        [] => "there are none, and every policy is in force".to_owned(),
        known => format!("the readings are: {}", known.join(", ")),
    }
}

fn help_of_setting(setting: Option<&str>) -> String {
    setting.map_or_else(String::new, |flag| {
        format!("it is a setting, and --{flag} says how it is to be supposed; ")
    })
}

impl Switches {
    /// The names of the readings that are on, sorted.
    ///
    /// # Errors
    /// A switched name is not a reading, or is switched both ways.
    pub fn on_among(&self, readings: &[Reading]) -> Result<Vec<String>, UnknownReading> {
        for name in self.on.iter().chain(&self.off) {
            let is_known = readings.iter().any(|reading| &reading.name == name);
            if !is_known || (self.on.contains(name) && self.off.contains(name)) {
                return Err(UnknownReading {
                    name: name.clone(),
                    known: readings
                        .iter()
                        .map(|reading| reading.name.clone())
                        .collect(),
                    setting: None,
                });
            }
        }
        Ok(readings
            .iter()
            .filter(|reading| {
                self.on.contains(&reading.name)
                    || (reading.default && !self.off.contains(&reading.name))
            })
            .map(|reading| reading.name.clone())
            .collect())
    }
}

/// The readings of these policies. One policy of each describes it, with `@default`.
pub(super) fn collect(policies: &[Policy]) -> (Vec<Reading>, Vec<Finding>) {
    let mut described: BTreeMap<&str, Vec<&Policy>> = BTreeMap::new();
    let mut findings = Vec::new();
    for policy in policies {
        let Some((name, _)) = policy.reading() else {
            for key in ["default", "holds"] {
                if policy.annotation(key).is_some() {
                    findings.push(wrong(policy, format!("`@{key}` without `@reading`")));
                }
            }
            continue;
        };
        let describing = described.entry(name).or_default();
        if !matches!(policy.annotation("holds"), Some("on" | "off")) {
            findings.push(wrong(
                policy,
                "`@holds` is neither \"on\" nor \"off\"".to_owned(),
            ));
        }
        match policy.annotation("default") {
            None => {}
            Some("on" | "off") => describing.push(policy),
            Some(_) => findings.push(wrong(
                policy,
                "`@default` is neither \"on\" nor \"off\"".to_owned(),
            )),
        }
    }
    let mut readings = Vec::new();
    for (name, describing) in described {
        match describing.as_slice() {
            [policy] => readings.push(Reading {
                name: name.to_owned(),
                default: policy.annotation("default") == Some("on"),
                doc: policy.doc().unwrap_or_default().to_owned(),
                source: policy.source().unwrap_or_default().to_owned(),
            }),
            several => {
                let message = format!(
                    "the reading `{name}` is described by {} policies with `@default`, not by one",
                    several.len()
                );
                let mut finding = Finding::error(code::policy::READING, message)
                    .help("let exactly one policy of a reading carry `@default(\"on\")` or `@default(\"off\")`");
                for policy in policies
                    .iter()
                    .filter(|policy| policy.reading().is_some_and(|(of, _)| of == name))
                {
                    finding = finding.label(policy.place().clone(), "belongs to the reading");
                }
                findings.push(finding);
            }
        }
    }
    (readings, findings)
}

fn wrong(policy: &Policy, message: String) -> Finding {
    Finding::error(code::policy::READING, message).label(policy.place().clone(), "this policy")
}
