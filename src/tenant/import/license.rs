//! Intune licenses of people, derived from the licenses and plans assigned to them.
//!
//! Source of the ids: Microsoft's list of product names and service plan identifiers for licensing.

use std::collections::{BTreeMap, BTreeSet};

use super::key;
use super::report::{Notes, PLAN_UNKNOWN};
use crate::exports::graph::{LicenseRow, PlanRow, SkuRow, UserRow};
use crate::exports::{Files, Folder, RecordError, RefusedExport};

/// The service plans that give a person Intune: INTUNE_A, INTUNE_A_GOV, INTUNE_A_VL, INTUNE_EDU, INTUNE_SMBIZ, and the
/// products with a single plan that are listed as plans as well, INTUNE_SMB and INTUNE_A_VL_USGOV_GCCHIGH
/// (learn.microsoft.com/entra/identity/users/licensing-service-plan-reference).
const PLANS: [&str; 7] = [
    "c1ec4a95-1f05-45b3-a911-aa3fa01094f5",
    "d216f254-796f-4dab-bbfa-710686e646b9",
    "3e170737-c728-4eae-bbb9-3f3360f7184c",
    "da24caf9-af8e-485c-b7c8-e73336da2693",
    "8e9ff0ff-aa7a-4b20-83c1-2f636b600ac2",
    "e6025b08-2fa5-4313-bd0a-7e5ffca32958",
    "b4288abe-01be-47d9-ad20-311d6e83fc24",
];

/// Plans and products of the service Intune that do not give a person Intune: for devices (INTUNE_A_D,
/// INTUNE_A_D_GOV), Basic Mobility and Security of Office 365 (INTUNE_O365), and additions to Intune (INTUNE_P2,
/// Intune-EPM, Intune_AdvancedEA, Intune-MAMTunnel, REMOTE_HELP, Intune_Defender).
const NOT_FOR_PEOPLE: [&str; 9] = [
    "2b317a4a-77a6-4188-9437-b68a77b4e2c6",
    "2c21e77a-e0d6-4570-b38a-7ff2dc17d2ca",
    "882e1d05-acd1-4ccb-8708-6ee03664b117",
    "d9923fe3-a2de-4d29-a5be-e3e83bb786be",
    "bb73f429-78ef-4ff2-83c8-722b04c3e7d1",
    "2a4baa0e-5e99-4c38-b1f2-6864960f1bd1",
    "a6e407da-7411-4397-8a2e-d9b52780849e",
    "a4c6cf29-1168-4076-ba5c-e8fe0e62b17e",
    "1689aade-3d6a-4bfc-b017-46d2672df5ad",
];

/// The products for devices. They contain a plan for Intune, which does not count for the account.
const FOR_DEVICES: [&str; 2] = [
    "2b317a4a-77a6-4188-9437-b68a77b4e2c6",
    "2c21e77a-e0d6-4570-b38a-7ff2dc17d2ca",
];

/// The name of the service Intune in the plans of an account.
const SERVICE: &str = "SCO";

/// Products known to contain Intune: Intune itself, also for volume licensing, governments and small businesses,
/// Enterprise Mobility + Security E3 and E5, Microsoft 365 E3, E5 and Business Premium. Other products are looked up
/// among those that the tenant has bought.
const PRODUCTS: [&str; 8] = [
    "061f9ace-7d42-4136-88ac-31dc755f143f",
    "b4288abe-01be-47d9-ad20-311d6e83fc24",
    "e6025b08-2fa5-4313-bd0a-7e5ffca32958",
    "efccb6f7-5641-4e0e-bd10-b4976e1bf68e",
    "b05e124f-c7cc-45a0-a6aa-8cf78c946968",
    "05e9a617-0261-4cee-bb44-138d3ef5d965",
    "06ebc4ee-1bb5-47dd-8120-11324bc54e06",
    "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46",
];

/// The meaning of a product for the Intune license of an account.
enum Product {
    /// Bought by the tenant, with its plans.
    Bought(Plans),
    /// Known to contain Intune, whatever the plan.
    Known,
    /// Gives a person nothing.
    Nothing,
}

/// The service plans of a product; empty if the subscription has ended.
#[derive(Default)]
struct Plans {
    /// Whether each plan gives a person Intune; `None` if not known.
    is_intune: BTreeMap<String, Option<bool>>,
    /// The plans that are disabled for the whole tenant.
    disabled: BTreeSet<String>,
}

/// The products bought by the tenant, and those of Microsoft's list.
pub(super) struct Products {
    by_id: BTreeMap<String, Product>,
    /// Whether the tenant has bought a product for devices; `None` if its products are not exported.
    has_one_for_devices: Option<bool>,
}

fn is_for_devices(product: &str) -> bool {
    FOR_DEVICES.contains(&key(product).as_str())
}

/// Whether a plan gives a person Intune; `None` for an unknown plan of the service Intune.
fn is_intune(id: &str, is_called_so: bool) -> Option<bool> {
    let is_for_people = PLANS.contains(&id);
    let is_known = is_for_people || NOT_FOR_PEOPLE.contains(&id);
    (is_known || !is_called_so).then_some(is_for_people)
}

/// Whether a subscription or a service plan is usable, which includes the grace period after its end. `None` without a
/// status.
fn works(status: Option<&str>) -> Option<bool> {
    let status = status?.to_lowercase();
    Some(["enabled", "warning"].contains(&status.as_str()))
}

impl Products {
    pub(super) fn read<F: Files>(
        folder: &Folder<'_, F>,
        notes: &mut Notes,
    ) -> Result<Self, RefusedExport> {
        let known = PRODUCTS.map(|id| (id.to_owned(), Product::Known));
        let mut products = BTreeMap::from(known);
        products.extend(FOR_DEVICES.map(|id| (id.to_owned(), Product::Nothing)));
        let mut has_one_for_devices = false;
        let mut seen = BTreeSet::new();
        let is_exported = folder.records("graph/subscribedSkus", |row: SkuRow| {
            let id = key(&row.sku_id);
            if !seen.insert(id.clone()) {
                return Err(RecordError::duplicate("product", &row.sku_id));
            }
            if is_for_devices(&id) {
                has_one_for_devices = true;
                return Ok(());
            }
            match (works(row.capability_status.as_deref()), row.service_plans) {
                (Some(true), Some(plans)) => {
                    let mut bought = Plans::default();
                    for plan in plans {
                        let id = key(&plan.service_plan_id);
                        if plan.is_disabled() {
                            bought.disabled.insert(id.clone());
                        }
                        let name = plan.service_plan_name.as_deref().unwrap_or_default();
                        let begins = name.trim().to_ascii_uppercase().starts_with("INTUNE");
                        let is_intune = is_intune(&id, begins);
                        if is_intune.is_none() {
                            notes.add(&PLAN_UNKNOWN, format!("{} ({id})", name.trim()));
                        }
                        bought.is_intune.insert(id, is_intune);
                    }
                    products.insert(id, Product::Bought(bought));
                }
                (Some(false), _) => drop(products.insert(id, Product::Bought(Plans::default()))),
                _ => drop(products.remove(&id)),
            }
            Ok(())
        })?;
        Ok(Self {
            by_id: products,
            has_one_for_devices: is_exported.then_some(has_one_for_devices),
        })
    }

    /// Whether an account has an Intune license; `None` if the exports do not state it.
    pub(super) fn license(&self, row: &UserRow, notes: &mut Notes) -> Option<bool> {
        let licenses = row.assigned_licenses.as_deref();
        match (row.assigned_plans.as_deref(), licenses) {
            // Licenses without any plan: the plans were not exported completely, so the products decide.
            (Some([]), Some(licenses)) if !licenses.is_empty() => self.by_products(licenses),
            (Some(plans), _) => any(plans.iter().map(|plan| self.by_plan(plan, licenses, notes))),
            (None, licenses) => self.by_products(licenses?),
        }
    }

    /// Whether a plan of an account is an Intune license of the person; `None` if not known.
    fn by_plan(
        &self,
        plan: &PlanRow,
        licenses: Option<&[LicenseRow]>,
        notes: &mut Notes,
    ) -> Option<bool> {
        let id = key(&plan.service_plan_id);
        let is_carried = self.is_carried(&id, licenses);
        if is_carried == Some(false) {
            return Some(false);
        }
        let works = works(plan.capability_status.as_deref());
        all([is_carried, self.is_intune(&id, plan, notes), works])
    }

    /// Whether a product for people gives an account this plan; `None` if it may be one for devices, which has the
    /// same plan.
    fn is_carried(&self, plan: &str, licenses: Option<&[LicenseRow]>) -> Option<bool> {
        let Some(licenses) = licenses else {
            return (self.has_one_for_devices == Some(false)).then_some(true);
        };
        if !licenses.iter().any(|of| is_for_devices(&of.sku_id)) {
            return Some(true);
        }
        any(licenses.iter().map(|license| self.carries(license, plan)))
    }

    /// Whether a license gives a person this plan; `None` if not known.
    fn carries(&self, license: &LicenseRow, plan: &str) -> Option<bool> {
        let disabled = disabled_plans(license);
        match self.by_id.get(&key(&license.sku_id))? {
            Product::Bought(plans) => {
                let is_disabled = disabled.contains(plan) || plans.disabled.contains(plan);
                Some(plans.is_intune.contains_key(plan) && !is_disabled)
            }
            Product::Known if disabled.contains(plan) => Some(false),
            // Whether its subscription still works is not known, and the one for devices has the same plan.
            Product::Known => None,
            Product::Nothing => Some(false),
        }
    }

    /// Whether a plan of an account gives a person Intune; `None` for a plan of the service Intune that neither a
    /// product of the tenant nor Microsoft's list contains.
    fn is_intune(&self, id: &str, plan: &PlanRow, notes: &mut Notes) -> Option<bool> {
        let service = plan.service.as_deref().unwrap_or_default().trim();
        let mut products = self.by_id.values().filter_map(|product| match product {
            Product::Bought(plans) => plans.is_intune.get(id).copied(),
            Product::Known | Product::Nothing => None,
        });
        if let Some(is_intune) = products.next() {
            return is_intune;
        }
        let is_intune = is_intune(id, service.eq_ignore_ascii_case(SERVICE));
        if is_intune.is_none() {
            notes.add(&PLAN_UNKNOWN, id);
        }
        is_intune
    }

    fn by_products(&self, licenses: &[LicenseRow]) -> Option<bool> {
        any(licenses.iter().map(|license| {
            let disabled = disabled_plans(license);
            match self.by_id.get(&key(&license.sku_id))? {
                Product::Bought(plans) => {
                    let is_enabled =
                        |id: &String| !disabled.contains(id) && !plans.disabled.contains(id);
                    let enabled = plans.is_intune.iter().filter(|(id, _)| is_enabled(id));
                    any(enabled.map(|(_, is_intune)| *is_intune))
                }
                Product::Known => is_whole(&disabled),
                Product::Nothing => Some(false),
            }
        }))
    }
}

/// The service plans that a license does not give its account.
fn disabled_plans(license: &LicenseRow) -> BTreeSet<String> {
    let disabled = license.disabled_plans.iter().flatten();
    disabled.map(|plan| key(plan)).collect()
}

/// Whether a product that contains Intune gives it to a person; `None` if a plan of Intune is disabled, because which
/// one the product contains is not known.
fn is_whole(disabled: &BTreeSet<String>) -> Option<bool> {
    let is_whole = PLANS.iter().all(|plan| !disabled.contains(*plan));
    is_whole.then_some(true)
}

/// Whether all states are true; `None` if none is false and some are unknown.
fn all<const N: usize>(states: [Option<bool>; N]) -> Option<bool> {
    let is_false = any(states.into_iter().map(|state| state.map(|is| !is)));
    is_false.map(|is| !is)
}

/// Whether any state is true; `None` if none is true and some are unknown.
fn any(states: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let states: BTreeSet<Option<bool>> = states.collect();
    match (states.contains(&Some(true)), states.contains(&None)) {
        (true, _) => Some(true),
        (false, true) => None,
        (false, false) => Some(false),
    }
}
