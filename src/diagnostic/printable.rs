//! Text without control characters, for terminals and the logs of build servers.
//!
//! Names of people, texts of policies and file names come from other people. A terminal obeys control characters, and
//! characters that change the direction of writing mislead a reader. The runners of GitHub and Azure obey lines that
//! begin with `::`, and `##[` and `##vso[` anywhere.

use std::borrow::Cow;

/// The replacement for a character that must not be shown.
const REPLACED: char = '\u{fffd}';

/// Whether a character has an effect instead of a shape: a control character, or one that changes the direction of
/// writing or ends a line.
pub fn is_obeyed(character: char) -> bool {
    let turns_or_ends = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    character.is_control() || turns_or_ends
}

/// Text in one line, without characters that are obeyed, including line ends.
pub fn line(text: &str) -> Cow<'_, str> {
    replaced(text, |_| false)
}

/// Text in several lines, without characters that are obeyed.
pub fn lines(text: &str) -> Cow<'_, str> {
    replaced(text, |character| matches!(character, '\n' | '\t'))
}

fn replaced(text: &str, is_kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_hostile = |character: char| is_obeyed(character) && !is_kept(character);
    match text.contains(is_hostile) {
        true => Cow::Owned(text.replace(is_hostile, "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}

/// A text in several lines that is safe to write, with its colours if it has any. A text that was put into one line
/// stays in one.
pub fn answer(text: &str, has_colours: bool) -> Cow<'_, str> {
    let is_command = |line: &str| line.trim_start().starts_with("::");
    if !is_suspect(text) && !text.lines().any(is_command) {
        return Cow::Borrowed(text);
    }
    // No terminal shows the line end of Windows.
    let text = text.replace("\r\n", "\n");
    let mut written = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start().len();
        let (blanks, mut rest) = line.split_at(blanks);
        written += &lines(blanks);
        if is_command(rest) {
            written.push(REPLACED);
        }
        while let Some(first) = rest.chars().next() {
            if let Some(colour) = colour(rest).filter(|_| has_colours) {
                written += colour;
                rest = rest.get(colour.len()..).unwrap_or_default();
                continue;
            }
            written.push(first);
            if rest.starts_with("##[") || rest.starts_with("##vso[") {
                written.push(REPLACED);
            } else if is_obeyed(first) && !matches!(first, '\n' | '\t') {
                written.pop();
                written.push(REPLACED);
            }
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    Cow::Owned(written)
}

/// JSON that is safe to write: the characters that are obeyed, which occur only in strings, become escapes.
pub fn json(text: &str) -> Cow<'_, str> {
    if !is_suspect(text) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        let is_command = rest.starts_with("##[") || rest.starts_with("##vso[");
        match is_command || is_obeyed(character) && character != '\n' {
            true => written += &format!("\\u{:04x}", u32::from(character)),
            false => written.push(character),
        }
    }
    Cow::Owned(written)
}

/// The longest message, in bytes. A message can quote a wrong text, which may be as large as a file.
const LONGEST: usize = 2_000;

/// A message without its middle, if it is too long.
pub fn short(message: String) -> String {
    if message.len() <= LONGEST {
        return message;
    }
    let begins = message.floor_char_boundary(LONGEST * 3 / 4);
    let ends = message.ceil_char_boundary(message.len() - LONGEST / 4);
    let [begins, ends] =
        [message.get(..begins), message.get(ends..)].map(Option::unwrap_or_default);
    format!("{begins} […] {ends}")
}

/// Whether a text contains anything that is obeyed. Texts are often large, and most contain nothing of the kind.
fn is_suspect(text: &str) -> bool {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    let bytes = text.as_bytes();
    // The characters that are obeyed begin with these bytes, and few others do.
    let begins = |byte: &u8| matches!(byte, 0xc2 | 0xd8 | 0xe2);
    let is_harmless = |byte: &u8| is_plain(byte) || (*byte >= 0x80 && !begins(byte));
    let is_obeyed = !bytes.iter().all(is_harmless)
        && text.contains(|character| is_obeyed(character) && !matches!(character, '\n' | '\t'));
    is_obeyed || text.contains("##[") || text.contains("##vso[")
}

/// A sequence at the beginning of a text that sets colours: `ESC [`, numbers, and `m`.
fn colour(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("\u{1b}[")?;
    let end = rest.find(|character: char| !matches!(character, '0'..='9' | ';'))?;
    rest.get(end..)?.starts_with('m').then_some(())?;
    text.get(..text.len() - rest.len() + end + 1)
}

#[cfg(test)]
mod tests {
    use super::{answer, json, line, lines, short};

    #[test]
    fn what_is_obeyed_is_replaced() {
        assert_eq!(
            line("a\u{1b}[2J\r\n\u{202e}b\u{2028}\u{7f}\u{9b}"),
            "a\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}b\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(lines("a\n\tb\u{7}"), "a\n\tb\u{fffd}");
    }

    #[test]
    fn commands_of_runners_are_none() {
        let text = "x\n  ::error file=a::pwn\nEntra::User ##[error]y ##vso[task]z\r\n";
        let expected = "x\n  \u{fffd}::error file=a::pwn\nEntra::User #\u{fffd}#[error]y #\u{fffd}#vso[task]z\n";
        assert_eq!(answer(text, false), expected);
        assert_eq!(
            answer("\u{1b}::add-mask::x", false),
            "\u{fffd}::add-mask::x"
        );
    }

    #[test]
    fn own_colours_are_kept() {
        let text = "\u{1b}[1;32mALLOW\u{1b}[0m \u{1b}[2J \u{1b}]0;x\u{7}\n";
        assert_eq!(
            answer(text, true),
            "\u{1b}[1;32mALLOW\u{1b}[0m \u{fffd}[2J \u{fffd}]0;x\u{fffd}\n"
        );
        assert!(!answer(text, false).contains('\u{1b}'));
    }

    #[test]
    fn long_messages_lose_their_middle() {
        let message = format!("cannot read `{}é`, which is long", "é".repeat(50_000));
        let short = short(message);
        assert!(
            short.len() < 2_100 && short.starts_with("cannot read") && short.ends_with("is long"),
            "{short}"
        );
        assert_eq!(super::short("x".to_owned()), "x");
    }

    #[test]
    fn json_stays_what_it_says() -> Result<(), serde_json::Error> {
        let text = "{\"a\": \"\u{202e}\u{9b}##[error]x\"}\n";
        let written = json(text);
        assert!(written.is_ascii() && !written.contains("##["), "{written}");
        let (one, other): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(text)?, serde_json::from_str(&written)?);
        assert_eq!(one, other);
        Ok(())
    }
}
