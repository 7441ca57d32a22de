//! The pages on which a person at a browser asks for cancellations.

use std::collections::BTreeMap;

use simulator::{CustomerChange, ErrorBody, Fault, FaultKind, NewAlert, Person, RetryAfter, SubscriptionRules, Target};
use tests::{ByHand, TENANT};

use crate::{
    browser::{Browser, Page},
    support::{CUSTOMER, NAME, OTHER, SUBSCRIPTION, lines, raise, system},
};

const STRANGE: &str = "0a0a0a0a-1111-4222-8333-444444444444";
const SEVERAL: &str = "/subscriptions/cancellation";
/// The page that people come from.
const BACK: &str = "/alerts/x?view=severity%3Dhigh";
/// What a customer may call things.
const HOSTILE: &str = "</title><script>alert(1)</script>\"><img src=x onerror=alert(2)> \u{202e}{{7*7}}";

fn ada() -> Person {
    Person::global_administrator(TENANT)
}

async fn browser(system: &ByHand, person: Person) -> Browser<'_> {
    let mut browser = Browser::new(system);
    assert_eq!(browser.sign_in(person, "").await.status, 303);
    browser.get("/sign-in/me").await;
    browser
}

/// The page about one subscription, of somebody who comes from a page of ours.
fn one(tenant: &str, subscription: &str) -> String {
    let back: String = form_urlencoded::byte_serialize(BACK.as_bytes()).collect();
    format!("/subscriptions/{tenant}/{subscription}/cancel?return={back}")
}

/// The page about those of these alerts.
async fn several(browser: &mut Browser<'_>, alerts: &[String]) -> Page {
    let alerts = alerts.iter().map(|alert| ("alerts", alert.as_str()));
    let fields: Vec<_> = [("return", "/?severity=high"), ("idempotency-key", "x")].into_iter().chain(alerts).collect();
    browser.post_form(SEVERAL, &fields).await
}

fn alert(id: &str) -> String {
    format!("{TENANT}/1/{id}")
}

/// What the fields of a page hold under a name, as they would be sent.
fn fields(page: &Page, name: &str) -> Vec<String> {
    let marked = format!("name=\"{name}\" value=\"");
    page.text.split(&marked).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

fn is_ours(page: &Page) {
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none';") && policy.ends_with("form-action 'self'"), "{policy}");
    assert_eq!((page.headers["cache-control"].as_bytes(), page.text.matches("<script").count()), (&b"no-store"[..], 1));
    assert!(page.text.contains("<nav aria-label=\"Places\">"), "{}", page.text);
}

#[tokio::test]
async fn a_person_sees_what_ends_and_asks_for_it_by_its_name() {
    let system = system().await;
    let mut browser = browser(&system, ada()).await;
    let page = browser.get(&one(TENANT, SUBSCRIPTION)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    is_ours(&page);
    for part in [NAME, SUBSCRIPTION, "Customer 4a8f2d61", CUSTOMER, "active", "Azure plan", "Everything in it stops"] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert_eq!(page.text.matches("last observed").count(), 2, "its open alerts, and none of another: {}", page.text);
    let action = format!("action=\"/api/v1/tenants/{TENANT}/subscriptions/{SUBSCRIPTION}/cancel\"");
    assert!(page.text.contains(&action), "{}", page.text);
    assert_eq!(fields(&page, "return"), [BACK]);
    assert!(lines(&system).await.is_empty(), "to look at it begins nothing");

    let route = format!("/api/v1/tenants/{TENANT}/subscriptions/{SUBSCRIPTION}/cancel");
    let key = fields(&page, "idempotency-key").remove(0);
    let named = [("name", NAME), ("note", ""), ("return", BACK), ("idempotency-key", key.as_str())];
    let sent = browser.post_form(&route, &named).await;
    assert!(sent.status == 303 && sent.location.starts_with("/sign-in/step-up?"), "{sent:?}");
    // Whoever looks again is led on, and asks for nothing a second time.
    let page = browser.get(&one(TENANT, SUBSCRIPTION)).await;
    for part in
        ["has asked for its cancellation", "It waits for you to sign in for it", &sent.location.replace('&', "&amp;")]
    {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(page.status == 200 && !page.text.contains(&action), "{}", page.text);
    // Somebody else who types its name may go on with it.
    let bob = Person { name: "bob@contoso.example".to_owned(), ..ada() };
    let page = self::browser(&system, bob).await.get(&one(TENANT, SUBSCRIPTION)).await;
    assert!(page.text.contains(&action) && page.text.contains("Type its name to go on with it"), "{}", page.text);
}

#[tokio::test]
async fn what_can_not_be_cancelled_is_a_page_that_says_why_with_a_way_back() {
    let system = system().await;
    system.microsoft.set_subscription_rules(SubscriptionRules { delay_seconds: 0, ..SubscriptionRules::default() });
    let unknown = "99999999-0d3b-4f58-b1e6-92a7c4d0f381";
    let reader = Person::reader(TENANT);
    for (person, tenant, subscription, status, words) in [
        (Person::admin_agent(TENANT), TENANT, SUBSCRIPTION, 403, "a role with the permission <code>cancel</code>"),
        (reader, TENANT, SUBSCRIPTION, 404, "It isn't there, or not for you"),
        (ada(), STRANGE, SUBSCRIPTION, 404, "It isn't there, or not for you"),
        (ada(), "nothing", SUBSCRIPTION, 404, "It isn't there, or not for you"),
        (ada(), TENANT, unknown, 404, "No alert that is kept of the tenant is about this subscription"),
    ] {
        let page = browser(&system, person).await.get(&one(tenant, subscription)).await;
        assert_eq!(page.status, status, "{words}: {}", page.text);
        is_ours(&page);
        for part in [words, &format!("<a href=\"{BACK}\">Back</a>")] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        assert!(!page.text.contains(NAME) && !page.text.contains("/api/v1/"), "{}", page.text);
    }
    let mut ada = browser(&system, ada()).await;
    let odd = ada.get(&format!("{}&x=%3Cscript%3E", one(TENANT, SUBSCRIPTION))).await;
    assert_eq!(odd.status, 400, "{}", odd.text);
    // Microsoft does not answer: the way on is the same page.
    let silent = FaultKind::Answer { status: 500, body: ErrorBody::Html, retry_after: RetryAfter::Seconds(300) };
    system.microsoft.set_fault(Fault::new(Target::AzureEntitlements, silent)).unwrap();
    let page = ada.get(&one(TENANT, SUBSCRIPTION)).await;
    assert_eq!(page.status, 503, "{}", page.text);
    is_ours(&page);
    for part in ["does not answer at the moment", "Try again", SUBSCRIPTION] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    system.microsoft.clear_faults();
    // It was cancelled at Microsoft.
    let acting = crate::support::acting(&system);
    let (_, token) = crate::support::administrator(&system, &acting, "elsewhere@contoso.example").await;
    crate::flow::elsewhere(&system, &token).await;
    let page = ada.get(&one(TENANT, SUBSCRIPTION)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(
        page.text.contains("It is cancelled already") && !page.text.contains("<input type=\"text\""),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn who_is_not_signed_in_comes_back_to_the_page_and_nobody_is_sent_elsewhere() {
    let system = system().await;
    let mut nobody = Browser::new(&system);
    let page = nobody.get(&one(TENANT, SUBSCRIPTION)).await;
    let to: String = form_urlencoded::byte_serialize(one(TENANT, SUBSCRIPTION).as_bytes()).collect();
    assert_eq!((page.status, page.location), (303, format!("/sign-in?return={to}")));
    let page = several(&mut nobody, &[alert("one")]).await;
    assert_eq!((page.status, page.location.as_str()), (303, "/sign-in?return=%2F%3Fseverity%3Dhigh"));
    let mut ada = browser(&system, ada()).await;
    for elsewhere in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "javascript%3Aalert(1)", "%2F%5Cevil.example"]
    {
        let page = ada.get(&format!("/subscriptions/{TENANT}/{SUBSCRIPTION}/cancel?return={elsewhere}")).await;
        assert_eq!((page.status, fields(&page, "return")), (200, vec!["/".to_owned()]), "{elsewhere}");
        assert!(!page.text.contains("evil") && !page.text.contains("javascript"), "{}", page.text);
    }
}

#[tokio::test]
async fn alerts_that_were_ticked_are_asked_for_by_their_subscriptions_each_once() {
    let system = system().await;
    let none = NewAlert { id: Some("of-none".to_owned()), subscription_id: Some(String::new()), ..NewAlert::default() };
    system.raise_as(none);
    system.complete(5, 1).await;
    let mut browser = browser(&system, ada()).await;
    let all = ["one", "two", "else", "of-none", "gone"].map(alert);
    let page = several(&mut browser, &[&all[..], &[format!("{STRANGE}/1/one")]].concat()).await;
    assert_eq!(page.status, 200, "{}", page.text);
    is_ours(&page);
    let (first, second) = (format!("{TENANT}/{SUBSCRIPTION}"), format!("{TENANT}/{OTHER}"));
    assert_eq!(fields(&page, "subscriptions"), [first.as_str(), &second]);
    assert_eq!(page.text.matches("name=\"names\"").count(), 2);
    for part in ["It names no subscription.", "of-none", "gone", "It isn't there, or not for you", "2 subscriptions"] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(lines(&system).await.is_empty(), "to look at them begins nothing");
    // What the page holds is what the route takes.
    let key = fields(&page, "idempotency-key").remove(0);
    let sent = [
        ("subscriptions", first.as_str()),
        ("names", NAME),
        ("subscriptions", &second),
        ("names", "Subscription 11112222"),
        ("return", "/?severity=high"),
        ("idempotency-key", &key),
    ];
    let sent = browser.post_form("/api/v1/subscriptions/cancel", &sent).await;
    assert!(sent.status == 303 && sent.location.matches(',').count() == 1, "one sign-in for both: {sent:?}");
    let page = several(&mut browser, &all[..3]).await;
    assert_eq!((page.status, fields(&page, "subscriptions").len()), (200, 0), "{}", page.text);
    for part in ["There is nothing to cancel", "It waits for you to sign in for it"] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
}

#[tokio::test]
async fn more_than_one_request_takes_are_named_and_one_that_is_not_found_keeps_no_other() {
    let system = system().await;
    let id = |number: usize| format!("{number:08x}-0d3b-4f58-b1e6-92a7c4d0f381");
    for number in 0..12 {
        raise(&system, &format!("more-{number:02}"), &id(number));
    }
    system.complete(16, 12).await;
    let ended = BTreeMap::from([(id(3), HOSTILE.to_owned())]);
    let change = CustomerChange { id: CUSTOMER.to_owned(), subscriptions: ended, ..CustomerChange::default() };
    system.microsoft.describe_customer(change).unwrap();
    let mut browser = browser(&system, ada()).await;
    let ticked: Vec<_> = (0..12).map(|number| alert(&format!("more-{number:02}"))).collect();
    let page = several(&mut browser, &ticked).await;
    let asked: Vec<_> = (0..10).map(|number| format!("{TENANT}/{}", id(number))).collect();
    assert_eq!((page.status, fields(&page, "subscriptions")), (200, asked), "{}", page.text);
    for part in ["One request takes 10 subscriptions", &id(10), &id(11)] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    for (what, alerts) in [
        ("nothing", vec![]),
        ("an alert twice", vec![alert("one"), alert("one")]),
        ("no alert", vec!["<script>".to_owned()]),
        ("more than a list has", (0..101).map(|number| alert(&number.to_string())).collect()),
    ] {
        let page = several(&mut browser, &alerts).await;
        assert_eq!((page.status, page.text.matches("<script").count()), (422, 1), "{what}: {}", page.text);
        assert!(page.text.contains("<a href=\"/?severity=high\">Back</a>"), "{what}: {}", page.text);
    }
    let mut agent = self::browser(&system, Person::admin_agent(TENANT)).await;
    assert_eq!(several(&mut agent, &ticked).await.status, 403);
}

#[tokio::test]
async fn what_customers_named_stays_text_on_every_page() {
    let system = system().await;
    system.raise_as(NewAlert {
        id: Some("evil".to_owned()),
        display_name: Some(HOSTILE.to_owned()),
        customer_tenant_id: Some(CUSTOMER.to_owned()),
        subscription_id: Some(SUBSCRIPTION.to_owned()),
        ..NewAlert::default()
    });
    system.complete(5, 1).await;
    let change = CustomerChange {
        id: CUSTOMER.to_owned(),
        company_name: Some(HOSTILE.to_owned()),
        domain: Some(HOSTILE.to_owned()),
        subscriptions: BTreeMap::from([(SUBSCRIPTION.to_owned(), HOSTILE.to_owned())]),
        ..CustomerChange::default()
    };
    system.microsoft.describe_customer(change).unwrap();
    let mut browser = browser(&system, ada()).await;
    let pages = [browser.get(&one(TENANT, SUBSCRIPTION)).await, several(&mut browser, &[alert("evil")]).await];
    for page in pages {
        assert_eq!(page.status, 200, "{}", page.text);
        is_ours(&page);
        assert!(!page.text.contains("<img") && !page.text.contains('\u{202e}'), "{}", page.text);
        assert!(page.text.matches("&lt;img src=x").count() >= 4, "{}", page.text);
        assert_eq!(page.text.matches("</title>").count(), 1, "{}", page.text);
        // It has a mark that nobody sees, and nobody would type: so it is called by its id.
        assert!(page.text.contains(&format!("type <b class=\"text\"><bdi>{SUBSCRIPTION}</bdi>")), "{}", page.text);
    }
    let route = format!("/api/v1/tenants/{TENANT}/subscriptions/{SUBSCRIPTION}/cancel");
    for (name, key, status) in [("</title>", "a", 422), (SUBSCRIPTION, "b", 303)] {
        let sent = browser.post_form(&route, &[("name", name), ("idempotency-key", key)]).await;
        assert_eq!(sent.status, status, "{name}: {}", sent.text);
    }
}
