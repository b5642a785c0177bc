//! One decision: names, context, and what is refused.

use serde_json::{Value, json};

use super::client::{Server, asked, contoso};
use crate::tarbac::Tarbac;
use crate::world::{device, entities, tenant, user};

#[test]
fn an_allow_is_one_word() {
    let server = contoso();
    let reply = server.evaluate(&asked("ada@contoso.example", "runScript", "WS-TST-001"));
    assert_eq!(reply.text, r#"{"decision":true}"#);
    let revision = reply.header("tarbac-revision");
    assert_eq!(revision.len(), 18, "{revision}");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    let refused = server.evaluate(&asked(
        "ada@contoso.example",
        "viewClientDetails",
        "WS-BER-014",
    ));
    assert_eq!(refused.text, r#"{"decision":false}"#);
}

#[test]
fn every_spelling_asks_the_same() {
    let server = contoso();
    let id = "00000000-0000-4000-8000-0000000000a1";
    for person in ["ada@contoso.example", "ADA@contoso.example", id] {
        for action in [
            "runScript",
            "Run script",
            "Microsoft.Intune_CloudAttach_ScriptActions",
        ] {
            for kind in ["user", "Entra::User"] {
                let mut body = asked(person, action, "WS-TST-001");
                body["subject"]["type"] = kind.into();
                assert!(
                    server.evaluate(&body).decision(),
                    "{person} {action} {kind}"
                );
            }
        }
    }
}

#[test]
fn a_context_is_read_as_the_schema_declares_it() {
    let server = contoso();
    let ask = |context: Value| {
        let mut body = asked("ada@contoso.example", "runScript", "WS-TST-001");
        body["context"] = context;
        server.evaluate(&body)
    };
    let unknown = json!({ "time": "2025-06-27T18:03-07:00", "x": 1, "ip": { "v": [4] } });
    assert!(ask(unknown).decision());
    assert!(ask(Value::Null).decision());
    assert!(ask(json!({ "now": null })).decision());
    assert!(ask(json!({ "now": "2026-11-30T10:00:00Z" })).decision());
    for wrong in [
        json!({ "now": "nonsense" }),
        json!({ "now": 1 }),
        json!([]),
        json!("x"),
    ] {
        let reply = ask(wrong.clone());
        assert_eq!(reply.status, 400, "{wrong} {reply:?}");
        assert!(reply.json()["error"].as_str().unwrap().contains("/context"));
    }
}

/// Nobody talks himself into a role.
#[test]
fn properties_do_not_replace_what_the_directory_says() {
    let server = contoso();
    let mut body = asked("ada@contoso.example", "viewClientDetails", "WS-BER-014");
    assert!(!server.evaluate(&body).decision());
    body["subject"]["properties"] = json!({ "cloudOnly": false, "accountEnabled": true });
    body["resource"]["properties"] = json!({ "coManaged": true });
    assert!(!server.evaluate(&body).decision());
}

#[test]
fn what_is_unknown_is_refused() {
    let server = contoso();
    let known = asked("ada@contoso.example", "runScript", "WS-TST-001");
    for (part, key, value) in [
        ("subject", "id", "nobody@contoso.example"),
        ("resource", "id", "WS-NOWHERE"),
        ("subject", "type", "robot"),
        ("resource", "type", "Intune::Nothing"),
        ("action", "name", "fly"),
    ] {
        let mut body = known.clone();
        body[part][key] = value.into();
        let reply = server.evaluate(&body);
        assert!(!reply.decision(), "{body}");
        let error = &reply.json()["context"]["error"];
        assert_eq!(error["status"], 404, "{reply:?}");
        assert!(error["message"].as_str().unwrap().contains(value));
    }
    // Asked the wrong way round.
    let mut body = known;
    body["resource"] = body["subject"].clone();
    let reply = server.evaluate(&body);
    assert!(!reply.decision());
    assert_eq!(reply.json()["context"]["error"]["status"], 400);
}

#[test]
fn a_member_that_is_missing_or_wrong_is_pointed_at() {
    let server = contoso();
    let known = asked("ada@contoso.example", "runScript", "WS-TST-001");
    for (pointer, value) in [
        ("/subject", None),
        ("/action", None),
        ("/resource", None),
        ("/subject/type", None),
        ("/subject/id", None),
        ("/action/name", None),
        ("/resource/type", None),
        ("/resource/id", None),
        ("/subject", Some(json!("ada"))),
        ("/subject", Some(Value::Null)),
        ("/action", Some(json!([]))),
        ("/action/name", Some(json!(7))),
        ("/subject/id", Some(json!(""))),
        ("/resource/type", Some(json!(""))),
        ("/resource/id", Some(json!({}))),
        ("/subject/properties", Some(json!(1))),
        ("/context", Some(json!(true))),
        ("/options", Some(json!("explain"))),
    ] {
        let mut body = known.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            None => drop(parent.remove(key)),
            Some(value) => drop(parent.insert(key.to_owned(), value)),
        }
        let reply = server.evaluate(&body);
        assert_eq!(reply.status, 400, "{pointer} {reply:?}");
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(error.starts_with(pointer), "{pointer} {error}");
    }
}

/// A policy that cannot be evaluated is no allow, and the caller is told nothing of it.
#[test]
fn an_error_in_a_policy_is_no_allow() {
    let workspace = Tarbac::with(&[
        (
            "schema/s.cedarschema",
            "entity User = { age: Long }; entity Door; action open appliesTo { principal: User, resource: Door };",
        ),
        (
            "policies/p.cedar",
            "@id(\"a\")\npermit (principal, action, resource);\n@id(\"secret-rule\")\nforbid (principal, action, resource) when { principal.age + 9223372036854775807 > 5 };\n",
        ),
        (
            "entities/e.json",
            r#"[{"uid":{"type":"User","id":"u"},"attrs":{"age":5},"parents":[]},
                {"uid":{"type":"User","id":"v"},"attrs":{"age":-5},"parents":[]},
                {"uid":{"type":"Door","id":"d"},"attrs":{},"parents":[]}]"#,
        ),
    ]);
    let server = Server::of(&workspace.path(""));
    let body = json!({
        "subject": { "type": "User", "id": "u" },
        "action": { "name": "open" },
        "resource": { "type": "Door", "id": "d" },
    });
    let reply = server.evaluate(&body);
    assert!(!reply.decision());
    assert_eq!(reply.json()["context"]["error"]["status"], 500);
    assert!(!reply.text.contains("secret-rule"), "{reply:?}");
}

/// What the schema marks may come with the request, and is checked as a file is.
#[test]
fn a_marked_attribute_may_come_with_the_request() {
    let workspace = Tarbac::with(&[
        (
            "schema/s.cedarschema",
            "entity Site; entity User = { @from_request onCall?: Bool, admin?: Bool, @from_request at?: Site };
             entity Door = { site: Site }; action open appliesTo { principal: User, resource: Door };",
        ),
        (
            "policies/p.cedar",
            "@id(\"a\")\npermit (principal, action, resource) when { principal has onCall && principal.onCall };
             @id(\"b\")\npermit (principal, action, resource) when { principal has admin && principal.admin };
             @id(\"c\")\npermit (principal, action, resource) when { principal has at && principal.at == resource.site };\n",
        ),
        (
            "entities/e.json",
            r#"[{"uid":{"type":"User","id":"u"},"attrs":{},"parents":[]},
                {"uid":{"type":"Site","id":"s"},"attrs":{},"parents":[]},
                {"uid":{"type":"Door","id":"d"},"attrs":{"site":{"type":"Site","id":"s"}},"parents":[]}]"#,
        ),
    ]);
    let server = Server::of(&workspace.path(""));
    let ask = |properties: Value| {
        server.evaluate(&json!({
            "subject": { "type": "User", "id": "u", "properties": properties },
            "action": { "name": "open" },
            "resource": { "type": "Door", "id": "d" },
        }))
    };
    assert!(!ask(json!({})).decision());
    assert!(!ask(json!({ "admin": true })).decision());
    assert!(!ask(json!({ "onCall": false })).decision());
    assert!(ask(json!({ "onCall": true, "admin": "ignored" })).decision());
    assert!(ask(json!({ "at": { "type": "Site", "id": "s" } })).decision());
    for wrong in [
        json!({ "onCall": "yes" }),
        json!({ "at": { "type": "Door", "id": "d" } }),
    ] {
        assert_eq!(ask(wrong).status, 400);
    }
    let nowhere = ask(json!({ "at": { "type": "Site", "id": "nowhere" } }));
    assert!(nowhere.status == 400 || !nowhere.decision());
}

#[test]
fn two_entity_types_with_one_name_are_an_error() {
    let workspace = Tarbac::with(&[(
        "schema/s.cedarschema",
        "@authzen(\"thing\") entity User; @authzen(\"thing\") entity Door; @authzen(\"User\") entity Third;
         action open appliesTo { principal: User, resource: Door };",
    )]);
    let ran = workspace.run(&["validate"]);
    assert_eq!(ran.status, 1, "{ran}");
    for name in ["`thing`", "`User`"] {
        let message = format!("the name {name} stands for");
        assert!(ran.stdout.contains(&message), "{ran}");
    }
    assert!(ran.stdout.contains("schema::shared_name"), "{ran}");
    assert_eq!(workspace.run(&["serve", "--check"]).status, 2);
}

/// An id that is also the name of another device means two things, as in `check`.
#[test]
fn an_id_that_is_also_a_name_is_not_decided() {
    let all = [
        &tenant()[..],
        &[
            device("PC-1", "PC-2", "H"),
            user("bob@t.example", "eve@t.example", &[]),
        ],
    ];
    let workspace = Tarbac::with(&[("entities/tenant.json", &entities(&all.concat()))]);
    let server = Server::of(&workspace.path("."));
    assert!(
        server
            .evaluate(&asked("ana@t.example", "runScript", "d1"))
            .decision()
    );
    for (person, device) in [("ana@t.example", "PC-1"), ("bob@t.example", "d1")] {
        let reply = server.evaluate(&asked(person, "runScript", device));
        assert!(!reply.decision(), "{}", reply.text);
        let ran = workspace.run(&["check", person, "runScript", device]);
        assert_eq!(ran.status, 2, "{ran}");
    }
}
