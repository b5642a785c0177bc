//! Pages in every format in which exports are saved.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails may well panic"
)]

use std::io::Write;

use serde_json::Value;

use super::{Page, Unread, read};
use crate::exports::graph::MemberRow;

/// The ids of the records of a page, and its other properties.
fn ids(bytes: &[u8]) -> Result<(Vec<String>, Page), Unread> {
    let mut ids = Vec::new();
    let page = read(bytes, |record: Value| {
        ids.push(record["id"].as_str().unwrap_or_default().to_owned());
        Ok(())
    })?;
    Ok((ids, page))
}

fn utf_16(text: &str, to_bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
    units.flat_map(to_bytes).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_page_in_every_form_it_is_saved_in() {
    let page = r#"{"@odata.context": "…", "value": [{"id": "a"}, {"id": "ä"}]}"#;
    let forms = [
        page.as_bytes().to_vec(),
        br#"[{"id": "a"}, {"id": "\u00e4"}]"#.to_vec(),
        "{\"id\": \"a\"}\n{\"id\": \"ä\"}\n".into(),
        format!("\u{feff}{page}").into_bytes(),
        utf_16(page, u16::to_le_bytes),
        utf_16(page, u16::to_be_bytes),
        gzip(page.as_bytes()),
        gzip(&utf_16(page, u16::to_le_bytes)),
    ];
    for (number, form) in forms.into_iter().enumerate() {
        let (ids, page) = ids(&form).unwrap();
        assert_eq!(
            (ids, page.next),
            (vec!["a".to_owned(), "ä".to_owned()], None)
        );
        // Bare arrays and one record a line are made by programs, not by services.
        assert_eq!(page.is_answer, ![1, 2].contains(&number), "{number}");
    }
    // PowerShell writes a list of one as its element.
    assert_eq!(ids(br#"{"id": "a"}"#).unwrap().0, ["a"]);
    assert!(ids(b"[]").unwrap().0.is_empty());
}

#[test]
fn a_page_says_what_follows() {
    for page in [
        r#"{"value": [{"id": "a"}], "@odata.nextLink": "https://next"}"#,
        r#"{"@odata.nextLink": "https://next", "value": [{"id": "a"}]}"#,
    ] {
        let (ids, page) = ids(page.as_bytes()).unwrap();
        assert_eq!((ids.len(), page.next.as_deref()), (1, Some("https://next")));
    }
}

/// Pages one after the other lead to what the last of them leads to; a record is no page.
#[test]
fn a_page_after_another_is_the_one_that_it_links_to() {
    let linking = r#"{"value": [{"id": "a"}], "@odata.nextLink": "https://next"}"#;
    let last = r#"{"value": [{"id": "b"}]}"#;
    let read = |parts: [&str; 2]| {
        let (ids, page) = ids(parts.join("\n").as_bytes()).unwrap();
        (ids.concat(), page.next)
    };
    let next = Some("https://next".to_owned());
    assert_eq!(read([linking, last]), ("ab".to_owned(), None));
    assert_eq!(read([last, linking]), ("ba".to_owned(), next.clone()));
    assert_eq!(read([linking, r#"{"id": "c"}"#]), ("ac".to_owned(), next));
}

/// An answer of `$batch`, and a page, in place of a record: each has an id, or no property that a record needs.
#[test]
fn an_answer_in_place_of_a_record_is_refused() {
    let answer = r#"{"id": "1", "status": 403, "body": {"error": {}}}"#;
    let page = r#"{"value": [{"id": "a"}]}"#;
    let batch = format!(r#"{{"responses": [{answer}]}}"#);
    for text in [
        answer.to_owned(),
        format!("[{answer}]"),
        format!("{answer}\n{answer}"),
        format!("[{page}, {page}]"),
        format!("[{batch}]"),
    ] {
        let error = read(text.as_bytes(), |_: MemberRow| Ok(())).unwrap_err();
        assert!(
            error.to_string().contains("an answer or a page stands"),
            "{text}: {error}"
        );
    }
}

/// The answer of a delta query lists changes only.
#[test]
fn the_answer_of_a_delta_query_is_refused() {
    let page = r#"{"value": [{"id": "a"}], "@odata.deltaLink": "https://delta"}"#;
    let error = ids(page.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("delta query"), "{error}");
}

/// The position is not repeated in the message, not even at the end of a line, where the parser gives column 0.
#[test]
fn what_is_wrong_is_told_without_the_place() {
    #[derive(Debug, serde::Deserialize)]
    struct Row {
        #[serde(rename = "id")]
        _id: String,
    }
    let error = read(&b"[{\"id\": 3\n"[..], |_: Row| Ok(())).unwrap_err();
    let Unread::Text {
        message,
        line,
        column,
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!((line, column), (2, 1));
    assert_eq!(message, "invalid type: integer `3`, expected a string");
}

#[test]
fn what_is_no_page_is_refused_where_it_is_wrong() {
    let place = |text: &str| match ids(text.as_bytes()) {
        Err(Unread::Text { line, column, .. }) => (line, column),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(place("{\"value\": [\n  {\"id\": }\n]}"), (2, 10));
    assert_eq!(place("[{\"id\": \"a\"}"), (1, 12));
    assert_eq!(place("{\"value\": 3}"), (1, 12));
    assert_eq!(place(""), (1, 1));
    assert_eq!(place("3"), (1, 1));
    let whole = gzip(b"[{\"id\": \"a\"}]");
    let (cut, _) = whole.split_at(whole.len() - 6);
    assert!(matches!(ids(cut), Err(Unread::Io(_))));
}
