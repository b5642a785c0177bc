//! Standard output and standard error.

#![expect(
    clippy::disallowed_methods,
    reason = "whether to colour is up to the environment"
)]

use std::collections::BTreeSet;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use clap::ColorChoice;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::printable;
use tarbac_host::decision::Provenance;
use tarbac_report::Style;

use crate::failure::Failure;
use crate::product;

/// The most unread files that a note names.
const LISTED: usize = 3;

/// The interval at which a spinner moves.
const TICK: Duration = Duration::from_millis(100);

/// The options of the streams, which hold for the whole run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutputOptions {
    /// Whether notes and progress are left out.
    pub quiet: bool,
    /// The option `--color`.
    pub color: ColorChoice,
}

static OPTIONS: OnceLock<OutputOptions> = OnceLock::new();

impl OutputOptions {
    /// Sets the options of this run. The first call counts.
    pub(crate) fn set(self) {
        let _ = OPTIONS.set(self);
    }

    /// The options of this run.
    fn current() -> Self {
        OPTIONS.get().copied().unwrap_or(Self {
            quiet: false,
            color: ColorChoice::Auto,
        })
    }
}

/// Standard output, buffered: for the answer, or for a report while the answer goes to standard error.
#[derive(Debug)]
pub(crate) struct Output {
    stream: BufWriter<StdoutLock<'static>>,
    style: Style,
    is_terminal: bool,
    /// Whether a report goes to standard output, and hence the answer to standard error.
    is_for_report: bool,
    /// Whether the answer is laid out without colours and coloured when it is written.
    is_laid_out: bool,
    /// A JSON object whose fields each row begins with.
    stamp: Option<String>,
}

impl Output {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        Self {
            stream: BufWriter::with_capacity(64 * 1024, stdout.lock()),
            style: style(is_terminal),
            is_terminal,
            is_for_report: false,
            is_laid_out: false,
            stamp: None,
        }
    }

    /// From here on, rows begin with the fields of a JSON object.
    #[cfg(feature = "fleet")]
    pub(crate) fn stamp(&mut self, stamp: Option<String>) {
        self.stamp = stamp;
    }

    /// Reserves standard output for a report: from here on, the answer goes to standard error.
    pub(crate) fn reserve_for_report(&mut self) {
        self.is_terminal = io::stderr().is_terminal();
        self.style = style(self.is_terminal);
        self.is_for_report = true;
    }

    /// From here on, colours the answer when it is written; it is laid out without colours.
    pub(crate) fn colour(&mut self) {
        self.is_laid_out = true;
    }

    /// The style of the answer.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// The columns of the terminal; `None` where the answer goes elsewhere and `COLUMNS` is not set.
    pub(crate) fn width(&self) -> Option<usize> {
        self.style.columns
    }

    /// Writes a part of the answer. Characters and commands that a terminal or a runner would obey are replaced.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), Failure> {
        if self.is_laid_out && self.style.colour {
            let text = self.style.coloured(&printable::answer(text, false));
            return self.write_verbatim(&text);
        }
        if self.is_for_report {
            say(text);
            return Ok(());
        }
        self.write_verbatim(&printable::answer(text, self.style.colour))
    }

    /// Writes a part of the answer in lines that fit the terminal.
    pub(crate) fn write_fitted(&mut self, text: &str) -> Result<(), Failure> {
        self.write(&self.style.fitted(text))
    }

    /// Writes lines of the answer, one after the other.
    pub(crate) fn write_lines(
        &mut self,
        lines: impl Iterator<Item = String>,
    ) -> Result<(), Failure> {
        for line in lines {
            match &self.stamp {
                Some(stamp) => self.write(&stamped(stamp, &line))?,
                None => self.write(&line)?,
            }
        }
        Ok(())
    }

    /// Writes an answer in CSV.
    pub(crate) fn write_sheet(
        &mut self,
        sheet: Result<String, impl Into<io::Error>>,
    ) -> Result<(), Failure> {
        self.write(&sheet.map_err(|error| Failure::Output(error.into()))?)
    }

    /// Writes a report to standard output. Characters that a terminal would obey are replaced.
    pub(crate) fn write_report(&mut self, text: &str) -> Result<(), Failure> {
        self.write_verbatim(&printable::answer(text, false))
    }

    /// Writes the text of a file to standard output, unchanged.
    pub(crate) fn write_verbatim(&mut self, text: &str) -> Result<(), Failure> {
        if product::is_output_closed() && !text.is_empty() {
            let error = io::Error::other("standard output is closed");
            return Err(Failure::Output(error));
        }
        self.stream
            .write_all(text.as_bytes())
            .map_err(Failure::Output)
    }

    /// Writes the part of the answer that is still buffered.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.stream.flush().map_err(Failure::Output)
    }

    /// Clears the terminal, if the answer goes to one.
    #[cfg(feature = "watch")]
    pub(crate) fn clear(&mut self) -> Result<(), Failure> {
        match self.is_terminal {
            true => self.write_verbatim("\u{1b}[2J\u{1b}[H"),
            false => Ok(()),
        }
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// The style of standard error.
pub(crate) fn error_style() -> Style {
    style(io::stderr().is_terminal())
}

/// Writes to standard error. A failure is ignored: there is no place to report it.
pub(crate) fn say(text: &str) {
    let text = printable::answer(text, error_style().colour);
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Writes a note, which is neither answer nor error, to standard error, unless `--quiet` is given.
pub(crate) fn note(text: &str) {
    if !OutputOptions::current().quiet {
        say(text);
    }
}

/// Writes a finding as a note beside an answer.
pub(crate) fn warning(finding: &Finding) {
    let help = finding.help.as_deref().unwrap_or_default();
    note(&format!("note: {}: {help}\n", finding.message));
}

/// Notes the unread and the missing files of a workspace, each once in a run: a forbid in them does not apply.
pub(crate) fn note_unread_files(provenance: &Provenance) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let names = provenance.not_read.iter();
    let names: Vec<&String> = names.filter(|name| told.insert((*name).clone())).collect();
    let (missing, not_read): (Vec<&String>, Vec<&String>) = names
        .into_iter()
        .partition(|name| provenance.missing.contains(name));
    for (names, [one, several]) in [
        (not_read, ["this is not read", "files are not read"]),
        (missing, ["this is missing", "files are missing"]),
    ] {
        let listed = names.iter().take(LISTED);
        let listed = listed.map(|name| name.as_str()).collect::<Vec<_>>();
        let listed = listed.join(", ");
        match names.len() {
            0 => {}
            count if count <= LISTED => note(&format!("note: {one}: {listed}\n")),
            count => note(&format!("note: {count} {several}, such as {listed}\n")),
        }
    }
}

/// A progress bar on standard error; hidden where that is no terminal.
pub(crate) fn progress(what: &'static str) -> ProgressBar {
    progress_of(what, "{msg} {wide_bar} {pos}/{len}")
}

/// Runs work with a progress bar; the work calls the counter with what is done and the whole.
pub(crate) fn with_progress<T>(
    what: &'static str,
    work: impl FnOnce(&(dyn Fn(usize, usize) + Sync)) -> T,
) -> T {
    let bar = progress(what);
    let result = work(&|done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    result
}

/// A progress bar that counts bytes.
pub(crate) fn bytes(what: &'static str) -> ProgressBar {
    progress_of(what, "{msg} {wide_bar} {bytes}/{total_bytes}, {eta} left")
}

fn progress_of(what: &'static str, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template);
    bar(ProgressBar::new(0))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what)
}

/// A spinner, for work of unknown length.
pub(crate) fn waiting(what: &'static str) -> ProgressBar {
    let bar = bar(ProgressBar::new_spinner()).with_message(what);
    bar.enable_steady_tick(TICK);
    bar
}

fn bar(shown: ProgressBar) -> ProgressBar {
    if OutputOptions::current().quiet {
        shown.set_draw_target(ProgressDrawTarget::hidden());
    }
    shown
}

/// A progress bar for looking up the devices of so many people.
pub(crate) fn devices(people: usize) -> ProgressBar {
    let bar = progress("looking up devices");
    bar.set_length(people as u64);
    bar
}

/// Whether this is a run of continuous integration: the variable `CI` is set.
pub(crate) fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

fn style(is_terminal: bool) -> Style {
    let columns = std::env::var("COLUMNS").ok();
    let columns = columns
        .and_then(|columns| columns.parse().ok())
        .filter(|columns| *columns > 0);
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let colour = match OutputOptions::current().color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => is_terminal && !is_set("NO_COLOR") && !is_dumb,
    };
    let size = is_terminal.then(terminal_size::terminal_size).flatten();
    Style {
        colour,
        columns: columns.or(size.map(|(width, _)| usize::from(width.0))),
    }
}

/// A row in JSON that begins with the fields of a JSON object.
fn stamped(stamp: &str, line: &str) -> String {
    let fields = stamp.strip_suffix('}');
    match (fields, line.strip_prefix('{')) {
        (Some(fields), Some(rest)) => format!("{fields},{rest}"),
        _ => line.to_owned(),
    }
}
