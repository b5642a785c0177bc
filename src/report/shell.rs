//! Words of command lines.

use std::borrow::Cow;

/// A word of a command line, quoted if shells would change it: in double quotes, which those of Windows know too, or as
/// POSIX has it where double quotes do not protect it.
pub fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=@,%+".contains(letter);
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(is_plain) {
        return Cow::Borrowed(word);
    }
    match word.contains(['"', '$', '`', '\\', '!', '\n']) {
        false => Cow::Owned(format!("\"{word}\"")),
        // Only a zero byte, which no argument has, cannot be quoted.
        true => shlex::try_quote(word).unwrap_or(Cow::Borrowed(word)),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use super::quoted;

    #[test]
    fn a_shell_reads_it_as_it_was_meant() {
        assert_eq!(quoted("P01=off"), "P01=off");
        assert_eq!(quoted("Help Desk Operator"), "\"Help Desk Operator\"");
        assert_eq!(quoted("it's"), "\"it's\"");
        assert_eq!(quoted(r#"{"id":1}"#), r#"'{"id":1}'"#);
        for word in [
            "",
            "=",
            "$(id)",
            "a b",
            "it's",
            "a\"$(b)'",
            "\u{1f980}=;",
            "a\nb",
            "!x",
        ] {
            let read: Vec<String> = shlex::split(&quoted(word)).unwrap();
            assert_eq!(read, [word], "{}", quoted(word));
        }
    }
}
