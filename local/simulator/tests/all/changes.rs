//! Changes of alerts, at Graph and by fraudEvents: what goes wrong with them, and what is done once.

use serde_json::{Value, json as value};
use simulator::{Fault, FaultKind, NewAlert, Person, Target};

use crate::support::{ALERTS, FIRST, World, json};

const STATUS: &str = "/v1/fraudEvents/subscription/s/status";

async fn world() -> World {
    let world = World::start().await;
    let (id, subscription) = (Some("1".to_owned()), Some("s".to_owned()));
    world.simulator.raise(NewAlert { id, subscription_id: subscription, ..NewAlert::default() }).unwrap();
    world
}

/// What somebody is answered who resolves the alert as fraud.
async fn resolve(world: &World, target: Target, id: &str, reason: &str) -> Result<Value, u16> {
    let (graph, partner_center) = (world.simulator.microsoft_url(), world.simulator.partner_center_url());
    let request = if target == Target::Patch {
        let token = world.token_of(Person::admin_agent(FIRST), &graph).await;
        let body = value!({ "status": "resolved", "resolvedReason": reason });
        world.client.patch(format!("{graph}{ALERTS}/1")).bearer_auth(token).json(&body)
    } else {
        let token = world.token_of(Person::admin_agent(FIRST), &partner_center).await;
        let body = value!({ "EventIds": ["s_1"], "EventStatus": "Resolved", "ResolvedReason": reason });
        world.client.post(partner_center + STATUS).bearer_auth(token).json(&body)
    };
    let answer =
        request.header("MS-RequestId", id).header("X-NewEventsModel", "true").send().await.map_err(|_| 0_u16)?;
    let status = answer.status().as_u16();
    if status == 200 { Ok(json(answer).await) } else { Err(status) }
}

fn reason(world: &World) -> Option<String> {
    world.simulator.alerts(FIRST).remove(0).resolved_reason
}

#[tokio::test]
async fn an_answer_can_be_lost_or_late_behind_what_was_done() {
    for target in [Target::Patch, Target::FraudEventStatus] {
        let world = world().await;
        world.simulator.set_fault(Fault::new(target, FaultKind::StaleAnswer).times(1)).unwrap();
        let stale = resolve(&world, target, "a", "fraud").await.unwrap().to_string();
        assert!(stale.to_lowercase().contains(r#"status":"active""#), "{stale}");
        assert_eq!(reason(&world).as_deref(), Some("fraud"));
        world.simulator.set_fault(Fault::new(target, FaultKind::HangUp).times(1)).unwrap();
        assert_eq!(resolve(&world, target, "b", "ignore").await, Err(0));
        assert_eq!(reason(&world).as_deref(), Some("ignore"));
    }
}

#[tokio::test]
async fn somebody_else_can_be_quicker_and_their_change_stays_in_the_log() {
    for target in [Target::Patch, Target::FraudEventStatus] {
        let world = world().await;
        world.simulator.set_fault(Fault::new(target, FaultKind::ResolvedBetween).times(1)).unwrap();
        resolve(&world, target, "a", "fraud").await.unwrap();
        let alert = world.simulator.alerts(FIRST).remove(0);
        assert_eq!((alert.resolved_reason.as_deref(), alert.activity_logs.len()), (Some("fraud"), 1), "{target:?}");
        assert_eq!(alert.activity_logs[0].updated_by, "someone@partner.example");
    }
}

#[tokio::test]
async fn fraud_events_do_a_request_once_and_may_refuse_a_reason_or_the_new_model() {
    let world = world().await;
    resolve(&world, Target::FraudEventStatus, "same", "fraud").await.unwrap();
    world.control("PATCH", "/alerts/1", r#"{"status":"active"}"#).await;
    resolve(&world, Target::FraudEventStatus, "same", "fraud").await.unwrap();
    assert_eq!(reason(&world), None, "somebody has reopened it since");
    for (kind, refused, taken) in
        [(FaultKind::LegitimateRefused, "legitimate", Some("ignore")), (FaultKind::NewModelRefused, "ignore", None)]
    {
        world.simulator.clear_faults();
        world.simulator.set_fault(Fault::new(Target::FraudEventStatus, kind)).unwrap();
        assert_eq!(resolve(&world, Target::FraudEventStatus, "other", refused).await, Err(400), "{kind:?}");
        if let Some(taken) = taken {
            resolve(&world, Target::FraudEventStatus, "another", taken).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_event_that_stays_open_takes_the_reason_of_open_events() {
    let world = world().await;
    let token = world.token_of(Person::admin_agent(FIRST), &world.simulator.partner_center_url()).await;
    for (status, reason, expected) in [
        ("Investigating", "None", 200),
        ("Investigating", "Fraud", 200),
        ("Resolved", "None", 400),
        ("Resolved", "Mistake", 400),
    ] {
        let body = value!({ "EventIds": ["s_1"], "EventStatus": status, "ResolvedReason": reason });
        let answer = world.partner("POST", STATUS, &token, Some(body)).await;
        assert_eq!(answer.status(), expected, "{status} {reason}");
    }
    assert_eq!(world.simulator.alerts(FIRST).remove(0).status, "investigating");
}
