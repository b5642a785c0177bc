//! The console blocks and tables of the README, and of the sample's own README, are what the program says.
//!
//! With `TARBAC_UPDATE_README=1` the blocks of the README are rewritten instead of compared.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::solver::solver;
use crate::tarbac::without_revisions;

/// Runs a command line of the README in a folder, through a shell that finds `tarbac`.
fn run(folder: &Path, line: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_tarbac")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    without_revisions(&String::from_utf8(output.stdout).unwrap())
}

/// The folder a block is run in: the sample, as `init` writes it, once that has been shown.
struct Shell {
    home: tempfile::TempDir,
}

impl Shell {
    fn folder(&self) -> PathBuf {
        let sample = self.home.path().join("contoso");
        if sample.exists() {
            // The page speaks of them as of a part of the repository.
            let exports = sample.join("tests/exports");
            if !exports.exists() {
                let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exports");
                std::os::unix::fs::symlink(ours, exports).unwrap();
            }
            sample
        } else {
            self.home.path().to_owned()
        }
    }
}

/// Every line of the text, with the output below each `$ …` of a console block made anew.
fn rewritten(readme: &str) -> String {
    let shell = Shell {
        home: tempfile::tempdir().unwrap(),
    };
    let mut text = String::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        if let (true, Some(name)) = (line == "```cedar", lines.clone().next())
            && let Some(name) = name.strip_prefix("// ")
        {
            // A block that begins with the name of a file is that file from here on.
            let file: Vec<&str> = lines.clone().take_while(|line| *line != "```").collect();
            std::fs::write(shell.folder().join(name), file.join("\n")).unwrap();
        }
        if let Some(command) = line.strip_prefix("<!-- tarbac ") {
            // A table that the program writes.
            let command = format!("tarbac {}", command.trim_end_matches(" -->"));
            let _written = lines
                .by_ref()
                .take_while(|line| *line != "<!-- end -->")
                .count();
            text.push_str(&run(&shell.folder(), &command));
            text.push_str("<!-- end -->\n");
            continue;
        }
        if line != "```console" {
            continue;
        }
        let command = lines.next().unwrap();
        text.push_str(command);
        text.push('\n');
        let command = command
            .strip_prefix("$ ")
            .expect("a console block begins with `$ `");
        // The first block stands before `init` is introduced, and speaks of the same sample.
        let folder = if text.contains("$ tarbac init") {
            shell.folder()
        } else {
            crate::tarbac::contoso_folder()
        };
        let written: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let needs_solver = command.contains("tarbac prove");
        let output = match needs_solver && solver("the README's proofs").is_none() {
            true => written.join("\n"),
            false => run(&folder, command),
        };
        text.push_str(output.trim_end());
        text.push_str("\n```\n");
    }
    text
}

#[test]
fn console_blocks_are_what_the_program_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let now = rewritten(&readme);
    assert!(
        now.matches("```console").count() >= 6,
        "the README shows what the program does"
    );
    if std::env::var_os("TARBAC_UPDATE_README").is_some() {
        std::fs::write(path, now).unwrap();
    } else {
        assert_same_lines(&readme, &now);
    }
}

fn assert_same_lines(readme: &str, now: &str) {
    for (number, (written, said)) in readme.lines().zip(now.lines()).enumerate() {
        assert_eq!(written, said, "README.md:{}", number + 1);
    }
    assert_eq!(readme.lines().count(), now.lines().count());
}

#[test]
fn every_command_of_the_samples_readme_works() {
    let readme =
        std::fs::read_to_string(crate::tarbac::contoso_folder().join("README.md")).unwrap();
    let commands: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("tarbac "))
        .filter(|line| {
            !line.contains(" prove") || solver("the proofs of the sample's README").is_some()
        })
        .collect();
    assert!(commands.len() >= 5, "{commands:?}");
    for command in commands {
        assert!(
            !run(&crate::tarbac::contoso_folder(), command).is_empty(),
            "`{command}` says nothing"
        );
    }
}

#[test]
fn the_suite_of_the_readme_passes() {
    let readme =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, rest) = readme
        .split_once("```yaml\n# yaml-language-server")
        .unwrap();
    let (suite, _) = rest.split_once("```").unwrap();
    let home = tempfile::tempdir().unwrap();
    run(home.path(), "tarbac init contoso");
    let folder = home.path().join("contoso");
    std::fs::write(folder.join("tests/readme.yaml"), format!("#{suite}")).unwrap();
    let said = run(&folder, "tarbac test tests/readme.yaml");
    assert!(
        said.ends_with("passed: 3 cases, 8 decisions, 0 snapshots\n"),
        "{said}"
    );
}
