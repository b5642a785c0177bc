//! The access review in Markdown.

use super::row::rows;
use super::{LISTED, because, refuses};
use crate::matrix::in_markdown;
use crate::table::Table;
use crate::tally::{digits, first, some, tally};
use crate::words::counted;
use tarbac_analysis::access_review::{AccessReview, Redundancy};
use tarbac_analysis::explain::Named;

/// The totals, and a table each of roles, of redundant assignments, and of people.
pub fn markdown(review: &AccessReview) -> String {
    let mut text = totals(review);
    text.push_str(&obstacles(review));
    roles(&mut text, review);
    assignments(&mut text, review);
    people(&mut text, review);
    text
}

fn totals(review: &AccessReview) -> String {
    let totals = &review.totals;
    let mut text = format!(
        "**{} of {} can do something**: {} of {} are allowed, of which {} cannot be reached in the \
         admin center; {} are granted by a role, but refused; {} cannot be made.\n",
        digits(totals.people_allowed),
        counted(totals.people, "account"),
        digits(totals.allowed),
        counted(totals.decisions, "decision"),
        digits(totals.out_of_reach),
        digits(totals.refused),
        digits(totals.unknown),
    );
    if totals.assignments_unlisted > 0 {
        text.push_str(&format!(
            "\nOf {}, {} are not judged, because members of them are not known.\n",
            counted(totals.assignments, "assignment"),
            digits(totals.assignments_unlisted),
        ));
    }
    text
}

/// The policies that refuse granted permissions, as a list.
fn obstacles(review: &AccessReview) -> String {
    let mut text = String::new();
    for obstacle in &review.obstacles {
        let (says, counts) = (in_markdown(&obstacle.says), in_markdown(&refuses(obstacle)));
        text.push_str(&format!("\n- {says} {counts}"));
        if let Some(advice) = &obstacle.advice {
            text.push_str(&format!(". {}", in_markdown(advice)));
        }
        if let Some(accounts) = &obstacle.accounts {
            let names: Vec<&str> = accounts.people.iter().map(|of| of.name.as_str()).collect();
            let (called, names) = (
                in_markdown(&accounts.called),
                in_markdown(&names.join(", ")),
            );
            text.push_str(&format!(" {called}: {names}."));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn roles(text: &mut String, review: &AccessReview) {
    let rows = review.roles.iter().map(|role| {
        let counts = [role.people, role.people_allowed, role.allowed, role.refused];
        let counts = counts.map(digits).into_iter();
        std::iter::once(role.entity.name.clone())
            .chain(counts)
            .collect()
    });
    table(
        text,
        &["role", "accounts", "can use it", "allowed", "refused"],
        rows,
    );
}

fn assignments(text: &mut String, review: &AccessReview) {
    let rows = review.assignments.iter().map(|of| {
        let roles: Vec<&Named> = of.roles.iter().collect();
        let gives = match of.redundancy {
            Redundancy::Nothing => "nothing",
            Redundancy::Repeats => "what others give",
            Redundancy::Withheld => "nothing here",
            Redundancy::Suspended => "nothing more now",
        };
        let from = of.from.as_ref().map(|from| from.name.clone());
        vec![
            gives.to_owned(),
            from.unwrap_or_default(),
            digits(of.people),
            of.to.name.clone(),
            some(&roles, LISTED),
            because(of).unwrap_or_default(),
        ]
    });
    const HEADINGS: &[&str] = &[
        "gives",
        "members",
        "accounts",
        "assignment",
        "roles",
        "because",
    ];
    table(text, HEADINGS, rows);
}

fn people(text: &mut String, review: &AccessReview) {
    let rows = review.people.iter().flat_map(|holder| {
        let people: Vec<&Named> = holder.people.iter().collect();
        let who = some(&people, LISTED);
        rows(holder).into_iter().map(move |row| {
            vec![
                who.clone(),
                first(&row.actions, usize::MAX),
                row.status.as_ref().to_owned(),
                digits(row.count),
                digits(row.of),
                tally(row.under, LISTED),
                row.ways(false).join("; "),
                row.with().unwrap_or_default(),
                row.reasons(false).unwrap_or_default(),
            ]
        })
    });
    const HEADINGS: &[&str] = &[
        "who",
        "permissions",
        "",
        "devices",
        "of",
        "in",
        "through",
        "with",
        "because",
    ];
    table(text, HEADINGS, rows);
}

/// A table; nothing where it has no rows.
fn table(
    text: &mut String,
    headings: &'static [&'static str],
    rows: impl Iterator<Item = Vec<String>>,
) {
    let table = Table::new(headings, rows).markdown();
    if !table.is_empty() {
        text.push('\n');
        text.push_str(&table);
    }
}
