//! The names of entity types and actions in requests.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cedar_policy::{Context, EntityTypeName};
use tarbac_host::Engine;
use tarbac_host::bundle::Action;
use tarbac_host::lookup::NotNamed;

/// The context key that the server fills from its clock if the request does not.
pub(crate) const NOW: &str = "now";

/// The names of one workspace.
pub(crate) struct Names {
    /// The entity types, by their Cedar names and by their names in `@authzen`.
    types: HashMap<String, EntityTypeName>,
    /// The index in `permissions`, by each spelling that only one action has.
    spelled: HashMap<String, usize>,
    permissions: Vec<Permission>,
    /// The attributes that a request may set, by entity type.
    from_request: BTreeMap<EntityTypeName, BTreeSet<String>>,
}

/// An action about which decisions are made.
pub(crate) struct Permission {
    /// The action as the schema declares it.
    pub(crate) action: Action,
    /// The keys of its context.
    pub(crate) context: BTreeSet<String>,
    /// Whether a policy in force reads its context.
    pub(crate) reads_context: bool,
    /// The empty context, if the schema allows it.
    pub(crate) empty: Option<Context>,
}

impl Permission {
    fn new(engine: &Engine, action: &Action) -> Self {
        Self {
            action: action.clone(),
            context: engine.bundle().context_keys(&action.uid),
            reads_context: engine.reads_context(action),
            empty: engine.context(&action.uid, serde_json::json!({})).ok(),
        }
    }
}

impl Names {
    pub(crate) fn new(engine: &Engine) -> Self {
        let vocabulary = engine.bundle().vocabulary();
        let mut types = HashMap::new();
        let mut from_request: BTreeMap<EntityTypeName, BTreeSet<String>> = BTreeMap::new();
        for name in vocabulary.type_names() {
            let Ok(type_name) = name.parse::<EntityTypeName>() else {
                continue;
            };
            if let Some(other) = vocabulary.type_annotation(name, "authzen") {
                types.insert(other.to_owned(), type_name.clone());
            }
            let attributes = vocabulary.attributes(name).into_iter().flatten();
            let marked = attributes.filter(|(_, of)| of.annotations.contains_key("from_request"));
            let marked: BTreeSet<String> = marked.map(|(name, _)| name.clone()).collect();
            if !marked.is_empty() {
                from_request.insert(type_name.clone(), marked);
            }
            types.insert(name.to_owned(), type_name);
        }
        let permissions: Vec<&Action> = vocabulary.permissions().collect();
        let mut spelled = HashMap::new();
        for (place, action) in permissions.iter().enumerate() {
            let full = action.uid.to_string();
            for spelling in action.spellings().chain([full.as_str()]) {
                if let [_] = vocabulary.actions_spelled(spelling).as_slice() {
                    spelled.insert(spelling.to_owned(), place);
                }
            }
        }
        let permissions = permissions.into_iter();
        Self {
            types,
            spelled,
            permissions: permissions.map(|of| Permission::new(engine, of)).collect(),
            from_request,
        }
    }

    /// The type of this name.
    pub(crate) fn type_name(&self, name: &str) -> Option<&EntityTypeName> {
        self.types.get(name)
    }

    /// The permissions, in the order of the schema.
    pub(crate) fn permissions(&self) -> &[Permission] {
        &self.permissions
    }

    /// The attributes of a type that a request may set.
    pub(crate) fn settable(&self, type_name: &EntityTypeName) -> Option<&BTreeSet<String>> {
        self.from_request.get(type_name)
    }

    /// The name of a permission in answers and records: its id, or its full name if several share the id.
    pub(crate) fn of_permission(&self, engine: &Engine, permission: &Permission) -> String {
        let uid = &permission.action.uid;
        let id: &str = uid.id().unescaped();
        let found = self.permission(engine, id);
        match found.is_ok_and(|found| found.action.uid == *uid) {
            true => id.to_owned(),
            false => uid.to_string(),
        }
    }

    /// The permission of this spelling.
    ///
    /// # Errors
    /// No permission has it, or several do.
    pub(crate) fn permission(&self, engine: &Engine, name: &str) -> Result<&Permission, NotNamed> {
        if let Some(known) = self.spelled.get(name) {
            return self.permissions.get(*known).ok_or(NotNamed::Unknown);
        }
        match engine
            .bundle()
            .vocabulary()
            .actions_spelled(name)
            .as_slice()
        {
            [] => Err(NotNamed::Unknown),
            [action] => {
                let known = self
                    .permissions
                    .iter()
                    .find(|of| of.action.uid == action.uid);
                known.ok_or(NotNamed::Unknown)
            }
            _ => Err(NotNamed::Several),
        }
    }
}
