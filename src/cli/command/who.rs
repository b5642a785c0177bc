//! `tarbac who`: everybody who may do something to a device or tenant.

use tarbac_analysis::who_what::Who as Answer;
use tarbac_host::Workspace;
use tarbac_host::lookup::{Lookup, Name};
use tarbac_report as render;

use super::check::context;
use super::output::Output;
use super::suppose::{say_premises, suppose};
use super::{Exit, Failure};
use crate::cli::{Format, Global, Who};

pub fn run(global: &Global, arguments: &Who, output: &mut Output) -> Result<Exit, Failure> {
    let (Workspace { engine, .. }, premises) = suppose(global, &arguments.changes)?;
    let names = Lookup::of(&engine);
    let action = names.action(&Name::from(arguments.action.as_str()))?;
    let resource = names
        .resource(action, &Name::from(arguments.resource.as_str()))
        .map_err(|error| names.suggest(error, Some(action)))?;
    let context = context(&engine, &action.uid, &arguments.context)?;
    let named = match (global.format, arguments.all) {
        (Format::Human, false) => render::who_what::LISTED,
        _ => usize::MAX,
    };
    let who = match arguments.eligible {
        true => Answer::with_eligible(&engine, action, &resource, named, &context),
        false => Answer::new(&engine, action, &resource, named, &context),
    };
    let asked = format!("{} on {}", action.short_name(), names.call(&resource));
    say_premises(&premises, global.format, output)?;
    match global.format {
        Format::Json => {
            let provenance = engine.provenance();
            output.write(&render::who_what::document(&who, &premises, provenance))?
        }
        Format::Ndjson => {
            let provenance = engine.provenance();
            output.write_lines(render::who_what::who_ndjson(&who, &premises, provenance))?
        }
        Format::Csv => output.write_sheet(render::who_what::who_csv(&who, &premises))?,
        Format::Markdown => {
            output.write(&render::who_what::who_markdown(&who, arguments.may_not))?;
        }
        _ => {
            let shown = (arguments.may_not, arguments.all);
            let text = render::who_what::human(&who, &asked, shown, output.width());
            output.write(&text)?;
            output.write(&render::glossary::of(&text, &[&engine], output.width()))?;
        }
    }
    Ok(match (who.unknown.is_empty(), who.may.is_empty()) {
        (false, _) => Exit::Unanswered,
        (true, false) => Exit::Yes,
        (true, true) => Exit::No,
    })
}
