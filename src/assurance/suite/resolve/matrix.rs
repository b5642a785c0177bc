//! The matrices of a suite: expectations in a table.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy::{Context, EntityUid};
use serde_saphyr::Spanned;

use super::expectation::{expected, invalid_name, pairs, request};
use super::{Resolver, Scope};
use crate::suite::document;
use crate::suite::lookup::SuiteLookup;
use crate::suite::{Case, Check, Expected, error};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::bundle::Action;
use tarbac_host::engine::Engine;
use tarbac_host::lookup::RequestPart;
use tarbac_host::yaml::place;

/// The expectations of the words of a legend.
type Legend<'a> = BTreeMap<&'a str, Arc<Expected>>;

impl<'a> Resolver<'a> {
    pub(super) fn matrix(
        &mut self,
        scope: &Scope<'a, '_>,
        matrix: &'a document::Matrix,
    ) -> Option<Case> {
        let setting = self.setting(scope, matrix.given.as_ref())?;
        let engine = self.settings.engine(setting)?;
        let mut findings = Vec::new();
        let mut lookup = SuiteLookup::new(engine, self.known.entry(setting).or_default());
        let source = scope.source;
        let legend = legend(scope, engine, matrix, &mut findings);
        let columns = columns(scope, &mut lookup, matrix, &mut findings);
        let mut checks = Vec::new();
        findings.extend(invalid_name(source, &matrix.name));
        if matrix.table.0.is_empty() {
            findings.push(error(
                code::suite::TABLE,
                "the table is empty",
                place(source, matrix.name.referenced),
                "of this one",
            ));
        }
        for (resource, rows) in &matrix.table.0 {
            if rows.0.is_empty() {
                findings.push(error(
                    code::suite::TABLE,
                    "there is no row",
                    place(source, resource.referenced),
                    "for this one",
                ));
            }
            for (principal, cells) in &rows.0 {
                let words = words(source, cells);
                if words.len() != columns.len() {
                    findings.push(wrong_length(source, cells, words.len(), columns.len()));
                    continue;
                }
                for (word, column) in words.into_iter().zip(&columns) {
                    let entities = (principal, resource);
                    checks.extend(cell(
                        scope,
                        &mut lookup,
                        &legend,
                        entities,
                        word,
                        column,
                        &mut findings,
                    ));
                }
            }
        }
        self.findings.extend(findings);
        Some(Case {
            name: matrix.name.value.clone(),
            place: place(source, matrix.name.referenced),
            setting,
            checks,
        })
    }
}

fn legend<'a>(
    scope: &Scope<'a, '_>,
    engine: &Engine,
    matrix: &'a document::Matrix,
    findings: &mut Vec<Finding>,
) -> Legend<'a> {
    let entries = matrix.legend.0.iter();
    entries
        .map(|(word, entry)| {
            let because = Some(entry.because.as_slice());
            let expected = expected(scope, engine, entry.expect, because, findings);
            (word.value.as_str(), expected)
        })
        .collect()
}

/// The actions of the columns, with the contexts of their requests.
fn columns<'e>(
    scope: &Scope<'_, '_>,
    lookup: &mut SuiteLookup<'e>,
    matrix: &document::Matrix,
    findings: &mut Vec<Finding>,
) -> Vec<(&'e Action, Context)> {
    let actions = lookup.actions(scope, &matrix.actions.0, findings);
    let context = matrix.context.as_ref().or(scope.context);
    actions
        .into_iter()
        .map(|action| (action, lookup.context(scope, action, context, findings)))
        .collect()
}

/// The checks of a cell: one for each principal and resource that its row and block name.
fn cell(
    scope: &Scope<'_, '_>,
    lookup: &mut SuiteLookup<'_>,
    legend: &Legend<'_>,
    (principal, resource): (&Spanned<String>, &Spanned<String>),
    (word, at): (&str, Place),
    (action, context): &(&Action, Context),
    findings: &mut Vec<Finding>,
) -> Vec<Check> {
    let Some(expected) = legend.get(word) else {
        let message = format!("`{word}` is not in the legend");
        let mut finding = error(code::suite::TABLE, message, at, "this cell");
        let known: Vec<&str> = legend.keys().copied().collect();
        finding.help = Some(format!("the legend has: {}", known.join(", ")));
        findings.push(finding);
        return Vec::new();
    };
    let one = std::slice::from_ref;
    let principals = lookup.entities(
        scope,
        RequestPart::Principal,
        action,
        one(principal),
        findings,
    );
    let resources = lookup.entities(
        scope,
        RequestPart::Resource,
        action,
        one(resource),
        findings,
    );
    let check = |principal: &EntityUid, resource: &EntityUid| Check {
        request: request(principal, action, resource, context),
        expected: Arc::clone(expected),
        place: at.clone(),
    };
    pairs(&principals, &resources, check).collect()
}

fn wrong_length(
    source: &Arc<Source>,
    cells: &Spanned<String>,
    words: usize,
    columns: usize,
) -> Finding {
    error(
        code::suite::TABLE,
        format!("the row has {words} cells, and the table {columns} columns"),
        place(source, cells.referenced),
        "this row",
    )
    .help("every cell is stated: a word of the legend for each permission")
}

/// The words of a row, each with its place.
fn words<'s>(source: &'s Arc<Source>, cells: &'s Spanned<String>) -> Vec<(&'s str, Place)> {
    let row = place(source, cells.referenced);
    let start = usize::try_from(row.start).unwrap_or_default();
    let end = usize::try_from(row.end).unwrap_or_default();
    let text = source.text().get(start..end).unwrap_or_default();
    let mut from = 0;
    cells
        .value
        .split_whitespace()
        .map(|word| {
            let at = text
                .get(from..)
                .and_then(|rest| rest.find(word))
                .map(|offset| from + offset);
            let place = match at {
                Some(at) => {
                    from = at + word.len();
                    Place::new(source, start + at..start + at + word.len())
                }
                None => row.clone(),
            };
            (word, place)
        })
        .collect()
}
