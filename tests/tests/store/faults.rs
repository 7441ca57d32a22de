//! Collisions, throttling and lost answers, which the embedded engine never has.

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Config, Region},
};
use models::{AlertId, EventId, TenantId, TransitionKind};
use serde_json::{Value, json};
use store::{
    About, Acquired, Act as _, ActWrite, Grant, KeepEvents as _, Kept, Lease as _, ReadAlerts as _, ReceivedEvent,
    Store, StoreError, TableNames, TableRole, WriteAlerts as _, Written,
};
use tests::wire::{Fault, Wire};

use crate::support::{Bench, COMPLETE, TERMS, alert, all_of, changed, kept, new, noon, resolved, tenant, told};

const TRANSACTION: &str = "TransactWriteItems";
/// How often a transaction is tried.
const ATTEMPTS: u32 = 6;

/// A store with nobody at the other end of the wire.
fn alone(wire: &Wire) -> Store {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url("http://127.0.0.1:1")
        .http_client(wire.to_nobody())
        .build();
    let named = |name: &str| name.to_owned();
    let tables = TableNames {
        activity: named("activity"),
        alerts: named("alerts"),
        events: named("events"),
        sessions: named("sessions"),
        tenants: named("tenants"),
    };
    Store::new(Client::from_conf(config), tables)
}

fn grant() -> Grant {
    Grant {
        tenant: tenant(),
        fence: 1,
        started: noon(),
        baseline_pending: false,
        trusts_hint: false,
        resumes: false,
        last_callback: None,
        since: None,
    }
}

#[tokio::test]
async fn a_transaction_that_collided_or_was_throttled_is_tried_again_and_written_once() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    for (number, code) in
        ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "None"].iter().enumerate()
    {
        bench.wire.forget();
        let alert = alert(&format!("a{number}"));
        let writes = [told(new(&alert), TransitionKind::Opened, true)];
        // Lease, alert, outbox, day, gauge.
        bench.wire.plan(TRANSACTION, 2, Fault::transaction_canceled(&["None", code, "None", "None", code]));
        let written = bench.store.write(&grant, &writes, None, noon()).await.unwrap();
        assert_eq!(written, all_of(&writes), "{code}");
        assert_eq!(bench.wire.count(TRANSACTION), 3, "{code}");
        assert_eq!(bench.stored(alert.id.as_str()).await, Some(kept(alert, 1)));
    }
    assert_eq!(bench.statistics(&tenant()).await[&("gauge".to_owned(), "open".to_owned())], 4);
}

#[tokio::test(start_paused = true)]
async fn after_too_many_collisions_a_write_gives_up() {
    let wire = Wire::default();
    let reasons = ["None", "TransactionConflict", "None", "None"];
    wire.plan_always(TRANSACTION, Fault::transaction_canceled(&reasons));
    let error = alone(&wire).write(&grant(), &[new(&alert("a"))], None, noon()).await.unwrap_err();
    assert!(matches!(error, StoreError::Contended { attempts: ATTEMPTS, .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "TransactWriteItems on the alerts table gave up after 6 conflicts with other writers"
    );
    assert_eq!(wire.count(TRANSACTION), ATTEMPTS as usize);
}

#[tokio::test(start_paused = true)]
async fn the_pauses_between_attempts_double_by_chance_from_half_on_and_there_is_none_after_the_last() {
    // 50 + 100 + 200 + 400 + 800 milliseconds at most; a paused clock stands still otherwise.
    for (jitter, hundredths) in [((|| 0.0) as fn() -> f64, 77), (|| 0.5, 116), (|| 1.0, 155)] {
        let wire = Wire::default();
        wire.plan_always(TRANSACTION, Fault::transaction_canceled(&["TransactionConflict"]));
        let start = tokio::time::Instant::now();
        let store = alone(&wire).with_jitter(jitter);
        store.write(&grant(), &[new(&alert("a"))], None, noon()).await.unwrap_err();
        assert_eq!(start.elapsed().as_millis() / 10, hundredths);
    }
}

#[tokio::test(start_paused = true)]
async fn who_collides_is_told_the_table_that_it_was_whichever() {
    for (reasons, table) in [
        (["TransactionConflict", "None", "None"], TableRole::Tenants),
        (["None", "TransactionConflict", "None"], TableRole::Activity),
    ] {
        let wire = Wire::default();
        wire.plan_always(TRANSACTION, Fault::transaction_canceled(&reasons));
        let (tenant, line) = (tenant(), [crate::acts::entry(models::Act::Noted)]);
        let error = alone(&wire).act(&ActWrite::new(&tenant, About::Tenant(None), &line), noon()).await.unwrap_err();
        assert!(matches!(error, StoreError::Contended { table: told, .. } if told == table), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_baseline_is_tried_as_often() {
    let wire = Wire::default();
    wire.plan_always(TRANSACTION, Fault::transaction_canceled(&["ThrottlingError"]));
    let error = alone(&wire).finish_baseline(&grant(), None, noon()).await.unwrap_err();
    assert!(matches!(error, StoreError::Contended { table: TableRole::Tenants, .. }), "{error:?}");
    assert_eq!(wire.count(TRANSACTION), ATTEMPTS as usize);
}

#[tokio::test]
async fn what_can_t_get_better_is_not_tried_again_and_the_error_names_what_failed() {
    let of_state =
        format!("an item of the tenants table is not taken (ValidationError; key {} state): no words", tenant());
    let of_gauge = format!("an item of the tenants table is not taken (Novel; key {}#stats gauge): no words", tenant());
    let of_none = "TransactWriteItems on the alerts table failed (AccessDeniedException)".to_owned();
    // Lease, alert, day, gauge.
    for (fault, told) in [
        (Fault::transaction_canceled(&["ValidationError", "None", "None", "None"]), of_state),
        (Fault::transaction_canceled(&["None", "TransactionConflict", "ValidationError", "Novel"]), of_gauge),
        (Fault::access_denied(), of_none),
    ] {
        let wire = Wire::default();
        wire.plan_always(TRANSACTION, fault);
        let error = alone(&wire).write(&grant(), &[new(&alert("a"))], None, noon()).await.unwrap_err();
        assert_eq!(error.to_string(), told);
        assert_eq!(wire.count(TRANSACTION), 1);
    }
}

#[tokio::test]
async fn an_alert_that_is_not_taken_is_named_and_keeps_no_other_from_landing() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let writes = ["a", "b", "c"].map(|id| told(new(&alert(id)), TransitionKind::Opened, true));
    // Lease, alerts, outbox, day, gauge: an alert itself, and the message of another.
    let reasons =
        ["None", "ItemCollectionSizeLimitExceeded", "None", "None", "None", "None", "ValidationError", "None", "None"];
    bench.wire.plan(TRANSACTION, 1, Fault::transaction_canceled(&reasons));

    let Written { written, rejected, conflicted, .. } = bench.store.write(&grant, &writes, None, noon()).await.unwrap();

    assert_eq!((written, conflicted), (vec![writes[1].id().clone()], vec![]));
    let why: Vec<_> = rejected.iter().map(|(id, why)| (id.as_str(), why.to_string())).collect();
    let why_not =
        |code, key| format!("an item of the alerts table is not taken ({code}; key {}#{key}): no words", tenant());
    let expected = [
        ("a", why_not("ItemCollectionSizeLimitExceeded", "a alert")),
        ("c", why_not("ValidationError", "c outbox#000000000001#opened")),
    ];
    assert_eq!(why, expected);
    assert_eq!(bench.statistics(&tenant()).await[&("gauge".to_owned(), "open".to_owned())], 1);
}

#[tokio::test]
async fn where_everything_is_always_rejected_a_write_ends() {
    let wire = Wire::default();
    wire.plan_always(TRANSACTION, Fault::transaction_canceled(&["None", "ValidationError", "None", "ValidationError"]));
    let Written { rejected, uncounted, .. } =
        alone(&wire).write(&grant(), &[new(&alert("a"))], None, noon()).await.unwrap();
    assert_eq!((rejected.len(), uncounted.len(), wire.count(TRANSACTION)), (1, 0, 1));
}

#[tokio::test]
async fn a_conflict_beside_a_collision_is_told_at_once_and_the_others_are_written() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let writes = [new(&alert("a")), new(&alert("b"))];
    let reasons = ["None", "ConditionalCheckFailed", "TransactionConflict", "None", "None"];
    bench.wire.plan(TRANSACTION, 1, Fault::transaction_canceled(&reasons));
    let written = bench.store.write(&grant, &writes, None, noon()).await.unwrap();
    let expected = Written {
        written: vec![writes[1].id().clone()],
        conflicted: vec![writes[0].id().clone()],
        ..Written::default()
    };
    assert_eq!(written, expected);
}

#[tokio::test]
async fn a_transaction_whose_answer_was_lost_is_repeated_as_the_same_one() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    bench.write_all(&grant, &[new(&alert("a"))]).await;
    let stored = bench.stored("a").await.unwrap();
    let next = resolved(&stored.known.alert, "2026-03-02T08:00:00Z");
    bench.wire.forget();
    bench.wire.plan(TRANSACTION, 1, Fault::AnswerLost);
    bench.write_all(&grant, &[changed(&stored, &next)]).await;
    let tokens: Vec<Value> = bench
        .wire
        .sent()
        .iter()
        .filter(|sent| sent.operation == TRANSACTION)
        .map(|sent| serde_json::from_str::<Value>(&sent.body).unwrap()["ClientRequestToken"].clone())
        .collect();
    assert_eq!(tokens.len(), 2);
    assert!(tokens[0].is_string());
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!(bench.stored("a").await, Some(kept(next, 2)));
    let statistics = bench.statistics(&tenant()).await;
    assert_eq!(statistics[&("gauge".to_owned(), "resolved".to_owned())], 1);
    assert!(!statistics.contains_key(&("gauge".to_owned(), "open".to_owned())));
}

/// The answer to an update of an item that a transaction holds.
fn held_by_a_transaction() -> Fault {
    let code = "com.amazonaws.dynamodb.v20120810#TransactionConflictException";
    Fault::Refused(400, json!({ "__type": code, "message": "Transaction is ongoing for the item" }).to_string())
}

#[tokio::test]
async fn a_lease_that_a_transaction_holds_is_asked_for_and_given_back_again() {
    let bench = Bench::new().await;
    bench.wire.plan("UpdateItem", 2, held_by_a_transaction());
    let grant = bench.grant(&tenant(), noon()).await;
    assert_eq!(bench.wire.count("UpdateItem"), 3);
    bench.wire.plan("UpdateItem", 1, held_by_a_transaction());
    assert!(!bench.store.release(&grant, COMPLETE, 0, noon()).await.unwrap());
    assert_eq!(bench.wire.count("UpdateItem"), 5);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_a_transaction_holds_for_good_is_an_error() {
    let wire = Wire::default();
    wire.plan_always("UpdateItem", held_by_a_transaction());
    let error = alone(&wire).acquire(&tenant(), TERMS, "holder", noon()).await.unwrap_err();
    assert_eq!(error.to_string(), "UpdateItem (lease) on the tenants table failed (TransactionConflictException)");
    assert_eq!(wire.count("UpdateItem"), ATTEMPTS as usize);
}

/// The answer of a batch read that leaves this alert out.
fn unread(bench: &Bench, id: &AlertId) -> Fault {
    let key = json!({ "pk": { "S": format!("{}#{id}", tenant()) }, "sk": { "S": "alert" } });
    let table = &bench.tables.alerts;
    let answer = json!({ "Responses": { table: [] }, "UnprocessedKeys": { table: { "Keys": [key] } } });
    Fault::Refused(200, answer.to_string())
}

#[tokio::test]
async fn alerts_that_a_batch_read_left_out_are_asked_for_again() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    bench.write_all(&grant, &[new(&alert("a"))]).await;
    bench.wire.plan("BatchGetItem", 2, unread(&bench, &alert("a").id));
    assert_eq!(bench.stored("a").await, Some(kept(alert("a"), 1)));
    assert_eq!(bench.wire.count("BatchGetItem"), 3);
}

#[tokio::test(start_paused = true)]
async fn alerts_that_are_left_out_too_often_are_an_error() {
    let wire = Wire::default();
    let key = json!({ "pk": { "S": "x" }, "sk": { "S": "alert" } });
    let answer = json!({ "Responses": {}, "UnprocessedKeys": { "alerts": { "Keys": [key] } } });
    wire.plan_always("BatchGetItem", Fault::Refused(200, answer.to_string()));
    let error = alone(&wire).alerts(&tenant(), &[alert("a").id]).await.unwrap_err();
    assert!(matches!(error, StoreError::Contended { action: "BatchGetItem", attempts: ATTEMPTS, .. }), "{error:?}");
    assert_eq!(wire.count("BatchGetItem"), ATTEMPTS as usize);
}

fn event<'a>(tenant: &'a TenantId, id: &'a EventId) -> ReceivedEvent<'a> {
    ReceivedEvent { tenant, id, body: b"one", received: noon(), readable: true, trace: None, request_id: None }
}

#[tokio::test]
async fn an_event_whose_answer_was_lost_is_kept_once_and_new_to_whoever_wrote_it() {
    let bench = Bench::new().await;
    let (tenant, id) = (tenant(), EventId::of_body(b"one"));
    let event = ReceivedEvent { request_id: Some("one invocation"), ..event(&tenant, &id) };
    bench.wire.plan("PutItem", 1, Fault::AnswerLost);
    assert_eq!(bench.store.keep(&event).await.unwrap(), Kept::New);
    assert_eq!(bench.wire.operations(), ["PutItem", "PutItem"]);
    for request_id in [Some("another"), None] {
        assert_eq!(
            bench.store.keep(&ReceivedEvent { request_id, ..event }).await.unwrap(),
            Kept::Duplicate { first: Some(event.received) }
        );
    }
    assert_eq!(bench.query(&bench.tables.events, None, "pk", &format!("{tenant}#{id}")).await.len(), 1);
}

#[tokio::test]
async fn without_a_request_id_an_event_whose_answer_was_lost_looks_like_a_duplicate() {
    let bench = Bench::new().await;
    let (tenant, id) = (tenant(), EventId::of_body(b"one"));
    let event = event(&tenant, &id);
    bench.wire.plan("PutItem", 1, Fault::AnswerLost);
    assert_eq!(bench.store.keep(&event).await.unwrap(), Kept::Duplicate { first: Some(event.received) });
}

#[tokio::test]
async fn a_lease_whose_answer_was_lost_is_granted_when_it_is_asked_for_again_and_to_nobody_else() {
    let bench = Bench::new().await;
    bench.wire.plan("UpdateItem", 1, Fault::AnswerLost);
    let tenant = tenant();
    let acquire = |holder| bench.store.acquire(&tenant, TERMS, holder, noon());
    assert!(matches!(acquire("holder").await.unwrap(), Acquired::Granted(Grant { fence: 1, .. })));
    assert_eq!(acquire("another").await.unwrap(), Acquired::Held);
    assert_eq!(bench.grant(&tenant, noon() + TERMS.duration).await.fence, 2);
}

#[tokio::test]
async fn a_store_that_can_t_be_reached_says_so_for_every_request() {
    let bench = Bench::new().await;
    for operation in ["BatchGetItem", "PutItem", "Query", TRANSACTION, "UpdateItem"] {
        bench.wire.plan_always(operation, Fault::access_denied());
    }
    let code = |error: StoreError| match error {
        StoreError::Failed { code, .. } => code,
        other => panic!("{other:?}"),
    };
    let (tenant, id) = (tenant(), EventId::of_body(b"one"));
    let event = event(&tenant, &id);
    let store = &bench.store;
    let codes = [
        code(store.keep(&event).await.unwrap_err()),
        code(store.acquire(&tenant, TERMS, "holder", noon()).await.unwrap_err()),
        code(store.release(&grant(), store::Outcome::Failed, 0, noon()).await.unwrap_err()),
        code(store.known(&tenant).await.unwrap_err()),
        code(store.alerts(&tenant, &[alert("a").id]).await.unwrap_err()),
        code(store.write(&grant(), &[new(&alert("a"))], None, noon()).await.unwrap_err()),
        code(store.finish_baseline(&grant(), None, noon()).await.unwrap_err()),
        code(store::ReadTenants::tenants(store).await.unwrap_err()),
        code(store::FindUnpublished::unpublished(store, 0, noon(), 1).await.unwrap_err()),
    ];
    assert_eq!(codes, ["AccessDeniedException"; 9]);
}
