//! What ships in the binary.

use std::collections::BTreeMap;
use std::path::Path;

use cedar_policy::SchemaFragment;
use serde_json::Value;
use tarbac::shipped;

/// Each start reads the schema in Cedar's JSON format, which takes a twentieth of the time. With
/// `TARBAC_UPDATE_SHIPPED=1` it is written anew from the schema files.
#[test]
fn the_schema_in_json_says_what_the_schema_files_say() {
    let rules = shipped::rules();
    let files = rules.files().iter();
    let schemas = files.filter(|file| file.path.ends_with(".cedarschema"));
    let translated: BTreeMap<&str, Value> = schemas
        .map(|file| {
            let (fragment, _) = SchemaFragment::from_cedarschema_str(&file.text).unwrap();
            (file.path.as_str(), fragment.to_json_value().unwrap())
        })
        .collect();
    assert!(!translated.is_empty());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/shipped/schema.json");
    let text = serde_json::to_string_pretty(&translated).unwrap() + "\n";
    if std::env::var_os("TARBAC_UPDATE_SHIPPED").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(
        kept == text,
        "TARBAC_UPDATE_SHIPPED=1 writes {}",
        path.display()
    );
}
