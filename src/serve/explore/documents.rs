//! The documents of the commands, asked for with their arguments by name.

use axum::http::HeaderValue;
use form_urlencoded::Serializer;
use serde_json::{Map, Value, json};
use tarbac_analysis::explain::Named;
use tarbac_analysis::inquiry::{
    self, ContextInquiry, InquiryError, MatrixInquiry, WhatInquiry, WhoInquiry,
};
use tarbac_analysis::matrix::Heading;
use tarbac_report as render;
use tarbac_report::{explanation, matrix, who_what};

use super::arguments::Arguments;
use super::supposed::{Supposed, refused, supposed};
use crate::clock;
use crate::fault::Fault;
use crate::served::Served;

/// The part of a list that is wanted, if not all of it.
#[derive(Debug, Clone, Default)]
pub(super) struct ListPart {
    /// The most entries.
    limit: Option<usize>,
    /// The key of the last entry of the part before.
    after: Option<String>,
}

/// The place of a part in its list.
pub(super) struct ListPosition {
    /// The key to go on after; `None` at the end.
    next: Option<String>,
    total: usize,
}

/// A command that is asked for its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    Explain,
    Who,
    What,
    Matrix,
}

impl Question {
    /// The document.
    ///
    /// # Errors
    /// An argument is missing, unknown or wrong, or a name means nothing.
    pub(crate) fn document(self, served: &Served, mut given: Arguments) -> Result<String, Fault> {
        let flags = served.flags();
        let supposed = supposed(served, &given.suppositions(flags)?)?;
        match self {
            Self::Explain => explain(&supposed, given),
            Self::Who => who(&supposed, given),
            Self::What => what(&supposed, given),
            Self::Matrix => of_matrix(&supposed, given),
        }
    }
}

fn explain(supposed: &Supposed, mut given: Arguments) -> Result<String, Fault> {
    let engine = &supposed.engine;
    let (names, context) = explain_inquiry(&mut given)?;
    given.finish()?;
    let request = inquiry::request(engine, names.each_ref().map(String::as_str), &context);
    let request = request.map_err(|error| refused(&error))?;
    let explained = tarbac_analysis::explain(engine, &request);
    Ok(render::json(&explanation::wire(
        &explained,
        &supposed.premises,
    )))
}

/// The principal, the action and the resource of the question why, with the context, by its arguments.
///
/// # Errors
/// One is missing or wrong.
pub(crate) fn explain_inquiry(
    given: &mut Arguments,
) -> Result<([String; 3], ContextInquiry), Fault> {
    let names = [
        given.need("principal")?,
        given.need("action")?,
        given.need("resource")?,
    ];
    Ok((names, given.context()?))
}

fn who(supposed: &Supposed, mut given: Arguments) -> Result<String, Fault> {
    let asked = who_inquiry(&mut given)?;
    let part = ListPart::take(&mut given)?;
    // These change what people are shown, and not the document.
    given.flag("may-not")?;
    given.flag("all")?;
    given.finish()?;
    let found = inquiry::who(&supposed.engine, &asked, usize::MAX);
    let (mut who, _) = found.map_err(|error| refused(&error))?;
    let whole = part.cut(&mut who.may, |permitted| key(&permitted.principal))?;
    let provenance = supposed.engine.provenance();
    let document = who_what::document(&who, &supposed.premises, provenance);
    Ok(with_page(document, whole))
}

/// The question who, by its arguments.
///
/// # Errors
/// One is missing or wrong.
pub(crate) fn who_inquiry(given: &mut Arguments) -> Result<WhoInquiry, Fault> {
    Ok(WhoInquiry {
        action: given.need("action")?,
        resource: given.need("resource")?,
        eligible: given.flag("eligible")?,
        context: given.context()?,
    })
}

fn what(supposed: &Supposed, mut given: Arguments) -> Result<String, Fault> {
    let asked = what_inquiry(&mut given)?;
    let part = ListPart::take(&mut given)?;
    let named = match given.flag("all")? {
        true => usize::MAX,
        false => who_what::LISTED,
    };
    given.finish()?;
    let found = inquiry::what(&supposed.engine, &asked, named);
    let (mut what, called) = found.map_err(|error| refused(&error))?;
    let whole = part.cut(&mut what.alike, |alike| {
        alike.resources.first().map(key).unwrap_or_default()
    })?;
    let provenance = supposed.engine.provenance();
    let document = who_what::what_document(&what, &called, &supposed.premises, provenance);
    Ok(with_page(document, whole))
}

/// The question what, by its arguments.
///
/// # Errors
/// One is missing or wrong.
pub(crate) fn what_inquiry(given: &mut Arguments) -> Result<WhatInquiry, Fault> {
    Ok(WhatInquiry {
        principal: given.need("principal")?,
        resource: given.text("resource")?,
        context: given.context()?,
    })
}

fn of_matrix(supposed: &Supposed, mut given: Arguments) -> Result<String, Fault> {
    let asked = matrix_inquiry(&mut given)?;
    let part = ListPart::take(&mut given)?;
    given.finish()?;
    let found = inquiry::matrix(&supposed.engine, &asked);
    let mut table = found.map_err(|error| refused(&error))?;
    let mut whole = None;
    // The rows of every block are the same.
    for block in &mut table.blocks {
        let cut = part.cut(&mut block.rows, |row| heading(&row.heading))?;
        whole = whole.or(cut);
    }
    let provenance = supposed.engine.provenance();
    let document = matrix::document(&table, &supposed.premises, provenance);
    Ok(with_page(document, whole))
}

/// The rows and blocks of a matrix, by their arguments.
///
/// # Errors
/// One is wrong.
pub(crate) fn matrix_inquiry(given: &mut Arguments) -> Result<MatrixInquiry, Fault> {
    Ok(MatrixInquiry {
        principals: given.texts("principal")?,
        resources: given.texts("resource")?,
        all: given.flag("all")?,
        context: ContextInquiry::at(clock::datetime()),
    })
}

impl ListPart {
    pub(super) fn take(given: &mut Arguments) -> Result<Self, Fault> {
        Ok(Self {
            limit: given.number("limit")?,
            after: given.text("after")?,
        })
    }

    /// Whether all of the list is wanted.
    pub(super) fn is_whole(&self) -> bool {
        self.limit.is_none() && self.after.is_none()
    }

    /// Adds the part to the address of a list.
    pub(super) fn add_to(&self, address: Option<&mut HeaderValue>) {
        let Some(address) = address.filter(|_| !self.is_whole()) else {
            return;
        };
        let mut query = Serializer::new(String::new());
        if let Some(limit) = self.limit {
            query.append_pair("limit", &limit.to_string());
        }
        if let Some(after) = &self.after {
            query.append_pair("after", after);
        }
        let whole = address
            .to_str()
            .map(|path| format!("{path}?{}", query.finish()));
        if let Some(Ok(part)) = whole.ok().map(|whole| HeaderValue::from_str(&whole)) {
            *address = part;
        }
    }

    /// Leaves the entries of this part in a list; `None` where all of it is wanted.
    pub(super) fn cut<T>(
        &self,
        entries: &mut Vec<T>,
        key: impl Fn(&T) -> String,
    ) -> Result<Option<ListPosition>, Fault> {
        if self.is_whole() {
            return Ok(None);
        }
        let total = entries.len();
        if let Some(after) = &self.after {
            let last = entries.iter().position(|entry| key(entry) == *after);
            let last =
                last.ok_or_else(|| Fault::bad_request("`after` is no entry of this list"))?;
            entries.drain(..=last);
        }
        let limit = self.limit.unwrap_or(usize::MAX);
        let is_end = entries.len() <= limit;
        entries.truncate(limit);
        let last = entries.last().map(key);
        let next = if is_end { None } else { last };
        Ok(Some(ListPosition { next, total }))
    }
}

/// A document, with the key `page` where it is a part.
pub(super) fn with_page(document: String, whole: Option<ListPosition>) -> String {
    let (Some(whole), Ok(Value::Object(members))) = (whole, serde_json::from_str(&document)) else {
        return document;
    };
    let mut members: Map<String, Value> = members;
    let page = json!({"next": whole.next, "total": whole.total});
    members.insert("page".to_owned(), page);
    render::json(&members)
}

/// The key of an entry of a list.
pub(super) fn key(of: &Named) -> String {
    of.uid.to_string()
}

fn heading(of: &Heading) -> String {
    of.uid.to_string()
}

impl From<InquiryError> for Fault {
    fn from(error: InquiryError) -> Self {
        refused(&error)
    }
}
