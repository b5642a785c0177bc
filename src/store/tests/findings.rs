//! Each finding of the readers.

use std::fmt::Write as _;

use super::{lines, read, read_files, wrong};
use crate::read::refusal::KEPT;

fn every(attrs: &str) -> String {
    let json = format!(
        r#"[{{"uid": {{"type": "Test::Every", "id": "e"}}, "attrs": {{{attrs}}}, "parents": []}}]"#
    );
    wrong(&json)
}

#[test]
fn syntax() {
    insta::assert_snapshot!(wrong(""), @r#"entities::syntax [a.json:0] `a.json` is empty (write `[]` for no entities)"#);
    insta::assert_snapshot!(wrong(" \n"), @r#"entities::syntax [a.json:2] `a.json` is empty (write `[]` for no entities)"#);
    insta::assert_snapshot!(wrong("{}"), @r#"entities::syntax [a.json:0] `a.json` is not an array of entities (write the entities as a JSON array, `[{"uid": …}, …]`)"#);
    insta::assert_snapshot!(wrong("[] x"), @r#"entities::syntax [a.json:3] `a.json` goes on after the end of its array (-)"#);
    insta::assert_snapshot!(wrong("[1]"), @r#"entities::syntax [a.json:1] an entity cannot be read: invalid type: integer `1`, expected an entity object (-)"#);
    insta::assert_snapshot!(wrong(r#"["a, b", null, [], {}]"#), @r#"
    entities::syntax [a.json:6] an entity cannot be read: invalid type: string "a, b", expected an entity object (-)
    entities::syntax [a.json:12] an entity cannot be read: invalid type: null, expected an entity object (-)
    entities::syntax [a.json:15] an entity cannot be read: invalid type: sequence, expected an entity object (-)
    entities::nonconforming [a.json:19] an entity has no `uid` (say which one it is: "uid": {"type": …, "id": …})
    "#);
    insta::assert_snapshot!(wrong("["), @r#"entities::syntax [a.json:1] `a.json` ends before its array does (-)"#);
    insta::assert_snapshot!(wrong(r#"[{"uid": "#), @r#"entities::syntax [a.json:1] `a.json` ends within an entity (-)"#);
    insta::assert_snapshot!(wrong(r#"[{"uid": ]"#), @r#"
    entities::syntax [a.json:9] an entity cannot be read: expected value (-)
    entities::syntax [a.json:10] `a.json` ends before its array does (-)
    "#);
    insta::assert_snapshot!(wrong(r#"[{},]"#), @r#"
    entities::nonconforming [a.json:1] an entity has no `uid` (say which one it is: "uid": {"type": …, "id": …})
    entities::syntax [a.json:4] `a.json` has a comma after its last entity (-)
    "#);
    insta::assert_snapshot!(wrong(r#"[,{}]"#), @r#"entities::syntax [a.json:1] `a.json` lacks an entity (-)"#);
    insta::assert_snapshot!(wrong(r#"[{} {}]"#), @r#"
    entities::nonconforming [a.json:1] an entity has no `uid` (say which one it is: "uid": {"type": …, "id": …})
    entities::syntax [a.json:4] `a.json` lacks a comma between two entities (-)
    "#);
    insta::assert_snapshot!(wrong("[\n{\"uid\":\n nope}]"), @r#"entities::syntax [a.json:12] an entity cannot be read: expected ident (-)"#);
    insta::assert_snapshot!(every(r#""count": 1, "count": 1"#), @r#"entities::syntax [a.json:1] `Test::Every::"e"` has `count` twice (-)"#);
    insta::assert_snapshot!(wrong(r#"[{"uid": {"type": "Test::Thing", "id": "a", "id": "a"}}]"#), @r#"entities::syntax [a.json:1] an entity has `id` twice (-)"#);
}

#[test]
fn invalid_utf8_costs_one_entity() {
    let json = b"[{\"uid\": {\"type\": \"Test::Thing\", \"id\": \"\xFF\"}, \"attrs\": {}, \"parents\": []},
        {\"uid\": {\"type\": \"Test::Thing\", \"id\": \"b\"}, \"attrs\": {}, \"parents\": []}]";
    let (directory, findings) = read_files(&[("a.json", json)], &[]);
    assert_eq!(directory.len(), 1);
    insta::assert_snapshot!(lines(&findings), @r#"entities::syntax [a.json:40] an entity is not valid UTF-8 (save the file as UTF-8)"#);
}

#[test]
fn deep_nesting() {
    let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    insta::assert_snapshot!(wrong(&deep), @r#"entities::syntax [a.json:1] an entity cannot be read: invalid type: sequence, expected an entity object (-)"#);
    let early = format!(
        r#"[{{"attrs": {{"inner": {}{}}}, "uid": {{"type": "Test::Every", "id": "e"}}, "parents": []}}]"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    insta::assert_snapshot!(wrong(&early), @r#"entities::nonconforming [a.json:1] attribute `inner` of `Test::Every::"e"` must be a record, but is an array (-)"#);
    let nested = format!(r#""at": {}{}"#, "[".repeat(1000), "]".repeat(1000));
    insta::assert_snapshot!(every(&nested), @r#"entities::syntax [a.json:186] `Test::Every::"e"` cannot be read: recursion limit exceeded (-)"#);
}

/// A reader that never ends. Without a limit, all of it would be kept in memory.
struct Endless;

impl std::io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        buffer.fill(b'[');
        Ok(buffer.len())
    }
}

#[test]
fn garbage_is_not_read_on() {
    let mut input = super::input("a.json", b"");
    input.reader = Box::new(Endless);
    let (_, findings) = crate::Directory::read(
        vec![input],
        &super::SCHEMA,
        &Default::default(),
        &Default::default(),
    );
    insta::assert_snapshot!(lines(&findings), @r#"entities::syntax [a.json:1] `a.json` has an entity larger than 16 MiB (look for a quotation mark or bracket that is never closed)"#);
}

#[test]
fn unknown_fields() {
    insta::assert_snapshot!(wrong(r#"[{"uid": {"type": "Test::Thing", "id": "a"}, "attr": {}}]"#), @r#"entities::unknown_field [a.json:1] `Test::Thing::"a"` has the unknown key `attr` (did you mean `attrs`?)"#);
    insta::assert_snapshot!(wrong(r#"[{"uid": {"type": "Test::Thing", "id": "a", "x": 1}}]"#), @r#"entities::unknown_field [a.json:1] an entity has the unknown key `x` (the keys of an entity uid are `type`, `id`)"#);
    insta::assert_snapshot!(wrong(r#"[{"uid": {"__entity": {"type": "Test::Thing", "id": "a"}, "type": 1}}]"#), @r#"entities::unknown_field [a.json:1] an entity has the unknown key `type` (the keys of this object are `__entity`)"#);
    insta::assert_snapshot!(every(r#""colour": 1"#), @r#"entities::unknown_field [a.json:1] attribute `colour` of `Test::Every::"e"` is not in the schema (did you mean `color`?)"#);
    insta::assert_snapshot!(every(r#""inner": {"hob": 1}"#), @r#"entities::unknown_field [a.json:1] attribute `inner.hob` of `Test::Every::"e"` is not in the schema (-)"#);
}

#[test]
fn nonconforming() {
    insta::assert_snapshot!(every(r#""count": "1""#), @r#"entities::nonconforming [a.json:1] attribute `count` of `Test::Every::"e"` must be a Long, but is the String `1` (-)"#);
    insta::assert_snapshot!(every(r#""count": 1.5"#), @r#"entities::nonconforming [a.json:1] attribute `count` of `Test::Every::"e"` must be a Long, but is the number `1.5`, which is no Long (-)"#);
    insta::assert_snapshot!(every(r#""count": 9223372036854775808"#), @r#"entities::nonconforming [a.json:1] attribute `count` of `Test::Every::"e"` must be a Long, but is `9223372036854775808`, which no Long can hold (-)"#);
    insta::assert_snapshot!(every(r#""yes": 1"#), @r#"entities::nonconforming [a.json:1] attribute `yes` of `Test::Every::"e"` must be a Bool, but is the Long `1` (-)"#);
    insta::assert_snapshot!(every(r#""text": null"#), @r#"entities::nonconforming [a.json:1] attribute `text` of `Test::Every::"e"` must be a String, but is null (-)"#);
    insta::assert_snapshot!(every(r#""text": {"a": 1}"#), @r#"entities::nonconforming [a.json:1] attribute `text` of `Test::Every::"e"` must be a String, but is an object (-)"#);
    insta::assert_snapshot!(every(r#""flags": true"#), @r#"entities::nonconforming [a.json:1] attribute `flags` of `Test::Every::"e"` must be a set, but is the Bool `true` (-)"#);
    insta::assert_snapshot!(every(r#""flags": [true, 1]"#), @r#"entities::nonconforming [a.json:1] attribute `flags` of `Test::Every::"e"` must be a Bool, but is the Long `1` (-)"#);
    insta::assert_snapshot!(every(r#""inner": []"#), @r#"entities::nonconforming [a.json:1] attribute `inner` of `Test::Every::"e"` must be a record, but is an array (-)"#);
    insta::assert_snapshot!(every(r#""inner": {}"#), @r#"entities::nonconforming [a.json:1] attribute `inner` of `Test::Every::"e"` lacks the required attribute `hub` (add it; it is a `Test::Thing`)"#);
    insta::assert_snapshot!(every(r#""inner": {"hub": "t"}"#), @r#"entities::nonconforming [a.json:1] attribute `inner.hub` of `Test::Every::"e"` must be a `Test::Thing`, but is the String `t` (write it as {"type": "Test::Thing", "id": …})"#);
    insta::assert_snapshot!(every(r#""inner": {"hub": {"type": "Test::Color", "id": "red"}}"#), @r#"entities::nonconforming [a.json:1] attribute `inner.hub` of `Test::Every::"e"` must be a `Test::Thing`, but is `Test::Color::"red"` (-)"#);
    insta::assert_snapshot!(every(r#""inner": {"hub": {"type": "Test::Thing"}}"#), @r#"entities::nonconforming [a.json:1] attribute `inner.hub` of `Test::Every::"e"` has an entity uid without `id` (-)"#);
    insta::assert_snapshot!(every(r#""color": {"type": "Test::Color", "id": "rod"}"#), @r#"entities::nonconforming [a.json:1] attribute `color` of `Test::Every::"e"` has the value `Test::Color::"rod"`, an id that the schema does not list (ids of `Test::Color` are for example `dark green`, `red`)"#);
    insta::assert_snapshot!(every(r#""at": "yesterday""#), @r#"entities::nonconforming [a.json:1] attribute `at` of `Test::Every::"e"` must be a datetime, but is `"yesterday"` (error while evaluating `datetime` extension function: invalid date pattern)"#);
    insta::assert_snapshot!(every(r#""at": {"__extn": {"fn": "unknown", "arg": "x"}}"#), @r#"entities::nonconforming [a.json:1] attribute `at` of `Test::Every::"e"` must be a datetime, but is `{"__extn":{"fn":"unknown","arg":"x"}}` (write the value; `unknown` stands for none)"#);
    insta::assert_snapshot!(every(r#""at": {"fn": "ip", "arg": "::1"}"#), @r#"entities::nonconforming [a.json:1] attribute `at` of `Test::Every::"e"` must be a datetime, but is `{"fn":"ip","arg":"::1"}` (type mismatch: value was expected to have type datetime, but it actually has type ipaddr: `ip("::1")`)"#);
    insta::assert_snapshot!(wrong(r#"[{"attrs": {}, "parents": []}]"#), @r#"entities::nonconforming [a.json:1] an entity has no `uid` (say which one it is: "uid": {"type": …, "id": …})"#);
    insta::assert_snapshot!(wrong(r#"[{"uid": {"type": "Test::Thing", "id": "a"}, "parents": []}]"#), @r#"entities::nonconforming [a.json:1] `Test::Thing::"a"` has no `attrs` (write `"attrs": {}` if there are none)"#);
    insta::assert_snapshot!(wrong(r#"[{"uid": {"type": "Test::Thing", "id": "a"}, "attrs": {}}]"#), @r#"entities::nonconforming [a.json:1] `Test::Thing::"a"` has no `parents` (write `"parents": []` if there are none)"#);
    insta::assert_snapshot!(wrong(r#"[{"uid": {"type": "Test::Thnig", "id": "a"}, "attrs": {}, "parents": []}]"#), @r#"entities::nonconforming [a.json:1] an entity is `Test::Thnig::"a"`, but the schema has no entity type `Test::Thnig` (did you mean `Test::Thing`?)"#);
    insta::assert_snapshot!(wrong(r#"[{"uid": {"type": "Test::Color", "id": "blue"}, "attrs": {}, "parents": []}]"#), @r#"entities::nonconforming [a.json:1] an entity is `Test::Color::"blue"`, an id that the schema does not list (ids of `Test::Color` are for example `dark green`, `red`)"#);
    insta::assert_snapshot!(wrong(r#"[{"uid": {"type": "Intune::Action", "id": "runScript"}, "attrs": {}, "parents": []}]"#), @r#"entities::nonconforming [a.json:1] an entity is `Intune::Action::"runScript"`, but the schema has this action otherwise or not at all (take the action out, or give it the groups that it has in the schema as its parents)"#);
    insta::assert_snapshot!(wrong(r#"[{"uid": {"type": "Test::Thing", "id": "a"}, "attrs": {}, "parents": [{"type": "Test::Thing", "id": "b"}]}]"#), @r#"entities::nonconforming [a.json:1] `Test::Thing::"a"` has the parent `Test::Thing::"b"`, but the schema puts no `Test::Thing` above a `Test::Thing` (-)"#);
    insta::assert_snapshot!(wrong(r#"[{"uid": {"type": "Test::Thing", "id": "a"}, "attrs": {}, "parents": [], "tags": {"a": 1}}]"#), @r#"entities::nonconforming [a.json:1] `Test::Thing::"a"` has the tag `a`, but its type has no tags (-)"#);
    insta::assert_snapshot!(wrong(r#"[{"uid": {"type": "Test::Every", "id": "a"}, "attrs": {}, "parents": [], "tags": {"a": 1}}]"#), @r#"entities::nonconforming [a.json:1] attribute `tags.a` of `Test::Every::"a"` must be a set, but is the Long `1` (-)"#);
    insta::assert_snapshot!(wrong(r#"[{"uid": {"type": "Intune::Tenant", "id": "a"}, "attrs": {}, "parents": []}]"#), @r#"entities::nonconforming [a.json:1] `Intune::Tenant::"a"` lacks the required attribute `useIntuneRbac` (add it; it is a Bool)"#);
}

#[test]
fn duplicate() {
    let thing = br#"[{"uid": {"type": "Test::Thing", "id": "a"}, "attrs": {}, "parents": []}]"#;
    let (directory, findings) = read_files(&[("b.json", thing), ("a.json", thing)], &[]);
    assert_eq!(directory.len(), 1);
    insta::assert_snapshot!(lines(&findings), @r#"entities::duplicate [a.json:1, b.json:1] `Test::Thing::"a"` stands twice (keep one of the two)"#);
}

#[test]
fn dangling() {
    insta::assert_snapshot!(wrong(r#"[
        {"uid": {"type": "Entra::Group", "id": "helpdesk"}, "attrs": {}, "parents": []},
        {"uid": {"type": "Entra::Group", "id": "a"}, "attrs": {}, "parents": [{"type": "Entra::Group", "id": "help-desk"}]}]"#), @r#"entities::dangling [a.json:99] `Entra::Group::"a"` has the parent `Entra::Group::"help-desk"`, which does not exist (did you mean `Entra::Group::"helpdesk"`?)"#);
    insta::assert_snapshot!(every(r#""inner": {"hub": {"type": "Test::Thing", "id": "t"}}"#), @r#"entities::dangling [a.json:1] attribute `inner` of `Test::Every::"e"` refers to `Test::Thing::"t"`, which does not exist (add `Test::Thing::"t"` to a file of entities, or correct the reference)"#);
    insta::assert_snapshot!(every(r#""inners": [{"hub": {"type": "Test::Thing", "id": "t"}}]"#), @r#"entities::dangling [a.json:1] attribute `inners` of `Test::Every::"e"` refers to `Test::Thing::"t"`, which does not exist (add `Test::Thing::"t"` to a file of entities, or correct the reference)"#);
    // A tenant has a required attribute, so it does not exist only because a policy names it.
    let json =
        br#"[{"uid": {"type": "Intune::RoleAssignment", "id": "a"}, "attrs": {}, "parents": [
        {"type": "Intune::Role", "id": "r"}, {"type": "Intune::Tenant", "id": "t"}]}]"#;
    let named = [r#"Intune::Role::"r""#, r#"Intune::Tenant::"t""#];
    insta::assert_snapshot!(lines(&read_files(&[("a.json", json)], &named).1), @r#"entities::dangling [a.json:1] `Intune::RoleAssignment::"a"` has the parent `Intune::Tenant::"t"`, which does not exist (add `Intune::Tenant::"t"` to a file of entities, or correct the reference)"#);
    // References to a broken entity are right.
    insta::assert_snapshot!(wrong(r#"[
        {"uid": {"type": "Entra::Group", "id": "b"}, "attrs": {"x": 1}, "parents": []},
        {"uid": {"type": "Entra::Group", "id": "a"}, "attrs": {}, "parents": [{"type": "Entra::Group", "id": "b"}]}]"#), @r#"entities::unknown_field [a.json:10] attribute `x` of `Entra::Group::"b"` is not in the schema (-)"#);
}

#[test]
fn cycle() {
    insta::assert_snapshot!(wrong(r#"[
        {"uid": {"type": "Entra::Group", "id": "b"}, "attrs": {}, "parents": [{"type": "Entra::Group", "id": "c"}]},
        {"uid": {"type": "Entra::Group", "id": "c"}, "attrs": {}, "parents": [{"type": "Entra::Group", "id": "a"}]},
        {"uid": {"type": "Entra::Group", "id": "d"}, "attrs": {}, "parents": [{"type": "Entra::Group", "id": "d"}]},
        {"uid": {"type": "Entra::Group", "id": "a"}, "attrs": {}, "parents": [{"type": "Entra::Group", "id": "b"}]}]"#), @r#"
    entities::cycle [a.json:244] parents form a cycle: `Entra::Group::"d"` in `Entra::Group::"d"` (take one of these parents out)
    entities::cycle [a.json:361, a.json:10, a.json:127] parents form a cycle: `Entra::Group::"a"` in `Entra::Group::"b"` in `Entra::Group::"c"` in `Entra::Group::"a"` (take one of these parents out)
    "#);
}

#[test]
fn missing_parent() {
    insta::assert_snapshot!(wrong(r#"[
        {"uid": {"type": "Intune::Role", "id": "r"}, "attrs": {}, "parents": []},
        {"uid": {"type": "Intune::RoleAssignment", "id": "none"}, "attrs": {}, "parents": []},
        {"uid": {"type": "Intune::RoleAssignment", "id": "one"}, "attrs": {}, "parents": [{"type": "Intune::Role", "id": "r"}]}]"#), @r#"
    entities::missing_parent [a.json:92] `Intune::RoleAssignment::"none"` has no parent of type `Intune::Role` and no parent of type `Intune::Tenant` (every `Intune::RoleAssignment` needs one: add it to its `parents`)
    entities::missing_parent [a.json:187] `Intune::RoleAssignment::"one"` has no parent of type `Intune::Tenant` (every `Intune::RoleAssignment` needs one: add it to its `parents`)
    "#);
}

#[test]
fn several_parents() {
    let assignment = |parents: &str| {
        wrong(&format!(
            r#"[
        {{"uid": {{"type": "Intune::Role", "id": "r"}}, "attrs": {{}}, "parents": []}},
        {{"uid": {{"type": "Intune::Role", "id": "s"}}, "attrs": {{}}, "parents": []}},
        {{"uid": {{"type": "Intune::Tenant", "id": "t"}}, "attrs": {{"useIntuneRbac": true}}, "parents": []}},
        {{"uid": {{"type": "Intune::Tenant", "id": "u"}}, "attrs": {{"useIntuneRbac": true}}, "parents": []}},
        {{"uid": {{"type": "Intune::RoleAssignment", "id": "a"}}, "attrs": {{}}, "parents": [{parents}]}}]"#
        ))
    };
    let (role, tenant) = (
        r#"{"type": "Intune::Role", "id": "r"}"#,
        r#"{"type": "Intune::Tenant", "id": "t"}"#,
    );
    let other_role = role.replace("\"r\"", "\"s\"");
    let other_tenant = tenant.replace("\"t\"", "\"u\"");
    assert_eq!(assignment(&format!("{role}, {tenant}, {role}")), "");
    insta::assert_snapshot!(assignment(&format!("{role}, {other_role}, {tenant}")), @r#"entities::several_parents [a.json:384] `Intune::RoleAssignment::"a"` has several parents of type `Intune::Role`: `Intune::Role::"r"`, `Intune::Role::"s"` (a `Intune::RoleAssignment` has one: keep one of them in its `parents`)"#);
    insta::assert_snapshot!(assignment(&format!("{role}, {tenant}, {other_tenant}")), @r#"entities::several_parents [a.json:384] `Intune::RoleAssignment::"a"` has several parents of type `Intune::Tenant`: `Intune::Tenant::"t"`, `Intune::Tenant::"u"` (a `Intune::RoleAssignment` has one: keep one of them in its `parents`)"#);
    insta::assert_snapshot!(assignment(&format!("{role}, {other_role}")), @r#"
    entities::missing_parent [a.json:384] `Intune::RoleAssignment::"a"` has no parent of type `Intune::Tenant` (every `Intune::RoleAssignment` needs one: add it to its `parents`)
    entities::several_parents [a.json:384] `Intune::RoleAssignment::"a"` has several parents of type `Intune::Role`: `Intune::Role::"r"`, `Intune::Role::"s"` (a `Intune::RoleAssignment` has one: keep one of them in its `parents`)
    "#);
}

#[test]
fn an_attribute_in_place_of_a_parent() {
    let assignment = |attributes: &str, parents: &str| {
        wrong(&format!(
            r#"[
        {{"uid": {{"type": "Intune::Role", "id": "r"}}, "attrs": {{}}, "parents": []}},
        {{"uid": {{"type": "Intune::Tenant", "id": "t"}}, "attrs": {{"useIntuneRbac": true}}, "parents": []}},
        {{"uid": {{"type": "Intune::RoleAssignment", "id": "a"}}, "attrs": {{{attributes}}},
          "parents": [{{"type": "Intune::Tenant", "id": "t"}}{parents}]}}]"#
        ))
    };
    let narrowed = r#""narrowedRole": {"type": "Intune::Role", "id": "r"}"#;
    let in_role = r#", {"type": "Intune::Role", "id": "r"}"#;
    assert_eq!(assignment("", in_role), "");
    assert_eq!(assignment(narrowed, ""), "");
    insta::assert_snapshot!(assignment(r#""displayName": "A""#, ""), @r#"entities::missing_parent [a.json:197] `Intune::RoleAssignment::"a"` has no parent of type `Intune::Role` (every `Intune::RoleAssignment` needs one: add it to its `parents`)"#);
    insta::assert_snapshot!(assignment(narrowed, in_role), @r#"entities::superfluous_parent [a.json:197] `Intune::RoleAssignment::"a"` has the attribute `narrowedRole` and a parent of type `Intune::Role` (the attribute stands in place of the parent: keep one of the two)"#);
}

#[test]
fn of_each_code_some_are_kept() {
    let mut json = "[".to_owned();
    for number in 0..2_000 {
        let comma = if number == 0 { "" } else { "," };
        write!(json, r#"{comma}{{"uid": {{"type": "Test::Thing", "id": "{number}"}}, "attrs": {{"x": 1}}, "parents": []}}"#).unwrap();
        write!(json, r#",{{"uid": {{"type": "Entra::Group", "id": "{number}"}}, "attrs": {{}}, "parents": [{{"type": "Entra::Group", "id": "no{number}"}}]}}"#).unwrap();
    }
    json.push(']');
    let (_, findings) = read(&json);
    assert_eq!(findings.len(), 2 * (KEPT + 1));
    insta::assert_snapshot!(lines(&findings[2 * KEPT..]), @r#"
    entities::unknown_field [a.json:19071] 1900 more findings like the 100 shown (-)
    entities::dangling [a.json:19151] 1900 more findings like the 100 shown (-)
    "#);
}
