//! The refresh of a workspace: which files an import keeps, replaces or removes.
//!
//! Three states of a file are compared: as tarbac wrote it last, as it is, and as tarbac would write it now. A file
//! that a person changed is overwritten only on request; if tarbac would change it too, that is a conflict.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use blake3::Hash;

use super::{Origin, Record, Step, WrittenFile, is_at_or_in};

/// The folder of the tenant's data.
const ENTITIES: &str = "entities/";

/// The folders of roles, custom and built-in.
const ROLES: [&str; 2] = ["policies/custom/", "policies/roles/"];

/// A file that was found in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundFile {
    /// A file with this digest.
    File(Hash),
    /// A file that tarbac neither wrote before nor writes now; its digest does not matter.
    Other,
    /// Not a regular file, or one behind a link.
    NoFile,
}

/// A workspace, and the files to be written into it.
pub struct Situation<'a> {
    /// The last record; `None` if there is none.
    pub record: Option<&'a Record>,
    /// The files in the folders of the workspace, by path.
    pub found: &'a BTreeMap<String, FoundFile>,
    /// The record of the files to be written.
    pub new: &'a Record,
    /// The exports that are present, whether they are read or not.
    pub present: &'a BTreeSet<String>,
    /// The digest of a file of entities that has none.
    pub nothing: Hash,
    /// Whether some exports are missing or could not be obtained.
    pub is_partial: bool,
    /// Files and folders that are written even if a person changed them.
    pub take: &'a [String],
    /// Whether the files in `entities/` of a workspace without a record count as those of an import.
    pub adopt: bool,
    /// Whether a digest is that of a text that shipped before there were records.
    pub has_shipped: &'a dyn Fn(&Hash) -> bool,
}

/// The reason why a file stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeptReason {
    /// A person changed it, and there is nothing new to write.
    Changed,
    /// A person changed it, and a newer text ships.
    ChangedAndShipped,
    /// A person removed it, or declared it as removed.
    Removed,
    /// tarbac no longer writes it, and a person changed it.
    ChangedAndGone,
    /// A person changed or removed a role, which may now be written under another name.
    MayBeRenamed,
    /// It has no record, and differs from the file that ships.
    NotAsShipped,
    /// tarbac did not write it.
    NotWritten,
    /// It is not a regular file, or it is behind a link.
    NoFile,
}

/// A file that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptFile {
    /// The path.
    pub path: String,
    /// The reason.
    pub why: KeptReason,
}

/// The outcome of a refresh for all files of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refresh {
    /// Files that are created.
    pub added: Vec<String>,
    /// Files that are replaced.
    pub changed: Vec<String>,
    /// Files that are removed.
    pub removed: Vec<String>,
    /// The number of files that are as they would be written.
    pub unchanged: usize,
    /// Files that stay as they are, in folders that tarbac writes to.
    pub kept: Vec<KeptFile>,
    /// Files that would be overwritten although a person wrote or changed them. With any of these, nothing is written.
    pub conflicts: Vec<KeptFile>,
    /// Data that the workspace would lose: exports of the last import that are missing or, if there are none, files of
    /// entities that would become empty.
    pub lost: Vec<String>,
    /// The changes to be made.
    pub steps: Vec<Step>,
    /// The record after these changes.
    pub record: Record,
}

impl Refresh {
    /// Compares the last record, the files, and the record of the files to be written.
    pub fn new(situation: &Situation<'_>) -> Self {
        let none = Record::default();
        let before = situation.record.unwrap_or(&none);
        let mut refresh = Self::default();
        refresh.record.removed.clone_from(&before.removed);
        refresh.record.exports.clone_from(&situation.new.exports);
        let paths = before.files.keys().chain(situation.new.files.keys());
        for path in paths.collect::<BTreeSet<&String>>() {
            let (old, new) = (before.files.get(path), situation.new.files.get(path));
            match (old, new) {
                (old, Some(new)) => refresh.write(situation, path, old.copied(), *new),
                (Some(old), None) => refresh.drop(situation, path, *old),
                (None, None) => {}
            }
        }
        for (path, found) in situation.found {
            let is_known =
                before.files.contains_key(path) || situation.new.files.contains_key(path);
            if *found == FoundFile::Other && !is_known {
                refresh.keep(path, KeptReason::NotWritten);
            }
        }
        refresh.kept.sort();
        refresh.lost = refresh.lost(situation);
        refresh
    }

    fn lost(&self, situation: &Situation<'_>) -> Vec<String> {
        let before = situation.record.iter().flat_map(|record| &record.exports);
        let lost = before.filter(|export| !situation.new.exports.contains(*export));
        let mut lost: BTreeSet<&String> = lost.collect();
        // A property is lost with its file, which alone is named then.
        let files = lost.clone();
        lost.retain(|export| {
            let file = export.split_once(": ").map(|(file, _)| file.to_owned());
            file.is_none_or(|file| !files.contains(&file))
        });
        // Some exports are read only together with others: if those are missing, these are not read.
        if lost
            .iter()
            .any(|export| !situation.present.contains(*export))
        {
            lost.retain(|export| !situation.present.contains(*export));
        }
        let lost = in_short(&lost, situation.present);
        let was_imported = situation.record.is_some_and(|of| !of.exports.is_empty());
        // The sample tenant was not imported, so the data of the tenant replace it.
        let is_replaced = !was_imported && !situation.is_partial;
        if !lost.is_empty() || is_replaced {
            return lost;
        }
        let is_emptied = |path: &&String| {
            let new = situation.new.files.get(*path);
            path.starts_with(ENTITIES) && new.is_some_and(|new| new.digest == situation.nothing)
        };
        self.changed.iter().filter(is_emptied).cloned().collect()
    }

    /// A file that is to be written.
    fn write(
        &mut self,
        situation: &Situation<'_>,
        path: &str,
        old: Option<WrittenFile>,
        new: WrittenFile,
    ) {
        let has_news = old.is_none_or(|old| old.digest != new.digest);
        let is_shipped = new.origin == Origin::Shipped;
        // A new text of a file that ships says nothing about the tenant, so a changed or removed copy is no conflict.
        let is_upgrade = is_shipped && old.is_some_and(|old| old.origin == Origin::Shipped);
        let is_entities = path.starts_with(ENTITIES);
        let now = match situation.found.get(path) {
            None => None,
            Some(FoundFile::File(digest)) => Some(*digest),
            Some(FoundFile::NoFile | FoundFile::Other) => {
                return self.refuse(path, old, KeptReason::NoFile);
            }
        };
        if now == Some(new.digest) {
            self.unchanged += 1;
            self.record.files.insert(path.to_owned(), new);
            return;
        }
        if situation.takes(path) {
            self.record.removed.remove(path);
            return self.put(path, now, new);
        }
        let Some(now) = now else {
            return match old {
                // Missing data are written again; a rule was removed on purpose.
                _ if is_entities => self.put(path, None, new),
                _ if self.record.is_removed(path) => {
                    self.keep_as(path, old.unwrap_or(new), KeptReason::Removed)
                }
                None => self.put(path, None, new),
                Some(old) if !has_news || is_upgrade => {
                    self.keep_as(path, old, KeptReason::Removed)
                }
                Some(old) => self.refuse(path, Some(old), KeptReason::Removed),
            };
        };
        match old {
            Some(old) if old.digest == now => self.put(path, Some(now), new),
            Some(old) if !has_news => self.keep_as(path, old, KeptReason::Changed),
            Some(old) if is_upgrade => self.keep_as(path, old, KeptReason::ChangedAndShipped),
            Some(old) => self.refuse(path, Some(old), KeptReason::Changed),
            None if situation.record.is_some() => self.refuse(path, None, KeptReason::NotWritten),
            None if (situation.has_shipped)(&now) => self.put(path, Some(now), new),
            None if is_entities && situation.adopt => self.put(path, Some(now), new),
            // From now on it counts as changed.
            None if is_shipped => self.keep_as(path, new, KeptReason::NotAsShipped),
            None => self.refuse(path, None, KeptReason::NotWritten),
        }
    }

    /// A file that was written before, and is not to be written now.
    ///
    /// A role that a person changed or removed stays on record, because the tenant may have it again later.
    fn drop(&mut self, situation: &Situation<'_>, path: &str, old: WrittenFile) {
        let found = situation.found.get(path);
        let may_go = found == Some(&FoundFile::File(old.digest)) || situation.takes(path);
        if is_role(path) && !may_go {
            return match found {
                _ if situation.writes_a_role() => {
                    self.refuse(path, Some(old), KeptReason::MayBeRenamed)
                }
                Some(_) => self.keep_as(path, old, KeptReason::ChangedAndGone),
                None => self.keep_as(path, old, KeptReason::Removed),
            };
        }
        match found {
            Some(FoundFile::File(now)) if may_go => {
                self.removed.push(path.to_owned());
                self.steps.push(Step {
                    path: path.to_owned(),
                    before: Some(*now),
                    after: None,
                });
            }
            Some(_) => self.keep(path, KeptReason::ChangedAndGone),
            None => {}
        }
    }

    fn put(&mut self, path: &str, before: Option<Hash>, new: WrittenFile) {
        let list = match before {
            Some(_) => &mut self.changed,
            None => &mut self.added,
        };
        list.push(path.to_owned());
        self.steps.push(Step {
            path: path.to_owned(),
            before,
            after: Some(new.digest),
        });
        self.record.files.insert(path.to_owned(), new);
    }

    /// Keeps a file, and its entry in the record.
    fn keep_as(&mut self, path: &str, old: WrittenFile, why: KeptReason) {
        self.record.files.insert(path.to_owned(), old);
        self.keep(path, why);
    }

    fn keep(&mut self, path: &str, why: KeptReason) {
        self.kept.push(KeptFile {
            path: path.to_owned(),
            why,
        });
    }

    fn refuse(&mut self, path: &str, old: Option<WrittenFile>, why: KeptReason) {
        if let Some(old) = old {
            self.record.files.insert(path.to_owned(), old);
        }
        self.conflicts.push(KeptFile {
            path: path.to_owned(),
            why,
        });
    }
}

fn is_role(path: &str) -> bool {
    ROLES.iter().any(|folder| path.starts_with(folder))
}

/// The missing exports; a folder of which every export is missing is listed once.
fn in_short(missing: &BTreeSet<&String>, there: &BTreeSet<String>) -> Vec<String> {
    let called = |export: &&String| {
        let parts = export.split_inclusive('/');
        let depth = if export.starts_with("graph/") { 1 } else { 2 };
        let folder: String = parts.take(depth).collect();
        let is_whole = folder.ends_with('/') && !there.iter().any(|of| of.starts_with(&folder));
        if is_whole { folder } else { (*export).clone() }
    };
    let mut called: Vec<String> = missing.iter().map(called).collect();
    called.dedup();
    called
}

impl Situation<'_> {
    /// Whether a role of the tenant is new, or is not as it was written last: it may be another one under this name.
    fn writes_a_role(&self) -> bool {
        let Some(before) = self.record.map(|record| &record.files) else {
            return false;
        };
        let is_as_written = |path: &String, new: &WrittenFile| {
            before.get(path).is_some_and(|old| old.digest == new.digest)
        };
        let mut files = self.new.files.iter();
        files.any(|(path, new)| {
            is_role(path) && new.origin == Origin::Tenant && !is_as_written(path, new)
        })
    }

    /// Whether a file is to be written in any case, because it or a folder around it is named.
    fn takes(&self, path: &str) -> bool {
        self.take.iter().any(|named| is_at_or_in(path, named))
    }
}
