//! Puts policies, schema and entities together, and says everything that is wrong with them.
//!
//! There is one way to an [`Engine`] for a workspace on disk ([`crate::workspace`]) and for texts
//! in memory alike, and none round a finding that is an error.

use std::sync::Arc;

use cedar_policy::EntityUid;

use crate::bundle::{self, Bundle, Switches, Texts, UnknownReading, Vocabulary};
use crate::directory::{Directory, Input, ParentRules};
use crate::engine::Engine;
use crate::finding::{self, Finding};
use crate::shipped;
use crate::source::Source;

/// Everything that was read, right or wrong.
#[derive(Debug)]
pub struct Examination {
    /// What was found, in order of file and place.
    pub findings: Vec<Finding>,
    /// The engine, if none of the findings is an error.
    pub engine: Option<Engine>,
    /// The policy files, as they were read.
    pub policies: Vec<Arc<Source>>,
}

/// Examines texts and entities together, under these switches of readings.
///
/// # Errors
/// A switch names no reading.
///
/// # Examples
/// ```
/// use tarbac::{Switches, assembly, shipped};
///
/// // The rules that ship, without anybody in sight.
/// let examination = assembly::examine(&shipped::texts(), Vec::new(), &Switches::default())?;
/// assert!(examination.findings.is_empty());
/// assert!(examination.engine.is_some());
/// # Ok::<(), tarbac::bundle::UnknownReading>(())
/// ```
pub fn examine(
    texts: &Texts,
    entities: Vec<Input>,
    switches: &Switches,
) -> Result<Examination, UnknownReading> {
    let (bundle, mut findings) = bundle::read(texts, &shipped::is_shipped);
    let engine = match bundle {
        Ok(bundle) => {
            let (directory, more) = Directory::read(
                entities,
                bundle.schema(),
                &bundle.named_entities(),
                &parent_rules(bundle.vocabulary()),
            );
            findings.extend(more);
            join(bundle, directory, switches, &mut findings)?
        }
        Err(Some((schema, vocabulary))) => {
            let rules = parent_rules(&vocabulary);
            let (_, more) = Directory::read(entities, &schema, &Default::default(), &rules);
            // What only policies name exists as well, and they could not be read.
            findings.extend(
                more.into_iter()
                    .filter(|finding| finding.code != "entities::dangling"),
            );
            None
        }
        Err(None) => None,
    };
    finding::sort(&mut findings);
    Ok(Examination {
        findings,
        engine,
        policies: texts.policies.clone(),
    })
}

/// The engine of the same policies with these entities, a file of Cedar's JSON, in place of those
/// of their uids and beside the others; with the errors that prevent one.
///
/// # Errors
/// A switch names no reading.
pub fn with_entities(
    engine: &Engine,
    entities: &str,
    switches: &Switches,
) -> Result<(Option<Engine>, Vec<Finding>), UnknownReading> {
    let bundle = engine.bundle();
    let read = engine.directory().with(
        given(entities),
        &bundle.named_entities(),
        &parent_rules(bundle.vocabulary()),
    );
    checked(bundle, read, switches)
}

/// The engine of these policies with these entities, a file of Cedar's JSON, and no others; with the
/// errors that prevent one.
///
/// # Errors
/// A switch names no reading.
pub fn of_entities(
    bundle: &Arc<Bundle>,
    entities: &str,
    switches: &Switches,
) -> Result<(Option<Engine>, Vec<Finding>), UnknownReading> {
    let read = Directory::read(
        vec![given(entities)],
        bundle.schema(),
        &bundle.named_entities(),
        &parent_rules(bundle.vocabulary()),
    );
    checked(bundle, read, switches)
}

fn given(entities: &str) -> Input {
    Input {
        source: Source::held("given", entities),
        reader: Box::new(std::io::Cursor::new(entities.to_owned())),
    }
}

/// The engine of policies with a directory, unless there are errors in it or between the two.
fn checked(
    bundle: &Arc<Bundle>,
    (directory, mut findings): (Directory, Vec<Finding>),
    switches: &Switches,
) -> Result<(Option<Engine>, Vec<Finding>), UnknownReading> {
    if !findings.is_empty() {
        return Ok((None, findings));
    }
    let engine = Engine::new(Arc::clone(bundle), Arc::new(directory), switches)?;
    findings.extend(engine.findings());
    findings.retain(|finding| finding.severity == finding::Severity::Error);
    Ok((findings.is_empty().then_some(engine), findings))
}

fn parent_rules(vocabulary: &Vocabulary) -> ParentRules {
    ParentRules {
        declared: vocabulary.declared_parents().clone(),
        required: vocabulary.required_parents(),
    }
}

/// Joins policies and entities, and looks for what is wrong between them.
fn join(
    bundle: Bundle,
    directory: Directory,
    switches: &Switches,
    findings: &mut Vec<Finding>,
) -> Result<Option<Engine>, UnknownReading> {
    let engine = Engine::new(Arc::new(bundle), Arc::new(directory), switches)?;
    if finding::any_error(findings) {
        return Ok(None);
    }
    let directory = engine.directory();
    // Without entities there is nobody to know, and the policies are looked at alone.
    if !directory.is_empty() {
        let exists = |uid: &EntityUid| directory.defines(uid);
        findings.extend(bundle::policies_against_directory(engine.bundle(), &exists));
        findings.extend(engine.findings());
    }
    Ok((!finding::any_error(findings)).then_some(engine))
}
