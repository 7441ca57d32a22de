//! Graph's alerts: pages, single alerts, updates, and what a restart keeps.

use serde_json::{Value, json};
use simulator::{AlertChange, AlertError, NewAlert, Simulator, StartError};

use crate::support::{ALERTS, FIRST, SECOND, START, World, json, options};

async fn patch(world: &World, id: &str, body: &Value) -> reqwest::Response {
    let url = format!("{}{ALERTS}/{id}", world.simulator.microsoft_url());
    let token = world.token(FIRST).await;
    world.client.patch(url).bearer_auth(token).json(body).send().await.unwrap()
}

#[tokio::test]
async fn pages_follow_their_links_to_the_end() {
    let world = World::start().await;
    let raised = world.raise(5);
    let token = world.token(FIRST).await;

    let (mut ids, mut sizes, mut link) = (Vec::new(), Vec::new(), ALERTS.to_owned());
    loop {
        let page = json(world.get(&link, &token).await).await;
        let value = page["value"].as_array().unwrap();
        sizes.push(value.len());
        ids.extend(value.iter().map(|alert| alert["id"].as_str().unwrap().to_owned()));
        match page["@odata.nextLink"].as_str() {
            Some(next) => next.clone_into(&mut link),
            None => break,
        }
        assert!(link.starts_with(&format!("{}{ALERTS}?$skiptoken=", world.simulator.microsoft_url())));
    }
    assert_eq!((ids, sizes), (raised, vec![2, 2, 1]));
    assert_eq!(world.simulator.requests().list, 3);
}

#[tokio::test]
async fn an_alert_has_the_shape_of_the_documentation() {
    let world = World::start().await;
    let id = world.raise(1).remove(0);
    let token = world.token(FIRST).await;

    let alert = json(world.get(&format!("{ALERTS}/{id}"), &token).await).await;
    let page = json(world.get(ALERTS, &token).await).await;

    let base = world.simulator.microsoft_url();
    assert_eq!(alert["@odata.context"], format!("{base}/beta/$metadata#security/partner/securityAlerts/$entity"));
    assert_eq!(page["@odata.context"], format!("{base}/beta/$metadata#security/partner/securityAlerts"));
    assert_eq!(alert["@odata.type"], "#microsoft.graph.partner.security.partnerSecurityAlert");
    assert_eq!(alert["detectedDateTime"], "2026-03-02T05:40:00Z");
    assert_eq!((&alert["severity"], &alert["alertType"]), (&json!("high"), &json!("CryptoMining")));
    assert_eq!(alert["resolvedOnDateTime"], Value::Null);
    assert!(id.starts_with(alert["subscriptionId"].as_str().unwrap()));
    assert_eq!(page["value"][0].get("@odata.context"), None);
    assert_eq!(page["value"][0]["id"], id);
}

#[tokio::test]
async fn a_tenant_sees_its_own_alerts_only() {
    let world = World::start().await;
    let id = world.raise(1).remove(0);
    let token = world.token(SECOND).await;

    assert_eq!(json(world.get(ALERTS, &token).await).await["value"], json!([]));
    assert_eq!(world.get(&format!("{ALERTS}/{id}"), &token).await.status(), 404);
}

#[tokio::test]
async fn an_unknown_alert_is_not_found() {
    let world = World::start().await;
    let token = world.token(FIRST).await;
    let answer = world.get(&format!("{ALERTS}/nothing"), &token).await;
    assert_eq!(answer.status(), 404);
    let body = json(answer).await;
    assert_eq!(body["error"]["code"], "ResourceNotFound");
    assert_eq!(body["error"]["innerError"]["date"], "2026-03-02T05:40:00");
}

#[tokio::test]
async fn an_unsupported_query_is_refused() {
    let world = World::start().await;
    let token = world.token(FIRST).await;
    for query in ["$top=5", "$skiptoken=made-up", "$filter=status eq 'active'"] {
        assert_eq!(world.get(&format!("{ALERTS}?{query}"), &token).await.status(), 400, "{query}");
    }
}

#[tokio::test]
async fn an_update_resolves_with_date_person_and_log() {
    let world = World::start().await;
    let id = world.raise(1).remove(0);
    world.advance(60);

    let answer = patch(&world, &id, &json!({ "status": "resolved", "resolvedReason": "fraud" })).await;

    assert_eq!(answer.status(), 200);
    let alert = json(answer).await;
    assert_eq!((&alert["status"], &alert["resolvedReason"]), (&json!("resolved"), &json!("fraud")));
    assert_eq!(alert["resolvedOnDateTime"], "2026-03-02T05:41:00Z");
    assert_eq!(alert["activityLogs"][0]["statusFrom"], "active");
    assert_eq!(alert["activityLogs"][0]["statusTo"], "resolved");
    assert_eq!(world.simulator.alerts(FIRST)[0].status, "resolved");
}

#[tokio::test]
async fn an_update_takes_nothing_but_status_and_reason() {
    let world = World::start().await;
    let id = world.raise(1).remove(0);
    for body in [
        json!({ "status": "closed" }),
        json!({ "status": "resolved", "resolvedReason": "boredom" }),
        json!({ "status": "resolved", "severity": "low" }),
        json!({ "resolvedReason": "fraud" }),
    ] {
        assert_eq!(patch(&world, &id, &body).await.status(), 400, "{body}");
    }
    assert_eq!(patch(&world, "nothing", &json!({ "status": "resolved" })).await.status(), 404);
    assert_eq!(world.simulator.alerts(FIRST)[0].status, "active");
}

#[tokio::test]
async fn a_change_can_reopen() {
    let world = World::start().await;
    let resolved =
        NewAlert { status: Some("resolved".into()), resolved_reason: Some("fraud".into()), ..NewAlert::default() };
    let alert = world.simulator.raise(resolved).unwrap();
    assert_eq!(alert.resolved_on_date_time.unwrap().as_second(), START);

    let reopen = AlertChange { status: Some("active".into()), severity: Some("low".into()), ..AlertChange::default() };
    let alert = world.simulator.change(FIRST, &alert.id, reopen).unwrap();

    assert_eq!((&*alert.status, &*alert.severity), ("active", "low"));
    assert_eq!((alert.resolved_reason, alert.resolved_on_date_time, alert.resolved_by), (None, None, None));
    assert_eq!(alert.activity_logs.len(), 2);
}

#[tokio::test]
async fn a_fraud_callback_is_compact_ordered_and_ends_its_uri_in_a_space() {
    let world = World::start().await;
    let alert = world.simulator.raise(NewAlert::default()).unwrap();
    let body = String::from_utf8(world.simulator.fraud_callback(&alert)).unwrap();
    let expected = format!(
        "{{\"EventName\":\"azure-fraud-event-detected\",\
         \"ResourceUri\":\"https://api.partnercenter.microsoft.com/v1/customers/{}/subscriptions/{} \",\
         \"AuditUri\":null,\"ResourceChangeUtcDate\":\"2026-03-02T05:40:00.0000000+00:00\"}}",
        alert.customer_tenant_id, alert.subscription_id
    );
    assert_eq!(body, expected);
}

#[tokio::test]
async fn an_id_is_taken_once() {
    let world = World::start().await;
    let new = NewAlert { id: Some("same".into()), ..NewAlert::default() };
    world.simulator.raise(new.clone()).unwrap();
    assert!(matches!(world.simulator.raise(new), Err(AlertError::Duplicate(id)) if id == "same"));
}

#[tokio::test]
async fn a_restart_keeps_the_alerts_and_frees_the_port() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("microsoft.json");
    let world = World::with(|options| options.state_file = Some(file.clone())).await;
    world.raise(3);
    let id = world.simulator.alerts(FIRST)[1].id.clone();
    patch(&world, &id, &json!({ "status": "investigating" })).await;
    let before = world.simulator.alerts(FIRST);
    let address = world.simulator.microsoft_url().strip_prefix("https://").unwrap().parse().unwrap();
    world.simulator.stop().await;

    let again = World::with(|options| {
        options.state_file = Some(file.clone());
        options.microsoft = address;
    });
    let again = again.await;

    assert_eq!(again.simulator.alerts(FIRST), before);
    assert_eq!(before[1].status, "investigating");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the file");
}

#[tokio::test]
async fn the_last_clone_takes_the_listeners_with_it() {
    let simulator = Simulator::start(options()).await.unwrap();
    let address = simulator.control_url().strip_prefix("http://").unwrap().to_owned();
    let clone = simulator.clone();
    drop(simulator);
    assert!(std::net::TcpListener::bind(&address).is_err(), "a clone is left");
    drop(clone);
    let freed = async {
        while std::net::TcpListener::bind(&address).is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), freed).await.expect("the port is free");
}

#[tokio::test]
async fn a_broken_state_file_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("microsoft.json");
    std::fs::write(&file, "{").unwrap();
    let mut options = options();
    options.state_file = Some(file.clone());
    let refused = Simulator::start(options).await.unwrap_err();
    assert!(matches!(&refused, StartError::StateFile { path, .. } if *path == file));
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut options = options();
    options.control = address;
    let refused = Simulator::start(options).await.unwrap_err();
    assert!(refused.to_string().contains(&address.to_string()), "{refused}");
}

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused() {
    for side in ["control", "microsoft"] {
        let mut options = options();
        let everywhere = "0.0.0.0:0".parse().unwrap();
        if side == "control" {
            options.control = everywhere;
        } else {
            options.microsoft = everywhere;
        }
        let refused = Simulator::start(options).await.unwrap_err();
        assert!(matches!(refused, StartError::NotLoopback(address) if address == everywhere), "{side}");
    }
}
