//! A system whose functions a test wakes by hand, whose clock it moves, and whose Microsoft keeps the same time.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that can't be set up has to fail loudly")]

use std::{
    collections::{BTreeMap, HashMap},
    fmt, fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_lambda_events::streams::DynamoDbEventResponse;
use aws_sdk_dynamodb::{Client, config::timeout::TimeoutConfig, primitives::Blob, types::AttributeValue};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use models::{ReconcileCause, ReconcileRequest, Tenant, TenantId, TraceContext};
use notify::NotifyError;
use poll::{PollError, ReconcileError, Reconciled};
use renew::RenewError;
use runtime::{Clock as _, FixedClock, Parts};
use serde_json::{Value, json};
use simulator::{NewAlert, SignedCallback, Simulator};
use store::{ReadTenant as _, Store, WriteTenants as _};
use tempfile::TempDir;

use crate::{BY_HAND, Counted, Tap, TestSystem};

/// The seed tenant.
pub const TENANT: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";
/// The id of its application.
pub const CLIENT_ID: &str = "11111111-2222-4333-8444-555555555555";
/// Its client secret.
pub const CLIENT_SECRET: &str = "made-up-secret-of-the-local-system";
/// The path key of its callback address.
pub const PATH_KEY: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";
/// What every clock shows at first.
pub const START: &str = "2026-03-02T09:00:00Z";
/// How far the clock moves before each run: longer than the gap between two of them.
const BETWEEN_RUNS: SignedDuration = SignedDuration::from_mins(1);

/// An item of a table.
pub type Item = HashMap<String, AttributeValue>;

/// An item of the outbox.
#[derive(Clone, Debug)]
pub struct OutboxItem {
    /// The alert's id; empty for what is about many alerts.
    pub alert: String,
    /// The sort key.
    pub sort: String,
    /// Whether it is still to be published.
    pub publish: bool,
    /// What is to be told.
    pub notice: Value,
    /// The item itself.
    pub item: Item,
}

impl fmt::Display for OutboxItem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.publish { "to be published" } else { "kept" };
        write!(formatter, "{} {} {state}", self.alert, self.sort)
    }
}

/// How to start a [`ByHand`].
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// How many alerts are in a page of Microsoft's list.
    pub page_size: usize,
    /// Variables over the usual ones.
    pub variables: &'a [(&'static str, &'a str)],
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self { page_size: 100, variables: &[] }
    }
}

/// The system.
#[derive(Debug)]
pub struct ByHand {
    /// The system below.
    pub test: TestSystem,
    /// The clock of the functions and of Microsoft.
    pub clock: Arc<FixedClock>,
    /// What the functions ask of AWS.
    pub tap: Tap,
    /// What the functions counted.
    pub counted: Counted,
    /// What the functions are wired from: the tap, the clock.
    pub parts: Parts,
    /// `poll`, as it is deployed.
    pub poll: poll::Deployed,
    /// `notify`, as it is deployed.
    pub notify: notify::Deployed,
    /// `renew`, as it is deployed.
    pub renew: renew::Deployed,
    /// `webhook`, as it is deployed.
    pub webhook: webhook::Deployed,
    /// Microsoft.
    pub microsoft: Simulator,
    /// The tables, past the tap.
    pub dynamodb: Client,
    /// The seed tenant.
    pub tenant: TenantId,
    trace: Mutex<Option<TraceContext>>,
    runs: AtomicU64,
    _files: TempDir,
}

impl ByHand {
    /// Starts a system.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// Starts a system with this setup.
    pub async fn with(setup: Setup<'_>) -> Self {
        // Starting takes a large future, which would be a part of every test's.
        Box::pin(Self::started(setup)).await
    }

    async fn started(setup: Setup<'_>) -> Self {
        let clock = Arc::new(FixedClock::at(START.parse().unwrap()));
        let microsoft = microsoft(setup.page_size, &clock).await;
        let files = TempDir::new().unwrap();
        let addresses = addresses(&microsoft, files.path());
        let mut variables: Vec<(&'static str, &str)> = BY_HAND.to_vec();
        variables.push(("LOCAL_PATH_KEY", PATH_KEY));
        variables.extend(addresses.iter().map(|(name, value)| (*name, value.as_str())));
        variables.extend(setup.variables);
        let test = Box::pin(TestSystem::start_by(clock.clone(), &variables)).await.unwrap();

        let aws = &test.system.parts().aws;
        let tap = Tap::new(aws.http_client().unwrap());
        // A request may be held up for as long as a test likes.
        let patient = aws.clone().into_builder().timeout_config(TimeoutConfig::disabled());
        let counted = Counted::default();
        let parts = Parts {
            aws: patient.http_client(tap.clone()).build(),
            clock: clock.clone(),
            metrics: counted.metrics(),
            ..test.system.parts().clone()
        };
        Self {
            poll: poll::wire(&parts).unwrap(),
            notify: notify::wire(&parts).unwrap(),
            renew: renew::wire(&parts).unwrap(),
            webhook: webhook::wire(&parts).unwrap(),
            dynamodb: Client::new(aws),
            tenant: TENANT.parse().unwrap(),
            test,
            clock,
            tap,
            counted,
            parts,
            microsoft,
            trace: Mutex::default(),
            runs: AtomicU64::default(),
            _files: files,
        }
    }

    /// Invocations from now on have this trace.
    pub fn in_trace(&self, trace: TraceContext) {
        *self.trace.lock().unwrap() = Some(trace);
    }

    fn trace(&self) -> Option<TraceContext> {
        *self.trace.lock().unwrap()
    }

    /// The moment that the clock shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An alert of fraud severity appears at Microsoft under this id.
    pub fn raise(&self, id: &str) {
        self.raise_as(NewAlert { id: Some(id.to_owned()), ..NewAlert::default() });
    }

    /// This alert appears at Microsoft.
    pub fn raise_as(&self, alert: NewAlert) {
        self.microsoft.raise(alert).unwrap();
    }

    /// An alert at Microsoft changes.
    pub fn change(&self, id: &str, change: simulator::AlertChange) {
        self.microsoft.change(TENANT, id, change).unwrap();
    }

    /// Reconciles the seed tenant, a minute later.
    ///
    /// # Errors
    ///
    /// What the function says.
    pub async fn reconcile(&self) -> Result<Reconciled, ReconcileError> {
        self.clock.advance(BETWEEN_RUNS);
        self.reconcile_at_once().await
    }

    /// Reconciles the seed tenant.
    ///
    /// # Errors
    ///
    /// What the function says.
    pub async fn reconcile_at_once(&self) -> Result<Reconciled, ReconcileError> {
        let request = ReconcileRequest { tenant: self.tenant.clone(), cause: ReconcileCause::Schedule, trace: None };
        self.poll.reconcile(&request, self.trace()).await
    }

    /// A complete run, which found this many alerts and wrote this many.
    #[track_caller]
    pub fn complete(&self, listed: usize, changed: usize) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            match self.reconcile().await {
                Ok(done) => assert_eq!(done, Reconciled::Done { listed, changed }, "{caller}"),
                Err(error) => panic!("{caller}: {}", runtime::chain(&error)),
            }
        }
    }

    /// The first run of a tenant that has nothing yet, so that what comes after it is news.
    pub async fn baseline(&self) {
        self.complete(0, 0).await;
        let _ = self.tap.take();
    }

    /// Hands messages to `poll` as SQS and Lambda do, and gives the ids of those that failed.
    pub async fn deliver(&self, messages: &[(&str, &str)]) -> Vec<String> {
        let records: Vec<Value> = messages.iter().map(|(id, body)| queue_record(id, body)).collect();
        let invocation = serde_json::from_value(json!({ "Records": records })).unwrap();
        let response = self.poll.handle(invocation, self.trace()).await.unwrap();
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    /// The schedule of `poll` ticks.
    ///
    /// # Errors
    ///
    /// What the function says.
    pub async fn tick(&self) -> Result<(), PollError> {
        let invocation = serde_json::from_value(json!({ "task": "schedule" })).unwrap();
        self.poll.handle(invocation, self.trace()).await.map(|response| assert_eq!(response.batch_item_failures, []))
    }

    /// The schedule of `notify` ticks.
    ///
    /// # Errors
    ///
    /// What the function says.
    pub async fn sweep(&self) -> Result<(), NotifyError> {
        let invocation = serde_json::from_value(json!({ "task": "sweep" })).unwrap();
        self.notify.handle(invocation).await.map(|response| assert_eq!(response.batch_item_failures, []))
    }

    /// Gives the seed tenant both secrets, each with a refresh token of its own that a person consented to just now. The client
    /// secret expires in a year.
    pub async fn for_people(&self) {
        let secrets = aws_sdk_secretsmanager::Client::new(&self.test.system.parts().aws);
        let expires = self.now() + SignedDuration::from_hours(365 * 24);
        let [read, act] = ["partner-alerts/read/for-people", "partner-alerts/act/for-people"];
        for name in [read, act] {
            let token = self.microsoft.refresh_token(TENANT).unwrap();
            let secret = json!({
                "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "client_secret_expires": expires,
                "refresh_token": token,
            });
            secrets.create_secret().name(name).secret_string(secret.to_string()).send().await.unwrap();
        }
        let store = self.store();
        let seed = store.tenant(&TENANT.parse().unwrap()).await.unwrap().unwrap();
        let tenant = Tenant { read_secret: read.to_owned(), act_secret: Some(act.to_owned()), ..seed };
        store.put_tenant(&tenant).await.unwrap();
    }

    /// The schedule of `renew` ticks.
    ///
    /// # Errors
    ///
    /// What the function says.
    pub async fn renew(&self) -> Result<(), RenewError> {
        let invocation = serde_json::from_value(json!({ "task": "renew" })).unwrap();
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        self.renew.handle(invocation, &format!("run-{run}")).await
    }

    /// Hands stream records to `notify`, and gives the sequence number that Lambda is told to start again from.
    pub async fn stream(&self, records: &[Value]) -> Option<String> {
        let invocation = serde_json::from_value(json!({ "Records": records })).unwrap();
        let response: DynamoDbEventResponse = self.notify.handle(invocation).await.unwrap();
        assert!(response.batch_item_failures.len() <= 1, "Lambda takes the lowest: {response:?}");
        response.batch_item_failures.into_iter().next().map(|failure| failure.item_identifier.unwrap())
    }

    /// The store, past the tap.
    #[must_use]
    pub fn store(&self) -> Store {
        Store::new(self.dynamodb.clone(), self.test.system.tables().clone())
    }

    /// A callback comes in at the seed tenant's address, and this is the status of the answer.
    pub async fn receive(&self, callback: &SignedCallback) -> u16 {
        self.receive_at(&format!("/callbacks/{TENANT}/{PATH_KEY}"), callback).await
    }

    /// A callback comes in at this path, and this is the status of the answer.
    pub async fn receive_at(&self, path: &str, callback: &SignedCallback) -> u16 {
        let mut request = http::Request::post(path);
        for (name, value) in &callback.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(callback.body.clone().into()).unwrap();
        if let Some(trace) = self.trace() {
            request.extensions_mut().insert(trace);
        }
        self.webhook.answer(request).await.status().as_u16()
    }

    /// Every item of a table, in the order of its keys.
    pub async fn items(&self, table: &str) -> Vec<Item> {
        let mut items = Vec::new();
        let mut pages = self.dynamodb.scan().table_name(table).into_paginator().send();
        while let Some(page) = pages.next().await {
            items.extend(page.unwrap().items.unwrap_or_default());
        }
        items.sort_by_key(|item| (text(item, "pk"), text(item, "sk")));
        items
    }

    /// The item under this key.
    pub async fn item(&self, table: &str, partition: &str, sort: &str) -> Option<Item> {
        let request = self.dynamodb.get_item().table_name(table).consistent_read(true);
        let request = request.key("pk", AttributeValue::S(partition.to_owned()));
        request.key("sk", AttributeValue::S(sort.to_owned())).send().await.unwrap().item
    }

    /// An alert as it is kept.
    pub async fn alert(&self, id: &str) -> Option<Item> {
        self.item(&self.test.system.tables().alerts, &format!("{TENANT}#{id}"), "alert").await
    }

    /// The ids and versions of the alerts that are kept.
    pub async fn alerts(&self) -> Vec<(String, u64)> {
        let items = self.items(&self.test.system.tables().alerts).await.into_iter();
        let alerts = items.filter(|item| text(item, "sk") == "alert");
        alerts.map(|item| (alert_of(&item), number(&item, "version").try_into().unwrap())).collect()
    }

    /// The outbox, in the order of its keys.
    pub async fn outbox(&self) -> Vec<OutboxItem> {
        let items = self.items(&self.test.system.tables().alerts).await.into_iter();
        let outbox = items.filter(|item| text(item, "sk").starts_with("outbox#"));
        outbox
            .map(|item| OutboxItem {
                alert: alert_of(&item),
                sort: text(&item, "sk"),
                publish: item.contains_key("outbox_shard"),
                notice: serde_json::from_str(&text(&item, "notice")).unwrap(),
                item,
            })
            .collect()
    }

    /// The outbox, one line an item: alert, sort key, and whether it is to be published.
    pub async fn outbox_lines(&self) -> Vec<String> {
        self.outbox().await.iter().map(ToString::to_string).collect()
    }

    /// The state of the seed tenant.
    pub async fn state(&self) -> Item {
        self.item(&self.test.system.tables().tenants, TENANT, "state").await.unwrap_or_default()
    }

    /// The statistics of the seed tenant: by item, by counter.
    pub async fn statistics(&self) -> BTreeMap<String, BTreeMap<String, i64>> {
        let items = self.items(&self.test.system.tables().tenants).await.into_iter();
        let statistics = items.filter(|item| text(item, "pk") == format!("{TENANT}#stats"));
        let counters = |item: &Item| {
            let names = item.keys().filter(|name| !matches!(name.as_str(), "pk" | "sk"));
            names.map(|name| (name.clone(), number(item, name))).filter(|(_, value)| *value != 0).collect()
        };
        statistics
            .map(|item| (text(&item, "sk"), counters(&item)))
            .filter(|(_, counters): &(_, BTreeMap<_, _>)| !counters.is_empty())
            .collect()
    }
}

/// A stream record as Lambda hands it over: of this name, about this item, at this place.
#[must_use]
pub fn stream_record(table: &str, name: &str, item: &Item, sequence: u32) -> Value {
    let image = typed(item);
    let mut keys = json!({ "pk": image["pk"] });
    if let Some(sort) = image.get("sk") {
        keys["sk"] = sort.clone();
    }
    let mut change = json!({
        "ApproximateCreationDateTime": 1_772_442_000.0,
        "Keys": keys,
        "SequenceNumber": format!("{sequence:021}"),
        "SizeBytes": image.to_string().len(),
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    });
    if name != "INSERT" {
        change["OldImage"] = image.clone();
    }
    if name != "REMOVE" {
        change["NewImage"] = image;
    }
    json!({
        "eventID": format!("{sequence:032x}"),
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": change,
        "eventSourceARN": format!("arn:aws:dynamodb:eu-west-1:000000000000:table/{table}/stream/2026-03-02T00:00:00.000"),
    })
}

/// An item as DynamoDB writes it.
#[must_use]
pub fn typed(item: &Item) -> Value {
    let sorted: BTreeMap<_, _> = item.iter().map(|(name, value)| (name, typed_value(value))).collect();
    json!(sorted)
}

fn typed_value(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::B(bytes) => json!({ "B": STANDARD.encode(Blob::as_ref(bytes)) }),
        AttributeValue::Bool(truth) => json!({ "BOOL": truth }),
        AttributeValue::L(values) => json!({ "L": values.iter().map(typed_value).collect::<Vec<_>>() }),
        AttributeValue::M(members) => json!({ "M": typed(members) }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Null(truth) => json!({ "NULL": truth }),
        AttributeValue::S(text) => json!({ "S": text }),
        other => panic!("no item of ours has {other:?}"),
    }
}

/// A text attribute; empty where there is none.
#[must_use]
pub fn text(item: &Item, name: &str) -> String {
    item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

/// A number attribute; zero where there is none.
#[must_use]
pub fn number(item: &Item, name: &str) -> i64 {
    item.get(name).and_then(|value| value.as_n().ok()).map_or(0, |number| number.parse().unwrap())
}

fn alert_of(item: &Item) -> String {
    text(item, "pk").split_once('#').map(|(_, id)| id.to_owned()).unwrap_or_default()
}

/// A message of the reconcile queue as Lambda hands it over.
#[must_use]
pub fn queue_record(id: &str, body: &str) -> Value {
    json!({
        "messageId": id,
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {
            "ApproximateFirstReceiveTimestamp": "1772442000001",
            "ApproximateReceiveCount": "1",
            "SenderId": "AROAEXAMPLE:poll",
            "SentTimestamp": "1772442000000",
        },
        "messageAttributes": {},
        "md5OfBody": "not looked at",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:reconcile",
        "awsRegion": "eu-west-1",
    })
}

async fn microsoft(page_size: usize, clock: &Arc<FixedClock>) -> Simulator {
    let clock = Arc::clone(clock);
    let tenant = simulator::Tenant {
        id: TENANT.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.to_owned(),
        callback_url: None,
        ..simulator::Tenant::default()
    };
    let options = simulator::Options {
        clock: Arc::new(move || clock.now()),
        page_size,
        tenants: vec![tenant],
        ..simulator::Options::default()
    };
    Simulator::start(options).await.unwrap()
}

/// The variables that lead the functions to this Microsoft; files that they name are put into the folder.
#[must_use]
pub fn addresses(microsoft: &Simulator, folder: &Path) -> Vec<(&'static str, String)> {
    let file = |name: &str, content: &str| {
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    vec![
        ("GLOBAL_GRAPH_URL", microsoft.microsoft_url()),
        ("GLOBAL_LOGIN_URL", microsoft.microsoft_url()),
        ("GLOBAL_PARTNER_CENTER_URL", microsoft.partner_center_url()),
        ("SIGN_IN_URL", microsoft.microsoft_url()),
        ("CERTIFICATE_LOCATIONS", microsoft.certificate_location()),
        ("OUTGOING_TLS_TRUST_ANCHORS_FILE", file("tls.pem", microsoft.trust_anchors_pem())),
        ("SIGNATURE_TRUST_ANCHORS_FILE", file("anchors.pem", microsoft.trust_anchors_pem())),
        ("SIGNATURE_INTERMEDIATES_FILE", file("intermediates.pem", microsoft.intermediates_pem())),
    ]
}
