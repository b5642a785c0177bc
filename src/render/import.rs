//! What an import has to say, and what an export consists of.

use std::path::Path;

use serde::Serialize;

use super::{Style, VERSION, json};
use crate::export::catalog::{EXPORTS, Export};
use crate::import::{Matter, Report};
use crate::names::visible;

/// How many names of a note are listed.
const LISTED: usize = 5;

/// What was imported, and what somebody should know about it.
pub fn human(report: &Report, out: &Path, all: bool, style: Style) -> String {
    let mut text = format!("{} {}\n", style.green("imported"), out.display());
    for (what, count) in &report.counts {
        text += &format!("{count:>12} {what}\n");
    }
    let mut matter = None;
    let mut is_cut = false;
    for note in &report.notes {
        if matter != Some(note.topic.matter) {
            matter = Some(note.topic.matter);
            text += &format!("\n{}\n", heading(note.topic.matter));
        }
        let code = style.yellow(note.topic.code);
        text += &format!("\n{code} ({}): {}\n", note.names.len(), note.topic.message);
        let listed = match all {
            true => note.names.len(),
            false => LISTED,
        };
        for name in note.names.iter().take(listed) {
            text += &format!("  {}\n", visible(name));
        }
        let more = note.names.len().saturating_sub(listed);
        if more > 0 {
            is_cut = true;
            text += &format!("  and {more} more\n");
        }
        text += &format!("  help: {}\n", note.topic.help);
    }
    if is_cut {
        text += "\n--all lists every name.\n";
    }
    text + &format!(
        "\nNext:\n  tarbac -C {0} validate\n  tarbac -C {0} matrix\n",
        out.display()
    )
}

fn heading(matter: Matter) -> &'static str {
    match matter {
        Matter::Unjoined => {
            "Not joined: exports that do not fit together. What hangs on it gives nothing."
        }
        Matter::Assumed => {
            "Assumed: the exports do not say it, and the value that permits less was taken."
        }
        Matter::Notable => "To look at: it is as the exports have it.",
    }
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    workspace: String,
    counts: serde_json::Map<String, serde_json::Value>,
    notes: Vec<Note<'a>>,
}

#[derive(Serialize)]
struct Note<'a> {
    code: &'a str,
    matter: &'a str,
    message: &'a str,
    help: &'a str,
    count: usize,
    names: &'a [String],
}

/// The same with every name, as JSON.
pub fn document(report: &Report, out: &Path) -> String {
    let counts = report.counts.iter();
    json(&Document {
        version: VERSION,
        workspace: out.display().to_string(),
        counts: counts
            .map(|(what, count)| (what.replace([' ', '-'], "_"), (*count).into()))
            .collect(),
        notes: report
            .notes
            .iter()
            .map(|note| Note {
                code: note.topic.code,
                matter: match note.topic.matter {
                    Matter::Unjoined => "unjoined",
                    Matter::Assumed => "assumed",
                    Matter::Notable => "notable",
                },
                message: note.topic.message,
                help: note.topic.help,
                count: note.names.len(),
                names: &note.names,
            })
            .collect(),
    })
}

/// The files of an export, and the call that gives each.
pub fn catalog() -> String {
    let mut text = "\
Make the folders first (PowerShell: mkdir graph, configmgr/<site>); <id> is the id of each object, <site> the
site code of a hierarchy, <provider> the host of its SMS Provider.

"
    .to_owned();
    for Export {
        file,
        purpose,
        call,
        powershell,
        ..
    } in &EXPORTS
    {
        text += &format!("{file}\n    {purpose}\n    {call}\n");
        if !powershell.is_empty() {
            text += &format!("    {powershell}\n");
        }
        text += "\n";
    }
    text + "\
Each file can come in pages: NAME.json, NAME-2.json and so on, as long as an answer has an
@odata.nextLink. JSON or one record a line (NAME.ndjson), plain or gzip (NAME.json.gz), UTF-8 or UTF-16.
"
}

/// The same as a table in Markdown, without the lines of PowerShell.
pub fn catalog_markdown() -> String {
    let mut text = "| file | what for | from |\n|---|---|---|\n".to_owned();
    for Export {
        file,
        purpose,
        call,
        ..
    } in &EXPORTS
    {
        text += &format!("| `{file}` | {purpose} | `{call}` |\n");
    }
    text
}

#[derive(Serialize)]
struct CatalogDocument {
    version: u32,
    files: Vec<CatalogEntry>,
}

#[derive(Serialize)]
struct CatalogEntry {
    file: &'static str,
    purpose: &'static str,
    call: &'static str,
    powershell: Option<&'static str>,
}

/// The same as JSON.
pub fn catalog_document() -> String {
    json(&CatalogDocument {
        version: VERSION,
        files: EXPORTS
            .iter()
            .map(|export| CatalogEntry {
                file: export.file,
                purpose: export.purpose,
                call: export.call,
                powershell: Some(export.powershell).filter(|line| !line.is_empty()),
            })
            .collect(),
    })
}
