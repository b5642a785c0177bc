//! `tarbac health`: whether a server is ready.

use clap::Args;

use crate::arguments::Format;
use crate::arguments::format::format_fixed;
use crate::exit::Exit;
use crate::failure::Failure;

/// Ask a server of `tarbac serve` whether it is ready.
///
/// It is ready if /readyz answers 200. This is for images that have no shell and no curl.
///
/// Exit status: 0 ready, 1 not ready or not there, 2 could not ask.
#[derive(Debug, Args)]
#[command(arg = format_fixed(&[Format::Human]), after_help = "\
Examples:
  tarbac health http://127.0.0.1:8180
  tarbac health unix:/run/tarbac/pdp.sock")]
pub(crate) struct HealthArgs {
    /// The address: http://HOST:PORT, https://HOST:PORT, or unix:PATH.
    #[arg(value_name = "URL")]
    pub url: String,
}

pub(crate) fn run(health: &HealthArgs) -> Result<Exit, Failure> {
    Ok(match tarbac_serve::is_ready(&health.url)? {
        true => Exit::Yes,
        false => Exit::No,
    })
}
