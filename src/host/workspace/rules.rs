//! The rules in force: shipped, and files beside them or in their place.
//!
//! What ships is in force, and the files of `policies/` and `schema/` add to it wherever they lie in there. They
//! replace it only where a manifest in the folder says so ([`manifest`](super::manifest)), or where the schema
//! is somebody else's altogether: then no rule that ships has a meaning.

use std::sync::Arc;

use crate::bundle::{self, Shipped, Texts};
use tarbac_diagnostic::source::Source;

/// The files of `policies/` or of `schema/`, or those that are named in its place.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Policies, or schema.
    pub sources: Vec<Arc<Source>>,
    /// Links of templates.
    pub links: Vec<Arc<Source>>,
    /// Whether a manifest says that they replace what ships.
    pub replaces: bool,
    /// Whether all of them lie in a folder `custom/`, which is there for additions.
    pub is_custom: bool,
}

/// The texts of the rules in force.
pub(super) fn in_force(policies: Part, schema: Part, shipped: &Arc<Shipped>) -> Texts {
    let is_of_others =
        !schema.is_custom && bundle::is_another_schema(&schema.sources, shipped.schema());
    let mut texts = Texts {
        shipped: Arc::clone(shipped),
        ..Texts::default()
    };
    if !schema.replaces && !is_of_others {
        texts.schema = shipped.schema().to_vec();
    }
    if !policies.replaces && !is_of_others {
        texts.policies = shipped.policies().to_vec();
    }
    texts.schema.extend(schema.sources);
    texts.policies.extend(policies.sources);
    texts.links.extend(policies.links);
    texts
}
