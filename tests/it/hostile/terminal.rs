//! Names with characters that a terminal obeys.

use serde_json::json;

use crate::tarbac::Tarbac;
use crate::world::{assignment, device, entity, hierarchy, tenant_entity, user};

/// What a terminal obeys, what turns the direction of writing, and what the runner of a workflow obeys.
const HOSTILE: &str =
    "\u{1b}[31m\u{202e}\n::error file=x::pwn\r##[error]pwn ##vso[task]x \u{2028}\u{9b}2J";

/// A workspace in which everything that can be called something is called so.
fn hostile() -> Tarbac {
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let id = |id: &str| format!("{id}{HOSTILE}");
    let (hierarchy_id, role_id) = (id("H"), id("a"));
    let entities = crate::world::entities(&[
        tenant_entity("t", true),
        hierarchy(&hierarchy_id, "t", false),
        device(&id("d"), &id("PC"), &hierarchy_id),
        device(&id("e"), &id("PD"), &hierarchy_id),
        entity("Intune::Role", "Help Desk Operator", json!({}), &[]),
        assignment(
            &role_id,
            &[
                ("Intune::Role", "Help Desk Operator"),
                ("Intune::Tenant", "t"),
            ],
        ),
        user(
            &id("u"),
            &id("ana"),
            &[("Intune::RoleAssignment", &role_id)],
        ),
        user(&id("v"), &id("bob"), &[]),
    ]);
    let said = format!("Nobody.{}", HOSTILE.replace('\r', ""));
    let policy = format!(
        "@id(\"custom.h\")\n@doc(\"{said}\")\n@source(\"{said}\")\n@message(\"{said}\")\n@advice(\"{said}\")\nforbid (principal, action == Intune::Action::\"runScript\", resource)\nwhen {{ resource has name && resource.name like \"PD*\" }};\n"
    );
    let suite = format!(
        "suite: hostile\nsnapshot:\n  principals: all\n  actions: [Run script]\n  resources: all\ncases:\n- name: x\n  principal: {}\n  action: Run script\n  resource: {}\n  expect: deny\n",
        json(&format!("ana{HOSTILE}")),
        json(&format!("PC{HOSTILE}")),
    );
    Tarbac::with(&[
        ("entities/tenant.json", &entities),
        ("policies/custom/h.cedar", &policy),
        ("tests/a.yaml", &suite),
    ])
}

/// Nothing of what others wrote is obeyed by whoever shows an answer or an error.
#[test]
fn nothing_that_is_obeyed_is_passed_on() {
    let tarbac = hostile();
    #[cfg(unix)]
    tarbac.write(
        &format!("policies/custom/x{}.cedar", HOSTILE.replace('/', "")),
        format!("@id(\"custom.x\")\n@doc(\"{}\")\npermit (principal, action == Intune::Action::\"viewTimeline\", resource);\n", "x\u{1b}"),
    );
    let named = |name: &str| format!("{name}{HOSTILE}");
    let (ana, bob, pc, pd, no) = (
        named("ana"),
        named("bob"),
        named("PC"),
        named("PD"),
        named("no"),
    );
    let commands: &[&[&str]] = &[
        &["validate"],
        &["readings"],
        &["check", &ana, "Run script", &pc],
        &["check", &ana, "Run script", &pd],
        &["check", &ana, "Run script", &no],
        &["check", &no, "Run script", &pc],
        &["check", &ana, &no, &pc],
        &["check", "--requests", "-"],
        &["check", "--requests", &no],
        &["explain", &ana, "Run script", &pc],
        &["explain", &ana, "Run script", &pd],
        &["explain", &bob, "Run script", &pc],
        &["explain", &ana, "Run script", &pc, "--context", &no],
        &["who", "Run script", &pc],
        &["who", "Run script", &pd, "--may-not"],
        &["what", &ana],
        &["what", &ana, &pd],
        &["access"],
        &["what-if", "--use-intune-rbac", "off", "--plan"],
        &["what-if", "--set", &no],
        &["diff", &no],
        &["matrix", "--all"],
        &["test"],
        &["test", &no],
        &["test", "--coverage"],
        &["prove", &no],
        &["fmt", "--check"],
        &["role", "export", &no],
        &["import", &no, "--out", "out"],
        &["--policies", &no, "validate"],
        &["--reading", &no, "readings"],
        &["-C", &no, "validate"],
        &[&no],
        &["--format", &no, "validate"],
        &["validate", "--report", "markdown=-"],
        &["validate", "--report", "junit=-"],
        &["validate", "--report", "tap=-"],
        &["validate", "--report", "sarif=-"],
        &["test", "--report", "junit=-"],
        &["test", "--report", "tap=-"],
    ];
    let line = format!(
        "{{\"principal\": {0}, \"action\": {0}, \"resource\": {0}}}\n",
        serde_json::to_string(&no).unwrap()
    );
    let is_obeyed = |character: char| {
        let turns = matches!(character, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        (character.is_control() && character != '\n') || turns
    };
    for command in commands {
        for format in [
            "human", "json", "csv", "markdown", "ndjson", "html", "table",
        ] {
            let arguments = [&["--format", format][..], command].concat();
            let ran = tarbac.run_with(&arguments, line.as_bytes());
            for text in [&ran.stdout, &ran.stderr] {
                assert!(!text.contains(is_obeyed), "{arguments:?}: {text:?}");
                let is_command = |line: &str| line.trim_start().starts_with("::");
                assert!(!text.lines().any(is_command), "{arguments:?}: {text}");
                assert!(
                    !text.contains("##[") && !text.contains("##vso["),
                    "{arguments:?}: {text}"
                );
            }
        }
    }
    // One line is one line.
    let ran = tarbac.run(&["check", &ana, "Run script", &pd]);
    insta::assert_snapshot!(ran, @"
    DENY  custom.h — Nobody.�[31m��::error file=x::pwn#�#[error]pwn #�#vso[task]x ��2J
    --- exit 1
    ");
    // JSON says what it said.
    let ran = tarbac.run(&["--format", "json", "check", &ana, "Run script", &pd]);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let message = document["refusals"][0]["message"].as_str().unwrap();
    assert_eq!(message, format!("Nobody.{}", HOSTILE.replace('\r', "")));
    // Commands to the runner are what this report is for, and none is somebody else's.
    let ran = tarbac.run(&["validate", "--report", "github=-"]);
    let ours = ["::warning title=", "::error title="];
    assert!(
        ran.stdout
            .lines()
            .all(|line| ours.iter().any(|begin| line.starts_with(begin))),
        "{ran}"
    );
}

#[test]
fn characters_that_a_terminal_obeys_are_not_passed_on() {
    let folder = Tarbac::with(&[("policies/a.cedar", "\u{1b}[2J permit")]);
    assert!(!folder.run(&["validate"]).stdout.contains('\u{1b}'));
}
