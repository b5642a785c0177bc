//! Mutants of policies under the specs, for people and reports.

use super::story;
use crate::suite::indented;
use crate::{Style, mutation};
use tarbac_assurance::prove::SpecMutation;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::engine::Engine;

/// Mutants that no spec notices, as findings.
pub fn survivors(mutation: &SpecMutation, engine: &Engine) -> Vec<Finding> {
    mutation
        .survivors
        .iter()
        .map(|survivor| {
            let mutant = &survivor.mutant;
            Finding::error(
                code::mutant::SURVIVED,
                format!(
                    "no spec is refuted where in `{}` {}",
                    mutant.original.id(),
                    mutant.what
                ),
            )
            .label(mutant.place.clone(), "changed here")
            .help(format!(
                "what is decided otherwise:\n{}",
                story::list(&survivor.counterexample, engine).trim_end()
            ))
        })
        .collect()
}

/// The results of mutants under the specs.
pub fn human(mutation: &SpecMutation, engine: &Engine, style: Style) -> String {
    let mut text = String::new();
    for survivor in &mutation.survivors {
        text += &format!(
            "{}  {}\n",
            style.red("SURVIVED"),
            mutation::line(&survivor.mutant)
        );
        let action = engine
            .bundle()
            .vocabulary()
            .action(&survivor.counterexample.model.action)
            .map_or("", |action| action.short_name());
        text += &format!("    {action} is decided otherwise where\n");
        text += &indented(&story::list(&survivor.counterexample, engine), 4);
        text += &match survivor.readings.as_slice() {
            [] => "\n".to_owned(),
            readings => format!(
                "    The readings in force are: {}.\n\n",
                readings.join(", ")
            ),
        };
    }
    let unknown = mutation.unknown.iter();
    let unknown = unknown.map(|(mutant, unknown)| (mutant, unknown.to_string()));
    text += &mutation::others(unknown, &mutation.equivalent, style);
    text + &format!(
        "mutants: {} made, {} refuted by a spec, {} refused by validate, {} proved equivalent, {} survived{}\n",
        mutation.mutants,
        mutation.refuted,
        mutation.refused,
        mutation.equivalent.len(),
        mutation.survivors.len(),
        mutation::and_unknown(mutation.unknown.len())
    )
}
