//! A Microsoft with a few alerts, and clients that know nothing of each other.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use models::{AlertSource, Cloud, Purpose, Tenant};
use partner_center::{
    AlertSources, BaseUrlError, CloudDirectory, Limits, MicrosoftError, Now, SecretAtHand, StoredSecret, Tokens, Walk,
};
use runtime::{OutgoingTls, Variables};
use serde_json::json;
use simulator::{Fault, FaultKind, NewAlert, Simulator, Target};
use tests::{CLIENT_ID, CLIENT_SECRET, START, Scripted, TENANT};

pub(crate) const NOW: &str = START;
/// How long a client waits for an answer: longer than any machine is busy.
pub(crate) const PATIENT: Duration = Duration::from_secs(30);
/// More pages than any list here has.
pub(crate) const MANY: usize = 20;

pub(crate) type Sources = AlertSources<SecretAtHand>;

/// A Microsoft, by a clock that can be moved.
pub(crate) struct World {
    pub(crate) microsoft: Simulator,
    clock: SharedTime,
}

/// Seconds since 1970.
type SharedTime = Arc<AtomicI64>;

fn start() -> SharedTime {
    Arc::new(AtomicI64::new(NOW.parse::<Timestamp>().unwrap().as_second()))
}

fn told(clock: &SharedTime) -> Timestamp {
    Timestamp::from_second(clock.load(Ordering::Relaxed)).unwrap()
}

/// What a client is made of.
pub(crate) struct Parts {
    pub(crate) http: reqwest::Client,
    pub(crate) clouds: CloudDirectory,
    pub(crate) tokens: Arc<Tokens<SecretAtHand>>,
    pub(crate) limits: Limits,
}

impl World {
    /// One with so many alerts of the subscription `s`, and pages of so many.
    pub(crate) async fn with(alerts: usize, page_size: usize) -> Self {
        let tenant = simulator::Tenant {
            id: TENANT.to_owned(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
            ..simulator::Tenant::default()
        };
        let clock = start();
        let seconds = Arc::clone(&clock);
        let options = simulator::Options {
            clock: Arc::new(move || told(&seconds)),
            device_interval: 0,
            page_size,
            tenants: vec![tenant],
            ..simulator::Options::default()
        };
        let microsoft = Simulator::start(options).await.unwrap();
        for number in 0..alerts {
            let id = Some(number.to_string());
            microsoft.raise(NewAlert { id, subscription_id: Some("s".to_owned()), ..NewAlert::default() }).unwrap();
        }
        Self { microsoft, clock }
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    /// The clock, as clients are told it.
    pub(crate) fn time(&self) -> Now {
        let clock = Arc::clone(&self.clock);
        Arc::new(move || told(&clock))
    }

    /// A client that has asked for nothing yet.
    pub(crate) fn client(&self) -> Sources {
        self.client_within(Limits::default())
    }

    /// One of these bounds, but for its pauses, which are short and no matter of chance. It trusts whoever else is named.
    pub(crate) fn client_within(&self, limits: Limits) -> Sources {
        self.client_trusting(limits, "")
    }

    pub(crate) fn client_trusting(&self, limits: Limits, others: &str) -> Sources {
        self.made(limits, PATIENT, others)
    }

    /// One that waits so long for an answer.
    pub(crate) fn client_waiting(&self, timeout: Duration) -> Sources {
        self.made(Limits::default(), timeout, "")
    }

    fn made(&self, limits: Limits, timeout: Duration, others: &str) -> Sources {
        let refresh_token = self.microsoft.refresh_token(TENANT).unwrap();
        self.parts(Purpose::Read, Some(&refresh_token), limits, timeout, others).sources()
    }

    /// What a client is made of that has this to sign in with, for this purpose.
    pub(crate) fn parts(
        &self,
        purpose: Purpose,
        refresh_token: Option<&str>,
        limits: Limits,
        timeout: Duration,
        others: &str,
    ) -> Parts {
        let addresses = [self.microsoft.microsoft_url(), self.microsoft.partner_center_url()];
        let anchors = format!("{}{others}", self.microsoft.trust_anchors_pem());
        let clock = Arc::clone(&self.clock);
        parts(&addresses, &anchors, secret(purpose, refresh_token), limits, timeout, clock)
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.microsoft.set_fault(fault).unwrap();
    }

    /// This happens to every page behind so many.
    pub(crate) fn fault_after(&self, source: AlertSource, pages: usize, kind: FaultKind) {
        self.set(Fault::new(list_of(source), kind).after(pages.try_into().unwrap()));
    }

    /// How often a source was asked for a page.
    pub(crate) fn listed(&self, source: AlertSource) -> u64 {
        let requests = self.microsoft.requests();
        match source {
            AlertSource::FraudEvents => requests.fraud_events,
            AlertSource::Graph => requests.list,
        }
    }
}

/// A client of a Microsoft that says whatever a test says.
pub(crate) fn client_of(microsoft: &Scripted) -> Sources {
    parts_of([microsoft, microsoft], Purpose::Read, "refresh").sources()
}

/// What a client of two such is made of: Graph, where it signs in, too, and Partner Center.
pub(crate) fn parts_of([graph, partner_center]: [&Scripted; 2], purpose: Purpose, refresh_token: &str) -> Parts {
    let addresses = [graph.url().to_owned(), partner_center.url().to_owned()];
    let anchors = format!("{}{}", graph.certificate_pem(), partner_center.certificate_pem());
    parts(&addresses, &anchors, secret(purpose, Some(refresh_token)), Limits::default(), PATIENT, start())
}

impl Parts {
    fn sources(self) -> Sources {
        AlertSources::new(self.http, self.tokens, self.limits)
    }
}

pub(crate) fn secret(purpose: Purpose, refresh_token: Option<&str>) -> SecretAtHand {
    let mut secret = json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET });
    if let Some(refresh_token) = refresh_token {
        secret["refresh_token"] = refresh_token.into();
    }
    SecretAtHand { secret: StoredSecret::read(&secret.to_string()).unwrap(), purpose }
}

fn parts(
    [graph, partner_center]: &[String; 2],
    anchors: &str,
    at_hand: SecretAtHand,
    limits: Limits,
    timeout: Duration,
    clock: SharedTime,
) -> Parts {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("anchors.pem");
    std::fs::write(&file, anchors).unwrap();
    let variable = ("OUTGOING_TLS_TRUST_ANCHORS_FILE", file.display().to_string());
    let tls = OutgoingTls::read(&Variables::default().over([variable])).unwrap();
    let http = runtime::http_client(&tls, timeout).unwrap();
    let clouds = CloudDirectory::new::<BaseUrlError>(|_, service| {
        (if service == "PARTNER_CENTER" { partner_center } else { graph }).parse().map(Some)
    });
    let clouds = clouds.unwrap();
    let limits = Limits { first_pause: Duration::from_millis(2), jitter: || 0.0, ..limits };
    let now = Arc::new(move || told(&clock));
    let tokens = Tokens::new(http.clone(), clouds.clone(), at_hand, limits, now, Arc::new(runtime::random_id));
    Parts { http, clouds, tokens: Arc::new(tokens), limits }
}

pub(crate) fn tenant(source: AlertSource) -> Tenant {
    Tenant {
        id: TENANT.parse().unwrap(),
        display_name: "Contoso".to_owned(),
        cloud: Cloud::Global,
        alert_source: source,
        path_key_hashes: Vec::new(),
        read_secret: "partner-alerts/read/local".to_owned(),
        act_secret: None,
        active: true,
    }
}

/// What a source lists alerts by.
pub(crate) fn list_of(source: AlertSource) -> Target {
    match source {
        AlertSource::FraudEvents => Target::FraudEvents,
        AlertSource::Graph => Target::List,
    }
}

/// The ids of the alerts of these numbers.
pub(crate) fn ids(source: AlertSource, numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    let prefix = if source == AlertSource::FraudEvents { "s_" } else { "" };
    numbers.into_iter().map(|number| format!("{prefix}{number}")).collect()
}

/// The ids of the next page. None behind the last one.
pub(crate) async fn page(
    walk: &mut Walk,
    client: &Sources,
    source: AlertSource,
) -> Result<Option<Vec<String>>, MicrosoftError> {
    let page = walk.next_page(client, &tenant(source)).await?;
    Ok(page.map(|page| page.alerts.into_iter().map(|alert| alert.id.to_string()).collect()))
}

/// The ids of this and all further pages, and what ended them, if it was not the end.
pub(crate) async fn rest(
    walk: &mut Walk,
    client: &Sources,
    source: AlertSource,
) -> (Vec<String>, Option<MicrosoftError>) {
    let mut all = Vec::new();
    loop {
        match page(walk, client, source).await {
            Ok(Some(ids)) => all.extend(ids),
            Ok(None) => return (all, None),
            Err(error) => return (all, Some(error)),
        }
    }
}

/// The same, where the list is read to its end.
pub(crate) async fn all(walk: &mut Walk, client: &Sources, source: AlertSource) -> Vec<String> {
    let (ids, error) = rest(walk, client, source).await;
    assert!(error.is_none(), "{error:?}");
    ids
}
