//! Sign-in at a service that answers as Microsoft Entra does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use tarbac::collect::{Identity, Secret, SignIn};
use tarbac::exports::catalog::CLOUDS;

/// The forms that were sent, with their paths.
pub(super) type Forms = Arc<Mutex<Vec<(String, String)>>>;

/// A service over TLS that answers each request, its head and its body, with what `answer` writes; gives its address and
/// its certificate.
pub(super) fn secure(answer: impl Fn(&str, &[u8]) -> Vec<u8> + Send + 'static) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.pem().as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(connection, stream));
            let mut head = String::new();
            if stream.read_line(&mut head).unwrap_or_default() == 0 {
                continue;
            }
            let mut length = 0;
            loop {
                let mut header = String::new();
                stream.read_line(&mut header).unwrap();
                head.push_str(&header);
                if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if header.len() <= 2 {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let answer = answer(&head, &body);
            stream.get_mut().write_all(&answer).ok();
            stream.get_mut().flush().ok();
            stream.get_mut().conn.send_close_notify();
            stream.get_mut().flush().ok();
        }
    });
    (format!("https://localhost:{port}"), certificate.pem())
}

/// A service that answers each form with what `answer` makes of its place; gives its address, its certificate, and the
/// forms.
pub(super) fn entra(answer: fn(usize, &str) -> (u16, Value)) -> (String, String, Forms) {
    let forms = Forms::default();
    let seen = forms.clone();
    let (base, certificate) = secure(move |head, form| {
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let form = String::from_utf8(form.to_vec()).unwrap();
        let place = seen.lock().unwrap().len();
        let (status, body) = answer(place, &path);
        seen.lock().unwrap().push((path, form));
        let body = body.to_string();
        let answer = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        answer.into_bytes()
    });
    (base, certificate, forms)
}

fn identity(by: SignIn, login: &str, authority: &str) -> Identity {
    Identity {
        by,
        cloud: CLOUDS[0],
        login: Some(login.to_owned()),
        tenant: Some("contoso.example".to_owned()),
        client: Some("00000000-0000-4000-8000-000000000001".to_owned()),
        audience: CLOUDS[0].graph.to_owned(),
        authorities: Some(authority.as_bytes().to_vec()),
        say: Arc::new(|_| {}),
    }
}

fn granted(_: usize, _: &str) -> (u16, Value) {
    (
        200,
        json!({"token_type": "Bearer", "expires_in": 3600, "access_token": "granted"}),
    )
}

#[test]
fn an_application_signs_in_with_its_secret() {
    let (login, authority, forms) = entra(granted);
    let by = SignIn::ClientSecret(Secret::new("a-word\n"));
    let source = identity(by, &login, &authority).source().unwrap();
    assert_eq!(source.token().unwrap().reveal(), "granted");
    let forms = forms.lock().unwrap();
    assert_eq!(forms[0].0, "/contoso.example/oauth2/v2.0/token");
    assert!(
        forms[0].1.contains("client_secret=a-word&"),
        "{}",
        forms[0].1
    );
    assert!(
        forms[0]
            .1
            .contains("scope=https%3A%2F%2Fgraph.microsoft.com%2F.default")
    );
}

#[test]
fn an_application_signs_in_with_its_certificate() {
    let (login, authority, forms) = entra(granted);
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let certificate = CertificateParams::new(["app".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let pem = format!("{}{}", certificate.pem(), key.serialize_pem());
    let by = SignIn::ClientCertificate(Secret::new(&pem));
    let source = identity(by, &login, &authority).source().unwrap();
    assert_eq!(source.token().unwrap().reveal(), "granted");
    let forms = forms.lock().unwrap();
    let (_, assertion) = forms[0].1.split_once("client_assertion=").unwrap();
    let assertion = assertion.split('&').next().unwrap();
    let public = key.public_key_pem();
    let decoding = jsonwebtoken::DecodingKey::from_rsa_pem(public.as_bytes()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::PS256);
    validation.set_audience(&[format!("{login}/contoso.example/oauth2/v2.0/token")]);
    let token = jsonwebtoken::decode::<Value>(assertion, &decoding, &validation).unwrap();
    assert_eq!(token.claims["iss"], "00000000-0000-4000-8000-000000000001");
    let header = assertion.split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    assert_eq!(header["x5t#S256"].as_str().unwrap().len(), 43);
    // A file without a key is refused, and what is in it is not told.
    let by = SignIn::ClientCertificate(Secret::new("a-word"));
    let Err(error) = identity(by, &login, &authority).source() else {
        panic!("it is taken");
    };
    assert!(!error.to_string().contains("a-word"), "{error}");
}

/// A person enters the code after a while; later the sign-in is renewed without the person.
#[test]
fn a_person_signs_in_with_a_code() {
    let (login, authority, forms) = entra(|place, path| {
        match (place, path.ends_with("/devicecode")) {
            (_, true) => {
                let message = "enter ABCD at https://login.example";
                (
                    200,
                    json!({"device_code": "the-code", "expires_in": 900, "interval": 0, "message": message}),
                )
            }
            (1 | 2, _) => (400, json!({"error": "authorization_pending"})),
            (3, _) => (
                200,
                json!({"access_token": "first", "refresh_token": "again"}),
            ),
            (4, _) => (200, json!({"access_token": "second"})),
            _ => (
                400,
                json!({"error": "invalid_grant", "error_description": "no more"}),
            ),
        }
    });
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    let mut identity = identity(SignIn::DeviceCode, &login, &authority);
    identity.say = Arc::new(move |message| heard.lock().unwrap().push(message.to_owned()));
    let source = identity.source().unwrap();
    assert_eq!(source.token().unwrap().reveal(), "first");
    assert_eq!(source.token().unwrap().reveal(), "second");
    assert_eq!(
        *said.lock().unwrap(),
        ["enter ABCD at https://login.example"]
    );
    let forms = forms.lock().unwrap();
    assert!(
        forms[0].1.contains("DeviceManagementRBAC.Read.All"),
        "{}",
        forms[0].1
    );
    assert!(
        forms[4].1.contains("grant_type=refresh_token"),
        "{}",
        forms[4].1
    );
}

#[test]
fn a_refusal_says_why_and_nothing_secret() {
    let (login, authority, _) = entra(|_, _| {
        (
            401,
            json!({"error": "invalid_client", "error_codes": [7000215], "error_description": "AADSTS7000215: Invalid client secret provided."}),
        )
    });
    let by = SignIn::ClientSecret(Secret::new("a-word"));
    let source = identity(by, &login, &authority).source().unwrap();
    let error = source.token().unwrap_err().to_string();
    assert!(error.contains("AADSTS7000215"), "{error}");
    assert!(!error.contains("a-word"), "{error}");
    let shown = format!("{:?}", Secret::new("a-word"));
    assert_eq!(shown, "…");
}
