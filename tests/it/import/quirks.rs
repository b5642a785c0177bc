//! Every quirk of the services, of PowerShell and of people: a case in `tests/exports/quirks` for each.
//!
//! A case is a plain tenant of `tests/exports/base` with some files changed, added or left out, and the text that
//! importing it must give. `INSTA_UPDATE=always` writes that text, as it does with snapshots.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::Deserialize;
use similar::TextDiff;

use super::{files, run_import, shipped_files};
use crate::tarbac::Tarbac;

/// What is told of the workflow of every new workspace.
const WORKFLOW: &str = "\n.github/workflows/tarbac.yml needs to know where tarbac comes from: fill in TARBAC_REPOSITORY at its top.\n";

type Files = BTreeMap<String, Vec<u8>>;

/// A file of `tests/exports/quirks`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The quirk in a sentence.
    why: String,
    /// The folder of `tests/exports/base` that has the other files.
    base: String,
    /// Texts by their paths; none for a file that only the base has.
    #[serde(default)]
    files: BTreeMap<String, Option<String>>,
    /// Files that are no text, by their paths.
    #[serde(default)]
    bytes: Files,
    /// Command lines that are run on the workspace after the import.
    #[serde(default)]
    ask: Vec<String>,
    /// The last key, so that it can be rewritten and the rest stay as somebody wrote it.
    #[serde(default)]
    expected: String,
}

#[test]
fn every_quirk_is_taken_or_refused_as_its_case_says() {
    let cases = paths();
    assert!(cases.len() > 200, "{cases:?}");
    let accepts = std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always");
    let bases: BTreeMap<String, Files> = std::fs::read_dir("tests/exports/base")
        .unwrap()
        .map(|base| base.unwrap())
        .map(|base| (base.file_name().into_string().unwrap(), files(&base.path())))
        .collect();
    let shipped = shipped_files();
    let differing: Vec<String> = cases
        .par_iter()
        .filter_map(|path| {
            let problem = differs(path, &bases, &shipped, accepts).err()?;
            Some(format!("==> {}\n{problem}\n", path.display()))
        })
        .collect();
    assert!(
        differing.is_empty(),
        "{} of {} cases\n\n{}",
        differing.len(),
        cases.len(),
        differing.concat()
    );
}

#[test]
fn no_two_quirks_are_one() {
    let mut inputs: BTreeMap<_, PathBuf> = BTreeMap::new();
    for path in paths() {
        let case = read(&std::fs::read_to_string(&path).unwrap());
        let case = case.unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
        let input = (case.base, case.files, case.bytes, case.ask);
        if let Some(other) = inputs.insert(input, path.clone()) {
            panic!("{} and {} are the same", other.display(), path.display());
        }
    }
}

#[test]
fn a_case_that_says_nothing_or_something_unknown_is_refused() {
    let base = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
    let bases = BTreeMap::from([(
        "b".to_owned(),
        Files::from([base("f", "1\n"), base("g", "")]),
    )]);
    let refused = |text: &str| {
        read(text)
            .and_then(|case| case.exports(&bases))
            .unwrap_err()
    };
    insta::assert_snapshot!(refused("why: A.\nbase: b\nfiles:\n  f: |\n    1\n"), @"`f` is in `files` as the base has it");
    insta::assert_snapshot!(refused("why: A.\nbase: b\nbytes:\n  f: !!binary MQo=\n"), @"`f` is in `bytes` as the base has it");
    insta::assert_snapshot!(refused("why: A.\nbase: b\nfiles:\n  h: ~\n"), @"`h` is in `files` as the base has it");
    insta::assert_snapshot!(refused("why: A.\nbase: b\nfiles:\n  f: ~\nbytes:\n  f: !!binary MQ==\n"), @"`f` is in `files` and in `bytes`");
    insta::assert_snapshot!(refused("why: A.\nbase: c\n"), @"no base is called `c`");
    insta::assert_snapshot!(refused("why: a\nbase: b\n"), @"`why` is no sentence");
    assert!(refused("why: A.\nbase: b\nfile:\n  f: ~\n").contains("unknown field `file`"));
    assert!(refused("why: A.\nbase: b\nfiles:\n  f: ~\n  f: ''\n").contains("duplicate"));

    let exports = read("why: A.\nbase: b\nfiles:\n  g: ~\nbytes:\n  h: !!binary /w==\n").unwrap();
    let exports = exports.exports(&bases).unwrap();
    assert_eq!(
        exports,
        Files::from([base("f", "1\n"), ("h".to_owned(), vec![255])])
    );

    let written = with_expected(
        "why: A.\nbase: b\nexpected: |\n  old\n",
        "exit 0\n\n  new\n",
    );
    assert_eq!(
        written,
        "why: A.\nbase: b\nexpected: |\n  exit 0\n\n    new\n"
    );
}

/// The cases; there is nothing else in their folder.
fn paths() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("tests/exports/quirks").unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in &paths {
        assert_eq!(
            path.extension(),
            Some("yaml".as_ref()),
            "{path:?} is no case"
        );
    }
    paths
}

/// Compares the text of a case with that of the program, or writes it.
fn differs(
    path: &Path,
    bases: &BTreeMap<String, Files>,
    shipped: &Files,
    accepts: bool,
) -> Result<(), String> {
    let text = std::fs::read_to_string(path).unwrap();
    let case = read(&text)?;
    let told = told(&case.exports(bases)?, &case.ask, shipped);
    if told == case.expected {
        return Ok(());
    }
    if accepts {
        let text = with_expected(&text, &told);
        std::fs::write(path, &text).unwrap();
        return match read(&text)?.expected == told {
            true => Ok(()),
            false => Err(format!("a block of YAML cannot hold\n{told:?}")),
        };
    }
    let diff = TextDiff::from_lines(&case.expected, &told);
    let diff = diff.unified_diff().header("expected", "told").to_string();
    Err(format!("{}\n{diff}", case.why))
}

fn read(text: &str) -> Result<Case, String> {
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        strict_booleans: true,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}

/// The text of a case with another `expected`.
fn with_expected(case: &str, told: &str) -> String {
    let input = case.split("\nexpected:").next().unwrap().trim_end();
    let mut text = format!("{input}\nexpected: |\n");
    for line in told.lines() {
        text += &match line {
            "" => "\n".to_owned(),
            _ => format!("  {line}\n"),
        };
    }
    text
}

impl Case {
    /// The files of the base and those of the case.
    fn exports(&self, bases: &BTreeMap<String, Files>) -> Result<Files, String> {
        if !self.why.ends_with('.') {
            return Err("`why` is no sentence".to_owned());
        }
        let base = bases.get(&self.base);
        let base = base.ok_or_else(|| format!("no base is called `{}`", self.base))?;
        let mut exports = base.clone();
        let texts = self.files.iter();
        let texts = texts.map(|(path, text)| ("files", path, text.as_ref().map(String::as_bytes)));
        let bytes = self.bytes.iter();
        let bytes = bytes.map(|(path, bytes)| ("bytes", path, Some(bytes.as_slice())));
        for (key, path, bytes) in texts.chain(bytes) {
            if base.get(path).map(Vec::as_slice) == bytes {
                return Err(format!("`{path}` is in `{key}` as the base has it"));
            }
            if key == "bytes" && self.files.contains_key(path) {
                return Err(format!("`{path}` is in `files` and in `bytes`"));
            }
            match bytes {
                Some(bytes) => exports.insert(path.clone(), bytes.to_vec()),
                None => exports.remove(path),
            };
        }
        Ok(exports)
    }
}

/// The text of an import: the report or the error, the entities, the policies that do not ship, and the answers.
fn told(exports: &Files, ask: &[String], shipped: &Files) -> String {
    let tarbac = Tarbac::with(&[]);
    for (path, bytes) in exports {
        tarbac.write(&format!("exports/{path}"), bytes);
    }
    let ran = run_import(&tarbac, &["--all"]);
    let mut told = format!("exit {}\n{}{}", ran.status, ran.stdout, ran.stderr);
    // What every new workspace begins with is the same for all.
    told = told.replace("  tarbac -C workspace test --accept\n", "");
    told = told.replace(WORKFLOW, "");
    let workspace = tarbac.path("workspace");
    if workspace.exists() {
        for (path, bytes) in files(&workspace) {
            let is_made = ["entities/", "policies/", "schema/"]
                .iter()
                .any(|folder| path.starts_with(folder));
            if is_made && shipped.get(&path) != Some(&bytes) {
                let text = String::from_utf8(bytes).unwrap();
                told += &format!("\n==> {path}\n{text}");
            }
        }
        for line in ask {
            let arguments = shlex::split(line).unwrap();
            let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            arguments.extend(["-C", "workspace"]);
            let ran = tarbac.run(&arguments);
            told += &format!("\n$ {line}\n{}{}", ran.stdout, ran.stderr);
        }
    }
    // A block of YAML ends with one line break.
    format!("{}\n", told.trim_end())
}
