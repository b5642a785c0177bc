//! Random exports: they import without a panic, and everybody may do exactly what the exports give, as
//! worked out a second time, without entities and policies.

use std::collections::BTreeSet;

use cedar_policy::{Context, EntityUid};
use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use proptest::test_runner::Config;
use serde_json::{Value, json};
use tarbac::exports::Held;
use tarbac::{Decision, Request};

use super::{import_held, load, write};

/// Makes choices of a list of bytes; where it ends, the first one.
struct Choices(std::vec::IntoIter<u8>);

impl Choices {
    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.0.next().unwrap_or_default()) % bound.max(1)
    }

    fn is(&mut self) -> bool {
        self.below(2) == 1
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// Some of the numbers below a bound.
    fn some(&mut self, bound: usize) -> BTreeSet<usize> {
        (0..bound).filter(|_| self.below(3) == 0).collect()
    }
}

/// A permission as MODEL.md has it: what it takes under Configuration Manager authority.
struct Permission {
    action: &'static str,
    graph: &'static str,
    /// One of each list, on a collection that holds the device.
    on_collection: &'static [&'static [usize]],
    in_hierarchy: &'static [usize],
    least_version: u32,
    is_remote_task: bool,
}

/// The operations: object type, names as the site spells them, bit.
const OPERATIONS: [(u32, &str, &str, u32); 9] = [
    (1, "SMS_Collection", "Read", 1),
    (1, "Collection", "ReadResource", 4096),
    (1, "SMS_Collection", "Notify Resource", 64),
    (1, "SMS_Collection", "RunCMPivot", 256),
    (1, "SMS_Collection", "Run Script", 32768),
    (1, "SMS_Collection", "Read BitLocker Recovery Key", 1 << 30),
    (200, "SMS_Scripts", "Read", 1),
    (31, "SMS_Application", "Read", 1),
    (31, "Application", "Approve", 2048),
];

const PERMISSIONS: [Permission; 6] = [
    Permission {
        action: "viewClientDetails",
        graph: "Microsoft.Intune_CloudAttach_ClientDetails",
        on_collection: &[&[0]],
        in_hierarchy: &[],
        least_version: 0,
        is_remote_task: false,
    },
    Permission {
        action: "viewTimeline",
        graph: "Microsoft.Intune_CloudAttach_Timeline",
        on_collection: &[&[0], &[1], &[2]],
        in_hierarchy: &[],
        least_version: 0,
        is_remote_task: false,
    },
    Permission {
        action: "runScript",
        graph: "Microsoft.Intune_CloudAttach_ScriptActions",
        on_collection: &[&[0], &[1], &[4]],
        in_hierarchy: &[6],
        least_version: 0,
        is_remote_task: false,
    },
    Permission {
        action: "runCmPivotQuery",
        graph: "Microsoft.Intune_CloudAttach_CMPivot",
        on_collection: &[&[0], &[3, 4]],
        in_hierarchy: &[],
        least_version: 0,
        is_remote_task: false,
    },
    Permission {
        action: "takeApplicationActions",
        graph: "Microsoft.Intune_CloudAttach_ApplicationActions",
        on_collection: &[&[0]],
        in_hierarchy: &[7, 8],
        least_version: 0,
        is_remote_task: false,
    },
    Permission {
        action: "rotateBitLockerKeys",
        graph: "Microsoft.Intune_RemoteTasks_RotateBitLockerKeys",
        on_collection: &[&[0], &[5]],
        in_hierarchy: &[],
        least_version: 2107,
        is_remote_task: true,
    },
];

/// The ids of systems that are not uploaded.
const NOT_UPLOADED: [u32; 3] = [16_777_300, 16_777_301, 16_777_302];

/// A permission that nothing is decided about.
const OTHER: &str = "Microsoft.Intune_ManagedDevices_Read";

#[derive(Debug)]
struct Tenant {
    use_intune_rbac: bool,
    allows_unlicensed: bool,
    scoped_permissions: Option<bool>,
    people: Vec<Person>,
    groups: Vec<Group>,
    roles: Vec<Role>,
    assignments: Vec<Assignment>,
    /// Name and members; the members are people and groups.
    directory_roles: Vec<(&'static str, BTreeSet<usize>, BTreeSet<usize>)>,
    sites: Vec<Site>,
}

#[derive(Debug)]
struct Person {
    sync: Option<Option<bool>>,
    has_sid: bool,
    license: Option<bool>,
    is_enabled: Option<bool>,
}

#[derive(Debug)]
struct Group {
    has_sid: bool,
    people: BTreeSet<usize>,
    groups: BTreeSet<usize>,
}

#[derive(Debug)]
struct Role {
    built_in: Option<&'static str>,
    allowed: BTreeSet<usize>,
    has_other: bool,
    not_allowed: BTreeSet<usize>,
}

#[derive(Debug)]
struct Assignment {
    people: BTreeSet<usize>,
    groups: BTreeSet<usize>,
    has_unknown: bool,
    claims: BTreeSet<usize>,
    scope_tags: &'static [&'static str],
}

#[derive(Debug)]
struct Site {
    version: u32,
    enforce: bool,
    /// Whether it holds devices, and its limit: one before it, or nothing that is known.
    collections: Vec<(bool, Option<usize>)>,
    devices: usize,
    memberships: Vec<(usize, usize)>,
    named: BTreeSet<usize>,
    roles: Vec<BTreeSet<usize>>,
    administrators: Vec<Administrator>,
    discovered: Vec<Discovered>,
}

#[derive(Debug)]
struct Administrator {
    /// A person, a group, or nobody that is known.
    who: Result<usize, Option<usize>>,
    is_deleted: bool,
    /// Role, and a collection or a security scope.
    permissions: Vec<(usize, Option<usize>)>,
}

#[derive(Debug)]
struct Discovered {
    aad: Option<usize>,
    sid: Option<usize>,
    agents: Option<bool>,
}

impl Tenant {
    fn of(bytes: Vec<u8>) -> Self {
        let c = &mut Choices(bytes.into_iter());
        let people = 1 + c.below(4);
        let groups = c.below(5);
        let roles = c.below(4);
        let names = [
            "Help Desk Operator",
            "policy and profile manager",
            "Endpoint Privilege Reader",
        ];
        Self {
            use_intune_rbac: c.is(),
            allows_unlicensed: c.is(),
            scoped_permissions: c.of(&[None, Some(true), Some(false)]),
            people: (0..people)
                .map(|_| Person {
                    sync: match c.below(8) {
                        0 => None,
                        1 => Some(None),
                        2 => Some(Some(false)),
                        _ => Some(Some(true)),
                    },
                    has_sid: c.below(8) > 0,
                    license: c.of(&[Some(true), Some(false), None]),
                    is_enabled: c.of(&[None, Some(true), Some(true), Some(false)]),
                })
                .collect(),
            groups: (0..groups)
                .map(|_| Group {
                    has_sid: c.is(),
                    people: c.some(people),
                    groups: c.some(groups),
                })
                .collect(),
            roles: (0..roles)
                .map(|number| Role {
                    built_in: c.is().then(|| names[number % 3]),
                    allowed: (0..PERMISSIONS.len()).filter(|_| c.is()).collect(),
                    has_other: c.is(),
                    not_allowed: match c.below(4) {
                        0 => c.some(PERMISSIONS.len()),
                        _ => BTreeSet::new(),
                    },
                })
                .collect(),
            assignments: (0..c.below(4))
                .map(|_| Assignment {
                    people: c.some(people),
                    groups: c.some(groups),
                    has_unknown: c.is(),
                    claims: match c.below(4) {
                        0 => c.some(roles),
                        _ if roles == 0 => BTreeSet::new(),
                        _ => BTreeSet::from([c.below(roles)]),
                    },
                    scope_tags: c.of(&[&[][..], &["0"], &["3"], &["0", "3"]]),
                })
                .collect(),
            directory_roles: Self::directory_roles(c, people, groups),
            sites: (0..1 + c.below(2))
                .map(|_| Site::of(c, people, groups))
                .collect(),
        }
    }
}

impl Tenant {
    fn directory_roles(
        c: &mut Choices,
        people: usize,
        groups: usize,
    ) -> Vec<(&'static str, BTreeSet<usize>, BTreeSet<usize>)> {
        let mut roles = Vec::new();
        for name in [
            "Global Administrator",
            "Intune Administrator",
            "Helpdesk Administrator",
        ] {
            if c.below(6) == 0 {
                roles.push((name, c.some(people), c.some(groups)));
            }
        }
        roles
    }
}

impl Discovered {
    /// Most people as they should be, and rows that are anything.
    fn some(c: &mut Choices, people: usize) -> Vec<Self> {
        let mut discovered = Vec::new();
        for person in 0..people {
            if c.below(4) > 0 {
                discovered.push(Self {
                    aad: Some(person),
                    sid: Some(person),
                    agents: Some(true),
                });
            }
        }
        for _ in 0..c.below(4) {
            discovered.push(Self {
                aad: (c.below(3) > 0).then(|| c.below(people)),
                sid: (c.below(3) > 0).then(|| c.below(people)),
                agents: c.of(&[Some(true), Some(false), None]),
            });
        }
        discovered
    }
}

impl Site {
    fn of(c: &mut Choices, people: usize, groups: usize) -> Self {
        let collections = 1 + c.below(4);
        let devices = 1 + c.below(3);
        let roles = 1 + c.below(3);
        Self {
            version: c.of(&[2403, 2207, 2203, 2010]),
            enforce: c.is(),
            collections: (0..collections)
                .map(|number| {
                    let limit = c.below(number + 2);
                    // One more than there are is a limit that nobody knows.
                    (
                        c.below(5) > 0,
                        (limit > 0).then(|| if limit > number { 99 } else { limit - 1 }),
                    )
                })
                .collect(),
            devices,
            memberships: (0..2 + c.below(8))
                .map(|_| (c.below(devices), c.below(collections)))
                .collect(),
            named: (0..OPERATIONS.len()).filter(|_| c.below(12) > 0).collect(),
            roles: (0..roles)
                .map(|_| (0..OPERATIONS.len()).filter(|_| c.below(4) > 0).collect())
                .collect(),
            administrators: (0..1 + c.below(4))
                .map(|_| Administrator {
                    who: match c.below(4) {
                        0 => Err(None),
                        1 if groups > 0 => Err(Some(c.below(groups))),
                        _ => Ok(c.below(people)),
                    },
                    is_deleted: c.below(6) == 0,
                    permissions: (0..3 + c.below(6))
                        .map(|_| (c.below(roles), c.is().then(|| c.below(collections))))
                        .collect(),
                })
                .collect(),
            discovered: Discovered::some(c, people),
        }
    }
}

fn person(number: usize) -> String {
    format!("00000000-0000-4000-8000-0000000000a{number}")
}

fn group(number: usize) -> String {
    format!("00000000-0000-4000-8000-0000000000c{number}")
}

fn person_sid(number: usize) -> String {
    format!("S-1-5-21-1-2-3-{}", 1000 + number)
}

fn group_sid(number: usize) -> String {
    format!("S-1-5-21-1-2-3-{}", 2000 + number)
}

fn site(number: usize) -> String {
    format!("P0{}", number + 1)
}

/// A record without what is `null` in it.
fn without_null(mut record: Value) -> Value {
    if let Value::Object(fields) = &mut record {
        fields.retain(|_, value| !value.is_null());
    }
    record
}

fn ids(numbers: &BTreeSet<usize>, id: fn(usize) -> String) -> Vec<Value> {
    numbers
        .iter()
        .map(|number| json!({ "id": id(*number) }))
        .collect()
}

impl Tenant {
    fn exports(&self) -> Held {
        let mut held = Held::default();
        let mut put = |path: String, value: Value| held.put(path, value.to_string());
        let hierarchies: Vec<Value> = (0..)
            .zip(&self.sites)
            .map(|(number, of)| {
                json!({"siteCode": site(number), "version": of.version, "enforceConfigMgrRbac": of.enforce, "earlyUpdateRing": false})
            })
            .collect();
        let mut tenant = json!({
            "name": "contoso",
            "useIntuneRbac": self.use_intune_rbac,
            "allowsUnlicensedAdministrators": self.allows_unlicensed,
            "hierarchies": hierarchies,
        });
        if let Some(is_scoped) = self.scoped_permissions {
            tenant["scopedPermissions"] = json!(is_scoped);
        }
        put("tenant.json".to_owned(), tenant);
        let people: Vec<Value> = (0..)
            .zip(&self.people)
            .map(|(number, of)| {
                let mut row = json!({
                    "id": person(number),
                    "userPrincipalName": format!("p{number}@contoso.example"),
                    "accountEnabled": of.is_enabled,
                });
                if let Some(sync) = of.sync {
                    row["onPremisesSyncEnabled"] = json!(sync);
                }
                if of.has_sid {
                    row["onPremisesSecurityIdentifier"] = json!(person_sid(number));
                }
                if let Some(license) = of.license {
                    row["assignedPlans"] = match license {
                        true => json!([{"servicePlanId": "c1ec4a95-1f05-45b3-a911-aa3fa01094f5", "capabilityStatus": "Enabled"}]),
                        false => json!([]),
                    };
                }
                row
            })
            .collect();
        put("graph/users.json".to_owned(), json!({ "value": people }));
        let groups: Vec<Value> = (0..)
            .zip(&self.groups)
            .map(|(number, of)| {
                without_null(json!({
                    "id": group(number),
                    "onPremisesSecurityIdentifier": of.has_sid.then(|| group_sid(number)),
                }))
            })
            .collect();
        put("graph/groups.json".to_owned(), json!(groups));
        for (number, of) in self.groups.iter().enumerate() {
            let members = [ids(&of.people, person), ids(&of.groups, group)].concat();
            put(
                format!("graph/groups/{}/members.json", group(number)),
                json!(members),
            );
        }
        let roles: Vec<Value> = (0..)
            .zip(&self.roles)
            .map(|(number, of)| {
                let graph = |of: &BTreeSet<usize>| -> Vec<&str> {
                    of.iter().map(|permission| PERMISSIONS[*permission].graph).collect()
                };
                let mut allowed = graph(&of.allowed);
                allowed.extend(of.has_other.then_some(OTHER));
                json!({
                    "id": format!("role-{number}"),
                    "displayName": of.built_in.map_or(format!("Role {}\n", number % 2), str::to_owned),
                    "isBuiltIn": of.built_in.is_some(),
                    "rolePermissions": [{"resourceActions": [{"allowedResourceActions": allowed, "notAllowedResourceActions": graph(&of.not_allowed)}]}],
                })
            })
            .collect();
        put(
            "graph/roleDefinitions.json".to_owned(),
            json!({ "value": roles }),
        );
        let assignments: Vec<Value> = (0..)
            .zip(&self.assignments)
            .map(|(number, of)| {
                let mut members: Vec<String> = of.groups.iter().copied().map(group).collect();
                members.extend(of.people.iter().copied().map(person));
                members.extend(of.has_unknown.then(|| "nobody".to_owned()));
                json!({"id": format!("assignment-{number}"), "members": members, "roleScopeTagIds": of.scope_tags})
            })
            .collect();
        put("graph/roleAssignments.json".to_owned(), json!(assignments));
        for role in 0..self.roles.len() {
            let claimed = (0..)
                .zip(&self.assignments)
                .filter(|(_, of)| of.claims.contains(&role));
            let claimed: Vec<Value> = claimed
                .map(|(number, _)| json!({"id": format!("assignment-{number}")}))
                .collect();
            put(
                format!("graph/roleDefinitions/role-{role}/roleAssignments.json"),
                json!(claimed),
            );
        }
        let roles: Vec<Value> = self
            .directory_roles
            .iter()
            .map(|(name, ..)| json!({"id": name, "displayName": name}))
            .collect();
        put("graph/directoryRoles.json".to_owned(), json!(roles));
        for (name, people, groups) in &self.directory_roles {
            let members = [ids(people, person), ids(groups, group)].concat();
            put(
                format!("graph/directoryRoles/{name}/members.json"),
                json!(members),
            );
        }
        for (number, of) in self.sites.iter().enumerate() {
            of.exports(&site(number), &mut put);
        }
        held
    }

    /// The groups in a group, with itself.
    fn nested(&self, of: usize) -> BTreeSet<usize> {
        let mut nested = BTreeSet::from([of]);
        loop {
            let more: BTreeSet<usize> = nested
                .iter()
                .flat_map(|of| self.groups[*of].groups.iter().copied())
                .collect();
            if more.is_subset(&nested) {
                return nested;
            }
            nested.extend(more);
        }
    }

    fn is_in(&self, person: usize, group: usize) -> bool {
        self.nested(group)
            .iter()
            .any(|group| self.groups[*group].people.contains(&person))
    }

    /// Whether a person has the role of an assignment.
    fn has(&self, person: usize, assignment: &Assignment) -> bool {
        let is_licensed = self.people[person].license == Some(true);
        let direct = is_licensed || self.allows_unlicensed;
        assignment.people.contains(&person) && direct
            || assignment.groups.iter().any(|group| {
                self.groups[*group].people.contains(&person) && direct
                    || self.is_in(person, *group) && is_licensed
            })
    }

    /// The roles of a person, each with whether it counts on tenant-attached devices; `None` is every permission.
    fn roles_of(&self, person: usize) -> Vec<(Option<&Role>, bool)> {
        let mut roles = Vec::new();
        for assignment in &self.assignments {
            if let (1, Some(role)) = (assignment.claims.len(), assignment.claims.first())
                && self.has(person, assignment)
            {
                let is_elsewhere = assignment.scope_tags == ["3"];
                let counts = self.scoped_permissions != Some(true) || !is_elsewhere;
                roles.push((Some(&self.roles[*role]), counts));
            }
        }
        for (name, people, groups) in &self.directory_roles {
            let is_member = people.contains(&person)
                || groups
                    .iter()
                    .any(|group| self.groups[*group].people.contains(&person));
            if is_member && *name != "Helpdesk Administrator" {
                roles.push((None, true));
            }
        }
        roles
    }

    /// Whether a person may, by MODEL.md.
    fn may(&self, person: usize, permission: usize, of: &Site, device: usize) -> bool {
        if self.people[person].is_enabled == Some(false) {
            return false;
        }
        let roles = self.roles_of(person);
        let has_permission = roles.iter().any(|(role, counts)| {
            let has = role.is_none_or(|role| {
                role.allowed.contains(&permission) && !role.not_allowed.contains(&permission)
            });
            has && *counts
        });
        if self.use_intune_rbac && !of.enforce && of.version >= 2207 {
            return has_permission;
        }
        let permission = &PERMISSIONS[permission];
        let has_role = match permission.is_remote_task {
            true => has_permission,
            false => !roles.is_empty(),
        };
        let is_hybrid = self.people[person].sync == Some(Some(true));
        is_hybrid
            && has_role
            && of.version >= permission.least_version
            && self.is_discovered(person, of)
            && permission.on_collection.iter().all(|operations| {
                operations
                    .iter()
                    .any(|operation| self.is_permitted(person, *operation, of, Some(device)))
            })
            && permission
                .in_hierarchy
                .iter()
                .all(|operation| self.is_permitted(person, *operation, of, None))
    }

    fn is_discovered(&self, who: usize, of: &Site) -> bool {
        let (mut by_entra, mut by_active_directory) = (false, false);
        for row in &of.discovered {
            let sid = row.sid.filter(|sid| self.people[*sid].has_sid);
            // A SID that nobody has is not that of somebody who has another one.
            let is_conflict = row.aad.is_some_and(|aad| {
                row.sid.is_some_and(|sid| sid != aad) && self.people[aad].has_sid
                    || sid.is_some_and(|sid| sid != aad)
            });
            if row.aad.or(sid) == Some(who) && !is_conflict {
                by_entra |= row.aad.is_some();
                by_active_directory |= row.agents == Some(true) && sid == Some(who);
            }
        }
        by_entra && by_active_directory
    }

    fn is_permitted(&self, who: usize, operation: usize, of: &Site, device: Option<usize>) -> bool {
        let holds = |collection: usize, device: usize| {
            of.memberships.iter().any(|(member, within)| {
                let mut limits = std::iter::successors(Some(*within), |within| {
                    let limit = of.collections[*within].1?;
                    of.collections
                        .get(limit)
                        .filter(|(is_of_devices, _)| *is_of_devices)
                        .map(|_| limit)
                });
                *member == device
                    && of.collections[*within].0
                    && limits.any(|limit| limit == collection)
            })
        };
        of.administrators
            .iter()
            .filter(|of| !of.is_deleted)
            .any(|administrator| {
                let is_who = match administrator.who {
                    Ok(person) => person == who && self.people[person].has_sid,
                    Err(Some(group)) => self.groups[group].has_sid && self.is_in(who, group),
                    Err(None) => false,
                };
                is_who
                    && administrator.permissions.iter().any(|(role, collection)| {
                        of.roles[*role].contains(&operation)
                            && of.named.contains(&operation)
                            && match (collection, device) {
                                (Some(collection), Some(device)) => {
                                    of.collections[*collection].0 && holds(*collection, device)
                                }
                                (None, None) => true,
                                _ => false,
                            }
                    })
            })
    }
}

impl Site {
    fn exports(&self, code: &str, put: &mut impl FnMut(String, Value)) {
        let mut put = |class: &str, rows: Vec<Value>| {
            put(
                format!("configmgr/{code}/{class}.json"),
                json!({ "value": rows }),
            );
        };
        // The first collection has an id of its own, the others have the same in every hierarchy.
        let collection = |number: usize| match number {
            0 => format!("{code}00001"),
            number => format!("SMS0000{number}"),
        };
        let rows = (0..)
            .zip(&self.collections)
            .map(|(number, (is_of_devices, limit))| {
                json!({
                    "CollectionID": collection(number),
                    "Name": format!("Collection {number}"),
                    "CollectionType": if *is_of_devices { 2 } else { 1 },
                    "LimitToCollectionID": limit.map_or(String::new(), collection),
                })
            });
        put("SMS_Collection", rows.collect());
        let device = |number: usize| 16_777_216 + number;
        let client = [json!(1), json!("1"), json!(true)];
        let rows = (0..self.devices)
            .map(|number| json!({"ResourceID": device(number), "Name": format!("D{number}"), "Client": client[number % 3], "Obsolete": false}));
        // Systems that are no devices, in the same collections.
        let others = [
            (json!(null), json!(null)),
            (json!(0), json!(0)),
            (json!(1), json!("1")),
        ];
        let others = others.into_iter().zip(NOT_UPLOADED).map(|((client, obsolete), id)| {
            json!({"ResourceID": id, "Name": "N", "Client": client, "Obsolete": obsolete})
        });
        put("SMS_R_System", rows.chain(others).collect());
        let rows = self.memberships.iter().flat_map(|(member, within)| {
            let members = std::iter::once(device(*member) as u32).chain(NOT_UPLOADED);
            members.map(|id| json!({"ResourceID": id, "CollectionID": collection(*within)}))
        });
        put("SMS_FullCollectionMembership", rows.collect());
        let rows = self.named.iter().map(|operation| {
            let (object_type, object, name, bit) = OPERATIONS[*operation];
            json!({"ObjectTypeID": object_type, "ObjectTypeName": object, "OperationName": name, "BitFlag": bit})
        });
        put("SMS_AvailableOperation", rows.collect());
        let rows = (0..).zip(&self.roles).map(|(number, operations)| {
            let operations = [1, 31, 200].map(|object_type| {
                let bits = operations.iter().map(|operation| OPERATIONS[*operation]);
                let bits = bits
                    .filter(|(of, ..)| *of == object_type)
                    .map(|(_, _, _, bit)| bit);
                json!({"ObjectTypeID": object_type, "GrantedOperations": bits.sum::<u32>()})
            });
            json!({"RoleID": format!("{code}0000{number}"), "Operations": operations})
        });
        put("SMS_Role", rows.collect());
        let rows = (1..).zip(&self.administrators).map(|(number, of)| {
            let sid = match of.who {
                Ok(person) => person_sid(person),
                Err(Some(group)) => group_sid(group),
                Err(None) => "S-1-5-32-544".to_owned(),
            };
            let permissions = of.permissions.iter().map(|(role, within)| {
                json!({
                    "RoleID": format!("{code}0000{role}"),
                    "CategoryID": within.map_or("SMS00UNA".to_owned(), collection),
                    "CategoryTypeID": if within.is_some() { 1 } else { 29 },
                })
            });
            let permissions: Vec<Value> = permissions.collect();
            json!({"AdminID": number, "AdminSid": sid, "IsDeleted": of.is_deleted, "Permissions": permissions})
        });
        put("SMS_Admin", rows.collect());
        let rows = (1..).zip(&self.discovered).map(|(number, of)| {
            without_null(json!({
                "ResourceID": number,
                "AADUserID": of.aad.map(person),
                "SID": of.sid.map(person_sid),
                "AgentName": of.agents.map(|is_found| match is_found {
                    true => vec!["SMS_AD_USER_DISCOVERY_AGENT"],
                    false => vec!["SMS_AD_SECURITY_GROUP_DISCOVERY_AGENT"],
                }),
            }))
        });
        put("SMS_R_User", rows.collect());
    }
}

/// Imports the exports and asks about everybody.
fn everybody_may_what_the_exports_give(tenant: &Tenant) {
    let imported = import_held(&tenant.exports());
    let imported = imported.unwrap_or_else(|error| panic!("{error}: {tenant:#?}"));
    let folder = tempfile::tempdir().unwrap();
    write(&imported, folder.path());
    let engine = load(folder.path());
    let uid = |type_name: &str, id: String| -> EntityUid {
        EntityUid::from_type_name_and_id(
            type_name.parse().unwrap(),
            cedar_policy::EntityId::new(id),
        )
    };
    let devices = engine
        .directory()
        .rows_of(&"ConfigMgr::Device".parse().unwrap());
    let uploaded: usize = tenant.sites.iter().map(|of| of.devices).sum();
    assert_eq!(devices.count(), uploaded);
    for who in 0..tenant.people.len() {
        for (number, of) in tenant.sites.iter().enumerate() {
            for device in 0..of.devices {
                for (permission, described) in PERMISSIONS.iter().enumerate() {
                    let request = Request {
                        principal: uid("Entra::User", person(who)),
                        action: uid("Intune::Action", described.action.to_owned()),
                        resource: uid(
                            "ConfigMgr::Device",
                            format!("{}-{}", site(number), 16_777_216 + device),
                        ),
                        context: Context::empty(),
                    };
                    let outcome = engine.decide(&request);
                    assert_ne!(outcome.decision, Decision::Indeterminate);
                    assert_eq!(
                        outcome.decision == Decision::Allow,
                        tenant.may(who, permission, of, device),
                        "{request:?} by {:?} in {tenant:#?}",
                        outcome.policies
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 100, ..Config::default() })]

    #[test]
    fn nobody_gains_or_loses_anything_by_an_import(bytes in vec(any::<u8>(), 0..400)) {
        everybody_may_what_the_exports_give(&Tenant::of(bytes));
    }

    #[test]
    fn whatever_stands_in_the_files_no_import_panics(
        bytes in vec(any::<u8>(), 0..200),
        edits in vec((any::<u16>(), any::<u16>(), any::<u8>()), 1..6),
    ) {
        let mut exports = Tenant::of(bytes).exports();
        for (file, at, byte) in edits {
            let mut files = exports.files_mut();
            let count = files.len();
            let (_, file) = files.nth(usize::from(file) % count).unwrap();
            let at = usize::from(at) % file.len();
            match byte {
                0 => file.truncate(at),
                byte => file[at] = byte,
            }
        }
        if let Ok(imported) = import_held(&exports) {
            super::written(&imported);
        }
    }
}

/// Permissions are given and refused often enough for the comparison to mean something.
#[test]
fn random_tenants_give_something() {
    let (mut given, mut refused) = ([0; 2], [0; 2]);
    let mut bytes: u32 = 1;
    for _ in 0..500 {
        let mut next = || {
            bytes = bytes.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (bytes >> 24) as u8
        };
        let tenant = Tenant::of((0..400).map(|_| next()).collect());
        for of in &tenant.sites {
            let by_intune =
                usize::from(tenant.use_intune_rbac && !of.enforce && of.version >= 2207);
            for who in 0..tenant.people.len() {
                for permission in 0..PERMISSIONS.len() {
                    match tenant.may(who, permission, of, 0) {
                        true => given[by_intune] += 1,
                        false => refused[by_intune] += 1,
                    }
                }
            }
        }
    }
    assert!(
        given.iter().chain(&refused).all(|count| *count > 30),
        "{given:?} {refused:?}"
    );
}
