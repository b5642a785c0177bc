//! The versions of hierarchies, from the declaration or the export of their sites.
//!
//! What takes a version takes it on all sites, and those below the top one are updated later. So a hierarchy has the
//! version of its oldest site.

use crate::exports::catalog::TENANT;
use crate::exports::configmgr::SmsSite;
use crate::exports::declared::Tenant;
use crate::exports::{Files, Folder, RefusedExport, key};

/// The version of each build, which is the third number of `5.00.9128.1000`. Source: the tables Supported versions and
/// Historical versions of Microsoft's page Updates and servicing for Configuration Manager, as of 2111 and 2409; for
/// 2503, 2509 and 2603, lists of others that refer to this page.
const BUILDS: [(u32, u32); 19] = [
    (8790, 1902),
    (8853, 1906),
    (8913, 1910),
    (8968, 2002),
    (9012, 2006),
    (9040, 2010),
    (9049, 2103),
    (9058, 2107),
    (9068, 2111),
    (9078, 2203),
    (9088, 2207),
    (9096, 2211),
    (9106, 2303),
    (9122, 2309),
    (9128, 2403),
    (9132, 2409),
    (9135, 2503),
    (9141, 2509),
    (9146, 2603),
];

/// The build in the number of a version: 9128 in `5.00.9128.1000`.
fn build(text: &str) -> Option<u32> {
    text.split('.').nth(2)?.trim().parse().ok()
}

/// The version of a build as year and month; `None` for an unknown one.
fn version(build: u32) -> Option<u32> {
    let known = BUILDS.into_iter().find(|(known, _)| *known == build);
    known.map(|(_, version)| version)
}

/// What the export of a hierarchy tells of the versions of its sites.
#[derive(Default)]
struct Told {
    /// The number of the oldest site that has one.
    oldest: Option<String>,
    /// Whether a site has no number.
    is_incomplete: bool,
}

impl Told {
    /// The version of the hierarchy, if all sites tell theirs.
    fn version(&self) -> Option<u32> {
        let oldest = self.oldest.as_deref().filter(|_| !self.is_incomplete);
        version(build(oldest?)?)
    }

    /// The reason why a declared version cannot be that of the oldest site.
    fn contradicts(&self, declared: u32) -> Option<String> {
        let build = build(self.oldest.as_deref()?)?;
        match version(build) {
            // A site without a number may be older still.
            Some(told) if declared < told && self.is_incomplete => None,
            Some(told) => (declared != told).then(|| told.to_string()),
            None => {
                let newer = BUILDS.into_iter().find(|(known, _)| build < *known);
                let (_, newer) = newer.filter(|(_, newer)| *newer <= declared)?;
                Some(format!("one before {newer}"))
            }
        }
    }
}

/// Fills in the versions that the declaration omits. If both have a version, they must agree.
pub(super) fn fill_in<F: Files>(
    folder: &Folder<'_, F>,
    tenant: &mut Tenant,
) -> Result<(), RefusedExport> {
    let exported = folder.objects("configmgr")?;
    for hierarchy in &mut tenant.hierarchies {
        let code = hierarchy.site_code.clone();
        let told = match exported.get(&key(&code)) {
            Some(directory) => told(folder, directory, &code)?,
            None => Told::default(),
        };
        if let Some(declared) = hierarchy.version
            && let Some(other) = told.contradicts(declared)
        {
            let reason = format!(
                "`version` of {code} is {declared}, and the oldest site of its SMS_Site.json has {other}"
            );
            let help = "leave `version` out where the sites tell it";
            return Err(folder.refuse(TENANT, reason, help));
        }
        hierarchy.version = hierarchy.version.or_else(|| told.version());
        if hierarchy.version.is_none() {
            let reason = match told.oldest {
                Some(text) if !told.is_incomplete => format!(
                    "`version` of {code} is missing, and its oldest site says `{text}`, which is not known here"
                ),
                _ => format!(
                    "`version` of {code} is missing, and configmgr/{code}/SMS_Site.json does not tell that of all sites"
                ),
            };
            let help = "declare it as year and month, as 2403; the console has it under About";
            return Err(folder.refuse(TENANT, reason, help));
        }
    }
    Ok(())
}

/// What the export of a hierarchy tells.
///
/// # Errors
/// The export is that of another hierarchy, or the site is not the top one.
fn told<F: Files>(
    folder: &Folder<'_, F>,
    directory: &str,
    code: &str,
) -> Result<Told, RefusedExport> {
    let name = format!("configmgr/{directory}/SMS_Site");
    let mut sites: Vec<SmsSite> = Vec::new();
    folder.records(&name, |row: SmsSite| {
        sites.push(row);
        Ok(())
    })?;
    let is_it = |site: &&SmsSite| site.site_code.trim().eq_ignore_ascii_case(code);
    let refuse = |reason: String| {
        let help = "declare a hierarchy by the code of its top site, and export from that site";
        Err(folder.refuse(&format!("{name}.json"), reason, help))
    };
    if !sites.is_empty() {
        let Some(top) = sites.iter().find(is_it) else {
            return refuse(format!("{code} is none of its sites"));
        };
        if let Some(above) = &top.reporting_site_code {
            return refuse(format!("{code} is below {above}"));
        }
    }
    let build_of = |site: &SmsSite| build(site.version.as_deref()?);
    let is_incomplete = sites.iter().any(|site| build_of(site).is_none());
    let numbered = sites.into_iter().filter(|site| build_of(site).is_some());
    let oldest = numbered.min_by_key(build_of).and_then(|site| site.version);
    Ok(Told {
        oldest,
        is_incomplete,
    })
}
