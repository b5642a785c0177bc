//! `tarbac matrix`: what roles permit and what people may do.

use std::sync::Arc;

use tarbac::lookup::{Lookup, RequestPart};
use tarbac::{Engine, Layout, Matrix, Request, Switches, Workspace, bundle, shipped};

use crate::tarbac::{Tarbac, contoso, contoso_folder};

/// The table of use-intune-rbac.md, "Verify role-based access control permissions from Intune", in
/// its order; `x` where the page lists the role.
const TABLE: &str = "
                               Application  Endpoint  Read  School  Policy  HelpDesk
viewCollections                x            x         x     x       x       x
viewResourceExplorer           x            x         x     x       x       x
viewTimeline                   x            x         x     x       x       x
viewSoftwareUpdates            x            x         x     x       -       x
viewScripts                    -            x         x     x       x       x
runScript                      -            -         -     x       -       x
runCmPivotQuery                -            x         -     x       -       x
viewClientDetails              x            x         x     x       x       x
viewApplications               x            -         x     x       x       x
takeApplicationActions         x            -         -     x       -       x
rotateBitLockerKeys            -            x         -     -       -       x
";

const ROLES: [&str; 6] = [
    "Application Manager",
    "Endpoint Security Manager",
    "Read Only Operator",
    "School Administrator",
    "Policy and Profile Manager",
    "Help Desk Operator",
];

fn shipped_alone(switches: &Switches) -> Engine {
    let workspace = Tarbac::with(&[]);
    Workspace::load(&Layout::new(workspace.path(""), shipped::rules()), switches)
        .unwrap()
        .engine
}

fn contoso_engine() -> Engine {
    Workspace::load(
        &Layout::new(contoso_folder(), shipped::rules()),
        &Switches::default(),
    )
    .unwrap()
    .engine
}

/// The word of a cell, by the ids of the permission and the role.
fn word<'m>(matrix: &'m Matrix, permission: &str, role: &str) -> &'m str {
    let block = &matrix.blocks[0];
    let column = block
        .columns
        .iter()
        .position(|column| column.uid.id().unescaped() == role)
        .unwrap();
    let row = block
        .rows
        .iter()
        .find(|row| row.heading.uid.id().unescaped() == permission)
        .unwrap();
    row.cells[column].mark.as_ref()
}

#[test]
fn the_table_of_the_documents_cell_by_cell() {
    let matrix = Matrix::of_roles(&shipped_alone(&Switches::default()));
    let mut cells = 0;
    for line in TABLE.trim_matches('\n').lines().skip(1) {
        let mut words = line.split_whitespace();
        let permission = words.next().unwrap();
        for role in ROLES {
            let expected = if words.next().unwrap() == "x" {
                "yes"
            } else {
                "no"
            };
            assert_eq!(
                word(&matrix, permission, role),
                expected,
                "{permission} {role}"
            );
            cells += 1;
        }
    }
    assert_eq!(cells, 11 * 6);
}

#[test]
fn the_policies_that_ship() {
    insta::assert_snapshot!(Matrix::of_roles(&shipped_alone(&Switches::default())), @r#"
                                              Application   Endpoint   Help       Intune Role     Policy    Read       School
                                              Manager       Security   Desk       Administrator   and       Only       Administrator
                                                            Manager    Operator                   Profile   Operator
                                                                                                  Manager
    ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    Cloud attached devices
      View collections                        ✓             ✓          ✓                          ✓         ✓          ✓
      View resource explorer                  ✓             ✓          ✓                          ✓         ✓          ✓
      View timeline                           ✓             ✓          ✓                          ✓         ✓          ✓
      View software updates                   ✓             ✓          ✓                                    ✓          ✓
      View scripts                                          ✓          ✓                          ✓         ✓          ✓
      Run script                                                       ✓                                               ✓
      Run CMPivot query                                     ✓          ✓                                               ✓
      View client details                     ✓             ✓          ✓                          ✓         ✓          ✓
      View applications                       ✓                        ✓                          ✓         ✓          ✓
      Take application actions                ✓                        ✓                                               ✓
      Enroll Now                                                       ✓                                               ✓
    Remote tasks
      Rotate BitLockerKeys (preview)                        ✓          ✓
      Initiate Configuration Manager action                 ✓          ✓                                               ✓
    Roles
      Update                                                                      ✓

    Other permits in force: readings.any-intune-role, readings.entra-administrators, readings.entra-administrators.intune-administrator
    "#);
}

#[test]
fn a_reading_shows_in_what_roles_permit() {
    let switches = Switches {
        on: vec!["observed-roles".to_owned()],
        ..Switches::default()
    };
    let matrix = Matrix::of_roles(&shipped_alone(&switches));
    assert_eq!(
        word(&matrix, "viewSoftwareUpdates", "Policy and Profile Manager"),
        "yes"
    );
}

#[test]
fn conditions_and_forbids_show() {
    let policy = "
@id(\"custom.auditor\")
@doc(\"An auditor sees some.\")
permit (principal in Intune::Role::\"auditor\", action in [Intune::Action::\"viewTimeline\", Intune::Action::\"viewScripts\", Intune::Action::\"viewCollections\"], resource);

@id(\"custom.auditor.managed\")
@doc(\"An auditor sees the client details of co-managed devices.\")
permit (principal in Intune::Role::\"auditor\", action == Intune::Action::\"viewClientDetails\", resource) when { resource.coManaged };

@id(\"custom.auditor.one\")
@doc(\"An auditor sees the applications of one device.\")
permit (principal in Intune::Role::\"auditor\", action == Intune::Action::\"viewApplications\", resource == ConfigMgr::Device::\"d1\");

@id(\"custom.auditor.devices\")
@doc(\"An auditor does whatever is done to a tenant.\")
permit (principal in Intune::Role::\"auditor\", action, resource is Intune::Tenant);

@id(\"custom.no-timeline\")
@doc(\"No auditor sees a timeline.\")
@message(\"No.\")
@advice(\"None.\")
forbid (principal in Intune::Role::\"auditor\", action == Intune::Action::\"viewTimeline\", resource);

@id(\"custom.no-scripts\")
@doc(\"No auditor sees the scripts of co-managed devices.\")
@message(\"No.\")
@advice(\"None.\")
forbid (principal in Intune::Role::\"auditor\", action == Intune::Action::\"viewScripts\", resource) when { resource.coManaged };
";
    let workspace = Tarbac::with(&[("policies/custom/auditor.cedar", policy)]);
    let engine = Workspace::load(
        &Layout::new(workspace.path(""), shipped::rules()),
        &Switches::default(),
    )
    .unwrap()
    .engine;
    let matrix = Matrix::of_roles(&engine);
    let of = |permission| word(&matrix, permission, "auditor");
    assert_eq!(of("viewCollections"), "yes");
    assert_eq!(of("viewTimeline"), "no");
    assert_eq!(of("viewScripts"), "conditional");
    assert_eq!(of("viewClientDetails"), "conditional");
    assert_eq!(of("viewApplications"), "conditional");
    assert_eq!(of("updateRoles"), "yes");
    assert_eq!(of("runScript"), "no");
}

#[test]
fn people_on_a_device() {
    insta::assert_snapshot!(contoso(&["matrix", "--principal", "ada@contoso.example", "--principal", "ben@contoso.example", "--resource", "WS-TST-001", "--resource", "WS-BER-014"]), @r#"
    WS-TST-001  ConfigMgr::Device::"TST-16777220"

                          View          View       View       View       View      Run      Run       View      View           Take          Enroll   Rotate          Initiate
                          collections   resource   timeline   software   scripts   script   CMPivot   client    applications   application   Now      BitLockerKeys   Configuration
                                        explorer              updates                       query     details                  actions                (preview)       Manager
                                                                                                                                                                      action
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    ada@contoso.example   ✓ rhdo        ✓ rhdo     ✓ rhdo     ✓ rhdo     ✓ rhdo    ✓ rhdo   ✓ rhdo    ✓ rhdo    ✓ rhdo         ✓ rhdo        ✓ rhdo   ✓ rhdo          ✓ rhdo
    ben@contoso.example   ✓ rhdo        ✓ rhdo     ✓ rhdo     ✓ rhdo     ✓ rhdo    ✓ rhdo   ✓ rhdo    ✓ rhdo    ✓ rhdo         ✓ rhdo        ✓ rhdo   ✓ rhdo          ✓ rhdo

      rhdo  roles.help-desk-operator  A Help Desk Operator sees every page of a tenant-attached device and takes every action on it.

    WS-BER-014  ConfigMgr::Device::"P01-16777220"

                          View          View       View       View       View      Run      Run       View      View           Take          Enroll   Rotate          Initiate
                          collections   resource   timeline   software   scripts   script   CMPivot   client    applications   application   Now      BitLockerKeys   Configuration
                                        explorer              updates                       query     details                  actions                (preview)       Manager
                                                                                                                                                                      action
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    ada@contoso.example   ✗ ci          ✗ ci       ✗ ci       ✗ ci       ✗ ci      ✗ ci     ✗ ci      ✗ ci      ✗ ci           ✗ ci          ✗ ci     ✗ ci            ✗ ci
    ben@contoso.example   ✓ rair        ✓ rair     ✓ rair     ✓ rair     ✓ rair    ✓ rair   ✓ rair    ✓ rair    ✓ rair         ✓ rair        ✓ rair   ✓ rhdo          ✓ rhdo

      ci    configmgr.identity  Nobody whose account is cloud-only gets at a device while Configuration Manager decides.
      rair  readings.any-intune-role  Under Configuration Manager authority any Intune role in the tenant of the device is enough for the permissions of Cloud attached devices.
      rhdo  roles.help-desk-operator  A Help Desk Operator sees every page of a tenant-attached device and takes every action on it.
    --- exit 0
    "#);
}

#[test]
fn all_people_or_all_devices() {
    let of_people = contoso(&["matrix", "--resource", "contoso", "--format", "csv"]);
    let of_devices = contoso(&[
        "matrix",
        "--principal",
        "mia@contoso.example",
        "--format",
        "csv",
    ]);
    let engine = contoso_engine();
    let names = Lookup::new(&engine);
    assert_eq!(
        of_people.stdout.lines().count(),
        1 + names.all(RequestPart::Principal).len()
    );
    let tenants = 2;
    let devices = names.all(RequestPart::Resource).len() - tenants;
    assert_eq!(
        of_devices.stdout.lines().count(),
        1 + devices * 13 + tenants
    );
}

#[test]
fn a_cell_in_every_format() {
    let ask = [
        "matrix",
        "--principal",
        "emma@contoso.example",
        "--resource",
        "contoso",
    ];
    let with = |format| contoso(&[&ask[..], &["--format", format]].concat());
    insta::assert_snapshot!(with("human"), @r#"
    contoso  Intune::Tenant::"contoso"

                           Roles/Update
    ────────────────────────────────────
    emma@contoso.example   ✗ –

      –  no policy permits it
    --- exit 0
    "#);
    insta::assert_snapshot!(with("markdown"), @"
    ### contoso

    | Person | Roles/Update |
    |---|---|
    | emma@contoso.example | ✗ not permitted |
    --- exit 0
    ");
    insta::assert_snapshot!(with("csv"), @r#"
    resource,resource_name,principal,principal_name,action,decision,policies
    "Intune::Tenant::""contoso""",contoso,"Entra::User::""00000000-0000-4000-8000-0000000000a5""",emma@contoso.example,updateRoles,no,
    --- exit 0
    "#);
    insta::assert_snapshot!(with("json"), @r#"
    {
      "version": 1,
      "cells": [
        {
          "resource": "Intune::Tenant::\"contoso\"",
          "resource_name": "contoso",
          "principal": "Entra::User::\"00000000-0000-4000-8000-0000000000a5\"",
          "principal_name": "emma@contoso.example",
          "action": "updateRoles",
          "decision": "no",
          "policies": []
        }
      ],
      "others": [],
      "rules_in_force": "shipped-and-custom",
      "revision": "…",
      "not_read": []
    }
    --- exit 0
    "#);
}

#[test]
fn the_permissions_of_roles_as_a_page_of_a_wiki() {
    insta::assert_snapshot!(contoso(&["matrix", "--format", "markdown"]), @r"
    | Permission | Application Manager | Endpoint Security Manager | Help Desk Operator | Intune Role Administrator | Policy and Profile Manager | Read Only Operator | School Administrator | Script Runner |
    |---|---|---|---|---|---|---|---|---|
    | Cloud attached devices\\View collections | ✓ | ✓ | ✓ |  | ✓ | ✓ | ✓ |  |
    | Cloud attached devices\\View resource explorer | ✓ | ✓ | ✓ |  | ✓ | ✓ | ✓ |  |
    | Cloud attached devices\\View timeline | ✓ | ✓ | ✓ |  | ✓ | ✓ | ✓ |  |
    | Cloud attached devices\\View software updates | ✓ | ✓ | ✓ |  |  | ✓ | ✓ |  |
    | Cloud attached devices\\View scripts |  | ✓ | ✓ |  | ✓ | ✓ | ✓ | ✓ |
    | Cloud attached devices\\Run script |  |  | ✓ |  |  |  | ✓ | ✓ |
    | Cloud attached devices\\Run CMPivot query |  | ✓ | ✓ |  |  |  | ✓ |  |
    | Cloud attached devices\\View client details | ✓ | ✓ | ✓ |  | ✓ | ✓ | ✓ | ✓ |
    | Cloud attached devices\\View applications | ✓ |  | ✓ |  | ✓ | ✓ | ✓ |  |
    | Cloud attached devices\\Take application actions | ✓ |  | ✓ |  |  |  | ✓ |  |
    | Cloud attached devices\\Enroll Now |  |  | ✓ |  |  |  | ✓ |  |
    | Remote tasks/Rotate BitLockerKeys (preview) |  | ✓ | ✓ |  |  |  |  |  |
    | Remote tasks/Initiate Configuration Manager action |  | ✓ | ✓ |  |  |  | ✓ |  |
    | Roles/Update |  |  |  | ✓ |  |  |  |  |

    Other permits in force: readings.any-intune-role, readings.entra-administrators, readings.entra-administrators.intune-administrator
    --- exit 0
    ");
}

#[test]
fn a_cell_is_what_the_engine_decides() {
    let engine = contoso_engine();
    let names = Lookup::new(&engine);
    let matrix = Matrix::of_people(
        &engine,
        &names.all(RequestPart::Principal),
        &names.all(RequestPart::Resource),
    );
    for block in &matrix.blocks {
        let resource = &block.resource.as_ref().unwrap().uid;
        for row in &block.rows {
            for (column, cell) in block.columns.iter().zip(&row.cells) {
                let outcome = engine.decide(&Request {
                    principal: row.heading.uid.clone(),
                    action: column.uid.clone(),
                    resource: resource.clone(),
                    context: cedar_policy::Context::empty(),
                });
                assert_eq!(cell.policies, outcome.policies);
                assert_eq!(
                    cell.mark.as_ref() == "yes",
                    outcome.decision.word() == "allow"
                );
            }
        }
    }
}

#[test]
fn a_narrow_terminal_gets_several_tables() {
    let matrix = Matrix::of_roles(&shipped_alone(&Switches::default()));
    let text = tarbac::matrix::table(&matrix, Some(80));
    assert!(
        text.lines()
            .take_while(|line| !line.starts_with("Other"))
            .all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert!(text.matches("Rotate BitLockerKeys").count() > 1, "{text}");
}

#[test]
fn the_order_of_files_does_not_matter() {
    let mut texts = shipped::rules().alone();
    texts.policies.reverse();
    texts.schema.reverse();
    let (bundle, _) = bundle::read(&texts);
    let directory = shipped_alone(&Switches::default()).directory().clone();
    let engine = Engine::new(Arc::new(bundle.unwrap()), directory, &Switches::default()).unwrap();
    let mut one: Vec<String> = Matrix::of_roles(&engine)
        .to_string()
        .lines()
        .map(str::to_owned)
        .collect();
    let other = Matrix::of_roles(&shipped_alone(&Switches::default())).to_string();
    let mut other: Vec<String> = other.lines().map(str::to_owned).collect();
    one.sort();
    other.sort();
    assert_eq!(one, other);
}
