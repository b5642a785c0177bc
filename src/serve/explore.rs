//! The questions of people: the API that the page and scripts ask, `/api/v1`.
//!
//! Each endpoint takes the arguments of a command by name and answers with the document that the command writes.

mod access;
pub(crate) mod api;
mod arguments;
mod bodies;
pub(crate) mod changes;
mod compared;
mod documents;
pub(crate) mod job;
mod name_search;
mod remedy;
mod supposed;
mod typed;
pub(crate) mod what_if;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use crate::app::App;
use api::path;

pub(crate) use access::AccessQuestion;
pub(crate) use api::status_document;
pub(crate) use arguments::{Arguments, SUPPOSED, Suppositions};
pub(crate) use bodies::GraphRequest;
pub(crate) use changes::{ChangesQuestion, PATH as CHANGES, REVISIONS};
pub(crate) use documents::{Question, explain_inquiry, matrix_inquiry, what_inquiry, who_inquiry};
pub(crate) use job::JobQuestion;
pub(crate) use name_search::{Hit, Role, found, searched, value};
pub(crate) use remedy::remedy_arguments;
pub(crate) use supposed::{Supposed, supposed};
pub(crate) use typed::{Equal, Typed, add_suppositions};
pub(crate) use what_if::{PATH as WHAT_IF, WhatIfQuestion, document};

/// Answers of more bytes are compressed for callers who take that.
const LONG: u64 = 1024;

/// The endpoints.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(path::STATUS, get(api::status))
        .route(path::ACTIONS, get(api::actions))
        .route(path::READINGS, get(api::all_readings))
        .route(path::FIND, get(api::find))
        .route(path::EXPLAIN, post(api::explain))
        .route(path::WHO, post(api::who))
        .route(path::WHAT, post(api::what))
        .route(path::MATRIX, post(api::matrix))
        .route(path::ACCESS, post(api::access))
        .route(changes::REVISIONS, get(changes::revisions))
        .route(changes::PATH, post(changes::changes))
        .route(what_if::PATH, post(what_if::begin))
        .route(job::JOB, get(job::watch).delete(job::stop))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(LONG)))
}
