//! The README and the pages of the documentation: their blocks are run or checked, their links lead somewhere.
//!
//! With `TARBAC_UPDATE_README=1` the console blocks and tables are rewritten instead of compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use rayon::prelude::{IntoParallelIterator, ParallelIterator};
use tarbac::bundle::{self, Policy};
use tarbac::code::{self, Code};
use tarbac::shipped;

use crate::solver::solver;
use crate::tarbac::{Ran, Tarbac, contoso, contoso_folder, without_revisions};

/// A page for people.
pub struct Page {
    /// Where it lies in the repository.
    pub path: String,
    pub text: String,
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(path: &str) -> Page {
    Page {
        text: std::fs::read_to_string(repository().join(path)).expect(path),
        path: path.to_owned(),
    }
}

/// The topics of `docs/`.
fn topics() -> BTreeSet<String> {
    let entries = std::fs::read_dir(repository().join("docs")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .map(|name| name.strip_suffix(".md").expect(&name).to_owned())
        .collect()
}

/// The README and the pages of `docs/`.
pub fn pages() -> Vec<Page> {
    let mut pages = vec![page("README.md")];
    pages.extend(
        topics()
            .iter()
            .map(|topic| page(&format!("docs/{topic}.md"))),
    );
    pages
}

/// These, and the pages of the folders with policies and with the sample.
fn all_pages() -> Vec<Page> {
    let mut pages = pages();
    pages.push(page("policies/README.md"));
    pages.push(page("tests/contoso/README.md"));
    pages
}

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
}

/// Every line of the page, with the output below each `$ …` of a console block made anew.
fn rewritten(page: &Page) -> String {
    let shell = Shell::of(page);
    let mut text = String::new();
    let mut lines = page.text.lines();
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
        if let Some(areas) = line.strip_prefix("<!-- codes of ") {
            let _written = lines
                .by_ref()
                .take_while(|line| *line != "<!-- end -->")
                .count();
            text.push_str(&codes(areas.trim_end_matches(" -->")));
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
        // The first block of the README stands before `init` is introduced, and speaks of the same sample.
        let is_before_init = page.path == "README.md" && !text.contains("$ tarbac init");
        let folder = match is_before_init {
            true => contoso_folder(),
            false => shell.folder(),
        };
        let written: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let needs_solver = command.contains("tarbac prove");
        let output = match needs_solver && solver("the proofs of the pages").is_none() {
            true => written.join("\n"),
            false => run(&folder, command),
        };
        // Otherwise an error, which is not shown, would be taken for the answer.
        assert!(!output.trim().is_empty(), "`{command}` says nothing");
        text.push_str(output.trim_end());
        text.push_str("\n```\n");
    }
    text
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

/// The codes that the policies that ship give to findings, with what each says.
pub fn codes_of_policies() -> BTreeSet<(String, String)> {
    let (bundle, _) = bundle::read(&shipped::rules().alone());
    let bundle = bundle.unwrap();
    let finds = |policy: &&Policy| {
        let mut questions = bundle.questions_of(policy);
        questions.any(|asked| ["finding", "contradiction"].contains(&asked.uid.id().unescaped()))
    };
    let given = bundle.policies().iter().filter(finds).map(|policy| {
        let name = policy.annotation("code").unwrap();
        let doc = policy.doc().unwrap().to_owned();
        (Code::of_policy(name).to_string(), doc)
    });
    given.collect()
}

#[test]
fn every_code_has_a_row() {
    let page = page("docs/findings.md").text;
    let given = codes_of_policies();
    assert!(given.len() > 8, "{given:?}");
    let known = code::ALL.iter().map(|(code, _)| code.as_ref());
    for code in known.chain(given.iter().map(|(code, _)| code.as_str())) {
        let row = format!("\n| `{code}` | ");
        assert!(page.contains(&row), "docs/findings.md has no row of {code}");
    }
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

/// A page as it is laid out.
#[derive(Default)]
struct Parts {
    /// The language of each block, and its text.
    blocks: Vec<(String, String)>,
    /// The code within sentences.
    code: Vec<String>,
    links: Vec<String>,
    /// The anchors of its headings.
    anchors: BTreeSet<String>,
}

fn parts(text: &str) -> Parts {
    let mut parts = Parts::default();
    let (mut heading, mut block): (Option<String>, Option<(String, String)>) = (None, None);
    let mut headings: BTreeMap<String, usize> = BTreeMap::new();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let language = match kind {
                    CodeBlockKind::Fenced(language) => language.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                block = Some((language, String::new()));
            }
            Event::End(TagEnd::CodeBlock) => parts.blocks.extend(block.take()),
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let anchor = anchor(&heading.take().unwrap());
                let count = headings.entry(anchor.clone()).or_default();
                parts.anchors.insert(match count {
                    0 => anchor,
                    _ => format!("{anchor}-{count}"),
                });
                *count += 1;
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                parts.links.push(dest_url.to_string());
            }
            Event::Text(text) => {
                if let Some((_, block)) = &mut block {
                    block.push_str(&text);
                } else if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::Code(code) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&code);
                }
                parts.code.push(code.to_string());
            }
            _ => {}
        }
    }
    parts
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars()
        .filter(|letter| letter.is_alphanumeric() || ['-', '_'].contains(letter))
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut linked = BTreeSet::new();
    for page in all_pages() {
        let here = repository().join(&page.path);
        for link in parts(&page.text).links {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => here.clone(),
                _ => here.parent().unwrap().join(file),
            };
            assert!(target.exists(), "{}: {link}", page.path);
            if page.path == "README.md" {
                linked.insert(file.to_owned());
            }
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(target).unwrap();
                assert!(
                    parts(&text).anchors.contains(anchor),
                    "{}: {link}",
                    page.path
                );
            }
        }
    }
    for topic in topics() {
        let path = format!("docs/{topic}.md");
        assert!(linked.contains(&path), "README.md does not name {path}");
    }
}

#[test]
fn anchors_are_those_of_github() {
    let text = "# The `host`, in short\n## Limits\n### What's *new*? (4.1)\n## Limits\n";
    let anchors = parts(text).anchors.into_iter().collect::<Vec<_>>();
    assert_eq!(
        anchors,
        ["limits", "limits-1", "the-host-in-short", "whats-new-41"]
    );
}

/// Holds a command line of a page against the program: it takes these arguments.
fn assert_is_taken(page: &Page, line: &str) {
    let words = shlex::split(line).expect(line);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
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
        ] => return,
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
fn the_readme_is_read_to_the_end_and_says_how_the_tests_are_run() {
    let readme = page("README.md").text;
    let lines = readme.lines().count();
    assert!(lines <= 250, "{lines} lines: a page of docs/ has room");
    let (_, contributing) = readme.split_once("## Contributing\n").unwrap();
    let (_, block) = contributing.split_once("```sh\n").unwrap();
    let tests = block.lines().next().unwrap();
    let gate = std::fs::read_to_string(repository().join(".ci/run")).unwrap();
    assert!(
        gate.lines().any(|line| line == tests),
        ".ci/run does not call `{tests}`"
    );
}

#[test]
fn every_page_is_a_topic_of_the_help() {
    let listed = contoso(&["help"]);
    let program = contoso(&["--help"]).stdout;
    assert!(listed.stdout.starts_with(&program), "{listed}");
    let (_, pages) = listed.stdout.split_once("\nPages").unwrap();
    for topic in topics() {
        let text = page(&format!("docs/{topic}.md")).text;
        let title = text.lines().next().unwrap().strip_prefix("# ").unwrap();
        let is_listed = |line: &str| {
            let listed = line.trim().split_once(' ');
            listed.is_some_and(|(name, rest)| name == topic && rest.trim() == title)
        };
        assert!(pages.lines().any(is_listed), "{topic}: {listed}");
        let shown = contoso(&["help", &topic]);
        let lines = text.lines().filter(|line| !line.starts_with("<!-- "));
        let lines: Vec<&str> = lines.collect();
        assert_eq!(shown.status, 0, "{shown}");
        assert!(
            shown
                .stdout
                .ends_with(&(without_revisions(&lines.join("\n")) + "\n")),
            "{shown}"
        );
    }
}

#[test]
fn a_page_follows_the_help_of_its_command() {
    let help = |arguments: &[&str]| -> Ran { contoso(arguments) };
    let of_command = help(&["what-if", "--help"]).stdout;
    let both = help(&["help", "what-if"]).stdout;
    let page = both.strip_prefix(&of_command).unwrap();
    assert!(page.starts_with("\n# "), "{page}");
    // Commands within others, and commands without a page.
    let of_command = help(&["role", "export", "--help"]).stdout;
    assert_eq!(help(&["help", "role", "export"]).stdout, of_command);
    for unknown in [
        &["help", "importer"][..],
        &["help", "importing", "it"],
        &["help", "role", "fly"],
    ] {
        let ran = help(unknown);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
        assert!(ran.stderr.contains("there is no help on"), "{ran}");
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
