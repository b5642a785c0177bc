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

/// A point on a monotonic clock.
pub(crate) fn instant() -> Instant {
    Instant::now()
}
