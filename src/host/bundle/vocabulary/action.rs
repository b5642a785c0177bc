//! The actions of a schema: permissions and questions.

use cedar_policy::{EntityTypeName, EntityUid};

use super::{Annotations, QUESTIONS};
use tarbac_diagnostic::source::Place;

/// A permission, or a question of [`QUESTIONS`].
#[derive(Debug, Clone)]
pub struct Action {
    /// The action entity.
    pub uid: EntityUid,
    /// The groups it is in, directly or through others.
    pub groups: Vec<EntityUid>,
    /// The types that may ask.
    pub principals: Vec<EntityTypeName>,
    /// The types it is asked about.
    pub resources: Vec<EntityTypeName>,
    /// What the schema says of it.
    pub annotations: Annotations,
    /// Where the schema declares it.
    pub place: Place,
}

impl Action {
    /// The id, for example `runScript`.
    pub fn id(&self) -> &str {
        self.uid.id().unescaped()
    }

    /// The documented name, or the id where the schema gives none.
    pub fn name(&self) -> &str {
        self.annotations
            .get("name")
            .map_or_else(|| self.id(), String::as_str)
    }

    /// The documented name without its category, for example `Run script`.
    pub fn short_name(&self) -> &str {
        self.name().rsplit(['\\', '/']).next().unwrap_or_default()
    }

    /// Every spelling a person may use; [`super::Vocabulary::actions_spelled`] compares them.
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

    /// The permission whose page carries this action, by id: the action is out of reach without it.
    pub fn page(&self) -> Option<&str> {
        self.annotations.get("page").map(String::as_str)
    }

    /// Why it is meant to be outside of the guardrails, if it is.
    pub fn unguarded(&self) -> Option<&str> {
        let why = self.annotations.get("unguarded")?.trim();
        (!why.is_empty()).then_some(why)
    }

    /// Whether it is a question and no permission.
    pub fn is_question(&self) -> bool {
        self.uid.type_name().namespace() == QUESTIONS
    }

    /// Whether the action is asked of a principal of one type about a resource of another.
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
