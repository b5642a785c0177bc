//! The files of the imported workspace.

mod configmgr;
mod entra;
mod intune;

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::Imported;
use super::configmgr::Site;
use super::entity::{Family, Uid};
use tarbac_host::bundle::TextFile;

const ASSIGNMENT: &str = "Intune::RoleAssignment";
const COLLECTION: &str = "ConfigMgr::Collection";
const DEVICE: &str = "ConfigMgr::Device";
const DIRECTORY_ROLE: &str = "Entra::DirectoryRole";
const GROUP: &str = "Entra::Group";
const HIERARCHY: &str = "ConfigMgr::Hierarchy";
const PERSON: &str = "Entra::User";
const ROLE: &str = "Intune::Role";
const SCOPE_TAG: &str = "Intune::ScopeTag";
const TENANT: &str = "Intune::Tenant";

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands on a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

fn uid<'a>(type_name: &'a str, id: &'a str) -> Uid<'a> {
    Uid { type_name, id }
}

impl Imported {
    /// Writes the files of the workspace. `create` opens each by its path, with `/` between its parts.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write<W: Write>(&self, mut create: impl FnMut(&str) -> io::Result<W>) -> io::Result<()> {
        for TextFile { path, text } in &self.texts {
            let mut file = create(path)?;
            file.write_all(text.as_bytes())?;
            file.flush()?;
        }
        let mut family = |name: &str| Family::new(create(&format!("entities/{name}.json"))?);
        self.write_tenant(family("tenants")?)?;
        self.write_hierarchies(family("hierarchies")?)?;
        self.write_roles(family("roles")?)?;
        self.write_assignments(family("assignments")?)?;
        self.write_scope_tags(family("scope-tags")?)?;
        self.write_groups(family("groups")?)?;
        self.write_people(family("people")?)?;
        self.write_directory_roles(family("directory-roles")?)?;
        self.write_collections(family("collections")?)?;
        self.write_devices(family("devices")?)
    }

    /// The names of the exports that were imported.
    pub fn exports(&self) -> &BTreeSet<String> {
        &self.exports
    }

    /// The existing exports, including those that are read only together with others.
    pub fn present(&self) -> &BTreeSet<String> {
        &self.present
    }

    /// Whether exports are missing whose contents would have been imported.
    pub fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// The counts and notes of the import.
    pub fn into_report(self) -> super::ImportReport {
        self.report
    }

    /// The number of entities of each kind, named in the singular, in the order of the families.
    pub(super) fn counts(&self) -> Vec<(&'static str, usize)> {
        let in_sites =
            |count: fn(&Site) -> usize| self.sites.iter().map(|(_, site)| count(site)).sum();
        let built_in = self
            .intune
            .roles
            .iter()
            .filter(|role| role.is_built_in)
            .count();
        vec![
            ("hierarchy", self.sites.len()),
            ("built-in role", built_in),
            ("custom role", self.intune.roles.len() - built_in),
            ("role assignment", self.intune.assignments.len()),
            ("scope tag", self.intune.scope_tags.len() - 1),
            ("group", self.entra.groups.len()),
            ("person", self.entra.people.len()),
            ("directory role", self.entra.directory_roles.len()),
            ("collection", in_sites(|site| site.collections.len())),
            ("device", in_sites(|site| site.devices.len())),
        ]
    }

    fn tenant(&self) -> Uid<'_> {
        uid(TENANT, &self.tenant.name)
    }
}

/// The names of the attributes whose values are assumed.
fn assumed_names(attributes: &[(&'static str, bool)]) -> Vec<&'static str> {
    let assumed = attributes.iter().filter(|(_, is_assumed)| *is_assumed);
    assumed.map(|(name, _)| *name).collect()
}
