//! Decisions that are kept by class, of entities of which a part is lost.

use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use cedar_policy::Context;
use serde_json::json;
use tarbac::bulk::decider::Decider;
use tarbac::bundle::Texts;
use tarbac::directory::{Content, Directory, EntityRules, SharedBytes};
use tarbac::source::Source;
use tarbac::{Decision, Engine, Request, Switches};

use crate::agrees_with_cedar::{bundle_of, directory_of};

const SCHEMA: &str = "entity User = { left?: Bool };
action read appliesTo { principal: User, resource: User };";

const POLICIES: &str = r#"
@id("may")
permit (principal, action, resource);

@id("left")
forbid (principal, action, resource) when { principal has left && principal.left };"#;

/// Bytes that change underneath, and that nothing can make anew.
struct Disk(Mutex<Vec<u8>>);

impl SharedBytes for Disk {
    fn size(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().len() as u64)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let all = self.0.lock().unwrap();
        io::Cursor::new(&all[offset as usize..]).read_exact(bytes)
    }

    fn anew(&self) -> Option<Vec<u8>> {
        None
    }
}

/// Whether a user may read what the first one has.
fn reads(user: usize) -> Request {
    Request {
        principal: format!("User::\"u{user}\"").parse().unwrap(),
        action: "Action::\"read\"".parse().unwrap(),
        resource: "User::\"u0\"".parse().unwrap(),
        context: Context::empty(),
    }
}

/// Nobody knows the class of somebody of whom a part is lost, so that a decision about others is none about her.
#[test]
fn what_is_lost_is_not_decided_as_something_else() {
    const LAST: usize = 19_999;
    let texts = Texts {
        schema: vec![Source::held("a.cedarschema", SCHEMA)],
        policies: vec![Source::held("a.cedar", POLICIES)],
        ..Texts::default()
    };
    let bundle = Arc::new(bundle_of(&texts));
    let users = (0..=LAST).map(|user| {
        let attrs = if user == LAST { json!({ "left": true }) } else { json!({}) };
        json!({ "uid": { "type": "User", "id": format!("u{user}") }, "attrs": attrs, "parents": [] })
    });
    let mut whole = Vec::new();
    let directory = directory_of(&users.collect::<Vec<_>>().into(), &bundle);
    directory.write(&mut whole, "users").unwrap();
    let mut lost = 0;
    for at in (0..whole.len()).step_by(4096) {
        let disk = Arc::new(Disk(Mutex::new(whole.clone())));
        let files = vec![(
            Source::held("entities.json", ""),
            Content {
                size: 0,
                hash: blake3::hash(b""),
            },
        )];
        let schema = bundle.schema();
        let rules = EntityRules::default();
        let opened = Directory::from_bytes(Arc::clone(&disk) as _, "users", files, schema, &rules);
        let directory = Arc::new(opened.unwrap());
        let switches = Switches::default();
        let engine = Engine::new(Arc::clone(&bundle), Arc::clone(&directory), &switches).unwrap();
        let decider = Decider::new(&engine);
        assert_eq!(decider.decide(&reads(0)).decision, Decision::Allow);
        disk.0.lock().unwrap()[at] ^= 1;
        assert_ne!(
            decider.decide(&reads(LAST)).decision,
            Decision::Allow,
            "{at}"
        );
        lost += usize::from(directory.is_damaged());
    }
    assert!(lost > 0);
}
