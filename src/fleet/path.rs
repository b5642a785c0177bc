//! Paths of objects in a store, and of files in a revision.

use crate::digest::Digest;
use object_store::path::Path;

/// The folder of manifests.
pub(crate) const REVISIONS: &str = "revisions";

/// The folder of blobs.
pub(crate) const BLOBS: &str = "blobs";

/// The folder of announcements.
pub(crate) const REPLICAS: &str = "replicas";

/// The folders of a workspace whose files belong to a revision.
pub(crate) const FOLDERS: [&str; 3] = ["entities", "policies", "schema"];

/// The longest path of a file, in bytes.
const LONGEST: usize = 1024;

/// The path of the manifest of a revision. The number is padded so that paths sort by number.
pub(crate) fn of_revision(prefix: &Path, number: u64) -> Path {
    prefix
        .clone()
        .join(REVISIONS)
        .join(format!("{number:020}.json"))
}

/// The number in the path of a manifest.
pub(crate) fn number_of(path: &Path) -> Option<u64> {
    let digits = path.filename()?.strip_suffix(".json")?;
    let is_number = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// The path of a blob.
pub(crate) fn of_blob(prefix: &Path, digest: &Digest) -> Path {
    let digest = digest.to_string();
    let folder = digest.get(..2).unwrap_or_default();
    let folder = prefix.clone().join(BLOBS).join(folder);
    folder.join(format!("{digest}.zst"))
}

/// The digest in the path of a blob.
pub(crate) fn digest_of(path: &Path) -> Option<Digest> {
    let digest = path.filename()?.strip_suffix(".zst")?;
    Digest::from_hex(digest)
}

/// Whether a path of a manifest names a file inside a folder of the workspace, on every operating system.
pub(crate) fn is_of_workspace(path: &str) -> bool {
    let mut parts = path.split('/');
    let folder = parts.next().unwrap_or_default();
    let is_plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && !part.ends_with(['.', ' '])
            && !part.contains(|of: char| of.is_control() || "\\:*?\"<>|".contains(of))
    };
    path.len() <= LONGEST && FOLDERS.contains(&folder) && path.contains('/') && parts.all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_what_they_name() {
        let prefix = Path::from("a/b");
        assert_eq!(number_of(&of_revision(&prefix, 7)), Some(7));
        assert_eq!(number_of(&of_revision(&prefix, u64::MAX)), Some(u64::MAX));
        let digest = Digest::hash(b"x");
        assert_eq!(digest_of(&of_blob(&prefix, &digest)), Some(digest));
        for other in [
            "a/7.json",
            "a/x.json",
            "a/00000000000000000007",
            "latest.json",
        ] {
            assert_eq!(number_of(&Path::from(other)), None, "{other}");
        }
    }

    #[test]
    fn a_path_stays_in_the_folders_of_a_workspace() {
        for good in [
            "policies/a.cedar",
            "entities/b/c d.json",
            "schema/ü.cedarschema",
        ] {
            assert!(is_of_workspace(good), "{good}");
        }
        let long = format!("entities/{}.json", "x".repeat(LONGEST));
        for bad in [
            "",
            "policies",
            "policies/",
            "/policies/a",
            "policies/../a",
            "policies//a",
            "tests/a",
            "../policies/a",
            "policies/a\\b",
            "policies/C:a",
            "policies/a\nb",
            "policies/./a",
            "policies/a.",
            "policies/..",
            &long,
        ] {
            assert!(!is_of_workspace(bad), "{bad}");
        }
    }
}
