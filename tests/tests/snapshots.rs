//! What is large and public, as it is: messages, stored items, log lines. Everything is made by the functions as they are
//! deployed, under clocks that stand still, so nothing of it moves.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::fmt::Write as _;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use local::Published;
use models::{AlertSource, Cloud, Tenant};
use regex::Regex;
use serde_json::{Value, json};
use simulator::{AlertChange, Denial, Fault, FaultKind, Forgery, NewAlert, RetryAfter, SignedCallback, Target};
use store::WriteTenants as _;
use tests::{ByHand, CLIENT_SECRET, Lines, PATH_KEY, Setup, TENANT, sample_alert, stream_record, text, typed};

// ---- messages ------------------------------------------------------------------------------------------------------------

/// A message as its subscribers get it, in one text.
fn shown(message: &Published) -> String {
    let mut json: Value = serde_json::from_str(&message.json).unwrap();
    let mut email = message.text.clone();
    if let Some(alerts) = json.pointer_mut("/digest/alerts").and_then(Value::as_array_mut)
        && alerts.len() > 2
    {
        let more = format!("(and {} more of the same form)", alerts.len() - 2);
        alerts.truncate(2);
        alerts.push(json!(more));
        let lines: Vec<&str> = email.lines().collect();
        email = lines[..5].join("\n") + "\n" + &more + "\n";
    }
    let mut shown = format!("Topic: {}\nSubject: {}\nAttributes:\n", message.topic, message.subject);
    for (name, value) in &message.attributes {
        writeln!(shown, "  {name}: {value}").unwrap();
    }
    write!(shown, "\n--- JSON\n{json:#}\n\n--- e-mail\n{email}").unwrap();
    shown
}

#[tokio::test]
async fn messages_of_the_fraud_topic() {
    let messages = tests::of_each_kind().await;
    assert_eq!(messages.len(), 7);
    for (name, message) in messages {
        insta::assert_snapshot!(format!("message-{name}"), shown(&message));
    }
}

#[tokio::test]
async fn messages_of_the_events_topic() {
    let messages = tests::events().await;
    assert_eq!(messages.len(), 2);
    for (name, message) in messages {
        insta::assert_snapshot!(format!("message-{name}"), shown(&message));
    }
}

// ---- items ---------------------------------------------------------------------------------------------------------------

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

#[tokio::test]
async fn items_of_the_alerts_table() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise_as(sample_alert());
    system.raise_as(NewAlert { id: Some("low".to_owned()), severity: Some("low".to_owned()), ..sample_alert() });
    system.complete(2, 2).await;
    let id = sample_alert().id.unwrap();
    let resolved = Some("resolved".to_owned());
    let change = AlertChange { status: resolved, resolved_reason: Some("fraud".to_owned()), ..AlertChange::default() };
    system.change(&id, change);
    system.complete(2, 1).await;

    let table = &system.test.system.tables().alerts;
    insta::assert_snapshot!("item-alert", pretty(&typed(&system.alert(&id).await.unwrap())));
    let outbox = system.outbox().await;
    let lines: Vec<String> = outbox.iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let opened = &outbox[0].item;
    insta::assert_snapshot!("item-outbox", pretty(&typed(opened)));
    insta::assert_snapshot!("item-outbox-not-published", pretty(&typed(&outbox[2].item)));

    assert_eq!(system.stream(&[stream_record(table, "INSERT", opened, 1)]).await, None);
    let marked = system.item(table, &text(opened, "pk"), &text(opened, "sk")).await.unwrap();
    insta::assert_snapshot!("item-outbox-published", pretty(&typed(&marked)));
}

#[tokio::test]
async fn items_of_the_tenants_table() {
    let system = ByHand::start().await;
    system.raise_as(sample_alert());
    system.complete(1, 1).await;
    let resolved = Some("resolved".to_owned());
    let change = AlertChange { status: resolved, resolved_reason: Some("fraud".to_owned()), ..AlertChange::default() };
    system.change(&sample_alert().id.unwrap(), change);
    system.complete(1, 1).await;

    let mut items = system.items(&system.test.system.tables().tenants).await;
    // Hashes tell a reader nothing.
    for item in &mut items {
        if let Some(AttributeValue::B(entries)) = item.get("entries") {
            let length = AttributeValue::S(format!("({} bytes)", entries.as_ref().len()));
            item.insert("entries".to_owned(), length);
        }
        if item.contains_key("holder") {
            item.insert("holder".to_owned(), AttributeValue::S("(random)".to_owned()));
        }
    }
    let items: Vec<Value> = items.iter().map(typed).collect();
    insta::assert_snapshot!("items-tenants", pretty(&json!(items)));
}

#[tokio::test]
async fn items_of_credentials() {
    let system = ByHand::with(Setup { page_size: 100, variables: &[("MICROSOFT_ATTEMPTS", "1")] }).await;
    system.for_people().await;
    system.microsoft.set_fault(Fault::new(Target::Token, FaultKind::Fail { status: 503 }).times(1)).unwrap();
    system.renew().await.unwrap();
    let mut items = system.items(&system.test.system.tables().tenants).await;
    items.retain(|item| text(item, "sk").starts_with("credential#"));
    let items: Vec<Value> = items.iter().map(typed).collect();
    insta::assert_snapshot!("items-credentials", pretty(&json!(items)));
}

#[tokio::test]
async fn items_of_the_events_table() {
    let system = ByHand::start().await;
    let body = br#"{"EventName":"test-created","ResourceUri":null,"ResourceName":"test","AuditUri":null,"ResourceChangeUtcDate":"2026-03-02T08:59:00+00:00"}"#;
    let callback = system.microsoft.sign(body).unwrap();
    assert_eq!(system.receive(&callback).await, 200);
    let unreadable = system.microsoft.sign(b"[]").unwrap();
    assert_eq!(system.receive(&unreadable).await, 400);

    let items = system.items(&system.test.system.tables().events).await;
    let mut items: Vec<Value> = items.iter().map(typed).collect();
    items.sort_by_key(|item| item.get("unreadable").is_some());
    insta::assert_snapshot!("items-events", pretty(&json!(items)));
}

// ---- log lines -----------------------------------------------------------------------------------------------------------

/// Log lines, by what happened.
#[derive(Default)]
struct Story(Vec<(String, Vec<Value>)>);

impl Story {
    fn tell(&mut self, what: &str, lines: &Lines) {
        self.0.push((what.to_owned(), lines.take_values()));
    }

    /// One block for each thing that happened, one line for each log line, without what Microsoft calls its answers.
    fn shown(&self) -> String {
        let mut shown = String::new();
        for (what, lines) in &self.0 {
            writeln!(shown, "# {what}").unwrap();
            for line in lines {
                writeln!(shown, "{line}").unwrap();
            }
        }
        // Chance has a share in both.
        let named = Regex::new("request-id [-0-9a-f]{36}").unwrap().replace_all(&shown, "request-id …").into_owned();
        Regex::new("\"wait_ms\":[0-9]+").unwrap().replace_all(&named, "\"wait_ms\":…").into_owned()
    }

    fn lines(&self) -> usize {
        self.0.iter().map(|(_, lines)| lines.len()).sum()
    }
}

fn event_body(name: &str, changed: &str) -> Vec<u8> {
    let uri = "https://api.partnercenter.microsoft.com/v1/customers/canary-customer/subscriptions/canary-subscription ";
    format!(r#"{{"EventName":"{name}","ResourceUri":"{uri}","AuditUri":null,"ResourceChangeUtcDate":"{changed}"}}"#)
        .into_bytes()
}

/// Everything that can come of a callback; and all signatures that came in.
async fn webhook_story(level: &str) -> (Story, Vec<String>) {
    let system = ByHand::start().await;
    let lines = Lines::capture(level);
    let mut story = Story::default();
    let mut signatures = Vec::new();
    let now = "2026-03-02T08:59:00+00:00";
    let sign = |body: &[u8]| system.microsoft.sign(body).unwrap();
    let fraud = sign(&event_body("azure-fraud-event-detected", now));
    let header = |callback: &SignedCallback, name: &str| {
        callback.headers.iter().find(|(found, _)| found == name).unwrap().1.clone()
    };
    let mut receive = async |what: &str, callback: &SignedCallback, status: u16| {
        signatures.push(header(callback, "Authorization"));
        assert_eq!(system.receive(callback).await, status, "{what}");
        story.tell(what, &lines);
    };

    system.microsoft.set_fault(Fault::new(Target::Certificate, FaultKind::CertificateMissing).times(1)).unwrap();
    receive("the certificate can't be had", &fraud, 503).await;
    system.clock.advance(SignedDuration::from_secs(10));
    system.tap.refuse("PutItem", "AccessDeniedException");
    receive("the event can't be kept", &fraud, 503).await;
    receive("a fraud event is new", &fraud, 200).await;
    receive("a fraud event is not new", &fraud, 200).await;
    system.tap.refuse("SendMessage", "AccessDeniedException");
    let another = sign(&event_body("azure-fraud-event-detected", "2026-03-02T08:59:01+00:00"));
    receive("no run can be asked for", &another, 200).await;
    receive("an event that is no signal of fraud", &sign(&event_body("subscription-updated", now)), 200).await;
    receive("an event of a name that we have not met", &sign(&event_body("canary-event-name", now)), 200).await;
    let canary = sign(br#"{"EventName":"canary-event-name","canary-member":"canary-value"}"#);
    receive("authentic, but no event", &canary, 400).await;
    receive("authentic, but no event, again", &canary, 400).await;
    receive("authentic, but a text", &sign(br#""canary-text""#), 400).await;
    receive("too old", &sign(&event_body("test-created", "2026-02-01T00:00:00Z")), 401).await;
    receive("from the future", &sign(&event_body("test-created", "2026-03-02T10:00:00Z")), 401).await;
    let body = event_body("azure-fraud-event-detected", now);
    receive("a byte was changed", &system.microsoft.forge(&body, Forgery::Body).unwrap(), 401).await;
    receive("signed by another key", &system.microsoft.forge(&body, Forgery::Key).unwrap(), 401).await;
    let mut elsewhere = fraud.clone();
    let place = elsewhere.headers.iter().position(|(name, _)| name == "X-MS-Certificate-Url").unwrap();
    "https://canary.attacker.example/cert/canary.cer".clone_into(&mut elsewhere.headers[place].1);
    receive("a certificate from elsewhere", &elsewhere, 401).await;
    let mut without = fraud.clone();
    without.headers.retain(|(name, _)| name != "X-MS-Signature-Algorithm");
    receive("a header is missing", &without, 400).await;
    let mut large = fraud.clone();
    large.body = vec![b' '; 262_145];
    receive("too large", &large, 413).await;

    let status = system.receive_at(&format!("/callbacks/{TENANT}/{}", "0".repeat(64)), &fraud).await;
    assert_eq!(status, 404);
    story.tell("an unknown path key", &lines);

    let cold = ByHand::start().await;
    let _ = lines.take();
    cold.tap.refuse("Query", "AccessDeniedException");
    assert_eq!(cold.receive(&fraud).await, 503);
    story.tell("the path keys can't be read", &lines);
    (story, signatures)
}

#[tokio::test]
async fn log_lines_of_webhook() {
    let (story, _) = Box::pin(webhook_story("info")).await;
    insta::assert_snapshot!("log-webhook", story.shown());
}

async fn poll_story(level: &str) -> Story {
    let system = ByHand::with(Setup { page_size: 2, variables: &[] }).await;
    let lines = Lines::capture(level);
    let mut story = Story::default();
    let message = |cause: Value| json!({ "tenant": TENANT, "cause": cause }).to_string();
    let mut deliver = async |what: &str, body: &str, failures: usize| {
        system.clock.advance(SignedDuration::from_mins(1));
        assert_eq!(system.deliver(&[("m-1", body)]).await.len(), failures, "{what}");
        story.tell(what, &lines);
    };
    let (scheduled, rung) = (message(json!("schedule")), message(json!({ "callback": { "event": "e".repeat(64) } })));
    let once = |target, kind| system.microsoft.set_fault(Fault::new(target, kind).times(1)).unwrap();

    deliver("a first run", &scheduled, 0).await;
    system.raise("alert");
    deliver("a run for a callback", &rung, 0).await;
    let look = |number: u64| {
        let bell = json!({
            "event": "f".repeat(64), "received": "2026-03-02T08:56:00Z", "changed": "2026-03-02T08:56:00Z",
            "customer": "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3", "look": 3,
            "subscription": format!("6c2e9a47-0d3b-4f58-b1e6-{number:012}"),
        });
        message(json!({ "callback": bell }))
    };
    deliver("a fraud event of a customer that is none of ours", &look(1), 0).await;
    let strange = look(2).replace("customer", "somebody");
    deliver("a fraud event of whom nobody knows", &strange, 0).await;
    system.tap.refuse("PutItem", "AccessDeniedException");
    deliver("a signal can't be written", &strange.replace("T08:", "T07:"), 1).await;
    deliver("a run that was rung for", &message(json!("again")), 0).await;
    once(Target::List, FaultKind::MalformedAlert);
    deliver("an alert is odd", &scheduled, 0).await;
    once(Target::List, FaultKind::Throttle { retry_after: RetryAfter::Seconds(0) });
    deliver("Microsoft throttles", &scheduled, 0).await;
    once(Target::List, FaultKind::MissingMfa);
    deliver("Microsoft refuses", &rung, 1).await;
    once(Target::List, FaultKind::Truncated);
    deliver("Microsoft breaks off", &rung, 1).await;
    once(Target::List, FaultKind::ForeignNextLink);
    deliver("Microsoft leads elsewhere", &rung, 1).await;
    once(Target::List, FaultKind::ExpiredToken);
    once(Target::Token, FaultKind::Throttle { retry_after: RetryAfter::Seconds(60) });
    deliver("the sign-in fails", &rung, 1).await;
    system.tap.refuse("GetSecretValue", "AccessDeniedException");
    deliver("the secret can't be had", &rung, 1).await;
    system.raise("another");
    system.tap.refuse("TransactWriteItems", "AccessDeniedException");
    deliver("the alerts can't be written", &rung, 1).await;
    system.tap.refuse("TransactWriteItems", "AccessDeniedException");
    deliver("the same, by the schedule, which is its own retry", &scheduled, 0).await;
    deliver("no message of ours", r#"{"tenant":"canary-tenant"}"#, 1).await;
    let unknown = scheduled.replace(TENANT, "00000000-0000-4000-8000-00000000000b");
    deliver("a tenant that we don't know", &unknown, 0).await;

    system.tick().await.unwrap();
    story.tell("the schedule", &lines);
    system.tap.refuse("SendMessageBatch", "AccessDeniedException");
    system.tick().await.unwrap_err();
    story.tell("the queue can't be reached", &lines);
    system.tap.refuse("Query", "AccessDeniedException");
    system.tick().await.unwrap_err();
    story.tell("the tenants can't be read", &lines);
    story
}

#[tokio::test]
async fn log_lines_of_poll() {
    insta::assert_snapshot!("log-poll", Box::pin(poll_story("info")).await.shown());
}

async fn notify_story(level: &str) -> Story {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise_as(sample_alert());
    system.complete(1, 1).await;
    let body = event_body("canary-event-name", "2026-03-02T08:59:00Z");
    assert_eq!(system.receive(&system.microsoft.sign(&body).unwrap()).await, 200);
    let tables = system.test.system.tables();
    let outbox = system.outbox().await.remove(0).item;
    let event = system.items(&tables.events).await.remove(0);
    let fraud = [stream_record(&tables.alerts, "INSERT", &outbox, 1)];
    let event = [stream_record(&tables.events, "INSERT", &event, 2)];
    let broken = |value: &str| {
        let mut item = outbox.clone();
        item.insert("notice".to_owned(), AttributeValue::S(value.to_owned()));
        item
    };

    let lines = Lines::capture(level);
    let mut story = Story::default();
    system.tap.refuse("UpdateItem", "AccessDeniedException");
    assert_eq!(system.stream(&fraud).await, None);
    story.tell("published, but not marked", &lines);
    assert_eq!(system.stream(&event).await, None);
    story.tell("an event is published", &lines);
    system.tap.refuse("Publish", "AuthorizationError");
    assert!(system.stream(&fraud).await.is_some());
    story.tell("not published", &lines);
    let unreadable = broken(r#"{"alert":{"kind":"unheard-of"}}"#);
    assert_eq!(system.stream(&[stream_record(&tables.alerts, "INSERT", &unreadable, 3)]).await, None);
    story.tell("an item can't be read", &lines);
    system.clock.advance(SignedDuration::from_mins(2));
    system.tap.refuse("Publish", "AuthorizationError");
    system.sweep().await.unwrap_err();
    story.tell("the sweep can't publish", &lines);
    system.sweep().await.unwrap();
    story.tell("the sweep publishes", &lines);
    system.sweep().await.unwrap();
    story.tell("the sweep finds nothing", &lines);
    story
}

#[tokio::test]
async fn log_lines_of_notify() {
    insta::assert_snapshot!("log-notify", Box::pin(notify_story("info")).await.shown());
}

/// Its secrets are those of the seed tenant: for a person, and the same for both.
async fn renew_story(level: &str) -> Story {
    let system = ByHand::with(Setup { page_size: 100, variables: &[("MICROSOFT_ATTEMPTS", "1")] }).await;
    system.for_people().await;
    let lines = Lines::capture(level);
    let mut story = Story::default();
    let mut tick = async |what: &str| {
        system.renew().await.unwrap();
        story.tell(what, &lines);
        system.clock.advance(SignedDuration::from_hours(24));
    };
    let refuse = |operation| system.tap.refuse(operation, "AccessDeniedException");
    let once = |kind| system.microsoft.set_fault(Fault::new(Target::Token, kind).times(1)).unwrap();
    tick("the tokens are renewed").await;
    system.clock.advance(-SignedDuration::from_hours(18));
    tick("they are young").await;
    once(FaultKind::Denied(Denial::ConsentMissing));
    tick("Microsoft refuses").await;
    once(FaultKind::Throttle { retry_after: RetryAfter::Seconds(60) });
    tick("Microsoft throttles").await;
    once(FaultKind::Truncated);
    tick("Microsoft breaks off").await;
    refuse("GetSecretValue");
    tick("a secret can't be had").await;
    refuse("PutSecretValue");
    tick("a token can't be written").await;
    refuse("UpdateSecretVersionStage");
    tick("a token can't be made current").await;
    refuse("UpdateItem");
    tick("no lease can be had").await;
    system.tap.pass("UpdateItem");
    refuse("UpdateItem");
    tick("what was found can't be noted").await;
    let secrets = aws_sdk_secretsmanager::Client::new(&system.test.system.parts().aws);
    let (name, gate) = ("partner-alerts/read/for-people", system.tap.hold("PutSecretValue"));
    let person = async {
        gate.reached().await;
        let kept = secrets.get_secret_value().secret_id(name).send().await.unwrap().secret_string.unwrap();
        secrets.put_secret_value().secret_id(name).secret_string(kept + " ").send().await.unwrap();
        gate.open();
    };
    tokio::join!(tick("a person writes at the same time"), person);
    refuse("Query");
    system.renew().await.unwrap_err();
    story.tell("the tenants can't be read", &lines);
    story
}

#[tokio::test]
async fn log_lines_of_renew() {
    insta::assert_snapshot!("log-renew", Box::pin(renew_story("info")).await.shown());
}

/// Lines of the deepest level, so that what is not in them is in none.
#[tokio::test]
async fn no_log_line_holds_a_secret_a_signature_a_body_a_path_key_or_personal_data() {
    let (webhook, signatures) = Box::pin(webhook_story("trace")).await;
    let (poll, notify) = (Box::pin(poll_story("trace")).await, Box::pin(notify_story("trace")).await);
    let renew = Box::pin(renew_story("trace")).await;
    assert!(webhook.lines() >= 19 && poll.lines() >= 16 && notify.lines() >= 7 && renew.lines() >= 20);
    let log = webhook.shown() + &poll.shown() + &notify.shown() + &renew.shown();

    assert!(signatures.len() > 10);
    for signature in &signatures {
        let signature = signature.strip_prefix("Signature ").unwrap();
        assert!(!log.contains(signature) && !log.contains(&signature[..40]));
    }
    for secret in
        [PATH_KEY, CLIENT_SECRET, "canary", "Bearer", "/callbacks/", "@partner.example", "EventName", "mining pool"]
    {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[tokio::test]
async fn a_tenants_configuration_item() {
    let system = ByHand::start().await;
    let tenant = Tenant {
        id: "00000000-0000-4000-8000-00000000000a".parse().unwrap(),
        display_name: "Fabrikam Partner (made up)".to_owned(),
        cloud: Cloud::UsGovernmentL4,
        alert_source: AlertSource::Graph,
        path_key_hashes: Vec::new(),
        read_secret: "partner-alerts/read/fabrikam".to_owned(),
        act_secret: Some("partner-alerts/act/fabrikam".to_owned()),
        active: false,
    };
    system.store().put_tenant(&tenant).await.unwrap();

    let item = system.item(&system.test.system.tables().tenants, "tenants", tenant.id.as_str()).await.unwrap();
    insta::assert_snapshot!("item-tenant", pretty(&typed(&item)));
}
