//! Security roles, and the operations of their bits.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use super::{Operation, Reader, Site};
use crate::exports::configmgr::{SmsAvailableOperation, SmsRole};
use crate::exports::{Files, RecordError, RefusedExport};
use crate::import::intune::called;
use crate::import::report::{MISSING_OPERATION, UNNAMED_OPERATION};

const CLASS: &str = "SMS_Role";
const OPERATIONS: &str = "SMS_AvailableOperation";

/// For each security role by id, the indices of the schema's operations that it permits.
pub(super) type SecurityRoles = BTreeMap<String, BTreeSet<usize>>;

/// The operations of a site, by object type and bit, each with its index in the schema if decisions depend on it.
type Available = HashMap<(u32, u32), Option<usize>>;

impl<F: Files> Reader<'_, '_, F> {
    /// Reads the security roles. Only the wanted ones need to have their operations.
    pub(super) fn security_roles(
        &self,
        site: &mut Site,
        wanted: &BTreeSet<&str>,
    ) -> Result<SecurityRoles, RefusedExport> {
        let Some(available) = self.available(site)? else {
            return Err(self.needed(OPERATIONS, "SMS_Admin"));
        };
        let mut roles = SecurityRoles::new();
        let is_there = self.folder.records(&self.name(CLASS), |row: SmsRole| {
            if roles.contains_key(&row.role_id) {
                return Err(RecordError::duplicate("security role", &row.role_id));
            }
            let name = called(row.role_name.as_deref(), &row.role_id);
            let grants = match row.operations {
                Some(grants) => grants,
                None if !wanted.contains(row.role_id.as_str()) => return Ok(()),
                None => {
                    let id = row.role_id;
                    return Err(RecordError::LazySecurityRole { name, id });
                }
            };
            let mut operations = BTreeSet::new();
            for grant in grants {
                let bits = (0..u32::BITS).map(|bit| 1 << bit);
                for bit in bits.filter(|bit| grant.granted_operations & bit != 0) {
                    let object_type = grant.object_type_id;
                    match available.get(&(object_type, bit)) {
                        Some(operation) => operations.extend(*operation),
                        None => site.notes.add(
                            &UNNAMED_OPERATION,
                            format!(
                                "{bit} of object type {object_type} in {name}, {}",
                                self.site
                            ),
                        ),
                    }
                }
            }
            roles.insert(row.role_id, operations);
            Ok(())
        })?;
        match is_there {
            true => Ok(roles),
            false => Err(self.needed(CLASS, "SMS_Admin")),
        }
    }

    /// The operations of the site; `None` if they were not exported.
    fn available(&self, site: &mut Site) -> Result<Option<Available>, RefusedExport> {
        let mut named: HashMap<(u32, u32), (String, Option<usize>)> = HashMap::new();
        let mut bits: BTreeMap<String, u32> = BTreeMap::new();
        let class = self.name(OPERATIONS);
        let is_there = self.folder.records(&class, |row: SmsAvailableOperation| {
            let name = plain(&row.object_type_name, &row.operation_name);
            let is_named = |operation: &Operation| {
                let parts = operation.name.split_once(": ");
                parts.is_some_and(|(object, operation)| plain(object, operation) == name)
            };
            let index = self.operations.iter().position(is_named);
            let called = format!("{} of {}", row.operation_name, row.object_type_name);
            let known_bit = bits.insert(name.clone(), row.bit_flag);
            if known_bit.is_some_and(|bit| bit != row.bit_flag) {
                return Err(RecordError::OperationWithTwoBits(called));
            }
            let bit = (row.object_type_id, row.bit_flag);
            match named.insert(bit, (name.clone(), index)) {
                Some((other, _)) if other != name => Err(RecordError::BitOfTwoOperations {
                    bit: row.bit_flag,
                    one: called,
                    other,
                }),
                _ => Ok(()),
            }
        })?;
        let single_bits = named.iter().filter(|((_, bit), _)| bit.is_power_of_two());
        let known: BTreeSet<usize> = single_bits.filter_map(|(_, (_, index))| *index).collect();
        for (index, operation) in self.operations.iter().enumerate() {
            if is_there && !known.contains(&index) {
                let name = format!("{} in {}", operation.name, self.site);
                site.notes.add(&MISSING_OPERATION, name);
            }
        }
        let available = named.into_iter().map(|(bit, (_, index))| (bit, index));
        Ok(is_there.then(|| available.collect()))
    }
}

/// The name of an operation in a normal form: `SMS_Collection`, `Read Resource` and `Collection`, `ReadResource` are
/// the same.
fn plain(object: &str, operation: &str) -> String {
    let plain = |text: &str| {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.collect::<String>().to_ascii_lowercase()
    };
    let object = plain(object);
    let object = object.strip_prefix("sms").unwrap_or(&object);
    format!("{object}: {}", plain(operation))
}
