//! The translation of an AuthZEN request into a Cedar request of the served workspace.

use axum::http::StatusCode;
use cedar_policy::{Context, EntityTypeName, EntityUid};
use serde_json::Value;
use tarbac_host::Request;
use tarbac_host::engine::{SetAttribute, Undecidable, entities_of};
use tarbac_host::lookup::{NotNamed, exact};
use tarbac_store::Row;

use super::request::{AskedAction, AskedEntity, DecisionRequest, Explain, Object};
use crate::clock;
use crate::fault::Fault;
use crate::names::{NOW, Permission};
use crate::served::Served;

/// The reason why a request cannot be decided. It is answered with `false` or refused, and never allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// Whether the request is malformed or does not conform to the schema.
    pub(super) is_fault: bool,
}

impl Problem {
    fn unknown(message: String) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            message,
            is_fault: false,
        }
    }

    fn unclear(message: String) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message,
            is_fault: false,
        }
    }

    fn wrong(message: String) -> Self {
        Self {
            is_fault: true,
            ..Self::unclear(message)
        }
    }

    /// The schema refuses the value of an attribute that the request sets.
    pub(super) fn not_settable(errors: &[Undecidable]) -> Self {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Self::wrong(format!(
            "/properties do not conform to the schema: {}",
            errors.join("; ")
        ))
    }

    /// A policy could not be evaluated. Only the log names it.
    pub(super) fn undecided() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            message: "the policies could not be evaluated for this request".to_owned(),
            is_fault: false,
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self {
            status: fault.status,
            message: fault.message,
            is_fault: true,
        }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::new(problem.status, problem.message)
    }
}

/// A request that can be decided, with the attributes that it sets.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(crate) request: Request,
    /// The rows of the principal and of the resource.
    pub(super) rows: (Row, Row),
    pub(crate) set: Vec<SetAttribute>,
}

/// The type of this name.
pub(super) fn type_of<'s>(served: &'s Served, name: &str) -> Result<&'s EntityTypeName, Problem> {
    let found = served.names.type_name(name);
    found.ok_or_else(|| Problem::unknown(format!("there is no type `{name}`")))
}

/// The permission of this name.
pub(super) fn permission<'s>(served: &'s Served, name: &str) -> Result<&'s Permission, Problem> {
    let found = served.names.permission(&served.engine, name);
    found.map_err(|error| match error {
        NotNamed::Unknown => Problem::unknown(format!("there is no action `{name}`")),
        NotNamed::Several => Problem::unclear(format!("several actions are called `{name}`")),
    })
}

/// The entity that a part of a request names, with its row.
pub(super) fn entity_of(served: &Served, asked: &AskedEntity) -> Result<(EntityUid, Row), Problem> {
    let type_name = type_of(served, &asked.type_name)?;
    let AskedEntity {
        type_name: kind,
        id,
        ..
    } = asked;
    exact(&served.engine, type_name, id).map_err(|error| match error {
        NotNamed::Unknown => Problem::unknown(format!("there is no `{kind}` with the id `{id}`")),
        NotNamed::Several => Problem::unclear(format!("several of `{kind}` are called `{id}`")),
    })
}

/// Translates a request by the names and the schema of the served workspace.
pub(super) fn resolve(
    served: &Served,
    asked: &DecisionRequest,
    explain: Explain,
) -> Result<Resolved, Problem> {
    let permission = permission(served, &asked.action.name)?;
    // The context comes first, as its errors do not depend on the entities.
    let given = asked.context.as_ref();
    let context = context(served, permission, &asked.action, given, explain)?;
    let (principal, principal_row) = entity_of(served, &asked.subject)?;
    let (resource, resource_row) = entity_of(served, &asked.resource)?;
    if !permission
        .action
        .applies_to(principal.type_name(), resource.type_name())
    {
        return Err(Problem::unclear(format!(
            "`{}` is not asked of `{}` about `{}`",
            asked.action.name, asked.subject.type_name, asked.resource.type_name
        )));
    }
    let mut set = set_by(served, &principal, &asked.subject);
    set.extend(set_by(served, &resource, &asked.resource));
    let request = Request {
        principal,
        action: permission.action.uid.clone(),
        resource,
        context,
    };
    Ok(Resolved {
        request,
        rows: (principal_row, resource_row),
        set,
    })
}

/// The context of a request: only the keys that the schema declares.
pub(super) fn context(
    served: &Served,
    permission: &Permission,
    action: &AskedAction,
    given: Option<&Object>,
    explain: Explain,
) -> Result<Context, Problem> {
    // The clock is read only if `now` may matter: to a policy, an explanation, or a schema that requires a context.
    let is_timed = permission.reads_context || permission.empty.is_none() || explain != Explain::No;
    let mut declared = Object::new();
    for key in &permission.context {
        let of_context = given.and_then(|given| given.get(key));
        let of_action = action.properties.as_ref().and_then(|of| of.get(key));
        let is_there = |value: &&Value| !value.is_null();
        let value = of_context.filter(is_there).or(of_action.filter(is_there));
        if let Some(value) = value {
            declared.insert(key.clone(), value.clone());
        } else if key == NOW && is_timed {
            declared.insert(key.clone(), Value::String(clock::datetime()));
        }
    }
    if let Some(empty) = permission.empty.as_ref().filter(|_| declared.is_empty()) {
        return Ok(empty.clone());
    }
    let read = served
        .engine
        .context(&permission.action.uid, Value::Object(declared));
    let context = read.map_err(|error| {
        Problem::wrong(format!("/context does not conform to the schema: {error}"))
    })?;
    for uid in entities_of(&context) {
        if !served.engine.directory().defines(&uid) {
            return Err(Problem::unknown(format!(
                "/context names `{uid}`, which does not exist"
            )));
        }
    }
    Ok(context)
}

/// The attributes of an entity that a request sets, as far as the schema marks them with `@from_request`.
pub(super) fn set_by(served: &Served, uid: &EntityUid, asked: &AskedEntity) -> Vec<SetAttribute> {
    let marked = served.names.settable(uid.type_name());
    let (Some(marked), Some(properties)) = (marked, &asked.properties) else {
        return Vec::new();
    };
    let given = properties.iter().filter(|(_, value)| !value.is_null());
    let given = given.filter(|(name, _)| marked.contains(*name));
    given
        .map(|(name, value)| SetAttribute {
            entity: uid.clone(),
            name: name.clone(),
            value: value.clone(),
        })
        .collect()
}
