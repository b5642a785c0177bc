//! Pictures: bars, a heat map, a chain.
//!
//! Numbers and names stand in the document as text, so that a picture is read out, searched and copied like a table.

use maud::{Markup, html};

use super::icon::{Icon, icon};
use super::text::{Count, Shown};
use super::tone::Tone;

/// The length of the longest bar, in units of the drawing.
const WIDTH: f64 = 1000.0;

/// The height of a drawing of a bar.
const HEIGHT: u32 = 16;

/// Bars, one below the other.
#[derive(Debug)]
pub struct Bars<'a> {
    /// The title.
    pub caption: &'a str,
    /// The heading of the names.
    pub what: &'a str,
    /// What the parts of each bar count, with their tones.
    pub series: &'a [(&'a str, Tone)],
    /// The bars.
    pub rows: Vec<BarRow<'a>>,
}

/// A bar: a name, the address of what it counts, and a number for each series.
#[derive(Debug)]
pub struct BarRow<'a> {
    /// The name.
    pub name: &'a str,
    /// The address, if any.
    pub href: Option<String>,
    /// The numbers.
    pub counts: Vec<u64>,
}

impl Bars<'_> {
    /// Bars whose parts follow each other from the left.
    pub fn stacked(&self) -> Markup {
        let most = self.rows.iter().map(|row| row.counts.iter().sum()).max();
        self.table(most.unwrap_or(0), |row, most| {
            let mut from = 0.0;
            html! {
                rect.track x="0" y="3" width=(WIDTH) height="10" {}
                @for (count, (_, tone)) in row.counts.iter().zip(self.series) {
                    @let width = scaled(*count, most, WIDTH);
                    rect.(fill(*tone)) x=(from) y="3" width=(width) height="10" {}
                    @let () = from += width;
                }
            }
        })
    }

    /// Bars of two series, the first to the left of an axis, the second to its right.
    pub fn diverging(&self) -> Markup {
        let most = |side: usize| {
            let counts = self.rows.iter().filter_map(|row| row.counts.get(side));
            counts.copied().max().unwrap_or(0)
        };
        let left = most(0);
        let all = left + most(1);
        let middle = scaled(left, all, WIDTH);
        self.table(all, |row, all| {
            html! {
                @for (side, (count, (_, tone))) in row.counts.iter().zip(self.series).enumerate() {
                    @let width = scaled(*count, all, WIDTH);
                    @let from = if side == 0 { (middle - width).max(0.0) } else { middle };
                    rect.(fill(*tone)) x=(from) y="3" width=(width) height="10" {}
                }
                line.axis x1=(middle) x2=(middle) y1="0" y2=(HEIGHT) {}
            }
        })
    }

    fn table(&self, most: u64, drawing: impl Fn(&BarRow<'_>, u64) -> Markup) -> Markup {
        html! {
            div.bars {
                table {
                    caption { (Shown(self.caption)) }
                    thead {
                        tr {
                            th scope="col" { (Shown(self.what)) }
                            @for (name, tone) in self.series {
                                th.number scope="col" { (swatch(*tone)) " " (Shown(name)) }
                            }
                            td.bar {}
                        }
                    }
                    tbody {
                        @for row in &self.rows {
                            tr {
                                th scope="row" {
                                    @match &row.href {
                                        Some(href) => a href=(href) { (Shown(row.name)) },
                                        None => (Shown(row.name)),
                                    }
                                }
                                @for count in &row.counts { td.number { (Count(*count)) } }
                                td.bar {
                                    svg viewBox={"0 0 " (WIDTH) " " (HEIGHT)} preserveAspectRatio="none" aria-hidden="true" {
                                        (drawing(row, most))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A patch of a colour, for headings and legends.
fn swatch(tone: Tone) -> Markup {
    html! {
        svg.swatch viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" {
            rect.(fill(tone)) x="1" y="1" width="10" height="10" rx="2" {}
        }
    }
}

/// The class of a tone that fills a shape.
fn fill(tone: Tone) -> String {
    format!("fill-{}", tone.class())
}

/// A length: a sliver for anything above nothing, whole units otherwise.
fn scaled(count: u64, most: u64, width: f64) -> f64 {
    if count == 0 || most == 0 {
        return 0.0;
    }
    (count as f64 / most as f64 * width).round().max(2.0)
}

/// A heat map: a table whose cells have a tone and a strength.
#[derive(Debug)]
pub struct HeatMap<'a> {
    /// The title.
    pub caption: &'a str,
    /// The heading of the names of rows.
    pub what: &'a str,
    /// The names of the columns.
    pub columns: &'a [&'a str],
    /// The names of the rows, each with a cell for each column.
    pub rows: Vec<(Markup, Vec<HeatCell>)>,
}

/// A cell of a heat map.
#[derive(Debug)]
pub struct HeatCell {
    /// The tone.
    pub tone: Tone,
    /// The share that the cell stands for, from 0 (nothing, no colour) to 1.
    pub share: f64,
    /// The text in the cell: a number or a sign.
    pub text: String,
    /// The same in words, for readers who hear it or point at it.
    pub words: String,
    /// The address of what it stands for, if any.
    pub href: Option<String>,
}

impl HeatCell {
    /// The strength of the colour, from 0 to 4.
    fn level(&self) -> u8 {
        match self.share {
            share if share <= 0.0 => 0,
            share if share <= 0.25 => 1,
            share if share <= 0.5 => 2,
            share if share < 1.0 => 3,
            _ => 4,
        }
    }

    fn markup(&self) -> Markup {
        let class = format!("{} level-{}", self.tone.class(), self.level());
        html! {
            @match &self.href {
                Some(href) => a class=(class) href=(href) title=(Shown(&self.words)) {
                    span aria-hidden="true" { (Shown(&self.text)) } span.unseen { (Shown(&self.words)) }
                },
                None => span class=(class) title=(Shown(&self.words)) {
                    span aria-hidden="true" { (Shown(&self.text)) } span.unseen { (Shown(&self.words)) }
                },
            }
        }
    }
}

impl HeatMap<'_> {
    /// The heat map as markup.
    pub fn markup(&self) -> Markup {
        html! {
            div.grid role="region" aria-label=(Shown(self.caption)) tabindex="0" {
                table.heat {
                    caption { (Shown(self.caption)) }
                    thead {
                        tr {
                            th.corner scope="col" { span { (Shown(self.what)) } }
                            @for column in self.columns { th scope="col" { span { (Shown(column)) } } }
                        }
                    }
                    tbody {
                        @for (name, cells) in &self.rows {
                            tr {
                                th scope="row" { (name) }
                                @for cell in cells { td { (cell.markup()) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A node of a chain, such as a person, a group, a role.
#[derive(Debug, Clone, Copy)]
pub struct ChainNode<'a> {
    /// The icon.
    pub icon: Icon,
    /// The kind of thing: Person, Group, Role.
    pub kind: &'a str,
    /// The name.
    pub name: &'a str,
    /// The address of a view of it, if any.
    pub href: Option<&'a str>,
    /// How it stands: by a border and the icon, not by colour alone.
    pub tone: Tone,
}

/// A chain of nodes with arrows between them; in a narrow window one below the other. `label` names it for screen readers.
pub fn chain(label: &str, nodes: &[ChainNode<'_>]) -> Markup {
    html! {
        ol.chain aria-label=(Shown(label)) {
            @for (place, node) in nodes.iter().enumerate() {
                li {
                    @if place > 0 { (arrow()) }
                    @match node.href {
                        Some(href) => a.node.(node.tone.class()) href=(href) { (inside(node)) },
                        None => div.node.(node.tone.class()) { (inside(node)) },
                    }
                }
            }
        }
    }
}

fn inside(node: &ChainNode<'_>) -> Markup {
    let shape = match node.tone {
        Tone::Neutral | Tone::Brand => node.icon,
        news => news.icon(),
    };
    html! {
        (icon(shape))
        span { span.kind { (Shown(node.kind)) } span.name { (Shown(node.name)) } }
    }
}

fn arrow() -> Markup {
    html! {
        svg.arrow viewBox="0 0 32 16" width="32" height="16" aria-hidden="true" { path d="M4 8h23M22 3l5 5-5 5" {} }
    }
}
