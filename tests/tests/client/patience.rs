//! What is tried again, how long is waited, and by which ids a call can be found.

use std::{collections::BTreeSet, time::Duration};

use http::Response;
use jiff::{SignedDuration, Timestamp};
use models::AlertSource;
use partner_center::{Limits, ListAlerts as _, MicrosoftError};
use simulator::{ErrorBody, Fault, FaultKind, RetryAfter};
use tests::{Lines, Scripted};

use crate::support::{NOW, Sources, World, client_of, list_of, tenant};

const BODIES: [ErrorBody; 5] =
    [ErrorBody::Empty, ErrorBody::Gateway, ErrorBody::Graph, ErrorBody::Html, ErrorBody::PartnerCenter];

fn answer(status: u16, body: ErrorBody, retry_after: RetryAfter) -> FaultKind {
    FaultKind::Answer { status, body, retry_after }
}

/// How often the first page is asked for while this goes on, and what is said in the end.
async fn tried(world: &World, client: &Sources, source: AlertSource, kind: FaultKind) -> (u64, MicrosoftError) {
    world.fault_after(source, 0, kind);
    let before = world.listed(source);
    let error = client.page(&tenant(source), None).await.unwrap_err();
    world.microsoft.clear_faults();
    (world.listed(source) - before, error)
}

#[tokio::test]
async fn what_may_pass_is_tried_three_times_and_what_will_not_once_in_whoevers_words_it_comes() {
    let world = World::with(1, 1).await;
    for source in AlertSource::ALL {
        let client = world.client();
        for (status, expected) in [
            (400, 1),
            // With another token.
            (401, 2),
            (403, 1),
            (404, 1),
            (408, 3),
            (409, 1),
            (429, 3),
            (500, 3),
            (501, 1),
            (502, 3),
            (503, 3),
            (504, 3),
        ] {
            for body in BODIES {
                let kind = answer(status, body, RetryAfter::Absent);
                let (asked, error) = tried(&world, &client, source, kind).await;
                // A first page that Partner Center itself finds fault with is asked for in the old model, too.
                let words = body == ErrorBody::PartnerCenter;
                let old = u64::from(source == AlertSource::FraudEvents && status == 400 && words);
                assert_eq!(asked, expected + old, "{source:?}, {status}, {body:?}: {error}");
                assert!(error.to_string().contains(&format!("was refused with status {status}")), "{error}");
            }
        }
        for (kind, expected) in
            [(FaultKind::HangUp, 3), (FaultKind::Reset, 3), (FaultKind::Truncated, 1), (FaultKind::MissingMfa, 1)]
        {
            assert_eq!(tried(&world, &client, source, kind).await.0, expected, "{source:?}, {kind:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_waited_for_as_long_as_is_configured_and_asked_for_again() {
    let world = World::with(1, 1).await;
    for source in AlertSource::ALL {
        // Signed in and connected it is while there is time.
        let client = world.client_waiting(Duration::from_secs(2));
        client.page(&tenant(source), None).await.unwrap();
        let (asked, error) = tried(&world, &client, source, FaultKind::Silent).await;
        assert_eq!(asked, 3, "{source:?}: {error}");
        assert!(error.to_string().contains("got no whole answer after 3 attempts"), "{source:?}: {error}");
    }
}

#[tokio::test]
async fn where_microsoft_asks_for_too_much_it_is_not_asked_again_and_the_error_says_until_when() {
    let world = World::with(1, 1).await;
    let now: Timestamp = NOW.parse().unwrap();
    for source in AlertSource::ALL {
        let client = world.client();
        let then = Some(now + SignedDuration::from_secs(120));
        for (status, body, retry_after) in [
            (429, ErrorBody::Gateway, RetryAfter::Seconds(120)),
            (429, ErrorBody::Html, RetryAfter::Date(120)),
            (503, ErrorBody::Graph, RetryAfter::Seconds(120)),
        ] {
            let (asked, error) = tried(&world, &client, source, answer(status, body, retry_after)).await;
            assert_eq!((asked, error.wait_until()), (1, then), "{source:?}, {retry_after:?}");
            let words = error.to_string();
            assert!(words.ends_with("; Microsoft asks to wait until 2026-03-02T09:02:00Z"), "{words}");
        }
        for (retry_after, expected) in [
            (RetryAfter::Seconds(0), Some(now)),
            (RetryAfter::Date(0), Some(now)),
            (RetryAfter::Absent, None),
            (RetryAfter::Garbage, None),
        ] {
            let (asked, error) = tried(&world, &client, source, answer(429, ErrorBody::Graph, retry_after)).await;
            assert_eq!((asked, error.wait_until()), (3, expected), "{source:?}, {retry_after:?}");
        }
        let beyond = answer(429, ErrorBody::Graph, RetryAfter::Seconds(u64::MAX));
        let (asked, error) = tried(&world, &client, source, beyond).await;
        assert_eq!((asked, error.wait_until()), (1, None), "there is no such day");
    }
}

/// A client whose Microsoft gives tokens, and refuses everything else by this.
async fn refused(status: u16, retry_after: Option<&'static str>, body: &'static str) -> (Scripted, Sources) {
    let microsoft = Scripted::start(move |_, asked| {
        if asked.path.ends_with("/token") {
            return Response::new(r#"{"access_token":"a","expires_in":3599}"#.to_owned());
        }
        let mut refusal = Response::builder().status(status);
        if let Some(retry_after) = retry_after {
            refusal = refusal.header("retry-after", retry_after);
        }
        refusal.body(body.to_owned()).unwrap()
    })
    .await;
    let client = client_of(&microsoft);
    (microsoft, client)
}

#[tokio::test]
async fn a_wait_in_the_body_alone_counts_as_one_in_the_header_and_one_beyond_all_numbers_as_the_longest() {
    const BODY: &str = r#"{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds." }"#;
    const NONE: &str = r#"{ "statusCode": 429, "message": "Rate limit is exceeded. Try again later." }"#;
    const PARTNER_CENTER: &str = r#"{ "code": "429", "description": "Too many requests" }"#;
    const BEYOND: &str = "99999999999999999999";
    for (status, header, body, asked, wait) in [
        (429, None, BODY, 1, Some(57)),
        (503, None, BODY, 1, Some(57)),
        (429, Some("in a little while"), BODY, 1, Some(57)),
        // Whoever says both means the header.
        (429, Some("0"), BODY, 3, Some(0)),
        (429, None, NONE, 3, None),
        (429, None, PARTNER_CENTER, 3, None),
        (429, Some(BEYOND), NONE, 1, None),
    ] {
        for source in AlertSource::ALL {
            let (microsoft, client) = refused(status, header, body).await;
            let error = client.page(&tenant(source), None).await.unwrap_err();
            let tried = microsoft.asked().iter().filter(|asked| !asked.path.ends_with("/token")).count();
            let until = wait.map(|seconds| NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds));
            assert_eq!((tried, error.wait_until()), (asked, until), "{source:?}, {header:?}, {body}: {error}");
        }
    }
}

#[tokio::test]
async fn the_old_model_is_asked_for_only_where_partner_center_itself_finds_fault_with_the_question() {
    for (status, body, models) in [
        (400, r#"{ "code": "800002", "description": "Bad input" }"#, 2),
        (400, r#"{ "code": 2000, "description": "Bad input" }"#, 2),
        // About whoever asks, and nothing that another question would mend.
        (400, r#"{ "code": "800001", "description": "The partner token is missing" }"#, 1),
        (400, r#"{ "code": "BadRequest" }"#, 1),
        (400, r#"{ "error": { "code": "BadRequest", "message": "Bad request" } }"#, 1),
        (400, r#"{ "statusCode": 400, "message": "Bad request" }"#, 1),
        (400, "<html>", 1),
        (400, "", 1),
        (404, r#"{ "code": "800002", "description": "Bad input" }"#, 1),
    ] {
        let (microsoft, client) = refused(status, None, body).await;
        client.page(&tenant(AlertSource::FraudEvents), None).await.unwrap_err();
        let asked = microsoft.asked();
        let asked: Vec<_> = asked.iter().filter(|asked| !asked.path.ends_with("/token")).collect();
        assert_eq!(asked.len(), models, "{status} {body}");
        assert!(asked[0].path.contains("PageNumber=1"), "the new one first: {asked:?}");
        assert_eq!(asked.last().unwrap().path.contains("PageNumber"), models == 1, "{asked:?}");
    }
}

#[tokio::test]
async fn a_pause_that_is_asked_for_is_kept_and_a_storm_of_them_ends_in_time() {
    let world = World::with(1, 1).await;
    let limits = Limits { attempts: 10, latest_attempt: Duration::from_secs(2), ..Limits::default() };
    let client = world.client_within(Limits { longest_pause: Duration::from_secs(1), ..limits });
    let began = std::time::Instant::now();

    let storm = FaultKind::Throttle { retry_after: RetryAfter::Seconds(1) };
    let (asked, error) = tried(&world, &client, AlertSource::Graph, storm).await;

    assert!(began.elapsed() >= Duration::from_secs(asked - 1), "{asked} attempts in {:?}", began.elapsed());
    assert!((2..=3).contains(&asked), "{asked}: {error}");
}

#[tokio::test]
async fn every_attempt_can_be_found_by_the_ids_in_its_line_whoever_answered_it() {
    for source in AlertSource::ALL {
        for kind in [
            FaultKind::HangUp,
            FaultKind::Throttle { retry_after: RetryAfter::Absent },
            FaultKind::Fail { status: 500 },
        ] {
            let world = World::with(1, 1).await;
            let client = world.client();
            let lines = Lines::capture("warn");
            world.set(Fault::new(list_of(source), kind).times(2));

            client.page(&tenant(source), None).await.unwrap();

            let recorded: Vec<_> = world.microsoft.recorded();
            let lists: Vec<_> = recorded.iter().filter(|asked| !asked.path.ends_with("/token")).collect();
            let lines = lines.take_values();
            assert_eq!((lists.len(), lines.len()), (3, 2), "{source:?}, {kind:?}: {lines:#?}");
            let own: BTreeSet<_> = lists
                .iter()
                .map(|asked| match source {
                    AlertSource::FraudEvents => asked.correlation_id.clone().unwrap(),
                    AlertSource::Graph => asked.client_request_id.clone().unwrap(),
                })
                .collect();
            assert_eq!(own.len(), 3, "{source:?}, {kind:?}: each attempt has a name of its own");
            let common: BTreeSet<_> = lists.iter().map(|asked| asked.request_id.clone()).collect();
            assert_eq!(common.len(), 1, "{source:?}, {kind:?}: and one work has one id");
            assert_eq!(common.first().unwrap().is_some(), source == AlertSource::FraudEvents);
            for (line, asked) in lines.iter().zip(&lists) {
                assert_eq!(line["message"], "trying again");
                let words = line["error"].as_str().unwrap();
                let answered = matches!(kind, FaultKind::Throttle { .. });
                let ids = match (source, answered) {
                    (AlertSource::Graph, true) => "(request-id ".to_owned(),
                    (AlertSource::Graph, false) => {
                        format!("(client-request-id {})", asked.client_request_id.as_ref().unwrap())
                    }
                    (AlertSource::FraudEvents, _) => format!(
                        "(MS-RequestId {}, MS-CorrelationId {}",
                        asked.request_id.as_ref().unwrap(),
                        asked.correlation_id.as_ref().unwrap()
                    ),
                };
                assert!(words.contains(&ids), "{source:?}, {kind:?}: {words} lacks {ids}");
            }
        }
    }
}
