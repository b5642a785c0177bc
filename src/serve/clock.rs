//! The clock of the server: the one place that asks for the time.

#![expect(
    clippy::disallowed_methods,
    reason = "a server knows what time it is, and how long it took"
)]

use std::time::Instant;

use jiff::Timestamp;

/// The time of day.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The time of day in the format of Cedar's `datetime`, with milliseconds.
pub(crate) fn datetime() -> String {
    format!("{:.3}", now())
}

/// A point on a monotonic clock.
pub(crate) fn instant() -> Instant {
    Instant::now()
}
