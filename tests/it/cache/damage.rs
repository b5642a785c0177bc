//! What is kept is damaged, changes while it is read, or is of something else.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use cedar_policy::Context;
use tarbac::decision::Outcome;
use tarbac::workspace::LoadOptions;
use tarbac::{Decision, Engine, Layout, Request, Switches, Workspace, shipped};

use super::{is_allowed, kept, large, loaded};
use crate::tarbac::Tarbac;
use crate::world::{device, entities};

#[test]
fn what_is_broken_is_made_anew() {
    let tarbac = large();
    loaded(&tarbac);
    assert!(is_allowed(&tarbac));
    for entry in fs::read_dir(tarbac.path(".tarbac")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        // Not in place: what another program has mapped stays as it is.
        fs::remove_file(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    }
    assert!(is_allowed(&tarbac));
    assert!(loaded(&tarbac).0 > 0);
    assert_eq!(loaded(&tarbac).0, 0);
    fs::remove_dir_all(tarbac.path(".tarbac")).unwrap();
    tarbac.write(".tarbac", "a file");
    assert!(is_allowed(&tarbac));
    assert_eq!(tarbac.read(".tarbac"), "a file");
}

/// Writes bytes as a disk that lies does: the file is the same one, of the same times.
fn lie(path: &Path, bytes: &[u8]) {
    let modified = path.metadata().unwrap().modified().unwrap();
    let mut file = File::options().write(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
    file.set_modified(modified).unwrap();
}

/// Numbers that look random, the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    /// Turns bits here and there.
    fn flip(&mut self, bytes: &mut [u8], count: usize) {
        for _ in 0..count {
            let at = self.below(bytes.len());
            bytes[at] ^= 1 << self.below(8);
        }
    }
}

/// Whoever asks for a script to be run, on a few of the devices.
fn requests(engine: &Engine) -> Vec<Request> {
    let permissions = engine.bundle().vocabulary().permissions();
    let run_script = permissions
        .map(|action| &action.uid)
        .find(|uid| uid.id().unescaped() == "runScript")
        .unwrap();
    let directory = engine.directory();
    let rows = |type_name: &str| directory.rows_of(&type_name.parse().unwrap());
    let pairs = rows("Entra::User").flat_map(|person| {
        let devices = rows("ConfigMgr::Device").step_by(250);
        devices.map(move |device| (person, device))
    });
    pairs
        .map(|(person, device)| Request {
            principal: directory.uid(person),
            action: run_script.clone(),
            resource: directory.uid(device),
            context: Context::empty(),
        })
        .collect()
}

/// Whatever becomes of what is kept, each request is answered as without it.
#[test]
fn a_disk_that_lies_changes_no_answer() {
    let tarbac = large();
    let layout = Layout::new(tarbac.path(""), shipped::rules());
    let load = |cache| {
        let options = LoadOptions {
            cache,
            ..LoadOptions::default()
        };
        Workspace::load_by(&layout, &Switches::default(), &options).unwrap()
    };
    let expected = load(false);
    let requests = requests(&expected.engine);
    let decide = |request| expected.engine.decide(request);
    let answers: Vec<Outcome> = requests.iter().map(decide).collect();
    let is_allowed = |outcome: &Outcome| outcome.decision == Decision::Allow;
    assert!(answers.iter().any(is_allowed));
    let mut numbers = Numbers(20_261_129);
    let mut mended = 0;
    for trial in 0..24 {
        load(true);
        let prefix = ["entities-", "entities-", "findings-", "contents"][trial % 4];
        let path = kept(&tarbac, prefix);
        let mut bytes = fs::read(&path).unwrap();
        let count = [1, 10, 100, 300][trial / 4 % 4];
        numbers.flip(&mut bytes, count);
        lie(&path, &bytes);
        let broken = load(true);
        assert_eq!(broken.warnings, expected.warnings, "{trial}");
        for (request, answer) in requests.iter().zip(&answers) {
            assert_eq!(&broken.engine.decide(request), answer, "{trial}");
        }
        assert!(!broken.engine.directory().is_damaged());
        // What was noticed is not there for the next run.
        mended += usize::from(!path.exists());
    }
    assert!(mended > 2, "{mended}");
}

/// What can neither be read as it was kept nor be worked out anew is no answer.
#[test]
fn what_is_lost_is_said() {
    let tarbac = large();
    let (_, before) = loaded(&tarbac);
    let (_, workspace) = loaded(&tarbac);
    let path = kept(&tarbac, "entities-");
    let mut bytes = fs::read(&path).unwrap();
    for byte in bytes.iter_mut().step_by(100) {
        *byte ^= 1;
    }
    lie(&path, &bytes);
    let text = tarbac.read("entities/devices.json");
    tarbac.write("entities/devices.json", text.replace("WS-1", "WX-1"));
    let device = before
        .engine
        .directory()
        .rows_of(&"ConfigMgr::Device".parse().unwrap())
        .nth(7_777)
        .unwrap();
    let person = before
        .engine
        .directory()
        .rows_of(&"Entra::User".parse().unwrap())
        .next()
        .unwrap();
    let request = Request {
        principal: before.engine.directory().uid(person),
        action: "Intune::Action::\"runScript\"".parse().unwrap(),
        resource: before.engine.directory().uid(device),
        context: Context::empty(),
    };
    let outcome = workspace.engine.decide(&request);
    assert_eq!(outcome.decision, Decision::Indeterminate);
    assert!(workspace.engine.directory().is_damaged());
    assert_eq!(
        workspace.engine.answer(&request).outcome.decision,
        Decision::Indeterminate
    );
    assert!(before.engine.decide(&request).decision != Decision::Indeterminate);
}

/// Whoever loads another workspace in the same program hears nothing of it.
#[test]
fn what_is_lost_is_said_to_whoever_loaded_it() {
    let [broken, sound] = [(); 2].map(|()| {
        let tarbac = large();
        loaded(&tarbac);
        let options = LoadOptions {
            cache: true,
            ..LoadOptions::default()
        };
        (tarbac, options)
    });
    let engines = [&broken, &sound].map(|(tarbac, options)| {
        let layout = Layout::new(tarbac.path(""), shipped::rules());
        let workspace = Workspace::load_by(&layout, &Switches::default(), options);
        workspace.unwrap().engine
    });
    let (tarbac, _) = &broken;
    let path = kept(tarbac, "entities-");
    let mut bytes = fs::read(&path).unwrap();
    for byte in bytes.iter_mut().step_by(100) {
        *byte ^= 1;
    }
    lie(&path, &bytes);
    let text = tarbac.read("entities/devices.json");
    tarbac.write("entities/devices.json", text.replace("WS-1", "WX-1"));
    for engine in &engines {
        let device = "ConfigMgr::Device".parse().unwrap();
        engine.directory().rows_of(&device).for_each(|row| {
            engine.directory().uid(row);
        });
    }
    assert!(broken.1.loss.is_any());
    assert!(!sound.1.loss.is_any());
}

/// A file that holds under one name does not hold under another.
#[test]
fn what_was_kept_of_something_else_is_not_used() {
    let tarbac = large();
    loaded(&tarbac);
    let (entities, findings) = (kept(&tarbac, "entities-"), kept(&tarbac, "findings-"));
    let (bytes, found) = (fs::read(&entities).unwrap(), fs::read(&findings).unwrap());
    let device = device("more", "M", "H");
    tarbac.write("entities/more.json", self::entities(&[device]));
    let (read, _) = loaded(&tarbac);
    assert!(read > 0);
    for (path, bytes) in [(&entities, &bytes), (&findings, &found)] {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let prefix = name.split('-').next().unwrap();
        for entry in fs::read_dir(tarbac.path(".tarbac")).unwrap() {
            let other = entry.unwrap().path();
            let is_other = other
                .file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(prefix);
            if is_other && other != *path {
                fs::write(&other, bytes).unwrap();
            }
        }
    }
    let (read, workspace) = loaded(&tarbac);
    assert!(read > 0);
    let more = "ConfigMgr::Device::\"more\"".parse().unwrap();
    assert!(workspace.engine.directory().defines(&more));
}

/// A file that came with a repository is another one, whatever is in it.
#[cfg(unix)]
#[test]
fn what_was_kept_elsewhere_is_not_used() {
    for prefix in ["entities-", "findings-"] {
        let tarbac = large();
        loaded(&tarbac);
        assert_eq!(loaded(&tarbac).0, 0);
        let path = kept(&tarbac, prefix);
        let modified = path.metadata().unwrap().modified().unwrap();
        let other = path.with_file_name("other");
        fs::copy(&path, &other).unwrap();
        File::options()
            .write(true)
            .open(&other)
            .unwrap()
            .set_modified(modified)
            .unwrap();
        let number = |path: &Path| std::os::unix::fs::MetadataExt::ino(&path.metadata().unwrap());
        let before = number(&path);
        fs::rename(&other, &path).unwrap();
        loaded(&tarbac);
        // It was written anew.
        assert_ne!(number(&path), before, "{prefix}");
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let notes = tarbac.read(".tarbac/contents.json");
        assert!(notes.contains(&name), "{prefix}");
        assert_eq!(loaded(&tarbac).0, 0);
    }
    // As a whole, from a clone.
    let tarbac = large();
    loaded(&tarbac);
    let clone = large();
    crate::tarbac::copy(&tarbac.path(".tarbac"), &clone.path(".tarbac"));
    assert!(loaded(&clone).0 > 0);
    assert_eq!(loaded(&clone).0, 0);
}

/// What the cache notes of a file of entities that was changed, as if nobody had.
fn note_as_unchanged(tarbac: &Tarbac, file: &str) {
    use std::os::unix::fs::MetadataExt;
    let path = tarbac.path(file).canonicalize().unwrap();
    let metadata = path.metadata().unwrap();
    let text = tarbac.read(".tarbac/contents.json");
    let sealed: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut content = sealed["content"].clone();
    let note = &mut content[path.to_str().unwrap()];
    assert!(note.is_object(), "{text}");
    note["stamp"]["modified"]["secs_since_epoch"] = metadata.mtime().into();
    note["stamp"]["modified"]["nanos_since_epoch"] = metadata.mtime_nsec().into();
    note["stamp"]["system"] = serde_json::json!([
        metadata.ctime(),
        metadata.ctime_nsec(),
        metadata.dev(),
        metadata.ino()
    ]);
    note["noted"]["secs_since_epoch"] = (metadata.ctime() + 60).into();
    let content = content.to_string();
    let mut hasher = blake3::Hasher::new();
    for part in ["contents.json", &content] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize().to_hex();
    tarbac.write(
        ".tarbac/contents.json",
        format!(r#"{{"digest": "{digest}", "content": {content}}}"#),
    );
}

/// A disk may lose what was kept and change what it came from, behind everybody's back.
#[cfg(unix)]
#[test]
fn no_command_answers_from_what_is_lost() {
    let tarbac = large();
    let person = "ana@t.example";
    for command in [
        &["check", person, "runScript", "PC-1"][..],
        &["explain", person, "runScript", "PC-1"],
        &["who", "runScript", "PC-1"],
        &["what", person, "PC-1"],
        &["what", person],
        &["matrix", "--all"],
        &["access"],
    ] {
        // Of the program, and not of these tests, which are another one.
        let check = ["check", person, "runScript", "PC-1"];
        assert_eq!(tarbac.run(&check).status, 0);
        let kept = kept(&tarbac, "entities-");
        let mut bytes = fs::read(&kept).unwrap();
        // What says how the rest is laid out stays: it is read before anything is asked.
        let trailer = bytes.len() - 40;
        let length = bytes[trailer..].first_chunk().unwrap();
        let end = trailer - usize::try_from(u64::from_ne_bytes(*length)).unwrap();
        for byte in bytes[64..end].iter_mut().step_by(100) {
            *byte ^= 1;
        }
        lie(&kept, &bytes);
        let text = tarbac.read("entities/devices.json");
        tarbac.write("entities/devices.json", text.replace("\"WS-1", "\"WX-1"));
        note_as_unchanged(&tarbac, "entities/devices.json");
        let ran = tarbac.run(command);
        assert_eq!(ran.status, 2, "{command:?} {ran}");
        assert!(ran.stderr.contains("damaged"), "{command:?} {ran}");
        tarbac.write("entities/devices.json", text);
    }
}
