//! How long a session lives.

use jiff::SignedDuration;
use reqwest::Method;
use simulator::Person;
use tests::{ByHand, TENANT, number, text};

use crate::browser::Browser;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

#[tokio::test]
async fn a_session_that_nobody_uses_ends_after_an_hour() {
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    browser.sign_in(Person::admin_agent(TENANT), "").await;
    system.clock.advance(MINUTE * 59);
    assert_eq!(browser.get("/sign-in/me").await.status, 200);
    system.clock.advance(MINUTE * 59);
    assert_eq!(browser.get("/sign-in/me").await.status, 200);
    system.clock.advance(MINUTE * 60);
    let over = browser.get("/sign-in/me").await;
    assert_eq!((over.status, over.location.as_str()), (303, "/sign-in"));
}

#[tokio::test]
async fn what_a_page_asks_by_itself_keeps_no_session_alive() {
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    browser.sign_in(Person::admin_agent(TENANT), "").await;
    for _ in 0..3 {
        system.clock.advance(MINUTE * 19);
        let pulse = browser.send(Method::GET, "/api/v1/pulse", &[("x-of-itself", "1")]).await;
        assert_eq!(pulse.status, 200, "{}", pulse.text);
    }
    system.clock.advance(MINUTE * 3);
    assert_eq!(browser.get("/").await.status, 303, "nobody was there for an hour");
}

#[tokio::test]
async fn a_session_that_is_used_all_the_time_ends_after_eight_hours() {
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    browser.sign_in(Person::admin_agent(TENANT), "").await;
    for _ in 0..15 {
        system.clock.advance(MINUTE * 30);
        assert_eq!(browser.get("/sign-in/me").await.status, 200);
    }
    system.clock.advance(MINUTE * 30);
    assert_eq!(browser.get("/sign-in/me").await.status, 303);
}

#[tokio::test]
async fn that_a_session_is_used_is_written_every_five_minutes_and_nothing_else_of_it() {
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    browser.sign_in(Person::admin_agent(TENANT), "").await;
    let read = async || system.items("partner-alerts-sessions").await.pop().unwrap();
    let begun = read().await;
    system.clock.advance(MINUTE * 5 - SignedDuration::from_secs(1));
    browser.get("/sign-in/me").await;
    assert_eq!(read().await, begun);
    system.clock.advance(SignedDuration::from_secs(1));
    browser.get("/sign-in/me").await;
    let used = read().await;
    assert_eq!(
        (text(&begun, "seen"), text(&used, "seen")),
        ("2026-03-02T09:00:00.000Z".to_owned(), "2026-03-02T09:05:00.000Z".to_owned())
    );
    assert_eq!(number(&used, "expires_at") - number(&begun, "expires_at"), 300);
    assert_eq!((text(&begun, "begun"), text(&begun, "claims")), (text(&used, "begun"), text(&used, "claims")));
}

#[tokio::test]
async fn a_session_that_is_ended_while_it_is_used_does_not_come_back() {
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    browser.sign_in(Person::admin_agent(TENANT), "").await;
    system.clock.advance(MINUTE * 10);
    let session = browser.session().unwrap().to_owned();
    browser.post("/sign-out").await;
    browser.cookies.insert("__Host-session".to_owned(), session);
    assert_eq!(browser.get("/sign-in/me").await.status, 303);
    assert!(system.items("partner-alerts-sessions").await.is_empty());
}
