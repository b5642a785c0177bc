//! `tarbac init`: writes a sample workspace and never overwrites.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use tarbac::{render, shipped};

use super::output::Output;
use super::{Exit, Failure, ShellError};
use crate::cli::{Format, Global, Init};

/// How many files that are in the way are listed.
const LISTED: usize = 10;

pub fn run(global: &Global, arguments: &Init, output: &mut Output) -> Result<Exit, Failure> {
    let files: Vec<(PathBuf, String)> = shipped::workspace()
        .into_iter()
        .map(|file| (arguments.folder.join(&file.path), file.text))
        .collect();
    // A link that leads nowhere is in the way as well.
    let mut existing: Vec<String> = files
        .iter()
        .filter(|(path, _)| fs::symlink_metadata(path).is_ok())
        .map(|(path, _)| format!("  {}", path.display()))
        .collect();
    if !existing.is_empty() {
        let more = existing.len().saturating_sub(LISTED);
        existing.truncate(LISTED);
        if more > 0 {
            existing.push(format!("  and {more} more"));
        }
        return Err(ShellError::Arguments {
            message: format!(
                "nothing was written, because these files exist:\n{}",
                existing.join("\n")
            ),
            help: Some("choose another folder, or move the files away".to_owned()),
        }
        .into());
    }
    for (path, text) in &files {
        write(path, text)?;
    }
    if global.format == Format::Json {
        let names: Vec<String> = files
            .iter()
            .map(|(path, _)| path.display().to_string())
            .collect();
        output.write(&render::files::document(&names))?;
        return Ok(Exit::Yes);
    }
    let folder = arguments.folder.display();
    output.write(&format!(
        "Wrote {} files to {folder}.\n\nNext:\n  tarbac -C {folder} validate\n  tarbac -C {folder} matrix\n  tarbac -C {folder} test\n\n{folder}/README.md says whom and what to ask about.\n",
        files.len()
    ))?;
    Ok(Exit::Yes)
}

fn write(path: &Path, text: &str) -> Result<(), ShellError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| ShellError::file("make", folder, error))?;
    }
    // Whatever came into being since the look above is not overwritten either.
    fs::File::create_new(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| ShellError::file("write", path, error))
}
