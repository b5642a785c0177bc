//! The format of a suite file.
//!
//! These types are the format: the reader and the JSON Schema that editors use are derived from them. Names are looked
//! up later ([`super::resolve`]).

mod forms;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use tarbac_host::decision::Decision;

/// Test outcomes of tarbac: cases, matrices and a snapshot, under one choice of readings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "tarbac test suite")]
pub(super) struct Document {
    /// What the suite is about. A file without it is shared: others name it under `use`.
    #[schemars(with = "Option<String>")]
    pub suite: Option<Spanned<String>>,
    /// Anything else to know, for whoever reads the file.
    #[serde(rename = "doc")]
    pub _doc: Option<String>,
    /// Shared files whose groups and fixtures hold here too, relative to this file.
    #[serde(default, rename = "use")]
    #[schemars(with = "Vec<String>")]
    pub uses: Vec<Spanned<String>>,
    /// Readings that are switched on or off for the whole suite.
    #[serde(default)]
    pub readings: Entries<Switch>,
    /// Groups of people by name.
    #[serde(default)]
    pub principals: Entries<Names>,
    /// Groups of permissions by name.
    #[serde(default)]
    pub actions: Entries<Names>,
    /// Groups of devices and tenants by name.
    #[serde(default)]
    pub resources: Entries<Names>,
    /// Changes of the directory by name, to be named under `given`.
    #[serde(default)]
    #[schemars(
        with = "std::collections::BTreeMap<String, std::collections::BTreeMap<String, Value>>"
    )]
    pub fixtures: Entries<Facts>,
    /// Changes of the directory that hold for the whole suite.
    pub given: Option<Given>,
    /// The context of every request, unless a case has its own.
    #[schemars(with = "Option<Value>")]
    pub context: Option<Spanned<Value>>,
    /// One expectation each.
    #[serde(default)]
    pub cases: Vec<Case>,
    /// Tables of expectations.
    #[serde(default)]
    pub matrices: Vec<Matrix>,
    /// A table of decisions that is kept beside this file and compared.
    pub snapshot: Option<Snapshot>,
    /// Policies and clauses that need no coverage, each with a reason.
    #[serde(default)]
    pub exempt: Vec<Exemption>,
}

/// One expectation about one request, or the same about several.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// What holds, in a sentence.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// Who asks: people by user principal name, id or Cedar UID, or groups of this file.
    pub principal: Names,
    /// What for: permissions in any spelling, or groups of this file.
    pub action: Names,
    /// On what: devices or tenants by name, id or Cedar UID, or groups of this file.
    pub resource: Names,
    /// The context of the requests, for example `now`.
    #[schemars(with = "Option<Value>")]
    pub context: Option<Spanned<Value>>,
    /// Changes of the directory that hold for this case, after those of the suite.
    pub given: Option<Given>,
    /// The decision.
    pub expect: Expect,
    /// Exactly the policies that determine it, by id; none where no policy permits. `any` where they
    /// are not known yet, as in a counterexample of `tarbac prove`.
    #[schemars(schema_with = "Because::schema")]
    pub because: Because,
}

/// The policies that determine a decision.
#[derive(Debug)]
pub(super) enum Because {
    /// Exactly these.
    These(Vec<Spanned<String>>),
    /// Any policies.
    Any,
}

/// Expectations in a table. Every cell is stated.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Matrix {
    /// What holds, in a sentence.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// The context of the requests, for example `now`.
    #[schemars(with = "Option<Value>")]
    pub context: Option<Spanned<Value>>,
    /// Changes of the directory that hold for this table, after those of the suite.
    pub given: Option<Given>,
    /// The columns: permissions in any spelling, or groups of this file.
    pub actions: Names,
    /// What the words in the cells stand for.
    pub legend: Entries<Expected>,
    /// For each device or tenant, for each person, a word for each column.
    #[schemars(
        with = "std::collections::BTreeMap<String, std::collections::BTreeMap<String, String>>"
    )]
    pub table: Entries<Entries<Spanned<String>>>,
}

/// What a word in a table stands for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// The decision.
    pub expect: Expect,
    /// Exactly the policies that determine it, by id; none where no policy permits.
    #[schemars(with = "Vec<String>")]
    pub because: Vec<Spanned<String>>,
}

/// A decision.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Expect {
    /// A policy permits it and none forbids it.
    Allow,
    /// A policy forbids it, or none permits it.
    Deny,
    /// It cannot be decided.
    Indeterminate,
}

/// Whether a reading is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Switch {
    /// It is on.
    On,
    /// It is off.
    Off,
}

/// A table of decisions that is kept beside the file, under its name with the ending `.snap`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Snapshot {
    /// The rows: people or groups of this file, `all`, or `classes` for one of each kind that the
    /// policies can tell apart.
    pub principals: Names,
    /// The columns: permissions, groups of this file, or `all`.
    pub actions: Names,
    /// A block each: devices, tenants or groups of this file, `all`, or `classes`.
    pub resources: Names,
}

/// A policy, or a clause of it, that needs no coverage.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Exemption {
    /// The id of the policy.
    #[schemars(with = "String")]
    pub policy: Spanned<String>,
    /// The clause as `tarbac test --coverage` lists it; the whole policy without it.
    #[schemars(with = "Option<String>")]
    pub clause: Option<Spanned<String>>,
    /// Why it needs none.
    pub reason: String,
}

impl Document {
    /// All values of `given`.
    pub(super) fn givens(&self) -> impl Iterator<Item = &Given> {
        let of_cases = self.cases.iter().filter_map(|case| case.given.as_ref());
        let of_matrices = self
            .matrices
            .iter()
            .filter_map(|matrix| matrix.given.as_ref());
        self.given.iter().chain(of_cases).chain(of_matrices)
    }

    /// Whether it has only groups and fixtures, which other files use.
    pub(super) fn is_shared(&self) -> bool {
        self.uses.is_empty()
            && self.readings.0.is_empty()
            && self.given.is_none()
            && self.context.is_none()
            && self.cases.is_empty()
            && self.matrices.is_empty()
            && self.snapshot.is_none()
            && self.exempt.is_empty()
    }
}

/// Facts about entities: a Cedar expression such as `Intune::Tenant::"contoso".useIntuneRbac`, and
/// the new value.
pub(super) type Facts = Entries<Spanned<Value>>;

/// One name, or a list of them.
#[derive(Debug)]
pub(super) struct Names(pub Vec<Spanned<String>>);

/// Facts, the name of a fixture, or a list of both.
#[derive(Debug)]
pub(super) struct Given(pub Vec<Part>);

/// A part of `given`.
#[derive(Debug)]
pub(super) enum Part {
    /// The facts of a fixture.
    Fixture(Spanned<String>),
    /// These facts.
    Facts(Facts),
}

/// A map in the order of the file, each key with its place.
#[derive(Debug)]
pub(super) struct Entries<T>(pub Vec<(Spanned<String>, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl From<Expect> for Decision {
    fn from(expect: Expect) -> Self {
        match expect {
            Expect::Allow => Self::Allow,
            Expect::Deny => Self::Deny,
            Expect::Indeterminate => Self::Indeterminate,
        }
    }
}
