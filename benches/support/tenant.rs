//! A made-up tenant of any size, the same each time, as entities in Cedar's JSON format.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// How large the tenant is, and what can be written of it.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// People; every fiftieth, and each administrator, has a role assignment through a group.
    pub people: u32,
    /// Devices, spread evenly over the hierarchies.
    pub devices: u32,
    /// Hierarchies.
    pub hierarchies: u32,
    /// Collections, of all hierarchies together.
    pub collections: u32,
    /// Collections that each device is a member of.
    pub memberships: u32,
    /// Custom Intune roles; each has one role assignment.
    pub roles: u32,
    /// People to whom Configuration Manager grants something.
    pub administrators: u32,
    /// Whether these administer a few collections each, with whatever is limited to them; otherwise two
    /// of three, others for each permission.
    pub is_limited: bool,
    /// Forbids, each of one permission on the devices of one collection.
    pub forbids: u32,
    /// Groups between a person and the role assignment, each in the next.
    pub depth: u32,
    /// Further policies.
    pub more: String,
}

impl Default for Tenant {
    fn default() -> Self {
        Self {
            people: 1_000,
            devices: 10_000,
            hierarchies: 4,
            collections: 500,
            memberships: 10,
            roles: 20,
            administrators: 30,
            is_limited: false,
            forbids: 0,
            depth: 1,
            more: String::new(),
        }
    }
}

/// The name of a built-in role that half of the role assignments give.
pub const BUILT_IN: &str = "Help Desk Operator";

impl Tenant {
    /// A tenant of 1,000,000 devices and 100,000 people.
    pub fn large() -> Self {
        Self {
            people: 100_000,
            devices: 1_000_000,
            roles: 200,
            administrators: 300,
            ..Self::default()
        }
    }

    /// Writes a workspace into a folder.
    pub fn write(&self, folder: &Path) {
        let entities = folder.join("entities");
        let custom = folder.join("policies/custom");
        fs::create_dir_all(&entities).unwrap();
        fs::create_dir_all(&custom).unwrap();
        let file = |name: &str| BufWriter::new(File::create(entities.join(name)).unwrap());
        self.write_base(&mut file("base.json")).unwrap();
        self.write_people(&mut file("people.json")).unwrap();
        self.write_devices(&mut file("devices.json")).unwrap();
        fs::write(custom.join("roles.cedar"), self.policies()).unwrap();
    }

    /// Writes everything but devices and people: tenant, hierarchies, collections, roles, groups.
    pub fn write_base(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut array = Array::begin(out)?;
        array.entity("Intune::Tenant", "contoso", r#""useIntuneRbac":true"#, &[])?;
        for hierarchy in 0..self.hierarchies {
            let attrs = format!(
                r#""tenant":{},"version":{},"enforceConfigMgrRbac":{},"earlyUpdateRing":false"#,
                uid("Intune::Tenant", "contoso"),
                2207 + hierarchy % 4 * 100,
                hierarchy % 2 == 0,
            );
            array.entity("ConfigMgr::Hierarchy", &site(hierarchy), &attrs, &[])?;
        }
        for number in 0..self.collections {
            let hierarchy = number % self.hierarchies;
            let attrs = format!(
                r#""hierarchy":{},"displayName":"Collection {number}""#,
                uid("ConfigMgr::Hierarchy", &site(hierarchy)),
            );
            // The first of each hierarchy is all systems; the others form a tree below it.
            let above = (number / self.hierarchies).checked_sub(1).map(|place| {
                let above = (place / 8) * self.hierarchies + hierarchy;
                uid("ConfigMgr::Collection", &self.collection(above))
            });
            let parents: Vec<String> = above.into_iter().collect();
            array.entity(
                "ConfigMgr::Collection",
                &self.collection(number),
                &attrs,
                &parents,
            )?;
        }
        array.entity("Intune::ScopeTag", "0", "", &[])?;
        array.entity("Intune::ScopeTag", "*", "", &[])?;
        array.entity("Intune::Role", BUILT_IN, r#""builtIn":true"#, &[])?;
        array.entity("Entra::DirectoryRole", "Intune Administrator", "", &[])?;
        for number in 0..self.roles {
            self.write_role(&mut array, number)?;
        }
        array.end()
    }

    /// Writes a role with an assignment, and the chain of groups that is assigned it.
    fn write_role(&self, array: &mut Array<'_>, number: u32) -> io::Result<()> {
        let role = role(number);
        let name = format!(r#""displayName":"Role {number}""#);
        array.entity("Intune::Role", &role, &name, &[])?;
        let given = if number.is_multiple_of(2) {
            BUILT_IN
        } else {
            role.as_str()
        };
        let assignment = uid("Intune::RoleAssignment", &guid(2, number));
        array.entity(
            "Intune::RoleAssignment",
            &guid(2, number),
            "",
            &[
                uid("Intune::Role", given),
                uid("Intune::Tenant", "contoso"),
                uid(
                    "Intune::ScopeTag",
                    if number.is_multiple_of(3) { "*" } else { "0" },
                ),
            ],
        )?;
        let name = format!(r#""displayName":"Group {number}""#);
        let groups = (1..self.depth).map(|step| guid(6 + step, number));
        let groups: Vec<String> = std::iter::once(guid(3, number)).chain(groups).collect();
        for (place, group) in groups.iter().enumerate() {
            let above = groups
                .get(place + 1)
                .map(|group| uid("Entra::Group", group));
            let above = above.unwrap_or_else(|| assignment.clone());
            array.entity("Entra::Group", group, &name, &[above])?;
        }
        Ok(())
    }

    /// Writes the people.
    pub fn write_people(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut array = Array::begin(out)?;
        let every = (self.people / self.administrators.max(1)).max(1);
        for number in 0..self.people {
            let mut attrs = format!(
                r#""tenant":{},"userPrincipalName":"person{number}@contoso.com","cloudOnly":{}"#,
                uid("Intune::Tenant", "contoso"),
                number % 7 == 0,
            );
            if number % every == 0 {
                attrs.push_str(r#","configMgr":"#);
                attrs.push_str(&self.administrator(number / every));
            }
            let mut parents = Vec::new();
            if (number % 50 == 0 || number % every == 0) && self.roles > 0 {
                let group = number / every.min(50) % self.roles;
                parents.push(uid("Entra::Group", &guid(3, group)));
            }
            if number % 5_000 == 0 {
                parents.push(uid("Entra::DirectoryRole", "Intune Administrator"));
            }
            array.entity("Entra::User", &person(number), &attrs, &parents)?;
        }
        array.end()
    }

    /// Writes the devices.
    pub fn write_devices(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut array = Array::begin(out)?;
        for number in 0..self.devices {
            let hierarchy = number % self.hierarchies;
            let attrs = format!(
                r#""hierarchy":{},"name":"PC-{number:07}","coManaged":{},"operatingSystem":"Windows 11 Enterprise 10.0.{}""#,
                uid("ConfigMgr::Hierarchy", &site(hierarchy)),
                number % 3 == 0,
                22_000 + number % 50,
            );
            let places = self.collections / self.hierarchies;
            let parents: Vec<String> = (0..self.memberships)
                .map(|turn| {
                    let place = scatter(number, turn) % u64::from(places.max(1));
                    let number = place as u32 * self.hierarchies + hierarchy;
                    uid("ConfigMgr::Collection", &self.collection(number))
                })
                .collect();
            array.entity("ConfigMgr::Device", &device(number), &attrs, &parents)?;
        }
        array.end()
    }

    /// The custom roles as policies: each permits a few of the permissions.
    pub fn policies(&self) -> String {
        const PERMISSIONS: [&str; 6] = [
            "viewCollections",
            "viewResourceExplorer",
            "viewTimeline",
            "viewScripts",
            "runScript",
            "viewClientDetails",
        ];
        let forbids = (0..self.forbids).map(|number| {
            let permission = PERMISSIONS.iter().cycle().nth(number as usize).unwrap();
            let collection = self.collection(scatter(number, 7) as u32 % self.collections);
            format!(
                "@id(\"custom.forbid-{number}\")\n@doc(\"Forbid {number}.\")\nforbid (\n  principal,\n  action == Intune::Action::\"{permission}\",\n  resource in ConfigMgr::Collection::\"{collection}\"\n);\n",
            )
        });
        (0..self.roles)
            .map(|number| {
                let permissions: Vec<String> = PERMISSIONS
                    .iter()
                    .skip(number as usize % 3)
                    .map(|permission| format!("Intune::Action::\"{permission}\""))
                    .collect();
                format!(
                    "@id(\"custom.role-{number}\")\n@doc(\"Role {number}.\")\npermit (\n  principal in Intune::Role::\"{}\",\n  action in [{}],\n  resource\n);\n",
                    role(number),
                    permissions.join(", "),
                )
            })
            .chain(forbids)
            .chain([self.more.clone()])
            .collect()
    }

    /// The id of a collection.
    pub fn collection(&self, number: u32) -> String {
        let site = site(number % self.hierarchies);
        format!("{site}{:05}", number / self.hierarchies)
    }

    fn is_granted(&self, administrator: u32, turn: u32, collection: u32) -> bool {
        match self.is_limited {
            // Every eighth lacks one of the permissions.
            true => {
                let lacks = administrator.is_multiple_of(8) && administrator / 8 % 6 == turn;
                let one_in = u64::from(self.collections / (1 + administrator % 8)).max(1);
                !lacks && scatter(administrator, collection).is_multiple_of(one_in)
            }
            false => !scatter(administrator * 8 + turn, collection).is_multiple_of(3),
        }
    }

    fn administrator(&self, number: u32) -> String {
        let mut record = String::from("{");
        for (turn, name) in (0..).zip([
            "read",
            "readResource",
            "notifyResource",
            "runCmPivot",
            "runScript",
            "readBitLockerRecoveryKey",
        ]) {
            let collections: Vec<String> = (0..self.collections)
                .filter(|collection| self.is_granted(number, turn, *collection))
                .map(|collection| uid("ConfigMgr::Collection", &self.collection(collection)))
                .collect();
            record.push_str(&format!(r#""{name}":[{}],"#, collections.join(",")));
        }
        let hierarchies: Vec<String> = (0..self.hierarchies)
            .map(|number| uid("ConfigMgr::Hierarchy", &site(number)))
            .collect();
        let hierarchies = hierarchies.join(",");
        for name in [
            "discoveredByEntra",
            "discoveredByActiveDirectory",
            "readScripts",
            "readApplications",
        ] {
            record.push_str(&format!(r#""{name}":[{hierarchies}],"#));
        }
        record.push_str(r#""approveApplications":[]}"#);
        record
    }
}

/// The id of a custom role.
pub fn role(number: u32) -> String {
    guid(1, number)
}

/// The id of a person.
pub fn person(number: u32) -> String {
    guid(4, number)
}

/// The id of a device.
pub fn device(number: u32) -> String {
    guid(5, number)
}

/// The id of a hierarchy.
pub fn site(number: u32) -> String {
    format!("P{number:02}")
}

fn uid(type_name: &str, id: &str) -> String {
    format!(r#"{{"type":"{type_name}","id":"{id}"}}"#)
}

fn guid(kind: u32, number: u32) -> String {
    let (one, two) = (scatter(number, kind), scatter(number, kind + 100));
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        one >> 32,
        one >> 16 & 0xffff,
        one & 0xffff,
        two >> 48,
        two & 0xffff_ffff_ffff
    )
}

/// Numbers that look random and are the same each time.
fn scatter(number: u32, turn: u32) -> u64 {
    let mut mixed = (u64::from(number) << 32 | u64::from(turn)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}

struct Array<'w> {
    out: &'w mut dyn Write,
    first: bool,
}

impl<'w> Array<'w> {
    fn begin(out: &'w mut dyn Write) -> io::Result<Self> {
        out.write_all(b"[")?;
        Ok(Self { out, first: true })
    }

    fn entity(
        &mut self,
        type_name: &str,
        id: &str,
        attrs: &str,
        parents: &[String],
    ) -> io::Result<()> {
        let comma = if std::mem::take(&mut self.first) {
            ""
        } else {
            ","
        };
        let (uid, parents) = (uid(type_name, id), parents.join(","));
        write!(
            self.out,
            "{comma}\n{{\"uid\":{uid},\"attrs\":{{{attrs}}},\"parents\":[{parents}]}}"
        )
    }

    fn end(self) -> io::Result<()> {
        self.out.write_all(b"\n]\n")
    }
}
