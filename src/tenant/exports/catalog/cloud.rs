//! The clouds of Microsoft: the hosts of sign-in and of Graph in each.

/// A cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cloud {
    /// Its name on the command line.
    pub name: &'static str,
    /// The address of Microsoft Graph.
    pub graph: &'static str,
    /// The address of sign-in.
    pub login: &'static str,
    /// Its name for `Connect-MgGraph -Environment`.
    pub environment: &'static str,
}

/// The clouds; the first one is the default.
pub const CLOUDS: [Cloud; 4] = [
    Cloud {
        name: "global",
        graph: "https://graph.microsoft.com",
        login: "https://login.microsoftonline.com",
        environment: "Global",
    },
    Cloud {
        name: "us-gov",
        graph: "https://graph.microsoft.us",
        login: "https://login.microsoftonline.us",
        environment: "USGov",
    },
    Cloud {
        name: "us-gov-dod",
        graph: "https://dod-graph.microsoft.us",
        login: "https://login.microsoftonline.us",
        environment: "USGovDoD",
    },
    Cloud {
        name: "china",
        graph: "https://microsoftgraph.chinacloudapi.cn",
        login: "https://login.chinacloudapi.cn",
        environment: "China",
    },
];
