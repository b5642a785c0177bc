//! Tones: good, bad, undecided news, each with a colour and a shape of its own.

use maud::{Markup, html};

use super::icon::{Icon, icon};
use super::text::Shown;
use tarbac_host::decision::Decision;

/// The kind of news. Colour never says it alone: each tone has an icon, and words stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Allowed, gained, in order.
    Good,
    /// Refused, lost, an error.
    Bad,
    /// Indeterminate, a warning, something to look at.
    Open,
    /// Neither: a remark.
    Neutral,
    /// A hint of the page itself.
    Brand,
}

impl From<Decision> for Tone {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allow => Self::Good,
            Decision::Deny => Self::Bad,
            Decision::Indeterminate => Self::Open,
        }
    }
}

impl Tone {
    /// The class of the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Open => "open",
            Self::Neutral => "neutral",
            Self::Brand => "brand",
        }
    }

    /// The shape that goes with the colour.
    pub fn icon(self) -> Icon {
        match self {
            Self::Good => Icon::Tick,
            Self::Bad => Icon::Barred,
            Self::Open => Icon::Question,
            Self::Neutral | Self::Brand => Icon::Info,
        }
    }
}

/// A badge: an icon and a word or two.
pub fn badge(tone: Tone, words: &str) -> Markup {
    html! {
        span.badge.(tone.class()) { (icon(tone.icon())) (Shown(words)) }
    }
}

/// The badge of a decision: Allowed, Refused, Indeterminate.
pub fn decision(decision: Decision) -> Markup {
    let words = match decision {
        Decision::Allow => "Allowed",
        Decision::Deny => "Refused",
        Decision::Indeterminate => "Indeterminate",
    };
    badge(Tone::from(decision), words)
}

/// A message bar: what it is about in a few words, and the rest.
pub fn message(tone: Tone, about: &str, rest: &Markup) -> Markup {
    let shape = match tone {
        Tone::Open => Icon::Warning,
        other => other.icon(),
    };
    html! {
        div.message.(tone.class()) {
            (icon(shape))
            div {
                p.about { (Shown(about)) }
                (rest)
            }
        }
    }
}

/// The place of a list that has nothing in it.
pub fn empty(shape: Icon, about: &str, hint: &str) -> Markup {
    html! {
        div.empty {
            (icon(shape))
            p { (Shown(about)) }
            @if !hint.is_empty() { p { (Shown(hint)) } }
        }
    }
}
