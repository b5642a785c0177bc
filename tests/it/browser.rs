//! What a browser makes of a page.

use crate::installed::{on_path, or_left_out};
use crate::tarbac::Tarbac;

/// The browser, or `None` where the test is to be left out.
pub fn browser(test: &str) -> Option<std::path::PathBuf> {
    or_left_out(on_path("chromium"), "chromium", test)
}

/// What a browser makes of a page whose address ends with a fragment. The page must not try what its own policy forbids.
pub fn seen(browser: &std::path::Path, html: &str, fragment: &str) -> String {
    let folder = Tarbac::with(&[]);
    folder.write("page.html", html);
    let page = folder.path("page.html");
    let output = std::process::Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
        ])
        .arg(format!(
            "--user-data-dir={}",
            folder.path("profile").display()
        ))
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}{fragment}", page.display()))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("Content Security Policy"), "{errors}");
    let dom = String::from_utf8(output.stdout).unwrap();
    assert!(dom.contains("<body"), "{errors}");
    // Scripts and styles are no part of what is seen.
    let body = dom.split_once("<body").unwrap().1;
    let mut seen = String::new();
    for part in body.split("<script") {
        seen.push_str(part.split_once("</script>").map_or(part, |(_, rest)| rest));
    }
    seen
}

/// The rows of tables that a filter shows or hides, and that are shown.
pub fn filtered(page: &str) -> Vec<&str> {
    let rows = page.split("<tr").skip(1);
    let rows = rows.map(|row| row.split_once("</tr>").unwrap().0);
    rows.filter(|row| {
        let tag = row.split_once('>').unwrap().0;
        tag.contains("data-keys") && !tag.contains("hidden")
    })
    .collect()
}
