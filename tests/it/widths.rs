//! Text is as wide as the terminal, counted in its columns: a Chinese character takes two, and a mark that combines
//! takes none.

use unicode_width::UnicodeWidthStr;

use crate::solver::solver_or_return;
use crate::tarbac::{Tarbac, command, sample};
use crate::world::{assignment, device, entities, entity, hierarchy, tenant_entity, user};

/// A tenant whose names are of any width.
fn names_of_any_width() -> Tarbac {
    let role = "Intune::Role";
    let member =
        |id: &str, role_id: &str| assignment(id, &[(role, role_id), ("Intune::Tenant", "t")]);
    let mut tenant = vec![
        tenant_entity("t", true),
        hierarchy("H", "t", false),
        device("d1", "PC-1", "H"),
        entity(role, "Help Desk Operator", serde_json::json!({}), &[]),
        entity(
            role,
            "r1",
            serde_json::json!({ "displayName": "北京的帮助台" }),
            &[],
        ),
        member("a1", "Help Desk Operator"),
        member("a2", "r1"),
    ];
    for (id, name) in [
        ("u1", "ana@t.example"),
        ("u2", "王小明@t.example"),
        ("u3", "Bjo\u{308}rn@t.example"),
    ] {
        let roles = [
            ("Intune::RoleAssignment", "a1"),
            ("Intune::RoleAssignment", "a2"),
        ];
        tenant.push(user(id, name, &roles));
    }
    Tarbac::with(&[
        (
            "policies/custom/desk.cedar",
            "@id(\"custom.desk\")\n@doc(\"北京的帮助台可以查看时间线。\")\npermit (\n  principal in Intune::Role::\"r1\",\n  action == Intune::Action::\"viewTimeline\",\n  resource\n);\n",
        ),
        ("entities/tenant.json", &entities(&tenant)),
    ])
}

/// The column of a terminal at which something stands in a line.
fn column(line: &str, of: &str) -> usize {
    line.split_once(of)
        .unwrap_or_else(|| panic!("{line}: {of}"))
        .0
        .width()
}

#[test]
fn names_of_any_width_stand_straight() {
    let workspace = names_of_any_width();
    let matrix = workspace.run(&["matrix", "--all"]);
    let rows: Vec<&str> = matrix
        .stdout
        .lines()
        .filter(|line| line.contains("@t.example"))
        .collect();
    assert_eq!(rows.len(), 6, "{matrix}");
    for row in &rows[..3] {
        assert_eq!(column(row, "✓"), column(rows[0], "✓"), "{matrix}");
    }
    let roles = workspace.run(&["access"]).stdout;
    let table = roles
        .lines()
        .skip_while(|line| !line.starts_with("By role"));
    let table: Vec<&str> = table.take(3).collect();
    let widths: Vec<usize> = table.iter().map(|line| line.width()).collect();
    assert!(
        table[1..].iter().any(|line| line.contains("北京")),
        "{roles}"
    );
    assert_eq!(widths, [widths[0]; 3], "{roles}");
}

/// What is in a snapshot is read back, however wide the names of its permissions are.
#[test]
fn headings_of_any_width_are_read_back() {
    let workspace = Tarbac::with(&[
        (
            "schema/own.cedarschema",
            "entity User;\nentity Device;\n@name(\"查看 时间线\")\naction \"查看\" appliesTo { principal: User, resource: Device };\n@name(\"Mu\u{308}ll leeren und mehr\")\naction leeren appliesTo { principal: User, resource: Device };\n",
        ),
        (
            "policies/own.cedar",
            "@id(\"own.看\")\n@doc(\"Everybody.\")\npermit (principal, action == Action::\"查看\", resource);\n",
        ),
        (
            "entities/own.json",
            r#"[{"uid": {"type": "User", "id": "王小明"}, "attrs": {}, "parents": []}, {"uid": {"type": "User", "id": "u\u0308"}, "attrs": {}, "parents": []}, {"uid": {"type": "Device", "id": "d"}, "attrs": {}, "parents": []}]"#,
        ),
        (
            "tests/a.yaml",
            "suite: A\nsnapshot: { principals: all, actions: all, resources: all }\n",
        ),
    ]);
    let taken = workspace.run(&["test", "--accept"]);
    assert_eq!(taken.status, 0, "{taken}");
    let kept = workspace.read("tests/a.snap");
    workspace.write("tests/a.snap", kept.replacen('✓', "✗", 1));
    let ran = workspace.run(&["test"]);
    assert!(
        ran.stdout.contains("newly allowed: u\u{308}, "),
        "{ran}\n{kept}"
    );
    assert!(ran.stdout.contains("1 decision changed"), "{ran}\n{kept}");
}

/// What a command writes to a terminal of some columns.
fn written(workspace: &Tarbac, width: usize, arguments: &[&str]) -> String {
    let mut command = command(&workspace.path(""));
    let command = command.args(arguments).env("COLUMNS", width.to_string());
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// Holds all lines but those that are one word, or not prose.
fn fits(text: &str, width: usize, is_prose: impl Fn(&str) -> bool) {
    assert!(!text.is_empty());
    for line in text.lines().filter(|line| is_prose(line)) {
        let is_word = line.split_whitespace().count() == 1;
        assert!(is_word || line.width() <= width, "{width}: {line}\n{text}");
    }
}

#[test]
fn a_narrow_terminal_is_kept_to() {
    let workspace = sample();
    let fails =
        "suite: What is expected of the people who help others at their desks in Berlin and Munich
snapshot: { principals: [ada@contoso.example], actions: all, resources: [WS-TST-001] }
cases:
  - name: A case with a name that is longer than the terminal is wide
    principal: ada@contoso.example
    action: runScript
    resource: WS-TST-001
    expect: deny
    because: []
";
    workspace.write("tests/a.yaml", fails);
    for width in [44, 72] {
        for arguments in [
            &["matrix"][..],
            &[
                "matrix",
                "--principal",
                "ada@contoso.example",
                "--resource",
                "WS-TST-001",
            ],
            &["test"],
            &["test", "--coverage"],
        ] {
            fits(&written(&workspace, width, arguments), width, |_| true);
        }
        // The lines of the files stand as they are, with what points at them.
        let is_prose = |line: &str| !line.contains(['│', '·', '╭']);
        fits(&written(&workspace, width, &["validate"]), width, is_prose);
    }
    let passes = fails
        .replace("deny", "allow")
        .replace("[]", "[roles.help-desk-operator]");
    workspace.write("tests/a.yaml", passes);
    // The cases are there to be pasted.
    let mutants = written(&workspace, 44, &["test", "--mutate"]);
    assert!(mutants.contains("SURVIVED"), "{mutants}");
    fits(&mutants, 44, |line| {
        line.starts_with("SURVIVED") || line.starts_with("mutants")
    });
}

#[test]
fn a_narrow_terminal_is_kept_to_by_proofs() {
    let solver = solver_or_return!();
    let workspace = Tarbac::with(&[(
        "tests/specs/specs.cedar",
        "@id(\"no-scripts\")\n@doc(\"Nobody whosoever may run a script on a device of anybody.\")\nforbid (principal, action == Intune::Action::\"runScript\", resource);\n",
    )]);
    let text = written(
        &workspace,
        44,
        &["prove", "--solver", solver.to_str().unwrap()],
    );
    assert!(text.contains("REFUTED"), "{text}");
    fits(&text, 44, |_| true);
}
