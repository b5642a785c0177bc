//! Durations and sizes, as arguments have them.

use std::time::Duration;

use jiff::SignedDuration;
use thiserror::Error;

/// A text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a duration is like 500ms, 30s, 5m or 1h")]
pub(crate) struct NoDuration;

/// A text is no interval.
#[cfg(feature = "collect")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an interval is a duration like 30m or 1h, and not zero")]
pub(crate) struct NoInterval;

/// A text is no size.
#[cfg(feature = "serve")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a size is a number of bytes, or like 512KiB or 4MiB")]
pub(crate) struct NoSize;

/// A duration of nothing or more.
pub(crate) fn duration(text: &str) -> Result<Duration, NoDuration> {
    let duration: SignedDuration = text.parse().map_err(|_| NoDuration)?;
    Duration::try_from(duration).map_err(|_| NoDuration)
}

/// A duration of some length.
#[cfg(feature = "collect")]
pub(crate) fn interval(text: &str) -> Result<Duration, NoInterval> {
    let duration = duration(text).ok().filter(|duration| !duration.is_zero());
    duration.ok_or(NoInterval)
}

/// A number of bytes.
#[cfg(feature = "serve")]
pub(crate) fn bytes(text: &str) -> Result<usize, NoSize> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return Err(NoSize),
    };
    let count: usize = digits.trim_end().parse().map_err(|_| NoSize)?;
    count.checked_mul(unit).ok_or(NoSize)
}
