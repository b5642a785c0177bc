//! The signed document about the endpoints.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use rcgen::KeyPair;
use serde_json::Value;

use super::client::{Reply, Server, records_folder};
use super::decision_log::wait;
use crate::tarbac::{Tarbac, contoso};

const URL: &str = "https://pdp.example.com/t1";

/// A folder with a key for documents.
fn folder() -> Tarbac {
    let folder = Tarbac::with(&[]);
    folder.write("metadata.pem", KeyPair::generate().unwrap().serialize_pem());
    folder
}

/// A server that signs with the key of a folder.
fn signing(folder: &Tarbac) -> Server {
    let file = folder.path("metadata.pem");
    let file = file.to_str().unwrap();
    let arguments = ["--public-url", URL, "--metadata-key", file];
    Server::with(&records_folder(), &arguments)
}

fn document(server: &Server) -> Value {
    server.get("/.well-known/authzen-configuration/t1").json()
}

fn published(server: &Server) -> Reply {
    server.get("/.well-known/jwks.json")
}

fn keys(server: &Server) -> JwkSet {
    serde_json::from_value(published(server).json()).unwrap()
}

/// The claims of a signed document, if one of these keys checks it.
fn claims(document: &Value, keys: &JwkSet) -> Option<Value> {
    let signed = document["signed_metadata"].as_str().unwrap();
    let id = decode_header(signed).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(keys.find(&id)?).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[URL]);
    validation.set_required_spec_claims(&["iss"]);
    let token = decode(signed, &key, &validation);
    token.ok().map(|token| token.claims)
}

#[test]
fn the_document_is_signed_by_the_key_that_is_published() {
    let folder = folder();
    let server = signing(&folder);
    let published = published(&server);
    assert_eq!(published.header("cache-control"), "max-age=3600");
    assert!(published.json()["keys"][0].get("d").is_none());
    let mut document = document(&server);
    let mut claims = claims(&document, &keys(&server)).unwrap();
    let claims = claims.as_object_mut().unwrap();
    assert!(claims.remove("iat").unwrap().is_u64());
    assert_eq!(claims.remove("iss").unwrap(), URL);
    // The rest is the document, without its own signature.
    let document = document.as_object_mut().unwrap();
    document.remove("signed_metadata").unwrap();
    assert_eq!(claims, document);
}

#[test]
fn a_key_that_is_replaced_signs_from_then_on() {
    let folder = folder();
    let server = signing(&folder);
    let old = keys(&server);
    folder.write("metadata.pem", KeyPair::generate().unwrap().serialize_pem());
    wait("the new key", || claims(&document(&server), &old).is_none());
    assert!(claims(&document(&server), &keys(&server)).is_some());
}

#[test]
fn without_a_key_nothing_is_signed() {
    let server = Server::with(&records_folder(), &["--public-url", URL]);
    assert_eq!(document(&server).get("signed_metadata"), None);
    assert_eq!(published(&server).status, 404);
}

#[test]
fn a_file_without_a_key_is_refused() {
    let folder = Tarbac::with(&[("metadata.pem", "no key")]);
    let file = folder.path("metadata.pem");
    let file = file.to_str().unwrap();
    let checked = contoso(&[
        "serve",
        "--check",
        "--public-url",
        URL,
        "--metadata-key",
        file,
    ]);
    assert_eq!(checked.status, 2);
    let reason = "no private key of the curve P-256";
    assert!(checked.stderr.contains(reason), "{}", checked.stderr);
}
