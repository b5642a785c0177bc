//! Reads one page.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::marker::PhantomData;

use encoding_rs_io::DecodeReaderBytes;
use flate2::bufread::MultiGzDecoder;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value};
use thiserror::Error;

/// How gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What a page says beside its records.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Page {
    /// The address of the page that follows: `@odata.nextLink`.
    pub next: Option<String>,
}

/// Why a page cannot be read.
#[derive(Debug, Error)]
pub enum Unread {
    /// The bytes cannot be had: among others, a gzip file that was cut off.
    #[error("{0}")]
    Io(io::Error),
    /// It is not what it should be.
    #[error("{message}")]
    Json {
        /// What is wrong.
        message: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
}

/// Reads a page and hands on its records, in order.
///
/// # Errors
/// It cannot be read, or is no page of such records.
pub fn read<T: DeserializeOwned>(
    reader: impl Read,
    mut each: impl FnMut(T),
) -> Result<Page, Unread> {
    let mut reader = BufReader::new(reader);
    let is_gzip = reader.fill_buf().map_err(Unread::Io)?.starts_with(&GZIP);
    let plain: Box<dyn Read + '_> = match is_gzip {
        true => Box::new(MultiGzDecoder::new(reader)),
        false => Box::new(reader),
    };
    let text = BufReader::new(DecodeReaderBytes::new(plain));
    let mut json = serde_json::Deserializer::from_reader(text);
    let mut page = Page::default();
    let mut is_first = true;
    // One record a line is one value after the other.
    while is_first || json.end().is_err() {
        is_first = false;
        let records = Records {
            each: &mut each,
            page: &mut page,
            record: PhantomData,
        };
        records.deserialize(&mut json).map_err(unread)?;
    }
    Ok(page)
}

fn unread(error: serde_json::Error) -> Unread {
    if error.is_io() {
        return Unread::Io(error.into());
    }
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    // Where it is stands apart from what is wrong.
    let place = format!(" at line {line} column {column}");
    Unread::Json {
        message: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
        line,
        column,
    }
}

/// The records of a value.
struct Records<'r, T, F> {
    each: &'r mut F,
    page: &'r mut Page,
    record: PhantomData<T>,
}

impl<'de, T: DeserializeOwned, F: FnMut(T)> DeserializeSeed<'de> for Records<'_, T, F> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: DeserializeOwned, F: FnMut(T)> Visitor<'de> for Records<'_, T, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a page of records: `{\"value\": […]}`, an array, or one record a line")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while let Some(record) = sequence.next_element::<T>()? {
            (self.each)(record);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut record = Map::new();
        let mut is_page = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "value" => {
                    is_page = true;
                    map.next_value_seed(Records {
                        each: &mut *self.each,
                        page: &mut *self.page,
                        record: self.record,
                    })?;
                }
                "@odata.nextLink" => self.page.next = map.next_value()?,
                _ if is_page => drop(map.next_value::<IgnoredAny>()?),
                _ => drop(record.insert(key, map.next_value::<Value>()?)),
            }
        }
        if !is_page {
            let record = T::deserialize(Value::Object(record)).map_err(A::Error::custom)?;
            (self.each)(record);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
