//! A person at a browser signs in for operations that wait for their token.

use std::collections::BTreeMap;

use models::SubscriptionStage;
use reqwest::{Method, Url};
use secrecy::ExposeSecret as _;
use serde_json::json;
use simulator::{ErrorBody, Fault, FaultKind, Person, RetryAfter, Target};
use tests::{ByHand, CLIENT_ID, Lines, TENANT};

use crate::{
    browser::{Browser, Page},
    requests::Asker,
    support::{BOTH, CUSTOMER, NAME, OTHER, SUBSCRIPTION, kept, lines, stage, system, with_roles},
};

const OWN: [(&str, &str); 1] = [("sec-fetch-site", "same-origin")];

fn ada() -> Person {
    Person::global_administrator(TENANT)
}

/// The path on which somebody signs in for a cancellation that was just asked for, and its operation.
async fn asked(system: &ByHand, key: &str) -> (String, models::OperationId) {
    let path = format!("/tenants/{TENANT}/subscriptions/{SUBSCRIPTION}/cancel");
    let (status, asked) = Asker::new(system, &ada()).post(&path, key, &json!({ "name": NAME })).await;
    assert_eq!(status, 202, "{asked}");
    (asked["step_up"].as_str().unwrap().to_owned(), asked["operation"].as_str().unwrap().parse().unwrap())
}

async fn signed_in(system: &ByHand, person: Person) -> Browser<'_> {
    let mut browser = Browser::new(system);
    assert_eq!(browser.sign_in(person, "").await.status, 303);
    browser
}

async fn shown(browser: &mut Browser<'_>, path: &str) -> Page {
    browser.send(Method::GET, path, &OWN).await
}

/// The page is opened, and its form sent.
async fn begun(browser: &mut Browser<'_>, path: &str) -> Page {
    shown(browser, path).await;
    browser.post(path).await
}

/// The cookies of the trips that are under way.
fn trips(browser: &Browser<'_>) -> Vec<(String, String)> {
    let is_trip = |(name, _): &(&String, &String)| name.starts_with("__Host-step-up-");
    browser.cookies.iter().filter(is_trip).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[tokio::test]
async fn a_person_signs_in_anew_and_microsoft_is_told_in_the_same_request() {
    let logged = Lines::capture("trace");
    let system = system().await;
    let (path, operation) = asked(&system, "k").await;
    let mut browser = signed_in(&system, ada()).await;
    let page = shown(&mut browser, &path).await;
    assert_eq!((page.status, page.set_cookies.len()), (200, 0), "{}", page.text);
    let asker = ada().name;
    for part in [TENANT, CUSTOMER, "Customer 4a8f2d61", SUBSCRIPTION, NAME, &asker, "everything in it stops"] {
        assert!(page.text.contains(part), "{part} is not in {}", page.text);
    }
    let form = format!("<form method=\"post\" action=\"{}\">", path.replace('&', "&amp;"));
    assert!(page.text.contains(&form), "{}", page.text);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    let allowed = format!("form-action 'self' {}", system.microsoft.microsoft_url());
    assert!(policy.starts_with("default-src 'none';") && policy.ends_with(&allowed), "{policy}");
    assert_eq!(page.headers["referrer-policy"], "same-origin", "or browsers would send no Origin with the form");
    let off = begun(&mut browser, &path).await;
    assert_eq!(off.status, 303, "{}", off.text);
    let address: Url = off.location.parse().unwrap();
    let query: BTreeMap<_, _> = address.query_pairs().into_owned().collect();
    let back = format!("{}/sign-in/step-up/callback", system.test.system.origin());
    let scope = format!("{}/.default openid profile", system.microsoft.partner_center_url());
    for (name, value) in [
        ("client_id", CLIENT_ID),
        ("response_type", "code"),
        ("prompt", "login"),
        ("redirect_uri", &back),
        ("scope", &scope),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(query[name], value, "{name}");
    }
    let (cookie, sealed) = trips(&browser).remove(0);
    assert!(off.set_cookies[0].ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"));
    assert!(!sealed.contains(&query["state"]) && !sealed.contains(operation.as_str()));

    let returned = browser.at_entra_id(&off.location, ada()).await;
    let page = browser.get(returned.as_str()).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(
        page.text.replace("<wbr>", "").contains(operation.as_str()) && page.text.contains("Microsoft took it on"),
        "{}",
        page.text
    );
    assert!(page.set_cookies[0].starts_with(&format!("{cookie}=; ")) && trips(&browser).is_empty());
    assert_eq!(stage(&kept(&system, &operation).await), SubscriptionStage::Posted);
    let acts = system.microsoft.subscription_acts();
    assert_eq!((acts.len(), acts[0].by.as_str()), (1, ada().name.as_str()));

    // The way back leads nowhere a second time, with the cookie or without.
    assert_eq!(browser.get(returned.as_str()).await.status, 400);
    browser.cookies.insert(cookie, sealed.clone());
    assert_eq!(browser.get(returned.as_str()).await.status, 400, "a code is good once");
    assert_eq!(system.microsoft.subscription_acts().len(), 1);

    let logged = logged.take();
    assert!(logged.contains("step-up-run-out"), "{logged}");
    let own = crate::support::token(&system, ada()).await;
    let claims = own.expose_secret().split('.').nth(1).unwrap()[..60].to_owned();
    let code = returned.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    for secret in [&sealed, &query["state"], &query["nonce"], &code, &claims] {
        assert!(!logged.contains(secret.as_str()), "{secret} is in the log");
    }
    let tables = system.test.system.tables();
    for table in [&tables.activity, &tables.alerts, &tables.tenants, &tables.sessions] {
        assert!(!format!("{:?}", system.items(table).await).contains(&claims));
    }
}

#[tokio::test]
async fn nobody_is_led_into_it_by_another_site_or_without_session_role_or_an_operation() {
    let system = system().await;
    let (path, _) = asked(&system, "k").await;
    let mut nobody = Browser::new(&system);
    assert_eq!(begun(&mut nobody, &path).await.status, 401);
    let mut agent = signed_in(&system, Person::admin_agent(TENANT)).await;
    assert_eq!(begun(&mut agent, &path).await.status, 403);
    let mut browser = signed_in(&system, ada()).await;
    for site in [&[("sec-fetch-site", "cross-site")][..], &[("sec-fetch-site", "same-site")], &[]] {
        assert_eq!(browser.send(Method::GET, &path, site).await.status, 403, "{site:?}");
    }
    let own = system.test.system.origin().to_owned();
    for from in [
        &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")][..],
        &[("origin", &own), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "none")],
        &[],
    ] {
        assert_eq!(browser.send(Method::POST, &path, from).await.status, 403, "{from:?}: no session counts");
    }
    let from_us = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    let other = "0".repeat(64);
    for path in [
        format!("/sign-in/step-up?tenant={TENANT}&operation={other}"),
        format!("/sign-in/step-up?tenant={TENANT}"),
        "/sign-in/step-up".to_owned(),
        format!("{path}&operation={other}"),
        path.replace(TENANT, "0a0a0a0a-1111-4222-8333-444444444444"),
    ] {
        for (method, from) in [(Method::GET, &OWN[..]), (Method::POST, &from_us)] {
            let page = browser.send(method, &path, from).await;
            assert_eq!((page.status, page.location.as_str()), (404, ""), "{path}");
        }
    }
    assert_eq!(trips(&browser), []);
    assert_eq!(begun(&mut browser, &path).await.status, 303, "and from our own page it goes");
    assert!(system.microsoft.subscription_acts().is_empty());
}

#[tokio::test]
async fn whoever_comes_back_as_somebody_else_or_from_elsewhere_or_says_no_has_done_nothing() {
    let system = system().await;
    let (path, operation) = asked(&system, "k").await;
    let mut browser = signed_in(&system, ada()).await;

    let off = begun(&mut browser, &path).await;
    let other = Person { name: "eve@contoso.example".to_owned(), ..ada() };
    let back = browser.at_entra_id(&off.location, other).await;
    assert_eq!(browser.get(back.as_str()).await.status, 403, "the token of another person");
    let off = begun(&mut browser, &path).await;
    let lacking = Person { roles: vec![simulator::Role::AdminAgent], ..ada() };
    let back = browser.at_entra_id(&off.location, lacking).await;
    assert_eq!(browser.get(back.as_str()).await.status, 403, "without the role");

    let off = begun(&mut browser, &path).await;
    let back = browser.at_entra_id(&off.location, ada()).await;
    let state = back.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let forged = back.as_str().replace(&state, &"A".repeat(43));
    assert_eq!(browser.get(&forged).await.status, 400, "of another trip");
    let off = begun(&mut browser, &path).await;
    let back = browser.at_entra_id(&off.location, ada()).await;
    let (cookie, sealed) = trips(&browser).into_iter().find(|(name, _)| off.set_cookies[0].starts_with(name)).unwrap();
    let mut other_browser = signed_in(&system, Person { name: "eve@contoso.example".to_owned(), ..ada() }).await;
    other_browser.cookies.insert(cookie.clone(), sealed.clone());
    let refused = other_browser.get(back.as_str()).await;
    assert_eq!(refused.status, 403, "somebody else is signed in here");
    assert!(
        refused.text.contains("somebody else is signed in here by now"),
        "before the code is spent: {}",
        refused.text
    );
    let mut signed_out = Browser::new(&system);
    signed_out.cookies.insert(cookie, sealed);
    assert_eq!(signed_out.get(back.as_str()).await.status, 401);

    system.clock.advance(jiff::SignedDuration::from_mins(11));
    assert_eq!(browser.get(back.as_str()).await.status, 400, "after ten minutes");
    let off = begun(&mut browser, &path).await;
    let denied = off.location.parse::<Url>().unwrap();
    let state = denied.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let denied = format!("/sign-in/step-up/callback?error=access_denied&state={state}");
    let said_no = browser.get(&denied).await;
    assert_eq!(said_no.status, 403, "the person said no");
    let again = format!("<a href=\"{}\">Begin again</a>", path.replace('&', "&amp;"));
    assert!(said_no.text.contains(&again), "{}", said_no.text);

    assert!(system.microsoft.subscription_acts().is_empty());
    assert!(kept(&system, &operation).await.needs_person());
    let written = lines(&system).await;
    assert_eq!(written.len(), 2, "{written:?}");
}

#[tokio::test]
async fn what_somebody_else_asked_for_is_shown_and_done_only_after_a_wish_of_ones_own() {
    let system = system().await;
    let (path, operation) = asked(&system, "k").await;
    let eve = with_roles("eve@contoso.example", &BOTH);
    let mut browser = signed_in(&system, eve.clone()).await;
    let page = shown(&mut browser, &path).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("somebody else") && page.text.contains(NAME), "{}", page.text);
    assert!(!page.text.contains("<form") && page.text.contains(&ada().name), "{}", page.text);
    let by_hand = [("origin", system.test.system.origin()), ("sec-fetch-site", "same-origin")];
    assert_eq!(browser.send(Method::POST, &path, &by_hand).await.status, 404, "without a form");

    let wish = format!("/tenants/{TENANT}/subscriptions/{SUBSCRIPTION}/cancel");
    let asker = Asker::new(&system, &eve);
    for _ in 0..2 {
        let (status, taken) = asker.post(&wish, "eves", &json!({ "name": NAME })).await;
        assert_eq!((status, taken["operation"].as_str()), (202, Some(operation.as_str())), "{taken}");
    }
    assert_eq!(asker.post(&wish, "x", &json!({ "name": "another" })).await.0, 422, "the name has to be typed");
    let off = begun(&mut browser, &path).await;
    let back = browser.at_entra_id(&off.location, eve.clone()).await;
    assert_eq!(browser.get(back.as_str()).await.status, 200);
    assert_eq!(system.microsoft.subscription_acts()[0].by, eve.name);
    let wishes: Vec<_> = lines(&system).await.into_iter().filter(|line| line.contains("asked")).collect();
    assert_eq!(wishes.len(), 2, "{wishes:?}");
    assert!(wishes[1].starts_with("eve"), "{wishes:?}");
}

#[tokio::test]
async fn what_microsoft_says_when_it_refuses_is_on_the_page_and_the_operation_waits() {
    let logged = Lines::capture("trace");
    let system = system().await;
    let (path, operation) = asked(&system, "k").await;
    let mut browser = signed_in(&system, ada()).await;
    let fault = FaultKind::Answer { status: 418, body: ErrorBody::PartnerCenter, retry_after: RetryAfter::Absent };
    system.microsoft.set_fault(Fault::new(Target::AzureEntitlementCancel, fault)).unwrap();
    let off = begun(&mut browser, &path).await;
    let back = browser.at_entra_id(&off.location, ada()).await;
    let page = browser.get(back.as_str()).await;
    let kept_one = kept(&system, &operation).await;
    let refusal = kept_one.refusal.clone().unwrap();
    let said = refusal.description.as_ref().unwrap().as_str();
    assert!(page.text.contains(&refusal.code) && page.text.contains("I'm a teapot"), "{}", page.text);
    assert_eq!(said, "I'm a teapot");
    assert!(page.text.contains("What to do:"), "{}", page.text);
    assert!(kept_one.needs_person(), "it waits for another sign-in");
    assert!(page.text.contains("<a href=\"/\">"), "{}", page.text);
    assert!(lines(&system).await.last().unwrap().contains(&format!("refused {}", refusal.code)));
    assert!(!logged.take().contains(said), "Microsoft's words are in no log");
    let again = shown(&mut browser, &path).await;
    assert!(again.text.contains(&refusal.code), "{}", again.text);
}

#[tokio::test]
async fn two_trips_at_the_same_time_do_not_break_each_other() {
    let system = system().await;
    let (path, _) = asked(&system, "k").await;
    let mut browser = signed_in(&system, ada()).await;
    let first = begun(&mut browser, &path).await;
    let first = browser.at_entra_id(&first.location, ada()).await;
    let second = begun(&mut browser, &path).await;
    assert_eq!(trips(&browser).len(), 2);
    assert_eq!(browser.get("/sign-in/step-up/callback?state=of-nobody-at-all&code=x").await.status, 400);
    assert_eq!(trips(&browser).len(), 2, "a visit that is of no trip ends none");
    assert_eq!(browser.get(first.as_str()).await.status, 200);
    let second = browser.at_entra_id(&second.location, ada()).await;
    assert_eq!(browser.get(second.as_str()).await.status, 200);
    assert_eq!(system.microsoft.subscription_acts().len(), 1);
}

#[tokio::test]
async fn a_browser_forgets_the_trips_that_nobody_comes_back_from() {
    let system = system().await;
    let (path, _) = asked(&system, "k").await;
    let mut browser = signed_in(&system, ada()).await;
    // Of a neighbouring host, or of another thing of ours.
    browser.cookies.insert("__Host-step".to_owned(), "x".to_owned());
    let mut most = 0;
    for _ in 0..20 {
        let before = trips(&browser);
        assert_eq!(begun(&mut browser, &path).await.status, 303);
        let bytes =
            |trips: &[(String, String)]| trips.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let now = trips(&browser);
        assert_eq!(now.len(), if bytes(&before) < 5_000 { before.len() + 1 } else { 1 });
        assert!(bytes(&now) < 6_500, "with the others they have to fit into 10,240: {}", bytes(&now));
        most = most.max(now.len());
    }
    assert!((3..20).contains(&most), "{most}");
    assert!(browser.cookies.contains_key("__Host-step") && browser.session().is_some());
    let off = begun(&mut browser, &path).await;
    let back = browser.at_entra_id(&off.location, ada()).await;
    assert_eq!(browser.get(back.as_str()).await.status, 200, "the last one leads back");
}

#[tokio::test]
async fn a_form_that_asks_for_it_leads_on_to_the_page_of_signing_in() {
    let system = system().await;
    let mut browser = signed_in(&system, ada()).await;
    browser.get("/sign-in/me").await;
    let route = format!("/api/v1/tenants/{TENANT}/subscriptions/{SUBSCRIPTION}/cancel");
    let wrong = [("name", "another name"), ("idempotency-key", "a"), ("return", "/alerts")];
    let page = browser.post_form(&route, &wrong).await;
    assert_eq!(page.status, 422, "{}", page.text);
    assert!(page.text.contains("<a href=\"/alerts\">Back</a>"), "{}", page.text);
    let page = browser.post_form(&route, &[("name", NAME), ("note", ""), ("idempotency-key", "b")]).await;
    assert_eq!(page.status, 303, "{}", page.text);
    assert!(page.location.starts_with(&format!("/sign-in/step-up?tenant={TENANT}&operation=")), "{}", page.location);
}

#[tokio::test]
async fn a_form_about_many_shows_those_that_do_not_go_on() {
    let system = system().await;
    let mut browser = signed_in(&system, ada()).await;
    browser.get("/sign-in/me").await;
    let (one, other) = (format!("{TENANT}/{SUBSCRIPTION}"), format!("{TENANT}/{OTHER}"));
    let bulk = "/api/v1/subscriptions/cancel";
    let fields = [("subscriptions", one.as_str()), ("names", NAME), ("subscriptions", &other), ("names", "")];
    let page = browser.post_form(bulk, &[&fields[..], &[("idempotency-key", "a")]].concat()).await;
    assert_eq!(page.status, 422, "a name that was left empty is no name of another: {}", page.text);
    let fields = [&fields[..3], &[("names", "wrong"), ("idempotency-key", "b")]].concat();
    let page = browser.post_form(bulk, &fields).await;
    assert_eq!(page.status, 200, "{}", page.text);
    for part in ["It waits for you to sign in for it.", "Sign in for what waits, 1 of 1", OTHER, "it is not what the"] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let fields = [("subscriptions", other.as_str()), ("names", "Subscription 11112222"), ("idempotency-key", "c")];
    let page = browser.post_form(bulk, &fields).await;
    assert_eq!(page.status, 303, "{}", page.text);
    assert!(page.location.starts_with("/sign-in/step-up?"), "{}", page.location);
}

#[tokio::test]
async fn a_form_that_is_sent_again_after_it_was_given_up_says_so() {
    let system = system().await;
    let mut browser = signed_in(&system, ada()).await;
    browser.get("/sign-in/me").await;
    let single = format!("/api/v1/tenants/{TENANT}/subscriptions/{SUBSCRIPTION}/cancel");
    let other = format!("{TENANT}/{OTHER}");
    let named = [("name", NAME), ("idempotency-key", "a")];
    let many = [("subscriptions", other.as_str()), ("names", "Subscription 11112222"), ("idempotency-key", "b")];
    for (route, fields) in [(single.as_str(), &named[..]), ("/api/v1/subscriptions/cancel", &many)] {
        assert!(browser.post_form(route, fields).await.location.starts_with("/sign-in/step-up?"));
    }
    for _ in 0..2 {
        system.clock.advance(jiff::SignedDuration::from_mins(40));
        browser.get("/sign-in/me").await;
    }
    crate::support::sweep(&system).await;
    for (route, fields) in [(single.as_str(), &named[..]), ("/api/v1/subscriptions/cancel", &many)] {
        let page = browser.post_form(route, fields).await;
        assert_eq!((page.status, page.location.as_str()), (200, ""), "{route}");
        assert!(page.text.contains("It was given up: ask for it anew."), "{}", page.text);
    }
}
