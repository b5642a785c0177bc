//! An analysis over many workspaces, and the engine that takes over from there.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::installed::python;
use crate::tarbac::{Tarbac, copy};

/// So many tenants.
const TENANTS: usize = 50;

/// A prefix with many tenants, each of which has what the first has.
fn tenants() -> (Tarbac, String) {
    let tarbac = Tarbac::with_tenant(&[]);
    let url = format!("file://{}", tarbac.path("stores").display());
    let ran = tarbac.run(&["publish", "--store", &format!("{url}/t00")]);
    assert_eq!(ran.status, 0, "{ran}");
    for number in 1..TENANTS {
        copy(
            &tarbac.path("stores/t00"),
            &tarbac.path(&format!("stores/t{number:02}")),
        );
    }
    (tarbac, format!("{url}/*"))
}

/// The example of the documentation, over what is written for 50 tenants.
#[test]
fn duckdb_reads_what_is_written() {
    let (tarbac, all) = tenants();
    let ran = tarbac.run(&["access", "--store", &all, "--format", "ndjson"]);
    assert_ne!(ran.status, 2, "{ran}");
    let rows: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let alone = tarbac.run(&["access", "--format", "ndjson"]);
    assert_eq!(rows.len(), TENANTS * alone.stdout.lines().count());
    assert!(rows.iter().all(|row| row["number"] == 1));
    for number in 0..TENANTS {
        assert!(
            rows.iter()
                .any(|row| row["workspace"] == format!("t{number:02}"))
        );
    }
    tarbac.write("access.ndjson", &ran.stdout);
    let Some(python) = python("duckdb", "duckdb_reads_what_is_written") else {
        return;
    };
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fleet.md"))
        .unwrap();
    let mut queries = page.split("```sql\n").skip(1);
    let mut query = || queries.next().unwrap().split("```").next().unwrap();
    let run = |script: &str, query: &str| {
        let ran = Command::new(&python)
            .args(["-c", script, query])
            .current_dir(tarbac.path(""))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{told}");
        String::from_utf8(ran.stdout).unwrap()
    };
    let rows_of = "import duckdb, sys\nfor row in duckdb.sql(sys.argv[1]).fetchall(): print(*row)";
    let asked = |query: &str| run(rows_of, query);
    let told = asked(query());
    let holds = rows
        .iter()
        .filter(|row| row["kind"] == "hold" && row["workspace"] == "t07")
        .count();
    assert_eq!(told.lines().count(), TENANTS);
    assert!(
        told.lines().any(|line| line == format!("t07 1 {holds}")),
        "{told}"
    );
    // The same rows as Parquet.
    run("import duckdb, sys\nduckdb.execute(sys.argv[1])", query());
    let again = asked(
        "SELECT workspace, number, count(*) FROM 'holds.parquet' GROUP BY ALL ORDER BY workspace",
    );
    assert_eq!(again, told);
}

/// An analysis is of nothing that anybody could have written.
#[test]
fn only_what_a_trusted_key_signed_is_reported() {
    let tarbac = Tarbac::with_tenant(&[]);
    let openssl = |arguments: &[&str]| {
        let ran = Command::new("openssl")
            .args(arguments)
            .current_dir(tarbac.path(""))
            .output();
        assert!(ran.unwrap().status.success(), "{arguments:?}");
    };
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "key.pem"]);
    openssl(&["pkey", "-in", "key.pem", "-pubout", "-out", "key.pub"]);
    let url = format!("file://{}", tarbac.path("stores").display());
    let signed = format!("{url}/signed");
    let ran = tarbac.run(&["publish", "--store", &signed, "--sign", "key.pem"]);
    assert_eq!(ran.status, 0, "{ran}");
    let ran = tarbac.run(&["publish", "--store", &format!("{url}/unsigned")]);
    assert_eq!(ran.status, 0, "{ran}");
    let all = format!("{url}/*");
    let ndjson = ["--store", &all, "--trust", "key.pub", "--format", "ndjson"];
    for command in ["access", "what-if"] {
        let ran = tarbac.run(&[&[command][..], &ndjson].concat());
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains("it has no signature"), "{ran}");
        assert!(ran.stdout.contains("{\"workspace\":\"signed\""), "{ran}");
        assert!(!ran.stdout.contains("\"unsigned\""), "{ran}");
    }
}

#[test]
fn a_workspace_that_fails_is_named_and_the_others_are_reported() {
    let (tarbac, all) = tenants();
    for number in 3..TENANTS {
        std::fs::remove_dir_all(tarbac.path(&format!("stores/t{number:02}"))).unwrap();
    }
    tarbac.write(&format!("stores/t01/revisions/{:020}.json", 1), "{");
    let ran = tarbac.run(&["access", "--store", &all, "--format", "ndjson"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("/stores/t01:"), "{ran}");
    for (name, is_told) in [("t00", true), ("t01", false), ("t02", true)] {
        assert_eq!(
            ran.stdout.contains(&format!("{{\"workspace\":\"{name}\"")),
            is_told,
            "{name}"
        );
    }
    let ran = tarbac.run(&["what-if", "--store", &all, "--format", "json"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("--format ndjson"), "{ran}");
}
