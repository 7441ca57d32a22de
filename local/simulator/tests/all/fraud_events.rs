//! fraudEvents: both models out of the alerts that Graph lists, with the quirks of the documents.

use serde_json::{Value, json};
use simulator::{AlertChange, Fault, FaultKind, NewAlert, Person, Role, Target};

use crate::support::{FIRST, World, assert_shape, json};

const EVENTS: &str = "/v1/fraudEvents";

/// What somebody of the first tenant is told, asking for the new model or for the old one.
async fn asked(world: &World, path: &str, new: bool, person: Person) -> (u16, Value) {
    let token = world.token_of(person, &world.simulator.partner_center_url()).await;
    let request = world.client.get(world.simulator.partner_center_url() + path).bearer_auth(token);
    let request = if new { request.header("X-NewEventsModel", "true") } else { request };
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), json(answer).await)
}

async fn events(world: &World, path: &str, new: bool) -> Value {
    let (status, events) = asked(world, path, new, Person::admin_agent(FIRST)).await;
    assert_eq!(status, 200, "{events}");
    events
}

fn set(world: &World, kind: FaultKind) {
    world.simulator.clear_faults();
    world.simulator.set_fault(Fault::new(Target::FraudEvents, kind)).unwrap();
}

fn ids(events: &Value) -> Vec<&str> {
    events.as_array().unwrap().iter().map(|event| event["eventId"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn both_models_have_the_members_of_microsofts_samples() {
    let world = World::start().await;
    let new = NewAlert { value_added_reseller_tenant_id: Some("reseller-1".to_owned()), ..NewAlert::default() };
    world.simulator.raise(new).unwrap();
    assert_shape(&events(&world, EVENTS, false).await, "fraudevents-list-old-model.json");
    assert_shape(&events(&world, EVENTS, true).await, "fraudevents-list-new-model.json");
}

#[tokio::test]
async fn an_event_has_the_quirks_of_the_documents() {
    let world = World::start().await;
    let subscription = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381";
    let alert = NewAlert {
        id: Some(format!("{subscription}-70d3")),
        subscription_id: Some(subscription.to_owned()),
        detected_date_time: Some("2026-03-02T06:12:09.69Z".parse().unwrap()),
        is_test: true,
        ..NewAlert::default()
    };
    world.simulator.raise(alert).unwrap();
    let event = &events(&world, EVENTS, true).await[0];
    for (member, expected) in [
        ("eventId", json!(format!("{subscription}_70d3"))),
        ("eventTime", json!("2026-03-02T06:12:09.6900000")),
        ("eventStatus", json!("Active")),
        ("eventType", json!("NetworkConnectionsToCryptoMiningPools")),
        ("hitCount", json!("5")),
        ("resolvedReason", json!("None")),
        ("resolvedOn", json!("9999-12-31T23:59:59.9970000")),
        ("resolvedBy", json!("")),
        ("severity", json!("High")),
        ("confidenceLevel", json!("high")),
        ("IsTest", json!("true")),
        ("activityLogs", json!("[]")),
    ] {
        assert_eq!(event[member], expected, "{member}");
    }
    assert_eq!(event["additionalDetails"]["vM_IP"], "[  \"10.0.0.4\"]");
    let old = &events(&world, EVENTS, false).await[0];
    assert_eq!((&old["eventTime"], old.get("severity")), (&json!("2026-03-02T06:12:09.69"), None));

    let (status, resolved_reason) = (Some("resolved".to_owned()), Some("fraud".to_owned()));
    let resolved = AlertChange { status, resolved_reason, ..AlertChange::default() };
    world.simulator.change(FIRST, &format!("{subscription}-70d3"), resolved).unwrap();
    let event = &events(&world, EVENTS, true).await[0];
    assert_eq!((&event["eventStatus"], &event["resolvedReason"]), (&json!("Resolved"), &json!("Fraud")));
    let log: Value = serde_json::from_str(event["activityLogs"].as_str().unwrap()).unwrap();
    assert_eq!((&log[0]["statusFrom"], &log[0]["statusTo"]), (&json!("Active"), &json!("Resolved")));
    assert!(log[0]["dateTime"].as_str().unwrap().ends_with("+02:00"), "{log}");
}

#[tokio::test]
async fn nobody_but_an_admin_agent_with_two_factors_is_answered() {
    let world = World::start().await;
    let token = world.partner_token(FIRST).await;
    let answer = world.partner("GET", EVENTS, &token, None).await;
    assert_eq!((answer.status().as_u16(), &json(answer).await["code"]), (403, &json!("900329")));
    let agent = || Person::admin_agent(FIRST);
    for (person, status, code) in [
        (Person { mfa: false, ..agent() }, 401, "900421"),
        (Person { roles: vec![Role::SalesAgent], ..agent() }, 403, "900150"),
    ] {
        let (found, body) = asked(&world, EVENTS, true, person).await;
        assert_eq!((found, &body["code"]), (status, &json!(code)));
    }
}

#[tokio::test]
async fn the_new_model_has_pages_and_the_old_one_has_none() {
    let world = World::start().await;
    world.raise(5);
    let all = events(&world, EVENTS, true).await;
    assert_eq!(all.as_array().unwrap().len(), 5, "nobody asked for pages");
    // This Microsoft has pages of two at most.
    for (size, pages) in [(1, vec![1, 1, 1, 1, 1, 0]), (2, vec![2, 2, 1, 0]), (100, vec![2, 2, 1, 0])] {
        let mut listed = Vec::new();
        for (number, expected) in (1..).zip(&pages) {
            let page = events(&world, &format!("{EVENTS}?PageSize={size}&PageNumber={number}"), true).await;
            assert_eq!(page.as_array().unwrap().len(), *expected, "page {number} of {size}");
            listed.extend(page.as_array().unwrap().clone());
        }
        assert_eq!(json!(listed), all, "{size}");
    }
    for (query, new) in [
        ("PageSize=2&PageNumber=1", false),
        ("PageSize=2", true),
        ("PageSize=0&PageNumber=1", true),
        ("PageSize=2&PageNumber=0", true),
        ("$top=2", true),
    ] {
        let (status, _) = asked(&world, &format!("{EVENTS}?{query}"), new, Person::admin_agent(FIRST)).await;
        assert_eq!(status, 400, "{query}");
    }
}

#[tokio::test]
async fn what_is_asked_for_is_what_comes() {
    let world = World::start().await;
    let alert = |id: &str, status: &str| NewAlert {
        id: Some(id.to_owned()),
        subscription_id: Some(format!("s-{id}")),
        status: Some(status.to_owned()),
        ..NewAlert::default()
    };
    for new in [alert("1", "active"), alert("2", "resolved"), alert("3", "investigating")] {
        world.simulator.raise(new).unwrap();
    }
    for (query, expected) in [
        ("EventStatus=Active", vec!["s-1_1"]),
        ("EventStatus=Resolved", vec!["s-2_2"]),
        ("SubscriptionId=s-3", vec!["s-3_3"]),
        ("EventType=UsageAnomalyDetection", vec![]),
        ("EventType=NetworkConnectionsToCryptoMiningPools&EventStatus=Investigating", vec!["s-3_3"]),
    ] {
        assert_eq!(ids(&events(&world, &format!("{EVENTS}?{query}"), true).await), expected, "{query}");
    }
}

#[tokio::test]
async fn the_new_model_can_be_unknown_and_an_event_spoilt() {
    let world = World::start().await;
    world.raise(3);
    let paged = format!("{EVENTS}?PageSize=2&PageNumber=2");
    set(&world, FaultKind::NewModelIgnored);
    let whole = events(&world, &paged, true).await;
    assert_eq!((whole.as_array().unwrap().len(), whole[0].get("severity")), (3, None));
    set(&world, FaultKind::NewModelRefused);
    assert_eq!(asked(&world, EVENTS, true, Person::admin_agent(FIRST)).await.0, 400);
    assert_eq!(events(&world, EVENTS, false).await.as_array().unwrap().len(), 3);

    set(&world, FaultKind::MalformedAlert);
    let spoilt = &events(&world, EVENTS, true).await[0];
    assert_eq!((&spoilt["eventTime"], &spoilt["eventStatus"]), (&json!("yesterday"), &json!(7)));
    assert_ne!(spoilt["firstObserved"], "yesterday");
    set(&world, FaultKind::UnreadableAlert);
    let spoilt = &events(&world, EVENTS, true).await[0];
    assert_eq!((&spoilt["eventTime"], &spoilt["lastOccurrence"]), (&json!("yesterday"), &json!("yesterday")));
}

#[tokio::test]
async fn a_change_of_state_is_for_the_named_events_or_for_all_of_the_subscription() {
    let world = World::start().await;
    let alert = |id: &str, subscription: &str| NewAlert {
        id: Some(id.to_owned()),
        subscription_id: Some(subscription.to_owned()),
        ..NewAlert::default()
    };
    for new in [alert("1", "a"), alert("2", "a"), alert("3", "b")] {
        world.simulator.raise(new).unwrap();
    }
    let token = world.token_of(Person::admin_agent(FIRST), &world.simulator.partner_center_url()).await;
    let change = async |body: Value| {
        let path = "/v1/fraudEvents/subscription/a/status";
        let answer = world.partner("POST", path, &token, Some(body)).await;
        (answer.status().as_u16(), json(answer).await)
    };
    let body = |ids: Value| json!({ "EventIds": ids, "EventStatus": "Resolved", "ResolvedReason": "Fraud" });
    let (status, events) = change(body(json!(["a_2", "b_3"]))).await;
    assert_eq!((status, ids(&events)), (200, vec!["a_2"]), "the other is of another subscription");
    assert_eq!((&events[0]["eventStatus"], &events[0]["resolvedReason"]), (&json!("Resolved"), &json!("Fraud")));
    let statuses = || world.simulator.alerts(FIRST).into_iter().map(|alert| alert.status).collect::<Vec<_>>();
    assert_eq!(statuses(), ["active", "resolved", "active"]);
    assert_eq!(change(body(json!([]))).await.1.as_array().unwrap().len(), 2);
    assert_eq!(statuses(), ["resolved", "resolved", "active"]);
    for wrong in [json!({}), json!({ "EventStatus": "Gone", "ResolvedReason": "Fraud" })] {
        assert_eq!(change(wrong).await.0, 400);
    }
}

#[tokio::test]
async fn pages_can_be_empty_without_end_or_have_moved() {
    let world = World::start().await;
    for number in 0..5 {
        let new =
            NewAlert { id: Some(number.to_string()), subscription_id: Some("s".to_owned()), ..NewAlert::default() };
        world.simulator.raise(new).unwrap();
    }
    for (kind, expected) in [
        (FaultKind::EmptyPage, vec![]),
        (FaultKind::EndlessPages, vec!["s_0", "s_1"]),
        (FaultKind::AlertListedTwice, vec![]),
        (FaultKind::AlertSkipped, vec![]),
    ] {
        set(&world, kind);
        assert_eq!(
            ids(&events(&world, &format!("{EVENTS}?PageSize=2&PageNumber=4"), true).await),
            expected,
            "{kind:?}"
        );
    }
    for (kind, expected) in [(FaultKind::AlertListedTwice, ["s_1", "s_2"]), (FaultKind::AlertSkipped, ["s_3", "s_4"])] {
        set(&world, kind);
        assert_eq!(
            ids(&events(&world, &format!("{EVENTS}?PageSize=2&PageNumber=2"), true).await),
            expected,
            "{kind:?}"
        );
    }
}
