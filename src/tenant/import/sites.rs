//! Hierarchies of Configuration Manager, declared and exported.

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use smol_str::SmolStr;

use super::configmgr::{Operation, Reader, Site};
use super::entra::Entra;
use super::key;
use super::report::{HIERARCHY_NOT_EXPORTED, Notes, UNKNOWN_HIERARCHY};
use crate::exports::declared::{Hierarchy, Tenant};
use crate::exports::{Files, Folder, RefusedExport};

/// The hierarchies of a tenant.
pub(super) struct Sites {
    /// The declared hierarchies by site code, in that order; empty if not exported.
    pub(super) declared: Vec<(String, Site)>,
    /// The names of devices that are not in the workspace: in undeclared hierarchies, or not uploaded.
    pub(super) elsewhere: Vec<SmolStr>,
    /// The site codes of declared hierarchies without exports.
    pub(super) not_exported: Vec<String>,
}

/// Reads the hierarchies in parallel.
pub(super) fn sites<F: Files>(
    folder: &Folder<'_, F>,
    tenant: &Tenant,
    entra: &Entra,
    operations: &[Operation],
    notes: &mut Notes,
) -> Result<Sites, RefusedExport> {
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
    let read = read.collect::<Result<Vec<(String, Option<Site>)>, RefusedExport>>()?;
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
