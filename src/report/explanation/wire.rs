//! The JSON of an explanation, version 1.

use schemars::JsonSchema;
use serde::Serialize;

use crate::premises::PremisesDocument;
use crate::{provenance, schema};
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::explain::{
    DecisionReasons, ExplainedAction, ExplainedClause, ExplainedCondition, Explanation, Grant,
    GrantingGroups, InForce, Named, Observation, Path, Remedies, Rule, Support, Truth,
};
use tarbac_analysis::wire::RefusalShape;
use tarbac_host::decision::{Basis, Decision, Notice, Refusal};

/// The JSON Schema of an explanation.
pub const SCHEMA: fn() -> String = schema::text::<ExplanationWire<'static>>;

/// The JSON of an explanation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExplanationWire<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<PremisesDocument<'a>>,
    principal: &'a Named,
    action: &'a ExplainedAction,
    resource: &'a Named,
    #[schemars(schema_with = "schema::decision")]
    decision: Decision,
    #[schemars(schema_with = "schema::basis")]
    basis: Basis,
    policies: &'a [String],
    errors: &'a [String],
    authority: Option<AuthorityWire<'a>>,
    grants: Vec<GrantWire<'a>>,
    #[serde(skip_serializing_if = "<[Support]>::is_empty")]
    supports: &'a [Support],
    rules: Vec<RuleWire<'a>>,
    roles: Option<&'a GrantingGroups>,
    #[schemars(with = "Vec<RefusalShape>")]
    refusals: &'a [Refusal],
    changes: Option<&'a Remedies>,
    notices: Vec<NoticeWire<'a>>,
    readings: &'a [InForce],
    #[serde(flatten)]
    provenance: provenance::ProvenanceWire<'a>,
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
    paths: &'a [Path],
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
    read: &'a [Observation],
}

/// `holds` is null where the condition was not evaluated or failed.
#[derive(Debug, Serialize, JsonSchema)]
struct TruthWire<'a> {
    holds: Option<bool>,
    error: Option<&'a str>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct NoticeWire<'a> {
    code: &'a str,
    message: &'a str,
    about: Option<UidWire<'a>>,
    from: &'a str,
    #[schemars(schema_with = "schema::former")]
    former: Option<Decision>,
}

/// An entity alone.
#[derive(Debug, Serialize, JsonSchema)]
struct UidWire<'a> {
    r#type: String,
    id: &'a str,
}

/// The explanation in its JSON form.
pub fn wire<'a>(explanation: &'a Explanation, premises: &'a Premises) -> ExplanationWire<'a> {
    let answer = &explanation.answer;
    let supports = match &explanation.why {
        DecisionReasons::Permitted(_, supports) => supports.as_slice(),
        _ => &[],
    };
    let (grants, rules, roles) = match &explanation.why {
        DecisionReasons::Permitted(grants, _) => {
            (grants.iter().map(grant).collect(), Vec::new(), None)
        }
        DecisionReasons::Forbidden(rules) => (Vec::new(), rules.iter().map(rule).collect(), None),
        DecisionReasons::NotPermitted(roles) => (Vec::new(), Vec::new(), Some(roles)),
        DecisionReasons::Indeterminate => (Vec::new(), Vec::new(), None),
    };
    ExplanationWire {
        version: 1,
        asked: PremisesDocument::if_any(premises),
        principal: &explanation.principal,
        action: &explanation.action,
        resource: &explanation.resource,
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
        refusals: &answer.refusals,
        changes: explanation.remedies.as_ref(),
        notices: answer.notices.iter().map(notice).collect(),
        readings: &explanation.readings,
        provenance: provenance::ProvenanceWire::new(&explanation.provenance),
    }
}

fn grant(grant: &Grant) -> GrantWire<'_> {
    GrantWire {
        rule: rule(&grant.rule),
        paths: &grant.paths,
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

fn clause(clause: &ExplainedClause) -> ClauseWire<'_> {
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

fn part<'a>(clause: &ExplainedClause, part: &'a ExplainedCondition) -> PartWire<'a> {
    PartWire {
        text: &part.text,
        truth: truth(&part.truth),
        decisive: clause.is_decisive(part),
        read: &part.facts,
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

fn notice(notice: &Notice) -> NoticeWire<'_> {
    NoticeWire {
        code: &notice.code,
        message: &notice.message,
        about: notice.about.as_ref().map(|uid| UidWire {
            r#type: uid.type_name().to_string(),
            id: uid.id().unescaped(),
        }),
        from: &notice.from,
        former: notice.former,
    }
}
