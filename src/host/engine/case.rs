//! A request with the entities that decide it, which are made when Cedar is asked.

use std::cell::{OnceCell, RefCell};
use std::iter;

use cedar_policy_core::ast;

use super::evaluation::{Applicable, Evaluation};
use super::index::Bucket;
use super::{Engine, EntitySlice, Undecidable};
use crate::bundle::Vocabulary;
use crate::decision::Request;
use tarbac_store::{Directory, Row};

/// The principal and the resource of a request, both defined.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parties {
    pub principal: Row,
    pub resource: Row,
}

/// A request with the entities that decide it.
///
/// If these are those of the directory, the kept truth of clauses holds for it. Then Cedar may not be asked at all, and
/// neither the entities nor the request are made for it.
pub(super) struct Case<'a> {
    engine: &'a Engine,
    request: &'a Request,
    parties: Option<Parties>,
    entities: Reached<'a>,
    evaluation: OnceCell<Result<Evaluation, Undecidable>>,
    key: RefCell<Vec<u32>>,
}

/// The entities of a case.
enum Reached<'a> {
    /// A slice that may differ from that of the directory.
    Given(&'a EntitySlice),
    /// The entities of another case, and those that can be reached from these rows.
    From(Option<&'a Case<'a>>, Vec<Row>, OnceCell<EntitySlice>),
}

impl<'a> Case<'a> {
    /// A request in a slice that may differ from that of the directory.
    pub(super) fn within(engine: &'a Engine, request: &'a Request, slice: &'a EntitySlice) -> Self {
        Self::new(engine, request, None, Reached::Given(slice))
    }

    /// A request in the directory, with its parties if both are defined; `rows` are those from which its entities can be
    /// reached.
    pub(super) fn of_directory(
        engine: &'a Engine,
        request: &'a Request,
        parties: Option<Parties>,
        rows: Vec<Row>,
    ) -> Self {
        let parties = parties.filter(|_| !engine.directory().is_damaged());
        let reached = Reached::From(None, rows, OnceCell::new());
        Self::new(engine, request, parties, reached)
    }

    /// A question that is put beside this case; `asked` has the policies that can answer it.
    pub(super) fn question(&'a self, question: &'a Request, asked: &Bucket) -> Self {
        let (engine, directory) = (self.engine, self.engine.directory());
        let about = directory.row(&question.resource);
        let defined = about.filter(|about| directory.is_defined(*about));
        let parties = self.parties.zip(defined);
        let parties = parties.map(|(behind, resource)| Parties { resource, ..behind });
        let rows = about.into_iter().chain(asked.looked_into.iter().copied());
        let reached = Reached::From(Some(self), rows.collect(), OnceCell::new());
        Self::new(engine, question, parties, reached)
    }

    fn new(
        engine: &'a Engine,
        request: &'a Request,
        parties: Option<Parties>,
        entities: Reached<'a>,
    ) -> Self {
        Self {
            engine,
            request,
            parties: parties.filter(|_| engine.keeps),
            entities,
            evaluation: OnceCell::new(),
            key: RefCell::default(),
        }
    }

    /// The request.
    pub(super) fn request(&self) -> &'a Request {
        self.request
    }

    /// The principal and the resource, if the kept truth of clauses holds for them.
    pub(super) fn parties(&self) -> Option<Parties> {
        self.parties
    }

    /// The row of an entity, if it is defined. That of the request behind a question is known.
    pub(super) fn row(&self, uid: &ast::EntityUID) -> Option<Row> {
        if let Reached::From(Some(behind), ..) = &self.entities
            && behind.request.resource.as_ref() == uid
        {
            return Some(behind.parties?.resource);
        }
        let row = self.directory().row(&uid.clone().into())?;
        self.directory().is_defined(row).then_some(row)
    }

    pub(super) fn directory(&self) -> &'a Directory {
        self.engine.directory()
    }

    pub(super) fn vocabulary(&self) -> &'a Vocabulary {
        self.engine.bundle().vocabulary()
    }

    /// The entities.
    pub(super) fn slice(&self) -> &EntitySlice {
        match &self.entities {
            Reached::Given(slice) => slice,
            Reached::From(behind, rows, slice) => slice.get_or_init(|| {
                let mut slice = behind.map_or_else(EntitySlice::default, |of| of.slice().clone());
                for row in rows {
                    slice.reach(self.directory(), iter::once(*row));
                }
                slice
            }),
        }
    }

    /// Calls a function with an empty list of numbers.
    pub(super) fn with_key<T>(&self, make: impl FnOnce(&mut Vec<u32>) -> T) -> T {
        let mut key = self.key.take();
        key.clear();
        let made = make(&mut key);
        self.key.replace(key);
        made
    }

    /// Whether a condition is true, by Cedar.
    ///
    /// # Errors
    /// Cedar cannot evaluate it.
    pub(super) fn truth(
        &self,
        condition: &ast::Expr,
        slots: &ast::SlotEnv,
    ) -> Result<bool, Undecidable> {
        let make = || Evaluation::within(self.engine, self.request, self.slice());
        match self.evaluation.get_or_init(make) {
            Ok(evaluation) => evaluation.truth_with(condition, slots),
            Err(error) => Err(error.clone()),
        }
    }

    /// The policies in these buckets that apply.
    pub(super) fn applicable<'b>(&self, buckets: impl Iterator<Item = &'b Bucket>) -> Applicable {
        let mut applicable = Applicable::default();
        for bucket in buckets {
            for (policy, applies) in bucket.asked(self) {
                applicable.put(policy.id().as_ref(), policy.effect(), applies);
            }
        }
        applicable
    }
}
