//! A webhook over a local system of its own, and callbacks for it.

use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use jiff::{SignedDuration, Timestamp};
use models::{PathKey, Tenant, TenantId};
use runtime::{FixedClock, Parts};
use simulator::{Fault, FaultKind, Forgery, SignedCallback, Simulator, Target};
use store::{ReadTenants as _, Store, WriteTenants as _};
use tests::{BY_HAND, TestSystem, wire::Wire};
use tokio::task::JoinSet;
use webhook::{Deployed, Outcome};

pub(crate) const FRAUD: &str = "azure-fraud-event-detected";

/// A local system where nothing runs by itself, and a webhook with a clock that stands still.
pub(crate) struct Fixture {
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) now: Timestamp,
    pub(crate) path: String,
    pub(crate) system: TestSystem,
    pub(crate) webhook: Arc<Deployed>,
    pub(crate) wire: Wire,
    parts: Parts,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The same with these variables set.
    pub(crate) async fn with(variables: &[(&'static str, &str)]) -> Self {
        let system = TestSystem::start(&[&BY_HAND, variables].concat()).await.unwrap();
        // A moment that is no whole second, so that rounding shows.
        let now = system.system.parts().clock.now().as_second();
        let now = Timestamp::from_second(now).unwrap() + SignedDuration::from_millis(250);
        let clock = Arc::new(FixedClock::at(now));
        let wire = Wire::default();
        let parts = Parts { clock: Arc::clone(&clock) as _, ..wire.tap(system.system.parts()) };
        let path = path_of(system.system.callback_url());
        let webhook = Arc::new(webhook::wire(&parts).unwrap());
        Self { clock, now, path, system, webhook, wire, parts }
    }

    /// The same function in another process: nothing of what the first one remembers.
    pub(crate) fn another(&self) -> Arc<Deployed> {
        Arc::new(webhook::wire(&self.parts).unwrap())
    }

    pub(crate) fn simulator(&self) -> &Simulator {
        self.system.system.simulator()
    }

    pub(crate) fn fault(&self, kind: FaultKind) {
        self.simulator().set_fault(Fault::new(Target::Certificate, kind)).unwrap();
    }

    /// Certificates downloaded so far.
    pub(crate) fn downloads(&self) -> u64 {
        self.simulator().requests().certificate
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.path.split('/').nth(2).unwrap().parse().unwrap()
    }

    pub(crate) fn store(&self) -> Store {
        let client = aws_sdk_dynamodb::Client::new(&self.system.system.parts().aws);
        Store::new(client, self.system.system.tables().clone())
    }

    /// Changes the configuration of the seed tenant.
    pub(crate) async fn change_tenant(&self, change: impl FnOnce(&mut Tenant)) {
        let mut tenant = self.store().tenants().await.unwrap().remove(0);
        change(&mut tenant);
        self.store().put_tenant(&tenant).await.unwrap();
    }

    /// A fraud event that changed now; `mark` makes it another event.
    pub(crate) fn fraud_body(&self, mark: usize) -> Vec<u8> {
        event_body(FRAUD, self.now, mark)
    }

    /// A genuine callback to the seed tenant's address.
    pub(crate) fn genuine(&self, body: &[u8]) -> Request<Bytes> {
        self.request(self.simulator().sign(body).unwrap())
    }

    pub(crate) fn forged(&self, body: &[u8], forgery: Forgery) -> Request<Bytes> {
        self.request(self.simulator().forge(body, forgery).unwrap())
    }

    pub(crate) fn request(&self, callback: SignedCallback) -> Request<Bytes> {
        request(&self.path, callback)
    }

    /// Hands a request over, past the wrapping, and says what came of it.
    pub(crate) async fn receive(&self, request: &Request<Bytes>) -> Outcome {
        receive(&self.webhook, request).await
    }

    /// The reason and the status of a request's outcome.
    pub(crate) async fn told(&self, request: &Request<Bytes>) -> (&'static str, u16) {
        told(&self.receive(request).await)
    }

    /// What came of these requests, side by side: how often which reason and status.
    pub(crate) async fn told_of_all(
        &self,
        requests: impl IntoIterator<Item = Request<Bytes>>,
    ) -> HashMap<(&'static str, u16), usize> {
        let mut under_way = JoinSet::new();
        for request in requests {
            let webhook = Arc::clone(&self.webhook);
            under_way.spawn(async move { told(&receive(&webhook, &request).await) });
        }
        count(under_way.join_all().await)
    }

    /// Everything in the events table.
    pub(crate) async fn events(&self) -> Vec<HashMap<String, AttributeValue>> {
        let client = aws_sdk_dynamodb::Client::new(&self.system.system.parts().aws);
        let pages = client.scan().table_name(&self.system.system.tables().events).into_paginator().items();
        pages.send().collect::<Result<_, _>>().await.unwrap()
    }

    /// The only item in the events table.
    pub(crate) async fn event(&self) -> HashMap<String, AttributeValue> {
        let mut events = self.events().await;
        assert_eq!(events.len(), 1, "{events:#?}");
        events.remove(0)
    }
}

pub(crate) fn count<T: std::hash::Hash + Eq>(all: impl IntoIterator<Item = T>) -> HashMap<T, usize> {
    let mut counts = HashMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

pub(crate) async fn receive(webhook: &Deployed, request: &Request<Bytes>) -> Outcome {
    webhook.receive(request).await
}

pub(crate) fn told(outcome: &Outcome) -> (&'static str, u16) {
    (outcome.reason(), outcome.status().as_u16())
}

/// The body of an event in the shape that Microsoft publishes.
pub(crate) fn event_body(name: &str, changed: Timestamp, mark: usize) -> Vec<u8> {
    format!(
        "{{\"EventName\":\"{name}\",\"ResourceUri\":\"https://api.partnercenter.microsoft.com/v1/customers/{mark} \",\
         \"ResourceName\":\"subscription\",\"AuditUri\":null,\"ResourceChangeUtcDate\":\"{changed}\"}}"
    )
    .into_bytes()
}

pub(crate) fn path_of(url: &str) -> String {
    let rest = url.split_once("://").unwrap().1;
    rest[rest.find('/').unwrap()..].to_owned()
}

pub(crate) fn request(path: &str, callback: SignedCallback) -> Request<Bytes> {
    let mut request = Request::post(path).body(Bytes::from(callback.body)).unwrap();
    *request.headers_mut() = headers(&callback.headers);
    request
}

fn headers(pairs: &[(String, String)]) -> HeaderMap {
    let pair =
        |(name, value): &(String, String)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap());
    pairs.iter().map(pair).collect()
}

pub(crate) fn other_key(byte: u8) -> PathKey {
    PathKey::from_bytes([byte; 32])
}

/// The attribute of an item as text.
pub(crate) fn text<'a>(item: &'a HashMap<String, AttributeValue>, name: &str) -> &'a str {
    item[name].as_s().unwrap()
}
