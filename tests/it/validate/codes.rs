//! The codes of findings: each has an example, and all stand in one file.

use std::collections::BTreeSet;
use std::path::Path;

use tarbac::code;

use crate::readme::codes_of_policies;

/// The codes that nothing small provokes.
const EXEMPT: [(&str, &str); 2] = [
    ("policy::unread", "a panic within Cedar's parser"),
    ("entities::too_large", "four thousand million entities"),
];

#[test]
fn every_code_has_an_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples: String = walkdir::WalkDir::new(root.join("tests/it/validate"))
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_file())
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let areas = ["policy::", "schema::", "entities::", "manifest::"];
    let known = code::ALL.iter().map(|(code, _)| code.to_string());
    let known = known.filter(|code| areas.iter().any(|area| code.starts_with(area)));
    let given = codes_of_policies().into_iter().map(|(code, _)| code);
    let codes: BTreeSet<String> = known.chain(given).collect();
    for code in &codes {
        let is_exempt = EXEMPT.iter().any(|(exempt, _)| exempt == code);
        let has_example = examples.contains(&format!("    {code}\n"));
        assert!(
            is_exempt != has_example,
            "`{code}`: exempt {is_exempt}, example {has_example}"
        );
    }
    for (code, _) in EXEMPT {
        assert!(codes.contains(code), "`{code}` is exempt and is not there");
    }
}

#[test]
fn codes_stand_in_one_file() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let areas: BTreeSet<&str> = code::ALL
        .iter()
        .filter_map(|(code, _)| code.as_ref().split("::").next())
        .collect();
    let is_code = |quoted: &str| {
        let rest = quoted
            .split_once("::")
            .filter(|(area, _)| areas.contains(area));
        rest.is_some_and(|(_, name)| {
            let mut letters = name.chars();
            letters.all(|letter| letter.is_ascii_lowercase() || "_{}".contains(letter))
        })
    };
    for entry in walkdir::WalkDir::new(&source) {
        let path = entry.unwrap().into_path();
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        if !is_rust
            || path
                .with_extension("")
                .starts_with(source.join("diagnostic/code"))
        {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        // The path of a function is none.
        let text = text.replace("schema_with = \"schema::", "");
        let code = text.split('"').find(|quoted| is_code(quoted));
        assert_eq!(code, None, "{}", path.display());
    }
}
