//! A system with a customer whose subscription has alerts, people who may cancel it, and whatever carries it on.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use models::{
    Act, ActivityLine, Actor, Chain, Entry, FollowUp, Operation, OperationId, Person, ResolvedReason, SubscriptionId,
    SubscriptionStage, SubscriptionWish, Tenant,
};
use partner_center::{Asker, Entitlements, NewId, PersonToken, Purpose, SecretsManager, Tokens};
use runtime::{Parts, random_id};
use secrecy::SecretString;
use serde_json::{Value, json};
use simulator::{NewAlert, Role};
use store::{ReadActivity as _, ReadOperations as _, ReadTenants as _, ReadWork as _, Store};
use subscriptions::{AskError, Subscriptions, Wanted};
use tests::{ByHand, CLIENT_ID, CLIENT_SECRET, TENANT, queue_record};

pub(crate) const CUSTOMER: &str = "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3";
pub(crate) const SUBSCRIPTION: &str = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381";
/// What the subscription is called at Microsoft.
pub(crate) const NAME: &str = "Subscription 6c2e9a47";
pub(crate) const BOTH: [Role; 2] = [Role::AdminAgent, Role::GlobalAdministrator];

pub(crate) type Acting = Subscriptions<Store, SecretsManager>;

/// A system with three alerts of one subscription, of which one is resolved, and one of another.
pub(crate) async fn system() -> ByHand {
    // On the heap, since it is large.
    Box::pin(started()).await
}

async fn started() -> ByHand {
    let system = ByHand::start().await;
    system.for_people().await;
    for (id, subscription) in [("one", SUBSCRIPTION), ("two", SUBSCRIPTION), ("over", SUBSCRIPTION), ("else", OTHER)] {
        raise(&system, id, subscription);
    }
    let resolved = simulator::AlertChange {
        status: Some("resolved".to_owned()),
        resolved_reason: Some("legitimate".to_owned()),
        ..simulator::AlertChange::default()
    };
    system.change("over", resolved);
    system.complete(4, 4).await;
    let _ = system.tap.take();
    system
}

pub(crate) const OTHER: &str = "11112222-0d3b-4f58-b1e6-92a7c4d0f381";

pub(crate) fn raise(system: &ByHand, id: &str, subscription: &str) {
    system.raise_as(NewAlert {
        id: Some(id.to_owned()),
        customer_tenant_id: Some(CUSTOMER.to_owned()),
        subscription_id: Some(subscription.to_owned()),
        ..NewAlert::default()
    });
}

fn tokens(parts: &Parts, purpose: Purpose) -> (reqwest::Client, Arc<Tokens<SecretsManager>>) {
    let config = poll::Config::read(&parts.variables).unwrap();
    let http = runtime::http_client(&parts.tls, config.timeout).unwrap();
    let credentials = SecretsManager::new(aws_sdk_secretsmanager::Client::new(&parts.aws), purpose);
    let (clock, ids): (_, NewId) = (Arc::clone(&parts.clock), Arc::new(random_id));
    let now = Arc::new(move || clock.now());
    let tokens = Tokens::new(http.clone(), config.clouds, credentials, config.limits, now, ids);
    (http, Arc::new(tokens))
}

fn store(system: &ByHand) -> Store {
    Store::new(aws_sdk_dynamodb::Client::new(&system.parts.aws), system.test.system.tables().clone())
}

pub(crate) fn entitlements(system: &ByHand) -> Entitlements<SecretsManager> {
    let (http, tokens) = tokens(&system.parts, Purpose::Read);
    Entitlements::new(http, tokens, poll::Config::read(&system.parts.variables).unwrap().limits)
}

/// What acts, as a process that has just begun.
pub(crate) fn acting(system: &ByHand) -> Acting {
    Subscriptions::new(store(system), entitlements(system), system.parts.clock.clone(), Arc::new(random_id))
}

/// The function, as a process that has just begun.
pub(crate) fn function(system: &ByHand) -> resolve::Deployed {
    resolve::wire(&system.parts).unwrap()
}

/// Whatever carries operations on, by the clock: the queue, without the schedule.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    waiting: Vec<(Timestamp, String)>,
}

impl Carried {
    /// With the first look at this operation.
    pub(crate) fn of(system: &ByHand, operation: &Operation) -> Self {
        let (look, after) = FollowUp::first(operation.tenant.clone(), operation.id.clone());
        Self { waiting: vec![(system.now() + after, serde_json::to_string(&look).unwrap())] }
    }

    /// With what was put on the queue since the last time.
    pub(crate) fn collect(&mut self, system: &ByHand) {
        for batch in system.tap.take_bodies("SendMessageBatch") {
            let batch: Value = serde_json::from_str(&batch).unwrap();
            for entry in batch["Entries"].as_array().unwrap() {
                let after = SignedDuration::from_secs(entry["DelaySeconds"].as_i64().unwrap_or(0));
                self.waiting.push((system.now() + after, entry["MessageBody"].as_str().unwrap().to_owned()));
            }
        }
    }

    /// What is waited for.
    pub(crate) fn waits(&self) -> usize {
        self.waiting.len()
    }

    /// Lets so much time pass, and delivers what becomes due.
    pub(crate) async fn run(&mut self, system: &ByHand, time: SignedDuration) {
        let end = system.now() + time;
        let _ = system.tap.take();
        loop {
            self.waiting.sort();
            let Some((due, body)) = self.waiting.first().cloned().filter(|(due, _)| *due <= end) else { break };
            self.waiting.remove(0);
            system.clock.advance(due.duration_since(system.now()).max(SignedDuration::ZERO));
            assert!(deliver(system, &body).await, "{body}");
            self.collect(system);
        }
        system.clock.advance(end.duration_since(system.now()));
    }
}

/// Hands a message to the function as SQS and Lambda do, and says whether it is done.
pub(crate) async fn deliver(system: &ByHand, body: &str) -> bool {
    let invocation = serde_json::from_value(json!({ "Records": [queue_record("message", body)] })).unwrap();
    let done = function(system).follow(invocation, "follow-1", None).await.unwrap();
    done.batch_item_failures.is_empty()
}

/// The schedule ticks, and whatever it asks for is done.
pub(crate) async fn sweep(system: &ByHand) {
    let _ = system.tap.take();
    system.clock.advance(SignedDuration::from_mins(2));
    let invocation = serde_json::from_value(json!({ "task": "sweep" })).unwrap();
    function(system).follow(invocation, "sweep-1", None).await.unwrap();
    let mut chain = Carried::default();
    chain.collect(system);
    let asked = chain.waits();
    chain.run(system, SignedDuration::ZERO).await;
    assert_eq!(chain.waits(), 0, "what the schedule asks for ({asked} looks) asks for nothing more");
}

// ---- people --------------------------------------------------------------------------------------------------------------

/// Somebody at Microsoft with these roles.
pub(crate) fn with_roles(name: &str, roles: &[Role]) -> simulator::Person {
    simulator::Person { mfa: true, name: name.to_owned(), roles: roles.to_vec() }
}

/// The access token of somebody for the service at this address.
pub(crate) async fn token_for(system: &ByHand, person: simulator::Person, address: &str) -> SecretString {
    let refresh_token = system.microsoft.refresh_token_of(TENANT, person).unwrap();
    let scope = format!("{address}/.default");
    let form = [
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("scope", &scope),
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh_token),
    ];
    let http = tokens(&system.parts, Purpose::Read).0;
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", system.microsoft.microsoft_url());
    let answer: Value = http.post(url).form(&form).send().await.unwrap().json().await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned().into()
}

/// The access token of somebody for Partner Center.
pub(crate) async fn token(system: &ByHand, person: simulator::Person) -> SecretString {
    token_for(system, person, &system.microsoft.partner_center_url()).await
}

/// Somebody who may cancel, as they are signed in here, and their token.
pub(crate) async fn administrator(system: &ByHand, acting: &Acting, name: &str) -> (Person, PersonToken) {
    let token = token(system, with_roles(name, &BOTH)).await;
    // Who they are, as a first look says.
    let tenant = tenant(system).await;
    let person = entitlements(system).person(token.clone(), &tenant, &[]).unwrap().person().unwrap();
    let checked = acting.person(token, &tenant, &person).unwrap();
    (person, checked)
}

pub(crate) async fn tenant(system: &ByHand) -> Tenant {
    system.store().tenants().await.unwrap().remove(0)
}

// ---- what is asked, and what is kept -------------------------------------------------------------------------------------

/// What somebody asks for, under this key.
pub(crate) struct Wanting<'a> {
    pub(crate) by: &'a Person,
    pub(crate) key: &'a str,
    pub(crate) subscription: &'a str,
    pub(crate) typed: &'a str,
    pub(crate) wish: SubscriptionWish,
}

impl<'a> Wanting<'a> {
    /// That the subscription be cancelled.
    pub(crate) fn cancel(by: &'a Person, key: &'a str) -> Self {
        Self { by, key, subscription: SUBSCRIPTION, typed: NAME, wish: SubscriptionWish::Cancel }
    }

    pub(crate) async fn ask(&self, system: &ByHand, acting: &Acting) -> Result<Operation, AskError> {
        let tenant = tenant(system).await;
        let subscription: SubscriptionId = self.subscription.parse().unwrap();
        let by = Actor::Person(self.by.clone());
        let wanted = Wanted {
            tenant: &tenant,
            subscription: &subscription,
            customer: None,
            wish: self.wish,
            typed: self.typed,
            note: Some("It mines.".parse().unwrap()),
            id: OperationId::of_key(&tenant.id, &by, &self.key.parse().unwrap()),
            by,
            request: None,
        };
        Box::pin(acting.ask(Asker::Tenant, &wanted)).await
    }
}

/// An operation as it is kept.
pub(crate) async fn kept(system: &ByHand, id: &OperationId) -> Operation {
    system.store().operation(&system.tenant, id).await.unwrap().unwrap()
}

pub(crate) fn stage(operation: &Operation) -> SubscriptionStage {
    operation.progress.as_ref().unwrap().stage
}

/// The tenant's own lines, each in a few words, whose chain is whole.
pub(crate) async fn lines(system: &ByHand) -> Vec<String> {
    chain(system, None).await.iter().map(|line| in_words(&line.entry)).collect()
}

/// A chain's lines, which is whole.
pub(crate) async fn chain(system: &ByHand, alert: Option<&str>) -> Vec<ActivityLine> {
    let chain = Chain { tenant: system.tenant.clone(), alert: alert.map(|id| id.parse().unwrap()) };
    let kept = system.store().kept_chain(&chain).await.unwrap();
    assert_eq!(models::verify(&chain, &kept.lines, kept.head.as_ref()), []);
    kept.lines.iter().map(|line| line.read().unwrap()).collect()
}

fn in_words(entry: &Entry) -> String {
    let by = match &entry.actor {
        Actor::Person(person) => person.name.split('@').next().unwrap().to_owned(),
        other => other.key(),
    };
    let what = match &entry.act {
        Act::SubscriptionAsked { wish, .. } => format!("asked {wish:?}"),
        Act::SubscriptionReached { stage, .. } => format!("{stage:?}"),
        Act::SubscriptionRefused { refusal, .. } => format!("refused {}", refusal.code),
        Act::SubscriptionStuck { at, .. } => format!("stuck {at:?}"),
        Act::SubscriptionLapsed { .. } => "lapsed".to_owned(),
        Act::SubscriptionTelling { known_as: None, .. } => "telling".to_owned(),
        Act::SubscriptionTelling { known_as: Some(person), .. } => format!("telling as {}", person.id),
        Act::SubscriptionNotTaken { .. } => "not taken".to_owned(),
        Act::SubscriptionAlertsLeft { alerts, .. } => format!("{alerts} left open"),
        Act::SubscriptionGivenUp { at, .. } => format!("given up {at:?}"),
        other => format!("{other:?}"),
    };
    format!("{by}: {what}")
}

/// How the alerts stand with us: id, status and reason.
pub(crate) async fn standings(system: &ByHand) -> Vec<String> {
    let mut all = Vec::new();
    for id in ["else", "one", "over", "two"] {
        let seen = system.store().at_work(&system.tenant, &id.parse().unwrap()).await.unwrap().unwrap();
        let alert = &seen.stored.known.alert;
        let reason = alert.resolution.reason.as_ref().map_or("-", ResolvedReason::as_str);
        all.push(format!("{id} {} {reason}", alert.status));
    }
    all
}
