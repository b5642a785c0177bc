//! The clock of the machine.

#![expect(clippy::disallowed_methods, reason = "the shell looks at the clock")]

use jiff::Timestamp;

/// The present time.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The present time in the format of Cedar's `datetime`, with milliseconds.
pub(crate) fn datetime() -> String {
    format!("{:.3}", now())
}
