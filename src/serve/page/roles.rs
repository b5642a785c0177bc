//! The view *Roles and permissions*: the permissions of each role, as a picture.

use maud::{Markup, html};
use tarbac_analysis::inquiry::{self, MatrixInquiry};
use tarbac_analysis::matrix::{Block, Cell, Mark, Matrix};
use tarbac_report::html::{HeatCell, HeatMap, Shown, TextField, Tone};
use tarbac_report::matrix;

use super::parts::{Window, form, or_refused, supposing};
use super::view::{Answer, TABLE, View, ViewRequest};
use crate::explore::{Question, Typed, add_suppositions, matrix_inquiry};
use crate::fault::Fault;

/// The most people and things of a matrix that is shown; files have more.
const SHOWN: usize = 200;

pub(super) fn answer(asked: &ViewRequest) -> Result<Answer, Fault> {
    let field = |name, label, placeholder, find, value: &str| {
        TextField {
            name,
            label,
            value,
            placeholder,
            hint: "",
            wrong: "",
            find,
            is_wide: true,
        }
        .markup()
    };
    let fields = html! {
        (field("principal", "Of this person, in place of roles", "ada@contoso.example", "principal", &asked.given.first("principal")))
        (field("resource", "On this device or tenant", "WS-BER-014", "resource", &asked.given.first("resource")))
    };
    let fields = form(asked, &asked.suppositions(), &fields, "Show");
    or_refused(fields.clone(), shown(asked, fields))
}

fn shown(asked: &ViewRequest, fields: Markup) -> Result<Answer, Fault> {
    let mut given = asked.given.clone();
    let format = given.text("format")?;
    let page = given.number("page")?;
    if format.as_deref() == Some("json") {
        let document = Question::Matrix.document(&asked.served, given)?;
        return Ok(Answer::json("matrix", document));
    }
    let (suppositions, supposed) = asked.supposed(&mut given)?;
    let inquiry = matrix_inquiry(&mut given)?;
    given.finish()?;
    let engine = &supposed.engine;
    let table = inquiry::matrix(engine, &inquiry)?;
    if format.is_some() {
        return Answer::csv("matrix", matrix::csv(&table, &supposed.premises));
    }
    let mut typed = Typed::new("matrix");
    let values = [
        ("principal", &inquiry.principals),
        ("resource", &inquiry.resources),
    ];
    for (name, values) in values {
        values.iter().for_each(|value| typed.value(name, value));
    }
    add_suppositions(&mut typed, &suppositions);
    let main = html! {
        (fields)
        (supposing(asked, &supposed.premises, &asked.suppositions()))
        (legend(&inquiry))
        (blocks(asked, &table, page))
        @if !table.others.is_empty() {
            p.quiet { "Permits of no single role: " (Shown(&table.others.join(", "))) }
        }
    };
    Ok(Answer::Page(View {
        equal: Some(asked.equal(&typed, "/api/v1/matrix")),
        formats: TABLE,
        ..View::new(main)
    }))
}

fn legend(inquiry: &MatrixInquiry) -> Markup {
    let is_of_roles = inquiry.principals.is_empty() && inquiry.resources.is_empty();
    html! {
        p {
            @match is_of_roles {
                true => "Each cell says whether the policies in force give the permission to the role. Point at one to see the policy.",
                false => "Each cell is a decision. Point at one to see the policies that determine it.",
            }
        }
    }
}

fn blocks(asked: &ViewRequest, table: &Matrix, page: Option<usize>) -> Markup {
    let window = Window::with_rows(page, table.blocks.len(), 5);
    html! {
        @for block in window.of_list(&table.blocks) { (picture(table, block)) }
        (window.pager(asked))
    }
}

fn picture(table: &Matrix, block: &Block) -> Markup {
    let columns: Vec<&str> = block.columns.iter().map(|of| of.name.as_str()).collect();
    let rows = block.rows.iter().take(SHOWN).map(|row| {
        let cells = row.cells.iter().zip(&columns);
        let cells = cells.map(|(cell, column)| heat(table, cell, &row.heading.name, column));
        (html! { (Shown(&row.heading.name)) }, cells.collect())
    });
    let rows = rows.collect();
    let caption = match &block.resource {
        Some(resource) => format!("What people may do on {}", resource.name),
        None => "Permissions of roles".to_owned(),
    };
    let what = if block.resource.is_some() {
        "Person"
    } else {
        "Permission"
    };
    let more = block.rows.len().saturating_sub(SHOWN);
    html! {
        (HeatMap { caption: &caption, what, columns: &columns, rows }.markup())
        @if more > 0 { p.quiet { (more) " more rows are in the CSV." } }
    }
}

fn heat(table: &Matrix, cell: &Cell, row: &str, column: &str) -> HeatCell {
    let (tone, share, text, word) = match cell.mark {
        Mark::Yes => (Tone::Good, 1.0, "✓", "yes"),
        Mark::Conditional => (Tone::Good, 0.25, "(✓)", "under conditions"),
        Mark::No => (Tone::Neutral, 0.0, "", "no"),
        Mark::Indeterminate => (Tone::Open, 1.0, "?", "cannot be decided"),
    };
    let policies: Vec<String> = cell
        .policies
        .iter()
        .map(|id| match table.says.get(id) {
            Some(says) => format!("{id}: {says}"),
            None => id.clone(),
        })
        .collect();
    let by = if policies.is_empty() {
        String::new()
    } else {
        format!(" ({})", policies.join("; "))
    };
    HeatCell {
        tone,
        share,
        text: text.to_owned(),
        words: format!("{row}, {column}: {word}{by}"),
        href: None,
    }
}
