//! The exports of a made-up tenant of any size, the same each time, as the services write them.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// How large the tenant is.
#[derive(Debug, Clone, Copy)]
pub struct Exports {
    /// Accounts, all discovered in every hierarchy.
    pub users: u32,
    /// Groups; each account is in four, every tenth group is in another, every twentieth has a role.
    pub groups: u32,
    /// Devices, spread evenly over the hierarchies.
    pub devices: u32,
    /// Collections that each device is a member of.
    pub memberships: u32,
    /// Hierarchies.
    pub hierarchies: u32,
    /// Collections of each hierarchy.
    pub collections: u32,
    /// Administrative users of each hierarchy.
    pub administrators: u32,
    /// Custom roles; each has one role assignment.
    pub roles: u32,
}

/// The operations: object type, names as the site spells them, bit.
const OPERATIONS: [(u32, &str, &str, u32); 9] = [
    (1, "SMS_Collection", "Read", 1),
    (1, "SMS_Collection", "Read Resource", 4096),
    (1, "SMS_Collection", "Notify Resource", 64),
    (1, "SMS_Collection", "Run CMPivot", 256),
    (1, "SMS_Collection", "Run Script", 32_768),
    (1, "SMS_Collection", "Read BitLocker Recovery Key", 1 << 30),
    (31, "SMS_Application", "Read", 1),
    (31, "SMS_Application", "Approve", 2048),
    (200, "SMS_Scripts", "Read", 1),
];

/// The id of a collection.
fn collection(site: &str, number: u32) -> String {
    format!("{site}{number:05X}")
}

impl Exports {
    /// 100,000 users, 20,000 groups, 1,000,000 devices and 10,000,000 collection memberships.
    pub fn large() -> Self {
        Self {
            users: 100_000,
            groups: 20_000,
            devices: 1_000_000,
            memberships: 10,
            hierarchies: 4,
            collections: 500,
            administrators: 300,
            roles: 1_000,
        }
    }

    /// The same shape, a thousandth of the size.
    pub fn small() -> Self {
        Self {
            users: 100,
            groups: 20,
            devices: 1_000,
            collections: 20,
            administrators: 5,
            roles: 2,
            ..Self::large()
        }
    }

    /// Writes every file of the export.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        self.declare(folder)?;
        self.write_roles(folder)?;
        self.write_people(folder)?;
        for hierarchy in 0..self.hierarchies {
            self.write_hierarchy(folder, hierarchy)?;
        }
        let mut csv = create(&folder.join("devices.csv"))?;
        writeln!(csv, "Device name,Managed by,OS")?;
        for device in 0..self.devices {
            let managed = ["Co-managed", "ConfigMgr"][device as usize % 2];
            writeln!(csv, "WS-{device:07},{managed},Windows")?;
        }
        csv.flush()
    }

    fn declare(&self, folder: &Path) -> io::Result<()> {
        let hierarchies: Vec<String> = (0..self.hierarchies)
            .map(|number| {
                format!(
                    r#"{{"siteCode":"{}","version":2403,"enforceConfigMgrRbac":{},"earlyUpdateRing":false}}"#,
                    site(number),
                    number % 2 == 0
                )
            })
            .collect();
        let mut file = create(&folder.join("tenant.json"))?;
        writeln!(
            file,
            r#"{{"name":"contoso","useIntuneRbac":true,"allowsUnlicensedAdministrators":true,"hierarchies":[{}]}}"#,
            hierarchies.join(",")
        )?;
        file.flush()
    }

    fn write_roles(&self, folder: &Path) -> io::Result<()> {
        let graph = folder.join("graph");
        records(&graph.join("roleDefinitions.json"), self.roles, |role| {
            format!(
                r##"{{"@odata.type":"#microsoft.graph.deviceAndAppManagementRoleDefinition","id":"{}","displayName":"Role {role}","description":"Runs scripts of team {role}.","isBuiltIn":false,"rolePermissions":[{{"resourceActions":[{{"allowedResourceActions":["Microsoft.Intune_CloudAttach_Scripts","Microsoft.Intune_CloudAttach_ScriptActions","Microsoft.Intune_ManagedDevices_Read"],"notAllowedResourceActions":[]}}]}}]}}"##,
                id(3, role)
            )
        })?;
        records(&graph.join("roleAssignments.json"), self.roles, |role| {
            format!(
                r##"{{"@odata.type":"#microsoft.graph.deviceAndAppManagementRoleAssignment","id":"{}","displayName":"Assignment {role}","members":["{}"],"resourceScopes":[],"scopeMembers":[],"scopeType":"allDevices","roleScopeTagIds":["0"]}}"##,
                id(4, role),
                id(2, role * 20 % self.groups)
            )
        })?;
        for role in 0..self.roles {
            let file = graph
                .join("roleDefinitions")
                .join(id(3, role))
                .join("roleAssignments.json");
            records(&file, 1, |_| {
                format!(r#"{{"id":"{}","members":[]}}"#, id(4, role))
            })?;
        }
        records(&graph.join("roleScopeTags.json"), 1, |_| {
            r#"{"id":"0","displayName":"Default"}"#.to_owned()
        })
    }

    fn write_people(&self, folder: &Path) -> io::Result<()> {
        let graph = folder.join("graph");
        records(&graph.join("users.json"), self.users, |user| {
            format!(
                r#"{{"id":"{}","userPrincipalName":"user{user}@contoso.example","onPremisesSyncEnabled":true,"onPremisesSecurityIdentifier":"{}","assignedLicenses":[{{"disabledPlans":[],"skuId":"05e9a617-0261-4cee-bb44-138d3ef5d965"}}],"assignedPlans":[{{"capabilityStatus":"Enabled","service":"SCO","servicePlanId":"{}"}}]}}"#,
                id(1, user),
                sid(user),
                // Every hundredth has no license of Intune.
                match user % 100 {
                    0 => "efb87545-963c-4e0d-99df-69c6916d9eb0",
                    _ => "c1ec4a95-1f05-45b3-a911-aa3fa01094f5",
                }
            )
        })?;
        records(&graph.join("groups.json"), self.groups, |group| {
            format!(
                r#"{{"id":"{}","displayName":"Group {group}","onPremisesSecurityIdentifier":null}}"#,
                id(2, group)
            )
        })?;
        for group in 0..self.groups {
            let file = graph.join("groups").join(id(2, group)).join("members.json");
            let nested = u32::from(group % 10 == 0 && group + 1 < self.groups);
            let people = (4 * self.users).div_ceil(self.groups);
            records(&file, people + nested, |member| match member < people {
                true => {
                    let user = (group * people + member) % self.users;
                    format!(
                        r##"{{"@odata.type":"#microsoft.graph.user","id":"{}"}}"##,
                        id(1, user)
                    )
                }
                false => format!(
                    r##"{{"@odata.type":"#microsoft.graph.group","id":"{}"}}"##,
                    id(2, group + 1)
                ),
            })?;
        }
        Ok(())
    }

    fn write_hierarchy(&self, folder: &Path, hierarchy: u32) -> io::Result<()> {
        let site = site(hierarchy);
        let folder = folder.join("configmgr").join(&site);
        let collection = |number: u32| collection(&site, number);
        records(
            &folder.join("SMS_Collection.json"),
            self.collections,
            |number| {
                // Collection 0 is All Systems, and every fifth is limited to the one before it.
                let limit = match number {
                    0 => String::new(),
                    number if number % 5 == 0 => collection(number - 1),
                    _ => collection(0),
                };
                format!(
                    r#"{{"@odata.etag":null,"__LAZYPROPERTIES":["CollectionRules"],"CollectionID":"{}","CollectionType":2,"LimitToCollectionID":"{limit}","Name":"Collection {number}"}}"#,
                    collection(number)
                )
            },
        )?;
        records(&folder.join("SMS_R_User.json"), self.users, |user| {
            format!(
                r#"{{"@odata.etag":null,"AADUserID":"{}","AgentName":["SMS_AD_USER_DISCOVERY_AGENT","SMS_AZURE_AD_USER_DISCOVERY_AGENT"],"ResourceId":{},"SID":"{}","UniqueUserName":"CONTOSO\\user{user}"}}"#,
                id(1, user),
                2_063_597_568 + user,
                sid(user)
            )
        })?;
        self.write_devices(&folder, hierarchy)?;
        self.write_administrators(&folder, &site)
    }

    /// The devices of a hierarchy, and the collections that they are in.
    fn write_devices(&self, folder: &Path, hierarchy: u32) -> io::Result<()> {
        let site = site(hierarchy);
        let devices = self.devices / self.hierarchies;
        let resource = |device: u32| 16_777_220 + device;
        records(&folder.join("SMS_R_System.json"), devices, |device| {
            format!(
                r#"{{"@odata.etag":null,"Name":"WS-{:07}","NetbiosName":"WS-{0:07}","OperatingSystemNameandVersion":"Microsoft Windows NT Workstation 10.0","Client":1,"Obsolete":0,"ResourceId":{}}}"#,
                hierarchy * devices + device,
                resource(device)
            )
        })?;
        records(
            &folder.join("SMS_FullCollectionMembership.json"),
            devices * self.memberships,
            |row| {
                let (device, nth) = (row / self.memberships, row % self.memberships);
                let number = match nth {
                    0 => 0,
                    nth => 1 + (device * 7 + nth * 31) % (self.collections - 1),
                };
                format!(
                    r#"{{"@odata.etag":null,"CollectionID":"{}","ResourceID":{}}}"#,
                    collection(&site, number),
                    resource(device)
                )
            },
        )
    }

    /// The operations, roles and administrators of a hierarchy.
    fn write_administrators(&self, folder: &Path, site: &str) -> io::Result<()> {
        records(
            &folder.join("SMS_AvailableOperation.json"),
            OPERATIONS.len() as u32,
            |number| {
                let (object_type, name, operation, bit) = OPERATIONS[number as usize];
                format!(
                    r#"{{"BitFlag":{bit},"ObjectTypeID":{object_type},"ObjectTypeName":"{name}","OperationName":"{operation}"}}"#
                )
            },
        )?;
        records(&folder.join("SMS_Role.json"), 10, |role| {
            format!(
                r#"{{"RoleID":"{site}000{role}","RoleName":"Role {role}","Operations":[{{"GrantedOperations":{},"ObjectTypeID":1}},{{"GrantedOperations":2049,"ObjectTypeID":31}},{{"GrantedOperations":1,"ObjectTypeID":200}}]}}"#,
                [1, 4097, 4161, 36_929][role as usize % 4]
            )
        })?;
        records(
            &folder.join("SMS_Admin.json"),
            self.administrators,
            |admin| {
                let permission = |category: String, kind: u32, role: u32| {
                    format!(
                        r#"{{"CategoryID":"{category}","CategoryTypeID":{kind},"RoleID":"{site}000{role}"}}"#
                    )
                };
                let permissions: Vec<String> = (0..3)
                    .flat_map(|nth| {
                        let role = (admin + nth) % 10;
                        let number = (admin * 11 + nth * 17) % self.collections;
                        [
                            permission(collection(site, number), 1, role),
                            permission("SMS00UNA".to_owned(), 29, role),
                        ]
                    })
                    .collect();
                format!(
                    r#"{{"AdminID":{},"AdminSid":"{}","IsDeleted":false,"IsGroup":false,"LogonName":"CONTOSO\\user{}","Permissions":[{}]}}"#,
                    16_777_217 + admin,
                    sid(admin * 100 + 1),
                    admin * 100 + 1,
                    permissions.join(",")
                )
            },
        )
    }
}

fn site(number: u32) -> String {
    format!("P{:02}", number + 1)
}

fn id(kind: u32, number: u32) -> String {
    format!("00000000-0000-4000-8{kind:03}-{number:012}")
}

fn sid(user: u32) -> String {
    format!("S-1-5-21-1004336348-1177238915-682003330-{}", 1_100 + user)
}

fn create(path: &Path) -> io::Result<BufWriter<File>> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    Ok(BufWriter::with_capacity(1 << 18, File::create(path)?))
}

/// Writes records as a service answers with them.
fn records(path: &Path, count: u32, record: impl Fn(u32) -> String) -> io::Result<()> {
    let mut file = create(path)?;
    file.write_all(br#"{"@odata.context":"https://contoso.example/$metadata","value":["#)?;
    for number in 0..count {
        if number > 0 {
            file.write_all(b",")?;
        }
        file.write_all(record(number).as_bytes())?;
    }
    file.write_all(b"]}\n")?;
    file.flush()
}
