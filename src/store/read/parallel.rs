//! The parallel reader: blocks of files, read by all cores.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use blake3::Hash;

use crate::digest::{self, Content, Digesting};
use crate::index::{Id, IndexVec};
use crate::read::entity::{Reader, Refusal};
use crate::read::given;
use crate::read::refusal::{Tally, quoted};
use crate::read::schema::Shapes;
use crate::read::split::{Block, scan};
use crate::tables::entities::{EntityRow, Store};
use crate::tables::ids::MemberOrNone;
use crate::tables::value_ref::ValueRef;
use crate::{GivenEntity, Input, Row};
use tarbac_diagnostic::code::entities::{DUPLICATE, SYNTAX, TOO_LARGE};
use tarbac_diagnostic::finding::Label;
use tarbac_diagnostic::source::{Place, Source};

/// The most blocks that wait for a worker, and the most batches that wait for the calling thread.
const WAITING: usize = 3;

/// The content of all files.
pub(crate) struct Loaded {
    /// The entities.
    pub(crate) store: Store,
    /// The entity of each uid.
    pub(crate) defined: IndexVec<Row, MemberOrNone>,
    /// The files, in the order of their names.
    pub(crate) sources: Vec<Arc<Source>>,
    /// The size and digest of each file.
    pub(crate) contents: Vec<Content>,
    /// The digest over all files.
    pub(crate) identity: Hash,
    /// The findings.
    pub(crate) tally: Tally,
    /// Whether the uid of every entity is known, even of those that were refused.
    pub(crate) complete: bool,
    /// Whether the tables are those of a directory, to which others were added.
    pub(crate) is_overlay: bool,
}

/// A block, with its number in the order of all blocks.
struct Task {
    number: usize,
    file: u32,
    block: Block,
}

/// The entities and findings of a block.
struct Batch {
    store: Store,
    tally: Tally,
    complete: bool,
}

/// Reads files.
pub(crate) fn load(mut inputs: Vec<Input>, shapes: &Shapes) -> Loaded {
    inputs.sort_by(|one, other| one.source.cmp(&other.source));
    let sources: Vec<Arc<Source>> = inputs
        .iter()
        .map(|input| Arc::clone(&input.source))
        .collect();
    let workers = thread::available_parallelism().map_or(2, NonZero::get);
    let (task_sender, task_receiver) = sync_channel(WAITING);
    let task_receiver = Mutex::new(task_receiver);
    let (batch_sender, batch_receiver) = sync_channel(WAITING);
    let mut joined = Joined::new(&sources, shapes);
    let contents = thread::scope(|scope| {
        let cutting = scope.spawn(move || cut(inputs, &task_sender));
        for _ in 0..workers {
            let sender = batch_sender.clone();
            let (receiver, sources) = (&task_receiver, &sources);
            scope.spawn(move || work(receiver, &sender, sources, shapes));
        }
        drop(batch_sender);
        // Workers finish in any order; joining in the order of the files keeps it repeatable.
        let mut early = BTreeMap::new();
        let mut next = 0;
        for (number, batch) in batch_receiver {
            early.insert(number, batch);
            while let Some(batch) = early.remove(&next) {
                joined.join(batch);
                next += 1;
            }
        }
        cutting.join().unwrap_or_else(|panic| resume_unwind(panic))
    });
    joined.loaded(contents)
}

/// Reads entities that stand in no file.
pub(crate) fn take(entities: &[GivenEntity], shapes: &Shapes) -> Loaded {
    let source = Source::held("given", "");
    let mut reader = Reader::new(shapes);
    let mut tally = Tally::default();
    let mut complete = true;
    for entity in entities {
        if let Err(refusal) = reader.take(entity, 0) {
            complete &= refusal.tell(&source, 0, &mut tally);
        }
    }
    let batch = Batch {
        store: reader.store,
        tally,
        complete,
    };
    let sources = [source];
    let mut joined = Joined::new(&sources, shapes);
    joined.join(batch);
    joined.loaded(vec![given::content(entities)])
}

/// Cuts the files into numbered blocks, and returns the size and digest of each file.
fn cut(inputs: Vec<Input>, sender: &SyncSender<Task>) -> Vec<Content> {
    let mut number = 0;
    let mut contents = Vec::with_capacity(inputs.len());
    for (file, input) in (0..).zip(inputs) {
        let mut wanted = true;
        let mut reader = Digesting::new(input.reader);
        scan(&mut reader, |block| {
            wanted = sender
                .send(Task {
                    number,
                    file,
                    block,
                })
                .is_ok();
            number += 1;
            wanted
        });
        contents.push(reader.content());
        if !wanted {
            break;
        }
    }
    contents
}

/// Reads the entities of blocks, until there is no further block.
fn work(
    receiver: &Mutex<Receiver<Task>>,
    sender: &SyncSender<(usize, Batch)>,
    sources: &[Arc<Source>],
    shapes: &Shapes,
) {
    loop {
        let task = receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(task) = task else {
            return;
        };
        let Some(source) = sources.get(task.file as usize) else {
            return;
        };
        let batch = read(&task, source, shapes);
        if sender.send((task.number, batch)).is_err() {
            return;
        }
    }
}

/// Reads the entities of a block.
fn read(task: &Task, source: &Arc<Source>, shapes: &Shapes) -> Batch {
    let block = &task.block;
    let mut reader = Reader::new(shapes);
    let mut tally = Tally::default();
    let mut complete = block.fault.is_none();
    let text = str::from_utf8(&block.bytes).ok();
    for span in &block.spans {
        let offset = block.offset + span.start as u64;
        // A block with an invalid byte still has valid entities.
        let element = match text {
            Some(text) => text.get(span.clone()).ok_or(0),
            None => element(&block.bytes, span.clone()),
        };
        match element {
            Ok(element) => {
                let Err(refusal) = reader.read(element, task.file, offset) else {
                    continue;
                };
                complete &= refusal.tell(source, offset, &mut tally);
            }
            Err(at) => {
                complete = false;
                let message = || "an entity is not valid UTF-8".to_owned();
                let help = "save the file as UTF-8".to_owned();
                let label = label(source, offset + at as u64, "this byte");
                tally.add(SYNTAX, message, Some(help), [label]);
            }
        }
    }
    if let Some(fault) = &block.fault {
        let message = || format!("`{}` {}", source.name, fault.what);
        let label = label(source, fault.offset, "here");
        tally.add(SYNTAX, message, fault.help.map(str::to_owned), [label]);
    }
    Batch {
        store: reader.store,
        tally,
        complete,
    }
}

impl Refusal {
    /// Adds the finding for an entity at an offset of a file; returns whether its uid is known.
    fn tell(&self, source: &Arc<Source>, offset: u64, tally: &mut Tally) -> bool {
        let problem = &self.problem;
        let label = label(source, offset + self.at as u64, "this entity");
        let message = || problem.message(self.entity.as_deref().unwrap_or("an entity"));
        tally.add(problem.code.clone(), message, problem.help.clone(), [label]);
        self.entity.is_some()
    }
}

/// The text of an element, or the offset of its first invalid byte.
fn element(bytes: &[u8], span: Range<usize>) -> Result<&str, usize> {
    let bytes = bytes.get(span).unwrap_or_default();
    str::from_utf8(bytes).map_err(|error| error.valid_up_to())
}

/// A label on the byte at an offset.
pub(crate) fn label(source: &Arc<Source>, offset: u64, text: &str) -> Label {
    Label {
        place: Place {
            source: Arc::clone(source),
            start: offset,
            end: offset + 1,
        },
        text: text.to_owned(),
    }
}

/// The batches that have been joined so far.
struct Joined<'s> {
    sources: &'s [Arc<Source>],
    shapes: &'s Shapes,
    store: Store,
    defined: IndexVec<Row, MemberOrNone>,
    tally: Tally,
    complete: bool,
}

impl<'s> Joined<'s> {
    fn new(sources: &'s [Arc<Source>], shapes: &'s Shapes) -> Self {
        Self {
            sources,
            shapes,
            store: Store::default(),
            defined: IndexVec::new(),
            tally: Tally::default(),
            complete: true,
        }
    }

    fn join(&mut self, batch: Batch) {
        self.tally.append(batch.tally);
        self.complete &= batch.complete;
        let Self {
            sources,
            shapes,
            store,
            defined,
            tally,
            ..
        } = self;
        store.absorb(&batch.store, |store, member, slots| {
            defined
                .raw
                .resize(store.uids.len(), MemberOrNone::default());
            accept(store, defined, member, slots, |store, first| {
                let uid = store.uids.get(member.uid);
                let name = shapes.name(store.uids.type_of(member.uid));
                let labels =
                    [(first, "first here"), (&member, "and again here")].map(|(member, text)| {
                        let source = sources.get(member.file as usize)?;
                        Some(label(source, member.offset(), text))
                    });
                let message = || format!("{} stands twice", quoted(name, uid));
                let help = "keep one of the two".to_owned();
                tally.add(DUPLICATE, message, Some(help), labels.into_iter().flatten());
            });
        });
        defined
            .raw
            .resize(store.uids.len(), MemberOrNone::default());
    }

    fn loaded(self, contents: Vec<Content>) -> Loaded {
        let mut loaded = Loaded {
            store: Store::default(),
            defined: IndexVec::new(),
            sources: self.sources.to_vec(),
            identity: digest::of_all(&contents),
            contents,
            tally: self.tally,
            complete: self.complete,
            is_overlay: false,
        };
        loaded.put(self.store, self.defined);
        loaded
    }
}

impl Loaded {
    /// Puts entities in place of those that were read.
    pub(crate) fn put(&mut self, store: Store, defined: IndexVec<Row, MemberOrNone>) {
        if store.is_full() {
            self.complete = false;
            let help = "split the workspace".to_owned();
            let message = || "there are more entities than a directory can hold".to_owned();
            self.tally.add(TOO_LARGE, message, Some(help), []);
        }
        (self.store, self.defined) = (store, defined);
    }
}

/// Stores an entity, unless one with its uid is stored already; that one is passed to `twice`.
fn accept(
    store: &mut Store,
    defined: &mut IndexVec<Row, MemberOrNone>,
    member: EntityRow,
    slots: &[ValueRef],
    twice: impl FnOnce(&Store, &EntityRow),
) {
    let known = &mut defined[member.uid];
    match known
        .get()
        .and_then(|first| store.members.get(first.index()))
    {
        Some(first) => twice(store, first),
        None => *known = store.push(member, slots).into(),
    }
}
