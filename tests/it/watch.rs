//! `tarbac test --watch`: runs again when something is saved.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::tarbac::{Tarbac, command};

/// How long the test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// The next line that says how a run ended.
fn next(lines: &Receiver<String>) -> String {
    loop {
        let line = lines.recv_timeout(PATIENCE).expect("a run ends");
        if line.starts_with("passed") || line.starts_with("failed") {
            return line;
        }
    }
}

#[test]
fn a_save_and_a_rename_run_the_suites_again() {
    let suite = "suite: A suite
cases:
  - { name: Ana runs a script, principal: ana@t.example, action: runScript, resource: PC-1, expect: allow, because: [roles.help-desk-operator] }
";
    let workspace = Tarbac::with_tenant(&[("tests/a.yaml", suite)]);
    let mut child = command(&workspace.path(""))
        .args(["test", "--watch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    assert!(next(&lines).starts_with("passed: 1 case"));
    // A run reads the files, and that is no change.
    assert!(lines.recv_timeout(Duration::from_secs(2)).is_err());
    workspace.write("tests/a.yaml", suite.replace("allow", "deny"));
    assert!(next(&lines).starts_with("failed"));
    // A suite that is renamed to something else is no suite.
    workspace.write("tests/b.yaml", suite);
    let _ = next(&lines);
    std::fs::rename(
        workspace.path("tests/a.yaml"),
        workspace.path("tests/a.old"),
    )
    .unwrap();
    assert!(next(&lines).starts_with("passed: 1 case"));
    // Policies matter as well.
    workspace.write(
        "policies/custom/none.cedar",
        "@id(\"custom.none\")\n@doc(\"d\")\n@message(\"m\")\n@advice(\"a\")\nforbid (principal, action, resource);\n",
    );
    assert!(next(&lines).starts_with("failed"));
    child.kill().unwrap();
    child.wait().unwrap();
}
