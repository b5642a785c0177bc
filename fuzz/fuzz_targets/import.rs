//! An export with one file that is anything is refused, or makes a workspace without errors.
#![no_main]

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use tarbac::directory::Input;
use tarbac::engine::Engine;
use tarbac::exports::ExportsInMemory;
use tarbac::import::import;
use tarbac::source::Source;
use tarbac::{Switches, assembly, shipped};

/// A small export, of which the input replaces or adds one file.
const EXPORT: [(&str, &str); 13] = [
    (
        "tenant.json",
        r#"{"name":"contoso","useIntuneRbac":true,"allowsUnlicensedAdministrators":true,"hierarchies":[{"siteCode":"P01","version":2403,"enforceConfigMgrRbac":true,"earlyUpdateRing":false}]}"#,
    ),
    (
        "graph/users.json",
        r#"[{"id":"a1","userPrincipalName":"a","onPremisesSyncEnabled":true,"onPremisesSecurityIdentifier":"S-1"},{"id":"a2","userPrincipalName":"b"}]"#,
    ),
    (
        "graph/groups.json",
        r#"[{"id":"c1","displayName":"C"},{"id":"c2","onPremisesSecurityIdentifier":"S-2"}]"#,
    ),
    (
        "graph/groups/c1/members.json",
        r#"[{"id":"a1"},{"id":"c2"}]"#,
    ),
    (
        "graph/groups/c2/members.json",
        r#"[{"id":"a2"},{"id":"c1"}]"#,
    ),
    (
        "graph/roleDefinitions.json",
        r#"[{"id":"f1","displayName":"R","isBuiltIn":false,"rolePermissions":[{"resourceActions":[{"allowedResourceActions":["Microsoft.Intune_CloudAttach_Timeline"]}]}]}]"#,
    ),
    (
        "graph/roleAssignments.json",
        r#"[{"id":"e1","members":["c1","a1"],"resourceScopes":["c2"],"roleScopeTagIds":["0"]}]"#,
    ),
    (
        "graph/roleDefinitions/f1/roleAssignments.json",
        r#"[{"id":"e1"}]"#,
    ),
    (
        "configmgr/P01/SMS_Collection.json",
        r#"[{"CollectionID":"SMS00001","CollectionType":2},{"CollectionID":"P0100001","CollectionType":2,"LimitToCollectionID":"SMS00001"}]"#,
    ),
    (
        "configmgr/P01/SMS_R_System.json",
        r#"[{"ResourceID":1,"Name":"D1","Client":1,"Obsolete":0},{"ResourceID":2,"Name":"D2","Client":1,"Obsolete":0}]"#,
    ),
    (
        "configmgr/P01/SMS_Admin.json",
        r#"[{"AdminID":1,"AdminSid":"S-1","Permissions":[{"CategoryID":"SMS00001","CategoryTypeID":1,"RoleID":"R"}]}]"#,
    ),
    (
        "configmgr/P01/SMS_Role.json",
        r#"[{"RoleID":"R","Operations":[{"ObjectTypeID":1,"GrantedOperations":3}]}]"#,
    ),
    (
        "configmgr/P01/SMS_AvailableOperation.json",
        r#"[{"ObjectTypeID":1,"ObjectTypeName":"SMS_Collection","OperationName":"Read","BitFlag":1}]"#,
    ),
];

/// A file whose text is kept.
#[derive(Clone, Default)]
struct Kept(Rc<RefCell<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn shipped_engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let shipped =
            assembly::examine(&shipped::rules().alone(), Vec::new(), &Switches::default());
        shipped.unwrap().engine.unwrap()
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let Ok(path) = std::str::from_utf8(&bytes[..end]) else {
        return;
    };
    let mut exports = ExportsInMemory::default();
    for (path, text) in EXPORT {
        exports.put(path, text);
    }
    exports.put(path, &bytes[end + 1..]);
    let now = tarbac::exports::moment("2026-11-23T08:00:00Z").unwrap();
    let Ok(imported) = import(&exports, shipped_engine(), now) else {
        return;
    };
    let mut written: Vec<(String, Kept)> = Vec::new();
    let create = |path: &str| {
        let file = Kept::default();
        written.push((path.to_owned(), file.clone()));
        Ok(file)
    };
    imported.write(create).unwrap();
    let entities = written
        .iter()
        .filter(|(path, _)| path.starts_with("entities/"));
    let inputs = entities.map(|(path, file)| Input {
        source: Source::held(path.clone(), ""),
        reader: Box::new(io::Cursor::new(file.0.borrow().clone())),
    });
    let rules = shipped::rules().alone();
    let read = assembly::examine(&rules, inputs.collect(), &Switches::default()).unwrap();
    let errors: Vec<_> = read
        .findings
        .iter()
        .filter(|finding| finding.severity == tarbac::finding::Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
});
