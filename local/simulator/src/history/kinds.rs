//! The kinds of alerts, how often each comes, and what it says.
//!
//! The names are Microsoft's, the words are ours. Details are public of one kind alone, connections to mining pools; those of the others are
//! shaped like them: texts, lists inside texts, names in any case. One kind is of a name that nobody has documented.

use std::collections::BTreeMap;

use super::dice::Dice;

/// A kind of alert.
pub(super) struct Kind {
    pub(super) alert_type: &'static str,
    pub(super) display_name: &'static str,
    what: &'static str,
    steps: &'static [&'static str],
    /// How often it comes, beside the others.
    weight: usize,
    pub(super) severities: &'static [&'static str],
    about: About,
}

/// What a kind is about, from which its details follow.
#[derive(Clone, Copy)]
enum About {
    Advisory,
    Deployment { of: &'static str, provider: &'static str },
    Mining,
    Operations,
    Usage,
}

/// What an alert of a kind says of its subscription.
#[derive(Default)]
pub(super) struct Said {
    /// The resources that it is about.
    pub(super) resources: Vec<String>,
    pub(super) details: Option<BTreeMap<String, String>>,
}

const ON_A_MACHINE: &[&str] = &[
    "Ask the customer whether they know the resource and who made it.",
    "Look at the subscription's activity log for who created it, from which address.",
    "If it is not theirs: stop it, take the access away that made it, and mark the alert as fraud.",
];
const ON_A_BILL: &[&str] = &[
    "Compare the cost of the last days with the month before, by resource group and region.",
    "Ask the customer whether a campaign, a migration or a test explains it.",
    "If nothing does: treat the subscription as taken over.",
];
const ON_AN_ACCOUNT: &[&str] = &[
    "Find out which account did it, and whether it signed in from an unusual place.",
    "Revoke its sessions, and have its password and its factors set anew.",
    "Undo what it gave to others: role assignments, federated credentials, deleted locks.",
];
const TO_READ: &[&str] = &["Open Service Health in the Azure portal and follow the advisory."];

/// Every documented kind, and one that is not.
const KINDS: [Kind; 14] = [
    Kind {
        alert_type: "CryptoMining",
        display_name: "Connections to known mining pools",
        what: "A virtual machine of the subscription exchanged data with an address that belongs to a known mining pool.",
        steps: ON_A_MACHINE,
        weight: 9,
        severities: &["high", "high", "high", "medium"],
        about: About::Mining,
    },
    Kind {
        alert_type: "VM_AnomalousDeployment",
        display_name: "Unusual deployment of virtual machines",
        what: "Far more cores than ever before were deployed in a short time, in regions that the subscription had not used.",
        steps: ON_A_MACHINE,
        weight: 7,
        severities: &["high", "high", "medium"],
        about: About::Deployment { of: "Virtual Machine", provider: "Microsoft.Compute/virtualMachines/vm" },
    },
    Kind {
        alert_type: "ARM_AnomalousResourceConsumption",
        display_name: "Unusual consumption of resources",
        what: "Consumption of the subscription grew far beyond its recent pattern.",
        steps: ON_A_BILL,
        weight: 6,
        severities: &["medium", "medium", "high", "low"],
        about: About::Usage,
    },
    Kind {
        alert_type: "ARM_SuspiciousOperations",
        display_name: "Suspicious management operations",
        what: "An account assigned roles, deleted resource locks and raised quotas within minutes.",
        steps: ON_AN_ACCOUNT,
        weight: 4,
        severities: &["high", "medium"],
        about: About::Operations,
    },
    Kind {
        alert_type: "AzureMachineLearning_AnomalousDeployment",
        display_name: "Unusual deployment of machine learning compute",
        what: "Compute clusters with graphics processors were made in several regions at once.",
        steps: ON_A_MACHINE,
        weight: 3,
        severities: &["high", "medium"],
        about: About::Deployment {
            of: "Machine Learning workspace",
            provider: "Microsoft.MachineLearningServices/workspaces/ml",
        },
    },
    Kind {
        alert_type: "AzureContainerInstances_AnomalousDeployment",
        display_name: "Unusual deployment of container instances",
        what: "Many container groups were started from one public image.",
        steps: ON_A_MACHINE,
        weight: 2,
        severities: &["medium", "high"],
        about: About::Deployment { of: "Container group", provider: "Microsoft.ContainerInstance/containerGroups/aci" },
    },
    Kind {
        alert_type: "AzureBatch_AnomalousDeployment",
        display_name: "Unusual deployment of batch pools",
        what: "Batch pools of low-priority nodes were made and filled at once.",
        steps: ON_A_MACHINE,
        weight: 2,
        severities: &["medium", "high"],
        about: About::Deployment { of: "Batch account", provider: "Microsoft.Batch/batchAccounts/batch" },
    },
    Kind {
        alert_type: "usageAnomalyDetection",
        display_name: "Unusual growth in usage",
        what: "Usage of the subscription grew far beyond its recent pattern.",
        steps: ON_A_BILL,
        weight: 2,
        severities: &["low", "medium"],
        about: About::Usage,
    },
    Kind {
        alert_type: "networkConnectionsToCryptoMiningPools",
        display_name: "Network connections to cryptocurrency mining pools",
        what: "A machine of the subscription reached an address that belongs to a known mining pool.",
        steps: ON_A_MACHINE,
        weight: 1,
        severities: &["high"],
        about: About::Mining,
    },
    Kind {
        alert_type: "virtualMachineDeploymentAnomaly",
        display_name: "Anomaly in the deployment of virtual machines",
        what: "Virtual machines were deployed as the subscription never did before.",
        steps: ON_A_MACHINE,
        weight: 1,
        severities: &["medium"],
        about: About::Deployment { of: "Virtual Machine", provider: "Microsoft.Compute/virtualMachines/vm" },
    },
    Kind {
        alert_type: "multiRegionVirtualMachineScaleSetDeploymentAnomaly",
        display_name: "Scale sets deployed in many regions",
        what: "Scale sets of virtual machines were deployed in many regions in a short time.",
        steps: ON_A_MACHINE,
        weight: 1,
        severities: &["high"],
        about: About::Deployment { of: "Scale set", provider: "Microsoft.Compute/virtualMachineScaleSets/vmss" },
    },
    Kind {
        alert_type: "multiRegionMachineLearningUsageAnomaly",
        display_name: "Machine learning used in many regions",
        what: "Machine learning was used in many regions in a short time.",
        steps: ON_A_BILL,
        weight: 1,
        severities: &["medium"],
        about: About::Usage,
    },
    Kind {
        alert_type: "serviceHealthSecurityAdvisory",
        display_name: "Service Health security advisory",
        what: "Microsoft has sent the customer a security advisory that concerns resources of this subscription.",
        steps: TO_READ,
        weight: 2,
        severities: &["informational", "low"],
        about: About::Advisory,
    },
    Kind {
        alert_type: "StorageExport_AnomalousTransfer",
        display_name: "Unusual transfer out of storage",
        what: "Far more data than ever before left storage accounts of the subscription.",
        steps: ON_A_BILL,
        weight: 1,
        severities: &["high", "unknownFutureValue"],
        about: About::Usage,
    },
];

const REGIONS: [&str; 8] =
    ["westeurope", "eastus2", "japaneast", "southeastasia", "brazilsouth", "australiaeast", "southindia", "norwayeast"];

impl Kind {
    /// The kind of the alert of this number: within each few dozen alerts every kind comes up, the common ones more often.
    pub(super) fn of(number: u64) -> &'static Self {
        let all: usize = KINDS.iter().map(|kind| kind.weight).sum();
        // 29 shares no factor with the sum of the weights.
        let mut place = usize::try_from(number).unwrap_or(0).wrapping_mul(29) % all;
        for kind in &KINDS {
            match place.checked_sub(kind.weight) {
                Some(rest) => place = rest,
                None => return kind,
            }
        }
        &KINDS[0]
    }

    /// What Microsoft says of it, with steps to investigate.
    pub(super) fn description(&self) -> String {
        let steps = self.steps.iter().enumerate().map(|(place, step)| format!("\n{}. {step}", place + 1));
        format!("{}\n\nSteps to investigate:{}", self.what, steps.collect::<String>())
    }

    /// What an alert says of a subscription.
    pub(super) fn said(&self, dice: &mut Dice, subscription: &str) -> Said {
        match self.about {
            About::Advisory => Said {
                resources: Vec::new(),
                details: Some(texts([(
                    "TrackingId",
                    format!("{:04}-{:03}", dice.within(0, 9_999), dice.within(0, 999)),
                )])),
            },
            About::Deployment { of, provider } => {
                let count = dice.within(1, 4);
                let resources = (1..=count).map(|number| resource(subscription, provider, number)).collect();
                let regions = list((0..dice.within(1, 4)).filter_map(|_| dice_of(dice, &REGIONS)));
                let details = [
                    ("resourcetype", of.to_owned()),
                    ("Regions", regions),
                    ("DeployedCount", dice.within(12, 480).to_string()),
                    ("BaselineCount", dice.within(0, 6).to_string()),
                ];
                Said { resources, details: Some(texts(details)) }
            }
            About::Mining => {
                let machine = resource(subscription, "Microsoft.Compute/virtualMachines/vm", dice.within(1, 20));
                // Lists inside strings: so the samples have them. The addresses are those for documents.
                let pools = list((0..dice.within(1, 3)).map(|_| format!("203.0.113.{}", dice.within(1, 254))));
                let details = [
                    ("resourceid", machine.clone()),
                    ("resourcetype", "Virtual Machine".to_owned()),
                    ("VM_IP", list([format!("10.20.{}.{}", dice.within(0, 9), dice.within(4, 250))])),
                    ("MiningPool_IP", pools),
                    ("ConnectionCount", dice.within(2, 900).to_string()),
                    ("CryptoCurrencyMiningPoolDomainName", format!("pool-{}.example.net", dice.within(1, 60))),
                ];
                Said { resources: vec![machine], details: Some(texts(details)) }
            }
            About::Operations => {
                let operations = [
                    "Microsoft.Authorization/roleAssignments/write",
                    "Microsoft.Authorization/locks/delete",
                    "Microsoft.Quota/quotas/write",
                ];
                let details = [
                    ("CallerIPAddress", format!("198.51.100.{}", dice.within(1, 254))),
                    ("Operations", list(operations)),
                    ("OperationCount", dice.within(3, 60).to_string()),
                ];
                Said { resources: vec![format!("/subscriptions/{subscription}")], details: Some(texts(details)) }
            }
            // Some have none, and that in two ways.
            About::Usage if dice.falls(10) => Said { resources: Vec::new(), details: None },
            About::Usage if dice.falls(10) => Said { resources: Vec::new(), details: Some(BTreeMap::new()) },
            About::Usage => {
                let usual = dice.within(2, 90);
                let details = [
                    ("BaselineDailyCost", format!("{usual}.00 EUR")),
                    ("ObservedDailyCost", format!("{}.00 EUR", usual * dice.within(8, 60))),
                    ("Region", dice_of(dice, &REGIONS).unwrap_or_default().to_owned()),
                ];
                Said { resources: vec![format!("/subscriptions/{subscription}")], details: Some(texts(details)) }
            }
        }
    }
}

fn dice_of(dice: &mut Dice, all: &[&'static str]) -> Option<&'static str> {
    dice.one_of(all).copied()
}

fn resource(subscription: &str, provider: &str, number: i64) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/rg-build/providers/{provider}-{number:02}")
}

/// A list inside a text, as the samples have it.
fn list(values: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| format!("  \"{}\"", value.as_ref())).collect();
    format!("[{}]", values.join(","))
}

fn texts<const N: usize>(members: [(&str, String); N]) -> BTreeMap<String, String> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
