//! One schedule, played: Microsoft's stand-in, `poll` and `notify` as they are deployed, and an account of their own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig},
};
use jiff::{SignedDuration, Timestamp};
use models::{AlertSource, Cloud, Queued, ReconcileCause, Tenant, TenantId};
use runtime::{Clock, Metrics, OutgoingTls, Parts, Variables};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Simulator};
use store::{Store, TableNames, WriteTenants as _, schema};
use tests::{CLIENT_ID, CLIENT_SECRET, queue_record};

use crate::{
    account::{Account, Script},
    history::{Sight, Spoilt},
    plan::{HeldUp, Run, Schedule, Step, Who},
};

/// The tenants' ids, by their places.
pub(crate) const IDS: [&str; 2] = ["9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10", "0b6a3c58-7d21-4e9f-9c40-5a8e2f1d7b63"];
pub(crate) const ALERTS: &str = "alerts";
pub(crate) const TENANTS: &str = "tenants";

/// How long a lease runs and how far apart two runs start, in milliseconds, as the variables below have it; and how far clocks may
/// differ.
const LEASE: i64 = 150_000;
const GAP: i64 = 1_000;
const TOLERANCE: i64 = 60_000;
/// Most requests that one run makes: to AWS, and to Microsoft. Far above what any schedule's handful of alerts takes.
const MOST_REQUESTS: (usize, u64) = (400, 150);
/// After what time a tick has been overtaken by the next.
const PERIOD: SignedDuration = SignedDuration::from_mins(5);
/// How far the clock moves between two runs at the end: together longer than any clock of a schedule was off.
const AT_THE_END: SignedDuration = SignedDuration::from_mins(20);

/// A clock that is told the time.
#[derive(Debug)]
pub(crate) struct Told(Mutex<Timestamp>);

impl Told {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(tests::START.parse().unwrap())))
    }

    pub(crate) fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for Told {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the schedules of one thread share.
pub(crate) struct Stage {
    pub(crate) microsoft: Simulator,
    /// Microsoft's clock, which is right.
    pub(crate) time: Arc<Told>,
    pub(crate) variables: Vec<(&'static str, String)>,
    pub(crate) tls: OutgoingTls,
}

/// A schedule while it is played.
pub(crate) struct World<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) account: Account,
    pub(crate) parts: Parts,
    pub(crate) sources: Vec<AlertSource>,
    pub(crate) spoilt: Spoilt,
    /// Every state that an alert had at Microsoft, by tenant and our id of it.
    pub(crate) at_microsoft: BTreeMap<String, Vec<Sight>>,
    /// Whether Microsoft's list may be late with a change.
    pub(crate) lagging: bool,
    pub(crate) bursts: usize,
    clock: Arc<Told>,
    off: SignedDuration,
    poll: poll::Deployed,
    notify: notify::Deployed,
    queue: Vec<String>,
    active: Vec<bool>,
    streamed: BTreeSet<String>,
    pub(crate) problems: Vec<String>,
}

impl<'a> World<'a> {
    pub(crate) async fn new(stage: &'a Stage, schedule: &Schedule) -> Self {
        stage.microsoft.clear_faults();
        stage.time.set(tests::START.parse().unwrap());
        for id in IDS {
            stage.microsoft.forget_alerts(id).unwrap();
        }
        let secret = |id: &str| {
            let refresh_token = stage.microsoft.refresh_token(id).unwrap();
            json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": refresh_token })
                .to_string()
        };
        let account = Account::new(IDS.map(|id| (id.to_owned(), secret(id))).into());
        let clock = Told::new();
        let variables = Variables::default().over(stage.variables.iter().cloned());
        let parts = Parts {
            variables,
            tls: stage.tls.clone(),
            aws: aws(&account),
            clock: clock.clone(),
            metrics: Metrics::none(),
        };
        let world = Self {
            poll: instance(&parts),
            notify: notify::wire(&parts).unwrap(),
            stage,
            account,
            parts,
            sources: schedule.sources.clone(),
            spoilt: spoilt(schedule),
            at_microsoft: BTreeMap::new(),
            lagging: false,
            bursts: 0,
            clock,
            off: SignedDuration::ZERO,
            queue: Vec::new(),
            active: vec![true; schedule.sources.len()],
            streamed: BTreeSet::new(),
            problems: Vec::new(),
        };
        let client = Client::new(&world.parts.aws);
        for table in schema::TABLES.iter().filter(|table| [ALERTS, TENANTS].contains(&table.role)) {
            // The streams are read off the table here, and slow the engine down.
            let table = schema::Table { stream: None, ttl: None, ..*table };
            schema::create(&client, &table, table.role).await.unwrap();
        }
        for who in 0..world.sources.len() {
            world.store().put_tenant(&world.tenant(who)).await.unwrap();
        }
        world
    }

    pub(crate) fn store(&self) -> Store {
        let tables = TableNames { alerts: ALERTS.to_owned(), tenants: TENANTS.to_owned(), ..TableNames::default() };
        Store::new(Client::new(&self.parts.aws), tables)
    }

    pub(crate) fn tenant(&self, who: Who) -> Tenant {
        Tenant {
            id: id(who),
            display_name: "a tenant of a schedule".to_owned(),
            cloud: Cloud::Global,
            alert_source: self.sources[who],
            path_key_hashes: Vec::new(),
            read_secret: IDS[who].to_owned(),
            act_secret: None,
            active: self.active[who],
        }
    }

    /// Plays a step.
    pub(crate) async fn play(&mut self, step: &Step) {
        match step {
            Step::AtMicrosoft(who, happening) => self.happen(*who, happening),
            Step::Run(run) => Box::pin(self.run(run)).await,
            Step::HeldUp(held_up) => Box::pin(self.hold_up(held_up)).await,
            Step::Tick(troubles) => {
                let invocation = serde_json::from_value(json!({ "task": "schedule" })).unwrap();
                let ticked = Script::new(troubles).play(self.poll.handle(invocation, None)).await;
                self.expect(!troubles.is_empty() || ticked.is_ok(), || "an undisturbed tick failed".to_owned());
            }
            Step::Deliver { twice } => Box::pin(self.deliver(*twice)).await,
            Step::Lose => self.queue.clear(),
            Step::Stream { times, troubles } => self.stream(*times, &Script::new(troubles)).await,
            Step::Sweep(troubles) => {
                let swept = Script::new(troubles).play(self.sweep()).await;
                self.expect(!troubles.is_empty() || swept, || "an undisturbed sweep failed".to_owned());
            }
            Step::Wait { minutes } => self.wait(SignedDuration::from_mins((*minutes).into())),
            Step::ClockOff { minutes } => {
                self.off = SignedDuration::from_mins((*minutes).into());
                self.wait(SignedDuration::ZERO);
            }
            Step::Switch(who, active) => self.switch(*who, *active).await,
        }
        self.account.settle();
        self.queue.extend(self.account.take_queue());
    }

    /// Ends all trouble: two undisturbed runs of each tenant, more where its list is late, and what they ask for, and one sweep.
    pub(crate) async fn settle(&mut self) {
        self.stage.microsoft.clear_faults();
        self.off = SignedDuration::ZERO;
        for who in 0..self.sources.len() {
            self.switch(who, true).await;
        }
        // A list that lags shows what is new to the run after the last that it is late for.
        let rounds = if self.lagging { 4 } else { 2 };
        for _ in 0..rounds {
            self.wait(AT_THE_END);
            Box::pin(self.play(&Step::Tick(Vec::new()))).await;
            for who in 0..self.sources.len() {
                let asked =
                    self.queue.iter().any(|message| message.contains(IDS[who]) && message.contains("\"schedule\""));
                self.expect(asked, || format!("the schedule has not asked for a run of tenant {who}"));
            }
            self.play(&Step::Deliver { twice: false }).await;
        }
        self.wait(AT_THE_END);
        self.play(&Step::Sweep(Vec::new())).await;
    }

    pub(crate) fn expect(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(format!("(4) {}", problem()));
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Time passes, on both clocks.
    fn wait(&self, span: SignedDuration) {
        // No request is later than clocks may differ: AWS takes none that was signed long ago.
        if span.as_millis() >= TOLERANCE.into() {
            self.account.settle();
        }
        let time = self.stage.time.now() + span;
        self.stage.time.set(time);
        self.clock.set(time + self.off);
    }

    async fn switch(&mut self, who: Who, active: bool) {
        self.active[who] = active;
        self.store().put_tenant(&self.tenant(who)).await.unwrap();
    }

    async fn run(&mut self, run: &Run) {
        self.wait(SignedDuration::from_secs(run.after.into()));
        self.hand_over(run.who, &message(run), run, Script::new(&run.troubles)).await;
    }

    /// Hands a message to `poll`, and looks at what became of it.
    async fn hand_over(&mut self, who: Who, body: &str, run: &Run, script: Arc<Script>) {
        let can_run = self.can_run(who);
        let asked_before = self.asked_of_microsoft();
        self.set_faults(run);
        let done = script.play(self.poll.handle(invocation(body), None)).await.unwrap();
        self.stage.microsoft.clear_faults();
        self.account.settle();
        let requests = (script.requests(), self.asked_of_microsoft() - asked_before);
        let bounded = requests.0 <= MOST_REQUESTS.0 && requests.1 <= MOST_REQUESTS.1;
        self.expect(bounded, || format!("a run of tenant {who} made {requests:?} requests"));
        let failed = !done.batch_item_failures.is_empty();
        if failed {
            // SQS tries again.
            self.queue.push(body.to_owned());
        }
        // A message about names asks for no run, and a tick that the next one has overtaken for none any more.
        if run.is_undisturbed() && !body.contains("\"names\"") && !self.is_overtaken(body) {
            self.expect(!failed, || format!("an undisturbed run of tenant {who} failed"));
            self.expect(!can_run || self.is_complete(who), || {
                format!("an undisturbed run of tenant {who} is not complete")
            });
            if can_run && !self.lagging {
                self.problems.extend(self.unlike_microsoft(who));
            }
        }
    }

    /// Whether this is a tick that the next one has overtaken.
    fn is_overtaken(&self, body: &str) -> bool {
        let queued: Queued = serde_json::from_str(body).unwrap();
        queued.request.cause == ReconcileCause::Schedule && queued.is_older_than(PERIOD, self.clock.now())
    }

    async fn hold_up(&mut self, held_up: &HeldUp) {
        let HeldUp { run, at, done, meanwhile, goes_on } = held_up;
        self.wait(SignedDuration::from_secs(run.after.into()));
        self.set_faults(run);
        let script = Script::held_up(&run.troubles, *at, *done);
        // In Lambda, runs at the same time are those of different instances.
        let poll = instance(&self.parts);
        let mut first = Box::pin(script.play(async move { poll.handle(invocation(&message(run)), None).await }));
        let held_up = tokio::select! {
            biased;
            _ = &mut first => false,
            () = script.reached() => true,
        };
        self.stage.microsoft.clear_faults();
        if !held_up {
            return;
        }
        for step in meanwhile {
            Box::pin(self.play(step)).await;
        }
        if *goes_on {
            script.release();
            first.await.unwrap();
        }
    }

    fn set_faults(&self, run: &Run) {
        for fault in &run.faults {
            let fault = Fault::new(fault.target, fault.kind).after(fault.after).times(fault.times).of(IDS[run.who]);
            self.stage.microsoft.set_fault(fault).unwrap();
        }
    }

    fn asked_of_microsoft(&self) -> u64 {
        let asked = self.stage.microsoft.requests();
        asked.fraud_events + asked.get + asked.list + asked.token
    }

    async fn deliver(&mut self, twice: bool) {
        for message in std::mem::take(&mut self.queue) {
            let Some(who) = (0..self.sources.len()).find(|who| message.contains(IDS[*who])) else { continue };
            let run = Run { who, after: 2, callback: false, faults: Vec::new(), troubles: Vec::new() };
            for _ in 0..=usize::from(twice) {
                self.wait(SignedDuration::from_secs(2));
                self.hand_over(who, &message, &run, Script::new(&[])).await;
            }
        }
    }

    async fn stream(&mut self, times: u8, script: &Arc<Script>) {
        let mut items = self.account.items(ALERTS);
        items.retain(|item| item.get("outbox_shard").is_some());
        items.retain(|item| self.streamed.insert(format!("{} {}", item["pk"]["S"], item["sk"]["S"])));
        let records: Vec<Value> = (1..).zip(&items).map(|(place, item)| inserted(item, place)).collect();
        for _ in 0..if records.is_empty() { 0 } else { times } {
            let invocation = serde_json::from_value(json!({ "Records": records })).unwrap();
            script.play(self.notify.handle(invocation)).await.unwrap();
        }
    }

    async fn sweep(&self) -> bool {
        let invocation = serde_json::from_value(json!({ "task": "sweep" })).unwrap();
        self.notify.handle(invocation).await.is_ok()
    }

    /// Whether nothing stands in the way of a run: the tenant is on, and its lease is to be had.
    fn can_run(&self, who: Who) -> bool {
        let now = self.now().as_millisecond();
        let Some(state) = self.account.item(TENANTS, IDS[who], "state") else { return self.active[who] };
        let number = |name: &str| state[name]["N"].as_str().map_or(0, |number| number.parse::<i64>().unwrap());
        let (until, started) = (number("lease_until"), number("started"));
        let is_free = until <= now || until > now + LEASE + TOLERANCE;
        let is_time = started <= now - GAP || started > now + TOLERANCE;
        self.active[who] && is_free && is_time
    }

    /// Whether a run that has just ended was complete.
    fn is_complete(&self, who: Who) -> bool {
        let state = self.account.item(TENANTS, IDS[who], "state").unwrap_or_default();
        let success = state["last_success"]["S"].as_str().map(|text| text.parse::<Timestamp>().unwrap());
        success == Some(self.now()) && state["lease_until"]["N"] == "0"
    }

    /// An alert that Microsoft has and we have not, or not so.
    fn unlike_microsoft(&self, who: Who) -> Option<String> {
        let mut there = self.stage.microsoft.alerts(IDS[who]).into_iter();
        there.find_map(|alert| {
            let key = self.key(who, &alert);
            let kept = self.account.history(|history| history.alerts.get(&key)?.last().cloned());
            let is_same = kept.as_ref().is_some_and(|kept| kept.sight == Sight::at_microsoft(&alert));
            (!is_same).then(|| {
                format!("(1) after a complete run {key} is {:?}, and was kept as {kept:?}", Sight::at_microsoft(&alert))
            })
        })
    }

    /// The partition of an alert: what our id of it is depends on the source.
    pub(crate) fn key(&self, who: Who, alert: &simulator::Alert) -> String {
        match self.sources[who] {
            AlertSource::FraudEvents => format!("{}#{}_{}", IDS[who], alert.subscription_id, alert.id),
            AlertSource::Graph => format!("{}#{}", IDS[who], alert.id),
        }
    }
}

pub(crate) fn id(who: Who) -> TenantId {
    IDS[who].parse().unwrap()
}

/// An instance of `poll`, which need not wait long before it asks Microsoft again.
fn instance(parts: &Parts) -> poll::Deployed {
    let mut config = poll::Config::read(&parts.variables).unwrap();
    config.limits.first_pause = Duration::from_millis(1);
    poll::wire_as(config, parts).unwrap()
}

fn message(run: &Run) -> String {
    let cause = if run.callback { json!({ "callback": { "event": "e".repeat(64) } }) } else { json!("schedule") };
    json!({ "tenant": IDS[run.who], "cause": cause }).to_string()
}

fn invocation(body: &str) -> poll::Invocation {
    serde_json::from_value(json!({ "Records": [queue_record("message", body)] })).unwrap()
}

/// An item as the stream shows it when it was new.
fn inserted(item: &Value, place: usize) -> Value {
    json!({
        "eventID": format!("{place:032x}"),
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:000000000000:table/alerts/stream/2026-03-02T00:00:00.000",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_772_442_000.0,
            "Keys": { "pk": item["pk"], "sk": item["sk"] },
            "NewImage": item,
            "SequenceNumber": format!("{place:021}"),
            "SizeBytes": 1,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    })
}

fn aws(account: &Account) -> SdkConfig {
    let credentials = Credentials::new("id", "secret", None, None, "schedule");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(account.clone())
        // What the SDK would repeat is trouble of its own kind: as told, and not by chance.
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .build()
}

/// In which ways Microsoft may spoil what it says.
fn spoilt(schedule: &Schedule) -> Spoilt {
    fn runs(step: &Step) -> Vec<&Run> {
        match step {
            Step::Run(run) => vec![run],
            Step::HeldUp(held_up) => held_up.meanwhile.iter().flat_map(runs).chain([&held_up.run]).collect(),
            _ => Vec::new(),
        }
    }
    let runs = schedule.steps.iter().flat_map(runs);
    let kinds: Vec<FaultKind> = runs.flat_map(|run| &run.faults).map(|fault| fault.kind).collect();
    let old = [FaultKind::NewModelIgnored, FaultKind::NewModelRefused];
    Spoilt {
        malformed: kinds.contains(&FaultKind::MalformedAlert),
        old_model: old.iter().any(|kind| kinds.contains(kind)),
    }
}
