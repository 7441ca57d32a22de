//! What kind of thing an alert is about: Microsoft's names, old and current side by side, and what they are to people.
//!
//! Microsoft has renamed its kinds once (alerts detected since 15 May 2024 have the current names), spells the old ones in two ways
//! (`usageAnomalyDetection` in Graph, `UsageAnomalyDetection` in fraudEvents), and adds to them without notice. So the names are
//! an open set: a documented one is read in any case and kept in one spelling, whichever source it comes from; any other is kept
//! and shown as it came.

use serde::{Deserialize, Serialize};

use AlertKind::{Advisory, Deployment, Mining, Operations, Usage};

/// The exact kind of an alert, as Microsoft names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertType(pub String);

/// What the names come down to. The grouping is ours: Microsoft publishes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertKind {
    /// A Service Health message went to the customer.
    Advisory,
    /// Resources were made as the customer never did before: machines, containers, batches, models.
    Deployment,
    /// Connections to pools that mine for coins.
    Mining,
    /// What was done in the subscription is suspicious.
    Operations,
    /// Consumption grew far beyond its pattern.
    Usage,
    /// A name that is not documented.
    Other,
}

/// Every documented name in the spelling that we keep, with its kind. Current ones: "Security alert types" of Partner Center.
/// Old ones: `eventType` of "Get fraud events", spelled as Graph's samples have them.
const DOCUMENTED: [(&str, AlertKind); 13] = [
    // Current.
    ("ARM_AnomalousResourceConsumption", Usage),
    ("ARM_SuspiciousOperations", Operations),
    ("AzureBatch_AnomalousDeployment", Deployment),
    ("AzureContainerInstances_AnomalousDeployment", Deployment),
    ("AzureMachineLearning_AnomalousDeployment", Deployment),
    ("CryptoMining", Mining),
    ("VM_AnomalousDeployment", Deployment),
    // Old.
    ("multiRegionMachineLearningUsageAnomaly", Deployment),
    ("multiRegionVirtualMachineScaleSetDeploymentAnomaly", Deployment),
    ("networkConnectionsToCryptoMiningPools", Mining),
    ("serviceHealthSecurityAdvisory", Advisory),
    ("usageAnomalyDetection", Usage),
    ("virtualMachineDeploymentAnomaly", Deployment),
];

/// The two alert types that Microsoft's portal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PortalType {
    /// A Service Health message went to the customer.
    #[serde(rename = "Azure Notification")]
    AzureNotification,
    /// Unusual rise or anomalous activity.
    #[serde(rename = "Azure Usage")]
    AzureUsage,
}

impl PortalType {
    /// The name as the portal shows it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AzureNotification => "Azure Notification",
            Self::AzureUsage => "Azure Usage",
        }
    }
}

impl AlertType {
    /// The type of this name: a documented one in the one spelling that we keep, any other as it came.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(documented(name).map_or(name, |(spelling, _)| spelling).to_owned())
    }

    /// Every documented name, as it is kept.
    pub fn documented() -> impl Iterator<Item = &'static str> {
        DOCUMENTED.iter().map(|(name, _)| *name)
    }

    /// What the name comes down to.
    #[must_use]
    pub fn kind(&self) -> AlertKind {
        documented(&self.0).map_or(AlertKind::Other, |(_, kind)| kind)
    }

    /// The portal's type of this alert. Microsoft publishes no mapping; this one is ours: the Service Health advisory is a
    /// notification, everything else, the unknown included, is usage (`docs/decisions/0006-fraud-severity.md`).
    #[must_use]
    pub fn portal_type(&self) -> PortalType {
        match self.kind() {
            Advisory => PortalType::AzureNotification,
            Deployment | Mining | Operations | Usage | AlertKind::Other => PortalType::AzureUsage,
        }
    }
}

fn documented(name: &str) -> Option<(&'static str, AlertKind)> {
    DOCUMENTED.into_iter().find(|(spelling, _)| spelling.eq_ignore_ascii_case(name))
}
