//! Warnings in the format of the cache.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use tarbac_diagnostic::code::Code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};

/// A warning, with the files of its places by their numbers.
#[derive(Serialize, Deserialize)]
pub(super) struct Warning {
    code: String,
    message: String,
    help: Option<String>,
    labels: Vec<(usize, u64, u64, String)>,
}

impl Warning {
    pub(crate) fn new(finding: &Finding, sources: &[&Arc<Source>]) -> Self {
        let labels = finding.labels.iter().filter_map(|label| {
            let place = &label.place;
            let source = sources.iter().position(|known| **known == place.source)?;
            Some((source, place.start, place.end, label.text.clone()))
        });
        Self {
            code: finding.code.to_string(),
            message: finding.message.clone(),
            help: finding.help.clone(),
            labels: labels.collect(),
        }
    }

    pub(crate) fn finding(self, sources: &[&Arc<Source>]) -> Option<Finding> {
        let mut finding = Finding::warning(Code::read(&self.code)?, self.message);
        finding.help = self.help;
        for (source, start, end, text) in self.labels {
            let source = Arc::clone(sources.get(source)?);
            finding = finding.label(Place { source, start, end }, text);
        }
        Some(finding)
    }
}
