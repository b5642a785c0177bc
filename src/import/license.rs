//! Who has a license of Intune.
//!
//! The ids are those of Microsoft's product names and service plan identifiers for licensing.

use std::collections::{BTreeMap, BTreeSet};

use super::key;
use crate::export::graph::{LicenseRow, SkuRow, UserRow};
use crate::export::{Files, Folder, Refused};

/// The service plans that are Intune: INTUNE_A, INTUNE_EDU and INTUNE_SMBIZ.
const PLANS: [&str; 3] = [
    "c1ec4a95-1f05-45b3-a911-aa3fa01094f5",
    "da24caf9-af8e-485c-b7c8-e73336da2693",
    "8e9ff0ff-aa7a-4b20-83c1-2f636b600ac2",
];

/// Products that are known to contain one of them: Intune itself, Enterprise Mobility + Security E3
/// and E5, Microsoft 365 E3, E5 and Business Premium. Others are looked up among those that the tenant
/// has bought.
const PRODUCTS: [&str; 6] = [
    "061f9ace-7d42-4136-88ac-31dc755f143f",
    "efccb6f7-5641-4e0e-bd10-b4976e1bf68e",
    "b05e124f-c7cc-45a0-a6aa-8cf78c946968",
    "05e9a617-0261-4cee-bb44-138d3ef5d965",
    "06ebc4ee-1bb5-47dd-8120-11324bc54e06",
    "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46",
];

/// What a product that an account has says of Intune.
enum Product {
    /// It has these plans of Intune, none where the subscription has ended.
    Bought(BTreeSet<String>),
    /// It is known to contain Intune, by which plan does not matter.
    Known,
}

/// What is known of products: of those that the tenant has bought, what it says itself.
pub(super) struct Products(BTreeMap<String, Product>);

/// Whether a subscription or a service plan works: in the time of grace after it has ended, it does.
/// `None` where its state is not told.
fn works(status: Option<&str>) -> Option<bool> {
    let status = status?.to_lowercase();
    Some(["enabled", "warning"].contains(&status.as_str()))
}

impl Products {
    pub(super) fn read<F: Files>(folder: &Folder<'_, F>) -> Result<Self, Refused> {
        let known = PRODUCTS.map(|id| (id.to_owned(), Product::Known));
        let mut products = BTreeMap::from(known);
        folder.records("graph/subscribedSkus", |row: SkuRow| {
            let id = key(&row.sku_id);
            match (works(row.capability_status.as_deref()), row.service_plans) {
                (Some(true), Some(plans)) => {
                    let plans = plans.iter().map(|plan| key(&plan.service_plan_id));
                    let of_intune = plans.filter(|plan| PLANS.contains(&plan.as_str()));
                    products.insert(id, Product::Bought(of_intune.collect()));
                }
                (Some(false), _) => drop(products.insert(id, Product::Bought(BTreeSet::new()))),
                _ => drop(products.remove(&id)),
            }
            Ok(())
        })?;
        Ok(Self(products))
    }

    /// Whether an account has a license of Intune; `None` where its export does not say it.
    pub(super) fn license(&self, row: &UserRow) -> Option<bool> {
        let plans = row.assigned_plans.as_deref();
        match (plans, row.assigned_licenses.as_deref()) {
            // Where there is a license without a plan, the plans do not tell.
            (Some([]), Some(licenses)) if !licenses.is_empty() => self.by_products(licenses),
            (Some(plans), _) => {
                let of_intune = plans
                    .iter()
                    .filter(|plan| PLANS.contains(&key(&plan.service_plan_id).as_str()));
                let states = of_intune.map(|plan| works(plan.capability_status.as_deref()));
                any(states)
            }
            (None, licenses) => self.by_products(licenses?),
        }
    }

    fn by_products(&self, licenses: &[LicenseRow]) -> Option<bool> {
        any(licenses.iter().map(|license| {
            let disabled = license.disabled_plans.iter().flatten();
            let disabled: BTreeSet<String> = disabled.map(|plan| key(plan)).collect();
            match self.0.get(&key(&license.sku_id))? {
                Product::Bought(plans) => Some(!plans.is_subset(&disabled)),
                Product::Known => {
                    let is_whole = PLANS.iter().all(|plan| !disabled.contains(*plan));
                    is_whole.then_some(true)
                }
            }
        }))
    }
}

/// Whether any is true; `None` if none is and not all are known.
fn any(states: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let states: BTreeSet<Option<bool>> = states.collect();
    match (states.contains(&Some(true)), states.contains(&None)) {
        (true, _) => Some(true),
        (false, true) => None,
        (false, false) => Some(false),
    }
}
