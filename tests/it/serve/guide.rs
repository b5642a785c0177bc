//! The page on serving: what it shows is what comes.

use std::path::Path;
use std::process::Command;

use super::client::{Server, contoso};

/// The blocks of the page and of the README, each with its language.
fn blocks() -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    for path in ["docs/serving.md", "README.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let page = std::fs::read_to_string(path).unwrap();
        for part in page.split("\n```").skip(1).step_by(2) {
            let (language, block) = part.split_once('\n').unwrap();
            blocks.push((language.to_owned(), block.to_owned()));
        }
    }
    blocks
}

/// What a program says that is given a block of the page, asking this server.
fn said(server: &Server, program: &str, arguments: &[&str], block: &str) -> Option<String> {
    let block = block.replace("http://127.0.0.1:8180", &server.url(""));
    let output = Command::new(program).args(arguments).arg(block).output();
    let output = output.ok()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_answers_of_the_page_come() {
    let server = contoso();
    let blocks = blocks();
    let mut asked = 0;
    for pair in blocks.windows(2) {
        let [(language, command), (next, answer)] = pair else {
            unreachable!()
        };
        if language == "sh" && command.starts_with("curl") {
            let command = command.replacen("curl", "curl -sS", 1);
            let Some(said) = said(&server, "sh", &["-c"], &command) else {
                return;
            };
            assert_eq!(
                (next.as_str(), said.trim()),
                ("json", answer.trim()),
                "{command}"
            );
            asked += 1;
        }
    }
    assert_eq!(asked, 3);
}

#[test]
fn the_programs_of_the_page_ask() {
    let server = contoso();
    for (language, block) in blocks() {
        let said = match language.as_str() {
            "python" => said(&server, "python3", &["-c"], &block),
            // It is JavaScript as well.
            "typescript" => said(&server, "node", &["--input-type=module", "-e"], &block),
            _ => continue,
        };
        // Without the language, the test is left out.
        if let Some(said) = said {
            assert_eq!(said.trim().to_lowercase(), "true", "{language}");
        }
    }
}
