//! Files that are no regular files, too many, or on a full disk.

use std::fs::File;

use super::TENANT;
use crate::tarbac::Tarbac;
use crate::world::device;

#[test]
fn a_folder_where_a_file_is_expected() {
    let folder = Tarbac::with(&[
        ("policies/a.cedar/x", ""),
        ("entities/b.json/x", ""),
        ("schema/c.cedarschema/x", ""),
    ]);
    insta::assert_snapshot!(folder.run(&["validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `policies/a.cedar`: it is a folder where a file is expected
    --- exit 2
    "#);
    insta::assert_snapshot!(folder.run(&["--policies", "entities/b.json", "--schema", "entities/b.json", "validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `entities/b.json`: it is a folder where a file is expected
    --- exit 2
    "#);
}

#[cfg(unix)]
#[test]
fn links_in_a_circle() {
    use std::os::unix::fs::symlink;
    let folder = Tarbac::with(&[("entities/a.json", "[]")]);
    symlink("../entities", folder.path("entities/again")).unwrap();
    insta::assert_snapshot!(folder.run(&["validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `entities/again`: the link leads back to `entities`
      help: remove the link, or let it lead elsewhere
    --- exit 2
    "#);
    symlink("self", folder.path("self")).unwrap();
    insta::assert_snapshot!(folder.run(&["--entities", "self", "validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `self`: Too many levels of symbolic links (os error 40)
    --- exit 2
    "#);
    symlink("nowhere.json", folder.path("dangling")).unwrap();
    insta::assert_snapshot!(folder.run(&["--entities", "dangling", "validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `dangling`: No such file or directory (os error 2)
    --- exit 2
    "#);
}

/// What should be a regular file, and is none.
#[cfg(unix)]
#[derive(Debug, Clone, Copy)]
enum Instead {
    Pipe,
    Zeros,
    Socket,
    Folder,
}

#[cfg(unix)]
impl Instead {
    const ALL: [Self; 4] = [Self::Pipe, Self::Zeros, Self::Socket, Self::Folder];

    fn put(self, path: &std::path::Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = std::fs::remove_file(path);
        match self {
            Self::Pipe => {
                let status = std::process::Command::new("mkfifo").arg(path).status();
                assert!(status.unwrap().success());
            }
            Self::Zeros => std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
            Self::Socket => drop(std::os::unix::net::UnixListener::bind(path).unwrap()),
            Self::Folder => std::fs::create_dir(path).unwrap(),
        }
    }
}

/// Whatever lies in the place of a file that is read: an error that names it, at once, and nothing is waited for.
#[cfg(unix)]
#[test]
fn every_reader_wants_a_regular_file() {
    const SUITE: &str =
        "suite: s\nsnapshot:\n  principals: all\n  actions: [Run script]\n  resources: all\n";
    // The file, and a command that reads it.
    let readers: &[(&str, &[&str])] = &[
        ("policies/custom/a.cedar", &["validate"]),
        ("policies/custom/links.json", &["validate"]),
        ("schema/custom/a.cedarschema", &["validate"]),
        ("entities/a.json", &["validate"]),
        ("tests/b.yaml", &["test"]),
        ("tests/a.snap", &["test"]),
        ("tests/a.snap", &["test", "--accept"]),
        ("tests/a.snap.new", &["test"]),
        ("tests/a.snap", &["review"]),
        ("tests/specs/a.cedar", &["prove"]),
        ("requests", &["check", "--requests", "requests"]),
        ("file", &["--policies", "file", "validate"]),
        ("file", &["--schema", "file", "validate"]),
        ("file", &["--entities", "file", "validate"]),
        ("file", &["fmt", "file"]),
        ("file", &["diff", "file"]),
        ("file", &["prove", "file"]),
        ("file", &["test", "--cedar", "file"]),
        (
            "exports/graph/users.json",
            &["import", "exports", "--out", "out"],
        ),
        (
            "exports/graph/groups.json",
            &["import", "exports", "--out", "out"],
        ),
    ];
    for (file, command) in readers {
        for instead in Instead::ALL {
            let is_folder = matches!(instead, Instead::Folder);
            // A folder may be named as well as a file, and one among exports is none of them.
            if is_folder && (command.contains(&"file") || file.starts_with("exports/")) {
                continue;
            }
            let tarbac = Tarbac::with_tenant(&[
                ("tests/a.yaml", SUITE),
                ("exports/tenant.json", TENANT),
                ("exports/graph/roleDefinitions.json", "[]"),
                ("exports/graph/roleAssignments.json", "[]"),
            ]);
            instead.put(&tarbac.path(file));
            let ran = tarbac.run_with(command, b"q\n");
            let says = |what: &str| ran.stderr.contains(what) || ran.stdout.contains(what);
            let is_named = file.rsplit('/').next().is_some_and(&says);
            let is_said = says("it is not a regular file")
                || is_folder && (says("folder") || says("directory"));
            assert!(
                ran.status == 2 && is_named && is_said,
                "{file} {instead:?} {command:?}: {ran}"
            );
        }
    }
}

/// There may be more files than a program may have open.
#[cfg(unix)]
#[test]
fn many_files_are_opened_one_after_the_other() {
    let tarbac = Tarbac::with_tenant(&[]);
    for number in 0..300 {
        tarbac.write(
            &format!("entities/more/{number}.json"),
            crate::world::entities(&[device(&format!("m{number}"), &format!("M-{number}"), "H")]),
        );
    }
    let mut command = std::process::Command::new("sh");
    let program = env!("CARGO_BIN_EXE_tarbac");
    let ran = command
        .args([
            "-c",
            "ulimit -n 64; exec \"$0\" check ana@t.example 'Run script' M-299",
            program,
        ])
        .current_dir(tarbac.path(""))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
}

/// Help and the version are answers like any other: whoever cannot have them is told.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_has_no_help() {
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["check", "--help"],
        &["man"],
        &["completions", "bash"],
        &["readings"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ran = crate::tarbac::command(&crate::tarbac::contoso_folder())
            .args(arguments)
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(said.starts_with("cannot write the answer: "), "{said}");
        // Whoever closes the pipe has seen enough.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = crate::tarbac::command(&crate::tarbac::contoso_folder())
            .args(arguments)
            .stdout(writer)
            .output()
            .unwrap();
        assert_eq!(
            (ran.status.code(), &*ran.stderr),
            (Some(2), &b""[..]),
            "{arguments:?}"
        );
    }
}

/// Where standard output is closed, the standard library would write the answer to `/dev/null`.
#[cfg(unix)]
#[test]
fn a_closed_output_has_no_answer() {
    let run = |line: &str| {
        std::process::Command::new("sh")
            .args(["-c", line, env!("CARGO_BIN_EXE_tarbac")])
            .current_dir(crate::tarbac::contoso_folder())
            .output()
            .unwrap()
    };
    for arguments in [
        "--help",
        "--version",
        "check --help",
        "check ada@contoso.example runScript WS-TST-001",
        "validate",
        "readings",
        "matrix --format json",
        "completions bash",
    ] {
        let ran = run(&format!("exec \"$0\" {arguments} >&-"));
        assert_eq!(ran.status.code(), Some(2), "{arguments} {ran:?}");
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(said, "cannot write the answer: standard output is closed\n");
        // Whoever wants no answer says so, whichever way the file is opened.
        for nowhere in ["> /dev/null", "<> /dev/null 1>&0"] {
            let ran = run(&format!("exec \"$0\" {arguments} {nowhere}"));
            assert_eq!(ran.status.code(), Some(0), "{arguments} {nowhere} {ran:?}");
        }
    }
}
