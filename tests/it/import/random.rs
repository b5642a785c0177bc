//! Random exports: they import without a panic, and everybody may do exactly what the exports give, as
//! worked out a second time, without entities and policies.

mod exports;
mod reference;
mod tenant;

use cedar_policy::{Context, EntityUid};
use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use proptest::test_runner::Config;
use tarbac::{Decision, Request};

use super::{import_held, load, write};
use exports::{person, site};
use tenant::{PERMISSIONS, Tenant};

/// Imports the exports and asks about everybody.
fn everybody_may_what_the_exports_give(tenant: &Tenant) {
    let imported = import_held(&tenant.exports());
    let imported = imported.unwrap_or_else(|error| panic!("{error}: {tenant:#?}"));
    let folder = tempfile::tempdir().unwrap();
    write(&imported, folder.path());
    let engine = load(folder.path());
    let uid = |type_name: &str, id: String| -> EntityUid {
        EntityUid::from_type_name_and_id(
            type_name.parse().unwrap(),
            cedar_policy::EntityId::new(id),
        )
    };
    let devices = engine
        .directory()
        .rows_of(&"ConfigMgr::Device".parse().unwrap());
    let uploaded: usize = tenant.sites.iter().map(|of| of.devices).sum();
    assert_eq!(devices.count(), uploaded);
    for who in 0..tenant.people.len() {
        for (number, of) in tenant.sites.iter().enumerate() {
            for device in 0..of.devices {
                for (permission, described) in PERMISSIONS.iter().enumerate() {
                    let request = Request {
                        principal: uid("Entra::User", person(who)),
                        action: uid("Intune::Action", described.action.to_owned()),
                        resource: uid(
                            "ConfigMgr::Device",
                            format!("{}-{}", site(number), 16_777_216 + device),
                        ),
                        context: Context::empty(),
                    };
                    let outcome = engine.decide(&request);
                    assert_ne!(outcome.decision, Decision::Indeterminate);
                    assert_eq!(
                        outcome.decision == Decision::Allow,
                        tenant.may(who, permission, of, device),
                        "{request:?} by {:?} in {tenant:#?}",
                        outcome.policies
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 100, ..Config::default() })]

    #[test]
    fn nobody_gains_or_loses_anything_by_an_import(bytes in vec(any::<u8>(), 0..400)) {
        everybody_may_what_the_exports_give(&Tenant::of(bytes));
    }

    #[test]
    fn whatever_stands_in_the_files_no_import_panics(
        bytes in vec(any::<u8>(), 0..200),
        edits in vec((any::<u16>(), any::<u16>(), any::<u8>()), 1..6),
    ) {
        let mut exports = Tenant::of(bytes).exports();
        for (file, at, byte) in edits {
            let mut files = exports.files_mut();
            let count = files.len();
            let (_, file) = files.nth(usize::from(file) % count).unwrap();
            // An earlier edit may have left nothing of it.
            let at = usize::from(at) % file.len().max(1);
            match (byte, file.get_mut(at)) {
                (0, _) => file.truncate(at),
                (byte, Some(place)) => *place = byte,
                (_, None) => file.push(byte),
            }
        }
        if let Ok(imported) = import_held(&exports) {
            super::written(&imported);
        }
    }
}

/// Permissions are given and refused often enough for the comparison to mean something.
#[test]
fn random_tenants_give_something() {
    let (mut given, mut refused) = ([0; 2], [0; 2]);
    let mut bytes: u32 = 1;
    for _ in 0..500 {
        let mut next = || {
            bytes = bytes.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (bytes >> 24) as u8
        };
        let tenant = Tenant::of((0..400).map(|_| next()).collect());
        for of in &tenant.sites {
            let by_intune =
                usize::from(tenant.use_intune_rbac && !of.enforce && of.version >= 2207);
            for who in 0..tenant.people.len() {
                for permission in 0..PERMISSIONS.len() {
                    match tenant.may(who, permission, of, 0) {
                        true => given[by_intune] += 1,
                        false => refused[by_intune] += 1,
                    }
                }
            }
        }
    }
    assert!(
        given.iter().chain(&refused).all(|count| *count > 30),
        "{given:?} {refused:?}"
    );
}
