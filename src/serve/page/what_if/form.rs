//! The form of a what-if: settings, grants and revokes, readings.

use maud::{Markup, html};
use tarbac_analysis::change::what_if::{SettingWords, TenantSetting, settings_now};
use tarbac_analysis::explain::Value;
use tarbac_report::html::{Icon, Shown, TextField, icon, submit};

use super::super::overview::{setting_sentence, upper_first};
use super::super::view::ViewRequest;
use crate::explore::{Arguments, value};
use crate::fault::Fault;

/// What stands between a name of an argument and the thing that it is about, in fields of the form.
const ABOUT: char = '@';

/// The address of the question that a form has sent, where that is another: `grant@who` and `grant@role` become `grant`,
/// `site-version@P01` becomes `site-version`.
///
/// # Errors
/// A field is given several times.
pub(super) fn canonical(given: &Arguments) -> Result<Option<String>, Fault> {
    let mut changed = given.clone();
    let mut is_other = false;
    for name in given.names() {
        let Some((argument, about)) = name.split_once(ABOUT) else {
            continue;
        };
        is_other = true;
        let value = given.first(&name);
        changed = changed.without(&name);
        match (argument, about) {
            ("grant" | "revoke", "who") => {
                let role = given.first(&format!("{argument}@role"));
                if !role.is_empty() {
                    changed.add(argument, &format!("{value}={role}"));
                }
            }
            ("grant" | "revoke", _) => {}
            ("reading", about) => match value.as_str() {
                "on" => changed.add("reading", about),
                _ => changed.add("no-reading", about),
            },
            (argument, about) => {
                changed = changed.without_about(argument, about);
                changed.add(argument, &format!("{about}={value}"));
            }
        }
    }
    Ok(is_other.then(|| changed.query()))
}

/// The form.
pub(super) fn form(asked: &ViewRequest) -> Markup {
    let engine = &asked.served.engine;
    let settings = settings_now(engine);
    html! {
        form.card method="get" action=(asked.links.view(asked.route, &[])) {
            fieldset {
                legend { "Settings of the tenant" }
                div.fields { @for setting in &settings { (field(asked, setting)) } }
            }
            (roles(asked, "grant", "Assign a role", Icon::Plus))
            (roles(asked, "revoke", "Take a role away", Icon::Minus))
            @let readings = engine.bundle().readings();
            @if !readings.is_empty() {
                details open[asked.given.has("reading") || asked.given.has("no-reading")] {
                    summary { "Readings: choices where the documents disagree" }
                    div.fields {
                        @for reading in readings {
                            (reading_field(asked, &reading.name, &reading.doc, engine.readings().contains(&reading.name)))
                        }
                    }
                }
            }
            (others(asked))
            div.row {
                (submit("What If"))
                @if !asked.given.is_empty() {
                    a.button href=(asked.links.view(asked.route, &[])) { "Clear" }
                }
            }
        }
    }
}

/// A setting of one entity: the sentences of both its states, or its value.
fn field(asked: &ViewRequest, setting: &TenantSetting) -> Markup {
    let entity = value(&asked.served.engine, &setting.entity.uid);
    let name = format!("{}{ABOUT}{entity}", setting.flag);
    let chosen = asked.given.about(&setting.flag, &entity);
    let now = setting_sentence(setting);
    match &setting.says {
        SettingWords::Switch { on, off } => {
            let is_on = setting.value == Some(Value::Bool(true));
            let (other, words) = if is_on { ("off", off) } else { ("on", on) };
            let is_chosen = chosen.as_deref() == Some(other);
            html! {
                div.field.wide {
                    label for=(name) { (Shown(&now)) }
                    select id=(name) name=(name) {
                        option value="" { "As it is" }
                        option value=(other) selected[is_chosen] { (Shown(&upper_first(words))) }
                    }
                }
            }
        }
        SettingWords::Value(before) => {
            let now = setting
                .value
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            TextField {
                name: &name,
                label: &upper_first(before),
                value: chosen.as_deref().unwrap_or_default(),
                placeholder: &now,
                ..TextField::default()
            }
            .markup()
        }
    }
}

/// Roles that are assigned or taken away: those of the question, and fields for one more.
fn roles(asked: &ViewRequest, name: &str, legend: &str, shape: Icon) -> Markup {
    let listed = asked.given.shown(name);
    let (who, role) = (format!("{name}{ABOUT}who"), format!("{name}{ABOUT}role"));
    html! {
        fieldset {
            legend { (icon(shape)) " " (legend) }
            @if !listed.is_empty() {
                ul.chips {
                    @for value in &listed {
                        li {
                            input type="hidden" name=(name) value=(value);
                            span { (Shown(value)) }
                            @let plain = asked.links.with_query(asked.route, &asked.given.without_value(name, value).query());
                            a href=(plain) aria-label={ "Remove " (Shown(value)) } { (icon(Icon::Cross)) }
                        }
                    }
                }
            }
            div.fields {
                (TextField { name: &who, label: "Person or group", placeholder: "ada@contoso.example", find: "assignee", is_wide: true, ..TextField::default() }.markup())
                (TextField { name: &role, label: "Role", placeholder: "Help Desk Operator", find: "role", is_wide: true, ..TextField::default() }.markup())
            }
        }
    }
}

fn reading_field(asked: &ViewRequest, reading: &str, doc: &str, is_on: bool) -> Markup {
    let name = format!("reading{ABOUT}{reading}");
    let other = if is_on { "off" } else { "on" };
    let argument = if is_on { "no-reading" } else { "reading" };
    let is_chosen = asked
        .given
        .shown(argument)
        .iter()
        .any(|known| known == reading);
    html! {
        div.field.wide {
            label for=(name) { (Shown(reading)) }
            select id=(name) name=(name) aria-describedby={ (name) "-hint" } {
                option value="" { "As it is (" (if is_on { "on" } else { "off" }) ")" }
                option value=(other) selected[is_chosen] { (if is_on { "Off" } else { "On" }) }
            }
            span.hint id={ (name) "-hint" } { (Shown(doc)) }
        }
    }
}

/// Everything else that the question supposes: facts, flags for all, limits, and the plan.
fn others(asked: &ViewRequest) -> Markup {
    let facts = asked.given.shown("set");
    html! {
        @if !facts.is_empty() {
            ul.chips aria-label="Facts" {
                @for value in &facts {
                    li {
                        input type="hidden" name="set" value=(value);
                        code { (Shown(value)) }
                        @let plain = asked.links.with_query(asked.route, &asked.given.without_value("set", value).query());
                        a href=(plain) aria-label={ "Remove " (Shown(value)) } { (icon(Icon::Cross)) }
                    }
                }
            }
        }
        @for flag in asked.served.flags() {
            @for value in asked.given.shown(flag).iter().filter(|value| !value.contains('=')) {
                input type="hidden" name=(flag) value=(value);
            }
        }
        @for name in ["principal", "action", "resource", "context", "now"] {
            @for value in asked.given.shown(name) { input type="hidden" name=(name) value=(value); }
        }
        div.field.check {
            input #plan type="checkbox" name="plan" value="on" checked[asked.given.has("plan")];
            label for="plan" { "Plan the fewest role changes that prevent the losses, and separately the gains" }
        }
    }
}
