//! Edits of attributes, through records.

use cedar_policy::EntityUid;
use cedar_policy_core::ast;

use crate::explain::probe::{Probe, Target};
use tarbac_host::bundle::{Kind, Vocabulary};
use tarbac_host::engine::{EntitySlice, with_attribute};

pub(super) fn current_long(probe: &Probe<'_>, target: &Target<'_>) -> Option<i64> {
    let [attribute] = target.path.as_slice() else {
        return None;
    };
    match probe.slice().get(&target.entity)?.get(attribute)? {
        ast::PartialValue::Value(value) => match value.value_kind() {
            ast::ValueKind::Lit(ast::Literal::Long(long)) => Some(*long),
            _ => None,
        },
        ast::PartialValue::Residual(_) => None,
    }
}

/// The entities with an empty record in place of an absent one; `None` if the record cannot be empty.
pub(in crate::explain) fn with_record(
    probe: &Probe<'_>,
    entity: &EntityUid,
    path: &[String],
) -> Option<EntitySlice> {
    let attribute = probe
        .vocabulary()
        .attribute(&entity.type_name().to_string(), path)?;
    let Kind::Record(record) = &attribute.kind else {
        return None;
    };
    let empty = empty(probe.vocabulary(), record)?;
    edited(probe, entity, path, &|old| {
        Some(old.unwrap_or_else(|| empty.clone()))
    })
}

type Edit<'a> = &'a dyn Fn(Option<ast::Value>) -> Option<ast::Value>;

pub(super) fn edited(
    probe: &Probe<'_>,
    uid: &EntityUid,
    path: &[String],
    edit: Edit<'_>,
) -> Option<EntitySlice> {
    let entity = probe.slice().get(uid)?;
    let (name, rest) = path.split_first()?;
    let old = match entity.get(name) {
        Some(ast::PartialValue::Value(value)) => Some(value.clone()),
        Some(ast::PartialValue::Residual(_)) => return None,
        None => None,
    };
    let owner = uid.type_name().to_string();
    let new = edited_value(probe.vocabulary(), &owner, name, rest, old, edit)?;
    let mut slice = probe.slice().clone();
    slice.put(with_attribute(entity, name, new));
    Some(slice)
}

fn edited_value(
    vocabulary: &Vocabulary,
    owner: &str,
    name: &str,
    rest: &[String],
    old: Option<ast::Value>,
    edit: Edit<'_>,
) -> Option<ast::Value> {
    let Some((next, rest)) = rest.split_first() else {
        return edit(old);
    };
    let Kind::Record(record) = &vocabulary.attributes(owner)?.get(name)?.kind else {
        return None;
    };
    let old = match old {
        Some(old) => old,
        None => empty(vocabulary, record)?,
    };
    let ast::ValueKind::Record(fields) = old.value_kind() else {
        return None;
    };
    let new = edited_value(
        vocabulary,
        record,
        next,
        rest,
        fields.get(next.as_str()).cloned(),
        edit,
    )?;
    let fields = fields
        .iter()
        .filter(|(field, _)| *field != next)
        .map(|(field, value)| (field.clone(), value.clone()))
        .chain([(next.as_str().into(), new)]);
    Some(ast::Value::record(fields, None))
}

/// A record in which every required attribute is an empty set.
fn empty(vocabulary: &Vocabulary, record: &str) -> Option<ast::Value> {
    let mut fields = Vec::new();
    for (name, attribute) in vocabulary.attributes(record)? {
        let value = match &attribute.kind {
            _ if !attribute.required => continue,
            Kind::Set(_) => ast::Value::empty_set(None),
            Kind::Record(inner) => empty(vocabulary, inner)?,
            _ => return None,
        };
        fields.push((name.as_str(), value));
    }
    Some(ast::Value::record(fields, None))
}
