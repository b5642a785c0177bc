//! The page for people: its views by HTTP.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::callers::token;
use super::client::{PATIENCE, Reply, Server, contoso};
use crate::tarbac::{Tarbac, command, contoso_folder, copy};

/// What a command says of the sample tenant as JSON.
fn written(arguments: &[&str]) -> Value {
    let output = command(&contoso_folder())
        .args(arguments)
        .args(["--format", "json"])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn shown(server: &Server, path: &str) -> Reply {
    let reply = server.get(path);
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply
}

const VIEWS: [&str; 8] = [
    "/",
    "/who?action=runScript&resource=WS-TST-001&may-not=on",
    "/what?principal=ada%40contoso.example",
    "/why?principal=ada%40contoso.example&action=viewClientDetails&resource=WS-BER-014",
    "/what-if",
    "/access",
    "/roles",
    "/find?q=ada",
];

#[test]
fn every_view_is_protected() {
    let server = contoso();
    for path in VIEWS {
        let reply = shown(&server, path);
        let policy = reply.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert_eq!(reply.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(reply.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(reply.header("tarbac-revision").len() > 16);
        // Nothing in a view is a style or a script of its own, or comes from elsewhere.
        for part in [
            " style=",
            "<style",
            "<script>",
            "onclick",
            "src=\"http",
            "href=\"http",
        ] {
            assert!(!reply.text.contains(part), "{path}: {part}");
        }
    }
}

#[test]
fn the_assets_have_addresses_that_change_with_them() {
    let server = contoso();
    let page = shown(&server, "/").text;
    for (start, kind) in [
        ("/assets/style-", "text/css"),
        ("/assets/page-", "text/javascript"),
    ] {
        let from = &page[page.find(start).unwrap()..];
        let address = from.split('"').next().unwrap();
        let asset = shown(&server, address);
        assert!(asset.header("content-type").starts_with(kind), "{asset:?}");
        assert!(asset.header("cache-control").contains("immutable"));
    }
    assert_eq!(server.get("/assets/style-0000000000000000.css").status, 404);
}

#[test]
fn the_views_show_the_numbers_of_the_commands() {
    let server = contoso();
    let who = written(&["who", "runScript", "WS-TST-001"]);
    let page = shown(&server, VIEWS[1]).text;
    let may = who["may"].as_array().unwrap();
    assert!(
        page.contains(&format!("{} accounts may", may.len())),
        "{page}"
    );
    for permitted in may {
        let name = permitted["principal"]["name"].as_str().unwrap();
        assert!(page.contains(&format!(">{name}</a>")), "{name}");
    }
    let what = written(&["what", "ada@contoso.example"]);
    let page = shown(&server, VIEWS[2]).text;
    let groups = what["alike"].as_array().unwrap().len();
    assert!(
        page.contains(&format!("{groups} groups of devices")),
        "{page}"
    );
    let access = written(&["access"]);
    let page = shown(&server, VIEWS[5]).text;
    for key in ["people_allowed", "allowed", "refused"] {
        let count = access["totals"][key].as_u64().unwrap();
        let digits = with_commas(count);
        assert!(page.contains(&digits), "{key} {digits}");
    }
}

fn with_commas(count: u64) -> String {
    match count {
        0..1000 => count.to_string(),
        _ => format!("{},{:03}", count / 1000, count % 1000),
    }
}

#[test]
fn why_shows_everything_and_a_fix_leads_to_what_if() {
    let server = contoso();
    let page = shown(&server, VIEWS[3]).text;
    let explained = written(&[
        "explain",
        "ada@contoso.example",
        "viewClientDetails",
        "WS-BER-014",
    ]);
    assert!(page.contains("Refused"));
    for rule in explained["rules"].as_array().unwrap() {
        assert!(page.contains(rule["policy"].as_str().unwrap()), "{rule}");
    }
    // The three facts of the authority, each with its value.
    let authority = &explained["authority"]["rule"]["clauses"][0]["parts"];
    for part in authority.as_array().unwrap() {
        let text = part["text"].as_str().unwrap().replace('&', "&amp;");
        let text = text.replace('<', "&lt;").replace('>', "&gt;");
        assert!(page.contains(&text.replace('"', "&quot;")), "{text}");
    }
    let fixes = page.matches(">Try it<").count();
    assert!(fixes > 0, "{page}");
    for link in page
        .split("href=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
    {
        if link.starts_with("/what-if?") {
            let began = Instant::now();
            let address = link.replace("&amp;", "&");
            let mut reply = server.get(&address);
            // Two are computed at once.
            while reply.status == 429 && began.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(200));
                reply = server.get(&address);
            }
            assert_eq!(reply.status, 200, "{link}: {reply:?}");
            assert!(!reply.text.contains("There is no answer"), "{link}");
        }
    }
}

/// Waits for a what-if to be done.
fn done(server: &Server, location: &str) -> Value {
    let began = Instant::now();
    loop {
        let document = shown(server, &format!("{location}?wait=10s")).json();
        if document.get("totals").is_some() {
            return document;
        }
        assert!(began.elapsed() < PATIENCE, "{document}");
    }
}

#[test]
fn a_what_if_is_begun_watched_and_forgotten() {
    let server = contoso();
    let asked = json!({ "changes": [{ "flag": "enforce-configmgr-rbac", "value": "P01=off" }] });
    let begun = server.post("/api/v1/what-if", &asked);
    assert_eq!(begun.status, 202, "{begun:?}");
    let location = begun.header("location").to_owned();
    let mut document = done(&server, &location);
    let command = document.as_object_mut().unwrap().remove("command").unwrap();
    assert!(
        command
            .as_str()
            .unwrap()
            .ends_with(" what-if --enforce-configmgr-rbac P01=off")
    );
    assert_eq!(
        document,
        written(&["what-if", "--enforce-configmgr-rbac", "P01=off"])
    );
    // The same question is the same what-if.
    assert_eq!(
        server.post("/api/v1/what-if", &asked).header("location"),
        location
    );
    assert_eq!(server.send("DELETE", &location, b"", &[]).status, 204);
    assert_eq!(server.get(&location).status, 404);
    let wrong = json!({ "changes": [{ "flag": "use-intune-rbac", "value": "nowhere=on" }] });
    let begun = server.post("/api/v1/what-if", &wrong);
    let refused = server.get(&format!("{}?wait=10s", begun.header("location")));
    assert_eq!(refused.status, 400, "{refused:?}");
}

#[test]
fn the_view_what_if_has_the_numbers_of_the_command() {
    let server = contoso();
    // What the form sends has another address, which a colleague can be sent.
    let sent = server.get("/what-if?enforce-configmgr-rbac%40P01=off&use-intune-rbac%40contoso=");
    assert_eq!(sent.status, 303, "{sent:?}");
    assert_eq!(
        sent.header("location"),
        "/what-if?enforce-configmgr-rbac=P01%3Doff"
    );
    let began = Instant::now();
    let page = loop {
        let page = shown(&server, "/what-if?enforce-configmgr-rbac=P01%3Doff").text;
        if page.contains("Parts of the result") || began.elapsed() > PATIENCE {
            break page;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    let totals = &written(&["what-if", "--enforce-configmgr-rbac", "P01=off"])["totals"];
    for key in ["gained", "lost", "resources"] {
        let count = with_commas(totals[key].as_u64().unwrap());
        assert!(page.contains(&count), "{key} {count}");
    }
    assert!(page.contains("tarbac what-if --enforce-configmgr-rbac P01=off"));
}

/// Each view is saved as a sheet and as a document.
#[test]
fn views_are_saved() {
    let server = contoso();
    for path in &VIEWS[..4] {
        let join = if path.contains('?') { '&' } else { '?' };
        let page = shown(&server, path).text;
        for (format, kind) in [("csv", "text/csv"), ("json", "application/json")] {
            assert!(page.contains(&format!("format={format}")), "{path}");
            let saved = shown(&server, &format!("{path}{join}format={format}"));
            assert!(saved.header("content-type").starts_with(kind), "{saved:?}");
            assert!(
                saved
                    .header("content-disposition")
                    .starts_with("attachment")
            );
        }
    }
    let why = shown(&server, &format!("{}&format=csv", VIEWS[3])).text;
    let explained = written(&[
        "explain",
        "ada@contoso.example",
        "viewClientDetails",
        "WS-BER-014",
    ]);
    for rule in explained["rules"].as_array().unwrap() {
        let start = format!("refusal,{},", rule["policy"].as_str().unwrap());
        assert!(why.lines().any(|line| line.starts_with(&start)), "{why}");
    }
    let changes = why.lines().filter(|line| line.starts_with("change,"));
    let alternatives = explained["changes"]["alternatives"].as_array().unwrap();
    assert_eq!(changes.count(), alternatives.len(), "{why}");
    let overview = shown(&server, "/?format=csv").text;
    for part in ["revision,", "entities,Entra::User,", "setting,", "reading,"] {
        assert!(
            overview.lines().any(|line| line.starts_with(part)),
            "{overview}"
        );
    }
}

#[test]
fn nothing_is_written() {
    let folder = Tarbac::with(&[]);
    copy(&contoso_folder(), &folder.path(""));
    let before = folder_digest(&folder.path(""));
    let server = Server::of(&folder.path(""));
    let asked = json!({ "grant": ["ada@contoso.example=Help Desk Operator"], "plan": true });
    let begun = server.post("/api/v1/what-if", &asked);
    done(&server, begun.header("location"));
    for path in VIEWS {
        shown(&server, path);
    }
    assert_eq!(folder_digest(&folder.path("")), before);
}

fn folder_digest(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_file() && !path.to_string_lossy().contains("/.tarbac/"))
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn without_a_page_there_are_only_endpoints() {
    let server = Server::with(&contoso_folder(), &["--no-page"]);
    for path in VIEWS {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    assert_eq!(server.get("/api/v1/status").status, 200);
}

/// Where callers are known, a view shows nothing until a token became a cookie; and the cookie opens nothing else.
#[test]
fn a_token_opens_the_page() {
    let folder = Tarbac::with(&[]);
    let (token, entry) = token("desk", &["explore", "evaluate"]);
    folder.write("callers.json", json!({ "callers": [entry] }).to_string());
    let file = folder.path("callers.json");
    let server = Server::with(&contoso_folder(), &["--tokens", file.to_str().unwrap()]);
    let refused = server.get(VIEWS[1]);
    assert_eq!(refused.status, 401);
    assert!(!refused.text.contains("contoso.example<"), "{refused:?}");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let wrong = server.send("POST", "/sign-in", b"token=wrong&next=/", &[form]);
    assert_eq!(wrong.status, 401);
    let body = format!("token={token}&next=%2F%2Fevil.example");
    let opened = server.send("POST", "/sign-in", body.as_bytes(), &[form]);
    let cookie = opened.header("set-cookie");
    for part in [
        "__Host-tarbac=",
        "HttpOnly",
        "Secure",
        "SameSite=Strict",
        "Path=/",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!opened.text.contains(&token) && !cookie.contains(&token));
    let cookie = cookie.split(';').next().unwrap();
    let page = server.send("GET", VIEWS[1], b"", &[("cookie", cookie)]);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.text.contains("ada@contoso.example") && !page.text.contains(&token));
    let evaluation = server.send(
        "POST",
        "/access/v1/evaluation",
        b"{}",
        &[("cookie", cookie), ("content-type", "application/json")],
    );
    assert_eq!(evaluation.status, 403);
    // Taken out of the file, the caller is out.
    folder.write("callers.json", json!({ "callers": [] }).to_string());
    let began = Instant::now();
    while server.send("GET", "/", b"", &[("cookie", cookie)]).status != 401 {
        assert!(began.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(100));
    }
}
