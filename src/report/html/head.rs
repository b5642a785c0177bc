//! The head of a page: breadcrumbs, title, commands; and the navigation beside it.

use maud::{Markup, html};

use super::icon::{Icon, icon};
use super::text::Shown;

/// A link with a name: a breadcrumb.
#[derive(Debug, Clone, Copy)]
pub struct Crumb<'a> {
    /// The name.
    pub name: &'a str,
    /// The address.
    pub href: &'a str,
}

/// The head of a page.
#[derive(Debug)]
pub struct Head<'a> {
    /// The pages above this one, the uppermost first.
    pub crumbs: &'a [Crumb<'a>],
    /// The icon beside the title.
    pub icon: Icon,
    /// The title.
    pub title: &'a str,
    /// A line under the title; may be empty.
    pub subtitle: &'a str,
    /// Commands (see [`command_link`] and [`command_button`]), if any.
    pub commands: Option<Markup>,
}

impl Head<'_> {
    /// The head as markup.
    pub fn markup(&self) -> Markup {
        html! {
            div.head {
                @if !self.crumbs.is_empty() {
                    nav.crumbs aria-label="Breadcrumbs" {
                        ol { @for crumb in self.crumbs { li { a href=(crumb.href) { (Shown(crumb.name)) } } } }
                    }
                }
                div.title { (icon(self.icon)) h1 { (Shown(self.title)) } }
                @if !self.subtitle.is_empty() { p.subtitle { (Shown(self.subtitle)) } }
            }
            @if let Some(commands) = &self.commands {
                div.commands role="group" aria-label="Commands" { (commands) }
            }
        }
    }
}

/// A command that is a link: an export, another view.
pub fn command_link(shape: Icon, words: &str, href: &str) -> Markup {
    html! { a.button.plain href=(href) { (icon(shape)) (Shown(words)) } }
}

/// A command that needs a script, which shows it: `does` is the value of `data-do`, by which the script finds it.
pub fn command_button(shape: Icon, words: &str, does: &str) -> Markup {
    html! { button.plain type="button" data-do=(does) hidden { (icon(shape)) (Shown(words)) } }
}

/// An entry of the navigation.
#[derive(Debug, Clone, Copy)]
pub struct NavigationLink<'a> {
    /// The icon.
    pub icon: Icon,
    /// The name of the page.
    pub name: &'a str,
    /// The address.
    pub href: &'a str,
    /// Whether it is the page that is shown.
    pub is_current: bool,
}

/// The navigation: groups of links with a heading each, which may be empty. In a narrow window it is a menu, which the
/// frame's button opens without a script.
pub fn navigation(groups: &[(&str, &[NavigationLink<'_>])]) -> Markup {
    html! {
        nav.navigation #navigation popover aria-label="Pages" {
            @for (heading, links) in groups {
                @if !heading.is_empty() { h2 { (Shown(heading)) } }
                ul {
                    @for link in *links {
                        li {
                            a href=(link.href) aria-current=[link.is_current.then_some("page")] {
                                (icon(link.icon)) (Shown(link.name))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A tab: a link to another part of the same answer.
#[derive(Debug, Clone, Copy)]
pub struct TabLink<'a> {
    /// The name.
    pub name: &'a str,
    /// The number of things in it, if that is worth saying.
    pub count: Option<u64>,
    /// The address.
    pub href: &'a str,
    /// Whether it is the one that is shown.
    pub is_current: bool,
}

/// Tabs, which are links. `label` names them for screen readers.
pub fn tabs(label: &str, tabs: &[TabLink<'_>]) -> Markup {
    html! {
        nav.tabs aria-label=(Shown(label)) {
            @for tab in tabs {
                a href=(tab.href) aria-current=[tab.is_current.then_some("page")] {
                    (Shown(tab.name))
                    @if let Some(count) = tab.count { " " span.count { (super::Count(count)) } }
                }
            }
        }
    }
}
