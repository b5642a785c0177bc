//! Random tenants, made of a list of bytes.

use std::collections::BTreeSet;

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
pub(super) struct Permission {
    pub(super) action: &'static str,
    pub(super) graph: &'static str,
    /// One of each list, on a collection that holds the device.
    pub(super) on_collection: &'static [&'static [usize]],
    pub(super) in_hierarchy: &'static [usize],
    pub(super) least_version: u32,
    pub(super) is_remote_task: bool,
}

/// The operations: object type, names as the site spells them, bit.
pub(super) const OPERATIONS: [(u32, &str, &str, u32); 9] = [
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

pub(super) const PERMISSIONS: [Permission; 6] = [
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
pub(super) const NOT_UPLOADED: [u32; 3] = [16_777_300, 16_777_301, 16_777_302];

/// A permission that nothing is decided about.
pub(super) const OTHER: &str = "Microsoft.Intune_ManagedDevices_Read";

#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) use_intune_rbac: bool,
    pub(super) allows_unlicensed: bool,
    pub(super) scoped_permissions: Option<bool>,
    pub(super) people: Vec<Person>,
    pub(super) groups: Vec<Group>,
    pub(super) roles: Vec<Role>,
    pub(super) assignments: Vec<Assignment>,
    /// Name and members; the members are people and groups.
    pub(super) directory_roles: Vec<(&'static str, BTreeSet<usize>, BTreeSet<usize>)>,
    pub(super) sites: Vec<Site>,
}

#[derive(Debug)]
pub(super) struct Person {
    pub(super) sync: Option<Option<bool>>,
    pub(super) has_sid: bool,
    pub(super) license: Option<bool>,
    pub(super) is_enabled: Option<bool>,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) has_sid: bool,
    pub(super) people: BTreeSet<usize>,
    pub(super) groups: BTreeSet<usize>,
}

#[derive(Debug)]
pub(super) struct Role {
    pub(super) built_in: Option<&'static str>,
    pub(super) allowed: BTreeSet<usize>,
    pub(super) has_other: bool,
    pub(super) not_allowed: BTreeSet<usize>,
}

#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) people: BTreeSet<usize>,
    pub(super) groups: BTreeSet<usize>,
    pub(super) has_unknown: bool,
    pub(super) claims: BTreeSet<usize>,
    pub(super) scope_tags: &'static [&'static str],
}

#[derive(Debug)]
pub(super) struct Site {
    pub(super) version: u32,
    pub(super) enforce: bool,
    /// Whether it holds devices, and its limit: one before it, or nothing that is known.
    pub(super) collections: Vec<(bool, Option<usize>)>,
    pub(super) devices: usize,
    pub(super) memberships: Vec<(usize, usize)>,
    pub(super) named: BTreeSet<usize>,
    pub(super) roles: Vec<BTreeSet<usize>>,
    pub(super) administrators: Vec<Administrator>,
    pub(super) discovered: Vec<Discovered>,
}

#[derive(Debug)]
pub(super) struct Administrator {
    /// A person, a group, or nobody that is known.
    pub(super) who: Result<usize, Option<usize>>,
    pub(super) is_deleted: bool,
    /// Role, and a collection or a security scope.
    pub(super) permissions: Vec<(usize, Option<usize>)>,
}

#[derive(Debug)]
pub(super) struct Discovered {
    pub(super) aad: Option<usize>,
    pub(super) sid: Option<usize>,
    pub(super) agents: Option<bool>,
}

impl Person {
    fn of(c: &mut Choices) -> Self {
        Self {
            sync: match c.below(8) {
                0 => None,
                1 => Some(None),
                2 => Some(Some(false)),
                _ => Some(Some(true)),
            },
            has_sid: c.below(8) > 0,
            license: c.of(&[Some(true), Some(false), None]),
            is_enabled: c.of(&[None, Some(true), Some(true), Some(false)]),
        }
    }
}

impl Group {
    fn of(c: &mut Choices, people: usize, groups: usize) -> Self {
        Self {
            has_sid: c.is(),
            people: c.some(people),
            groups: c.some(groups),
        }
    }
}

impl Role {
    fn of(c: &mut Choices, number: usize) -> Self {
        let names = [
            "Help Desk Operator",
            "policy and profile manager",
            "Endpoint Privilege Reader",
        ];
        Self {
            built_in: c.is().then(|| names[number % 3]),
            allowed: (0..PERMISSIONS.len()).filter(|_| c.is()).collect(),
            has_other: c.is(),
            not_allowed: match c.below(4) {
                0 => c.some(PERMISSIONS.len()),
                _ => BTreeSet::new(),
            },
        }
    }
}

impl Assignment {
    fn of(c: &mut Choices, people: usize, groups: usize, roles: usize) -> Self {
        Self {
            people: c.some(people),
            groups: c.some(groups),
            has_unknown: c.is(),
            claims: match c.below(4) {
                0 => c.some(roles),
                _ if roles == 0 => BTreeSet::new(),
                _ => BTreeSet::from([c.below(roles)]),
            },
            scope_tags: c.of(&[&[][..], &["0"], &["3"], &["0", "3"]]),
        }
    }
}

impl Tenant {
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        let c = &mut Choices(bytes.into_iter());
        let people = 1 + c.below(4);
        let groups = c.below(5);
        let roles = c.below(4);
        Self {
            use_intune_rbac: c.is(),
            allows_unlicensed: c.is(),
            scoped_permissions: c.of(&[None, Some(true), Some(false)]),
            people: (0..people).map(|_| Person::of(c)).collect(),
            groups: (0..groups).map(|_| Group::of(c, people, groups)).collect(),
            roles: (0..roles).map(|number| Role::of(c, number)).collect(),
            assignments: (0..c.below(4))
                .map(|_| Assignment::of(c, people, groups, roles))
                .collect(),
            directory_roles: Self::directory_roles(c, people, groups),
            sites: (0..1 + c.below(2))
                .map(|_| Site::of(c, people, groups))
                .collect(),
        }
    }

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
