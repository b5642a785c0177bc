//! The view *Why*: the whole explanation of a decision, and what would change it.

mod rule;

use maud::{Markup, html};
use tarbac_analysis::explain::{
    DecisionReasons, Explanation, Grant, GrantingGroups, Path, RemedyChange, Rule,
};
use tarbac_analysis::inquiry;
use tarbac_host::{Decision, Engine};
use tarbac_report::explanation::{chain, csv, wire};
use tarbac_report::html::{Icon, Shown, Tone, badge, decision, message};
use tarbac_report::words::counted;

use super::overview::upper_first;
use super::parts::{
    action_field, form, or_refused, path_picture, person_field, resource_field, supposing, unasked,
};
use super::view::{Answer, Route, TABLE, View, ViewRequest};
use crate::explore::{Suppositions, Typed, add_suppositions, explain_inquiry, remedy_arguments};
use crate::fault::Fault;
use rule::{conditions, origin};

pub(super) fn answer(asked: &ViewRequest) -> Result<Answer, Fault> {
    let fields = html! {
        (person_field(&asked.given.first("principal")))
        (action_field(&asked.served.engine, &asked.given.first("action")))
        (resource_field(&asked.given.first("resource"), "Device or tenant"))
    };
    let fields = form(asked, &asked.suppositions(), &fields, "Explain");
    let parts = ["principal", "action", "resource"];
    if parts.iter().any(|part| asked.given.first(part).is_empty()) {
        let main = unasked(
            fields,
            "Why may somebody do something, or not?",
            "Name a person, a permission, and a device or tenant.",
            Icon::Question,
        );
        return Ok(Answer::Page(View::new(main)));
    }
    or_refused(fields.clone(), shown(asked, fields))
}

fn shown(asked: &ViewRequest, fields: Markup) -> Result<Answer, Fault> {
    let mut given = asked.given.clone();
    let format = given.text("format")?;
    let (suppositions, supposed) = asked.supposed(&mut given)?;
    let (names, context) = explain_inquiry(&mut given)?;
    given.finish()?;
    let [principal, action, resource] = &names;
    let engine = &supposed.engine;
    let request = inquiry::request(engine, names.each_ref().map(String::as_str), &context)?;
    let explained = tarbac_analysis::explain(engine, &request);
    match format.as_deref() {
        Some("json") => {
            let document = tarbac_report::json(&wire(&explained, &supposed.premises));
            return Ok(Answer::json("explain", document));
        }
        Some(_) => return Answer::csv("explain", csv(&explained, &supposed.premises)),
        None => {}
    }
    let mut typed = Typed::new("explain");
    typed.word("principal", principal);
    typed.word("action", action);
    typed.word("resource", resource);
    add_suppositions(&mut typed, &suppositions);
    let page = Explained {
        asked,
        engine,
        suppositions: &suppositions,
        of: &explained,
    };
    let main = html! {
        (fields)
        (supposing(asked, &supposed.premises, &asked.suppositions()))
        (page.headline())
        (page.authority())
        (page.reasons())
        (page.remedies())
        (page.notices())
    };
    Ok(Answer::Page(View {
        title: Some(page.sentence()),
        equal: Some(asked.equal(&typed, "/api/v1/explain")),
        formats: TABLE,
        ..View::new(main)
    }))
}

/// An explanation that is shown.
struct Explained<'a> {
    asked: &'a ViewRequest,
    engine: &'a Engine,
    suppositions: &'a Suppositions,
    of: &'a Explanation,
}

impl Explained<'_> {
    fn sentence(&self) -> String {
        let Explanation {
            principal,
            action,
            resource,
            ..
        } = self.of;
        let verb = match self.of.answer.outcome.decision {
            Decision::Allow => "may",
            Decision::Deny => "may not",
            Decision::Indeterminate => {
                return format!(
                    "Whether {principal} may {} on {resource} cannot be decided",
                    action.short_name
                );
            }
        };
        format!("{principal} {verb} {} on {resource}", action.short_name)
    }

    /// The decision, and what the admin center says.
    fn headline(&self) -> Markup {
        let outcome = &self.of.answer.outcome;
        let said = self.messages();
        html! {
            section.card aria-label="The decision" {
                div.row { (decision(outcome.decision)) p.lead { (Shown(&self.sentence())) "." } }
                @if !said.is_empty() {
                    p { "The admin center says:" }
                    @for (message, advice) in said {
                        blockquote.said {
                            p { "“" (Shown(message)) "”" }
                            @if let Some(advice) = advice { p.quiet { (Shown(advice)) } }
                        }
                    }
                }
                @for error in &outcome.errors { p { (Shown(error)) } }
            }
        }
    }

    /// Each message of the admin center once, with the advice that goes with it.
    fn messages(&self) -> Vec<(&str, Option<&str>)> {
        let mut said: Vec<(&str, Option<&str>)> = Vec::new();
        for refusal in &self.of.answer.refusals {
            if let Some(message) = refusal.message.as_deref()
                && !said.iter().any(|(known, _)| *known == message)
            {
                said.push((message, refusal.advice.as_deref()));
            }
        }
        said
    }

    /// The authority, with the facts behind it.
    fn authority(&self) -> Markup {
        let (Some(authority), Some(rule)) = (&self.of.answer.authority, &self.of.authority) else {
            return html! {};
        };
        let decides = self.of.decides.as_deref().unwrap_or(&authority.name);
        html! {
            section.card aria-label="Authority" {
                header { h2 { (Shown(decides)) } p { (Shown(rule.doc.as_deref().unwrap_or_default())) } }
                (conditions("The facts that make it so", &rule.clauses, None))
                (origin(rule))
            }
        }
    }

    fn reasons(&self) -> Markup {
        match &self.of.why {
            DecisionReasons::Permitted(grants, supports) => html! {
                section.card aria-label="Reasons" {
                    h2 { "Why it is allowed" }
                    @for grant in grants { (self.grant(grant)) }
                    @if !supports.is_empty() {
                        h3 { "And refused by no rule, because" }
                        ul { @for support in supports { li { (Shown(&support.sentence)) } } }
                    }
                }
            },
            DecisionReasons::Forbidden(rules) => html! {
                section.card aria-label="Reasons" {
                    h2 {
                        "Why it is refused: "
                        (counted(rules.len(), "rule"))
                    }
                    @for rule in rules { (self.rule(rule)) }
                }
            },
            DecisionReasons::NotPermitted(groups) => self.not_permitted(groups),
            DecisionReasons::Indeterminate => html! {},
        }
    }

    fn grant(&self, grant: &Grant) -> Markup {
        let rule = &grant.rule;
        html! {
            div.stack.tight {
                h3 { (Shown(&rule.policy)) }
                p { (Shown(rule.doc.as_deref().unwrap_or_default())) }
                @for path in &grant.paths { (self.path(path, Tone::Good)) }
                (conditions(&format!("Conditions of {}", rule.policy), &rule.clauses, self.of.authority.as_ref()))
                (origin(rule))
            }
        }
    }

    /// The path from the person to the role, on to the permission and what it is about.
    fn path(&self, path: &Path, tone: Tone) -> Markup {
        let ends = [
            (
                Icon::Key,
                "permission",
                self.of.action.short_name.as_str(),
                tone,
            ),
            (Icon::Device, "on", self.of.resource.name.as_str(), tone),
        ];
        path_picture(self.engine, &chain(path), path, &ends)
    }

    fn rule(&self, rule: &Rule) -> Markup {
        html! {
            div.stack.tight {
                div.row { (badge(Tone::Bad, "Refuses")) h3 { (Shown(&rule.policy)) } }
                p { (Shown(rule.doc.as_deref().unwrap_or_default())) }
                (conditions(&format!("Conditions of {}", rule.policy), &rule.clauses, self.of.authority.as_ref()))
                (origin(rule))
            }
        }
    }

    fn not_permitted(&self, groups: &GrantingGroups) -> Markup {
        let giving: Vec<String> = groups
            .giving
            .iter()
            .map(|of| tarbac_report::explanation::typed(&of.entity))
            .collect();
        html! {
            section.card aria-label="Reasons" {
                h2 { "Why it is refused: no policy permits it" }
                @match giving.is_empty() {
                    true => p { "No role of these policies gives the permission." },
                    false => p { "The permission comes with " (Shown(&giving.join(", "))) "." },
                }
                @if groups.held.is_empty() && groups.withheld.is_empty() {
                    p { (Shown(&self.of.principal.name)) " holds no role." }
                } @else {
                    p { (Shown(&self.of.principal.name)) " holds what does not give it:" }
                    @for held in &groups.held {
                        @match &held.path {
                            Some(path) => (self.path(path, Tone::Bad)),
                            None => p { (Shown(&held.entity.name)) },
                        }
                    }
                    @for withheld in &groups.withheld { p { (Shown(&withheld.told)) } }
                }
            }
        }
    }

    /// The changes that would reverse the decision, each with a link that tries it.
    fn remedies(&self) -> Markup {
        let Some(remedies) = &self.of.remedies else {
            return html! {};
        };
        html! {
            section.card aria-label="Changes" {
                header {
                    h2 { "What would change it" }
                    p { "Each of these has been decided again, and allows it. Trying one changes nothing." }
                }
                @if remedies.alternatives.is_empty() { p { "No change that can be made." } }
                ol.fixes {
                    @for alternative in remedies.alternatives.iter().take(FIXES) {
                        li {
                            div.fix {
                                (sentences(alternative))
                                @if let Some(href) = self.try_link(alternative) {
                                    a.button href=(href) { "Try it" span.unseen { ": " (Shown(&first(alternative))) } }
                                }
                            }
                        }
                    }
                }
                @let more = remedies.alternatives.len().saturating_sub(FIXES);
                @if more > 0 { p.quiet { "and " (more) " more, which JSON lists" } }
                @if !remedies.unliftable.is_empty() {
                    p { "No change lifts " (Shown(&remedies.unliftable.join(", "))) "." }
                }
                @if remedies.is_cut { p { "The search was cut short, so there may be more." } }
            }
        }
    }

    /// The view *What if* with these changes made, beside what is supposed already.
    fn try_link(&self, alternative: &[RemedyChange]) -> Option<String> {
        let arguments = remedy_arguments(self.engine, self.suppositions, alternative)?;
        Some(
            self.asked
                .links
                .with_query(Route::WhatIf, &arguments.query()),
        )
    }

    fn notices(&self) -> Markup {
        html! {
            @for notice in &self.of.answer.notices {
                (message(Tone::Open, &notice.message, &html! {
                    @if let Some(former) = notice.former { p { "Formerly: " (former.word()) "." } }
                }))
            }
        }
    }
}

/// The most fixes that are shown.
const FIXES: usize = 8;

fn first(alternative: &[RemedyChange]) -> String {
    alternative
        .first()
        .map(|change| change.sentence.clone())
        .unwrap_or_default()
}

fn sentences(alternative: &[RemedyChange]) -> Markup {
    html! {
        span {
            @for (place, change) in alternative.iter().enumerate() {
                @if place > 0 { ", and " (Shown(&change.sentence)) } @else { (Shown(&upper_first(&change.sentence))) }
            }
        }
    }
}
