//! The product: rules, sample and pages that ship with the program.
//!
//! They are handed in by whoever builds it, so that the command line knows no rule.

use std::sync::{Arc, OnceLock};

use blake3::Hash;
use tarbac_host::bundle::{File, Shipped};

/// What a program brings along.
#[derive(Debug, Clone, Copy)]
pub struct Product {
    /// The rules that are in force in a workspace that does not replace them.
    pub rules: fn() -> Arc<Shipped>,
    /// A workspace to begin with, without the rules: its files, sorted by path.
    pub sample: fn() -> Vec<File>,
    /// The pages of the documentation in Markdown: their files, named for their topics.
    pub pages: fn() -> Vec<File>,
    /// Whether a digest is that of a rule that shipped before workspaces had records of what was written into them.
    pub shipped_before_records: fn(&Hash) -> bool,
}

/// Completions are asked for where nothing can be handed in.
static PRODUCT: OnceLock<Product> = OnceLock::new();

/// What this program brings along, from here on.
pub(crate) fn set(product: Product) {
    // The first one holds.
    let _ = PRODUCT.set(product);
}

/// The rules that ship; none before [`set`].
pub(crate) fn rules() -> Arc<Shipped> {
    let product = PRODUCT.get();
    product.map_or_else(Arc::default, |product| (product.rules)())
}

/// The sample, without the rules.
pub(crate) fn sample() -> Vec<File> {
    let product = PRODUCT.get();
    product.map_or_else(Vec::new, |product| (product.sample)())
}

/// The pages of the documentation.
pub(crate) fn pages() -> Vec<File> {
    let product = PRODUCT.get();
    product.map_or_else(Vec::new, |product| (product.pages)())
}

/// Whether a digest is that of a rule that shipped before there were records.
pub(crate) fn shipped_before_records(digest: &Hash) -> bool {
    let product = PRODUCT.get();
    product.is_some_and(|product| (product.shipped_before_records)(digest))
}
