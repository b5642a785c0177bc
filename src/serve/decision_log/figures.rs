//! The metrics of the decision log.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The numbers of written, lost and waiting records.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogFigures {
    records: Counter,
    lost: Counter,
    queue: Gauge,
}

impl LogFigures {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let figures = Self::default();
        registry.register(
            "tarbac_decision_log_records",
            "Records that were written into the decision log",
            figures.records.clone(),
        );
        registry.register(
            "tarbac_decision_log_lost",
            "Records that could not be written, of decisions that were given",
            figures.lost.clone(),
        );
        registry.register(
            "tarbac_decision_log_queue",
            "Records that wait to be written",
            figures.queue.clone(),
        );
        figures
    }

    /// Counts written records.
    pub(super) fn written(&self, records: usize) {
        self.records.inc_by(records as u64);
    }

    /// Counts lost records.
    pub(super) fn lost(&self, records: usize) {
        self.lost.inc_by(records as u64);
    }

    /// Counts records that enter the queue.
    pub(super) fn entered(&self, records: usize) {
        self.queue.inc_by(number(records));
    }

    /// Counts records that leave the queue.
    pub(super) fn left(&self, records: usize) {
        self.queue.dec_by(number(records));
    }
}

fn number(records: usize) -> i64 {
    i64::try_from(records).unwrap_or(i64::MAX)
}
