//! The limit on nesting, which protects the stack.
//!
//! Cedar's parser and validator make a recursive call for each level, so a text with extreme nesting would end the
//! process instead of giving a finding.

use std::sync::Arc;

use tarbac_diagnostic::code::{self, Code};
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};

/// The most nested brackets.
const MOST_BRACKETS: usize = 32;

/// The most operators of a policy; a chain of them is as deep as it is long.
const MOST_OPERATORS: usize = 3000;

/// The ends of the policies in a file, each after the semicolon, or a finding about the nesting.
pub(super) fn of_policies(source: &Arc<Source>) -> Result<Vec<usize>, Finding> {
    let mut ends = Vec::new();
    match too_deep(source, code::policy::NESTING, false, |end| ends.push(end)) {
        Some(finding) => Err(finding),
        None => Ok(ends),
    }
}

/// The finding about the nesting of a schema file, if it is too deep.
pub(super) fn of_schema(source: &Arc<Source>) -> Option<Finding> {
    too_deep(source, code::schema::NESTING, true, |_| ())
}

fn too_deep(
    source: &Arc<Source>,
    code: Code,
    angles_nest: bool,
    mut ends: impl FnMut(usize),
) -> Option<Finding> {
    let mut depth = 0_usize;
    let mut operators = 0_usize;
    let mut is_word = false;
    let mut bytes = source.text().bytes().enumerate().peekable();
    while let Some((offset, byte)) = bytes.next() {
        let starts_word = !is_word;
        is_word = byte.is_ascii_alphanumeric() || byte == b'_';
        match byte {
            b'"' => skip_string(&mut bytes),
            b'/' if bytes.next_if(|(_, next)| *next == b'/').is_some() => {
                while bytes.next_if(|(_, next)| *next != b'\n').is_some() {}
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'<' if angles_nest => depth += 1,
            b'>' if angles_nest => depth = depth.saturating_sub(1),
            b';' if depth == 0 => {
                operators = 0;
                ends(offset + 1);
            }
            b'&' | b'|' => {
                bytes.next_if(|(_, next)| *next == byte);
                operators += 1;
            }
            b'+' | b'-' | b'*' | b'!' | b'.' => operators += 1,
            b'i' | b'w' | b'u' if starts_word => {
                let rest = source.text().get(offset..).unwrap_or_default();
                let adds_level = ["if", "when", "unless"]
                    .iter()
                    .any(|word| rest.starts_with(word));
                operators += usize::from(adds_level);
            }
            _ => {}
        }
        let (message, help) = if depth > MOST_BRACKETS {
            too_many_brackets()
        } else if operators > MOST_OPERATORS && !angles_nest {
            too_many_operators()
        } else {
            continue;
        };
        let place = Place::new(source, offset..offset + 1);
        let finding = Finding::error(code, message).label(place, "here");
        return Some(finding.help(help));
    }
    None
}

fn too_many_brackets() -> (String, &'static str) {
    let message = format!("brackets are nested more than {MOST_BRACKETS} deep");
    (message, "write it flatter")
}

fn too_many_operators() -> (String, &'static str) {
    let message = format!("a policy has more than {MOST_OPERATORS} operators");
    let help = "compare with a set, `[…].contains(…)`, or split the policy";
    (message, help)
}

fn skip_string(bytes: &mut impl Iterator<Item = (usize, u8)>) {
    while let Some((_, byte)) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'"' => return,
            _ => {}
        }
    }
}
