//! Policy files written by a plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy::EntityUid;

use super::{Permission, PlannedFile};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Source;
use tarbac_host::bundle::policy_text::{line, permit, slug};
use tarbac_host::bundle::{self, Policy};

/// The folder of a workspace for policies that do not ship.
const FOLDER: &str = "policies/custom";

/// The number of permissions in the name of a role.
const NAMED: usize = 2;

/// A new role.
pub(super) struct NewRole<'a> {
    /// Its entity.
    pub uid: &'a EntityUid,
    /// The `@doc`.
    pub doc: &'a str,
    /// Its permissions, in the order of the schema.
    pub actions: &'a [EntityUid],
}

/// The id of the policy of a new role.
pub(super) fn policy_id(role: &EntityUid) -> String {
    format!("custom.{}", slug(role.id().unescaped()))
}

impl NewRole<'_> {
    /// The file of its policy.
    pub(super) fn file(&self) -> PlannedFile {
        let name = self.uid.id().unescaped();
        let policy = format!(
            "@id(\"{}\")\n@doc(\"{}\")\n{}\n",
            policy_id(self.uid),
            line(self.doc).escape_debug(),
            permit(
                &format!("principal in {}", self.uid),
                self.actions.iter(),
                "resource"
            ),
        );
        let text = format!(
            "// {}: a role of a plan. Once Intune has it, its Graph id goes in the place of this id.\n{policy}",
            line(name)
        );
        let path = format!("{FOLDER}/{}.cedar", slug(name));
        PlannedFile {
            text: formatted(&path, text),
            policy: formatted(&path, policy),
            path,
        }
    }
}

/// A policy with the actions that it is to permit; without any, the policy is removed.
pub(super) struct Rewriting<'p> {
    pub policy: &'p Policy,
    pub actions: Vec<EntityUid>,
}

/// The files with rewritten policies, and each of these policies.
type Rewritten = (Vec<Arc<Source>>, Vec<PlannedFile>);

/// The files of some policies that are rewritten, and for each policy the text of its file and its own.
///
/// # Errors
/// A policy does not stand where it was read.
pub(super) fn rewritten(rewritings: &[Rewriting<'_>]) -> Result<Rewritten, Vec<Finding>> {
    let mut by_file: BTreeMap<&Arc<Source>, Vec<&Rewriting<'_>>> = BTreeMap::new();
    for rewriting in rewritings {
        let source = &rewriting.policy.place().source;
        by_file.entry(source).or_default().push(rewriting);
    }
    let mut texts: BTreeMap<&str, Arc<Source>> = BTreeMap::new();
    for (source, mut of_file) in by_file {
        // From the end, so that places before it stay where they are.
        of_file.sort_by_key(|rewriting| std::cmp::Reverse(rewriting.policy.place().start));
        let mut text = source.text().to_owned();
        for rewriting in of_file {
            rewriting.written()?;
            let place = rewriting.policy.place();
            text.replace_range(place.start as usize..place.end as usize, &rewriting.text()?);
        }
        let text = formatted(&source.name, text);
        texts.insert(&source.name, Source::held(source.name.clone(), text));
    }
    let files = rewritings.iter().map(|rewriting| {
        let path = &rewriting.policy.place().source.name;
        let source = texts.get(path.as_str());
        let source = source.ok_or_else(|| rewriting.misplaced())?;
        Ok(PlannedFile {
            path: path.clone(),
            text: source.text().to_owned(),
            policy: formatted(path, rewriting.text()?),
        })
    });
    let files = files.collect::<Result<Vec<PlannedFile>, Vec<Finding>>>()?;
    Ok((texts.into_values().collect(), files))
}

impl Rewriting<'_> {
    /// The policy as it is written now.
    fn written(&self) -> Result<&str, Vec<Finding>> {
        let place = self.policy.place();
        let span = place.start as usize..place.end as usize;
        let text = place.source.text().get(span);
        text.ok_or_else(|| self.misplaced())
    }

    fn misplaced(&self) -> Vec<Finding> {
        let id = self.policy.id();
        let message = format!("the policy `{id}` is not where it was read, so it is not rewritten");
        vec![Finding::error(code::what_if::PLAN, message)]
    }

    /// The policy as it is to be; empty where it goes.
    fn text(&self) -> Result<String, Vec<Finding>> {
        if self.actions.is_empty() {
            return Ok(String::new());
        }
        let text = self.written()?;
        let ast = self.policy.written();
        let permit = permit(
            &ast.principal_constraint().to_string(),
            self.actions.iter(),
            &ast.resource_constraint().to_string(),
        );
        Ok(format!("{}{permit}", annotations(text)))
    }
}

/// The text of a policy up to its effect, which is the first word outside of annotations and comments.
fn annotations(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let end = match rest.chars().next() {
            Some('/') => rest.find('\n').unwrap_or(rest.len()),
            Some('@') => annotation(rest),
            _ => break,
        };
        rest = rest.get(end..).unwrap_or_default();
    }
    text.strip_suffix(rest).unwrap_or(text)
}

/// The length of the annotation that a text begins with.
fn annotation(text: &str) -> usize {
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ')' if !is_quoted => return at + 1,
            // An annotation without a value.
            '\n' if !is_quoted => return at,
            _ => {}
        }
    }
    text.len()
}

fn formatted(name: &str, text: String) -> String {
    let source = Source::held(name, text.clone());
    bundle::formatted(&source).unwrap_or(text)
}

/// Some permissions in the name of a role.
pub(super) fn in_name(permissions: &[Permission]) -> String {
    let named: Vec<&str> = permissions
        .iter()
        .take(NAMED)
        .map(|permission| permission.name.as_str())
        .collect();
    match permissions.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// All of some permissions, in a sentence.
pub(super) fn in_sentence(permissions: &[Permission]) -> String {
    let names = permissions.iter();
    let names = names.map(|permission| permission.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::annotations;

    #[test]
    fn annotations_end_where_the_effect_begins() {
        let text = "@id(\"one\")\n// permit (this)\n@doc(\"permit (\\\"x\\\") that.\") @mark\npermit (principal, action, resource);";
        assert!(annotations(text).ends_with("@mark\n"));
        assert_eq!(annotations("forbid (principal, action, resource);"), "");
    }
}
