//! What people do: written whole, once, in its chain, and never lost between people and runs.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use aws_sdk_dynamodb::types::AttributeValue;
use models::{
    Act as Did, Actor, AlertResult, Asked, Chain, Decision, Entry, Finding, FraudThreshold, IdempotencyKey, MOST_VIEWS,
    Operation, OperationId, OperationState, Person, Repeated, RequestHash, ResolvedReason, SeenAsSnoozed, Standing,
    Status, TransitionKind, View, Work, WorkChange, verify,
};
use store::{
    About, Act as _, ActWrite, Acted, AlertAtWork, AlertWrite, KeepOperations as _, KeepViews as _, ReadActivity as _,
    ReadOperations as _, ReadWork as _, Recount as _, ViewWrite, WriteAlerts as _,
};
use tests::{Lines, wire::Fault};
use tokio::task::JoinSet;

use crate::support::{Bench, Item, alert, changed, new, noon, tenant, text, told};

const TRANSACTION: &str = "TransactWriteItems";

pub(crate) fn person() -> Person {
    let id = "11111111-1111-4111-8111-111111111111".parse().unwrap();
    Person::new(tenant(), id, "someone@contoso.example")
}

/// A line that nobody else wrote.
pub(crate) fn entry(did: Did) -> Entry {
    static LINES: AtomicU64 = AtomicU64::new(1);
    let id = format!("00000000-0000-4000-8000-{:012}", LINES.fetch_add(1, Ordering::Relaxed));
    Entry::new(id.parse().unwrap(), noon(), Actor::Person(person()), did)
}

pub(crate) fn chain_of(id: &str) -> Chain {
    Chain { tenant: tenant(), alert: Some(id.parse().unwrap()) }
}

/// A store that keeps one alert of this id.
async fn with_alert(id: &str) -> Bench {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    bench.write_all(&grant, &[told(new(&alert(id)), TransitionKind::Opened, true)]).await;
    bench
}

async fn seen(bench: &Bench, id: &str) -> AlertAtWork {
    bench.store.at_work(&tenant(), &id.parse().unwrap()).await.unwrap().unwrap()
}

/// The decision that an alert is fraud.
fn decided(seen: &AlertAtWork) -> AlertWrite {
    let decision = Decision { status: Status::Resolved, reason: Some(ResolvedReason::Fraud), at: noon() };
    let known = seen.stored.known.decided(decision, Some(person().name));
    AlertWrite::between(&tenant(), Some(&seen.stored), known, FraudThreshold::High, true, noon(), None)
}

/// Work after a change, and the line that says so.
fn worked(seen: &AlertAtWork, change: WorkChange) -> (Work, Entry) {
    let line = entry(Did::Noted);
    let (version, severity) = (seen.stored.version, seen.stored.known.alert.severity.clone());
    let done = seen.work.with(change, &line.id, &line.actor, SeenAsSnoozed { version, severity }, line.at);
    let done = done.unwrap().unwrap();
    (done.work, Entry { act: done.act, note: done.note, ..line })
}

fn note(text: &str) -> WorkChange {
    WorkChange::Note(text.parse().unwrap())
}

fn resolving(id: &str, key: &str) -> Operation {
    let key: IdempotencyKey = key.parse().unwrap();
    let by = Actor::Person(person());
    let to = Standing::new(&Status::Resolved, Some(&ResolvedReason::Fraud));
    let asked = Asked::Status { alerts: vec![id.parse().unwrap()], to, note: None };
    let operation = OperationId::of_key(&tenant(), &by, &key);
    Operation::asked(operation, tenant(), by, RequestHash::of(id.as_bytes()), asked, noon())
}

async fn act(bench: &Bench, write: &ActWrite<'_>) -> Acted {
    bench.store.act(write, noon()).await.unwrap()
}

async fn findings(bench: &Bench, chain: &Chain) -> Vec<Finding> {
    let kept = bench.store.kept_chain(chain).await.unwrap();
    verify(chain, &kept.lines, kept.head.as_ref())
}

/// What was done about an alert, in its order, from a chain that is as it was written.
async fn acts(bench: &Bench, id: &str) -> Vec<Did> {
    let chain = chain_of(id);
    assert_eq!(findings(bench, &chain).await, []);
    let lines = bench.store.kept_chain(&chain).await.unwrap().lines;
    lines.iter().map(|line| line.read().unwrap().entry.act).collect()
}

#[tokio::test]
async fn an_act_is_one_transaction_of_alert_line_head_operation_outbox_and_statistics() {
    let bench = with_alert("a").await;
    let before = seen(&bench, "a").await;
    assert_eq!((&before.head, &before.work), (&None, &Work::default()));
    let operation = resolving("a", "key");
    let asked = [Entry { operation: Some(operation.id.clone()), ..entry(Did::StatusAsked) }];
    let tenant = tenant();
    bench.wire.forget();
    let write = ActWrite { operation: Some(&operation), ..ActWrite::new(&tenant, About::Alert(&before), &asked) };
    assert!(matches!(act(&bench, &write).await, Acted::Done { head } if head.count == 1));
    assert_eq!(bench.wire.operations(), [TRANSACTION]);

    let between = seen(&bench, "a").await;
    assert_eq!(
        (between.stored.version, &between.stored.known),
        (2, &before.stored.known),
        "Microsoft is not asked yet"
    );
    let decision = decided(&between);
    let (work, noted) = worked(&between, note("It is fraud."));
    let done = operation.with_result("a".parse().unwrap(), AlertResult::Done { version: 3 }, noon());
    let lines = [entry(Did::StatusDone), noted];
    let write = ActWrite {
        decision: Some(&decision),
        work: Some(&work),
        operation: Some(&done),
        ..ActWrite::new(&tenant, About::Alert(&between), &lines)
    };
    bench.wire.forget();
    assert!(matches!(act(&bench, &write).await, Acted::Done { head } if head.count == 3));
    assert_eq!(bench.wire.operations(), [TRANSACTION]);

    let after = seen(&bench, "a").await;
    assert_eq!((after.stored.version, &after.stored.known, &after.work), (3, &decision.known, &work));
    assert_eq!(acts(&bench, "a").await, [Did::StatusAsked, Did::StatusDone, Did::Noted]);
    assert_eq!(bench.outbox_of("a").await, ["outbox#000000000001#opened", "outbox#000000000003#resolved"]);
    assert_eq!(bench.store.operation(&tenant, &operation.id).await.unwrap(), Some(done));
    assert!(bench.item(&bench.tables.tenants, tenant.as_str(), "decision#a").await.is_some());
    let gauge = |name: &str| ("gauge".to_owned(), name.to_owned());
    let statistics = bench.statistics(&tenant).await;
    assert_eq!((statistics.get(&gauge("open")), statistics.get(&gauge("resolved"))), (None, Some(&1)));
}

#[tokio::test]
async fn a_counter_that_is_no_number_holds_up_no_act_and_is_said() {
    let bench = with_alert("a").await;
    let gauge = |update: aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder, open| {
        let key = |value: &str| AttributeValue::S(value.to_owned());
        let update = update.table_name(&bench.tables.tenants);
        let update = update.key("pk", key(&format!("{}#stats", tenant()))).key("sk", key("gauge"));
        update
            .update_expression("SET #open = :open")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":open", open)
    };
    gauge(bench.client.update_item(), AttributeValue::S("one".to_owned())).send().await.unwrap();
    let before = seen(&bench, "a").await;
    let (decision, operation, tenant) = (decided(&before), resolving("a", "key"), tenant());
    let lines = [entry(Did::StatusDone)];
    let write = ActWrite {
        decision: Some(&decision),
        operation: Some(&operation),
        ..ActWrite::new(&tenant, About::Alert(&before), &lines)
    };
    let log = Lines::capture("error");

    assert!(matches!(act(&bench, &write).await, Acted::Done { head } if head.count == 1));

    let after = seen(&bench, "a").await;
    assert_eq!((after.stored.version, &after.stored.known), (2, &decision.known));
    assert_eq!(acts(&bench, "a").await, [Did::StatusDone]);
    assert_eq!(bench.outbox_of("a").await, ["outbox#000000000001#opened", "outbox#000000000002#resolved"]);
    assert_eq!(bench.store.operation(&tenant, &operation.id).await.unwrap(), Some(operation));
    let said = log.take_values();
    let [line] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!(
        (&line["tenant.id"], &line["advice"]),
        (&tenant.as_str().into(), &"run: partner-alerts statistics recount --mend".into())
    );
    // None of the figures are moved, not even those that could be: whoever counts anew finds all that is missing.
    let drift = bench.store.recount(&tenant).await.unwrap().drift;
    assert!(bench.store.mend(&tenant, &drift).await.unwrap());
    let gauge_of = |name: &str| ("gauge".to_owned(), name.to_owned());
    let statistics = bench.statistics(&tenant).await;
    assert_eq!((statistics.get(&gauge_of("open")), statistics.get(&gauge_of("resolved"))), (None, Some(&1)));

    // Somebody who was quicker is told of all the same.
    gauge(bench.client.update_item(), AttributeValue::S("one".to_owned())).send().await.unwrap();
    let again = [entry(Did::StatusDone)];
    let stale = ActWrite { decision: Some(&decision), ..ActWrite::new(&tenant, About::Alert(&before), &again) };
    assert_eq!(act(&bench, &stale).await, Acted::Overtaken);
    assert_eq!(seen(&bench, "a").await, after);
}

#[tokio::test]
async fn an_act_about_what_somebody_else_changed_writes_nothing() {
    let bench = with_alert("a").await;
    let stale = seen(&bench, "a").await;
    let grant = bench.grant(&tenant(), noon() + jiff::SignedDuration::from_hours(1)).await;
    let renamed = models::Alert { display_name: "another".to_owned(), ..alert("a") };
    bench.write_all(&grant, &[changed(&stale.stored, &renamed)]).await;
    let kept = bench.alert_item("a").await;
    let statistics = bench.statistics(&tenant()).await;

    let (decision, operation, (work, line)) = (decided(&stale), resolving("a", "key"), worked(&stale, note("Fraud.")));
    let (tenant, lines) = (tenant(), [line]);
    let write = ActWrite {
        decision: Some(&decision),
        work: Some(&work),
        operation: Some(&operation),
        ..ActWrite::new(&tenant, About::Alert(&stale), &lines)
    };
    assert_eq!(act(&bench, &write).await, Acted::Overtaken);

    assert_eq!(bench.alert_item("a").await, kept);
    assert_eq!(acts(&bench, "a").await, []);
    assert_eq!(bench.store.operation(&tenant, &operation.id).await.unwrap(), None);
    assert_eq!(bench.outbox_of("a").await, ["outbox#000000000001#opened"]);
    assert_eq!(bench.statistics(&tenant).await, statistics);
}

#[tokio::test]
async fn a_run_takes_nothing_from_what_people_wrote_nor_from_their_chain() {
    let bench = with_alert("a").await;
    let tenant = tenant();
    let first = seen(&bench, "a").await;
    let (work, line) = worked(&first, note("Called them."));
    act(&bench, &ActWrite { work: Some(&work), ..ActWrite::new(&tenant, About::Alert(&first), &[line]) }).await;
    let second = seen(&bench, "a").await;
    let (work, line) = worked(&second, WorkChange::Assign(person()));
    act(&bench, &ActWrite { work: Some(&work), ..ActWrite::new(&tenant, About::Alert(&second), &[line]) }).await;
    let written = bench.alert_item("a").await;

    let grant = bench.grant(&tenant, noon() + jiff::SignedDuration::from_hours(1)).await;
    let renamed = models::Alert { display_name: "another".to_owned(), ..alert("a") };
    let stored = bench.stored("a").await.unwrap();
    bench.write_all(&grant, &[changed(&stored, &renamed)]).await;

    let kept = bench.alert_item("a").await;
    for attribute in ["work", "notes", "chain"] {
        assert!(written.contains_key(attribute), "{attribute}");
        assert_eq!(kept[attribute], written[attribute], "{attribute}");
    }
    let after = seen(&bench, "a").await;
    assert_eq!((after.stored.version, &after.work), (4, &work));
    assert_eq!(acts(&bench, "a").await.len(), 2);
}

#[tokio::test]
async fn a_request_that_is_repeated_finds_what_was_begun_and_is_carried_on_once() {
    let bench = with_alert("a").await;
    let tenant = tenant();
    let operation = resolving("a", "key");
    let ask = async |operation: &Operation| {
        let seen = seen(&bench, "a").await;
        let lines = [entry(Did::StatusAsked)];
        let write = ActWrite { operation: Some(operation), ..ActWrite::new(&tenant, About::Alert(&seen), &lines) };
        act(&bench, &write).await
    };
    assert!(matches!(ask(&operation).await, Acted::Done { .. }));
    // Cut off here: the line is written, and its end is not. The person asks again.
    assert_eq!(ask(&operation).await, Acted::OperationMoved);
    let kept = bench.store.operation(&tenant, &operation.id).await.unwrap().unwrap();
    assert_eq!(kept.repeated_by(&operation.request), Repeated::Unfinished);
    assert_eq!(kept.left().map(ToString::to_string).collect::<Vec<_>>(), ["a"]);
    assert_eq!(bench.store.unfinished(&tenant).await.unwrap(), std::slice::from_ref(&kept));

    // Two carry it on: one of them ends it, and the other hears of it.
    let seen = seen(&bench, "a").await;
    let (decision, lines) = (decided(&seen), [entry(Did::StatusDone)]);
    let done = kept.with_result("a".parse().unwrap(), AlertResult::Done { version: 3 }, noon());
    let write = ActWrite {
        decision: Some(&decision),
        operation: Some(&done),
        ..ActWrite::new(&tenant, About::Alert(&seen), &lines)
    };
    assert!(matches!(act(&bench, &write).await, Acted::Done { .. }));
    assert_eq!(act(&bench, &write).await, Acted::OperationMoved);

    let kept = bench.store.operation(&tenant, &operation.id).await.unwrap().unwrap();
    assert_eq!((kept.state.clone(), kept.repeated_by(&operation.request)), (OperationState::Done, Repeated::Finished));
    assert_eq!(kept.repeated_by(&RequestHash::of(b"another")), Repeated::Another);
    assert_eq!(bench.store.unfinished(&tenant).await.unwrap(), []);
    assert_eq!(acts(&bench, "a").await, [Did::StatusAsked, Did::StatusDone]);
}

/// Whether an operation has a mark that something is left of it.
async fn is_marked(bench: &Bench, operation: &Operation) -> bool {
    let mark = format!("unfinished#{}", operation.id);
    bench.item(&bench.tables.alerts, tenant().as_str(), &mark).await.is_some()
}

#[tokio::test]
async fn an_operation_has_a_mark_as_long_as_something_is_left_of_it_and_what_is_left_is_found_by_marks_alone() {
    let bench = with_alert("a").await;
    let (tenant, operation) = (tenant(), resolving("a", "key"));
    assert!(bench.store.advance(&operation).await.unwrap());
    assert!(is_marked(&bench, &operation).await);
    // Many that are done, of which a sweep reads nothing.
    for number in 0..3 {
        let done =
            resolving("a", &format!("done {number}")).with_result("a".parse().unwrap(), AlertResult::AlreadySo, noon());
        assert!(bench.store.advance(&Operation { revision: 1, ..done.clone() }).await.unwrap());
        assert!(!is_marked(&bench, &done).await);
    }
    bench.wire.forget();
    assert_eq!(bench.store.unfinished(&tenant).await.unwrap(), std::slice::from_ref(&operation));
    assert_eq!((bench.wire.count("Query"), bench.wire.count("GetItem")), (1, 1));

    let done = operation.with_result("a".parse().unwrap(), AlertResult::AlreadySo, noon());
    assert!(bench.store.advance(&done).await.unwrap());
    assert!(!is_marked(&bench, &operation).await);
    bench.wire.forget();
    assert_eq!(bench.store.unfinished(&tenant).await.unwrap(), []);
    assert_eq!((bench.wire.count("Query"), bench.wire.count("GetItem")), (1, 0));
    let query = bench.wire.sent().pop().unwrap().body;
    assert!(
        query.contains("unfinished#") && query.contains("\"ConsistentRead\":true"),
        "a mark of a moment ago counts: {query}"
    );
}

#[tokio::test]
async fn an_operation_that_can_t_be_read_holds_no_other_up_and_is_counted() {
    let bench = with_alert("a").await;
    let (spoilt, sound) = (resolving("a", "spoilt"), resolving("a", "sound"));
    for operation in [&spoilt, &sound] {
        assert!(bench.store.advance(operation).await.unwrap());
    }
    let key = [("pk", tenant().to_string()), ("sk", format!("operation#{}", spoilt.id))];
    let spoilt = key.into_iter().chain([("operation", "{}".to_owned())]);
    let item: Item = spoilt.map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).collect();
    bench.client.put_item().table_name(&bench.tables.alerts).set_item(Some(item)).send().await.unwrap();
    let left = bench.store.left(&tenant()).await.unwrap();
    assert_eq!((left.operations, left.unreadable), (vec![sound], 1));
}

#[tokio::test]
async fn what_a_newer_release_has_written_is_not_written_back_by_one_that_knows_half_of_it() {
    let bench = with_alert("a").await;
    let operation = resolving("a", "key");
    let novel = Operation { state: OperationState::Unknown, ..operation };
    let error = bench.store.advance(&novel).await.unwrap_err();
    assert!(matches!(error, store::StoreError::Unwritable { .. }), "{error:?}");
}

#[tokio::test]
async fn an_operation_is_carried_on_by_one_and_expires_thirty_days_after_its_last_change() {
    let bench = Bench::new().await;
    let operation = resolving("a", "key");
    assert!(bench.store.advance(&operation).await.unwrap());
    assert!(!bench.store.advance(&operation).await.unwrap(), "it is there");
    let later = noon() + jiff::SignedDuration::from_hours(1);
    let next = operation.with_result("a".parse().unwrap(), AlertResult::AlreadySo, later);
    assert!(bench.store.advance(&next).await.unwrap());
    assert!(!bench.store.advance(&next).await.unwrap(), "somebody did");
    let item = bench.item(&bench.tables.alerts, tenant().as_str(), &format!("operation#{}", operation.id)).await;
    let expires = item.unwrap()["expires_at"].as_n().unwrap().parse::<i64>().unwrap();
    assert_eq!(expires, later.as_second() + 30 * 24 * 3_600);
}

#[tokio::test]
async fn an_act_that_collided_or_whose_answer_was_lost_is_written_once() {
    let bench = with_alert("a").await;
    let tenant = tenant();
    for (place, fault) in
        [Fault::transaction_canceled(&["TransactionConflict", "None"]), Fault::AnswerLost].into_iter().enumerate()
    {
        let seen = seen(&bench, "a").await;
        let (work, line) = worked(&seen, note(&format!("note {place}")));
        bench.wire.plan(TRANSACTION, 1, fault);
        let lines = [line];
        let write = ActWrite { work: Some(&work), ..ActWrite::new(&tenant, About::Alert(&seen), &lines) };
        assert!(matches!(act(&bench, &write).await, Acted::Done { .. }), "{place}");
    }
    let after = seen(&bench, "a").await;
    assert_eq!((after.stored.version, after.work.notes.len(), acts(&bench, "a").await.len()), (3, 2, 2));
}

/// Somebody changes the item of the alert `a` by hand.
async fn by_hand(bench: &Bench, change: impl FnOnce(&mut Item)) {
    let mut item = bench.alert_item("a").await;
    change(&mut item);
    bench.client.put_item().table_name(&bench.tables.alerts).set_item(Some(item)).send().await.unwrap();
}

async fn write_note(bench: &Bench, text: &str) -> Acted {
    let (tenant, seen) = (tenant(), seen(bench, "a").await);
    let (work, line) = worked(&seen, note(text));
    act(bench, &ActWrite { work: Some(&work), ..ActWrite::new(&tenant, About::Alert(&seen), &[line]) }).await
}

#[tokio::test]
async fn an_item_of_before_that_has_no_work_is_as_if_nothing_was_written_and_can_be_worked_on() {
    let bench = with_alert("a").await;
    by_hand(&bench, |item| drop(item.remove("work").unwrap())).await;
    assert_eq!(seen(&bench, "a").await.work, Work::default());
    assert!(matches!(write_note(&bench, "one").await, Acted::Done { head } if head.count == 1));
    assert_eq!(seen(&bench, "a").await.work.notes.len(), 1);
}

#[tokio::test]
async fn what_a_newer_release_wrote_on_an_alert_survives_what_this_one_writes() {
    let bench = with_alert("a").await;
    let flag = AttributeValue::M([("by".to_owned(), AttributeValue::N("7".to_owned()))].into());
    let newer = [("flag".to_owned(), flag.clone())].into();
    by_hand(&bench, |item| drop(item.insert("work".to_owned(), AttributeValue::M(newer)))).await;
    write_note(&bench, "one").await;
    assert_eq!(bench.alert_item("a").await["work"].as_m().unwrap()["flag"], flag);
}

#[tokio::test]
async fn a_chain_whose_head_is_gone_or_was_set_back_goes_on_where_its_lines_end_and_says_so() {
    type Loss = fn(&mut Item, AttributeValue);
    let losses: [Loss; 2] = [
        |item, _| drop(item.remove("chain").unwrap()),
        // A table that was restored: the alert as it was then.
        |item, old| drop(item.insert("chain".to_owned(), old)),
    ];
    for lose in losses {
        let bench = with_alert("a").await;
        write_note(&bench, "one").await;
        let old = bench.alert_item("a").await.remove("chain").unwrap();
        write_note(&bench, "two").await;
        by_hand(&bench, |item| lose(item, old)).await;

        assert!(matches!(write_note(&bench, "three").await, Acted::Done { head } if head.count == 3));
        assert!(matches!(write_note(&bench, "four").await, Acted::Done { head } if head.count == 4));

        assert_eq!(findings(&bench, &chain_of("a")).await, [Finding::HeadLost { line: 3 }]);
    }
}

#[tokio::test]
async fn what_is_done_to_the_lines_in_the_table_is_found() {
    let bench = with_alert("a").await;
    for text in ["one", "two", "three"] {
        write_note(&bench, text).await;
    }
    let lines = bench.query(&bench.tables.activity, None, "pk", &format!("{}#a", tenant())).await;
    let table = &bench.tables.activity;
    let put = async |item: &Item| {
        bench.client.put_item().table_name(table).set_item(Some(item.clone())).send().await.unwrap();
    };
    let delete = async |item: &Item| {
        let request = bench.client.delete_item().table_name(table).key("pk", item["pk"].clone());
        request.key("sk", item["sk"].clone()).send().await.unwrap();
    };
    for (place, expected) in [
        (0, Finding::Missing { from: 1, to: 1 }),
        (1, Finding::Missing { from: 2, to: 2 }),
        (2, Finding::Cut { from: 3, to: 3 }),
    ] {
        let number = place as u64 + 1;
        let mut changed = lines[place].clone();
        let forged = text(&changed, "line").replace("someone@", "nobody@");
        changed.insert("hash".to_owned(), AttributeValue::S(models::LineHash::of(&forged).to_string()));
        changed.insert("line".to_owned(), AttributeValue::S(forged));
        put(&changed).await;
        assert_eq!(findings(&bench, &chain_of("a")).await, [Finding::Changed { line: number }]);
        delete(&changed).await;
        assert_eq!(findings(&bench, &chain_of("a")).await, [expected]);
        put(&lines[place]).await;
        assert_eq!(findings(&bench, &chain_of("a")).await, []);
    }
    let mut stray = lines[2].clone();
    stray.insert("sk".to_owned(), AttributeValue::S("no place".to_owned()));
    put(&stray).await;
    assert_eq!(findings(&bench, &chain_of("a")).await, [Finding::Changed { line: 0 }]);
}

// ---- the tenant as a whole -----------------------------------------------------------------------------------------------

fn view(number: usize) -> View {
    View {
        id: format!("22222222-2222-4222-8222-{number:012}").parse().unwrap(),
        name: format!("View {number}").parse().unwrap(),
        query: "state=open".parse().unwrap(),
        owner: person(),
        is_shared: false,
        revision: 1,
    }
}

/// Writes a change of the views with its line.
async fn write_view(bench: &Bench, write: &ViewWrite) -> Acted {
    let tenant = tenant();
    let head = bench.store.tenant_head(&tenant).await.unwrap();
    let lines = [entry(match write {
        ViewWrite::Save(view) => Did::ViewSaved { view: view.id.clone(), name: view.name.clone() },
        ViewWrite::Remove { id, .. } => Did::ViewRemoved { view: id.clone() },
    })];
    act(bench, &ActWrite { view: Some(write), ..ActWrite::new(&tenant, About::Tenant(head.as_ref()), &lines) }).await
}

#[tokio::test]
async fn views_are_saved_changed_and_removed_with_lines_in_the_tenant_s_own_chain() {
    let bench = Bench::new().await;
    let first = view(1);
    let second = View { is_shared: true, revision: 2, ..first.clone() };
    assert!(matches!(write_view(&bench, &ViewWrite::Save(first.clone())).await, Acted::Done { .. }));
    assert_eq!(write_view(&bench, &ViewWrite::Save(first.clone())).await, Acted::Overtaken, "there is one");
    assert!(matches!(write_view(&bench, &ViewWrite::Save(second.clone())).await, Acted::Done { .. }));
    assert_eq!(bench.store.views(&tenant()).await.unwrap().views, [second]);
    let remove = |revision| ViewWrite::Remove { id: view(1).id, revision };
    assert_eq!(write_view(&bench, &remove(1)).await, Acted::Overtaken);
    assert!(matches!(write_view(&bench, &remove(2)).await, Acted::Done { head } if head.count == 3));
    assert_eq!(bench.store.views(&tenant()).await.unwrap().views, []);
    assert_eq!(findings(&bench, &Chain { tenant: tenant(), alert: None }).await, []);
}

#[tokio::test]
async fn of_two_acts_on_one_head_of_the_tenant_one_is_written() {
    let bench = Bench::new().await;
    let tenant = tenant();
    for count in 1..=2 {
        let head = bench.store.tenant_head(&tenant).await.unwrap();
        for (place, number) in [count * 2, count * 2 + 1].into_iter().enumerate() {
            let (write, lines) = (ViewWrite::Save(view(number)), [entry(Did::Noted)]);
            let about = About::Tenant(head.as_ref());
            let acted = act(&bench, &ActWrite { view: Some(&write), ..ActWrite::new(&tenant, about, &lines) }).await;
            assert_eq!(acted == Acted::Overtaken, place == 1, "{acted:?}");
        }
    }
    assert_eq!(bench.store.views(&tenant).await.unwrap().views.len(), 2);
}

#[tokio::test]
async fn a_tenant_has_two_hundred_views_at_most() {
    let bench = Bench::new().await;
    for number in 0..MOST_VIEWS {
        assert!(matches!(write_view(&bench, &ViewWrite::Save(view(number))).await, Acted::Done { .. }));
    }
    assert_eq!(write_view(&bench, &ViewWrite::Save(view(MOST_VIEWS))).await, Acted::TooManyViews);
    let changed = ViewWrite::Save(View { revision: 2, ..view(7) });
    assert!(matches!(write_view(&bench, &changed).await, Acted::Done { .. }), "one that is there can be changed");
}

// ---- reading -------------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn lines_are_read_by_alert_in_their_order_and_by_tenant_and_time_the_latest_first() {
    let bench = with_alert("a").await;
    let tenant = tenant();
    for number in 1..=3_i64 {
        let seen = seen(&bench, "a").await;
        let line = Entry { at: noon() + jiff::SignedDuration::from_secs(number), ..entry(Did::Noted) };
        act(&bench, &ActWrite::new(&tenant, About::Alert(&seen), &[line])).await;
    }
    write_view(&bench, &ViewWrite::Save(view(1))).await;

    let numbers = |lines: &[models::KeptLine]| lines.iter().map(|line| line.number.unwrap()).collect::<Vec<_>>();
    let chain = chain_of("a");
    assert_eq!(numbers(&bench.store.lines(&chain, 0, 2).await.unwrap()), [1, 2]);
    assert_eq!(numbers(&bench.store.lines(&chain, 2, 2).await.unwrap()), [3]);
    let until = noon() + jiff::SignedDuration::from_secs(3);
    let (mut found, mut from) = (Vec::new(), None);
    loop {
        let page = bench.store.lines_of_tenant(&tenant, noon(), until, from.take(), 2).await.unwrap();
        found.extend(page.lines.iter().map(|line| line.read().unwrap()));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let found: Vec<_> = found.iter().map(|line| (line.chain.alert.is_some(), line.number)).collect();
    assert_eq!(found, [(true, 2), (true, 1), (false, 1)], "what is of the end is left out");
    let chains = bench.store.chains(&tenant).await.unwrap();
    assert_eq!(chains.into_iter().collect::<Vec<_>>(), [Chain { tenant, alert: None }, chain]);
}

#[tokio::test]
async fn chains_are_found_whose_lines_or_head_are_all_that_is_left() {
    let bench = with_alert("a").await;
    write_note(&bench, "one").await;
    let line = bench.query(&bench.tables.activity, None, "pk", &format!("{}#a", tenant())).await.remove(0);
    let delete = async |table: &str, sort: &str| {
        let key = |text: &str| AttributeValue::S(text.to_owned());
        let request = bench.client.delete_item().table_name(table).key("pk", key(&format!("{}#a", tenant())));
        request.key("sk", key(sort)).send().await.unwrap();
    };
    delete(&bench.tables.activity, text(&line, "sk")).await;
    assert!(bench.store.chains(&tenant()).await.unwrap().contains(&chain_of("a")));
    assert_eq!(findings(&bench, &chain_of("a")).await, [Finding::Cut { from: 1, to: 1 }]);

    bench.client.put_item().table_name(&bench.tables.activity).set_item(Some(line)).send().await.unwrap();
    delete(&bench.tables.alerts, "alert").await;
    assert!(bench.store.chains(&tenant()).await.unwrap().contains(&chain_of("a")));
    assert_eq!(findings(&bench, &chain_of("a")).await, [Finding::HeadLost { line: 1 }]);
}

// ---- size, and all at once -----------------------------------------------------------------------------------------------

/// About what DynamoDB counts of an attribute.
fn bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        AttributeValue::M(map) => map.iter().map(|(name, value)| name.len() + bytes(value) + 1).sum::<usize>() + 3,
        AttributeValue::L(list) => list.iter().map(|value| bytes(value) + 1).sum::<usize>() + 3,
        _ => 1,
    }
}

#[tokio::test]
async fn the_largest_alert_with_all_notes_that_it_takes_is_well_below_400_kb() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    // What is kept of an alert at most: 288 kB of long members.
    let largest = models::Alert { description: Some("d".repeat(288_000)), ..alert("a") };
    bench.write_all(&grant, &[new(&largest)]).await;
    let (tenant, note) = (tenant(), note(&"\"".repeat(600)));
    // One more than there is room for.
    for _ in 0..models::MOST_NOTES {
        let seen = seen(&bench, "a").await;
        let (work, line) = worked(&seen, note.clone());
        let lines = [line];
        let write = ActWrite { work: Some(&work), ..ActWrite::new(&tenant, About::Alert(&seen), &lines) };
        assert!(matches!(act(&bench, &write).await, Acted::Done { .. }));
    }
    let item = bench.alert_item("a").await;
    let size: usize = item.iter().map(|(name, value)| name.len() + bytes(value)).sum();
    assert!((300_000..345_000).contains(&size), "{size}");
    assert!(bytes(&item["work"]) < 100, "lists carry no notes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixty_four_people_and_runs_on_one_alert_each_write_counts_once_and_nothing_is_lost() {
    let bench = Arc::new(with_alert("a").await);
    let grant = Arc::new(bench.grant(&tenant(), noon() + jiff::SignedDuration::from_hours(1)).await);
    // The engine never has two collide, and DynamoDB would.
    bench.wire.plan(TRANSACTION, 40, Fault::transaction_canceled(&["TransactionConflict"]));
    let mut all = JoinSet::new();
    for number in 0..64 {
        let (bench, grant) = (Arc::clone(&bench), Arc::clone(&grant));
        all.spawn(async move {
            let tenant = tenant();
            loop {
                let seen = seen(&bench, "a").await;
                let is_written = match number % 4 {
                    0 => {
                        let mut write = changed(&seen.stored, &seen.stored.known.alert);
                        let name = format!("seen by {number}");
                        let renamed = models::Alert { display_name: name, ..seen.stored.known.alert.as_ref().clone() };
                        write.known = models::Known { alert: Arc::new(renamed), ..seen.stored.known.clone() };
                        write.was_decided = seen.stored.known.decision.is_some();
                        bench.store.write(&grant, &[write], None, noon()).await.unwrap().conflicted.is_empty()
                    }
                    1 => {
                        let (write, lines) = (decided(&seen), [entry(Did::StatusDone)]);
                        let about = About::Alert(&seen);
                        let write = ActWrite { decision: Some(&write), ..ActWrite::new(&tenant, about, &lines) };
                        act(&bench, &write).await != Acted::Overtaken
                    }
                    kind => {
                        let id = format!("33333333-3333-4333-8333-{number:012}").parse().unwrap();
                        let change = match kind {
                            2 => note(&format!("note {number}")),
                            _ => WorkChange::Assign(Person { id, ..person() }),
                        };
                        let (work, line) = worked(&seen, change);
                        let lines = [line];
                        let about = About::Alert(&seen);
                        let write = ActWrite { work: Some(&work), ..ActWrite::new(&tenant, about, &lines) };
                        act(&bench, &write).await != Acted::Overtaken
                    }
                };
                if is_written {
                    break;
                }
            }
        });
    }
    all.join_all().await;

    let after = seen(&bench, "a").await;
    assert_eq!(after.stored.version, 65, "one version a write");
    let acts = acts(&bench, "a").await;
    let count = |wanted: fn(&Did) -> bool| acts.iter().filter(|did| wanted(did)).count();
    let (decided, written) = (count(|did| *did == Did::StatusDone), count(|did| *did == Did::Noted));
    let assigned = count(|did| matches!(did, Did::Assigned { .. }));
    assert_eq!((decided, written, assigned, acts.len()), (16, 16, 16, 48));
    let mut notes: Vec<_> = after.work.notes.iter().map(|note| note.text.as_str().to_owned()).collect();
    notes.sort();
    notes.dedup();
    assert_eq!(notes.len(), 16);
    assert_eq!(after.stored.known.alert.status, Status::Resolved);
    assert_eq!(bench.store.recount(&tenant()).await.unwrap().drift, []);
}
