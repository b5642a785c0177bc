//! Copies of exports with made-up names, on which every decision is the same.
//!
//! A name is replaced by a keyed digest of it, so that equal names stay equal in all files. The key exists in memory
//! only. Properties that are not listed in `table` are left out.

mod made_up;
mod page;
mod table;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tarbac_diagnostic::source::shown;
use tarbac_tenant::exports::catalog::{self, COLLECTED, DEVICES, TENANT};
use tarbac_tenant::exports::devices::{self, DeviceRow};
use tarbac_tenant::exports::{Exports, Files, Unread, whole_collection};

use crate::fault::CollectError;
use page::{Page, put};
use table::{Becomes, DECLARATION, Properties, SHIPPED_ROLE, TABLE, WITHIN};

/// The exports with ids that are treated apart.
const LEARNED: [&str; 3] = [
    ROLES,
    COLLECTIONS,
    "graph/roleEligibilityScheduleInstances.json",
];
const ROLES: &str = "graph/roleDefinitions.json";
const COLLECTIONS: &str = "configmgr/<site>/SMS_Collection.json";

/// How the name of the folder of an unfinished copy begins.
const DRAFT: &str = ".tarbac-";

/// The prefix of the ids of collections, security roles and scopes that ship with Configuration Manager.
const SHIPPED: &str = "SMS";

/// The replacement of names, for one copy.
struct Pseudonyms {
    key: [u8; 32],
    /// The lower-case ids of the roles that ship with Intune, which keep their ids and names.
    shipped: BTreeSet<String>,
    /// The lower-case ids of custom roles of Microsoft Entra.
    custom: BTreeSet<String>,
    /// The lower-case ids of collections, and the names of those that ship, which a declaration may name.
    collections: BTreeSet<String>,
}

/// Writes a copy of exports with made-up names into a folder that is empty or does not exist. Returns the files that
/// are left out, because what they may name is not known.
///
/// # Errors
/// A file cannot be read or written, or is not a valid export; then there is no copy.
pub fn pseudonymize(exports: &Path, out: &Path) -> Result<Vec<String>, CollectError> {
    let failed = |what| move |error| CollectError::file(what, out, error);
    if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(CollectError::NotEmpty(shown(out)));
    }
    let collection = whole_collection(exports)?;
    let is_replaced = || Ok(whole_collection(exports)? != collection);
    let files = Exports::new(exports, |file: File| Box::new(file) as Box<dyn Read + Send>);
    let unread = |error| CollectError::file("read", exports, error);
    let paths = files.paths().map_err(unread)?;
    let mut pseudonyms = Pseudonyms {
        key: [0; 32],
        shipped: BTreeSet::new(),
        custom: BTreeSet::new(),
        collections: BTreeSet::new(),
    };
    getrandom::fill(&mut pseudonyms.key)
        .map_err(|error| CollectError::Internal(error.to_string()))?;
    for path in &paths {
        let export = catalog::page_of(path).filter(|export| LEARNED.contains(&export.file));
        if let Some(export) = export {
            let reader = files.open(path).map_err(unread)?;
            let read = rows(reader, |row| pseudonyms.learn(export.file, &row));
            read.map_err(|error| wrong(path, &error))?;
        }
    }
    let is_new = !out.exists();
    fs::create_dir_all(out).map_err(failed("make the folder"))?;
    let copied = pseudonyms.copy_all(&files, &paths, out, is_replaced);
    if copied.is_err() && is_new {
        // The copy is gone already. A folder with something else in it stays.
        let _: io::Result<()> = fs::remove_dir(out);
    }
    copied
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
    /// Records the ids that are treated apart.
    fn learn(&mut self, file: &str, row: &Map<String, Value>) {
        let text = |row, name| Some(get(row, name)?.as_str()?.to_ascii_lowercase());
        match file {
            COLLECTIONS => {
                self.collections.extend(text(row, "CollectionID"));
                if self.is_shipped(row) {
                    self.collections.extend(text(row, "Name"));
                }
            }
            ROLES => {
                let flags = ["isBuiltIn", "isBuiltInRoleDefinition"];
                let mut flags = flags.iter().filter_map(|name| get(row, name));
                if flags.any(|flag| *flag == Value::Bool(true)) {
                    self.shipped.extend(text(row, "id"));
                }
            }
            _ => {
                if get(row, "roleDefinition").is_some_and(is_custom) {
                    self.custom.extend(text(row, "roleDefinitionId"));
                }
            }
        }
    }

    /// Copies all files, and then puts them in place. Returns the files that are left out.
    fn copy_all(
        &self,
        files: &impl Files,
        paths: &BTreeSet<String>,
        out: &Path,
        is_replaced: impl FnOnce() -> Result<bool, CollectError>,
    ) -> Result<Vec<String>, CollectError> {
        let failed = |error| CollectError::file("write into", out, error);
        let draft = tempfile::Builder::new().prefix(DRAFT).tempdir_in(out);
        let draft = draft.map_err(failed)?;
        let mut left_out = Vec::new();
        for path in paths {
            if !self.copy(files, path, draft.path())? {
                left_out.push(path.clone());
            }
        }
        if is_replaced()? {
            return Err(CollectError::Replaced(shown(out)));
        }
        for entry in fs::read_dir(draft.path()).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            fs::rename(entry.path(), out.join(entry.file_name())).map_err(failed)?;
        }
        Ok(left_out)
    }

    /// Copies a file. Returns whether it is one that is known.
    fn copy(&self, files: &impl Files, path: &str, out: &Path) -> Result<bool, CollectError> {
        if path == COLLECTED {
            return self.account(files, out).map(|()| true);
        }
        let file = catalog::page_of(path).map(|export| export.file);
        match catalog::known_as(path).or(file) {
            Some(file) => self.export(files, file, path, out),
            None => Ok(false),
        }
    }

    /// Copies a page of an export. Returns whether its properties are known.
    fn export(
        &self,
        files: &impl Files,
        file: &str,
        path: &str,
        out: &Path,
    ) -> Result<bool, CollectError> {
        let unread = |error| CollectError::Internal(format!("cannot read `{path}`: {error}"));
        let target = out.join(self.path(file, path));
        let failed = |error| CollectError::file("write", &target, error);
        let reader = files
            .open(path)
            .map_err(|error| unread(error.to_string()))?;
        match file {
            TENANT => {
                let mut text = String::new();
                let mut records = Vec::new();
                rows(reader, |row| records.push(self.declaration(row)))
                    .map_err(|error| wrong(path, &error))?;
                for record in records {
                    text += &record.to_string();
                }
                return put(&target, text.as_bytes()).map(|()| true).map_err(failed);
            }
            DEVICES => {
                let rows = self.devices(reader).map_err(|error| wrong(path, &error))?;
                let sheet = devices::written(&rows).map_err(failed)?;
                return put(&out.join(DEVICES), &sheet)
                    .map(|()| true)
                    .map_err(failed);
            }
            _ => {}
        }
        let Some((_, properties)) = TABLE.iter().find(|(known, _)| *known == file) else {
            return Ok(false);
        };
        let mut page = Page::create(&target).map_err(failed)?;
        let mut fault = None;
        let read = rows(reader, |row| {
            let row = Value::Object(self.row(row, properties));
            if let Err(error) = page.add(&row) {
                fault.get_or_insert(error);
            }
        });
        read.map_err(|error| wrong(path, &error))?;
        fault.map_or(Ok(()), Err).map_err(failed)?;
        page.finish().map(|()| true).map_err(failed)
    }

    /// Copies the account of the collection, without tenant id and account.
    fn account(&self, files: &impl Files, out: &Path) -> Result<(), CollectError> {
        let target = out.join(COLLECTED);
        let unread = |error: io::Error| CollectError::file("read", Path::new(COLLECTED), error);
        let mut reader = files.open(COLLECTED).map_err(unread)?;
        let mut text = String::new();
        reader.read_to_string(&mut text).map_err(unread)?;
        let text = text.trim_start_matches('\u{feff}');
        let parsed = serde_json::from_str::<tarbac_tenant::exports::Collected>(text);
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
        // PowerShell may write a list or a time within an object.
        if let Value::Object(row) = &value
            && let Some(within) = get(row, "value")
        {
            return self.value(within.clone(), becomes);
        }
        match (value, becomes) {
            (Value::Array(values), _) => {
                let values = values.into_iter();
                values.map(|value| self.value(value, becomes)).collect()
            }
            (role @ Value::Object(_), Becomes::EntraRole) => {
                let is_custom = is_custom(&role);
                let properties = if is_custom { WITHIN } else { SHIPPED_ROLE };
                self.value(role, Becomes::Only(properties))
            }
            (Value::Object(row), Becomes::Only(properties)) => {
                Value::Object(self.row(row, properties))
            }
            (Value::String(text), becomes) => Value::String(self.text(&text, becomes)),
            // Numbers and flags name nobody. An unexpected object might, so it is left out.
            (Value::Object(_), _) => Value::Null,
            (value, _) => value,
        }
    }

    /// The declaration, with the name of the tenant and the names of collections replaced.
    fn declaration(&self, row: Map<String, Value>) -> Value {
        let mut row = self.row(row, DECLARATION);
        if let Some(Value::String(name)) = row.get_mut("name") {
            *name = format!("tenant-{}", self.digest("tenant", name));
        }
        let hierarchies = row.get_mut("hierarchies").and_then(Value::as_array_mut);
        for hierarchy in hierarchies.into_iter().flatten() {
            if let Some(Value::String(collection)) = hierarchy.get_mut("uploadCollection")
                && !self
                    .collections
                    .contains(&collection.trim().to_ascii_lowercase())
            {
                *collection = self.text(collection, Becomes::Name);
            }
        }
        Value::Object(row)
    }
}

/// Whether an object is a custom role of Microsoft Entra.
fn is_custom(role: &Value) -> bool {
    let is_built_in = role.as_object().and_then(|role| get(role, "isBuiltIn"));
    is_built_in.is_some_and(|flag| {
        let text = flag.as_str().unwrap_or_default().trim();
        *flag == Value::Bool(false) || text.eq_ignore_ascii_case("false")
    })
}
