//! Each fault as a client meets it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::{Fault, FaultError, FaultKind, RetryAfter, Simulator, Target};

use crate::support::{ALERTS, FIRST, World, json};

async fn with_list_fault(kind: FaultKind) -> World {
    let world = World::start().await;
    world.raise(3);
    world.simulator.set_fault(Fault::new(Target::List, kind).times(1)).unwrap();
    world
}

async fn certificate_with(kind: FaultKind) -> reqwest::Response {
    let world = World::start().await;
    world.simulator.set_fault(Fault::new(Target::Certificate, kind)).unwrap();
    let url = format!("{}{}.cer", world.simulator.certificate_location(), Simulator::certificate_name());
    world.client.get(url).send().await.unwrap()
}

#[tokio::test]
async fn a_throttled_list_says_when_to_come_back() {
    let throttle = |retry_after| FaultKind::Throttle { retry_after };
    let world = with_list_fault(throttle(RetryAfter::Seconds(7))).await;
    for retry_after in [RetryAfter::Absent, RetryAfter::Garbage] {
        world.simulator.set_fault(Fault::new(Target::List, throttle(retry_after)).times(1)).unwrap();
    }
    for expected in [Some("7"), None, Some("in a little while")] {
        let answer = world.list().await;
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers().get("retry-after").map(|value| value.to_str().unwrap()), expected);
        assert_eq!(json(answer).await["error"]["code"], "TooManyRequests");
    }
    assert_eq!(world.list().await.status(), 200);
}

#[tokio::test]
async fn a_throttled_token_request_and_download_answer_429_too() {
    let kind = FaultKind::Throttle { retry_after: RetryAfter::Seconds(3) };
    let world = World::start().await;
    world.simulator.set_fault(Fault::new(Target::Token, kind)).unwrap();
    let answer = world.ask_for_token(FIRST, &[]).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"3".parse().unwrap()));
    let answer = certificate_with(kind).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"3".parse().unwrap()));
}

#[tokio::test]
async fn a_failure_lasts_until_cleared() {
    let world = World::start().await;
    world.simulator.set_fault(Fault::new(Target::List, FaultKind::Fail { status: 503 })).unwrap();
    for _ in 0..3 {
        assert_eq!(world.list().await.status(), 503);
    }
    world.simulator.clear_faults();
    assert_eq!(world.list().await.status(), 200);
}

#[tokio::test]
async fn a_slow_answer_is_whole() {
    let world = with_list_fault(FaultKind::Slow { milliseconds: 300 }).await;
    let token = world.token(FIRST).await;
    let begin = Instant::now();
    let answer = world.get(ALERTS, &token).await;
    assert!(begin.elapsed() >= Duration::from_millis(300));
    assert_eq!(json(answer).await["value"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_reset_comes_in_the_middle_of_the_body() {
    let world = with_list_fault(FaultKind::Reset).await;
    let mut answer = world.list().await;
    assert_eq!(answer.status(), 200);
    let promised = answer.content_length().unwrap();
    let mut arrived = 0;
    let error = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => arrived += chunk.len() as u64,
            Ok(None) => panic!("the body ended as if it were whole"),
            Err(error) => break error,
        }
    };
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    assert!(arrived > 0 && arrived < promised, "{arrived} of {promised}");
}

#[tokio::test]
async fn truncated_json_arrives_as_if_whole() {
    let world = with_list_fault(FaultKind::Truncated).await;
    let answer = world.list().await;
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    assert!(text.starts_with('{'));
    assert!(serde_json::from_str::<Value>(&text).is_err());
}

#[tokio::test]
async fn an_empty_page_leads_to_the_alerts() {
    let world = with_list_fault(FaultKind::EmptyPage).await;
    let page = json(world.list().await).await;
    assert_eq!(page["value"], json!([]));
    let token = world.token(FIRST).await;
    let next = json(world.get(page["@odata.nextLink"].as_str().unwrap(), &token).await).await;
    assert_eq!(next["value"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_expired_token_stays_expired() {
    let world = with_list_fault(FaultKind::ExpiredToken).await;
    let token = world.token(FIRST).await;
    for _ in 0..2 {
        let answer = world.get(ALERTS, &token).await;
        assert_eq!(answer.status(), 401);
        assert_eq!(json(answer).await["error"]["code"], "InvalidAuthenticationToken");
    }
    assert_eq!(world.list().await.status(), 200, "a new token is good");
}

#[tokio::test]
async fn missing_mfa_has_its_own_shape() {
    let world = with_list_fault(FaultKind::MissingMfa).await;
    let answer = world.list().await;
    assert_eq!(answer.status(), 403);
    assert_eq!(json(answer).await["Error"]["Code"], "Unauthorized_MissingMFA");
}

#[tokio::test]
async fn a_foreign_link_leads_elsewhere() {
    let world = with_list_fault(FaultKind::ForeignNextLink).await;
    let page = json(world.list().await).await;
    assert!(page["@odata.nextLink"].as_str().unwrap().starts_with("https://graph.attacker.example/beta/"));
}

#[tokio::test]
async fn one_alert_of_the_page_is_malformed() {
    let world = with_list_fault(FaultKind::MalformedAlert).await;
    let page = json(world.list().await).await;
    assert_eq!((&page["value"][0]["status"], &page["value"][0]["detectedDateTime"]), (&json!(7), &json!("yesterday")));
    assert_eq!(page["value"][1]["status"], "active");
}

#[tokio::test]
async fn a_stale_answer_was_applied_all_the_same() {
    let world = World::start().await;
    let id = world.raise(1).remove(0);
    world.simulator.set_fault(Fault::new(Target::Patch, FaultKind::StaleAnswer)).unwrap();
    let url = format!("{}{ALERTS}/{id}", world.simulator.microsoft_url());
    let token = world.token(FIRST).await;
    let request = world.client.patch(url).bearer_auth(token).json(&json!({ "status": "resolved" }));
    assert_eq!(json(request.send().await.unwrap()).await["status"], "active");
    assert_eq!(world.simulator.alerts(FIRST)[0].status, "resolved");
}

#[tokio::test]
async fn a_certificate_can_be_missing() {
    assert_eq!(certificate_with(FaultKind::CertificateMissing).await.status(), 404);
}

#[tokio::test]
async fn a_certificate_can_be_a_web_page() {
    let answer = certificate_with(FaultKind::CertificateHtml).await;
    assert_eq!(answer.status(), 200);
    let content_types: Vec<_> = answer.headers().get_all("content-type").iter().collect();
    assert_eq!(content_types, ["text/html"]);
}

#[tokio::test]
async fn a_certificate_can_be_oversize() {
    let answer = certificate_with(FaultKind::CertificateOversize).await;
    assert!(answer.bytes().await.unwrap().len() > 1 << 20);
}

#[tokio::test]
async fn a_certificate_can_be_somewhere_else() {
    let world = World::start().await;
    world.simulator.set_fault(Fault::new(Target::Certificate, FaultKind::CertificateRedirect).times(1)).unwrap();
    let url = format!("{}{}.cer", world.simulator.certificate_location(), Simulator::certificate_name());
    let answer = world.client.get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    let there = world.simulator.microsoft_url() + answer.headers()["location"].to_str().unwrap();
    let there = world.client.get(there).send().await.unwrap().bytes().await.unwrap();
    let here = world.client.get(url).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(there, here, "following would have worked");
}

#[tokio::test]
async fn a_fault_touches_its_own_target_only() {
    let world = World::start().await;
    world.simulator.set_fault(Fault::new(Target::Get, FaultKind::Fail { status: 500 })).unwrap();
    assert_eq!(world.list().await.status(), 200);
}

#[tokio::test]
async fn faults_that_do_not_fit_are_refused() {
    let world = World::start().await;
    let set = |target, kind| world.simulator.set_fault(Fault::new(target, kind));
    assert!(matches!(set(Target::Token, FaultKind::EmptyPage), Err(FaultError::Misplaced { .. })));
    assert!(matches!(set(Target::List, FaultKind::CertificateHtml), Err(FaultError::Misplaced { .. })));
    assert!(matches!(set(Target::List, FaultKind::Fail { status: 404 }), Err(FaultError::Status(404))));
}
