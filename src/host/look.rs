//! The look of names: which texts a reader takes for each other.
//!
//! Letters of other scripts are compared by the skeletons of Unicode (UTS 39). For ASCII, where skeletons would be slow
//! for a million names, a table of bytes leads to the same texts: `I`, `1` and `|` are shown like `l`, `0` like `O`,
//! and `m` like `rn`.

use std::borrow::Cow;
use std::hash::Hasher;

use fnv::FnvHasher;
use unicode_security::confusable_detection::skeleton;

/// Whether a character is invisible or steers a terminal.
pub(crate) fn is_unseen(character: char) -> bool {
    let is_blank = character.is_whitespace() && character != ' ';
    character.is_control() || is_blank || is_format(character)
}

/// Whether a character only changes how others are shown: it joins, separates or turns them.
fn is_format(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a name consists of visible ASCII characters, without blanks around them.
pub(crate) fn is_plain(name: &str) -> bool {
    name.is_ascii() && name.trim() == name && !name.contains(|it: char| it.is_ascii_control())
}

/// Two hashes of the look of a name: as it is written, and in lower case. Names that share one may look alike; of two
/// plain names, [`are_alike`] says whether they do.
///
/// The case of letters does not tell names apart, but it changes their look: `I` is shown like `l`, and `i` is not.
pub(crate) fn looks_of(name: &str) -> [u64; 2] {
    if is_plain(name) {
        let as_written = of_ascii(name.bytes());
        let lower = of_ascii(name.bytes().map(|byte| byte.to_ascii_lowercase()));
        return [as_written, lower];
    }
    let shown = shown(name);
    let lower = shown.to_lowercase();
    [&shown, &Cow::Owned(lower)].map(|text| {
        let mut hasher = FnvHasher::default();
        for character in skeleton(text) {
            match u8::try_from(character) {
                Ok(byte) if byte.is_ascii() => put(&mut hasher, byte),
                _ => {
                    let lower = character.to_lowercase();
                    lower.for_each(|part| hasher.write_u32(u32::from(part)));
                }
            }
        }
        hasher.finish()
    })
}

/// Whether two plain names that differ look alike as they are written: `paypaI` and `PayPal` do, `KIM` and `KLM`, which
/// share a look in lower case, do not.
pub(crate) fn are_alike(one: &str, other: &str) -> bool {
    !one.eq_ignore_ascii_case(other) && is_shown_like(one.as_bytes(), other.as_bytes())
}

fn is_shown_like(mut one: &[u8], mut other: &[u8]) -> bool {
    loop {
        (one, other) = match (one, other) {
            ([], []) => return true,
            ([b'm', one @ ..], [b'r', b'n', other @ ..])
            | ([b'r', b'n', one @ ..], [b'm', other @ ..]) => (one, other),
            ([first, one @ ..], [second, other @ ..]) => {
                let are = |set: &[u8]| set.contains(first) && set.contains(second);
                if !first.eq_ignore_ascii_case(second) && !are(b"Il1|") && !are(b"0Oo") {
                    return false;
                }
                (one, other)
            }
            _ => return false,
        };
    }
}

/// A name without characters that do not show.
fn shown(name: &str) -> Cow<'_, str> {
    if !name.contains(is_unseen) {
        return Cow::Borrowed(name.trim());
    }
    let shown = name.chars().filter_map(|character| match character {
        _ if !is_unseen(character) => Some(character),
        _ if character.is_whitespace() => Some(' '),
        _ => None,
    });
    let shown: String = shown.collect();
    Cow::Owned(shown.trim().to_owned())
}

fn of_ascii(bytes: impl Iterator<Item = u8>) -> u64 {
    let mut hasher = FnvHasher::default();
    bytes.for_each(|byte| put(&mut hasher, byte));
    hasher.finish()
}

/// Adds what stands for an ASCII character in a look, whatever its case. The texts are those of skeletons.
fn put(hasher: &mut FnvHasher, byte: u8) {
    match byte {
        b'I' | b'1' | b'|' => hasher.write_u8(b'l'),
        b'0' => hasher.write_u8(b'o'),
        b'M' | b'm' => hasher.write(b"rn"),
        b'"' => hasher.write(b"''"),
        b'`' => hasher.write_u8(b'\''),
        _ => hasher.write_u8(byte.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share_a_look(one: &str, other: &str) -> bool {
        let others = looks_of(other);
        looks_of(one).iter().any(|look| others.contains(look))
    }

    #[test]
    fn ascii_has_the_looks_of_skeletons() {
        for byte in b' '..=b'~' {
            let name = char::from(byte).to_string();
            // What stands for a percent sign is no ASCII.
            if name == "%" || name == " " {
                continue;
            }
            let skeleton: String = skeleton(&name).collect();
            let skeleton = of_ascii(skeleton.bytes());
            assert_eq!(looks_of(&name).first(), Some(&skeleton), "{name}");
        }
    }

    #[test]
    fn names_that_are_shown_alike_share_a_look() {
        for (one, other) in [
            ("paypaI", "paypal"),
            ("PaypaI", "payPal"),
            ("paypa1", "paypa|"),
            ("b0b", "BOB"),
            ("rnike", "mike"),
            ("Mai1", "mail"),
        ] {
            assert!(share_a_look(one, other), "{one} {other}");
            assert!(are_alike(one, other), "{one} {other}");
            assert!(are_alike(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("KIM", "KLM"),
            ("KIM", "klm1"),
            ("HOM", "HORN"),
            ("ina", "lna"),
            ("a", "ab"),
            ("Bob", "bob"),
        ] {
            assert!(!are_alike(one, other), "{one} {other}");
        }
        // Mixed script, with a letter that is similar within ASCII beside one of another script.
        for (one, other) in [
            ("p\u{430}ypaI", "paypal"),
            ("p\u{430}ypaI", "PAYPAL"),
            ("\u{420}aypal", "paypaI"),
            ("In\u{430}", "ina"),
            ("\u{ff4d}ike", "mike"),
            ("\u{43c}\u{438}\u{440}", "\u{41c}\u{418}\u{420}"),
        ] {
            assert!(share_a_look(one, other), "{one} {other}");
        }
        for (one, other) in [("k\u{fc}hn", "kuhn"), ("\u{e5}sa", "asa")] {
            assert!(!share_a_look(one, other), "{one} {other}");
        }
    }
}
