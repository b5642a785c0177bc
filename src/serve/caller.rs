//! Authentication of callers, and their rights.
//!
//! The caller is identified before an endpoint is reached, and refused only there: each endpoint demands the right
//! that it needs. An invalid credential gives no right, not even that of an anonymous caller.

mod certificate;
mod credential;
mod jwt;
mod keys;
mod tokens;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use axum_server::tls::TlsInfo;
use tarbac_analysis::decision_log::CallerBy;

use crate::app::App;
use crate::fault::{Fault, ServeError};
use crate::metrics::Reason;
use crate::settings::Settings;
use credential::Credential;
use jwt::JwtCheck;
use tokens::TokenFile;

pub(crate) use certificate::expiry;
pub use keys::{JwtKeys, NoKeys};

/// The name of a caller without a valid credential.
const ANONYMOUS: &str = "anonymous";

/// A kind of request that a caller may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    /// Decisions.
    Evaluate,
    /// Searches.
    Search,
    /// Explanations.
    Explore,
    /// Metrics and reloads.
    Operate,
}

/// A set of rights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rights(u8);

/// The requirements on JSON Web Tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtSettings {
    /// The issuer, as the claim `iss` has it.
    pub issuer: String,
    /// The accepted audiences; at least one. The claim `aud` must contain one of them.
    pub audiences: Vec<String>,
    /// The keys of the issuer.
    pub keys: JwtKeys,
    /// The tenant of Entra ID, as in the claim `tid`. If set, only applications may ask for decisions and searches.
    pub tenant: Option<String>,
}

/// The sender of a request, in the extensions of each request that reaches an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    name: Arc<str>,
    by: CallerBy,
    rights: Rights,
    /// Whether it is a person on a server that decides for applications only.
    is_person: bool,
    /// Whether it lacks a valid credential.
    is_unknown: bool,
    /// The workspaces that it may ask, if not all.
    workspaces: Option<Arc<[String]>>,
}

/// The known callers, and the ways to identify them.
pub(crate) struct Callers {
    tokens: Option<TokenFile>,
    jwt: Option<JwtCheck>,
    /// The caller of a request without a credential.
    silent: Caller,
}

impl Rights {
    /// Every right.
    const ALL: Self = Self(0b1111);

    fn with(self, right: Right) -> Self {
        Self(self.0 | 1 << right as u8)
    }

    fn has(self, right: Right) -> bool {
        self.0 & 1 << right as u8 != 0
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        rights.into_iter().fold(Self::default(), Self::with)
    }
}

impl Caller {
    /// A caller of a server without authentication, with every right.
    pub(crate) fn anonymous() -> Self {
        Self {
            rights: Rights::ALL,
            ..Self::named(ANONYMOUS, CallerBy::Nothing)
        }
    }

    /// A caller without a valid credential on a server that needs one.
    fn unknown() -> Self {
        Self {
            is_unknown: true,
            ..Self::named(ANONYMOUS, CallerBy::Nothing)
        }
    }

    /// A caller without rights.
    fn named(name: &str, by: CallerBy) -> Self {
        Self {
            name: name.into(),
            by,
            rights: Rights::default(),
            is_person: false,
            is_unknown: false,
            workspaces: None,
        }
    }

    /// The name; `anonymous` without a valid credential.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The kind of credential.
    pub(crate) fn by(&self) -> CallerBy {
        self.by
    }

    /// Whether it was not asked for its name.
    pub(crate) fn is_silent(&self) -> bool {
        self.by == CallerBy::Nothing
    }

    /// The caller with this right alone.
    fn only(self, right: Right) -> Self {
        let rights = match self.rights.has(right) {
            true => Rights::from_iter([right]),
            false => Rights::default(),
        };
        Self { rights, ..self }
    }

    /// Whether it is known who it is.
    pub(crate) fn is_known(&self) -> bool {
        !self.is_unknown
    }

    /// The caller at a workspace: without rights if it may ask only others.
    pub(crate) fn at(self, workspace: Option<&str>) -> Self {
        let is_limited = match (&self.workspaces, workspace) {
            (None, _) => false,
            (Some(named), Some(workspace)) => !named.iter().any(|named| named == workspace),
            // Nor may it operate the whole.
            (Some(_), None) => true,
        };
        match is_limited {
            true => Self {
                rights: Rights::default(),
                ..self
            },
            false => self,
        }
    }

    /// Refuses a caller without this right.
    pub(crate) fn demand(&self, right: Right) -> Result<(), Fault> {
        let is_for_applications = matches!(right, Right::Evaluate | Right::Search);
        let (status, message) = if self.is_unknown || self.is_person && is_for_applications {
            let message = "the caller has to say who it is, by a credential that is valid here";
            (StatusCode::UNAUTHORIZED, message)
        } else if self.rights.has(right) {
            return Ok(());
        } else {
            let message = "the caller lacks the right for this request";
            (StatusCode::FORBIDDEN, message)
        };
        Err(Fault::new(status, message).because(Reason::auth))
    }
}

impl Callers {
    /// Reads the files by which callers are identified.
    ///
    /// # Errors
    /// A file cannot be read or is invalid.
    pub(crate) fn open(settings: &Settings) -> Result<Self, ServeError> {
        let tokens = settings.tokens.clone().map(TokenFile::open).transpose()?;
        let jwt = settings.jwt.clone().map(JwtCheck::open).transpose()?;
        Ok(Self {
            tokens,
            jwt,
            silent: match (settings.has_callers(), settings.anonymous) {
                (false, _) => Caller::anonymous(),
                (true, false) => Caller::unknown(),
                // Explanations, metrics and reloads need a credential in any case.
                (true, true) => Caller {
                    rights: Rights::from_iter([Right::Evaluate, Right::Search]),
                    ..Caller::anonymous()
                },
            },
        })
    }

    /// Reads the files again that have changed.
    pub(crate) fn reload(&self, app: &App, is_forced: bool) {
        if let Some(tokens) = &self.tokens {
            tokens.reload(app, is_forced);
        }
        if let Some(jwt) = &self.jwt {
            jwt.reload(app, is_forced);
        }
    }

    /// The caller with this credential; if there is none, the caller with the certificate.
    async fn caller(&self, credential: Credential, certificate: Option<String>) -> Caller {
        match credential {
            Credential::None => self.certified(certificate),
            Credential::Unreadable => Caller::unknown(),
            Credential::Basic { name, token } => {
                let known = self.tokens.as_ref();
                let known = known.and_then(|tokens| tokens.caller(&token, Some(&name)));
                known.unwrap_or_else(Caller::unknown)
            }
            Credential::Bearer(token) => {
                let known = self.tokens.as_ref();
                if let Some(known) = known.and_then(|tokens| tokens.caller(&token, None)) {
                    return known;
                }
                let Some(jwt) = &self.jwt else {
                    return Caller::unknown();
                };
                jwt.caller(&token).await.unwrap_or_else(Caller::unknown)
            }
        }
    }

    /// The holder of this token.
    pub(crate) async fn bearer(&self, token: &str) -> Caller {
        match token.is_empty() {
            true => Caller::unknown(),
            false => {
                self.caller(Credential::Bearer(token.to_owned()), None)
                    .await
            }
        }
    }

    /// The caller with this name in its certificate.
    fn certified(&self, name: Option<String>) -> Caller {
        let Some(name) = name else {
            return self.silent.clone();
        };
        let tokens = self.tokens.as_ref();
        let known = tokens.and_then(|tokens| tokens.certified(&name));
        known.unwrap_or_else(|| Caller::named(&name, CallerBy::Certificate))
    }
}

/// Identifies the caller before an endpoint is reached.
pub(crate) async fn identify(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let credential = Credential::from_headers(request.headers());
    let tls = request.extensions().get::<Arc<TlsInfo>>();
    let certificate = tls.and_then(|tls| tls.peer_certificates.first());
    let certificate = certificate.and_then(|of| certificate::name(of));
    // A browser has a cookie in place of a token, and it opens nothing but the page.
    let session = match credential {
        Credential::None => app.sessions.token(request.headers()),
        _ => None,
    };
    let caller = match session {
        Some(token) => app.callers.bearer(&token).await.only(Right::Explore),
        None => app.callers.caller(credential, certificate).await,
    };
    request.extensions_mut().insert(caller.at(app.workspace()));
    next.run(request).await
}
