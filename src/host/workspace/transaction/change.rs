//! The acts of a change in their order, and their reversal.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::disk::{make_folder_of, put, remove, sync_folder, write};
use super::files::found;
use super::{AFTER, BEFORE, FOLDER, NEW, OLD};
use crate::record::{self, FoundFile, Pending, Record, State, Step};

/// A prepared change of a workspace, as a sequence of acts.
pub(super) struct Change<'a> {
    pub(super) root: &'a Path,
    pub(super) pending: &'a Pending,
}

/// An act of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Saves the file that a step replaces or removes.
    Keep(usize),
    /// Flushes the new files to the disk.
    Sync,
    /// Writes the next record into the folder of the change, and saves the current one.
    Records,
    /// Lists the steps in the record. From here on, the change will be completed.
    Decide,
    /// Takes a step.
    Take(usize),
    /// Puts the next record into its place.
    Finish,
}

impl Change<'_> {
    pub(super) fn acts(&self) -> Vec<Act> {
        let count = self.pending.steps.len();
        let before = (0..count).map(Act::Keep);
        let before = before.chain([Act::Sync, Act::Records, Act::Decide]);
        before
            .chain((0..count).map(Act::Take))
            .chain([Act::Finish])
            .collect()
    }

    /// Fails if a file is no longer as it was found, because somebody may have saved it meanwhile.
    pub(super) fn check_unchanged(&self) -> io::Result<()> {
        for step in &self.pending.steps {
            let now = found(self.root, &step.path)?;
            if now != step.before.map(FoundFile::File) {
                return Err(io::Error::other(format!(
                    "`{}` has changed in the meantime; run the command again",
                    step.path
                )));
            }
        }
        Ok(())
    }

    pub(super) fn act(&self, act: Act) -> io::Result<()> {
        match act {
            Act::Keep(index) => self.keep(self.step(index)?),
            Act::Sync => self.sync(),
            Act::Records => self.write_records(),
            Act::Decide => {
                let text = State::Pending(self.pending.clone()).text()?;
                let path = self.aside().join("pending");
                write(&path, &text)?;
                put(&path, &self.root.join(record::FILE))?;
                sync_folder(self.root)
            }
            Act::Take(index) => self.take(self.step(index)?),
            Act::Finish => self.finish(),
        }
    }

    fn aside(&self) -> PathBuf {
        self.root.join(FOLDER)
    }

    fn keep(&self, step: &Step) -> io::Result<()> {
        if step.before.is_none() {
            return Ok(());
        }
        let place = self.root.join(&step.path);
        let old = self.aside().join(OLD).join(&step.path);
        make_folder_of(&old)?;
        match fs::hard_link(&place, &old) {
            Ok(()) => Ok(()),
            // Not every file system has hard links, and the folder may be on another one.
            Err(_) => fs::copy(&place, &old).map(|_| ()),
        }
    }

    fn sync(&self) -> io::Result<()> {
        let new = self.pending.steps.par_iter();
        let new = new.filter(|step| step.after.is_some());
        new.try_for_each(|step| {
            let path = self.aside().join(NEW).join(&step.path);
            File::options().write(true).open(path)?.sync_all()
        })
    }

    fn write_records(&self) -> io::Result<()> {
        write(&self.aside().join(AFTER), &self.pending.after.text()?)?;
        match self.pending.before {
            Some(_) => {
                let before = self.aside().join(BEFORE);
                fs::copy(self.root.join(record::FILE), before).map(|_| ())
            }
            None => Ok(()),
        }
    }

    fn take(&self, step: &Step) -> io::Result<()> {
        let place = self.root.join(&step.path);
        if step.after.is_none() {
            return remove(&place);
        }
        let new = self.aside().join(NEW).join(&step.path);
        match fs::metadata(&place) {
            // The new file has the permissions of the old one.
            Ok(old) => fs::set_permissions(&new, old.permissions())?,
            Err(_) => make_folder_of(&place)?,
        }
        put(&new, &place)
    }

    fn finish(&self) -> io::Result<()> {
        for step in &self.pending.steps {
            if let Some(folder) = self.root.join(&step.path).parent() {
                sync_folder(folder)?;
            }
        }
        let after = self.aside().join(AFTER);
        write(&after, &self.pending.after.text()?)?;
        put(&after, &self.root.join(record::FILE))?;
        sync_folder(self.root)
    }

    /// Restores the files after an act has failed.
    pub(super) fn undo(&self, failed: Act) -> io::Result<()> {
        let taken = match failed {
            Act::Keep(_) | Act::Sync | Act::Records => return Ok(()),
            Act::Decide => 0,
            Act::Take(index) => index + 1,
            Act::Finish => self.pending.steps.len(),
        };
        let aside = self.aside();
        for step in self.pending.steps.iter().take(taken).rev() {
            let place = self.root.join(&step.path);
            if found(self.root, &step.path)? == step.before.map(FoundFile::File) {
                continue;
            }
            match step.before {
                Some(_) => put(&aside.join(OLD).join(&step.path), &place)?,
                None => remove(&place)?,
            }
            // A folder that was created for the file is empty, and not needed. Others cannot be removed.
            let folders = Path::new(&step.path).ancestors().skip(1);
            for folder in folders.filter(|folder| *folder != Path::new("")) {
                let _ = fs::remove_dir(self.root.join(folder));
            }
        }
        let record = self.root.join(record::FILE);
        match self.pending.before {
            Some(_) => put(&aside.join(BEFORE), &record),
            None => remove(&record),
        }
    }

    pub(super) fn step(&self, index: usize) -> io::Result<&Step> {
        let step = self.pending.steps.get(index);
        step.ok_or_else(|| io::Error::other("there is no such step"))
    }
}

/// Takes the remaining steps of a change, if all of them can be taken; returns the paths of their files.
pub(super) fn finish(root: &Path, pending: &Pending) -> io::Result<Vec<String>> {
    let change = Change { root, pending };
    let mut left = Vec::new();
    for (index, step) in pending.steps.iter().enumerate() {
        let now = found(root, &step.path)?;
        if now == step.after.map(FoundFile::File) {
            continue;
        }
        let path = &step.path;
        // Content that is neither old nor new was written by somebody else.
        if now != step.before.map(FoundFile::File) {
            let reason = format!("`{path}` was changed by another program in the meantime");
            return Err(io::Error::other(reason));
        }
        if !has_new_file(root, step)? {
            let reason = format!("what `{path}` was to be is gone");
            return Err(io::Error::other(reason));
        }
        left.push(index);
    }
    let mut paths = Vec::new();
    for index in left {
        change.act(Act::Take(index))?;
        paths.push(change.step(index)?.path.clone());
    }
    change.act(Act::Finish)?;
    Ok(paths)
}

/// Whether every new file is prepared or in its place.
pub(super) fn has_new_files(root: &Path, pending: &Pending) -> bool {
    let mut steps = pending.steps.iter();
    steps.all(|step| {
        let digest = step.after.map(FoundFile::File);
        has_new_file(root, step).unwrap_or_default()
            || found(root, &step.path).is_ok_and(|found| found == digest)
    })
}

/// Whether the new file of a step is prepared and has the right digest, if the step has one. The folder may have come
/// with a repository, with other content.
pub(super) fn has_new_file(root: &Path, step: &Step) -> io::Result<bool> {
    let path = [FOLDER, NEW, &step.path].join("/");
    Ok(step.after.is_none() || found(root, &path)? == step.after.map(FoundFile::File))
}

/// The record of the files that are there, old or new, if a change cannot be completed.
pub(super) fn either(root: &Path, pending: Pending) -> Record {
    let mut record = pending.before.unwrap_or_default();
    for step in pending.steps {
        let now = found(root, &step.path).ok().flatten();
        let is_new = now.is_some() && now == step.after.map(FoundFile::File);
        if let (true, Some(written)) = (is_new, pending.after.files.get(&step.path)) {
            record.files.insert(step.path, *written);
        }
    }
    record
}
