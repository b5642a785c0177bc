//! The import: a workspace made of the exports of a live tenant.
//!
//! [`import`] reads what Microsoft Graph, Configuration Manager and the admin center gave (see
//! [`exports`](mod@crate::exports)) and makes entities of it, policies of its roles, and a [`Report`] of
//! what it could not join or know. It decides nothing and guesses nothing: what the exports do not say
//! gives nobody anything, and is said in the report.
//!
//! | file | what it makes |
//! |---|---|
//! | `intune` | roles, role assignments, scope tags |
//! | `entra`, `license`, `membership` | people and groups, and who has which role assignment |
//! | `eligibility` | which memberships people may activate |
//! | `configmgr` | collections, devices, and what Configuration Manager permits a person |
//! | `managed` | what the admin center says of devices |
//! | `role`, `policy` | what becomes of roles: policies, and what no policy says of them |
//! | `workspace`, `entity` | the files of a workspace |
//! | `report` | what is to be said about it |

mod configmgr;
mod eligibility;
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

use std::collections::BTreeSet;

use jiff::Timestamp;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use smol_str::SmolStr;

use crate::exports::catalog::TENANT;
use crate::exports::declared::{Hierarchy, Tenant};
use crate::exports::graph::TenantAttachRbacRow;
use crate::exports::{Files, Folder, Refused, key, read_one};
use configmgr::{Operation, Reader, Site};
use entra::{Entra, Holder};
use intune::Intune;
use managed::Managed;
use membership::Membership;
use report::{
    DISABLED, DISCOVERED_ONE_WAY, DISCOVERY_CONFLICT, DISCOVERY_UNKNOWN, ELIGIBLE,
    HIERARCHY_NOT_EXPORTED, MEMBERS_NOT_LISTED, MISSING_OPERATION, NARROWED, NOT_EXPORTED,
    NOT_READ, NOT_SELECTED, Notes, SCOPE_GROUP_WITHOUT_EFFECT, SCOPE_TAG_WITHOUT_EFFECT,
    UNKNOWN_CATEGORY, UNKNOWN_COLLECTION, UNKNOWN_HIERARCHY, UNKNOWN_SCOPE, UNKNOWN_SECURITY_ROLE,
    UNNAMED_OPERATION,
};
use tarbac_host::bundle;
use tarbac_host::engine::Engine;

pub use entity::NOTHING;
pub use report::{Matter, Note, Report, Topic};

/// What there is to say where somebody may be permitted or discovered more than the exports tell.
const ADMINISTRATORS_UNKNOWN: [&Topic; 8] = [
    &DISCOVERY_CONFLICT,
    &DISCOVERY_UNKNOWN,
    &HIERARCHY_NOT_EXPORTED,
    &MISSING_OPERATION,
    &UNKNOWN_CATEGORY,
    &UNKNOWN_COLLECTION,
    &UNKNOWN_SECURITY_ROLE,
    &UNNAMED_OPERATION,
];

/// The export of the toggle Use Intune RBAC.
const TOGGLE: &str = "graph/tenantAttachRBAC";

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
    /// The groups that give something and may have more members than the exports list.
    unlisted: BTreeSet<u32>,
    /// Whether somebody may be permitted or discovered more in Configuration Manager than the exports tell.
    are_administrators_assumed: bool,
    /// Policies and schema.
    texts: Vec<bundle::File>,
    roles: Vec<role::RoleEntity>,
    exports: BTreeSet<String>,
    /// Whether exports are missing of which something is lost.
    is_partial: bool,
    report: Report,
}

/// Makes a workspace of the exports of a tenant. `shipped` has the policies and the schema that ship,
/// which the workspace gets a copy of; eligible memberships are those of the moment `now`.
///
/// # Errors
/// A file cannot be read or is not what it should be, or one is missing that another one needs.
pub fn import<F: Files>(files: &F, shipped: &Engine, now: Timestamp) -> Result<Imported, Refused> {
    let folder = Folder::of(files)?;
    let tenant = tenant(&folder)?;
    let mut notes = Notes::default();
    let intune = Intune::read(&folder, &mut notes)?;
    let entra = Entra::read(&folder, now, &mut notes)?;
    let allows_unlicensed = tenant.allows_unlicensed_administrators;
    let membership = Membership::of(&entra, &intune, allows_unlicensed, &mut notes);
    let operations = configmgr::operations(shipped.bundle().vocabulary());
    let Sites {
        declared: sites,
        elsewhere,
        not_exported,
    } = sites(&folder, &tenant, &entra, &operations, &mut notes)?;
    let managed = Managed::read(&folder, &sites, &elsewhere, &mut notes)?;
    note_sids(&sites, &entra, &mut notes);
    let unlisted = note_holders(&sites, &entra, &intune, &mut notes);
    note_assignments(&intune, &entra, &tenant, &mut notes);
    note_discoveries(&sites, &entra, &mut notes);
    let absent = folder.absent();
    let is_partial = !absent.is_empty() || !not_exported.is_empty();
    for path in absent {
        notes.add(&NOT_EXPORTED, path);
    }
    for path in folder.not_read() {
        notes.add(&NOT_READ, path);
    }
    let has_lost = |path: &String| path.starts_with("configmgr/");
    let are_administrators_assumed = folder.absent().iter().any(has_lost)
        || sites
            .iter()
            .any(|(_, of)| of.unmatched + of.without_sid > 0)
        || notes.have_any(&ADMINISTRATORS_UNKNOWN);
    let roles = role::roles(&intune, &tenant, shipped, &mut notes);
    let mut imported = Imported {
        tenant,
        intune,
        entra,
        membership,
        operations,
        sites,
        managed,
        unlisted,
        are_administrators_assumed,
        texts: roles.texts,
        roles: roles.entities,
        exports: folder.exports(),
        is_partial,
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
    tenant.use_intune_rbac = Some(toggle(folder, tenant.use_intune_rbac)?);
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

/// Whether the toggle Use Intune RBAC is On: what Graph answers, or what is declared; the two must agree.
fn toggle<F: Files>(folder: &Folder<'_, F>, declared: Option<bool>) -> Result<bool, Refused> {
    let mut states = Vec::new();
    folder.records(TOGGLE, |row: TenantAttachRbacRow| {
        states.push(row.enabled);
        Ok(())
    })?;
    let file = format!("{TOGGLE}.json");
    let word = |is_on| if is_on { "On" } else { "Off" };
    match (states.as_slice(), declared) {
        ([is_on], Some(declared)) if *is_on != declared => Err(folder.refuse(
            TENANT,
            format!(
                "`useIntuneRbac` says that Use Intune RBAC is {}, and {file} that it is {}",
                word(declared),
                word(*is_on)
            ),
            "leave `useIntuneRbac` out where Graph tells it, or export the toggle again if it was changed",
        )),
        ([is_on], _) => Ok(*is_on),
        ([], Some(declared)) => Ok(declared),
        ([], None) => Err(folder.refuse(
            TENANT,
            format!("it lacks `useIntuneRbac`, and {file} is not there or empty"),
            "export the toggle, or declare it: the admin center shows it under Tenant administration, Connectors and tokens, Microsoft Endpoint Configuration Manager",
        )),
        (_, _) => Err(folder.refuse(&file, "a tenant has one toggle", "export it again")),
    }
}

/// Hierarchies as they were exported.
struct Sites {
    /// Those that are declared, with their site codes, in their order.
    declared: Vec<(String, Site)>,
    /// The names of the devices of others.
    elsewhere: Vec<SmolStr>,
    /// The site codes of those that are declared, and of which nothing was exported.
    not_exported: Vec<String>,
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
        (of, directory)
    });
    let declared: Vec<(&Hierarchy, Option<String>)> = declared.collect();
    let reader = |site, directory, upload_collection| Reader {
        folder,
        site,
        directory,
        upload_collection,
        entra,
        operations,
    };
    let mut elsewhere = Vec::new();
    for directory in exported.values() {
        let devices = reader(directory, directory, None).device_names()?;
        notes.add(
            &UNKNOWN_HIERARCHY,
            format!("{directory}: {} devices", devices.len()),
        );
        for device in &devices {
            notes.add(&UNKNOWN_HIERARCHY, format!("{device} of {directory}"));
        }
        elsewhere.extend(devices);
    }
    let read = declared.par_iter().map(|(of, directory)| {
        let uploaded = of.upload_collection.as_deref();
        let read = directory
            .as_ref()
            .map(|directory| reader(&of.site_code, directory, uploaded).read());
        Ok((of.site_code.clone(), read.transpose()?))
    });
    let read = read.collect::<Result<Vec<(String, Option<Site>)>, Refused>>()?;
    let (mut sites, mut not_exported) = (Vec::new(), Vec::new());
    for (code, site) in read {
        let Some(mut site) = site else {
            notes.add(&HIERARCHY_NOT_EXPORTED, code.as_str());
            not_exported.push(code.clone());
            sites.push((code, Site::default()));
            continue;
        };
        notes.extend(std::mem::take(&mut site.notes));
        elsewhere.append(&mut site.not_uploaded);
        sites.push((code, site));
    }
    Ok(Sites {
        declared: sites,
        elsewhere,
        not_exported,
    })
}

/// Whether an assignment gives nothing on tenant-attached devices, since the tenant has Scoped permissions.
fn narrows(tenant: &Tenant, assignment: &intune::Assignment) -> bool {
    tenant.scoped_permissions == Some(true) && assignment.is_elsewhere()
}

fn note_assignments(intune: &Intune, entra: &Entra, tenant: &Tenant, notes: &mut Notes) {
    for assignment in &intune.assignments {
        let is_narrowed = narrows(tenant, assignment);
        if is_narrowed {
            notes.add(&NARROWED, assignment.called());
        }
        let tags = assignment.scope_tags.iter();
        for id in tags.filter(|id| *id != "0" && !is_narrowed) {
            let name = intune.scope_tags.get(id).and_then(Option::as_deref);
            let tag = intune::called(name, id);
            notes.add(
                &SCOPE_TAG_WITHOUT_EFFECT,
                format!("{tag} of {}", assignment.called()),
            );
        }
        for id in &assignment.scope_groups {
            let group = match entra.holder(id) {
                Some(Holder::Group(group)) => entra.group(group).map(entra::Group::called),
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

/// Notes once that security identifiers were not exported, where something depends on them.
fn note_sids(sites: &[(String, Site)], entra: &Entra, notes: &mut Notes) {
    let sum = |count: fn(&Site) -> usize| sites.iter().map(|(_, site)| count(site)).sum::<usize>();
    let (unmatched, without_sid) = (sum(|site| site.unmatched), sum(|site| site.without_sid));
    let mut not_selected = |file: &str, so: String| {
        let name = format!("onPremisesSecurityIdentifier of {file}: {so}");
        notes.add(&NOT_SELECTED, name);
    };
    if !entra.people.is_empty() && !entra.people_have_sids && unmatched + without_sid > 0 {
        let so = format!(
            "the permissions of {unmatched} administrative users of Configuration Manager are nobody's, and {without_sid} \
             users that Active Directory user discovery has found count as not found"
        );
        not_selected("graph/users.json", so);
    }
    if !entra.groups.is_empty() && !entra.groups_have_sids && unmatched > 0 {
        let so = format!(
            "whichever of {unmatched} administrative users of Configuration Manager are groups, their permissions are nobody's"
        );
        not_selected("graph/groups.json", so);
    }
}

/// Notes who holds something and cannot use it, may come to hold something, and may be hidden. Gives the groups
/// that give something and may have more members than the exports list.
fn note_holders(
    sites: &[(String, Site)],
    entra: &Entra,
    intune: &Intune,
    notes: &mut Notes,
) -> BTreeSet<u32> {
    let mut holders: BTreeSet<u32> = BTreeSet::new();
    let mut groups: BTreeSet<u32> = BTreeSet::new();
    for id in intune.assignments.iter().flat_map(|of| &of.members) {
        match entra.holder(id) {
            Some(Holder::Person(person)) => drop(holders.insert(person)),
            Some(Holder::Group(group)) => groups.extend(entra.nested(group)),
            None => {}
        }
    }
    for (_, site) in sites {
        holders.extend(site.permitted.keys());
        groups.extend(&site.administrator_groups);
    }
    for group in groups.iter().filter_map(|group| entra.group(*group)) {
        holders.extend(&group.people);
    }
    groups.extend(&entra.groups_with_directory_roles);
    for group in groups.iter().filter_map(|group| entra.group(*group)) {
        // Where members.json is missing, that is noted.
        if group.has_members && group.is_empty() {
            let hidden = if group.is_hidden {
                ", whose members are hidden"
            } else {
                ""
            };
            notes.add(&MEMBERS_NOT_LISTED, format!("{}{hidden}", group.called()));
        }
    }
    for (number, person) in (0..).zip(&entra.people) {
        let holds = holders.contains(&number) || !person.directory_roles.is_empty();
        if holds && person.is_enabled == Some(false) {
            notes.add(&DISABLED, person.user_principal_name.as_str());
        }
        let groups = person.eligible_groups.iter();
        let groups =
            groups.filter_map(|(group, until)| Some((entra.group(*group)?.called(), until)));
        let roles = person.eligible_directory_roles.iter();
        for (what, until) in groups.chain(roles.map(|(role, until)| (role.clone(), until))) {
            let until = until.map_or_else(String::new, |until| format!(", until {until}"));
            let name = format!("{}: {what}{until}", person.user_principal_name);
            notes.add(&ELIGIBLE, name);
        }
    }
    let may_have_more = |group: &u32| entra.group(*group).is_some_and(entra::Group::may_have_more);
    groups.into_iter().filter(may_have_more).collect()
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
