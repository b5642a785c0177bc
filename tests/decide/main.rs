//! Decides one request on the sample tenant with nothing but the host, run at the root of the repository.

#![warn(clippy::too_many_lines)]

use std::error::Error;
use std::path::PathBuf;

use cedar_policy::Context;
use tarbac_host::lookup::{Lookup, Name};
use tarbac_host::{Layout, Request, Switches, Workspace};

fn main() -> Result<(), Box<dyn Error>> {
    // The host has no rules of its own: these are files like any others.
    let layout = Layout {
        policies: ["policies", "tests/contoso/policies"]
            .map(PathBuf::from)
            .to_vec(),
        schema: vec![PathBuf::from("schema")],
        root: PathBuf::from("tests/contoso"),
        ..Layout::default()
    };
    let workspace = Workspace::load(&layout, &Switches::default())?;
    let names = Lookup::new(&workspace.engine);
    let action = names.action(&Name::from("Run script"))?;
    let request = Request {
        principal: names.principal(action, &Name::from("ada@contoso.example"))?,
        action: action.uid.clone(),
        resource: names.resource(action, &Name::from("WS-TST-001"))?,
        context: Context::empty(),
    };
    println!("{:?}", workspace.engine.decide(&request));
    Ok(())
}
