//! User discoveries: the accounts found by Configuration Manager, and the discovery method.

use std::collections::BTreeSet;

use super::{Discovered, Reader, Site};
use crate::exports::configmgr::SmsRUser;
use crate::exports::{Files, RefusedExport};
use crate::import::entra::Holder;
use crate::import::key;
use crate::import::report::{
    DISCOVERY_CONFLICT, DISCOVERY_UNKNOWN, NOBODY_DISCOVERED, NOT_SELECTED,
};

const CLASS: &str = "SMS_R_User";
const ID: &str = "AADUserID";
const SID: &str = "SID";
const AGENT: &str = "AgentName";
/// The properties that tell who was discovered, each with the discovery that is not known without it.
const PROPERTIES: [(&str, &str); 3] = [
    (ID, "Microsoft Entra"),
    (SID, "Active Directory"),
    (AGENT, "Active Directory"),
];

/// The agent of Active Directory user discovery.
const AD_USER_DISCOVERY: &str = "SMS_AD_USER_DISCOVERY_AGENT";

/// Facts about all rows of a site.
#[derive(Default)]
struct Rows {
    /// Whether there is any.
    are_there: bool,
    /// The properties that any row has.
    stated: BTreeSet<&'static str>,
    /// The properties without which something is not known of any row.
    needed: BTreeSet<&'static str>,
    /// The users of whom something is not known, each with the properties that they lack.
    unknown: Vec<(String, BTreeSet<&'static str>)>,
}

impl<F: Files> Reader<'_, '_, F> {
    /// Reads the discovered users.
    ///
    /// Microsoft Entra user discovery sets the id of the account in a row (the troubleshooting pages look for it
    /// there). Active Directory user discovery is named as an agent, and the security identifier states the account
    /// that it found.
    pub(super) fn discoveries(&self, site: &mut Site) -> Result<(), RefusedExport> {
        let mut rows = Rows::default();
        let is_there = self.folder.records(&self.name(CLASS), |row: SmsRUser| {
            self.discovery(&row, &mut rows, site);
            Ok(())
        })?;
        if is_there && !rows.are_there {
            site.notes.add(&NOBODY_DISCOVERED, self.site);
        }
        self.note_unknown(rows, site);
        let is_found = |by: &Discovered| by.by_entra || by.by_active_directory;
        site.discovered.retain(|_, by| is_found(by));
        Ok(())
    }

    /// Adds one note for each property that no row has, and otherwise notes on the users who lack one.
    fn note_unknown(&self, rows: Rows, site: &mut Site) {
        for (property, discovery) in PROPERTIES {
            if rows.needed.contains(property) && !rows.stated.contains(property) {
                site.are_discoveries_unknown = true;
                let name = format!(
                    "{property} of {}.json: whom {discovery} user discovery has found is not known, so it counts as having found nobody",
                    self.name(CLASS)
                );
                site.notes.add(&NOT_SELECTED, name);
            }
        }
        for (name, lacking) in rows.unknown {
            if !lacking.is_disjoint(&rows.stated) {
                site.notes.add(&DISCOVERY_UNKNOWN, name);
            }
        }
    }

    fn discovery(&self, row: &SmsRUser, rows: &mut Rows, site: &mut Site) {
        let has_ad_agent = row.agent_name.as_ref().map(|agents| {
            // ConvertTo-Json writes a list beyond its depth limit as one text.
            let mut agents = agents.iter().flat_map(|agents| agents.split_whitespace());
            agents.any(|agent| agent.eq_ignore_ascii_case(AD_USER_DISCOVERY))
        });
        rows.add(row, has_ad_agent == Some(true));
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
        let has_sid = is_same == Some(true);
        let lacking = [
            (ID, row.aad_user_id.is_none()),
            (SID, has_ad_agent == Some(true) && !has_sid),
            (AGENT, has_ad_agent.is_none()),
        ];
        let lacking = lacking.into_iter().filter(|(_, is_lacking)| *is_lacking);
        let lacking: BTreeSet<&str> = lacking.map(|(property, _)| property).collect();
        let is_unknown = !lacking.is_empty();
        if is_unknown && !self.entra.people_have_sids && sid.is_some() && own_sid.is_none() {
            // No account has a security identifier: one note covers all of them.
            site.without_sid += 1;
        } else if is_unknown {
            rows.unknown.push((name, lacking));
        }
        let discovered = site.discovered.entry(index).or_default();
        discovered.by_entra |= with_id.is_some();
        discovered.by_active_directory |= has_ad_agent == Some(true) && has_sid;
        discovered.is_unknown |= is_unknown;
    }
}

impl Rows {
    fn add(&mut self, row: &SmsRUser, has_ad_agent: bool) {
        self.are_there = true;
        let stated = [
            (ID, row.aad_user_id.is_some()),
            (SID, row.sid.is_some()),
            (AGENT, row.agent_name.is_some()),
        ];
        let stated = stated.into_iter().filter(|(_, is_stated)| *is_stated);
        self.stated.extend(stated.map(|(property, _)| property));
        self.needed.extend([ID, AGENT]);
        self.needed.extend(has_ad_agent.then_some(SID));
    }
}

/// The text of a property that exists and is not blank.
fn text(property: &Option<Option<String>>) -> Option<&str> {
    let text = property.as_ref()?.as_deref()?;
    (!text.trim().is_empty()).then_some(text)
}
