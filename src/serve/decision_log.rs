//! The decision log: a line for each decision and each search that leaves the server.
//!
//! Requests put their records into a queue, and one thread writes them. If the queue is full or the file cannot be
//! written, no decision is sent, unless the operator would rather lose records.

mod figures;
mod file;
mod record;
mod writer;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;
use tarbac_analysis::decision_log::JsonPointer;
use uuid::Uuid;

use crate::clock;
use crate::decided::{Call, Decided, Searched};
use crate::fault::{Fault, ServeError};
use crate::served::Served;
use crate::work::{STACK, Workers};
use file::LogFile;
use writer::Writer;

pub(crate) use figures::LogFigures;

/// The most records in the queue.
const QUEUE: usize = 65_536;

/// The pause between two checks whether the writer has ended.
const GLANCE: Duration = Duration::from_millis(2);

/// The settings of the decision log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionLogSettings {
    /// The destination.
    pub target: LogTarget,
    /// The treatment of a decision that cannot be logged.
    pub unlogged: Unlogged,
    /// The members that are left out of the records.
    pub omit: Vec<JsonPointer>,
}

/// The destination of the decision log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard output.
    StandardOutput,
    /// A file, to which lines are appended.
    File(PathBuf),
}

/// The treatment of a decision that cannot be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlogged {
    /// It is not sent, and the request is refused.
    Refuse,
    /// It is sent, and counted as lost.
    Count,
}

/// The handle by which requests log their decisions.
pub(crate) struct DecisionLog {
    unlogged: Unlogged,
    sender: Sender<Message>,
    state: Arc<LogState>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// The state that the writer shares with the handle.
pub(crate) struct LogState {
    /// The number of records in the queue.
    waiting: AtomicUsize,
    /// Whether the last attempt to write failed.
    is_failing: AtomicBool,
    figures: LogFigures,
}

/// A message to the writer.
enum Message {
    /// Write records.
    Write(Box<Entry>),
    /// Open the file again.
    Reopen,
    /// Write the remaining records, and end.
    Close,
}

/// The records of one answer.
struct Entry {
    time: Timestamp,
    call: Call,
    served: Arc<Served>,
    given: Given,
}

/// The decisions or the search of an answer.
enum Given {
    Decisions(Arc<[Decided]>),
    Search(Searched),
}

impl Given {
    /// The number of records.
    fn len(&self) -> usize {
        match self {
            Self::Decisions(decided) => decided.len(),
            Self::Search(_) => 1,
        }
    }
}

impl DecisionLog {
    /// Opens the log, and starts its writer.
    ///
    /// # Errors
    /// The log cannot be opened, or the thread cannot be started.
    pub(crate) fn open(
        settings: &DecisionLogSettings,
        figures: LogFigures,
        workers: &Workers,
    ) -> Result<Self, ServeError> {
        let file = LogFile::open(&settings.target).map_err(|reason| ServeError::DecisionLog {
            path: settings.target.to_string(),
            reason,
        })?;
        let state = Arc::new(LogState {
            waiting: AtomicUsize::new(0),
            is_failing: AtomicBool::new(false),
            figures,
        });
        let (sender, messages) = channel();
        let writer = Writer {
            file,
            added: 0,
            omit: settings.omit.clone(),
            instance: Uuid::now_v7().to_string(),
            state: Arc::clone(&state),
            workers: workers.clone(),
        };
        tracing::info!(
            target = %settings.target,
            instance = writer.instance,
            "decisions are logged"
        );
        let thread = thread::Builder::new().name("decision-log".to_owned());
        let writer = thread
            .stack_size(STACK)
            .spawn(move || writer.run(&messages))
            .map_err(ServeError::Start)?;
        Ok(Self {
            unlogged: settings.unlogged,
            sender,
            state,
            writer: Mutex::new(Some(writer)),
        })
    }

    /// Logs decisions that are about to be sent.
    ///
    /// # Errors
    /// They cannot be logged, and must not be sent.
    pub(crate) fn decisions(
        &self,
        call: &Call,
        served: &Arc<Served>,
        decided: &Arc<[Decided]>,
    ) -> Result<(), Fault> {
        self.put(call, served, Given::Decisions(Arc::clone(decided)))
    }

    /// Logs a search whose results are about to be sent.
    ///
    /// # Errors
    /// It cannot be logged, and the results must not be sent.
    pub(crate) fn search(
        &self,
        call: &Call,
        served: &Arc<Served>,
        searched: &Searched,
    ) -> Result<(), Fault> {
        self.put(call, served, Given::Search(searched.clone()))
    }

    /// Whether the last attempt to write failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.state.is_failing.load(Ordering::Relaxed)
    }

    /// Whether decisions are refused because they cannot be logged.
    pub(crate) fn refuses(&self) -> bool {
        self.unlogged == Unlogged::Refuse && self.is_failing()
    }

    /// Opens the file again, as it may have been renamed.
    pub(crate) fn reopen(&self) {
        // The writer ends only with the server.
        let _ = self.sender.send(Message::Reopen);
    }

    /// Writes the remaining records for at most `patience`, and closes the log.
    pub(crate) fn close(&self, patience: Duration) {
        let _ = self.sender.send(Message::Close);
        let began = clock::instant();
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(writer) = writer else { return };
        // The writer hangs if the reader of standard output has stopped.
        while !writer.is_finished() {
            if began.elapsed() >= patience {
                tracing::error!("the last decisions are not logged: nothing takes them");
                return;
            }
            thread::sleep(GLANCE);
        }
        if writer.join().is_err() {
            tracing::error!("the writer of the decision log ended in a panic");
        }
    }

    fn put(&self, call: &Call, served: &Arc<Served>, given: Given) -> Result<(), Fault> {
        let records = given.len();
        let is_queued = !self.is_failing() && self.state.enter(records) && {
            let entry = Entry {
                time: clock::now(),
                call: call.clone(),
                served: Arc::clone(served),
                given,
            };
            let sent = self.sender.send(Message::Write(Box::new(entry)));
            if sent.is_err() {
                self.state.leave(records);
            }
            sent.is_ok()
        };
        match (is_queued, self.unlogged) {
            (true, _) => Ok(()),
            (false, Unlogged::Count) => {
                self.state.figures.lost(records);
                Ok(())
            }
            (false, Unlogged::Refuse) => Err(Fault::unavailable("decisions cannot be logged")),
        }
    }
}

impl LogState {
    /// Takes places in the queue for records, if there are enough. An empty queue takes any number of records.
    fn enter(&self, records: usize) -> bool {
        let entered = self
            .waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |waiting| {
                let after = waiting.saturating_add(records);
                (waiting == 0 || after <= QUEUE).then_some(after)
            });
        if entered.is_ok() {
            self.figures.entered(records);
        }
        entered.is_ok()
    }

    /// Frees the places of records.
    fn leave(&self, records: usize) {
        self.waiting.fetch_sub(records, Ordering::Relaxed);
        self.figures.left(records);
    }
}

impl std::fmt::Display for LogTarget {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::StandardOutput => formatter.write_str("-"),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

impl From<PathBuf> for LogTarget {
    fn from(path: PathBuf) -> Self {
        match path.as_os_str() == "-" {
            true => Self::StandardOutput,
            false => Self::File(path),
        }
    }
}
