//! Completions for shells, and manual pages.

use crate::tarbac::{Tarbac, command, contoso, contoso_folder};

/// What bash is offered for the last of these words.
fn offered(folder: &std::path::Path, words: &[&str]) -> Vec<String> {
    let mut command = command(folder);
    command.args(["--", "tarbac"]).args(words);
    command
        .env("TARBAC_COMPLETE", "bash")
        .env("_CLAP_IFS", "\n");
    command.env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    let output = command.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Words of which the last is begun, and what is offered for it.
const BEGUN: [(&[&str], &str); 19] = [
    (&["check", "ad"], "ada@contoso.example"),
    (&["check", "AD"], "ada@contoso.example"),
    (&["check", "ada@contoso.example", "runS"], "runScript"),
    (
        &["explain", "ada@contoso.example", "runScript", "ws-ber-014"],
        "WS-BER-014",
    ),
    (&["who", "runScript", "WS-BER-014"], "WS-BER-014"),
    (&["what", "kar"], "karin@contoso.example"),
    (&["matrix", "--principal", "kar"], "karin@contoso.example"),
    (&["matrix", "--resource", "WS-BER-014"], "WS-BER-014"),
    (&["access", "--reading", "discovery-e"], "discovery-either"),
    (&["access", "--no-reading", "any"], "any-intune-role"),
    (
        &["what-if", "--enforce-configmgr-rbac", "P01=of"],
        "P01=off",
    ),
    (
        &[
            "who",
            "runScript",
            "WS-BER-014",
            "--use-intune-rbac",
            "fabrikam=on",
        ],
        "fabrikam=on",
    ),
    (&["what-if", "--scoped-permissions", "of"], "off"),
    (&["what-if", "--site-version", "P0"], "P01="),
    (&["what-if", "--grant", "ada"], "ada@contoso.example="),
    (&["val"], "validate"),
    (&["help", "importi"], "importing"),
    (&["help", "val"], "validate"),
    (&["matrix", "--format", "mark"], "markdown"),
];

#[test]
fn names_and_readings_are_offered() {
    let here = contoso_folder();
    for (words, name) in BEGUN {
        assert_eq!(offered(&here, words), [name], "{words:?}");
    }
    // Only the formats that are written.
    let formats = offered(&here, &["readings", "--format", ""]);
    assert_eq!(formats, ["human", "json"]);
}

#[test]
fn everything_that_may_come_next_is_offered() {
    let here = contoso_folder();
    // A name that a shell would take for several words goes by its id.
    let roles = offered(&here, &["role", "export", ""]);
    assert!(roles.iter().all(|role| !role.contains(' ')), "{roles:?}");
    assert!(!roles.is_empty());
    let roles = offered(&here, &["what-if", "--revoke", "ada@contoso.example="]);
    assert!(
        roles
            .iter()
            .all(|role| role.starts_with("ada@contoso.example="))
    );
    assert!(!roles.is_empty());
    let settings = offered(&here, &["access", "--enforce-configmgr-rbac", ""]);
    for setting in ["on", "off", "P01=on", "P01=off", "FAB=on"] {
        assert!(
            settings.iter().any(|offered| offered == setting),
            "{settings:?}"
        );
    }
}

#[test]
fn the_names_that_are_offered_are_those_of_the_workspace_that_is_meant() {
    let elsewhere = Tarbac::with_tenant(&[]);
    let contoso = contoso_folder();
    let named = contoso.to_str().unwrap();
    let joined = format!("--workspace={named}");
    let short = format!("-C{named}");
    let path = elsewhere.path("");
    let ada = ["ada@contoso.example"];
    assert_eq!(offered(&path, &["check", "a"]), ["ana@t.example"]);
    assert_eq!(offered(&path, &["-C", named, "check", "ad"]), ada);
    assert_eq!(offered(&path, &[&joined, "check", "ad"]), ada);
    assert_eq!(offered(&path, &["check", &short, "ad"]), ada);
    // Where there is no sound workspace, nothing is said.
    elsewhere.write("entities/tenant.json", "nonsense");
    assert!(offered(&path, &["check", "a"]).is_empty());
}

#[test]
fn completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = contoso(&["completions", shell]);
        let asks = ran.stdout.contains("TARBAC_COMPLETE");
        assert!(ran.status == 0 && asks, "{ran}");
    }
    let folder = Tarbac::with(&[]);
    assert!(folder.run(&["man"]).stdout.contains(".TH tarbac 1"));
    assert_eq!(folder.run(&["man", "--out", "pages"]).status, 0);
    assert!(
        folder
            .read("pages/tarbac-check.1")
            .contains("standard error")
    );
}
