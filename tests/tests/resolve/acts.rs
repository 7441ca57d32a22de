//! Every act on one alert: what it does at Microsoft, in our copy, in the log, and what it answers.

use jiff::SignedDuration;
use models::{Act, Actor, AlertResult, OperationState, Standing, Status};
use serde_json::{Value, json};
use simulator::AlertChange;

use crate::support::{Desk, about, agent, caller};

#[tokio::test]
async fn an_alert_is_resolved_at_microsoft_and_with_us_with_a_line_before_and_one_after() {
    for reason in ["fraud", "legitimate", "ignore"] {
        let desk = Desk::with(&["a"]).await;
        let body = json!({ "version": 1, "reason": reason, "note": "Seen by phone." });
        let reply = desk.act("a", "resolve", &body).await;
        assert_eq!((reply.status, &reply.body["result"]), (200, &json!({ "kind": "done", "version": 3 })), "{reply:?}");
        assert_eq!(desk.at_microsoft("a"), ("resolved".to_owned(), Some(reason.to_owned()), 1));
        let kept = desk.kept("a").await;
        let alert = &kept.stored.known.alert;
        assert_eq!((kept.stored.version, &alert.status), (3, &Status::Resolved));
        assert_eq!(alert.resolution.reason.as_ref().unwrap().as_str(), reason);
        assert!(kept.stored.known.decision.is_some(), "it is pending until a run has seen it");

        let lines = desk.lines(Some("a")).await;
        let acts: Vec<_> = lines.iter().map(|line| line.act.clone()).collect();
        assert_eq!(acts, [Act::StatusAsked, Act::StatusDone]);
        let wished = Standing::new(&Status::Resolved, alert.resolution.reason.as_ref());
        for line in &lines {
            assert!(matches!(&line.actor, Actor::Person(person) if person.name == "agent@contoso.example"));
            assert_eq!(line.from, Some(Standing::new(&Status::Active, None)));
            assert_eq!(line.to.as_ref(), Some(&wished));
            assert_eq!(line.operation, Some(reply.operation()));
            assert_eq!(line.request.as_ref().unwrap().as_str(), "request-1");
        }
        assert_eq!(lines[0].note.as_ref().unwrap().as_str(), "Seen by phone.");
        let operation = desk.operation(&reply.operation()).await;
        assert_eq!(operation.state, OperationState::Done);
        assert_eq!(operation.results.values().next(), Some(&AlertResult::Done { version: 3 }));
        let outbox = desk.system.outbox_lines().await;
        assert!(outbox.contains(&"a outbox#000000000003#resolved to be published".to_owned()), "{outbox:?}");

        desk.system.complete(1, 1).await;
        assert!(desk.kept("a").await.stored.known.decision.is_none(), "seen at Microsoft");
        assert_eq!(desk.system.outbox_lines().await, outbox, "and told once");
    }
}

#[tokio::test]
async fn an_alert_is_looked_into_resolved_and_opened_again() {
    let desk = Desk::with(&["a"]).await;
    for (act, body, status, version) in [
        ("investigate", json!({ "version": 1 }), "investigating", 3),
        ("resolve", json!({ "version": 3, "reason": "ignore" }), "resolved", 5),
        ("reopen", json!({ "version": 5, "note": "It goes on." }), "active", 7),
    ] {
        let reply = desk.act("a", act, &body).await;
        assert_eq!(reply.body["result"], json!({ "kind": "done", "version": version }), "{act}: {reply:?}");
        assert_eq!(desk.at_microsoft("a").0, status);
        assert_eq!(desk.kept("a").await.stored.known.alert.status.as_str(), status);
    }
    assert_eq!(desk.at_microsoft("a").2, 3);
    let again = desk.act("a", "reopen", &json!({ "version": 7 })).await;
    assert_eq!((again.status, &again.body["result"]), (200, &json!({ "kind": "already_so" })));
    assert!(again.body.get("operation").is_none(), "nothing was written");
    assert_eq!(desk.version("a").await, 7);
}

#[tokio::test]
async fn what_people_write_on_an_alert_stays_with_us_and_with_it() {
    let desk = Desk::with(&["a"]).await;
    let until = desk.system.now() + SignedDuration::from_hours(24);
    let other = json!({ "tenant": "0a0a0a0a-1111-4222-8333-444444444444", "id": "88888888-2222-4333-8444-555555555555", "name": "b@c.example" });
    for (act, body, kind) in [
        ("assign", json!({ "to": "me" }), "done"),
        ("assign", json!({ "to": "me" }), "already_so"),
        ("assign", json!({ "to": other }), "done"),
        ("notes", json!({ "note": "First." }), "done"),
        ("notes", json!({ "note": "Second." }), "done"),
        ("snooze", json!({ "until": until.to_string(), "why": "The customer looks." }), "done"),
        ("unsnooze", json!({}), "done"),
        ("unsnooze", json!({}), "already_so"),
        ("assign", json!({ "to": "nobody" }), "done"),
    ] {
        let reply = desk.act("a", act, &body).await;
        assert_eq!((reply.status, &reply.body["result"]["kind"]), (200, &json!(kind)), "{act}: {reply:?}");
        if (act, kind) == ("snooze", "done") {
            assert!(desk.kept("a").await.work.marks.snooze.is_some());
        }
    }
    let work = desk.kept("a").await.work;
    assert_eq!((work.marks.assignee, work.marks.snooze, work.marks.notes), (None, None, 2));
    assert_eq!(work.notes.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(), ["First.", "Second."]);
    assert_eq!(desk.acts("a").await.len(), 7);
    assert_eq!(desk.at_microsoft("a").2, 0, "Microsoft hears nothing of it");
    let change = AlertChange { description: Some("More is known.".to_owned()), ..AlertChange::default() };
    desk.system.change("a", change);
    desk.system.complete(1, 1).await;
    assert_eq!(desk.kept("a").await.work.notes.len(), 2, "no run touches it");
}

#[tokio::test]
async fn values_that_are_not_accepted_are_named_and_change_nothing() {
    let desk = Desk::with(&["a"]).await;
    let late = desk.system.now() + SignedDuration::from_hours(7 * 24 + 1);
    let past = desk.system.now();
    for (act, body, member) in [
        ("resolve", json!({ "version": 1, "reason": "fraud", "note": "x".repeat(1_201) }), "note"),
        ("resolve", json!({ "version": 1, "reason": "fraud", "note": " " }), "note"),
        ("notes", json!({ "note": "\u{1b}[31m" }), "note"),
        ("snooze", json!({ "until": late.to_string(), "why": "x" }), "until"),
        ("snooze", json!({ "until": past.to_string(), "why": "x" }), "until"),
        ("snooze", json!({ "until": "tomorrow", "why": "x" }), "until"),
        ("snooze", json!({ "until": late.to_string(), "why": "" }), "why"),
        ("assign", json!({ "to": { "tenant": "x", "id": "y", "name": "z" } }), "tenant"),
    ] {
        let reply = desk.act("a", act, &body).await;
        assert_eq!((reply.status, reply.problem()), (422, "value-refused"), "{act} {body}: {reply:?}");
        assert_eq!(reply.body["member"], member, "{act} {body}");
    }
    for (act, body) in [
        ("resolve", json!({ "version": 1, "reason": "Fraud" })),
        ("resolve", json!({ "version": -1, "reason": "fraud" })),
        ("resolve", json!({ "reason": "fraud" })),
        ("resolve", json!({ "version": 1, "reason": "fraud", "force": true })),
        ("assign", json!({ "to": "everybody" })),
        ("notes", json!([])),
        ("investigate", Value::Null),
    ] {
        let reply = desk.act("a", act, &body).await;
        assert_eq!((reply.status, reply.problem()), (400, "request-unreadable"), "{act} {body}: {reply:?}");
    }
    assert_eq!((desk.version("a").await, desk.acts("a").await.len()), (1, 0));
}

#[tokio::test]
async fn who_may_only_see_may_not_and_an_alert_that_is_not_there_is_not_found() {
    let desk = Desk::with(&["a"]).await;
    let body = json!({ "version": 1, "reason": "fraud" });
    let nobody = caller(&[], identity::How::Bearer);
    let reply = desk.send(&about("a", "resolve", None, &body, nobody)).await;
    assert_eq!((reply.status, reply.problem()), (404, "not-found"), "no role, no access");
    let reply = desk.send(&about("b", "resolve", None, &body, agent())).await;
    assert_eq!((reply.status, reply.problem()), (404, "not-found"));
    let reply = desk.send(&about("b", "notes", None, &json!({ "note": "x" }), agent())).await;
    assert_eq!((reply.status, reply.problem()), (404, "not-found"));
    assert_eq!(desk.version("a").await, 1);
}
