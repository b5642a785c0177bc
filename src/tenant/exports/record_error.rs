//! Errors of single records of an export.

use thiserror::Error;

/// Why a record is refused.
#[derive(Debug, Error)]
pub enum RecordError {
    /// Another record has the same id.
    #[error(
        "the {kind} `{id}` is there twice; keep one, a page may have been saved under two names"
    )]
    Duplicate {
        /// What it is, in a few words: `role assignment`.
        kind: &'static str,
        /// The id, as the export writes it.
        id: String,
    },
    /// The id of a role definition is none, but a name perhaps.
    #[error("`{0}` is no id of a role definition; Graph gives letters, digits and hyphens")]
    RoleDefinitionId(String),
    /// A role assignment lacks a property that is not in every answer.
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
        /// The name with which the administrative user signs in.
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
    /// A device has no name; its key.
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
    /// An eligibility has a duration that cannot be counted from a start.
    #[error(
        "it ends afterDuration, and `startDateTime` or `duration` is not there; export it with -Depth 5"
    )]
    TermWithoutDuration,
    /// An eligibility ends at a moment that is not told.
    #[error("it ends afterDateTime, and `endDateTime` is not there")]
    TermWithoutEnd,
}

impl RecordError {
    pub(crate) fn duplicate(kind: &'static str, id: &str) -> Self {
        let id = id.to_owned();
        Self::Duplicate { kind, id }
    }
}
