//! Command lines for a shell.

use std::borrow::Cow;

use tarbac_report::shell::quoted;

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
    let words: Vec<Cow<'_, str>> = words.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::command_line;

    fn of(arguments: &[&str]) -> String {
        command_line(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn the_format_is_left_out() {
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
        assert_eq!(of(&["--grant", role]), format!("tarbac --grant \"{role}\""));
    }
}
