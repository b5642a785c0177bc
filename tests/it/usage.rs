//! The program as a program: help, usage errors, formats, completions and manual pages.

use crate::tarbac::{Tarbac, contoso};

#[test]
fn usage_errors_are_no_refusals() {
    for arguments in [
        &["check"][..],
        &["check", "a", "b"],
        &["check", "a", "b", "c", "--requests", "-"],
        &["check", "a", "b", "c", "--format", "csv"],
        &["fly"],
        &["matrix", "--all", "--principal", "x"],
    ] {
        let ran = contoso(arguments);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(!ran.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_folder_that_is_none() {
    let folder = Tarbac::with(&[("file", "")]);
    insta::assert_snapshot!(folder.run(&["-C", "nowhere", "matrix"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `nowhere`: it is not a folder
    --- exit 2
    "#);
    insta::assert_snapshot!(folder.run(&["-C", "file", "matrix"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `file`: it is not a folder
    --- exit 2
    "#);
    insta::assert_snapshot!(folder.run(&["--policies", "nowhere", "matrix"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `nowhere`: No such file or directory (os error 2)
    --- exit 2
    "#);
}

#[test]
fn every_command_has_help_without_colour() {
    for command in [
        "check",
        "explain",
        "who",
        "what",
        "access",
        "what-if",
        "diff",
        "matrix",
        "validate",
        "test",
        "prove",
        "review",
        "role",
        "fmt",
        "readings",
        "init",
        "import",
        "schema",
        "completions",
        "man",
    ] {
        let ran = contoso(&[command, "--help"]);
        assert_eq!(ran.status, 0, "{ran}");
        assert!(!ran.stdout.contains('\u{1b}'), "{ran}");
    }
    insta::assert_snapshot!(contoso(&["--help"]), @r#"
    Decide and explain who may do what to Intune tenant-attached devices.

    The rules of Intune and Configuration Manager are Cedar policies. A workspace is a folder with
    `policies/`, `schema/` and `entities/`; where it lacks policies or schema, those in the binary are
    used.

    Exit status: 0 yes (allow, clean), 1 no (deny, findings), 2 could not answer.

    Usage: tarbac [OPTIONS] <COMMAND>

    Commands:
      check        Decide whether a person may do something to a device
      explain      Explain a decision: who decides, why, and what would change it
      who          List everybody who may do something to a device or tenant
      what         List everything that somebody may do
      access       Report who can do what, through which role, and which assignments give nothing
      what-if      Show what changes for whom if something is changed
      diff         Show what changes for whom between two workspaces, policies, or revisions of git
      matrix       Show what each role permits, or what each person may do
      validate     Find everything that is wrong with a workspace
      test         Run the suites of a workspace: are the decisions those that are expected?
      prove        Prove that the policies are what the specs say, in every possible tenant
      review       Go through the decisions of snapshots that are others than they were, one by one
      role         Compare roles with a tenant, and give them to it
      fmt          Format policy files as Cedar does
      readings     List the readings: choices where the documents disagree
      init         Write a sample workspace, to ask questions of and to change
      import       Make a workspace of the exports of a live tenant
      schema       Write a JSON Schema to standard output, for editors
      completions  Write the completions for a shell to standard output
      man          Write the manual page to standard output, or one page for each command into a folder

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Workspace and output:
      -C, --workspace <DIR>
              Read the workspace in this folder
              
              [default: .]

          --policies <PATH>
              Read policies from this file or folder instead of `policies/`; repeatable

          --schema <PATH>
              Read the schema from this file or folder instead of `schema/`; repeatable

          --entities <PATH>
              Read entities from this file or folder instead of `entities/`; repeatable

          --format <FORMAT>
              Write the answer for people or for programs

              Possible values:
              - human:    Text for people
              - json:     JSON for programs
              - ndjson:   JSON for programs, an object a line (who, what, access, what-if and diff only)
              - markdown: A table in Markdown (matrix, who, what, access, what-if, diff and import --how
                only)
              - csv:      Comma-separated values (matrix, who, what, access, what-if and diff only)
              - html:     A page that needs nothing else (access, what-if and diff only)
              
              [default: human]

          --reading <NAME>
              Switch a reading on; repeatable. `tarbac readings` lists them

          --no-reading <NAME>
              Switch a reading off; repeatable

          --no-cache
              Read a large workspace anew, and keep nothing of it in `.tarbac/`

    Examples:
      tarbac init contoso                      write a sample workspace into the folder contoso
      tarbac -C contoso check ada@contoso.example "View client details" WS-TST-001
      tarbac -C contoso explain ada@contoso.example "View client details" WS-BER-014
      tarbac -C contoso access                 who can do what, and which assignments give nothing
      tarbac -C contoso what-if --enforce-configmgr-rbac P01=off
                                               what changes for whom
      tarbac matrix                            what each role permits
      tarbac -C contoso validate               everything that is wrong with a workspace
      tarbac -C contoso test                   are the decisions those that are expected?
      tarbac -C contoso prove                  and in every other tenant that there could be?
    --- exit 0
    "#);
}

#[test]
fn completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = contoso(&["completions", shell]);
        assert!(ran.status == 0 && ran.stdout.contains("validate"), "{ran}");
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
