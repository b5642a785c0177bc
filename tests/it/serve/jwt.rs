//! Callers who have a JSON Web Token.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

use super::client::{Server, records_folder};
use super::decision_log::{read, wait};
use crate::tarbac::contoso;

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

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

/// A server that takes the tokens of an issuer.
fn taking(keys: &Path, more: &[&str]) -> Server {
    let jwt = ["--jwt-issuer", ISSUER, "--jwt-audience", AUDIENCE];
    let keys = ["--jwt-keys", keys.to_str().unwrap()];
    Server::with(&records_folder(), &[&jwt, &keys[..], more].concat())
}

#[test]
fn a_token_is_good_or_it_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    let (rsa, ec, other) = (Signer::rsa("r"), Signer::ec("e"), Signer::ec("e"));
    std::fs::write(&keys, key_set(&[&rsa, &ec])).unwrap();
    let log = folder.path().join("decisions.ndjson");
    let server = taking(&keys, &["--decision-log", log.to_str().unwrap()]);
    let now = get_current_timestamp();
    for signer in [&rsa, &ec] {
        assert_eq!(status(&server, &signer.sign(&claims())), 200);
        assert_eq!(
            status(
                &server,
                &signer.sign(&with("aud", json!(["other", AUDIENCE])))
            ),
            200
        );
        // Clocks may differ by a minute.
        assert_eq!(status(&server, &signer.sign(&with("exp", now - 20))), 200);
        assert_eq!(
            status(&server, &signer.sign(&with("roles", json!([])))),
            403
        );
        assert_eq!(
            status(
                &server,
                &signer.sign(&with("roles", json!(["Pdp.Operate", "evaluate"])))
            ),
            403
        );
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
            assert_eq!(status(&server, &signer.sign(&wrong)), 401, "{wrong}");
        }
        let unknown = signer.sign_as(Some("unknown".to_owned()), &claims());
        assert_eq!(status(&server, &unknown), 401);
        assert_eq!(status(&server, &signer.sign_as(None, &claims())), 401);
        // One whose signature or claims are others.
        let token = signer.sign(&claims());
        let mut parts: Vec<&str> = token.split('.').collect();
        let more = base64(&with("roles", json!(["Pdp.Evaluate", "Pdp.Operate"])).to_string());
        parts[1] = &more;
        assert_eq!(status(&server, &parts.join(".")), 401);
        assert_eq!(status(&server, &token), 200);
        assert_eq!(status(&server, token.rsplit_once('.').unwrap().0), 401);
    }
    // The key of somebody else, under a known id; and the id of a key for another algorithm.
    assert_eq!(status(&server, &other.sign(&claims())), 401);
    assert_eq!(
        status(&server, &ec.sign_as(Some("r".to_owned()), &claims())),
        401
    );
    // No signature, and one made with what everybody knows.
    let none = format!(
        "{}.{}.",
        base64(r#"{"alg":"none","kid":"r"}"#),
        base64(&claims().to_string())
    );
    assert_eq!(status(&server, &none), 401);
    let public = serde_json::to_string(&rsa.jwk).unwrap();
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("r".to_owned());
    let secret = EncodingKey::from_secret(public.as_bytes()).unwrap();
    assert_eq!(
        status(&server, &encode(&header, &claims(), &secret).unwrap()),
        401
    );
    server.stop();
    let records = read(&log);
    assert_eq!(
        records[0]["caller"],
        json!({ "name": "portal", "by": "jwt" })
    );
}

#[test]
fn keys_are_replaced_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    let (old, new) = (Signer::ec("old"), Signer::ec("new"));
    std::fs::write(&keys, key_set(&[&old])).unwrap();
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
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    let signer = Signer::rsa("r");
    std::fs::write(&keys, key_set(&[&signer])).unwrap();
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

#[test]
fn tokens_are_not_checked_by_halves() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    std::fs::write(&keys, key_set(&[&Signer::ec("e")])).unwrap();
    let garbage = folder.path().join("garbage.json");
    std::fs::write(
        &garbage,
        r#"{"keys":[{"kty":"oct","kid":"k","k":"c2VjcmV0"}]}"#,
    )
    .unwrap();
    let (keys, garbage) = (keys.to_str().unwrap(), garbage.to_str().unwrap());
    let tenant = "11111111-2222-3333-4444-555555555555";
    let check = |arguments: &[&str]| contoso(&[&["serve", "--check"], arguments].concat());
    let whole = [
        "--jwt-issuer",
        ISSUER,
        "--jwt-audience",
        AUDIENCE,
        "--jwt-keys",
        keys,
    ];
    assert_eq!(check(&whole).status, 0);
    assert_eq!(
        check(&["--entra-tenant", tenant, "--jwt-audience", AUDIENCE]).status,
        0
    );
    for (wrong, says) in [
        (&whole[2..], "--jwt-issuer"),
        (&[&whole[..2], &whole[4..]].concat(), "--jwt-audience"),
        (&whole[..4], "--jwt-keys"),
        (&["--entra-tenant", tenant], "--jwt-audience"),
        (
            &["--entra-tenant", "../x", "--jwt-audience", AUDIENCE],
            "tenant",
        ),
        (
            &[
                "--jwt-issuer",
                ISSUER,
                "--jwt-audience",
                "",
                "--jwt-keys",
                keys,
            ],
            "--jwt-audience",
        ),
        (
            &[
                "--jwt-issuer",
                ISSUER,
                "--jwt-audience",
                AUDIENCE,
                "--jwt-keys",
                garbage,
            ],
            "ES256",
        ),
        (
            &[
                "--jwt-issuer",
                ISSUER,
                "--jwt-audience",
                AUDIENCE,
                "--jwt-keys",
                "http://issuer.example/k",
            ],
            "https",
        ),
        (
            &[&whole[..], &["--entra-tenant", tenant]].concat(),
            "--entra-tenant",
        ),
    ] {
        let ran = check(wrong);
        assert_eq!(ran.status, 2, "{wrong:?} {ran}");
        assert!(ran.stderr.contains(says), "{wrong:?} {ran}");
    }
}
