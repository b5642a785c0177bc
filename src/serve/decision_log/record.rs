//! The record of a decision or of a search in the decision log.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cedar_policy::Context;
use jiff::Timestamp;
use serde_json::Value;
use tarbac_analysis::decision_log::{
    Answered, AskedNames, FromRequest, JsonObject, LOG_VERSION, LogRecord, LoggedAction,
    LoggedCaller, LoggedDecision, LoggedEntity, LoggedRevision, LoggedSearch,
};
use tarbac_host::Request;
use tarbac_host::lookup::exact;
use uuid::Uuid;

use super::Entry;
use crate::authzen::{AskedAction, AskedEntity, Kind};
use crate::decided::{Decided, Searched};
use crate::names::NOW;
use crate::served::Served;

/// A decision or a search, to be recorded.
pub(super) enum Item<'a> {
    Decision(&'a Decided),
    Search(&'a Searched),
}

/// The members of a record that describe the request.
#[derive(Default)]
struct Requested {
    subject: Option<LoggedEntity>,
    action: Option<LoggedAction>,
    resource: Option<LoggedEntity>,
    context: JsonObject,
    from_request: FromRequest,
    asked: AskedNames,
}

impl Item<'_> {
    /// The record.
    pub(super) fn record(&self, entry: &Entry, instance: &str) -> LogRecord {
        let served = &*entry.served;
        let requested = match self {
            Self::Decision(decided) => Requested::of_decision(served, decided),
            Self::Search(searched) => Requested::of_search(served, searched),
        };
        let (answered, item, took) = match self {
            Self::Decision(decided) => {
                let answered = Answered::Decision(decision(served, decided, entry.time));
                (answered, decided.item, decided.took)
            }
            Self::Search(searched) => {
                let answered = Answered::Search(LoggedSearch {
                    count: searched.count,
                    total: searched.total,
                    undecided: searched.undecided,
                    page: searched.is_page,
                });
                (answered, None, searched.took)
            }
        };
        let call = &entry.call;
        LogRecord {
            version: LOG_VERSION,
            answered,
            time: format!("{:.3}", entry.time),
            decision_id: Uuid::now_v7().to_string(),
            request_id: String::from_utf8_lossy(call.request_id.id.as_bytes()).into_owned(),
            trace_id: call.request_id.trace().map(str::to_owned),
            instance: instance.to_owned(),
            caller: LoggedCaller {
                name: call.caller.name().to_owned(),
                by: call.caller.by(),
            },
            workspace: call.workspace.as_deref().map(str::to_owned),
            endpoint: call.endpoint.to_owned(),
            item,
            subject: requested.subject,
            action: requested.action,
            resource: requested.resource,
            context: Some(requested.context).filter(|of| !of.is_empty()),
            from_request: Some(requested.from_request).filter(|of| !of.is_empty()),
            asked: Some(requested.asked).filter(|of| !of.is_empty()),
            readings: served.engine.readings().to_vec(),
            revision: LoggedRevision {
                id: served.revision().to_owned(),
                number: served.name().map(|name| name.number),
            },
            duration_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            omitted: Vec::new(),
        }
    }
}

/// The decision of a record, with the authority and the notices of the full answer.
fn decision(served: &Served, decided: &Decided, time: Timestamp) -> LoggedDecision {
    let outcome = &decided.outcome;
    let resolved = decided.resolved.as_ref().filter(|of| of.set.is_empty());
    // The full answer would read the attributes that the request replaced. A panic must not end the writer.
    let answer = resolved.and_then(|resolved| {
        let answer = || {
            served
                .engine
                .answer(&timed(served, &resolved.request, time))
        };
        catch_unwind(AssertUnwindSafe(answer)).ok()
    });
    let (authority, notices) = answer.map_or_else(Default::default, |answer| {
        let notices = answer.notices.into_iter().map(|notice| notice.code);
        let mut notices: Vec<String> = notices.collect();
        notices.sort();
        notices.dedup();
        (answer.authority.map(|of| of.name), notices)
    });
    LoggedDecision {
        decision: outcome.decision,
        basis: outcome.basis,
        authority,
        policies: outcome.policies.clone(),
        errors: outcome.errors.clone(),
        notices,
    }
}

/// A request with the time in its context: a notice may read it, even if no policy does.
fn timed<'r>(served: &Served, request: &'r Request, time: Timestamp) -> Cow<'r, Request> {
    let is_timed = || {
        let keys = served.engine.bundle().context_keys(&request.action);
        keys.contains(NOW) && request.context.get(NOW).is_none()
    };
    let context = is_timed().then(|| {
        let mut context = request.context.to_json_value().ok()?;
        let now = Value::String(format!("{time:.3}"));
        context.as_object_mut()?.insert(NOW.to_owned(), now);
        served.engine.context(&request.action, context).ok()
    });
    match context.flatten() {
        Some(context) => Cow::Owned(Request {
            context,
            ..request.clone()
        }),
        None => Cow::Borrowed(request),
    }
}

impl Requested {
    fn of_decision(served: &Served, decided: &Decided) -> Self {
        let Some(asked) = &decided.asked else {
            return Self::default();
        };
        let mut requested = Self::default();
        requested.set_subject(served, &asked.subject);
        requested.set_action(served, &asked.action);
        requested.set_resource(served, &asked.resource);
        let resolved = decided.resolved.as_ref();
        let used = resolved.map(|resolved| &resolved.request.context);
        requested.context = context(served, &asked.action, asked.context.as_ref(), used);
        requested
    }

    fn of_search(served: &Served, searched: &Searched) -> Self {
        let asked = &*searched.asked;
        let mut requested = Self::default();
        if let Some(subject) = &asked.subject {
            requested.set_subject(served, subject);
        }
        if let Some(resource) = &asked.resource {
            requested.set_resource(served, resource);
        }
        let given = asked.context.as_ref();
        requested.context = match &asked.action {
            Some(action) => {
                requested.set_action(served, action);
                context(served, action, given, None)
            }
            None => given.cloned().unwrap_or_default(),
        };
        let sought = || {
            let type_name = served.names.type_name(&asked.searched);
            let type_name = type_name.map_or_else(|| asked.searched.clone(), ToString::to_string);
            let is_other = type_name != asked.searched;
            let of = |type_name: String| LoggedEntity {
                type_name,
                id: None,
            };
            let other = is_other.then(|| of(asked.searched.clone()));
            (Some(of(type_name)), other)
        };
        match searched.kind {
            Kind::Subject => (requested.subject, requested.asked.subject) = sought(),
            Kind::Resource => (requested.resource, requested.asked.resource) = sought(),
            Kind::Action => {}
        }
        requested
    }

    fn set_subject(&mut self, served: &Served, asked: &AskedEntity) {
        let (logged, other) = entity(served, asked);
        self.from_request.subject = from_request(served, asked);
        (self.subject, self.asked.subject) = (Some(logged), other);
    }

    fn set_resource(&mut self, served: &Served, asked: &AskedEntity) {
        let (logged, other) = entity(served, asked);
        self.from_request.resource = from_request(served, asked);
        (self.resource, self.asked.resource) = (Some(logged), other);
    }

    fn set_action(&mut self, served: &Served, asked: &AskedAction) {
        let known = served.names.permission(&served.engine, &asked.name);
        let name = match known {
            Ok(known) => served.names.of_permission(&served.engine, known),
            Err(_) => asked.name.clone(),
        };
        self.asked.action = (name != asked.name).then(|| asked.name.clone());
        self.action = Some(LoggedAction {
            name,
            properties: asked.properties.clone(),
        });
    }
}

/// An entity by its Cedar name; also by its name in the request, if that differs.
fn entity(served: &Served, asked: &AskedEntity) -> (LoggedEntity, Option<LoggedEntity>) {
    let named = LoggedEntity {
        type_name: asked.type_name.clone(),
        id: Some(asked.id.clone()),
    };
    let Some(type_name) = served.names.type_name(&asked.type_name) else {
        return (named, None);
    };
    let known = exact(&served.engine, type_name, &asked.id);
    let id = known.map_or_else(
        |_| asked.id.clone(),
        |(uid, _)| uid.id().unescaped().to_owned(),
    );
    let logged = LoggedEntity {
        type_name: type_name.to_string(),
        id: Some(id),
    };
    let other = (logged != named).then_some(named);
    (logged, other)
}

/// The attributes of an entity that the request set.
fn from_request(served: &Served, asked: &AskedEntity) -> JsonObject {
    let type_name = served.names.type_name(&asked.type_name);
    let marked = type_name.and_then(|of| served.names.settable(of));
    let (Some(marked), Some(given)) = (marked, &asked.properties) else {
        return JsonObject::new();
    };
    let set = given.iter().filter(|(name, _)| marked.contains(*name));
    let set = set.filter(|(_, value)| !value.is_null());
    set.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The context of the request, with keys from the properties of the action and from the clock.
fn context(
    served: &Served,
    action: &AskedAction,
    given: Option<&JsonObject>,
    used: Option<&Context>,
) -> JsonObject {
    let given = given.into_iter().flatten();
    let given = given.filter(|(_, value)| !value.is_null());
    let mut context: JsonObject = given
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let Ok(permission) = served.names.permission(&served.engine, &action.name) else {
        return context;
    };
    for (key, value) in action.properties.iter().flatten() {
        if permission.context.contains(key) && !context.contains_key(key) && !value.is_null() {
            context.insert(key.clone(), value.clone());
        }
    }
    let is_from_clock = permission.context.contains(NOW) && !context.contains_key(NOW);
    let used = used.filter(|_| is_from_clock);
    if let Some(Ok(Value::Object(mut used))) = used.map(Context::to_json_value)
        && let Some(now) = used.remove(NOW)
    {
        context.insert(NOW.to_owned(), now);
    }
    context
}
