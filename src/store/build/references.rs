//! Checks between entities: cycles, dangling references and required parents.

use std::collections::BTreeMap;

use crate::build::ancestors::ClosureError;
use crate::index::IndexVec;
use crate::read::parallel::label;
use crate::read::refusal::{Tally, nearest, quoted};
use crate::tables::entities::EntityRow;
use crate::tables::ids::CompoundId;
use crate::tables::value_ref::ValueRef;
use crate::{Directory, EntityRules, ListId, Row};
use tarbac_diagnostic::code::entities::{
    CYCLE, DANGLING, MISSING_PARENT, SEVERAL_PARENTS, SUPERFLUOUS_PARENT, TOO_LARGE,
};
use tarbac_diagnostic::finding::Label;

/// The most ids that are compared for all suggestions "did you mean" together, since each takes time.
const COMPARED: usize = 200_000;

/// The number of neighbours in the order of ids that are compared beyond that limit.
const NEIGHBOURS: u32 = 50;

/// The most entities of a cycle that a message shows.
const SHOWN: usize = 10;

/// Adds a finding for each cycle of parents.
pub(crate) fn cycles(directory: &Directory, errors: &[ClosureError], tally: &mut Tally) {
    for error in errors {
        match error {
            ClosureError::Cycle(rows) => {
                let rows = from_least(rows);
                let names: Vec<String> = rows
                    .iter()
                    .chain(rows.first())
                    .take(SHOWN)
                    .map(|row| name(directory, *row))
                    .collect();
                let message = || format!("parents form a cycle: {}", names.join(" in "));
                let help = "take one of these parents out".to_owned();
                let next = rows.iter().skip(1).chain(rows.first());
                let labels = rows.iter().zip(next).take(SHOWN).filter_map(|(row, next)| {
                    let member = directory.member(*row)?;
                    let text = format!("its parent is {}", name(directory, *next));
                    mark(directory, member, &text)
                });
                tally.add(CYCLE, message, Some(help), labels);
            }
            ClosureError::TooMany => {
                let message = || "there are more ancestors than a directory can hold".to_owned();
                let help = "look for a very long chain of parents".to_owned();
                tally.add(TOO_LARGE, message, Some(help), []);
            }
        }
    }
}

/// The cycle, beginning with its least row.
fn from_least(rows: &[Row]) -> Vec<Row> {
    let least = (0..).zip(rows).min_by_key(|(_, row)| **row);
    let mut rows = rows.to_vec();
    rows.rotate_left(least.map_or(0, |(at, _)| at));
    rows
}

/// Adds findings for references to entities that do not exist.
pub(crate) fn dangling(directory: &Directory, tally: &mut Tally) {
    let store = &directory.store;
    let rows = directory.every_row();
    let mut missing: IndexVec<Row, bool> = rows.map(|row| !directory.exists(row)).collect();
    // A broken entity has a finding of its own; references to it are right.
    for uid in &store.broken {
        missing[*uid] = false;
    }
    if !missing.raw.contains(&true) {
        return;
    }
    let missing = Missing::new(directory, missing);
    let mut budget = COMPARED;
    let mut nearest = BTreeMap::new();
    // In the order of the files, so that the findings that are kept are those that a person meets first.
    let mut members: Vec<&EntityRow> = store.members.iter().collect();
    members.sort_by_key(|member| (member.file, member.offset()));
    for member in members {
        let Some((row, text)) = missing.referred_to(directory, member) else {
            continue;
        };
        let name = name(directory, row);
        let help = tally.has_room(&DANGLING).then(|| {
            let near = nearest
                .entry(row)
                .or_insert_with(|| similar(directory, row, &mut budget));
            match near {
                Some(near) => format!("did you mean {near}?"),
                None => format!("add {name} to a file of entities, or correct the reference"),
            }
        });
        let message = || format!("{text} {name}, which does not exist");
        tally.add(
            DANGLING,
            message,
            help,
            mark(directory, member, "this entity"),
        );
    }
}

/// The entities that do not exist, and the values and lists that refer to them.
struct Missing {
    /// For each row, whether its entity is missing.
    rows: IndexVec<Row, bool>,
    /// For each compound, a missing entity that it refers to.
    compounds: IndexVec<CompoundId, Option<Row>>,
    /// For each list of parents, a missing one.
    parents: IndexVec<ListId, Option<Row>>,
}

impl Missing {
    fn new(directory: &Directory, rows: IndexVec<Row, bool>) -> Self {
        let store = &directory.store;
        let entity = |item: &ValueRef| item.as_entity().filter(|row| rows[*row]);
        // The compounds within a compound have lower indices.
        let mut compounds: IndexVec<CompoundId, Option<Row>> = IndexVec::new();
        for index in store.compounds.indices() {
            let mut items = store.compounds.get(index).iter();
            let found =
                items.find_map(|item| entity(item).or_else(|| compounds[item.as_compound()?]));
            compounds.push(found);
        }
        let parents = store.parents.indices();
        let parents = parents.map(|index| store.parents.get(index).iter().find_map(entity));
        Self {
            parents: parents.collect(),
            compounds,
            rows,
        }
    }

    /// A missing entity that an entity refers to, and the text of the label for the reference.
    fn referred_to(&self, directory: &Directory, member: &EntityRow) -> Option<(Row, String)> {
        let slots = directory.slots(member);
        let in_slot = slots.iter().zip(0..).find_map(|(item, slot)| {
            let entity = item.as_entity().filter(|row| self.rows[*row]);
            let of_compound = || self.compounds[item.as_compound()?];
            Some((entity.or_else(of_compound)?, slot))
        });
        let title = || title(directory, member);
        if let Some((row, slot)) = in_slot {
            let fields = directory.fields(member.uid);
            let attribute = fields.get(slot).map_or("tags", |field| field.name.as_str());
            let text = format!("attribute `{attribute}` of {} refers to", title());
            return Some((row, text));
        }
        let row = self.parents[member.parents]?;
        Some((row, format!("{} has the parent", title())))
    }
}

/// The defined entity of the same type whose id has the spelling most like that of `row`.
fn similar(directory: &Directory, row: Row, budget: &mut usize) -> Option<String> {
    let range = directory.range(directory.type_of(row));
    let candidates = if range.len() <= *budget {
        *budget -= range.len();
        range
    } else {
        let least = row.raw().saturating_sub(NEIGHBOURS);
        least.max(range.start)..row.raw().saturating_add(NEIGHBOURS).min(range.end)
    };
    let ids = candidates
        .map(Row::new)
        .filter(|row| directory.is_defined(*row))
        .map(|row| directory.id(row));
    let near = nearest(directory.id(row), ids)?;
    Some(quoted(directory.type_name(row), near))
}

/// Adds findings for entities without exactly one parent of each required type, or the attribute in its place.
pub(crate) fn required_parents(directory: &Directory, rules: &EntityRules, tally: &mut Tally) {
    for (name, required) in &rules.required {
        let Some(entity_type) = directory.shapes.find(name) else {
            continue;
        };
        let stand_ins = rules.in_place.get(name).map_or(&[][..], Vec::as_slice);
        for row in directory.range(entity_type).map(Row::new) {
            if let Some(entity) = directory.member(row) {
                let requirements = Requirements {
                    directory,
                    row,
                    entity,
                    stand_ins,
                };
                requirements.check(required, tally);
            }
        }
    }
}

/// Adds findings for entities that have the parent that stands for none, and others of its type.
pub(crate) fn parents_beside_none(directory: &Directory, rules: &EntityRules, tally: &mut Tally) {
    for (of_type, none) in &rules.none {
        let (Some(entity_type), Some(none)) = (directory.shapes.find(of_type), directory.row(none))
        else {
            continue;
        };
        let type_name = directory.type_name(none);
        for row in directory.range(entity_type).map(Row::new) {
            let Some(entity) = directory.member(row) else {
                continue;
            };
            let mut parents = directory.parents(row);
            let is_other = |row: Row| row != none && directory.type_name(row) == type_name;
            let other = directory.parents(row).find(|parent| is_other(*parent));
            if let (true, Some(other)) = (parents.any(|parent| parent == none), other) {
                let message = || {
                    let [none, other] = [none, other].map(|parent| name(directory, parent));
                    format!(
                        "{} has the parent {none}, which stands for none of its type, and {other}",
                        title(directory, entity)
                    )
                };
                let help = "keep the one or the others in its `parents`".to_owned();
                let label = mark(directory, entity, "this entity");
                tally.add(SUPERFLUOUS_PARENT, message, Some(help), label);
            }
        }
    }
}

/// An entity whose parents are checked, and the attributes in place of parents, each with the type of the parent.
struct Requirements<'d> {
    directory: &'d Directory,
    row: Row,
    entity: &'d EntityRow,
    stand_ins: &'d [(String, String)],
}

impl Requirements<'_> {
    fn check(&self, required: &[String], tally: &mut Tally) {
        let title = || title(self.directory, self.entity);
        let label = || mark(self.directory, self.entity, "this entity");
        let mut missing = Vec::new();
        for of_type in required {
            match (self.parents(of_type).as_slice(), self.stand_in(of_type)) {
                ([], None) => missing.push(format!("`{of_type}`")),
                ([_], None) | ([], Some(_)) => {}
                ([_, _, ..], None) => self.report_several(of_type, tally),
                ([_, ..], Some(attribute)) => {
                    let message = || {
                        format!(
                            "{} has the attribute `{attribute}` and a parent of type `{of_type}`",
                            title()
                        )
                    };
                    let help = "the attribute stands in place of the parent: keep one of the two";
                    tally.add(SUPERFLUOUS_PARENT, message, Some(help.to_owned()), label());
                }
            }
        }
        if !missing.is_empty() {
            let missing = missing.join(" and no parent of type ");
            let message = || format!("{} has no parent of type {missing}", title());
            let type_name = self.directory.type_name(self.row);
            let help = format!("every `{type_name}` needs one: add it to its `parents`");
            tally.add(MISSING_PARENT, message, Some(help), label());
        }
    }

    fn report_several(&self, of_type: &str, tally: &mut Tally) {
        let message = || {
            let parents = self.parents(of_type).into_iter().take(SHOWN);
            let parents: Vec<String> = parents.map(|row| name(self.directory, row)).collect();
            format!(
                "{} has several parents of type `{of_type}`: {}",
                title(self.directory, self.entity),
                parents.join(", ")
            )
        };
        let type_name = self.directory.type_name(self.row);
        let help = format!("a `{type_name}` has one: keep one of them in its `parents`");
        let label = mark(self.directory, self.entity, "this entity");
        tally.add(SEVERAL_PARENTS, message, Some(help), label);
    }

    /// The parents of a type, without those that are also ancestors of another of these parents.
    fn parents(&self, of_type: &str) -> Vec<Row> {
        let is_of_type = |row: &Row| self.directory.type_name(*row) == of_type;
        let all: Vec<Row> = self
            .directory
            .parents(self.row)
            .filter(is_of_type)
            .collect();
        if all.len() < 2 {
            return all;
        }
        let is_repeated = |row: &Row| {
            let mut others = all.iter().filter(|other| *other != row);
            others.any(|other| self.directory.ancestors(*other).any(|above| above == *row))
        };
        all.iter()
            .copied()
            .filter(|row| !is_repeated(row))
            .collect()
    }

    /// The attribute that the entity has in place of a parent of this type.
    fn stand_in(&self, of_type: &str) -> Option<&str> {
        let mut attributes = self
            .stand_ins
            .iter()
            .filter(|(_, parent)| parent == of_type);
        let found = attributes.find(|(name, _)| self.directory.has_attribute(self.row, name));
        found.map(|(name, _)| name.as_str())
    }
}

fn name(directory: &Directory, row: Row) -> String {
    quoted(directory.type_name(row), directory.id(row))
}

fn title(directory: &Directory, member: &EntityRow) -> String {
    name(directory, member.uid)
}

fn mark(directory: &Directory, member: &EntityRow, text: &str) -> Option<Label> {
    let source = directory.sources.get(member.file as usize)?;
    Some(label(source, member.offset(), text))
}
