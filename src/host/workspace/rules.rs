//! The rules in force: those that ship, with files of the workspace added or instead.
//!
//! The files of `policies/` and `schema/` add to the rules that ship, wherever they are in these folders. They replace
//! them only if a manifest in the folder says so ([`manifest`](super::manifest)), or if the schema has nothing to do
//! with the one that ships: then no rule that ships has a meaning.

use std::sync::Arc;

use crate::bundle::{self, Shipped, Texts};
use tarbac_diagnostic::source::Source;

/// The files of `policies/` or `schema/`, or those in their place.
#[derive(Debug, Default)]
pub(super) struct RuleFiles {
    /// The policies or schema files.
    pub sources: Vec<Arc<Source>>,
    /// The links of templates.
    pub links: Vec<Arc<Source>>,
    /// Whether a manifest says that the files replace the rules that ship.
    pub replaces: bool,
    /// Whether all files are in a folder `custom/`, which is for additions.
    pub is_custom: bool,
}

/// The texts of the rules in force.
pub(super) fn in_force(policies: RuleFiles, schema: RuleFiles, shipped: &Arc<Shipped>) -> Texts {
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
