//! The policies with their coverage beside each line.

use super::{by_file, head, lines};
use tarbac_assurance::coverage::{Coverage, Seen};

/// The legend of the columns.
const LEGEND: &str = "\
Beside a clause: how often it was true / was false / made the difference; where there are several
on a line, their sum. Beside `permit` and `forbid`: how many requests the policy decided. An
exclamation mark stands where one of these is zero.
";

/// The width of the margin, in columns.
const MARGIN: usize = 22;

/// The listing of all files.
pub(crate) fn text(coverage: &Coverage) -> String {
    let mut text = LEGEND.to_owned();
    for (file, policies) in by_file(coverage) {
        let Some(source) = policies.first().map(|policy| &policy.place.source) else {
            continue;
        };
        text += &format!("\n{file}\n");
        let lines = lines(&policies);
        for (number, line) in (1..).zip(source.text().lines()) {
            let margin = match lines.get(&number) {
                None => String::new(),
                Some((decided, clauses)) if clauses.is_empty() => {
                    marked(*decided == 0, &decided.to_string())
                }
                Some((_, clauses)) => {
                    let mut sum = Seen::default();
                    for clause in clauses {
                        sum.yes += clause.seen.yes;
                        sum.no += clause.seen.no;
                        sum.decisive += clause.seen.decisive;
                    }
                    let gap = clauses.iter().any(|clause| !clause.seen.is_full());
                    marked(gap, &format!("{} / {} / {}", sum.yes, sum.no, sum.decisive))
                }
            };
            let head = policies.iter().any(|policy| head(policy) == number);
            let rule = if head { '┤' } else { '│' };
            text += format!("{margin:>MARGIN$} {rule} {line}").trim_end();
            text.push('\n');
        }
    }
    text
}

fn marked(gap: bool, text: &str) -> String {
    match gap {
        true => format!("! {text}"),
        false => text.to_owned(),
    }
}
