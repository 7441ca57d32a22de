//! Each fault as a client meets it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::{ErrorBody, Fault, FaultError, FaultKind, NewAlert, RetryAfter, Simulator, Target};

use crate::support::{ALERTS, FIRST, SECOND, World, json};

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
    for retry_after in [RetryAfter::Seconds(0), RetryAfter::Date(120), RetryAfter::Absent, RetryAfter::Garbage] {
        world.simulator.set_fault(Fault::new(Target::List, throttle(retry_after)).times(1)).unwrap();
    }
    let date = "Mon, 02 Mar 2026 05:42:00 GMT";
    for expected in [Some("7"), Some("0"), Some(date), None, Some("in a little while")] {
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
async fn a_fault_begins_after_as_many_requests_as_it_leaves_unharmed() {
    let world = World::start().await;
    let failing = |status| Fault::new(Target::List, FaultKind::Fail { status });
    for fault in [failing(500).after(3), failing(501).after(1).times(1), failing(502).of(SECOND)] {
        world.simulator.set_fault(fault).unwrap();
    }
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(world.list().await.status().as_u16());
    }
    assert_eq!(statuses, [200, 501, 200, 500, 500]);
}

#[tokio::test]
async fn an_error_comes_in_the_words_of_whoever_it_is_of() {
    let world = World::start().await;
    for (body, status, content_type, expected) in [
        (ErrorBody::Empty, 502, None, ""),
        (ErrorBody::Gateway, 429, Some("application/json; charset=utf-8"), r#""statusCode":429"#),
        (ErrorBody::Graph, 503, Some("application/json; charset=utf-8"), r#""error":{"code":"ServiceUnavailable""#),
        (ErrorBody::Html, 404, Some("text/html"), "<html><body>404 Not Found"),
        (ErrorBody::PartnerCenter, 500, Some("application/json; charset=utf-8"), r#""code":"500""#),
    ] {
        for target in [Target::List, Target::Token] {
            let kind = FaultKind::Answer { status, body, retry_after: RetryAfter::Seconds(9) };
            world.simulator.clear_faults();
            world.simulator.set_fault(Fault::new(target, kind)).unwrap();
            let answer = match target {
                Target::List => world.list().await,
                _ => world.ask_for_token(FIRST, &[]).await,
            };
            assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (status, &"9".parse().unwrap()));
            let found = answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(found.as_deref(), content_type, "{body:?}");
            assert!(answer.text().await.unwrap().contains(expected), "{body:?}");
        }
    }
}

#[tokio::test]
async fn a_connection_can_end_before_the_answer_and_an_answer_not_come_at_all() {
    let world = World::start().await;
    let token = world.token(FIRST).await;
    let url = world.simulator.microsoft_url() + ALERTS;
    let ask = || world.client.get(&url).bearer_auth(&token).timeout(Duration::from_millis(300)).send();
    world.simulator.set_fault(Fault::new(Target::List, FaultKind::HangUp).times(1)).unwrap();
    world.simulator.set_fault(Fault::new(Target::List, FaultKind::Silent).times(1)).unwrap();
    let error = ask().await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout() && !error.is_connect(), "{error:?}");
    assert!(ask().await.unwrap_err().is_timeout());
    assert_eq!(world.list().await.status(), 200);
    assert_eq!(world.simulator.requests().list, 3);
}

/// The ids of each page of the list, with this fault on the second, at most so many pages; and the status that ended it.
async fn pages_with(kind: FaultKind, times: Option<u32>, most: usize) -> (Vec<Vec<String>>, u16) {
    let world = World::start().await;
    for number in 0..5 {
        let id = Some(number.to_string());
        world.simulator.raise(NewAlert { id, ..NewAlert::default() }).unwrap();
    }
    world.simulator.set_fault(Fault { times, ..Fault::new(Target::List, kind).after(1) }).unwrap();
    let token = world.token(FIRST).await;
    let (mut link, mut pages) = (ALERTS.to_owned(), Vec::new());
    loop {
        let answer = world.get(&link, &token).await;
        let status = answer.status().as_u16();
        if status != 200 {
            return (pages, status);
        }
        let page = json(answer).await;
        let ids = page["value"].as_array().unwrap().iter().map(|alert| alert["id"].as_str().unwrap().to_owned());
        pages.push(ids.collect());
        match page["@odata.nextLink"].as_str() {
            Some(next) if pages.len() < most => next.clone_into(&mut link),
            Some(next) => return (pages, if next == link { 508 } else { 300 }),
            None => return (pages, 200),
        }
    }
}

#[tokio::test]
async fn a_list_that_moves_while_it_is_read_shows_an_alert_twice_or_not_at_all() {
    for (kind, times, expected) in [
        (FaultKind::AlertListedTwice, Some(1), vec![vec!["0", "1"], vec!["1", "2"], vec!["3", "4"]]),
        (FaultKind::AlertSkipped, Some(1), vec![vec!["0", "1"], vec!["3", "4"]]),
        (FaultKind::EmptyPage, Some(2), vec![vec!["0", "1"], vec![], vec![], vec!["2", "3"], vec!["4"]]),
    ] {
        assert_eq!(pages_with(kind, times, 9).await, (owned(&expected), 200), "{kind:?}");
    }
}

#[tokio::test]
async fn next_links_can_lead_to_where_they_are_on_and_on_or_be_worth_nothing() {
    let looping = pages_with(FaultKind::LoopingNextLink, None, 4).await;
    assert_eq!(looping, (owned(&[vec!["0", "1"], vec!["2", "3"], vec!["2", "3"], vec!["2", "3"]]), 508));
    let endless = pages_with(FaultKind::EndlessPages, None, 5).await;
    let expected = [vec!["0", "1"], vec!["2", "3"], vec!["4"], vec!["0", "1"], vec!["2", "3"]];
    assert_eq!(endless, (owned(&expected), 300));
    assert_eq!(pages_with(FaultKind::ExpiredNextLink, None, 9).await, (owned(&[vec!["0", "1"]]), 400));
    let world = with_list_fault(FaultKind::ExpiredNextLink).await;
    assert_eq!(world.list().await.status(), 200, "a first page has nothing that could have expired");
    let world = with_list_fault(FaultKind::PlainNextLink).await;
    let page = json(world.list().await).await;
    let plain = world.simulator.microsoft_url().replace("https:", "http:");
    assert!(page["@odata.nextLink"].as_str().unwrap().starts_with(&format!("{plain}{ALERTS}?$skiptoken=")));
}

fn owned(pages: &[Vec<&str>]) -> Vec<Vec<String>> {
    pages.iter().map(|page| page.iter().map(|id| (*id).to_owned()).collect()).collect()
}

#[tokio::test]
async fn faults_that_do_not_fit_are_refused() {
    let world = World::start().await;
    let set = |target, kind| world.simulator.set_fault(Fault::new(target, kind));
    assert!(matches!(set(Target::Token, FaultKind::EmptyPage), Err(FaultError::Misplaced { .. })));
    assert!(matches!(set(Target::List, FaultKind::CertificateHtml), Err(FaultError::Misplaced { .. })));
    assert!(matches!(set(Target::List, FaultKind::Fail { status: 404 }), Err(FaultError::Status(404))));
    assert!(matches!(set(Target::FraudEvents, FaultKind::LoopingNextLink), Err(FaultError::Misplaced { .. })));
    let fine = FaultKind::Answer { status: 200, body: ErrorBody::Html, retry_after: RetryAfter::Absent };
    assert!(matches!(set(Target::List, fine), Err(FaultError::Status(200))));
}
