//! What is shown of one alert, of what was done, of figures and tenants: all that is kept, and nothing of anybody else.

use jiff::SignedDuration;
use made_alerts::alert;
use models::{
    Act as Did, ActivityEntry, AffectedResource, Alert, AlertId, AlertResult, Asked, Entry, IdempotencyKey,
    MicrosoftRefusal, NameId, Operation, OperationId, Person, RequestHash, Resolution, ResolvedReason, SeenAsSnoozed,
    Standing, Status, SubscriptionWish, Tenant, TenantId, View, WorkChange,
};
use serde_json::{Value, json};
use store::{
    About, Act as _, ActWrite, Acted, KeepNames as _, KeepOperations as _, NameAnswer, ReadTenants as _, ReadWork as _,
    ViewWrite, WriteTenants as _,
};
use tests::TENANT;

use crate::support::{OTHER, World};

fn tenant() -> TenantId {
    TENANT.parse().unwrap()
}

fn person(id: &str) -> Person {
    Person::new(tenant(), id.parse().unwrap(), "someone@contoso.example")
}

const SOMEBODY: &str = "77777777-2222-4333-8444-555555555555";

fn entry(world: &World, number: u64, did: Did) -> Entry {
    let id = format!("00000000-0000-4000-8000-{number:012}").parse().unwrap();
    Entry::new(id, world.system.now(), models::Actor::Person(person(SOMEBODY)), did)
}

fn full(id: &str) -> Alert {
    Alert {
        customer_id: Some("customer-1".parse().unwrap()),
        subscription_id: Some("Subscription-1".parse().unwrap()),
        reseller_id: Some("reseller-1".to_owned()),
        description: Some("<b>Look</b> at it.".to_owned()),
        affected_resources: vec![AffectedResource { resource_id: format!("/vm/{id}"), resource_type: None }],
        additional_details: [("a".to_owned(), json!({ "b": 1 }))].into(),
        ..alert(id)
    }
}

pub(crate) async fn name(world: &World, id: &NameId, name: &str) {
    let answer = NameAnswer::Given { name, domain: None };
    let asked = store::Asked { id, customer: None, seen: None, answer, due: world.system.now() };
    world.system.store().keep_name(&tenant(), asked, world.system.now()).await.unwrap();
}

async fn act(world: &World, id: &str, write: impl FnOnce(&store::AlertAtWork) -> (Vec<Entry>, models::Work)) {
    let (store, id) = (world.system.store(), id.parse::<AlertId>().unwrap());
    let seen = store.at_work(&tenant(), &id).await.unwrap().unwrap();
    let (entries, work) = write(&seen);
    let tenant = tenant();
    let write = ActWrite { work: Some(&work), ..ActWrite::new(&tenant, About::Alert(&seen), &entries) };
    assert!(matches!(store.act(&write, world.system.now()).await.unwrap(), Acted::Done { .. }));
}

pub(crate) async fn note(world: &World, id: &str, number: u64) {
    act(world, id, |seen| {
        let line = entry(world, number, Did::Noted);
        let change = WorkChange::Note("It is <i>theirs</i>.".parse().unwrap());
        let (version, severity) = (seen.stored.version, seen.stored.known.alert.severity.clone());
        let done = seen.work.with(change, &line.id, &line.actor, SeenAsSnoozed { version, severity }, line.at);
        let done = done.unwrap().unwrap();
        (vec![Entry { act: done.act, note: done.note, ..line }], done.work)
    })
    .await;
}

#[tokio::test]
async fn an_alert_is_shown_whole_with_names_and_with_what_people_wrote() {
    let world = World::start(&[]).await;
    world.keep(TENANT, &[full("a"), alert("plain")]).await;
    name(&world, &NameId::customer(&"customer-1".parse().unwrap()), "Contoso <Ltd>").await;
    note(&world, "a", 1).await;
    let shown = world.found(&format!("tenants/{TENANT}/alerts/a")).await.body;
    assert_eq!(shown["customer"], json!({ "id": "customer-1", "name": "Contoso <Ltd>" }));
    assert_eq!(shown["subscription"], json!({ "id": "Subscription-1", "name": null }));
    assert_eq!(shown["version"], 2);
    assert_eq!((&shown["type"], &shown["portal_type"]), (&json!("CryptoMining"), &json!("Azure Usage")));
    assert_eq!((&shown["status"], &shown["detected"]), (&json!("active"), &json!("2026-03-02T09:00:00Z")));
    assert_eq!(shown["description"], "<b>Look</b> at it.");
    assert_eq!(shown["details"], json!({ "a": { "b": 1 } }));
    assert_eq!(shown["resources"], json!([{ "id": "/vm/a", "type": null }]));
    assert_eq!(shown["work"]["notes"], 1);
    let note = &shown["notes"][0];
    assert_eq!((&note["text"], &note["by"]["kind"]), (&json!("It is <i>theirs</i>."), &json!("person")));
    let listed = world.found("alerts?state=all").await.body;
    let [of_list] = listed["alerts"].as_array().unwrap().iter().filter(|it| it["id"] == "a").collect::<Vec<_>>()[..]
    else {
        panic!("{listed}")
    };
    for (member, value) in of_list.as_object().unwrap() {
        assert_eq!(&shown[member], value, "{member} is the same in a list");
    }
    let missing = world.get(&format!("tenants/{TENANT}/alerts/nobody"), Some(&world.token())).await;
    assert_eq!(missing.problem(), (404, "/problems/not-found"));
}

#[tokio::test]
async fn an_id_with_any_characters_is_found_by_its_path() {
    let world = World::start(&[]).await;
    world.keep(TENANT, &[alert("{sub}-1/../ä%2f?#")]).await;
    let path = format!("tenants/{TENANT}/alerts/%7Bsub%7D-1%2F..%2F%C3%A4%252f%3F%23");
    assert_eq!(world.found(&path).await.body["id"], "{sub}-1/../ä%2f?#");
}

#[tokio::test]
async fn activity_of_an_alert_has_our_lines_and_microsofts_entries_in_one_order_and_goes_on() {
    let world = World::start(&[]).await;
    let at = |minutes: i64| world.system.now() + SignedDuration::from_mins(minutes);
    let theirs = |minutes| ActivityEntry {
        status_from: Some(Status::Active),
        status_to: Some(Status::Resolved),
        updated_by: Some("admin@x.example".to_owned()),
        updated: Some(at(minutes)),
    };
    world.keep(TENANT, &[Alert { activity: vec![theirs(-10), theirs(10)], ..full("a") }]).await;
    for number in 0..205 {
        act(&world, "a", |seen| (vec![entry(&world, number, Did::Unassigned)], seen.work.clone())).await;
    }
    let path = format!("tenants/{TENANT}/alerts/a/activity");
    let first = world.found(&path).await.body;
    let sources: Vec<_> =
        first["entries"].as_array().unwrap().iter().map(|it| it["source"].as_str().unwrap()).collect();
    assert_eq!((sources.len(), sources[0], sources[1], sources[201]), (202, "microsoft", "here", "microsoft"));
    assert_eq!(first["entries"][0]["by"], "admin@x.example");
    assert_eq!(
        (&first["entries"][1]["number"], &first["entries"][1]["act"]["kind"]),
        (&json!(1), &json!("unassigned"))
    );
    let next = first["next"].as_str().unwrap();
    let second = world.found(&format!("{path}?cursor={next}")).await.body;
    let numbers: Vec<_> = second["entries"].as_array().unwrap().iter().map(|it| it["number"].clone()).collect();
    assert_eq!((numbers, &second["next"]), ((201..=205).map(Value::from).collect(), &Value::Null));
    // The tenant's, the latest first.
    let of_tenant = format!("tenants/{TENANT}/activity");
    let first = world.found(&of_tenant).await.body;
    assert_eq!(first["entries"].as_array().unwrap().len(), 200);
    assert_eq!(first["entries"][0]["alert"], "a");
    let next = first["next"].as_str().unwrap();
    assert_eq!(world.found(&format!("{of_tenant}?cursor={next}")).await.body["entries"].as_array().unwrap().len(), 5);
    assert_eq!(world.found(&format!("{of_tenant}?until=2026-03-01T00:00:00Z")).await.body["entries"], json!([]));
    for wrong in ["since=x", "since=2026-03-03T00:00:00Z&until=2026-03-02T00:00:00Z"] {
        assert_eq!(world.get(&format!("{of_tenant}?{wrong}"), Some(&world.token())).await.status, 400, "{wrong}");
    }
}

/// Somebody wants the alert `a` resolved as fraud: written down, and nothing more.
async fn wished(world: &World) -> Operation {
    let (store, tenant, now) = (world.system.store(), tenant(), world.system.now());
    let by = models::Actor::Person(person(SOMEBODY));
    let to = Standing::new(&Status::Resolved, Some(&ResolvedReason::Fraud));
    let asked = Asked::Status { alerts: vec!["a".parse().unwrap()], to: to.clone(), note: None };
    let id = OperationId::of_random("wished");
    let operation = Operation::asked(id.clone(), tenant.clone(), by, RequestHash::of(b"x"), asked, now);
    let seen = store.at_work(&tenant, &"a".parse().unwrap()).await.unwrap().unwrap();
    let lines = [Entry { to: Some(to), operation: Some(id), ..entry(world, 1, Did::StatusAsked) }];
    let write = ActWrite::new(&tenant, About::Alert(&seen), &lines);
    let write = ActWrite { operation: Some(&operation), begins: true, ..write };
    assert!(matches!(store.act(&write, now).await.unwrap(), Acted::Done { .. }));
    operation
}

#[tokio::test]
async fn an_alert_shows_what_is_under_way_of_it_until_it_is_known_what_came_of_that() {
    let world = World::start(&[]).await;
    world.keep(TENANT, &[full("a")]).await;
    let path = format!("tenants/{TENANT}/alerts/a");
    assert_eq!(world.found(&path).await.body["under_way"], Value::Null);
    let operation = wished(&world).await;
    let by = json!({ "kind": "person", "tenant": TENANT, "id": SOMEBODY, "name": "someone@contoso.example" });
    let to = json!({ "status": "resolved", "reason": "fraud" });
    let expected =
        json!({ "operation": operation.id.as_str(), "to": to, "since": world.system.now().to_string(), "by": by });
    assert_eq!(world.found(&path).await.body["under_way"], expected);
    let done = AlertResult::Done { version: 3 };
    let done = operation.with_result("a".parse().unwrap(), done, world.system.now());
    assert!(world.system.store().advance(&done).await.unwrap());
    assert_eq!(world.found(&path).await.body["under_way"], Value::Null);
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    aws_sdk_dynamodb::Client::new(&world.system.parts.aws)
        .update_item()
        .table_name(world.system.test.system.tables().alerts.clone())
        .key("pk", text(TENANT))
        .key("sk", text(&format!("operation#{}", operation.id)))
        .update_expression("SET operation = :text")
        .expression_attribute_values(":text", text("{}"))
        .send()
        .await
        .unwrap();
    assert_eq!(world.found(&path).await.body["under_way"], Value::Null, "what can't be read hides no alert");
}

#[tokio::test]
async fn what_microsoft_recorded_is_nobodys_of_ours_as_long_as_it_is_known_that_it_was_not_told_of_ours() {
    let world = World::start(&[]).await;
    let theirs = ActivityEntry {
        status_from: Some(Status::Active),
        status_to: Some(Status::Resolved),
        updated_by: Some("admin@x.example".to_owned()),
        updated: Some(world.system.now() + SignedDuration::from_mins(1)),
    };
    world.keep(TENANT, &[Alert { activity: vec![theirs], ..full("a") }]).await;
    let operation = wished(&world).await;
    let path = format!("tenants/{TENANT}/alerts/a/activity");
    let sources = async || {
        let entries = world.found(&path).await.body["entries"].clone();
        entries.as_array().unwrap().iter().map(|it| it["source"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sources().await, ["here", "microsoft"]);
    let telling = operation.with_telling(&"a".parse().unwrap(), world.system.now());
    assert!(world.system.store().advance(&telling).await.unwrap());
    assert_eq!(sources().await, ["here"], "it may be ours");
    let done = telling.with_result("a".parse().unwrap(), AlertResult::Done { version: 3 }, world.system.now());
    assert!(world.system.store().advance(&done).await.unwrap());
    assert_eq!(sources().await, ["here"], "it is ours, though its line was not read");
}

#[tokio::test]
async fn figures_are_of_the_tenants_that_are_asked_for_with_their_definitions() {
    let world = World::start(&[]).await;
    let on = Some(made_alerts::DETECTED + SignedDuration::from_mins(30));
    let resolution = Resolution { reason: Some(ResolvedReason::Fraud), on, by: None };
    world.keep(TENANT, &[alert("a"), Alert { status: Status::Resolved, resolution, ..alert("b") }]).await;
    world.keep(OTHER, &[alert("a")]).await;
    let both = world.found("statistics").await.body;
    assert_eq!(
        (&both["unresolved"]["now"], &both["new"]["now"], &both["resolved"]["all"]),
        (&json!(2), &json!(3), &json!(1))
    );
    let times = &both["average_response"]["now"];
    assert_eq!((&times["mean_seconds"], &times["median"]), (&json!(1_800), &json!({ "at_most_seconds": 1_800 })));
    assert_eq!(both["chart"].as_array().unwrap().len(), 61);
    assert_eq!(
        both["chart"][60],
        json!({ "day": "2026-03-02", "new": 3, "resolved": 1, "mean_response_seconds": 1_800 })
    );
    assert_eq!(both["definitions"].as_object().unwrap().len(), 5);
    let other = world.found(&format!("statistics?tenant={OTHER}")).await.body;
    assert_eq!((&other["unresolved"]["now"], &other["tenants"]), (&json!(1), &json!([OTHER])));
}

#[tokio::test]
async fn operations_are_shown_to_who_sees_their_tenant_and_views_to_whom_they_are_for() {
    let world = World::start(&[]).await;
    world.keep(TENANT, &[full("a")]).await;
    let me = world.found("me").await.body;
    let own = person(me["id"].as_str().unwrap());
    let (store, tenant, now) = (world.system.store(), tenant(), world.system.now());
    let by = models::Actor::Person(own.clone());
    let to = Standing::new(&Status::Resolved, Some(&ResolvedReason::Fraud));
    let asked = Asked::Status { alerts: vec!["a".parse().unwrap()], to, note: None };
    let key: IdempotencyKey = "key".parse().unwrap();
    let id = OperationId::of_key(&tenant, &by, &key);
    let operation = Operation::asked(id.clone(), tenant.clone(), by, RequestHash::of(b"x"), asked, now);
    let seen = store.at_work(&tenant, &"a".parse().unwrap()).await.unwrap().unwrap();
    let lines = [entry(&world, 1, Did::StatusAsked)];
    let write = ActWrite { operation: Some(&operation), ..ActWrite::new(&tenant, About::Alert(&seen), &lines) };
    assert!(matches!(store.act(&write, now).await.unwrap(), Acted::Done { .. }));
    let shown = world.found(&format!("tenants/{TENANT}/operations/{id}")).await.body;
    assert_eq!((&shown["state"]["kind"], &shown["asked"]["kind"]), (&json!("asked"), &json!("status")));
    assert!(shown.get("request").is_none(), "the hash of a request is nobody's business");

    let view = |number: u32, owner: &Person, is_shared| View {
        id: format!("22222222-2222-4222-8222-{number:012}").parse().unwrap(),
        name: format!("View {number}").parse().unwrap(),
        query: "state=open".parse().unwrap(),
        owner: owner.clone(),
        is_shared,
        revision: 1,
    };
    let other = person(SOMEBODY);
    for (number, owner, is_shared) in [(1, &own, false), (2, &other, false), (3, &other, true)] {
        let view = view(number, owner, is_shared);
        let lines =
            [entry(&world, 10 + u64::from(number), Did::ViewSaved { view: view.id.clone(), name: view.name.clone() })];
        let head = store.tenant_head(&tenant).await.unwrap();
        let save = ViewWrite::Save(view);
        let write = ActWrite { view: Some(&save), ..ActWrite::new(&tenant, About::Tenant(head.as_ref()), &lines) };
        assert!(matches!(store.act(&write, now).await.unwrap(), Acted::Done { .. }));
    }
    let views = world.found(&format!("tenants/{TENANT}/views")).await.body;
    let names: Vec<_> = views["views"].as_array().unwrap().iter().map(|view| view["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["View 1", "View 3"]);
}

#[tokio::test]
async fn a_cancellation_is_shown_with_what_it_waits_for_and_with_how_microsoft_refused_it_last() {
    let world = World::start(&[]).await;
    let (store, tenant, now) = (world.system.store(), tenant(), world.system.now());
    let by = models::Actor::Person(person(SOMEBODY));
    let asked = Asked::Subscription {
        wish: SubscriptionWish::Cancel,
        customer: "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3".parse().unwrap(),
        subscription: "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381".parse().unwrap(),
        note: None,
    };
    let id = OperationId::of_random("1");
    let waiting = Operation::asked(id.clone(), tenant.clone(), by, RequestHash::of(b"x"), asked, now);
    assert!(store.advance(&waiting).await.unwrap());
    let shown = world.found(&format!("tenants/{TENANT}/operations/{id}")).await.body;
    assert_eq!((&shown["needs_token"], &shown["progress"]["stage"]), (&json!(true), &json!("asked")));
    assert_eq!(shown["step_up"], format!("/sign-in/step-up?tenant={TENANT}&operation={id}"));
    assert!(shown.get("refusal").is_none() && shown.get("taken_on_by").is_none(), "{shown}");

    let refusal = MicrosoftRefusal::new("900335", Some("request-1"), None).meaning(Some("roles-lacking"));
    let other = models::Actor::Person(Person { name: "Somebody else".to_owned(), ..person(OTHER) });
    let refused = waiting.refused_for_now(refusal, now);
    for later in [refused.clone(), refused.taken_on(other, now)] {
        assert!(store.advance(&later).await.unwrap());
    }
    let shown = world.found(&format!("tenants/{TENANT}/operations/{id}")).await.body;
    assert_eq!((&shown["refusal"]["code"], &shown["refusal"]["meaning"]), (&json!("900335"), &json!("roles-lacking")));
    assert!(shown["refusal"]["what_to_do"].as_str().unwrap().contains("Global Administrator"), "{shown}");
    assert_eq!(shown["taken_on_by"]["name"], "Somebody else");
}

#[tokio::test]
async fn tenants_are_shown_with_their_last_look_and_the_document_is_the_committed_one() {
    let world = World::start(&[]).await;
    world.system.baseline().await;
    let store = world.system.store();
    for tenant in store.tenants().await.unwrap() {
        let act_secret = (tenant.id.as_str() == OTHER).then(|| "partner-alerts/act/other".to_owned());
        store.put_tenant(&Tenant { act_secret, ..tenant }).await.unwrap();
    }
    let tenants = world.found("tenants").await.body;
    let of = |id: &str| tenants["tenants"].as_array().unwrap().iter().find(|it| it["id"] == id).unwrap().clone();
    assert!(of(TENANT)["last_success"].is_string(), "{tenants}");
    assert_eq!(of(OTHER)["last_success"], Value::Null);
    assert_eq!([TENANT, OTHER].map(|id| of(id)["can_act"].clone()), [json!(false), json!(true)], "{tenants}");
    assert!(!tenants.to_string().contains("secret") && !tenants.to_string().contains("hash"), "{tenants}");
    let document = world.found("openapi.json").await.body;
    assert_eq!(document["openapi"], "3.1.0");
}
