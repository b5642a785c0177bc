//! What becomes of each file of a workspace when it is written again.
//!
//! Three states of a file are compared: as it was written last, as it is, and as it would be written now. What
//! somebody has changed is never overwritten; where it was also to be changed, that is a conflict.

use std::collections::{BTreeMap, BTreeSet};

use blake3::Hash;

use super::{Origin, Record, Step, Written};

/// Where the data of a tenant are.
const ENTITIES: &str = "entities/";

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
    /// What has to be done.
    pub steps: Vec<Step>,
    /// What is written afterwards.
    pub record: Record,
}

impl Refresh {
    /// Compares what was written, what is there, and what is written now.
    pub fn of(situation: &Situation<'_>) -> Self {
        let none = Record::default();
        let before = situation.record.unwrap_or(&none);
        let mut refresh = Self::default();
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
        refresh
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
        match situation.found.get(path) {
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

impl Situation<'_> {
    /// Whether a file is named to be written in any case, by itself or by a folder that it is in.
    fn takes(&self, path: &str) -> bool {
        self.take.iter().any(|named| {
            let rest = path.strip_prefix(named.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::digest;
    use super::*;

    /// The record of one file.
    fn of(file: Option<(Origin, &str)>, path: &str) -> Record {
        let file = file.map(|(origin, text)| {
            let digest = digest(text);
            (path.to_owned(), Written { origin, digest })
        });
        Record {
            files: file.into_iter().collect(),
        }
    }

    /// What becomes of one file, in a word, with what the record then says of it.
    fn told(
        path: &str,
        old: Option<(Origin, &str)>,
        now: Option<&str>,
        new: Option<(Origin, &str)>,
        take: bool,
    ) -> String {
        let record = of(old, path);
        let found = now.map(|text| (path.to_owned(), Found::File(digest(text))));
        let situation = Situation {
            record: Some(&record),
            found: &found.into_iter().collect(),
            new: &of(new, path),
            take: &take
                .then(|| path.to_owned())
                .into_iter()
                .collect::<Vec<_>>(),
            adopt: false,
            has_shipped: &|_| false,
        };
        let refresh = Refresh::of(&situation);
        word(&refresh)
    }

    fn word(refresh: &Refresh) -> String {
        let mut words = Vec::new();
        let lists = [
            ("added", &refresh.added),
            ("changed", &refresh.changed),
            ("removed", &refresh.removed),
        ];
        words.extend(
            lists
                .into_iter()
                .filter(|(_, list)| !list.is_empty())
                .map(|(word, _)| word.to_owned()),
        );
        words.extend((refresh.unchanged > 0).then(|| "unchanged".to_owned()));
        words.extend(
            refresh
                .kept
                .iter()
                .map(|kept| format!("kept {:?}", kept.why)),
        );
        words.extend(
            refresh
                .conflicts
                .iter()
                .map(|kept| format!("conflict {:?}", kept.why)),
        );
        let names = ["a", "b", "mine"];
        let digests = refresh.record.files.values().map(|written| {
            names
                .into_iter()
                .find(|text| digest(text) == written.digest)
                .unwrap()
        });
        words.extend(digests.map(|name| format!("record {name}")));
        words.join(", ")
    }

    #[test]
    fn every_combination_of_what_was_is_and_will_be() {
        let mut table = String::new();
        for path in ["policies/x.cedar", "entities/x.json"] {
            for old in [None, Some("a")] {
                for now in [None, Some("a"), Some("b"), Some("mine")] {
                    for new in [None, Some("a"), Some("b")] {
                        let told = |origin, take| {
                            let tag = |text| (origin, text);
                            told(path, old.map(tag), now, new.map(tag), take)
                        };
                        let (shipped, tenant) =
                            (told(Origin::Shipped, false), told(Origin::Tenant, false));
                        let taken = told(Origin::Tenant, true);
                        let show = |text: Option<&'static str>| text.unwrap_or("-");
                        table += &format!(
                            "{path}: {} {} {}: {shipped} | {tenant} | {taken}\n",
                            show(old),
                            show(now),
                            show(new)
                        );
                    }
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_workspace_without_a_record_loses_nothing() {
        let cases = [
            ("policies/a.cedar", Origin::Shipped, "mine", false),
            ("policies/a.cedar", Origin::Shipped, "mine", true),
            ("policies/a.cedar", Origin::Shipped, "a", false),
            ("policies/custom/a.cedar", Origin::Tenant, "mine", false),
            ("policies/custom/a.cedar", Origin::Tenant, "mine", true),
            ("entities/a.json", Origin::Tenant, "mine", false),
            ("entities/a.json", Origin::Tenant, "mine", true),
            ("entities/a.json", Origin::Tenant, "b", false),
        ];
        let told = cases.map(|(path, origin, now, adopt)| {
            let found = [(path.to_owned(), Found::File(digest(now)))].into();
            let refresh = Refresh::of(&Situation {
                record: None,
                found: &found,
                new: &of(Some((origin, "b")), path),
                take: &[],
                adopt,
                has_shipped: &|hash| *hash == digest("a"),
            });
            format!("{path} {now} {adopt}: {}", word(&refresh))
        });
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn what_is_no_file_is_never_replaced_and_other_files_are_told() {
        let record = of(Some((Origin::Tenant, "a")), "entities/a.json");
        let found = [
            ("entities/a.json".to_owned(), Found::NoFile),
            ("policies/custom/freeze.cedar".to_owned(), Found::Other),
        ]
        .into();
        let refresh = Refresh::of(&Situation {
            record: Some(&record),
            found: &found,
            new: &of(Some((Origin::Tenant, "b")), "entities/a.json"),
            take: &["entities".to_owned()],
            adopt: true,
            has_shipped: &|_| false,
        });
        assert_eq!(word(&refresh), "kept NotWritten, conflict NoFile, record a");
    }

    #[test]
    fn a_folder_is_taken_and_what_begins_like_it_is_not() {
        let situation = |take: &[String], path: &str| {
            Situation {
                record: None,
                found: &BTreeMap::new(),
                new: &Record::default(),
                take,
                adopt: false,
                has_shipped: &|_| false,
            }
            .takes(path)
        };
        let take = ["policies/roles/".to_owned(), "schema".to_owned()];
        assert!(situation(&take, "policies/roles/a.cedar"));
        assert!(situation(&take, "schema/a.cedarschema"));
        assert!(!situation(&take, "policies/roles-2/a.cedar"));
        assert!(!situation(&take, "schemas/a"));
    }
}
