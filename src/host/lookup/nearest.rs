//! The names that are most like a text.

use super::visible;

/// How many names an error lists that are near.
pub(super) const LISTED: usize = 5;

/// What to say of the nearest of some words; `None` where none is near.
pub fn did_you_mean<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut nearest = Nearest::to(text);
    for word in words {
        nearest.offer(word, word);
    }
    nearest.help()
}

/// The few names that are most like a text.
pub(crate) struct Nearest {
    text: String,
    length: usize,
    best: Vec<(usize, String)>,
}

impl Nearest {
    pub(crate) fn to(text: &str) -> Self {
        let text = text.to_lowercase();
        Self {
            length: text.chars().count(),
            text,
            best: Vec::new(),
        }
    }

    /// Considers a name, to be shown as `shown`.
    pub(crate) fn offer(&mut self, name: &str, shown: &str) {
        let Some(distance) = self.distance(name) else {
            return;
        };
        if self.best.iter().any(|(_, other)| other == shown) {
            self.best
                .retain(|(other, name)| name != shown || *other <= distance);
            if self.best.iter().any(|(_, other)| other == shown) {
                return;
            }
        }
        let candidate = (distance, shown.to_owned());
        let position = self.best.partition_point(|other| *other < candidate);
        if position < LISTED {
            self.best.insert(position, candidate);
            self.best.truncate(LISTED);
        }
    }

    /// How far a name is from the text; none when it is too far to be meant.
    fn distance(&self, name: &str) -> Option<usize> {
        let farthest = (self.length / 3).max(2);
        let length = name.chars().count();
        // To compare what is nobody's name takes as long as it is.
        if self.length > LONGEST_NAME {
            return None;
        }
        // Comparing is dear, and most names differ in length or hold nothing of the text.
        let may_be_near = length.abs_diff(self.length) <= farthest;
        if !may_be_near && length < self.length {
            return None;
        }
        let name = name.to_lowercase();
        if self.length >= 3 && name.contains(&self.text) {
            return Some(usize::from(!name.starts_with(&self.text)));
        }
        if !may_be_near {
            return None;
        }
        // Two names of a few letters are always near each other; at least half must be the same.
        let distance = strsim::damerau_levenshtein(&name, &self.text);
        (distance <= farthest && distance * 2 <= self.length).then_some(distance + 1)
    }

    pub(crate) fn help(self) -> Option<String> {
        // Beside one that is very near, those that are merely similar are no help.
        let farthest = self.best.first().map_or(0, |(distance, _)| distance + 1);
        let near = self
            .best
            .into_iter()
            .filter(|(distance, _)| *distance <= farthest);
        let names: Vec<String> = near
            .map(|(_, name)| format!("`{}`", visible(&name)))
            .collect();
        (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")))
    }
}

/// What is longer is nobody's name, in characters.
pub(super) const LONGEST_NAME: usize = 500;
