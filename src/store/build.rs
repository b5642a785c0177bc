//! The build of a directory: order of rows, ancestors, checks of references, and overlays.

pub(crate) mod ancestors;
pub(crate) mod order;
pub(crate) mod overlay;
pub(crate) mod references;
