//! `tarbac fmt`: Cedar's formatter over policy files.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tarbac::bundle;
use tarbac::render;
use tarbac::source::Source;
use tarbac::workspace::{policy_files, spec_files};

use super::output::{self, Output};
use super::{Exit, Failure, ShellError, file, layout};
use crate::cli::{Fmt, Format, Global};

pub fn run(global: &Global, arguments: &Fmt, output: &mut Output) -> Result<Exit, Failure> {
    let mut layout = layout(global);
    match arguments.paths.as_slice() {
        [] => {}
        [path] if path.as_os_str() == "-" => return format_input(arguments.check, output),
        paths => layout.policies = paths.to_vec(),
    }
    let mut files = policy_files(&layout)?;
    if arguments.paths.is_empty() {
        files.extend(spec_files(&layout, &[])?);
    }
    // Everything is formatted before anything is written: one file that is no policy stops all.
    let mut changed: Vec<(PathBuf, Arc<Source>, String)> = Vec::new();
    let mut findings = Vec::new();
    for (path, source) in files {
        match bundle::formatted(&source) {
            Ok(text) if text == source.text() => {}
            Ok(text) => changed.push((path, source, text)),
            Err(finding) => findings.push(finding),
        }
    }
    if !findings.is_empty() {
        return Err(Failure::Invalid(findings, "Nothing was written."));
    }
    for (path, source, text) in &changed {
        if arguments.check {
            continue;
        }
        file::replace(path, text).map_err(|error| ShellError::file("write", path, error))?;
        output::note(&format!("formatted {}\n", source.name));
    }
    let names: Vec<String> = changed
        .iter()
        .map(|(_, source, _)| source.name.clone())
        .collect();
    if global.format == Format::Json {
        output.write(&render::files::document(&names))?;
    } else if arguments.check {
        for name in &names {
            output.write(&format!("{name}\n"))?;
        }
    }
    Ok(match arguments.check && !changed.is_empty() {
        true => Exit::No,
        false => Exit::Yes,
    })
}

fn format_input(check: bool, output: &mut Output) -> Result<Exit, Failure> {
    let mut text = String::new();
    io::stdin()
        .lock()
        .take(16 * 1024 * 1024)
        .read_to_string(&mut text)
        .map_err(|error| ShellError::file("read", Path::new("standard input"), error))?;
    let source = Source::held(
        "standard input",
        text.trim_start_matches('\u{feff}').replace("\r\n", "\n"),
    );
    let formatted = bundle::formatted(&source)
        .map_err(|finding| Failure::Invalid(vec![finding], "Nothing was written."))?;
    if !check {
        output.write(&formatted)?;
        return Ok(Exit::Yes);
    }
    match formatted == source.text() {
        true => Ok(Exit::Yes),
        false => {
            output.write("standard input\n")?;
            Ok(Exit::No)
        }
    }
}
