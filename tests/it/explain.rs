//! Explanations on the sample tenant and on small worlds of their own.
mod made;
mod told;
mod verified;

use std::io::Cursor;

use cedar_policy::{Context, EntityUid};

use tarbac::assembly;
use tarbac::bundle::Switches;
use tarbac::decision::Request;
use tarbac::directory::Input;
use tarbac::engine::Engine;
use tarbac::shipped;
use tarbac::source::Source;
use tarbac::workspace::{Layout, Workspace};

use crate::tarbac::contoso_folder;

/// The sample tenant.
fn contoso() -> Engine {
    let layout = Layout::new(contoso_folder(), shipped::rules());
    match Workspace::load(&layout, &Switches::default()) {
        Ok(workspace) => workspace.engine,
        Err(error) => panic!("{error:?}"),
    }
}

/// What ships, with a policy more, over these entities.
fn world(policy: &str, entities: &str, switches: &Switches) -> Engine {
    let mut texts = shipped::rules().alone();
    texts
        .policies
        .push(Source::held("policies/custom/made.cedar", policy));
    let input = Input {
        source: Source::held("entities/made.json", ""),
        reader: Box::new(Cursor::new(entities.to_owned().into_bytes())),
    };
    let examination = assembly::examine(&texts, vec![input], switches).unwrap();
    examination
        .engine
        .unwrap_or_else(|| panic!("{:?}", examination.findings))
}

fn only(engine: &Engine, type_name: &str, text: &str) -> EntityUid {
    let directory = engine.directory();
    let rows = directory.called(&type_name.parse().unwrap(), text);
    let [row] = rows.as_slice() else {
        panic!("{text}: {rows:?}");
    };
    directory.uid(*row)
}

fn request(engine: &Engine, principal: &str, action: &str, resource: &str) -> Request {
    let actions = engine.bundle().vocabulary().actions_spelled(action);
    let [action] = actions.as_slice() else {
        panic!("{action}: {actions:?}");
    };
    Request {
        principal: only(engine, "Entra::User", principal),
        action: action.uid.clone(),
        resource: only(engine, "ConfigMgr::Device", resource),
        context: Context::empty(),
    }
}
