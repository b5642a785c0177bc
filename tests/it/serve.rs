//! `tarbac serve`: the program answers over HTTP.

mod certification;
mod client;
mod evaluation;
mod evaluations;
mod openapi;
mod operation;
mod page;
mod pages;
mod reload;
mod search;
mod transport;
