//! The list of codes.

use std::collections::BTreeSet;

use super::{ALL, Code, PATHS, TOLD_BY_A_POLICY, entities, policy};

#[test]
fn a_constant_is_called_as_its_code_and_no_code_stands_twice() {
    let codes: BTreeSet<&Code> = ALL.iter().map(|(code, _)| code).collect();
    assert_eq!(codes.len(), ALL.len());
    for ((code, _), (area, name)) in ALL.iter().zip(PATHS) {
        assert_eq!(code.as_ref(), format!("{area}::{}", name.to_lowercase()));
    }
}

#[test]
fn a_sentence_is_a_sentence() {
    for (code, sentence) in ALL {
        let first = sentence.chars().next();
        let length = sentence.chars().count();
        assert!(first.is_some_and(char::is_uppercase), "{code}: {sentence}");
        assert!(sentence.ends_with('.'), "{code}: {sentence}");
        assert!(length <= 120, "{code}: {length} characters");
        assert_eq!(code.sentence(), *sentence);
    }
}

#[test]
fn what_is_written_is_read_and_nothing_else() {
    for (code, _) in ALL {
        assert_eq!(Code::read(code.as_ref()).as_ref(), Some(code));
    }
    let own = Code::of_policy("Ours, not \"theirs\"");
    assert_eq!(Code::read(own.as_ref()), Some(own.clone()));
    assert_eq!(own.sentence(), TOLD_BY_A_POLICY);
    assert_eq!(Code::read("policy::unheard_of"), None);
    assert_eq!(Code::read("policy"), None);
    // A policy may use the name of a code that tarbac has too.
    assert_eq!(Code::of_policy("dangling"), entities::DANGLING);
    assert_ne!(Code::of_policy("duplicate_id"), policy::DUPLICATE_ID);
}
