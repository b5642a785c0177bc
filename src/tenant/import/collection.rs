//! Notes on the collection behind the exports: its age, and refused calls.

use jiff::{SignedDuration, Timestamp, Unit};

use super::report::{
    CollectionAge, EXPORT_FAILED, EXPORT_REFUSED, EXPORTS_OLD, EXPORTS_PSEUDONYMIZED, Notes,
};
use crate::exports::catalog::COLLECTED;
use crate::exports::{CallState, Collected, Files, Folder, RefusedExport, moment, read_one};

/// The age from which exports may no longer match the tenant.
const OLD: SignedDuration = SignedDuration::from_hours(24);

/// Reads the account of the collection, if there is one. Returns its age.
pub(super) fn note<F: Files>(
    folder: &Folder<'_, F>,
    now: Timestamp,
    notes: &mut Notes,
) -> Result<Option<CollectionAge>, RefusedExport> {
    let read = folder.read(COLLECTED, |reader| read_one::<Collected>(reader))?;
    let Some(collected) = read else {
        return Ok(None);
    };
    let started_at = moment(&collected.started_at);
    if started_at.is_none() {
        let reason = format!("{COLLECTED} does not say when: `{}`", collected.started_at);
        notes.add(&EXPORTS_OLD, reason);
    }
    let age = started_at.map(|started_at| CollectionAge {
        started_at,
        age: now.duration_since(started_at),
    });
    if let Some(CollectionAge { age, .. }) = age.filter(|of| of.age > OLD) {
        let hours = age.round(Unit::Hour).unwrap_or(age).as_hours();
        let since = &collected.started_at;
        notes.add(
            &EXPORTS_OLD,
            format!("collected since {since}, {hours} hours ago"),
        );
    }
    if collected.is_pseudonymized {
        notes.add(&EXPORTS_PSEUDONYMIZED, COLLECTED);
    }
    for call in &collected.calls {
        let told = call.message.as_deref().unwrap_or("no reason is given");
        match call.state {
            CallState::Collected => {}
            CallState::Refused => {
                let permission = call.permission.as_deref().unwrap_or("a permission");
                notes.add(
                    &EXPORT_REFUSED,
                    format!("{} takes {permission}", call.export),
                );
            }
            CallState::Failed => notes.add(&EXPORT_FAILED, format!("{}: {told}", call.export)),
        }
    }
    Ok(age)
}
