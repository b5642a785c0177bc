//! The command line and the request that ask the same as a view.

use serde_json::{Map, Value};
use tarbac_analysis::change::what_if::Change;

use super::arguments::Suppositions;

/// What asks the same as a view does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Equal {
    /// The command line.
    pub(crate) line: String,
    /// The request of `curl`.
    pub(crate) curl: String,
}

/// A command as it is typed: its words, and the arguments of the API.
#[derive(Debug, Clone, Default)]
pub(crate) struct Typed {
    words: Vec<String>,
    members: Map<String, Value>,
}

impl Typed {
    /// A command of this name, which may have a subcommand.
    pub(crate) fn new(command: &str) -> Self {
        Self {
            words: command.split(' ').map(str::to_owned).collect(),
            members: Map::new(),
        }
    }

    /// A positional argument.
    pub(crate) fn word(&mut self, name: &str, value: &str) {
        self.words.push(value.to_owned());
        self.members.insert(name.to_owned(), value.into());
    }

    /// A flag without a value.
    pub(crate) fn flag(&mut self, name: &str) {
        self.words.push(format!("--{name}"));
        self.members.insert(name.to_owned(), true.into());
    }

    /// A flag with a value, which may be given again.
    pub(crate) fn value(&mut self, name: &str, value: &str) {
        self.words.push(format!("--{name}"));
        self.words.push(value.to_owned());
        let values = self.members.entry(name.to_owned());
        if let Value::Array(values) = values.or_insert_with(|| Value::Array(Vec::new())) {
            values.push(value.into());
        }
    }

    /// A flag of the command line that the API does without.
    pub(crate) fn shell(&mut self, name: &str, value: &str) {
        self.words.push(format!("--{name}"));
        self.words.push(value.to_owned());
    }

    /// The command line in this workspace.
    pub(crate) fn line(&self, folder: Option<&str>) -> String {
        let place = folder.map(|folder| ["-C".to_owned(), folder.to_owned()]);
        let words = place
            .into_iter()
            .flatten()
            .chain(self.words.iter().cloned());
        let words: Vec<String> = words.map(|word| quoted(&word)).collect();
        format!("tarbac {}", words.join(" "))
    }

    /// The command line in this workspace, and the request to the server at this address.
    pub(crate) fn equal(&self, folder: Option<&str>, url: &str) -> Equal {
        let body = Value::Object(self.members.clone()).to_string();
        Equal {
            line: self.line(folder),
            curl: format!(
                "curl -H 'Content-Type: application/json' {} -d {}",
                quoted(url),
                single(&body)
            ),
        }
    }

    /// The same, where an address alone is the request.
    pub(crate) fn equal_get(&self, folder: Option<&str>, url: &str) -> Equal {
        Equal {
            line: self.line(folder),
            curl: format!("curl {}", quoted(url)),
        }
    }
}

/// Adds what a question supposes to a command.
pub(crate) fn add_suppositions(typed: &mut Typed, suppositions: &Suppositions) {
    for change in &suppositions.changes {
        match change {
            Change::Flag { flag, value } => typed.value(flag, value),
            Change::Set(text) => typed.value("set", text),
            Change::Grant(text) => typed.value("grant", text),
            Change::Revoke(text) => typed.value("revoke", text),
        }
    }
    for name in &suppositions.switches.on {
        typed.value("reading", name);
    }
    for name in &suppositions.switches.off {
        typed.value("no-reading", name);
    }
}

/// A word of a command line, as shells take it.
fn quoted(word: &str) -> String {
    let is_plain = |of: char| of.is_ascii_alphanumeric() || "-_./:=@,%+".contains(of);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    // Within double quotes, shells obey these.
    match word.contains(['"', '$', '`', '\\', '!']) {
        false => format!("\"{word}\""),
        true => single(word),
    }
}

fn single(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_takes_each_word_for_one() {
        assert_eq!(quoted("P01=off"), "P01=off");
        assert_eq!(quoted("Help Desk Operator"), "\"Help Desk Operator\"");
        assert_eq!(quoted("a\"$(b)'"), "'a\"$(b)'\\'''");
        assert_eq!(quoted(""), "\"\"");
    }
}
