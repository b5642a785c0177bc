//! Decisions of a log, decided again.
//!
//! A record has the request and its context, so that it can be decided again. With the same revision, the answer must
//! be the same, or the record is wrong; with another, the differences show the effect of a change on past requests.

mod record;
mod revision;
mod search;
mod tally;

use cedar_policy::EntityUid;
use rayon::prelude::*;
use serde::Serialize;
use tarbac_host::decision::Outcome;
use tarbac_host::{Decision, Engine};

use crate::bulk::decider::Decider;
use crate::change::impact::About;
use crate::decision_log::{Answered, LOG_VERSION, LogRecord, LoggedDecision};
use crate::explain::Labels;

pub use revision::{RecordedRevision, revision_of};
pub use tally::{Replay, ReplayedName, TurnedPerson, TurnedPolicy, TurnedRequest};

/// An engine that decides records again.
pub struct Replayer<'a> {
    engine: &'a Engine,
    decider: Decider<&'a Engine>,
    about: About,
}

/// The result of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Replayed {
    /// The decision and its policies are the same.
    Same,
    /// The decision is the same, and other policies determine it.
    ForOtherReasons,
    /// The decision differs, or the record has wrong reasons.
    Otherwise(Box<Turned>),
    /// The number of results of a search differs.
    Found(Box<TurnedSearch>),
    /// It is about other people, actions or resources than the replay.
    OutOfScope,
    /// It cannot be decided again.
    Impossible(WhyNot),
}

/// A decision that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turned {
    person: ReplayedName,
    action: String,
    resource: ReplayedName,
    was: Decision,
    now: Decision,
    /// The policies that determined it then, and not now.
    no_longer: Vec<String>,
    /// The policies that determine it now, and not then.
    newly: Vec<String>,
    /// The errors now.
    errors: Vec<String>,
}

/// A search whose results are others in number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct TurnedSearch {
    /// The number of the line, from 1.
    pub line: u64,
    /// The path of the endpoint.
    pub endpoint: String,
    /// Who, unless that was searched for.
    pub subject: Option<ReplayedName>,
    /// The action, unless that was searched for.
    pub action: Option<String>,
    /// What, unless that was searched for.
    pub resource: Option<ReplayedName>,
    /// The results then.
    pub was: Results,
    /// The results now.
    pub now: Results,
}

/// The results of a search in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Results {
    /// Those on all pages.
    pub total: usize,
    /// The candidates that could not be decided.
    pub undecided: usize,
}

/// A line that cannot be decided again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct NotReplayed {
    /// The number of the line, from 1.
    pub line: u64,
    /// Why not.
    #[serde(flatten)]
    pub why: WhyNot,
}

/// Why a line cannot be decided again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum WhyNot {
    /// It is no record of a decision log.
    NoRecord {
        /// What the reader says.
        message: String,
    },
    /// It is of a later version of the log.
    Version {
        /// The version.
        version: u32,
    },
    /// What the decision depends on was left out.
    Omitted {
        /// The JSON pointer to it.
        pointer: String,
    },
    /// It has a decision, and no request.
    NoRequest,
    /// The revision that it names cannot be had.
    NoRevision {
        /// Why not.
        message: String,
    },
}

impl<'a> Replayer<'a> {
    /// A replayer with this engine, of records about these people, actions and resources.
    pub fn new(engine: &'a Engine, about: About) -> Self {
        Self {
            decider: Decider::new(engine),
            engine,
            about,
        }
    }

    /// Decides lines of a log again, each with its number, and adds the results to a sum.
    pub fn replay(&self, lines: &[(u64, String)], sum: &mut Replay) {
        let replayed = lines.par_iter().map(|(_, line)| self.line(line));
        let replayed: Vec<Replayed> = replayed.collect();
        for ((number, _), replayed) in lines.iter().zip(replayed) {
            sum.add(*number, replayed);
        }
    }

    fn line(&self, line: &str) -> Replayed {
        if line.trim().is_empty() {
            return Replayed::OutOfScope;
        }
        let record = match serde_json::from_str::<LogRecord>(line) {
            Ok(record) if record.version == LOG_VERSION => record,
            Ok(LogRecord { version, .. }) => {
                return Replayed::Impossible(WhyNot::Version { version });
            }
            Err(error) => {
                let message = error.to_string();
                return Replayed::Impossible(WhyNot::NoRecord { message });
            }
        };
        if !self.is_asked(&record) {
            return Replayed::OutOfScope;
        }
        if let Some(pointer) = self.lacking(&record) {
            return Replayed::Impossible(WhyNot::Omitted { pointer });
        }
        match &record.answered {
            Answered::Decision(decision) => self.decision(&record, decision),
            Answered::Search(search) => self.search(&record, search),
        }
    }

    /// Whether a record is about the people, actions and resources of the replay.
    fn is_asked(&self, record: &LogRecord) -> bool {
        let is_one_of = |asked: &[EntityUid], found: Option<EntityUid>| {
            asked.is_empty() || found.is_some_and(|found| asked.contains(&found))
        };
        is_one_of(&self.about.principals, self.entity(record.subject.as_ref()))
            && is_one_of(&self.about.resources, self.entity(record.resource.as_ref()))
            && (self.about.actions.is_empty() || {
                let action = self.action(record).map(|action| action.uid.clone());
                is_one_of(&self.about.actions, action)
            })
    }

    fn decision(&self, record: &LogRecord, was: &LoggedDecision) -> Replayed {
        let (Some(subject), Some(action), Some(resource)) =
            (&record.subject, &record.action, &record.resource)
        else {
            // An item of a batch that could not be parsed was indeterminate.
            return match was.decision {
                Decision::Indeterminate => Replayed::Same,
                Decision::Allow | Decision::Deny => Replayed::Impossible(WhyNot::NoRequest),
            };
        };
        let now = self.outcome(record);
        let is_of_this = self.engine.provenance().revision_id() == record.revision.id;
        let are_other = was.policies != now.policies || was.basis != now.basis;
        match (was.decision == now.decision, are_other) {
            (true, false) => Replayed::Same,
            // With the same revision, other reasons are a difference too.
            (true, true) if !is_of_this => Replayed::ForOtherReasons,
            _ => Replayed::Otherwise(Box::new(Turned {
                person: self.call(subject),
                action: action.name.clone(),
                resource: self.call(resource),
                was: was.decision,
                now: now.decision,
                no_longer: without(&was.policies, &now.policies),
                newly: without(&now.policies, &was.policies),
                errors: now.errors,
            })),
        }
    }

    /// The decision about a record; indeterminate if the workspace does not know a name in it.
    fn outcome(&self, record: &LogRecord) -> Outcome {
        let Some((request, set)) = self.request(record) else {
            return unknown();
        };
        if set.is_empty() {
            return self.decider.decide(&request).as_ref().clone();
        }
        match self.engine.slice_where(&request, &set) {
            Ok(slice) => self.engine.decide_in(&request, &slice),
            Err(errors) => Outcome::indeterminate(errors),
        }
    }

    /// The name for people of the entity in a record.
    fn call(&self, logged: &crate::decision_log::LoggedEntity) -> ReplayedName {
        let id = logged.id.clone().unwrap_or_default();
        let name = match self.entity(Some(logged)) {
            Some(uid) => Labels::new(self.engine).named(&uid).name,
            None => id.clone(),
        };
        ReplayedName {
            name,
            type_name: logged.type_name.clone(),
            id,
        }
    }
}

/// The outcome of a request with an unknown name.
fn unknown() -> Outcome {
    Outcome::indeterminate(["the request names what the workspace does not know"])
}

/// The elements of a list that are not in another.
fn without(of: &[String], other: &[String]) -> Vec<String> {
    let left = of.iter().filter(|id| !other.contains(id));
    left.cloned().collect()
}
