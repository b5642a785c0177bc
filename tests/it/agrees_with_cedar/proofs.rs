//! Proofs against plain Cedar, on random policies.

use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Entities, EntityUid, Policy, PolicySet, Request as CedarRequest,
};
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use proptest::test_runner::TestCaseResult;
use tarbac::engine::Engine;
use tarbac::finding::{Finding, Severity};
use tarbac::prove::{self, Proof, Prover, Says, Solving, Spec, SpecResult, Unknown};
use tarbac::source::Source;
use tarbac::{Switches, code, shipped};

use super::both::{bundle_of, directory_of, plain_policies};
use super::random::{DEVICES, Dice, PEOPLE, link_file, random_directory, random_policies};
use crate::solver::solver;

/// Whether a request is as a spec says, by plain Cedar over these entities; `None` where the spec
/// does not match it, or an evaluation fails, of which the spec says nothing.
fn holds(
    spec: &Spec,
    request: &CedarRequest,
    policies: &PolicySet,
    entities: &Entities,
) -> Option<bool> {
    let of_spec = PolicySet::from_policies([Policy::from(spec.policy().ast().clone())]).unwrap();
    let authorizer = Authorizer::new();
    let matched = authorizer.is_authorized(request, &of_spec, entities);
    matched.diagnostics().reason().next()?;
    let response = authorizer.is_authorized(request, policies, entities);
    if response.diagnostics().errors().next().is_some() {
        return None;
    }
    Some(match spec.says {
        Says::Allowed => response.decision() == cedar_policy::Decision::Allow,
        _ => response.decision() == cedar_policy::Decision::Deny,
    })
}

/// What was proved of a spec in an environment holds in a world, whoever asks about what.
fn holds_in_world(
    tried: &SpecResult<'_>,
    policies: &PolicySet,
    entities: &Entities,
    schema: &cedar_policy::Schema,
) -> Result<usize, String> {
    let mut matched = 0;
    for environment in &tried.environments {
        if !matches!(environment.verdict, prove::Verdict::Proved)
            || environment.resource.basename() != "Device"
        {
            continue;
        }
        for person in PEOPLE {
            for device in DEVICES {
                let request = CedarRequest::new(
                    EntityUid::from_str(&format!("Entra::User::\"{person}\"")).unwrap(),
                    environment.action.clone(),
                    EntityUid::from_str(&format!("ConfigMgr::Device::\"{device}\"")).unwrap(),
                    Context::empty(),
                    Some(schema),
                )
                .unwrap();
                match holds(tried.spec, &request, policies, entities) {
                    None => {}
                    Some(true) => matched += 1,
                    Some(false) => {
                        return Err(format!(
                            "`{}` is proved, and {request} is not so",
                            tried.spec.id()
                        ));
                    }
                }
            }
        }
    }
    Ok(matched)
}

/// Random policies beside those that ship, and the tenant they are decided in.
struct World {
    engine: Engine,
    policies: PolicySet,
    /// Whether a policy can fail when it is evaluated.
    may_fail: bool,
}

impl World {
    fn random(dice: &mut Dice) -> Self {
        let json = random_directory(dice);
        let (text, links) = random_policies(dice);
        // Where a policy can fail nothing is proved, so in most cases none can.
        let may_fail = dice.roll(4) == 0;
        let mut texts = shipped::rules().alone();
        let text = if may_fail { text } else { sure(&text) };
        texts.policies.push(Source::held("random.cedar", text));
        texts.links.push(link_file(&links));
        let bundle = bundle_of(&texts);
        let directory = directory_of(&json, &bundle);
        let engine =
            Engine::new(Arc::new(bundle), Arc::new(directory), &Switches::default()).unwrap();
        Self {
            policies: plain_policies(&texts, &links, engine.readings()),
            engine,
            may_fail,
        }
    }

    /// Other random policies are the specs; slots they have none.
    fn specs(&self, dice: &mut Dice) -> Vec<Spec> {
        let (specs, _) = random_policies(dice);
        let specs = if self.may_fail { specs } else { sure(&specs) };
        let specs = specs.replace("principal == ?principal", "principal");
        let (specs, findings) = prove::read(&[Source::held("specs.cedar", specs)], &self.engine);
        let is_warning = |finding: &Finding| finding.severity == Severity::Warning;
        assert!(findings.iter().all(is_warning), "{findings:#?}");
        specs
    }

    /// The product of two numbers can take a solver too long; besides, nothing but a policy that can fail
    /// keeps it from an answer.
    fn is_answered(&self, proof: &Proof<'_>, seed: u64) -> TestCaseResult {
        let mut unknown = proof.specs.iter().flat_map(SpecResult::unknown);
        let other = unknown.find(|(_, unknown)| match unknown {
            Unknown::Timeout(_) => false,
            Unknown::CanFail { .. } => !self.may_fail,
            _ => true,
        });
        prop_assert!(
            other.is_none(),
            "{:?} seed {}",
            other.map(|(_, unknown)| unknown),
            seed
        );
        let fails = proof
            .findings
            .iter()
            .any(|finding| finding.code == code::prove::CAN_FAIL);
        prop_assert!(
            self.may_fail || !fails,
            "{:?} seed {}",
            proof.findings,
            seed
        );
        Ok(())
    }

    /// What is refuted is refuted by plain Cedar in the world that is told.
    fn is_refuted(&self, tried: &SpecResult<'_>, seed: u64) -> TestCaseResult {
        for (_, counterexample) in tried.refutations() {
            let schema = self.engine.bundle().schema();
            let (request, entities) = counterexample.model.to_cedar(schema).unwrap();
            let confirmed = holds(tried.spec, &request, &self.policies, &entities);
            // The policies that can fail are said to; here one may fail beside what is decided.
            let fails = !counterexample.outcome.errors.is_empty();
            let id = tried.spec.id();
            prop_assert!(
                confirmed == Some(false) || fails,
                "{}: {:?} seed {}",
                id,
                confirmed,
                seed
            );
        }
        Ok(())
    }
}

/// The same policies, none of which can fail.
fn sure(text: &str) -> String {
    text.replace("+ 9223372036854775807 > 0", "> 2207")
        .replace("* 4000000000000000 > 0", "> 2302")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// What is refuted is refuted by plain Cedar in the world that is told, and what is proved holds in
    /// random worlds by plain Cedar.
    #[test]
    fn proofs_on_random_policies(seed in any::<u64>()) {
        let Some(solver) = solver("agrees_with_cedar::proofs::proofs_on_random_policies") else {
            return Ok(());
        };
        let solving = Solving {
            solver,
            timeout: std::time::Duration::from_millis(500),
            jobs: 2,
        };
        let dice = &mut Dice(seed);
        let world = World::random(dice);
        let specs = world.specs(dice);
        let prover = Prover::new(world.engine.bundle(), world.engine.readings(), &solving).unwrap();
        let proof = prover.prove(&specs, &|_, _| {}).unwrap();
        world.is_answered(&proof, seed)?;
        for tried in &proof.specs {
            world.is_refuted(tried, seed)?;
        }
        let schema = world.engine.bundle().schema();
        for _ in 0..8 {
            let entities = Entities::from_json_value(random_directory(dice), Some(schema)).unwrap();
            for tried in &proof.specs {
                let held = holds_in_world(tried, &world.policies, &entities, schema);
                prop_assert!(held.is_ok(), "{:?} seed {}", held, seed);
            }
        }
    }
}
