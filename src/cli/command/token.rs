//! `tarbac token`: a new token for a caller.

use clap::Args;
use tarbac_serve::NewToken;

use crate::arguments::Format;
use crate::arguments::format::format_fixed;
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::Output;

/// Make an access token for a caller of `tarbac serve`.
///
/// The first line is the token, which is shown once and kept nowhere; the caller sends it as `Authorization: Bearer TOKEN`.
/// The second is the entry for the file of --tokens, with the SHA-256 of the token only. The entry permits evaluate; add
/// search, explore or operate to its `may` as needed.
///
/// Exit status: 0 made, 2 could not make one.
#[derive(Debug, Args)]
#[command(arg = format_fixed(&[Format::Human]), after_help = "\
Examples:
  tarbac token portal                      a token, and its entry in callers.json
  tarbac serve --tokens callers.json       the file is {\"callers\":[ENTRY, …]}
  tarbac help serving                      the page on serving")]
pub(crate) struct TokenArgs {
    /// The name of the caller.
    pub name: String,
}

pub(crate) fn run(token: &TokenArgs, output: &mut Output) -> Result<Exit, Failure> {
    if token.name.is_empty() {
        return Err(ShellError::Arguments {
            message: "the name of the caller is empty".to_owned(),
            help: Some("it stands in the decision log; for example portal".to_owned()),
        }
        .into());
    }
    let made = NewToken::new(&token.name).map_err(Failure::Output)?;
    output.write(&format!("{}\n{}\n", made.token, made.entry))?;
    Ok(Exit::Yes)
}
