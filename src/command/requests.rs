//! `tarbac check --requests`: a request a line in, an answer a line out.
//!
//! One line is held at a time, and of a line that is too long only that it was.

#![expect(clippy::disallowed_methods, reason = "the shell opens files")]

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use cedar_policy::{Context, EntityUid};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use tarbac::decision::Outcome;
use tarbac::json::Strict;
use tarbac::names::{Name, Names};
use tarbac::{Answer, Decision, Engine, Request, render};

use super::output::Output;
use super::{Exit, Failure, ShellError};

/// The longest line that is read, in bytes.
const LONGEST: usize = 1024 * 1024;

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    principal: Named,
    action: Named,
    resource: Named,
    context: Option<Strict>,
}

#[derive(Debug)]
struct Named(Name);

pub fn run(engine: &Engine, path: &Path, output: &mut Output) -> Result<Exit, Failure> {
    let failed = |error| ShellError::file("read", path, error);
    let mut lines = Lines::new(open(path).map_err(failed)?);
    let mut answerer = Answerer::new(engine);
    let mut exit = Exit::Yes;
    while let Some(line) = lines.next().map_err(failed)? {
        let answer = line
            .and_then(|line| answerer.answer(line))
            .unwrap_or_else(bad_line);
        if answer.outcome.decision == Decision::Indeterminate {
            exit = Exit::Unanswered;
        }
        output.write(&render::answer::line(&answer, engine.readings()))?;
        // Whoever sends one line and waits for its answer is not kept waiting.
        if lines.is_drained() {
            output.flush()?;
        }
    }
    Ok(exit)
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path)?;
    match file.metadata()?.is_dir() {
        true => Err(io::Error::other("it is a folder where a file is expected")),
        false => Ok(Box::new(file)),
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

/// Answers line after line.
struct Answerer<'a> {
    engine: &'a Engine,
    names: Names<'a>,
    /// What a request without a context has, by action.
    empty: HashMap<EntityUid, Result<Context, String>>,
}

impl<'a> Answerer<'a> {
    fn new(engine: &'a Engine) -> Self {
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
            names: Names::of(engine).indexed(),
            empty,
        }
    }

    fn answer(&mut self, line: &[u8]) -> Result<Answer, String> {
        Ok(self.engine.answer(&self.request(line)?))
    }

    fn request(&self, line: &[u8]) -> Result<Request, String> {
        match line.trim_ascii_start().first() {
            Some(b'{') => {}
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
            Some(Strict(json)) => self.engine.context(&action.uid, json),
            None => self
                .empty
                .get(&action.uid)
                .cloned()
                .unwrap_or_else(|| Ok(Context::empty())),
        };
        Ok(Request {
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
        })
    }
}

/// The error without its line: each line is a text of its own, and its answer stands in its place.
fn at_column(error: &serde_json::Error) -> String {
    error
        .to_string()
        .replace(" at line 1 column ", " at column ")
}

/// The lines of a stream.
struct Lines {
    reader: BufReader<Box<dyn Read>>,
    line: Vec<u8>,
    is_first: bool,
}

impl Lines {
    fn new(stream: Box<dyn Read>) -> Self {
        Self {
            reader: BufReader::with_capacity(64 * 1024, stream),
            line: Vec::new(),
            is_first: true,
        }
    }

    /// The next line without its end, or what is wrong with it.
    fn next(&mut self) -> io::Result<Option<Result<&[u8], String>>> {
        self.line.clear();
        let limit = LONGEST as u64 + 1;
        let read = self
            .reader
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        if self.line.last() != Some(&b'\n') && self.line.len() > LONGEST {
            self.skip_rest()?;
            self.is_first = false;
            return Ok(Some(Err(format!(
                "the line is longer than {LONGEST} bytes"
            ))));
        }
        let mut line = self.line.as_slice();
        if std::mem::take(&mut self.is_first) {
            line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        }
        line = line.strip_suffix(b"\n").unwrap_or(line);
        line = line.strip_suffix(b"\r").unwrap_or(line);
        Ok(Some(Ok(line)))
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

    /// Whether the next line has to be waited for.
    fn is_drained(&self) -> bool {
        self.reader.buffer().is_empty()
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
