//! A partner tenant is data, not a deployment.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{PathKeyHash, TenantId};

/// Which of Microsoft's clouds a tenant lives in. Tokens of one do not work in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cloud {
    /// 21Vianet (China).
    #[serde(rename = "china")]
    China,
    /// Global, and US Government GCC.
    #[serde(rename = "global")]
    Global,
    /// US Government L4 (GCC High).
    #[serde(rename = "us-government-l4")]
    UsGovernmentL4,
    /// US Government L5 (`DoD`).
    #[serde(rename = "us-government-l5")]
    UsGovernmentL5,
}

/// The base addresses of a cloud, without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudUrls {
    /// Microsoft Graph; also the audience of its tokens.
    pub graph: String,
    /// Entra ID's sign-in service, which gives tokens.
    pub login: String,
    /// Partner Center's API; also the audience of its tokens.
    pub partner_center: String,
}

impl Cloud {
    /// Every cloud.
    pub const ALL: [Self; 4] = [Self::China, Self::Global, Self::UsGovernmentL4, Self::UsGovernmentL5];

    /// The name that configuration uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::China => "china",
            Self::Global => "global",
            Self::UsGovernmentL4 => "us-government-l4",
            Self::UsGovernmentL5 => "us-government-l5",
        }
    }

    /// Microsoft's published addresses (Graph "national cloud deployments"; Partner Center "REST URLs").
    ///
    /// 21Vianet's sign-in host differs between sources; this is the one of the Graph documents.
    #[must_use]
    pub fn published_urls(self) -> CloudUrls {
        let (graph, login, partner_center) = match self {
            Self::China => (
                "https://microsoftgraph.chinacloudapi.cn",
                "https://login.chinacloudapi.cn",
                "https://partner.partnercenterapi.microsoftonline.cn",
            ),
            Self::Global => (
                "https://graph.microsoft.com",
                "https://login.microsoftonline.com",
                "https://api.partnercenter.microsoft.com",
            ),
            Self::UsGovernmentL4 => (
                "https://graph.microsoft.us",
                "https://login.microsoftonline.us",
                "https://api.partnercenter.microsoft.com",
            ),
            Self::UsGovernmentL5 => (
                "https://dod-graph.microsoft.us",
                "https://login.microsoftonline.us",
                "https://api.partnercenter.microsoft.com",
            ),
        };
        CloudUrls { graph: graph.into(), login: login.into(), partner_center: partner_center.into() }
    }
}

impl FromStr for Cloud {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|cloud| cloud.as_str() == text)
            .ok_or_else(|| "one of china, global, us-government-l4, us-government-l5".to_owned())
    }
}

/// Which of Microsoft's interfaces a tenant's alerts are read from. The two have ids of their own for one alert: a change of the
/// source shows what is open a second time (`docs/decisions/0023-two-sources-of-alerts.md`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertSource {
    /// Microsoft Graph partner security alerts: the recommended one.
    #[default]
    Graph,
    /// Partner Center's fraudEvents: the older one. It takes app+user credentials alone.
    FraudEvents,
}

impl AlertSource {
    /// Every source.
    pub const ALL: [Self; 2] = [Self::Graph, Self::FraudEvents];

    /// The name that configuration uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::FraudEvents => "fraud-events",
        }
    }
}

impl FromStr for AlertSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|source| source.as_str() == text);
        found.ok_or_else(|| "one of graph, fraud-events".to_owned())
    }
}

/// The configuration of one partner tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// The tenant.
    pub id: TenantId,
    /// A name for people.
    pub display_name: String,
    /// Its cloud.
    pub cloud: Cloud,
    /// Where its alerts are read from; Graph where an item does not say.
    #[serde(default)]
    pub alert_source: AlertSource,
    /// Hashes of the path keys that are valid now; two during a rotation.
    pub path_key_hashes: Vec<PathKeyHash>,
    /// Name or ARN of the secret that can read alerts.
    pub read_secret: String,
    /// Name or ARN of the secret that can resolve alerts, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act_secret: Option<String>,
    /// Whether the tenant is polled and its callbacks are taken.
    pub active: bool,
}

/// Which of a tenant's two secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// The one that can read alerts.
    Read,
    /// The one that can resolve them.
    Act,
}

impl Purpose {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Read, Self::Act];

    /// Its name in words and items.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Act => "act",
        }
    }

    /// Name or ARN of a tenant's secret, where it has one.
    #[must_use]
    pub fn secret_of(self, tenant: &Tenant) -> Option<&str> {
        match self {
            Self::Read => Some(&tenant.read_secret),
            Self::Act => tenant.act_secret.as_deref(),
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The moments that a tenant's secret says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CredentialDates {
    /// When its refresh token was obtained, where it has one. One that nobody has dated counts from when the secret was written.
    pub refresh_token_obtained: Option<Timestamp>,
    /// When its client secret or certificate expires, where that is known.
    pub proof_expires: Option<Timestamp>,
}
