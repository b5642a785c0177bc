//! `tarbac schema`: JSON Schemas of suites, for editors, and of what programs get.

use tarbac_assurance::suite;
use tarbac_report as render;

#[cfg(not(feature = "prove"))]
use super::ShellError;
use super::output::Output;
#[cfg(feature = "prove")]
use super::prove;
use super::{Exit, Failure, test};
use crate::cli::{Schema, SchemaOf};

pub fn run(schema: &Schema, output: &mut Output) -> Result<Exit, Failure> {
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
        SchemaOf::Files => render::files::SCHEMA(),
    };
    output.write(&text)?;
    Ok(Exit::Yes)
}
