//! `tarbac serve`: the program answers over HTTP.

mod authority;
mod browser;
mod callers;
mod certification;
pub(crate) mod client;
pub(crate) mod decision_log;
mod endurance;
mod evaluation;
mod evaluations;
mod explore;
mod guide;
mod independent;
mod jwt;
mod openapi;
mod operation;
mod page;
mod pages;
mod reload;
mod replay;
mod search;
mod signature;
mod tls;
mod traces;
mod transport;
