//! Completions for shells: readings, and the names of the workspace.
//!
//! Nothing is printed. A workspace with errors, or one that takes long to read, offers nothing.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use cedar_policy::EntityUid;
use clap::CommandFactory;
use clap_complete::engine::CompletionCandidate;
use tarbac_analysis::change::what_if;
use tarbac_host::lookup::{Lookup, RequestPart};
use tarbac_host::workspace::LoadOptions;
use tarbac_host::{Engine, Layout, Switches, Workspace, roles};
use walkdir::WalkDir;

use super::help;
use crate::arguments::Arguments;
use crate::product;

/// The largest size of the files of entities that are read, in bytes.
const QUICK: u64 = 32 * 1024 * 1024;

/// The most names that are offered.
const OFFERED: usize = 200;

/// The readings of the workspace.
pub(crate) fn readings(typed: &OsStr) -> Vec<CompletionCandidate> {
    offered(typed, |engine| {
        let readings = engine.bundle().readings().iter();
        let named = readings.map(|reading| (reading.name.clone(), Some(reading.doc.clone())));
        named.collect()
    })
}

/// The commands and the pages of the documentation.
pub(crate) fn topics(typed: &OsStr) -> Vec<CompletionCandidate> {
    let command = Arguments::command();
    let commands = command.get_subcommands().map(|command| {
        let about = command.get_about().map(ToString::to_string);
        (command.get_name().to_owned(), about)
    });
    let mut topics: BTreeMap<_, _> = help::pages()
        .into_iter()
        .map(|page| (page.topic, Some(page.title)))
        .collect();
    topics.extend(commands);
    let typed = typed.to_str().unwrap_or_default();
    let topics = topics
        .into_iter()
        .filter(|(name, _)| name.starts_with(typed));
    topics
        .map(|(name, about)| CompletionCandidate::new(name).help(about.map(Into::into)))
        .collect()
}

/// The ids of the permissions, with their documented names.
pub(crate) fn actions(typed: &OsStr) -> Vec<CompletionCandidate> {
    offered(typed, |engine| {
        let permissions = engine.bundle().vocabulary().permissions();
        let named =
            permissions.map(|action| (action.id().to_owned(), Some(action.name().to_owned())));
        named.collect()
    })
}

/// The principals of the workspace.
pub(crate) fn principals(typed: &OsStr) -> Vec<CompletionCandidate> {
    offered(typed, |engine| {
        let names = Lookup::new(engine);
        called(&names, names.all(RequestPart::Principal))
    })
}

/// The resources of the workspace.
pub(crate) fn resources(typed: &OsStr) -> Vec<CompletionCandidate> {
    offered(typed, |engine| {
        let names = Lookup::new(engine);
        called(&names, names.all(RequestPart::Resource))
    })
}

/// The roles.
pub(crate) fn roles(typed: &OsStr) -> Vec<CompletionCandidate> {
    offered(typed, |engine| {
        let role_type = roles::role_type(engine.bundle().vocabulary());
        let names = Lookup::new(engine);
        role_type.map_or_else(Vec::new, |role_type| {
            called(&names, names.all_of_type(&role_type))
        })
    })
}

/// The values of the flag of a setting, such as `P01=off`.
pub(crate) fn settings(flag: &'static str) -> impl Fn(&OsStr) -> Vec<CompletionCandidate> {
    move |typed| {
        offered(typed, |engine| {
            let settings = what_if::settings(engine, flag).into_iter();
            settings.map(|setting| (setting, None)).collect()
        })
    }
}

/// People and groups that can be assigned a role, with an equals sign; after the sign, the roles.
pub(crate) fn holdings(typed: &OsStr) -> Vec<CompletionCandidate> {
    let who = typed.to_str().and_then(|typed| typed.split_once('='));
    offered(typed, |engine| {
        let names = Lookup::new(engine);
        let Some((who, _)) = who else {
            let assignees = called(&names, what_if::assignees(engine)).into_iter();
            return assignees
                .map(|(name, help)| (format!("{name}="), help))
                .collect();
        };
        let role_type = roles::role_type(engine.bundle().vocabulary());
        let roles = role_type.map_or_else(Vec::new, |of_type| names.all_of_type(&of_type));
        let roles = called(&names, roles).into_iter();
        roles
            .map(|(role, help)| (format!("{who}={role}"), help))
            .collect()
    })
}

/// The names of entities; the id instead of a name that a shell would split.
fn called(names: &Lookup<'_>, entities: Vec<EntityUid>) -> Vec<(String, Option<String>)> {
    let called = entities.into_iter().map(|uid| {
        let name = names.name_of(&uid);
        match name.contains(char::is_whitespace) {
            true => (uid.id().unescaped().to_owned(), Some(name)),
            false => (name, None),
        }
    });
    called.collect()
}

/// The first names that begin with the typed text, in any case.
fn offered(
    typed: &OsStr,
    named: impl Fn(&Engine) -> Vec<(String, Option<String>)>,
) -> Vec<CompletionCandidate> {
    let (Some(typed), Some(engine)) = (typed.to_str(), engine()) else {
        return Vec::new();
    };
    let begins = |name: &str| {
        let beginning = name.get(..typed.len());
        beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(typed))
    };
    let named = named(&engine).into_iter();
    let named = named.filter(|(name, _)| begins(name) && !name.contains(char::is_whitespace));
    let candidates = named.take(OFFERED);
    let candidates = candidates.map(|(name, help)| {
        let help = help.map(|help| help.into());
        CompletionCandidate::new(name).help(help)
    });
    candidates.collect()
}

/// An engine of the workspace, if it has no errors and is quickly read.
fn engine() -> Option<Engine> {
    let root = named_workspace(std::env::args_os().collect())?;
    if size(&root.join("entities")) > QUICK {
        return None;
    }
    let options = LoadOptions {
        cache: false,
        progress: None,
        ..LoadOptions::default()
    };
    let workspace = Workspace::load_by(
        &Layout::new(root, product::rules()),
        &Switches::default(),
        &options,
    );
    Some(workspace.ok()?.engine)
}

/// The folder that the command line names so far, or the variable, or the current one.
#[expect(clippy::disallowed_methods, reason = "the shell reads the environment")]
fn named_workspace(words: Vec<OsString>) -> Option<PathBuf> {
    let words = words.iter().map(|word| word.to_str().unwrap_or_default());
    let mut words = words.skip_while(|word| *word != "--").skip(1);
    let mut named = None;
    while let Some(word) = words.next() {
        let beside = word
            .strip_prefix("--workspace=")
            .or(word.strip_prefix("-C"));
        named = match (word, beside) {
            ("-C" | "--workspace", _) => words.next().or(named),
            (_, Some(beside)) => Some(beside),
            (_, None) => named,
        };
    }
    // The shell has not expanded `~` yet.
    let in_home = named.and_then(|named| named.strip_prefix("~/"));
    match (
        named,
        in_home,
        std::env::var_os(crate::arguments::global::WORKSPACE),
    ) {
        (_, Some(path), _) => Some(Path::new(&std::env::var_os("HOME")?).join(path)),
        (Some(named), None, _) => Some(named.into()),
        (None, None, Some(named)) if !named.is_empty() => Some(named.into()),
        (None, None, _) => Some(".".into()),
    }
}

/// The size of all files in a folder, in bytes.
fn size(folder: &Path) -> u64 {
    let entries = WalkDir::new(folder).follow_links(true).into_iter();
    let files = entries.filter_map(|entry| entry.ok()?.metadata().ok());
    files
        .filter(|file| file.is_file())
        .map(|file| file.len())
        .sum()
}
