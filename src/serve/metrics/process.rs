//! The metrics of the process, under the names that Prometheus clients share.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Seconds;
use crate::clock;

/// The resources that the process uses.
pub(super) struct ProcessMetrics {
    resident: Gauge,
    open_files: Gauge,
    cpu: Counter<f64, AtomicU64>,
}

impl ProcessMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let began = Seconds::default();
        began.set(clock::now().as_millisecond() as f64 / 1000.0);
        registry.register(
            "process_start_time_seconds",
            "When the process began",
            began,
        );
        let metrics = Self {
            resident: Gauge::default(),
            open_files: Gauge::default(),
            cpu: Counter::default(),
        };
        let Self {
            resident,
            open_files,
            cpu,
        } = &metrics;
        registry.register(
            "process_resident_memory_bytes",
            "Memory in use",
            resident.clone(),
        );
        registry.register(
            "process_open_fds",
            "Open files and connections",
            open_files.clone(),
        );
        registry.register(
            "process_cpu_seconds",
            "Time of processors so far",
            cpu.clone(),
        );
        metrics
    }

    /// Measures the process now. Only Linux has all of these values in files.
    pub(super) fn sample(&self) {
        #[cfg(target_os = "linux")]
        if let Some(seen) = linux::sample() {
            self.resident.set(seen.resident);
            self.open_files.set(seen.open_files);
            self.cpu
                .inner()
                .store(seen.cpu.to_bits(), Ordering::Relaxed);
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    //! The resources that the process uses, from `/proc` (`man 5 proc`).

    #![expect(
        clippy::disallowed_methods,
        reason = "these are files of the system about the process"
    )]

    use std::fs;

    /// The bytes of a page, and the clock ticks of a second, on every supported machine.
    const PAGE: i64 = 4096;
    const TICKS: f64 = 100.0;

    pub(super) struct Sample {
        pub(super) resident: i64,
        pub(super) open_files: i64,
        pub(super) cpu: f64,
    }

    pub(super) fn sample() -> Option<Sample> {
        let memory = fs::read_to_string("/proc/self/statm").ok()?;
        let pages: i64 = memory.split(' ').nth(1)?.parse().ok()?;
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // The program's name may hold any character, and ends at the last parenthesis.
        let (_, fields) = stat.rsplit_once(") ")?;
        let ticks = fields.split(' ').skip(11).take(2);
        let ticks: f64 = ticks.filter_map(|field| field.parse::<f64>().ok()).sum();
        let files = fs::read_dir("/proc/self/fd").ok()?.count();
        Some(Sample {
            resident: pages * PAGE,
            open_files: i64::try_from(files).ok()?,
            cpu: ticks / TICKS,
        })
    }
}
