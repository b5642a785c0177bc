//! The searches of a log, run again.

use cedar_policy::{Context, EntityTypeName, EntityUid};
use tarbac_host::bundle::Action;
use tarbac_host::{Decision, Request};

use super::record::applies;
use super::{Replayed, Replayer, Results, TurnedSearch};
use crate::decision_log::{LogRecord, LoggedEntity, LoggedSearch};

impl Replayer<'_> {
    /// Runs a search again, and compares the numbers of results.
    pub(super) fn search(&self, record: &LogRecord, was: &LoggedSearch) -> Replayed {
        let now = self.results(record);
        let was = Results {
            total: was.total,
            undecided: was.undecided,
        };
        if was == now {
            return Replayed::Same;
        }
        let call = |of: &Option<LoggedEntity>| {
            let known = of.as_ref().filter(|of| of.id.is_some());
            known.map(|of| self.call(of))
        };
        Replayed::Found(Box::new(TurnedSearch {
            line: 0,
            endpoint: record.endpoint.clone(),
            subject: call(&record.subject),
            action: record.action.as_ref().map(|action| action.name.clone()),
            resource: call(&record.resource),
            was,
            now,
        }))
    }

    /// The numbers of results; zero if a name in the record is unknown.
    fn results(&self, record: &LogRecord) -> Results {
        let found = match &record.action {
            None => self.actions(record),
            Some(_) => self.entities(record),
        };
        found.unwrap_or_default()
    }

    /// The results of a search for actions.
    fn actions(&self, record: &LogRecord) -> Option<Results> {
        let principal = self.entity(record.subject.as_ref())?;
        let resource = self.entity(record.resource.as_ref())?;
        let mut results = Results::default();
        for action in self.engine.bundle().vocabulary().permissions() {
            if applies(action, principal.type_name(), resource.type_name()) {
                let context = self.context(record, action);
                results.count(self.candidate(record, action, (&principal, &resource), context));
            }
        }
        Some(results)
    }

    /// The results of a search for subjects or resources.
    fn entities(&self, record: &LogRecord) -> Option<Results> {
        let action = self.action(record)?;
        let context = self.context(record, action)?;
        let (searched, other) = match (&record.subject, &record.resource) {
            (Some(of @ LoggedEntity { id: None, .. }), other)
            | (other, Some(of @ LoggedEntity { id: None, .. })) => {
                (of, self.entity(other.as_ref())?)
            }
            _ => return None,
        };
        let are_people = record.subject.as_ref() == Some(searched);
        let type_name: EntityTypeName = searched.type_name.parse().ok()?;
        let (of, about) = match are_people {
            true => (&type_name, other.type_name()),
            false => (other.type_name(), &type_name),
        };
        let mut results = Results::default();
        if !applies(action, of, about) {
            return Some(results);
        }
        let directory = self.engine.directory();
        for row in directory.rows_of(&type_name) {
            let found = directory.uid(row);
            let pair = match are_people {
                true => (&found, &other),
                false => (&other, &found),
            };
            let decision = self.candidate(record, action, pair, Some(context.clone()));
            results.count(decision);
        }
        Some(results)
    }

    /// The decision about a candidate.
    fn candidate(
        &self,
        record: &LogRecord,
        action: &Action,
        (principal, resource): (&EntityUid, &EntityUid),
        context: Option<Context>,
    ) -> Decision {
        let Some(context) = context else {
            return Decision::Indeterminate;
        };
        let request = Request {
            principal: principal.clone(),
            action: action.uid.clone(),
            resource: resource.clone(),
            context,
        };
        let set = self.set(record, Some(principal), Some(resource));
        if set.is_empty() {
            return self.decider.decide(&request).decision;
        }
        match self.engine.slice_where(&request, &set) {
            Ok(slice) => self.engine.decide_in(&request, &slice).decision,
            // A candidate is no result if the schema refuses an attribute of the request.
            Err(_) => Decision::Deny,
        }
    }
}

impl Results {
    fn count(&mut self, decision: Decision) {
        match decision {
            Decision::Allow => self.total += 1,
            Decision::Indeterminate => self.undecided += 1,
            Decision::Deny => {}
        }
    }
}
