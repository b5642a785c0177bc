//! Cobertura's XML, after its DTD coverage-04.
//!
//! A policy file is a class and a policy a method.

use std::collections::BTreeMap;
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Counts, by_file, counts, lines};
use tarbac_assurance::coverage::{ClauseCovered, Coverage, Covered};

type Lines<'a> = std::collections::BTreeMap<usize, (u64, Vec<&'a ClauseCovered>)>;

/// The document.
pub(crate) fn text(coverage: &Coverage) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing to memory does not fail.
    let _ = document(&mut writer, coverage);
    String::from_utf8_lossy(&writer.into_inner()).into_owned() + "\n"
}

fn document(writer: &mut Writer<Vec<u8>>, coverage: &Coverage) -> io::Result<()> {
    let files = by_file(coverage);
    let total = files
        .values()
        .map(|policies| counts(&lines(policies)))
        .fold(Counts::default(), |sum, file| Counts {
            lines: sum.lines + file.lines,
            lines_hit: sum.lines_hit + file.lines_hit,
            branches: sum.branches + file.branches,
            branches_hit: sum.branches_hit + file.branches_hit,
        });
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let (line_rate, branch_rate) = rates(total);
    writer
        .create_element("coverage")
        .with_attributes([
            ("line-rate", line_rate.as_str()),
            ("branch-rate", branch_rate.as_str()),
            ("lines-covered", &total.lines_hit.to_string()),
            ("lines-valid", &total.lines.to_string()),
            ("branches-covered", &total.branches_hit.to_string()),
            ("branches-valid", &total.branches.to_string()),
            ("complexity", "0"),
            ("version", env!("CARGO_PKG_VERSION")),
            // No time of the run, so that equal coverage gives equal files.
            ("timestamp", "0"),
        ])
        .write_inner_content(|writer| {
            writer
                .create_element("sources")
                .write_inner_content(|writer| {
                    writer
                        .create_element("source")
                        .write_text_content(BytesText::new("."))?;
                    Ok(())
                })?;
            packages(writer, &files, [&line_rate, &branch_rate])
        })?;
    Ok(())
}

/// The one package: a class for each file of policies.
fn packages(
    writer: &mut Writer<Vec<u8>>,
    files: &BTreeMap<&str, Vec<&Covered>>,
    [line_rate, branch_rate]: [&str; 2],
) -> io::Result<()> {
    let attributes = [
        ("name", "policies"),
        ("line-rate", line_rate),
        ("branch-rate", branch_rate),
        ("complexity", "0"),
    ];
    let classes = |writer: &mut Writer<Vec<u8>>| {
        for (file, policies) in files {
            class(writer, file, policies)?;
        }
        Ok(())
    };
    let package = |writer: &mut Writer<Vec<u8>>| {
        writer
            .create_element("classes")
            .write_inner_content(classes)?;
        Ok(())
    };
    let content = |writer: &mut Writer<Vec<u8>>| {
        writer
            .create_element("package")
            .with_attributes(attributes)
            .write_inner_content(package)?;
        Ok(())
    };
    writer
        .create_element("packages")
        .write_inner_content(content)?;
    Ok(())
}

fn class(writer: &mut Writer<Vec<u8>>, file: &str, policies: &[&Covered]) -> io::Result<()> {
    let of_file = lines(policies);
    let (line_rate, branch_rate) = rates(counts(&of_file));
    writer
        .create_element("class")
        .with_attributes([
            ("name", file),
            ("filename", file),
            ("line-rate", &line_rate),
            ("branch-rate", &branch_rate),
            ("complexity", "0"),
        ])
        .write_inner_content(|writer| {
            writer
                .create_element("methods")
                .write_inner_content(|writer| {
                    for policy in policies {
                        method(writer, policy)?;
                    }
                    Ok(())
                })?;
            write_lines(writer, &of_file)
        })?;
    Ok(())
}

fn method(writer: &mut Writer<Vec<u8>>, policy: &Covered) -> io::Result<()> {
    let of_policy = lines(&[policy]);
    let (line_rate, branch_rate) = rates(counts(&of_policy));
    writer
        .create_element("method")
        .with_attributes([
            ("name", policy.policy.as_str()),
            ("signature", ""),
            ("line-rate", &line_rate),
            ("branch-rate", &branch_rate),
            ("complexity", "0"),
        ])
        .write_inner_content(|writer| write_lines(writer, &of_policy))?;
    Ok(())
}

fn write_lines(writer: &mut Writer<Vec<u8>>, lines: &Lines<'_>) -> io::Result<()> {
    writer
        .create_element("lines")
        .write_inner_content(|writer| {
            for (number, (hits, clauses)) in lines {
                let (number, hits) = (number.to_string(), hits.to_string());
                let line = writer
                    .create_element("line")
                    .with_attributes([("number", number.as_str()), ("hits", hits.as_str())]);
                let aims: Vec<bool> = clauses
                    .iter()
                    .flat_map(|clause| clause.seen.aims())
                    .collect();
                if aims.is_empty() {
                    line.with_attribute(("branch", "false")).write_empty()?;
                    continue;
                }
                let met = aims.iter().filter(|met| **met).count();
                let share = format!("{}% ({met}/{})", 100 * met / aims.len(), aims.len());
                line.with_attributes([("branch", "true"), ("condition-coverage", &share)])
                    .write_empty()?;
            }
            Ok(())
        })?;
    Ok(())
}

/// The shares of lines and branches that cases reached, between 0 and 1.
fn rates(counts: Counts) -> (String, String) {
    let rate = |hit: usize, all: usize| match all {
        0 => "1".to_owned(),
        all => format!("{:.4}", hit as f64 / all as f64),
    };
    (
        rate(counts.lines_hit, counts.lines),
        rate(counts.branches_hit, counts.branches),
    )
}
