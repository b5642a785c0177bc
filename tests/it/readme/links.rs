//! Links of the pages, and the anchors that they lead to.

use std::collections::BTreeSet;

use super::{all_pages, parts, repository, topics};

#[test]
fn links_lead_somewhere() {
    let mut linked = BTreeSet::new();
    for page in all_pages() {
        let here = repository().join(&page.path);
        for link in parts(&page.text).links {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => here.clone(),
                _ => here.parent().unwrap().join(file),
            };
            assert!(target.exists(), "{}: {link}", page.path);
            if page.path == "README.md" {
                linked.insert(file.to_owned());
            }
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(target).unwrap();
                assert!(
                    parts(&text).anchors.contains(anchor),
                    "{}: {link}",
                    page.path
                );
            }
        }
    }
    for topic in topics() {
        let path = format!("docs/{topic}.md");
        assert!(linked.contains(&path), "README.md does not name {path}");
    }
}

#[test]
fn anchors_are_those_of_github() {
    let text = "# The `host`, in short\n## Limits\n### What's *new*? (4.1)\n## Limits\n";
    let anchors = parts(text).anchors.into_iter().collect::<Vec<_>>();
    assert_eq!(
        anchors,
        ["limits", "limits-1", "the-host-in-short", "whats-new-41"]
    );
}
