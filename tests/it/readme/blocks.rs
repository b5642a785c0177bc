//! Blocks of the pages: commands are run, and policies and suites are checked.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rayon::prelude::{IntoParallelIterator, ParallelIterator};
use tarbac::code::{self, Code};

use super::{Page, all_pages, codes_of_policies, pages, parts, repository};
use crate::solver::solver;
use crate::tarbac::{Tarbac, contoso, contoso_folder, without_revisions};

/// Runs a command line of a page in a folder, through a shell that finds `tarbac`.
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

/// The folder in which the blocks of a page are run.
struct Shell {
    home: tempfile::TempDir,
}

impl Shell {
    /// A page of `docs/` speaks of the sample; the README begins without it.
    fn of(page: &Page) -> Self {
        let home = tempfile::tempdir().unwrap();
        if page.path != "README.md" {
            run(home.path(), "tarbac init contoso");
        }
        Self { home }
    }

    /// The sample, as `init` writes it, once it is written.
    fn folder(&self) -> PathBuf {
        let sample = self.home.path().join("contoso");
        if sample.exists() {
            // The pages speak of them as of a part of the repository.
            let exports = "tests/exports/contoso";
            if !sample.join(exports).exists() {
                std::fs::create_dir_all(sample.join("tests/exports")).unwrap();
                std::os::unix::fs::symlink(repository().join(exports), sample.join(exports))
                    .unwrap();
            }
            sample
        } else {
            self.home.path().to_owned()
        }
    }

    /// A block that begins with the name of a file is that file from here on.
    fn keep<'p>(&self, block: impl Iterator<Item = &'p str>) {
        let file: Vec<&str> = block.take_while(|line| *line != "```").collect();
        let name = file.first().and_then(|name| name.strip_prefix("// "));
        if let Some(name) = name {
            std::fs::write(self.folder().join(name), file.join("\n")).unwrap();
        }
    }
}

/// Every line of the page, with the output below each `$ …` of a console block made anew.
fn rewritten(page: &Page) -> String {
    let shell = Shell::of(page);
    let mut text = String::new();
    let mut lines = page.text.lines();
    let mut has_begun = false;
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        if line == "```cedar" {
            shell.keep(lines.clone());
        } else if line == "```console" {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            // The first block of the README stands before `init` is introduced, and speaks of the same sample.
            has_begun |= page.path != "README.md" || block[0].starts_with("$ tarbac init");
            let folder = match has_begun {
                true => shell.folder(),
                false => contoso_folder(),
            };
            for command in block.chunk_by(|_, next| !next.starts_with("$ ")) {
                let (line, written) = command.split_first().unwrap();
                let answer = answer(&folder, line, &written.join("\n"));
                text.push_str(&format!("{line}\n{}\n", answer.trim_end()));
            }
            text.push_str("```\n");
        } else if let Some(table) = table(&shell, line) {
            let is_written = |line: &&str| *line != "<!-- end -->";
            let _written = lines.by_ref().take_while(is_written).count();
            text.push_str(&table);
            text.push_str("<!-- end -->\n");
        }
    }
    text
}

/// What a command line says, or what is written where it needs a solver and there is none.
fn answer(folder: &Path, line: &str, written: &str) -> String {
    let command = line
        .strip_prefix("$ ")
        .expect("a console block begins with `$ `");
    let needs_solver = command.contains("tarbac prove");
    let output = match needs_solver && solver("the proofs of the pages").is_none() {
        true => written.to_owned(),
        false => run(folder, command),
    };
    // Otherwise an error, which is not shown, would be taken for the answer.
    assert!(!output.trim().is_empty(), "`{command}` says nothing");
    output
}

/// A table that the program writes, below a remark that says which.
fn table(shell: &Shell, line: &str) -> Option<String> {
    let line = line.strip_suffix(" -->")?;
    if let Some(areas) = line.strip_prefix("<!-- codes of ") {
        return Some(codes(areas));
    }
    let command = line.strip_prefix("<!-- tarbac ")?;
    Some(run(&shell.folder(), &format!("tarbac {command}")))
}

/// The table of the codes of some areas, or of those that the policies that ship give.
fn codes(areas: &str) -> String {
    let rows: Vec<(String, String)> = match areas {
        "policies" => codes_of_policies().into_iter().collect(),
        _ => {
            let is_asked =
                |code: &&(Code, &str)| areas.split(' ').any(|area| area == area_of(&code.0));
            let rows = code::ALL.iter().filter(is_asked);
            rows.map(|(code, sentence)| (code.to_string(), (*sentence).to_owned()))
                .collect()
        }
    };
    assert!(!rows.is_empty(), "there is no area `{areas}`");
    let rows = rows
        .iter()
        .map(|(code, sentence)| format!("| `{code}` | {sentence} |\n"));
    format!(
        "| code | meaning |\n|---|---|\n{}",
        rows.collect::<String>()
    )
}

fn area_of(code: &Code) -> &str {
    code.as_ref().split("::").next().unwrap()
}

#[test]
fn console_blocks_are_what_the_program_says() {
    let pages = pages();
    let blocks = pages
        .iter()
        .map(|page| page.text.matches("```console").count());
    assert!(
        blocks.sum::<usize>() >= 20,
        "the pages show what the program does"
    );
    pages.into_par_iter().for_each(|page| {
        let now = rewritten(&page);
        if std::env::var_os("TARBAC_UPDATE_README").is_some() {
            std::fs::write(repository().join(&page.path), now).unwrap();
        } else {
            assert_same_lines(&page, &now);
        }
    });
}

fn assert_same_lines(page: &Page, now: &str) {
    for (number, (written, said)) in page.text.lines().zip(now.lines()).enumerate() {
        assert_eq!(written, said, "{}:{}", page.path, number + 1);
    }
    assert_eq!(page.text.lines().count(), now.lines().count());
}

/// Holds a command line of a page against the program: it takes these arguments.
fn assert_is_taken(page: &Page, line: &str) {
    let words = shlex::split(line).expect(line);
    // The shell takes a file to write to.
    let of_program = words.iter().take_while(|word| *word != ">");
    let words: Vec<&str> = of_program.map(String::as_str).collect();
    let arguments = match words.as_slice() {
        ["tarbac", arguments @ ..] => arguments,
        // The program, run from its sources.
        ["cargo", "run", ..] => {
            let at = words.iter().position(|word| *word == "--").expect(line);
            &words[at + 1..]
        }
        [
            "cargo",
            "build" | "install" | "test" | "bench" | "nextest",
            ..,
        ]
        | ["openssl", ..] => return,
        _ => panic!("{}: `{line}` is not checked", page.path),
    };
    let ran = match arguments {
        // A topic is an argument like any other.
        ["help", ..] => contoso(arguments),
        _ => contoso(&[arguments, &["--help"]].concat()),
    };
    assert_eq!(ran.status, 0, "{}: `{line}`\n{ran}", page.path);
}

#[test]
fn every_block_is_checked() {
    let library = std::fs::read_to_string(repository().join("src/lib.rs")).unwrap();
    for page in all_pages() {
        for (language, block) in parts(&page.text).blocks {
            match language.as_str() {
                // See `console_blocks_are_what_the_program_says`.
                "console" => {}
                // See `fleet::analysis`; and a list of names.
                "sql" | "text" if page.path == "docs/fleet.md" => {}
                // See `serve::guide`.
                "sh" if block.starts_with("curl ") => {}
                "json" => drop(serde_json::from_str::<serde_json::Value>(&block).expect(&block)),
                "python" | "typescript" | "csharp" | "ini" | "dockerfile"
                    if page.path == "docs/serving.md" => {}
                #[cfg(feature = "collect")]
                "powershell" => {
                    let fault = crate::collect::script::fault(&block);
                    assert_eq!(fault, None, "{}: {block}", page.path);
                }
                "sh" | "bash" => {
                    let lines = block.lines().filter(|line| !line.starts_with('#'));
                    let commands = lines.flat_map(|line| line.split("&&"));
                    for command in commands.map(str::trim) {
                        assert_is_taken(&page, command);
                    }
                }
                "cedar" => assert_is_policy(&page, &block),
                "yaml" => {
                    let value: serde_json::Value = serde_saphyr::from_str(&block).expect(&block);
                    assert!(value.is_object(), "{}: {block}", page.path);
                    let lines = block
                        .lines()
                        .filter_map(|line| line.trim().strip_prefix("script: "));
                    for command in lines {
                        assert_is_taken(&page, command);
                    }
                }
                // Rustdoc compiles and runs it.
                "rust" => assert!(
                    library.contains(&format!("include_str!(\"../{}\")", page.path)),
                    "src/lib.rs does not include {}",
                    page.path
                ),
                _ => panic!("{}: a block of `{language}` is not checked", page.path),
            }
        }
    }
}

/// A policy of a page is formatted and fits the schema that ships.
fn assert_is_policy(page: &Page, policy: &str) {
    let workspace = Tarbac::with(&[("policies/custom/shown.cedar", policy)]);
    for arguments in [&["fmt", "--check"][..], &["validate"]] {
        let ran = workspace.run(arguments);
        assert_eq!(ran.status, 0, "{}: {ran}", page.path);
    }
}

#[test]
fn every_command_within_a_sentence_is_taken() {
    for page in all_pages() {
        for code in parts(&page.text).code {
            if code.starts_with("tarbac ") {
                assert_is_taken(&page, &code);
            }
        }
    }
}

#[test]
fn every_command_of_the_samples_readme_works() {
    let readme = std::fs::read_to_string(contoso_folder().join("README.md")).unwrap();
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
            !run(&contoso_folder(), command).is_empty(),
            "`{command}` says nothing"
        );
    }
}

#[test]
fn the_suites_of_the_pages_pass() {
    let mut suites = 0;
    for page in pages() {
        for (_, suite) in parts(&page.text).blocks {
            if !suite.starts_with("# yaml-language-server") {
                continue;
            }
            suites += 1;
            let home = tempfile::tempdir().unwrap();
            run(home.path(), "tarbac init contoso");
            let folder = home.path().join("contoso");
            std::fs::write(folder.join("tests/page.yaml"), suite).unwrap();
            let said = run(&folder, "tarbac test tests/page.yaml");
            assert!(said.contains("\npassed: "), "{}: {said}", page.path);
        }
    }
    assert_eq!(suites, 1);
}
