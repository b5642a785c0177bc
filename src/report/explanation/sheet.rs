//! An explanation as a table: a row for each condition, path and change.

use super::{chain, typed};
use crate::table::Table;
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::explain::{DecisionReasons, ExplainedCondition, Explanation, Rule, Truth};

const COLUMNS: &[&str] = &["part", "policy", "text", "holds", "read"];

/// The explanation as comma-separated values. The column `part` says what a row is: the decision, the authority, a rule
/// that grants or refuses, a path, a role, what the admin center says, or a change that would reverse the decision.
///
/// # Errors
/// The rows cannot be written, which does not happen in memory.
pub fn csv(explanation: &Explanation, premises: &Premises) -> Result<String, csv::Error> {
    let mut rows = Vec::new();
    let outcome = &explanation.answer.outcome;
    rows.push(row(
        "decision",
        &outcome.policies.join(" "),
        outcome.decision.word(),
    ));
    let errors = outcome.errors.iter();
    rows.extend(errors.map(|error| row("error", "", error)));
    if let Some(authority) = &explanation.authority {
        rule(&mut rows, "authority", authority);
    }
    reasons(&mut rows, &explanation.why);
    for refusal in &explanation.answer.refusals {
        if let Some(message) = &refusal.message {
            rows.push(row("message", "", message));
        }
    }
    let remedies = explanation.remedies.iter();
    for alternative in remedies.flat_map(|remedies| &remedies.alternatives) {
        let sentences: Vec<&str> = alternative.iter().map(|of| of.sentence.as_str()).collect();
        rows.push(row("change", "", &sentences.join(", and ")));
    }
    for notice in &explanation.answer.notices {
        rows.push(row("notice", &notice.from, &notice.message));
    }
    Table::new(COLUMNS, rows.into_iter()).csv(premises)
}

fn reasons(rows: &mut Vec<Vec<String>>, why: &DecisionReasons) {
    match why {
        DecisionReasons::Permitted(grants, supports) => {
            for grant in grants {
                rule(rows, "grant", &grant.rule);
                let paths = grant.paths.iter();
                rows.extend(paths.map(|path| row("path", &grant.rule.policy, &chain(path))));
            }
            let supports = supports.iter();
            rows.extend(supports.map(|support| row("support", "", &support.sentence)));
        }
        DecisionReasons::Forbidden(rules) => {
            rules.iter().for_each(|of| rule(rows, "refusal", of));
        }
        DecisionReasons::NotPermitted(groups) => {
            let giving = groups.giving.iter();
            rows.extend(giving.map(|of| row("role that gives it", "", &typed(&of.entity))));
            let held = groups.held.iter();
            rows.extend(held.map(|of| row("role that is held", "", &typed(&of.entity))));
        }
        DecisionReasons::Indeterminate => {}
    }
}

/// A row that is no condition.
fn row(part: &str, policy: &str, text: &str) -> Vec<String> {
    [part, policy, text, "", ""].map(str::to_owned).to_vec()
}

/// The rows of a policy: what it says, and its conditions.
fn rule(rows: &mut Vec<Vec<String>>, part: &str, of: &Rule) {
    rows.push(row(part, &of.policy, of.doc.as_deref().unwrap_or_default()));
    let conditions = of.clauses.iter().flat_map(|clause| &clause.parts);
    rows.extend(conditions.map(|condition| judged(&of.policy, condition)));
}

fn judged(policy: &str, condition: &ExplainedCondition) -> Vec<String> {
    let holds = match &condition.truth {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Error(error) => error,
        Truth::NotJudged => "",
    };
    let read = condition.facts.iter();
    let read: Vec<String> = read.map(ToString::to_string).collect();
    vec![
        "condition".to_owned(),
        policy.to_owned(),
        condition.text.clone(),
        holds.to_owned(),
        read.join("; "),
    ]
}
