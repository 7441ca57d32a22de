//! What the functions tell about themselves: counts, traces, and log lines of documented fields.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::collections::BTreeSet;

use models::TraceContext;
use runtime::Counts;
use serde_json::Value;
use simulator::{Denial, Fault, FaultKind, Forgery, NewAlert, SignedCallback, Target};
use tests::{ByHand, Lines, stream_record};
use tracing::Instrument as _;

/// The trace of a test's callbacks, and that of its runs.
fn traces() -> (TraceContext, TraceContext) {
    let trace = |id, parent| TraceContext::new(id, parent, true).unwrap();
    (trace(0xca11, 0x1), trace(0x7e57, 0x2))
}

fn fraud(system: &ByHand, mark: &str) -> SignedCallback {
    let body = format!(
        r#"{{"EventName":"azure-fraud-event-detected","ResourceUri":"https://api.partnercenter.microsoft.com/{mark}",
        "ResourceName":"azurefraud","AuditUri":null,"ResourceChangeUtcDate":"{}"}}"#,
        system.now()
    );
    system.microsoft.sign(body.as_bytes()).unwrap()
}

/// The bodies of the messages that wait in the reconcile queue, as the tap saw them go by.
fn rung(system: &ByHand) -> Vec<String> {
    let sent = system.tap.take_bodies("SendMessage").into_iter();
    let sent = sent.map(|body| serde_json::from_str::<Value>(&body).unwrap());
    sent.map(|request| request["MessageBody"].as_str().unwrap().to_owned()).collect()
}

// ---- counts ----------------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn each_callback_is_received_and_counts_as_one_other_thing() {
    let system = ByHand::start().await;
    let genuine = fraud(&system, "1");
    let received = || Counts::new().with("CallbacksReceived", 1);
    let refused = |reason| received().because("CallbacksRefused", reason);

    system.receive(&genuine).await;
    system.receive(&genuine).await;
    let forged = system.microsoft.forge(&genuine.body, Forgery::Body).unwrap();
    system.receive(&forged).await;
    system.receive_at("/callbacks/somewhere/else", &genuine).await;
    system.receive(&system.microsoft.sign(b"no event").unwrap()).await;
    assert_eq!(
        system.counted.take(),
        [
            received().with("CallbacksKept", 1),
            received().with("CallbacksDuplicate", 1),
            refused("signature-mismatch"),
            refused("unknown-path"),
            received().with("CallbacksKeptAside", 1),
        ]
    );

    system.tap.refuse("PutItem", "AccessDeniedException");
    system.receive(&fraud(&system, "2")).await;
    system.tap.refuse("SendMessage", "AccessDeniedException");
    system.receive(&fraud(&system, "3")).await;
    assert_eq!(
        system.counted.take(),
        [
            received().because("CallbacksUndecided", "event-not-kept"),
            received().with("CallbacksKept", 1).with("RingsFailed", 1),
        ]
    );
}

#[tokio::test]
async fn a_ring_that_hangs_keeps_microsoft_waiting_no_longer_than_it_may_and_counts_as_failed() {
    let system = ByHand::start().await;
    let _never_opened = system.tap.hold("SendMessage");
    assert_eq!(system.receive(&fraud(&system, "1")).await, 200);
    let kept = Counts::new().with("CallbacksReceived", 1).with("CallbacksKept", 1);
    assert_eq!(system.counted.take(), [kept.with("RingsFailed", 1)]);
}

fn polled(listed: usize, changed: usize, without_callback: usize) -> Counts {
    Counts::new()
        .with("TenantsPolled", 1)
        .with("AlertsListed", listed)
        .with("AlertsUnreadable", 0)
        .with("AlertsBroken", 0)
        .with("AlertsChanged", changed)
        .with("AlertsVanished", 0)
        .with("DecisionsNotAccepted", 0)
        .with("AlertsFoundWithoutCallback", without_callback)
        .with("StatisticsRejected", 0)
}

#[tokio::test]
async fn a_run_counts_what_it_saw_and_what_no_callback_announced() {
    let system = ByHand::start().await;
    system.raise("there-before");
    system.reconcile().await.unwrap();
    assert_eq!(system.counted.take(), [polled(1, 1, 0)], "a baseline");

    system.raise("nobody-called");
    system.reconcile().await.unwrap();
    system.reconcile().await.unwrap();
    assert_eq!(system.counted.take(), [polled(2, 1, 1), polled(2, 0, 0)]);

    system.raise("called");
    system.receive(&fraud(&system, "1")).await;
    let _ = system.counted.take();
    let message = rung(&system).pop().unwrap();
    system.clock.advance(jiff::SignedDuration::from_mins(1));
    assert_eq!(system.deliver(&[("1", &message)]).await, Vec::<String>::new());
    assert_eq!(system.counted.take(), [polled(3, 1, 0)]);
}

#[tokio::test]
async fn a_run_that_fails_counts_as_failed() {
    let system = ByHand::start().await;
    system.tap.refuse("Query", "AccessDeniedException");
    system.deliver(&[("1", &schedule_message()), ("2", "no message")]).await;
    let failed = Counts::new().with("RunsFailed", 1);
    assert_eq!(system.counted.take(), [failed.clone(), failed]);
}

#[tokio::test]
async fn a_run_that_somebody_has_to_mend_something_for_is_told_apart_from_what_passes_by_itself() {
    let system = ByHand::start().await;
    for (target, kind, refused) in [
        (Target::List, FaultKind::MissingMfa, true),
        (Target::Token, FaultKind::Denied(Denial::GrantRevoked), true),
        (Target::Token, FaultKind::Fail { status: 503 }, false),
        (Target::List, FaultKind::Fail { status: 503 }, false),
        (Target::List, FaultKind::Truncated, false),
    ] {
        system.microsoft.set_fault(Fault::new(target, kind)).unwrap();
        // No token outlives it.
        system.clock.advance(jiff::SignedDuration::from_hours(2));
        system.deliver(&[("1", &schedule_message())]).await;
        system.microsoft.clear_faults();
        let failed = Counts::new().with("RunsFailed", 1);
        let expected = if refused { failed.with("RunsRefused", 1) } else { failed };
        assert_eq!(system.counted.take(), [expected], "{kind:?} of {target:?}");
    }
}

#[tokio::test]
async fn a_tick_that_fails_counts_as_failed_whatever_failed() {
    let system = ByHand::start().await;
    for operation in ["Query", "SendMessageBatch"] {
        system.tap.refuse(operation, "AccessDeniedException");
        system.tick().await.unwrap_err();
        assert_eq!(system.counted.take(), [Counts::new().with("TicksFailed", 1)], "{operation}");
    }
    system.tick().await.unwrap();
    assert_eq!(system.counted.take(), []);
}

fn schedule_message() -> String {
    format!(r#"{{"tenant":"{}","cause":"schedule"}}"#, tests::TENANT)
}

#[tokio::test]
async fn what_is_published_and_what_is_not_is_counted_and_the_sweeps_share_too() {
    let told = |published, failed, swept| {
        let counts = Counts::new().with("MessagesPublished", published).with("PublishFailed", failed);
        counts.with("MessagesSwept", swept).with("SweepsFailed", 0)
    };
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("one");
    system.raise("two");
    system.complete(2, 2).await;
    let _ = system.counted.take();

    let table = &system.test.system.tables().alerts;
    let outbox = system.outbox().await;
    let records = |name| -> Vec<Value> {
        outbox.iter().zip(1..).map(|(record, place)| stream_record(table, name, &record.item, place)).collect()
    };
    system.stream(&records("MODIFY")).await;
    assert_eq!(system.counted.take(), [told(0, 0, 0)], "nothing to publish");
    system.tap.refuse("Publish", "AuthorizationError");
    system.stream(&records("INSERT")).await;
    assert_eq!(system.counted.take(), [told(0, 1, 0)], "the rest waits");
    system.stream(&records("INSERT")[..1]).await;
    assert_eq!(system.counted.take(), [told(1, 0, 0)]);
    system.clock.advance(jiff::SignedDuration::from_mins(3));
    system.sweep().await.unwrap();
    assert_eq!(system.counted.take(), [told(1, 0, 1)]);
}

#[tokio::test]
async fn a_sweep_that_can_t_look_everywhere_counts_as_failed() {
    let system = ByHand::start().await;
    system.tap.refuse("Query", "AccessDeniedException");
    system.sweep().await.unwrap_err();
    let counts = Counts::new().with("MessagesPublished", 0).with("PublishFailed", 0).with("MessagesSwept", 0);
    assert_eq!(system.counted.take(), [counts.with("SweepsFailed", 1)]);
}

// ---- traces ----------------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn an_alerts_way_can_be_followed_from_the_message_back_to_the_callback() {
    let system = ByHand::start().await;
    system.baseline().await;
    let tables = system.test.system.tables().clone();
    let (of_callback, of_run) = traces();

    system.in_trace(of_callback);
    assert_eq!(system.receive(&fraud(&system, "1")).await, 200);
    let event = system.items(&tables.events).await.remove(0);
    assert_eq!(tests::text(&event, "trace"), of_callback.to_string());

    system.raise("one");
    let message = rung(&system).pop().unwrap();
    system.clock.advance(jiff::SignedDuration::from_mins(1));
    system.in_trace(of_run);
    let lines = Lines::capture("info");
    let invocation = runtime::invocation_span("request-1", Some(of_run));
    system.deliver(&[("1", &message)]).instrument(invocation).await;
    let reconciled = lines.take_values().into_iter().find(|line| line["message"] == "tenant reconciled").unwrap();
    let spans = &reconciled["spans"];
    assert_eq!(spans[0]["request.id"], "request-1");
    assert_eq!(spans[0]["trace.id"], of_run.trace_id());
    assert_eq!(spans[1]["link.trace.id"], of_callback.trace_id());
    assert_eq!(tests::text(&system.alert("one").await.unwrap(), "trace"), of_run.to_string());
    let record = system.outbox().await.remove(0);
    assert_eq!(tests::text(&record.item, "trace"), of_run.to_string());

    system.stream(&[stream_record(&tables.alerts, "INSERT", &record.item, 1)]).await;
    system.stream(&[stream_record(&tables.events, "INSERT", &event, 2)]).await;
    let linked: Vec<_> = lines.take_values().iter().map(|line| line["spans"][0]["link.trace.id"].clone()).collect();
    assert_eq!(linked, [of_run.trace_id(), of_callback.trace_id()]);
}

#[tokio::test]
async fn a_later_run_without_a_trace_leaves_none_on_the_alert() {
    let system = ByHand::start().await;
    system.in_trace(traces().1);
    system.raise("one");
    system.reconcile().await.unwrap();
    assert!(system.alert("one").await.unwrap().contains_key("trace"));

    let request = serde_json::from_str(&schedule_message()).unwrap();
    system.change("one", simulator::AlertChange { severity: Some("low".to_owned()), ..Default::default() });
    system.clock.advance(jiff::SignedDuration::from_mins(1));
    system.poll.reconcile(&request, None).await.unwrap();
    assert!(!system.alert("one").await.unwrap().contains_key("trace"));
}

#[tokio::test]
async fn a_trace_that_is_malformed_holds_nothing_up() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("one");
    let message = schedule_message().replace('}', r#","trace":"00-nonsense"}"#);
    system.clock.advance(jiff::SignedDuration::from_mins(1));
    assert_eq!(system.deliver(&[("1", &message)]).await, Vec::<String>::new());

    let mut record = system.outbox().await.remove(0);
    let nonsense = aws_sdk_dynamodb::types::AttributeValue::S("nonsense".to_owned());
    record.item.insert("trace".to_owned(), nonsense);
    let record = stream_record(&system.test.system.tables().alerts, "INSERT", &record.item, 1);
    assert_eq!(system.stream(&[record]).await, None);
    assert_eq!(system.test.messages.fraud().len(), 1);
}

// ---- lines -----------------------------------------------------------------------------------------------------------------

/// The fields that `docs/operations.md` lists: the first column of its table of fields.
fn documented() -> BTreeSet<String> {
    let text = include_str!("../../docs/operations.md");
    let (_, table) = text.split_once("| field |").expect("a table of fields");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| row.split('|').nth(1).unwrap().split(','))
        .map(|field| field.trim().trim_matches('`').to_owned())
        .collect()
}

fn fields(line: &Value, into: &mut BTreeSet<String>) {
    for (name, value) in line.as_object().unwrap() {
        match value.as_array() {
            Some(spans) => spans.iter().for_each(|span| fields(span, into)),
            None => drop(into.insert(name.clone())),
        }
    }
}

/// The names that stand for a field where the sources log: `name = value`, `name.part = value`, `%name`, or `name` alone.
fn logged_in_sources() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in ["functions", "shared"] {
        for file in sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)) {
            let text = std::fs::read_to_string(file).unwrap();
            for start in ["tracing::info!(", "tracing::warn!(", "tracing::error!(", "tracing::error_span!("] {
                for call in text.split(start).skip(1) {
                    names.extend(fields_of_call(call));
                }
            }
        }
    }
    names
}

fn sources(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let rust = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

/// The fields of a call, up to its message or its end.
fn fields_of_call(call: &str) -> Vec<String> {
    let mut depth = 0;
    let mut arguments = vec![String::new()];
    for character in call.chars() {
        match character {
            ')' | ']' | '}' if depth == 0 => break,
            ',' if depth == 0 => arguments.push(String::new()),
            _ => {
                depth += i32::from(matches!(character, '(' | '[' | '{'));
                depth -= i32::from(matches!(character, ')' | ']' | '}'));
                arguments.last_mut().unwrap().push(character);
            }
        }
    }
    let named = arguments.iter().map(|argument| argument.split(" = ").next().unwrap().trim());
    let fields = named.filter(|name| !name.is_empty() && !name.contains(['"', ' ']));
    fields.map(|name| name.trim_start_matches(['%', '?']).to_owned()).collect()
}

#[test]
fn every_field_that_is_logged_is_documented_and_every_documented_one_is_logged() {
    let mut logged = logged_in_sources();
    assert!(logged.len() > 10, "{logged:?}");
    logged.extend(["timestamp", "level", "message", "name"].map(str::to_owned));
    assert_eq!(documented(), logged);
}

#[tokio::test]
async fn the_lines_of_a_day_have_only_documented_fields() {
    let system = ByHand::start().await;
    let lines = Lines::capture("info");
    system.in_trace(traces().0);
    system.baseline().await;
    system.raise_as(NewAlert { id: Some("one".to_owned()), ..NewAlert::default() });
    let genuine = fraud(&system, "1");
    for _ in 0..2 {
        system.receive(&genuine).await;
    }
    system.receive(&system.microsoft.forge(&genuine.body, Forgery::Key).unwrap()).await;
    system.receive(&system.microsoft.sign(b"no event").unwrap()).await;
    system.tick().await.unwrap();
    system.deliver(&[("1", "no message")]).await;
    system.complete(1, 1).await;
    system.clock.advance(jiff::SignedDuration::from_mins(3));
    system.sweep().await.unwrap();
    system.renew().await.unwrap();

    let lines = lines.take_values();
    assert!(lines.len() >= 10, "{lines:#?}");
    let mut seen = BTreeSet::new();
    for line in &lines {
        fields(line, &mut seen);
    }
    let undocumented: Vec<_> = seen.difference(&documented()).cloned().collect();
    assert_eq!(undocumented, Vec::<String>::new());
}
