//! Findings about names that a reader or a look-up takes for others.
//!
//! The schema marks the attributes that name an entity with `@alias`, with `@alias("unique")` those whose values name
//! one entity only, and with `@alias("numbered")` those whose values are counted by machines.

use std::collections::HashMap;

use cedar_policy::EntityTypeName;
use unicode_security::MixedScript;

use super::Engine;
use crate::look::{are_alike, is_plain, is_unseen, looks_of};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_store::Row;

/// The most findings of one kind.
const SHOWN: usize = 100;

impl Engine {
    /// Names that look like the name of another entity, are the id of another, or are empty although they are
    /// required; and unique names that two entities share, or that a reader cannot read with certainty.
    pub(crate) fn misleading_names(&self) -> Vec<Finding> {
        let vocabulary = self.bundle.vocabulary();
        let mut findings = Vec::new();
        for (type_name, attribute) in vocabulary.unique_aliases() {
            findings.extend(self.shared_names(&type_name, attribute));
            findings.extend(self.unfit_names(&type_name, attribute, unfit));
        }
        for name in vocabulary.type_names() {
            let Ok(type_name) = name.parse::<EntityTypeName>() else {
                continue;
            };
            for attribute in vocabulary.aliases(name) {
                if vocabulary
                    .attribute(name, &[attribute])
                    .is_some_and(|known| known.required)
                {
                    findings.extend(self.unfit_names(&type_name, attribute, empty));
                }
                findings.extend(self.similar_names(&type_name, attribute));
                findings.extend(self.names_that_are_ids(&type_name, attribute));
            }
        }
        findings
    }

    /// Entities that share a name: a request with the name is refused.
    fn shared_names(&self, type_name: &EntityTypeName, attribute: &str) -> Vec<Finding> {
        let of_name = |(name, rows): (&str, Vec<Row>)| {
            let uids: Vec<String> = rows
                .iter()
                .map(|row| format!("`{}`", self.directory.uid(*row)))
                .collect();
            let message = format!("`{name}` is the name of {}", uids.join(" and "));
            let finding = Finding::warning(code::entities::SHARED_NAME, message)
                .help("correct one of the two: a request that gives the name cannot be decided");
            self.at(finding, rows.into_iter().take(2))
        };
        let shared = self.directory.of_one_name(type_name, attribute);
        shared.into_iter().map(of_name).collect()
    }

    /// Entities whose name is the id of another: a request with the name is refused.
    fn names_that_are_ids(&self, type_name: &EntityTypeName, attribute: &str) -> Vec<Finding> {
        let of_pair = |(row, other): (Row, Row)| {
            let message = format!(
                "`{}` is the name of `{}` and the id of `{}`",
                self.name_of(row, attribute),
                self.directory.uid(row),
                self.directory.uid(other)
            );
            let finding = Finding::warning(code::entities::SHARED_NAME, message)
                .help("correct the name: a request that gives it cannot be decided");
            self.at(finding, [row, other])
        };
        let pairs = self.directory.names_that_are_ids(type_name, attribute);
        pairs.into_iter().take(SHOWN).map(of_pair).collect()
    }

    /// Entities whose name fails a test, which returns the fault.
    fn unfit_names(
        &self,
        type_name: &EntityTypeName,
        attribute: &str,
        unfit: fn(&str) -> Option<&'static str>,
    ) -> Vec<Finding> {
        let rows = self.directory.rows_of(type_name);
        let unfit = rows.filter_map(|row| {
            let name = self.directory.attribute_text(row, attribute)?;
            Some((row, unfit(name)?))
        });
        let unfit = unfit.take(SHOWN).map(|(row, why)| {
            let message = format!("the name of `{}` {why}", self.directory.uid(row));
            let finding = Finding::warning(code::entities::UNFIT_NAME, message)
                .help("whoever reads the name takes it for another: correct it, or name this one by its id");
            self.at(finding, [row])
        });
        unfit.collect()
    }

    /// Names that look like those of other entities: because of similar letters, blanks, or invisible characters.
    ///
    /// This is a warning, since both names may be right. The names of `@alias("numbered")` are made by machines, where
    /// `WS-01I` beside `WS-011` is no mistake: of such plain names, only those that a policy names are compared.
    fn similar_names(&self, type_name: &EntityTypeName, attribute: &str) -> Vec<Finding> {
        let named = || {
            let rows = self.directory.rows_of(type_name);
            rows.filter_map(|row| Some((row, self.directory.attribute_text(row, attribute)?)))
        };
        let plain = || named().filter(|(_, name)| is_plain(name));
        let mut similar = Vec::new();
        let mut by_look: HashMap<u64, (Row, &str)> = HashMap::new();
        for (row, name) in named().filter(|(_, name)| !is_plain(name)) {
            for look in looks_of(name) {
                match by_look.get(&look) {
                    Some((other, of)) if !of.eq_ignore_ascii_case(name) => {
                        similar.push((row, *other));
                    }
                    Some(_) => {}
                    None => drop(by_look.insert(look, (row, name))),
                }
            }
        }
        if !by_look.is_empty() {
            for (row, name) in plain() {
                let alike = looks_of(name).into_iter();
                let alike = alike.filter_map(|look| by_look.get(&look));
                similar.extend(alike.map(|(other, _)| (*other, row)));
            }
        }
        let vocabulary = self.bundle.vocabulary();
        similar.extend(
            match vocabulary.is_numbered(&type_name.to_string(), attribute) {
                true => self.plain_names_like_named(type_name, attribute, plain()),
                false => alike_among(plain()),
            },
        );
        similar.sort_unstable();
        similar.dedup();
        let similar = similar.into_iter().take(SHOWN).map(|(row, other)| {
            let message = format!(
                "`{}`, the name of `{}`, looks like `{}`, that of `{}`",
                self.name_of(row, attribute),
                self.directory.uid(row),
                self.name_of(other, attribute),
                self.directory.uid(other)
            );
            let finding = Finding::warning(code::entities::SIMILAR_NAME, message)
                .help("whoever reads one takes it for the other: correct one of the two");
            self.at(finding, [row, other])
        });
        similar.collect()
    }

    /// The plain names that look like one that a policy names, each with the entity of that name.
    fn plain_names_like_named<'d>(
        &self,
        type_name: &EntityTypeName,
        attribute: &str,
        plain: impl Iterator<Item = (Row, &'d str)>,
    ) -> Vec<(Row, Row)> {
        let texts = self.names_in_policies(&type_name.to_string(), attribute);
        let mut by_look: HashMap<u64, Vec<(Row, &str)>> = HashMap::new();
        for text in texts {
            for row in self.directory.called(type_name, text) {
                let look = as_written(looks_of(text));
                by_look.entry(look).or_default().push((row, text));
            }
        }
        if by_look.is_empty() {
            return Vec::new();
        }
        let like = |(row, name): (Row, &str)| {
            let texts = by_look.get(&as_written(looks_of(name)));
            let mut texts = texts.into_iter().flatten();
            let (of, _) = texts.find(|(_, text)| are_alike(name, text))?;
            Some((row, *of))
        };
        plain.filter_map(like).collect()
    }

    fn name_of(&self, row: Row, attribute: &str) -> &str {
        let name = self.directory.attribute_text(row, attribute);
        name.unwrap_or_default()
    }

    fn at(&self, finding: Finding, rows: impl IntoIterator<Item = Row>) -> Finding {
        let places = rows.into_iter().filter_map(|row| self.directory.place(row));
        places.fold(finding, |finding, place| finding.label(place, "this one"))
    }
}

/// The plain names that look like another of them, each with the entity that has that one.
fn alike_among<'d>(plain: impl Iterator<Item = (Row, &'d str)>) -> Vec<(Row, Row)> {
    let looks = plain.map(|(row, name)| (as_written(looks_of(name)), row, name));
    let mut looks: Vec<(u64, Row, &str)> = looks.collect();
    looks.sort_unstable();
    let mut similar = Vec::new();
    for of_look in looks.chunk_by(|(one, ..), (other, ..)| one == other) {
        // Many may have one name, and few names share a look.
        let mut before: Vec<(Row, &str)> = Vec::new();
        for (_, row, name) in of_look {
            if before
                .iter()
                .any(|(_, known)| known.eq_ignore_ascii_case(name))
            {
                continue;
            }
            let like = before.iter().find(|(_, known)| are_alike(name, known));
            similar.extend(like.map(|(other, _)| (*row, *other)));
            before.truncate(SHOWN);
            before.push((*row, name));
        }
    }
    similar
}

fn as_written([as_written, _]: [u64; 2]) -> u64 {
    as_written
}

/// The fault of a name that cannot be typed.
fn empty(name: &str) -> Option<&'static str> {
    name.is_empty().then_some("is empty")
}

/// The fault of a name that a reader cannot read with certainty.
fn unfit(name: &str) -> Option<&'static str> {
    if name.trim() != name {
        return Some("begins or ends with a blank");
    }
    if name.chars().any(is_unseen) {
        return Some("has characters that do not show");
    }
    // Each word of an address may have a script of its own.
    let mut words = name.split(|character: char| !character.is_alphabetic());
    let is_mixed = !name.is_ascii() && words.any(|word| !word.is_single_script());
    is_mixed.then_some("has letters of several scripts in one word, some of which look like others")
}
