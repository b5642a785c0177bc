//! The request of a record, resolved in the present workspace.

use cedar_policy::{Context, EntityTypeName, EntityUid};
use serde_json::Value;
use tarbac_host::Request;
use tarbac_host::bundle::Action;
use tarbac_host::engine::{SetAttribute, entities_of};
use tarbac_host::lookup::exact;

use super::Replayer;
use crate::decision_log::{JsonObject, LogRecord, LoggedEntity};

/// The context key that the server fills from its clock if the request does not.
const NOW: &str = "now";

impl Replayer<'_> {
    /// The request, with the attributes that it sets; `None` if a name in it is unknown.
    pub(super) fn request(&self, record: &LogRecord) -> Option<(Request, Vec<SetAttribute>)> {
        let action = self.action(record)?;
        let principal = self.entity(record.subject.as_ref())?;
        let resource = self.entity(record.resource.as_ref())?;
        if !applies(action, principal.type_name(), resource.type_name()) {
            return None;
        }
        let set = self.set(record, Some(&principal), Some(&resource));
        let request = Request {
            context: self.context(record, action)?,
            action: action.uid.clone(),
            principal,
            resource,
        };
        Some((request, set))
    }

    /// The entity in a record; `None` if it is unknown, or only the type of a search.
    pub(super) fn entity(&self, logged: Option<&LoggedEntity>) -> Option<EntityUid> {
        let logged = logged?;
        let type_name: EntityTypeName = logged.type_name.parse().ok()?;
        let found = exact(self.engine, &type_name, logged.id.as_deref()?);
        found.ok().map(|(uid, _)| uid)
    }

    /// The action of a record.
    pub(super) fn action(&self, record: &LogRecord) -> Option<&Action> {
        let vocabulary = self.engine.bundle().vocabulary();
        let named = vocabulary.actions_spelled(&record.action.as_ref()?.name);
        match named.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// The context of a record: the keys that the schema declares for the action.
    pub(super) fn context(&self, record: &LogRecord, action: &Action) -> Option<Context> {
        let declared = self.engine.bundle().context_keys(&action.uid);
        let given = record.context.iter().flatten();
        let given = given.filter(|(key, _)| declared.contains(*key));
        let mut read: JsonObject = given
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if declared.contains(NOW) && !read.contains_key(NOW) {
            read.insert(NOW.to_owned(), record.time.as_str().into());
        }
        let context = self.engine.context(&action.uid, Value::Object(read)).ok()?;
        let directory = self.engine.directory();
        let is_known = entities_of(&context)
            .iter()
            .all(|uid| directory.defines(uid));
        is_known.then_some(context)
    }

    /// The attributes that the request set.
    pub(super) fn set(
        &self,
        record: &LogRecord,
        principal: Option<&EntityUid>,
        resource: Option<&EntityUid>,
    ) -> Vec<SetAttribute> {
        let Some(from_request) = &record.from_request else {
            return Vec::new();
        };
        let of = [
            (principal, &from_request.subject),
            (resource, &from_request.resource),
        ];
        let set = of.into_iter().flat_map(|(entity, attributes)| {
            let attributes = attributes.iter();
            attributes.filter_map(move |(name, value)| {
                Some(SetAttribute {
                    entity: entity?.clone(),
                    name: name.clone(),
                    value: value.clone(),
                })
            })
        });
        set.collect()
    }

    /// The pointer to a value that was left out of a record, if the decision depends on it.
    pub(super) fn lacking(&self, record: &LogRecord) -> Option<String> {
        let declared = || match self.action(record) {
            Some(action) => self.engine.bundle().context_keys(&action.uid),
            // A search for actions tries every action.
            None => {
                let vocabulary = self.engine.bundle().vocabulary();
                let actions = vocabulary.permissions();
                let keys = actions.flat_map(|of| self.engine.bundle().context_keys(&of.uid));
                keys.collect()
            }
        };
        let is_needed = |pointer: &&String| {
            let mut steps = pointer.split('/').skip(1);
            match (steps.next(), steps.next()) {
                (Some("asked"), _) => false,
                (Some("context"), None) | (Some("action"), Some("properties")) => {
                    !declared().is_empty()
                }
                (Some("context"), Some(key)) => declared().contains(key),
                _ => true,
            }
        };
        record.omitted.iter().find(is_needed).cloned()
    }
}

/// Whether an action applies to a principal and a resource of these types.
pub(super) fn applies(
    action: &Action,
    principal: &EntityTypeName,
    resource: &EntityTypeName,
) -> bool {
    action.principals.contains(principal) && action.resources.contains(resource)
}
