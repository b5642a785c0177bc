//! LCOV's trace file.
//!
//! A policy is a function, and each clause has three branches: it was true, it was false, it made the difference.

use super::{by_file, counts, head, lines};
use tarbac_assurance::coverage::{Coverage, Seen};

/// The trace file.
pub(crate) fn text(coverage: &Coverage) -> String {
    let mut text = String::from("TN:tarbac\n");
    for (file, policies) in by_file(coverage) {
        text += &format!("SF:{file}\n");
        for policy in &policies {
            text += &format!("FN:{},{}\n", head(policy), policy.policy);
        }
        for policy in &policies {
            text += &format!("FNDA:{},{}\n", policy.decided, policy.policy);
        }
        let decided = policies.iter().filter(|policy| policy.decided > 0).count();
        text += &format!("FNF:{}\nFNH:{decided}\n", policies.len());
        let lines = lines(&policies);
        for (line, (_, clauses)) in &lines {
            for (block, clause) in clauses.iter().enumerate() {
                let Seen { yes, no, decisive } = clause.seen;
                for (branch, taken) in [yes, no, decisive].into_iter().enumerate() {
                    text += &format!("BRDA:{line},{block},{branch},{taken}\n");
                }
            }
        }
        let counts = counts(&lines);
        text += &format!("BRF:{}\nBRH:{}\n", counts.branches, counts.branches_hit);
        for (line, (hits, _)) in &lines {
            text += &format!("DA:{line},{hits}\n");
        }
        text += &format!(
            "LF:{}\nLH:{}\nend_of_record\n",
            counts.lines, counts.lines_hit
        );
    }
    text
}
