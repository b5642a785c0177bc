//! The people, permissions and devices that a comparison is limited to, by name.

use super::InquiryError;
use crate::change::impact::About;
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, Name, RequestPart};

/// The limits of a comparison; an empty list stands for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeInquiry {
    /// The people.
    pub principals: Vec<String>,
    /// The permissions.
    pub actions: Vec<String>,
    /// The devices and tenants.
    pub resources: Vec<String>,
}

impl ScopeInquiry {
    /// The limits, found. Each named entity must exist in one of the two states.
    ///
    /// # Errors
    /// A name means nothing or several things.
    pub fn about(&self, states: [&Engine; 2]) -> Result<About, InquiryError> {
        let names = states.map(Lookup::new);
        let named = |texts: &[String], part: RequestPart| {
            let found = texts.iter().map(|text| {
                let name = Name::from(text.as_str());
                let in_state = |names: &Lookup<'_>| match part {
                    RequestPart::Principal => names.any_principal(&name),
                    RequestPart::Action => names.action(&name).map(|action| action.uid.clone()),
                    RequestPart::Resource => names.any_resource(&name),
                };
                let [before, after] = &names;
                let found = in_state(after).or_else(|error| in_state(before).map_err(|_| error));
                found.map_err(|error| after.suggest(error, None).into())
            });
            found.collect::<Result<Vec<_>, InquiryError>>()
        };
        Ok(About {
            principals: named(&self.principals, RequestPart::Principal)?,
            actions: named(&self.actions, RequestPart::Action)?,
            resources: named(&self.resources, RequestPart::Resource)?,
        })
    }

    /// The limits in words; `None` without limits.
    pub fn in_words(&self) -> Option<String> {
        let named = [&self.principals, &self.actions, &self.resources];
        let named = named.into_iter().filter(|names| !names.is_empty());
        let named: Vec<String> = named.map(|names| names.join(", ")).collect();
        (!named.is_empty()).then(|| format!("only about {}", named.join("; ")))
    }
}
