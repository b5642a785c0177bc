//! The reader of one page of an export.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_aux::serde_introspection::serde_introspect;
use serde_ignored::Path;
use serde_json::{Map, Value};
use thiserror::Error;

use super::text::{text, too_long};
use super::{RecordError, Unread};

/// The properties of a page other than its records.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Page {
    /// The address of the next page: `@odata.nextLink`.
    pub next: Option<String>,
    /// Whether the page is the answer of a service, with its records in `value`.
    pub is_answer: bool,
    /// Whether another answer follows one that does not link to it, as where a new export was added to an old file.
    pub is_appended: bool,
}

/// Reads a page, and calls `each` with its records, in order.
///
/// # Errors
/// The page cannot be read, has other records, or `each` refuses a record.
pub fn read<T: DeserializeOwned>(
    reader: impl Read,
    mut each: impl FnMut(T) -> Result<(), RecordError>,
) -> Result<Page, Unread> {
    let (unread_bytes, count) = (Cell::new(0), Cell::new(0));
    let mut json = serde_json::Deserializer::from_reader(text(reader, &unread_bytes)?);
    let mut each = |record| {
        unread_bytes.set(0);
        count.set(count.get() + 1);
        each(record)
    };
    let mut page = Page::default();
    if json.end().is_ok() {
        return Err(Unread::Text {
            message: "it is empty; where there is nothing, write []".to_owned(),
            line: 1,
            column: 1,
        });
    }
    // One record a line is a sequence of JSON values.
    while json.end().is_err() {
        let mut part = Page::default();
        let records = Records {
            each: &mut each,
            page: &mut part,
            record: PhantomData,
        };
        let read = records.deserialize(&mut json);
        read.map_err(|error| unread(error, count.get()))?;
        page.is_appended |= page.is_answer && part.is_answer && page.next.is_none();
        page.is_answer |= part.is_answer;
        // A page after one that links to it is the one that the link leads to.
        if part.is_answer || part.next.is_some() {
            page.next = part.next;
        }
    }
    Ok(page)
}

/// Reads a file with a single record.
///
/// # Errors
/// The file cannot be read, or does not have such a record.
pub fn read_one<T: DeserializeOwned>(reader: impl Read) -> Result<T, Unread> {
    let unread_bytes = Cell::new(0);
    let mut json = serde_json::Deserializer::from_reader(text(reader, &unread_bytes)?);
    let record = T::deserialize(&mut json).map_err(|error| unread(error, 0))?;
    json.end().map_err(|error| unread(error, 1))?;
    Ok(record)
}

/// The error of a page, after `count` records.
fn unread(error: serde_json::Error, count: usize) -> Unread {
    if error.is_io() {
        let error = io::Error::from(error);
        return Unread::Io(match error.kind() {
            io::ErrorKind::FileTooLarge => io::Error::new(error.kind(), too_long(count)),
            _ => error,
        });
    }
    let line = error.line();
    // At the end of a line the parser gives column 0.
    let column = error.column().max(1);
    if error.is_eof() {
        let message =
            "it ends in the middle: it was cut off, so export or copy it again".to_owned();
        return Unread::Text {
            message,
            line,
            column,
        };
    }
    let message = error.to_string();
    // The position is shown separately from the message.
    let place = format!(" at line {line} column {}", error.column());
    Unread::Text {
        message: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
        line,
        column,
    }
}

/// The deserializer of the records in a value, each of which is passed to `each`.
struct Records<'r, T, F> {
    each: &'r mut F,
    page: &'r mut Page,
    record: PhantomData<T>,
}

impl<'de, T: DeserializeOwned, F: FnMut(T) -> Result<(), RecordError>> DeserializeSeed<'de>
    for Records<'_, T, F>
{
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: DeserializeOwned, F: FnMut(T) -> Result<(), RecordError>> Visitor<'de>
    for Records<'_, T, F>
{
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a page of records: `{\"value\": […]}`, an array, or one record a line")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while let Some(record) = sequence.next_element_seed(Record(PhantomData))? {
            (self.each)(record).map_err(A::Error::custom)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut record = Map::new();
        let mut is_page = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "value" if is_page => return Err(A::Error::custom("`value` is there twice")),
                "value" => {
                    is_page = true;
                    self.page.is_answer = true;
                    map.next_value_seed(Records {
                        each: &mut *self.each,
                        page: &mut *self.page,
                        record: self.record,
                    })?;
                }
                // Only the answers of `$batch` have this property.
                "responses" if record.is_empty() => {
                    let answers: Vec<Answer> = map.next_value()?;
                    let body = only_body(answers).map_err(A::Error::custom)?;
                    is_page = true;
                    Records {
                        each: &mut *self.each,
                        page: &mut *self.page,
                        record: self.record,
                    }
                    .deserialize(body)
                    .map_err(A::Error::custom)?;
                }
                key if is_next_link(key) => {
                    let next: Option<String> = map.next_value()?;
                    self.page.next = next.filter(|address| !address.is_empty());
                }
                "@odata.deltaLink" => {
                    return Err(A::Error::custom(
                        "it is the answer of a delta query, which may list only what has changed; export the whole list",
                    ));
                }
                _ if is_page => drop(map.next_value::<IgnoredAny>()?),
                _ if record.contains_key(&key) => {
                    return Err(A::Error::custom(format!("`{key}` is there twice")));
                }
                _ => drop(record.insert(key, map.next_value::<Value>()?)),
            }
        }
        if let (false, Some(Value::Object(error))) = (is_page, record.get("error")) {
            let message = error
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or_default();
            return Err(A::Error::custom(format!(
                "it is no answer but an error of the service: {message}"
            )));
        }
        if !is_page {
            let record = Record(PhantomData).deserialize(Value::Object(record));
            let record = record.map_err(A::Error::custom)?;
            (self.each)(record).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// Whether a property of an answer has the address of the next page; older services write it without the at sign.
fn is_next_link(key: &str) -> bool {
    let key = key.strip_prefix('@').unwrap_or(key);
    key.eq_ignore_ascii_case("odata.nextLink")
}

/// The deserializer of a record. It fails at a property that is one of the record but for the case of letters, as
/// PowerShell writes what was selected by hand: the property itself would count as not asked for. It also fails at a
/// list of which only the first page is there.
struct Record<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Record<T> {
    type Value = T;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let mut wrong = None;
        let record = serde_ignored::deserialize(deserializer, |path| {
            if let Path::Map {
                parent: Path::Root,
                key,
            } = path
            {
                let names = serde_introspect::<T>().iter();
                let is_it = |name: &&&str| name.eq_ignore_ascii_case(&key);
                // Of the two ways in which some are read, the one of the service begins with a small letter.
                let name = names.filter(is_it).max();
                let goes_on = key
                    .split_once('@')
                    .is_some_and(|(list, annotation)| !list.is_empty() && is_next_link(annotation));
                let reason = match name {
                    Some(name) => Some(format!(
                        "`{key}` is `{name}` in other letters; write it as the service does"
                    )),
                    None => goes_on
                        .then(|| format!("a list goes on where `{key}` says; export it by itself")),
                };
                wrong = wrong.take().or(reason);
            }
        })?;
        match wrong {
            Some(reason) => Err(D::Error::custom(reason)),
            None => Ok(record),
        }
    }
}

/// One of the answers within an answer of `$batch`.
#[derive(Deserialize)]
#[serde(expecting = "an answer of $batch")]
struct Answer {
    status: u16,
    #[serde(default)]
    body: Value,
}

/// The reason why an answer of `$batch` is not a page.
#[derive(Debug, Error)]
enum BatchError {
    /// There are several answers; which request each belongs to is not stated.
    #[error(
        "it is what $batch answers to {0} requests at once; save the body of each answer in the file of its own request"
    )]
    Several(usize),
    #[error("it is what $batch answers, and its request failed with status {status}: {message}")]
    Failed { status: u16, message: String },
}

/// The body of the single answer within an answer of `$batch`.
fn only_body(answers: Vec<Answer>) -> Result<Value, BatchError> {
    let count = answers.len();
    let mut answers = answers.into_iter();
    let (Some(answer), None) = (answers.next(), answers.next()) else {
        return Err(BatchError::Several(count));
    };
    match answer.status {
        200..300 => Ok(answer.body),
        status => {
            let message = answer.body.pointer("/error/message");
            let message = message.and_then(Value::as_str);
            let message = message.unwrap_or("no reason is given").to_owned();
            Err(BatchError::Failed { status, message })
        }
    }
}

#[cfg(test)]
mod tests;
