//! The tenants of a workspace by name.

use crate::explain::{Labels, Named};
use tarbac_host::engine::Engine;

/// The annotation by which a schema says what programs call an entity type.
const CALLED: &str = "authzen";

/// The word for a tenant there.
const TENANT: &str = "tenant";

/// The entities of the type that programs call `tenant`, sorted by name; none where a schema has no such type.
pub fn tenants(engine: &Engine) -> Vec<Named> {
    let vocabulary = engine.bundle().vocabulary();
    let is_tenant = |name: &&str| vocabulary.type_annotation(name, CALLED) == Some(TENANT);
    let types = vocabulary.type_names().filter(is_tenant);
    let types = types.filter_map(|name| name.parse().ok());
    let (directory, labels) = (engine.directory(), Labels::new(engine));
    let uids = types.flat_map(|name| {
        let rows = directory.rows_of(&name);
        rows.map(|row| directory.uid(row)).collect::<Vec<_>>()
    });
    let mut tenants: Vec<Named> = uids.map(|uid| labels.named(&uid)).collect();
    tenants.sort();
    tenants
}
