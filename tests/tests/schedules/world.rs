//! One schedule, played: Microsoft's stand-in, `poll` and `notify` as they are deployed, and an account of their own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_sdk_dynamodb::Client;
use jiff::{SignedDuration, Timestamp};
use models::{AlertSource, Cloud, Tenant, TenantId};
use runtime::{Clock as _, Metrics, Parts};
use serde_json::{Value, json};
use simulator::FaultKind;
use store::{Store, TableNames, WriteTenants as _, schema};
use tests::{CLIENT_ID, CLIENT_SECRET};

use crate::{
    account::Account,
    decisions::Pending,
    history::{Sight, Spoilt},
    plan::{Run, Schedule, Step, Who},
    script::Script,
    stage::{Stage, Told, aws},
};

/// The tenants' ids, by their places.
pub(crate) const IDS: [&str; 2] = ["9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10", "0b6a3c58-7d21-4e9f-9c40-5a8e2f1d7b63"];
/// The subscription of every alert.
pub(crate) const SUBSCRIPTION: &str = "s";
pub(crate) const ALERTS: &str = "alerts";
pub(crate) const TENANTS: &str = "tenants";

/// How far clocks may differ.
pub(crate) const TOLERANCE: SignedDuration = SignedDuration::from_mins(1);
/// How far the clock moves before each run at the end: longer than any clock of a schedule was off, and what a decision made by such a
/// clock is waited for.
const AT_THE_END: SignedDuration = SignedDuration::from_mins(50);

/// A schedule while it is played.
pub(crate) struct World<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) account: Account,
    pub(crate) parts: Parts,
    pub(crate) sources: Vec<AlertSource>,
    pub(crate) spoilt: Spoilt,
    /// Every state that an alert had at Microsoft, by tenant and our id of it.
    pub(crate) at_microsoft: BTreeMap<String, Vec<Sight>>,
    /// Alerts that Microsoft did not know any more at some time, by tenant and our id of it.
    pub(crate) vanished: BTreeSet<String>,
    /// What somebody decided, by tenant and our id of the alert.
    pub(crate) decided: BTreeMap<String, Vec<Pending>>,
    /// Whether Microsoft's list may be late with a change.
    pub(crate) lagging: bool,
    pub(crate) bursts: usize,
    pub(crate) clock: Arc<Told>,
    off: SignedDuration,
    pub(crate) poll: poll::Deployed,
    notify: notify::Deployed,
    pub(crate) queue: Vec<String>,
    pub(crate) active: Vec<bool>,
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
        let clock = Told::new();
        let account = Account::new(IDS.map(|id| (id.to_owned(), secret(id))).into(), Arc::clone(&clock));
        let parts = Parts {
            variables: stage.variables.clone(),
            tls: stage.tls.clone(),
            aws: aws(&account),
            clock: clock.clone(),
            metrics: Metrics::none(),
        };
        let world = Self {
            poll: stage.instance(&parts),
            notify: notify::wire(&parts).unwrap(),
            stage,
            account,
            parts,
            sources: schedule.sources.clone(),
            spoilt: spoilt(schedule),
            at_microsoft: BTreeMap::new(),
            vanished: BTreeSet::new(),
            decided: BTreeMap::new(),
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
            Step::Decide(decide) => Box::pin(self.decide(decide)).await,
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

    /// Ends all trouble: one undisturbed run of each tenant, more where its list is late, and what they ask for, and one sweep.
    pub(crate) async fn settle(&mut self) {
        self.stage.microsoft.clear_faults();
        self.off = SignedDuration::ZERO;
        for who in 0..self.sources.len() {
            if !self.active[who] {
                self.switch(who, true).await;
            }
        }
        // A list that lags shows what is new to the run after the last that it is late for.
        let rounds = if self.lagging { 4 } else { 1 };
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
    pub(crate) fn wait(&self, span: SignedDuration) {
        // No request is later than clocks may differ: AWS takes none that was signed long ago.
        if span >= TOLERANCE {
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

    /// The partition of an alert: what our id of it is depends on the source.
    pub(crate) fn key(&self, who: Who, alert: &str) -> String {
        match self.sources[who] {
            AlertSource::FraudEvents => format!("{}#{SUBSCRIPTION}_{alert}", IDS[who]),
            AlertSource::Graph => format!("{}#{alert}", IDS[who]),
        }
    }
}

pub(crate) fn id(who: Who) -> TenantId {
    IDS[who].parse().unwrap()
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
