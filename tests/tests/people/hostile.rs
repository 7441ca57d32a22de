//! What somebody can do to a sign-in from outside.

use std::sync::{Arc, Mutex};

use identity::{Issuers, Origin, Session, SessionKey};
use reqwest::{Method, Url};
use secrecy::SecretString;
use sign_in::{EntraId, ReadSecret, SecretError, SecretNames, SignIn};
use simulator::Person;
use store::{KeepSessions, StoreError};
use tests::{ByHand, Lines, TENANT};

use crate::browser::{Browser, Page};

/// What becomes of the address and of the cookie, and what comes of it.
type Row<'a> = (&'a str, Box<dyn Fn(&Url) -> String>, Box<dyn Fn(&str) -> Option<String>>, u16, &'a str);

/// The reason that was logged last.
fn reason(lines: &Lines) -> String {
    let values = lines.take_values();
    let found = values.iter().rev().find_map(|line| line["reason"].as_str());
    found.map_or_else(|| panic!("no reason in {values:?}"), str::to_owned)
}

fn assert_plain(page: &Page, status: u16) {
    assert_eq!(page.status, status, "{}", page.text);
    assert!(!page.text.contains("evil") && !page.text.contains("<script"), "{}", page.text);
    assert!(page.set_cookies.iter().all(|cookie| !cookie.starts_with("__Host-session")), "nobody is let in");
}

fn with(back: &Url, name: &str, value: Option<&str>) -> String {
    let pairs: Vec<_> = back.query_pairs().into_owned().filter(|(found, _)| found != name).collect();
    let mut changed = back.clone();
    changed.query_pairs_mut().clear().extend_pairs(pairs);
    if let Some(value) = value {
        changed.query_pairs_mut().append_pair(name, value);
    }
    changed.to_string()
}

#[tokio::test]
async fn a_coming_back_that_is_not_the_going_lets_nobody_in_and_says_why() {
    let lines = Lines::capture("info");
    let system = ByHand::start().await;
    let other = {
        let mut browser = Browser::new(&system);
        browser.get("/sign-in").await;
        browser.cookies["__Host-sign-in"].clone()
    };
    let same: fn(&Url) -> String = ToString::to_string;
    let kept: fn(&str) -> Option<String> = |cookie| Some(cookie.to_owned());
    let rows: Vec<Row<'_>> = vec![
        ("no cookie", Box::new(same), Box::new(|_| None), 400, "no-trip"),
        ("another trip's cookie", Box::new(same), Box::new(move |_| Some(other.clone())), 400, "state-mismatch"),
        (
            "a cookie with another end",
            Box::new(same),
            Box::new(|cookie| Some(format!("{}AAAA", &cookie[..cookie.len() - 4]))),
            400,
            "sealed-text-forged",
        ),
        (
            "a cookie by another key",
            Box::new(same),
            Box::new(|cookie| Some(cookie.replacen("first.", "second.", 1))),
            400,
            "sealed-text-key-unknown",
        ),
        ("a cookie that is none", Box::new(same), Box::new(|_| Some("x".to_owned())), 400, "sealed-text-malformed"),
        ("another state", Box::new(|back| with(back, "state", Some("evil"))), Box::new(kept), 400, "state-mismatch"),
        ("no state", Box::new(|back| with(back, "state", None)), Box::new(kept), 400, "state-mismatch"),
        ("two states", Box::new(|back| format!("{back}&state=evil")), Box::new(kept), 400, "request-unreadable"),
        ("no code", Box::new(|back| with(back, "code", None)), Box::new(kept), 400, "request-unreadable"),
        ("two codes", Box::new(|back| format!("{back}&code=evil")), Box::new(kept), 400, "request-unreadable"),
        ("another code", Box::new(|back| with(back, "code", Some("evil"))), Box::new(kept), 400, "sign-in-refused"),
        (
            "a refusal",
            Box::new(|back| with(back, "error", Some("access_denied"))),
            Box::new(kept),
            403,
            "sign-in-denied",
        ),
        (
            "a refusal of no kind",
            Box::new(|back| with(back, "error", Some("<script>evil</script>"))),
            Box::new(kept),
            400,
            "sign-in-refused",
        ),
        (
            "trouble of Entra ID's",
            Box::new(|back| with(back, "error", Some("server_error"))),
            Box::new(kept),
            503,
            "entra-id-not-reached",
        ),
    ];
    for (what, address, cookie, status, expected) in rows {
        let mut browser = Browser::new(&system);
        let begun = browser.get("/sign-in").await;
        let back = browser.at_entra_id(&begun.location, Person::admin_agent(TENANT)).await;
        let sealed = browser.cookies.remove("__Host-sign-in").unwrap();
        browser.cookies.extend(cookie(&sealed).map(|cookie| ("__Host-sign-in".to_owned(), cookie)));
        let _ = lines.take();
        let page = browser.get(&address(&back)).await;
        assert_eq!(reason(&lines), expected, "{what}");
        assert_plain(&page, status);
        assert!(page.set_cookies[0].starts_with("__Host-sign-in=;"), "{what}: a trip is for one use");
    }
    assert!(system.items("partner-alerts-sessions").await.is_empty());
}

#[tokio::test]
async fn a_trip_ends_after_ten_minutes_and_a_code_after_its_first_use() {
    let lines = Lines::capture("info");
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    let begun = browser.get("/sign-in").await;
    let back = browser.at_entra_id(&begun.location, Person::admin_agent(TENANT)).await;
    let sealed = browser.cookies["__Host-sign-in"].clone();
    system.clock.advance(jiff::SignedDuration::from_secs(599));
    assert_eq!(browser.get(back.as_str()).await.status, 303);
    let mut thief = Browser::new(&system);
    thief.cookies.insert("__Host-sign-in".to_owned(), sealed.clone());
    assert_plain(&thief.get(back.as_str()).await, 400);
    assert_eq!(reason(&lines), "sign-in-refused");
    system.clock.advance(jiff::SignedDuration::from_secs(1));
    thief.cookies.insert("__Host-sign-in".to_owned(), sealed);
    assert_plain(&thief.get(back.as_str()).await, 400);
    assert_eq!(reason(&lines), "sealed-text-expired");
}

#[tokio::test]
async fn a_session_cookie_is_no_trip_and_a_trip_is_no_session() {
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    browser.get("/sign-in").await;
    let sealed = browser.cookies["__Host-sign-in"].clone();
    browser.cookies.insert("__Host-session".to_owned(), sealed);
    assert_eq!(browser.get("/sign-in/me").await.status, 403);
}

#[tokio::test]
async fn nobody_is_sent_elsewhere_after_signing_in() {
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    for hostile in [
        "//evil.example",
        "%2F%2Fevil.example",
        "/%5Cevil.example",
        "https:evil.example",
        "/a%0d%0aSet-Cookie:x=y",
        "/sign-out",
    ] {
        let back = browser.sign_in(Person::admin_agent(TENANT), &format!("?return={hostile}")).await;
        assert_eq!((back.status, back.location.as_str()), (303, "/"), "{hostile}");
    }
    // A host that a request claims decides nothing either.
    let begun =
        browser.send(Method::GET, "/sign-in", &[("host", "evil.example"), ("x-forwarded-host", "evil.example")]).await;
    assert!(!begun.location.contains("evil"), "{}", begun.location);
}

#[tokio::test]
async fn a_tenant_that_is_not_ours_gets_nobody_in() {
    let lines = Lines::capture("info");
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    for tenant in ["common", "organizations", "5e5e5e5e-1111-4222-8333-444444444444", "evil.example", ""] {
        assert_plain(&browser.get(&format!("/sign-in?tenant={tenant}")).await, 403);
        assert_eq!(reason(&lines), "tenant-not-allowed", "{tenant}");
    }
    assert_eq!(browser.get(&format!("/sign-in?tenant={TENANT}")).await.status, 303);
    assert_plain(&browser.get(&format!("/sign-in?tenant={TENANT}&tenant={TENANT}")).await, 400);
    assert_eq!(system.microsoft.requests().discovery, 1);
}

#[tokio::test]
async fn nobody_is_told_that_they_are_out_who_may_not_be_and_what_can_be_read_has_ended() {
    let lines = Lines::capture("info");
    let system = ByHand::start().await;
    let own = system.test.system.origin().to_owned();
    let other = format!("__Host-session={}", "A".repeat(43));
    for (beside, says, status, expected) in [
        (other.as_bytes(), "You may still be signed in", 400, "repeated-proof"),
        (b"__Host-session=\xff", "You may still be signed in", 400, "repeated-proof"),
        (b"a=\xff", "You are signed out", 200, ""),
    ] {
        let mut browser = Browser::new(&system);
        browser.sign_in(Person::admin_agent(TENANT), "").await;
        let session = format!("__Host-session={}", browser.session().unwrap());
        browser.cookies.clear();
        let cookies = [beside, b"; ", session.as_bytes()].concat();
        let cookies = reqwest::header::HeaderValue::from_bytes(&cookies).unwrap();
        let _ = lines.take();
        let out = browser.send_with(Method::POST, "/sign-out", &[("origin", &own)], cookies).await;
        assert_eq!((out.status, out.text.contains(says)), (status, true), "{expected}: {}", out.text);
        assert!(out.set_cookies[0].starts_with("__Host-session=;"), "{:?}", out.set_cookies);
        if !expected.is_empty() {
            assert_eq!(reason(&lines), expected);
        }
        assert!(system.items("partner-alerts-sessions").await.is_empty(), "{expected}: the session has ended");
    }
}

#[tokio::test]
async fn a_cookie_that_is_no_text_keeps_nobody_from_signing_in() {
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    let begun = browser.get("/sign-in").await;
    let back = browser.at_entra_id(&begun.location, Person::admin_agent(TENANT)).await;
    let trip = format!("__Host-sign-in={}", browser.cookies.remove("__Host-sign-in").unwrap());
    let cookies = [b"a=\xff; ".as_slice(), trip.as_bytes()].concat();
    let cookies = reqwest::header::HeaderValue::from_bytes(&cookies).unwrap();
    assert_eq!(browser.send_with(Method::GET, back.as_str(), &[], cookies).await.status, 303);
    assert!(browser.session().is_some());
}

/// A table without sessions that notes what is asked of it, and no secret.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<&'static str>>>);

impl KeepSessions for Asked {
    async fn put_session(&self, _: &SessionKey, _: &Session) -> Result<(), StoreError> {
        self.0.lock().unwrap().push("put");
        Ok(())
    }

    async fn has_session(&self, _: &SessionKey) -> Result<bool, StoreError> {
        self.0.lock().unwrap().push("read");
        Ok(false)
    }

    async fn delete_session(&self, _: &SessionKey) -> Result<(), StoreError> {
        self.0.lock().unwrap().push("delete");
        Ok(())
    }
}

impl ReadSecret for Asked {
    async fn read(&self, _: &str) -> Result<SecretString, SecretError> {
        Err(SecretError::Awaited)
    }
}

#[tokio::test]
async fn a_stranger_who_signs_out_of_what_never_was_costs_four_reads_at_most_and_no_write() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let asked = Asked::default();
    let origin: Origin = "https://alerts.example".parse().unwrap();
    let issuers = Issuers::new("https://login.example", vec![TENANT.parse().unwrap()]).unwrap();
    #[expect(clippy::disallowed_methods, reason = "it is asked for nothing")]
    let entra = EntraId::new(reqwest::Client::new(), issuers, String::new(), &origin);
    let names = SecretNames { client: String::new(), sealing: String::new() };
    let clock = Arc::new(runtime::FixedClock::at(jiff::Timestamp::UNIX_EPOCH));
    let sign_in = SignIn::new(asked.clone(), (asked.clone(), names), entra, origin, clock, Arc::new(|| [0; 32]));
    for (sessions, reads) in [(1, 1), (10, 4)] {
        let cookies: Vec<_> = (0..sessions).map(|n| format!("__Host-session={}{n}A", "B".repeat(41))).collect();
        let request = http::Request::post("/sign-out").header("origin", "https://alerts.example");
        let request = request.header("cookie", cookies.join("; ")).body(bytes::Bytes::new()).unwrap();
        let _ = sign_in.answer(request).await;
        assert_eq!(std::mem::take(&mut *asked.0.lock().unwrap()), vec!["read"; reads]);
    }
}

#[tokio::test]
async fn no_other_site_signs_anybody_out() {
    let lines = Lines::capture("info");
    let system = ByHand::start().await;
    let own = system.test.system.origin().to_owned();
    let mut browser = Browser::new(&system);
    browser.sign_in(Person::admin_agent(TENANT), "").await;
    for (headers, expected) in [
        (&[][..], "origin-missing"),
        (&[("origin", "null")], "origin-foreign"),
        (&[("origin", "https://evil.example")], "origin-foreign"),
        (&[("origin", own.as_str()), ("sec-fetch-site", "cross-site")], "fetch-site-foreign"),
        (&[("origin", own.as_str()), ("origin", "https://evil.example")], "origin-foreign"),
    ] {
        let page = browser.send(Method::POST, "/sign-out", headers).await;
        assert_eq!((page.status, page.set_cookies.len()), (403, 0), "{headers:?}");
        assert_eq!(reason(&lines), expected, "{headers:?}");
    }
    assert_eq!(browser.send(Method::GET, "/sign-out", &[]).await.status, 405);
    assert_eq!(browser.get("/sign-in/me").await.status, 200, "still there");
}
