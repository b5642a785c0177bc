//! The client that asks a server whether it is ready.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use crate::fault::ServeError;
use crate::settings::is_local_name;
use crate::tls;

/// The time limit of each step.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the server at a URL answers `/readyz` with 200. The URL is `http://HOST:PORT`, `https://HOST:PORT` or
/// `unix:PATH`.
///
/// # Errors
/// The URL has another form.
pub fn is_ready(url: &str) -> Result<bool, ServeError> {
    if let Some(path) = url.strip_prefix("unix:") {
        return Ok(ask_socket(path).unwrap_or(false));
    }
    let not_http = || ServeError::Probe(url.to_owned());
    let uri: Uri = url.parse().map_err(|_| not_http())?;
    let authority = uri.authority().ok_or_else(not_http)?;
    match uri.scheme_str() {
        Some("http") => Ok(ask(authority).unwrap_or(false)),
        Some("https") => Ok(ask_in_private(authority)),
        _ => Err(not_http()),
    }
}

fn ask(authority: &Authority) -> io::Result<bool> {
    let port = authority.port_u16().unwrap_or(80);
    let bare = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    let mut last = Err(io::ErrorKind::NotFound.into());
    for address in (bare, port).to_socket_addrs()? {
        last = TcpStream::connect_timeout(&address, PATIENCE).and_then(|stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            answered(stream, authority.as_str())
        });
        if last.is_ok() {
            break;
        }
    }
    last
}

/// Asks over TLS. On this machine, the certificate is not verified, as it may name the server's public host only.
fn ask_in_private(authority: &Authority) -> bool {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .disable_verification(is_local_name(authority.host()))
        .unversioned_rustls_crypto_provider(tls::provider())
        .build();
    let config = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .tls_config(tls)
        .build();
    let answer = Agent::new_with_config(config)
        .get(format!("https://{authority}/readyz"))
        .call();
    answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
}

#[cfg(unix)]
fn ask_socket(path: &str) -> io::Result<bool> {
    let stream = std::os::unix::net::UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    answered(stream, "localhost")
}

#[cfg(not(unix))]
fn ask_socket(_: &str) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether the answer begins with the status 200.
fn answered(mut stream: impl Read + Write, host: &str) -> io::Result<bool> {
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut status = [0; b"HTTP/1.1 200 ".len()];
    stream.read_exact(&mut status)?;
    Ok(status == *b"HTTP/1.1 200 ")
}
