//! The arguments of a question by name, out of JSON or out of an address.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tarbac_analysis::change::what_if::Change;
use tarbac_analysis::inquiry::{ContextInquiry, ScopeInquiry};
use tarbac_host::Switches;
use tarbac_host::json::StrictJson;

use crate::clock;
use crate::fault::Fault;

/// The arguments of a question. Each may be given several times, and each has to be one that the question knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Arguments {
    named: BTreeMap<String, Vec<Value>>,
}

/// The suppositions of a question.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Suppositions {
    /// The changes, in the order of the flags.
    pub(crate) changes: Vec<Change>,
    /// The readings.
    pub(crate) switches: Switches,
}

/// The arguments that suppose something, beside the flags of settings.
pub(crate) const SUPPOSED: [&str; 5] = ["set", "grant", "revoke", "reading", "no-reading"];

impl Suppositions {
    /// Whether nothing is supposed.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.switches == Switches::default()
    }
}

impl Arguments {
    /// The members of an object.
    pub(crate) fn of_json(object: Map<String, Value>) -> Self {
        let named = object.into_iter().filter(|(_, value)| !value.is_null());
        let named = named.map(|(name, value)| match value {
            Value::Array(values) => (name, values),
            one => (name, vec![one]),
        });
        Self {
            named: named.collect(),
        }
    }

    /// The pairs of the query of an address, or of a form. An empty one is as none.
    pub(crate) fn of_query(query: &str) -> Self {
        let mut named: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if !value.trim().is_empty() {
                let values = named.entry(name.into_owned()).or_default();
                values.push(Value::String(value.trim().to_owned()));
            }
        }
        Self { named }
    }

    /// The arguments as the query of an address.
    pub(crate) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, values) in &self.named {
            for value in values {
                let text = match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                query.append_pair(name, &text);
            }
        }
        query.finish()
    }

    /// The names of the arguments.
    pub(crate) fn names(&self) -> Vec<String> {
        self.named.keys().cloned().collect()
    }

    /// The texts of an argument, to be shown.
    pub(crate) fn shown(&self, name: &str) -> Vec<String> {
        let values = self.named.get(name).into_iter().flatten();
        values
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect()
    }

    /// The first text of an argument; empty where there is none.
    pub(crate) fn first(&self, name: &str) -> String {
        self.shown(name).into_iter().next().unwrap_or_default()
    }

    /// Whether an argument is given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.named.contains_key(name)
    }

    /// The value that an argument gives one entity, as `off` for `P01` in `P01=off`.
    pub(crate) fn about(&self, name: &str, thing: &str) -> Option<String> {
        let values = self.shown(name).into_iter();
        let mut about = values.filter_map(|value| {
            let (of, value) = value.rsplit_once('=')?;
            (of == thing).then(|| value.to_owned())
        });
        about.next()
    }

    /// The arguments without the value that one of them gives an entity.
    #[must_use]
    pub(crate) fn without_about(&self, name: &str, thing: &str) -> Self {
        let values = self.shown(name);
        let about = values
            .iter()
            .find(|value| value.rsplit_once('=').is_some_and(|(of, _)| of == thing));
        about.map_or_else(|| self.clone(), |value| self.without_value(name, value))
    }

    /// The arguments without one value of one of them.
    #[must_use]
    pub(crate) fn without_value(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        if let Some(values) = changed.named.get_mut(name) {
            values.retain(|known| known.as_str() != Some(value));
            if values.is_empty() {
                changed.named.remove(name);
            }
        }
        changed
    }

    /// Gives an argument another value.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        let values = self.named.entry(name.to_owned()).or_default();
        values.push(Value::String(value.to_owned()));
    }

    /// Only what is supposed: changes and readings.
    #[must_use]
    pub(crate) fn suppositions_only(&self, flags: &[String]) -> Self {
        let is_kept = |name: &String| SUPPOSED.contains(&name.as_str()) || flags.contains(name);
        let named = self.named.iter().filter(|(name, _)| is_kept(name));
        Self {
            named: named
                .map(|(name, values)| (name.clone(), values.clone()))
                .collect(),
        }
    }

    /// The arguments that suppose this.
    pub(crate) fn of_suppositions(supposed: &Suppositions) -> Self {
        let mut arguments = Self::default();
        for change in &supposed.changes {
            match change {
                Change::Flag { flag, value } => arguments.add(flag, value),
                Change::Set(text) => arguments.add("set", text),
                Change::Grant(text) => arguments.add("grant", text),
                Change::Revoke(text) => arguments.add("revoke", text),
            }
        }
        let Switches { on, off } = &supposed.switches;
        on.iter().for_each(|name| arguments.add("reading", name));
        off.iter()
            .for_each(|name| arguments.add("no-reading", name));
        arguments
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// The arguments with this value alone for one of them.
    #[must_use]
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        let values = vec![Value::String(value.to_owned())];
        changed.named.insert(name.to_owned(), values);
        changed
    }

    /// The arguments without one of them.
    #[must_use]
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut changed = self.clone();
        changed.named.remove(name);
        changed
    }

    /// The only text of this name.
    ///
    /// # Errors
    /// There are several, or it is something else.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        let mut texts = self.texts(name)?;
        match (texts.pop(), texts.is_empty()) {
            (found, true) => Ok(found),
            (_, false) => Err(wrong(name, "is given several times")),
        }
    }

    /// The only text of this name, which has to be there.
    ///
    /// # Errors
    /// It is not, or there are several.
    pub(crate) fn need(&mut self, name: &str) -> Result<String, Fault> {
        self.text(name)?.ok_or_else(|| wrong(name, "is missing"))
    }

    /// The texts of this name.
    ///
    /// # Errors
    /// One of them is no text.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>, Fault> {
        let values = self.named.remove(name).unwrap_or_default();
        let texts = values.into_iter().map(|value| match value {
            Value::String(text) => Ok(text),
            Value::Bool(true) => Ok("on".to_owned()),
            Value::Bool(false) => Ok("off".to_owned()),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(wrong(name, "is no text")),
        });
        texts.collect()
    }

    /// Whether the flag of this name is on.
    ///
    /// # Errors
    /// The text is neither on nor off.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Fault> {
        match self.text(name)?.as_deref() {
            None | Some("off" | "false" | "0") => Ok(false),
            Some("on" | "true" | "1") => Ok(true),
            Some(_) => Err(wrong(name, "is neither true nor false")),
        }
    }

    /// The number of this name.
    ///
    /// # Errors
    /// The text is no number.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<usize>, Fault> {
        let text = self.text(name)?;
        let number = text.map(|text| text.parse().map_err(|_| wrong(name, "is no number")));
        number.transpose()
    }

    /// The limits of a comparison.
    ///
    /// # Errors
    /// One of them is no text.
    pub(crate) fn scope(&mut self) -> Result<ScopeInquiry, Fault> {
        Ok(ScopeInquiry {
            principals: self.texts("principal")?,
            actions: self.texts("action")?,
            resources: self.texts("resource")?,
        })
    }

    /// The context.
    ///
    /// # Errors
    /// The text is no JSON.
    pub(crate) fn context(&mut self) -> Result<ContextInquiry, Fault> {
        let mut values = self.named.remove("context").unwrap_or_default();
        let context = match (values.pop(), values.is_empty()) {
            (None, _) => None,
            (Some(Value::String(text)), true) => {
                let read: Result<StrictJson, _> = serde_json::from_str(&text);
                let read = read.map_err(|_| wrong("context", "is no JSON"))?;
                Some(read.0)
            }
            (Some(object), true) => Some(object),
            (Some(_), false) => return Err(wrong("context", "is given several times")),
        };
        Ok(ContextInquiry {
            context,
            now: self.text("now")?,
            asked_at: Some(clock::datetime()),
        })
    }

    /// The suppositions: the flags of settings, `set`, `grant`, `revoke`, `reading` and `no-reading`; and `changes` and
    /// `readings`, which have the same in a list and in an object.
    ///
    /// # Errors
    /// One of them is not as it has to be.
    pub(crate) fn suppositions(&mut self, flags: &[String]) -> Result<Suppositions, Fault> {
        let mut changes = Vec::new();
        for flag in flags {
            let values = self.texts(flag)?.into_iter();
            changes.extend(values.map(|value| Change::Flag {
                flag: flag.clone(),
                value,
            }));
        }
        changes.extend(self.texts("set")?.into_iter().map(Change::Set));
        changes.extend(self.texts("grant")?.into_iter().map(Change::Grant));
        changes.extend(self.texts("revoke")?.into_iter().map(Change::Revoke));
        for listed in self.named.remove("changes").unwrap_or_default() {
            changes.push(change(&listed, flags)?);
        }
        let mut switches = Switches {
            on: self.texts("reading")?,
            off: self.texts("no-reading")?,
        };
        for readings in self.named.remove("readings").unwrap_or_default() {
            let object = readings.as_object();
            let object = object.ok_or_else(|| wrong("readings", "is no object"))?;
            for (name, is_on) in object {
                match is_on {
                    Value::Bool(true) => switches.on.push(name.clone()),
                    Value::Bool(false) => switches.off.push(name.clone()),
                    _ => return Err(wrong("readings", "has neither true nor false for each")),
                }
            }
        }
        if let Some(both) = switches.on.iter().find(|name| switches.off.contains(name)) {
            return Err(Fault::bad_request(format!(
                "the reading `{both}` is switched on and off"
            )));
        }
        Ok(Suppositions { changes, switches })
    }

    /// Refuses what the question does not know: a change that is misspelt would be none.
    ///
    /// # Errors
    /// Something is left.
    pub(crate) fn finish(self) -> Result<(), Fault> {
        match self.named.keys().next() {
            None => Ok(()),
            Some(name) => Err(wrong(name, "is no argument here")),
        }
    }
}

/// A change as an object with `flag` and `value`.
fn change(listed: &Value, flags: &[String]) -> Result<Change, Fault> {
    let text = |key: &str| match listed.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Bool(is_on)) => Ok(if *is_on { "on" } else { "off" }.to_owned()),
        _ => Err(wrong("changes", "has a `flag` and a `value` for each")),
    };
    let (flag, value) = (text("flag")?, text("value")?);
    match flag.as_str() {
        "set" => Ok(Change::Set(value)),
        "grant" => Ok(Change::Grant(value)),
        "revoke" => Ok(Change::Revoke(value)),
        _ if flags.contains(&flag) => Ok(Change::Flag { flag, value }),
        _ => Err(Fault::bad_request(format!("there is no change `{flag}`"))),
    }
}

/// The fault that something is wrong with an argument.
fn wrong(name: &str, what: &str) -> Fault {
    Fault::bad_request(format!("`{name}` {what}"))
}

#[cfg(test)]
mod tests {
    use super::Arguments;

    #[test]
    fn a_query_comes_back() {
        let arguments = Arguments::of_query("grant=ada%3DHelp+Desk&grant=x&empty=&flag=on");
        assert_eq!(arguments.query(), "flag=on&grant=ada%3DHelp+Desk&grant=x");
    }

    #[test]
    fn what_is_unknown_is_refused() {
        let mut arguments = Arguments::of_query("reading=a&chagne=b");
        assert!(arguments.suppositions(&[]).is_ok());
        assert!(arguments.finish().is_err());
    }
}
