//! Questions about what is supposed, on the sample tenant: each takes the changes of `what-if`.

mod contradictions;
mod same_checks;

use serde_json::{Value, json};

use crate::tarbac::{Ran, Tarbac, command, contoso, contoso_folder, contoso_with, sample};

const CLEARED: &[&str] = &["--enforce-configmgr-rbac", "P01=off"];

const SAID: &str = "Enforce Configuration Manager RBAC is cleared for P01";

/// One question of each command.
const QUESTIONS: &[&[&str]] = &[
    &["who", "Run script", "WS-BER-014", "--may-not", "--all"],
    &["what", "rosa@contoso.example"],
    &["what", "ada@contoso.example", "WS-BER-014"],
    &[
        "check",
        "jonas@contoso.example",
        "viewCollections",
        "WS-BER-014",
    ],
    &["check", "--requests", "-"],
    &[
        "explain",
        "ada@contoso.example",
        "viewClientDetails",
        "WS-BER-014",
    ],
    &[
        "explain",
        "jonas@contoso.example",
        "viewCollections",
        "WS-BER-014",
    ],
    &[
        "matrix",
        "--resource",
        "WS-BER-014",
        "--resource",
        "WS-FAB-001",
    ],
    &["matrix"],
    &["access"],
];

fn requests() -> String {
    let people = ["ada", "rosa", "jonas", "samir"].iter();
    let lines = people.flat_map(|name| {
        ["WS-BER-014", "WS-TST-001"].map(|device| {
            let principal = format!("{name}@contoso.example");
            json!({"principal": principal, "action": "viewCollections", "resource": device})
                .to_string()
        })
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The sample with attributes and parents of entities made others by hand.
fn written(edit: impl Fn(&mut Value)) -> Tarbac {
    let workspace = sample();
    for file in std::fs::read_dir(workspace.path("entities")).unwrap() {
        let path = file.unwrap().path();
        let mut entities: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        entities.as_array_mut().unwrap().iter_mut().for_each(&edit);
        std::fs::write(&path, entities.to_string()).unwrap();
    }
    workspace
}

fn is(entity: &Value, id: &str) -> bool {
    entity["uid"]["id"] == id || entity["attrs"]["userPrincipalName"] == id
}

/// What is written, revisions and all.
fn as_it_is(arguments: &[&str]) -> String {
    let output = command(&contoso_folder()).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// What is answered, without what says of which state.
fn answer(ran: &Ran) -> Vec<Value> {
    let documents = serde_json::Deserializer::from_str(&ran.stdout).into_iter::<Value>();
    let documents = documents.map(|document| {
        let mut document = document.unwrap();
        for of_state in ["asked", "revision"] {
            document.as_object_mut().unwrap().remove(of_state);
        }
        document
    });
    documents.collect()
}

/// Flags, the same change made by hand, and readings.
type SuppositionCase = (
    &'static [&'static str],
    fn(&mut Value),
    &'static [&'static str],
);

/// Changes, what each is when it is made by hand, and the readings that go along.
const CHANGES: [SuppositionCase; 5] = [
    (CLEARED, clear, &[]),
    (
        &["--use-intune-rbac", "off", "--site-version", "2111"],
        |entity| {
            if entity["attrs"].get("useIntuneRbac").is_some() {
                entity["attrs"]["useIntuneRbac"] = json!(false);
            }
            if entity["attrs"].get("version").is_some() {
                entity["attrs"]["version"] = json!(2111);
            }
        },
        &[],
    ),
    (
        &[
            "--set",
            "jonas@contoso.example.cloudOnly=true",
            "--set",
            "OLD.enforceConfigMgrRbac=on",
        ],
        |entity| {
            if is(entity, "jonas@contoso.example") {
                entity["attrs"]["cloudOnly"] = json!(true);
            }
            if is(entity, "OLD") {
                entity["attrs"]["enforceConfigMgrRbac"] = json!(true);
            }
        },
        &[],
    ),
    (
        &["--revoke", "ada@contoso.example=Help Desk Operator"],
        |entity| {
            if is(entity, "ada@contoso.example") {
                entity["parents"] = json!([]);
            }
        },
        &[],
    ),
    (CLEARED, clear, &["--no-reading", "any-intune-role"]),
];

fn clear(entity: &mut Value) {
    if is(entity, "P01") {
        entity["attrs"]["enforceConfigMgrRbac"] = json!(false);
    }
}

#[test]
fn a_question_with_changes_is_that_question_where_they_are_made() {
    let requests = requests();
    for (change, edit, readings) in CHANGES {
        let by_hand = written(edit);
        let change = [change, readings].concat();
        for question in QUESTIONS {
            let question = [*question, &["--format", "json"]].concat();
            let asked = contoso_with(&[&question[..], &change].concat(), requests.as_bytes());
            let made = by_hand.run_with(&[&question[..], readings].concat(), requests.as_bytes());
            assert_eq!(
                answer(&asked),
                answer(&made),
                "{question:?} {change:?}\n{asked}\n{made}"
            );
            assert_eq!(asked.status, made.status, "{question:?} {change:?}");
        }
        let check = |changes: &[&str]| {
            let check = [&["check", "--requests", "-"], changes].concat();
            answer(&contoso_with(&check, requests.as_bytes()))
        };
        assert_ne!(
            check(&change),
            check(readings),
            "{change:?} changes answers"
        );
    }
}

#[test]
fn every_answer_says_what_is_supposed() {
    let requests = requests();
    for question in QUESTIONS {
        let asked = [*question, CLEARED].concat();
        let formats: &[&str] = match question[0] {
            "check" | "explain" => &["human", "json"],
            "matrix" => &["human", "json", "csv", "markdown", "html"],
            "access" => &["human", "json", "csv", "markdown", "ndjson", "html"],
            _ => &["human", "json", "csv", "markdown"],
        };
        for format in formats {
            let arguments = [&asked[..], &["--format", format]].concat();
            let ran = contoso_with(&arguments, requests.as_bytes());
            assert_ne!(ran.status, 2, "{arguments:?} {ran}");
            let text = ran.stdout.replace('\n', " ");
            match *format {
                "human" | "markdown" if !question.contains(&"--requests") => {
                    assert!(text.contains(SAID), "{arguments:?} {ran}");
                }
                "csv" => {
                    let mut lines = ran.stdout.lines();
                    assert!(lines.next().unwrap().ends_with(",changes"), "{ran}");
                    assert!(lines.all(|line| line.contains("P01=off")), "{ran}");
                }
                _ => {
                    assert!(text.contains("--enforce-configmgr-rbac P01=off"), "{ran}");
                    assert!(text.contains(SAID), "{ran}");
                }
            }
        }
        // Without changes nothing is said of any.
        let plain = contoso_with(question, requests.as_bytes());
        assert!(!plain.stdout.starts_with("If "), "{plain}");
    }
}

#[test]
fn a_decision_stays_one_line() {
    let check = ["check", "ada@contoso.example", "Run script", "WS-BER-014"];
    insta::assert_snapshot!(contoso(&[&check[..], CLEARED].concat()));
    insta::assert_snapshot!(contoso(
        &[&check[..], &["--use-intune-rbac", "contoso=on"]].concat()
    ));
}

#[test]
fn changes_that_cannot_be_made_are_refused_as_what_if_does() {
    let wrong: &[&[&str]] = &[
        &[
            "--enforce-configmgr-rbac",
            "P01=on",
            "--enforce-configmgr-rbac",
            "P01=off",
        ],
        &["--enforce-configmgr-rbac", "P09=off"],
        &["--set", "ada@contoso.example.cloudOnly=perhaps"],
        &[
            "--grant",
            "ada@contoso.example=Read Only Operator",
            "--revoke",
            "ada@contoso.example=Read Only Operator",
        ],
        &["--site-version", "new"],
    ];
    for change in wrong {
        let said = contoso(&[&["what-if"], *change].concat());
        assert_eq!(said.status, 2, "{said}");
        let said = said
            .stderr
            .replace("Nothing was compared.", "Nothing was decided.");
        for question in QUESTIONS {
            let ran = contoso_with(&[*question, change].concat(), requests().as_bytes());
            assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
            assert_eq!(ran.stderr, said);
        }
    }
}

/// A comparison says what both of its states were decided with, and each is what a question about it says.
#[test]
fn a_comparison_has_the_revisions_of_both_states() {
    let document = |text: &str| -> Value {
        let first = serde_json::Deserializer::from_str(text).into_iter().next();
        first.unwrap().unwrap()
    };
    let check = [
        "check",
        "ada@contoso.example",
        "runScript",
        "WS-TST-001",
        "--format",
        "json",
    ];
    let changed = [CLEARED, &["--no-reading", "any-intune-role"]].concat();
    let before = document(&as_it_is(&check));
    let after = document(&as_it_is(&[&check[..], &changed].concat()));
    assert_ne!(before["revision"], after["revision"]);
    for format in ["json", "ndjson"] {
        let text = as_it_is(&[&["what-if", "--format", format], &changed[..]].concat());
        let compared = document(&text);
        for key in ["rules_in_force", "revision", "not_read"] {
            assert_eq!(compared["before"][key], before[key], "{format} {key}");
            assert_eq!(compared["after"][key], after[key], "{format} {key}");
            assert_eq!(compared[key], before[key], "{format} {key}");
        }
    }
    let ran = contoso(&["access", "--format", "ndjson"]);
    assert_eq!(ran.stdout.matches("rules_in_force").count(), 1);
    assert!(
        ran.stdout
            .lines()
            .next()
            .unwrap()
            .contains("rules_in_force")
    );
}

/// A page says what it was made with without any script, whatever names have in them.
#[test]
fn pages_say_what_is_supposed() {
    let changed = [CLEARED, &["--no-reading", "any-intune-role"]].concat();
    let page = contoso(&[&["access", "--format", "html"], &changed[..]].concat()).stdout;
    let said = [
        &format!("<p class=\"lead\">If {SAID}, ")[..],
        "<dt>Readings in force</dt><dd>entra-administrators</dd>",
        "<dt>Rules</dt><dd>",
    ];
    for said in said {
        assert!(page.contains(said), "{said}: {page}");
    }
    let page = contoso(&[&["what-if", "--format", "html"], &changed[..]].concat()).stdout;
    let said = [
        &format!("<p class=\"lead\">If {SAID} and the reading any-intune-role is not in force, ")[..],
        "<dt>Readings in force before</dt><dd>any-intune-role, entra-administrators</dd>",
        "<dt>Readings in force after</dt><dd>entra-administrators</dd>",
    ];
    for said in said {
        assert!(page.contains(said), "{said}: {page}");
    }
    let hostile = r#"Entra::User::"<script>alert(1)</script>"={"tenant":"contoso","userPrincipalName":"x","cloudOnly":true}"#;
    let page = contoso(&["access", "--format", "html", "--set", hostile]).stdout;
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(page.contains("&lt;script&gt;alert"), "{page}");
}

/// On a narrow terminal the revision is a part of itself, and no line of prose is wider.
#[test]
fn a_narrow_terminal_is_kept_to() {
    for width in [50, 80] {
        for question in [
            &["readings"][..],
            &[
                "explain",
                "ada@contoso.example",
                "viewClientDetails",
                "WS-BER-014",
            ],
        ] {
            let mut command = command(&contoso_folder());
            let output = command
                .args(question)
                .env("COLUMNS", width.to_string())
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(!text.is_empty());
            for line in text.lines() {
                // A word is not broken.
                let is_word = line.split_whitespace().count() == 1;
                assert!(is_word || line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}
