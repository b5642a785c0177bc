//! Inquiries: questions with names as people type them, for commands and over HTTP.
//!
//! Each function finds the names that it is given, asks, and returns the result as data. Commands and the endpoints of
//! the server both go through here, so that neither answers otherwise than the other.

mod comparison;
mod context;
mod scope;

use cedar_policy::{Context, EntityUid};
use miette::Diagnostic;
use thiserror::Error;

use crate::access_review::Review;
use crate::explain::{Labels, Named};
use crate::matrix::Matrix;
use crate::who_what::{What, Who};
use tarbac_diagnostic::finding::Finding;
use tarbac_host::bundle::Action;
use tarbac_host::decision::Request;
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, Name, NameError, RequestPart};

pub use comparison::{
    Compared, ComparisonInquiry, InquiryStep, Naming, Progress, RolesInquiry, compare,
};
pub use context::{ContextInquiry, check_context, context, timed};
pub use scope::ScopeInquiry;

/// The most cells of a matrix.
const MOST_CELLS: usize = 1_000_000;

/// Why an inquiry has no answer.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum InquiryError {
    /// A name means nothing, or several things.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Name(#[from] NameError),
    /// The context is none of the schema.
    #[error("{0}")]
    #[diagnostic(
        code(arguments::invalid),
        help(
            "the context of an action is in the schema; for example --context '{{\"now\": \"2026-11-23T08:05:00Z\"}}'"
        )
    )]
    Context(String),
    /// A matrix would have too many cells.
    #[error(
        "{principals} principals on {resources} resources are up to {cells} cells, more than the {MOST_CELLS} of one matrix"
    )]
    #[diagnostic(
        code(arguments::invalid),
        help("name fewer with --principal and --resource, or decide them with check --requests")
    )]
    TooManyCells {
        /// The people.
        principals: usize,
        /// The devices and tenants.
        resources: usize,
        /// The cells.
        cells: usize,
    },
    /// Changes that cannot be made, or a plan that cannot.
    #[error("{}", .0.first().map_or("", |finding| finding.message.as_str()))]
    Findings(Vec<Finding>),
}

/// The request that a person, a permission and a resource make.
///
/// # Errors
/// A name means nothing or several things, or the context is none of the schema.
pub fn request(
    engine: &Engine,
    parts: [&str; 3],
    given: &ContextInquiry,
) -> Result<Request, InquiryError> {
    let names = Lookup::new(engine);
    let [principal, action, resource] = parts.map(Name::from);
    let action = names.action(&action)?;
    let suggest = |error| names.suggest(error, Some(action));
    Ok(Request {
        principal: names.principal(action, &principal).map_err(suggest)?,
        resource: names.resource(action, &resource).map_err(suggest)?,
        context: context(engine, &action.uid, given)?,
        action: action.uid.clone(),
    })
}

/// The question who has a permission.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WhoInquiry {
    /// The permission.
    pub action: String,
    /// The device or tenant.
    pub resource: String,
    /// Whether people are listed apart who are allowed it after an activation.
    pub eligible: bool,
    /// The context.
    pub context: ContextInquiry,
}

/// The people who have a permission, and what was asked in words. At most `named` people with the same reasons of a
/// refusal are named.
///
/// # Errors
/// A name means nothing or several things, or the context is none of the schema.
pub fn who(
    engine: &Engine,
    asked: &WhoInquiry,
    named: usize,
) -> Result<(Who, String), InquiryError> {
    let names = Lookup::new(engine);
    let action = names.action(&Name::from(asked.action.as_str()))?;
    let resource = names
        .resource(action, &Name::from(asked.resource.as_str()))
        .map_err(|error| names.suggest(error, Some(action)))?;
    let context = context(engine, &action.uid, &asked.context)?;
    let who = match asked.eligible {
        true => Who::with_eligible(engine, action, &resource, named, &context),
        false => Who::new(engine, action, &resource, named, &context),
    };
    let in_words = format!("{} on {}", action.short_name(), names.name_of(&resource));
    Ok((who, in_words))
}

/// The question what a person may do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WhatInquiry {
    /// The person.
    pub principal: String,
    /// The device or tenant; `None` for all.
    pub resource: Option<String>,
    /// The context.
    pub context: ContextInquiry,
}

/// The permissions of a person, and the person. At most `named` resources with equal decisions are named.
///
/// # Errors
/// A name means nothing or several things, or the context does not fit every action.
pub fn what(
    engine: &Engine,
    asked: &WhatInquiry,
    named: usize,
) -> Result<(What, Named), InquiryError> {
    let names = Lookup::new(engine);
    let principal = names
        .any_principal(&Name::from(asked.principal.as_str()))
        .map_err(|error| names.suggest(error, None))?;
    let resource = asked.resource.as_deref().map(|resource| {
        let resource = names.any_resource(&Name::from(resource));
        resource.map_err(|error| names.suggest(error, None))
    });
    let resource = resource.transpose()?;
    // A context must fit every action.
    let mut contexts = Vec::new();
    for action in engine.bundle().vocabulary().permissions() {
        contexts.push((&action.uid, context(engine, &action.uid, &asked.context)?));
    }
    let what = What::new(engine, &principal, resource.as_ref(), named, |action| {
        let known = contexts.iter().find(|(uid, _)| **uid == action.uid);
        known.map_or_else(Context::empty, |(_, context)| context.clone())
    });
    let called = Named {
        name: names.name_of(&principal),
        uid: principal,
    };
    Ok((what, called))
}

/// The rows and blocks of a matrix, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MatrixInquiry {
    /// The people; with resources alone, everybody.
    pub principals: Vec<String>,
    /// The devices and tenants; with people alone, all of them.
    pub resources: Vec<String>,
    /// Everybody on everything.
    pub all: bool,
    /// The context.
    pub context: ContextInquiry,
}

/// What each role permits, or what people may do.
///
/// # Errors
/// A name means nothing or several things, or there are too many cells.
pub fn matrix(engine: &Engine, asked: &MatrixInquiry) -> Result<Matrix, InquiryError> {
    if !asked.all && asked.principals.is_empty() && asked.resources.is_empty() {
        return Ok(Matrix::of_roles(engine));
    }
    let names = Lookup::new(engine);
    let principals = chosen(&names, RequestPart::Principal, &asked.principals)?;
    let resources = chosen(&names, RequestPart::Resource, &asked.resources)?;
    let permissions = engine.bundle().vocabulary().permissions().count();
    let cells = principals
        .len()
        .saturating_mul(resources.len())
        .saturating_mul(permissions);
    if cells > MOST_CELLS {
        return Err(InquiryError::TooManyCells {
            principals: principals.len(),
            resources: resources.len(),
            cells,
        });
    }
    let permissions = engine.bundle().vocabulary().permissions();
    let columns = permissions.map(|action| (action, or_empty(engine, action, &asked.context)));
    let columns = columns.collect();
    Ok(Matrix::in_context(engine, &principals, columns, &resources))
}

/// The named entities, or all of a kind.
fn chosen(
    names: &Lookup<'_>,
    part: RequestPart,
    named: &[String],
) -> Result<Vec<EntityUid>, InquiryError> {
    if named.is_empty() {
        return Ok(names.all(part));
    }
    let found = named.iter().map(|text| {
        let name = Name::from(text.as_str());
        let found = match part {
            RequestPart::Resource => names.any_resource(&name),
            RequestPart::Principal | RequestPart::Action => names.any_principal(&name),
        };
        found.map_err(|error| names.suggest(error, None).into())
    });
    found.collect()
}

/// A review of all people and resources, ready to be made.
///
/// # Errors
/// The context does not fit every action.
pub fn review<'e>(engine: &'e Engine, given: &ContextInquiry) -> Result<Review<'e>, InquiryError> {
    check_context(engine, given)?;
    Ok(Review::new(engine, |action| {
        or_empty(engine, action, given)
    }))
}

/// The context of an action; an empty one where it does not fit.
fn or_empty(engine: &Engine, action: &Action, given: &ContextInquiry) -> Context {
    context(engine, &action.uid, given).unwrap_or_else(|_| Context::empty())
}

/// An entity, and what people call it in results.
pub fn named(engine: &Engine, uid: &EntityUid) -> Named {
    Labels::new(engine).named(uid)
}
