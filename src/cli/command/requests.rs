//! `tarbac check --requests`: a request a line in, an answer a line out.
//!
//! The lines in the buffer are answered together, on several processors, and written in order. No line waits for later
//! input. Memory holds one buffer of input, and only the beginning of a line that is too long.

mod line;
mod lines;

use std::collections::HashMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use cedar_policy::{Context, EntityUid};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tarbac_analysis::bulk::decider::Decider;
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::inquiry::timed;
use tarbac_host::decision::Outcome;
use tarbac_host::engine::Undecidable;
use tarbac_host::json::StrictJson;
use tarbac_host::lookup::Lookup;
use tarbac_host::workspace::regular;
use tarbac_host::{Answer, Decision, Engine, Request};
use tarbac_report::answer;

use self::line::{Id, Line, LineError, id_of};
use self::lines::{Lines, ReadLine};
use super::check::AnswerKind;
use crate::clock;
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::Output;

/// The stack of each thread, in bytes: that of a main thread, so that answers do not depend on the thread.
const STACK: usize = 8 * 1024 * 1024;

/// The answer to one line.
struct LineAnswer {
    text: String,
    decision: Decision,
}

/// Answers the requests of a file, or of standard input.
pub(crate) fn run(
    engine: &Engine,
    premises: &Premises,
    path: &Path,
    (kind, jobs): (AnswerKind, Option<NonZeroUsize>),
    output: &mut Output,
) -> Result<Exit, Failure> {
    let failed = |error| ShellError::file("read", path, error);
    let mut lines = Lines::new(open(path).map_err(failed)?);
    let answerer = LineAnswerer::new(engine, premises, kind);
    let pool = pool(jobs)?;
    let mut exit = Exit::Yes;
    loop {
        let batch = lines.batch().map_err(failed)?;
        let answers: Vec<LineAnswer> = match (batch.as_slice(), &pool) {
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
        // A program may wait for these answers before it sends more.
        output.flush()?;
    }
}

/// The threads that answer; `None` for one thread.
fn pool(wanted: Option<NonZeroUsize>) -> Result<Option<ThreadPool>, ShellError> {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = wanted.map_or_else(processors, usize::from);
    if jobs == 1 {
        return Ok(None);
    }
    let builder = ThreadPoolBuilder::new().num_threads(jobs);
    match (builder.stack_size(STACK).build(), wanted) {
        (Ok(pool), _) => Ok(Some(pool)),
        // Without --jobs, one thread is enough.
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

/// The answers of an engine to lines.
struct LineAnswerer<'a> {
    engine: &'a Engine,
    /// Where the decision alone is asked for.
    decider: Option<Decider<&'a Engine>>,
    premises: &'a Premises,
    names: Lookup<'a>,
    /// The context of each action where a line gives none and the time does not matter: where the decision alone is
    /// asked for, and no policy reads the context.
    empty: HashMap<EntityUid, Result<Context, Undecidable>>,
}

impl<'a> LineAnswerer<'a> {
    fn new(engine: &'a Engine, premises: &'a Premises, kind: AnswerKind) -> Self {
        let empty = engine
            .bundle()
            .vocabulary()
            .permissions()
            .filter(|action| kind == AnswerKind::Decision && !engine.reads_context(action))
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
            names: Lookup::new(engine).indexed(),
            empty,
        }
    }

    fn answer(&self, line: &ReadLine) -> LineAnswer {
        let request = match line {
            ReadLine::Whole(line) => self.request(line),
            ReadLine::TooLong(_) => Err(LineError::TooLong),
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
                    Err(error) => bad_line(&error),
                };
                LineAnswer {
                    text: answer::line(id, &answer, self.engine, self.premises),
                    decision: answer.outcome.decision,
                }
            }
            Some(decider) => {
                let outcome = match request {
                    Ok(request) => decider.decide(&request),
                    Err(error) => Arc::new(Outcome::indeterminate([error.to_string()])),
                };
                LineAnswer {
                    text: answer::decision_line(id, &outcome, self.engine, self.premises),
                    decision: outcome.decision,
                }
            }
        }
    }

    fn request(&self, line: &[u8]) -> Result<(Option<Id>, Request), LineError> {
        let line = Line::parse(line)?;
        let action = self.names.action(&line.action.0)?;
        let context = match (line.context, self.empty.get(&action.uid)) {
            (None, Some(empty)) => empty.clone(),
            (given, _) => {
                let json = given.map_or_else(|| serde_json::json!({}), |StrictJson(json)| json);
                let json = timed(self.engine, &action.uid, json, &clock::datetime());
                self.engine.context(&action.uid, json)
            }
        };
        let request = Request {
            principal: self.names.principal(action, &line.principal.0)?,
            resource: self.names.resource(action, &line.resource.0)?,
            action: action.uid.clone(),
            context: context?,
        };
        Ok((line.id, request))
    }
}

fn bad_line(error: &LineError) -> Answer {
    Answer {
        outcome: Outcome::indeterminate([error.to_string()]),
        authority: None,
        refusals: Vec::new(),
        notices: Vec::new(),
    }
}
