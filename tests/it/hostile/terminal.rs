//! Names with characters that a terminal obeys.

use serde_json::json;

use crate::tarbac::{Ran, Tarbac};
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
    let workspace = Tarbac::with(&[
        ("entities/tenant.json", &entities),
        ("policies/custom/h.cedar", &policy),
        ("tests/a.yaml", &suite),
    ]);
    #[cfg(unix)]
    workspace.write(
        &format!("policies/custom/x{}.cedar", HOSTILE.replace('/', "")),
        format!("@id(\"custom.x\")\n@doc(\"{}\")\npermit (principal, action == Intune::Action::\"viewTimeline\", resource);\n", "x\u{1b}"),
    );
    workspace
}

/// The beginnings of hostile names: people, devices, and something that is nowhere.
const NAMES: [&str; 5] = ["ana", "bob", "PC", "PD", "no"];

/// What is run; a word of [`NAMES`] stands for the name that begins so.
const COMMANDS: [&[&str]; 40] = [
    &["validate"],
    &["readings"],
    &["check", "ana", "Run script", "PC"],
    &["check", "ana", "Run script", "PD"],
    &["check", "ana", "Run script", "no"],
    &["check", "no", "Run script", "PC"],
    &["check", "ana", "no", "PC"],
    &["check", "--requests", "-"],
    &["check", "--requests", "no"],
    &["explain", "ana", "Run script", "PC"],
    &["explain", "ana", "Run script", "PD"],
    &["explain", "bob", "Run script", "PC"],
    &["explain", "ana", "Run script", "PC", "--context", "no"],
    &["who", "Run script", "PC"],
    &["who", "Run script", "PD", "--may-not"],
    &["what", "ana"],
    &["what", "ana", "PD"],
    &["access"],
    &["what-if", "--use-intune-rbac", "off", "--plan"],
    &["what-if", "--set", "no"],
    &["diff", "no"],
    &["matrix", "--all"],
    &["test"],
    &["test", "no"],
    &["test", "--coverage"],
    &["prove", "no"],
    &["fmt", "--check"],
    &["role", "export", "no"],
    &["import", "no", "--out", "out"],
    &["--policies", "no", "validate"],
    &["--reading", "no", "readings"],
    &["-C", "no", "validate"],
    &["no"],
    &["--format", "no", "validate"],
    &["validate", "--report", "markdown=-"],
    &["validate", "--report", "junit=-"],
    &["validate", "--report", "tap=-"],
    &["validate", "--report", "sarif=-"],
    &["test", "--report", "junit=-"],
    &["test", "--report", "tap=-"],
];

fn named(word: &str) -> String {
    match NAMES.contains(&word) {
        true => format!("{word}{HOSTILE}"),
        false => word.to_owned(),
    }
}

fn run(workspace: &Tarbac, format: &str, command: &[&str], input: &str) -> Ran {
    let command: Vec<String> = command.iter().map(|word| named(word)).collect();
    let command = command.iter().map(String::as_str);
    let arguments: Vec<&str> = ["--format", format].into_iter().chain(command).collect();
    workspace.run_with(&arguments, input.as_bytes())
}

fn is_obeyed(character: char) -> bool {
    let turns = matches!(character, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (character.is_control() && character != '\n') || turns
}

/// Nothing of what others wrote is obeyed by whoever shows an answer or an error.
#[test]
fn nothing_that_is_obeyed_is_passed_on() {
    let workspace = hostile();
    let no = named("no");
    let request = json!({ "principal": no, "action": no, "resource": no });
    let line = format!("{request}\n");
    let formats = ["human", "json", "csv", "markdown", "ndjson", "html"];
    for command in COMMANDS {
        for format in formats {
            let ran = run(&workspace, format, command, &line);
            for text in [&ran.stdout, &ran.stderr] {
                let about = format!("{format} {command:?}: {text:?}");
                assert!(!text.contains(is_obeyed), "{about}");
                let is_command = |line: &str| line.trim_start().starts_with("::");
                assert!(!text.lines().any(is_command), "{about}");
                assert!(!text.contains("##[") && !text.contains("##vso["), "{about}");
            }
        }
    }
}

const REFUSED: [&str; 4] = ["check", "ana", "Run script", "PD"];

#[test]
fn a_line_of_an_answer_stays_one_line() {
    insta::assert_snapshot!(run(&hostile(), "human", &REFUSED, ""), @"
    DENY  custom.h — Nobody.�[31m��::error file=x::pwn#�#[error]pwn #�#vso[task]x ��2J
    --- exit 1
    ");
}

#[test]
fn json_says_what_the_policy_said() {
    let ran = run(&hostile(), "json", &REFUSED, "");
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let message = document["refusals"][0]["message"].as_str().unwrap();
    assert_eq!(message, format!("Nobody.{}", HOSTILE.replace('\r', "")));
}

/// Commands to the runner are what this report is for, and none is somebody else's.
#[test]
fn commands_to_the_runner_are_those_of_the_report() {
    let ran = hostile().run(&["validate", "--report", "github=-"]);
    let ours = ["::warning title=", "::error title="];
    let is_ours = |line: &str| ours.iter().any(|begin| line.starts_with(begin));
    assert!(ran.stdout.lines().all(is_ours), "{ran}");
}

#[test]
fn characters_that_a_terminal_obeys_are_not_passed_on() {
    let folder = Tarbac::with(&[("policies/a.cedar", "\u{1b}[2J permit")]);
    assert!(!folder.run(&["validate"]).stdout.contains('\u{1b}'));
}
