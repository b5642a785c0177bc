//! The report of an import.

mod catalog;
mod script;

use std::path::Path;

use jiff::Unit;
use schemars::JsonSchema;
use serde::Serialize;
use tarbac_host::lookup::visible;
use tarbac_host::record::{KeptFile, KeptReason, Refresh};
use tarbac_tenant::import::{CollectionAge, ImportReport, Matter};

use super::{Style, VERSION, json};
use crate::schema;
use crate::words::of_number;

pub use catalog::{CATALOG_SCHEMA, catalog, catalog_document, catalog_markdown};
pub use script::script;

/// The most names of a note, unless all are wanted.
const LISTED: usize = 5;

/// The changes of an import to a workspace.
pub struct ImportChanges<'a> {
    /// The files that are added, changed, removed, kept, or in conflict.
    pub refresh: &'a Refresh,
    /// Whether the import was a dry run, so that nothing was written.
    pub is_tried: bool,
    /// Whether something is in the way of writing.
    pub is_refused: bool,
}

/// The numbers of imported objects, the files, and the notes.
pub fn human(
    report: &ImportReport,
    change: &ImportChanges<'_>,
    out: &Path,
    all: bool,
    style: Style,
) -> String {
    let what = match (change.is_tried, change.is_refused) {
        (false, _) => style.green("imported"),
        (true, false) => style.green("nothing was written; this would be imported into"),
        (true, true) => style.red("nothing was written, and nothing would be, into"),
    };
    let mut text = format!("{what} {}\n", out.display());
    for (what, count) in &report.counts {
        let what = of_number(*count as u64, what);
        text += &format!("{count:>12} {what}\n");
    }
    if let Some(CollectionAge { started_at, age }) = &report.collection {
        let rounded = age.round(Unit::Minute).unwrap_or(*age);
        text += &match age.is_negative() {
            false => format!("collected since {started_at}, {rounded:#} ago\n"),
            true => format!("collected since {started_at}, which is not yet: a clock is wrong\n"),
        };
    }
    let (files, mut is_cut) = files(change, all);
    text += &files;
    let mut matter = None;
    for note in &report.notes {
        if matter != Some(note.topic.matter) {
            matter = Some(note.topic.matter);
            text += &format!("\n{}\n", heading(note.topic.matter));
        }
        let code = style.yellow(note.topic.code);
        text += &format!("\n{code} ({}): {}\n", note.names.len(), note.topic.message);
        let names: Vec<String> = note.names.iter().map(|name| visible(name)).collect();
        is_cut |= list(&mut text, &names, all);
        text += &format!("  help: {}\n", note.topic.help);
    }
    if is_cut {
        text += "\n--all lists every name.\n";
    }
    if change.is_tried {
        return text;
    }
    text += &format!(
        "\nNext:\n  tarbac -C {0} validate\n  tarbac -C {0} matrix\n",
        out.display()
    );
    if change
        .refresh
        .added
        .iter()
        .any(|path| path == "tests/everybody.yaml")
    {
        text += &format!("  tarbac -C {} test --accept\n", out.display());
    }
    text
}

/// Adds a line for each of the first names, or with `all` for each; returns whether some are left out.
fn list(text: &mut String, names: &[String], all: bool) -> bool {
    let listed = if all { names.len() } else { LISTED };
    for name in names.iter().take(listed) {
        *text += &format!("  {name}\n");
    }
    let more = names.len().saturating_sub(listed);
    if more > 0 {
        *text += &format!("  and {more} more\n");
    }
    more > 0
}

/// The added, changed, removed and kept files; and whether some are left out.
fn files(change: &ImportChanges<'_>, all: bool) -> (String, bool) {
    let Refresh {
        added,
        changed,
        removed,
        unchanged,
        kept,
        conflicts,
        lost,
        ..
    } = change.refresh;
    let plain = |paths: &[String]| paths.iter().map(|path| visible(path)).collect();
    let with_reason = |kept: &[KeptFile]| {
        let line = |kept: &KeptFile| format!("{}: {}", visible(&kept.path), why(kept.why));
        kept.iter().map(line).collect()
    };
    let lists: [(&str, Vec<String>); 5] = [
        ("In the way", with_reason(conflicts)),
        ("Added", plain(added)),
        ("Changed", plain(changed)),
        ("Removed", plain(removed)),
        ("Kept", with_reason(kept)),
    ];
    let mut text = String::new();
    let mut is_cut = false;
    if !lost.is_empty() {
        let lines: Vec<String> = lost.iter().map(|lost| self::lost(lost)).collect();
        text += match change.is_refused {
            true => "\nMissing exports, whose data in the workspace would be removed:\n",
            false => "\nMissing exports, whose data in the workspace are removed:\n",
        };
        is_cut |= list(&mut text, &lines, all);
    }
    // In a new workspace every file is added.
    if changed.len() + unchanged + kept.len() + conflicts.len() == 0 {
        return (text, is_cut);
    }
    for (what, files) in lists.into_iter().filter(|(_, files)| !files.is_empty()) {
        let count = super::words::counted(files.len(), "file");
        text += &format!("\n{what}: {count}\n");
        is_cut |= list(&mut text, &files, all);
    }
    if added.is_empty() && changed.is_empty() && removed.is_empty() {
        text += "\nNo file changes.\n";
    }
    (text, is_cut)
}

/// A lost export, or a file of entities that would become empty.
pub fn lost(lost: &str) -> String {
    let lost = visible(lost);
    match lost.starts_with("entities/") {
        true => format!("{lost}: the exports have no data for it"),
        false => lost,
    }
}

/// The reason why a file is kept or in conflict.
pub fn why(why: KeptReason) -> &'static str {
    match why {
        KeptReason::Changed => "changed by hand",
        KeptReason::ChangedAndShipped => "changed by hand; what ships is another text by now",
        KeptReason::Removed => "removed by hand",
        KeptReason::ChangedAndGone => "changed by hand; the exports have it no more",
        KeptReason::MayBeRenamed => {
            "changed or removed by hand; a role that is new or has changed may be this one under another name, and give back what was taken away"
        }
        KeptReason::NotAsShipped => "not as it ships, and no record says who changed it",
        KeptReason::NotWritten => "no import wrote it",
        KeptReason::NoFile => "no regular file, or behind a link",
    }
}

fn heading(matter: Matter) -> &'static str {
    match matter {
        Matter::Unjoined => "Not joined: records that do not fit together. They give nothing.",
        Matter::Assumed => {
            "Assumed, because the exports do not say it. Unless a note says otherwise, the assumed value lets the shipped rules\npermit less; where rules of your own would permit more by it, nothing is decided."
        }
        Matter::Notable => "To look at, as exported.",
    }
}

/// The JSON Schema of an import.
pub const SCHEMA: fn() -> String = schema::text::<Document<'static>>;

#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    version: u32,
    workspace: String,
    counts: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collection: Option<Collection>,
    files: Files<'a>,
    notes: Vec<Note<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Collection {
    started_at: String,
    age_in_seconds: i64,
}

#[derive(Serialize, JsonSchema)]
struct Files<'a> {
    written: bool,
    added: &'a [String],
    changed: &'a [String],
    removed: &'a [String],
    unchanged: usize,
    kept: Vec<File<'a>>,
    conflicts: Vec<File<'a>>,
    lost: &'a [String],
}

#[derive(Serialize, JsonSchema)]
struct File<'a> {
    file: &'a str,
    why: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct Note<'a> {
    code: &'a str,
    matter: &'a str,
    message: &'a str,
    help: &'a str,
    count: usize,
    names: &'a [String],
}

/// The report with every name, as JSON.
pub fn document(report: &ImportReport, change: &ImportChanges<'_>, out: &Path) -> String {
    let counts = report.counts.iter();
    let Refresh {
        added,
        changed,
        removed,
        unchanged,
        kept,
        conflicts,
        lost,
        ..
    } = change.refresh;
    json(&Document {
        version: VERSION,
        workspace: out.display().to_string(),
        counts: counts
            .map(|(what, count)| {
                let key = of_number(2, what).replace([' ', '-'], "_");
                (key, (*count).into())
            })
            .collect(),
        collection: report.collection.as_ref().map(|of| Collection {
            started_at: of.started_at.to_string(),
            age_in_seconds: of.age.as_secs(),
        }),
        files: Files {
            written: !change.is_tried,
            added,
            changed,
            removed,
            unchanged: *unchanged,
            kept: kept.iter().map(file).collect(),
            conflicts: conflicts.iter().map(file).collect(),
            lost,
        },
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

fn file(kept: &KeptFile) -> File<'_> {
    File {
        file: &kept.path,
        why: why(kept.why),
    }
}
