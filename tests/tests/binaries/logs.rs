//! What a process writes: one JSON object a line, and never what is to stay between us and Microsoft. For secrets, path keys among them,
//! the output of every process is searched when it ends; `tests/tests/secrets` leads one through all troubles.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use simulator::{NewAlert, SignedCallback};
use tests::{PATH_KEY, TENANT, WAYS, gateway_event, lambda::Ended, queue_record};

use crate::support::{Here, invoke, log, metrics};

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
async fn webhook_logs_neither_bodies_nor_signatures() {
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
            assert_without(&ended, &[MARK, &encoded, signature(&callback)]);
        }
    }
}

#[tokio::test]
async fn poll_notify_and_renew_do_not_log_what_alerts_say() {
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
    let mut renew = here.start_with("renew", "LOG_LEVEL", "trace").await;
    invoke(&mut renew, &json!({ "task": "renew" })).await;
    for ended in [poll.kill().await, notify.kill().await, renew.kill().await] {
        assert_log(&ended);
        assert_without(&ended, &[MARK, "Bearer"]);
    }
}

#[tokio::test]
async fn each_invocation_is_counted_and_named_with_the_trace_that_lambda_gave_it() {
    let here = Here::new().await;
    let path = format!("/callbacks/{TENANT}/{PATH_KEY}");
    let mut webhook = here.start("webhook").await;
    let genuine = here.genuine("counted");
    for callback in [&genuine, &genuine, &here.forged("counted")] {
        invoke(&mut webhook, &gateway_event(WAYS[0], &path, callback)).await;
    }
    let ended = webhook.kill().await;

    let counted: Vec<_> = metrics(&ended)
        .into_iter()
        .map(|mut line| {
            let directive = line["_aws"].take();
            assert!(directive["Timestamp"].is_i64(), "{directive}");
            assert_eq!(directive["CloudWatchMetrics"][0]["Namespace"], "PartnerAlerts");
            line.as_object_mut().unwrap().remove("_aws");
            line
        })
        .collect();
    let expected = [
        json!({ "FunctionName": "function", "CallbacksReceived": 1, "CallbacksKept": 1 }),
        json!({ "FunctionName": "function", "CallbacksReceived": 1, "CallbacksDuplicate": 1 }),
        json!({ "FunctionName": "function", "CallbacksReceived": 1, "CallbacksRefused": 1, "Reason": "signature-mismatch" }),
    ];
    assert_eq!(counted, expected);

    for line in log(&ended) {
        let invocation = &line["spans"][0];
        assert_eq!(invocation["name"], "invocation", "{line}");
        assert_eq!(invocation["trace.id"], "5bef4de7ad49b0e87f6ef6c87fc2e700", "{line}");
        assert!(invocation["request.id"].is_string(), "{line}");
    }
    let event = here.events().await.remove(0);
    assert_eq!(tests::text(&event, "trace"), "00-5bef4de7ad49b0e87f6ef6c87fc2e700-9a9197af755a6419-01");
}
