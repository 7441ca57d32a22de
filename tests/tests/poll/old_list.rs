//! Lists of fraudEvents as the documents leave them open: where they end, and what stands in them.

use http::Response;
use models::AlertSource;
use serde_json::{Value, json};
use tests::{Asked, ByHand, Scripted, Setup};

use crate::support::{digests, failed, turn_to};

const LIST: &str = "/v1/fraudEvents";
/// What Partner Center says of a question that it does not understand. The number stands in for one that is not documented.
const REFUSED: &str = r#"{"code":"400","description":"made up","data":[],"source":"made up"}"#;

fn event(number: usize) -> Value {
    json!({ "eventId": format!("s_{number:03}"), "eventTime": "2026-03-02T06:12:09", "eventStatus": "Active" })
}

fn page(numbers: std::ops::Range<usize>) -> Response<String> {
    answer(200, json!(numbers.map(event).collect::<Vec<_>>()).to_string())
}

fn answer(status: u16, body: impl Into<String>) -> Response<String> {
    Response::builder().status(status).body(body.into()).unwrap()
}

/// The number of the page that is asked for; 0 where none is.
fn number_of(asked: &Asked) -> usize {
    asked.path.split_once("PageNumber=").map_or(0, |(_, number)| number.parse().unwrap())
}

/// A Microsoft that signs in anybody, answers to requests for events with what `list` makes of the page's number, and a system
/// whose seed tenant has its alerts from there.
async fn system(list: impl Fn(usize) -> Response<String> + Send + Sync + 'static) -> (ByHand, Scripted) {
    system_with("1000", list).await
}

async fn system_with(
    most_pages: &str,
    list: impl Fn(usize) -> Response<String> + Send + Sync + 'static,
) -> (ByHand, Scripted) {
    let microsoft = Scripted::start(move |_, asked| {
        if asked.path.starts_with(LIST) {
            return list(number_of(asked));
        }
        let token = json!({ "token_type": "Bearer", "expires_in": 3_599, "access_token": "token" });
        answer(200, token.to_string())
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("anchors.pem");
    std::fs::write(&file, microsoft.certificate_pem()).unwrap();
    let variables = [
        ("GLOBAL_PARTNER_CENTER_URL", microsoft.url()),
        ("GLOBAL_LOGIN_URL", microsoft.url()),
        ("GRAPH_MAX_PAGES", most_pages),
        ("OUTGOING_TLS_TRUST_ANCHORS_FILE", &file.display().to_string()),
    ];
    let system = ByHand::with(Setup { variables: &variables, ..Setup::default() }).await;
    turn_to(&system, AlertSource::FraudEvents).await;
    (system, microsoft)
}

fn pages(microsoft: &Scripted) -> Vec<usize> {
    microsoft.asked().iter().filter(|asked| asked.path.starts_with(LIST)).map(number_of).collect()
}

#[tokio::test]
async fn a_list_ends_with_a_page_that_brings_nothing_new() {
    type List = fn(usize) -> Response<String>;
    let lists: [(&str, List, usize, &[usize]); 8] = [
        ("an empty one", |_| page(0..0), 0, &[1]),
        (
            "a short page, and none behind it",
            |page_number| page(if page_number == 1 { 0..3 } else { 0..0 }),
            3,
            &[1, 2],
        ),
        (
            "a short page that is not the last",
            |number| page((number - 1).min(2) * 50..number.min(2) * 50),
            100,
            &[1, 2, 3],
        ),
        ("pages that are no pages, as long as one", |_| page(0..100), 100, &[1, 2]),
        ("pages that are no pages, longer than one", |_| page(0..150), 150, &[1, 2]),
        (
            "nothing found behind the end",
            |number| if number == 1 { page(0..3) } else { answer(404, REFUSED) },
            3,
            &[1, 2],
        ),
        (
            "no such page behind the end",
            |number| if number == 1 { page(0..3) } else { answer(400, REFUSED) },
            3,
            &[1, 2],
        ),
        // A full page may be the last one; that it is still there shows that the question was good.
        (
            "none behind a full page",
            |number| if number == 1 { page(0..100) } else { answer(404, REFUSED) },
            100,
            &[1, 2, 1],
        ),
    ];
    for (what, list, alerts, expected) in lists {
        let (system, microsoft) = system(list).await;
        system.complete(alerts, alerts).await;
        assert_eq!(pages(&microsoft), expected, "{what}");
    }
}

#[tokio::test]
async fn an_event_that_moves_to_the_next_page_while_they_are_read_lands_once() {
    let (system, microsoft) = system(|number| page(if number == 1 { 0..100 } else { 90..130 })).await;
    system.complete(130, 130).await;
    assert_eq!(pages(&microsoft), [1, 2, 3]);
}

#[tokio::test]
async fn a_baseline_tells_of_an_event_that_is_listed_twice_as_it_was_listed_last() {
    let page_of = |statuses: &[&str]| {
        let events = statuses.iter().enumerate().map(|(number, status)| {
            let mut event = event(number);
            event["eventStatus"] = json!(status);
            event
        });
        answer(200, json!(events.collect::<Vec<_>>()).to_string())
    };
    let (system, _microsoft) = system(move |number| match number {
        1 => page_of(&["Resolved", "Active"]),
        2 => page_of(&["Active", "Resolved", "Resolved"]),
        _ => page(0..0),
    })
    .await;

    system.complete(3, 5).await;

    assert_eq!(digests(&system).await, [("baseline".to_owned(), 1, vec!["s_000".to_owned()])]);
}

#[tokio::test]
async fn a_page_that_is_refused_before_the_end_is_a_failure_and_no_reason_to_ask_for_the_old_model() {
    type List = Box<dyn Fn(usize) -> Response<String> + Send + Sync>;
    // By somebody in front of Partner Center, after a short page and a full one; and by itself, while the list changes.
    let looks = std::sync::atomic::AtomicUsize::new(0);
    let moving = move |number| match number {
        1 => page(0..100 + looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed)),
        _ => answer(400, REFUSED),
    };
    let lists: [(u16, List, usize, &[usize]); 4] = [
        (400, Box::new(|number| if number == 1 { page(0..100) } else { answer(400, "{}") }), 100, &[1, 2]),
        (404, Box::new(|number| if number == 1 { page(0..100) } else { answer(404, "<html>") }), 100, &[1, 2]),
        (404, Box::new(|number| if number == 1 { page(0..3) } else { answer(404, "") }), 3, &[1, 2]),
        (400, Box::new(moving), 100, &[1, 2, 1]),
    ];
    for (status, list, landed, expected) in lists {
        let (system, microsoft) = system(list).await;
        let (_, words) = failed(&system).await;
        assert!(
            words.contains(&format!(
                "listing fraud events for tenant {} was refused with status {status}",
                system.tenant
            )),
            "{words}"
        );
        assert_eq!(pages(&microsoft), expected);
        assert_eq!(system.alerts().await.len(), landed, "what was read has landed");
        assert_eq!(system.state().await.get("baseline"), None);
    }
    for (status, body) in [(404, REFUSED), (400, "{}"), (400, "<html>"), (400, "")] {
        let (system, microsoft) = system(move |_| answer(status, body)).await;
        failed(&system).await;
        assert_eq!(pages(&microsoft), [1], "{status} {body}");
    }
}

#[tokio::test]
async fn where_the_first_page_is_bad_to_ask_for_the_list_is_asked_for_as_it_was_of_old() {
    let (system, microsoft) = system(|number| if number == 0 { page(0..300) } else { answer(400, REFUSED) }).await;
    system.complete(300, 300).await;
    assert_eq!(pages(&microsoft), [1, 0]);
}

#[tokio::test]
async fn a_list_without_end_ends_at_the_bound() {
    let (system, microsoft) = system_with("5", |number| page(number * 10..number * 10 + 10)).await;
    let (_, words) = failed(&system).await;
    assert!(words.contains("gave an answer that can't be used: more than 5 pages ("), "{words}");
    assert_eq!(pages(&microsoft), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn what_is_no_list_is_an_error() {
    for body in ["", "null", "{}", r#"{"value":[]}"#, "[", "<html>"] {
        let (system, _microsoft) = system(move |_| answer(200, body)).await;
        let (_, words) = failed(&system).await;
        assert!(words.contains("gave an answer that can't be used: no list of events ("), "{body}: {words}");
    }
}
