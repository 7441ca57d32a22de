//! What there is to be seen at a first start: three partner tenants, whose Microsoft knows alerts of ten weeks.
//!
//! The first look at each brings them in as Microsoft's own history, and one alert that comes after it is told as any other.

use models::{AlertSource, Cloud, PathKey, Tenant, TenantId};
use runtime::SharedClock;
use simulator::{AlertError, History, Simulator};

use crate::{
    LocalConfig,
    names::{CLIENT_ID, CLIENT_SECRET, SEED_SECRETS, act_secret, read_secret},
};

/// A partner tenant of the demonstration.
#[derive(Clone, Debug)]
pub(crate) struct Partner {
    pub(crate) id: TenantId,
    name: &'static str,
    /// What the names of its secrets end in.
    secrets: String,
    /// From what its history follows.
    seed: u64,
    /// How many of [`SHARES`] alerts are its own.
    share: u64,
}

const SEED_TENANT: &str = "Contoso Partner (made up)";
const OTHERS: [(&str, &str, u64); 2] = [
    ("1c8e4b27-63d9-4f05-9a1e-b7d2f0c35a48", "Fabrikam Distribution (made up)", 5),
    ("e4a90d56-2b17-4c83-8f6d-05c9a3b1e7f2", "Tailwind Cloud Services (made up)", 3),
];
/// The seed tenant has what the others leave.
const SHARES: u64 = 16;

impl Partner {
    /// The seed tenant, and those that stand beside it: alerts of several are in one list.
    pub(crate) fn all(config: &LocalConfig) -> Vec<Self> {
        let others = OTHERS.iter().zip(2..).filter_map(|((id, name, share), seed)| {
            let id: TenantId = id.parse().ok().filter(|id| *id != config.tenant)?;
            Some(Self { secrets: id.to_string(), id, name, seed, share: *share })
        });
        let mut all: Vec<Self> = others.collect();
        let share = SHARES - all.iter().map(|partner| partner.share).sum::<u64>();
        let seed =
            Self { id: config.tenant.clone(), name: SEED_TENANT, secrets: SEED_SECRETS.to_owned(), seed: 1, share };
        all.insert(0, seed);
        all
    }

    /// Those that are set up at a first start: all where their alerts are to be seen, and otherwise the seed tenant alone.
    pub(crate) fn set_up(config: &LocalConfig) -> Vec<Self> {
        let mut all = Self::all(config);
        if !config.shows_alerts() {
            all.truncate(1);
        }
        all
    }

    pub(crate) fn read_secret(&self) -> String {
        read_secret(&self.secrets)
    }

    pub(crate) fn act_secret(&self) -> String {
        act_secret(&self.secrets)
    }

    /// The tenant as the stand-in for Microsoft knows it, whose callbacks go below this address of the gateway.
    pub(crate) fn at_microsoft(&self, origin: &str, path_key: &PathKey) -> simulator::Tenant {
        simulator::Tenant {
            id: self.id.to_string(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
            callback_url: Some(format!("{origin}{}", callback_path(&self.id, path_key))),
            ..simulator::Tenant::default()
        }
    }

    /// The tenant as we are set up for it.
    pub(crate) fn tenant(&self, config: &LocalConfig, path_key: &PathKey) -> Tenant {
        Tenant {
            id: self.id.clone(),
            display_name: self.name.to_owned(),
            cloud: Cloud::Global,
            alert_source: AlertSource::Graph,
            path_key_hashes: vec![path_key.hash()],
            read_secret: self.read_secret(),
            // What there is to be seen at first is there to be acted on.
            act_secret: config.demonstration.then(|| self.act_secret()),
            active: true,
        }
    }

    fn history(&self, config: &LocalConfig, clock: &SharedClock) -> History {
        History::of_weeks(self.seed, clock.now(), config.demonstration_alerts * self.share / SHARES)
    }
}

/// Where a tenant's callbacks come in.
pub(crate) fn callback_path(tenant: &TenantId, path_key: &PathKey) -> String {
    format!("/callbacks/{tenant}/{}", path_key.expose())
}

/// Tells the stand-in for Microsoft of their alerts, where this is the first start, and of their customers, which it does not keep.
pub(crate) fn prepare(
    simulator: &Simulator,
    config: &LocalConfig,
    clock: &SharedClock,
    first_start: bool,
) -> Result<(), AlertError> {
    for partner in Partner::all(config).iter().filter(|_| config.shows_alerts()) {
        let (id, history) = (partner.id.as_str(), partner.history(config, clock));
        simulator.describe_customers(id, history)?;
        if first_start {
            simulator.raise_all(id, history)?;
        }
    }
    Ok(())
}
