//! The making of reports in HTML: tenants, time and command line.

use tarbac_analysis::tenants::tenants;
use tarbac_host::Engine;
use tarbac_report::html::Colophon;

use crate::arguments::command_line;
use crate::clock;

/// How this process makes a report about an engine; with the names of the two states that are compared, if both have one.
pub(crate) fn colophon(engine: &Engine, states: Option<[String; 2]>) -> Colophon {
    let now = clock::now();
    let arguments = std::env::args_os().skip(1);
    let arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    Colophon {
        tenants: tenants(engine).into_iter().map(|of| of.name).collect(),
        made_at: now.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        command: command_line(arguments),
        states,
    }
}
