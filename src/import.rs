//! Makes a workspace of the exports of a live tenant.
//!
//! [`import`] reads what Microsoft Graph, Configuration Manager and the admin center gave (see
//! [`export`](mod@crate::export)) and makes entities of it, policies of its roles, and a [`Report`] of
//! what it could not join or know. It decides nothing and guesses nothing: what the exports do not say
//! gives nobody anything, and is said in the report.
//!
//! | file | what it makes |
//! |---|---|
//! | `intune` | roles, role assignments, scope tags |
//! | `entra`, `license`, `membership` | people and groups, and who has which role assignment |
//! | `configmgr` | collections, devices, and what Configuration Manager permits a person |
//! | `managed` | what the admin center says of devices |
//! | `role`, `policy` | what becomes of roles: policies, and what no policy says of them |
//! | `workspace`, `entity` | the files of a workspace |
//! | `report` | what is to be said about it |

mod configmgr;
mod entity;
mod entra;
mod intune;
mod license;
mod managed;
mod membership;
mod policy;
mod report;
mod role;
mod workspace;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use smol_str::SmolStr;

use crate::engine::Engine;
use crate::export::catalog::TENANT;
use crate::export::declared::Tenant;
use crate::export::{Files, Folder, Refused, key, read_one};
use configmgr::{Operation, Reader, Site};
use entra::Entra;
use intune::Intune;
use managed::Managed;
use membership::Membership;
use report::{
    DISCOVERED_ONE_WAY, HIERARCHY_NOT_EXPORTED, NOT_EXPORTED, NOT_READ, Notes,
    SCOPE_GROUP_WITHOUT_EFFECT, SCOPE_TAG_WITHOUT_EFFECT, UNKNOWN_HIERARCHY, UNKNOWN_SCOPE,
};

pub use report::{Matter, Note, Report, Topic};

/// A workspace that was made of exports.
pub struct Imported {
    tenant: Tenant,
    intune: Intune,
    entra: Entra,
    membership: Membership,
    operations: Vec<Operation>,
    /// In the order of the site codes; a hierarchy that was not exported knows nothing.
    sites: Vec<(String, Site)>,
    managed: Managed,
    /// Policies and schema.
    texts: Vec<crate::shipped::File>,
    roles: Vec<role::RoleEntity>,
    report: Report,
}

/// Makes a workspace of the exports of a tenant. `shipped` has the policies and the schema that ship,
/// which the workspace gets a copy of.
///
/// # Errors
/// A file cannot be read or is not what it should be, or one is missing that another one needs.
pub fn import<F: Files>(files: &F, shipped: &Engine) -> Result<Imported, Refused> {
    let folder = Folder::of(files)?;
    let tenant = tenant(&folder)?;
    let mut notes = Notes::default();
    let intune = Intune::read(&folder, &mut notes)?;
    let entra = Entra::read(&folder, &mut notes)?;
    let allows_unlicensed = tenant.allows_unlicensed_administrators;
    let membership = Membership::of(&entra, &intune, allows_unlicensed, &mut notes);
    let operations = configmgr::operations(shipped.bundle().vocabulary());
    let Sites {
        declared: sites,
        elsewhere,
    } = sites(&folder, &tenant, &entra, &operations, &mut notes)?;
    let managed = Managed::read(&folder, &sites, &elsewhere, &mut notes)?;
    note_assignments(&intune, &entra, &mut notes);
    note_discoveries(&sites, &entra, &mut notes);
    for path in folder.absent() {
        notes.add(&NOT_EXPORTED, path);
    }
    for path in folder.not_read() {
        notes.add(&NOT_READ, path);
    }
    let roles = role::roles(&intune, &tenant, shipped, &mut notes);
    let mut imported = Imported {
        tenant,
        intune,
        entra,
        membership,
        operations,
        sites,
        managed,
        texts: roles.texts,
        roles: roles.entities,
        report: Report::default(),
    };
    imported.report = Report {
        counts: imported.counts(),
        notes: notes.into_notes(),
    };
    Ok(imported)
}

fn tenant<F: Files>(folder: &Folder<'_, F>) -> Result<Tenant, Refused> {
    let Some(mut tenant) = folder.read(TENANT, |reader| read_one::<Tenant>(reader))? else {
        let help = "declare what no service tells; `tarbac import --how` shows how it looks";
        return Err(folder.refuse(TENANT, "it is missing", help));
    };
    tenant
        .hierarchies
        .sort_by_key(|hierarchy| hierarchy.site_code.to_ascii_uppercase());
    for pair in tenant.hierarchies.windows(2) {
        if let [one, other] = pair
            && one.site_code.eq_ignore_ascii_case(&other.site_code)
        {
            let reason = format!("the hierarchy `{}` is declared twice", one.site_code);
            return Err(folder.refuse(TENANT, reason, "declare it once"));
        }
    }
    Ok(tenant)
}

/// Hierarchies as they were exported.
struct Sites {
    /// Those that are declared, with their site codes, in their order.
    declared: Vec<(String, Site)>,
    /// The names of the devices of others.
    elsewhere: Vec<SmolStr>,
}

/// Reads the hierarchies, several at once.
fn sites<F: Files>(
    folder: &Folder<'_, F>,
    tenant: &Tenant,
    entra: &Entra,
    operations: &[Operation],
    notes: &mut Notes,
) -> Result<Sites, Refused> {
    let mut exported = folder.objects("configmgr")?;
    let declared = tenant.hierarchies.iter().map(|of| {
        let directory = exported.remove(&key(&of.site_code));
        (of.site_code.as_str(), directory)
    });
    let declared: Vec<(&str, Option<String>)> = declared.collect();
    let reader = |site, directory| Reader {
        folder,
        site,
        directory,
        entra,
        operations,
    };
    let mut elsewhere = Vec::new();
    for directory in exported.values() {
        let devices = reader(directory, directory).device_names()?;
        notes.add(
            &UNKNOWN_HIERARCHY,
            format!("{directory}: {} devices", devices.len()),
        );
        for device in &devices {
            notes.add(&UNKNOWN_HIERARCHY, format!("{device} of {directory}"));
        }
        elsewhere.extend(devices);
    }
    let read = declared.par_iter().map(|(site, directory)| {
        let read = directory
            .as_ref()
            .map(|directory| reader(site, directory).read());
        Ok(((*site).to_owned(), read.transpose()?))
    });
    let read = read.collect::<Result<Vec<(String, Option<Site>)>, Refused>>()?;
    let mut sites = Vec::new();
    for (code, site) in read {
        let Some(mut site) = site else {
            notes.add(&HIERARCHY_NOT_EXPORTED, code.as_str());
            sites.push((code, Site::default()));
            continue;
        };
        notes.extend(std::mem::take(&mut site.notes));
        sites.push((code, site));
    }
    Ok(Sites {
        declared: sites,
        elsewhere,
    })
}

fn note_assignments(intune: &Intune, entra: &Entra, notes: &mut Notes) {
    for assignment in &intune.assignments {
        for id in assignment.scope_tags.iter().filter(|id| *id != "0") {
            let name = intune.scope_tags.get(id).and_then(Option::as_deref);
            let tag = intune::called(name, id);
            notes.add(
                &SCOPE_TAG_WITHOUT_EFFECT,
                format!("{tag} of {}", assignment.called()),
            );
        }
        for id in &assignment.scope_groups {
            let group = match entra.holder(id) {
                Some(entra::Holder::Group(group)) => entra.group(group).map(entra::Group::called),
                _ => None,
            };
            let group = group.unwrap_or_else(|| {
                let name = format!("scope group {id} of {}", assignment.called());
                notes.add(&UNKNOWN_SCOPE, name);
                id.clone()
            });
            notes.add(
                &SCOPE_GROUP_WITHOUT_EFFECT,
                format!("{group} of {}", assignment.called()),
            );
        }
    }
}

fn note_discoveries(sites: &[(String, Site)], entra: &Entra, notes: &mut Notes) {
    for (code, site) in sites {
        for (person, by) in &site.discovered {
            if by.is_unknown {
                continue;
            }
            let (by, person) = match (by.by_entra, by.by_active_directory, entra.person(*person)) {
                (true, false, Some(person)) => ("Microsoft Entra", person),
                (false, true, Some(person)) => ("Active Directory", person),
                _ => continue,
            };
            let name = &person.user_principal_name;
            notes.add(
                &DISCOVERED_ONE_WAY,
                format!("{name} in {code}, by {by} only"),
            );
        }
    }
}
