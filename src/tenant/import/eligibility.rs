//! Eligible memberships in Privileged Identity Management, which people may activate.
//!
//! An eligibility is left out, with a note, if it has ended or not yet begun, is for a part of the tenant only, or is
//! for the ownership of a group.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::entra::{DirectoryRoles, Entra, GROUPS, Group, Holder};
use super::key;
use super::report::{ELIGIBILITY_LEFT_OUT, Notes, UNKNOWN_ELIGIBILITY};
use crate::exports::graph::{GroupEligibilityRow, RoleEligibilityRow, ScheduleInfoRow};
use crate::exports::{Files, Folder, RecordError, RefusedExport};

/// Eligible memberships, each with its end; `None` without an end.
pub(super) type Eligible<T> = BTreeMap<T, Option<Timestamp>>;

/// The exports of eligible directory roles: instances, which are in force, and schedules, which may not be.
const OF_ROLES: [(&str, Kind); 2] = [
    ("graph/roleEligibilityScheduleInstances", Kind::Instance),
    ("graph/roleEligibilitySchedules", Kind::Schedule),
];
/// The exports of eligible group memberships, for all groups in one file.
const OF_GROUPS: [(&str, Kind); 4] = [
    ("graph/groupEligibilityScheduleInstances", Kind::Instance),
    ("graph/eligibilityScheduleInstances", Kind::Instance),
    ("graph/groupEligibilitySchedules", Kind::Schedule),
    ("graph/eligibilitySchedules", Kind::Schedule),
];
/// The exports of eligible group memberships, in the folder of each group.
const OF_GROUP: [(&str, Kind); 2] = [
    ("eligibilityScheduleInstances", Kind::Instance),
    ("eligibilitySchedules", Kind::Schedule),
];

/// The kind of a file of eligibilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The eligibilities in force.
    Instance,
    /// All eligibilities, in force or not.
    Schedule,
}

/// An eligibility.
struct Eligibility {
    kind: Kind,
    /// The id of the person or group.
    principal: String,
    /// The id of the group, or the template id of the directory role.
    of: String,
    /// The name of the role, if the export has it.
    name: Option<String>,
    until: Option<Timestamp>,
    /// The reason why the eligibility is left out, if it is.
    why_not: Option<String>,
}

impl Eligibility {
    fn of_role(row: RoleEligibilityRow, kind: Kind, now: Timestamp) -> Result<Self, RecordError> {
        let begin = row.start_date_time;
        let term = Term::new(begin, row.end_date_time, row.schedule_info.as_ref())?;
        let is_tenant = |scope: &Option<String>| scope.as_deref().is_none_or(|scope| scope == "/");
        let scopes = [&row.directory_scope_id, &row.app_scope_id].into_iter();
        let part = scopes.filter(|scope| !is_tenant(scope)).flatten().next();
        let why_not = revoked(row.status.as_deref())
            .or_else(|| part.map(|scope| format!("in {scope} only")))
            .or_else(|| term.misses(now));
        Ok(Self {
            kind,
            principal: row.principal_id,
            of: row.role_definition_id,
            name: row.role_definition.and_then(|role| role.display_name),
            until: term.end,
            why_not,
        })
    }

    fn of_group(row: GroupEligibilityRow, kind: Kind, now: Timestamp) -> Result<Self, RecordError> {
        let begin = row.start_date_time;
        let term = Term::new(begin, row.end_date_time, row.schedule_info.as_ref())?;
        // Ownership of a group is not membership.
        let access = row
            .access_id
            .filter(|of| !of.eq_ignore_ascii_case("member"));
        let why_not = revoked(row.status.as_deref())
            .or_else(|| access.map(|access| format!("as {access}")))
            .or_else(|| term.misses(now));
        Ok(Self {
            kind,
            principal: row.principal_id,
            of: row.group_id,
            name: None,
            until: term.end,
            why_not,
        })
    }

    fn pair(&self) -> (String, String) {
        (key(&self.principal), key(&self.of))
    }
}

fn revoked(status: Option<&str>) -> Option<String> {
    let status = status.filter(|status| !status.eq_ignore_ascii_case("Provisioned"))?;
    Some(format!("of status {status}"))
}

/// The period of an eligibility.
struct Term {
    begin: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Term {
    fn new(
        begin: Option<Timestamp>,
        end: Option<Timestamp>,
        schedule: Option<&ScheduleInfoRow>,
    ) -> Result<Self, RecordError> {
        let begin = begin.or_else(|| schedule?.start_date_time);
        // The greatest timestamp stands for no end.
        let is_end = |end: &Timestamp| *end < Timestamp::MAX;
        let expiration = schedule.and_then(|schedule| schedule.expiration.as_ref());
        let Some(expiration) = expiration.filter(|_| end.is_none()) else {
            let end = end.filter(is_end);
            return Ok(Self { begin, end });
        };
        let kind = expiration.kind.as_deref().unwrap_or_default();
        let is = |named: &str| kind.eq_ignore_ascii_case(named);
        let after = match (begin, expiration.duration) {
            (Some(begin), Some(duration)) => {
                let end = begin.to_zoned_datetime(TimeZone::UTC).checked_add(duration);
                Some(end.map_or(Timestamp::MAX, |end| end.timestamp()))
            }
            _ => None,
        };
        let end = match expiration.end_date_time {
            _ if is("noExpiration") => None,
            _ if is("afterDuration") => Some(after.ok_or(RecordError::TermWithoutDuration)?),
            end if is("afterDateTime") => Some(end.ok_or(RecordError::TermWithoutEnd)?),
            end => end.or(after),
        };
        let end = end.filter(is_end);
        Ok(Self { begin, end })
    }

    /// The reason why the period does not include `now`, if it does not.
    fn misses(&self, now: Timestamp) -> Option<String> {
        match (self.begin, self.end) {
            (_, Some(end)) if end <= now => Some(format!("ended {end}")),
            (Some(begin), _) if begin > now => Some(format!("begins {begin}")),
            (_, _) => None,
        }
    }
}

/// Reads the eligible memberships at the time `now`.
pub(super) fn read<F: Files>(
    entra: &mut Entra,
    folder: &Folder<'_, F>,
    roles: &DirectoryRoles,
    now: Timestamp,
    notes: &mut Notes,
) -> Result<(), RefusedExport> {
    // The groups come first: whoever may activate a group may then activate the roles that it may.
    entra.has_group_eligibilities = read_groups(entra, folder, roles, now, notes)?;
    let mut of_roles: Vec<Eligibility> = Vec::new();
    let mut has_instances = false;
    let mut are_exported = false;
    for (name, kind) in OF_ROLES {
        let is_there = folder.records(name, |row: RoleEligibilityRow| {
            of_roles.push(Eligibility::of_role(row, kind, now)?);
            Ok(())
        })?;
        has_instances |= is_there && kind == Kind::Instance;
        are_exported |= is_there;
    }
    let called = |id: &str, name: Option<&str>| {
        let name = roles.called(id, name);
        name.unwrap_or_else(|| format!("the directory role {id}"))
    };
    for of in counted(
        of_roles,
        |_| has_instances,
        |of| called(&of.of, of.name.as_deref()),
        entra,
        notes,
    ) {
        let Some(role) = roles.called(&of.of, of.name.as_deref()) else {
            notes.add(
                &UNKNOWN_ELIGIBILITY,
                format!("the directory role {}", of.of),
            );
            continue;
        };
        for (person, until) in people(entra, &of.principal, &role, notes) {
            entra.directory_roles.insert(role.clone());
            if let Some(person) = entra.people.get_mut(person as usize)
                && !person.directory_roles.contains(&role)
            {
                let until = earlier(of.until, until);
                add(&mut person.eligible_directory_roles, role.clone(), until);
            }
        }
    }
    // A member of a group has the directory roles of the group, so the eligibilities for these groups are needed too.
    entra.has_role_eligibilities =
        are_exported && (entra.has_group_eligibilities || roles.of_groups.is_empty());
    Ok(())
}

/// Reads the eligible memberships of groups, which include the directory roles of the groups. Returns `true` if they
/// are exported for the whole tenant, or for each group whose members are exported.
fn read_groups<F: Files>(
    entra: &mut Entra,
    folder: &Folder<'_, F>,
    roles: &DirectoryRoles,
    now: Timestamp,
    notes: &mut Notes,
) -> Result<bool, RefusedExport> {
    let mut of_groups: Vec<Eligibility> = Vec::new();
    let mut read = |name: &str, kind| {
        folder.records(name, |row: GroupEligibilityRow| {
            of_groups.push(Eligibility::of_group(row, kind, now)?);
            Ok(())
        })
    };
    let (mut has_instances, mut are_exported) = (false, false);
    for (name, kind) in OF_GROUPS {
        let is_there = read(name, kind)?;
        has_instances |= is_there && kind == Kind::Instance;
        are_exported |= is_there;
    }
    let mut with_instances: BTreeSet<String> = BTreeSet::new();
    let mut exported: BTreeSet<String> = BTreeSet::new();
    for (group, id) in folder.objects(GROUPS)? {
        for (name, kind) in OF_GROUP {
            if !read(&format!("{GROUPS}/{id}/{name}"), kind)? {
                continue;
            }
            exported.insert(group.clone());
            if kind == Kind::Instance {
                with_instances.insert(group.clone());
            }
        }
    }
    let mut groups = entra.groups.iter().filter(|group| group.has_members);
    are_exported |= !exported.is_empty() && groups.all(|group| exported.contains(&key(&group.id)));
    let is_told = |of: &Eligibility| has_instances || with_instances.contains(&key(&of.of));
    let called = |of: &Eligibility| match entra.holder(&of.of) {
        Some(Holder::Group(group)) => entra.group(group).map_or_else(String::new, Group::called),
        _ => format!("the group {}", of.of),
    };
    let of_groups = counted(of_groups, is_told, called, entra, notes);
    // Whoever may activate a group may then activate the groups that it may, and so on.
    let mut is_new = true;
    while is_new {
        is_new = false;
        for of in &of_groups {
            is_new |= give_group(entra, of, roles, notes);
        }
    }
    Ok(are_exported)
}

/// Gives the people of an eligibility its group, with the directory roles of that. Returns whether anybody is eligible
/// for more than before.
fn give_group(
    entra: &mut Entra,
    of: &Eligibility,
    roles: &DirectoryRoles,
    notes: &mut Notes,
) -> bool {
    let Some(Holder::Group(group)) = entra.holder(&of.of) else {
        notes.add(&UNKNOWN_ELIGIBILITY, format!("the group {}", of.of));
        return false;
    };
    let name = entra.group(group).map(Group::called).unwrap_or_default();
    let of_group = roles.of_groups.get(&group);
    let mut is_new = false;
    for (person, until) in people(entra, &of.principal, &name, notes) {
        let until = earlier(of.until, until);
        let Some(person) = entra.people.get_mut(person as usize) else {
            continue;
        };
        if !person.groups.contains(&group) {
            is_new |= add(&mut person.eligible_groups, group, until);
        }
        for role in of_group.into_iter().flatten() {
            if !person.directory_roles.contains(role) {
                is_new |= add(&mut person.eligible_directory_roles, role.clone(), until);
            }
        }
    }
    is_new
}

/// The eligibilities that apply; adds notes on the others. A schedule without an instance does not apply if the
/// instances of its group or role are exported (`is_told`).
fn counted(
    mut all: Vec<Eligibility>,
    is_told: impl Fn(&Eligibility) -> bool,
    called: impl Fn(&Eligibility) -> String,
    entra: &Entra,
    notes: &mut Notes,
) -> Vec<Eligibility> {
    let counts = |of: &&Eligibility| of.kind == Kind::Instance && of.why_not.is_none();
    let in_force: BTreeSet<(String, String)> =
        all.iter().filter(counts).map(Eligibility::pair).collect();
    all.retain_mut(|of| {
        if of.kind == Kind::Schedule && of.why_not.is_none() && is_told(of) {
            if in_force.contains(&of.pair()) {
                return false;
            }
            of.why_not = Some("in a schedule without an instance".to_owned());
        }
        let Some(why_not) = &of.why_not else {
            return true;
        };
        let principal = match entra.holder(&of.principal) {
            Some(Holder::Person(person)) => entra
                .person(person)
                .map(|of| of.user_principal_name.clone()),
            Some(Holder::Group(group)) => entra.group(group).map(Group::called),
            None => None,
        };
        let principal = principal.unwrap_or_else(|| of.principal.clone());
        let name = format!("{principal}: {}, {why_not}", called(of));
        notes.add(&ELIGIBILITY_LEFT_OUT, name);
        false
    });
    all
}

/// Adds an eligible membership; if there are two, the later end applies. Returns whether there is more than before.
fn add<T: Ord>(eligible: &mut Eligible<T>, of: T, until: Option<Timestamp>) -> bool {
    let Some(known) = eligible.get_mut(&of) else {
        eligible.insert(of, until);
        return true;
    };
    let later = known.zip(until).map(|(one, other)| one.max(other));
    let is_new = *known != later;
    *known = later;
    is_new
}

/// The end of what two eligible memberships give together.
fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min()
}

/// The people of an eligibility: a person, or the members of a group at any depth, those who may activate their
/// membership included, each with its end.
fn people(entra: &Entra, principal: &str, of: &str, notes: &mut Notes) -> Eligible<u32> {
    match entra.holder(principal) {
        Some(Holder::Person(person)) => Eligible::from([(person, None)]),
        Some(Holder::Group(group)) => {
            let members = entra.people_in(group).into_iter();
            let mut people: Eligible<u32> = members.map(|person| (person, None)).collect();
            let nested = entra.nested(group);
            for (index, person) in (0..).zip(&entra.people) {
                let activated = person.eligible_groups.iter();
                for (_, until) in activated.filter(|(group, _)| nested.contains(*group)) {
                    add(&mut people, index, *until);
                }
            }
            people
        }
        None => {
            let name = format!("{principal}, eligible for {of}");
            notes.add(&UNKNOWN_ELIGIBILITY, name);
            Eligible::new()
        }
    }
}
