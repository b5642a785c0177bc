//! What is kept beside a large workspace changes no answer and is never stale.

mod damage;
mod lost_class;

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tarbac::workspace::LoadOptions;
use tarbac::{Layout, Switches, Workspace, shipped};

use crate::tarbac::Tarbac;
use crate::world::{device, entities};

/// A tenant whose entities are worth keeping.
fn large() -> Tarbac {
    let tarbac = Tarbac::with_tenant(&[]);
    let devices = (0..25_000).map(|number| {
        let id = format!("device-{number}");
        device(&id, &format!("WS-{number}"), "H")
    });
    tarbac.write(
        "entities/devices.json",
        entities(&devices.collect::<Vec<_>>()),
    );
    tarbac
}

/// How many bytes of entities are read, and what was found.
fn loaded(tarbac: &Tarbac) -> (u64, Workspace) {
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    let options = LoadOptions {
        cache: true,
        progress: Some(Arc::new(move |read, _| {
            counted.fetch_add(read, Ordering::Relaxed);
        })),
        ..LoadOptions::default()
    };
    let layout = Layout::new(tarbac.path(""), shipped::rules());
    let workspace = Workspace::load_by(&layout, &Switches::default(), &options).unwrap();
    (count.load(Ordering::Relaxed), workspace)
}

fn is_allowed(tarbac: &Tarbac) -> bool {
    let ran = tarbac.run(&["check", "ana@t.example", "Run script", "WS-24999"]);
    assert!(ran.stderr.is_empty(), "{ran}");
    ran.status == 0
}

#[test]
fn entities_are_read_once() {
    let tarbac = large();
    let size: u64 = ["tenant", "devices"]
        .map(|name| {
            tarbac
                .path(&format!("entities/{name}.json"))
                .metadata()
                .unwrap()
                .len()
        })
        .iter()
        .sum();
    let (read, first) = loaded(&tarbac);
    assert_eq!(read, size);
    let (read, again) = loaded(&tarbac);
    assert_eq!(read, 0);
    assert_eq!(again.warnings, first.warnings);
    let (one, other) = (first.engine.directory(), again.engine.directory());
    assert!(one.rows().eq(other.rows()));
    for row in one.rows() {
        assert!(one.entity(row).deep_eq(&other.entity(row)));
    }
    // Whatever git or a backup makes of the workspace, this is not part of it.
    assert_eq!(tarbac.read(".tarbac/.gitignore"), "*\n");
}

/// Entities from elsewhere are kept there, and not wherever the program is run.
#[test]
fn it_is_beside_the_entities() {
    let (here, there) = (Tarbac::with_tenant(&[]), large());
    let entities = there.path("entities").display().to_string();
    let request = ["check", "ana@t.example", "Run script", "WS-24999"];
    here.run(&[&request[..], &["--entities", &entities]].concat());
    assert!(there.path(".tarbac").exists());
    assert!(!here.path(".tarbac").exists());
}

/// A link may lead anywhere: nothing is written there, or removed.
#[cfg(unix)]
#[test]
fn a_link_is_not_followed() {
    let tarbac = large();
    tarbac.write("elsewhere/.gitignore", "precious");
    std::os::unix::fs::symlink("elsewhere", tarbac.path(".tarbac")).unwrap();
    assert!(is_allowed(&tarbac));
    assert_eq!(tarbac.read("elsewhere/.gitignore"), "precious");
    assert_eq!(fs::read_dir(tarbac.path("elsewhere")).unwrap().count(), 1);
}

/// What one build worked out is nothing to another: this test is not the program.
#[test]
fn another_build_makes_its_own() {
    let tarbac = large();
    assert!(is_allowed(&tarbac));
    assert!(loaded(&tarbac).0 > 0);
    let names = fs::read_dir(tarbac.path(".tarbac")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(
        names.filter(|name| name.starts_with("entities-")).count(),
        2
    );
}

#[test]
fn answers_are_the_same() {
    let tarbac = large();
    let commands: [&[&str]; 7] = [
        &[
            "check",
            "ana@t.example",
            "Run script",
            "ws-7",
            "--format",
            "json",
        ],
        &[
            "check",
            "bob@t.example",
            "Run script",
            "ConfigMgr::Device::\"device-7\"",
        ],
        &["check", "bob@t.example", "Run script", "WS-x"],
        &["explain", "bob@t.example", "Run script", "WS-7"],
        &["who", "Run script", "WS-7", "--may-not"],
        &["what", "ana@t.example"],
        &["what-if", "--use-intune-rbac", "off"],
    ];
    let run = |more: &[&str]| -> Vec<String> {
        let run = |command: &&[&str]| tarbac.run(&[command, more].concat()).to_string();
        commands.iter().map(run).collect()
    };
    let anew = run(&["--no-cache"]);
    assert!(!tarbac.path(".tarbac").exists());
    assert_eq!(run(&[]), anew);
    assert!(tarbac.path(".tarbac").exists());
    assert_eq!(run(&[]), anew);
}

#[test]
fn a_change_is_seen() {
    let tarbac = large();
    assert!(is_allowed(&tarbac));
    assert!(is_allowed(&tarbac));
    // Of the same length, and with the time that the file had.
    let path = tarbac.path("entities/tenant.json");
    let modified = path.metadata().unwrap().modified().unwrap();
    let text = tarbac.read("entities/tenant.json");
    let changed = text.replace("Help Desk Operator", "Read Only Operator");
    tarbac.write("entities/tenant.json", &changed);
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(modified)
        .unwrap();
    assert!(!is_allowed(&tarbac));
    tarbac.write("entities/tenant.json", text);
    assert!(is_allowed(&tarbac));
    // Policies are no part of what is kept, but for what was found of them.
    tarbac.write(
        "policies/custom/none.cedar",
        "@id(\"custom.none\")\n@doc(\"Nobody runs scripts.\")\nforbid (\n  principal,\n  action == Intune::Action::\"runScript\",\n  resource\n);\n",
    );
    assert!(!is_allowed(&tarbac));
    tarbac.write(
        "policies/custom/none.cedar",
        "@id(\"custom.none\")\npermit (principal, action, resource) when { principal.nothing };\n",
    );
    let ran = tarbac.run(&["check", "ana@t.example", "Run script", "WS-7"]);
    assert!(ran.stderr.contains("policy::type"), "{ran}");
}

#[test]
fn a_file_that_only_looks_changed_is_known() {
    let tarbac = large();
    loaded(&tarbac);
    let text = tarbac.read("entities/devices.json");
    tarbac.write("entities/devices.json", text);
    assert_eq!(loaded(&tarbac).0, 0);
}

/// A file of the cache whose name begins so.
fn kept(tarbac: &Tarbac, prefix: &str) -> PathBuf {
    let entries = fs::read_dir(tarbac.path(".tarbac")).unwrap();
    let mut names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let name = names.find(|name| name.starts_with(prefix)).unwrap();
    tarbac.path(&format!(".tarbac/{name}"))
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    let tarbac = large();
    loaded(&tarbac);
    let elsewhere = Tarbac::with(&[("theirs", "theirs")]);
    for entry in fs::read_dir(tarbac.path(".tarbac")).unwrap() {
        let path = entry.unwrap().path();
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(elsewhere.path("theirs"), &path).unwrap();
    }
    loaded(&tarbac);
    loaded(&tarbac);
    assert_eq!(elsewhere.read("theirs"), "theirs");
}

/// What lies in the place of a file that is kept is no reason to wait for it.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_passed_over() {
    let tarbac = large();
    loaded(&tarbac);
    for entry in fs::read_dir(tarbac.path(".tarbac")).unwrap() {
        let path = entry.unwrap().path();
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    }
    assert!(is_allowed(&tarbac));
}

#[test]
fn no_more_is_kept_than_the_last_few() {
    let tarbac = large();
    for number in 0..6 {
        tarbac.write(
            "entities/more.json",
            entities(&[device("more", &format!("M-{number}"), "H")]),
        );
        assert!(is_allowed(&tarbac));
    }
    let kept = fs::read_dir(tarbac.path(".tarbac")).unwrap();
    let names = kept.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(
        names.filter(|name| name.starts_with("entities-")).count(),
        3
    );
}

#[test]
fn a_small_workspace_keeps_nothing() {
    let tarbac = Tarbac::with_tenant(&[]);
    assert_eq!(
        tarbac
            .run(&["check", "ana@t.example", "Run script", "PC-1"])
            .status,
        0
    );
    assert!(!tarbac.path(".tarbac").exists());
}
