//! The thread that writes the decision log.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rayon::prelude::*;
use tarbac_analysis::decision_log::JsonPointer;

use super::file::LogFile;
use super::record::Item;
use super::{Entry, Given, LogState, Message};
use crate::work::Workers;

/// The interval of checks whether the file was renamed or can be written again.
const GLANCE: Duration = Duration::from_secs(1);

/// The number of records after which the writer stops collecting messages and writes.
const AT_ONCE: usize = 4096;

/// The least number of records that are worth a thread of their own.
const FEW: usize = 16;

/// The state of the writer.
pub(super) struct Writer {
    pub(super) file: LogFile,
    /// The number of records in the lines that are not written yet.
    pub(super) added: usize,
    pub(super) omit: Vec<JsonPointer>,
    pub(super) instance: String,
    pub(super) state: Arc<LogState>,
    pub(super) workers: Workers,
}

impl Writer {
    /// Writes records until the log is closed. Messages that wait are handled together.
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let first = match messages.recv_timeout(GLANCE) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return self.end(),
            };
            let mut entries = Vec::new();
            let (mut count, mut is_over) = (0, false);
            for message in first.into_iter().chain(messages.try_iter()) {
                match message {
                    Message::Write(entry) => {
                        count += entry.given.len();
                        entries.push(*entry);
                    }
                    Message::Reopen => self.reopen(),
                    Message::Close => is_over = true,
                }
                if is_over || count >= AT_ONCE {
                    break;
                }
            }
            self.add(&entries);
            self.write();
            if is_over {
                return self.end();
            }
        }
    }

    /// Adds the records of entries to the lines of the file.
    fn add(&mut self, entries: &[Entry]) {
        let items: Vec<(&Entry, Item<'_>)> = entries.iter().flat_map(items).collect();
        let line = |(entry, item): &(&Entry, Item<'_>)| {
            let record = item.record(entry, &self.instance);
            record.line(&self.omit)
        };
        // The authority and the notices of a record take more time than most decisions.
        let lines: Vec<_> = match items.len() {
            0..=FEW => items.iter().map(line).collect(),
            _ => self.workers.install(|| {
                let items = items.par_iter().with_min_len(FEW);
                items.map(line).collect()
            }),
        };
        for line in lines {
            match line {
                Ok(line) => {
                    self.file.add(&line);
                    self.added += 1;
                }
                Err(error) => {
                    tracing::error!(%error, "a record of the decision log could not be made");
                    self.state.figures.lost(1);
                }
            }
        }
        self.state.leave(items.len());
    }

    fn reopen(&mut self) {
        if let Err(error) = self.file.reopen() {
            self.failed(&error);
        }
    }

    fn write(&mut self) {
        match self.file.write() {
            Ok(()) => {
                self.state.figures.written(std::mem::take(&mut self.added));
                if self.state.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("decisions are logged again");
                }
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&self, error: &std::io::Error) {
        if !self.state.is_failing.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "decisions cannot be logged");
        }
    }

    /// Reports the records that could not be written.
    fn end(self) {
        if !self.file.is_written() {
            let lost = self.added;
            self.state.figures.lost(lost);
            tracing::error!(lost, "the last decisions could not be logged");
        }
    }
}

/// The records of an entry.
fn items(entry: &Entry) -> Vec<(&Entry, Item<'_>)> {
    match &entry.given {
        Given::Decisions(decided) => {
            let decided = decided.iter().map(Item::Decision);
            decided.map(|item| (entry, item)).collect()
        }
        Given::Search(searched) => vec![(entry, Item::Search(searched))],
    }
}
