//! Settings: the engines that suites need, one for each set of facts and readings.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Setting;
use tarbac_analysis::change::fact::{self, Fact};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::assembly;
use tarbac_host::bundle::{Switches, UnknownReading};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::Lookup;

/// Engines by their readings and facts, each made once.
pub(super) struct Settings {
    base: Arc<Engine>,
    settings: Vec<Setting>,
    known: BTreeMap<EngineKey, Option<usize>>,
}

/// The key of an engine: the readings that are on, and the facts in order.
type EngineKey = (Vec<String>, Vec<(String, String)>);

impl Settings {
    pub(super) fn new(base: Engine) -> Self {
        Self {
            base: Arc::new(base),
            settings: Vec::new(),
            known: BTreeMap::new(),
        }
    }

    /// The engine of the workspace, under its own readings.
    pub(super) fn base(&self) -> &Engine {
        &self.base
    }

    pub(super) fn engine(&self, index: usize) -> Option<&Engine> {
        Some(self.settings.get(index)?.engine.as_ref())
    }

    pub(super) fn settings(&self) -> &[Setting] {
        &self.settings
    }

    pub(super) fn into_settings(self) -> Vec<Setting> {
        self.settings
    }

    /// The engine under these readings and facts; `None` if a fact is invalid, for which there is a finding.
    ///
    /// # Errors
    /// A switch names no reading.
    pub(super) fn engine_under(
        &mut self,
        switches: &Switches,
        facts: &[Fact],
        findings: &mut Vec<Finding>,
    ) -> Result<Option<usize>, UnknownReading> {
        let on = switches.on_among(self.base.bundle().readings())?;
        let facts_of = |fact: &Fact| (fact.expression.clone(), fact.value.to_string());
        let key = (on, facts.iter().map(facts_of).collect());
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let engine = match facts {
            [] if key.0 == self.base.readings() => Some(Arc::clone(&self.base)),
            [] => Some(Arc::new(self.base.under(switches)?)),
            _ => self.changed(switches, facts, findings)?.map(Arc::new),
        };
        let index = engine.map(|engine| {
            let given = facts
                .iter()
                .map(|fact| (fact.expression.clone(), fact.value.clone()))
                .collect();
            self.settings.push(Setting { engine, given });
            self.settings.len() - 1
        });
        self.known.insert(key, index);
        Ok(index)
    }

    fn changed(
        &self,
        switches: &Switches,
        facts: &[Fact],
        findings: &mut Vec<Finding>,
    ) -> Result<Option<Engine>, UnknownReading> {
        let names = Lookup::new(&self.base);
        let (entities, wrong) = fact::entities(&self.base, &names, facts, &code::suite::GIVEN);
        if !wrong.is_empty() {
            findings.extend(wrong);
            return Ok(None);
        }
        let (engine, wrong) = assembly::with_entities(&self.base, &entities, switches)?;
        // The reader's findings are about entities that the facts made, and that are in no file.
        let place = facts.first().map(|fact| fact.place.clone());
        for finding in wrong {
            let finding = Finding {
                code: code::suite::GIVEN,
                message: format!("the given facts are not valid: {}", finding.message),
                labels: Vec::new(),
                ..finding
            };
            findings.push(match &place {
                Some(place) => finding.label(place.clone(), "given here"),
                None => finding,
            });
        }
        Ok(engine)
    }
}
