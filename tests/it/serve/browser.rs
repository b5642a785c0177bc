//! The page in a browser, which a script drives.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::client::{Server, contoso};
use crate::browser::browser;
use crate::installed::in_target;
use crate::tarbac::{Tarbac, contoso_folder, copy};

/// The scripts of the page and of reports are checked by TypeScript, and every view in Chromium: by keyboard, under its
/// policy, and by axe.
#[test]
fn the_tour_of_a_browser_finds_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = root.join("target/browser");
    let Some(chromium) = driven("the_tour_of_a_browser_finds_nothing") else {
        return;
    };
    let types = Command::new(modules.join("node_modules/.bin/tsc"))
        .args([
            "--noEmit",
            "--checkJs",
            "--allowJs",
            "--strict",
            "--noUncheckedIndexedAccess",
        ])
        .args([
            "--target",
            "es2024",
            "--module",
            "esnext",
            "--lib",
            "es2024,dom,dom.iterable",
        ])
        .arg(root.join("src/serve/page/page.js"))
        .arg(root.join("src/report/html/report.js"))
        .output()
        .unwrap();
    assert!(
        types.status.success(),
        "{}",
        String::from_utf8_lossy(&types.stdout)
    );
    let server = contoso();
    node(&chromium, "tour.mjs", &[&server.url("")]);
}

/// Runs a script of the browser, which has to go well.
fn node(chromium: &Path, script: &str, arguments: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copied = root.join("target/browser").join(script);
    std::fs::copy(root.join("tests/page").join(script), &copied).unwrap();
    let ran = Command::new("node")
        .arg(&copied)
        .args(arguments)
        .env("CHROMIUM", chromium)
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// The browser, if it and what drives it are there.
fn driven(test: &str) -> Option<PathBuf> {
    let chromium = browser(test)?;
    in_target("browser/node_modules/playwright-core", test)?;
    Some(chromium)
}

/// A page that is open while the workspace changes underneath: a remark comes, a red one where the change cannot be
/// served, and the table stays.
#[test]
fn a_change_underneath_is_told_and_swaps_nothing() {
    let Some(chromium) = driven("a_change_underneath_is_told_and_swaps_nothing") else {
        return;
    };
    let folder = Tarbac::with(&[]);
    copy(&contoso_folder(), &folder.path(""));
    let server = Server::of(&folder.path(""));
    let root = folder.path("");
    node(
        &chromium,
        "changes.mjs",
        &[&server.url(""), root.to_str().unwrap()],
    );
}
