//! Callers who have a JSON Web Token.

mod good;
mod options;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

use super::client::{Server, records_folder};
use super::decision_log::wait;

const ISSUER: &str = "https://issuer.example/v2.0";
const AUDIENCE: &str = "api://pdp";

/// A key that signs tokens.
struct Signer {
    key: EncodingKey,
    jwk: Jwk,
    algorithm: Algorithm,
}

impl Signer {
    fn ec(id: &str) -> Self {
        let pair = KeyPair::generate().unwrap();
        Self::new(
            EncodingKey::from_ec_der(pair.serialized_der()),
            Algorithm::ES256,
            id,
        )
    }

    fn rsa(id: &str) -> Self {
        let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let key = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap();
        Self::new(key, Algorithm::RS256, id)
    }

    fn new(key: EncodingKey, algorithm: Algorithm, id: &str) -> Self {
        let mut jwk = Jwk::from_encoding_key(&key, algorithm).unwrap();
        jwk.common.key_id = Some(id.to_owned());
        Self {
            key,
            jwk,
            algorithm,
        }
    }

    fn sign(&self, claims: &Value) -> String {
        self.sign_as(self.jwk.common.key_id.clone(), claims)
    }

    fn sign_as(&self, id: Option<String>, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = id;
        encode(&header, claims, &self.key).unwrap()
    }
}

fn key_set(signers: &[&Signer]) -> String {
    let keys = signers.iter().map(|signer| signer.jwk.clone()).collect();
    serde_json::to_string(&JwkSet { keys }).unwrap()
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "portal", "exp": get_current_timestamp() + 600,
        "roles": ["Pdp.Evaluate"],
    })
}

fn with(key: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[key] = value.into();
    claims
}

fn without(key: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(key);
    claims
}

/// The status of an evaluation.
fn status(server: &Server, token: &str) -> u16 {
    let body = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": { "type": "record", "id": "record-1" },
    });
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let reply = server.post_text("/access/v1/evaluation", &body.to_string(), &headers);
    if reply.status == 401 {
        assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"tarbac\"");
    }
    reply.status
}

/// A server that takes the tokens of an issuer.
fn taking(keys: &Path, more: &[&str]) -> Server {
    let jwt = ["--jwt-issuer", ISSUER, "--jwt-audience", AUDIENCE];
    let keys = ["--jwt-keys", keys.to_str().unwrap()];
    Server::with(&records_folder(), &[&jwt, &keys[..], more].concat())
}

/// A file with the keys of these, in a folder that is kept as long as it is needed.
fn written(signers: &[&Signer]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    std::fs::write(&keys, key_set(signers)).unwrap();
    (folder, keys)
}
#[test]
fn keys_are_replaced_while_the_server_runs() {
    let (old, new) = (Signer::ec("old"), Signer::ec("new"));
    let (_folder, keys) = written(&[&old]);
    let server = taking(&keys, &[]);
    assert_eq!(status(&server, &old.sign(&claims())), 200);
    std::fs::write(&keys, key_set(&[&new])).unwrap();
    wait("the new key", || {
        status(&server, &new.sign(&claims())) == 200
    });
    assert_eq!(status(&server, &old.sign(&claims())), 401);
}

/// Gives a set of keys to whoever asks; how often that was.
fn issuer(text: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let asked = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .collect();
            assert!(head[0].starts_with("GET /keys "));
            let length = text.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, asked)
}

#[test]
fn an_issuer_is_asked_for_its_keys_once() {
    let known = Signer::ec("known");
    let (url, asked) = issuer(key_set(&[&known]));
    let arguments = [
        "--jwt-issuer",
        ISSUER,
        "--jwt-audience",
        AUDIENCE,
        "--jwt-keys",
        &url,
    ];
    let server = Server::with(&records_folder(), &arguments);
    assert_eq!(status(&server, &known.sign(&claims())), 200);
    for number in 0..5 {
        let unknown = known.sign_as(Some(format!("unknown-{number}")), &claims());
        assert_eq!(status(&server, &unknown), 401);
        assert_eq!(status(&server, &known.sign(&claims())), 200);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn entra_gives_decisions_to_applications_of_its_tenant_alone() {
    let tenant = "11111111-2222-3333-4444-555555555555";
    let signer = Signer::rsa("r");
    let (_folder, keys) = written(&[&signer]);
    let entra = ["--entra-tenant", tenant, "--jwt-audience", AUDIENCE];
    let keys = ["--jwt-keys", keys.to_str().unwrap()];
    let server = Server::with(
        &records_folder(),
        &[entra, [keys[0], keys[1], "--grace", "1s"]].concat(),
    );
    let base = json!({
        "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"), "aud": AUDIENCE, "tid": tenant,
        "sub": "o", "oid": "o", "azp": "the-application", "exp": get_current_timestamp() + 600,
        "roles": ["Pdp.Evaluate", "Pdp.Operate"],
    });
    let of = |more: Value| {
        let mut claims = base.clone();
        claims
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        signer.sign(&claims)
    };
    assert_eq!(status(&server, &of(json!({}))), 200);
    assert_eq!(
        status(&server, &of(json!({ "idtyp": "app", "sub": "s" }))),
        200
    );
    for person in [
        json!({ "idtyp": "user" }),
        json!({ "scp": "user_impersonation" }),
        json!({ "sub": "somebody" }),
        json!({ "tid": "99999999-2222-3333-4444-555555555555" }),
        json!({ "iss": "https://login.microsoftonline.com/common/v2.0" }),
    ] {
        assert_eq!(status(&server, &of(person.clone())), 401, "{person}");
    }
    // A person may look at the figures.
    let person = format!("Bearer {}", of(json!({ "scp": "x" })));
    let metrics = server.send("GET", "/metrics", b"", &[("authorization", &person)]);
    assert_eq!(metrics.status, 200);
}
