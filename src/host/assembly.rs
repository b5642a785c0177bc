//! The assembly of schema, policies and entities to an engine, with all findings.
//!
//! An [`Engine`] is made in the same way for a workspace on disk ([`crate::workspace`]) and for texts in memory, and
//! never if there is an error.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use cedar_policy::{EntityUid, Schema};

use crate::bundle::{self, Bundle, NoBundle, Shipped, Switches, Texts, UnknownReading, Vocabulary};
use crate::engine::Engine;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_diagnostic::source::Source;
use tarbac_store::{Content, Directory, EntityRules, GivenEntity, Input, SharedBytes};

/// The result of reading a workspace: its findings, and the engine if there is no error.
#[derive(Debug)]
pub struct Examination {
    /// The findings, in the order of file and place.
    pub findings: Vec<Finding>,
    /// The engine, if none of the findings is an error.
    pub engine: Option<Engine>,
    /// The policy files.
    pub policies: Vec<Arc<Source>>,
}

impl Examination {
    /// The examination of a workspace whose rules cannot be read.
    pub(crate) fn without_rules(findings: Vec<Finding>) -> Self {
        Self {
            findings,
            engine: None,
            policies: Vec::new(),
        }
    }
}

/// Examines texts and entities together, under these switches of readings.
///
/// # Errors
/// A switch names a reading that does not exist.
///
/// # Examples
/// ```
/// use tarbac_diagnostic::source::Source;
/// use tarbac_host::bundle::Texts;
/// use tarbac_host::{Switches, assembly};
///
/// let texts = Texts {
///     schema: vec![Source::held("one.cedarschema", "entity User; action read appliesTo { principal: User, resource: User };")],
///     ..Texts::default()
/// };
/// let examination = assembly::examine(&texts, Vec::new(), &Switches::default())?;
/// assert!(examination.findings.is_empty());
/// assert!(examination.engine.is_some());
/// # Ok::<(), tarbac_host::bundle::UnknownReading>(())
/// ```
pub fn examine(
    texts: &Texts,
    entities: Vec<Input>,
    switches: &Switches,
) -> Result<Examination, UnknownReading> {
    assemble(texts, || entities, switches, &mut NothingKnown)
}

/// A store of results from an earlier reading of the same texts and entities.
pub(crate) trait Memo {
    /// The entities, with the errors in them; they are read unless the result is stored.
    fn directory(
        &mut self,
        bundle: &Bundle,
        read: impl FnOnce() -> (Directory, Vec<Finding>),
    ) -> (Directory, Vec<Finding>);

    /// All findings; they are looked for unless the result is stored.
    fn findings(
        &mut self,
        texts: &Texts,
        switches: &Switches,
        engine: &Engine,
        check: impl FnOnce() -> Vec<Finding>,
    ) -> Vec<Finding>;
}

/// A store without any result.
pub(crate) struct NothingKnown;

impl Memo for NothingKnown {
    fn directory(
        &mut self,
        _: &Bundle,
        read: impl FnOnce() -> (Directory, Vec<Finding>),
    ) -> (Directory, Vec<Finding>) {
        read()
    }

    fn findings(
        &mut self,
        _: &Texts,
        _: &Switches,
        _: &Engine,
        check: impl FnOnce() -> Vec<Finding>,
    ) -> Vec<Finding> {
        check()
    }
}

/// Examines texts and entities together, with the results that the memo has.
pub(crate) fn assemble(
    texts: &Texts,
    entities: impl FnOnce() -> Vec<Input>,
    switches: &Switches,
    memo: &mut impl Memo,
) -> Result<Examination, UnknownReading> {
    let (bundle, mut findings) = bundle::parse(texts);
    let engine = match bundle {
        Ok(bundle) => {
            let read = || EntityReader::for_bundle(&bundle).read(entities());
            let (directory, of_entities) = memo.directory(&bundle, read);
            let engine = Engine::new(Arc::new(bundle), Arc::new(directory), switches)?;
            findings = memo.findings(texts, switches, &engine, || {
                findings.extend(engine.bundle().check(texts));
                findings = with_copies(findings, &texts.shipped);
                findings.extend(of_entities);
                if !finding::any_error(&findings) {
                    findings.extend(between(&engine));
                }
                findings
            });
            // What is found is kept, so this is looked for where it matters only.
            let is_assumed = |finding: &Finding| finding.code == code::policy::ASSUMED_VALUE;
            Some(match findings.iter().any(is_assumed) {
                true => engine.without_assumptions(switches)?,
                false => engine,
            })
        }
        Err(unsound) => {
            findings.extend(unsound.check(texts));
            findings = with_copies(findings, &texts.shipped);
            if let Some((schema, vocabulary)) = &unsound.schema {
                let named = HashSet::new();
                let rules = rules(vocabulary);
                let (_, of_entities) = Directory::read(entities(), schema, &named, &rules);
                // Entities that only policies name exist as well, but these policies could not be read.
                let of_entities = of_entities.into_iter();
                findings
                    .extend(of_entities.filter(|finding| finding.code != code::entities::DANGLING));
            }
            None
        }
    };
    finding::sort(&mut findings);
    Ok(Examination {
        engine: engine.filter(|_| !finding::any_error(&findings)),
        findings,
        policies: texts.policies.clone(),
    })
}

/// A reader of entities by a schema, which can be used again.
pub(crate) struct EntityReader {
    schema: Schema,
    named: HashSet<EntityUid>,
    rules: EntityRules,
}

impl EntityReader {
    /// The reader for a bundle; entities that its policies name exist too.
    pub(crate) fn for_bundle(bundle: &Bundle) -> Self {
        Self {
            schema: bundle.schema().clone(),
            named: bundle.named_entities(),
            rules: rules(bundle.vocabulary()),
        }
    }

    /// The entities, with the errors in them.
    pub(crate) fn read(&self, entities: Vec<Input>) -> (Directory, Vec<Finding>) {
        Directory::read(entities, &self.schema, &self.named, &self.rules)
    }

    /// The directory that was written under a name, for these files.
    pub(crate) fn reopen(
        &self,
        bytes: Arc<dyn SharedBytes>,
        name: &str,
        files: Vec<(Arc<Source>, Content)>,
    ) -> Option<Directory> {
        Directory::from_bytes(bytes, name, files, &self.schema, &self.rules)
    }
}

/// Reads schema and policies alone, as for a workspace.
pub fn bundle(texts: &Texts) -> (Result<Bundle, NoBundle>, Vec<Finding>) {
    let (bundle, findings) = bundle::read(texts);
    (bundle, with_copies(findings, &texts.shipped))
}

/// The findings, with a help for copies of files that ship; several findings about copies of policies become one.
fn with_copies(findings: Vec<Finding>, shipped: &Shipped) -> Vec<Finding> {
    let is_beside_shipped = |finding: &Finding| {
        let is_shipped = |label: &finding::Label| shipped.holds(&label.place.source);
        finding.labels.iter().any(is_shipped) && !finding.labels.iter().all(is_shipped)
    };
    let (mut shadowing, mut findings): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| {
            finding.code == code::policy::DUPLICATE_ID && is_beside_shipped(finding)
        });
    for conflict in &mut findings {
        if conflict.code == code::schema::CONFLICT && is_beside_shipped(conflict) {
            conflict.help = Some(format!("the schema that ships is in force too; {IN_PLACE}"));
        }
    }
    let help = format!("the policies that ship are in force too: rename it; {IN_PLACE}");
    match shadowing.as_mut_slice() {
        [] => {}
        [one] => one.help = Some(help),
        several => {
            let message = format!(
                "{} policies have ids of policies that ship, which are in force too",
                several.len()
            );
            let copied = several.iter().flat_map(|finding| &finding.labels);
            let mut copied = copied.filter(|label| !shipped.holds(&label.place.source));
            let mut finding = Finding::error(code::policy::DUPLICATE_ID, message).help(help);
            if let Some(label) = copied.next() {
                finding = finding.label(label.place.clone(), "for example this one");
            }
            shadowing = vec![finding];
            // The other findings about copies follow from this one.
            findings.retain(|finding| !is_beside_shipped(finding));
        }
    }
    findings.extend(shadowing);
    findings
}

/// The help for copies that are meant to replace the files that ship.
const IN_PLACE: &str = "where these files are meant in place of what ships, say so in a file `tarbac.yaml` in their folder, with the line `replaces: shipped`";

/// The findings about policies and entities together. Without entities there are none, so that policies can be checked
/// alone.
fn between(engine: &Engine) -> Vec<Finding> {
    let directory = engine.directory();
    if directory.is_empty() {
        return Vec::new();
    }
    let nowhere = |named| directory.nowhere_among(named);
    let mut findings = policies_against(engine, &nowhere);
    findings.extend(engine.findings());
    findings.extend(engine.unlisted_members());
    findings.extend(engine.unknown_names());
    findings.extend(engine.other_letter_cases());
    findings.extend(engine.assumed_values());
    findings.extend(engine.misleading_names());
    findings
}

/// The findings about policies and the entities that they name, of which some are nowhere.
fn policies_against(
    engine: &Engine,
    nowhere: &dyn Fn(BTreeSet<EntityUid>) -> BTreeSet<EntityUid>,
) -> Vec<Finding> {
    let unlisted = || {
        let rows = engine.unlisted().into_iter();
        rows.map(|row| engine.directory().uid(row)).collect()
    };
    bundle::policies_against_directory(engine.bundle(), nowhere, &unlisted)
}

/// The engine of the same policies after these entities have replaced those with the same uid or have been added, or
/// the errors that prevent it.
///
/// # Errors
/// A switch names a reading that does not exist.
pub fn with_entities(
    engine: &Engine,
    entities: &[GivenEntity],
    switches: &Switches,
) -> Result<(Option<Engine>, Vec<Finding>), UnknownReading> {
    let bundle = engine.bundle();
    let read = engine.directory().overlaid(
        entities,
        &bundle.named_entities(),
        &rules(bundle.vocabulary()),
    );
    let (after, mut findings) = checked(bundle, read, entities, switches)?;
    if let Some(after) = &after {
        findings = errors_between(after);
        if !findings.is_empty() {
            let before = errors_between(engine);
            findings.retain(|finding| !before.contains(finding));
        }
    }
    Ok((after.filter(|_| findings.is_empty()), findings))
}

/// The errors between the policies and the directory that given entities can cause. An attribute or a parent that is
/// given can lead to an entity whose members were not known before.
fn errors_between(engine: &Engine) -> Vec<Finding> {
    let mut findings = engine.unknown_names();
    findings.extend(engine.unlisted_members());
    if !engine.unlisted().is_empty() {
        let nowhere = |_| BTreeSet::new();
        findings.extend(policies_against(engine, &nowhere));
    }
    findings.retain(|finding| finding.severity == finding::Severity::Error);
    findings
}

/// The engine of these policies with these entities alone, or the errors that prevent it.
///
/// # Errors
/// A switch names a reading that does not exist.
pub fn of_entities(
    bundle: &Arc<Bundle>,
    entities: &[GivenEntity],
    switches: &Switches,
) -> Result<(Option<Engine>, Vec<Finding>), UnknownReading> {
    let named = bundle.named_entities();
    let rules = rules(bundle.vocabulary());
    let read = Directory::given(entities, bundle.schema(), &named, &rules);
    checked(bundle, read, entities, switches)
}

/// The engine of a bundle and a directory, unless there is an error in the directory or between the two.
fn checked(
    bundle: &Arc<Bundle>,
    (directory, mut findings): (Directory, Vec<Finding>),
    given: &[GivenEntity],
    switches: &Switches,
) -> Result<(Option<Engine>, Vec<Finding>), UnknownReading> {
    if !findings.is_empty() {
        return Ok((None, findings));
    }
    let mut engine = Engine::new(Arc::clone(bundle), Arc::new(directory), switches)?;
    // The policies know what the directory before assumed.
    let records = |entity: &GivenEntity| {
        let of_type = entity.uid.type_name().to_string();
        let mut recording = bundle.vocabulary().recording(&of_type);
        recording.any(|name| entity.attributes.contains_key(name))
    };
    if given.iter().any(records) {
        engine = engine.without_assumptions(switches)?;
    }
    findings.extend(engine.findings());
    findings.retain(|finding| finding.severity == finding::Severity::Error);
    Ok((findings.is_empty().then_some(engine), findings))
}

fn rules(vocabulary: &Vocabulary) -> EntityRules {
    let names = vocabulary.type_names().map(|of_type| {
        let aliases = vocabulary.aliases(of_type).map(str::to_owned);
        (of_type.to_owned(), aliases.collect())
    });
    // Entities of another program's schema are only checked as Cedar checks them.
    let is_ours = vocabulary.asks();
    EntityRules {
        parents: match is_ours {
            true => vocabulary.declared_parents().clone(),
            false => BTreeMap::new(),
        },
        bare_ids: !is_ours,
        required: match is_ours {
            true => vocabulary.required_parents(),
            false => BTreeMap::new(),
        },
        in_place: match is_ours {
            true => vocabulary.in_place_of_parents(),
            false => BTreeMap::new(),
        },
        none: match is_ours {
            true => vocabulary.stand_for_none(),
            false => BTreeMap::new(),
        },
        names: names.collect(),
    }
}
