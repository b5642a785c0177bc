//! Every spelling that is accepted, and the answers of the directory.

use cedar_policy_core::ast::PartialValue;

use super::{good, names, read_files, row};

const SMALL: &str = r#"[
  {"uid": {"type": "Intune::Tenant", "id": "contoso"}, "attrs": {"useIntuneRbac": true}, "parents": []},
  {"uid": {"type": "ConfigMgr::Hierarchy", "id": "P01"}, "attrs": {
    "tenant": {"type": "Intune::Tenant", "id": "contoso"},
    "version": 2403, "enforceConfigMgrRbac": false, "earlyUpdateRing": false}, "parents": []},
  {"uid": {"type": "ConfigMgr::Collection", "id": "P0100001"}, "attrs": {
    "hierarchy": {"type": "ConfigMgr::Hierarchy", "id": "P01"}, "displayName": "All Systems"}, "parents": []},
  {"uid": {"type": "ConfigMgr::Collection", "id": "P0100002"}, "attrs": {
    "hierarchy": {"type": "ConfigMgr::Hierarchy", "id": "P01"}},
    "parents": [{"type": "ConfigMgr::Collection", "id": "P0100001"}]},
  {"uid": {"type": "ConfigMgr::Device", "id": "d2"}, "attrs": {
    "hierarchy": {"type": "ConfigMgr::Hierarchy", "id": "P01"}, "name": "PC-Ä2", "coManaged": true},
    "parents": [{"type": "ConfigMgr::Collection", "id": "P0100002"}]},
  {"uid": {"type": "ConfigMgr::Device", "id": "d1"}, "attrs": {
    "hierarchy": {"type": "ConfigMgr::Hierarchy", "id": "P01"}, "name": "PC-1", "coManaged": true},
    "parents": []}
]"#;

fn attribute(name: &str, json_value: &str) -> String {
    let json = format!(
        r#"[{{"uid": {{"type": "Test::Every", "id": "e"}}, "attrs": {{"{name}": {json_value}}}, "parents": []}},
            {{"uid": {{"type": "Test::Thing", "id": "t"}}, "attrs": {{}}, "parents": []}}]"#
    );
    let directory = good(&json);
    let entity = directory.entity(row(&directory, r#"Test::Every::"e""#));
    match entity.get(name) {
        Some(PartialValue::Value(value)) => value.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn entities_can_be_asked_for() {
    let directory = good(SMALL);
    assert_eq!(directory.len(), 6);
    assert!(!directory.is_empty());
    let device = row(&directory, r#"ConfigMgr::Device::"d2""#);
    assert!(directory.is_defined(device));
    assert_eq!(directory.type_name(device), "ConfigMgr::Device");
    assert_eq!(directory.id(device), "d2");
    assert_eq!(
        directory.uid(device).to_string(),
        r#"ConfigMgr::Device::"d2""#
    );
    assert_eq!(directory.attribute_text(device, "name"), Some("PC-Ä2"));
    assert_eq!(directory.attribute_text(device, "operatingSystem"), None);
    assert_eq!(directory.attribute_text(device, "coManaged"), None);
    assert_eq!(
        names(&directory, directory.parents(device)),
        [r#"ConfigMgr::Collection::"P0100002""#]
    );
    assert_eq!(
        names(&directory, directory.ancestors(device)),
        [
            r#"ConfigMgr::Collection::"P0100002""#,
            r#"ConfigMgr::Collection::"P0100001""#
        ]
    );
    assert_eq!(
        names(&directory, directory.references(device)),
        [r#"ConfigMgr::Hierarchy::"P01""#]
    );
    let place = directory.place(device).unwrap();
    assert_eq!(place.source.name, "a.json");
    assert!(
        SMALL[place.start as usize..]
            .starts_with(r#"{"uid": {"type": "ConfigMgr::Device", "id": "d2"}"#)
    );
    assert_eq!(
        directory.row(&r#"ConfigMgr::Device::"d3""#.parse().unwrap()),
        None
    );
    assert_eq!(directory.row(&r#"Nobody::"d3""#.parse().unwrap()), None);
}

#[test]
fn rows_are_in_order() {
    let directory = good(SMALL);
    let of_devices = directory.rows_of(&"ConfigMgr::Device".parse().unwrap());
    assert_eq!(
        names(&directory, of_devices),
        [r#"ConfigMgr::Device::"d1""#, r#"ConfigMgr::Device::"d2""#]
    );
    let all = names(&directory, directory.rows());
    assert_eq!(all.len(), 6);
    assert!(all.is_sorted());
    assert_eq!(directory.rows_of(&"Nobody".parse().unwrap()).count(), 0);
}

#[test]
fn text_is_found_whatever_the_case_of_ascii_letters() {
    let directory = good(SMALL);
    let device = "ConfigMgr::Device".parse().unwrap();
    assert_eq!(
        names(&directory, directory.called(&device, "pc-Ä2")),
        [r#"ConfigMgr::Device::"d2""#]
    );
    assert_eq!(directory.called(&device, "pc-ä2"), []);
    assert_eq!(directory.called(&device, "PC-1").len(), 1);
    // Without a rule, an attribute is no alias; an alias of another type is none either.
    assert_eq!(directory.called(&device, "P01"), []);
    let collection = "ConfigMgr::Collection".parse().unwrap();
    assert_eq!(directory.called(&collection, "pc-1"), []);
}

#[test]
fn a_path_is_shortest() {
    let directory = good(
        r#"[
        {"uid": {"type": "Entra::Group", "id": "a"}, "attrs": {}, "parents": [{"type": "Entra::Group", "id": "c"}, {"type": "Entra::Group", "id": "b"}]},
        {"uid": {"type": "Entra::Group", "id": "b"}, "attrs": {}, "parents": [{"type": "Entra::Group", "id": "d"}]},
        {"uid": {"type": "Entra::Group", "id": "c"}, "attrs": {}, "parents": [{"type": "Entra::Group", "id": "d"}, {"type": "Entra::Group", "id": "e"}]},
        {"uid": {"type": "Entra::Group", "id": "d"}, "attrs": {}, "parents": [{"type": "Entra::Group", "id": "e"}]},
        {"uid": {"type": "Entra::Group", "id": "e"}, "attrs": {}, "parents": []}
    ]"#,
    );
    let group = |id: &str| row(&directory, &format!("Entra::Group::\"{id}\""));
    let path = |from, to| {
        let path = directory.path(group(from), group(to))?;
        Some(
            path.into_iter()
                .map(|row| directory.id(row).to_owned())
                .collect::<String>(),
        )
    };
    assert_eq!(path("a", "d").as_deref(), Some("abd"));
    assert_eq!(path("a", "e").as_deref(), Some("ace"));
    assert_eq!(path("a", "a").as_deref(), Some("a"));
    assert_eq!(path("e", "a"), None);
    assert_eq!(directory.ancestors(group("a")).count(), 4);
}

#[test]
fn uids_have_two_spellings_and_any_order_of_keys() {
    let directory = good(
        r#"[{"parents": [{"__entity": {"id": "red", "type": "Test::Color"}}], "tags": {"t": [2, 1, 2]},
             "attrs": {"color": {"__entity": {"type": "Test::Color", "id": "dark green"}}},
             "uid": {"__entity": {"type": "Test::Every", "id": "a\u00e4\"b"}}}]"#,
    );
    let entity = row(&directory, r#"Test::Every::"aä\"b""#);
    assert_eq!(
        names(&directory, directory.parents(entity)),
        [r#"Test::Color::"red""#]
    );
    assert_eq!(
        names(&directory, directory.references(entity)),
        [r#"Test::Color::"dark green""#]
    );
    let entity = directory.entity(entity);
    assert_eq!(entity.tags().count(), 1);
    assert_eq!(entity.get_tag("t").unwrap().to_string(), "[1, 2]");
}

#[test]
fn values_have_these_spellings() {
    let value = attribute;
    for json in [
        r#""2024-10-15""#,
        r#"{"fn": "datetime", "arg": "2024-10-15"}"#,
        r#"{"__extn": {"fn": "datetime", "arg": "2024-10-15"}}"#,
    ] {
        assert_eq!(value("at", json), r#"datetime("2024-10-15")"#);
    }
    assert_eq!(value("price", r#""1.50""#), r#"decimal("1.50")"#);
    assert_eq!(value("address", r#""::1""#), r#"ip("::1")"#);
    assert_eq!(value("lasts", r#""1h""#), r#"duration("1h")"#);
    assert_eq!(
        value("at", r#"{"fn": "offset", "args": ["2024-10-15", "1h"]}"#),
        value(
            "at",
            r#"{"__extn": {"fn": "offset", "args": [{"fn": "datetime", "arg": "2024-10-15"}, "1h"]}}"#
        )
    );
    assert_eq!(
        value("count", "-9223372036854775808"),
        "-9223372036854775808"
    );
    assert_eq!(
        value(
            "count",
            r#"{"__extn": {"fn": "toDays", "arg": {"__extn": {"fn": "duration", "arg": "3d"}}}}"#
        ),
        "3"
    );
    assert_eq!(value("yes", "false"), "false");
    assert_eq!(value("text", r#""\u0061\n""#), r#""a\n""#);
    assert_eq!(value("flags", "[true, true]"), "[true]");
    assert_eq!(value("flags", "[]"), "[]");
    assert_eq!(
        value(
            "inner",
            r#"{"hub": {"type": "Test::Thing", "id": "t"}, "at": "2024-10-15"}"#
        ),
        r#"{at: datetime("2024-10-15"), hub: Test::Thing::"t"}"#
    );
    assert_eq!(
        value("inners", r#"[{"hub": {"type": "Test::Thing", "id": "t"}}]"#),
        r#"[{hub: Test::Thing::"t"}]"#
    );
}

#[test]
fn references_leave_sets_out() {
    let directory = good(
        r#"[{"uid": {"type": "Test::Every", "id": "e"}, "parents": [], "attrs": {
               "inner": {"hub": {"type": "Test::Thing", "id": "a"}, "others": [{"type": "Test::Thing", "id": "b"}]},
               "inners": [{"hub": {"type": "Test::Thing", "id": "c"}}]}},
            {"uid": {"type": "Test::Thing", "id": "a"}, "attrs": {}, "parents": []},
            {"uid": {"type": "Test::Thing", "id": "b"}, "attrs": {}, "parents": []},
            {"uid": {"type": "Test::Thing", "id": "c"}, "attrs": {}, "parents": []}]"#,
    );
    let entity = row(&directory, r#"Test::Every::"e""#);
    assert_eq!(
        names(&directory, directory.references(entity)),
        [r#"Test::Thing::"a""#]
    );
}

#[test]
fn a_named_entity_needs_no_file() {
    let json = br#"[{"uid": {"type": "Entra::Group", "id": "g"}, "attrs": {}, "parents": [{"type": "Intune::RoleAssignment", "id": "a"}]},
        {"uid": {"type": "Intune::Tenant", "id": "t"}, "attrs": {"useIntuneRbac": true}, "parents": []},
        {"uid": {"type": "Intune::RoleAssignment", "id": "a"}, "attrs": {}, "parents": [
            {"type": "Intune::Role", "id": "Help Desk Operator"}, {"type": "Intune::Tenant", "id": "t"}]}]"#;
    let files: &[(&str, &[u8])] = &[("a.json", json)];
    let (directory, findings) = read_files(files, &[r#"Intune::Role::"Help Desk Operator""#]);
    assert_eq!(findings, []);
    let role = row(&directory, r#"Intune::Role::"Help Desk Operator""#);
    assert!(!directory.is_defined(role));
    assert!(directory.exists(role));
    assert_eq!(directory.place(role), None);
    assert_eq!(directory.entity(role).attrs_len(), 0);
    assert_eq!(names(&directory, directory.rows()).len(), 3);
}

#[test]
fn files_may_have_a_mark_and_any_line_ends_and_any_order() {
    let (one, two) = SMALL.split_at(
        SMALL
            .find("{\"uid\": {\"type\": \"ConfigMgr::Collection\"")
            .unwrap(),
    );
    let one = format!(
        "\u{feff}{}]\r\n\r\n",
        one.trim_end().trim_end_matches(',').replace('\n', "\r\n")
    );
    let two = format!("[{two}");
    let (first, second) = (("a.json", one.as_bytes()), ("b.json", two.as_bytes()));
    let whole = good(SMALL);
    for files in [
        [first, second, ("c.json", b" [ ] \t")],
        [second, ("c.json", b"[]"), first],
    ] {
        let (directory, findings) = read_files(&files, &[]);
        assert_eq!(findings, []);
        let rows: Vec<_> = directory.rows().collect();
        assert_eq!(rows, whole.rows().collect::<Vec<_>>());
        for row in rows {
            assert!(directory.entity(row).deep_eq(&whole.entity(row)));
        }
    }
}

#[test]
fn entities_may_lie_across_blocks() {
    let mut json = "[".to_owned();
    for (number, size) in (0..).zip([1, 700_000, 5_000_000, 3, 900_000, 900_000, 900_000, 0]) {
        let text = r#"]}\\\"{[ä,"#.repeat(size / 10);
        let comma = if number == 0 { "" } else { "," };
        json.push_str(&format!(
            r#"{comma} {{"uid": {{"type": "Test::Every", "id": "{number}"}}, "attrs": {{"text": "{text}"}}, "parents": []}}"#
        ));
    }
    json.push(']');
    let directory = good(&json);
    assert_eq!(directory.len(), 8);
    for row in directory.rows() {
        let start = directory.place(row).unwrap().start as usize;
        let id = directory.id(row);
        assert!(json[start..].starts_with(&format!(
            r#"{{"uid": {{"type": "Test::Every", "id": "{id}""#
        )));
    }
    let long = row(&directory, r#"Test::Every::"2""#);
    let text = directory.attribute_text(long, "text").unwrap();
    assert_eq!(text.len(), 500_000 * r#"]}\"{[ä,"#.len());
}
