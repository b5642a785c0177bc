//! Strict YAML, with the places of values.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_saphyr::{DuplicateKeyPolicy, Error, Location};

use tarbac_diagnostic::source::{Place, Source};

/// Reads a YAML file without duplicate keys; only `true` and `false` are Booleans.
pub fn read<T: DeserializeOwned>(source: &Source) -> Result<T, Error> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        with_snippet: false,
        strict_booleans: true,
        // A suite may have many thousands of generated cases.
        budget: serde_saphyr::budget! { max_events: 10_000_000, max_nodes: 10_000_000 },
    };
    serde_saphyr::from_str_with_options(source.text(), options)
}

/// The place of a value in a YAML file.
pub fn place(source: &Arc<Source>, location: Location) -> Place {
    let span = location.span();
    let start = match span.byte_offset().and_then(|at| usize::try_from(at).ok()) {
        Some(start) => start,
        None => byte_at(source.text(), location.line(), location.column()),
    };
    let length = usize::try_from(span.byte_len().unwrap_or(1)).unwrap_or_default();
    Place::new(source, start..start + length)
}

/// The offset of a line and a column in characters, both counted from 1.
fn byte_at(text: &str, line: u64, column: u64) -> usize {
    let counted = |from_one: u64| usize::try_from(from_one.saturating_sub(1)).unwrap_or_default();
    let before: usize = text
        .split_inclusive('\n')
        .take(counted(line))
        .map(str::len)
        .sum();
    let rest = text.get(before..).unwrap_or_default();
    let within = rest
        .char_indices()
        .nth(counted(column))
        .map_or(rest.len(), |(at, _)| at);
    before + within
}
