//! The totals of a replay, by policy and by person.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use tarbac_host::Decision;

use super::{NotReplayed, RecordedRevision, Replayed, Turned, TurnedSearch, WhyNot};
use crate::wire;

/// The most lines without a decision, and the most searches, that are listed; further ones are counted.
const LISTED: usize = 1000;

/// The most resources, and the most errors, that are listed for one kind of request.
const SHOWN: usize = 3;

/// The records of a log, decided again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Replay {
    /// The records that were decided again.
    pub records: u64,
    /// Those that are decided as they were.
    pub same: u64,
    /// Those among them that other policies determine.
    pub for_other_reasons: u64,
    /// Those that are decided otherwise.
    pub otherwise: u64,
    /// The lines that could not be decided again.
    pub impossible: u64,
    /// What is decided otherwise, by the policies that determined it or now do.
    #[serde(serialize_with = "policies")]
    #[schemars(with = "Vec<PolicyWire<'static>>")]
    pub policies: BTreeMap<String, TurnedPolicy>,
    /// What is decided otherwise, by person.
    #[serde(serialize_with = "people")]
    #[schemars(with = "Vec<PersonWire<'static>>")]
    pub people: BTreeMap<ReplayedName, TurnedPerson>,
    /// The first searches whose results are others.
    pub searches: Vec<TurnedSearch>,
    /// The first lines that could not be decided again.
    pub not_replayed: Vec<NotReplayed>,
    /// The revisions of a store, where each record was decided with the one that it names.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub revisions: BTreeSet<RecordedRevision>,
}

/// How often a policy is among those that make the difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TurnedPolicy {
    /// It was not allowed, and is.
    pub gained: u64,
    /// It was allowed, and is not.
    pub lost: u64,
    /// Neither was nor is it allowed.
    pub other: u64,
}

/// The decisions about a person that differ, by action, old decision and new decision.
pub type TurnedPerson = BTreeMap<(String, Decision, Decision), TurnedRequest>;

/// Requests of one person for one action that turned alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TurnedRequest {
    /// The number of requests.
    pub count: u64,
    /// The first resources, by name.
    pub resources: BTreeSet<ReplayedName>,
    /// The policies that determined one of them, and do so no longer.
    pub no_longer: BTreeSet<String>,
    /// The policies that determine one of them, and did not.
    pub newly: BTreeSet<String>,
    /// The first errors.
    pub errors: BTreeSet<String>,
}

/// A person or thing of a record, with the name that people know it by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ReplayedName {
    /// The name.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The id.
    pub id: String,
}

#[derive(Serialize, JsonSchema)]
struct PolicyWire<'a> {
    policy: &'a str,
    #[serde(flatten)]
    turned: TurnedPolicy,
}

#[derive(Serialize, JsonSchema)]
struct PersonWire<'a> {
    #[serde(flatten)]
    person: &'a ReplayedName,
    requests: Vec<RequestWire<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct RequestWire<'a> {
    action: &'a str,
    #[schemars(schema_with = "wire::decision")]
    was: Decision,
    #[schemars(schema_with = "wire::decision")]
    now: Decision,
    #[serde(flatten)]
    turned: &'a TurnedRequest,
}

fn policies<S: Serializer>(
    of: &BTreeMap<String, TurnedPolicy>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(of.iter().map(|(policy, turned)| PolicyWire {
        policy,
        turned: *turned,
    }))
}

fn people<S: Serializer>(
    of: &BTreeMap<ReplayedName, TurnedPerson>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(of.iter().map(|(person, turned)| {
        let requests = turned.iter();
        let requests = requests.map(|((action, was, now), turned)| RequestWire {
            action,
            was: *was,
            now: *now,
            turned,
        });
        PersonWire {
            person,
            requests: requests.collect(),
        }
    }))
}

impl Replay {
    /// Whether no decision differs.
    pub fn is_same(&self) -> bool {
        self.otherwise == 0
    }

    /// Whether every line could be decided again.
    pub fn is_whole(&self) -> bool {
        self.impossible == 0
    }

    /// Adds a line that cannot be decided again.
    pub fn refuse(&mut self, line: u64, why: WhyNot) {
        self.add(line, Replayed::Impossible(why));
    }

    /// Puts what is listed by line in the order of lines.
    pub fn sort(&mut self) {
        self.searches.sort_by_key(|search| search.line);
        self.not_replayed.sort_by_key(|line| line.line);
    }

    /// Adds the result of a line.
    pub(super) fn add(&mut self, line: u64, replayed: Replayed) {
        match replayed {
            Replayed::OutOfScope => return,
            Replayed::Impossible(why) => {
                self.impossible += 1;
                if self.not_replayed.len() < LISTED {
                    self.not_replayed.push(NotReplayed { line, why });
                }
                return;
            }
            Replayed::Same => self.same += 1,
            Replayed::ForOtherReasons => {
                self.same += 1;
                self.for_other_reasons += 1;
            }
            Replayed::Otherwise(turned) => {
                self.otherwise += 1;
                self.turn(*turned);
            }
            Replayed::Found(search) => {
                self.otherwise += 1;
                if self.searches.len() < LISTED {
                    self.searches.push(TurnedSearch { line, ..*search });
                }
            }
        }
        self.records += 1;
    }

    fn turn(&mut self, turned: Turned) {
        for policy in turned.no_longer.iter().chain(&turned.newly) {
            let policy = self.policies.entry(policy.clone()).or_default();
            match (turned.was, turned.now) {
                (_, Decision::Allow) => policy.gained += 1,
                (Decision::Allow, _) => policy.lost += 1,
                _ => policy.other += 1,
            }
        }
        let person = self.people.entry(turned.person).or_default();
        let kind = (turned.action, turned.was, turned.now);
        let requests = person.entry(kind).or_default();
        requests.count += 1;
        requests.no_longer.extend(turned.no_longer);
        requests.newly.extend(turned.newly);
        keep(&mut requests.resources, [turned.resource]);
        keep(&mut requests.errors, turned.errors);
    }
}

/// Adds elements to a set that keeps the first few.
fn keep<T: Ord>(kept: &mut BTreeSet<T>, more: impl IntoIterator<Item = T>) {
    kept.extend(more);
    while kept.len() > SHOWN {
        kept.pop_last();
    }
}
