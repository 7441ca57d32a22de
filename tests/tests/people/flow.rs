//! A whole sign-in: browser, gateway, functions, table, and the stand-in for Entra ID.

use simulator::Person;
use tests::{ByHand, CLIENT_ID, Lines, TENANT, text};

use crate::browser::Browser;

#[tokio::test]
async fn a_person_signs_in_sees_what_they_may_do_and_signs_out() {
    let system = ByHand::start().await;
    for (person, says) in [
        (Person::admin_agent(TENANT), "<li>resolve alerts, see alerts, of all tenants</li></ul>".to_owned()),
        (
            Person::global_administrator(TENANT),
            format!(
                "<li>resolve alerts, see alerts, of all tenants</li><li>cancel subscriptions, of tenant {TENANT}</li></ul>"
            ),
        ),
        (Person::reader(TENANT), "You have no role".to_owned()),
    ] {
        let mut browser = Browser::new(&system);
        let asked = browser.get("/sign-in/me").await;
        assert_eq!((asked.status, asked.location.as_str()), (303, "/sign-in"));
        let name = person.name.clone();
        let back = browser.sign_in(person, "").await;
        assert_eq!((back.status, back.location.as_str()), (303, "/"), "{}", back.text);
        let me = browser.get("/sign-in/me").await;
        assert!(me.status == 200 && me.text.contains(&name) && me.text.contains(&says), "{}", me.text);
        let out = browser.post("/sign-out").await;
        assert_eq!(out.status, 200);
        assert_eq!(browser.session(), None);
        assert_eq!(browser.get("/sign-in/me").await.status, 303);
    }
    assert!(system.items("partner-alerts-sessions").await.is_empty());
}

#[tokio::test]
async fn whoever_has_signed_out_is_asked_at_entra_id_who_signs_in_next_and_is_not_asked_again_after_that() {
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    let asks = |location: &str| location.contains("prompt=select_account");
    let first = browser.sign_in(Person::admin_agent(TENANT), "").await;
    assert_eq!(first.set_cookies.len(), 2, "nothing beside the session and the trip that is over");
    assert!(!asks(&browser.get("/sign-in").await.location));
    browser.get("/sign-in/me").await;
    let out = browser.post("/sign-out").await;
    assert!(out.text.contains("You are signed out") && out.text.contains("still be signed in at Microsoft"));
    assert_eq!(out.headers["referrer-policy"], "no-referrer");
    let cookie = "__Host-signed-out=1; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=28800";
    assert!(out.set_cookies.iter().any(|set| set == cookie), "{:?}", out.set_cookies);
    assert!(asks(&browser.get("/sign-in").await.location));
    assert_eq!(browser.sign_in(Person::admin_agent(TENANT), "").await.status, 303);
    assert!(!asks(&browser.get("/sign-in").await.location));
}

#[tokio::test]
async fn a_browser_is_sent_to_entra_id_with_a_proof_of_its_own_and_back_with_a_session_under_a_new_id() {
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    let begun = browser.get("/sign-in?return=/alerts%3Fstate=open").await;
    let address: reqwest::Url = begun.location.parse().unwrap();
    let asked: std::collections::BTreeMap<_, _> = address.query_pairs().into_owned().collect();
    let base = format!("{}/{TENANT}/oauth2/v2.0/authorize?", system.microsoft.microsoft_url());
    assert!(begun.location.starts_with(&base), "{}", begun.location);
    let back = format!("{}/sign-in/callback", system.test.system.origin());
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", &back),
        ("scope", "openid profile"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked[name], value, "{name}");
    }
    assert!(["state", "nonce", "code_challenge"].iter().all(|name| asked[*name].len() == 43));
    let cookie = &begun.set_cookies[0];
    assert!(cookie.starts_with("__Host-sign-in=first."), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"), "{cookie}");
    assert!(!cookie.contains(&asked["state"]) && !cookie.contains("alerts"));

    let back = browser.at_entra_id(&begun.location, Person::admin_agent(TENANT)).await;
    let landed = browser.get(back.as_str()).await;
    assert_eq!(landed.location, "/alerts?state=open");
    assert!(landed.set_cookies[0].ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=28800"));
    assert_eq!(landed.set_cookies[1], "__Host-sign-in=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    let items = system.items("partner-alerts-sessions").await;
    let id = browser.session().unwrap();
    assert_eq!(items.len(), 1);
    assert!(!format!("{items:?}").contains(id), "whoever reads the table can act as nobody");
    assert_eq!(text(&items[0], "pk").len(), 64);

    // Somebody who had put their own id there gains nothing, and another sign-in ends the session of before.
    let first = id.to_owned();
    browser.sign_in(Person::global_administrator(TENANT), "").await;
    assert_ne!(browser.session().unwrap(), first);
    assert_eq!(system.items("partner-alerts-sessions").await.len(), 1);
    browser.cookies.insert("__Host-session".to_owned(), first);
    assert_eq!(browser.get("/sign-in/me").await.status, 303);
}

#[tokio::test]
async fn a_sign_in_leaves_no_secret_in_the_logs_and_every_answer_has_the_same_headers() {
    let lines = Lines::capture("trace");
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    let begun = browser.get("/sign-in").await;
    let sealed = browser.cookies["__Host-sign-in"].clone();
    let back = browser.at_entra_id(&begun.location, Person::admin_agent(TENANT)).await;
    let landed = browser.get(back.as_str()).await;
    let me = browser.get("/sign-in/me").await;
    let bearer = system.microsoft.access_token(TENANT, &Person::admin_agent(TENANT)).unwrap();
    let by_token = Browser::new(&system)
        .send(reqwest::Method::GET, "/sign-in/me", &[("authorization", &format!("Bearer {bearer}"))])
        .await;
    assert_eq!(by_token.status, 200);
    let again = browser.get(back.as_str()).await;
    let foreign = browser.send(reqwest::Method::POST, "/sign-out", &[("origin", "https://evil.example")]).await;
    let missing = browser.send(reqwest::Method::PUT, "/sign-out", &[]).await;
    assert_eq!([again.status, foreign.status, missing.status], [400, 403, 405]);
    for page in [&begun, &landed, &me, &again, &foreign] {
        let header = |name: &str| page.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-content-type-options"), "nosniff");
        // Where a code may stand in the address nobody hears of it; a page with a form has to say whose it is.
        let policy = if page.text.contains("<form") { "same-origin" } else { "no-referrer" };
        assert_eq!(header("referrer-policy"), policy);
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    }
    let pairs: Vec<String> = back.query_pairs().map(|(_, value)| value.into_owned()).collect();
    let secrets = [sealed, browser.session().unwrap().to_owned(), bearer].into_iter().chain(pairs);
    let logged = lines.take();
    assert!(logged.contains("sealed-text") || logged.contains("no-trip"), "the refusals are there: {logged}");
    for secret in secrets.filter(|secret| secret.len() > 20) {
        assert!(!logged.contains(&secret), "{secret} is in {logged}");
    }
    assert!(!logged.contains("admin.agent"), "no name of a person");
}
