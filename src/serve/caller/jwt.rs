//! The verification of JSON Web Tokens.

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;
use tarbac_analysis::decision_log::CallerBy;

use super::keys::KeySource;
use super::{Caller, JwtSettings, Right, Rights};
use crate::app::App;
use crate::fault::ServeError;

/// The most seconds by which clocks may differ.
const GRACE: u64 = 60;

/// The roles of an application in Entra ID, with the right that each gives.
const ROLES: [(&str, Right); 4] = [
    ("Pdp.Evaluate", Right::Evaluate),
    ("Pdp.Search", Right::Search),
    ("Pdp.Explore", Right::Explore),
    ("Pdp.Operate", Right::Operate),
];

/// The verifier of tokens.
pub(super) struct JwtCheck {
    settings: JwtSettings,
    keys: KeySource,
}

/// The claims of a token.
#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    /// The application, in tokens of version 2.
    azp: Option<String>,
    /// The application, in tokens of version 1.
    appid: Option<String>,
    /// The object id of the person or application; equal to `sub` if no person is signed in.
    oid: Option<String>,
    tid: Option<String>,
    /// `app` if no person is signed in.
    idtyp: Option<String>,
    /// The permissions that a person has delegated.
    scp: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

impl JwtCheck {
    pub(super) fn open(settings: JwtSettings) -> Result<Self, ServeError> {
        let keys = KeySource::open(settings.keys.clone())?;
        Ok(Self { settings, keys })
    }

    /// Reads the keys again if they have changed.
    pub(super) fn reload(&self, app: &App, is_forced: bool) {
        self.keys.reload(app, is_forced);
    }

    /// The caller that a token names, if the token is valid.
    pub(super) async fn caller(&self, token: &str) -> Option<Caller> {
        let header = decode_header(token).ok()?;
        let algorithm = header.alg;
        if !matches!(algorithm, Algorithm::RS256 | Algorithm::ES256) || header.crit.is_some() {
            return None;
        }
        let key = self.keys.key(header.kid.as_deref()?, algorithm).await?;
        let mut validation = Validation::new(algorithm);
        validation.leeway = GRACE;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&self.settings.audiences);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        match decode::<Claims>(token, &key, &validation) {
            Ok(decoded) => self.named(&decoded.claims),
            Err(error) => {
                tracing::debug!(reason = ?error.kind(), "a token is refused");
                None
            }
        }
    }

    /// The caller that the claims of a valid token name.
    fn named(&self, claims: &Claims) -> Option<Caller> {
        let is_of_tenant = match &self.settings.tenant {
            Some(tenant) => claims.tid.as_ref() == Some(tenant),
            None => true,
        };
        let name = [&claims.azp, &claims.appid, &claims.sub]
            .into_iter()
            .flatten();
        let name = name.into_iter().find(|name| !name.is_empty())?;
        let rights: Rights = ROLES
            .into_iter()
            .filter(|(role, _)| claims.roles.iter().any(|of| of == role))
            .map(|(_, right)| right)
            .collect();
        is_of_tenant.then(|| Caller {
            rights,
            is_person: self.settings.tenant.is_some() && !claims.is_of_application(),
            ..Caller::named(name, CallerBy::Jwt)
        })
    }
}

impl Claims {
    /// Whether the token is one of an application, without a person who is signed in.
    fn is_of_application(&self) -> bool {
        match self.idtyp.as_deref() {
            Some(kind) => kind == "app",
            None => self.scp.is_none() && self.oid.is_some() && self.oid == self.sub,
        }
    }
}
