//! A token is good, or it is nothing.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};

use super::super::client::Server;
use super::super::decision_log::read;
use super::{AUDIENCE, Signer, claims, status, taking, with, without, written};

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

/// A server that takes the tokens of two signers, of both algorithms.
struct Issuer {
    folder: tempfile::TempDir,
    server: Server,
    rsa: Signer,
    ec: Signer,
}

impl Issuer {
    fn new() -> Self {
        let (rsa, ec) = (Signer::rsa("r"), Signer::ec("e"));
        let (folder, keys) = written(&[&rsa, &ec]);
        let log = folder.path().join("decisions.ndjson");
        let server = taking(&keys, &["--decision-log", log.to_str().unwrap()]);
        Self {
            folder,
            server,
            rsa,
            ec,
        }
    }

    fn signers(&self) -> [&Signer; 2] {
        [&self.rsa, &self.ec]
    }

    fn status(&self, token: &str) -> u16 {
        status(&self.server, token)
    }

    /// Whoever signs it, a token with these claims has this status.
    fn gives(&self, expected: u16, claims: &Value) {
        for signer in self.signers() {
            assert_eq!(self.status(&signer.sign(claims)), expected, "{claims}");
        }
    }
}

#[test]
fn a_good_token_gives_the_rights_of_its_roles() {
    let issuer = Issuer::new();
    issuer.gives(200, &claims());
    issuer.gives(200, &with("aud", json!(["other", AUDIENCE])));
    // Clocks may differ by a minute.
    issuer.gives(200, &with("exp", get_current_timestamp() - 20));
    issuer.gives(403, &with("roles", json!([])));
    issuer.gives(403, &with("roles", json!(["Pdp.Operate", "evaluate"])));
    issuer.server.stop();
    let records = read(&issuer.folder.path().join("decisions.ndjson"));
    let portal = json!({ "name": "portal", "by": "jwt" });
    assert_eq!(records[0]["caller"], portal);
}

#[test]
fn a_token_with_wrong_claims_is_nothing() {
    let issuer = Issuer::new();
    let now = get_current_timestamp();
    for wrong in [
        with("aud", "api://other"),
        with("aud", ""),
        with("iss", "https://issuer.example/v2.0/"),
        with("exp", now - 300),
        with("exp", "never"),
        with("nbf", now + 300),
        with("sub", ""),
        without("exp"),
        without("aud"),
        without("iss"),
    ] {
        issuer.gives(401, &wrong);
    }
}

#[test]
fn a_token_is_nothing_without_the_signature_of_its_claims() {
    let issuer = Issuer::new();
    for signer in issuer.signers() {
        let token = signer.sign(&claims());
        assert_eq!(issuer.status(&token), 200);
        let mut parts: Vec<&str> = token.split('.').collect();
        let more = base64(&with("roles", json!(["Pdp.Evaluate", "Pdp.Operate"])).to_string());
        parts[1] = &more;
        assert_eq!(issuer.status(&parts.join(".")), 401);
        assert_eq!(issuer.status(token.rsplit_once('.').unwrap().0), 401);
    }
    let none = base64(r#"{"alg":"none","kid":"r"}"#);
    let unsigned = format!("{none}.{}.", base64(&claims().to_string()));
    assert_eq!(issuer.status(&unsigned), 401);
}

#[test]
fn a_token_is_nothing_by_another_key() {
    let issuer = Issuer::new();
    for signer in issuer.signers() {
        let unknown = signer.sign_as(Some("unknown".to_owned()), &claims());
        assert_eq!(issuer.status(&unknown), 401);
        assert_eq!(issuer.status(&signer.sign_as(None, &claims())), 401);
    }
    // The key of somebody else, under a known id; and the id of a key for another algorithm.
    let other = Signer::ec("e");
    assert_eq!(issuer.status(&other.sign(&claims())), 401);
    let as_rsa = issuer.ec.sign_as(Some("r".to_owned()), &claims());
    assert_eq!(issuer.status(&as_rsa), 401);
    // One made with what everybody knows.
    let public = serde_json::to_string(&issuer.rsa.jwk).unwrap();
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("r".to_owned());
    let secret = EncodingKey::from_secret(public.as_bytes()).unwrap();
    let token = encode(&header, &claims(), &secret).unwrap();
    assert_eq!(issuer.status(&token), 401);
}
