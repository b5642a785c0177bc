//! The exports of a random tenant.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tarbac::exports::ExportsInMemory;

use super::tenant::{NOT_UPLOADED, OPERATIONS, OTHER, PERMISSIONS, Site, Tenant};

pub(super) fn person(number: usize) -> String {
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

pub(super) fn site(number: usize) -> String {
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
    pub(super) fn exports(&self) -> ExportsInMemory {
        let mut held = ExportsInMemory::default();
        let mut put = |path: String, value: Value| held.put(path, value.to_string());
        put("tenant.json".to_owned(), self.settings());
        put(
            "graph/users.json".to_owned(),
            json!({ "value": self.users() }),
        );
        let groups: Vec<Value> = (0..)
            .zip(&self.groups)
            .map(|(number, of)| {
                let sid = of.has_sid.then(|| group_sid(number));
                without_null(json!({ "id": group(number), "onPremisesSecurityIdentifier": sid }))
            })
            .collect();
        put("graph/groups.json".to_owned(), json!(groups));
        for (number, of) in self.groups.iter().enumerate() {
            let members = [ids(&of.people, person), ids(&of.groups, group)].concat();
            let path = format!("graph/groups/{}/members.json", group(number));
            put(path, json!(members));
        }
        let roles = self.role_definitions();
        put(
            "graph/roleDefinitions.json".to_owned(),
            json!({ "value": roles }),
        );
        put(
            "graph/roleAssignments.json".to_owned(),
            self.role_assignments(),
        );
        for role in 0..self.roles.len() {
            let path = format!("graph/roleDefinitions/role-{role}/roleAssignments.json");
            put(path, self.assignments_of(role));
        }
        let names = self.directory_roles.iter().map(|(name, ..)| name);
        let roles: Value = names
            .map(|name| json!({"id": name, "displayName": name}))
            .collect();
        put("graph/directoryRoles.json".to_owned(), roles);
        for (name, people, groups) in &self.directory_roles {
            let members = [ids(people, person), ids(groups, group)].concat();
            put(
                format!("graph/directoryRoles/{name}/members.json"),
                json!(members),
            );
        }
        for (number, of) in self.sites.iter().enumerate() {
            let code = site(number);
            for (class, rows) in of.exports(&code) {
                put(
                    format!("configmgr/{code}/{class}.json"),
                    json!({ "value": rows }),
                );
            }
        }
        held
    }

    fn settings(&self) -> Value {
        let hierarchies = (0..).zip(&self.sites).map(|(number, of)| {
            json!({"siteCode": site(number), "version": of.version, "enforceConfigMgrRbac": of.enforce, "earlyUpdateRing": false})
        });
        let mut tenant = json!({
            "name": "contoso",
            "useIntuneRbac": self.use_intune_rbac,
            "allowsUnlicensedAdministrators": self.allows_unlicensed,
            "hierarchies": hierarchies.collect::<Value>(),
        });
        if let Some(is_scoped) = self.scoped_permissions {
            tenant["scopedPermissions"] = json!(is_scoped);
        }
        tenant
    }

    fn users(&self) -> Vec<Value> {
        let people = (0..).zip(&self.people);
        people
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
                    row["assignedLicenses"] = json!([]);
                    row["assignedPlans"] = match license {
                        true => json!([{"servicePlanId": "c1ec4a95-1f05-45b3-a911-aa3fa01094f5", "capabilityStatus": "Enabled"}]),
                        false => json!([]),
                    };
                }
                row
            })
            .collect()
    }

    fn role_definitions(&self) -> Vec<Value> {
        let graph = |of: &BTreeSet<usize>| -> Vec<&str> {
            of.iter()
                .map(|permission| PERMISSIONS[*permission].graph)
                .collect()
        };
        let roles = (0..).zip(&self.roles).map(|(number, of): (usize, _)| {
            let mut allowed = graph(&of.allowed);
            allowed.extend(of.has_other.then_some(OTHER));
                json!({
                    "id": format!("role-{number}"),
                    "displayName": of.built_in.map_or(format!("Role {}\n", number % 2), str::to_owned),
                    "isBuiltIn": of.built_in.is_some(),
                    "rolePermissions": [{"resourceActions": [{"allowedResourceActions": allowed, "notAllowedResourceActions": graph(&of.not_allowed)}]}],
                })
        });
        roles.collect()
    }

    fn role_assignments(&self) -> Value {
        let assignments = (0..).zip(&self.assignments).map(|(number, of): (usize, _)| {
                let mut members: Vec<String> = of.groups.iter().copied().map(group).collect();
                members.extend(of.people.iter().copied().map(person));
                members.extend(of.has_unknown.then(|| "nobody".to_owned()));
                json!({"id": format!("assignment-{number}"), "members": members, "roleScopeTagIds": of.scope_tags})
        });
        assignments.collect()
    }

    /// The assignments that are exported as those of a role.
    fn assignments_of(&self, role: usize) -> Value {
        let assignments = self.assignments.iter().enumerate();
        let claimed = assignments.filter(|(_, of)| of.claims.contains(&role));
        claimed
            .map(|(number, _)| json!({"id": format!("assignment-{number}")}))
            .collect()
    }
}

/// The first collection has an id of its own, the others have the same in every hierarchy.
fn collection(code: &str, number: usize) -> String {
    match number {
        0 => format!("{code}00001"),
        number => format!("SMS0000{number}"),
    }
}

fn device(number: usize) -> usize {
    16_777_216 + number
}

impl Site {
    /// The rows of each class.
    fn exports(&self, code: &str) -> [(&'static str, Vec<Value>); 7] {
        let memberships = self.memberships.iter().flat_map(|(member, within)| {
            let members = std::iter::once(device(*member) as u32).chain(NOT_UPLOADED);
            members.map(|id| json!({"ResourceID": id, "CollectionID": collection(code, *within)}))
        });
        let operations = self.named.iter().map(|operation| {
            let (object_type, object, name, bit) = OPERATIONS[*operation];
            json!({"ObjectTypeID": object_type, "ObjectTypeName": object, "OperationName": name, "BitFlag": bit})
        });
        [
            ("SMS_Collection", self.collections(code)),
            ("SMS_R_System", self.systems()),
            ("SMS_FullCollectionMembership", memberships.collect()),
            ("SMS_AvailableOperation", operations.collect()),
            ("SMS_Role", self.roles(code)),
            ("SMS_Admin", self.administrators(code)),
            ("SMS_R_User", self.users()),
        ]
    }

    fn collections(&self, code: &str) -> Vec<Value> {
        let collections = (0..).zip(&self.collections);
        let rows = collections.map(|(number, (is_of_devices, limit))| {
            let limit = limit.map_or(String::new(), |limit| collection(code, limit));
            json!({
                "CollectionID": collection(code, number),
                "Name": format!("Collection {number}"),
                "CollectionType": if *is_of_devices { 2 } else { 1 },
                "LimitToCollectionID": limit,
            })
        });
        rows.collect()
    }

    fn systems(&self) -> Vec<Value> {
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
        rows.chain(others).collect()
    }

    fn roles(&self, code: &str) -> Vec<Value> {
        let rows = (0..)
            .zip(&self.roles)
            .map(|(number, operations): (usize, _)| {
                let operations = [1, 31, 200].map(|object_type| {
                    let bits = operations.iter().map(|operation| OPERATIONS[*operation]);
                    let bits = bits
                        .filter(|(of, ..)| *of == object_type)
                        .map(|(_, _, _, bit)| bit);
                    json!({"ObjectTypeID": object_type, "GrantedOperations": bits.sum::<u32>()})
                });
                json!({"RoleID": format!("{code}0000{number}"), "Operations": operations})
            });
        rows.collect()
    }

    fn administrators(&self, code: &str) -> Vec<Value> {
        let rows = (1..).zip(&self.administrators).map(|(number, of): (usize, _)| {
            let sid = match of.who {
                Ok(person) => person_sid(person),
                Err(Some(group)) => group_sid(group),
                Err(None) => "S-1-5-32-544".to_owned(),
            };
            let permissions = of.permissions.iter().map(|(role, within)| {
                let category = within.map(|number| collection(code, number));
                json!({
                    "RoleID": format!("{code}0000{role}"),
                    "CategoryID": category.unwrap_or_else(|| "SMS00UNA".to_owned()),
                    "CategoryTypeID": if within.is_some() { 1 } else { 29 },
                })
            });
            let permissions: Vec<Value> = permissions.collect();
            json!({"AdminID": number, "AdminSid": sid, "IsDeleted": of.is_deleted, "Permissions": permissions})
        });
        rows.collect()
    }

    fn users(&self) -> Vec<Value> {
        let rows = (1..).zip(&self.discovered).map(|(number, of): (usize, _)| {
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
        rows.collect()
    }
}
