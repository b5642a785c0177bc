//! Files that editors and systems leave beside those that people write.
//!
//! None of them is a rule or has entities, whatever its extension; so they are not read, and a lock of an editor keeps
//! nobody from deciding. A person may have called a rule so, though, to put it aside: that is told.

use std::io::Read;
use std::path::Path;

use super::{Layout, regular, transaction};

/// The most bytes of a file that are looked at.
const LOOKED_AT: u64 = 1 << 20;

/// Whether the name is that of a lock of Emacs (`.#x.cedar`) or of what macOS keeps of a file on other disks
/// (`._x.cedar`).
pub(super) fn is_named_so(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.starts_with(b".#") || name.starts_with(b"._")
}

/// Whether nobody takes an unread file for a rule: an editor or a system left it, or it is a text about its folder.
pub(super) fn is_no_matter(path: &Path, layout: &Layout) -> bool {
    let is_readme = is_readme(path);
    if !is_readme && !is_named_so(path) && !is_swapped(path) {
        return false;
    }
    // A lock of Emacs is a link to nothing.
    if path.symlink_metadata().is_ok_and(|it| it.is_symlink()) && !path.exists() {
        return true;
    }
    let mut content = Vec::new();
    let read = regular::open(path).and_then(|file| file.take(LOOKED_AT).read_to_end(&mut content));
    match (read, is_readme) {
        (Err(_), _) => false,
        (Ok(_), true) => names_no_rule(&content) || is_written_by_tarbac(path, &content, layout),
        (Ok(_), false) => has_no_rule(&content),
    }
}

/// Whether the file is one in which Vim keeps what is not saved yet (`.x.cedar.swp`).
fn is_swapped(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let extension = path.extension().unwrap_or_default().as_encoded_bytes();
    name.starts_with(b".") && extension.starts_with(b"sw") && extension.len() == 3
}

/// Whether a file of this name is a text about the folder.
pub(super) fn is_readme(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "README.md")
}

/// Whether a text about a folder has no word by which a reader could take it for a rule.
pub(super) fn names_no_rule(content: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(content, word).is_some();
    !has(b"permit") && !has(b"forbid")
}

/// Whether a file has no text in which a rule, a schema or an entity could stand.
pub(super) fn has_no_rule(content: &[u8]) -> bool {
    content.contains(&0) || !content.iter().any(|byte| b"({".contains(byte))
}

fn is_written_by_tarbac(path: &Path, content: &[u8], layout: &Layout) -> bool {
    let text = String::from_utf8_lossy(content).replace("\r\n", "\n");
    let is_recorded = || {
        let within = path.strip_prefix(&layout.root).ok()?;
        let (record, _) = transaction::record_of(&layout.root).ok()??;
        let within = within.to_string_lossy().replace('\\', "/");
        Some(record.files.contains_key(&within))
    };
    layout.shipped.has_text(&text) || is_recorded() == Some(true)
}
