//! Command lines for a shell.

use std::borrow::Cow;

/// A command line for a shell, made of the arguments of this program, but for the format.
pub(crate) fn command_line(mut arguments: impl Iterator<Item = String>) -> String {
    let mut words = vec!["tarbac".to_owned()];
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--format" => {
                arguments.next();
            }
            format if format.starts_with("--format=") => {}
            _ => words.push(argument),
        }
    }
    let words: Vec<Cow<'_, str>> = words.iter().map(|text| word(text)).collect();
    words.join(" ")
}

/// A word for a shell. Unlike the quotation of shlex, it leaves `P01=off` as it is, which no shell changes.
fn word(text: &str) -> Cow<'_, str> {
    let without = text.replace('=', "");
    match !text.starts_with('=') && !without.is_empty() && by_shlex(&without) == without {
        true => Cow::Borrowed(text),
        false => by_shlex(text),
    }
}

fn by_shlex(text: &str) -> Cow<'_, str> {
    // Only a zero byte, which no argument has, cannot be quoted.
    shlex::try_quote(text).unwrap_or(Cow::Borrowed(text))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use super::command_line;

    fn of(arguments: &[&str]) -> String {
        command_line(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn a_shell_reads_it_as_it_was_meant() {
        let flags = [
            "what-if",
            "--format",
            "html",
            "--enforce-configmgr-rbac",
            "P01=off",
        ];
        let expected = "tarbac what-if --enforce-configmgr-rbac P01=off";
        assert_eq!(of(&flags), expected);
        assert_eq!(
            of(&["access", "--format=html", "--all"]),
            "tarbac access --all"
        );
        let role = "ada@contoso.example=Help Desk Operator";
        assert_eq!(of(&["--grant", role]), format!("tarbac --grant '{role}'"));
        for word in ["", "=", "$(id)", "a b", "it's", "\u{1f980}=;"] {
            let line = of(&[word]);
            let read: Vec<String> = shlex::split(&line).unwrap();
            assert_eq!(read, ["tarbac", word], "{line}");
        }
    }
}
