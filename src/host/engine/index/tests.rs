//! Policies of one bucket, with faults that no bundle has.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

use cedar_policy::{Context, EntityUid};

use super::*;
use crate::Engine;
use crate::assembly;
use crate::bundle::{Switches, Texts};
use crate::decision::{Basis, Decision, Request};
use tarbac_diagnostic::source::Source;
use tarbac_store::Input;

const SCHEMA: &str =
    "entity User; action read, write appliesTo { principal: User, resource: User };";

const POLICIES: &str = r#"
@id("may")
permit (principal, action, resource);

@id("may-not")
forbid (principal, action == Action::"write", resource);
"#;

const ENTITIES: &str = r#"[{"uid": {"type": "User", "id": "u"}, "attrs": {}, "parents": []}]"#;

fn engine() -> Engine {
    let texts = Texts {
        schema: vec![Source::held("a.cedarschema", SCHEMA)],
        policies: vec![Source::held("a.cedar", POLICIES)],
        ..Texts::default()
    };
    let entities = Input {
        source: Source::held("a.json", ""),
        reader: Box::new(ENTITIES.as_bytes()),
    };
    let examined = assembly::examine(&texts, vec![entities], &Switches::default()).unwrap();
    examined.engine.expect("nothing is wrong")
}

/// The decision of the engine about reading, with policies that are evaluated together.
fn decided(engine: &Engine, policies: &[&Policy]) -> (Decision, Basis) {
    let user: EntityUid = r#"User::"u""#.parse().unwrap();
    let request = Request {
        principal: user.clone(),
        action: r#"Action::"read""#.parse().unwrap(),
        resource: user,
        context: Context::empty(),
    };
    let slice = engine.slice(&request).unwrap();
    let case = Case::within(engine, &request, &slice);
    let bucket = plain(policies, engine.directory(), &Arc::default());
    let outcome = engine.outcome_of(case.applicable(std::iter::once(&bucket)));
    (outcome.decision, outcome.basis)
}

#[test]
fn a_forbid_with_the_id_of_a_permit_forbids() {
    let engine = engine();
    let [may, may_not] = ["may", "may-not"].map(|id| engine.bundle().policy(id).unwrap());
    assert_eq!(
        decided(&engine, &[may]),
        (Decision::Allow, Basis::Permitted)
    );
    assert_eq!(
        decided(&engine, &[may, may_not]),
        (Decision::Deny, Basis::Forbidden)
    );
    // No bundle has two policies with one id, and a policy set of Cedar's would take one of them only.
    let body = static_policy(
        may.ast().id().clone(),
        may_not.ast().effect(),
        may_not.ast().principal_constraint(),
        ast::ActionConstraint::any(),
        may_not.ast().resource_constraint(),
        None,
    );
    let namesake = may_not.with_body(body.unwrap());
    assert_eq!(
        decided(&engine, &[may, &namesake]),
        (Decision::Deny, Basis::Forbidden)
    );
}
