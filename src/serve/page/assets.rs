//! The style sheet and the script, at addresses that change with their content.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tarbac_report::html::STYLE;

use crate::fault::Fault;

/// The script.
const SCRIPT: &str = include_str!("page.js");

/// A file of the page.
pub(super) struct Asset {
    /// Its name, with a digest of its content.
    pub(super) name: String,
    kind: &'static str,
    content: &'static str,
}

/// The style sheet.
pub(super) static STYLE_SHEET: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("style", "css", "text/css; charset=utf-8", STYLE));

/// The script.
pub(super) static PAGE_SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("page", "js", "text/javascript; charset=utf-8", SCRIPT));

impl Asset {
    fn new(name: &str, ending: &str, kind: &'static str, content: &'static str) -> Self {
        let digest = blake3::hash(content.as_bytes()).to_hex();
        let digest = digest.get(..16).unwrap_or_default();
        Self {
            name: format!("{name}-{digest}.{ending}"),
            kind,
            content,
        }
    }
}

/// `GET /assets/{name}`
pub(super) async fn asset(Path(name): Path<String>) -> Response {
    let all = [&STYLE_SHEET, &PAGE_SCRIPT];
    let Some(asset) = all.into_iter().find(|asset| asset.name == name) else {
        return Fault::new(StatusCode::NOT_FOUND, "there is no such file").into_response();
    };
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.kind)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        ),
    ];
    (headers, asset.content).into_response()
}
