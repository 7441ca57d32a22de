//! Where an alert is set to stand, at either source: what is asked for, what is answered, and what comes of trouble.

use std::collections::BTreeSet;

use http::Response;
use models::{Alert, AlertSource, Purpose, Status};
use partner_center::{
    AlertStatuses, Answer, Change, Diagnosis, Impossible, Limits, ListAlerts as _, MicrosoftError, Reason, Refusal,
    SecretAtHand, SetStatus as _, SetStatusError,
};
use serde_json::json;
use simulator::{AlertChange, Denial, ErrorBody, Fault, FaultKind, Person, RecordedRequest, RetryAfter, Target};
use tests::{Lines, Scripted, TENANT, secrets::assert_no_secret};
use uuid::Uuid;

use crate::support::{PATIENT, World, parts_of, tenant};

const FRAUD: Change = Change::Resolve(Reason::Fraud);
const ACTOR: &str = "actor@partner.example";

type Statuses = AlertStatuses<SecretAtHand>;

fn target(source: AlertSource) -> Target {
    match source {
        AlertSource::FraudEvents => Target::FraudEventStatus,
        AlertSource::Graph => Target::Patch,
    }
}

/// A client whose person is the one to act.
fn client(world: &World) -> Statuses {
    let person = Person { name: ACTOR.to_owned(), ..Person::admin_agent(TENANT) };
    let refresh_token = world.microsoft.refresh_token_of(TENANT, person).unwrap();
    let parts = world.parts(Purpose::Act, Some(&refresh_token), Limits::default(), PATIENT, "");
    AlertStatuses::new(parts.http, parts.tokens, parts.limits).unwrap()
}

/// The first of the alerts, as its source has it.
async fn alert(world: &World, source: AlertSource) -> Alert {
    world.client().page(&tenant(source), None).await.unwrap().alerts.remove(0)
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x4000_8000_0000_0000_0000 + number * 2)
}

async fn set(world: &World, source: AlertSource, change: Change, request: u128) -> Result<Answer, SetStatusError> {
    let alert = alert(world, source).await;
    client(world).set(&tenant(source), &alert, change, id(request)).await
}

/// The requests for changes.
fn changes(world: &World) -> Vec<RecordedRequest> {
    let is_change = |asked: &RecordedRequest| asked.method == "PATCH" || asked.path.ends_with("/status");
    world.microsoft.recorded().into_iter().filter(is_change).collect()
}

fn at_microsoft(world: &World) -> simulator::Alert {
    world.microsoft.alerts(TENANT).remove(0)
}

#[tokio::test]
async fn each_change_lands_at_its_source_by_the_one_who_acts_and_concerns_one_alert_of_the_subscription() {
    for source in AlertSource::ALL {
        for (change, status, reason) in [
            (FRAUD, "resolved", Some("fraud")),
            (Change::Resolve(Reason::Ignore), "resolved", Some("ignore")),
            (Change::Resolve(Reason::Legitimate), "resolved", Some("legitimate")),
            (Change::Investigate, "investigating", None),
        ] {
            let world = World::with(2, 2).await;
            let answer = set(&world, source, change, 1).await.unwrap();
            assert!(change.is_seen_in(&answer.shown.unwrap()), "{source:?} {change:?}");
            let changed = at_microsoft(&world);
            assert_eq!((changed.status.as_str(), changed.resolved_reason.as_deref()), (status, reason), "{source:?}");
            assert_eq!(changed.activity_logs[0].updated_by, ACTOR);
            assert_eq!(world.microsoft.alerts(TENANT)[1].status, "active", "{source:?}: the other is left alone");
            assert_eq!(changes(&world).len(), 1);
        }
    }
}

#[tokio::test]
async fn graph_reopens_and_fraud_events_are_not_even_asked_to() {
    let world = World::with(1, 1).await;
    for source in AlertSource::ALL {
        let resolved = AlertChange { status: Some("resolved".to_owned()), ..AlertChange::default() };
        world.microsoft.change(TENANT, "0", resolved).unwrap();
        let reopened = set(&world, source, Change::Reopen, 1).await;
        match source {
            AlertSource::Graph => assert_eq!(reopened.unwrap().shown.unwrap().status, Status::Active),
            AlertSource::FraudEvents => {
                assert!(matches!(reopened, Err(SetStatusError::Impossible(Impossible::Reopen))), "{reopened:?}");
            }
        }
    }
    let requests = world.microsoft.requests();
    assert_eq!((requests.patch, requests.fraud_event_status), (1, 0));

    let nowhere = Alert { subscription_id: None, ..alert(&world, AlertSource::FraudEvents).await };
    let client = client(&world);
    for (odd, source, expected) in [
        (nowhere.clone(), AlertSource::FraudEvents, Impossible::NoSubscription),
        (
            Alert { subscription_id: Some("..".parse().unwrap()), ..nowhere.clone() },
            AlertSource::FraudEvents,
            Impossible::OddId,
        ),
        (Alert { id: "..".parse().unwrap(), ..nowhere }, AlertSource::Graph, Impossible::OddId),
    ] {
        let refused = client.set(&tenant(source), &odd, FRAUD, id(1)).await;
        assert!(matches!(refused, Err(SetStatusError::Impossible(problem)) if problem == expected), "{refused:?}");
    }
    assert_eq!(changes(&world).len(), 1, "nobody was asked");
}

#[tokio::test]
async fn an_answer_that_shows_the_state_of_before_is_no_failure_and_no_proof() {
    for source in AlertSource::ALL {
        let world = World::with(1, 1).await;
        world.set(Fault::new(target(source), FaultKind::StaleAnswer));
        let shown = set(&world, source, FRAUD, 1).await.unwrap().shown.unwrap();
        assert!(!FRAUD.is_seen_in(&shown) && shown.status == Status::Active, "{source:?}");
        assert_eq!(at_microsoft(&world).status, "resolved");
    }
}

#[tokio::test]
async fn a_success_counts_whatever_comes_with_it() {
    let odd = [
        "",
        "null",
        "<html>",
        "[]",
        "{}",
        r#"[{"eventId":"another"}]"#,
        r#"{"id":"another","detectedDateTime":"2026-03-02T06:00:00Z"}"#,
    ];
    for body in odd {
        let microsoft = microsoft(body).await;
        for source in AlertSource::ALL {
            let parts = parts_of([&microsoft, &microsoft], Purpose::Act, "made-up-secret-refresh");
            let client = AlertStatuses::new(parts.http, parts.tokens, parts.limits).unwrap();
            let answer = client.set(&tenant(source), &some_alert().await, FRAUD, id(1)).await.unwrap();
            assert_eq!(answer.shown, None, "{source:?} {body}");
        }
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_the_work_is_done_once() {
    for source in AlertSource::ALL {
        let world = World::with(1, 1).await;
        world.set(Fault::new(target(source), FaultKind::HangUp).times(2));
        set(&world, source, FRAUD, 1).await.unwrap();
        let asked = changes(&world);
        let ids: BTreeSet<_> = asked.iter().map(|asked| asked.request_id.clone()).collect();
        let own: BTreeSet<_> = asked
            .iter()
            .map(|asked| asked.correlation_id.clone().or(asked.client_request_id.clone()).unwrap())
            .collect();
        assert_eq!((asked.len(), ids.len(), own.len()), (3, 1, 3), "{source:?}: {asked:?}");
        let expected = (source == AlertSource::FraudEvents).then(|| id(1).to_string());
        assert_eq!(ids.into_iter().next().unwrap(), expected, "the id is the caller's");
        assert_eq!(at_microsoft(&world).activity_logs.len(), 1);
    }
}

#[tokio::test]
async fn whoever_repeats_an_operation_days_later_asks_fraud_events_for_the_same_work() {
    let world = World::with(1, 1).await;
    world.set(Fault::new(Target::FraudEventStatus, FaultKind::HangUp));
    let lost = set(&world, AlertSource::FraudEvents, FRAUD, 1).await.unwrap_err();
    assert!(matches!(lost, SetStatusError::Microsoft(MicrosoftError::NoAnswer { .. })), "{lost:?}");
    assert_eq!((lost.refusal(), lost.what_to_do()), (None, Some(Diagnosis::Unavailable.what_to_do())));
    world.microsoft.clear_faults();
    world.advance(3 * 86_400);
    let reopened = AlertChange { status: Some("active".to_owned()), ..AlertChange::default() };
    world.microsoft.change(TENANT, "0", reopened).unwrap();
    let answer = set(&world, AlertSource::FraudEvents, FRAUD, 1).await.unwrap();
    assert_eq!(answer.shown.unwrap().status, Status::Active, "what somebody has reopened since stays open");
    set(&world, AlertSource::FraudEvents, FRAUD, 2).await.unwrap();
    assert_eq!(at_microsoft(&world).status, "resolved", "another operation is another work");
}

#[tokio::test]
async fn somebody_else_who_was_quicker_shows_in_the_answer() {
    for source in AlertSource::ALL {
        let world = World::with(1, 1).await;
        world.set(Fault::new(target(source), FaultKind::ResolvedBetween));
        let shown = set(&world, source, FRAUD, 1).await.unwrap().shown.unwrap();
        let by: Vec<_> = shown.activity.iter().filter_map(|entry| entry.updated_by.as_deref()).collect();
        assert_eq!(by, ["someone@partner.example"], "{source:?}");
    }
}

#[tokio::test]
async fn each_refusal_says_what_it_means_in_microsofts_own_words_alone() {
    let answered = |status, body| FaultKind::Answer { status, body, retry_after: RetryAfter::Absent };
    for source in AlertSource::ALL {
        let own = if source == AlertSource::Graph { ErrorBody::Graph } else { ErrorBody::PartnerCenter };
        for (kind, refusal, diagnosis) in [
            (answered(400, own), Some(Refusal::ChangeRefused), None),
            (answered(404, own), Some(Refusal::AlertUnknown), None),
            (answered(409, own), Some(Refusal::ChangedMeanwhile), None),
            (answered(412, own), Some(Refusal::ChangedMeanwhile), None),
            (answered(400, ErrorBody::Html), None, None),
            (answered(404, ErrorBody::Empty), None, None),
            (answered(409, ErrorBody::Html), None, None),
            (FaultKind::MissingMfa, None, Some(Diagnosis::MfaMissing)),
            (FaultKind::Throttle { retry_after: RetryAfter::Seconds(60) }, None, Some(Diagnosis::Throttled)),
            (FaultKind::Fail { status: 503 }, None, Some(Diagnosis::Unavailable)),
            (FaultKind::Reset, None, Some(Diagnosis::Unavailable)),
        ] {
            let world = World::with(1, 1).await;
            world.set(Fault::new(target(source), kind));
            let error = set(&world, source, FRAUD, 1).await.unwrap_err();
            assert_eq!(error.refusal(), refusal, "{source:?} {kind:?}: {error}");
            let SetStatusError::Microsoft(microsoft) = &error else { panic!("{error:?}") };
            assert_eq!(microsoft.diagnosis(), diagnosis, "{source:?} {kind:?}");
            assert_eq!(error.what_to_do().is_some(), refusal.is_some() || diagnosis.is_some(), "{source:?} {kind:?}");
            assert_no_secret(&format!("{error} {error:?}"));
        }
    }
}

#[tokio::test]
async fn an_alert_that_has_gone_is_unknown_to_graph_and_an_event_is_just_not_shown() {
    let world = World::with(1, 1).await;
    let (at_graph, event) = (alert(&world, AlertSource::Graph).await, alert(&world, AlertSource::FraudEvents).await);
    world.microsoft.change(TENANT, "0", AlertChange { gone: Some(true), ..AlertChange::default() }).unwrap();
    let client = client(&world);
    let unknown = client.set(&tenant(AlertSource::Graph), &at_graph, FRAUD, id(1)).await.unwrap_err();
    assert_eq!(unknown.refusal(), Some(Refusal::AlertUnknown), "{unknown}");
    let answer = client.set(&tenant(AlertSource::FraudEvents), &event, FRAUD, id(1)).await.unwrap();
    assert_eq!(answer.shown, None);
}

#[tokio::test]
async fn a_reason_that_fraud_events_does_not_take_is_refused_and_the_older_model_is_asked_by_another_id() {
    let world = World::with(1, 1).await;
    world.set(Fault::new(Target::FraudEventStatus, FaultKind::LegitimateRefused));
    let refused = set(&world, AlertSource::FraudEvents, Change::Resolve(Reason::Legitimate), 1).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(Refusal::ChangeRefused));
    world.microsoft.clear_faults();
    world.set(Fault::new(Target::FraudEventStatus, FaultKind::NewModelRefused));
    for _ in 0..2 {
        set(&world, AlertSource::FraudEvents, FRAUD, 2).await.unwrap();
    }
    let ids: Vec<_> = changes(&world).into_iter().skip(2).map(|asked| asked.request_id.unwrap()).collect();
    assert_eq!(ids, [ids[0].clone(), ids[1].clone(), ids[0].clone(), ids[1].clone()], "the same each time");
    assert_ne!(ids[0], ids[1]);
    assert_eq!(at_microsoft(&world).activity_logs.len(), 1);
}

#[tokio::test]
async fn an_application_alone_is_told_that_fraud_events_takes_people() {
    let world = World::with(1, 1).await;
    let event = alert(&world, AlertSource::FraudEvents).await;
    let parts = world.parts(Purpose::Act, None, Limits::default(), PATIENT, "");
    let client = AlertStatuses::new(parts.http, parts.tokens, parts.limits).unwrap();
    let refused = client.set(&tenant(AlertSource::FraudEvents), &event, FRAUD, id(1)).await.unwrap_err();
    assert!(matches!(refused, SetStatusError::Microsoft(MicrosoftError::AppOnly { .. })), "{refused:?}");
    assert_eq!(refused.what_to_do(), Some(Diagnosis::AppOnlyNotAllowed.what_to_do()));
    world.set(Fault::new(Target::FraudEventStatus, FaultKind::Denied(Denial::RoleMissing)));
    let lacking = set(&world, AlertSource::FraudEvents, FRAUD, 1).await.unwrap_err();
    assert_eq!(lacking.what_to_do(), Some(Diagnosis::RoleLacking.what_to_do()), "{lacking}");
}

// ---- whose token goes where ----------------------------------------------------------------------------------------------

/// A Microsoft that gives tokens that tell what they were given for, and answers with this to whatever else it is asked.
async fn microsoft(body: &'static str) -> Scripted {
    Scripted::start(move |_, asked| {
        if !asked.path.ends_with("/token") {
            return Response::new(body.to_owned());
        }
        let value = |name: &str| {
            let mut fields = form_urlencoded::parse(asked.body.as_bytes());
            fields.find(|(field, _)| field == name).unwrap().1.into_owned()
        };
        let token = format!("{} for {}", value("refresh_token"), value("scope").split('/').nth(2).unwrap());
        Response::new(json!({ "expires_in": 3_599, "access_token": token }).to_string())
    })
    .await
}

async fn some_alert() -> Alert {
    alert(&World::with(1, 1).await, AlertSource::Graph).await
}

#[tokio::test]
async fn what_is_to_read_with_never_acts_and_each_token_goes_to_its_own_service_alone() {
    let (graph, partner_center) = (microsoft(r#"{"value":[]}"#).await, microsoft("[]").await);
    let made = |purpose, refresh_token| parts_of([&graph, &partner_center], purpose, refresh_token);
    let (read, act) = (made(Purpose::Read, "made-up-secret-read"), made(Purpose::Act, "made-up-secret-act"));
    let refused = AlertStatuses::new(read.http.clone(), read.tokens.clone(), read.limits).unwrap_err();
    assert_eq!(refused.to_string(), "alerts are changed by credentials to act with, and these are to read with");
    assert!(graph.asked().is_empty() && partner_center.asked().is_empty());

    let sources = partner_center::AlertSources::new(read.http, read.tokens, read.limits);
    let statuses = AlertStatuses::new(act.http, act.tokens, act.limits).unwrap();
    let alert = some_alert().await;
    for source in AlertSource::ALL {
        sources.page(&tenant(source), None).await.unwrap();
        statuses.set(&tenant(source), &alert, FRAUD, id(1)).await.unwrap();
    }
    let host = |of: &Scripted| of.url().trim_start_matches("https://").to_owned();
    let shown = |of: &Scripted| -> BTreeSet<_> {
        let asked = of.asked().into_iter().filter(|asked| !asked.path.ends_with("/token"));
        asked.map(|asked| (asked.path.split('?').next().unwrap().to_owned(), asked.authorization.unwrap())).collect()
    };
    let list = "/beta/security/partner/securityAlerts".to_owned();
    let own = |who: &str, of: &Scripted| format!("Bearer made-up-secret-{who} for {}", host(of));
    assert_eq!(shown(&graph), [(list.clone(), own("read", &graph)), (format!("{list}/0"), own("act", &graph))].into());
    let events = "/v1/fraudEvents".to_owned();
    let expected = [
        (events.clone(), own("read", &partner_center)),
        (format!("{events}/subscription/s/status"), own("act", &partner_center)),
    ];
    assert_eq!(shown(&partner_center), expected.into());
}

#[tokio::test]
async fn no_secret_is_printed_whatever_is_logged_of_a_change() {
    let lines = Lines::capture("trace");
    let world = World::with(1, 1).await;
    for source in AlertSource::ALL {
        world.set(Fault::new(target(source), FaultKind::Reset).times(2));
        set(&world, source, FRAUD, 1).await.unwrap();
    }
    let text = lines.take();
    assert_eq!(text.matches("trying again").count(), 4);
    assert!(text.contains("setting the status of a security alert"), "{text}");
    assert_no_secret(&format!("{:?}", client(&world)));
}
