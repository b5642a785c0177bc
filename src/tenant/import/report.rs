//! The report of an import: entity counts, notes, and the table of topics.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// The severity of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    /// Two exports do not match; the records concerned give nothing.
    Unjoined,
    /// The exports lack a value. With the assumed value the shipped policies permit less; other policies may permit
    /// more.
    Assumed,
    /// The exports have the value, which deserves a look.
    Notable,
}

/// The topic of a [`Note`]: a code with its texts.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Topic {
    /// The code, which is stable, so that it can be searched for.
    pub code: &'static str,
    /// The meaning of the names, and the effect on the import.
    pub message: &'static str,
    /// Help.
    pub help: &'static str,
    /// The severity.
    pub matter: Matter,
}

/// A topic with the names that it concerns, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The topic.
    pub topic: &'static Topic,
    /// The people or objects that it concerns.
    pub names: Vec<String>,
}

/// The report of an import.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// The number of entities of each kind, in the order of the families of the workspace.
    pub counts: Vec<(&'static str, usize)>,
    /// The notes, by severity and code.
    pub notes: Vec<Note>,
    /// The age of the collection behind the exports, if they say it.
    pub collection: Option<CollectionAge>,
}

/// The age of a collection, which is that of its first answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectionAge {
    /// When it was started, in RFC 3339.
    pub started_at: Timestamp,
    /// The time from then until the import.
    pub age: SignedDuration,
}

/// The notes of an import in progress.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<(Matter, &'static str), Note>);

impl Notes {
    /// Adds a person or object to the note on a topic.
    pub(super) fn add(&mut self, topic: &'static Topic, name: impl Into<String>) {
        let note = self.0.entry((topic.matter, topic.code));
        let note = note.or_insert_with(|| Note {
            topic,
            names: Vec::new(),
        });
        note.names.push(name.into());
    }

    /// Whether there is a note on any of these topics.
    pub(super) fn have_any(&self, topics: &[&Topic]) -> bool {
        let mut topics = topics.iter();
        topics.any(|topic| self.0.contains_key(&(topic.matter, topic.code)))
    }

    /// Adds the notes of another list.
    pub(super) fn extend(&mut self, other: Self) {
        for note in other.0.into_values() {
            for name in note.names {
                self.add(note.topic, name);
            }
        }
    }

    /// The notes in order, with sorted names and without duplicates.
    pub(super) fn into_notes(self) -> Vec<Note> {
        let mut notes: Vec<Note> = self.0.into_values().collect();
        for note in &mut notes {
            note.names.sort();
            note.names.dedup();
        }
        notes
    }
}

macro_rules! topics {
    ($($name:ident $matter:ident $code:literal $message:literal $help:literal)*) => {
        $(pub(super) const $name: Topic = Topic {
            code: concat!("import::", $code),
            message: $message,
            help: $help,
            matter: Matter::$matter,
        };)*
    };
}

topics! {
    UNCLAIMED_ASSIGNMENT Unjoined "unclaimed_assignment"
        "role assignments that no role definition claims, so they give nothing"
        "export graph/roleDefinitions/<id>/roleAssignments.json of every role definition"
    AMBIGUOUS_ASSIGNMENT Unjoined "ambiguous_assignment"
        "role assignments that several role definitions claim, be they known or not, so they give nothing"
        "export the role definitions and their assignments again: an assignment has one role"
    UNKNOWN_ROLE_DEFINITION Unjoined "unknown_role_definition"
        "role definitions that have assignments and are not in graph/roleDefinitions.json, so these give nothing"
        "export graph/roleDefinitions.json again"
    ROLE_LISTS_DIFFER Unjoined "role_lists_differ"
        "roles whose record has several lists of permissions that are not the same; only what all of them have counts"
        "export graph/roleDefinitions.json again, and do not edit it"
    ASSIGNMENT_WITHOUT_MEMBERS Unjoined "assignment_without_members"
        "role assignments that graph/roleAssignments.json does not have, so nobody has them"
        "export graph/roleAssignments.json again: the rows below a role definition are cut"
    UNKNOWN_MEMBER Unjoined "unknown_member"
        "members that are in neither graph/users.json nor graph/groups.json, so they are left out"
        "export users and groups again; devices and applications are no administrators"
    UNKNOWN_GROUP Unjoined "unknown_group"
        "groups whose members were exported, and that graph/groups.json does not have, so they are left out"
        "export groups and their members at the same time; a folder of a group that was deleted may have stayed behind"
    UNKNOWN_SCOPE Unjoined "unknown_scope"
        "scope tags and scope groups of role assignments that were not exported; they are kept without a name"
        "export graph/roleScopeTags.json and graph/groups.json again"
    UNKNOWN_DIRECTORY_ROLE Unjoined "unknown_directory_role"
        "members of Microsoft Entra roles that graph/directoryRoles.json does not have, so they are left out"
        "export graph/directoryRoles.json again"
    MEMBERS_MISSING Unjoined "members_missing"
        "groups and directory roles that give something, and whose members were not exported, so nobody is in them"
        "export members.json of each of them"
    UNMATCHED_ADMINISTRATOR Unjoined "unmatched_administrator"
        "administrative users of Configuration Manager whose AdminSid no exported account or group has, so their permissions are nobody's"
        "export users and groups with onPremisesSecurityIdentifier"
    IMPOSSIBLE_ADMINISTRATOR Unjoined "impossible_administrator"
        "administrative users of Configuration Manager that no account of Microsoft Entra can be by their AdminSid: machines, groups that are built into Windows, and accounts that no Active Directory knows; their permissions are nobody's"
        "no export can join them; if people are meant, make them or a group of theirs in Active Directory the administrative user"
    UNKNOWN_ELIGIBILITY Unjoined "unknown_eligibility"
        "eligible memberships of somebody or of something that no export has, so they are left out"
        "export users, groups and graph/directoryRoles.json at the same time, or the eligibilities with $expand=roleDefinition"
    UNKNOWN_SECURITY_ROLE Unjoined "unknown_security_role"
        "security roles that SMS_Role.json does not have, so they give nothing"
        "export SMS_Role.json again"
    UNKNOWN_COLLECTION Unjoined "unknown_collection"
        "collections that SMS_Collection.json does not have, so they hold and give nothing"
        "export SMS_Collection.json again"
    UNKNOWN_RESOURCE Unjoined "unknown_resource"
        "members of device collections that SMS_R_System.json does not have, so they are left out"
        "export SMS_R_System.json and SMS_FullCollectionMembership.json at the same time"
    UNKNOWN_CATEGORY Unjoined "unknown_category"
        "permissions of administrative users for what is neither a collection nor a security scope, so they give nothing"
        "please report it: the class SMS_APermission knows the types 1 and 29"
    UNNAMED_OPERATION Unjoined "unnamed_operation"
        "bits of security roles that SMS_AvailableOperation.json does not name, so they give nothing"
        "export SMS_AvailableOperation.json of this very hierarchy: what a bit means is not published"
    MISSING_OPERATION Unjoined "missing_operation"
        "operations that decisions are about and SMS_AvailableOperation.json does not have, so nobody is permitted them"
        "export SMS_AvailableOperation.json again; an old site may not know them"
    DISCOVERY_CONFLICT Unjoined "discovery_conflict"
        "discovered users whose AADUserID and SID are not those of one account, so this discovery counts for nobody"
        "look at the discovery data of the user in the console"
    UNKNOWN_HIERARCHY Unjoined "unknown_hierarchy"
        "hierarchies that tenant.json does not declare, so their devices are left out"
        "declare the hierarchy, with its version and its checkbox"
    DEVICE_OF_NO_HIERARCHY Unjoined "device_of_no_hierarchy"
        "devices that Configuration Manager manages and no exported hierarchy has, so they are left out"
        "export SMS_R_System.json of their hierarchy"
    NOT_READ Unjoined "not_read"
        "files that are no part of an export, so they are not read"
        "`tarbac import --how` lists the names that are expected"

    NOT_SELECTED Assumed "not_selected"
        "properties that no record of a file has, so they were most likely not asked for; what they would tell is not known"
        "ask for them by name: Get-MgUser and Get-MgGroup give them with -Property only, Graph and the AdminService with $select; `tarbac import --how` has the calls"
    CLIENT_UNKNOWN Assumed "client_unknown"
        "devices of which Client or, other than of the rest, Obsolete or Decommissioned is not known, so they are taken as not uploaded and left out"
        "export SMS_R_System with Client and Obsolete, and with Decommissioned of all devices or of none"
    NOT_EXPORTED Assumed "not_exported"
        "exports that are not there; what they would tell gives nobody anything"
        "`tarbac import --how` has the call that gives each"
    EXPORT_REFUSED Assumed "export_refused"
        "exports that were refused when they were collected, for want of a permission; what they would tell gives nobody anything"
        "give whoever collects the permission; `tarbac collect --permissions` says what each is for"
    DEVICE_WITHOUT_COLLECTION Assumed "device_without_collection"
        "devices in no collection by SMS_FullCollectionMembership.json, though All Systems has every device; so who else is in a collection of their hierarchy is not known"
        "export SMS_FullCollectionMembership.json and SMS_R_System.json again at the same time, by an account that may read All Systems"
    NOBODY_DISCOVERED Assumed "nobody_discovered"
        "hierarchies whose SMS_R_User.json has no user, which may be the answer to an account that may not read them; nobody counts as discovered"
        "export SMS_R_User.json by an account that may read All Users and User Groups"
    REMOVAL_UNKNOWN Assumed "removal_unknown"
        "administrative users of whom IsDeleted, other than of the rest, is not known, so they are taken as removed"
        "export SMS_Admin with IsDeleted"
    SYNCHRONIZATION_UNKNOWN Assumed "synchronization_unknown"
        "accounts of which onPremisesSyncEnabled was not exported, or is null beside a security identifier, so they are taken as cloud-only"
        "export users with $select=onPremisesSyncEnabled"
    LICENSE_UNKNOWN Assumed "license_unknown"
        "accounts whose Intune license cannot be known, so they are taken as without one where a role depends on it"
        "export users with $select=assignedLicenses,assignedPlans, and graph/subscribedSkus.json"
    PLAN_UNKNOWN Assumed "plan_unknown"
        "service plans of Intune that are not known, so whether they are a license for a person is not known either; whoever has no other one is taken as without one where a role depends on it"
        "please report their names; whoever has INTUNE_A, or its kin for governments, schools and small businesses, has a license"
    ACCOUNT_STATE_UNKNOWN Assumed "account_state_unknown"
        "accounts of which accountEnabled, other than of the rest, is not known, so they are taken as disabled"
        "export all users with $select=accountEnabled"
    DISCOVERY_UNKNOWN Assumed "discovery_unknown"
        "discovered users of whom AADUserID, SID or AgentName was not exported, or the SID of their account; what is not known counts as not discovered"
        "export SMS_R_User with AADUserID, SID and AgentName, and users with onPremisesSecurityIdentifier"
    CO_MANAGEMENT_UNKNOWN Assumed "co_management_unknown"
        "devices that devices.csv does not have or does not call managed by Configuration Manager, or of which there are two of the name, so they are taken as not co-managed"
        "export All devices in the admin center at the same time; no rule that ships depends on it"
    HIERARCHY_NOT_EXPORTED Assumed "hierarchy_not_exported"
        "hierarchies without exports, so they have no devices, and nobody is discovered or permitted anything in them"
        "export configmgr/<site> of each of them"
    NOT_ALLOWED Assumed "not_allowed"
        "permissions that a role definition lists as not allowed; what that means is not documented, so the role does not have them"
        "look at the role in the admin center"
    COLLECTION_WITHOUT_LIMIT Assumed "collection_without_limit"
        "collections that are limited to none of the device collections of SMS_Collection.json; whoever has permissions on that one has none on them"
        "export SMS_Collection.json again"

    BUILT_IN_UNKNOWN Assumed "built_in_unknown"
        "roles of which isBuiltIn was not exported and that are none of those that are known; they are taken as custom"
        "export graph/roleDefinitions.json with isBuiltIn"

    EXPORTS_OLD Notable "exports_old"
        "exports that are older than a day or of an unknown age, so the tenant may be another one by now"
        "collect them again"
    EXPORTS_PSEUDONYMIZED Notable "exports_pseudonymized"
        "exports whose names and ids were made up when they were collected"
        "nothing to do if that is meant; no name in this workspace is one of the tenant"
    EXPORT_FAILED Notable "export_failed"
        "exports that were answered with an error when they were collected; what they would tell is not known"
        "a tenant may lack the service or the license for it; otherwise collect again"
    BUILT_IN_ROLE_DIFFERS Notable "built_in_role_differs"
        "permissions of built-in roles on which the tenant and the documents differ; the policies are as the tenant has them"
        "compare them with the admin center; the reading observed-roles has the one difference that is known"
    BUILT_IN_ROLE_MISSING Notable "built_in_role_missing"
        "built-in roles that the tenant does not have; their policies are as documented"
        "export graph/roleDefinitions.json again"
    CUSTOM_ROLE_WITHOUT_PERMISSIONS Notable "custom_role_without_permissions"
        "custom roles without any permission on tenant-attached devices; while Intune decides, whoever has only these loses every page"
        "add the permissions of Cloud attached devices; roles made before August 2022 have none"
    UNLICENSED Notable "unlicensed"
        "people to whom a role is assigned, by a group or directly, and who do not have it without an Intune license"
        "give them a license, or make them direct members of the group where the tenant allows unlicensed administrators"
    DISABLED Notable "disabled"
        "disabled accounts that hold a role of Intune or of Microsoft Entra, or permissions in Configuration Manager; while they are disabled they may nothing, and once enabled all of it"
        "take the roles from them if nobody is to use them again"
    DELETED Notable "deleted"
        "accounts and groups that were deleted, so they are left out; for thirty days they can be restored"
        "export users again once one of them is restored"
    ELIGIBLE Notable "eligible"
        "people who may activate a group or a directory role through Privileged Identity Management; until they do, it gives them nothing here"
        "`tarbac who --eligible` counts them in"
    ELIGIBILITY_LEFT_OUT Notable "eligibility_left_out"
        "eligible memberships that do not count, each with the reason: an owner of a group is no member, a part of the tenant is not the tenant, and schedules give way to their instances, which are what is in force"
        "nothing to do if that is meant; `tarbac import --now` tells which count at another moment"
    MEMBERS_NOT_LISTED Notable "members_not_listed"
        "groups that give something, and that have no members by the export; an answer about hidden members is empty too, so they may have some"
        "read hidden members with Member.Read.Hidden, and all of them with GroupMember.Read.All; if a group is empty indeed, nothing is to do"
    UNLICENSED_ADMINISTRATOR Notable "unlicensed_administrator"
        "people without an Intune license who have a role as direct members; one page says that accounts from before June 2021 need a license all the same, and that more than 350 in a group are too many"
        "look at these accounts; with a license there is no doubt"
    DISCOVERED_ONE_WAY Notable "discovered_one_way"
        "people whom one of the two user discoveries of a hierarchy has found, so while Configuration Manager decides they are refused"
        "let the other discovery find them too; the reading discovery-either is content with one"
    DEVICE_NOT_UPLOADED Notable "device_not_uploaded"
        "systems that Configuration Manager knows and does not upload, so they are no tenant-attached devices and left out"
        "nothing to do if that is meant: only devices with a client that are not obsolete are uploaded, and where one collection is chosen those in it"
    SCOPE_TAG_WITHOUT_EFFECT Notable "scope_tag_without_effect"
        "scope tags of role assignments other than Default; they narrow nothing on tenant-attached devices"
        "do not count on them; the reading default-scope-tag looks at them"
    NARROWED Notable "narrowed"
        "role assignments with scope tags other than Default only; the tenant has Scoped permissions, so they give nothing on tenant-attached devices"
        "add the scope tag Default to those that are meant for these devices"
    SCOPE_GROUP_WITHOUT_EFFECT Notable "scope_group_without_effect"
        "scope groups of role assignments; they narrow nothing on tenant-attached devices while Intune decides"
        "do not count on them"
    SECURITY_SCOPES Notable "security_scopes"
        "people with a permission on applications or scripts in some security scopes only; they open the pages, which show them what is in these"
        "look at the security scopes in the console: decisions do not tell applications and scripts apart"
    GROUP_CYCLE Notable "group_cycle"
        "groups that are in each other; whoever is in one has what any of them gives, and belongs to those of the others only through that"
        "take one of them out of the other"
}
