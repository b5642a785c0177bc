//! What a person may type for a person, a permission and a device.

use serde_json::json;
use tarbac::lookup::{Lookup, Name, NameError};
use tarbac::{Layout, Switches, Workspace, shipped};

use crate::tarbac::{Tarbac, contoso, contoso_folder};
use crate::world::{device, entities, entity, user};

#[test]
fn every_spelling_leads_to_the_same_request() {
    let people = [
        "ada@contoso.example",
        "ADA@Contoso.Example",
        "00000000-0000-4000-8000-0000000000a1",
        r#"Entra::User::"00000000-0000-4000-8000-0000000000a1""#,
    ];
    let actions = [
        "runScript",
        "RUNSCRIPT",
        "Run script",
        "Cloud attached devices\\Run script",
        "cloud attached devices/run script",
        "Microsoft.Intune_CloudAttach_ScriptActions",
        r#"Intune::Action::"runScript""#,
    ];
    let workspace = Workspace::load(
        &Layout::new(contoso_folder(), shipped::rules()),
        &Switches::default(),
    )
    .unwrap();
    for names in [
        Lookup::new(&workspace.engine),
        Lookup::new(&workspace.engine).indexed(),
    ] {
        let expected = names.action(&Name::from("runScript")).unwrap();
        for action in actions {
            assert_eq!(
                names.action(&Name::from(action)).unwrap().uid,
                expected.uid,
                "{action}"
            );
        }
        let ada = names.principal(expected, &Name::from(people[0])).unwrap();
        for person in people {
            assert_eq!(
                names.principal(expected, &Name::from(person)).unwrap(),
                ada,
                "{person}"
            );
        }
        let device = names.resource(expected, &Name::from("ws-tst-001")).unwrap();
        assert_eq!(
            names
                .resource(expected, &Name::from(device.to_string().as_str()))
                .unwrap(),
            device
        );
        assert_eq!(
            names
                .resource(expected, &Name::from(device.id().unescaped()))
                .unwrap(),
            device
        );
    }
}

#[test]
fn what_matches_nothing_is_an_error_with_the_nearest_names() {
    insta::assert_snapshot!(contoso(&["check", "adda@contoso.example", "runScript", "WS-TST-001"]), @r#"
    --- stderr
    name::unknown

      × no principal is called `adda@contoso.example`
      help: did you mean `ada@contoso.example`?
    --- exit 2
    "#);
    insta::assert_snapshot!(contoso(&["check", "ada", "runScript", "WS-TST-001"]), @r#"
    --- stderr
    name::unknown

      × no principal is called `ada`
      help: did you mean `ada@contoso.example`?
    --- exit 2
    "#);
    insta::assert_snapshot!(contoso(&["check", "ada@contoso.example", "Run scripts", "WS-TST-001"]), @r#"
    --- stderr
    name::unknown

      × no action is called `Run scripts`
      help: did you mean `runScript`?
    --- exit 2
    "#);
    insta::assert_snapshot!(contoso(&["check", "ada@contoso.example", "fly", "WS-TST-001"]), @r#"
    --- stderr
    name::unknown

      × no action is called `fly`
      help: the permissions are: viewCollections, viewResourceExplorer, viewTimeline, viewSoftwareUpdates, viewScripts,
            runScript, runCmPivotQuery, viewClientDetails, viewApplications, takeApplicationActions, enrollNow,
            rotateBitLockerKeys, initiateConfigurationManagerAction, updateRoles
    --- exit 2
    "#);
    insta::assert_snapshot!(contoso(&["check", "ada@contoso.example", "runScript", "WS-TST-003"]), @r#"
    --- stderr
    name::unknown

      × no resource is called `WS-TST-003`
      help: did you mean `WS-TST-001` or `WS-TST-002`?
    --- exit 2
    "#);
    insta::assert_snapshot!(contoso(&["check", r#"Entra::User::"anna""#, "runScript", "WS-TST-003"]), @r#"
    --- stderr
    name::unknown

      × no principal is called `Entra::User::"anna"`
    --- exit 2
    "#);
}

#[test]
fn what_matches_several_is_an_error_that_lists_them() {
    let workspace = Tarbac::with_tenant(&[(
        "entities/more.json",
        &entities(&[
            device("d2", "pc-1", "H"),
            device("PC-2", "PC-3", "H"),
            device("d3", "PC-2", "H"),
        ]),
    )]);
    insta::assert_snapshot!(workspace.run(&["check", "ana@t.example", "runScript", "PC-1"]), @r#"
    --- stderr
    name::ambiguous

      × `PC-1` is the name of 2 resources
      help: say which, in full: ConfigMgr::Device::"d1", ConfigMgr::Device::"d2"
    --- exit 2
    "#);
    // An id of one and the name of another is no way to say which; the case of an id matters.
    let loaded = Workspace::load(
        &Layout::new(workspace.path(""), shipped::rules()),
        &Switches::default(),
    )
    .unwrap();
    for names in [
        Lookup::new(&loaded.engine),
        Lookup::new(&loaded.engine).indexed(),
    ] {
        let id = |text: &str| {
            names
                .any_resource(&Name::from(text))
                .unwrap()
                .id()
                .unescaped()
                .to_owned()
        };
        assert_eq!([id("pc-2"), id("pc-3")], ["d3", "PC-2"]);
        for several in ["pc-1", "PC-2"] {
            let error = names.any_resource(&Name::from(several)).unwrap_err();
            assert!(
                matches!(error, NameError::Ambiguous { count: 2, .. }),
                "{error}"
            );
        }
    }
}

#[test]
fn a_resource_is_of_a_type_that_the_action_is_about() {
    insta::assert_snapshot!(contoso(&["check", "jonas@contoso.example", "updateRoles", "contoso"]), @r#"
    ALLOW  roles.intune-role-administrator
    --- exit 0
    "#);
    insta::assert_snapshot!(contoso(&["check", "jonas@contoso.example", "updateRoles", "WS-TST-001"]), @r#"
    --- stderr
    name::wrong_type

      × `ConfigMgr::Device::"TST-16777220"` is no resource of this request
      help: the resource is one of the type `Intune::Tenant`
    --- exit 2
    "#);
    insta::assert_snapshot!(contoso(&["check", "jonas@contoso.example", "runScript", r#"Intune::Tenant::"contoso""#]), @r#"
    --- stderr
    name::wrong_type

      × `Intune::Tenant::"contoso"` is no resource of this request
      help: the resource is one of the type `ConfigMgr::Device`
    --- exit 2
    "#);
}

/// Whether or not it has the escapes that Cedar itself writes.
#[test]
fn a_uid_is_typed_as_it_is() {
    let more = entities(&[user("o'hara", "o'hara@t.example", &[])]);
    let workspace = Tarbac::with_tenant(&[("entities/more.json", &more)]);
    for uid in [r#"Entra::User::"o'hara""#, r#"Entra::User::"o\'hara""#] {
        let ran = workspace.run(&["check", uid, "runScript", "PC-1"]);
        assert_eq!((ran.status, ran.stderr.as_str()), (1, ""), "{ran}");
    }
}

#[test]
fn a_name_is_not_taken_apart() {
    let workspace = Tarbac::with_tenant(&[(
        "entities/more.json",
        &entities(&[
            user("quote\"d", "o'hara\"@t.example", &[]),
            device("x", "ÄRGER-1", "H"),
        ]),
    )]);
    insta::assert_snapshot!(workspace.run(&["check", "O'Hara\"@t.example", "runScript", "ÄRGER-1"]), @r#"
    DENY  not permitted — You don't have access to view this information. Make sure a proper user role is assigned from Intune.
    --- exit 1
    "#);
}

/// A workspace with two roles, and two groups, that are called the same.
fn with_namesakes() -> Tarbac {
    let called = |type_name: &str, id: &str, name: &str| {
        entity(type_name, id, json!({ "displayName": name }), &[])
    };
    let more = entities(&[
        called("Intune::Role", "r2", "Help Desk Operator"),
        entity("Entra::Group", "Desk", json!({}), &[]),
        called("Entra::Group", "g2", "Desk"),
    ]);
    Tarbac::with_tenant(&[("entities/more.json", &more)])
}

/// Where a name is taken, and one of those that it may mean.
const AMBIGUOUS: [(&[&str], &str); 10] = [
    (
        &["role", "export", "Help Desk Operator"],
        "Intune::Role::\"r2\"",
    ),
    (
        &["what-if", "--grant", "bob@t.example=Help Desk Operator"],
        "Intune::Role::\"r2\"",
    ),
    (
        &["what-if", "--revoke", "ana@t.example=Help Desk Operator"],
        "Intune::Role::\"r2\"",
    ),
    (
        &[
            "what-if",
            "--set",
            "bob@t.example in Help Desk Operator=true",
        ],
        "Intune::Role::\"r2\"",
    ),
    (
        &["what-if", "--set", "Help Desk Operator.description=x"],
        "Intune::Role::\"r2\"",
    ),
    (
        &["what-if", "--set", "Desk has displayName=false"],
        "Entra::Group::\"g2\"",
    ),
    (
        &["what-if", "--set", "bob@t.example in Desk=true"],
        "Entra::Group::\"g2\"",
    ),
    (
        &["what-if", "--grant", "Desk=Help Desk Operator"],
        "Entra::Group::\"g2\"",
    ),
    (
        &["what-if", "--set", "a1.scopeGroups.contains(\"Desk\")=true"],
        "Entra::Group::\"g2\"",
    ),
    (
        &["what-if", "--set", "a1.scopeGroups=[\"Desk\"]"],
        "Entra::Group::\"g2\"",
    ),
];

/// Wherever a name is taken: the id of one and what another is called are no way to say which.
#[test]
fn a_name_of_several_is_ambiguous_wherever_it_is_taken() {
    let workspace = with_namesakes();
    for (asked, one) in AMBIGUOUS {
        let ran = workspace.run(asked);
        assert_eq!(ran.status, 2, "{asked:?}: {ran}");
        for part in ["is the name of 2", "say which, in full", one] {
            assert!(ran.stderr.contains(part), "{asked:?}: {ran}");
        }
    }
    // So it is in what a suite gives.
    let suite = "suite: s\ncases:\n  - name: c\n    given: { 'Intune::RoleAssignment::\"a1\".scopeGroups': [Desk] }\n    principal: bob@t.example\n    action: runScript\n    resource: PC-1\n    expect: deny\n    because: any\n";
    workspace.write("tests/s.yaml", suite);
    let ran = workspace.run(&["test"]);
    assert!(ran.stderr.contains("is the name of 2"), "{ran}");
}

#[test]
fn a_name_in_full_means_one_of_several() {
    let workspace = with_namesakes();
    for (full, gained) in [("r2", 0), ("Help Desk Operator", 1)] {
        let change = format!("bob@t.example=Intune::Role::\"{full}\"");
        let ran = workspace.run(&["what-if", "--grant", &change]);
        assert_eq!(ran.status, gained, "{ran}");
    }
    let groups = "a1.scopeGroups=[\"Entra::Group::\\\"g2\\\"\"]";
    let ran = workspace.run(&["what-if", "--set", groups]);
    assert_eq!(ran.status, 0, "{ran}");
}

/// A group is often called as its role assignment: the choices are there to be copied.
#[test]
fn a_name_of_two_types_is_spelled_out() {
    let of = |group: &str| {
        let fact = format!("ada@contoso.example in {group}=false");
        contoso(&["what-if", "--set", &fact])
    };
    let ran = of("Service Desk");
    assert_eq!(ran.status, 2, "{ran}");
    let choices = [
        "Entra::Group::\"Service Desk\"",
        "Intune::RoleAssignment::\"Service Desk\"",
    ];
    let said = format!("say which: {}", choices.join(" or "));
    assert!(ran.stderr.contains(&said), "{ran}");
    for choice in choices {
        let ran = of(choice);
        assert!(!ran.stderr.contains("no entity is called"), "{ran}");
    }
    assert_ne!(of(choices[0]).status, 2);
}

/// Each fact is given with names as with uids.
#[test]
fn facts_take_names() {
    let same = [
        (
            "karin@contoso.example has configMgr=false",
            "Entra::User::\"00000000-0000-4000-8000-0000000000ab\" has configMgr=false",
        ),
        (
            "mia@contoso.example in Berlin Service Desk=true",
            "Entra::User::\"00000000-0000-4000-8000-0000000000ad\" in Entra::Group::\"00000000-0000-4000-8000-0000000000c2\"=true",
        ),
        (
            "karin@contoso.example.configMgr.read.contains(\"Berlin Workstations\")=true",
            "Entra::User::\"00000000-0000-4000-8000-0000000000ab\".configMgr.read.contains(ConfigMgr::Collection::\"P0100016\")=true",
        ),
    ];
    for (named, full) in same {
        let of = |fact: &str| contoso(&["what-if", "--set", fact, "--format", "csv"]);
        let (named, full) = (of(named), of(full));
        assert_eq!(named.stdout, full.stdout);
        assert!(named.stdout.lines().count() > 1, "{named}");
    }
    // What nobody is called is answered with who is near.
    let ran = contoso(&[
        "what-if",
        "--set",
        "karn@contoso.example has configMgr=false",
    ]);
    assert!(
        ran.stderr.contains("did you mean `karin@contoso.example`"),
        "{ran}"
    );
}
