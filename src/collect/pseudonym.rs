//! Copies of exports with made-up names, on which every decision is the same.
//!
//! A name is replaced by a keyed digest of it, so that equal names stay equal in all files. The key exists in memory
//! only. Properties that are not listed in `table` are left out.

#![expect(
    clippy::disallowed_methods,
    reason = "a copy of exports is read and written"
)]

mod table;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value};
use tarbac_tenant::exports::catalog::{self, COLLECTED, DEVICES, TENANT};
use tarbac_tenant::exports::devices::{self, DeviceRow};
use tarbac_tenant::exports::{Exports, Files, Unread};

use crate::fault::CollectError;
use table::{Becomes, OPERATIONS, Properties, SHIPPED_ROLE, TABLE, WITHIN};

/// The prefix of the ids of collections, security roles and scopes that ship with Configuration Manager.
const SHIPPED: &str = "SMS";

/// The names that are the same in every tenant.
const EVERYWHERE: [&str; 1] = ["Default"];

/// The replacement of names, for one copy.
struct Pseudonyms {
    key: [u8; 32],
    /// The lower-case ids of the roles that ship with Intune, which keep their ids and names.
    shipped: BTreeSet<String>,
}

/// Writes a copy of exports with made-up names into a folder that is empty or does not exist.
///
/// # Errors
/// A file cannot be read or written, or is not a valid export.
pub fn pseudonymize(exports: &Path, out: &Path) -> Result<(), CollectError> {
    let failed = |what| move |error| CollectError::file(what, out, error);
    if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(CollectError::NotOurs(out.display().to_string()));
    }
    let files = Exports::new(exports, |file: File| Box::new(file) as Box<dyn Read + Send>);
    let unread = |error| CollectError::file("read", exports, error);
    let paths = files.paths().map_err(unread)?;
    let mut pseudonyms = Pseudonyms {
        key: [0; 32],
        shipped: BTreeSet::new(),
    };
    getrandom::fill(&mut pseudonyms.key)
        .map_err(|error| CollectError::Internal(error.to_string()))?;
    for path in paths
        .iter()
        .filter(|path| is_of(path, "graph/roleDefinitions.json"))
    {
        let reader = files.open(path).map_err(unread)?;
        rows(reader, |row| pseudonyms.learn(&row)).map_err(|error| wrong(path, &error))?;
    }
    fs::create_dir_all(out).map_err(failed("make the folder"))?;
    for path in &paths {
        pseudonyms.copy(&files, path, out)?;
    }
    Ok(())
}

/// Whether a path is a page of the export `file`.
fn is_of(path: &str, file: &str) -> bool {
    catalog::export_at(path).is_some_and(|export| export.file == file)
}

/// Reads the records of a page.
fn rows(reader: impl Read, mut each: impl FnMut(Map<String, Value>)) -> Result<(), Unread> {
    tarbac_tenant::exports::read(reader, |row: Map<String, Value>| {
        each(row);
        Ok(())
    })
    .map(|_| ())
}

/// The property of a record; the case of its name is ignored.
fn get<'r>(row: &'r Map<String, Value>, name: &str) -> Option<&'r Value> {
    let mut found = row.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value)
}

fn wrong(path: &str, error: &Unread) -> CollectError {
    CollectError::Internal(format!("cannot read `{path}`: {error}"))
}

impl Pseudonyms {
    /// Records the id of a role that ships with Intune.
    fn learn(&mut self, row: &Map<String, Value>) {
        let flags = ["isBuiltIn", "isBuiltInRoleDefinition"];
        let is_shipped = flags
            .iter()
            .any(|name| get(row, name) == Some(&Value::Bool(true)));
        if let (true, Some(Value::String(id))) = (is_shipped, get(row, "id")) {
            self.shipped.insert(id.to_ascii_lowercase());
        }
    }

    fn copy(&self, files: &impl Files, path: &str, out: &Path) -> Result<(), CollectError> {
        let unread = |error| CollectError::Internal(format!("cannot read `{path}`: {error}"));
        let Some(export) = catalog::export_at(path) else {
            return match path {
                COLLECTED => self.account(files, out),
                // An unknown file may name people, so it is not copied.
                _ => Ok(()),
            };
        };
        let target = out.join(self.path(export.file, path));
        let failed = |error| CollectError::file("write", &target, error);
        let reader = files
            .open(path)
            .map_err(|error| unread(error.to_string()))?;
        match export.file {
            TENANT => {
                let mut text = String::new();
                let mut records = Vec::new();
                rows(reader, |row| records.push(self.declaration(row)))
                    .map_err(|error| wrong(path, &error))?;
                for record in records {
                    text += &record.to_string();
                }
                return put(&target, text.as_bytes()).map_err(failed);
            }
            DEVICES => {
                let rows = self.devices(reader).map_err(|error| wrong(path, &error))?;
                let sheet = devices::written(&rows).map_err(failed)?;
                return put(&out.join(DEVICES), &sheet).map_err(failed);
            }
            _ => {}
        }
        let table = TABLE.iter().find(|(file, _)| *file == export.file);
        let properties = table.map(|(_, properties)| *properties);
        if properties.is_none() && export.file != OPERATIONS {
            return Ok(());
        }
        let mut page = Page::create(&target).map_err(failed)?;
        let mut fault = None;
        let read = rows(reader, |row| {
            let row = properties.map_or(Value::Object(row.clone()), |properties| {
                Value::Object(self.row(row, properties))
            });
            if let Err(error) = page.add(&row) {
                fault.get_or_insert(error);
            }
        });
        read.map_err(|error| wrong(path, &error))?;
        fault.map_or(Ok(()), Err).map_err(failed)?;
        page.finish().map_err(failed)
    }

    /// Copies the account of the collection, without tenant id and account.
    fn account(&self, files: &impl Files, out: &Path) -> Result<(), CollectError> {
        let target = out.join(COLLECTED);
        let unread = |error: io::Error| CollectError::file("read", Path::new(COLLECTED), error);
        let mut reader = files.open(COLLECTED).map_err(unread)?;
        let mut text = String::new();
        reader.read_to_string(&mut text).map_err(unread)?;
        let parsed = serde_json::from_str::<tarbac_tenant::exports::Collected>(&text);
        let mut collected = parsed.map_err(|error| unread(error.into()))?;
        (collected.account, collected.tenant_id) = (None, None);
        collected.is_pseudonymized = true;
        for call in &mut collected.calls {
            call.message = None;
        }
        let text =
            serde_json::to_string_pretty(&collected).map_err(|error| unread(error.into()))?;
        put(&target, text.as_bytes()).map_err(|error| CollectError::file("write", &target, error))
    }

    /// The rows of `devices.csv`. Only the device name is replaced; the import compares the other values with fixed
    /// words.
    fn devices(&self, reader: impl Read) -> Result<Vec<DeviceRow>, Unread> {
        let mut rows = Vec::new();
        devices::read(reader, |row| {
            let name = self.text(&row.name, Becomes::Device);
            rows.push(DeviceRow { name, ..row });
        })?;
        Ok(rows)
    }

    /// The path of a file, with its ids replaced.
    fn path(&self, file: &str, path: &str) -> PathBuf {
        let patterns = file.split('/');
        let parts = path
            .split('/')
            .zip(patterns)
            .map(|(part, pattern)| match pattern {
                "<id>" => self.id(part),
                _ => part.to_owned(),
            });
        let path = parts.collect::<Vec<String>>().join("/");
        let stem = path.strip_suffix(".gz").unwrap_or(&path);
        let stem = stem
            .strip_suffix(".ndjson")
            .map_or_else(|| stem.to_owned(), |stem| format!("{stem}.json"));
        match file == TENANT {
            true => PathBuf::from(TENANT),
            false => PathBuf::from(format!("{stem}.gz")),
        }
    }

    /// The listed properties of a record, with their replacements.
    fn row(&self, row: Map<String, Value>, properties: Properties) -> Map<String, Value> {
        let is_shipped = self.is_shipped(&row);
        let kept = row.into_iter().filter_map(|(name, value)| {
            let lower = name.to_ascii_lowercase();
            let (_, becomes) = properties.iter().find(|(known, _)| *known == lower)?;
            let value = match (becomes, is_shipped) {
                (Becomes::Name, true) => value,
                _ => self.value(value, *becomes),
            };
            Some((name, value))
        });
        kept.collect()
    }

    /// Whether a record is an object that ships with a service, which has the same name everywhere.
    fn is_shipped(&self, row: &Map<String, Value>) -> bool {
        let keys = ["id", "CollectionID", "RoleID", "CategoryID"];
        keys.iter()
            .filter_map(|name| get(row, name)?.as_str())
            .any(|id| self.shipped.contains(&id.to_ascii_lowercase()) || id.starts_with(SHIPPED))
    }

    fn value(&self, value: Value, becomes: Becomes) -> Value {
        match (value, becomes) {
            (value, Becomes::Same) => value,
            (Value::Array(values), _) => {
                let values = values.into_iter();
                values.map(|value| self.value(value, becomes)).collect()
            }
            (Value::Object(row), Becomes::EntraRole) => {
                let is_custom = get(&row, "isBuiltIn") == Some(&Value::Bool(false));
                let properties = if is_custom { WITHIN } else { SHIPPED_ROLE };
                Value::Object(self.row(row, properties))
            }
            (Value::Object(row), Becomes::Within) => Value::Object(self.row(row, WITHIN)),
            (Value::String(text), becomes) => Value::String(self.text(&text, becomes)),
            // Numbers and flags name nobody. An unexpected object might, so it is left out.
            (Value::Object(_), _) => Value::Null,
            (value, _) => value,
        }
    }

    fn text(&self, text: &str, becomes: Becomes) -> String {
        let blank = text.trim().is_empty();
        match becomes {
            _ if blank => text.to_owned(),
            Becomes::Same => text.to_owned(),
            Becomes::Id => self.id(text),
            Becomes::Sid => self.sid(text),
            Becomes::Upn => format!("person-{}@tenant.example", self.digest("name", text)),
            Becomes::Logon => format!("DOMAIN\\account-{}", self.digest("name", text)),
            Becomes::Device => format!("device-{}", self.digest("device", text)),
            Becomes::Name if EVERYWHERE.contains(&text) => text.to_owned(),
            Becomes::Name | Becomes::Within | Becomes::EntraRole => {
                format!("name-{}", self.digest("name", text))
            }
            Becomes::Scope if text == "/" => text.to_owned(),
            Becomes::Scope => "/administrativeUnits/a".to_owned(),
        }
    }

    /// A made-up id in the form of a UUID, unless the id is that of a shipped role.
    fn id(&self, text: &str) -> String {
        let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
        if self.shipped.contains(&inner.to_ascii_lowercase()) {
            return text.to_owned();
        }
        let digest = self.digest("id", inner);
        let more = self.digest("id, the rest", inner);
        let digits: String = digest.chars().chain(more.chars()).collect();
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        format!(
            "{}-{}-4{}-8{}-{}",
            part(0, 8),
            part(8, 12),
            part(13, 16),
            part(17, 20),
            part(20, 32)
        )
    }

    /// A made-up security identifier in a made-up domain. Identifiers that every Windows computer has are kept.
    fn sid(&self, text: &str) -> String {
        let upper = text.trim().to_ascii_uppercase();
        let Some(rest) = upper.strip_prefix("S-1-5-21-") else {
            return text.to_owned();
        };
        let (domain, account) = rest.rsplit_once('-').unwrap_or(("", rest));
        let number = |text: &str| {
            let digest = self.digest("sid", text);
            let digits = digest.get(..8).unwrap_or_default();
            u32::from_str_radix(digits, 16).unwrap_or_default()
        };
        // Relative identifiers below 1000 are the same in every domain.
        let account = match account.parse::<u32>() {
            Ok(known) if known < 1000 => known,
            _ => 1000 + number(&upper) / 2,
        };
        format!("S-1-5-21-{}-1-1-{account}", number(domain))
    }

    /// The declaration, with the name of the tenant and the names of collections replaced.
    fn declaration(&self, mut row: Map<String, Value>) -> Value {
        if let Some(Value::String(name)) = row.get_mut("name") {
            *name = format!("tenant-{}", self.digest("tenant", name));
        }
        let hierarchies = row.get_mut("hierarchies").and_then(Value::as_array_mut);
        for hierarchy in hierarchies.into_iter().flatten() {
            if let Some(Value::String(collection)) = hierarchy.get_mut("uploadCollection")
                && !is_collection_id(collection)
            {
                *collection = self.text(collection, Becomes::Name);
            }
        }
        Value::Object(row)
    }

    /// The digits that replace a text; its case is ignored.
    fn digest(&self, kind: &str, text: &str) -> String {
        let text = format!("{kind}\0{}", text.trim().to_lowercase());
        let digest = blake3::keyed_hash(&self.key, text.as_bytes());
        digest.to_hex().chars().take(16).collect()
    }
}

/// Whether a text has the form of a collection id: a site code and five digits.
fn is_collection_id(text: &str) -> bool {
    text.len() == 8 && text.chars().all(|letter| letter.is_ascii_alphanumeric())
}

/// A page of records being written.
struct Page {
    writer: GzEncoder<BufWriter<File>>,
    is_empty: bool,
}

impl Page {
    fn create(path: &Path) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let file = BufWriter::new(File::create(path)?);
        let mut writer = GzEncoder::new(file, Compression::fast());
        writer.write_all(b"{\"value\":[")?;
        Ok(Self {
            writer,
            is_empty: true,
        })
    }

    fn add(&mut self, row: &Value) -> io::Result<()> {
        if !self.is_empty {
            self.writer.write_all(b",\n")?;
        }
        self.is_empty = false;
        serde_json::to_writer(&mut self.writer, row)?;
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.writer.write_all(b"]}\n")?;
        self.writer.finish()?.flush()
    }
}

fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    fs::write(path, text)
}
