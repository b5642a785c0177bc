//! Excerpts of files around the places of findings.
//!
//! The texts of policies and schema are in memory. A file of entities may be larger than memory, and a file of a
//! million entities may be one line; so it is read again, once for all places, and only a part of each line is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;

use crate::workspace::regular;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::printable::is_obeyed;
use tarbac_diagnostic::source::{Place, Source, Text};

/// The most bytes of a line before a place.
const BEFORE: u64 = 60;

/// The most bytes from the start of a place.
const AFTER: u64 = 160;

/// The first and last bytes of places in one file.
type Spans = BTreeSet<(u64, u64)>;

/// The text around a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line of the place, counted from 1.
    pub line: usize,
    /// Its column in characters, counted from 1.
    pub column: usize,
    /// The line of the first character after the place; that of the place if the place is empty.
    pub end_line: usize,
    /// The column of the first character after the place.
    pub end_column: usize,
    /// The line of the place, with the previous and the next one; long lines are cut.
    pub text: String,
    /// The line number of the first line of the text, counted from 1.
    pub first_line: usize,
    /// The start of the place in the text, in bytes.
    pub start: usize,
    /// The end of the place in the text, at the latest at the end of its first line.
    pub end: usize,
}

/// The excerpts of all places of some findings.
#[derive(Debug, Default)]
pub struct Excerpts(BTreeMap<(String, u64, u64), Excerpt>);

impl Excerpts {
    /// The excerpts of the places of findings. A file that has changed or cannot be read again has none.
    pub fn read<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        Self::around(findings.into_iter().flat_map(Finding::places))
    }

    /// The excerpts of these places.
    pub fn around<'a>(wanted: impl Iterator<Item = &'a Place>) -> Self {
        let mut places: BTreeMap<&str, (&Arc<Source>, Spans)> = BTreeMap::new();
        for place in wanted {
            places
                .entry(&place.source.name)
                .or_insert_with(|| (&place.source, Spans::new()))
                .1
                .insert((place.start, place.end));
        }
        let mut excerpts = BTreeMap::new();
        for (name, (source, spans)) in places {
            let read = match &source.text {
                Text::Held(text) => read(&mut Cursor::new(text.as_bytes()), &spans),
                Text::OnDisk(path) => {
                    regular::open(path).and_then(|mut file| read(&mut file, &spans))
                }
            };
            for ((start, end), excerpt) in read.unwrap_or_default() {
                excerpts.insert((name.to_owned(), start, end), excerpt);
            }
        }
        Self(excerpts)
    }

    /// The excerpt of a place.
    pub fn at(&self, place: &Place) -> Option<&Excerpt> {
        self.0
            .get(&(place.source.name.clone(), place.start, place.end))
    }
}

/// The position of a byte in lines.
#[derive(Debug, Clone, Copy)]
struct Position {
    line: usize,
    column: usize,
    line_start: u64,
    line_before: Option<u64>,
}

fn read(file: &mut (impl Read + Seek), spans: &Spans) -> io::Result<Vec<((u64, u64), Excerpt)>> {
    let wanted: BTreeSet<u64> = spans
        .iter()
        .flat_map(|(start, end)| [*start, *end])
        .collect();
    let positions = positions(&mut *file, &wanted)?;
    let mut excerpts = Vec::with_capacity(spans.len());
    for span in spans {
        if let (Some(start), Some(end)) = (positions.get(&span.0), positions.get(&span.1)) {
            excerpts.push((*span, cut(file, *span, *start, *end)?));
        }
    }
    Ok(excerpts)
}

/// The positions of these bytes, found in one pass; a byte after the end has the position of the end.
fn positions(file: impl Read, wanted: &BTreeSet<u64>) -> io::Result<BTreeMap<u64, Position>> {
    let mut found = BTreeMap::new();
    let mut wanted = wanted.iter().copied().peekable();
    let mut position = Position {
        line: 1,
        column: 1,
        line_start: 0,
        line_before: None,
    };
    let mut bytes = BufReader::with_capacity(256 * 1024, file).bytes();
    let mut offset = 0;
    while wanted.peek().is_some() {
        if wanted.next_if_eq(&offset).is_some() {
            found.insert(offset, position);
        }
        let Some(byte) = bytes.next().transpose()? else {
            break;
        };
        offset += 1;
        if byte == b'\n' {
            position = Position {
                line: position.line + 1,
                column: 1,
                line_start: offset,
                line_before: Some(position.line_start),
            };
        } else if byte & 0b1100_0000 != 0b1000_0000 {
            position.column += 1;
        }
    }
    found.extend(wanted.map(|behind| (behind, position)));
    Ok(found)
}

fn cut(
    file: &mut (impl Read + Seek),
    (start, end): (u64, u64),
    position: Position,
    end_position: Position,
) -> io::Result<Excerpt> {
    let nearest = start.saturating_sub(BEFORE);
    let is_cut = nearest > position.line_start;
    let (from, first_line) = match position.line_before {
        Some(before) if before >= nearest => (before, position.line - 1),
        _ => (position.line_start.max(nearest), position.line),
    };
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(start.saturating_sub(from) + AFTER)
        .read_to_end(&mut bytes)?;
    let split = usize::try_from(start - from)
        .unwrap_or_default()
        .min(bytes.len());
    let (before, rest) = bytes.split_at(split);
    // The line of the place, and the next line if it is complete.
    let mut lines = rest.splitn(3, |byte| *byte == b'\n');
    let (line, after) = (lines.next().unwrap_or_default(), lines.next());
    let is_whole = lines.next().is_some() || (rest.len() as u64) < AFTER;
    let after = after.filter(|_| is_whole);
    let length = usize::try_from(end.saturating_sub(start))
        .unwrap_or(usize::MAX)
        .min(line.len());
    let (label, tail) = line.split_at(length);

    let before = match is_cut {
        true => shown(before).trim_start_matches('\u{fffd}').to_owned(),
        false => shown(before),
    };
    let mut text = before;
    let label_start = text.len();
    text += &shown(label);
    let label_end = text.trim_end_matches('\u{fffd}').len().max(label_start);
    text += &shown(tail);
    text = text.trim_end_matches('\u{fffd}').to_owned();
    if let Some(after) = after {
        text.push('\n');
        text += shown(after).trim_end_matches('\u{fffd}');
    }
    // A place at the end of a line is shown at its last character.
    let label_start = match label_start == label_end && tail.is_empty() {
        true => before_last(&text, label_start),
        false => label_start,
    };
    Ok(Excerpt {
        line: position.line,
        column: position.column,
        end_line: end_position.line,
        end_column: end_position.column,
        first_line,
        start: label_start.min(text.len()),
        end: label_end.min(text.len()),
        text,
    })
}

/// The start of the character before `end` on the same line.
fn before_last(text: &str, end: usize) -> usize {
    let before = text.get(..end).unwrap_or_default();
    before
        .chars()
        .next_back()
        .filter(|last| *last != '\n')
        .map_or(end, |last| end - last.len_utf8())
}

/// Bytes as printable text.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .filter(|character| *character != '\r')
        .map(|character| match character {
            '\n' | '\t' => character,
            character if is_obeyed(character) => '\u{fffd}',
            character => character,
        })
        .collect()
}
