//! The rules, the sample and the documentation that ship with the program.
//!
//! The program hands them in, so that the command line knows no rule.

use std::sync::{Arc, OnceLock};

use blake3::Hash;
use tarbac_host::bundle::{Shipped, TextFile};

/// The content that ships with a program.
#[derive(Debug, Clone, Copy)]
pub struct Product {
    /// The rules in force in every workspace that does not replace them.
    pub rules: fn() -> Arc<Shipped>,
    /// The files of the sample workspace without the rules, sorted by path.
    pub sample: fn() -> Vec<TextFile>,
    /// The pages of the documentation in Markdown; the name of a file is its topic.
    pub pages: fn() -> Vec<TextFile>,
    /// Whether a digest is that of a rule that shipped before workspaces had a record of written files.
    pub shipped_before_records: fn(&Hash) -> bool,
    /// Whether standard output was closed when the program began, so that all that is written to it is lost.
    pub is_output_closed: bool,
}

/// A static, because completions are called without an argument for it.
static PRODUCT: OnceLock<Product> = OnceLock::new();

/// Sets the content that ships. The first call counts.
pub(crate) fn set(product: Product) {
    // A second call has no effect.
    let _ = PRODUCT.set(product);
}

/// The rules that ship; empty before [`set`].
pub(crate) fn rules() -> Arc<Shipped> {
    let product = PRODUCT.get();
    product.map_or_else(Arc::default, |product| (product.rules)())
}

/// The sample, without the rules.
pub(crate) fn sample() -> Vec<TextFile> {
    let product = PRODUCT.get();
    product.map_or_else(Vec::new, |product| (product.sample)())
}

/// The pages of the documentation.
pub(crate) fn pages() -> Vec<TextFile> {
    let product = PRODUCT.get();
    product.map_or_else(Vec::new, |product| (product.pages)())
}

/// Whether standard output was closed when the program began.
pub(crate) fn is_output_closed() -> bool {
    let product = PRODUCT.get();
    product.is_some_and(|product| product.is_output_closed)
}

/// Whether a digest is that of a rule that shipped before workspaces had a record.
pub(crate) fn shipped_before_records(digest: &Hash) -> bool {
    let product = PRODUCT.get();
    product.is_some_and(|product| (product.shipped_before_records)(digest))
}
