//! The errors that end a command without an answer.

use std::io;
use std::path::Path;

use miette::Diagnostic;
use tarbac_analysis::inquiry::InquiryError;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::LoadError;
use tarbac_host::bundle::UnknownReading;
use tarbac_host::excerpt::Excerpts;
use tarbac_host::lookup::NameError;
use tarbac_host::workspace::{NotBegun, Unreadable};
use tarbac_report as render;
use tarbac_tenant::exports::{NotWhole, RefusedExport};
use thiserror::Error;

use crate::output::{error_style, say};

/// Why a command could not answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// One error.
    Error(Box<dyn Diagnostic>),
    /// Errors in files, and the consequence in a sentence.
    Invalid(Vec<Finding>, &'static str),
    /// The answer could not be written.
    Output(io::Error),
}

impl Failure {
    /// An inquiry without an answer, and the consequence in a sentence.
    pub(crate) fn inquiry(error: InquiryError, so: &'static str) -> Self {
        match error {
            InquiryError::Findings(findings) => Self::Invalid(findings, so),
            error => Self::Error(Box::new(error)),
        }
    }

    /// Says on standard error why there is no answer.
    pub(crate) fn report(&self) {
        let style = error_style();
        let text = match self {
            // A closed pipe: its reader wants no more.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return,
            Self::Output(error) => format!("cannot write the answer: {error}\n"),
            Self::Error(error) => render::diagnostic(error.as_ref(), style),
            Self::Invalid(findings, so) => {
                let text = render::findings::human(findings, &Excerpts::read(findings), style);
                let summary = render::findings::summary(findings, style);
                format!("{text}\n{summary}{so}\n")
            }
        };
        say(&text);
    }
}

/// An error of the command line itself.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum ShellError {
    #[error("cannot {what} `{path}`: {reason}")]
    #[diagnostic(code(file::failed))]
    File {
        what: &'static str,
        path: String,
        reason: io::Error,
        #[help]
        help: Option<String>,
    },
    #[error("cannot write `{path}` beside the snapshot: {reason}")]
    #[diagnostic(
        code(file::failed),
        help(
            "what differs is shown above; under CI (the variable CI is set) nothing is left beside a snapshot"
        )
    )]
    NotLeft { path: String, reason: io::Error },
    #[error(
        "the kept data of the workspace are damaged, and its files have changed since: the answer may be incomplete"
    )]
    #[diagnostic(
        code(workspace::damaged),
        help("run the command again; if this comes back, look at the disk")
    )]
    Lost,
    #[error("{message}")]
    #[diagnostic(code(arguments::invalid))]
    Arguments {
        message: String,
        #[help]
        help: Option<String>,
    },
}

impl ShellError {
    /// The failure of a command that needs a feature of Cargo, in a build without it.
    #[cfg(not(all(feature = "prove", feature = "watch")))]
    pub(crate) fn left_out(feature: &str) -> Failure {
        Self::Arguments {
            message: format!("this build of tarbac leaves out `{feature}`"),
            help: Some(format!("build it with `--features {feature}`")),
        }
        .into()
    }

    pub(crate) fn file(what: &'static str, path: &Path, reason: io::Error) -> Self {
        Self::File {
            what,
            path: path.display().to_string(),
            reason,
            help: None,
        }
    }

    /// The same with a help where there is no such file.
    pub(crate) fn file_or(
        what: &'static str,
        path: &Path,
        reason: io::Error,
        otherwise: &str,
    ) -> Self {
        let is_missing = reason.kind() == io::ErrorKind::NotFound;
        Self::File {
            what,
            path: path.display().to_string(),
            reason,
            help: is_missing.then(|| otherwise.to_owned()),
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Unreadable(error) => error.into(),
            LoadError::Reading(error) => error.into(),
            LoadError::Invalid(findings) => Self::Invalid(
                findings,
                "The workspace has errors, so nothing is decided with it.",
            ),
        }
    }
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<NotBegun> for Failure {
    fn from(error: NotBegun) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<NotWhole> for Failure {
    fn from(error: NotWhole) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<RefusedExport> for Failure {
    fn from(error: RefusedExport) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<UnknownReading> for Failure {
    fn from(error: UnknownReading) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<ShellError> for Failure {
    fn from(error: ShellError) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<InquiryError> for Failure {
    fn from(error: InquiryError) -> Self {
        Self::inquiry(error, "Nothing was decided.")
    }
}

#[cfg(feature = "collect")]
impl From<tarbac_collect::CollectError> for Failure {
    fn from(error: tarbac_collect::CollectError) -> Self {
        Self::Error(Box::new(error))
    }
}

#[cfg(feature = "serve")]
impl From<tarbac_serve::ServeError> for Failure {
    fn from(error: tarbac_serve::ServeError) -> Self {
        Self::Error(Box::new(error))
    }
}
