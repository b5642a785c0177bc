//! Several workspaces in one process.

use std::fs;

use serde_json::Value;

use super::{ARCHIVED, Fleet, request, until};
use crate::serve::client::{Reply, Server};

/// Two workspaces below one prefix, in one of which the record is archived.
pub(super) fn published() -> Fleet {
    let fleet = Fleet::new();
    for (name, archived) in [("contoso", false), ("fabrikam", true)] {
        if archived {
            fleet.workspace.write("w/entities/records.json", ARCHIVED);
        }
        let url = fleet.url(&format!("all/{name}"));
        let ran = fleet
            .workspace
            .run(&["-C", "w", "publish", "--store", &url]);
        assert_eq!(ran.status, 0, "{ran}");
    }
    fleet
}

fn ask(server: &Server, workspace: &str, headers: &[(&str, &str)]) -> Reply {
    let body = request("alice", "write", "record-1").to_string();
    server.post_text(
        &format!("/{workspace}/access/v1/evaluation"),
        &body,
        headers,
    )
}

#[test]
fn each_workspace_answers_under_its_own_path() {
    let fleet = published();
    let log = fleet.workspace.path("decisions.ndjson");
    let server = fleet.follow(
        &format!("{}/*", fleet.url("all")),
        &[
            "--decision-log",
            log.to_str().unwrap(),
            "--public-url",
            "https://pdp.example.com/t",
        ],
    );
    let body = request("alice", "write", "record-1").to_string();
    let ask = |workspace: &str| {
        server.post_text(&format!("/t/{workspace}/access/v1/evaluation"), &body, &[])
    };
    assert!(ask("contoso").decision());
    assert!(!ask("fabrikam").decision());
    assert_ne!(
        ask("contoso").header("tarbac-revision"),
        ask("fabrikam").header("tarbac-revision")
    );
    for nothing in ["other", "", "..%2Fcontoso", "CONTOSO"] {
        let reply = ask(nothing);
        assert_eq!(
            (reply.status, reply.header("tarbac-revision")),
            (404, ""),
            "{nothing}"
        );
    }
    assert_eq!(
        server.post_text("/access/v1/evaluation", &body, &[]).status,
        404
    );
    let document = server
        .get("/.well-known/authzen-configuration/t/fabrikam")
        .json();
    assert_eq!(
        document["policy_decision_point"],
        "https://pdp.example.com/t/fabrikam"
    );
    assert_eq!(
        document["access_evaluation_endpoint"],
        "https://pdp.example.com/t/fabrikam/access/v1/evaluation"
    );
    assert_eq!(
        server.get("/.well-known/authzen-configuration/t").status,
        404
    );
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(server.get("/version").json()["workspaces"], 2);
    assert_eq!(server.get("/t/contoso/readyz").status, 200);
    assert_eq!(server.get("/t/contoso/metrics").status, 404);
    let metrics = server.get("/metrics").text;
    for name in ["contoso", "fabrikam"] {
        assert!(
            metrics.contains(&format!("tarbac_revision_number{{workspace=\"{name}\"}} 1")),
            "{metrics}"
        );
    }
    until("it is logged", &server, || {
        fs::read_to_string(&log).unwrap().lines().count() >= 4
    });
    for line in fs::read_to_string(&log).unwrap().lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let is_contoso = record["workspace"] == "contoso";
        assert!(is_contoso || record["workspace"] == "fabrikam");
        assert_eq!(record["decision"] == "allow", is_contoso, "{record}");
        assert_eq!(record["revision"]["number"], 1);
    }
}

#[test]
fn a_revision_of_one_leaves_the_other_as_it_is() {
    let fleet = published();
    let (first, second) = (fleet.url("all/contoso"), fleet.url("all/fabrikam"));
    let server = fleet.follow(&first, &["--store", &second]);
    assert!(ask(&server, "contoso", &[]).decision());
    // The archived record is published for the other as well.
    let ran = fleet
        .workspace
        .run(&["-C", "w", "publish", "--store", &first]);
    assert_eq!(ran.status, 0, "{ran}");
    until("it is served", &server, || {
        !ask(&server, "contoso", &[]).decision()
    });
    assert!(
        ask(&server, "contoso", &[])
            .header("tarbac-revision")
            .ends_with(";number=2")
    );
    assert!(
        ask(&server, "fabrikam", &[])
            .header("tarbac-revision")
            .ends_with(";number=1")
    );
    assert_eq!(
        ask(&server, "fabrikam", &[("tarbac-min-revision", "2")]).status,
        503
    );
}

/// A caller of one workspace is nobody at the others, nor for the whole.
/// So many that reading one within the reading of another would fill the stack.
#[test]
fn hundreds_of_workspaces_are_served() {
    let fleet = published();
    let of = |number: usize| ["contoso", "fabrikam"][number % 2];
    for number in 0..200 {
        let from = fleet.workspace.path(&format!("all/{}", of(number)));
        crate::tarbac::copy(&from, &fleet.workspace.path(&format!("many/t{number:03}")));
    }
    let server = fleet.follow(&format!("{}/*", fleet.url("many")), &[]);
    for number in (0..200).step_by(7) {
        let reply = ask(&server, &format!("t{number:03}"), &[]);
        assert_eq!(reply.decision(), of(number) == "contoso", "{number}");
    }
    assert_eq!(server.get("/readyz").status, 200);
}

#[test]
fn callers_are_of_workspaces() {
    let fleet = published();
    let made = |name: &str, workspaces: &str| {
        let ran = fleet.workspace.run(&["token", name]);
        let mut lines = ran.stdout.lines();
        let (token, entry) = (lines.next().unwrap().to_owned(), lines.next().unwrap());
        let mut entry: Value = serde_json::from_str(entry).unwrap();
        entry["may"] = serde_json::json!(["evaluate", "operate"]);
        if !workspaces.is_empty() {
            entry["workspaces"] = serde_json::json!([workspaces]);
        }
        (format!("Bearer {token}"), entry)
    };
    let (one, of_one) = made("portal", "contoso");
    let (all, of_all) = made("operator", "");
    let callers = serde_json::json!({ "callers": [of_one, of_all] }).to_string();
    fleet.workspace.write("callers.json", callers);
    let server = fleet.follow(
        &format!("{}/*", fleet.url("all")),
        &["--tokens", "callers.json"],
    );
    let status =
        |workspace: &str, token: &str| ask(&server, workspace, &[("authorization", token)]).status;
    assert_eq!(
        (status("contoso", &one), status("fabrikam", &one)),
        (200, 403)
    );
    assert_eq!(
        (status("contoso", &all), status("fabrikam", &all)),
        (200, 200)
    );
    let metrics = |token: &str| {
        server
            .send("GET", "/metrics", b"", &[("authorization", token)])
            .status
    };
    assert_eq!((metrics(&one), metrics(&all)), (403, 200));
    assert_eq!(ask(&server, "contoso", &[]).status, 401);
}

/// A workspace that cannot be served does not keep the others from being so.
#[test]
fn a_broken_workspace_is_alone() {
    let fleet = published();
    let manifest = fleet
        .workspace
        .path(&format!("all/fabrikam/revisions/{:020}.json", 1));
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, "{").unwrap();
    let server = fleet.follow(&format!("{}/*", fleet.url("all")), &[]);
    assert!(ask(&server, "contoso", &[]).decision());
    assert_eq!(ask(&server, "fabrikam", &[]).status, 404);
    assert!(server.log().contains("not served yet"), "{}", server.log());
    fs::write(&manifest, text).unwrap();
    until("it is served", &server, || {
        ask(&server, "fabrikam", &[]).status == 200
    });
}

/// The page of each workspace leads to itself, and one sign-in opens those that the caller may see.
#[test]
fn each_workspace_has_a_page() {
    let fleet = published();
    let made = |name: &str, workspaces: &[&str]| {
        let ran = fleet.workspace.run(&["token", name]);
        let mut lines = ran.stdout.lines();
        let (token, entry) = (lines.next().unwrap().to_owned(), lines.next().unwrap());
        let mut entry: Value = serde_json::from_str(entry).unwrap();
        entry["may"] = serde_json::json!(["explore"]);
        if !workspaces.is_empty() {
            entry["workspaces"] = serde_json::json!(workspaces);
        }
        (token, entry)
    };
    let (one, of_one) = made("desk", &["contoso"]);
    let (all, of_all) = made("auditor", &[]);
    let callers = serde_json::json!({ "callers": [of_one, of_all] }).to_string();
    fleet.workspace.write("callers.json", callers);
    let server = fleet.follow(
        &format!("{}/*", fleet.url("all")),
        &[
            "--tokens",
            "callers.json",
            "--public-url",
            "https://pdp.example.com/t",
        ],
    );
    let form = ("content-type", "application/x-www-form-urlencoded");
    let sign_in = |workspace: &str, token: &str| {
        let path = format!("/t/{workspace}/sign-in");
        server.send("POST", &path, format!("token={token}").as_bytes(), &[form])
    };
    assert_eq!(sign_in("fabrikam", &one).status, 403);
    // Whoever signs in comes to the view that was asked for.
    let refused = server.get("/t/contoso/who?action=read");
    assert_eq!(refused.status, 401);
    let next = "name=\"next\" value=\"/t/contoso/who?action=read\"";
    assert!(refused.text.contains(next), "{refused:?}");
    let opened = sign_in("contoso", &all);
    assert_eq!(opened.header("location"), "/t/contoso/");
    let cookie = opened.header("set-cookie").split(';').next().unwrap();
    for workspace in ["contoso", "fabrikam"] {
        let view = |path: &str| {
            let path = format!("/t/{workspace}{path}");
            let reply = server.send("GET", &path, b"", &[("cookie", cookie)]);
            assert_eq!(reply.status, 200, "{path}: {reply:?}");
            reply.text
        };
        let mut linked = std::collections::BTreeSet::new();
        for path in ["/", "/changes", "/who", "/what-if", "/roles"] {
            let page = view(path);
            for start in ["href=\"", "src=\"", "action=\""] {
                for link in page.split(start).skip(1) {
                    let link = link.split('"').next().unwrap().replace("&amp;", "&");
                    if link != "#content" {
                        assert!(link.starts_with(&format!("/t/{workspace}/")), "{link}");
                        linked.insert(link);
                    }
                }
            }
        }
        for link in linked.iter().filter(|link| !link.ends_with("/sign-out")) {
            let reply = server.send("GET", link, b"", &[("cookie", cookie)]);
            assert!(reply.status < 400, "{link}: {reply:?}");
        }
    }
}
