//! What the suites of `poll` share.

use messaging::{NamesQueue, ReconcileQueue};
use models::AlertSource;
use poll::{Queues, ReconcileError};
use runtime::chain;
use serde_json::{Value, json};
use simulator::{AlertChange, Fault, FaultKind, NewAlert, Target};
use store::{ReadTenants as _, WriteTenants as _};
use tests::{ByHand, CLIENT_ID, CLIENT_SECRET, Setup, TENANT, number};

pub(crate) const PAGES_OF_TWO: Setup<'static> = Setup { page_size: 2, variables: &[] };

/// A system whose seed tenant has its alerts from this source, by a credential that an Admin Agent has consented to.
pub(crate) async fn of_source(source: AlertSource, setup: Setup<'_>) -> ByHand {
    let system = ByHand::with(setup).await;
    consent(&system, &system.microsoft.refresh_token(TENANT).unwrap());
    turn_to(&system, source).await;
    system
}

/// The queues of the system, for a `poll` that a test puts together itself.
pub(crate) fn queues(system: &ByHand) -> Queues {
    let environment = system.test.system.environment();
    let url = |wanted: &str| environment.iter().find(|(name, _)| name == wanted).unwrap().1.clone();
    let client = aws_sdk_sqs::Client::new(&system.parts.aws);
    Queues {
        reconcile: ReconcileQueue::new(client.clone(), url("RECONCILE_QUEUE_URL")),
        names: NamesQueue::new(client, url("NAMES_QUEUE_URL")),
    }
}

/// The tenant's secret has this refresh token from now on.
pub(crate) fn consent(system: &ByHand, refresh_token: &str) {
    let secret = json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": refresh_token });
    system.tap.answer("GetSecretValue", json!({ "SecretString": secret.to_string() }).to_string());
}

/// The seed tenant has its alerts from this source from now on.
pub(crate) async fn turn_to(system: &ByHand, source: AlertSource) {
    let mut tenant = system.store().tenants().await.unwrap().remove(0);
    tenant.alert_source = source;
    system.store().put_tenant(&tenant).await.unwrap();
}

/// What a source lists alerts by at Microsoft.
pub(crate) fn list_of(source: AlertSource) -> Target {
    match source {
        AlertSource::FraudEvents => Target::FraudEvents,
        AlertSource::Graph => Target::List,
    }
}

/// How often a source was asked for a page.
pub(crate) fn listed(system: &ByHand, source: AlertSource) -> u64 {
    let requests = system.microsoft.requests();
    match source {
        AlertSource::FraudEvents => requests.fraud_events,
        AlertSource::Graph => requests.list,
    }
}

/// The id that a source gives to an alert of the subscription `s`.
pub(crate) fn id_of(source: AlertSource, id: &str) -> String {
    match source {
        AlertSource::FraudEvents => format!("s_{id}"),
        AlertSource::Graph => id.to_owned(),
    }
}

/// So many alerts of the subscription `s` appear: `alert-000` and on.
pub(crate) fn raise_of_s(system: &ByHand, count: usize) {
    for number in 0..count {
        system.raise_as(of_s(&format!("alert-{number:03}")));
    }
}

/// An alert of the subscription `s`.
pub(crate) fn of_s(id: &str) -> NewAlert {
    NewAlert { subscription_id: Some("s".to_owned()), ..named(id) }
}

pub(crate) fn named(id: &str) -> NewAlert {
    NewAlert { id: Some(id.to_owned()), ..NewAlert::default() }
}

pub(crate) fn of_severity(id: &str, severity: &str) -> NewAlert {
    NewAlert { severity: Some(severity.to_owned()), ..named(id) }
}

pub(crate) fn raise_many(system: &ByHand, prefix: &str, count: usize) {
    for number in 0..count {
        system.raise(&format!("{prefix}-{number:03}"));
    }
}

pub(crate) fn resolved(reason: &str) -> AlertChange {
    let (status, reason) = (Some("resolved".to_owned()), Some(reason.to_owned()));
    AlertChange { status, resolved_reason: reason, ..AlertChange::default() }
}

pub(crate) fn status(status: &str) -> AlertChange {
    AlertChange { status: Some(status.to_owned()), ..AlertChange::default() }
}

pub(crate) fn severity(severity: &str) -> AlertChange {
    AlertChange { severity: Some(severity.to_owned()), ..AlertChange::default() }
}

pub(crate) fn fault(system: &ByHand, target: Target, kind: FaultKind) {
    system.microsoft.set_fault(Fault::new(target, kind)).unwrap();
}

pub(crate) fn fault_once(system: &ByHand, target: Target, kind: FaultKind) {
    system.microsoft.set_fault(Fault::new(target, kind).times(1)).unwrap();
}

/// The error of a run, and its words with all causes.
pub(crate) async fn failed(system: &ByHand) -> (ReconcileError, String) {
    let error = system.reconcile().await.unwrap_err();
    let words = chain(&error);
    (error, words)
}

/// The message by which the schedule asks for a run of a tenant.
pub(crate) fn request(tenant: &str) -> String {
    json!({ "tenant": tenant, "cause": "schedule" }).to_string()
}

/// The message by which a callback does.
pub(crate) fn rung(tenant: &str) -> String {
    json!({ "tenant": tenant, "cause": { "callback": { "event": "e".repeat(64) } } }).to_string()
}

/// The digests of the outbox: reason, total, and the ids that they list.
pub(crate) async fn digests(system: &ByHand) -> Vec<(String, u64, Vec<String>)> {
    let outbox = system.outbox().await;
    let digests = outbox.iter().filter_map(|item| item.notice.get("digest"));
    let listed = |digest: &Value| -> Vec<String> {
        let alerts = digest["alerts"].as_array().unwrap().iter();
        alerts.map(|alert| alert["id"].as_str().unwrap().to_owned()).collect()
    };
    digests
        .map(|digest| {
            (digest["reason"].as_str().unwrap().to_owned(), digest["total"].as_u64().unwrap(), listed(digest))
        })
        .collect()
}

pub(crate) async fn to_be_published(system: &ByHand) -> Vec<String> {
    system.outbox().await.iter().filter(|item| item.publish).map(ToString::to_string).collect()
}

pub(crate) fn is_free(state: &tests::Item) -> bool {
    number(state, "lease_until") == 0
}
