//! The texts of policies for roles, and file names for them.

use cedar_policy::EntityUid;

/// The text of a permit for these actions, without annotations and not yet formatted.
pub fn permit<'a>(
    principal: &str,
    actions: impl Iterator<Item = &'a EntityUid>,
    resource: &str,
) -> String {
    let actions: Vec<String> = actions.map(ToString::to_string).collect();
    let actions = match actions.as_slice() {
        [action] => format!("== {action}"),
        actions => format!("in [{}]", actions.join(", ")),
    };
    format!("permit ({principal}, action {actions}, {resource});")
}

/// A text from a tenant in one line, which can neither end a comment nor steer a terminal.
pub fn line(text: &str) -> String {
    let breaks =
        |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    text.replace(breaks, " ")
}

/// The longest file name, in characters.
const LONGEST: usize = 60;

/// A file name in lower-case letters, digits and hyphens; other characters become hyphens.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        match character.is_ascii_alphanumeric() {
            true => slug.push(character),
            false if slug.is_empty() || slug.ends_with('-') => {}
            false => slug.push('-'),
        }
    }
    // It is cut between words, if there are several.
    if slug.len() > LONGEST {
        slug.truncate(LONGEST);
        slug.truncate(slug.rfind('-').unwrap_or(LONGEST));
    }
    match slug.trim_end_matches('-') {
        // Windows allows no files with these names.
        name @ ("con" | "prn" | "aux" | "nul") => format!("{name}-role"),
        name => name.to_owned(),
    }
}
