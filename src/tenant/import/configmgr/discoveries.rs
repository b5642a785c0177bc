//! User discoveries: the accounts found by Configuration Manager, and the discovery method.

use super::{Discovered, Reader, Site};
use crate::exports::configmgr::SmsRUser;
use crate::exports::{Files, RefusedExport};
use crate::import::entra::Holder;
use crate::import::key;
use crate::import::report::{DISCOVERY_CONFLICT, DISCOVERY_UNKNOWN, NOBODY_DISCOVERED};

/// The agent of Active Directory user discovery.
const AD_USER_DISCOVERY: &str = "SMS_AD_USER_DISCOVERY_AGENT";

impl<F: Files> Reader<'_, '_, F> {
    /// Reads the discovered users.
    ///
    /// Microsoft Entra user discovery sets the id of the account in a row (the troubleshooting pages look for it
    /// there). Active Directory user discovery is named as an agent, and the security identifier states the account
    /// that it found.
    pub(super) fn discoveries(&self, site: &mut Site) -> Result<(), RefusedExport> {
        let mut has_users = false;
        let is_there = self
            .folder
            .records(&self.name("SMS_R_User"), |row: SmsRUser| {
                has_users = true;
                self.discovery(&row, site);
                Ok(())
            })?;
        if is_there && !has_users {
            site.notes.add(&NOBODY_DISCOVERED, self.site);
        }
        let is_found = |by: &Discovered| by.by_entra || by.by_active_directory;
        site.discovered.retain(|_, by| is_found(by));
        Ok(())
    }

    fn discovery(&self, row: &SmsRUser, site: &mut Site) {
        let person = |holder| match holder {
            Some(Holder::Person(person)) => Some(person),
            Some(Holder::Group(_)) | None => None,
        };
        let (id, sid) = (text(&row.aad_user_id), text(&row.sid));
        let with_id = person(id.and_then(|id| self.entra.holder(id)));
        let with_sid = person(sid.and_then(|sid| self.entra.with_sid(sid)));
        let Some(index) = with_id.or(with_sid) else {
            return;
        };
        let account = self.entra.person(index);
        let own_sid = account.and_then(|person| person.sid.as_deref());
        let is_same = sid
            .zip(own_sid)
            .map(|(sid, own_sid)| key(sid) == key(own_sid));
        let name = match row.unique_user_name.as_deref() {
            Some(name) => format!("{name} of {}", self.site),
            None => format!("{} of {}", row.resource_id, self.site),
        };
        if is_same == Some(false) {
            site.notes.add(&DISCOVERY_CONFLICT, name);
            return;
        }
        let has_ad_agent = row.agent_name.as_ref().map(|agents| {
            // ConvertTo-Json writes a list beyond its depth limit as one text.
            let mut agents = agents.iter().flat_map(|agents| agents.split_whitespace());
            agents.any(|agent| agent.eq_ignore_ascii_case(AD_USER_DISCOVERY))
        });
        let has_sid = is_same == Some(true);
        let is_unknown = row.aad_user_id.is_none()
            || has_ad_agent.is_none()
            || has_ad_agent == Some(true) && !has_sid;
        if is_unknown && !self.entra.people_have_sids && sid.is_some() && own_sid.is_none() {
            // No account has a security identifier: one note covers all of them.
            site.without_sid += 1;
        } else if is_unknown {
            site.notes.add(&DISCOVERY_UNKNOWN, name);
        }
        let discovered = site.discovered.entry(index).or_default();
        discovered.by_entra |= with_id.is_some();
        discovered.by_active_directory |= has_ad_agent == Some(true) && has_sid;
        discovered.is_unknown |= is_unknown;
    }
}

/// The text of a property that exists and is not blank.
fn text(property: &Option<Option<String>>) -> Option<&str> {
    let text = property.as_ref()?.as_deref()?;
    (!text.trim().is_empty()).then_some(text)
}
