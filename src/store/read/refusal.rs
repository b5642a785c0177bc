//! Refusals of entities, and a limit on the number of findings.

use std::collections::BTreeMap;

use tarbac_diagnostic::code::Code;
use tarbac_diagnostic::finding::{Finding, Label, Severity};
use tarbac_diagnostic::printable::short;
use tarbac_diagnostic::source::Place;

/// The most findings that are kept of one code.
pub(crate) const KEPT: usize = 100;

/// Findings by code, at most [`KEPT`] of each.
#[derive(Default)]
pub(crate) struct Tally {
    kept: BTreeMap<Code, Vec<Finding>>,
    left_out: BTreeMap<Code, LeftOut>,
}

struct LeftOut {
    count: u64,
    first: Option<Place>,
}

impl Tally {
    /// Whether another finding of this code would be kept. It must be added in either case, so that it is counted.
    pub(crate) fn has_room(&self, code: &Code) -> bool {
        self.kept.get(code).is_none_or(|kept| kept.len() < KEPT)
    }

    /// Keeps an error, or counts it if there is no room.
    pub(crate) fn add(
        &mut self,
        code: Code,
        message: impl FnOnce() -> String,
        help: Option<String>,
        labels: impl IntoIterator<Item = Label>,
    ) {
        if self.has_room(&code) {
            let finding = Finding {
                code: code.clone(),
                severity: Severity::Error,
                message: short(message()),
                help: help.map(short),
                labels: labels.into_iter().collect(),
            };
            self.kept.entry(code).or_default().push(finding);
        } else {
            let first = labels.into_iter().next().map(|label| label.place);
            self.leave_out(code, 1, first);
        }
    }

    fn leave_out(&mut self, code: Code, count: u64, first: Option<Place>) {
        let left_out = self
            .left_out
            .entry(code)
            .or_insert(LeftOut { count: 0, first });
        left_out.count += count;
    }

    /// Adds the findings about a later part of the files.
    pub(crate) fn append(&mut self, other: Self) {
        for (code, findings) in other.kept {
            for finding in findings {
                if self.has_room(&code) {
                    self.kept.entry(code.clone()).or_default().push(finding);
                } else {
                    let first = finding.labels.into_iter().next();
                    self.leave_out(code.clone(), 1, first.map(|label| label.place));
                }
            }
        }
        for (code, left_out) in other.left_out {
            self.leave_out(code, left_out.count, left_out.first);
        }
    }

    /// The findings in their order, and one more for each code with findings that were not kept.
    pub(crate) fn into_findings(self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.kept.into_values().flatten().collect();
        for (code, left_out) in self.left_out {
            let count = left_out.count;
            let message = format!("{count} more findings like the {KEPT} shown");
            let mut finding = Finding::error(code, message);
            if let Some(place) = left_out.first {
                finding = finding.label(place, "the first of them");
            }
            findings.push(finding);
        }
        tarbac_diagnostic::finding::sort(&mut findings);
        findings
    }
}

/// A problem of one entity, before its place and the name of the entity are known.
pub(crate) struct Problem {
    /// The code of the finding.
    pub(crate) code: Code,
    /// The names of the attributes around the problem, the innermost first.
    pub(crate) path: Vec<String>,
    /// The problem, as a predicate after the name of the attribute or entity.
    pub(crate) what: String,
    /// The help of the finding.
    pub(crate) help: Option<String>,
}

impl Problem {
    /// A problem of the entity itself, without help.
    pub(crate) fn new(code: Code, what: impl Into<String>) -> Self {
        Self {
            code,
            path: Vec::new(),
            what: what.into(),
            help: None,
        }
    }

    /// Adds a help.
    pub(crate) fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    /// The message of the finding about `entity`.
    pub(crate) fn message(&self, entity: &str) -> String {
        let what = &self.what;
        if self.path.is_empty() {
            return format!("{entity} {what}");
        }
        let path: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
        format!("attribute `{}` of {entity} {what}", path.join("."))
    }
}

/// The uid as Cedar writes it, in backticks.
pub(crate) fn quoted(type_name: &str, id: &str) -> String {
    format!("`{type_name}::\"{}\"`", id.escape_debug())
}

/// The beginning of a text from a file, so that a message stays short.
pub(crate) fn clipped(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The longest text that a name is suggested for, in bytes. The comparison takes time in proportion to the length.
const LONGEST_NAME: usize = 500;

/// The candidate whose spelling is most like that of `text`, if one is similar enough.
pub(crate) fn nearest<'a>(
    text: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if text.len() > LONGEST_NAME {
        return None;
    }
    let (near, best) = candidates
        .into_iter()
        .map(|candidate| (likeness(text, candidate), candidate))
        .max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (near > 0.7).then_some(best)
}

fn likeness(one: &str, other: &str) -> f64 {
    if one.eq_ignore_ascii_case(other) {
        return 1.0;
    }
    strsim::normalized_damerau_levenshtein(one, other)
}
