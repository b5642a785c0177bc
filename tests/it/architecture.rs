//! The house is as its page says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use walkdir::WalkDir;

use std::fs::read_to_string;

type Edges = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The storeys and what each uses, by the table of the page.
fn stated() -> Edges {
    let page = read_to_string(root().join("docs/architecture.md")).unwrap();
    let rows = page
        .lines()
        .skip_while(|line| *line != "|---|---|---|")
        .skip(1);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [storey, _, uses] = cells.as_slice() else {
            panic!("{row}");
        };
        let uses = uses.split(", ").filter(|storey| !storey.is_empty());
        let storey = storey.trim_matches('`').to_owned();
        (storey, uses.map(str::to_owned).collect())
    })
    .collect()
}

/// The packages of the workspace with their dependencies, as Cargo has them; those of tests are left out.
fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let needed = package["dependencies"].as_array().unwrap().iter();
            let needed = needed.filter(|dependency| dependency["kind"].is_null());
            (name(package), needed.map(name).collect())
        })
        .collect()
}

#[test]
fn storeys_use_what_the_page_says() {
    let crates = packages();
    let found: Edges = crates
        .iter()
        .filter_map(|(package, needed)| {
            let storey = package.strip_prefix("tarbac-")?.to_owned();
            let used = needed
                .iter()
                .filter_map(|name| name.strip_prefix("tarbac-"));
            Some((storey, used.map(str::to_owned).collect()))
        })
        .collect();
    assert_eq!(found, stated());
    assert_eq!(found.len(), 11);
}

/// The order of the table is that of the storeys: nothing uses what stands above it.
#[test]
fn arrows_go_down() {
    let page = read_to_string(root().join("docs/architecture.md")).unwrap();
    let height = |storey: &str| page.find(&format!("| `{storey}` |")).unwrap();
    for (storey, uses) in stated() {
        for used in uses {
            assert!(height(&used) > height(&storey), "{storey} uses {used}");
        }
    }
}

#[test]
fn the_host_is_thin() {
    let needed = &packages()["tarbac-host"];
    let needed: Vec<&str> = needed.iter().map(String::as_str).collect();
    // What is added here is compiled by everybody who decides.
    insta::assert_snapshot!(needed.join("\n"), @"
    blake3
    cedar-policy
    cedar-policy-core
    cedar-policy-formatter
    fnv
    gix-index
    logos
    memchr
    miette
    rayon
    serde
    serde-saphyr
    serde_json
    strsim
    tarbac-diagnostic
    tarbac-store
    tempfile
    thiserror
    unicode-security
    walkdir
    ");
}

/// A module says in its first line what it is: a noun phrase, which whoever has not seen the code understands.
#[test]
fn modules_say_what_they_are() {
    let verbs = "Asks Chooses Compares Cuts Finds Lets Links Looks Makes Puts Reads Refuses Runs Says Searches \
                 Splits Takes Turns";
    let questions = "How What Whether Which Who Whom";
    let openings: Vec<&str> = verbs.split(' ').chain(questions.split(' ')).collect();
    for entry in WalkDir::new(root().join("src")) {
        let path = entry.unwrap().into_path();
        let is_facade = path.ends_with("src/lib.rs");
        let is_test = path
            .iter()
            .any(|part| part.to_string_lossy().starts_with("tests"));
        if path.extension().is_none_or(|extension| extension != "rs") || is_facade || is_test {
            continue;
        }
        let text = read_to_string(&path).unwrap();
        let first = text.lines().find_map(|line| line.strip_prefix("//! "));
        let first = first.unwrap_or_else(|| panic!("{}", path.display()));
        let words: Vec<&str> = first.split_whitespace().collect();
        assert!(words.len() <= 15, "{}: {first}", path.display());
        assert!(first.ends_with('.'), "{}: {first}", path.display());
        assert!(!openings.contains(&words[0]), "{}: {first}", path.display());
    }
}

/// A file that no module declares is compiled by nothing, and its tests hold nothing.
#[test]
fn every_file_is_a_module() {
    let folders = ["src", "tests/it"].map(|folder| root().join(folder));
    for entry in folders.into_iter().flat_map(WalkDir::new) {
        let path = entry.unwrap().into_path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_root = ["lib", "main"].contains(&name.as_str());
        if path.extension().is_none_or(|extension| extension != "rs") || is_root {
            continue;
        }
        let folder = path.parent().unwrap();
        let above = [
            folder.with_extension("rs"),
            folder.join("lib.rs"),
            folder.join("main.rs"),
        ];
        let declares = |text: String| text.contains(&format!("mod {name};"));
        let is_declared = above
            .iter()
            .any(|file| read_to_string(file).is_ok_and(declares));
        assert!(is_declared, "{} is no module", path.display());
    }
}

/// The product code of some storeys, file by file, without tests.
fn code(storeys: &[&str]) -> Vec<(String, String)> {
    let folders = storeys.iter().map(|storey| root().join("src").join(storey));
    let entries = folders.flat_map(WalkDir::new);
    let paths = entries.map(|entry| entry.unwrap().into_path());
    let paths = paths.filter(|path| {
        let mut parts = path.strip_prefix(root()).unwrap().iter();
        let is_test = parts.any(|part| part.to_string_lossy().starts_with("tests"));
        path.extension().is_some_and(|extension| extension == "rs") && !is_test
    });
    let read = paths.map(|path| {
        let text = read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
        let path = path.strip_prefix(root()).unwrap();
        (path.display().to_string(), code)
    });
    read.collect()
}

/// Where a look-up cannot fail, nothing stands in for what it might miss: that would be another row, class or cell, or an
/// answer made of nothing. The numbers may fall; what is left is damage that was noted, or an honest nothing.
#[test]
fn no_default_stands_in_for_a_row() {
    let fallbacks = [
        ".unwrap_or_default()",
        ".unwrap_or(0)",
        ".unwrap_or(\"\")",
        "map_or(0,",
        "map_or(\"\",",
        "map_or(&[",
        "=> 0..0",
    ];
    for (storey, most) in [("host", 46), ("store", 26), ("analysis", 39)] {
        let files = code(&[storey]);
        let count = |code: &str| {
            fallbacks
                .iter()
                .map(|of| code.matches(of).count())
                .sum::<usize>()
        };
        let found: usize = files.iter().map(|(_, code)| count(code)).sum();
        assert!(found <= most, "{storey} has {found} places, and had {most}");
    }
}

/// An error is a type, so that whoever gets it can tell one from another; a sentence is made of it where it is shown.
#[test]
fn no_error_is_a_text() {
    let storeys = stated();
    let storeys: Vec<&str> = storeys.keys().map(String::as_str).collect();
    let mut found = Vec::new();
    for (path, code) in code(&storeys) {
        for (at, name) in code.match_indices("Result<") {
            let arguments = &code[at + name.len()..];
            let mut depth = 0_i32;
            let end = arguments.find(|character| {
                depth += i32::from(character == '<') - i32::from(character == '>');
                depth < 0
            });
            let arguments = &arguments[..end.unwrap_or_default()];
            if arguments.ends_with(", String") {
                found.push(format!("{path}: {arguments}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Rust beside and below `tenant` knows Cedar, and nothing of Intune.
#[test]
fn no_word_of_the_domain_is_in_a_text_below() {
    let words = [
        "Intune",
        "ConfigMgr",
        "Configuration Manager",
        "Entra",
        "hierarchy",
    ];
    let mut found = Vec::new();
    for storey in [
        "diagnostic",
        "store",
        "host",
        "analysis",
        "assurance",
        "serve",
        "fleet",
    ] {
        for entry in WalkDir::new(root().join("src").join(storey)) {
            let entry = entry.unwrap();
            let path = entry.path();
            let is_test = path
                .components()
                .any(|part| part.as_os_str().to_string_lossy().starts_with("tests"));
            if path.extension().is_none_or(|extension| extension != "rs") || is_test {
                continue;
            }
            let text = read_to_string(path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let code: Vec<&str> = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect();
            let code = code.join("\n");
            for quoted in code.split('"').skip(1).step_by(2) {
                if words.iter().any(|word| quoted.contains(word)) {
                    let path = path.strip_prefix(root()).unwrap();
                    found.push(format!("{}: {quoted}", path.display()));
                }
            }
        }
    }
    found.sort();
    insta::assert_snapshot!(found.join("\n"), @r"
    src/analysis/change/fact/edits.rs: .useIntuneRbac
    src/analysis/change/fact/edits.rs: facts are `E.attribute`, `E has attribute`, `E.attribute.contains(F)`, `E in F`, and `E` for a new entity, where E and F are entities such as Intune::Tenant::\
    src/analysis/change/fact/edits.rs: for example: Intune::Tenant::\
    src/analysis/plan/policy_text.rs: // {}: a role of a plan. Once Intune has it, its Graph id goes in the place of this id.\n{policy}
    src/assurance/prove/spec.rs: an attribute is written as in `resource.hierarchy.enforceConfigMgrRbac`, and is a Bool, a Long, a String, or optional; {}
    src/host/bundle/check.rs: name in the scope who may, for example a role: `principal in Intune::Role::\
    src/host/bundle/types.rs: the schema in force is the one that ships with tarbac, for Intune; `--schema` names another, and `test --cedar --no-schema` does without
    ");
}
