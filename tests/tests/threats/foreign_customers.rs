//! Genuine events about customers that are none of ours. Any partner can have Microsoft send them to our address, in any number:
//! they cost a bounded number of looks with our own credentials and one question, and nobody is alarmed.

use http::Response;
use jiff::{SignedDuration, Timestamp};
use runtime::{OutgoingTls, Parts, Variable, Variables};
use serde_json::{Value, json};
use tests::{ByHand, HandQueue, Scripted, Setup, stream_record};

/// Stands in every id of a customer that is not ours.
const FOREIGN: &str = "beefbeef";
/// The least time between two looks at one tenant, in seconds.
const GAP: i64 = 15;
/// How long the flood lasts, in seconds, and how many events of each kind come in each.
const FLOOD: i64 = 40;
const EACH_SECOND: usize = 4;

/// A system whose `poll` asks a Microsoft that has no alerts and remembers what it was asked; callbacks are the simulator's.
async fn system() -> (ByHand, Scripted) {
    let microsoft = Scripted::start(|_, asked| {
        let token = json!({ "token_type": "Bearer", "expires_in": 3_599, "access_token": "token" });
        if asked.path.contains("/customers/") {
            let stranger = json!({ "code": "900159", "description": "There is no relationship.", "source": "made up" });
            return Response::builder().status(403).body(stranger.to_string()).unwrap();
        }
        let answer = if asked.path.contains("securityAlerts") { json!({ "value": [] }) } else { token };
        Response::new(answer.to_string())
    })
    .await;
    let gap = GAP.to_string();
    let mut system = ByHand::with(Setup { variables: &[("RECONCILE_GAP_SECONDS", &gap)], ..Setup::default() }).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), microsoft.certificate_pem()).unwrap();
    let anchors = ("OUTGOING_TLS_TRUST_ANCHORS_FILE", file.path().display().to_string());
    let tls = OutgoingTls::read(&Variables::default().over([anchors])).unwrap();
    let variables = ["GLOBAL_GRAPH_URL", "GLOBAL_LOGIN_URL", "GLOBAL_PARTNER_CENTER_URL"]
        .into_iter()
        .fold(system.parts.variables.clone(), |variables, name| {
            variables.with(&Variable { name, meaning: "", default: None }, microsoft.url().to_owned())
        });
    system.poll = poll::wire(&Parts { variables, tls, ..system.parts.clone() }).unwrap();
    (system, microsoft)
}

/// One of the events that come at a moment: all are about one subscription, and none has the bytes of another.
fn event(name: &str, number: usize, now: Timestamp) -> Vec<u8> {
    let uri = format!(
        "https://api.partnercenter.microsoft.com/v1/customers/{FOREIGN}-0000-4000-8000-000000000001/subscriptions/\
         {FOREIGN}-1111-4000-8000-000000000001"
    );
    let changed = now - SignedDuration::from_millis(i64::try_from(number).unwrap());
    json!({ "EventName": name, "ResourceUri": uri, "ResourceChangeUtcDate": changed }).to_string().into_bytes()
}

#[tokio::test]
async fn a_flood_of_genuine_events_about_others_is_one_look_in_fifteen_seconds_and_alarms_nobody() {
    let (system, microsoft) = system().await;
    let asked_for = |part: &str| microsoft.asked().iter().filter(|asked| asked.path.contains(part)).count();
    let mut queue = HandQueue::default();
    let mut looks: Vec<i64> = Vec::new();
    let mut second = 0;
    while second < FLOOD || !queue.waiting.is_empty() {
        for number in 0..if second < FLOOD { EACH_SECOND } else { 0 } {
            for name in ["azure-fraud-event-detected", "test-created"] {
                let callback = system.microsoft.sign(&event(name, number, system.now())).unwrap();
                assert_eq!(system.receive(&callback).await, 200);
            }
        }
        queue.deliver(&system).await;
        looks.extend(std::iter::repeat_n(second, asked_for("securityAlerts") - looks.len()));
        system.clock.advance(SignedDuration::from_secs(1));
        second += 1;
        assert!(second < 20 * FLOOD, "it does not come to rest");
    }

    assert_eq!(
        looks,
        [0, 15, 30, 45, 120, 300, 600],
        "of all the events one has looks of its own, which the others share"
    );
    assert_eq!(queue.dead, [""; 0]);
    assert_eq!(asked_for(FOREIGN), 1, "one question about the customer: {:?}", microsoft.asked());
    assert_eq!(queue.calls.iter().filter(|call| call.operation == "Publish").count(), 0);
    assert_eq!(system.microsoft.requests().certificate, 1);

    // What the stream of the events table then tells goes to those who want every event, and to nobody else.
    let events = system.items(&system.test.system.tables().events).await;
    assert_eq!(events.len(), 2 * EACH_SECOND * usize::try_from(FLOOD).unwrap());
    let records: Vec<Value> =
        (0..).zip(&events).map(|(place, item)| stream_record("events", "INSERT", item, place)).collect();
    for batch in records.chunks(25) {
        assert_eq!(system.stream(batch).await, None);
    }
    assert_eq!(system.test.messages.events().len(), events.len());
    assert_eq!(system.test.messages.fraud().len(), 0);
    assert_eq!(system.outbox_lines().await, [""; 0]);
}
