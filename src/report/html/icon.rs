//! Icons: drawings in strokes on twenty by twenty units.

use maud::{Markup, html};

/// An icon. It says nothing by itself: the words stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// A tick: allowed, done.
    Tick,
    /// A barred circle: refused.
    Barred,
    /// A question mark: indeterminate.
    Question,
    /// An exclamation mark in a triangle: a warning.
    Warning,
    /// An `i` in a circle: information.
    Info,
    /// A house: the overview.
    Home,
    /// A person.
    Person,
    /// A group of people.
    People,
    /// A device.
    Device,
    /// Several devices: a collection.
    Collection,
    /// A building: a tenant or hierarchy.
    Building,
    /// A shield: a role.
    Role,
    /// A clipboard: an assignment.
    Assignment,
    /// A key: a permission.
    Key,
    /// A document: a policy.
    Document,
    /// Two arrows: what if, a comparison.
    Compare,
    /// Squares: a matrix.
    Matrix,
    /// A magnifier.
    Search,
    /// A funnel.
    Filter,
    /// Two sheets: copy.
    Copy,
    /// An arrow into a tray: export, download.
    Download,
    /// A printer.
    Print,
    /// An arrow in a circle: read again.
    Reload,
    /// Three lines: the menu.
    Menu,
    /// A plus.
    Plus,
    /// A minus.
    Minus,
    /// A cross: remove, close.
    Cross,
}

impl Icon {
    /// The drawing as the data of a path.
    fn path(self) -> &'static str {
        match self {
            Self::Tick => "M4 10.5l4 4 8-9",
            Self::Barred => "M10 3a7 7 0 100 14 7 7 0 000-14zM5 5l10 10",
            Self::Question => "M7 7.5a3 3 0 116 0c0 2-3 2.2-3 4.5M10 15v.5",
            Self::Warning => "M10 3l7.5 14h-15zM10 8v4M10 14.2v.3",
            Self::Info => "M10 3a7 7 0 100 14 7 7 0 000-14zM10 9v5M10 6.2v.3",
            Self::Home => "M3 9.5L10 3l7 6.500M5 8.500V17h3.500v-5h3v5H15V8.5",
            Self::Person => {
                "M10 3a3.2 3.2 0 100 6.400A3.2 3.2 0 0010 3zM4 17c0-3.5 2.5-5.5 6-5.500s6 2 6 5.500z"
            }
            Self::People => {
                "M7.5 4a2.7 2.7 0 100 5.4 2.7 2.7 0 000-5.400zM2.5 16c0-3 2-4.8 5-4.800s5 1.8 5 4.800zM12.5 4.300a2.5 2.5 0 110 4.900M14 11.400c2.2.4 3.5 2 3.5 4.600h-2.5"
            }
            Self::Device => "M3 4h14v9H3zM1.5 16h17",
            Self::Collection => "M5.5 3h12v8h-12zM2.5 6v8.500h12M8 17.500h6",
            Self::Building => "M4 17V3h8v14M12 8h4v9M2.5 17h15M6.5 6h3M6.5 9h3M6.5 12h3",
            Self::Role => "M10 2.500l6 2v5c0 4-2.5 6.5-6 8-3.5-1.5-6-4-6-8v-5zM7.5 10l2 2 3.5-4",
            Self::Assignment => "M5 4h10v13.500H5zM8 2.500h4v3H8zM7.5 9h5M7.5 12h5",
            Self::Key => {
                "M13 3a4 4 0 100 8 4 4 0 000-8zM10 9.800L3 17v.500h3v-2h2v-2h1.500l2-2M14 6.500v.1"
            }
            Self::Document => "M5 2.500h6.500L15 6v11.500H5zM11.5 2.500V6H15M7.5 10h5M7.5 13h5",
            Self::Compare => "M3 6.500h12l-3-3M17 13.500H5l3 3",
            Self::Matrix => "M3 3h14v14H3zM3 7.700h14M3 12.300h14M7.7 3v14M12.3 3v14",
            Self::Search => "M8.5 3a5.5 5.5 0 100 11 5.5 5.5 0 000-11zM12.6 12.600L17.5 17.5",
            Self::Filter => "M3 4h14l-5.5 6.500V16l-3 1.500v-7z",
            Self::Copy => "M7 6h9v11.500H7zM7 14H4V2.500h9V6",
            Self::Download => "M10 3v9.500M6 9l4 4 4-4M3.5 14v3h13v-3",
            Self::Print => "M5.5 7V3h9v4M5.5 14H3V7h14v7h-2.500M5.5 11.500h9v6h-9z",
            Self::Reload => "M16 10a6 6 0 11-1.8-4.300L16.5 8M16.5 4v4h-4",
            Self::Menu => "M3 5.500h14M3 10h14M3 14.500h14",
            Self::Plus => "M10 4v12M4 10h12",
            Self::Minus => "M4 10h12",
            Self::Cross => "M5 5l10 10M15 5L5 15",
        }
    }
}

/// The drawing of an icon, which screen readers pass over.
pub fn icon(icon: Icon) -> Markup {
    html! {
        svg.icon viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" { path d=(icon.path()) {} }
    }
}
