//! The same in plain Cedar.

use cedar_policy::{PolicyId, PolicySet, Request};
use tarbac::Engine;

/// All policies in force.
pub fn policies(engine: &Engine) -> PolicySet {
    let policies = engine.bundle().in_force(engine.readings()).map(|policy| {
        cedar_policy::Policy::from(policy.ast().clone()).new_id(PolicyId::new(policy.id()))
    });
    PolicySet::from_policies(policies).unwrap()
}

/// A request.
pub fn request(request: &tarbac::Request) -> Request {
    Request::new(
        request.principal.clone(),
        request.action.clone(),
        request.resource.clone(),
        request.context.clone(),
        None,
    )
    .unwrap()
}
