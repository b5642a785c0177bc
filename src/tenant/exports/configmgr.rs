//! Rows of Configuration Manager classes, as written by the AdminService or PowerShell.
//!
//! A lazy property is missing or `null` in a query of the whole class, and has to be read instance by instance.

use serde::Deserialize;
use smol_str::SmolStr;

use super::lenient::{flag, list, number, optional_flag, optional_number, stated, texts, trimmed};

/// A site of a hierarchy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an instance of SMS_Site")]
pub struct SmsSite {
    /// The key of the class.
    pub site_code: String,
    /// The site above, empty for the top one.
    #[serde(default, deserialize_with = "trimmed")]
    pub reporting_site_code: Option<String>,
    /// `5.00.9128.1000`.
    #[serde(default, deserialize_with = "trimmed")]
    pub version: Option<String>,
}

/// An administrative user: a person or a group.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an instance of SMS_Admin")]
pub struct SmsAdmin {
    /// The key of the class.
    #[serde(rename = "AdminID", deserialize_with = "number")]
    pub admin_id: u32,
    /// The security identifier of the account (lazy).
    #[serde(default, deserialize_with = "trimmed")]
    pub admin_sid: Option<String>,
    /// `DOMAIN\name`.
    #[serde(default)]
    pub logon_name: Option<String>,
    /// 0 is a user of Active Directory, 1 a group, 2 a machine.
    #[serde(default, deserialize_with = "optional_number")]
    pub account_type: Option<u32>,
    /// Whether the administrative user was removed.
    #[serde(default, deserialize_with = "optional_flag")]
    pub is_deleted: Option<bool>,
    /// The roles, each with a collection or security scope in which it applies (lazy).
    #[serde(default, deserialize_with = "list")]
    pub permissions: Option<Vec<SmsAPermission>>,
}

/// A security role together with a collection or security scope in which it applies.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    rename_all = "PascalCase",
    expecting = "an instance of SMS_APermission"
)]
pub struct SmsAPermission {
    /// The collection or the security scope.
    #[serde(rename = "CategoryID")]
    pub category_id: String,
    /// 1 is a collection, 29 a security scope.
    #[serde(rename = "CategoryTypeID", deserialize_with = "number")]
    pub category_type_id: u32,
    /// The security role.
    #[serde(rename = "RoleID")]
    pub role_id: String,
}

/// A security role.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an instance of SMS_Role")]
pub struct SmsRole {
    /// The key of the class.
    #[serde(rename = "RoleID")]
    pub role_id: String,
    /// The name in the console.
    #[serde(default)]
    pub role_name: Option<String>,
    /// The permissions of the role, by type of object (lazy).
    #[serde(default, deserialize_with = "list")]
    pub operations: Option<Vec<SmsARoleOperation>>,
}

/// The permissions of a role on one type of object.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    rename_all = "PascalCase",
    expecting = "an instance of SMS_ARoleOperation"
)]
pub struct SmsARoleOperation {
    /// The type of object.
    #[serde(rename = "ObjectTypeID", deserialize_with = "number")]
    pub object_type_id: u32,
    /// A bit for each operation.
    #[serde(deserialize_with = "number")]
    pub granted_operations: u32,
}

/// An operation of the site, with its bit.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    rename_all = "PascalCase",
    expecting = "an instance of SMS_AvailableOperation"
)]
pub struct SmsAvailableOperation {
    /// The type of object.
    #[serde(rename = "ObjectTypeID", deserialize_with = "number")]
    pub object_type_id: u32,
    /// The name of the type: `SMS_Collection`.
    pub object_type_name: String,
    /// The name of the operation: `Read Resource`.
    pub operation_name: String,
    /// The value of the bit.
    #[serde(deserialize_with = "number")]
    pub bit_flag: u32,
}

/// A collection of devices or of users.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an instance of SMS_Collection")]
pub struct SmsCollection {
    /// The key of the class.
    #[serde(rename = "CollectionID")]
    pub collection_id: SmolStr,
    /// The name in the console.
    #[serde(default)]
    pub name: Option<String>,
    /// 1 holds users, 2 devices.
    #[serde(deserialize_with = "number")]
    pub collection_type: u32,
    /// The collection it is limited to.
    #[serde(default, rename = "LimitToCollectionID", deserialize_with = "trimmed")]
    pub limit_to_collection_id: Option<String>,
}

/// A resource in a collection.
#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "an instance of SMS_FullCollectionMembership")]
pub struct SmsFullCollectionMembership {
    /// The collection.
    #[serde(rename = "CollectionID")]
    pub collection_id: SmolStr,
    /// The resource, which may be a user.
    #[serde(
        rename = "ResourceID",
        alias = "ResourceId",
        deserialize_with = "number"
    )]
    pub resource_id: u32,
    /// The kind of the resource; absent if the call did not select it.
    #[serde(default, rename = "ResourceType", deserialize_with = "optional_number")]
    pub resource_type: Option<u32>,
}

/// A device.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an instance of SMS_R_System")]
pub struct SmsRSystem {
    /// The key of the class.
    #[serde(
        rename = "ResourceID",
        alias = "ResourceId",
        deserialize_with = "number"
    )]
    pub resource_id: u32,
    /// The name of the device.
    #[serde(default, deserialize_with = "trimmed")]
    pub name: Option<String>,
    /// The NetBIOS name, used if there is no name.
    #[serde(default, deserialize_with = "trimmed")]
    pub netbios_name: Option<String>,
    /// The operating system.
    #[serde(
        default,
        rename = "OperatingSystemNameandVersion",
        deserialize_with = "trimmed"
    )]
    pub operating_system: Option<String>,
    /// Whether the device has a client; absent if the call did not select it.
    #[serde(default, deserialize_with = "flag")]
    pub client: Option<Option<bool>>,
    /// Whether a newer record of the same device has replaced this one; absent if the call did not select it.
    #[serde(default, deserialize_with = "flag")]
    pub obsolete: Option<Option<bool>>,
    /// Whether the device was retired; absent if the call did not select it.
    #[serde(default, deserialize_with = "flag")]
    pub decommissioned: Option<Option<bool>>,
}

/// A user found by a discovery.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an instance of SMS_R_User")]
pub struct SmsRUser {
    /// The key of the class.
    #[serde(
        rename = "ResourceID",
        alias = "ResourceId",
        deserialize_with = "number"
    )]
    pub resource_id: u32,
    /// `DOMAIN\name`.
    #[serde(default)]
    pub unique_user_name: Option<String>,
    /// The security identifier in Active Directory; absent if the call did not select it.
    #[serde(default, rename = "SID", deserialize_with = "stated")]
    pub sid: Option<Option<String>>,
    /// The id of the account in Microsoft Entra, set by Microsoft Entra user discovery; absent if the call did not
    /// select it.
    #[serde(default, rename = "AADUserID", deserialize_with = "stated")]
    pub aad_user_id: Option<Option<String>>,
    /// The discoveries that have found the user.
    #[serde(default, deserialize_with = "texts")]
    pub agent_name: Option<Vec<String>>,
}

/// A security scope.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    rename_all = "PascalCase",
    expecting = "an instance of SMS_SecuredCategory"
)]
pub struct SmsSecuredCategory {
    /// The key of the class.
    #[serde(rename = "CategoryID")]
    pub category_id: String,
    /// The name in the console.
    #[serde(default)]
    pub category_name: Option<String>,
}
