//! Decisions kept by class.
//!
//! Entities that no policy can tell apart are one class (see [`class`](crate::bulk::class)). A decision of Cedar about
//! one principal, action and resource holds for all principals and resources of the same classes if the resource is in
//! the same sets of the principal. Cedar alone decides: it is asked once for each kind of request, and a request of an
//! unknown kind is decided anew.
//!
//! An engine never changes, so no kept decision can be stale. [`Decider::with_capacity`] limits their number.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use cedar_policy::{Context, EntityUid};
use cedar_policy_core::ast;
use hashbrown::{HashMap, HashSet};
use quick_cache::sync::Cache;

use crate::bulk::class::{OwnedSets, PairTest, Projection, SideFingerprints};
use crate::bulk::index::{ActionId, ClassId, ResourceClassId};
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Outcome, Request};
use tarbac_host::engine::Engine;
use tarbac_store::index::{Id, IndexVec};
use tarbac_store::{Directory, Row};

/// The default limit of kept decisions.
const KEPT: usize = 1 << 18;

/// The most classes of principals, and of resources. Requests with entities of further classes are decided anew.
const MOST_CLASSES: usize = 1 << 16;

/// The most sets of a principal that one action can ask about; requests of a principal with more are decided anew.
const MOST_SETS: usize = u64::BITS as usize;

/// The most entities in the sets of all classes of principals.
const MOST_MEMBERS: usize = 1 << 24;

/// An engine that keeps the decisions of Cedar.
///
/// `E` is a reference to an [`Engine`], or an [`Arc`] of one. The classes of people and devices are found as they
/// are asked about: 4 bytes for each entity of the directory.
pub struct Decider<E> {
    engine: E,
    actions: HashMap<EntityUid, (ActionId, ActionTests)>,
    projection: Projection,
    principals: Classifier<ClassId>,
    resources: Classifier<ResourceClassId>,
    sets: Sets,
    /// `None` if no decision is kept.
    kept: Option<Cache<Kind, Arc<Outcome>>>,
    outcomes: Mutex<HashSet<Arc<Outcome>>>,
}

/// A permission.
struct ActionTests {
    /// Whether a policy in force that takes part reads the context.
    reads_context: bool,
    /// The tests of a resource against a principal; `None` if a set of the principal has to be evaluated for one.
    tests: Option<Vec<PairTest>>,
}

/// A kind of request. Requests of one kind get equal decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    principal: ClassId,
    action: ActionId,
    resource: ResourceClassId,
    /// The tests of the resource against the principal that hold, or the sets of the principal that hold the resource:
    /// a bit each.
    sets: u64,
}

impl<E: Deref<Target = Engine>> Decider<E> {
    /// Keeps decisions of this engine.
    pub fn new(engine: E) -> Self {
        Self::with_capacity(engine, KEPT)
    }

    /// Keeps at most `decisions` decisions; with 0, each is made anew.
    pub fn with_capacity(engine: E, decisions: usize) -> Self {
        engine.directory().hash_uids();
        let vocabulary = engine.bundle().vocabulary();
        let permissions: IndexVec<ActionId, &Action> = vocabulary.permissions().collect();
        let projection = Projection::new(&engine, &permissions.iter().copied().map(Some).collect());
        let rows = engine.directory().every_row().len();
        let actions = permissions.iter_enumerated().map(|(id, action)| {
            let asked = ActionTests {
                reads_context: engine.reads_context(action),
                tests: projection.pair_tests(id),
            };
            (action.uid.clone(), (id, asked))
        });
        Self {
            actions: actions.collect(),
            principals: Classifier::new(projection.principal_fingerprints(&engine), rows),
            resources: Classifier::new(projection.resource_fingerprints(&engine), rows),
            sets: Sets::default(),
            kept: (decisions > 0).then(|| Cache::new(decisions)),
            outcomes: Mutex::default(),
            projection,
            engine,
        }
    }

    /// The number of kept decisions.
    pub fn kept(&self) -> usize {
        self.kept.as_ref().map_or(0, Cache::len)
    }

    /// Forgets every decision, to make room.
    pub fn forget(&self) {
        if let Some(kept) = &self.kept {
            kept.clear();
        }
    }

    /// Decides a request, as [`Engine::decide`] does.
    pub fn decide(&self, request: &Request) -> Arc<Outcome> {
        self.kept_or_decided(self.kind(request), || self.engine.decide(request))
    }

    /// Decides about entities of the directory by their rows, which saves the look-up of their uids.
    pub fn decide_rows(
        &self,
        (principal, action, resource): (Row, &EntityUid, Row),
        context: &Context,
    ) -> Arc<Outcome> {
        let kind = self.kind_of_rows((principal, action, resource), context);
        self.kept_or_decided(kind, || {
            let directory = self.engine.directory();
            self.engine.decide(&Request {
                principal: directory.uid(principal),
                action: action.clone(),
                resource: directory.uid(resource),
                context: context.clone(),
            })
        })
    }

    /// The kept decision of a kind of request, or else a new one.
    fn kept_or_decided(
        &self,
        kind: Option<Kind>,
        decide: impl FnOnce() -> Outcome,
    ) -> Arc<Outcome> {
        let Some((kept, kind)) = self.kept.as_ref().zip(kind) else {
            return Arc::new(decide());
        };
        // The kind is not that of the request if a part of the directory was lost while it was found out.
        let is_sound = || !self.engine.directory().is_damaged();
        if let Some(known) = kept.get(&kind).filter(|_| is_sound()) {
            return known;
        }
        let outcome = decide();
        // An error names its entity.
        if !outcome.errors.is_empty() {
            return Arc::new(outcome);
        }
        let outcome = self.shared(outcome);
        kept.insert(kind, Arc::clone(&outcome));
        outcome
    }

    /// The kind of a request; `None` if its decision cannot be kept.
    fn kind(&self, request: &Request) -> Option<Kind> {
        let directory = self.engine.directory();
        let principal = directory.row(&request.principal)?;
        let resource = directory.row(&request.resource)?;
        let rows = (principal, &request.action, resource);
        self.kind_of_rows(rows, &request.context)
    }

    fn kind_of_rows(
        &self,
        (principal, action, resource): (Row, &EntityUid, Row),
        context: &Context,
    ) -> Option<Kind> {
        let engine = &*self.engine;
        let directory = engine.directory();
        let is_sound = !directory.is_damaged()
            && directory.is_defined(principal)
            && directory.is_defined(resource);
        if !is_sound {
            return None;
        }
        let (action, asked) = self.actions.get(action)?;
        if !asked.is_indifferent_to(context) {
            return None;
        }
        let class = self.principals.class(engine, principal)?;
        let sets = match &asked.tests {
            Some(tests) => bits(
                tests
                    .iter()
                    .map(|of| of.holds(directory, principal, resource)),
            )?,
            None => {
                let owned = || self.projection.owned_sets(engine, principal);
                let sets = self.sets.of_class(class, owned)?;
                membership(sets, *action, directory, resource)?
            }
        };
        Some(Kind {
            principal: class,
            action: *action,
            resource: self.resources.class(engine, resource)?,
            sets,
        })
    }

    /// The shared copy of an outcome.
    fn shared(&self, outcome: Outcome) -> Arc<Outcome> {
        let mut outcomes = locked(&self.outcomes);
        match outcomes.get(&outcome) {
            Some(known) => Arc::clone(known),
            None => {
                let outcome = Arc::new(outcome);
                if outcomes.len() < MOST_CLASSES {
                    outcomes.insert(Arc::clone(&outcome));
                }
                outcome
            }
        }
    }
}

impl ActionTests {
    /// Whether the context cannot matter to policies.
    fn is_indifferent_to(&self, context: &Context) -> bool {
        let ast::Context::Value(values) = context.as_ref() else {
            return false;
        };
        // An entity has to exist, even if no policy reads it.
        let is_plain = |value: &ast::Value| match value.value_kind() {
            ast::ValueKind::Lit(literal) => !matches!(literal, ast::Literal::EntityUID(_)),
            ast::ValueKind::ExtensionValue(_) => true,
            ast::ValueKind::Set(_) | ast::ValueKind::Record(_) => false,
        };
        values.is_empty() || !self.reads_context && values.values().all(is_plain)
    }
}

/// The sets that an action asks about and that hold a resource; `None` if there are too many.
fn membership(
    sets: &[OwnedSets],
    action: ActionId,
    directory: &Directory,
    resource: Row,
) -> Option<u64> {
    let asked = sets.iter().filter(|set| set.actions.contains(&action));
    bits(asked.map(|set| {
        let holds = |row: Row| set.rows.binary_search(&row).is_ok();
        holds(resource) || !set.is_itself && directory.ancestors(resource).any(holds)
    }))
}

/// A bit for each of these; `None` if there are too many.
fn bits(all: impl Iterator<Item = bool>) -> Option<u64> {
    let mut bits = 0;
    for (bit, is) in all.enumerate() {
        if bit == MOST_SETS {
            return None;
        }
        bits |= u64::from(is) << bit;
    }
    Some(bits)
}

/// The known classes of the entities on one side of requests.
struct Classifier<C> {
    fingerprints: SideFingerprints,
    /// By row.
    classes: Box<[AtomicU32]>,
    known: Mutex<KnownClasses<C>>,
}

/// The mark of a class that is not known yet.
const UNKNOWN: u32 = 0;
/// The mark of a class beyond the limit.
const NONE: u32 = 1;
/// The number of the first class.
const FIRST: u32 = 2;

/// The classes by the fingerprints of their members.
struct KnownClasses<C> {
    by_read: HashMap<Box<[u32]>, Option<C>>,
    by_evaluated: HashMap<Box<[u32]>, C>,
}

impl<C: Id> Classifier<C> {
    fn new(fingerprints: SideFingerprints, rows: usize) -> Self {
        Self {
            fingerprints,
            classes: std::iter::repeat_with(|| AtomicU32::new(UNKNOWN))
                .take(rows)
                .collect(),
            known: Mutex::new(KnownClasses {
                by_read: HashMap::new(),
                by_evaluated: HashMap::new(),
            }),
        }
    }

    /// The class of a row; `None` beyond the limit.
    fn class(&self, engine: &Engine, row: Row) -> Option<C> {
        let place = self.classes.get(row.index())?;
        match place.load(Ordering::Relaxed) {
            UNKNOWN => {
                let class = self.classify(engine, row);
                let number = class.map_or(NONE, |class| class.index() as u32 + FIRST);
                place.store(number, Ordering::Relaxed);
                class
            }
            NONE => None,
            class => Some(C::from_usize((class - FIRST) as usize)),
        }
    }

    fn classify(&self, engine: &Engine, row: Row) -> Option<C> {
        let mut read = Vec::new();
        self.fingerprints.read(engine, row, &mut read);
        if let Some(class) = locked(&self.known).by_read.get(read.as_slice()) {
            return *class;
        }
        let mut evaluated = Vec::new();
        self.fingerprints.evaluated(engine, row, &mut evaluated);
        let mut known = locked(&self.known);
        let class = known.by_evaluated.get(evaluated.as_slice()).copied();
        let class = class.or_else(|| {
            let class = known.by_evaluated.len();
            (class < MOST_CLASSES).then(|| {
                let class = C::from_usize(class);
                known.by_evaluated.insert(evaluated.into(), class);
                class
            })
        });
        if known.by_read.len() < MOST_CLASSES {
            known.by_read.insert(read.into(), class);
        }
        class
    }
}

/// The sets of each class of principals.
struct Sets {
    by_class: IndexVec<ClassId, OnceLock<Option<Box<[OwnedSets]>>>>,
    /// The number of entities in all of them.
    members: Mutex<usize>,
}

impl Default for Sets {
    fn default() -> Self {
        let none = std::iter::repeat_with(OnceLock::new);
        Self {
            by_class: none.take(MOST_CLASSES).collect(),
            members: Mutex::default(),
        }
    }
}

impl Sets {
    /// The sets of a class; `None` if there are too many to keep.
    fn of_class(
        &self,
        class: ClassId,
        find: impl FnOnce() -> Vec<OwnedSets>,
    ) -> Option<&[OwnedSets]> {
        let sets = self.by_class[class].get_or_init(|| {
            let sets = find();
            let mut members = locked(&self.members);
            *members += sets.iter().map(|set| set.rows.len()).sum::<usize>();
            (*members <= MOST_MEMBERS).then(|| sets.into())
        });
        sets.as_deref()
    }
}

/// The value of a lock. Each write leaves it whole, even one of a thread that has panicked.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
