//! The declared tenant, and the toggle Use Intune RBAC.

use crate::exports::catalog::TENANT;
use crate::exports::declared::Tenant;
use crate::exports::graph::TenantAttachRbacRow;
use crate::exports::{Files, Folder, RefusedExport, read_one};

/// The export of the toggle Use Intune RBAC.
const TOGGLE: &str = "graph/tenantAttachRBAC";

/// Reads the declaration, and fills in `use_intune_rbac`.
pub(super) fn tenant<F: Files>(folder: &Folder<'_, F>) -> Result<Tenant, RefusedExport> {
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

/// The toggle Use Intune RBAC, from the answer of Graph or the declaration; the two must agree.
fn toggle<F: Files>(folder: &Folder<'_, F>, declared: Option<bool>) -> Result<bool, RefusedExport> {
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
