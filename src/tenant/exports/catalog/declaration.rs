//! The fields of the declaration, with the place where each value is found.

/// A field of [`TENANT`](super::TENANT).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// The name.
    pub field: &'static str,
    /// The place where its value is found.
    pub place: &'static str,
}

/// The fields of [`TENANT`](super::TENANT), in the recommended order.
pub const DECLARED: [Declared; 10] = [
    Declared {
        field: "name",
        place: "yours to choose; it names the tenant in every answer",
    },
    Declared {
        field: "useIntuneRbac",
        place: "Intune admin center, Tenant administration > Connectors and tokens > Microsoft Endpoint Configuration Manager > Use Intune RBAC; leave it out where graph/tenantAttachRBAC.json is there",
    },
    Declared {
        field: "useIntuneRbacChangedAt",
        place: "Intune admin center, Tenant administration > Audit logs; leave it out where nobody remembers",
    },
    Declared {
        field: "allowsUnlicensedAdministrators",
        place: "Intune admin center, Tenant administration > Roles > Administrator Licensing",
    },
    Declared {
        field: "scopedPermissions",
        place: "Intune admin center, Tenant administration > Roles > Scoped permissions; leave it out where the tenant has not opted in",
    },
    Declared {
        field: "hierarchies.siteCode",
        place: "Configuration Manager console, Administration > Site Configuration > Sites: the site code of the top site",
    },
    Declared {
        field: "hierarchies.version",
        place: "Configuration Manager console, About: year and month of the version, as 2403; leave it out where configmgr/<site>/SMS_Site.json is there",
    },
    Declared {
        field: "hierarchies.enforceConfigMgrRbac",
        place: "Configuration Manager console, Administration > Cloud Services > Cloud Attach > CoMgmtSettingsProd > Properties > Configure upload: Enforce Configuration Manager RBAC for cloud console requests",
    },
    Declared {
        field: "hierarchies.earlyUpdateRing",
        place: "whether the opt-in script of the early update ring was run before the update to this version",
    },
    Declared {
        field: "hierarchies.uploadCollection",
        place: "the same page, Configure upload: the id or name of the collection under A specific collection; leave it out where all devices are uploaded",
    },
];
