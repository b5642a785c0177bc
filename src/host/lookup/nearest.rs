//! The names most similar to a text.

use super::visible;

/// The most similar names that an error lists.
pub(super) const LISTED: usize = 5;

/// The suggestion of the most similar words; `None` if none is similar.
pub fn did_you_mean<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut nearest = Nearest::to(text);
    for word in words {
        nearest.offer(word, word);
    }
    nearest.help()
}

/// The few names that are most similar to a text.
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

    /// Considers a name, which is listed as `shown`.
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

    /// The distance of a name from the text; `None` if it is too large.
    fn distance(&self, name: &str) -> Option<usize> {
        let farthest = (self.length / 3).max(2);
        let length = name.chars().count();
        // A comparison takes time in proportion to the length, and no name is that long.
        if self.length > LONGEST_NAME {
            return None;
        }
        // Comparisons are expensive, and most names are ruled out by their length.
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
        // Two short names are always near each other, so at least half of the letters must agree.
        let distance = strsim::damerau_levenshtein(&name, &self.text);
        (distance <= farthest && distance * 2 <= self.length).then_some(distance + 1)
    }

    pub(crate) fn help(self) -> Option<String> {
        // Beside a very similar name, less similar ones are no help.
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

/// The longest text that is compared, in characters.
pub(super) const LONGEST_NAME: usize = 500;
