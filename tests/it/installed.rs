//! Programs that some tests take beyond the Rust toolchain. A machine without one leaves these tests out and says so;
//! where `CI` is set, that is a failure, because `.ci/run` installs them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program found, or `None` where the test is to be left out.
pub fn or_left_out<T>(found: Option<T>, program: &str, test: &str) -> Option<T> {
    if found.is_none() {
        let is_ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty() && ci != "false");
        assert!(
            !is_ci,
            "{test}: there is no {program}, and CI is set; .ci/run installs it"
        );
        // Past the harness, which keeps to itself what a test that passes prints.
        let _ = writeln!(
            std::io::stderr(),
            "left out, since there is no {program}: {test}"
        );
    }
    found
}

/// A program on the `PATH`.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// A file or folder that `.ci/run` puts below `target`.
pub fn in_target(path: &str, test: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let found = Some(target.join(path)).filter(|found| found.exists());
    or_left_out(found, &format!("target/{path}"), test)
}

/// The Python of `target/readers`, if it has a module.
pub fn python(module: &str, test: &str) -> Option<PathBuf> {
    let python = in_target("readers/bin/python", test)?;
    let import = format!("import {module}");
    let ran = Command::new(&python).args(["-c", &import]).output();
    let found = ran.is_ok_and(|ran| ran.status.success()).then_some(python);
    or_left_out(found, &format!("{module} in target/readers"), test)
}
