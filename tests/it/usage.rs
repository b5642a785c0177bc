//! The program as a program: help, usage errors, formats, completions and manual pages.

mod completions;
mod output;

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

/// Everything that can be asked for, in the order of the help.
const COMMANDS: [&str; 36] = [
    "check",
    "explain",
    "who",
    "what",
    "access",
    "what-if",
    "diff",
    "replay",
    "matrix",
    "validate",
    "test",
    "prove",
    "review",
    "role",
    "role export",
    "role diff",
    "fmt",
    "readings",
    "init",
    "import",
    "collect",
    "serve",
    "open",
    "health",
    "token",
    "publish",
    "store",
    "store status",
    "store log",
    "store diff",
    "store revert",
    "store prune",
    "schema",
    "completions",
    "man",
    "help",
];

fn words<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    command
        .split_whitespace()
        .chain(more.iter().copied())
        .collect()
}

/// The commands that a help lists, with those within them.
fn listed(within: &str) -> Vec<String> {
    let help = contoso(&words(within, &["--help"])).stdout;
    let Some((_, lines)) = help.split_once("Commands:\n") else {
        return Vec::new();
    };
    let lines = lines.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.split_whitespace().next());
    let names = names.map(|name| format!("{within} {name}").trim().to_owned());
    let all = names.map(|name| (listed(&name), name));
    all.flat_map(|(inner, name)| std::iter::once(name).chain(inner))
        .collect()
}

#[test]
fn every_command_has_help_with_examples_and_without_colour() {
    // Whatever can be asked for is looked at.
    assert_eq!(listed(""), COMMANDS);
    for command in COMMANDS {
        let ran = contoso(&words(command, &["--help"]));
        assert_eq!(ran.status, 0, "{ran}");
        assert!(!ran.stdout.contains('\u{1b}'), "{ran}");
        let example = format!("tarbac {command}");
        let (_, examples) = ran.stdout.split_once("\nExamples:").expect(command);
        assert!(examples.contains(&example), "{ran}");
        let short = contoso(&words(command, &["-h"])).stdout;
        assert!(short.contains(&format!("\nExamples:{examples}")), "{short}");
        // The pages that it points to are there.
        for line in examples.lines().map(str::trim) {
            if let Some(topic) = line.strip_prefix("tarbac help ") {
                let (topic, _) = topic.split_once("  ").unwrap_or((topic, ""));
                let page = contoso(&words("help", &topic.split(' ').collect::<Vec<_>>()));
                assert_eq!(page.status, 0, "{line}: {page}");
            }
        }
    }
}

/// The formats that the help of a command lists, as it writes them.
fn formats_in_help(command: &str) -> String {
    let help = contoso(&words(command, &["-h"])).stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let listed = help.split_once("--format <FORMAT>");
    let listed = listed.and_then(|(_, rest)| rest.split_once("[possible values: "));
    let listed = listed.and_then(|(_, rest)| rest.split_once(']'));
    listed.map_or(String::new(), |(listed, _)| listed.to_owned())
}

#[test]
fn a_format_is_taken_where_the_help_lists_it_and_nowhere_else() {
    for command in COMMANDS {
        let listed = formats_in_help(command);
        if listed.is_empty() {
            continue;
        }
        for format in ["human", "json", "ndjson", "markdown", "csv", "html", "pdf"] {
            let is_listed = listed.split(", ").any(|listed| listed == format);
            let asked = ["--format", format, "--policies", "nowhere"];
            let after = contoso(&words(command, &asked));
            // Before the command it is looked at after whatever else the command lacks.
            let before = contoso(&[&asked[..], &words(command, &[])].concat());
            let refused = format!("invalid value '{format}'");
            assert_eq!(
                !after.stderr.contains(&refused),
                is_listed,
                "{command}: {after}"
            );
            if !before.stderr.contains("arguments were not provided") {
                let is_taken = !before.stderr.contains(&refused);
                assert_eq!(is_taken, is_listed, "{command}: {before}");
            }
        }
    }
}

#[test]
fn help_lists_the_formats_that_a_command_writes() {
    let listed = COMMANDS.iter();
    let listed = listed.map(|command| format!("{command}: {}\n", formats_in_help(command)));
    let said: String = listed.collect();
    insta::assert_snapshot!(said, @r#"
    check: human, json
    explain: human, json
    who: human, json, markdown, csv
    what: human, json, markdown, csv
    access: human, json, ndjson, markdown, csv, html
    what-if: human, json, ndjson, markdown, csv, html
    diff: human, json, ndjson, markdown, csv, html
    replay: human, json
    matrix: human, json, markdown, csv, html
    validate: human, json
    test: human, json
    prove: human, json
    review: 
    role: 
    role export: 
    role diff: human, json
    fmt: human, json
    readings: human, json
    init: human, json
    import: human, json, markdown
    collect: human, json, markdown
    serve: 
    open: 
    health: 
    token: 
    publish: human, json
    store: 
    store status: human, json
    store log: human, json
    store diff: human, json, ndjson, markdown, csv, html
    store revert: human, json
    store prune: human, json
    schema: 
    completions: 
    man: 
    help:
    "#);
}

#[test]
fn a_command_within_another_is_found() {
    insta::assert_snapshot!(contoso(&["export"]), @r#"
    --- stderr
    error: unrecognized subcommand 'export'

      tip: a similar subcommand exists: 'role export'

    Usage: tarbac [OPTIONS] <COMMAND>

    For more information, try '--help'.
    --- exit 2
    "#);
    // What is no command at all is answered as before.
    let ran = contoso(&["explian"]);
    assert!(ran.stderr.contains("'explain'"), "{ran}");
}

#[test]
fn a_format_that_is_not_written_is_answered_with_those_that_are() {
    insta::assert_snapshot!(contoso(&["--format", "csv", "readings"]), @r#"
--- stderr
error: invalid value 'csv' for '--format <FORMAT>'
  [possible values: human, json]

For more information, try '--help'.
--- exit 2
"#);
    insta::assert_snapshot!(contoso(&["import", "x", "--out", "y", "--format", "markdown"]), @r#"
--- stderr
error: only import --how writes the format markdown

Usage: tarbac [OPTIONS] <COMMAND>

For more information, try '--help'.
--- exit 2
"#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "an answer, whole")]
fn the_help_lists_the_commands_and_the_options() {
    insta::assert_snapshot!(contoso(&["--help"]), @r#"
    Decide and explain who may do what to Intune tenant-attached devices.

    The rules of Intune and Configuration Manager are Cedar policies. A workspace is a folder with
    `policies/`, `schema/` and `entities/`; its policies and schema add to those in the binary, unless a
    file `tarbac.yaml` beside them says that they replace them.

    Exit status: 0 yes (allow, clean), 1 no (deny, findings), 2 could not answer.

    Usage: tarbac [OPTIONS] <COMMAND>

    Commands:
      check        Decide whether a person has a permission on a device or tenant
      explain      Explain a decision, and find the changes that would reverse it
      who          List the people who have a permission on a device or tenant
      what         List the permissions of a person
      access       Report who can do what, through which role, and which assignments give nothing
      what-if      Show who gains and loses access by a change of the tenant or the rules
      diff         Show who gains and loses access between two workspaces, policies or git revisions
      replay       Decide the requests of a decision log again, and show the decisions that differ
      matrix       Show what each role permits, or what each person may do
      validate     Find errors and warnings in a workspace
      test         Run the suites of a workspace: are the decisions as expected?
      prove        Prove that the policies satisfy the specs in every possible tenant
      review       Review the changed decisions of snapshots, one by one
      role         Compare roles with a tenant, and export them to it
      fmt          Format policy files as Cedar does
      readings     List the readings: choices where the documents disagree
      init         Write a sample workspace to try tarbac on
      import       Make a workspace from the exports of a live tenant, or refresh one
      collect      Collect the exports of a live tenant from Microsoft Graph and Configuration Manager
      serve        Serve decisions over HTTP, by AuthZEN 1.0
      open         Open the page in a browser: who can, what, why and what if
      health       Ask a server of `tarbac serve` whether it is ready
      token        Make an access token for a caller of `tarbac serve`
      publish      Publish the workspace to a store, for every decision point that reads it
      store        Look after the revisions in a store
      schema       Write a JSON Schema to standard output, for editors and programs
      completions  Write the completions for a shell to standard output
      man          Write the manual page to standard output, or one page for each command into a folder
      help         Show the help of a command, or a page of the documentation

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Workspace and output:
      -C, --workspace <DIR>
              Read the workspace in this folder
              
              [env: TARBAC_WORKSPACE]
              [default: .]

          --policies <PATH>
              Read policies from this file or folder instead of `policies/`; repeatable

          --schema <PATH>
              Read the schema from this file or folder instead of `schema/`; repeatable

          --entities <PATH>
              Read entities from this file or folder instead of `entities/`; repeatable

          --reading <NAME>
              Switch a reading on; repeatable. `tarbac readings` lists them

          --no-reading <NAME>
              Switch a reading off; repeatable

          --no-cache
              Read a large workspace anew, and keep nothing of it in `.tarbac/`

          --format <FORMAT>
              Write the answer for people or for programs; the help of a command lists what it writes

              Possible values:
              - human:    Text for people
              - json:     JSON for programs
              - ndjson:   JSON for programs, an object a line
              - markdown: Tables in Markdown
              - csv:      Comma-separated values
              - html:     A page that needs nothing else
              
              [default: human]

      -q, --quiet
              Say only answers and errors: no notes, no progress

          --color <WHEN>
              Colour text for people; auto does so on a terminal, unless NO_COLOR is set
              
              [possible values: auto, always, never]

    Examples:
      tarbac init contoso                      write a sample workspace into the folder contoso
      tarbac -C contoso check ada@contoso.example "View client details" WS-TST-001
      tarbac -C contoso explain ada@contoso.example "View client details" WS-BER-014
      tarbac -C contoso access                 who can do what, and which assignments give nothing
      tarbac -C contoso what-if --enforce-configmgr-rbac P01=off
                                               what changes for whom
      tarbac matrix                            what each role permits
      tarbac -C contoso validate               everything that is wrong with a workspace
      tarbac -C contoso test                   are the decisions as expected?
      tarbac -C contoso prove                  and in every other tenant that there could be?
      tarbac -C contoso serve                  answer programs over HTTP
      tarbac help                              the commands, and the pages of the documentation
    --- exit 0
    "#);
}
