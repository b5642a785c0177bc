//! Groups of people with a paragraph about each.

use super::findings::number;
use super::page::Page;
use super::tally::some;
use tarbac_analysis::explain::Named;

/// What is said of the first groups, under the names of the people, of whom so many are listed; those of whom the
/// same is said stand together. At the end how many more people there are.
pub(super) fn by_people<'g, G>(
    page: &mut Page,
    groups: &'g [G],
    (shown, listed): (usize, usize),
    people: impl Fn(&'g G) -> &'g Vec<Named>,
    say: impl Fn(&mut Page, &'g G),
) {
    // People may differ in what nobody sees.
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
            number(rest, "more account")
        ));
    }
}
