//! Other people's Cedar: schemas, policies, entities and suites that were not written for tarbac.

mod policies;
mod suites;

use crate::tarbac::{Ran, Tarbac};

/// A folder with these files beside each other, as `--policies`, `--schema` and `--entities` name them.
struct Others(Tarbac);

impl Others {
    fn with(files: &[(&str, &str)]) -> Self {
        Self(Tarbac::with(files))
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let named = [("--policies", "p"), ("--schema", "s"), ("--entities", "e")];
        let named = named.iter().flat_map(|(flag, beginning)| {
            let names = std::fs::read_dir(self.0.path("")).unwrap();
            let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<String> = names.filter(|name| name.starts_with(beginning)).collect();
            names.sort();
            names
                .into_iter()
                .flat_map(|name| [(*flag).to_owned(), name])
        });
        let named: Vec<String> = named.collect();
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        self.0.run(&[&named, arguments].concat())
    }

    /// What is wrong with the files, each as its severity and code.
    fn findings(&self) -> Vec<String> {
        let ran = self.run(&["--format", "json", "validate"]);
        let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect(&ran.stderr);
        let findings = document["findings"].as_array().unwrap();
        let word =
            |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
        findings
            .iter()
            .map(|finding| format!("{} {}", word(finding, "severity"), word(finding, "code")))
            .filter(|finding| finding != "warning policy::unformatted")
            .collect()
    }
}

const SCHEMA: &str = r#"entity Team;
entity User in [Team] { team?: Team };
entity Doc;
action "view", "edit" appliesTo { principal: [User], resource: [Doc] };
"#;

const ENTITIES: &str = r#"[
  {"uid": {"type": "User", "id": "ben"}, "attrs": {}, "parents": []},
  {"uid": {"type": "Doc", "id": "plan"}, "attrs": {}, "parents": []}
]"#;

const POLICY: &str = r#"@id("p")
permit (principal == User::"ben", action == Action::"view", resource);
"#;

/// A file of `cedar run-tests` in which ben views the plan, for this reason.
fn suite(reason: &str, entities: &str) -> String {
    format!(
        r#"[{{"name": "ben views the plan", "request": {{"principal": "User::\"ben\"", "action": "Action::\"view\"",
        "resource": "Doc::\"plan\"", "context": {{}}}}, "entities": {entities}, "decision": "allow",
        "reason": ["{reason}"], "num_errors": 0}}]"#
    )
}

fn passes(ran: &Ran) {
    assert_eq!(ran.status, 0, "{ran}");
}

const CHECK: [&str; 4] = ["check", r#"User::"ben""#, "view", r#"Doc::"plan""#];

#[test]
fn a_schema_in_the_json_format_is_read_like_the_other() {
    let schema = r#"{"": {"entityTypes": {"User": {}, "Doc": {}}, "actions": {"view": {"appliesTo":
        {"principalTypes": ["User"], "resourceTypes": ["Doc"]}}}}}"#;
    for name in [
        "schema.cedarschema.json",
        "schema.json",
        "schema.cedarschema",
    ] {
        let files = [
            ("policies.cedar", POLICY),
            (name, schema),
            ("entities.json", ENTITIES),
            ("tests.json", &suite("p", ENTITIES)),
        ];
        let others = Others::with(&files);
        assert_eq!(others.findings(), Vec::<String>::new(), "{name}");
        passes(&others.run(&["test", "--cedar", "tests.json"]));
        passes(&others.run(&CHECK));
    }
}

#[test]
fn schemas_of_both_formats_and_of_several_namespaces_go_together() {
    let json = r#"{"Shop": {"entityTypes": {"Doc": {"shape": {"type": "Record", "attributes":
        {"owner": {"type": "Entity", "name": "Staff::User"}}}}}, "actions": {"view": {"appliesTo":
        {"principalTypes": ["Staff::User"], "resourceTypes": ["Doc"]}}}}}"#;
    let files = [
        (
            "policies.cedar",
            "permit (principal, action == Shop::Action::\"view\", resource) when { resource.owner == principal };",
        ),
        ("schema-1.cedarschema", "namespace Staff { entity User; }"),
        ("schema-2.cedarschema.json", json),
        (
            "entities.json",
            r#"[{"uid": {"type": "Staff::User", "id": "ben"}, "attrs": {}, "parents": []},
          {"uid": {"type": "Shop::Doc", "id": "plan"}, "attrs": {"owner": {"type": "Staff::User", "id": "ben"}}, "parents": []}]"#,
        ),
    ];
    let others = Others::with(&files);
    let ran = others.run(&[
        "check",
        r#"Staff::User::"ben""#,
        "view",
        r#"Shop::Doc::"plan""#,
    ]);
    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (0, "ALLOW  policy0\n"),
        "{ran}"
    );
}

#[test]
fn a_schema_that_is_no_json_is_told_in_words_of_the_tool() {
    let files = [
        ("policies.cedar", POLICY),
        ("schema.json", "{\"\": {\n  \"entityTypes\": 1}}"),
    ];
    let ran = Others::with(&files).run(&["validate"]);
    assert!(!ran.stdout.contains("API"), "{ran}");
    insta::assert_snapshot!(ran);
}

#[test]
fn a_parent_that_the_schema_allows_through_another_is_one_as_for_cedar() {
    let schema = "entity Hotel in [Hotel];\nentity Property in [Hotel];\nentity Room in [Property];\nentity User;\naction \"view\" appliesTo { principal: User, resource: Room };\n";
    let entities = r#"[{"uid": {"type": "Hotel", "id": "grand"}, "attrs": {}, "parents": []},
      {"uid": {"type": "User", "id": "ben"}, "attrs": {}, "parents": []},
      {"uid": {"type": "Room", "id": "r1"}, "attrs": {}, "parents": [{"type": "Hotel", "id": "grand"}]}]"#;
    let policy = "@id(\"p\")\npermit (principal, action == Action::\"view\", resource in Hotel::\"grand\");\n";
    let files = [
        ("policies.cedar", policy),
        ("schema.cedarschema", schema),
        ("entities.json", entities),
    ];
    let others = Others::with(&files);
    assert_eq!(others.findings(), Vec::<String>::new());
    passes(&others.run(&["check", r#"User::"ben""#, "view", r#"Room::"r1""#]));
    // Where tarbac asks its questions, a person is in a role through an assignment only.
    let ours = Tarbac::with_tenant(&[(
        "entities/x.json",
        &crate::world::entities(&[crate::world::user(
            "u9",
            "eve@t.example",
            &[("Intune::Role", "Help Desk Operator")],
        )]),
    )]);
    let ran = ours.run(&["validate"]);
    assert!(ran.stdout.contains("entities::nonconforming"), "{ran}");
}

#[test]
fn actions_among_the_entities_are_taken_if_they_are_those_of_the_schema() {
    let schema = "entity User;\nentity Doc;\naction all;\naction read in [all];\naction view in [read] appliesTo { principal: [User], resource: [Doc] };\n";
    let findings = |action: &str| {
        let entities = ENTITIES.replacen('[', &format!("[{action},"), 1);
        let files = [
            ("policies.cedar", POLICY),
            ("schema.cedarschema", schema),
            ("entities.json", entities.as_str()),
        ];
        let others = Others::with(&files);
        let found = others.findings();
        assert_eq!(
            others.run(&CHECK).status,
            if found.is_empty() { 0 } else { 2 }
        );
        found
    };
    let action = |id: &str, attrs: &str, parents: &[&str]| {
        let parents = parents
            .iter()
            .map(|id| format!(r#"{{"type": "Action", "id": "{id}"}}"#));
        let parents = parents.collect::<Vec<_>>().join(", ");
        format!(
            r#"{{"uid": {{"type": "Action", "id": "{id}"}}, "attrs": {attrs}, "parents": [{parents}]}}"#
        )
    };
    for equal in [
        action("view", "{}", &["read"]),
        action("view", "{}", &["all", "read"]),
        action("read", "{}", &["all"]),
        action("all", "{}", &[]),
    ] {
        assert_eq!(findings(&equal), Vec::<String>::new(), "{equal}");
    }
    for other in [
        action("view", "{}", &[]),
        action("view", "{}", &["all"]),
        action("all", "{}", &["read"]),
        action("view", r#"{"x": 1}"#, &["read"]),
        action("wipe", "{}", &[]),
    ] {
        assert_eq!(
            findings(&other),
            ["error entities::nonconforming"],
            "{other}"
        );
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let policy = "@id(\"p\")\n@doc(\"An agent may read.\")\npermit (principal == Agent::\"helper\", action == Action::\"cal\", resource) when { resource.x == ipp(\"::1\") };\n";
    let others = Tarbac::with(&[("policies.cedar", policy)]);
    let run = || {
        others
            .run(&[
                "--policies",
                "policies.cedar",
                "--format",
                "json",
                "validate",
            ])
            .stdout
    };
    let first = run();
    for _ in 0..7 {
        assert_eq!(run(), first);
    }
}

#[test]
fn a_wrong_word_is_told_once_whatever_types_it_is_wrong_for() {
    let policy = r#"@id("custom.x")
@doc("A wrong word.")
permit (principal in Intune::Role::"r", action, resource)
when { resource.hierarky.version == 2403 };
@id("custom.y")
@doc("A type is not named.")
permit (principal in Intune::Role::"r", action, resource)
when { resource.hierarchy.version == 2403 };
@id("custom.z")
@doc("A wrong word of a record.")
permit (principal in Intune::Role::"r", action, resource is ConfigMgr::Device)
when { principal has configMgr && resource in principal.configMgr.reed };
"#;
    let ran = Tarbac::with(&[("policies/custom/x.cedar", policy)]).run(&["validate"]);
    assert_eq!(ran.stdout.matches("policy::type").count(), 3, "{ran}");
    for help in [
        "did you mean `hierarchy`?",
        "name in the scope the type that has it: `resource is ConfigMgr::Device`",
        "did you mean `read`",
    ] {
        assert!(ran.stdout.contains(help), "{help}: {ran}");
    }
}
