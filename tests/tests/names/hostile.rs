//! Whoever answers in Partner Center's place, or strangely.

use http::Response;
use serde_json::{Value, json};
use tests::{ByHand, Scripted, Setup, TENANT};

use crate::support::{Message, customer, deliver, kept, kept_subscription, subscription};

const PLAN: &str = "8e5a3c70-24d1-4b96-a8c2-6d09b7e1a4f5";

/// A Microsoft that signs in anybody, and answers to what is asked about customers with what `customers` makes of path and place.
async fn microsoft(customers: impl Fn(&str) -> Value + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |_, asked| {
        let body = match asked.path.strip_prefix("/v1/customers/") {
            Some(path) => customers(path),
            None => json!({ "token_type": "Bearer", "expires_in": 3_599, "access_token": "made-up-token" }),
        };
        Response::builder().status(200).body(body.to_string()).unwrap()
    })
    .await
}

async fn system(microsoft: &Scripted) -> ByHand {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("anchors.pem");
    std::fs::write(&file, microsoft.certificate_pem()).unwrap();
    let file = file.display().to_string();
    let variables = [
        ("GLOBAL_PARTNER_CENTER_URL", microsoft.url()),
        ("GLOBAL_LOGIN_URL", microsoft.url()),
        ("OUTGOING_TLS_TRUST_ANCHORS_FILE", file.as_str()),
    ];
    ByHand::with(Setup { variables: &variables, ..Setup::default() }).await
}

/// Asks for one customer and one subscription, and says whether it has to be asked again.
async fn is_asked_again(system: &ByHand) -> bool {
    let wanted = json!([{ "id": customer(1), "subscriptions": [{ "id": subscription(1) }] }]);
    let body = json!({ "tenant": TENANT, "cause": "again", "names": { "of_alerts": { "customers": wanted } } });
    !deliver(system, &[Message { delay: 0, body }]).await.is_empty()
}

fn profile(id: &str) -> Value {
    json!({ "id": id, "companyProfile": { "companyName": "Contoso" } })
}

fn plans() -> Value {
    let not_a_guid = json!({ "id": "../../x", "offerId": "DZH318Z0BPS6:0001:DZH318Z0BMJX" });
    json!({ "items": [{ "id": 7 }, not_a_guid, { "id": PLAN, "offerId": "dzh318z0bps6:0001:x" }] })
}

fn asked_of_customers(microsoft: &Scripted) -> Vec<String> {
    let asked = microsoft.asked().into_iter().map(|asked| asked.path);
    asked.filter(|path| path.starts_with("/v1/customers/")).collect()
}

#[tokio::test]
async fn an_answer_about_another_customer_is_none() {
    let microsoft = microsoft(|_| profile(&customer(2))).await;
    let system = system(&microsoft).await;
    assert!(is_asked_again(&system).await);
    assert_eq!(kept(&system, &customer(1)).await.unwrap().name, None);
}

#[tokio::test]
async fn a_link_to_a_next_page_leads_nowhere_but_on_and_odd_items_hide_no_other() {
    let elsewhere = Scripted::start(|_, _| Response::builder().body(String::new()).unwrap()).await;
    let link = format!("{}/v1/customers/x/subscriptions?page=2#f", elsewhere.url());
    let microsoft = microsoft(move |path| match path.split_once('/').map(|(_, rest)| rest) {
        None => profile(&customer(1).to_uppercase()),
        Some("subscriptions") => plans(),
        Some(rest) if rest.ends_with("?page=2") => {
            json!({ "items": [{ "id": subscription(1).to_uppercase(), "friendlyName": "Production" }] })
        }
        Some(_) => {
            json!({ "items": [null, { "id": "" }, { "id": "x", "friendlyName": 7 }], "links": { "next": { "uri": link } } })
        }
    })
    .await;
    let system = system(&microsoft).await;

    assert!(!is_asked_again(&system).await);

    let below = kept_subscription(&system, &subscription(1)).await.unwrap();
    assert_eq!(below.name.as_deref(), Some("Production"));
    assert_eq!(elsewhere.asked(), []);
    let of_plan = format!("/v1/customers/{}/subscriptions/{PLAN}/azureEntitlements", customer(1));
    assert_eq!(asked_of_customers(&microsoft)[2..], [of_plan.clone(), format!("{of_plan}?page=2")]);
}

#[tokio::test]
async fn pages_that_do_not_end_do() {
    let seen = std::sync::atomic::AtomicU32::new(0);
    let microsoft = microsoft(move |path| {
        if !path.contains('/') {
            return profile(&customer(1));
        }
        let number = seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        json!({ "items": [], "links": { "next": { "uri": format!("/x?page={number}") } } })
    })
    .await;
    let system = system(&microsoft).await;
    assert!(is_asked_again(&system).await);
    assert_eq!(asked_of_customers(&microsoft).len(), 41, "the customer, and forty pages");
    assert_eq!(kept(&system, &customer(1)).await.unwrap().name.as_deref(), Some("Contoso"), "it is kept all the same");
    assert_eq!(kept_subscription(&system, &subscription(1)).await.unwrap().gone, None);
}

#[tokio::test]
async fn a_page_that_leads_to_itself_is_read_twice_at_most() {
    let microsoft = microsoft(|path| match path.split_once('/') {
        None => profile(&customer(1)),
        Some(_) => json!({ "items": [], "links": { "next": { "uri": "/x?page=1" } } }),
    })
    .await;
    let system = system(&microsoft).await;
    assert!(is_asked_again(&system).await);
    assert_eq!(asked_of_customers(&microsoft).len(), 3);
}
