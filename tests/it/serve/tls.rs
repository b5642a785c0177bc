//! TLS, and callers who have a certificate.

use std::path::Path;

use serde_json::{Value, json};
use ureq::Agent;

use super::authority::Authority;
use super::client::{Server, records_folder};
use super::decision_log::wait;

fn alice() -> Value {
    json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": { "type": "record", "id": "record-1" },
    })
}

/// A server with the certificate of a folder.
fn serving(folder: &Path, more: &[&str]) -> Server {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (path("server.pem"), path("server.key"));
    let tls = ["--tls-cert", &certificate, "--tls-key", &key];
    Server::with(&records_folder(), &[&tls, more].concat())
}

/// The status of an evaluation.
fn status(client: &Agent, server: &Server) -> Result<u16, ureq::Error> {
    let url = format!("https://{}/access/v1/evaluation", server.addresses[0]);
    let request = client.post(&url).content_type("application/json");
    Ok(request.send(alice().to_string())?.status().as_u16())
}

fn metrics(client: &Agent, server: &Server) -> String {
    let url = format!("https://{}/metrics", server.addresses[0]);
    let mut answer = client.get(&url).call().unwrap();
    answer.body_mut().read_to_string().unwrap()
}

pub fn a_new_certificate_is_for_new_connections_and_a_wrong_one_for_none() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (first, second) = (Authority::new(), Authority::new());
    first.issue(&["127.0.0.1"], "pdp").write(folder);
    let server = serving(folder, &[]);
    let url = format!("https://{}", server.addresses[0]);
    assert_eq!(crate::tarbac::contoso(&["health", &url]).status, 0);
    let kept = first.client(None, true);
    assert_eq!(status(&kept, &server).unwrap(), 200);
    assert!(status(&second.client(None, false), &server).is_err());
    assert!(metrics(&kept, &server).contains("\ntarbac_tls_certificate_expiry_timestamp_seconds "));

    let next = second.issue(&["127.0.0.1"], "pdp");
    next.write(folder);
    wait("the new certificate", || {
        status(&second.client(None, false), &server).is_ok()
    });
    assert!(status(&first.client(None, false), &server).is_err());
    // What is open goes on.
    assert_eq!(status(&kept, &server).unwrap(), 200);

    std::fs::write(folder.join("server.key"), "garbage").unwrap();
    let client = second.client(None, false);
    wait("the garbage is counted", || {
        let refused = r#"tarbac_credential_reloads_total{file="tls",result="invalid"} 1"#;
        metrics(&client, &server).contains(refused)
    });
    assert_eq!(status(&client, &server).unwrap(), 200);
    // Nor is a key that belongs to another certificate taken.
    std::fs::write(
        folder.join("server.key"),
        first.issue(&["127.0.0.1"], "pdp").key,
    )
    .unwrap();
    wait("the other key is counted", || {
        let refused = r#"tarbac_credential_reloads_total{file="tls",result="invalid"} 2"#;
        metrics(&client, &server).contains(refused)
    });
    assert_eq!(status(&client, &server).unwrap(), 200);
    next.write(folder);
    assert_eq!(status(&client, &server).unwrap(), 200);
    assert!(!server.log().contains("PRIVATE KEY"), "{}", server.log());
}

#[test]
fn a_certificate_of_a_client_says_who_asks() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (authority, other) = (Authority::new(), Authority::new());
    authority.issue(&["127.0.0.1"], "pdp").write(folder);
    let callers = folder.join("callers.json");
    let entry = |name: &str, certificate: &str, may: &[&str]| json!({ "name": name, "certificate": certificate, "may": may });
    let file = json!({ "callers": [
        entry("portal", "portal.contoso.example", &["evaluate"]),
        entry("bot", "bot", &["evaluate"]),
        entry("idle", "idle", &[]),
    ] });
    std::fs::write(&callers, file.to_string()).unwrap();
    let ca = folder.join("clients.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let log = folder.join("decisions.ndjson");
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (ca, callers, log) = (path(&ca), path(&callers), path(&log));
    let arguments = [
        "--tls-client-ca",
        &ca,
        "--tokens",
        &callers,
        "--decision-log",
        &log,
    ];
    let server = serving(folder, &arguments);
    let ask = |of: &Authority, alternative: &[&str], common: &str| {
        let issued = of.issue(alternative, common);
        status(&authority.client(Some(&issued), false), &server)
    };
    assert_eq!(
        ask(&authority, &["portal.contoso.example"], "bot").unwrap(),
        200
    );
    assert_eq!(ask(&authority, &[], "bot").unwrap(), 200);
    // The alternative name goes before the common one.
    assert_eq!(ask(&authority, &["stranger.example"], "bot").unwrap(), 403);
    assert_eq!(ask(&authority, &[], "idle").unwrap(), 403);
    assert_eq!(ask(&authority, &[], "stranger").unwrap(), 403);
    assert!(ask(&other, &[], "bot").is_err());
    assert_eq!(
        status(&authority.client(None, false), &server).unwrap(),
        401
    );
    server.stop();
    let records = super::decision_log::read(Path::new(&log));
    let callers: Vec<&Value> = records.iter().map(|record| &record["caller"]).collect();
    assert_eq!(
        callers,
        [
            &json!({ "name": "portal", "by": "certificate" }),
            &json!({ "name": "bot", "by": "certificate" }),
        ]
    );
}

#[test]
fn files_that_do_not_belong_together_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let authority = Authority::new();
    authority.issue(&["127.0.0.1"], "pdp").write(folder);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    std::fs::write(folder.join("other.key"), authority.issue(&[], "other").key).unwrap();
    std::fs::write(folder.join("garbage"), "garbage").unwrap();
    let (certificate, key, garbage) = (path("server.pem"), path("server.key"), path("garbage"));
    let good = ["--tls-cert", &certificate, "--tls-key", &key];
    let serve = |arguments: &[&str]| {
        let serve = ["serve", "--listen", "0.0.0.0:0", "--check"];
        crate::tarbac::contoso(&[&serve, arguments].concat())
    };
    let ran = serve(&good);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr.contains("--tokens") && ran.stderr.contains("--anonymous"),
        "{ran}"
    );
    let ran = serve(&[&good[..], &["--anonymous"]].concat());
    assert_eq!(ran.status, 0, "{ran}");
    let other = path("other.key");
    let nowhere = path("nowhere");
    for wrong in [
        &["--tls-cert", certificate.as_str()][..],
        &["--tls-key", &key],
        &["--tls-cert", &certificate, "--tls-key", &other],
        &["--tls-cert", &certificate, "--tls-key", &garbage],
        &["--tls-cert", &garbage, "--tls-key", &key],
        &["--tls-cert", &nowhere, "--tls-key", &key],
        &[
            "--tls-cert",
            &certificate,
            "--tls-key",
            &key,
            "--tls-client-ca",
            &garbage,
        ],
    ] {
        let ran = serve(&[wrong, &["--anonymous"]].concat());
        assert_eq!(ran.status, 2, "{wrong:?} {ran}");
    }
}
