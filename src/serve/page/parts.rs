//! The parts that several views share: fields of questions, paths, pages of lists.

use maud::{Markup, html};
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::explain::{Named, Path};
use tarbac_host::Engine;
use tarbac_host::bundle::Action;
use tarbac_host::lookup::in_words;
use tarbac_report::html::{ChainNode, Icon, Pager, Shown, TextField, Tone, chain, message};

use super::view::{Route, ViewRequest};
use crate::explore::value;
use crate::fault::Fault;

/// The rows of a page of a list.
pub(super) const ROWS: usize = 50;

/// The part of a list that a page shows.
pub(super) struct Window {
    number: usize,
    total: usize,
    rows: usize,
}

impl Window {
    /// The page whose number a question has, of a list with so many rows.
    ///
    /// # Errors
    /// It is no number.
    pub(super) fn new(number: Option<usize>, total: usize) -> Self {
        Self::with_rows(number, total, ROWS)
    }

    /// The window with this number of rows a page.
    pub(super) fn with_rows(number: Option<usize>, total: usize, rows: usize) -> Self {
        let last = total.saturating_sub(1) / rows + 1;
        Self {
            number: number.unwrap_or(1).clamp(1, last),
            total,
            rows,
        }
    }

    /// The rows that come before it.
    pub(super) fn skip(&self) -> usize {
        (self.number - 1) * self.rows
    }

    /// The entries of the page.
    pub(super) fn of_list<'l, T>(&self, list: &'l [T]) -> impl Iterator<Item = &'l T> {
        list.iter().skip(self.skip()).take(self.rows)
    }

    /// Links to its neighbours, where there are any.
    pub(super) fn pager(&self, asked: &ViewRequest) -> Markup {
        if self.total <= self.rows {
            return html! {};
        }
        let end = (self.skip() + self.rows).min(self.total);
        let address = |number: usize| asked.here_with("page", &number.to_string());
        let previous = (self.number > 1).then(|| address(self.number - 1));
        let next = (end < self.total).then(|| address(self.number + 1));
        Pager {
            first: self.skip() as u64 + 1,
            last: end as u64,
            total: Some(self.total as u64),
            previous: previous.as_deref(),
            next: next.as_deref(),
        }
        .markup()
    }
}

/// A form whose question goes into the address. `kept` are arguments that go along.
pub(super) fn form(asked: &ViewRequest, kept: &[&str], fields: &Markup, button: &str) -> Markup {
    let action = asked.links.view(asked.route, &[]);
    html! {
        form.card method="get" action=(action) {
            div.fields {
                (fields)
                (kept_fields(asked, kept))
                (tarbac_report::html::submit(button))
            }
        }
    }
}

/// Hidden fields for arguments that go along.
pub(super) fn kept_fields(asked: &ViewRequest, kept: &[&str]) -> Markup {
    html! {
        @for name in kept {
            @for value in asked.given.shown(name) { input type="hidden" name=(name) value=(value); }
        }
    }
}

/// The field of a person.
pub(super) fn person_field(value: &str) -> Markup {
    TextField {
        name: "principal",
        label: "Person",
        value,
        placeholder: "ada@contoso.example",
        find: "principal",
        is_wide: true,
        ..TextField::default()
    }
    .markup()
}

/// The field of a device or tenant.
pub(super) fn resource_field(value: &str, label: &str) -> Markup {
    TextField {
        name: "resource",
        label,
        value,
        placeholder: "WS-BER-014",
        find: "resource",
        is_wide: true,
        ..TextField::default()
    }
    .markup()
}

/// The choice of a permission.
pub(super) fn action_field(engine: &Engine, chosen: &str) -> Markup {
    let vocabulary = engine.bundle().vocabulary();
    let is_chosen = |action: &Action| {
        vocabulary
            .actions_spelled(chosen)
            .iter()
            .any(|of| of.uid == action.uid)
    };
    html! {
        div.field.wide {
            label for="action" { "Permission" }
            select #action name="action" {
                option value="" { "Choose a permission" }
                @for action in vocabulary.permissions() {
                    option value=(action.id()) selected[is_chosen(action)] { (Shown(action.name())) }
                }
            }
        }
    }
}

/// The suppositions of a question, with a link that removes them.
pub(super) fn supposing(asked: &ViewRequest, premises: &Premises, names: &[&str]) -> Markup {
    let Some(sentence) = premises.sentence() else {
        return html! {};
    };
    let mut plain = asked.given.clone();
    for name in names {
        plain = plain.without(name);
    }
    let back = asked.links.with_query(asked.route, &plain.query());
    let rest = html! {
        @for note in &premises.notes { p { (Shown(note)) "." } }
        p { a href=(back) { "Ask about the tenant as it is" } }
    };
    message(Tone::Open, &format!("{sentence}:"), &rest)
}

/// The icon of an entity, by the part that its type has in requests.
pub(super) fn icon_of(engine: &Engine, entity: &Named) -> Icon {
    let vocabulary = engine.bundle().vocabulary();
    let of_type = entity.uid.type_name();
    let mut permissions = vocabulary.permissions();
    if vocabulary
        .permissions()
        .any(|action| action.principals.contains(of_type))
    {
        Icon::Person
    } else if permissions.any(|action| action.resources.contains(of_type)) {
        Icon::Device
    } else if tarbac_host::roles::role_type(vocabulary).as_ref() == Some(of_type) {
        Icon::Role
    } else if tarbac_analysis::change::what_if::assignable_types(engine).contains(of_type) {
        Icon::People
    } else {
        Icon::Assignment
    }
}

/// A chain of memberships as a picture, with what it ends in besides.
pub(super) fn path_picture(
    engine: &Engine,
    label: &str,
    path: &Path,
    ends: &[(Icon, &str, &str, Tone)],
) -> Markup {
    let kinds: Vec<String> = path
        .steps
        .iter()
        .map(|step| in_words(step.uid.type_name()))
        .collect();
    let steps = path.steps.iter().zip(&kinds).map(|(step, kind)| ChainNode {
        icon: icon_of(engine, step),
        kind,
        name: &step.name,
        href: None,
        tone: Tone::Neutral,
    });
    let ends = ends.iter().map(|(icon, kind, name, tone)| ChainNode {
        icon: *icon,
        kind,
        name,
        href: None,
        tone: *tone,
    });
    let nodes: Vec<ChainNode<'_>> = steps.chain(ends).collect();
    chain(label, &nodes)
}

/// The link to why a person may or may not do something.
pub(super) fn why_link(
    asked: &ViewRequest,
    engine: &Engine,
    parts: (&Named, &str, &Named),
) -> String {
    let (principal, action, resource) = parts;
    let principal = value(engine, &principal.uid);
    let resource = value(engine, &resource.uid);
    let mut query = asked
        .given
        .suppositions_only(asked.served.flags())
        .with("principal", &principal)
        .with("action", action);
    query = query.with("resource", &resource);
    asked.links.with_query(Route::Why, &query.query())
}

/// The refusal of a question that names nothing.
pub(super) fn unasked(form: Markup, about: &str, hint: &str, icon: Icon) -> Markup {
    html! {
        (form)
        (tarbac_report::html::empty(icon, about, hint))
    }
}

/// Names in a list, with the number of those that are left out.
pub(super) fn names(of: &[Named], all: usize) -> Markup {
    let more = all.saturating_sub(of.len());
    html! {
        @for (place, named) in of.iter().enumerate() {
            @if place > 0 { ", " }
            (Shown(&named.name))
        }
        @if more > 0 { " and " (tarbac_report::html::Count(more as u64)) " more" }
    }
}

/// The answer of a view whose question is wrong.
pub(super) fn or_refused(
    form: Markup,
    answer: Result<super::view::Answer, Fault>,
) -> Result<super::view::Answer, Fault> {
    match answer {
        Ok(answer) => Ok(answer),
        Err(fault) => Ok(super::view::Answer::Page(super::view::View::refused(
            form, fault,
        ))),
    }
}
