//! The frame of a document: bar, navigation, content, footer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::icon::{Icon, icon};
use super::text::Shown;

/// The style sheet.
pub const STYLE: &str = concat!(include_str!("values.css"), include_str!("style.css"));

/// The name in the bar.
const PRODUCT: &str = "tarbac";

/// The places of style and script.
#[derive(Debug, Clone, Copy)]
pub enum Assets<'a> {
    /// In the document, which needs no other file, loads nothing, and lets no other script run.
    Inline {
        /// The script, an ES module; it must not contain the end tag of a script.
        script: &'a str,
    },
    /// At addresses of their own.
    Linked {
        /// The address of [`STYLE`].
        style: &'a str,
        /// The addresses of ES modules.
        scripts: &'a [&'a str],
    },
}

/// A document.
#[derive(Debug)]
pub struct Frame<'a> {
    /// The title in tabs, bookmarks and lists of files.
    pub title: &'a str,
    /// Style and script.
    pub assets: Assets<'a>,
    /// The address that the name in the bar leads to, if any.
    pub home: Option<&'a str>,
    /// What stands in the bar beside the name: a search, the tenant, the revision.
    pub tools: Markup,
    /// The navigation (see [`navigation`](super::navigation())), if there are other pages.
    pub navigation: Option<Markup>,
    /// The content, which begins with a [`Head`](super::Head).
    pub main: Markup,
    /// The footer: provenance.
    pub footer: Markup,
}

impl Frame<'_> {
    /// The whole document.
    pub fn into_document(self) -> String {
        let is_report = self.navigation.is_none();
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (Shown(self.title)) }
                    (head(self.assets))
                }
                body.report[is_report] {
                    a.skip href="#content" { "Skip to the content" }
                    (shell(self.home, &self.tools, !is_report))
                    @if let Some(navigation) = &self.navigation {
                        div.body { (navigation) div.content { (content(&self.main, &self.footer)) } }
                    } @else {
                        (content(&self.main, &self.footer))
                    }
                    @if let Assets::Inline { script } = self.assets {
                        script type="module" { (PreEscaped(script)) }
                    }
                }
            }
        };
        page.into_string()
    }
}

/// The bar above everything.
fn shell(home: Option<&str>, tools: &Markup, has_menu: bool) -> Markup {
    html! {
        header.shell {
            @if has_menu {
                button.menu type="button" popovertarget="navigation" aria-label="Menu" { (icon(Icon::Menu)) }
            }
            @match home {
                Some(home) => a.product href=(home) { (PRODUCT) },
                None => span.product { (PRODUCT) },
            }
            div.tools { (tools) }
        }
    }
}

fn content(main: &Markup, footer: &Markup) -> Markup {
    html! {
        main #content tabindex="-1" { (main) }
        footer.foot { (footer) }
    }
}

/// Style and script in the head.
fn head(assets: Assets<'_>) -> Markup {
    match assets {
        Assets::Inline { script } => {
            let policy = format!(
                "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
                digest(STYLE),
                digest(script)
            );
            html! {
                meta http-equiv="Content-Security-Policy" content=(policy);
                style { (PreEscaped(STYLE)) }
            }
        }
        Assets::Linked { style, scripts } => html! {
            link rel="stylesheet" href=(style);
            @for script in scripts { script type="module" src=(script) {} }
        },
    }
}

/// The digest of an inline style or script, as a Content-Security-Policy has it.
fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}
