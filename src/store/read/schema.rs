//! The schema of entities, prepared for the readers.

use std::collections::{BTreeSet, HashMap};

use cedar_policy::Schema;
use cedar_policy_core::ast::EntityType;
use cedar_policy_core::entities::json::{EntityTypeDescription as _, Schema as _, SchemaType};
use cedar_policy_core::validator::{CoreSchema, EntityTypeDescription, ValidatorSchema};
use smol_str::SmolStr;

use crate::EntityRules;
use crate::action::Actions;
use crate::index::{Id, IndexVec};
use crate::tables::ids::{RecordId, TypeId};

/// The entity types of a schema, sorted by name, and their record shapes.
#[derive(Default)]
pub(crate) struct Shapes {
    /// The types in the order of their indices.
    pub(crate) types: IndexVec<TypeId, TypeShape>,
    records: IndexVec<RecordId, Vec<Field>>,
    by_name: HashMap<String, TypeId>,
    /// The actions, which are not among the types.
    pub(crate) actions: Actions,
}

/// An entity type.
pub(crate) struct TypeShape {
    /// The name, for example `Entra::User`.
    pub(crate) name: String,
    /// The name in Cedar's own form.
    pub(crate) core: EntityType,
    /// The index of the record shape of the attributes.
    pub(crate) record: RecordId,
    /// The type of the tags, if entities of this type have tags.
    pub(crate) tags: Option<Kind>,
    /// For each type, whether it may be that of a direct parent.
    pub(crate) above: IndexVec<TypeId, bool>,
    /// The valid ids, if the schema lists them.
    pub(crate) ids: Option<BTreeSet<String>>,
    /// Whether the type is external: the schema only announces it, so its entities cannot be checked.
    pub(crate) external: bool,
    /// Whether no attribute is required.
    pub(crate) bare: bool,
    /// Whether an entity with any id exists, even if it stands in no file ([`EntityRules::bare_ids`]).
    pub(crate) free: bool,
}

/// An attribute of an entity or a record.
pub(crate) struct Field {
    /// The name.
    pub(crate) name: SmolStr,
    /// The type of the value.
    pub(crate) kind: Kind,
    /// Whether the attribute is required.
    pub(crate) required: bool,
}

/// The type of a value.
pub(crate) enum Kind {
    /// A Bool.
    Bool,
    /// A Long.
    Long,
    /// A String.
    Text,
    /// An entity of the type with this index; without an index, of a type that entities in files cannot have.
    Entity(Option<TypeId>),
    /// A set.
    Set(Box<Kind>),
    /// A record of the shape with this index.
    Record(RecordId),
    /// An extension value, for example a datetime.
    Extension(SchemaType),
}

/// The entity types of a schema by name, each in Cedar's own form and with its description. A type without one has no
/// index, so that the next one does not stand in its place.
fn described(validator: &ValidatorSchema) -> Vec<(String, EntityType, EntityTypeDescription)> {
    let core_schema = CoreSchema::new(validator);
    let types = validator.entity_types().map(|of| of.name());
    let described = types.filter_map(|core| {
        Some((
            core.to_string(),
            core.clone(),
            core_schema.entity_type(core)?,
        ))
    });
    let mut described: Vec<_> = described.collect();
    described.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    described.truncate(TypeId::MOST);
    described
}

impl Shapes {
    /// The shapes of the entity types in a schema.
    pub(crate) fn new(schema: &Schema, rules: &EntityRules) -> Self {
        let validator: &ValidatorSchema = schema.as_ref();
        let described = described(validator);
        let mut shapes = Self {
            actions: Actions::new(schema),
            ..Self::default()
        };
        for (index, (name, ..)) in described.iter().enumerate() {
            shapes
                .by_name
                .insert(name.clone(), TypeId::from_usize(index));
        }
        for (name, core, description) in &described {
            let required: BTreeSet<SmolStr> = description.required_attrs().collect();
            let attributes = validator.get_entity_type(core).into_iter();
            let attributes = attributes.flat_map(|entity_type| entity_type.attributes().iter());
            let fields = attributes.filter_map(|(attribute, _)| {
                Some(Field {
                    name: attribute.clone(),
                    kind: shapes.kind(&description.attr_type(attribute)?),
                    required: required.contains(attribute),
                })
            });
            let fields: Vec<Field> = fields.collect();
            let tags = description.tag_type().map(|kind| shapes.kind(&kind));
            let parents = description.allowed_parent_types();
            let is_declared = |other: &String| {
                rules
                    .parents
                    .get(name)
                    .is_none_or(|types| types.contains(other))
            };
            let has_nothing = fields.is_empty() && tags.is_none() && parents.is_empty();
            let shape = TypeShape {
                name: name.clone(),
                core: core.clone(),
                record: shapes.record(fields),
                tags,
                above: described
                    .iter()
                    .map(|(other, core, _)| parents.contains(core) && is_declared(other))
                    .collect(),
                ids: description.enum_entity_eids().map(|ids| {
                    ids.iter()
                        .map(|id| AsRef::<str>::as_ref(id).to_owned())
                        .collect()
                }),
                external: description.is_external(),
                bare: required.is_empty(),
                free: rules.bare_ids && has_nothing,
            };
            shapes.types.push(shape);
        }
        shapes
    }

    fn kind(&mut self, kind: &SchemaType) -> Kind {
        match kind {
            SchemaType::Bool => Kind::Bool,
            SchemaType::Long => Kind::Long,
            SchemaType::String => Kind::Text,
            SchemaType::Set { element_ty } => Kind::Set(Box::new(self.kind(element_ty))),
            SchemaType::EmptySet => Kind::Set(Box::new(Kind::Entity(None))),
            SchemaType::Record { attrs, .. } => {
                let fields = attrs
                    .iter()
                    .map(|(name, attribute)| Field {
                        name: name.clone(),
                        kind: self.kind(attribute.schema_type()),
                        required: attribute.is_required(),
                    })
                    .collect();
                Kind::Record(self.record(fields))
            }
            SchemaType::Entity { ty } => Kind::Entity(self.find(&ty.to_string())),
            SchemaType::Extension { .. } => Kind::Extension(kind.clone()),
        }
    }

    fn record(&mut self, mut fields: Vec<Field>) -> RecordId {
        fields.sort_by(|one, other| one.name.cmp(&other.name));
        self.records.push(fields)
    }

    /// The index of the type of this name.
    pub(crate) fn find(&self, name: &str) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    /// The name of the type at an index.
    pub(crate) fn name(&self, index: TypeId) -> &str {
        &self.types[index].name
    }

    /// The fields of a record shape, by name.
    pub(crate) fn fields(&self, record: RecordId) -> &[Field] {
        &self.records[record]
    }

    /// The types of all possible ancestors of an entity.
    pub(crate) fn all_above(&self, index: TypeId) -> BTreeSet<TypeId> {
        let mut found = BTreeSet::new();
        let mut waiting = vec![index];
        while let Some(index) = waiting.pop() {
            let above = self.types[index].above.iter_enumerated();
            let parents = above.filter(|(_, may)| **may);
            waiting.extend(
                parents
                    .map(|(parent, _)| parent)
                    .filter(|parent| found.insert(*parent)),
            );
        }
        found
    }

    /// The number of slots of an entity: one for each attribute, and one for the tags if it has tags.
    pub(crate) fn slots(&self, index: TypeId) -> usize {
        let shape = &self.types[index];
        self.fields(shape.record).len() + usize::from(shape.tags.is_some())
    }

    /// The name of a type, as it follows "must be".
    pub(crate) fn describe(&self, kind: &Kind) -> String {
        match kind {
            Kind::Bool => "a Bool".to_owned(),
            Kind::Long => "a Long".to_owned(),
            Kind::Text => "a String".to_owned(),
            Kind::Entity(Some(index)) => format!("a `{}`", self.name(*index)),
            Kind::Entity(None) => "an entity of another schema".to_owned(),
            Kind::Set(_) => "a set".to_owned(),
            Kind::Record(_) => "a record".to_owned(),
            Kind::Extension(name) => format!("a {name}"),
        }
    }
}
