//! The README and the pages of the documentation: their blocks are run or checked, their links lead somewhere.
//!
//! With `TARBAC_UPDATE_README=1` the console blocks and tables are rewritten instead of compared.

mod blocks;
mod links;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use tarbac::bundle::{self, Policy};
use tarbac::code::{self, Code};
use tarbac::shipped;

use crate::tarbac::{Ran, contoso, without_revisions};

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
    let pages = names.filter(|name| !name.ends_with(".png"));
    pages
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
fn the_readme_is_read_to_the_end_and_says_how_the_tests_are_run() {
    let readme = page("README.md").text;
    let lines = readme.lines().count();
    assert!(lines <= 250, "{lines} lines: a page of docs/ has room");
    let (_, contributing) = readme.split_once("## Contributing\n").unwrap();
    let (_, block) = contributing.split_once("```sh\n").unwrap();
    let tests = block.lines().next().unwrap();
    let gate = std::fs::read_to_string(repository().join(".ci/run")).unwrap();
    assert!(
        gate.lines().any(|line| line == format!("timed {tests}")),
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
