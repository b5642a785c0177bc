//! The JSON of an explanation, version 1.

use std::borrow::Cow;

use cedar_policy::EntityUid;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::premises::PremisesDocument;
use crate::provenance;
use crate::schema;
use crate::support::SupportDocument;
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::explain::{
    Change, ChangeKind, Clause, Explanation, Grant, Named, Observation, Part, Path, Read, Rule,
    Truth, Value, Why,
};
use tarbac_host::decision::{Basis, Decision, Notice, Refusal};

/// The JSON Schema of an explanation.
pub const SCHEMA: fn() -> String = schema::text::<Wire<'static>>;

/// An explanation as it is written to JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<PremisesDocument<'a>>,
    principal: EntityWire<'a>,
    action: ActionWire<'a>,
    resource: EntityWire<'a>,
    #[schemars(schema_with = "schema::decision")]
    decision: Decision,
    #[schemars(schema_with = "schema::basis")]
    basis: Basis,
    policies: &'a [String],
    errors: &'a [String],
    authority: Option<AuthorityWire<'a>>,
    grants: Vec<GrantWire<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    supports: Vec<SupportDocument<'a>>,
    rules: Vec<RuleWire<'a>>,
    roles: Option<RolesWire<'a>>,
    refusals: Vec<RefusalWire<'a>>,
    changes: Option<ChangesWire<'a>>,
    notices: Vec<NoticeWire<'a>>,
    readings: Vec<ReadingWire<'a>>,
    #[serde(flatten)]
    provenance: provenance::Wire<'a>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct EntityWire<'a> {
    r#type: String,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ActionWire<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AuthorityWire<'a> {
    name: &'a str,
    decides: Option<&'a str>,
    policy: &'a str,
    rule: Option<RuleWire<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct GrantWire<'a> {
    rule: RuleWire<'a>,
    paths: Vec<Vec<EntityWire<'a>>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RuleWire<'a> {
    policy: &'a str,
    doc: Option<&'a str>,
    source: Option<&'a str>,
    file: &'a str,
    line: Option<usize>,
    message: Option<&'a str>,
    advice: Option<&'a str>,
    reading: Option<&'a str>,
    clauses: Vec<ClauseWire<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ClauseWire<'a> {
    keyword: &'static str,
    line: Option<usize>,
    text: &'a str,
    #[serde(flatten)]
    truth: TruthWire<'a>,
    parts: Vec<PartWire<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PartWire<'a> {
    text: &'a str,
    #[serde(flatten)]
    truth: TruthWire<'a>,
    decisive: bool,
    read: Vec<FactWire<'a>>,
}

/// `holds` is null where it was not judged or could not be.
#[derive(Debug, Serialize, JsonSchema)]
struct TruthWire<'a> {
    holds: Option<bool>,
    error: Option<&'a str>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FactWire<'a> {
    path: &'a str,
    of: Read,
    value: ValueWire<'a>,
}

#[derive(Debug)]
struct ValueWire<'a>(&'a Value);

#[derive(Debug, Serialize, JsonSchema)]
struct RolesWire<'a> {
    giving: Vec<GivingWire<'a>>,
    held: Vec<HeldWire<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    withheld: Vec<WithheldWire<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct GivingWire<'a> {
    entity: EntityWire<'a>,
    policies: &'a [String],
}

#[derive(Debug, Serialize, JsonSchema)]
struct HeldWire<'a> {
    entity: EntityWire<'a>,
    path: Option<Vec<EntityWire<'a>>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct WithheldWire<'a> {
    entity: EntityWire<'a>,
    path: Option<Vec<EntityWire<'a>>>,
    told: &'a str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RefusalWire<'a> {
    policy: &'a str,
    message: Option<&'a str>,
    advice: Option<&'a str>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ChangesWire<'a> {
    alternatives: Vec<Vec<ChangeWire<'a>>>,
    unliftable: &'a [String],
    complete: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ChangeWire<'a> {
    kind: ChangeKind,
    entity: EntityWire<'a>,
    attribute: Option<String>,
    value: ValueWire<'a>,
    sentence: &'a str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct NoticeWire<'a> {
    code: &'a str,
    message: &'a str,
    about: Option<EntityWire<'a>>,
    from: &'a str,
    #[schemars(schema_with = "schema::former")]
    former: Option<Decision>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ReadingWire<'a> {
    name: &'a str,
    doc: &'a str,
    source: &'a str,
}

/// The explanation as it is written to JSON.
pub fn wire<'a>(explanation: &'a Explanation, premises: &'a Premises) -> Wire<'a> {
    let answer = &explanation.answer;
    let supports = match &explanation.why {
        Why::Permitted(_, supports) => supports.iter().map(SupportDocument::of).collect(),
        _ => Vec::new(),
    };
    let (grants, rules, roles) = match &explanation.why {
        Why::Permitted(grants, _) => (grants.iter().map(grant).collect(), Vec::new(), None),
        Why::Forbidden(rules) => (Vec::new(), rules.iter().map(rule).collect(), None),
        Why::NotPermitted(roles) => (
            Vec::new(),
            Vec::new(),
            Some(RolesWire {
                giving: roles
                    .giving
                    .iter()
                    .map(|giving| GivingWire {
                        entity: entity(&giving.entity),
                        policies: &giving.policies,
                    })
                    .collect(),
                held: roles
                    .held
                    .iter()
                    .map(|held| HeldWire {
                        entity: entity(&held.entity),
                        path: held.path.as_ref().map(path),
                    })
                    .collect(),
                withheld: roles
                    .withheld
                    .iter()
                    .map(|withheld| WithheldWire {
                        entity: entity(&withheld.entity),
                        path: withheld.path.as_ref().map(path),
                        told: &withheld.told,
                    })
                    .collect(),
            }),
        ),
        Why::Indeterminate => (Vec::new(), Vec::new(), None),
    };
    Wire {
        version: 1,
        asked: PremisesDocument::if_any(premises),
        principal: entity(&explanation.principal),
        action: ActionWire {
            id: &explanation.action.id,
            name: &explanation.action.name,
        },
        resource: entity(&explanation.resource),
        decision: answer.outcome.decision,
        basis: answer.outcome.basis,
        policies: &answer.outcome.policies,
        errors: &answer.outcome.errors,
        authority: answer.authority.as_ref().map(|authority| AuthorityWire {
            name: &authority.name,
            decides: explanation.decides.as_deref(),
            policy: &authority.policy,
            rule: explanation.authority.as_ref().map(rule),
        }),
        grants,
        supports,
        rules,
        roles,
        refusals: answer.refusals.iter().map(refusal).collect(),
        changes: explanation.remedies.as_ref().map(|remedies| ChangesWire {
            alternatives: remedies
                .alternatives
                .iter()
                .map(|alternative| alternative.iter().map(change).collect())
                .collect(),
            unliftable: &remedies.unliftable,
            complete: !remedies.is_cut,
        }),
        notices: answer.notices.iter().map(notice).collect(),
        readings: explanation
            .readings
            .iter()
            .map(|reading| ReadingWire {
                name: &reading.name,
                doc: &reading.doc,
                source: &reading.source,
            })
            .collect(),
        provenance: provenance::Wire::of(&explanation.provenance),
    }
}

fn entity(named: &Named) -> EntityWire<'_> {
    EntityWire {
        name: Some(&named.name),
        ..unnamed(&named.uid)
    }
}

fn unnamed(uid: &EntityUid) -> EntityWire<'_> {
    EntityWire {
        r#type: uid.type_name().to_string(),
        id: uid.id().unescaped(),
        name: None,
    }
}

fn path(path: &Path) -> Vec<EntityWire<'_>> {
    path.steps.iter().map(entity).collect()
}

fn grant(grant: &Grant) -> GrantWire<'_> {
    GrantWire {
        rule: rule(&grant.rule),
        paths: grant.paths.iter().map(path).collect(),
    }
}

fn rule(rule: &Rule) -> RuleWire<'_> {
    RuleWire {
        policy: &rule.policy,
        doc: rule.doc.as_deref(),
        source: rule.source.as_deref(),
        file: &rule.file,
        line: rule.line,
        message: rule.message.as_deref(),
        advice: rule.advice.as_deref(),
        reading: rule.reading.as_deref(),
        clauses: rule.clauses.iter().map(clause).collect(),
    }
}

fn clause(clause: &Clause) -> ClauseWire<'_> {
    ClauseWire {
        keyword: clause.keyword.word(),
        line: clause.line,
        text: &clause.text,
        truth: truth(&clause.truth),
        parts: clause
            .parts
            .iter()
            .map(|part| self::part(clause, part))
            .collect(),
    }
}

fn part<'a>(clause: &Clause, part: &'a Part) -> PartWire<'a> {
    PartWire {
        text: &part.text,
        truth: truth(&part.truth),
        decisive: clause.is_decisive(part),
        read: part.facts.iter().map(fact).collect(),
    }
}

fn fact(fact: &Observation) -> FactWire<'_> {
    FactWire {
        path: &fact.path,
        of: fact.read,
        value: ValueWire(&fact.value),
    }
}

fn truth(truth: &Truth) -> TruthWire<'_> {
    let (holds, error) = match truth {
        Truth::True => (Some(true), None),
        Truth::False => (Some(false), None),
        Truth::Error(error) => (None, Some(error.as_str())),
        Truth::NotJudged => (None, None),
    };
    TruthWire { holds, error }
}

fn refusal(refusal: &Refusal) -> RefusalWire<'_> {
    RefusalWire {
        policy: &refusal.policy,
        message: refusal.message.as_deref(),
        advice: refusal.advice.as_deref(),
    }
}

fn change(change: &Change) -> ChangeWire<'_> {
    ChangeWire {
        kind: change.kind,
        entity: entity(&change.entity),
        attribute: (!change.attribute.is_empty()).then(|| change.attribute.join(".")),
        value: ValueWire(&change.value),
        sentence: &change.sentence,
    }
}

fn notice(notice: &Notice) -> NoticeWire<'_> {
    NoticeWire {
        code: &notice.code,
        message: &notice.message,
        about: notice.about.as_ref().map(unnamed),
        from: &notice.from,
        former: notice.former,
    }
}

impl Serialize for ValueWire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Bool(bool) => serializer.serialize_bool(*bool),
            Value::Long(long) => serializer.serialize_i64(*long),
            Value::Text(text) | Value::Extension(text) => serializer.serialize_str(text),
            Value::Entity(named) => entity(named).serialize(serializer),
            Value::Set(elements) => serializer.collect_seq(elements.iter().map(ValueWire)),
            Value::Record(fields) => {
                serializer.collect_map(fields.iter().map(|(name, value)| (name, ValueWire(value))))
            }
        }
    }
}

impl JsonSchema for ValueWire<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    /// Any value, since sets and records are of values.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        true.into()
    }
}
