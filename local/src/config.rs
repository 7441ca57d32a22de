//! Configuration of the local system, beside that of the functions, which it honours unchanged.

use std::{net::SocketAddr, path::PathBuf, str::FromStr};

use models::{PathKey, TenantId};
use runtime::{ConfigError, Seconds, Variable, Variables};

const LOCAL_GATEWAY: Variable = Variable {
    name: "LOCAL_GATEWAY",
    meaning: "the loopback address and port of the gateway; port 0 takes any",
    default: Some("127.0.0.1:8080"),
};
const LOCAL_MICROSOFT: Variable = Variable {
    name: "LOCAL_MICROSOFT",
    meaning: "the loopback address and port of the simulated Microsoft; port 0 takes any",
    default: Some("127.0.0.1:8443"),
};
const LOCAL_CONTROL: Variable = Variable {
    name: "LOCAL_CONTROL",
    meaning: "the loopback address and port of the simulator's control; port 0 takes any",
    default: Some("127.0.0.1:8081"),
};
const LOCAL_STATE_DIRECTORY: Variable = Variable {
    name: "LOCAL_STATE_DIRECTORY",
    meaning: "the folder that state is kept in",
    default: Some(".partner-alerts"),
};
const LOCAL_TENANT: Variable = Variable {
    name: "LOCAL_TENANT",
    meaning: "the id of the seed tenant, a GUID",
    default: Some("9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10"),
};
const LOCAL_PATH_KEY: Variable = Variable {
    name: "LOCAL_PATH_KEY",
    meaning: "the key in the seed tenant's callback address, 64 lower-case hexadecimal digits; by default one that is made \
              at the first start",
    default: None,
};
const LOCAL_SCHEDULE_SECONDS: Variable = Variable {
    name: "LOCAL_SCHEDULE_SECONDS",
    meaning: "how often the schedule asks for runs, 1 to 3600 seconds",
    default: Some("300"),
};
const LOCAL_SWEEP_SECONDS: Variable = Variable {
    name: "LOCAL_SWEEP_SECONDS",
    meaning: "how often the sweep looks for what is unpublished, 1 to 3600 seconds",
    default: Some("60"),
};
const LOCAL_RENEW_SECONDS: Variable = Variable {
    name: "LOCAL_RENEW_SECONDS",
    meaning: "how often credentials are looked at, 1 to 86400 seconds",
    default: Some("21600"),
};
const LOCAL_SCHEDULE: Variable =
    switch("LOCAL_SCHEDULE", "whether the schedules run, and what has expired is deleted: on or off");
const LOCAL_QUEUE: Variable = switch("LOCAL_QUEUE", "whether the queue is delivered: on or off");
const LOCAL_STREAMS: Variable = switch("LOCAL_STREAMS", "whether streams are delivered: on or off");
const LOCAL_DEMONSTRATION: Variable =
    switch("LOCAL_DEMONSTRATION", "whether a first start raises a demonstration alert: on or off");
const LOCAL_DEMONSTRATION_ALERTS: Variable = Variable {
    name: "LOCAL_DEMONSTRATION_ALERTS",
    meaning: "how many alerts of three partner tenants the demonstration finds at Microsoft, 0 to 10000; 0 leaves out the other \
              two tenants, too",
    default: Some("150"),
};

const fn switch(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, meaning, default: Some("on") }
}

/// Every variable of the local system, beside those of the functions.
pub const VARIABLES: [Variable; 14] = [
    LOCAL_GATEWAY,
    LOCAL_MICROSOFT,
    LOCAL_CONTROL,
    LOCAL_STATE_DIRECTORY,
    LOCAL_TENANT,
    LOCAL_PATH_KEY,
    LOCAL_SCHEDULE_SECONDS,
    LOCAL_SWEEP_SECONDS,
    LOCAL_RENEW_SECONDS,
    LOCAL_SCHEDULE,
    LOCAL_QUEUE,
    LOCAL_STREAMS,
    LOCAL_DEMONSTRATION,
    LOCAL_DEMONSTRATION_ALERTS,
];

/// On or off. A switch is part of the machine around the functions (what AWS would run), never a check of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Switch(pub(crate) bool);

impl FromStr for Switch {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(Self(true)),
            "off" => Ok(Self(false)),
            _ => Err("it is neither"),
        }
    }
}

/// How many alerts the demonstration finds: few enough to be kept by the simulator, which writes all of them at each change.
pub(crate) struct Shown(pub(crate) u64);

impl FromStr for Shown {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().ok().filter(|alerts| *alerts <= 10_000).map(Self).ok_or("it is no number from 0 to 10000")
    }
}

/// The configuration of the local system.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct LocalConfig {
    pub(crate) gateway: SocketAddr,
    pub(crate) microsoft: SocketAddr,
    pub(crate) control: SocketAddr,
    pub(crate) state: PathBuf,
    pub(crate) tenant: TenantId,
    pub(crate) path_key: Option<PathKey>,
    pub(crate) schedule_every: std::time::Duration,
    pub(crate) sweep_every: std::time::Duration,
    pub(crate) renew_every: std::time::Duration,
    pub(crate) schedule: bool,
    pub(crate) queue: bool,
    pub(crate) streams: bool,
    pub(crate) demonstration: bool,
    pub(crate) demonstration_alerts: u64,
}

impl LocalConfig {
    /// Whether the demonstration is to find alerts at Microsoft.
    pub(crate) fn shows_alerts(&self) -> bool {
        self.demonstration && self.demonstration_alerts > 0
    }

    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable.
    pub fn read(variables: &Variables) -> Result<Self, ConfigError> {
        let every = |variable, most| {
            let bounds = Seconds { least: 1, most };
            let duration = variables.seconds(variable, bounds)?;
            Ok(std::time::Duration::from_secs(duration.as_secs().unsigned_abs()))
        };
        let on = |variable| Ok(variables.read::<Switch>(variable)?.0);
        Ok(Self {
            gateway: variables.read(&LOCAL_GATEWAY)?,
            microsoft: variables.read(&LOCAL_MICROSOFT)?,
            control: variables.read(&LOCAL_CONTROL)?,
            state: variables.read(&LOCAL_STATE_DIRECTORY)?,
            tenant: variables.read(&LOCAL_TENANT)?,
            path_key: variables.optional(&LOCAL_PATH_KEY)?,
            schedule_every: every(&LOCAL_SCHEDULE_SECONDS, 3_600)?,
            sweep_every: every(&LOCAL_SWEEP_SECONDS, 3_600)?,
            renew_every: every(&LOCAL_RENEW_SECONDS, 86_400)?,
            schedule: on(&LOCAL_SCHEDULE)?,
            queue: on(&LOCAL_QUEUE)?,
            streams: on(&LOCAL_STREAMS)?,
            demonstration: on(&LOCAL_DEMONSTRATION)?,
            demonstration_alerts: variables.read::<Shown>(&LOCAL_DEMONSTRATION_ALERTS)?.0,
        })
    }
}
