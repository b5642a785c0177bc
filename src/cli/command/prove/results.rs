//! The results of `prove`, for people, programs and reports.

use schemars::JsonSchema;
use serde::Serialize;
use tarbac_assurance::prove::{Proof, SpecMutation, SpecResult};
use tarbac_assurance::test_report::{Group, Test};
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_host::Engine;
use tarbac_host::excerpt::Excerpts;
use tarbac_report::words::counted;
use tarbac_report::{self as render, VERSION, prove};

use super::ProveArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// The results of a run.
pub(crate) struct Results<'a> {
    pub proof: Proof<'a>,
    pub mutation: Option<SpecMutation>,
    /// Warnings about the specs.
    pub warnings: Vec<Finding>,
    pub engine: &'a Engine,
    pub arguments: &'a ProveArgs,
}

/// The JSON Schema of the results of proofs.
pub(crate) const SCHEMA: fn() -> String =
    render::schema::text::<render::provenance::With<'static, Document<'static>>>;

#[derive(Debug, Serialize, JsonSchema)]
struct Document<'a> {
    version: u32,
    verdict: &'static str,
    specs: Vec<prove::wire::SpecWire<'a>>,
    findings: Vec<render::findings::Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mutants: Option<prove::wire::MutationWire<'a>>,
}

impl<'a> Results<'a> {
    /// The exit status.
    pub(crate) fn exit(&self) -> Exit {
        let is_denied = self.arguments.deny_warnings && !self.findings().is_empty();
        let survived = self
            .mutation
            .as_ref()
            .is_some_and(|mutation| !mutation.survivors.is_empty());
        let is_open = match &self.mutation {
            Some(mutation) => !mutation.unknown.is_empty(),
            None => self.arguments.mutate,
        };
        match (
            self.proof.is_refuted() || survived || is_denied,
            self.proof.is_unknown() || is_open,
        ) {
            (true, _) => Exit::No,
            (false, true) => Exit::Unanswered,
            (false, false) => Exit::Yes,
        }
    }

    /// Specs, findings and mutants, in text.
    pub(crate) fn write(&self, output: &mut Output) -> Result<(), Failure> {
        let style = output.style();
        for tried in self.by_file() {
            if let Some(first) = tried.first() {
                let file = &first.spec.place().source.name;
                output.write_fitted(&prove::human(file, &tried, self.engine, style))?;
            }
        }
        let findings = self.findings();
        if !findings.is_empty() {
            output.write("\n")?;
            output.write(&render::findings::human(
                &findings,
                &Excerpts::read(&findings),
                style,
            ))?;
            output.write("\n")?;
        }
        if let Some(mutation) = &self.mutation {
            output.write("\n")?;
            output.write_fitted(&prove::mutation::human(mutation, self.engine, style))?;
        } else if self.arguments.mutate {
            output.write_fitted(
                "\nNo mutant was tried, because not everything is proved without a change.\n",
            )?;
        }
        output.write_fitted(&self.summary(output))
    }

    fn summary(&self, output: &Output) -> String {
        let style = output.style();
        let refuted = self.count(|tried| tried.refutations().next().is_some());
        let unknown = self.count(|tried| {
            tried.refutations().next().is_none() && tried.unknown().next().is_some()
        });
        let of = counted(self.proof.specs.len(), "spec");
        let mut parts = Vec::new();
        if refuted > 0 {
            parts.push(format!("{refuted} of {of} refuted"));
        }
        if unknown > 0 {
            parts.push(format!("{unknown} of {of} not proved"));
        }
        let findings = self.findings();
        if !findings.is_empty() {
            parts.push(counted(findings.len(), "finding"));
        }
        if let Some(mutation) = &self.mutation {
            let left = mutation.survivors.len() + mutation.unknown.len();
            if left > 0 {
                parts.push(format!("{} that no spec notices", counted(left, "mutant")));
            }
        }
        let policies = format!(
            "{} policies, none of which can raise an error or is redundant",
            self.proof.policies
        );
        match (self.exit(), parts.as_slice()) {
            (Exit::Yes, []) => format!("{}: {of}, {policies}\n", style.green("proved")),
            (Exit::Yes, parts) => {
                format!("{}: {of}; {}\n", style.green("proved"), parts.join(", "))
            }
            (Exit::No, parts) => format!("{}: {}\n", style.red("refuted"), parts.join(", ")),
            (Exit::Unanswered, parts) => {
                format!("{}: {}\n", style.yellow("not proved"), parts.join(", "))
            }
        }
    }

    fn count(&self, is: impl Fn(&SpecResult<'_>) -> bool) -> usize {
        self.proof.specs.iter().filter(|tried| is(tried)).count()
    }

    /// The results as JSON.
    pub(crate) fn json(&self) -> String {
        let findings = self.findings();
        let excerpts = Excerpts::read(&findings);
        let document = Document {
            version: VERSION,
            verdict: match self.exit() {
                Exit::Yes => "proved",
                Exit::No => "refuted",
                Exit::Unanswered => "not_proved",
            },
            specs: self
                .proof
                .specs
                .iter()
                .map(|tried| prove::wire::spec(tried, self.engine))
                .collect(),
            findings: render::findings::entries(&findings, &excerpts),
            mutants: self.mutation.as_ref().map(prove::wire::mutation),
        };
        render::provenance::document(document, self.engine.provenance())
    }

    /// The specs for reports, grouped by file.
    pub(crate) fn groups(&self) -> Vec<Group> {
        self.by_file()
            .into_iter()
            .filter_map(|tried| {
                let file = tried.first()?.spec.place().source.name.clone();
                let tests = tried.iter().map(|tried| Test {
                    name: tried.spec.id().to_owned(),
                    place: tried.spec.place().clone(),
                    failure: prove::failed(tried, self.engine),
                });
                Some(Group {
                    name: file.clone(),
                    tests: tests.collect(),
                    file,
                })
            })
            .collect()
    }

    /// The findings, with the mutants that no spec notices.
    pub(crate) fn all_findings(&self) -> Vec<Finding> {
        let survivors = self
            .mutation
            .iter()
            .flat_map(|mutation| prove::mutation::survivors(mutation, self.engine));
        self.findings().into_iter().chain(survivors).collect()
    }

    /// The findings about the policies and the specs.
    fn findings(&self) -> Vec<Finding> {
        let mut findings = self.warnings.clone();
        findings.extend(prove::vacuous(&self.proof));
        findings.extend(self.proof.findings.iter().cloned());
        findings.extend(self.proof.unknown.iter().cloned());
        finding::sort(&mut findings);
        findings
    }

    /// The specs, grouped by file.
    fn by_file(&self) -> Vec<Vec<&SpecResult<'a>>> {
        let mut files: Vec<Vec<&SpecResult<'a>>> = Vec::new();
        for tried in &self.proof.specs {
            let name = &tried.spec.place().source.name;
            let is_same = |files: &&mut Vec<&SpecResult<'a>>| {
                files
                    .first()
                    .is_some_and(|first| first.spec.place().source.name == *name)
            };
            match files.last_mut().filter(is_same) {
                Some(file) => file.push(tried),
                None => files.push(vec![tried]),
            }
        }
        files
    }
}
