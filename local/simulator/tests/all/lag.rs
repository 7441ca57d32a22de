//! Alerts that go, come back, are corrected, and are seen by one way of looking later than by the other.

use serde_json::Value;
use simulator::{AlertChange, AlertError, Lag, NewAlert, Person};

use crate::support::{ALERTS, FIRST, SECOND, World, json};

const LIST_LATE: Lag = Lag { list: 2, get: 0 };
const GET_LATE: Lag = Lag { list: 0, get: 2 };

/// The severity that the list shows of each alert.
async fn in_list(world: &World) -> Vec<String> {
    severities(&json(world.list().await).await["value"])
}

async fn in_fraud_events(world: &World) -> Vec<String> {
    let token = world.token_of(Person::admin_agent(FIRST), &world.simulator.partner_center_url()).await;
    let url = world.simulator.partner_center_url() + "/v1/fraudEvents";
    let request = world.client.get(url).bearer_auth(token).header("X-NewEventsModel", "true");
    severities(&json(request.send().await.unwrap()).await)
}

fn severities(alerts: &Value) -> Vec<String> {
    let alerts = alerts.as_array().unwrap().iter();
    alerts.map(|alert| alert["severity"].as_str().unwrap().to_lowercase()).collect()
}

/// The severity of an alert that is read by its id. None where there is none.
async fn by_id(world: &World, id: &str) -> Option<String> {
    let token = world.token(FIRST).await;
    let answer = world.get(&format!("{ALERTS}/{id}"), &token).await;
    match answer.status().as_u16() {
        404 => None,
        _ => Some(json(answer).await["severity"].as_str().unwrap().to_owned()),
    }
}

fn severity(severity: &str, lag: Lag) -> AlertChange {
    AlertChange { severity: Some(severity.to_owned()), lag, ..AlertChange::default() }
}

fn gone(gone: bool, lag: Lag) -> AlertChange {
    AlertChange { gone: Some(gone), lag, ..AlertChange::default() }
}

#[tokio::test]
async fn what_a_list_is_late_with_is_there_by_its_id() {
    let world = World::start().await;
    let new = NewAlert { id: Some("new".to_owned()), lag: LIST_LATE, ..NewAlert::default() };
    world.simulator.raise(new).unwrap();
    assert_eq!(by_id(&world, "new").await.as_deref(), Some("high"));
    assert_eq!(in_list(&world).await, Vec::<String>::new());
    world.list_of_another_tenant().await;
    assert_eq!(in_fraud_events(&world).await, Vec::<String>::new());
    assert_eq!(in_list(&world).await, ["high"]);

    world.simulator.change(FIRST, "new", severity("low", LIST_LATE)).unwrap();
    // What is changed meanwhile does not make the list any later.
    world.simulator.change(FIRST, "new", severity("medium", Lag::default())).unwrap();
    assert_eq!(by_id(&world, "new").await.as_deref(), Some("medium"));
    assert_eq!([in_list(&world).await, in_list(&world).await], [["high"], ["high"]]);
    assert_eq!((in_list(&world).await, in_fraud_events(&world).await), (vec!["medium".into()], vec!["medium".into()]));
}

#[tokio::test]
async fn what_a_read_is_late_with_is_in_the_list() {
    let world = World::start().await;
    let new = NewAlert { id: Some("new".to_owned()), lag: GET_LATE, ..NewAlert::default() };
    world.simulator.raise(new).unwrap();
    assert_eq!(in_list(&world).await, ["high"]);
    assert_eq!([by_id(&world, "new").await, by_id(&world, "new").await], [None, None]);
    assert_eq!(by_id(&world, "new").await.as_deref(), Some("high"));
    world.simulator.change(FIRST, "new", severity("low", Lag { get: 1, list: 0 })).unwrap();
    world.simulator.change(FIRST, "new", severity("medium", GET_LATE)).unwrap();
    let seen = [by_id(&world, "new").await, by_id(&world, "new").await, by_id(&world, "new").await];
    assert_eq!(seen.map(Option::unwrap), ["high", "high", "medium"], "the longer of two lags counts");
}

#[tokio::test]
async fn an_alert_that_goes_is_nowhere_and_comes_back_as_it_was_where_it_was() {
    let world = World::with(|options| options.page_size = 10).await;
    let ids = world.raise(3);
    world.simulator.change(FIRST, &ids[0], severity("low", Lag::default())).unwrap();
    let before = world.simulator.alerts(FIRST);

    world.simulator.change(FIRST, &ids[0], gone(true, Lag { get: 1, list: 1 })).unwrap();
    assert_eq!(in_list(&world).await, ["low", "high", "high"]);
    assert_eq!(by_id(&world, &ids[0]).await.as_deref(), Some("low"));
    assert_eq!(in_list(&world).await, ["high", "high"]);
    assert_eq!((by_id(&world, &ids[0]).await, in_fraud_events(&world).await.len()), (None, 2));
    assert_eq!(world.simulator.alerts(FIRST), before[1..]);
    let same = NewAlert { id: Some(ids[0].clone()), ..NewAlert::default() };
    assert!(matches!(world.simulator.raise(same), Err(AlertError::Duplicate(_))));

    world.simulator.change(FIRST, &ids[0], gone(false, LIST_LATE)).unwrap();
    assert_eq!(by_id(&world, &ids[0]).await.as_deref(), Some("low"));
    assert_eq!([in_list(&world).await.len(), in_list(&world).await.len(), in_list(&world).await.len()], [2, 2, 3]);
    assert_eq!(world.simulator.alerts(FIRST), before);
}

#[tokio::test]
async fn what_is_gone_stays_gone_over_a_restart_and_can_come_back_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("microsoft.json");
    let world = World::with(|options| options.state_file = Some(file.clone())).await;
    let ids = world.raise(2);
    let before = world.simulator.alerts(FIRST);
    world.simulator.change(FIRST, &ids[0], gone(true, Lag::default())).unwrap();
    world.simulator.stop().await;

    let again = World::with(|options| options.state_file = Some(file.clone())).await;
    assert_eq!(again.simulator.alerts(FIRST), before[1..]);
    again.simulator.change(FIRST, &ids[0], gone(false, Lag::default())).unwrap();
    assert_eq!(again.simulator.alerts(FIRST), before);
}

#[tokio::test]
async fn dates_are_set_and_corrected_after_the_event() {
    let world = World::start().await;
    let moment = |text: &str| Some(text.parse().unwrap());
    let new = NewAlert {
        id: Some("a".to_owned()),
        detected_date_time: moment("2026-02-20T00:00:00Z"),
        status: Some("resolved".to_owned()),
        resolved_on_date_time: moment("2026-02-21T00:00:00Z"),
        ..NewAlert::default()
    };
    let raised = world.simulator.raise(new).unwrap();
    assert_eq!(raised.resolved_on_date_time, moment("2026-02-21T00:00:00Z"));
    let correction = AlertChange {
        detected_date_time: moment("2026-02-19T00:00:00Z"),
        resolved_on_date_time: moment("2026-02-20T12:00:00Z"),
        is_test: Some(true),
        ..AlertChange::default()
    };
    let corrected = world.simulator.change(FIRST, "a", correction).unwrap();
    assert_eq!(
        (Some(corrected.detected_date_time), corrected.resolved_on_date_time, corrected.is_test),
        (moment("2026-02-19T00:00:00Z"), moment("2026-02-20T12:00:00Z"), true)
    );
    assert_eq!((corrected.status.as_str(), corrected.activity_logs.len()), ("resolved", 1), "nobody resolved it again");
}

impl World {
    /// What another tenant asks for counts for nobody else.
    async fn list_of_another_tenant(&self) {
        let token = self.token(SECOND).await;
        assert_eq!(self.get(ALERTS, &token).await.status(), 200);
    }
}
