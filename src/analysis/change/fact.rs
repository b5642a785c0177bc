//! Hypothetical facts of `what-if` and suites, and the entities they change or create.
//!
//! A fact is a Cedar expression about an entity, and the value of the expression:
//!
//! | fact | effect |
//! |---|---|
//! | `E.attribute: VALUE`, also through records | the attribute has the value |
//! | `E has attribute: false` | the attribute is absent |
//! | `E.attribute.contains(F): true` or `false` | the set has the element, or does not |
//! | `E in F: true` or `false` | `F` is a parent of `E`, or is not |
//! | `E: {…}` | the entity exists, with these attributes |
//!
//! Where the schema puts a type between those of `E` and `F`, as role assignments between people and roles,
//! `E in F: true` creates an entity of that type, with the parents that the type requires and the one that it has
//! by default (`@unless_stated`). An entity is named by its id or by an alias, as in
//! `Entra::User::"ada@contoso.example"`.
//!
//! Where the schema says that an attribute stands in place of a parent while a setting is on (`@in_place_of`,
//! `@while`), the edited entities follow that, unless the facts state the attribute or the parent.
//!
//! | module | content |
//! |---|---|
//! | `edits` | facts applied one by one, and the statements that hold in the end |
//! | `value` | attributes, and values by the kinds of the schema |
//! | `membership` | parents, and entities in between |
//! | `stand_in` | attributes in place of parents |

mod edits;
mod membership;
mod stand_in;
mod value;

use cedar_policy::EntityUid;
use cedar_policy_core::ast;
use serde_json::Value;

use edits::Edits;
use tarbac_diagnostic::code::Code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Place;
use tarbac_host::engine::Engine;
use tarbac_host::lookup::Lookup;
use tarbac_store::index::IndexVec;
use tarbac_store::{GivenEntity, index_type};

index_type! {
    /// The index of a fact among those that are applied together.
    pub(crate) struct FactId;
}

/// A hypothetical fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The expression, for example `Intune::Tenant::"contoso".useIntuneRbac`.
    pub expression: String,
    /// Its value.
    pub value: Value,
    /// Its place in the source.
    pub place: Place,
    /// The map that it stands in: the name of the file, and the offset in bytes.
    pub map: (String, u64),
}

/// The outcome of facts on a directory.
pub(crate) struct FactOutcome {
    /// The entities that they change or create.
    pub(crate) entities: Vec<GivenEntity>,
    /// The assertions of the valid facts, in their order.
    pub(crate) assertions: Vec<Assertion>,
    /// Findings for invalid facts.
    pub(crate) findings: Vec<Finding>,
    /// Facts that repeat the statement of an earlier fact in the same map, with the same or another value.
    pub(crate) repetitions: Vec<Repetition>,
    /// Facts that do not hold in the end, each with the one that overrides it.
    pub(crate) overridden: Vec<(FactId, FactId)>,
}

/// Two facts of one map with the same statement.
pub(crate) struct Repetition {
    /// The statement of both, for example `Intune::Tenant::"contoso".useIntuneRbac`.
    pub(crate) statement: String,
    /// The two facts.
    pub(crate) facts: (FactId, FactId),
}

/// The statement of a fact about an entity.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assertion {
    /// The fact.
    pub(crate) fact: FactId,
    /// The entity.
    pub(crate) entity: EntityUid,
    /// The statement.
    pub(crate) statement: Statement,
    /// Whether it holds without the fact. An absent attribute has the value that the schema gives it (`@absent`).
    pub(crate) held_before: bool,
}

/// A statement about an entity.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Statement {
    /// The entity exists.
    Exists,
    /// The attribute at this path has this value, as Cedar's JSON writes it, or is absent.
    Is(Vec<String>, Option<Value>),
    /// The set at this path has the element, or does not.
    Contains(Vec<String>, Value, bool),
    /// The entity is in another, or is not.
    In(EntityUid, bool),
}

/// The entities that facts change or create, and findings of this code for facts that are invalid or repeated.
pub fn entities(
    engine: &Engine,
    names: &Lookup,
    facts: &[Fact],
    code: &Code,
) -> (Vec<GivenEntity>, Vec<Finding>) {
    let outcome = outcome(engine, names, facts, code);
    let facts: IndexVec<FactId, &Fact> = facts.iter().collect();
    let mut findings = outcome.findings;
    findings.extend(outcome.repetitions.into_iter().map(|repetition| {
        let (first, second) = repetition.facts;
        let message = format!("`{}` is given twice", repetition.statement);
        Finding::error(code.clone(), message)
            .help("keep one of the two")
            .label(facts[second].place.clone(), "this fact")
            .label(facts[first].place.clone(), "and this one")
    }));
    (outcome.entities, findings)
}

/// Applies facts to the directory of an engine; findings have this code.
pub(crate) fn outcome(engine: &Engine, names: &Lookup, facts: &[Fact], code: &Code) -> FactOutcome {
    let finding = |problem: InvalidFact, place: &Place, label: &str| {
        let mut finding = Finding::error(code.clone(), problem.message).label(place.clone(), label);
        finding.help = problem.help;
        finding
    };
    let mut edits = Edits::new(engine, names);
    let mut assertions = Vec::new();
    let mut findings = Vec::new();
    let mut repetitions = Vec::new();
    let facts: IndexVec<FactId, &Fact> = facts.iter().collect();
    for (index, fact) in facts.iter_enumerated() {
        match edits.apply(fact, index) {
            Ok(assertion) => assertions.push(assertion),
            Err(FactError::Repeated(repetition)) => repetitions.push(repetition),
            Err(FactError::Invalid(problem)) => {
                findings.push(finding(problem, &fact.place, "this fact"));
            }
        }
    }
    let overridden = edits.overridden(&facts, &assertions);
    if let Some(first) = facts.first()
        && let Err(problem) = edits.apply_stand_ins()
    {
        let label = "with the facts from here on";
        findings.push(finding(problem, &first.place, label));
    }
    FactOutcome {
        entities: edits.changed.into_values().collect(),
        assertions,
        findings,
        repetitions,
        overridden,
    }
}

/// The reason why a fact is not applied.
enum FactError {
    /// Another fact of the same map makes the same statement.
    Repeated(Repetition),
    /// It is no fact about entities of this schema.
    Invalid(InvalidFact),
}

impl From<InvalidFact> for FactError {
    fn from(problem: InvalidFact) -> Self {
        Self::Invalid(problem)
    }
}

/// The message and help of an invalid fact.
struct InvalidFact {
    message: String,
    help: Option<String>,
}

impl InvalidFact {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Whether an entity is in another, directly or through others.
pub(crate) fn is_in_other(engine: &Engine, uid: &EntityUid, group: &EntityUid) -> bool {
    let directory = engine.directory();
    let (Some(row), Some(group)) = (directory.row(uid), directory.row(group)) else {
        return false;
    };
    directory.ancestors(row).any(|above| above == group)
}

/// Whether the value of an attribute is true.
pub(crate) fn is_true(value: Option<&ast::PartialValue>) -> bool {
    value.is_some_and(|value| match value {
        ast::PartialValue::Value(value) => matches!(
            value.value_kind(),
            ast::ValueKind::Lit(ast::Literal::Bool(true))
        ),
        ast::PartialValue::Residual(_) => false,
    })
}
