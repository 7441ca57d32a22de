//! What the AWS resources are called here, and where the command line finds them.

use std::net::SocketAddr;

use runtime::{ConfigError, Variable, Variables};
use simulator::Simulator;
use store::TableNames;

use crate::functions::{OPERATIONS_SCHEDULE, POLL_SCHEDULE, RENEW_SCHEDULE, SWEEP_SCHEDULE};

pub(crate) const REGION: &str = "eu-west-1";

/// The application of the seed tenant, as the simulated Entra ID knows it.
pub(crate) const CLIENT_ID: &str = "11111111-2222-4333-8444-555555555555";
pub(crate) const CLIENT_SECRET: &str = "made-up-secret-of-the-local-system";

/// What the world would call the gateway: Partner Center takes https addresses alone, and the simulator knows what is meant. A name
/// below `localhost` is this machine's, whoever asks (RFC 6761, section 6.3).
pub(crate) const PUBLIC: &str = "https://partner-alerts.localhost";

/// What the names of the seed tenant's secrets end in.
pub(crate) const SEED_SECRETS: &str = "local";
/// The secrets with which people are let in.
pub(crate) const SIGN_IN_SECRET: &str = "partner-alerts/sign-in/client";
pub(crate) const SEALING_SECRET: &str = "partner-alerts/sign-in/sealing";
/// The secret with which places in lists are sealed.
pub(crate) const CURSOR_SECRET: &str = "partner-alerts/dashboard/sealing";

/// What names of secrets begin with, as the template has it.
const ACT_SECRET_PREFIX: &str = "partner-alerts/act/";
const READ_SECRET_PREFIX: &str = "partner-alerts/read/";

/// The secret of this tenant by which alerts are read.
pub(crate) fn read_secret(of: &str) -> String {
    format!("{READ_SECRET_PREFIX}{of}")
}

/// The secret of this tenant by which alerts are acted on.
pub(crate) fn act_secret(of: &str) -> String {
    format!("{ACT_SECRET_PREFIX}{of}")
}

/// What the AWS resources are called here.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) host: String,
    pub(crate) tables: TableNames,
    pub(crate) fraud_topic: String,
    pub(crate) events_topic: String,
    pub(crate) operations_topic: String,
}

impl Names {
    /// The names that the variables give, or our own.
    pub(crate) fn new(endpoint: SocketAddr, variables: &Variables) -> Result<Self, ConfigError> {
        let name = |name, default: String| {
            let variable = Variable { name, meaning: "the name of a resource", default: None };
            Ok(variables.optional(&variable)?.unwrap_or(default))
        };
        let table = |variable, role| name(variable, format!("partner-alerts-{role}"));
        let topic = |variable, kind| name(variable, format!("arn:aws:sns:{REGION}:000000000000:partner-alerts-{kind}"));
        Ok(Self {
            host: endpoint.to_string(),
            tables: TableNames {
                activity: table("ACTIVITY_TABLE", "activity")?,
                alerts: table("ALERTS_TABLE", "alerts")?,
                events: table("EVENTS_TABLE", "events")?,
                sessions: table("SESSIONS_TABLE", "sessions")?,
                tenants: table("TENANTS_TABLE", "tenants")?,
            },
            fraud_topic: topic("FRAUD_TOPIC_ARN", "fraud")?,
            events_topic: topic("EVENTS_TOPIC_ARN", "events")?,
            operations_topic: topic("OPERATIONS_TOPIC_ARN", "operations")?,
        })
    }

    pub(crate) fn table(&self, role: &str) -> String {
        match role {
            "activity" => self.tables.activity.clone(),
            "alerts" => self.tables.alerts.clone(),
            "events" => self.tables.events.clone(),
            "sessions" => self.tables.sessions.clone(),
            "tenants" => self.tables.tenants.clone(),
            other => format!("partner-alerts-{other}"),
        }
    }

    pub(crate) fn queue(&self, name: &str) -> String {
        format!("http://{}/000000000000/{name}", self.host)
    }

    /// What the command line needs to work on this system, with the configuration that the functions have.
    pub(crate) fn environment(
        &self,
        access_key_id: &str,
        functions: &Variables,
        simulator: &Simulator,
        callback_url: &str,
    ) -> Vec<(String, String)> {
        let own = [
            ("AWS_ACCESS_KEY_ID", access_key_id.to_owned()),
            // Version 1 of the AWS command line reads this one alone.
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{}", self.host)),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "unused".to_owned()),
            // Whatever the shell was set to before.
            ("AWS_SESSION_TOKEN", String::new()),
            ("PARTNER_ALERTS_STACK", String::new()),
            ("ACTIVITY_TABLE", self.table("activity")),
            ("ACT_SECRET_PREFIX", ACT_SECRET_PREFIX.to_owned()),
            ("ALERTS_TABLE", self.table("alerts")),
            ("CALLBACK_BASE_URL", format!("{PUBLIC}/callbacks/")),
            ("EVENTS_TABLE", self.table("events")),
            ("EVENTS_TOPIC_ARN", self.events_topic.clone()),
            ("FRAUD_TOPIC_ARN", self.fraud_topic.clone()),
            ("GLOBAL_PARTNER_CENTER_URL", simulator.partner_center_url()),
            ("LOCAL_CALLBACK_URL", callback_url.to_owned()),
            ("LOCAL_CLIENT_ID", CLIENT_ID.to_owned()),
            ("LOCAL_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
            ("NAMES_DEAD_LETTERS_URL", self.queue("names-dead-letters")),
            ("NAMES_QUEUE_URL", self.queue("names")),
            ("OPERATIONS_DEAD_LETTERS_URL", self.queue("operations-dead-letters")),
            ("OPERATIONS_QUEUE_URL", self.queue("operations")),
            ("OPERATIONS_TOPIC_ARN", self.operations_topic.clone()),
            ("READ_SECRET_PREFIX", READ_SECRET_PREFIX.to_owned()),
            ("RECONCILE_DEAD_LETTERS_URL", self.queue("reconcile-dead-letters")),
            ("RECONCILE_QUEUE_URL", self.queue("reconcile")),
            ("SCHEDULES", [OPERATIONS_SCHEDULE, POLL_SCHEDULE, RENEW_SCHEDULE, SWEEP_SCHEDULE].join(",")),
            ("SESSIONS_TABLE", self.table("sessions")),
            ("STREAM_DEAD_LETTERS_URL", self.queue("stream-dead-letters")),
            ("TENANTS_TABLE", self.table("tenants")),
        ];
        let mut all: Vec<_> = own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        all.extend(shared(functions));
        all.sort();
        all
    }
}

/// What the command line reads as the functions do.
fn shared(functions: &Variables) -> impl Iterator<Item = (String, String)> {
    const TEXTS: [&str; 5] = [
        "CERTIFICATE_ISSUER_HOSTS",
        "CERTIFICATE_LOCATIONS",
        "CERTIFICATE_NAMES",
        "GLOBAL_GRAPH_URL",
        "GLOBAL_LOGIN_URL",
    ];
    const FILES: [&str; 3] =
        ["OUTGOING_TLS_TRUST_ANCHORS_FILE", "SIGNATURE_INTERMEDIATES_FILE", "SIGNATURE_TRUST_ANCHORS_FILE"];
    let value = |name: &'static str| {
        let variable = Variable { name, meaning: "as the functions have it", default: None };
        functions.optional::<String>(&variable).ok().flatten().map(|value| (name.to_owned(), value))
    };
    // The command line may be started in any folder.
    let anywhere = |(name, path): (String, String)| {
        let path = std::path::absolute(&path).map_or(path, |path| path.display().to_string());
        (name, path)
    };
    TEXTS
        .into_iter()
        .filter_map(value)
        .chain(FILES.into_iter().filter_map(value).map(anywhere))
        .collect::<Vec<_>>()
        .into_iter()
}
