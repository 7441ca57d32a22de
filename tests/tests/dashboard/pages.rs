//! The pages: what a person sees, and that nothing that anybody wrote becomes part of a page.

use jiff::SignedDuration;
use made_alerts::{DETECTED, alert};
use models::{Alert, AlertType, NameId, Severity};
use serde_json::json;
use simulator::{NewAlert, Person};
use tests::TENANT;

use crate::{
    support::{OTHER, OWN, World},
    whole::{name, note},
};

fn open(id: &str, minutes: i64, severity: Severity) -> Alert {
    let moment = DETECTED + SignedDuration::from_mins(minutes);
    Alert { severity, detected: moment, first_observed: moment, last_observed: moment, ..alert(id) }
}

#[tokio::test]
async fn the_list_shows_what_is_unresolved_with_figures_and_leads_on() {
    let world = World::start(&[]).await;
    world.keep(TENANT, &[open("a", 0, Severity::High), open("b", 5, Severity::Low)]).await;
    world.keep(OTHER, &[open("c", 3, Severity::Medium)]).await;
    let page = world.shown("/").await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(page.alerts(), ["b", "c", "a"]);
    assert!(page.text.contains("<title>(3) Security alerts - Partner Alerts</title>"), "the title counts them");
    let words = page.words();
    for said in ["Unresolved 3", "New this week 3", "Connections to known mining pools", "2 of 2 partner tenants"] {
        assert!(words.contains(said), "{said}: {words}");
    }
    let of_one = world.shown(&format!("/?tenant={OTHER}")).await;
    assert_eq!(of_one.alerts(), ["c"]);
    assert!(of_one.words().contains("Unresolved 1"), "the figures are those of the tenants that are shown");
    // Each card leads to the alerts behind it, and keeps the tenant.
    let cards: Vec<_> =
        of_one.links().into_iter().filter(|link| link.starts_with("/?") && link.contains(OTHER)).collect();
    for card in ["state=resolved", "order=first-observed", "state=all"] {
        assert!(cards.iter().any(|link| link.contains(card)), "{card}: {cards:?}");
    }
    for link in cards {
        world.shown(&link).await;
    }
}

#[tokio::test]
async fn an_order_that_no_index_has_is_there_for_what_is_open() {
    let world = World::start(&[]).await;
    let alerts = [
        open("low", 9, Severity::Low),
        open("worst", 1, Severity::from("dreadful")),
        open("old", 0, Severity::Medium),
        open("high", 5, Severity::High),
    ];
    world.keep(TENANT, &alerts).await;
    assert_eq!(
        world.shown("/?order=severity").await.alerts(),
        ["worst", "high", "old", "low"],
        "what is not known counts as the worst"
    );
    assert_eq!(world.shown("/?order=severity&direction=oldest").await.alerts(), ["low", "old", "high", "worst"]);
    assert_eq!(world.shown("/?order=left").await.alerts(), ["old", "worst", "high", "low"]);
    // Page by page all of it, each once.
    let (mut seen, mut next) = (Vec::new(), "/?order=severity&size=3".to_owned());
    loop {
        let page = world.shown(&next).await;
        seen.extend(page.alerts());
        let Some(on) = page.links().into_iter().find(|link| link.contains("cursor=")) else { break };
        next = on;
    }
    assert_eq!(seen, ["worst", "high", "old", "low"]);
    let refused = world.page("/?order=severity&state=resolved", Some(&world.token())).await;
    assert_eq!(refused.status, 400, "of what is resolved there is no such order");
}

#[tokio::test]
async fn a_search_finds_an_alert_a_subscription_or_customers_by_the_beginning_of_their_name() {
    let world = World::start(&[]).await;
    let of = |id: &str, customer: &str, subscription: &str| Alert {
        customer_id: Some(customer.parse().unwrap()),
        subscription_id: Some(subscription.parse().unwrap()),
        ..alert(id)
    };
    world
        .keep(TENANT, &[of("a", "customer-1", "sub-1"), of("b", "customer-2", "sub-2"), of("c", "customer-2", "sub-3")])
        .await;
    name(&world, &NameId::customer(&"customer-1".parse().unwrap()), "Fabrikam <i>").await;
    name(&world, &NameId::customer(&"customer-2".parse().unwrap()), "Contoso Süd").await;
    for (text, expected) in
        [("a", &["a"][..]), ("SUB-2", &["b"]), ("contoso s", &["b", "c"]), ("FABRIKAM", &["a"]), ("nobody", &[])]
    {
        let page = world.shown(&format!("/?q={}", text.replace(' ', "+"))).await;
        let mut found = page.alerts();
        found.sort();
        assert_eq!(found, expected, "{text}");
    }
    assert!(world.shown("/?q=fabri").await.words().contains("Alerts of Fabrikam &lt;i&gt;"));
    assert!(world.shown("/?q=%3Cb%3Enobody").await.words().contains("Nothing is called &lt;b&gt;nobody"));
}

#[tokio::test]
async fn a_form_that_was_left_empty_asks_for_nothing_and_ticked_boxes_are_alternatives() {
    let world = World::start(&[]).await;
    world.keep(TENANT, &[open("a", 0, Severity::High), open("b", 5, Severity::Low)]).await;
    let all = "/?q=&state=open&severity=&assignee=&tenant=&status=&reason=&type=&customer=&subscription=&since=&until=&test=&snoozed=";
    assert_eq!(world.shown(all).await.alerts(), ["b", "a"]);
    let some = world.shown("/?columns=severity&columns=customer").await;
    assert!(some.content().contains("data-label=\"Severity\"") && some.content().contains("data-label=\"Customer\""));
    assert!(!some.content().contains("data-label=\"Subscription ID\""), "what was not ticked is not shown");
    assert_eq!(
        world.shown("/?severity=low&since=2026-03-02&until=2026-03-02").await.alerts(),
        ["b"],
        "days as a form sends them"
    );
    assert!(world.shown("/?since=2026-03-03").await.words().contains("No alert fits"));
    for wrong in ["/?nothing=1", "/?state=x", "/?since=yesterday", "/?cursor=x"] {
        assert_eq!(world.page(wrong, Some(&world.token())).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn an_alert_shows_all_that_is_known_of_it_and_what_can_be_done() {
    let world = World::start(&[]).await;
    let full = Alert {
        customer_id: Some("customer-1".parse().unwrap()),
        subscription_id: Some("sub-1".parse().unwrap()),
        description: Some("<p>Look at it.</p><script>alert(1)</script>And <b>act</b>.".to_owned()),
        additional_details: [
            ("Nobody_knows_this".to_owned(), json!({ "inner": ["one", 2] })),
            ("miningPool_IP".to_owned(), json!("[\r\n  \"198.51.100.9\",\"198.51.100.10\"]")),
        ]
        .into(),
        ..alert("a")
    };
    let other = Alert { id: "b".parse().unwrap(), display_name: "Mass deployment".to_owned(), ..full.clone() };
    let answered = Alert {
        id: "c".parse().unwrap(),
        display_name: "Answered long ago".to_owned(),
        status: models::Status::Resolved,
        ..full.clone()
    };
    world.keep(TENANT, &[full, other, answered]).await;
    name(&world, &NameId::customer(&"customer-1".parse().unwrap()), "Contoso <Ltd>").await;
    note(&world, "a", 1).await;
    let token = world.token_of(&Person::global_administrator(TENANT));
    let path = format!("/alerts/{TENANT}/a");
    assert!(world.page(&path, Some(&token)).await.words().contains("Nothing can be decided here"), "without a secret");
    world.system.for_people().await;
    let page = world.page(&format!("/alerts/{TENANT}/a?view=severity%3Dhigh%26q%3Dcon"), Some(&token)).await;
    let words = page.words();
    for said in [
        "Look at it.",
        "And act.",
        "Nobody_knows_this",
        "inner",
        "one",
        "Contoso &lt;Ltd&gt;",
        "It is &lt;i&gt;theirs&lt;/i&gt;.",
        "Other open alerts of this subscription",
        "Mass deployment",
        "someone@contoso.example wrote a note",
        "look at the whole subscription",
        "Addresses of the mining pool 198.51.100.9 198.51.100.10",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    assert!(!words.contains("Answered long ago"), "what is resolved is not open");
    let links = page.links();
    assert!(links.contains(&"/?q=con&severity=high".to_owned()), "back to the view: {links:?}");
    assert!(links.iter().any(|link| link.starts_with("https://portal.azure.com/customer%2D1#")), "{links:?}");
    assert!(links.iter().any(|link| link.starts_with(&format!("/subscriptions/{TENANT}/sub%2D1/cancel"))), "{links:?}");
    let content = page.content();
    for act in ["resolve", "investigate", "assign", "notes", "snooze"] {
        assert!(content.contains(&format!("\"/api/v1/tenants/{TENANT}/alerts/a/{act}\"")), "{act}");
    }
    assert!(content.contains("name=\"version\" value=\"2\""), "what is decided is decided of what was seen");
    assert!(!content.contains("<script>") && !content.contains("alert(1)</"), "markup of theirs is no markup of ours");
    let token = world.token();
    assert_eq!(world.page(&format!("/alerts/{TENANT}/nobody"), Some(&token)).await.status, 404);
    assert_eq!(world.page(&format!("/alerts/{OTHER}/a"), Some(&token)).await.status, 404);
}

/// Threats 2.7: what ends an element or an attribute, runs, leads somewhere, or is a template.
const HOSTILE: [&str; 8] = [
    "<script>evil()</script>",
    "\"><img src=x onerror=evil()>",
    "'><svg/onload=evil()>",
    "javascript:evil()",
    "</title><b>evil</b>",
    "{{7*7}}${7*7}",
    "&#x3c;i&#x3e;evil",
    "\u{202e}live\u{0}\r\n\u{2066}",
];

#[tokio::test]
async fn nothing_that_anybody_wrote_is_part_of_a_page() {
    let world = World::start(&[]).await;
    for (number, hostile) in HOSTILE.into_iter().enumerate() {
        let text = || Some(hostile.replace('\0', ""));
        let id = format!("evil-{number}");
        world.system.raise_as(NewAlert {
            id: Some(id.clone()),
            display_name: text(),
            description: text(),
            alert_type: text(),
            severity: (number % 2 == 0).then(|| hostile.replace('\0', "")),
            status: (number % 3 == 0).then(|| hostile.replace('\0', "")),
            confidence_level: text(),
            customer_tenant_id: Some("4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3".to_owned()),
            subscription_id: text(),
            value_added_reseller_tenant_id: text(),
            catalog_offer_id: text(),
            affected_resources: Some(vec![simulator::AffectedResource {
                resource_id: text().unwrap(),
                resource_type: text().unwrap(),
            }]),
            additional_details: Some([(text().unwrap(), text().unwrap())].into()),
            ..NewAlert::default()
        });
    }
    world.system.reconcile_at_once().await.unwrap();
    name(&world, &NameId::customer(&"4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3".parse().unwrap()), HOSTILE[1]).await;
    let token =
        world.token_of(&Person { name: "<i>evil</i>@contoso.example".to_owned(), ..Person::admin_agent(TENANT) });
    let list = world.page("/?state=all&size=100", Some(&token)).await;
    assert_eq!((list.status, list.alerts().len()), (200, HOSTILE.len()), "{}", list.text);
    let mut pages = vec![("/".to_owned(), list)];
    for number in 0..HOSTILE.len() {
        let path = format!("/alerts/{TENANT}/evil-{number}?view=q%3D%2522%253E%253Cimg");
        let page = world.page(&path, Some(&token)).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        pages.push((path, page));
    }
    for path in
        ["/health", "/events", "/?q=%22%3E%3Cimg%20src%3Dx%20onerror%3Devil()%3E", "/?state=%3Cimg%3E", "/%3Cimg%3E"]
    {
        pages.push((path.to_owned(), world.page(path, Some(&token)).await));
    }
    for (path, page) in &pages {
        let content = page.content().to_ascii_lowercase();
        for markup in ["<script", "<img", "<svg/", "<b>", "<i>", "</title><b", "onerror=evil()>"] {
            assert!(!content.contains(markup), "{path}: {markup}");
        }
        assert!(!content.contains(['\u{202e}', '\u{2066}', '\0']), "{path}: marks that turn what stands around them");
        for link in page.links() {
            let is_ours = link.starts_with('/') && !link.starts_with("//");
            assert!(
                is_ours
                    || link.starts_with("#main")
                    || link.starts_with("https://portal.azure.com/")
                    || link.starts_with("https://learn.microsoft.com/"),
                "{path}: {link}"
            );
        }
        if page.status != 404 {
            let policy = page.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        }
    }
}

#[tokio::test]
async fn the_id_of_a_resource_says_what_it_is_and_of_a_notification_there_is_the_copy() {
    let world = World::start(&[]).await;
    let resource = |id: &str| models::AffectedResource {
        resource_id: id.to_owned(),
        resource_type: Some("AzureResource".to_owned()),
    };
    let vm = "/subscriptions/6c2e9a47/resourceGroups/rg-build/providers/Microsoft.Compute/virtualMachines/vm-07";
    let alert = Alert {
        description: Some("Dear customer".to_owned()),
        affected_resources: vec![resource(vm), resource("odd"), resource("")],
        alert_type: AlertType::named("ServiceHealthSecurityAdvisory"),
        ..alert("a")
    };
    world.keep(TENANT, &[alert]).await;
    let words = world.shown(&format!("/alerts/{TENANT}/a")).await.words();
    let machine = format!("Name vm-07 Resource group rg-build Type Microsoft.Compute/virtualMachines Resource ID {vm}");
    for said in [
        machine.as_str(),
        "The Service Health message to the customer Dear customer",
        "First connection 2026-03-02 09:00 UTC",
        "Type AzureResource Resource ID odd",
        "Learn more",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
}

#[tokio::test]
async fn whoever_is_nobody_signs_in_first_and_whoever_may_not_is_told_so() {
    let world = World::start(&[OWN]).await;
    world.keep(TENANT, &[alert("a")]).await;
    world.keep(OTHER, &[alert("a")]).await;
    let nobody = world.page("/alerts/x/y?view=state%3Dall", None).await;
    let location = nobody.headers["location"].to_str().unwrap();
    assert_eq!((nobody.status, location), (303, "/sign-in?return=%2Falerts%2Fx%2Fy%3Fview%3Dstate%253Dall"));
    let without = world.token_of(&Person { roles: Vec::new(), ..Person::admin_agent(TENANT) });
    for path in ["/", "/health", "/events"] {
        let page = world.page(path, Some(&without)).await;
        assert_eq!(page.status, 403, "{path}");
        assert!(page.words().contains("You are signed in as"), "{path}: {}", page.words());
    }
    let token = world.token();
    assert_eq!(
        world.page(&format!("/alerts/{OTHER}/a"), Some(&token)).await.status,
        404,
        "another tenant is not there"
    );
    assert_eq!(world.page(&format!("/?tenant={OTHER}"), Some(&token)).await.status, 404);
    let own = world.page("/?state=all", Some(&token)).await;
    assert_eq!(own.alerts(), ["a"]);
    for path in ["/", "/health", "/events"] {
        assert!(!world.page(path, Some(&token)).await.text.contains(OTHER), "{path}");
    }
}

#[tokio::test]
async fn the_pulse_tells_that_there_is_something_new() {
    let world = World::start(&[]).await;
    world.keep(TENANT, &[alert("a")]).await;
    let page = world.shown("/").await;
    let before = world.found("pulse").await.body;
    assert_eq!(before["unresolved"], 1);
    assert!(page.text.contains(&format!("data-mark={}", before["mark"])), "the page knows what it shows");
    assert_eq!(world.found("pulse").await.body, before, "nothing is new");
    world.keep(OTHER, &[alert("b")]).await;
    let after = world.found("pulse").await.body;
    assert!(after["unresolved"] == 2 && after["mark"] != before["mark"], "{after}");
    assert_eq!(world.found(&format!("pulse?tenant={TENANT}")).await.body["unresolved"], 1);
}

#[tokio::test]
async fn health_says_of_each_tenant_when_it_was_looked_at_and_what_waits() {
    let world = World::start(&[]).await;
    let words = world.shown("/health").await.words();
    assert!(words.contains("silent") && words.contains("never"), "nobody has looked: {words}");
    world.system.baseline().await;
    world.system.raise("a");
    world.system.complete(1, 1).await;
    world.system.clock.advance(SignedDuration::from_mins(3));
    let words = world.shown("/health").await.words();
    assert!(words.contains("well"), "{words}");
    assert!(words.contains(" 1 for 3 min"), "what was not told for three minutes waits: {words}");
    world.system.sweep().await.unwrap();
    assert!(!world.shown("/health").await.words().contains("for 3 min"), "it is told");
}

#[tokio::test]
async fn received_events_are_shown_and_lead_nowhere() {
    let world = World::start(&[]).await;
    assert!(world.shown("/events").await.words().contains("No callback yet"));
    world.system.raise("a");
    let raised = &world.system.microsoft.alerts(TENANT)[0];
    let callback = world.system.microsoft.sign(&world.system.microsoft.fraud_callback(raised)).unwrap();
    assert_eq!(world.system.receive(&callback).await, 200);
    let page = world.shown("/events").await;
    assert!(page.words().contains("azure-fraud-event-detected"), "{}", page.words());
    assert!(page.links().iter().all(|link| link.starts_with(['/', '#'])), "{:?}", page.links());
}

#[tokio::test]
async fn the_first_page_is_small() {
    let world = World::start(&[]).await;
    let number = |number: u16| Alert {
        customer_id: Some(format!("{number:08}-5b0e-4c39-9d7a-7e2c1f60b8d3").parse().unwrap()),
        subscription_id: Some(format!("{number:08}-0d3b-4f58-b1e6-92a7c4d0f381").parse().unwrap()),
        ..alert(&format!("alert-{number}"))
    };
    world.keep(TENANT, &(0..45).map(number).collect::<Vec<_>>()).await;
    world.keep(OTHER, &(50..95).map(number).collect::<Vec<_>>()).await;
    let page = world.shown("/").await;
    assert_eq!(page.alerts().len(), 50);
    let headers =
        [("accept-encoding", "gzip, deflate, br")].map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let answer = api::text(http::StatusCode::OK, page.text);
    let on_the_wire = api::on_the_wire(&headers.into_iter().collect(), answer).body().len();
    assert!(on_the_wire < 60_000, "{on_the_wire} bytes");
    assert!(!page.headers.contains_key("content-encoding"), "whoever takes no gzip gets none");
}
