//! The list of the submodules of a repository, in git's format of configuration.
//!
//! A library for that format brings most of a git with it; of the list, only the paths matter.

use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::str::CharIndices;

use super::super::regular;
use super::super::text::{LARGEST_TEXT, text_of};
use super::super::{Unreadable, unreadable};
use tarbac_diagnostic::source::{Place, Source, shown};

/// A submodule.
#[derive(Debug)]
pub(super) struct Listed {
    /// The place in the list.
    pub(super) place: Place,
    /// The path in the repository.
    pub(super) path: PathBuf,
}

/// The submodules of a list.
///
/// # Errors
/// The list cannot be read.
pub(super) fn read(path: &Path) -> Result<Vec<Listed>, Unreadable> {
    let bytes = regular::read(path, LARGEST_TEXT)
        .map_err(|error| unreadable(path, &error.to_string(), None))?;
    // A comment in another encoding is none of our business.
    let lossy = String::from_utf8_lossy(&bytes).into_owned();
    let source = Source::held(shown(path), text_of(bytes).unwrap_or(lossy));
    let mut reader = Reader {
        letters: source.text().char_indices().peekable(),
        is_submodule: false,
    };
    let mut listed = Vec::new();
    while let Some((start, path)) = reader.next_path() {
        let end = reader.position().unwrap_or(source.text().len());
        listed.push(Listed {
            place: Place::new(&source, start..end),
            path: path.into(),
        });
    }
    Ok(listed)
}

struct Reader<'t> {
    letters: Peekable<CharIndices<'t>>,
    /// Whether the section is that of a submodule.
    is_submodule: bool,
}

impl Reader<'_> {
    /// The next path of a submodule, with its place.
    fn next_path(&mut self) -> Option<(usize, String)> {
        while let Some((start, letter)) = self.letters.peek().copied() {
            match letter {
                '[' => self.section(),
                '#' | ';' => self.skip_line(),
                letter if letter.is_alphabetic() => {
                    let key = self.taken(|letter| letter.is_alphanumeric() || letter == '-');
                    self.taken(|letter| letter == ' ' || letter == '\t');
                    if self.letters.next_if(|(_, letter)| *letter == '=').is_none() {
                        continue;
                    }
                    let value = self.value();
                    if self.is_submodule && key.eq_ignore_ascii_case("path") {
                        return Some((start, value));
                    }
                }
                _ => {
                    self.letters.next();
                }
            }
        }
        None
    }

    /// Reads the head of a section: `[submodule "name"]`.
    fn section(&mut self) {
        self.letters.next();
        let name = self.taken(|letter| letter.is_alphanumeric() || "-.".contains(letter));
        let first = name.split_once('.').map_or(&*name, |(first, _)| first);
        self.is_submodule = first.eq_ignore_ascii_case("submodule");
        let mut is_quoted = false;
        while let Some((_, letter)) = self.letters.next() {
            match letter {
                '"' => is_quoted = !is_quoted,
                '\\' if is_quoted => drop(self.letters.next()),
                ']' if !is_quoted => return,
                '\n' => return,
                _ => {}
            }
        }
    }

    /// Reads a value, up to the end of its line.
    fn value(&mut self) -> String {
        let mut value = String::new();
        // The length without spaces at the end that no quotes protect.
        let mut end = 0;
        let mut is_quoted = false;
        while let Some((_, letter)) = self.letters.next_if(|(_, letter)| *letter != '\n') {
            match letter {
                '"' => is_quoted = !is_quoted,
                '#' | ';' if !is_quoted => {
                    self.skip_line();
                    break;
                }
                ' ' | '\t' | '\r' if !is_quoted => {
                    if !value.is_empty() {
                        value.push(letter);
                    }
                    continue;
                }
                '\\' => match self.letters.next() {
                    Some((_, '\n')) | None => continue,
                    Some((_, 't')) => value.push('\t'),
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, other)) => value.push(other),
                },
                letter => value.push(letter),
            }
            end = value.len();
        }
        value.truncate(end);
        value
    }

    fn skip_line(&mut self) {
        self.taken(|letter| letter != '\n');
    }

    /// The letters up to the first other one.
    fn taken(&mut self, is_part: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some((_, letter)) = self.letters.next_if(|(_, letter)| is_part(*letter)) {
            taken.push(letter);
        }
        taken
    }

    fn position(&mut self) -> Option<usize> {
        self.letters.peek().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

    use std::process::Command;

    use super::*;

    /// Lists that git reads, and that say `policies`.
    const LISTS: [&str; 12] = [
        "[submodule \"p\"]\n\tpath = policies\n\turl = x\n",
        "[submodule \"p\"]\r\n\tpath = policies\r\n",
        "[submodule \"p\"]\npath=policies # our rules",
        "[submodule \"p\"]\npath = policies ; our rules\n",
        "[submodule \"p\"]\npath = \"policies\" # c\n",
        "[Submodule \"p\"] Path = policies\n",
        "[submodule \"p ] \\\" q\"] path = policies\n",
        "[submodule \"p\"]\npath = pol\"icies\"\n",
        "[submodule \"p\"]\npath = pol\\\nicies\n",
        "[submodule.p]\n  path   =   policies   \n",
        "# path = a\n[core]\npath = b\n[submodule \"p\"]\nshallow\npath = policies\n",
        "; x\n\n[submodule \"p\"] ; y\nurl = \"path = z\"\npath = \"pol\"icies\n[core] path = c\n",
    ];

    fn paths(text: &[u8]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join(".gitmodules");
        std::fs::write(&list, text).unwrap();
        let listed = read(&list).unwrap();
        let paths = listed.iter().map(|of| of.path.display().to_string());
        paths.collect()
    }

    #[test]
    fn a_path_is_what_git_takes_it_for() {
        for list in LISTS {
            assert_eq!(paths(list.as_bytes()), ["policies"], "{list}");
        }
        assert_eq!(paths(b"[other]\npath = policies\n"), [] as [&str; 0]);
        let two = b"[submodule \"a\"]\npath = \"a # b\"\n[submodule \"c\"]\n\tpath = c\\\\d e\n";
        assert_eq!(paths(two), ["a # b", "c\\d e"]);
        let latin = b"# caf\xe9\n[submodule \"a\"]\npath = a\n";
        assert_eq!(paths(latin), ["a"]);
    }

    /// The same lists, read by git.
    #[test]
    fn git_agrees() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list");
        for text in LISTS {
            std::fs::write(&list, text).unwrap();
            let mut git = Command::new("git");
            git.args(["config", "-f"]).arg(&list);
            git.args(["--get-regexp", r"^submodule\..*\.path$"]);
            let Ok(read) = git.output() else {
                return;
            };
            let said = String::from_utf8(read.stdout).unwrap();
            assert!(said.trim_end().ends_with("policies"), "{text}: {said}");
        }
    }
}
