//! The actions of a schema: permissions and questions.

use cedar_policy::{EntityTypeName, EntityUid};

use super::{Annotations, QUESTIONS};
use tarbac_diagnostic::source::Place;

/// A permission, or a question in the namespace [`QUESTIONS`].
#[derive(Debug, Clone)]
pub struct Action {
    /// The uid of the action.
    pub uid: EntityUid,
    /// The groups that contain the action, directly or through others.
    pub groups: Vec<EntityUid>,
    /// The types of principals.
    pub principals: Vec<EntityTypeName>,
    /// The types of resources.
    pub resources: Vec<EntityTypeName>,
    /// The annotations in the schema.
    pub annotations: Annotations,
    /// The place of the declaration.
    pub place: Place,
}

impl Action {
    /// The id, for example `runScript`.
    pub fn id(&self) -> &str {
        self.uid.id().unescaped()
    }

    /// The documented name, or else the id.
    pub fn name(&self) -> &str {
        self.annotations
            .get("name")
            .map_or_else(|| self.id(), String::as_str)
    }

    /// The documented name without its category, for example `Run script`.
    pub fn short_name(&self) -> &str {
        self.name().rsplit(['\\', '/']).next().unwrap_or_default()
    }

    /// All spellings that a person may use; [`super::Vocabulary::actions_spelled`] compares them.
    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        let spelled = ["id", "name", "graph"]
            .into_iter()
            .filter_map(|key| self.annotations.get(key).map(String::as_str));
        std::iter::once(self.id()).chain(spelled).chain([
            self.short_name(),
            without_remark(self.name()),
            without_remark(self.short_name()),
        ])
    }

    /// The id of the permission to see the page with this action, without which the action cannot be reached.
    pub fn page(&self) -> Option<&str> {
        self.annotations.get("page").map(String::as_str)
    }

    /// The reason why the action is outside of the guardrails, if it is on purpose.
    pub fn unguarded(&self) -> Option<&str> {
        let why = self.annotations.get("unguarded")?.trim();
        (!why.is_empty()).then_some(why)
    }

    /// Whether the action is a question and not a permission.
    pub fn is_question(&self) -> bool {
        self.uid.type_name().namespace() == QUESTIONS
    }

    /// Whether the action applies to a principal and a resource of these types.
    pub fn applies_to(&self, principal: &EntityTypeName, resource: &EntityTypeName) -> bool {
        self.principals.contains(principal) && self.resources.contains(resource)
    }
}

/// A name without a remark like `(preview)` at its end.
pub(super) fn without_remark(name: &str) -> &str {
    match name.rsplit_once(" (") {
        Some((name, remark)) if remark.ends_with(')') => name,
        _ => name,
    }
}
