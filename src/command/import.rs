//! `tarbac import`: makes a workspace of the exports of a live tenant.

use std::fs::{self, File};
use std::io::{BufWriter, Read};
use std::path::Path;

use tarbac::import::{Imported, Report};
use tarbac::workspace::examine;
use tarbac::{Engine, Layout, Switches, assembly, import, render, shipped};

use super::folder::NewFolder;
use super::output::{Output, bytes, waiting};
use super::{Exit, Failure, ShellError, exports_in};
use crate::cli::{Format, Global, Import};

/// What an import writes of a workspace; everything else in its folder is somebody else's.
const PARTS: [&str; 3] = ["entities", "policies", "schema"];

pub fn run(global: &Global, arguments: &Import, output: &mut Output) -> Result<Exit, Failure> {
    let (Some(exports), Some(out)) = (&arguments.exports, &arguments.out) else {
        output.write(&match global.format {
            _ if arguments.script => render::import::script(),
            Format::Json => render::import::catalog_document(),
            Format::Markdown => render::import::catalog_markdown(),
            _ => render::import::catalog(),
        })?;
        return Ok(Exit::Yes);
    };
    let is_there = look(out, arguments.force)?;
    let imported = read(exports, &shipped_engine()?)?;
    let report = write(imported, out, is_there)?;
    output.write(&match global.format {
        Format::Json => render::import::document(&report, out),
        _ => render::import::human(&report, out, arguments.all, output.style()),
    })?;
    Ok(Exit::Yes)
}

/// Whether there is a workspace to replace; anything else in the way is left alone.
fn look(out: &Path, may_replace: bool) -> Result<bool, Failure> {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    if let (Ok(here), Ok(out)) = (here, out.canonicalize())
        && here.starts_with(&out)
    {
        return Err(ShellError::Arguments {
            message: "nothing was imported: the folder of --out is replaced as a whole, and it is this one"
                .to_owned(),
            help: Some("run the command from outside of it".to_owned()),
        }
        .into());
    }
    let refuse = |why: &str, help: &str| -> Result<bool, Failure> {
        Err(ShellError::Arguments {
            message: format!("nothing was imported, because `{}` {why}", out.display()),
            help: Some(help.to_owned()),
        }
        .into())
    };
    let Ok(mut entries) = fs::read_dir(out) else {
        return match fs::symlink_metadata(out) {
            Ok(_) => refuse("is no folder", "choose another one with --out"),
            Err(_) => Ok(false),
        };
    };
    if entries.next().is_none() {
        return Ok(false);
    }
    if !out.join("entities").is_dir() {
        return refuse(
            "is there and is no workspace",
            "choose another folder with --out",
        );
    }
    match may_replace {
        true => Ok(true),
        false => refuse(
            "is there",
            "choose another folder with --out, or replace its entities, policies and schema with --force",
        ),
    }
}

/// The policies and the schema that ship, without anybody in sight.
fn shipped_engine() -> Result<Engine, Failure> {
    let examination = assembly::examine(&shipped::texts(), Vec::new(), &Switches::default())?;
    let so = "The policies that ship have errors.";
    examination
        .engine
        .ok_or(Failure::Invalid(examination.findings, so))
}

fn read(exports: &Path, shipped: &Engine) -> Result<Imported, Failure> {
    let bar = bytes("reading");
    let wrap = |file: File| Box::new(bar.wrap_read(file)) as Box<dyn Read + Send>;
    let files = exports_in(exports, wrap)?;
    bar.set_length(files.size().unwrap_or_default());
    let imported = import::import(&files, shipped);
    bar.finish_and_clear();
    Ok(imported?)
}

/// Writes the workspace, and puts it into its place if it has no errors.
fn write(imported: Imported, out: &Path, is_there: bool) -> Result<Report, Failure> {
    let folder = NewFolder::at(out)?;
    let bar = waiting("writing");
    let create = |path: &str| {
        bar.set_message(format!("writing {path}"));
        let file = bar.wrap_write(folder.create(path)?);
        Ok(BufWriter::with_capacity(1 << 18, file))
    };
    imported
        .write(create)
        .map_err(|error| ShellError::file("write into", out, error))?;
    let report = imported.into_report();
    bar.set_message("validating");
    let examination = examine(&Layout::of(folder.path()), &Switches::default())?;
    bar.finish_and_clear();
    if examination.engine.is_none() {
        let so = "The exports make a workspace with errors, so it was not written.";
        return Err(Failure::Invalid(examination.findings, so));
    }
    match is_there {
        true => folder.replace(&PARTS)?,
        false => folder.put()?,
    }
    Ok(report)
}
