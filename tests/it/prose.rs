//! The size of the sources, their names, and their prose.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// The most lines of a file.
const LINES: usize = 400;

/// Phrases that describe a thing by a relative clause, where it has a name.
const REFUSED: [&str; 22] = [
    "what of",
    "as such",
    "is none of what",
    "is so of",
    "is told of",
    "for nothing",
    "comes by",
    "what comes of",
    "of what is",
    "what there is",
    "that there is of",
    "what is said of",
    "what is found of",
    "what is known of",
    "those of whom",
    "for whom the same",
    "of which the same",
    "is in sight",
    "is looked at",
    "in whose",
    "what it is that",
    "whoever it is",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files below some folders of the repository, by their paths in it.
fn sources(folders: &[&str]) -> BTreeMap<PathBuf, String> {
    files(folders, &["rs"])
}

/// The files with these extensions.
fn files(folders: &[&str], extensions: &[&str]) -> BTreeMap<PathBuf, String> {
    let entries = folders
        .iter()
        .flat_map(|folder| WalkDir::new(root().join(folder)));
    let paths = entries.map(|entry| entry.unwrap().into_path());
    paths
        .filter(|path| {
            let extension = path.extension().and_then(|of| of.to_str());
            extension.is_some_and(|of| extensions.contains(&of))
        })
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.strip_prefix(root()).unwrap().to_owned(), text)
        })
        .collect()
}

#[test]
fn a_file_is_read_in_one_sitting() {
    let written = ["rs", "css", "js", "mjs"];
    let mut long = files(&["src", "tests", "benches", "fuzz"], &written);
    long.retain(|_, text| text.lines().count() > LINES);
    let long: Vec<&PathBuf> = long.keys().collect();
    assert!(
        long.is_empty(),
        "files of more than {LINES} lines: {long:#?}"
    );
}

/// A name that stands for two things is looked up twice.
#[test]
fn a_public_type_has_a_name_of_its_own() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in sources(&["src"]) {
        for line in text.lines() {
            let declared = ["pub struct ", "pub enum ", "pub trait ", "pub type "]
                .iter()
                .find_map(|keyword| line.strip_prefix(keyword));
            if let Some(declared) = declared {
                let is_part = |letter: char| letter.is_alphanumeric();
                let name = declared.split(|letter| !is_part(letter)).next().unwrap();
                let place = path.display().to_string();
                places.entry(name.to_owned()).or_default().push(place);
            }
        }
    }
    places.retain(|_, places| places.len() > 1);
    assert!(places.is_empty(), "{places:#?}");
}

/// Comments and texts of a file, without line ends.
fn prose(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap();
    let mut words = Vec::new();
    for line in text.lines().map(str::trim) {
        match line.strip_prefix("//") {
            Some(comment) => {
                words.extend(comment.trim_start_matches(['/', '!']).split_whitespace())
            }
            None => {
                let quoted = line.split('"').skip(1).step_by(2);
                words.extend(quoted.flat_map(str::split_whitespace));
            }
        }
    }
    words.join(" ").to_lowercase()
}

#[test]
fn things_have_names() {
    let mut found = Vec::new();
    for (path, text) in sources(&["src"]) {
        let prose = prose(&text);
        for phrase in REFUSED {
            let is_word = |found: &(usize, &str)| {
                let (at, phrase) = *found;
                let is_end =
                    |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
                is_end(prose[..at].chars().next_back())
                    && is_end(prose[at + phrase.len()..].chars().next())
            };
            if prose.match_indices(phrase).any(|found| is_word(&found)) {
                found.push(format!("{}: {phrase}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
