//! The accounts of `graph/users.json`: names, synchronization, licenses, and whether they are enabled.

use std::collections::{BTreeMap, BTreeSet};

use super::{Entra, Holder, Person};
use crate::exports::graph::UserRow;
use crate::exports::{Files, Folder, RecordError, RefusedExport};
use crate::import::eligibility::Eligible;
use crate::import::key;
use crate::import::license::Products;
use crate::import::report::{
    ACCOUNT_STATE_UNKNOWN, DELETED, NOT_SELECTED, Notes, SYNCHRONIZATION_UNKNOWN,
};

/// Facts about all rows of graph/users.
#[derive(Default)]
struct Rows {
    sids: BTreeSet<String>,
    /// Whether any account states whether it is synchronized.
    has_synchronization: bool,
    /// Whether any account has a plan, and whether any plan has a status.
    has_plans: bool,
    has_plan_status: bool,
    /// The names of the accounts that do not state whether they are synchronized.
    without_synchronization: Vec<String>,
    /// The names of the accounts that do not state whether they are enabled.
    without_state: Vec<String>,
}

impl Entra {
    pub(super) fn read_people<F: Files>(
        &mut self,
        folder: &Folder<'_, F>,
        notes: &mut Notes,
    ) -> Result<(), RefusedExport> {
        let products = Products::read(folder, notes)?;
        let mut people: BTreeMap<String, Person> = BTreeMap::new();
        let mut rows = Rows::default();
        folder.records("graph/users", |row: UserRow| {
            if let Some(moment) = row.deleted_date_time {
                let name = format!("{}: {moment}", row.user_principal_name);
                notes.add(&DELETED, name);
                return Ok(());
            }
            let person = self.person_of_row(row, &mut rows, &products, notes)?;
            match people.insert(key(&person.id), person) {
                None => Ok(()),
                Some(person) => Err(RecordError::duplicate("account", &person.id)),
            }
        })?;
        self.has_account_states = rows.without_state.len() < people.len();
        if self.has_account_states {
            folder.note_property("graph/users", "accountEnabled");
        }
        let has_synchronization = rows.has_synchronization;
        let is_plan_status_unknown = rows.has_plans && !rows.has_plan_status;
        self.note_properties(rows, people.len(), notes);
        self.has_licenses &= !is_plan_status_unknown;
        for (index, (id, mut person)) in (0..).zip(people) {
            person.is_cloud_only_assumed |= !has_synchronization;
            self.person_of.insert(id, index);
            if let Some(sid) = &person.sid {
                self.by_sid.insert(key(sid), Holder::Person(index));
            }
            self.people.push(person);
        }
        Ok(())
    }

    fn person_of_row(
        &mut self,
        row: UserRow,
        rows: &mut Rows,
        products: &Products,
        notes: &mut Notes,
    ) -> Result<Person, RecordError> {
        let has_sid = row.on_premises_security_identifier.is_some();
        rows.has_synchronization |= row.on_premises_sync_enabled.flatten().is_some();
        self.has_licenses |= row.assigned_licenses.is_some() || row.assigned_plans.is_some();
        let mut plans = row.assigned_plans.iter().flatten();
        rows.has_plans |= plans.clone().next().is_some();
        rows.has_plan_status |= plans.any(|plan| plan.capability_status.is_some());
        self.people_have_sids |= has_sid;
        let is_cloud_only_assumed = row.on_premises_sync_enabled.is_none()
            || row.on_premises_sync_enabled == Some(None) && has_sid;
        if is_cloud_only_assumed {
            let name = row.user_principal_name.clone();
            rows.without_synchronization.push(name);
        }
        if row.account_enabled.is_none() {
            rows.without_state.push(row.user_principal_name.clone());
        }
        if let Some(sid) = &row.on_premises_security_identifier
            && !rows.sids.insert(key(sid))
        {
            return Err(RecordError::duplicate("security identifier", sid));
        }
        Ok(Person {
            is_cloud_only: row.on_premises_sync_enabled.flatten() != Some(true),
            is_cloud_only_assumed,
            is_enabled: row.account_enabled,
            has_license: products.license(&row, notes),
            groups: BTreeSet::new(),
            directory_roles: BTreeSet::new(),
            eligible_groups: Eligible::new(),
            eligible_directory_roles: Eligible::new(),
            id: row.id,
            user_principal_name: row.user_principal_name,
            sid: row.on_premises_security_identifier,
        })
    }

    /// Adds one note for each property that no account has, and otherwise notes on the accounts without it.
    fn note_properties(&self, rows: Rows, count: usize, notes: &mut Notes) {
        let mut not_selected = |properties: &str, effect: &str| {
            let name = format!("{properties} of graph/users.json: {effect}");
            notes.add(&NOT_SELECTED, name);
        };
        if count > 0 && !rows.has_synchronization {
            let effect = format!(
                "whether Active Directory synchronizes anybody is not known, so all {count} accounts are taken as cloud-only"
            );
            not_selected("onPremisesSyncEnabled", &effect);
        }
        if count > 0 && !self.has_licenses {
            let effect = "whether anybody has a license of Intune is not known, so no role that depends on one is given";
            not_selected("assignedLicenses and assignedPlans", effect);
        }
        if rows.has_plans && !rows.has_plan_status {
            let effect = "whether a plan works is not known, so no role that depends on a license of Intune is given";
            not_selected("capabilityStatus of assignedPlans", effect);
        }
        if count > 0 && !self.has_account_states {
            let effect = format!(
                "disabled accounts cannot be told apart, so all {count} are taken as enabled"
            );
            not_selected("accountEnabled", &effect);
        }
        if rows.has_synchronization {
            for name in rows.without_synchronization {
                notes.add(&SYNCHRONIZATION_UNKNOWN, name);
            }
        }
        if self.has_account_states {
            for name in rows.without_state {
                notes.add(&ACCOUNT_STATE_UNKNOWN, name);
            }
        }
    }
}
