//! A matrix as heat maps in a document of HTML.

use maud::{Markup, html};

use crate::html::{Colophon, HeatCell, HeatMap, Icon, Shown, Tone, message};
use crate::premises;
use crate::tally::digits;
use crate::words::counted;
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::matrix::{Block, Cell, Line, Mark, Matrix, others};
use tarbac_host::engine::Engine;

/// The most cells of a document, about 8 MB.
const CELLS: usize = 30_000;

/// A self-contained document, for readers without tarbac. It stays below 10 MB, and says what it leaves out.
pub fn html(matrix: &Matrix, premises: &Premises, colophon: &Colophon, engine: &Engine) -> String {
    let (maps, left_out) = heat_maps(matrix, CELLS);
    let title = match matrix.blocks.first() {
        Some(Block { resource: None, .. }) | None => "Roles and permissions",
        Some(_) => "Who may do what",
    };
    let main = html! {
        p.lead { (Shown(&format!("{}{}.", premises::opening(premises), counts(matrix)))) }
        (maps)
        @if left_out > 0 {
            (message(Tone::Brand, &format!("Left out here: {}", counted(left_out, "row")), &html! {
                p { "Everything, for a spreadsheet: " code { (Shown(&colophon.whole("csv"))) } }
            }))
        }
        @if let Some(others) = others(matrix) { p.quiet { (Shown(&others)) } }
    };
    let made = (&[&**engine.provenance()][..], &[engine][..]);
    colophon.document(title, Icon::Matrix, &main, made)
}

/// What the matrix shows, as the end of a sentence.
fn counts(matrix: &Matrix) -> String {
    let cells = || {
        matrix
            .blocks
            .iter()
            .flat_map(|block| &block.rows)
            .flat_map(|row| &row.cells)
    };
    let allowed = cells()
        .filter(|cell| matches!(cell.mark, Mark::Yes | Mark::Conditional))
        .count();
    let all = cells().count();
    format!(
        "{} of {} are allowed",
        digits(allowed as u64),
        counted(all, "decision")
    )
}

/// A heat map for each block, with at most so many cells, and the number of rows that are left out.
pub fn heat_maps(matrix: &Matrix, most: usize) -> (Markup, usize) {
    let (mut room, mut left_out) = (most, 0);
    let mut maps = Vec::new();
    for block in &matrix.blocks {
        let fitting = room / block.columns.len().max(1);
        let shown = block.rows.get(..fitting).unwrap_or(&block.rows);
        left_out += block.rows.len() - shown.len();
        room -= (shown.len() * block.columns.len()).min(room);
        if !shown.is_empty() {
            maps.push(heat_map(block, shown));
        }
    }
    let maps = html! {
        (legend())
        @for map in &maps { (map) }
    };
    (maps, left_out)
}

fn heat_map(block: &Block, rows: &[Line]) -> Markup {
    let columns: Vec<&str> = block.columns.iter().map(|of| of.name.as_str()).collect();
    let rows = rows.iter().map(|row| {
        let cells = row.cells.iter().zip(&columns);
        let cells = cells.map(|(cell, column)| heat_cell(cell, &row.heading.name, column));
        (html! { (Shown(&row.heading.name)) }, cells.collect())
    });
    let (caption, what) = match &block.resource {
        None => ("Permissions by role", "Permission"),
        Some(resource) => (resource.name.as_str(), "Account"),
    };
    let map = HeatMap {
        caption,
        what,
        columns: &columns,
        rows: rows.collect(),
    };
    map.markup()
}

fn heat_cell(cell: &Cell, row: &str, column: &str) -> HeatCell {
    let (tone, share, text, word) = match cell.mark {
        Mark::Yes => (Tone::Good, 1.0, "✓", "allowed"),
        Mark::Conditional => (Tone::Good, 0.2, "✓*", "allowed under conditions"),
        Mark::No if cell.policies.is_empty() => (Tone::Neutral, 0.0, "", "not allowed"),
        Mark::No => (Tone::Bad, 0.4, "×", "refused"),
        Mark::Indeterminate => (Tone::Open, 0.6, "?", "indeterminate"),
    };
    let by = match cell.policies.as_slice() {
        [] => String::new(),
        policies => format!(" by {}", policies.join(", ")),
    };
    HeatCell {
        tone,
        share,
        text: text.to_owned(),
        words: format!("{row}, {column}: {word}{by}"),
        href: None,
    }
}

fn legend() -> Markup {
    let signs = [
        ("✓", "allowed"),
        ("✓*", "allowed under conditions"),
        ("×", "refused by a policy"),
        ("?", "indeterminate"),
        ("empty", "no policy permits it"),
    ];
    html! { ul.legend aria-label="Signs" { @for (sign, says) in signs { li { b { (sign) } " " (says) } } } }
}
