//! What a process writes: one JSON object a line, and never what is to stay between us and Microsoft.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use simulator::{NewAlert, SignedCallback};
use tests::{CLIENT_SECRET, PATH_KEY, TENANT, WAYS, gateway_event, lambda::Ended, queue_record};

use crate::support::{Here, invoke, log};

/// In every body, and long enough to be found whole.
const MARK: &str = "a-customer-that-no-log-should-name";

/// Every line is a log line, and there are some.
fn assert_log(ended: &Ended) {
    assert!(!ended.stdout.is_empty());
    for line in log(ended) {
        let line = line.as_object().unwrap();
        for member in ["timestamp", "level", "message"] {
            assert!(line.get(member).is_some_and(Value::is_string), "{member} is missing: {line:?}");
        }
    }
    assert_eq!(ended.stderr, [""; 0]);
}

/// None of these is in what was written.
fn assert_without(ended: &Ended, secrets: &[&str]) {
    for line in ended.stdout.iter().chain(&ended.stderr) {
        for secret in secrets {
            assert!(!line.contains(secret), "{secret} is in the log: {line}");
        }
    }
}

fn signature(callback: &SignedCallback) -> &str {
    let (_, value) = callback.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
    value.rsplit(' ').next().unwrap()
}

#[tokio::test]
async fn webhook_logs_neither_bodies_nor_signatures_nor_path_keys() {
    let here = Here::new().await;
    let path = format!("/callbacks/{TENANT}/{PATH_KEY}");
    let wrong_path = format!("{path}0");
    for level in ["info", "trace"] {
        let mut webhook = here.start_with("webhook", "LOG_LEVEL", level).await;
        let mark = format!("{MARK}-{level}");
        let (genuine, forged) = (here.genuine(&mark), here.forged(&mark));
        let unreadable = here.simulator().sign(mark.as_bytes()).unwrap();
        for (path, callback) in
            [(&path, &genuine), (&path, &genuine), (&path, &forged), (&path, &unreadable), (&wrong_path, &genuine)]
        {
            for way in WAYS {
                invoke(&mut webhook, &gateway_event(way, path, callback)).await;
            }
        }
        let ended = webhook.kill().await;
        assert_log(&ended);
        assert!(ended.stdout.len() >= 20, "each callback leaves a line: {ended}");
        for callback in [genuine, forged, unreadable] {
            let encoded = STANDARD.encode(&callback.body);
            assert_without(&ended, &[MARK, &encoded, signature(&callback), PATH_KEY]);
        }
    }
}

#[tokio::test]
async fn poll_and_notify_log_neither_credentials_nor_what_alerts_say() {
    let here = Here::new().await;
    let alert = NewAlert { display_name: Some(MARK.to_owned()), ..NewAlert::default() };
    here.simulator().raise(alert).unwrap();
    let request = json!({ "tenant": TENANT, "cause": "schedule" }).to_string();
    let mut poll = here.start_with("poll", "LOG_LEVEL", "trace").await;
    invoke(&mut poll, &json!({ "Records": [queue_record("message", &request)] })).await;
    let mut notify = here.start_with("notify", "LOG_LEVEL", "trace").await;
    let outbox = here.alerts("outbox#").await.remove(0);
    let table = &here.test.system.tables().alerts;
    invoke(&mut notify, &json!({ "Records": [tests::stream_record(table, "INSERT", &outbox, 1)] })).await;
    for ended in [poll.kill().await, notify.kill().await] {
        assert_log(&ended);
        assert_without(&ended, &[MARK, CLIENT_SECRET, "eyJ", "Bearer"]);
    }
}
