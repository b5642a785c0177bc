//! The snapshot of a suite: people, permissions and resources of a table.

use cedar_policy::EntityUid;
use serde_json::Value;

use super::{Resolver, Scope};
use crate::suite::document;
use crate::suite::lookup::{ALL, CLASSES, SuiteLookup, word};
use crate::suite::{Snapshot, error};
use tarbac_analysis::matrix::Selection;
use tarbac_diagnostic::code;
use tarbac_diagnostic::source::Place;
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
        let actions: Vec<EntityUid> = match word(&snapshot.actions) {
            Some(ALL) => engine
                .bundle()
                .vocabulary()
                .permissions()
                .map(|action| action.uid.clone())
                .collect(),
            _ => lookup
                .actions(scope, &snapshot.actions.0, &mut findings)
                .into_iter()
                .map(|action| action.uid.clone())
                .collect(),
        };
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
        let context = scope.context.map_or_else(
            || Value::Object(serde_json::Map::new()),
            |context| context.value.clone(),
        );
        self.findings.extend(findings);
        Some(Snapshot {
            setting,
            selection: Selection {
                principals,
                actions,
                resources,
                context,
            },
            place: at,
        })
    }
}
