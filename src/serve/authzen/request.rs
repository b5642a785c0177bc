//! The parts of a request, taken out of its JSON.
//!
//! A message about a wrong member begins with its JSON pointer (RFC 6901). Unknown members are ignored, and `null`
//! counts as absent, but for a part of an item: what the asker does not know is not what the batch says for all.

use std::fmt;

use serde_json::{Map, Value};

use crate::fault::Fault;

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// The subject or the resource of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AskedEntity {
    /// The type as the request spells it.
    pub(crate) type_name: String,
    /// The id or alias.
    pub(crate) id: String,
    /// The member `properties`.
    pub(crate) properties: Option<Object>,
}

/// The action of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AskedAction {
    /// The name as the request spells it.
    pub(crate) name: String,
    /// The member `properties`.
    pub(crate) properties: Option<Object>,
}

/// A request for one decision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DecisionRequest {
    pub(crate) subject: AskedEntity,
    pub(crate) action: AskedAction,
    pub(crate) resource: AskedEntity,
    pub(crate) context: Option<Object>,
}

/// The parts of a request before they are checked: each absent, or an object.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    subject: Option<Object>,
    action: Option<Object>,
    resource: Option<Object>,
    context: Option<Object>,
}

/// A search request without its page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SearchParts {
    /// The type that is searched, as the request spells it; empty for actions.
    pub(crate) searched: String,
    pub(crate) subject: Option<AskedEntity>,
    pub(crate) action: Option<AskedAction>,
    pub(crate) resource: Option<AskedEntity>,
    pub(crate) context: Option<Object>,
}

/// The explanation that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Explain {
    /// None.
    No,
    /// The answer of `check`.
    Yes,
    /// The answer of `check`, and the document of `explain`.
    Full,
}

/// A place in a request as a JSON pointer, which is written only where something is wrong there.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'p> {
    /// The item of a batch.
    item: Option<usize>,
    /// The part.
    part: &'p str,
}

impl At<'static> {
    /// The request itself.
    pub(super) const REQUEST: Self = Self {
        item: None,
        part: "",
    };

    /// An item of a batch.
    pub(super) fn item(number: usize) -> Self {
        Self {
            item: Some(number),
            part: "",
        }
    }

    /// A part that stands here.
    fn part(self, part: &str) -> At<'_> {
        At { part, ..self }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(item) = self.item {
            write!(formatter, "/evaluations/{item}")?;
        }
        match self.part {
            "" => Ok(()),
            part => write!(formatter, "/{part}"),
        }
    }
}

/// Removes a member of an object. `null` counts as absent.
pub(super) fn member(object: &mut Object, key: &str) -> Option<Value> {
    object.remove(key).filter(|value| !value.is_null())
}

/// Removes an optional member that has to be an object.
pub(super) fn object_in(
    object: &mut Object,
    at: impl fmt::Display,
    key: &str,
) -> Result<Option<Object>, Fault> {
    match member(object, key) {
        None => Ok(None),
        Some(Value::Object(found)) => Ok(Some(found)),
        Some(_) => Err(wrong(at, key, "is not an object")),
    }
}

/// Removes a required member that has to be a string and not empty.
fn text_in(object: &mut Object, at: At<'_>, key: &str) -> Result<String, Fault> {
    match member(object, key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(Value::String(_)) => Err(wrong(at, key, "is empty")),
        Some(_) => Err(wrong(at, key, "is not a string")),
        None => Err(wrong(at, key, "is missing")),
    }
}

/// The fault of a wrong member, for example `/action/name is missing`.
pub(super) fn wrong(at: impl fmt::Display, key: &str, what: &str) -> Fault {
    Fault::bad_request(format!("{at}/{key} {what}"))
}

impl Parts {
    /// Takes the parts out of the object at a JSON pointer.
    ///
    /// # Errors
    /// A part has the wrong JSON type.
    pub(super) fn take(object: &mut Object, at: At<'static>) -> Result<Self, Fault> {
        Ok(Self {
            subject: object_in(object, at, "subject")?,
            action: object_in(object, at, "action")?,
            resource: object_in(object, at, "resource")?,
            context: object_in(object, at, "context")?,
        })
    }

    /// Takes the parts out of an item of a batch, which leaves out what the batch says for all.
    ///
    /// # Errors
    /// A part is `null` or has the wrong JSON type.
    pub(super) fn of_item(object: &mut Object, at: At<'static>) -> Result<Self, Fault> {
        let parts = ["subject", "action", "resource", "context"];
        match parts
            .into_iter()
            .find(|part| object.get(*part) == Some(&Value::Null))
        {
            Some(part) => Err(wrong(at, part, "is null")),
            None => Self::take(object, at),
        }
    }

    /// Refuses members of the wrong JSON type, even if no item uses them. A missing member is no fault yet.
    pub(super) fn check(&self, at: At<'static>) -> Result<(), Fault> {
        let texts = [
            ("subject", &self.subject, ["type", "id"].as_slice()),
            ("action", &self.action, &["name"]),
            ("resource", &self.resource, &["type", "id"]),
        ];
        for (part, object, keys) in texts {
            let Some(object) = object else { continue };
            let at = at.part(part);
            for key in keys {
                match object.get(*key) {
                    None | Some(Value::Null | Value::String(_)) => {}
                    Some(_) => return Err(wrong(at, key, "is not a string")),
                }
            }
            match object.get("properties") {
                None | Some(Value::Null | Value::Object(_)) => {}
                Some(_) => return Err(wrong(at, "properties", "is not an object")),
            }
        }
        Ok(())
    }

    /// These parts, with each missing one taken from `defaults` as a whole: members are not merged.
    pub(super) fn or(self, defaults: &Self) -> Self {
        Self {
            subject: self.subject.or_else(|| defaults.subject.clone()),
            action: self.action.or_else(|| defaults.action.clone()),
            resource: self.resource.or_else(|| defaults.resource.clone()),
            context: self.context.or_else(|| defaults.context.clone()),
        }
    }

    /// The request with these parts.
    ///
    /// # Errors
    /// A part or a member is missing or has the wrong JSON type.
    pub(super) fn asked(self, at: At<'static>) -> Result<DecisionRequest, Fault> {
        Ok(DecisionRequest {
            subject: entity(self.subject, at, "subject")?,
            action: action(self.action, at)?,
            resource: entity(self.resource, at, "resource")?,
            context: self.context,
        })
    }
}

impl SearchParts {
    /// A search for subjects. Only the type of the subject is read.
    pub(super) fn of_subjects(object: &mut Object) -> Result<Self, Fault> {
        Ok(Self {
            searched: searched(object, "subject")?,
            subject: None,
            action: Some(action(object_in(object, "", "action")?, At::REQUEST)?),
            resource: Some(entity(
                object_in(object, "", "resource")?,
                At::REQUEST,
                "resource",
            )?),
            context: object_in(object, "", "context")?,
        })
    }

    /// A search for resources. Only the type of the resource is read.
    pub(super) fn of_resources(object: &mut Object) -> Result<Self, Fault> {
        Ok(Self {
            searched: searched(object, "resource")?,
            subject: Some(entity(
                object_in(object, "", "subject")?,
                At::REQUEST,
                "subject",
            )?),
            action: Some(action(object_in(object, "", "action")?, At::REQUEST)?),
            resource: None,
            context: object_in(object, "", "context")?,
        })
    }

    /// A search for actions. An action in the request is ignored.
    pub(super) fn of_actions(object: &mut Object) -> Result<Self, Fault> {
        Ok(Self {
            searched: String::new(),
            subject: Some(entity(
                object_in(object, "", "subject")?,
                At::REQUEST,
                "subject",
            )?),
            action: None,
            resource: Some(entity(
                object_in(object, "", "resource")?,
                At::REQUEST,
                "resource",
            )?),
            context: object_in(object, "", "context")?,
        })
    }
}

/// The type of the entities to find.
fn searched(object: &mut Object, key: &str) -> Result<String, Fault> {
    let part = object_in(object, "", key)?;
    let mut part = part.ok_or_else(|| wrong("", key, "is missing"))?;
    text_in(&mut part, At::REQUEST.part(key), "type")
}

fn entity(object: Option<Object>, at: At<'static>, key: &str) -> Result<AskedEntity, Fault> {
    let mut object = object.ok_or_else(|| wrong(at, key, "is missing"))?;
    let at = at.part(key);
    Ok(AskedEntity {
        type_name: text_in(&mut object, at, "type")?,
        id: text_in(&mut object, at, "id")?,
        properties: object_in(&mut object, at, "properties")?,
    })
}

fn action(object: Option<Object>, at: At<'static>) -> Result<AskedAction, Fault> {
    let mut object = object.ok_or_else(|| wrong(at, "action", "is missing"))?;
    let at = at.part("action");
    Ok(AskedAction {
        name: text_in(&mut object, at, "name")?,
        properties: object_in(&mut object, at, "properties")?,
    })
}

/// The explanation that the options ask for. Other options are ignored.
pub(super) fn explain(options: &Object) -> Result<Explain, Fault> {
    match options.get("explain") {
        None | Some(Value::Null | Value::Bool(false)) => Ok(Explain::No),
        Some(Value::Bool(true)) => Ok(Explain::Yes),
        Some(Value::String(how)) if how == "full" => Ok(Explain::Full),
        Some(_) => Err(wrong(
            "/options",
            "explain",
            "is neither true, false nor \"full\"",
        )),
    }
}
