//! Groups of people with a paragraph about each.

use super::page::Page;
use super::tally::some;
use super::words::counted;
use tarbac_analysis::explain::Named;

/// A paragraph for each of the first `shown` groups, under the names of at most `listed` of its people. Groups with equal
/// paragraphs are joined; the number of the remaining people follows.
pub(super) fn by_people<'g, G>(
    page: &mut Page,
    groups: &'g [G],
    (shown, listed): (usize, usize),
    people: impl Fn(&'g G) -> &'g Vec<Named>,
    say: impl Fn(&mut Page, &'g G),
) {
    // People may differ in details that the paragraph does not show.
    let mut blocks: Vec<(Vec<&Named>, String)> = Vec::new();
    for group in groups.iter().take(shown) {
        let mut block = page.another();
        say(&mut block, group);
        let block = block.into_text();
        match blocks.iter_mut().find(|(_, known)| *known == block) {
            Some((known, _)) => known.extend(people(group)),
            None => blocks.push((people(group).iter().collect(), block)),
        }
    }
    for (people, block) in blocks {
        page.heading(&some(&people, listed));
        page.add(&block);
    }
    let rest = groups.iter().skip(shown);
    let rest: usize = rest.map(|group| people(group).len()).sum();
    if rest > 0 {
        page.heading(&format!(
            "and {} (--all lists them)",
            counted(rest, "more account")
        ));
    }
}
