//! The command line and the request that are equal to a view.

use serde_json::{Map, Value};
use tarbac_analysis::change::what_if::Change;
use tarbac_report::shell::quoted;

use super::arguments::Suppositions;

/// The command line and the request that are equal to a view.
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

    /// A flag that the API does not have.
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
        let words = words.map(|word| format!(" {}", quoted(&word)));
        format!("tarbac{}", words.collect::<String>())
    }

    /// The command line in this workspace, and the request to the server at this address.
    pub(crate) fn equal(&self, folder: Option<&str>, url: &str) -> Equal {
        let body = Value::Object(self.members.clone()).to_string();
        Equal {
            line: self.line(folder),
            curl: format!(
                "curl -H 'Content-Type: application/json' {} -d {}",
                quoted(url),
                quoted(&body)
            ),
        }
    }

    /// The command line, and a request without a body.
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
