//! The program, as a person runs it.

use serde_json::Value;

use super::service::Fault;
use super::{exports, serve};
use crate::tarbac::{Ran, Tarbac};

/// Collects from a server by the program.
fn run(tarbac: &Tarbac, base: &str, more: &[&str]) -> Ran {
    let site = format!("FAB={base}/FAB/AdminService/");
    let tenant = exports("fabrikam").join("tenant.json");
    let devices = exports("fabrikam").join("devices.csv");
    let arguments = [
        &[
            "collect",
            "--out",
            "exports",
            "--graph",
            base,
            "--configmgr",
            &site,
        ],
        &[
            "--token-command",
            "cat token",
            "--configmgr-token-command",
            "cat token.json",
        ][..],
        &[
            "--tenant",
            tenant.to_str().unwrap(),
            "--devices",
            devices.to_str().unwrap(),
        ],
        more,
    ];
    tarbac.run(&arguments.concat())
}

fn folder() -> Tarbac {
    let tarbac = Tarbac::with(&[]);
    tarbac.write("token", "the-token\n");
    tarbac.write(
        "token.json",
        r#"{"accessToken": "the-token", "expiresOn": "2026-11-30"}"#,
    );
    tarbac
}

#[test]
fn a_tenant_is_collected_and_imported_in_one_sitting() {
    let (base, _) = serve("fabrikam").start();
    let tarbac = folder();
    let ran = run(&tarbac, &base, &["--import", "tenant"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.contains("imported tenant"), "{ran}");
    assert!(ran.stdout.contains("collected since "), "{ran}");
    assert!(!ran.stdout.contains("Left to you"), "{ran}");
    let ran = tarbac.run(&["-C", "tenant", "validate"]);
    assert_ne!(ran.status, 2, "{ran}");
    // The next one takes the place of the first.
    let ran = run(&tarbac, &base, &[]);
    assert_eq!(ran.status, 0, "{ran}");
}

#[test]
fn no_secret_is_told_or_kept() {
    let mut service = serve("fabrikam");
    service.faults = Box::new(|number, target| {
        let is_it = number % 5 == 0 && !target.contains("$batch");
        is_it.then_some(Fault::Status(403, None))
    });
    let (base, _) = service.start();
    let tarbac = folder();
    let refused = run(&tarbac, &base, &[]);
    assert_eq!(refused.status, 1, "{refused}");
    let mut unauthorized = serve("fabrikam");
    unauthorized.accepts = Box::new(|_| false);
    let (base, _) = unauthorized.start();
    let stopped = run(&tarbac, &base, &[]);
    assert_eq!(stopped.status, 2, "{stopped}");
    assert!(
        stopped.stderr.contains("does not accept the token"),
        "{stopped}"
    );
    for ran in [refused, stopped] {
        assert!(!format!("{ran}").contains("the-token"), "{ran}");
    }
    for (path, bytes) in crate::import::files(&tarbac.path("exports")) {
        let mut text = Vec::new();
        let mut reader = flate2::read::MultiGzDecoder::new(bytes.as_slice());
        if std::io::Read::read_to_end(&mut reader, &mut text).is_err() {
            text = bytes;
        }
        let found = String::from_utf8_lossy(&text);
        assert!(!found.contains("the-token"), "{path}");
    }
}

/// What was refused is told by the collection and by the import, with the permission.
#[test]
fn an_import_says_what_was_refused_and_how_old_the_rest_is() {
    let mut service = serve("fabrikam");
    service.faults = Box::new(|_, target| {
        let is_it = target.starts_with("/v1.0/directoryRoles?") || target == "/v1.0/directoryRoles";
        is_it.then_some(Fault::Status(403, None))
    });
    let (base, _) = service.start();
    let tarbac = folder();
    let ran = run(&tarbac, &base, &[]);
    assert_eq!(ran.status, 1, "{ran}");
    let told = "  graph/directoryRoles.json\n    takes RoleManagement.Read.Directory\n";
    assert!(ran.stdout.contains(told), "{ran}");
    let ran = tarbac.run(&[
        "import",
        "exports",
        "--out",
        "tenant",
        "--now",
        "2100-01-01T00:00:00Z",
    ]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.contains("import::export_refused (1)"), "{ran}");
    assert!(
        ran.stdout
            .contains("graph/directoryRoles.json takes RoleManagement.Read.Directory")
    );
    assert!(ran.stdout.contains("import::exports_old (1)"), "{ran}");
    // Nobody reads while one collection takes the place of another.
    tarbac.write("exports/.tarbac-collect/publishing", "{}");
    let ran = tarbac.run(&["import", "exports", "--out", "tenant"]);
    assert_eq!(ran.status, 2, "{ran}");
}

#[test]
fn permissions_are_listed_for_people_and_for_applications() {
    let tarbac = Tarbac::with(&[]);
    let how = tarbac.run(&["import", "--how", "--format", "json"]);
    let how: Value = serde_json::from_str(&how.stdout).unwrap();
    let listed = tarbac.run(&["collect", "--permissions"]).stdout;
    let scopes = how["scopes"].as_array().unwrap();
    for scope in scopes {
        assert!(
            listed.contains(&format!("\n{}\n", scope.as_str().unwrap())),
            "{scope}"
        );
    }
    assert_eq!(
        tarbac.run(&["collect", "--permissions", "--resume"]).status,
        2
    );
    let manifest = tarbac.run(&["collect", "--permissions", "--format", "json"]);
    let manifest: Value = serde_json::from_str(&manifest.stdout).unwrap();
    let access = &manifest["requiredResourceAccess"][0];
    assert_eq!(
        access["resourceAppId"],
        "00000003-0000-0000-c000-000000000000"
    );
    assert_eq!(
        access["resourceAccess"].as_array().unwrap().len(),
        // Each as an application permission and as a delegated one.
        scopes.len() * 2
    );
    let ids = access["resourceAccess"].as_array().unwrap().iter();
    let ids: std::collections::BTreeSet<&str> = ids
        .map(|permission| permission["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), scopes.len() * 2);
}

#[test]
fn arguments_that_lead_nowhere_are_refused() {
    let tarbac = folder();
    for (arguments, told) in [
        (&["collect"][..], "--out"),
        (
            &["collect", "--out", "x"],
            "there is no terminal to sign in at",
        ),
        (
            &["collect", "--out", "x", "--configmgr", "cm01"],
            "site code",
        ),
        (
            &["collect", "--out", "x", "--sign-in", "client-secret"],
            "--client-secret-file",
        ),
        (
            &["collect", "--out", "x", "--token-command", "exit 3"],
            "ended with",
        ),
        (
            &["collect", "--out", "x", "--token-command", "echo two words"],
            "printed no token",
        ),
        (
            &["collect", "--out", "x", "--format", "json"],
            "--permissions",
        ),
        (&["collect", "--out", "x", "--jobs", "0"], "1..=64"),
        (&["collect", "--out", "x", "--every", "0s"], "not zero"),
        (
            &[
                "collect",
                "--out",
                "x",
                "--no-graph",
                "--configmgr",
                "P01=https://cm01.contoso.example",
                "--configmgr",
                "p01=https://cm02.contoso.example",
            ],
            "names p01 twice",
        ),
        (
            &[
                "collect",
                "--out",
                "x",
                "--graph",
                "http://graph.example",
                "--token-command",
                "cat token",
            ],
            "https",
        ),
    ] {
        let ran = tarbac.run(arguments);
        assert_eq!(ran.status, 2, "{arguments:?} {ran}");
        assert!(ran.stderr.contains(told), "{arguments:?} {ran}");
    }
    // Without an answer nothing is in the folder.
    assert!(!tarbac.path("x/graph").exists());
}
