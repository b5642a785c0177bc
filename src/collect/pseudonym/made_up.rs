//! The names, ids and security identifiers of a copy.

use super::Pseudonyms;
use super::table::Becomes;

/// The names that are the same in every tenant.
const EVERYWHERE: [&str; 1] = ["Default"];

impl Pseudonyms {
    /// The text in place of another.
    pub(super) fn text(&self, text: &str, becomes: Becomes) -> String {
        let blank = text.trim().is_empty();
        match becomes {
            _ if blank => text.to_owned(),
            Becomes::Same => text.to_owned(),
            Becomes::Id => self.id(text),
            Becomes::EntraRoleId if !self.custom.contains(&text.to_ascii_lowercase()) => {
                text.to_owned()
            }
            Becomes::EntraRoleId => self.id(text),
            Becomes::Sid => self.sid(text),
            Becomes::Upn => format!("person-{}@tenant.example", self.digest("name", text)),
            Becomes::Logon => format!("DOMAIN\\account-{}", self.digest("name", text)),
            Becomes::Device => format!("device-{}", self.digest("device", text)),
            Becomes::Name if EVERYWHERE.contains(&text) => text.to_owned(),
            Becomes::Name | Becomes::Only(_) | Becomes::EntraRole => {
                format!("name-{}", self.digest("name", text))
            }
            Becomes::Scope if text == "/" => text.to_owned(),
            Becomes::Scope => "/administrativeUnits/a".to_owned(),
        }
    }

    /// A made-up id in the form of a UUID, unless the id is that of a shipped role.
    pub(super) fn id(&self, text: &str) -> String {
        let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
        if self.shipped.contains(&inner.to_ascii_lowercase()) {
            return text.to_owned();
        }
        let digest = self.digest("id", inner);
        let more = self.digest("id, the rest", inner);
        let digits: String = digest.chars().chain(more.chars()).collect();
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        format!(
            "{}-{}-4{}-8{}-{}",
            part(0, 8),
            part(8, 12),
            part(13, 16),
            part(17, 20),
            part(20, 32)
        )
    }

    /// A made-up security identifier in a made-up domain. Identifiers that every Windows computer has are kept.
    fn sid(&self, text: &str) -> String {
        let upper = text.trim().to_ascii_uppercase();
        let [number, more] = [0..8, 8..16].map(|part| {
            move |text: &str| {
                let digest = self.digest("sid", text);
                let digits = digest.get(part.clone()).unwrap_or_default();
                u32::from_str_radix(digits, 16).unwrap_or_default()
            }
        });
        // That of a Microsoft Entra account is its id in other digits.
        if let Some(id) = upper.strip_prefix("S-1-12-1-") {
            return format!("S-1-12-1-{}-{}-1-1", number(id), number(&upper));
        }
        let Some(rest) = upper.strip_prefix("S-1-5-21-") else {
            let is_part = |letter: char| letter.is_ascii_digit() || letter == '-';
            let parts = upper.strip_prefix("S-1-");
            return match parts.is_some_and(|parts| parts.chars().all(is_part)) {
                true => text.to_owned(),
                false => self.text(text, Becomes::Logon),
            };
        };
        let (domain, account) = rest.rsplit_once('-').unwrap_or(("", rest));
        // Relative identifiers below 1000 are the same in every domain. Of the others, a tenant has so many that one
        // number would not tell them apart.
        match account.parse::<u32>() {
            Ok(known) if known < 1000 => format!("S-1-5-21-{}-1-1-{known}", number(domain)),
            _ => {
                let account = 1000 + number(&upper) / 2;
                format!("S-1-5-21-{}-1-{}-{account}", number(domain), more(&upper))
            }
        }
    }

    /// The digits that replace a text; its case is ignored.
    pub(super) fn digest(&self, kind: &str, text: &str) -> String {
        let text = format!("{kind}\0{}", text.trim().to_lowercase());
        let digest = blake3::keyed_hash(&self.key, text.as_bytes());
        digest.to_hex().chars().take(16).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn accounts_of_a_large_domain_have_identifiers_of_their_own() {
        let pseudonyms = Pseudonyms {
            key: [7; 32],
            shipped: BTreeSet::new(),
            custom: BTreeSet::new(),
            collections: BTreeSet::new(),
        };
        let accounts = 1000..300_000;
        let made_up = accounts.map(|number| pseudonyms.sid(&format!("S-1-5-21-1-2-3-{number}")));
        let made_up: BTreeSet<String> = made_up.collect();
        assert_eq!(made_up.len(), 299_000);
        assert!(!made_up.iter().any(|sid| sid.starts_with("S-1-5-21-1-2-3-")));
    }
}
