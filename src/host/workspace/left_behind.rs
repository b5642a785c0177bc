//! Files that editors and systems leave beside those that people write.
//!
//! No rule and no entity can stand in them, whatever their extension; so they are not read, and a lock of an editor
//! keeps nobody from deciding. A name alone says nothing: a rule in `.#x.cedar` is in force like any other.

use std::io::{self, Read};
use std::path::Path;

use super::{Layout, regular, transaction};

/// The most bytes of a file that are looked at.
const LOOKED_AT: u64 = 1 << 20;

/// The first bytes of what macOS keeps of a file on other disks (AppleDouble, RFC 1740).
const APPLE_DOUBLE: &[u8] = &[0, 5, 0x16, 7];

/// Whether an editor or a system left a file beside another one: a lock of Emacs (`.#x.cedar`), which is a link to
/// nothing or a line of text, or what macOS keeps of a file (`._x.cedar`).
pub(super) fn is_left_behind(path: &Path) -> bool {
    is_named_so(path)
        && (leads_nowhere(path) || start_of(path).is_ok_and(|content| has_no_rule(&content)))
}

/// As [`is_left_behind`], of a file with this content.
pub(super) fn is_left_behind_with(path: &Path, content: &[u8]) -> bool {
    is_named_so(path) && has_no_rule(content)
}

/// Whether nobody takes an unread file for a rule: an editor or a system left it, or it is a text about its folder.
pub(super) fn is_no_matter(path: &Path, layout: &Layout) -> bool {
    let is = |holds: &dyn Fn(&[u8]) -> bool| start_of(path).is_ok_and(|content| holds(&content));
    is_left_behind(path)
        || is_swapped(path) && (leads_nowhere(path) || is(&|content| content.contains(&0)))
        || is_readme(path)
            && is(&|content| names_no_rule(content) || is_written_by_tarbac(path, content, layout))
}

fn is_named_so(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.starts_with(b".#") || name.starts_with(b"._")
}

fn leads_nowhere(path: &Path) -> bool {
    path.is_symlink() && !path.exists()
}

fn start_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    regular::open(path)?
        .take(LOOKED_AT)
        .read_to_end(&mut content)?;
    Ok(content)
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

/// Whether no rule, schema or entity can stand in a file that starts like this.
fn has_no_rule(start: &[u8]) -> bool {
    let is_whole = (start.len() as u64) < LOOKED_AT;
    start.starts_with(APPLE_DOUBLE) || is_whole && memchr::memchr2(b'(', b'{', start).is_none()
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
