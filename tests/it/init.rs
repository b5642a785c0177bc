//! `tarbac init`: a sample workspace that never overwrites.

use crate::rules_in_force::git;
use crate::solver::solver;
use crate::tarbac::{Tarbac, command};
use tarbac::record::{Pending, State, Step, digest};

#[test]
fn what_it_writes_is_valid_and_answers() {
    let folder = Tarbac::with(&[]);
    let ran = folder.run(&["init", "sample"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.contains("tarbac -C sample validate"), "{ran}");
    let ran = folder.run(&["-C", "sample", "validate", "--format", "json"]);
    assert_eq!(ran.status, 0, "{ran}");
    insta::assert_snapshot!(folder.run(&["-C", "sample", "check", "ada@contoso.example", "runScript", "WS-TST-001"]), @r#"
    ALLOW  roles.help-desk-operator
    --- exit 0
    "#);
}

#[test]
fn it_never_overwrites() {
    let folder = Tarbac::with(&[
        ("sample/policies/authority.cedar", "mine"),
        ("sample/notes.txt", "mine too"),
    ]);
    insta::assert_snapshot!(folder.run(&["init", "sample"]), @r#"
    --- stderr
    arguments::invalid

      × nothing was written, because these files exist:
      │   sample/policies/authority.cedar
      help: choose another folder, or move the files away
    --- exit 2
    "#);
    assert_eq!(folder.read("sample/policies/authority.cedar"), "mine");
    assert!(!folder.path("sample/schema").exists());
}

#[test]
fn other_files_are_not_in_the_way() {
    let folder = Tarbac::with(&[("sample/notes.txt", "mine")]);
    assert_eq!(folder.run(&["init", "sample"]).status, 0);
    assert_eq!(folder.read("sample/notes.txt"), "mine");
}

#[test]
fn without_the_sample_it_begins_a_repository_that_is_there() {
    let folder = Tarbac::with(&[
        ("README.md", "mine"),
        (".gitignore", "target"),
        (".git/HEAD", "ref: refs/heads/main"),
    ]);
    let ran = folder.run(&["init", "."]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("--bare"), "{ran}");
    let ran = folder.run(&["init", "--bare", "."]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(
        ran.stdout.contains("added to the existing .gitignore"),
        "{ran}"
    );
    assert_eq!(folder.read("README.md"), "mine");
    assert!(!folder.path("entities").exists());
    insta::assert_snapshot!(folder.read(".gitignore"), @r"
    target

    # What tarbac keeps beside a workspace, or leaves where it is stopped.
    .tarbac/
    .tarbac-*
    *.snap.new
    ");
    assert_eq!(folder.run(&["validate"]).status, 0);
    assert_eq!(folder.run(&["fmt", "--check"]).status, 0);
    // Twice is once too often.
    let ran = folder.run(&["init", "--bare", "."]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(!ran.stderr.contains("--bare"), "{ran}");
}

#[test]
fn a_gitignore_that_has_the_lines_stays_as_it_is() {
    let ignored = "*.snap.new\n.tarbac/\r\n.tarbac-*\n";
    let folder = Tarbac::with(&[("sample/.gitignore", ignored)]);
    assert_eq!(folder.run(&["init", "sample"]).status, 0);
    assert_eq!(folder.read("sample/.gitignore"), ignored);
    let folder = Tarbac::with(&[("elsewhere", "mine\n")]);
    std::fs::create_dir(folder.path("sample")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", folder.path("sample/.gitignore")).unwrap();
    let ran = folder.run(&["init", "sample"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.contains("*.snap.new"), "{ran}");
    assert_eq!(folder.read("elsewhere"), "mine\n");
}

#[test]
fn what_cannot_be_written_is_not_begun() {
    // A file where a folder is to be, below the folders that are looked at first.
    let folder = Tarbac::with(&[("sample/policies/roles", "mine")]);
    let ran = folder.run(&["init", "sample"]);
    assert_eq!(ran.status, 2, "{ran}");
    let left: Vec<_> = walkdir::WalkDir::new(folder.path("sample"))
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_file())
        .collect();
    assert_eq!(left, [folder.path("sample/policies/roles")]);
}

#[test]
fn an_import_into_it_takes_the_place_of_the_sample() {
    let folder = Tarbac::with(&[]);
    assert_eq!(folder.run(&["init", "sample"]).status, 0);
    let exports = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exports/fabrikam");
    let exports = exports.to_str().unwrap();
    let ran = folder.run(&["import", exports, "--out", "sample"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(
        !folder
            .read("sample/entities/tenants.json")
            .contains("contoso")
    );
    assert!(folder.path("sample/tests/roles.yaml").exists());
}

/// The steps of the workflow, without those that need GitHub.
#[test]
fn the_workflow_asks_what_a_pull_request_opens_and_installs_nothing_by_name() {
    let folder = Tarbac::with(&[]);
    assert_eq!(folder.run(&["init", "sample"]).status, 0);
    let workflow = folder.read("sample/.github/workflows/tarbac.yml");
    for needed in [
        "fetch-depth: 0",
        "tarbac diff \"refs/remotes/origin/$GITHUB_BASE_REF\"",
        "tarbac prove --compare \"refs/remotes/origin/$GITHUB_BASE_REF\" --allow-less",
        "--git \"$TARBAC_REPOSITORY\" --rev \"$TARBAC_REVISION\"",
    ] {
        assert!(workflow.contains(needed), "{needed}");
    }
    let mut texts = vec![workflow, folder.read("sample/README.md")];
    texts.extend(crate::readme::pages().into_iter().map(|page| page.text));
    for text in texts {
        let installs = text.lines().filter(|line| line.contains("cargo install"));
        for line in installs {
            assert!(line.contains("--path") || line.contains("--git"), "{line}");
        }
    }
}

/// Each line of the workflow that runs tarbac, as GitHub runs it.
#[test]
fn what_it_writes_passes_its_own_workflow() {
    let solver = solver("what_it_writes_passes_its_own_workflow");
    for (sample, more) in [("bare", Some("--bare")), ("whole", None)] {
        let folder = Tarbac::with(&[("summary.md", "")]);
        let init = ["init", sample].into_iter().chain(more);
        let ran = folder.run(&init.collect::<Vec<_>>());
        assert_eq!(ran.status, 0, "{ran}");
        git(&folder, &["init", "-q", "-b", "main", sample]);
        let root = ["-C", folder.path(sample).to_str().unwrap()].map(str::to_owned);
        let git = |arguments: &[&str]| {
            git(
                &folder,
                &[&[root[0].as_str(), &root[1]], arguments].concat(),
            )
        };
        git(&["add", "-A"]);
        git(&["commit", "-qm", "begun"]);
        git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
        let workflow = folder.read(&format!("{sample}/.github/workflows/tarbac.yml"));
        let lines = workflow
            .lines()
            .map(|line| line.trim().trim_start_matches("run: "));
        let lines: Vec<&str> = lines.filter(|line| line.starts_with("tarbac ")).collect();
        assert_eq!(lines.len(), 7, "{lines:?}");
        for line in lines {
            if line.starts_with("tarbac prove") && solver.is_none() {
                continue;
            }
            let program = command(&folder.path(sample));
            let line = line.replacen("tarbac", &program.get_program().to_string_lossy(), 1);
            let mut shell = std::process::Command::new("bash");
            let output = shell
                .args(["-euo", "pipefail", "-c", &line])
                .current_dir(folder.path(sample))
                .envs([("CI", "true"), ("GITHUB_BASE_REF", "main")])
                .env("GITHUB_STEP_SUMMARY", folder.path("summary.md"))
                .env("RUNNER_TEMP", folder.path(""))
                .env_remove("TARBAC_WORKSPACE")
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned()
                + &String::from_utf8_lossy(&output.stdout);
            assert_eq!(output.status.code(), Some(0), "{sample}: {line}\n{said}");
        }
        let diff: serde_json::Value = serde_json::from_str(&folder.read("diff.json")).unwrap();
        assert_eq!(diff["totals"]["gained"], 0, "{diff}");
    }
}

/// A snapshot of nobody is none, and what comes afterwards is to be looked at.
#[test]
fn a_snapshot_of_nobody_waits_for_data() {
    let folder = Tarbac::with(&[]);
    assert_eq!(folder.run(&["init", "--bare", "ws"]).status, 0);
    let test = |more: &[&str]| folder.run(&[&["-C", "ws", "test"], more].concat());
    for more in [&[][..], &["--accept"]] {
        let ran = test(more);
        assert_eq!(ran.status, 0, "{ran}");
        assert!(
            ran.stdout.contains("no people or no resources yet"),
            "{ran}"
        );
        assert!(!folder.path("ws/tests/everybody.snap").exists());
        assert!(!folder.path("ws/tests/everybody.snap.new").exists());
    }
    let exports = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exports/fabrikam");
    let ran = folder.run(&["import", exports.to_str().unwrap(), "--out", "ws"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert_eq!(test(&[]).status, 1);
    assert_eq!(test(&["--accept"]).status, 0);
    assert_eq!(test(&[]).status, 0);
    // Where the data are lost again, so is what the snapshot has.
    std::fs::remove_dir_all(folder.path("ws/entities")).unwrap();
    assert_eq!(test(&[]).status, 1);
    // Whoever names nobody has made a mistake.
    folder.write(
        "ws/tests/none.yaml",
        "suite: None\nsnapshot: { principals: [], actions: all, resources: all }\n",
    );
    let ran = test(&[]);
    assert_eq!(ran.status, 2, "{ran}");
}

/// The files of a workspace.
type Files = std::collections::BTreeMap<String, Vec<u8>>;

/// What `init` writes, and the record of it while it is under way.
fn made() -> (Files, State) {
    let whole = Tarbac::with(&[]);
    assert_eq!(whole.run(&["init", "ws"]).status, 0);
    let files = crate::import::files(&whole.path("ws"));
    let State::Settled(after) = State::read(&whole.read("ws/tarbac-files.json")).unwrap() else {
        panic!("something is under way");
    };
    let steps = written(&files).map(|(path, text)| Step {
        path: path.clone(),
        before: None,
        after: Some(digest(std::str::from_utf8(text).unwrap())),
    });
    let pending = State::Pending(Pending {
        before: None,
        steps: steps.collect(),
        after,
    });
    (files, pending)
}

/// The files without the record of them.
fn written(files: &Files) -> impl Iterator<Item = (&String, &Vec<u8>)> {
    files
        .iter()
        .filter(|(path, _)| path.as_str() != "tarbac-files.json")
}

/// A folder as a program leaves it that is killed while it writes a workspace: the files written aside, and so
/// many of them in their places.
fn killed(files: &Files, done: usize) -> Tarbac {
    let killed = Tarbac::with(&[]);
    for (number, (path, text)) in written(files).enumerate() {
        let aside = if number < done {
            ""
        } else {
            ".tarbac-import/new/"
        };
        killed.write(&format!("ws/{aside}{path}"), text);
    }
    killed
}

#[test]
fn what_is_killed_is_finished_and_told_by_the_next_command() {
    let (files, pending) = made();
    let count = written(&files).count();
    let check = ["check", "ada@contoso.example", "runScript", "WS-TST-001"];
    for (command, done, status) in [
        ([&["-C", "ws"], &check[..]].concat(), 0, 0),
        (vec!["-C", "ws", "validate"], count / 2, 0),
        // Where all of it is there, nothing is begun again.
        (vec!["init", "ws"], count - 1, 2),
    ] {
        let killed = killed(&files, done);
        killed.write("ws/tarbac-files.json", pending.text().unwrap());
        let ran = killed.run(&command);
        assert_eq!(ran.status, status, "{ran}");
        let told = "a change that was stopped was finished: `";
        assert_eq!(ran.to_string().matches(told).count(), 1, "{ran}");
        assert!(crate::import::files(&killed.path("ws")) == files, "{ran}");
    }
}

/// Without the record of what is to become of them, nothing of them counts.
#[test]
fn what_is_killed_before_anything_is_decided_is_begun_again() {
    let (files, _) = made();
    let killed = killed(&files, 0);
    killed.write("ws/.tarbac-import/lock", "");
    let ran = killed.run(&["init", "ws"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran}");
    assert!(crate::import::files(&killed.path("ws")) == files);
}
