//! `tarbac schema`: JSON Schemas for editors.

use tarbac_assurance::suite;

use super::output::Output;
use super::{Exit, Failure};
use crate::cli::{Schema, SchemaOf};

pub fn run(schema: &Schema, output: &mut Output) -> Result<Exit, Failure> {
    output.write(&match schema.of {
        SchemaOf::Suite => suite::schema(),
    })?;
    Ok(Exit::Yes)
}
