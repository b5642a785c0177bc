//! The first files of a new workspace, among them the sample tenant.

use std::path::Path;

use tarbac_host::bundle::TextFile;

use crate::product;

/// The workflow of GitHub that checks a workspace.
const WORKFLOW: &str = ".github/workflows/tarbac.yml";

/// The JSON Schema of suites, for editors.
const SUITE_SCHEMA: &str = "tests/suite.schema.json";

/// A suite that fits every tenant: a snapshot of one member of each class.
const FIRST_SUITE: &str = "\
# yaml-language-server: $schema=suite.schema.json
# One of each kind of people and devices that the policies can tell apart. `tarbac test --accept` keeps the
# table in everybody.snap: look at it first.
suite: Everybody on everything
snapshot: { principals: classes, actions: all, resources: classes }
";

/// A whole workspace: the rules and the sample tenant, sorted by path.
pub(crate) fn sample_files() -> Vec<TextFile> {
    with_rules(product::sample())
}

/// The rules, a suite whose snapshot is to be accepted, and a workflow; sorted by path.
pub(crate) fn bare_files() -> Vec<TextFile> {
    with_rules(without_rules())
}

/// The first files of a repository, without rules and data: a suite and a workflow.
pub(crate) fn without_rules() -> Vec<TextFile> {
    let mut files = product::sample();
    files.retain(|file| [WORKFLOW, SUITE_SCHEMA].contains(&file.path.as_str()));
    files.push(TextFile {
        path: "tests/everybody.yaml".to_owned(),
        text: FIRST_SUITE.to_owned(),
    });
    files
}

fn with_rules(mut files: Vec<TextFile>) -> Vec<TextFile> {
    files.extend_from_slice(product::rules().files());
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// What is left to do about the workflow of a new workspace in this folder.
pub(crate) fn about_workflow(folder: &Path) -> String {
    let mut text = format!(
        "\n{WORKFLOW} needs to know where tarbac comes from: fill in TARBAC_REPOSITORY at its top.\n"
    );
    if is_below_a_root(folder) {
        let folder = folder.display();
        text += &format!(
            "GitHub reads it in the root of a repository only, which {folder} is not: move it there, and give its commands -C.\n"
        );
    }
    text
}

/// Whether a folder is in a repository of git, and not its root.
fn is_below_a_root(folder: &Path) -> bool {
    let is_root = |folder: &Path| folder.join(".git").exists();
    folder
        .canonicalize()
        .is_ok_and(|folder| !is_root(&folder) && folder.ancestors().any(is_root))
}

/// Whether the workflow is among these files.
pub(crate) fn has_workflow(added: &[String]) -> bool {
    added.iter().any(|path| path == WORKFLOW)
}

/// The lines of a `.gitignore` of a workspace.
pub(crate) const IGNORED: [&str; 3] = [".tarbac/", ".tarbac-*", "*.snap.new"];

/// The `.gitignore` of a workspace: the lines of `before`, and the missing lines of [`IGNORED`].
pub(crate) fn gitignore(before: &str) -> String {
    let missing = IGNORED
        .into_iter()
        .filter(|line| !before.lines().any(|known| known.trim() == *line));
    let missing: Vec<&str> = missing.collect();
    let mut text = before.to_owned();
    if missing.is_empty() {
        return text;
    }
    if !text.is_empty() {
        text += match text.ends_with('\n') {
            true => "\n",
            false => "\n\n",
        };
    }
    text += "# What tarbac keeps beside a workspace, or leaves where it is stopped.\n";
    for line in missing {
        text += &format!("{line}\n");
    }
    text
}
