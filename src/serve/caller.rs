//! The callers: how they say who they are, and what each may ask.
//!
//! Who asks is found out before an endpoint is reached, and refuses nobody: an endpoint demands the right that it needs.
//! Whoever said nothing, or something that is not right, has none.

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

/// The name of whoever was not asked for it.
const ANONYMOUS: &str = "anonymous";

/// What a caller may ask for.
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

/// Several rights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rights(u8);

/// What JSON Web Tokens have to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtSettings {
    /// The issuer, as the claim `iss` has it.
    pub issuer: String,
    /// The audiences, of which the claim `aud` has one; at least one.
    pub audiences: Vec<String>,
    /// Where the keys of the issuer are.
    pub keys: JwtKeys,
    /// The tenant of Entra ID, as the claim `tid` has it. Decisions and searches are then for applications only.
    pub tenant: Option<String>,
}

/// Who asks. It stands in the extensions of every request that reaches an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    name: Arc<str>,
    by: CallerBy,
    rights: Rights,
    /// Whether it is a person where an application is asked for.
    is_person: bool,
    /// Whether it is not known who it is.
    is_unknown: bool,
}

/// Everybody who may ask.
pub(crate) struct Callers {
    tokens: Option<TokenFile>,
    jwt: Option<JwtCheck>,
    /// Whoever says nothing.
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
    /// Whoever reaches a server that asks nobody who they are.
    pub(crate) fn anonymous() -> Self {
        Self {
            rights: Rights::ALL,
            ..Self::named(ANONYMOUS, CallerBy::Nothing)
        }
    }

    /// Whoever has not said who they are, or not so that it can be believed.
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
        }
    }

    /// The name; `anonymous` for whoever was not asked for it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How the caller said who it is.
    pub(crate) fn by(&self) -> CallerBy {
        self.by
    }

    /// Refuses whoever lacks a right.
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
    /// Reads what says who may ask.
    ///
    /// # Errors
    /// A file cannot be read, or is not as it has to be.
    pub(crate) fn open(settings: &Settings) -> Result<Self, ServeError> {
        let tokens = settings.tokens.clone().map(TokenFile::open).transpose()?;
        let jwt = settings.jwt.clone().map(JwtCheck::open).transpose()?;
        Ok(Self {
            tokens,
            jwt,
            silent: match (settings.has_callers(), settings.anonymous) {
                (false, _) => Caller::anonymous(),
                (true, false) => Caller::unknown(),
                // What others need a credential for is not for everybody.
                (true, true) => Caller {
                    rights: Rights::from_iter([Right::Evaluate, Right::Search]),
                    ..Caller::anonymous()
                },
            },
        })
    }

    /// Reads again what has changed.
    pub(crate) fn reload(&self, app: &App, is_forced: bool) {
        if let Some(tokens) = &self.tokens {
            tokens.reload(app, is_forced);
        }
        if let Some(jwt) = &self.jwt {
            jwt.reload(app, is_forced);
        }
    }

    /// Whoever has this credential; the one of the certificate where there is none.
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

    /// Whoever has a certificate with this name.
    fn certified(&self, name: Option<String>) -> Caller {
        let Some(name) = name else {
            return self.silent.clone();
        };
        let tokens = self.tokens.as_ref();
        let known = tokens.and_then(|tokens| tokens.certified(&name));
        known.unwrap_or_else(|| Caller::named(&name, CallerBy::Certificate))
    }
}

/// Finds out who asks, before an endpoint is reached.
pub(crate) async fn identify(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let credential = Credential::from_headers(request.headers());
    let tls = request.extensions().get::<Arc<TlsInfo>>();
    let certificate = tls.and_then(|tls| tls.peer_certificates.first());
    let certificate = certificate.and_then(|of| certificate::name(of));
    let caller = app.callers.caller(credential, certificate).await;
    request.extensions_mut().insert(caller);
    next.run(request).await
}
