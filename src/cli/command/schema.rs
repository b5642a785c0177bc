//! `tarbac schema`: the JSON Schemas of suites and of answers.

use clap::{Args, ValueEnum};
use tarbac_assurance::suite;
use tarbac_report as render;

#[cfg(feature = "prove")]
use super::prove;
use super::test;
use crate::arguments::format::{DOCUMENTS, format_fixed};
use crate::exit::Exit;
use crate::failure::Failure;
#[cfg(not(feature = "prove"))]
use crate::failure::ShellError;
use crate::output::Output;

/// Write a JSON Schema to standard output, for editors and programs.
///
/// Exit status: 0 written, 2 could not answer.
#[derive(Debug, Args)]
#[command(arg = format_fixed(DOCUMENTS), after_help = "\
Examples:
  tarbac schema suite > tests/suite.schema.json
  tarbac schema access
  tarbac help testing                      the page on suites")]
pub(crate) struct SchemaArgs {
    /// The document that the schema describes.
    pub of: SchemaOf,
}

/// The documents with a JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// The YAML files under `tests/`.
    Suite,
    /// The JSON of `check`.
    Check,
    /// The JSON of `explain`.
    Explain,
    /// The JSON of `who`.
    Who,
    /// The JSON of `what`.
    What,
    /// The JSON of `access`.
    Access,
    /// The JSON of `what-if`, `diff` and `store diff`.
    WhatIf,
    /// The JSON of `matrix`.
    Matrix,
    /// The JSON of `readings`.
    Readings,
    /// The JSON of `validate`.
    Validate,
    /// The JSON of `test`.
    Test,
    /// The JSON of `test --cedar`.
    TestCedar,
    /// The JSON of `prove`.
    Prove,
    /// The JSON of `prove --compare`.
    ProveCompare,
    /// The JSON of `role diff`.
    RoleDiff,
    /// The JSON of `import`.
    Import,
    /// The JSON of `import --how`.
    ImportHow,
    /// The lines of `serve --decision-log`.
    DecisionLog,
    /// The JSON of `replay`.
    Replay,
    /// The JSON of `init` and `fmt`.
    Files,
    /// The JSON of `publish` and `store revert`.
    Publish,
    /// The JSON of `store status`.
    StoreStatus,
    /// The JSON of `store log`.
    StoreLog,
    /// The JSON of `store prune`.
    StorePrune,
}

pub(crate) fn run(schema: &SchemaArgs, output: &mut Output) -> Result<Exit, Failure> {
    let text = match schema.of {
        SchemaOf::Suite => suite::schema(),
        SchemaOf::Check => render::answer::SCHEMA(),
        SchemaOf::Explain => render::explanation::SCHEMA(),
        SchemaOf::Who => render::who_what::WHO_SCHEMA(),
        SchemaOf::What => render::who_what::WHAT_SCHEMA(),
        SchemaOf::Access => render::access_review::SCHEMA(),
        SchemaOf::WhatIf => render::impact::SCHEMA(),
        SchemaOf::Matrix => render::matrix::SCHEMA(),
        SchemaOf::Readings => render::readings::SCHEMA(),
        SchemaOf::Validate => render::findings::SCHEMA(),
        SchemaOf::Test => test::SCHEMA(),
        SchemaOf::TestCedar => test::CEDAR_SCHEMA(),
        #[cfg(feature = "prove")]
        SchemaOf::Prove => prove::SCHEMA(),
        #[cfg(feature = "prove")]
        SchemaOf::ProveCompare => prove::COMPARE_SCHEMA(),
        #[cfg(not(feature = "prove"))]
        SchemaOf::Prove | SchemaOf::ProveCompare => return Err(ShellError::left_out("prove")),
        SchemaOf::RoleDiff => render::role::SCHEMA(),
        SchemaOf::Import => render::import::SCHEMA(),
        SchemaOf::ImportHow => render::import::CATALOG_SCHEMA(),
        SchemaOf::DecisionLog => render::decision_log::SCHEMA(),
        SchemaOf::Replay => render::replay::SCHEMA(),
        SchemaOf::Files => render::files::SCHEMA(),
        SchemaOf::Publish => render::store::PUBLISH_SCHEMA(),
        SchemaOf::StoreStatus => render::store::STATUS_SCHEMA(),
        SchemaOf::StoreLog => render::store::LOG_SCHEMA(),
        SchemaOf::StorePrune => render::store::PRUNE_SCHEMA(),
    };
    output.write(&text)?;
    Ok(Exit::Yes)
}
