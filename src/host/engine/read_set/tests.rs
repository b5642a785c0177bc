//! Read sets of conditions, written out by hand.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

use tarbac_diagnostic::source::Source;

use super::*;
use crate::bundle::{self, Texts};

const SCHEMA: &str = r#"
entity Group;
entity User in [Group] = { name: String, address: { city: String, street: String }, boss?: User };
entity Device = { owner: User, groups: Set<Group> } tags String;
action use appliesTo { principal: User, resource: Device, context: { by?: User } };
"#;

/// What is read for the condition of a policy.
fn read(condition: &str) -> ReadSet {
    let policy =
        format!("@id(\"p\")\npermit (principal, action, resource) when {{ {condition} }};");
    let texts = Texts {
        schema: vec![Source::held("a.cedarschema", SCHEMA)],
        policies: vec![Source::held("a.cedar", policy)],
        ..Texts::default()
    };
    let bundle = bundle::read(&texts).0.expect("nothing is wrong");
    let mut builder = ReadSetBuilder::default();
    builder.add_policy(bundle.policy("p").unwrap(), bundle.vocabulary());
    builder.read_set
}

fn names(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn an_attribute_is_read_as_a_whole_or_followed() {
    let of = read("principal.name == \"a\"");
    assert_eq!(
        (of.attributes, of.whole),
        (names(&["name"]), names(&["name"]))
    );
    let of = read("principal.address.city == \"a\"");
    assert_eq!(of.attributes, names(&["address", "city"]));
    assert_eq!(of.whole, names(&["city"]));
    let of = read("principal has boss");
    assert_eq!((of.attributes, of.whole), (names(&["boss"]), names(&[])));
    assert_eq!(of.identities, names(&[]));
}

#[test]
fn a_comparison_reads_who_somebody_is_and_a_membership_does_not() {
    assert_eq!(
        read("resource.owner == principal").identities,
        names(&["User"])
    );
    let of = read("principal in resource.groups");
    assert_eq!((of.identities, of.groups), (names(&[]), names(&["Group"])));
    assert!(!of.is_every_group);
    // Of whom the context names, the directory says nothing.
    assert_eq!(
        read("context has by && context.by == principal").identities,
        names(&["User"])
    );
}

#[test]
fn tags_are_read_by_name_or_value() {
    assert!(read("resource.hasTag(\"a\")").tags);
    assert!(read("resource.hasTag(\"a\") && resource.getTag(\"a\") == \"b\"").tags);
    assert!(!read("principal.name == \"a\"").tags);
}
