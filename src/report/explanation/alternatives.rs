//! Remedies that differ only in one name, merged into one.

use tarbac_analysis::explain::{ChangeKind, Named, RemedyChange, Value};

/// Alternatives with the same changes and other values.
pub(super) struct Family<'a> {
    /// The first of them.
    pub first: &'a [RemedyChange],
    /// Values of the first alternative, each with its substitutes, in every combination.
    pub instead: Vec<(String, Vec<String>)>,
    /// The number of the other alternatives, where they are not every combination.
    pub unlisted: usize,
}

/// The families of alternatives, in the order of their first members.
pub(super) fn families(alternatives: &[Vec<RemedyChange>]) -> Vec<Family<'_>> {
    let mut groups: Vec<Vec<&[RemedyChange]>> = Vec::new();
    for alternative in alternatives {
        let kin = groups.iter_mut().find(|group| {
            group
                .first()
                .is_some_and(|first| is_kin(first, alternative))
        });
        match kin {
            Some(group) => group.push(alternative),
            None => groups.push(vec![alternative]),
        }
    }
    groups.iter().filter_map(|group| family(group)).collect()
}

fn is_kin(one: &[RemedyChange], other: &[RemedyChange]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| {
            one.kind == other.kind
                && one.entity == other.entity
                && one.attribute == other.attribute
                && (one.kind != ChangeKind::Set || one.value == other.value)
        })
}

fn family<'a>(members: &[&'a [RemedyChange]]) -> Option<Family<'a>> {
    let first = *members.first()?;
    // For each value of the first alternative, the values of the others in its places.
    let mut choices: Vec<(&Value, Vec<&Value>)> = Vec::new();
    for member in members {
        for (mine, theirs) in first.iter().zip(member.iter()) {
            match choices.iter_mut().find(|(value, _)| *value == &mine.value) {
                Some((_, others)) => {
                    if !others.contains(&&theirs.value) {
                        others.push(&theirs.value);
                    }
                }
                None => choices.push((&mine.value, vec![&theirs.value])),
            }
        }
    }
    let combinations: usize = choices.iter().map(|(_, values)| values.len()).product();
    let instead = choices
        .iter()
        .filter(|(_, values)| values.len() > 1)
        .map(|(value, values)| {
            let others = values
                .iter()
                .filter(|other| *other != value)
                .map(|other| name(other))
                .collect();
            (name(value), others)
        })
        .collect();
    Some(match combinations == members.len() {
        true => Family {
            first,
            instead,
            unlisted: 0,
        },
        false => Family {
            first,
            instead: Vec::new(),
            unlisted: members.len() - 1,
        },
    })
}

fn name(value: &Value) -> String {
    match value {
        Value::Entity(Named { name, .. }) => name.clone(),
        other => other.to_string(),
    }
}
