//! The snapshot of a suite: people, permissions and resources of a table.

use cedar_policy::{Context, EntityUid};

use super::{Resolver, Scope};
use crate::suite::document;
use crate::suite::lookup::{ALL, CLASSES, SuiteLookup, word};
use crate::suite::{Snapshot, error};
use tarbac_analysis::matrix::Selection;
use tarbac_diagnostic::code;
use tarbac_diagnostic::source::Place;
use tarbac_host::bundle::Action;
use tarbac_host::lookup::RequestPart;
use tarbac_host::yaml::place;

impl<'a> Resolver<'a> {
    pub(super) fn snapshot(
        &mut self,
        scope: &Scope<'a, '_>,
        snapshot: &'a document::Snapshot,
    ) -> Option<Snapshot> {
        let setting = self.setting(scope, None)?;
        let engine = self.settings.engine(setting)?;
        let mut findings = Vec::new();
        let mut lookup = SuiteLookup::new(engine, self.known.entry(setting).or_default());
        let first = snapshot.principals.0.first();
        let at = first.map_or_else(
            || Place::new(scope.source, 0..0),
            |first| place(scope.source, first.referenced),
        );
        let actions: Vec<&Action> = match word(&snapshot.actions) {
            Some(ALL) => engine.bundle().vocabulary().permissions().collect(),
            _ => lookup.actions(scope, &snapshot.actions.0, &mut findings),
        };
        let mut refused = Vec::new();
        let actions = actions.into_iter().map(|action| {
            let context = lookup.context(scope, action, scope.context, &mut refused);
            (action.uid.clone(), context)
        });
        let actions: Vec<(EntityUid, Context)> = actions.collect();
        // What one permission refuses, most do.
        findings.extend(refused.into_iter().take(1));
        let principals = lookup.selected(
            scope,
            RequestPart::Principal,
            &snapshot.principals,
            &mut findings,
        );
        let resources = lookup.selected(
            scope,
            RequestPart::Resource,
            &snapshot.resources,
            &mut findings,
        );
        // A workspace without data has no people: `all` stands for future ones.
        let is_all = |names: &document::Names| matches!(word(names), Some(ALL | CLASSES));
        let lacks_people = principals.is_empty() && !is_all(&snapshot.principals);
        let lacks_resources = resources.is_empty() && !is_all(&snapshot.resources);
        if lacks_people || actions.is_empty() || lacks_resources {
            findings.push(error(
                code::suite::EMPTY,
                "there is nothing to take a snapshot of",
                at.clone(),
                "asked for here",
            ));
        }
        self.findings.extend(findings);
        Some(Snapshot {
            setting,
            selection: Selection {
                principals,
                actions,
                resources,
            },
            place: at,
        })
    }
}
