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

/// Most of each is waiting, for a time that the server gives or for its next look at a file, so they wait together.
#[test]
fn what_takes_its_time_holds() {
    std::thread::scope(|scope| {
        for holds in [
            operation::slow_requests_are_cut_off,
            callers::a_token_is_taken_back_while_the_server_runs,
            tls::a_new_certificate_is_for_new_connections_and_a_wrong_one_for_none,
        ] {
            scope.spawn(holds);
        }
    });
}
