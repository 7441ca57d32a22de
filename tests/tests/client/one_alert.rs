//! One alert that is asked for by its id: there, unreadable, gone, or nothing known of it.

use http::Response;
use models::{Alert, AlertId, AlertSource, Status};
use partner_center::{ListAlerts as _, LookAtAlerts as _, MicrosoftError, Sight};
use serde_json::json;
use simulator::{AlertChange, ErrorBody, Fault, FaultKind, Lag, RetryAfter, Target};
use tests::{Scripted, TENANT};

use crate::support::{Sources, World, client_of, tenant};

async fn look(client: &Sources, id: &str) -> Result<Sight, MicrosoftError> {
    let id: AlertId = id.parse().unwrap();
    client.alert(&tenant(AlertSource::Graph), &id).await
}

/// What is made of this answer to the question for the alert `wanted`.
async fn seen(status: u16, body: impl Into<String>) -> Result<Sight, MicrosoftError> {
    let body = body.into();
    let microsoft = Scripted::start(move |_, asked| {
        if asked.path.ends_with("/token") {
            let token = json!({ "token_type": "Bearer", "expires_in": 3_599, "access_token": "token" });
            return Response::new(token.to_string());
        }
        assert_eq!(asked.path, "/beta/security/partner/securityAlerts/wanted");
        Response::builder().status(status).body(body.clone()).unwrap()
    })
    .await;
    look(&client_of(&microsoft), "wanted").await
}

#[tokio::test]
async fn an_alert_is_there_until_it_goes_and_again_when_it_is_back() {
    let world = World::with(2, 1).await;
    let client = world.client();
    let gone = |gone| AlertChange { gone: Some(gone), lag: Lag { get: 1, list: 0 }, ..AlertChange::default() };
    let there = async || matches!(look(&client, "1").await.unwrap(), Sight::There(alert) if alert.id.as_str() == "1");
    let is_gone = async || matches!(look(&client, "1").await.unwrap(), Sight::Gone);
    assert!(there().await);
    world.microsoft.change(TENANT, "1", gone(true)).unwrap();
    assert!(there().await, "Microsoft is late with it");
    assert!(is_gone().await && is_gone().await);
    world.microsoft.change(TENANT, "1", gone(false)).unwrap();
    assert!(is_gone().await && there().await);
}

#[tokio::test]
async fn only_graphs_own_word_makes_an_alert_vanish() {
    let of_graph = |code: &str| json!({ "error": { "code": code, "message": "made up" } }).to_string();
    for code in ["ResourceNotFound", "itemNotFound", "Request_ResourceNotFound", "NotFound", "notfound"] {
        assert!(matches!(seen(404, of_graph(code)).await, Ok(Sight::Gone)), "{code}");
    }
    for (status, body) in [
        (404, "<html>not found</html>".to_owned()),
        (404, String::new()),
        (404, "{}".to_owned()),
        (404, json!({ "statusCode": 404, "message": "Resource not found" }).to_string()),
        (404, json!({ "code": "404", "description": "not found" }).to_string()),
        (404, of_graph("UnknownError")),
        (404, of_graph("TenantNotFound")),
        (410, of_graph("ResourceNotFound")),
        (400, of_graph("ResourceNotFound")),
        (403, of_graph("ResourceNotFound")),
        (501, of_graph("ResourceNotFound")),
    ] {
        let refused = seen(status, body.clone()).await.unwrap_err();
        assert!(matches!(refused, MicrosoftError::Refused { .. }), "{status} {body}: {refused:?}");
    }
    for not_there in [of_graph("ResourceNotFound"), String::new()] {
        assert!(matches!(seen(200, not_there).await, Err(MicrosoftError::BadAnswer { .. })));
    }
}

#[tokio::test]
async fn an_answer_that_is_not_about_the_alert_says_nothing_of_it() {
    let whole = json!({ "id": "wanted", "detectedDateTime": "2026-03-02T06:00:00Z" }).to_string();
    assert!(matches!(seen(200, whole.clone()).await, Ok(Sight::There(_))));
    let dateless = json!({ "id": "wanted", "displayName": "canary" }).to_string();
    match seen(200, dateless.clone()).await {
        Ok(Sight::Unreadable(alert)) => {
            assert_eq!((alert.id.as_str(), alert.body.bytes()), ("wanted", dateless.as_bytes()));
        }
        other => panic!("{other:?}"),
    }
    for body in [
        json!({ "id": "another", "detectedDateTime": "2026-03-02T06:00:00Z" }).to_string(),
        json!({ "id": "another" }).to_string(),
        json!({ "value": [{ "id": "wanted", "detectedDateTime": "2026-03-02T06:00:00Z" }] }).to_string(),
        whole[..whole.len() / 2].to_owned(),
        "<html>canary</html>".to_owned(),
        "null".to_owned(),
        String::new(),
    ] {
        let error = seen(200, body.clone()).await.unwrap_err();
        assert!(matches!(error, MicrosoftError::BadAnswer { .. }), "{body}: {error:?}");
        assert!(error.to_string().ends_with("not the alert that was asked for"), "{error}");
    }
}

#[tokio::test]
async fn trouble_is_waited_out_and_what_stays_of_it_is_an_error() {
    let world = World::with(1, 1).await;
    let client = world.client();
    let busy = |status| FaultKind::Answer { status, body: ErrorBody::Html, retry_after: RetryAfter::Seconds(0) };
    for kind in [busy(429), busy(502), FaultKind::HangUp, FaultKind::Reset] {
        world.set(Fault::new(Target::Get, kind).times(2));
        assert!(matches!(look(&client, "0").await, Ok(Sight::There(_))), "{kind:?}");
        world.set(Fault::new(Target::Get, kind).times(3));
        let error = look(&client, "0").await.unwrap_err();
        assert!(error.to_string().starts_with("reading a security alert for tenant "), "{kind:?}: {error}");
    }
    assert_eq!(world.microsoft.requests().get, 4 * 6);
}

#[tokio::test]
async fn fraud_events_have_no_way_to_ask_for_one() {
    let world = World::with(1, 1).await;
    let id: AlertId = "s_0".parse().unwrap();
    let sight = world.client().alert(&tenant(AlertSource::FraudEvents), &id).await;
    assert!(matches!(sight, Ok(Sight::NoWayToAsk)));
    assert_eq!(world.microsoft.requests().fraud_events, 0);
}

#[tokio::test]
async fn a_fraud_event_is_looked_for_among_those_of_its_subscription_and_nothing_is_known_of_one_that_is_not_there() {
    let world = World::with(2, 100).await;
    let (client, tenant) = (world.client(), tenant(AlertSource::FraudEvents));
    let listed = client.page(&tenant, None).await.unwrap().alerts;
    let before = world.microsoft.requests().fraud_events;
    let change = AlertChange { status: Some("investigating".to_owned()), ..AlertChange::default() };
    world.microsoft.change(TENANT, "1", change).unwrap();
    let event = listed.iter().find(|event| event.id.as_str().ends_with('1')).unwrap();
    let Sight::There(seen) = client.look_at(&tenant, event).await.unwrap() else { panic!("it is there") };
    assert_eq!((&seen.id, seen.status), (&event.id, Status::Investigating));
    assert_eq!(world.microsoft.requests().fraud_events, before + 1);

    let elsewhere = Alert { subscription_id: Some("t".parse().unwrap()), ..event.clone() };
    assert!(matches!(client.look_at(&tenant, &elsewhere).await, Ok(Sight::NoWayToAsk)));
    let of_none = Alert { subscription_id: None, ..event.clone() };
    assert!(matches!(client.look_at(&tenant, &of_none).await, Ok(Sight::NoWayToAsk)));
    assert_eq!(world.microsoft.requests().fraud_events, before + 2, "nobody is asked for an event of no subscription");
}
