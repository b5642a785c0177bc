//! The index by which people, devices and roles are found while their names are typed.
//!
//! Each word of a name or an id is one entry of eight bytes: where it begins. The entries are sorted by the text from
//! there on, so that those that begin with what was typed stand together. Nothing of the texts is copied.

use std::ops::Range;

use cedar_policy::{EntityTypeName, EntityUid};
use rayon::slice::ParallelSliceMut;
use tarbac_host::Engine;
use tarbac_host::bundle::{Action, Vocabulary};
use tarbac_store::Row;
use uuid::Uuid;

/// The most words of a text that are found by.
const WORDS: usize = 4;

/// The most bytes of a text that are looked at.
const LONGEST: usize = u16::MAX as usize;

/// The beginning of a word.
#[derive(Debug, Clone, Copy)]
struct Word {
    row: u32,
    /// The text that has it: 0 is the id, and those after it are the aliases of the type.
    text: u16,
    /// Its first byte.
    at: u16,
}

/// A word and the text from it on, while the index is made.
struct Cut<'d> {
    rest: &'d [u8],
    word: Word,
}

/// A type of entities that are found.
struct IndexedType {
    type_name: EntityTypeName,
    /// From the first row to the last.
    rows: Range<u32>,
    aliases: Vec<String>,
}

/// The words of the entities of some types.
pub(crate) struct NameIndex {
    words: Vec<Word>,
    types: Vec<IndexedType>,
}

/// The fit of an entity; the least is best. After the rank comes the place in the order of the texts.
type Fit = (u8, usize);

impl NameIndex {
    /// The words of all entities of these types.
    pub(crate) fn new(engine: &Engine, types: &[EntityTypeName]) -> Self {
        let directory = engine.directory();
        let vocabulary = engine.bundle().vocabulary();
        let mut found = Vec::new();
        let mut cuts = Vec::new();
        for type_name in types {
            let aliases: Vec<String> = vocabulary
                .aliases(&type_name.to_string())
                .map(str::to_owned)
                .collect();
            let (mut first, mut last) = (u32::MAX, 0);
            for row in directory.rows_of(type_name) {
                let number = row.raw();
                (first, last) = (first.min(number), last.max(number + 1));
                let id = directory.id(row);
                let names = aliases.iter().map(|of| directory.attribute_text(row, of));
                for (text, content) in (0..).zip(std::iter::once(Some(id)).chain(names)) {
                    let content = content.unwrap_or_default();
                    // An id that is the name as well is found by that.
                    if text == 0 || content != id {
                        cut(content, (number, text), &mut cuts);
                    }
                }
            }
            found.push(IndexedType {
                type_name: type_name.clone(),
                rows: first.min(last)..last,
                aliases,
            });
        }
        cuts.par_sort_unstable_by(|one: &Cut<'_>, other: &Cut<'_>| {
            let by_text = lower(one.rest).cmp(lower(other.rest));
            by_text
                .then_with(|| (one.word.row, one.word.text).cmp(&(other.word.row, other.word.text)))
        });
        Self {
            words: cuts.into_iter().map(|cut| cut.word).collect(),
            types: found,
        }
    }

    /// The number of words.
    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// The entities of which a word begins with this text, best first: those whose name begins with it, those whose id
    /// does, and those of which another word does. The case of ASCII letters does not matter.
    pub(crate) fn find(
        &self,
        engine: &Engine,
        text: &str,
        types: &[EntityTypeName],
        limit: usize,
    ) -> Vec<EntityUid> {
        let text = text.trim().as_bytes();
        if text.is_empty() || limit == 0 {
            return Vec::new();
        }
        let begins = |word: &Word| lower(self.rest(engine, word)).take(text.len());
        let first = self
            .words
            .partition_point(|word| begins(word).lt(lower(text)));
        let end = self
            .words
            .partition_point(|word| begins(word).le(lower(text)));
        let wanted: Vec<Range<u32>> = self
            .types
            .iter()
            .filter(|found| types.contains(&found.type_name))
            .map(|found| found.rows.clone())
            .collect();
        let mut best: Vec<(Fit, u32)> = Vec::new();
        for (place, word) in self.words.iter().enumerate().take(end).skip(first) {
            if !wanted.iter().any(|rows| rows.contains(&word.row)) {
                continue;
            }
            let fit = (word.rank(), place);
            let is_full = best.len() == limit;
            if is_full && best.last().is_some_and(|(worst, _)| *worst <= fit) {
                continue;
            }
            // Another word of the same entity may fit as well.
            match best.iter().position(|(_, row)| *row == word.row) {
                Some(known) if best.get(known).is_some_and(|(better, _)| *better <= fit) => {
                    continue;
                }
                Some(known) => drop(best.remove(known)),
                None if is_full => drop(best.pop()),
                None => {}
            }
            let at = best.partition_point(|(known, _)| *known <= fit);
            best.insert(at, (fit, word.row));
        }
        let directory = engine.directory();
        let rows = best.into_iter().map(|(_, row)| Row::new(row));
        rows.map(|row| directory.uid(row)).collect()
    }

    /// The text from a word on.
    fn rest<'d>(&self, engine: &'d Engine, word: &Word) -> &'d [u8] {
        let (row, directory) = (Row::new(word.row), engine.directory());
        let content = match word.text.checked_sub(1) {
            None => Some(directory.id(row)),
            Some(alias) => {
                let found = self
                    .types
                    .iter()
                    .find(|found| found.rows.contains(&word.row));
                let alias = found.and_then(|found| found.aliases.get(usize::from(alias)));
                alias.and_then(|alias| directory.attribute_text(row, alias))
            }
        };
        let content = content.unwrap_or_default().as_bytes();
        content.get(usize::from(word.at)..).unwrap_or_default()
    }
}

impl Word {
    fn rank(self) -> u8 {
        match (self.at, self.text) {
            (0, 1..) => 0,
            (0, 0) => 1,
            (_, 1..) => 2,
            (_, 0) => 3,
        }
    }
}

/// Adds the words of a text.
fn cut<'d>(content: &'d str, (row, text): (u32, u16), cuts: &mut Vec<Cut<'d>>) {
    let is_whole = content.len() == 36 && Uuid::try_parse(content).is_ok();
    let words = if is_whole { 1 } else { WORDS };
    for at in beginnings(content).take(words) {
        if let (Some(rest), Ok(at)) = (content.as_bytes().get(at..), u16::try_from(at)) {
            let word = Word { row, text, at };
            cuts.push(Cut { rest, word });
        }
    }
}

/// The places where the words of a text begin.
fn beginnings(content: &str) -> impl Iterator<Item = usize> {
    let mut is_before = false;
    content.char_indices().filter_map(move |(at, character)| {
        let is_within = character.is_alphanumeric();
        let begins = is_within && !is_before && at < LONGEST;
        is_before = is_within;
        begins.then_some(at)
    })
}

fn lower(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().map(u8::to_ascii_lowercase)
}

/// The permissions of which a word begins with this text, in the order of the schema: first those whose name or id does.
pub(crate) fn actions<'v>(vocabulary: &'v Vocabulary, text: &str, limit: usize) -> Vec<&'v Action> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    let starts = |content: &str| {
        let start = content.get(..text.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(text))
    };
    let rank = |action: &Action| {
        let names = [action.short_name(), action.id()];
        let words = |content: &str| {
            beginnings(content).any(|at| starts(content.get(at..).unwrap_or_default()))
        };
        match names {
            names if names.into_iter().any(starts) => Some(0),
            _ if words(action.name()) || words(action.id()) => Some(1),
            _ => None,
        }
    };
    let found = vocabulary
        .permissions()
        .filter_map(|action| Some((rank(action)?, action)));
    let mut found: Vec<(u8, &Action)> = found.collect();
    found.sort_by_key(|(rank, _)| *rank);
    found
        .into_iter()
        .take(limit)
        .map(|(_, action)| action)
        .collect()
}
