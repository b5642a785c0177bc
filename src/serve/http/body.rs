//! The body of a request, read within limits of type, size and time.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tracing::Instrument;

use crate::fault::Fault;
use crate::metrics::Reason;
use crate::trace::step;

/// The time limit for a whole body.
const DEADLINE: Duration = Duration::from_secs(10);

/// The most bytes of a form.
const FORM: usize = 64 * 1024;

/// Reads the body of a request that has to be JSON.
///
/// # Errors
/// The content type is another, the body has more than `largest` bytes, or it does not arrive in time.
pub(crate) async fn json(request: Request, largest: usize) -> Result<Bytes, Fault> {
    if !is_json(request.headers()) {
        return Err(Fault::bad_request(
            "the header Content-Type is not application/json",
        ));
    }
    let body = Limited::new(request.into_body(), largest);
    let body = body.collect().instrument(step!("read"));
    match tokio::time::timeout(DEADLINE, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Fault::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {largest} bytes"),
        )
        .because(Reason::size)),
        Ok(Err(_)) => Err(Fault::bad_request("the body broke off")),
        Err(_) => Err(
            Fault::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")
                .because(Reason::timeout),
        ),
    }
}

/// Reads the body of a form.
///
/// # Errors
/// It is larger than any form here, does not come in time, or is no text.
pub(crate) async fn form(request: Request) -> Result<String, Fault> {
    let body = Limited::new(request.into_body(), FORM);
    let broken = || Fault::bad_request("the form is too large, or broke off");
    let read = tokio::time::timeout(DEADLINE, body.collect()).await;
    let body = read.map_err(|_| broken())?.map_err(|_| broken())?;
    String::from_utf8(body.to_bytes().to_vec()).map_err(|_| broken())
}

/// Whether the content type is `application/json`, with any parameters.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let mut sent = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(only), None) = (sent.next(), sent.next()) else {
        return false;
    };
    let kind = only.to_str().unwrap_or_default().split(';').next();
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
