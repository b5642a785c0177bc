//! The errors that stop a collection.

use std::io;
use std::path::Path;

use miette::Diagnostic;
use tarbac_diagnostic::source::shown;
use tarbac_tenant::exports::NotWhole;
use thiserror::Error;

use crate::token::SignInError;

/// The reason why a collection stops. Answers collected so far are kept, unless another collection uses the folder.
#[derive(Debug, Error, Diagnostic)]
pub enum CollectError {
    /// A file cannot be read or written.
    #[error("cannot {what} `{path}`: {reason}")]
    #[diagnostic(code(collect::file))]
    File {
        /// The attempted operation, as a verb.
        what: &'static str,
        /// The file.
        path: String,
        /// The reason.
        reason: io::Error,
    },
    /// Another collection writes into the folder.
    #[error("another collection writes into `{0}`")]
    #[diagnostic(
        code(collect::locked),
        help("wait for it, or choose another folder with --out")
    )]
    Locked(String),
    /// The folder has exports that no collection wrote.
    #[error("`{0}` has exports that no collection wrote")]
    #[diagnostic(
        code(collect::not_ours),
        help("choose another folder with --out, or move graph/ and configmgr/ away")
    )]
    NotOurs(String),
    /// A copy with made-up names would be written into a folder with files.
    #[error("`{0}` is not empty")]
    #[diagnostic(code(collect::not_empty), help("choose another folder with --out"))]
    NotEmpty(String),
    /// The earlier collection in the folder has a part that this one would remove.
    #[error("the last collection has `{0}`, which this one does not ask for and would remove")]
    #[diagnostic(
        code(collect::leaves_out),
        help("ask for it as well, choose another folder with --out, or remove it there first")
    )]
    LeavesOut(String),
    /// Every call was refused.
    #[error("every call was refused; they take {0}")]
    #[diagnostic(
        code(collect::nothing_came),
        help(
            "the last collection is as it was; `tarbac collect --permissions` says what each permission is for"
        )
    )]
    NothingCame(String),
    /// The exports are no whole collection.
    #[error(transparent)]
    #[diagnostic(transparent)]
    NotWhole(#[from] NotWhole),
    /// A new collection took the place of the one that was read.
    #[error("a new collection came while `{0}` was written")]
    #[diagnostic(code(collect::replaced), help("make the copy again"))]
    Replaced(String),
    /// The interrupted collection is of another tenant.
    #[error("the collection in `{0}` is of another tenant, or this token does not state one")]
    #[diagnostic(
        code(collect::another_tenant),
        help("sign in to the tenant that it was begun in, or begin again without --resume")
    )]
    AnotherTenant(String),
    /// There is no interrupted collection to resume.
    #[error("there is no collection in `{0}` to go on with")]
    #[diagnostic(code(collect::nothing_to_resume), help("begin one without --resume"))]
    NothingToResume(String),
    /// The interrupted collection was begun with other arguments.
    #[error("the collection in `{0}` asked for something else")]
    #[diagnostic(
        code(collect::another_plan),
        help("give the arguments that it was begun with, or begin again without --resume")
    )]
    AnotherPlan(String),
    /// Sign-in failed.
    #[error("cannot sign in: {0}")]
    #[diagnostic(code(collect::sign_in))]
    SignIn(SignInError),
    /// A token or password would be sent unencrypted.
    #[error("`{0}` is no address that a token or password may be sent to")]
    #[diagnostic(
        code(collect::address),
        help("give one with https; http only on this machine")
    )]
    Address(String),
    /// A service does not answer, after all repetitions.
    #[error("{url} was asked {times} times without an answer: {reason}")]
    #[diagnostic(
        code(collect::no_answer),
        help("what was collected is kept: go on later with --resume")
    )]
    NoAnswer {
        /// The request.
        url: String,
        /// The number of tries.
        times: u64,
        /// The last error.
        reason: String,
    },
    /// A service answers with an error to a call that the collection depends on.
    #[error("{url} answers with status {status}: {message}")]
    #[diagnostic(
        code(collect::answered),
        help("the previous collection is as it was; go on with --resume once this is mended")
    )]
    Answered {
        /// The request.
        url: String,
        /// The status.
        status: u16,
        /// The message of the service.
        message: String,
    },
    /// A service rejects the token, or the Windows account.
    #[error("{url} does not accept {credential}: {reason}")]
    #[diagnostic(
        code(collect::unauthorized),
        help(
            "a token has to be for this service and tenant, and an account signed in to the domain of the site; sign in again and go on with --resume"
        )
    )]
    Unauthorized {
        /// The request.
        url: String,
        /// The name of the credential.
        credential: &'static str,
        /// The message of the service.
        reason: String,
    },
    /// The next page is on another host.
    #[error("{url} names a next page elsewhere, at {next}, where no token is sent")]
    #[diagnostic(code(collect::elsewhere))]
    Elsewhere {
        /// The request.
        url: String,
        /// The address of the next page.
        next: String,
    },
    /// A next page is one that was read before.
    #[error("{0} leads to a page that was there before")]
    #[diagnostic(code(collect::circle))]
    Circle(String),
    /// An internal error of the collector.
    #[error("{0}")]
    #[diagnostic(code(collect::failed))]
    Internal(String),
}

impl CollectError {
    pub(crate) fn file(what: &'static str, path: &Path, reason: io::Error) -> Self {
        Self::File {
            what,
            path: shown(path),
            reason,
        }
    }

    /// An address that nothing secret may be sent to. A password in it is not repeated.
    pub(crate) fn address(address: &str) -> Self {
        let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
        let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        Self::Address(match host.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}://…@{host}{path}"),
            None => address.to_owned(),
        })
    }
}

impl From<SignInError> for CollectError {
    fn from(error: SignInError) -> Self {
        Self::SignIn(error)
    }
}
