//! Lists through the API: filters are read strictly, and a place in a list is for whoever asked, for what they asked, for an hour.

use jiff::SignedDuration;
use made_alerts::alert;
use models::{Alert, Severity, Tenant};
use serde_json::json;
use simulator::Person;
use store::{ReadTenants as _, WriteTenants as _};
use tests::TENANT;

use crate::support::{OTHER, OWN, World};

/// Alerts of a tenant, a minute apart, the last one the newest.
fn alerts(prefix: &str, count: i64) -> Vec<Alert> {
    let minute = |number: i64| Alert {
        last_observed: made_alerts::DETECTED + SignedDuration::from_mins(number),
        customer_id: Some("customer-1".parse().unwrap()),
        ..alert(&format!("{prefix}-{number}"))
    };
    (0..count).map(minute).collect()
}

#[tokio::test]
async fn a_moment_that_no_key_can_hold_is_the_askers_mistake_and_not_our_trouble() {
    let world = World::start(&[]).await;
    world.keep(TENANT, &alerts("a", 1)).await;
    let token = world.token();
    let lists = ["alerts".to_owned(), format!("tenants/{TENANT}/activity")];
    for list in &lists {
        for query in [
            "until=-005000-01-01T00:00:00Z",
            "since=-009999-01-02T00:00:00Z",
            "since=-005000-01-01T00:00:00Z&until=-004000-01-01T00:00:00Z",
            "since=0000-12-31T23:59:59Z",
        ] {
            let answered = world.get(&format!("{list}?{query}"), Some(&token)).await;
            assert_eq!(answered.problem(), (400, "/problems/request-unreadable"), "{list}?{query}");
        }
        let all = world.found(&format!("{list}?since=0001-01-01T00:00:00Z&until=9999-12-30T00:00:00Z")).await;
        assert!(all.body.get("alerts").is_none_or(|alerts| alerts.as_array().unwrap().len() == 1), "{}", all.body);
    }
    assert_eq!(world.found("alerts?until=0001-01-01T00:00:00Z").await.ids(), [""; 0], "before all that is kept");
}

#[tokio::test]
async fn a_list_over_tenants_goes_on_page_by_page_to_its_end() {
    let world = World::start(&[]).await;
    world.keep(TENANT, &alerts("a", 5)).await;
    world.keep(OTHER, &alerts("b", 4)).await;
    let (mut shown, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.found(&format!("alerts?size=2{cursor}")).await;
        shown.extend(page.ids().into_iter().map(str::to_owned));
        match page.body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(shown, ["a-4", "b-3", "a-3", "b-2", "a-2", "b-1", "a-1", "b-0", "a-0"]);
    let one = world.found(&format!("alerts?tenant={OTHER}&direction=oldest&size=3")).await;
    assert_eq!(one.ids(), ["b-0", "b-1", "b-2"]);
    assert_eq!(one.body["alerts"][0]["tenant"], OTHER);
}

#[tokio::test]
async fn a_place_in_a_list_that_is_forged_old_or_somebody_elses_is_a_problem_of_its_own() {
    let world = World::start(&[]).await;
    world.keep(TENANT, &alerts("a", 3)).await;
    let (me, another) = (
        world.token(),
        world.token_of(&Person { name: "another@x.example".to_owned(), ..Person::admin_agent(TENANT) }),
    );
    let page = world.get("alerts?size=1", Some(&me)).await;
    let next = page.body["next"].as_str().unwrap();
    let at = next.len() - 6;
    let flipped = if &next[at..=at] == "A" { "B" } else { "A" };
    for (what, path, token) in [
        ("another's", format!("alerts?size=1&cursor={next}"), &another),
        ("by another filter", format!("alerts?size=1&severity=high&cursor={next}"), &me),
        ("of another tenant's list", format!("alerts?size=1&tenant={TENANT}&cursor={next}"), &me),
        ("of another list", format!("tenants/{TENANT}/activity?cursor={next}"), &me),
        ("changed", format!("alerts?size=1&cursor={}{flipped}{}", &next[..at], &next[at + 1..]), &me),
        ("changed in the middle", format!("alerts?size=1&cursor={}", next.replacen('.', ".A", 1)), &me),
        ("none", "alerts?cursor=x".to_owned(), &me),
        ("empty", "alerts?cursor=".to_owned(), &me),
    ] {
        let answered = world.get(&path, Some(token)).await;
        assert_eq!(answered.problem(), (400, "/problems/cursor-not-accepted"), "{what}");
    }
    let other_size = world.get(&format!("alerts?size=2&cursor={next}"), Some(&me)).await;
    assert_eq!(other_size.ids(), ["a-1", "a-0"], "the size of a page may change");
    world.system.clock.advance(SignedDuration::from_mins(59));
    assert_eq!(world.get(&format!("alerts?size=1&cursor={next}"), Some(&world.token())).await.ids(), ["a-1"]);
    world.system.clock.advance(SignedDuration::from_mins(1));
    let old = world.get(&format!("alerts?size=1&cursor={next}"), Some(&world.token())).await;
    assert_eq!(old.problem(), (400, "/problems/cursor-not-accepted"), "an hour is over");
}

#[tokio::test]
async fn a_place_in_a_list_shows_nothing_that_its_owner_may_not_see_any_more() {
    let world = World::start(&[OWN]).await;
    world.keep(TENANT, &alerts("a", 2)).await;
    world.keep(OTHER, &alerts("b", 2)).await;
    let token = world.token();
    let page = world.get("alerts?size=1", Some(&token)).await;
    let next = page.body["next"].as_str().unwrap().to_owned();
    assert!(!next.contains("a-1") && !next.contains(TENANT), "a place says nothing");
    assert_eq!(world.get(&format!("alerts?cursor={next}"), Some(&token)).await.ids(), ["a-0"]);
}

#[tokio::test]
async fn more_tenants_than_a_list_takes_have_to_be_named() {
    let world = World::start(&[]).await;
    let store = world.system.store();
    let seed = store.tenants().await.unwrap().remove(0);
    // Two are there already.
    for number in 0..24 {
        let id = format!("9f1c7f3e-0000-4f7b-8a34-{number:012x}").parse().unwrap();
        store.put_tenant(&Tenant { id, ..seed.clone() }).await.unwrap();
    }
    let answered = world.get("alerts", Some(&world.token())).await;
    assert_eq!(
        (answered.problem(), &answered.body["member"]),
        ((400, "/problems/request-unreadable"), &json!("tenant"))
    );
    assert_eq!(world.found(&format!("alerts?tenant={TENANT},{OTHER}")).await.ids(), Vec::<&str>::new());
    assert_eq!(world.found("statistics").await.body["tenants"].as_array().unwrap().len(), 26);
}

#[tokio::test]
async fn a_filter_is_read_strictly() {
    let world = World::start(&[]).await;
    let mut mixed = alerts("a", 3);
    mixed[0].severity = Severity::Low;
    mixed[1].is_test = true;
    world.keep(TENANT, &mixed).await;
    for (query, expected) in [
        ("", vec!["a-2", "a-1", "a-0"]),
        ("severity=low", vec!["a-0"]),
        ("severity=LOW,medium", vec!["a-0"]),
        ("test=true", vec!["a-1"]),
        ("state=resolved", vec![]),
        ("state=all&test=false", vec!["a-2", "a-0"]),
        ("customer=CUSTOMER-1&state=open", vec!["a-2", "a-1", "a-0"]),
        ("customer=customer-2", vec![]),
        ("type=CRYPTOMINING", vec!["a-2", "a-1", "a-0"]),
        ("assignee=me", vec![]),
        ("assignee=nobody&snoozed=false", vec!["a-2", "a-1", "a-0"]),
        ("since=2026-03-02T09:01:00Z&until=2026-03-02T09:01:00Z", vec!["a-1"]),
        ("order=first-observed&direction=oldest&size=1", vec!["a-0"]),
    ] {
        let found = world.found(&format!("alerts?{query}")).await;
        let mut ids = found.ids();
        if query.starts_with("order") {
            // All were first observed at one moment: any of them is the first.
            assert_eq!(ids.len(), 1);
            ids = expected.clone();
        }
        assert_eq!(ids, expected, "{query}");
    }
    for (query, member) in [
        ("state=closed", "state"),
        ("severity=", "severity"),
        ("severity=a,,b", "severity"),
        ("severity=<script>", "severity"),
        ("type=a%20b", "type"),
        ("size=0", "size"),
        ("size=101", "size"),
        ("size=-1", "size"),
        ("test=1", "test"),
        ("since=yesterday", "since"),
        ("until=2026-03-02", "until"),
        ("order=severity", "order"),
        ("customer=x&order=first-observed", "order"),
        ("customer=x&subscription=y", "customer"),
        ("customer=", "customer"),
        ("direction=up", "direction"),
        ("assignee=somebody", "assignee"),
    ] {
        let answered = world.get(&format!("alerts?{query}"), Some(&world.token())).await;
        assert_eq!(answered.problem(), (400, "/problems/request-unreadable"), "{query}");
        assert_eq!(answered.body["member"], json!(member), "{query}");
        assert!(!answered.body.to_string().contains("<script"));
    }
    let twice = world.get("alerts?state=open&state=all", Some(&world.token())).await;
    assert_eq!(twice.problem(), (400, "/problems/request-unreadable"));
}
