//! Errors of single records of an export.

use thiserror::Error;

/// The reason why a record is refused.
#[derive(Debug, Error)]
pub enum RecordError {
    /// Another record has the same id.
    #[error(
        "the {kind} `{id}` is there twice; keep one, a page may have been saved under two names"
    )]
    Duplicate {
        /// The kind of record, in a few words: `role assignment`.
        kind: &'static str,
        /// The id as written in the export.
        id: String,
    },
    /// The id of a role definition has a wrong form; it may be a name.
    #[error("`{0}` is no id of a role definition; Graph gives letters, digits and hyphens")]
    RoleDefinitionId(String),
    /// A role assignment lacks a property that some answers leave out.
    #[error(
        "the role assignment `{id}` lacks `{property}`, which v1.0 need not answer with, and an answer with $expand \
         leaves out; save what GET https://graph.microsoft.com/beta/deviceManagement/roleAssignments answers"
    )]
    IncompleteAssignment {
        /// The id of the assignment.
        id: String,
        /// The name of the property.
        property: &'static str,
    },
    /// An administrative user lacks a lazy property.
    #[error(
        "the administrative user `{name}` lacks the lazy property {property}, which a list leaves out; read it by \
         itself: GET https://<provider>/AdminService/wmi/SMS_Admin({id})"
    )]
    LazyAdministrator {
        /// The logon name of the administrative user.
        name: String,
        /// The name of the property.
        property: &'static str,
        /// The key of the instance.
        id: String,
    },
    /// A security role lacks its operations, which are a lazy property.
    #[error(
        "the security role `{name}` lacks the lazy property Operations, which a list leaves out; read it by itself: \
         GET https://<provider>/AdminService/wmi/SMS_Role('{id}')"
    )]
    LazySecurityRole {
        /// The name of the role with its id.
        name: String,
        /// The key of the instance.
        id: String,
    },
    /// A device has no name; the value is its key.
    #[error("the device {0} has neither `Name` nor `NetbiosName`; export SMS_R_System with them")]
    DeviceWithoutName(u32),
    /// An operation has two bits: the exports of two hierarchies were mixed.
    #[error(
        "{0} has two bits, so nobody can tell what a role permits; export it of one hierarchy only"
    )]
    OperationWithTwoBits(String),
    /// A bit stands for two operations: the exports of two hierarchies were mixed.
    #[error(
        "the bit {bit} is {one} and {other}, so nobody can tell what a role permits; export it of one hierarchy only"
    )]
    BitOfTwoOperations {
        /// The bit, as a power of two.
        bit: u32,
        /// An operation.
        one: String,
        /// The other operation.
        other: String,
    },
    /// An eligibility has no duration, or no start that the duration is counted from.
    #[error(
        "it ends afterDuration, and `startDateTime` or `duration` is not there; export it with -Depth 5"
    )]
    TermWithoutDuration,
    /// An eligibility ends at a time that is not given.
    #[error("it ends afterDateTime, and `endDateTime` is not there")]
    TermWithoutEnd,
}

impl RecordError {
    pub(crate) fn duplicate(kind: &'static str, id: &str) -> Self {
        let id = id.to_owned();
        Self::Duplicate { kind, id }
    }
}
