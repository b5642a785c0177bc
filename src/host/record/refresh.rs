//! The refresh of a workspace: which files are kept, replaced, removed or in conflict.
//!
//! Three states of a file are compared: as it was written last, as it is, and as it would be written now. What
//! somebody has changed is never overwritten; where it was also to be changed, that is a conflict.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use blake3::Hash;

use super::{Origin, Record, Step, Written, is_at_or_in};

/// Where the data of a tenant are.
const ENTITIES: &str = "entities/";

/// Where the roles of a tenant are.
const ROLES: &str = "policies/custom/";

/// A file of a workspace as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A file with this digest.
    File(Hash),
    /// A file that is not written now and was not before, and whose digest nobody asks for.
    Other,
    /// No regular file, or one that a link leads to.
    NoFile,
}

/// What a workspace is, and what is to be written into it.
pub struct Situation<'a> {
    /// What was written before; `None` where there is no record.
    pub record: Option<&'a Record>,
    /// What was found in its folders.
    pub found: &'a BTreeMap<String, Found>,
    /// What is written now.
    pub new: &'a Record,
    /// Whether an export is one that the tenant has still.
    pub is_expected: &'a dyn Fn(&str) -> bool,
    /// The exports that are there, be they read or not.
    pub present: &'a BTreeSet<String>,
    /// The digest of a file of entities without any.
    pub nothing: Hash,
    /// Whether some of the exports are missing, or were not to be had.
    pub is_partial: bool,
    /// Files and folders that are written even where somebody has changed them.
    pub take: &'a [String],
    /// Whether `entities/` of a workspace without a record are those of an import.
    pub adopt: bool,
    /// Whether a digest is that of a text that shipped before there were records.
    pub has_shipped: &'a dyn Fn(&Hash) -> bool,
}

/// Why a file stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Somebody changed it, and there is nothing new to write.
    Changed,
    /// Somebody changed it, and what ships is another text by now.
    ChangedAndShipped,
    /// Somebody removed it.
    Removed,
    /// It is written no more, and somebody changed it.
    ChangedAndGone,
    /// Somebody changed or removed a role, and it may be one that is written under another name now.
    MayBeRenamed,
    /// It is not known to have been written by tarbac, and not what ships.
    NotAsShipped,
    /// tarbac did not write it.
    NotWritten,
    /// It is no regular file, or a link leads to it.
    NoFile,
}

/// A file that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    /// Its path.
    pub path: String,
    /// Why.
    pub why: Why,
}

/// What becomes of the files of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refresh {
    /// Files that come into being.
    pub added: Vec<String>,
    /// Files that are replaced.
    pub changed: Vec<String>,
    /// Files that are removed.
    pub removed: Vec<String>,
    /// How many are as they would be written.
    pub unchanged: usize,
    /// Files that stay as they are, though tarbac wrote others of their kind.
    pub kept: Vec<Kept>,
    /// Files that would be overwritten although somebody has changed or written them: where there are any,
    /// nothing can be written.
    pub conflicts: Vec<Kept>,
    /// What the workspace has data of and is written from no more: exports that were imported last and are not there,
    /// or else files of entities in which nothing would be left.
    pub lost: Vec<String>,
    /// What has to be done.
    pub steps: Vec<Step>,
    /// What is written afterwards.
    pub record: Record,
}

impl Refresh {
    /// Compares what was written, what is there, and what is written now.
    pub fn new(situation: &Situation<'_>) -> Self {
        let none = Record::default();
        let before = situation.record.unwrap_or(&none);
        let mut refresh = Self::default();
        refresh.record.removed.clone_from(&before.removed);
        refresh.record.exports.clone_from(&situation.new.exports);
        let paths = before.files.keys().chain(situation.new.files.keys());
        for path in paths.collect::<BTreeSet<&String>>() {
            let (old, new) = (before.files.get(path), situation.new.files.get(path));
            match new {
                Some(new) => refresh.write(situation, path, old.copied(), *new),
                None => refresh.drop(situation, path, old.copied()),
            }
        }
        for (path, found) in situation.found {
            let is_known =
                before.files.contains_key(path) || situation.new.files.contains_key(path);
            if *found == Found::Other && !is_known {
                refresh.keep(path, Why::NotWritten);
            }
        }
        refresh.kept.sort();
        refresh.lost = refresh.lost(situation);
        refresh
    }

    fn lost(&self, situation: &Situation<'_>) -> Vec<String> {
        let before = situation.record.iter().flat_map(|record| &record.exports);
        let lost = before.filter(|export| !situation.new.exports.contains(*export));
        let lost = lost.filter(|export| (situation.is_expected)(export));
        let mut lost: BTreeSet<&String> = lost.collect();
        // Some are read with others only: where these are missing, those are not.
        if lost
            .iter()
            .any(|export| !situation.present.contains(*export))
        {
            lost.retain(|export| !situation.present.contains(*export));
        }
        let lost = in_short(&lost, situation.present);
        let was_imported = situation.record.is_some_and(|of| !of.exports.is_empty());
        // What was not imported, as the sample tenant, makes room for whatever the tenant has.
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

    /// A file that is written now.
    fn write(&mut self, situation: &Situation<'_>, path: &str, old: Option<Written>, new: Written) {
        let has_news = old.is_none_or(|old| old.digest != new.digest);
        let is_shipped = new.origin == Origin::Shipped;
        // A text that shipped is no news of the tenant: whoever changed it need not look at once.
        let is_upgrade = is_shipped && old.is_some_and(|old| old.origin == Origin::Shipped);
        let is_entities = path.starts_with(ENTITIES);
        let now = match situation.found.get(path) {
            None => None,
            Some(Found::File(digest)) => Some(*digest),
            Some(Found::NoFile | Found::Other) => return self.refuse(path, old, Why::NoFile),
        };
        if now == Some(new.digest) {
            self.unchanged += 1;
            self.record.files.insert(path.to_owned(), new);
            return;
        }
        if situation.takes(path) {
            return self.put(path, now, new);
        }
        let Some(now) = now else {
            return match old {
                // Data that are gone are wanted anew; a rule was removed on purpose.
                _ if is_entities => self.put(path, None, new),
                None => self.put(path, None, new),
                Some(old) if !has_news || is_upgrade => self.keep_as(path, old, Why::Removed),
                Some(old) => self.refuse(path, Some(old), Why::Removed),
            };
        };
        match old {
            Some(old) if old.digest == now => self.put(path, Some(now), new),
            Some(old) if !has_news => self.keep_as(path, old, Why::Changed),
            Some(old) if is_upgrade => self.keep_as(path, old, Why::ChangedAndShipped),
            Some(old) => self.refuse(path, Some(old), Why::Changed),
            None if situation.record.is_some() => self.refuse(path, None, Why::NotWritten),
            None if (situation.has_shipped)(&now) => self.put(path, Some(now), new),
            None if is_entities && situation.adopt => self.put(path, Some(now), new),
            // From here on it counts as changed.
            None if is_shipped => self.keep_as(path, new, Why::NotAsShipped),
            None => self.refuse(path, None, Why::NotWritten),
        }
    }

    /// A file that was written before, and is not now.
    fn drop(&mut self, situation: &Situation<'_>, path: &str, old: Option<Written>) {
        let found = situation.found.get(path);
        let is_as_written =
            matches!((found, old), (Some(Found::File(now)), Some(old)) if old.digest == *now);
        if path.starts_with(ROLES)
            && !is_as_written
            && !situation.takes(path)
            && situation.has_new_roles()
        {
            return self.refuse(path, old, Why::MayBeRenamed);
        }
        match found {
            None => {}
            Some(Found::File(now))
                if old.is_some_and(|old| old.digest == *now) || situation.takes(path) =>
            {
                self.removed.push(path.to_owned());
                self.steps.push(Step {
                    path: path.to_owned(),
                    before: Some(*now),
                    after: None,
                });
            }
            Some(_) => self.keep(path, Why::ChangedAndGone),
        }
    }

    fn put(&mut self, path: &str, before: Option<Hash>, new: Written) {
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

    /// Keeps a file of which the record goes on to say the same.
    fn keep_as(&mut self, path: &str, old: Written, why: Why) {
        self.record.files.insert(path.to_owned(), old);
        self.keep(path, why);
    }

    fn keep(&mut self, path: &str, why: Why) {
        self.kept.push(Kept {
            path: path.to_owned(),
            why,
        });
    }

    fn refuse(&mut self, path: &str, old: Option<Written>, why: Why) {
        if let Some(old) = old {
            self.record.files.insert(path.to_owned(), old);
        }
        self.conflicts.push(Kept {
            path: path.to_owned(),
            why,
        });
    }
}

/// Exports that are missing; a folder of which none is there as one.
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
    /// Whether a role comes into being: what somebody took away from a role of another name may come with it.
    fn has_new_roles(&self) -> bool {
        let before = self.record.map(|record| &record.files);
        let is_new = |path: &String| before.is_some_and(|files| !files.contains_key(path));
        let mut roles = self.new.files.keys();
        roles.any(|path| path.starts_with(ROLES) && is_new(path))
    }

    /// Whether a file is named to be written in any case, by itself or by a folder that it is in.
    fn takes(&self, path: &str) -> bool {
        self.take.iter().any(|named| is_at_or_in(path, named))
    }
}
