//! What is refused: told with what it takes, and never taken for something that is not there.

use tarbac::collect::CollectError;
use tarbac::exports::CallState;

use super::faults::{SITES, TENANT, one_at_a_time, seen};
use super::service::Fault;
use super::{collected, declare, exports, imported, serve, settings};

/// What is refused is named with the permission that is missing, and the rest is collected.
#[test]
fn a_refusal_names_the_permission_and_the_rest_goes_on() {
    for (path, export, permission) in [
        ("/v1.0/users", "graph/users.json", "User.Read.All"),
        (
            "/v1.0/directoryRoles",
            "graph/directoryRoles.json",
            "RoleManagement.Read.Directory",
        ),
        (
            "wmi/SMS_Admin",
            "configmgr/FAB/SMS_Admin.json",
            "security role Read-only Analyst",
        ),
    ] {
        let mut service = serve(TENANT);
        service.faults = Box::new(move |_, target| {
            let is_it = target.split('?').next().unwrap().ends_with(path);
            is_it.then_some(Fault::Status(403, None))
        });
        let (base, _) = service.start();
        let folder = tempfile::tempdir().unwrap();
        let collected = collected(&one_at_a_time(&base, folder.path())).unwrap();
        let refused = collected
            .calls
            .iter()
            .filter(|call| call.state == CallState::Refused);
        let refused: Vec<_> = refused.collect();
        assert_eq!(refused.len(), 1, "{refused:#?}");
        assert_eq!(refused[0].export, export);
        assert_eq!(refused[0].permission.as_deref(), Some(permission));
        assert!(!folder.path().join(format!("{export}.gz")).exists());
    }
}

/// What is refused after its first page is not there at all: a part would be taken for the whole.
#[test]
fn a_refusal_in_the_middle_leaves_no_part() {
    for (asked, export) in [
        ("/v1.0/users?$skiptoken=", "graph/users"),
        ("/v1.0/groups?$skiptoken=", "graph/groups"),
        ("&$skip=2", "configmgr/FAB/SMS_FullCollectionMembership"),
    ] {
        let mut service = serve(TENANT);
        service.page = 1;
        service.faults =
            Box::new(move |_, target| target.contains(asked).then_some(Fault::Status(403, None)));
        let (base, service) = service.start();
        let folder = tempfile::tempdir().unwrap();
        declare(&exports(TENANT), folder.path());
        let mut settings = one_at_a_time(&base, folder.path());
        settings.rows_of_page = 2;
        let collected = collected(&settings).unwrap();
        let refused = collected
            .calls
            .iter()
            .find(|call| call.export.starts_with(export));
        let refused = refused.unwrap();
        let outcome = (refused.state, refused.files, refused.rows);
        assert_eq!(outcome, (CallState::Refused, 0, 0), "{export}");
        assert!(
            service
                .requests
                .lock()
                .unwrap()
                .iter()
                .any(|target| target.contains(asked))
        );
        let there = seen(folder.path());
        let part = there
            .iter()
            .find(|path| path.starts_with(export) && !path.contains("groups/"));
        assert_eq!(part, None, "{there:?}");
        imported(folder.path());
    }
}

/// Where every call is refused, the last collection stays.
#[test]
fn nothing_is_no_collection() {
    let folder = tempfile::tempdir().unwrap();
    let (base, _) = serve(TENANT).start();
    collected(&one_at_a_time(&base, folder.path())).unwrap();
    let before = crate::import::files(folder.path());
    let mut service = serve(TENANT);
    service.faults = Box::new(|_, _| Some(Fault::Status(403, None)));
    let (base, _) = service.start();
    let error = collected(&one_at_a_time(&base, folder.path())).unwrap_err();
    assert!(matches!(error, CollectError::NothingCame(_)), "{error}");
    assert!(error.to_string().contains("User.Read.All"), "{error}");
    let after = crate::import::files(folder.path());
    for (path, bytes) in before {
        assert!(after.get(&path) == Some(&bytes), "{path}");
    }
}

/// Whoever may not send batches is told what is lacking, and the rest is collected.
#[test]
fn refused_batches_do_not_stop_the_rest() {
    let mut service = serve(TENANT);
    service.faults = Box::new(|_, target| {
        target
            .ends_with("$batch")
            .then_some(Fault::Status(403, None))
    });
    let (base, _) = service.start();
    let folder = tempfile::tempdir().unwrap();
    let collected = collected(&one_at_a_time(&base, folder.path())).unwrap();
    let state = |export: &str| {
        let mut calls = collected.calls.iter();
        calls
            .find(|call| call.export == export)
            .map(|call| call.state)
    };
    assert_eq!(
        state("graph/groups/<id>/members.json"),
        Some(CallState::Refused)
    );
    assert_eq!(state("graph/users.json"), Some(CallState::Collected));
}

/// A collection that is not finished goes on in the tenant that it was begun in.
#[test]
fn a_collection_goes_on_in_its_tenant_only() {
    use base64::Engine as _;
    let token = |tenant: &str| -> &'static str {
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(format!("{{\"tid\":\"{tenant}\"}}"));
        format!("e30.{claims}.x").leak()
    };
    let folder = tempfile::tempdir().unwrap();
    let mut service = serve(TENANT);
    service.accepts = Box::new(|_| true);
    service.faults = Box::new(|number, _| (number == 9).then_some(Fault::Status(503, None)));
    let (base, service) = service.start();
    let mut settings = one_at_a_time(&base, folder.path());
    settings.waits.times = 0;
    settings.graph_token = Some(super::Given::new(&[token("ours")]));
    collected(&settings).unwrap_err();
    let asked = service.requests.lock().unwrap().len();
    settings.is_resumed = true;
    for other in [token("theirs"), "opaque"] {
        settings.graph_token = Some(super::Given::new(&[other]));
        let error = collected(&settings).unwrap_err();
        assert!(matches!(error, CollectError::AnotherTenant(_)), "{error}");
    }
    assert_eq!(service.requests.lock().unwrap().len(), asked);
    settings.graph_token = Some(super::Given::new(&[token("ours")]));
    let account = collected(&settings).unwrap();
    assert_eq!(account.tenant_id.as_deref(), Some("ours"));
    // What was asked before is counted.
    for call in &account.calls {
        assert!(call.requests >= call.files, "{call:?}");
    }
}

/// A collection that asks for less does not remove what the last one had.
#[test]
fn a_collection_of_less_does_not_remove_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let (base, _) = serve(TENANT).start();
    let whole = one_at_a_time(&base, folder.path());
    collected(&whole).unwrap();
    // A file is no hierarchy.
    std::fs::write(folder.path().join("configmgr/.DS_Store"), "").unwrap();
    let before = seen(folder.path());
    for (has_graph, sites) in [(false, &SITES[..]), (true, &[])] {
        let mut settings = settings(&base, sites, folder.path());
        settings.graph_token = settings.graph_token.filter(|_| has_graph);
        let error = collected(&settings).unwrap_err();
        assert!(matches!(error, CollectError::LeavesOut(_)), "{error}");
        assert_eq!(seen(folder.path()), before);
    }
    collected(&whole).unwrap();
    // Nothing that was being written is left.
    let staging = std::fs::read_dir(folder.path().join(".tarbac-collect")).unwrap();
    let names: Vec<_> = staging.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["lock"]);
}
