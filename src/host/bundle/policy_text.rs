//! Policy texts for roles, and ids fit for file names.

use cedar_policy::EntityUid;

/// A permit of these actions, without annotations, and before it is formatted.
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

/// A text of the tenant in one line: nothing in it may end a comment, or steer a terminal.
pub fn line(text: &str) -> String {
    let breaks =
        |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    text.replace(breaks, " ")
}

/// How long the name of a file becomes, in letters.
const LONGEST: usize = 60;

/// The name of a file, in lower-case letters, digits and hyphens; what cannot be said so is left out.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        match character.is_ascii_alphanumeric() {
            true => slug.push(character),
            false if slug.is_empty() || slug.ends_with('-') => {}
            false => slug.push('-'),
        }
    }
    // Between words, unless there is but one.
    if slug.len() > LONGEST {
        slug.truncate(LONGEST);
        slug.truncate(slug.rfind('-').unwrap_or(LONGEST));
    }
    match slug.trim_end_matches('-') {
        // Windows has no files of these names.
        name @ ("con" | "prn" | "aux" | "nul") => format!("{name}-role"),
        name => name.to_owned(),
    }
}
