//! `tarbac check --requests`: a request a line in, an answer a line out.
//!
//! The lines that are there are answered together, on as many processors as are wanted, and written in their
//! order; no line waits for one that is not there yet. No more is held than what is read at once, and of a line
//! that is too long only its beginning.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use cedar_policy::{Context, EntityUid};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use tarbac_analysis::bulk::decider::Decider;
use tarbac_analysis::change::what_if::Premises;
use tarbac_host::decision::Outcome;
use tarbac_host::engine::Undecidable;
use tarbac_host::json::StrictJson;
use tarbac_host::lookup::{Lookup, Name};
use tarbac_host::workspace::regular;
use tarbac_host::{Answer, Decision, Engine, Request};
use tarbac_report::answer;

use super::output::Output;
use super::{Exit, Failure, ShellError};
use crate::cli::AnswerKind;

/// The longest line that is read, in bytes.
const LONGEST: usize = 1024 * 1024;

/// What some programs write before the first line.
const MARK: &str = "\u{feff}";

/// How much is read at once, in bytes: what is answered together.
const BUFFER: usize = 64 * 1024;

/// The stack of each thread, in bytes: that of a main thread, so that all answer alike.
const STACK: usize = 8 * 1024 * 1024;

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: Option<Id>,
    principal: Named,
    action: Named,
    resource: Named,
    context: Option<StrictJson>,
}

/// What a program calls a request: a string or a number of JSON, as it is written.
#[derive(Debug)]
struct Id(Box<RawValue>);

#[derive(Debug)]
struct Named(Name);

/// What is written of one line.
struct Answered {
    text: String,
    decision: Decision,
}

/// Answers the requests of a file, or of standard input.
pub fn run(
    engine: &Engine,
    premises: &Premises,
    path: &Path,
    (kind, jobs): (AnswerKind, Option<NonZeroUsize>),
    output: &mut Output,
) -> Result<Exit, Failure> {
    let failed = |error| ShellError::file("read", path, error);
    let mut lines = Lines::new(open(path).map_err(failed)?);
    let answerer = Answerer::new(engine, premises, kind);
    let pool = pool(jobs)?;
    let mut exit = Exit::Yes;
    loop {
        let batch = lines.batch().map_err(failed)?;
        let answers: Vec<Answered> = match (batch.as_slice(), &pool) {
            ([], _) => return Ok(exit),
            ([only], _) => vec![answerer.answer(only)],
            (batch, None) => batch.iter().map(|line| answerer.answer(line)).collect(),
            (batch, Some(pool)) => pool.install(|| {
                let answers = batch.par_iter().map(|line| answerer.answer(line));
                answers.collect()
            }),
        };
        for answer in answers {
            if answer.decision == Decision::Indeterminate {
                exit = Exit::Unanswered;
            }
            output.write(&answer.text)?;
        }
        // Whoever sends some lines and waits for their answers is not kept waiting.
        output.flush()?;
    }
}

/// The threads that answer; none where one does.
fn pool(wanted: Option<NonZeroUsize>) -> Result<Option<ThreadPool>, ShellError> {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = wanted.map_or_else(processors, usize::from);
    if jobs == 1 {
        return Ok(None);
    }
    let builder = ThreadPoolBuilder::new().num_threads(jobs);
    match (builder.stack_size(STACK).build(), wanted) {
        (Ok(pool), _) => Ok(Some(pool)),
        // Where nobody asks for more, one will do.
        (Err(_), None) => Ok(None),
        (Err(error), Some(_)) => Err(ShellError::Arguments {
            message: format!("{jobs} threads cannot be started: {error}"),
            help: Some("ask for fewer with --jobs".to_owned()),
        }),
    }
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(regular::open(path)?))
}

/// Answers lines.
struct Answerer<'a> {
    engine: &'a Engine,
    /// Where the decision alone is asked for.
    decider: Option<Decider<&'a Engine>>,
    premises: &'a Premises,
    names: Lookup<'a>,
    /// What a request without a context has, by action.
    empty: HashMap<EntityUid, Result<Context, Undecidable>>,
}

impl<'a> Answerer<'a> {
    fn new(engine: &'a Engine, premises: &'a Premises, kind: AnswerKind) -> Self {
        let empty = engine
            .bundle()
            .vocabulary()
            .permissions()
            .map(|action| {
                (
                    action.uid.clone(),
                    engine.context(&action.uid, serde_json::json!({})),
                )
            })
            .collect();
        Self {
            engine,
            decider: match kind {
                AnswerKind::Full => None,
                AnswerKind::Decision => Some(Decider::new(engine)),
            },
            premises,
            names: Lookup::of(engine).indexed(),
            empty,
        }
    }

    fn answer(&self, line: &ReadLine) -> Answered {
        let request = match line {
            ReadLine::Whole(line) => self.request(line),
            ReadLine::TooLong(_) => Err(format!("the line is longer than {LONGEST} bytes")),
        };
        let (id, request) = match request {
            Ok((id, request)) => (id, Ok(request)),
            Err(error) => (id_of(line.text()), Err(error)),
        };
        let id = id.as_ref().map(|Id(raw)| raw.as_ref());
        match &self.decider {
            None => {
                let answer = match request {
                    Ok(request) => self.engine.answer(&request),
                    Err(error) => bad_line(error),
                };
                Answered {
                    text: answer::line(id, &answer, self.engine, self.premises),
                    decision: answer.outcome.decision,
                }
            }
            Some(decider) => {
                let outcome = match request {
                    Ok(request) => decider.decide(&request),
                    Err(error) => Arc::new(Outcome::indeterminate([error])),
                };
                Answered {
                    text: answer::decision_line(id, &outcome, self.engine, self.premises),
                    decision: outcome.decision,
                }
            }
        }
    }

    fn request(&self, line: &[u8]) -> Result<(Option<Id>, Request), String> {
        match line.trim_ascii_start().first() {
            Some(b'{') => {}
            Some(0xff | 0xfe) => {
                return Err("the file is UTF-16; save it as UTF-8".to_owned());
            }
            Some(_) => return Err("the line is not a JSON object".to_owned()),
            None => return Err("the line is empty".to_owned()),
        }
        let line: Line = serde_json::from_slice(line)
            .map_err(|error| format!("the line is not a request: {}", at_column(&error)))?;
        let action = self
            .names
            .action(&line.action.0)
            .map_err(|error| error.to_string())?;
        let context = match line.context {
            Some(StrictJson(json)) => self.engine.context(&action.uid, json),
            None => self
                .empty
                .get(&action.uid)
                .cloned()
                .unwrap_or_else(|| Ok(Context::empty())),
        };
        let request = Request {
            principal: self
                .names
                .principal(action, &line.principal.0)
                .map_err(|error| error.to_string())?,
            resource: self
                .names
                .resource(action, &line.resource.0)
                .map_err(|error| error.to_string())?,
            action: action.uid.clone(),
            context: context
                .map_err(|error| format!("the context does not conform to the schema: {error}"))?,
        };
        Ok((line.id, request))
    }
}

fn bad_line(error: String) -> Answer {
    Answer {
        outcome: Outcome::indeterminate(vec![error]),
        authority: None,
        refusals: Vec::new(),
        notices: Vec::new(),
    }
}

/// The id of a line that is no request, where it has one before whatever cannot be read.
fn id_of(line: &[u8]) -> Option<Id> {
    let mut found = None;
    let mut line = serde_json::Deserializer::from_slice(line);
    // What is wrong with the line is said already.
    let _ = line.deserialize_map(IdVisitor(&mut found));
    found
}

/// The error without its line: each line is a text of its own, and its answer stands in its place.
fn at_column(error: &serde_json::Error) -> String {
    error
        .to_string()
        .replace(" at line 1 column ", " at column ")
}

/// A line without its end.
enum ReadLine {
    Whole(Vec<u8>),
    /// How it begins.
    TooLong(Vec<u8>),
}

impl ReadLine {
    fn text(&self) -> &[u8] {
        match self {
            Self::Whole(text) | Self::TooLong(text) => text,
        }
    }
}

/// The lines of a stream.
struct Lines {
    reader: BufReader<Box<dyn Read>>,
    is_first: bool,
}

impl Lines {
    fn new(stream: Box<dyn Read>) -> Self {
        Self {
            reader: BufReader::with_capacity(BUFFER, stream),
            is_first: true,
        }
    }

    /// The next line and those that have been read with it; none at the end.
    fn batch(&mut self) -> io::Result<Vec<ReadLine>> {
        let mut batch = Vec::new();
        while batch.is_empty() || self.reader.buffer().contains(&b'\n') {
            match self.next()? {
                Some(line) => batch.push(line),
                None => break,
            }
        }
        Ok(batch)
    }

    fn next(&mut self) -> io::Result<Option<ReadLine>> {
        let mut line = Vec::new();
        let limit = LONGEST as u64 + 1;
        let read = self
            .reader
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        if std::mem::take(&mut self.is_first) && line.starts_with(MARK.as_bytes()) {
            line.drain(..MARK.len());
        }
        if line.last() != Some(&b'\n') && read > LONGEST {
            self.skip_rest()?;
            return Ok(Some(ReadLine::TooLong(line)));
        }
        for end in [b'\n', b'\r'] {
            if line.last() == Some(&end) {
                line.pop();
            }
        }
        Ok(Some(ReadLine::Whole(line)))
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |index| index + 1);
            self.reader.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let is_id = match raw.get().as_bytes() {
            [b'"', ..] => serde_json::from_str::<String>(raw.get()).is_ok(),
            [b'-' | b'0'..=b'9', ..] => true,
            _ => false,
        };
        match is_id {
            true => Ok(Self(raw)),
            false => Err(D::Error::custom("an id is a string or a number")),
        }
    }
}

/// Keeps the one id of an object.
struct IdVisitor<'a>(&'a mut Option<Id>);

impl<'de> Visitor<'de> for IdVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut is_there = false;
        while let Some(key) = map.next_key::<String>()? {
            if key != "id" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            *self.0 = None;
            // Of two ids neither is that of the line.
            if is_there {
                break;
            }
            is_there = true;
            *self.0 = map.next_value()?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamedVisitor).map(Self)
    }
}

struct NamedVisitor;

impl<'de> Visitor<'de> for NamedVisitor {
    type Value = Name;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a name, or an object with type and id")
    }

    fn visit_str<E>(self, text: &str) -> Result<Name, E> {
        Ok(Name::from(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Name, A::Error> {
        let (mut type_name, mut id) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            let field: &mut Option<String> = match key.as_str() {
                "type" => &mut type_name,
                "id" => &mut id,
                other => return Err(A::Error::unknown_field(other, &["type", "id"])),
            };
            if field.replace(map.next_value()?).is_some() {
                return Err(A::Error::custom(format!("duplicate field `{key}`")));
            }
        }
        Ok(Name::Uid {
            type_name: type_name.ok_or_else(|| A::Error::missing_field("type"))?,
            id: id.ok_or_else(|| A::Error::missing_field("id"))?,
        })
    }
}
