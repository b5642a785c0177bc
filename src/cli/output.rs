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

/// How many files that are not read are named.
const LISTED: usize = 3;

/// How often something moves where somebody waits.
const TICK: Duration = Duration::from_millis(100);

/// What is asked of the streams, for as long as the program runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wishes {
    /// Only answers and errors are said.
    pub quiet: bool,
    /// When text is coloured.
    pub color: ColorChoice,
}

static WISHES: OnceLock<Wishes> = OnceLock::new();

impl Wishes {
    /// Makes them hold from here on; those that were made to hold first stay.
    pub(crate) fn hold(self) {
        let _ = WISHES.set(self);
    }

    /// Those that hold.
    fn held() -> Self {
        WISHES.get().copied().unwrap_or(Self {
            quiet: false,
            color: ColorChoice::Auto,
        })
    }
}

/// Standard output, buffered, for an answer or in its place for a report.
#[derive(Debug)]
pub(crate) struct Output {
    stream: BufWriter<StdoutLock<'static>>,
    style: Style,
    is_terminal: bool,
    /// Whether a report has standard output and the answer goes to standard error.
    is_for_report: bool,
    /// Whether the answer is laid out already, and is coloured as it is written.
    is_laid_out: bool,
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
        }
    }

    /// Keeps standard output for a report: the answer goes to standard error from here on.
    pub(crate) fn make_way(&mut self) {
        self.is_terminal = io::stderr().is_terminal();
        self.style = style(self.is_terminal);
        self.is_for_report = true;
    }

    /// Colours the answer as it is written, which is text for people without colours.
    pub(crate) fn colour(&mut self) {
        self.is_laid_out = true;
    }

    /// What the place of the answer can show.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// The columns of the terminal; none where the answer goes elsewhere, unless `COLUMNS` says so.
    pub(crate) fn width(&self) -> Option<usize> {
        self.style.columns
    }

    /// Writes some of the answer, so that no terminal and no runner obeys what somebody else wrote.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), Failure> {
        if self.is_laid_out && self.style.colour {
            let text = self.style.coloured(&printable::answer(text, false));
            return self.write_as_it_is(&text);
        }
        if self.is_for_report {
            say(text);
            return Ok(());
        }
        self.write_as_it_is(&printable::answer(text, self.style.colour))
    }

    /// Writes some of the answer in lines that fit the terminal.
    pub(crate) fn write_fitted(&mut self, text: &str) -> Result<(), Failure> {
        self.write(&self.style.fitted(text))
    }

    /// Writes lines of the answer, as they come.
    pub(crate) fn write_lines(
        &mut self,
        lines: impl Iterator<Item = String>,
    ) -> Result<(), Failure> {
        for line in lines {
            self.write(&line)?;
        }
        Ok(())
    }

    /// Writes an answer that is a sheet.
    pub(crate) fn write_sheet(
        &mut self,
        sheet: Result<String, impl Into<io::Error>>,
    ) -> Result<(), Failure> {
        self.write(&sheet.map_err(|error| Failure::Output(error.into()))?)
    }

    /// Writes a report to standard output, so that nobody obeys what somebody else wrote.
    pub(crate) fn write_report(&mut self, text: &str) -> Result<(), Failure> {
        self.write_as_it_is(&printable::answer(text, false))
    }

    /// Writes a text that is a file to standard output, whoever has it.
    pub(crate) fn write_as_it_is(&mut self, text: &str) -> Result<(), Failure> {
        self.stream
            .write_all(text.as_bytes())
            .map_err(Failure::Output)
    }

    /// Lets whoever waits for the answer have what there is of it.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.stream.flush().map_err(Failure::Output)
    }

    /// Clears the terminal; elsewhere nothing is to be cleared.
    #[cfg(feature = "watch")]
    pub(crate) fn clear(&mut self) -> Result<(), Failure> {
        match self.is_terminal {
            true => self.write_as_it_is("\u{1b}[2J\u{1b}[H"),
            false => Ok(()),
        }
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// What standard error can show.
pub(crate) fn error_style() -> Style {
    style(io::stderr().is_terminal())
}

/// Writes to standard error. Where that is closed, nobody is there to be told.
pub(crate) fn say(text: &str) {
    let text = printable::answer(text, error_style().colour);
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Writes to standard error what is neither answer nor error, unless whoever asks wants it quiet.
pub(crate) fn note(text: &str) {
    if !Wishes::held().quiet {
        say(text);
    }
}

/// Says in a line what is told of a workspace beside an answer.
pub(crate) fn warning(finding: &Finding) {
    let help = finding.help.as_deref().unwrap_or_default();
    note(&format!("note: {}: {help}\n", finding.message));
}

/// Says, of each file once, which files of a workspace are not read, and which are missing: a forbid in them holds
/// nobody back.
pub(crate) fn not_read(provenance: &Provenance) {
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

/// A bar on standard error that shows how far long work has come; none where that is no terminal.
pub(crate) fn progress(what: &'static str) -> ProgressBar {
    progress_of(what, "{msg} {wide_bar} {pos}/{len}")
}

/// The same of bytes.
pub(crate) fn bytes(what: &'static str) -> ProgressBar {
    progress_of(what, "{msg} {wide_bar} {bytes}/{total_bytes}, {eta} left")
}

fn progress_of(what: &'static str, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template);
    bar(ProgressBar::new(0))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what)
}

/// The same of work of which nobody knows how long it is.
pub(crate) fn waiting(what: &'static str) -> ProgressBar {
    let bar = bar(ProgressBar::new_spinner()).with_message(what);
    bar.enable_steady_tick(TICK);
    bar
}

fn bar(shown: ProgressBar) -> ProgressBar {
    if Wishes::held().quiet {
        shown.set_draw_target(ProgressDrawTarget::hidden());
    }
    shown
}

/// The same for the devices of so many people.
pub(crate) fn devices(people: usize) -> ProgressBar {
    let bar = progress("looking up devices");
    bar.set_length(people as u64);
    bar
}

/// Whether this is a run of continuous integration, in which nobody looks on.
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
    let colour = match Wishes::held().color {
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
