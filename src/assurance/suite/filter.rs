//! The filter that selects the cases of suites to run.

use std::str::FromStr;

use thiserror::Error;

use super::{Case, Check, Suites};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::Lookup;

/// A condition on cases or on the requests within them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// The name of the case or of its suite contains this, in upper or lower case.
    Name(String),
    /// The principal is this person.
    Principal(String),
    /// The action is this permission, in any spelling.
    Action(String),
    /// The resource is this device or tenant.
    Resource(String),
}

/// A text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` filters by nothing: write a part of a name, or principal=…, action=… or resource=…")]
pub struct BadFilter(String);

impl FromStr for Filter {
    type Err = BadFilter;

    fn from_str(text: &str) -> Result<Self, BadFilter> {
        let (kind, wanted) = match text.split_once('=') {
            Some((key @ ("principal" | "action" | "resource"), wanted)) => (key, wanted),
            _ => ("name", text),
        };
        if wanted.trim().is_empty() {
            return Err(BadFilter(text.to_owned()));
        }
        let wanted = wanted.trim().to_owned();
        Ok(match kind {
            "principal" => Self::Principal(wanted),
            "action" => Self::Action(wanted),
            "resource" => Self::Resource(wanted),
            _ => Self::Name(wanted.to_lowercase()),
        })
    }
}

impl Filter {
    fn takes_name(&self, suite: &str, case: &str) -> bool {
        match self {
            Self::Name(part) => {
                suite.to_lowercase().contains(part) || case.to_lowercase().contains(part)
            }
            _ => true,
        }
    }

    fn takes(&self, engine: &Engine, check: &Check) -> bool {
        let names = Lookup::new(engine);
        let request = &check.request;
        let (uid, wanted) = match self {
            Self::Name(_) => return true,
            Self::Action(wanted) => {
                return request.action.to_string() == *wanted
                    || engine
                        .bundle()
                        .vocabulary()
                        .actions_spelled(wanted)
                        .iter()
                        .any(|action| action.uid == request.action);
            }
            Self::Principal(wanted) => (&request.principal, wanted),
            Self::Resource(wanted) => (&request.resource, wanted),
        };
        uid.to_string() == *wanted
            || uid.id().unescaped() == wanted
            || names.name_of(uid).eq_ignore_ascii_case(wanted)
    }
}

impl Suites {
    /// Keeps the requests that pass every filter, and the cases with such a request. With any filter, snapshots are
    /// left out, as they are compared as a whole.
    pub fn retain(&mut self, filters: &[Filter]) {
        if filters.is_empty() {
            return;
        }
        let settings = &self.settings;
        for suite in &mut self.suites {
            suite.snapshot = None;
            suite.cases.retain_mut(|case: &mut Case| {
                let engine = settings
                    .get(case.setting)
                    .map(|setting| setting.engine.as_ref());
                case.checks.retain(|check| {
                    engine.is_some_and(|engine| {
                        filters.iter().all(|filter| {
                            filter.takes_name(&suite.name, &case.name)
                                && filter.takes(engine, check)
                        })
                    })
                });
                !case.checks.is_empty()
            });
        }
        self.suites.retain(|suite| !suite.cases.is_empty());
    }
}
