//! The whole system: put together, started in order, stopped in order.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

use aws_credential_types::Credentials;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use models::PathKey;
use runtime::{Metrics, OutgoingTls, Parts, SharedClock, StartError, SystemClock, Variables, aws_config_loader};
use serde_json::json;
use simulator::{NewAlert, Simulator};
use store::{ReadTenants as _, Store, TableNames, WriteTenants as _, schema};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    LocalConfig,
    aws::{
        Services,
        control::AccountControl,
        dynamodb::Embedded,
        scheduler::{Schedule, Schedules},
        secrets::Secrets,
        sns::{Subscriber, Topics},
        sqs::{Queue, Queues},
    },
    demonstration::{self, Partner},
    environment,
    functions::{Functions, OPERATIONS_SCHEDULE, POLL_SCHEDULE, RENEW_SCHEDULE, SWEEP_SCHEDULE},
    gateway,
    loopback::{self, Server},
    names::{CLIENT_ID, CLIENT_SECRET, CURSOR_SECRET, Names, PUBLIC, REGION, SEALING_SECRET, SIGN_IN_SECRET},
    schedule,
    state::State,
    stop::Stop,
    welcome::{self, Places},
};

/// Why the local system can't start, or can't go on.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// A function can't be wired.
    #[error(transparent)]
    Function(#[from] StartError),
    /// The embedded database failed.
    #[error("the embedded database failed: {0} (if its file is damaged, delete the folder that state is kept in)")]
    Engine(String),
    /// A port can't be had.
    #[error("{what} can't listen on {address}: set {what} to another address, or stop what uses this one")]
    InUse {
        /// The variable that names the address.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// A listener has no address.
    #[error("a listener has no address")]
    Listener(#[source] io::Error),
    /// An address is open to other machines.
    #[error("{what} is {address}, which other machines could reach: take a loopback address such as 127.0.0.1")]
    NotLoopback {
        /// The variable that names the address.
        what: &'static str,
        /// The address.
        address: SocketAddr,
    },
    /// The simulator can't start or be used.
    #[error("the simulated Microsoft can't start")]
    Simulator(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// State can't be read or written.
    #[error("state can't be kept in {}: set LOCAL_STATE_DIRECTORY to a folder that can be written", folder.display())]
    State {
        /// The folder.
        folder: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// Another local system uses the state.
    #[error(
        "the state in {} is used by another local system: stop that one, or set LOCAL_STATE_DIRECTORY to another folder",
        folder.display()
    )]
    StateInUse {
        /// The folder.
        folder: PathBuf,
    },
    /// A table can't be made or filled.
    #[error("the tables can't be made")]
    Tables(#[source] store::StoreError),
}

/// The local system, running.
#[derive(Debug)]
pub struct System {
    config: LocalConfig,
    parts: Parts,
    tables: TableNames,
    simulator: Simulator,
    callback_url: String,
    origin: String,
    queues: [Queue; 3],
    tasks: JoinSet<()>,
    gateway: Server,
    stop: watch::Sender<bool>,
    endpoint: Server,
    stop_endpoint: watch::Sender<bool>,
    first_start: bool,
    state: Arc<State>,
    environment: Vec<(String, String)>,
    account: AccountControl,
    dynamodb: Embedded,
}

impl System {
    /// Starts everything. When this returns, callbacks are taken. `subscriber` is told each message that is published.
    ///
    /// # Errors
    ///
    /// [`LocalError`], which says what to change.
    pub async fn start(variables: Variables, subscriber: Subscriber) -> Result<Self, LocalError> {
        Self::start_by(Arc::new(SystemClock), variables, subscriber).await
    }

    /// The same by another clock, which the functions and whatever dates what it keeps go by. The simulator has its own.
    ///
    /// # Errors
    ///
    /// As [`System::start`].
    pub async fn start_by(
        clock: SharedClock,
        variables: Variables,
        subscriber: Subscriber,
    ) -> Result<Self, LocalError> {
        runtime::start_logging(&variables, io::stderr).map_err(StartError::from)?;
        let config = LocalConfig::read(&variables).map_err(StartError::from)?;
        let state = Arc::new(State::open(&config.state)?);
        let first_start = state.read("alerts.json")?.is_none();
        let (stop, stopped) = watch::channel(false);
        let (stop_endpoint, endpoint_stopped) = watch::channel(false);

        let gateway = loopback::bind("LOCAL_GATEWAY", config.gateway).await?;
        let gateway_address = gateway.local_addr().map_err(LocalError::Listener)?;
        let path_key = state.path_key(config.path_key.as_ref())?;
        let origin = format!("http://{gateway_address}");
        let path = demonstration::callback_path(&config.tenant, &path_key);
        let callback_url = format!("{origin}{path}");
        let simulator = start_simulator(&config, &state, &origin, &path_key).await?;
        simulator.set_public_address(PUBLIC, &origin);
        demonstration::prepare(&simulator, &config, &clock, first_start)
            .map_err(|error| LocalError::Simulator(Box::new(error)))?;

        let endpoint = loopback::bind("the AWS endpoint", SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let address = endpoint.local_addr().map_err(LocalError::Listener)?;
        let names = Names::new(address, &variables).map_err(StartError::from)?;
        let services = services(&names, &config, &state, &clock, subscriber, &stopped)?;
        let endpoint = loopback::serve(endpoint, services.clone().router(), endpoint_stopped);
        let variables = variables_of_functions(variables, &names, &simulator, &state)?
            .over(variables_of_people(&names, &config, &simulator, &origin));
        let parts = parts(variables, &names, &services, clock).await?;
        let store = make_tables(&parts, &names).await?;
        set_up_tenants(&store, &config, &path_key, first_start).await?;

        let mut tasks = JoinSet::new();
        let functions = Functions::wire(&parts)?;
        let queues = [services.queues.reconcile, services.queues.names, services.queues.operations];
        let [reconcile, of_names, operations] = &queues;
        functions.wake_by_queue(reconcile);
        functions.wake_by_queue(of_names);
        functions.wake_by_operations(operations);
        if config.streams {
            let given_up = &services.queues.stream_dead_letters;
            functions.wake_by_streams(&mut tasks, &services.dynamodb, &names.tables, &state, given_up, &stopped);
        }
        if first_start && config.demonstration {
            for partner in Partner::set_up(&config) {
                functions.look_once(&partner.id).await;
            }
        }
        if config.schedule {
            functions.wake_by_schedule(&mut tasks, &config, &services.schedules, &stopped);
            tasks.spawn(expire(services.dynamodb.database(), stopped.clone()));
        }
        let of_api = functions.api();
        let routes = gateway::router(functions.webhook, functions.people, &of_api);
        let public_url = format!("{PUBLIC}{path}");
        let environment = names.environment(&services.access_key_id, &parts.variables, &simulator, &public_url);
        environment::write(&state, &environment)?;
        Ok(Self {
            gateway: loopback::serve(gateway, routes, stopped),
            tables: names.tables,
            queues,
            config,
            parts,
            simulator,
            callback_url,
            origin,
            tasks,
            stop,
            endpoint,
            stop_endpoint,
            first_start,
            state,
            environment,
            account: services.control,
            dynamodb: services.dynamodb,
        })
    }

    /// What to tell whoever started it.
    #[must_use]
    pub fn welcome(&self) -> String {
        welcome::welcome(&Places {
            callback: &self.callback_url,
            sign_in: &format!("{}/sign-in", self.origin),
            api: &format!("{}{}", self.origin, api::PREFIX),
            microsoft: &self.simulator.microsoft_url(),
            control: &self.simulator.control_url(),
            state: &self.config.state.display().to_string(),
            environment: &self.config.state.join(environment::FILE).display().to_string(),
            tenant: self.config.tenant.as_str(),
        })
    }

    /// The seed tenant's callback address.
    #[must_use]
    pub fn callback_url(&self) -> &str {
        &self.callback_url
    }

    /// Where our pages are.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What the functions are wired from, to wire more of them.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The names of the tables.
    #[must_use]
    pub fn tables(&self) -> &TableNames {
        &self.tables
    }

    /// What the command line needs to work on this system: names and values of variables.
    #[must_use]
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// The AWS account that this system stands in for, to have it refuse, or tell the wrong time.
    #[must_use]
    pub fn account(&self) -> &AccountControl {
        &self.account
    }

    /// The database itself, past the wire.
    pub(crate) fn database(&self) -> dynoxide::Database {
        self.dynamodb.database()
    }

    /// The stand-in for Microsoft.
    #[must_use]
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// On a first start, raises an alert and announces it by a callback, so that there is something to see.
    pub async fn demonstrate(&self) {
        if !(self.first_start && self.config.demonstration) {
            return;
        }
        let shown = async {
            let alert = self.simulator.raise(NewAlert::default())?;
            let callback = self.simulator.sign(&self.simulator.fraud_callback(&alert))?;
            self.simulator.deliver(&self.callback_url, callback).await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        };
        if let Err(error) = shown.await {
            tracing::error!(error = runtime::chain(error.as_ref()), "the demonstration alert could not be raised");
        }
    }

    /// Stops everything: nothing new is begun, what is under way ends, and only then what it stands on.
    pub async fn stop(mut self) {
        environment::remove(&self.state);
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
        self.gateway.ended().await;
        for queue in &self.queues {
            queue.idle().await;
        }
        let _ = self.stop_endpoint.send(true);
        self.endpoint.ended().await;
        self.simulator.stop().await;
    }
}

/// Waits for Ctrl-C, or for the signal that service managers stop a program with, from the moment that this is called.
#[cfg(unix)]
pub fn stop_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        if let [Ok(mut interrupt), Ok(mut terminate)] = signals {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        } else {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
pub async fn stop_signal() {
    let _ = tokio::signal::ctrl_c().await;
}

/// Deletes what has expired, as DynamoDB does by itself: the engine only does so when it is told.
async fn expire(database: dynoxide::Database, stop: Stop) {
    const EVERY: std::time::Duration = std::time::Duration::from_hours(1);
    schedule::run(EVERY, stop, || {
        let database = database.clone();
        async move {
            match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "what has expired could not be deleted"),
                Err(_) => tracing::warn!("what has expired could not be deleted"),
            }
        }
    })
    .await;
}

async fn start_simulator(
    config: &LocalConfig,
    state: &State,
    origin: &str,
    path_key: &PathKey,
) -> Result<Simulator, LocalError> {
    let options = simulator::Options {
        control: config.control,
        microsoft: config.microsoft,
        state_file: Some(state.path("alerts.json")),
        tenants: Partner::all(config).iter().map(|partner| partner.at_microsoft(origin, path_key)).collect(),
        ..simulator::Options::default()
    };
    Simulator::start(options).await.map_err(|error| match error {
        simulator::StartError::Bind { address, source } => {
            let what = if address == config.control { "LOCAL_CONTROL" } else { "LOCAL_MICROSOFT" };
            LocalError::InUse { what, address, source }
        }
        error => LocalError::Simulator(Box::new(error)),
    })
}

fn services(
    names: &Names,
    config: &LocalConfig,
    state: &Arc<State>,
    clock: &SharedClock,
    subscriber: Subscriber,
    stopped: &Stop,
) -> Result<Services, LocalError> {
    let database = state.path("dynamodb.sqlite");
    let secrets = Secrets::open(Arc::clone(state), Arc::clone(clock))?;
    // The stand-in's client secret has no end; one that nobody knows would be something to see to.
    let secret = json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "client_secret_expires": "2999-12-31T00:00:00Z" });
    for partner in Partner::all(config) {
        secrets.seed(&partner.read_secret(), &secret.to_string())?;
        secrets.seed(&partner.act_secret(), &secret.to_string())?;
    }
    let client = json!({ "client_secret": CLIENT_SECRET, "client_secret_expires": "2999-12-31T00:00:00Z" });
    secrets.seed(SIGN_IN_SECRET, &client.to_string())?;
    for name in [SEALING_SECRET, CURSOR_SECRET] {
        let key = STANDARD.encode(rand::random::<[u8; 32]>());
        secrets.seed(name, &json!({ "current": "first", "keys": { "first": key } }).to_string())?;
    }
    Ok(Services {
        host: names.host.as_str().into(),
        access_key_id: hex::encode(rand::random::<[u8; 16]>()).into(),
        dynamodb: Embedded::open(&database).map_err(|error| LocalError::Engine(error.to_string()))?,
        queues: Queues::new(config.queue, stopped.clone()),
        topics: Topics::new(
            [&names.fraud_topic, &names.events_topic, &names.operations_topic].map(String::clone),
            subscriber,
        ),
        secrets,
        schedules: schedules(config),
        control: AccountControl::default(),
    })
}

/// The schedules of `template.yaml`, as often as is configured here.
fn schedules(config: &LocalConfig) -> Schedules {
    let schedule = |name: &str, every: std::time::Duration| {
        let expression = format!("rate({} seconds)", every.as_secs());
        (name.to_owned(), Schedule { expression, is_on: config.schedule })
    };
    Schedules::new([
        schedule(OPERATIONS_SCHEDULE, config.sweep_every),
        schedule(POLL_SCHEDULE, config.schedule_every),
        schedule(RENEW_SCHEDULE, config.renew_every),
        schedule(SWEEP_SCHEDULE, config.sweep_every),
    ])
}

async fn parts(
    variables: Variables,
    names: &Names,
    services: &Services,
    clock: SharedClock,
) -> Result<Parts, LocalError> {
    let tls = OutgoingTls::read(&variables).map_err(StartError::from)?;
    let loader = aws_config_loader(&tls).map_err(StartError::from)?;
    let credentials = Credentials::new(services.access_key_id.as_ref(), "unused", None, None, "local");
    let loader = loader.endpoint_url(format!("http://{}", names.host)).region(REGION).credentials_provider(credentials);
    Ok(Parts { variables, tls, aws: loader.load().await, clock, metrics: Metrics::none() })
}

/// What the functions are configured with: the variables of the process, and for what they leave out, this system.
fn variables_of_functions(
    variables: Variables,
    names: &Names,
    simulator: &Simulator,
    state: &State,
) -> Result<Variables, LocalError> {
    // Outgoing TLS has to reach the simulator as well as whatever the process names: both are trusted.
    let extra = variables.file(&OutgoingTls::VARIABLES[0]).map_err(StartError::from)?.unwrap_or_default();
    let tls_anchors = format!("{}\n{extra}", simulator.trust_anchors_pem());
    let file = |name: &str, content: &str| state.write(name, content).map(|path| path.display().to_string());
    let tls_file = file("outgoing-tls-trust-anchors.pem", &tls_anchors)?;
    let defaults = [
        ("ACTIVITY_TABLE", names.tables.activity.clone()),
        ("ALERTS_TABLE", names.tables.alerts.clone()),
        ("EVENTS_TABLE", names.tables.events.clone()),
        ("TENANTS_TABLE", names.tables.tenants.clone()),
        ("RECONCILE_QUEUE_URL", names.queue("reconcile")),
        ("NAMES_QUEUE_URL", names.queue("names")),
        ("ACTIVITY_TABLE", names.tables.activity.clone()),
        ("OPERATIONS_QUEUE_URL", names.queue("operations")),
        ("FRAUD_TOPIC_ARN", names.fraud_topic.clone()),
        ("EVENTS_TOPIC_ARN", names.events_topic.clone()),
        ("OPERATIONS_TOPIC_ARN", names.operations_topic.clone()),
        ("CERTIFICATE_LOCATIONS", simulator.certificate_location()),
        ("CERTIFICATE_NAMES", Simulator::certificate_name().to_owned()),
        ("CERTIFICATE_ISSUER_HOSTS", simulator.issuer_host().to_owned()),
        ("SIGNATURE_TRUST_ANCHORS_FILE", file("signature-trust-anchors.pem", simulator.trust_anchors_pem())?),
        ("SIGNATURE_INTERMEDIATES_FILE", file("signature-intermediates.pem", simulator.intermediates_pem())?),
        ("GLOBAL_GRAPH_URL", simulator.microsoft_url()),
        ("GLOBAL_LOGIN_URL", simulator.microsoft_url()),
        ("GLOBAL_PARTNER_CENTER_URL", simulator.partner_center_url()),
        // Nobody wants to wait a quarter of a minute for what he has just raised.
        ("RECONCILE_GAP_SECONDS", "2".to_owned()),
        // Nor two minutes and a half after a run was killed.
        ("LEASE_SECONDS", "15".to_owned()),
        ("RUN_SECONDS", "12".to_owned()),
    ];
    Ok(variables.over(defaults).with(&OutgoingTls::VARIABLES[0], tls_file))
}

/// The same for the functions that let people in. They sign in to the seed tenant.
fn variables_of_people(
    names: &Names,
    config: &LocalConfig,
    simulator: &Simulator,
    origin: &str,
) -> [(&'static str, String); 8] {
    [
        ("SESSIONS_TABLE", names.tables.sessions.clone()),
        ("PUBLIC_URL", origin.to_owned()),
        ("SIGN_IN_URL", simulator.microsoft_url()),
        ("SIGN_IN_TENANTS", config.tenant.to_string()),
        ("SIGN_IN_CLIENT_ID", CLIENT_ID.to_owned()),
        ("SIGN_IN_SECRET", SIGN_IN_SECRET.to_owned()),
        ("SEALING_SECRET", SEALING_SECRET.to_owned()),
        ("CURSOR_SECRET", CURSOR_SECRET.to_owned()),
    ]
}

async fn make_tables(parts: &Parts, names: &Names) -> Result<Store, LocalError> {
    let client = aws_sdk_dynamodb::Client::new(&parts.aws);
    for table in &schema::TABLES {
        schema::create(&client, table, &names.table(table.role)).await.map_err(LocalError::Tables)?;
    }
    Ok(Store::new(client, names.tables.clone()))
}

/// Sets the seed tenant up where it is not, and at a first start those that are shown beside it.
async fn set_up_tenants(
    store: &Store,
    config: &LocalConfig,
    path_key: &PathKey,
    first_start: bool,
) -> Result<(), LocalError> {
    let known = store.tenants().await.map_err(LocalError::Tables)?;
    for partner in Partner::set_up(config) {
        let is_seed = partner.id == config.tenant;
        let tenant = match known.iter().find(|tenant| tenant.id == partner.id) {
            // What somebody has made of it stays, and the address that is shown is good.
            Some(found) if !is_seed || found.path_key_hashes.contains(&path_key.hash()) => continue,
            Some(found) => {
                let mut found = found.clone();
                found.path_key_hashes.insert(0, path_key.hash());
                found
            }
            None if is_seed || first_start => partner.tenant(config, path_key),
            None => continue,
        };
        store.put_tenant(&tenant).await.map_err(LocalError::Tables)?;
    }
    Ok(())
}
