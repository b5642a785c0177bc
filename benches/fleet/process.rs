//! Processes that are measured.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often one looks at a process.
const GLANCE: Duration = Duration::from_millis(2);

/// What a process took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    pub seconds: f64,
    /// The peak of its resident memory in MiB, where the system tells.
    pub mebibytes: f64,
}

/// Runs the program, which has to go well.
pub fn timed(arguments: &[&str]) -> Took {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tarbac"))
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut mebibytes = f64::NAN;
    let status = loop {
        // A process that has ended has no memory any more.
        mebibytes = peak(child.id()).unwrap_or(mebibytes);
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => thread::sleep(GLANCE),
        }
    };
    assert!(status.success(), "{arguments:?}");
    Took {
        seconds: start.elapsed().as_secs_f64(),
        mebibytes,
    }
}

/// The peak of the resident memory of a process in MiB.
pub fn peak(process: u32) -> Option<f64> {
    figure(process, "VmHWM:")
}

/// The resident memory of a process in MiB.
pub fn resident(process: u32) -> Option<f64> {
    figure(process, "VmRSS:")
}

fn figure(process: u32, name: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
