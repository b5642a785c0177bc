//! Runs the program in a folder of its own, with nothing of the environment.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::world::{entities, tenant};

/// A folder with a workspace in it.
pub struct Tarbac {
    folder: tempfile::TempDir,
}

/// What a run of the program came to.
pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Tarbac {
    /// A folder with these files.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let tarbac = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for (path, text) in files {
            tarbac.write(path, text);
        }
        tarbac
    }

    /// A workspace with a small tenant and these files.
    pub fn with_tenant(files: &[(&str, &str)]) -> Self {
        let tarbac = Self::with(files);
        tarbac.write("entities/tenant.json", entities(&tenant()));
        tarbac
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    /// Runs the program in the folder.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        run(self.folder.path(), arguments, b"")
    }

    /// Runs the program with something on its standard input.
    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ran {
        run(self.folder.path(), arguments, input)
    }
}

/// Runs the program on the sample tenant.
pub fn contoso(arguments: &[&str]) -> Ran {
    contoso_with(arguments, b"")
}

/// Runs the program on the sample tenant with something on its standard input.
pub fn contoso_with(arguments: &[&str], input: &[u8]) -> Ran {
    run(&contoso_folder(), arguments, input)
}

pub fn contoso_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contoso")
}

/// The program, in a folder and with nothing of the environment.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tarbac"));
    command.current_dir(folder).env_clear();
    command
}

fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = command(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let Output {
        status,
        stdout,
        stderr,
    } = std::thread::scope(|scope| {
        // The program may end without having read everything.
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().unwrap()
    });
    let folder = folder.to_str().unwrap();
    let text = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        without_revisions(&text.replace(folder, "[folder]"))
    };
    Ran {
        status: status.code().expect("a status, not a signal"),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

/// The text with `…` for every revision, which is another whenever a policy that ships is.
pub fn without_revisions(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("revision") {
        let (before, after) = rest.split_at(at + "revision".len());
        kept.push_str(before);
        let start = after.find(|of: char| of.is_ascii_hexdigit());
        let start = start.unwrap_or(after.len()).min(after.len());
        let hex = after[start..].bytes().take_while(u8::is_ascii_hexdigit);
        // A narrow terminal has a part of it.
        rest = match hex.count() {
            of @ (64 | 12) if after[..start].trim_matches(['"', ':', ' ']).is_empty() => {
                kept.push_str(&after[..start]);
                kept.push('…');
                &after[start + of..]
            }
            _ => after,
        };
    }
    kept + rest
}

impl fmt::Display for Ran {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.stdout)?;
        if !self.stderr.is_empty() {
            write!(formatter, "--- stderr\n{}", self.stderr)?;
        }
        write!(formatter, "--- exit {}", self.status)
    }
}

/// A copy of the sample tenant.
pub fn sample() -> Tarbac {
    let workspace = Tarbac::with(&[]);
    for part in ["entities", "policies"] {
        copy(&contoso_folder().join(part), &workspace.path(part));
    }
    workspace
}

pub fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}
