//! Lists: each alert once and in order, whatever the sizes of pages and whatever happens between them; and what a page may read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use jiff::{SignedDuration, Timestamp};
use models::{Alert, AlertId, AlertState, AlertType, CustomerId, ResolvedReason, Severity, Status, TenantId};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use store::{
    AlertWrite, Grant, ListAlerts as _, ListAssignee, ListFilter, ListMoment, ListOf, ListPage, ListPosition,
    ListQuery, ListedAlert, MOST_READ, StoredAlert, WriteAlerts as _,
};

use crate::{
    support::{Bench, Item, alert, changed, new, noon, resolved, tenant},
    walk::walked,
};

fn query(of: ListOf) -> ListQuery {
    let (since, until) = (None, None);
    ListQuery { of, by: ListMoment::LastObserved, newest_first: true, since, until, filter: ListFilter::default() }
}

fn open() -> ListQuery {
    query(ListOf::State(AlertState::Open))
}

fn minute(number: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(number)
}

fn at(id: &str, minutes: i64) -> Alert {
    Alert { last_observed: minute(minutes), ..alert(id) }
}

fn tenants(of: impl IntoIterator<Item = TenantId>) -> BTreeSet<TenantId> {
    of.into_iter().collect()
}

async fn keep(bench: &Bench, tenant: &TenantId, alerts: &[Alert]) {
    let grant = bench.grant(tenant, noon()).await;
    let writes: Vec<_> = alerts.iter().map(new).collect();
    bench.write_all(&grant, &writes).await;
}

async fn page(bench: &Bench, query: &ListQuery, from: Option<&ListPosition>, size: usize) -> ListPage {
    bench.store.list(&tenants([tenant()]), query, from, size).await.unwrap()
}

fn ids(alerts: &[ListedAlert]) -> Vec<&str> {
    alerts.iter().map(|alert| alert.id.as_str()).collect()
}

/// All pages of so many, one after the other.
async fn walk(bench: &Bench, of: &BTreeSet<TenantId>, query: &ListQuery, size: usize) -> Vec<ListedAlert> {
    let (mut all, mut from) = (Vec::new(), None);
    loop {
        assert!(all.len() < 200, "a list of so few alerts ends");
        let page = bench.store.list(of, query, from.as_ref(), size).await.unwrap();
        assert!(page.alerts.len() <= size);
        all.extend(page.alerts);
        match page.next {
            Some(next) => from = Some(next),
            None => return all,
        }
    }
}

/// What happens to an alert between two pages.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    Appears(i64),
    IsResolved,
    IsSeenAgain(i64),
}

#[derive(Clone, Debug)]
struct Walk {
    /// Tenant, minute and whether it is open.
    alerts: Vec<(usize, i64, bool)>,
    all_states: bool,
    newest_first: bool,
    pages: Vec<(usize, Vec<(usize, Meanwhile)>)>,
}

fn any_walk() -> impl Strategy<Value = Walk> {
    let meanwhile = prop_oneof![
        (0_i64..12).prop_map(Meanwhile::Appears),
        Just(Meanwhile::IsResolved),
        (1_i64..12).prop_map(Meanwhile::IsSeenAgain)
    ];
    let pages = vec((1_usize..6, vec((0_usize..24, meanwhile), 0..3)), 1..8);
    // Few minutes, so that many alerts share theirs.
    let alerts = vec((0_usize..3, 0_i64..6, prop::bool::weighted(0.7)), 0..24);
    (alerts, any::<bool>(), any::<bool>(), pages).prop_map(|(alerts, all_states, newest_first, pages)| Walk {
        alerts,
        all_states,
        newest_first,
        pages,
    })
}

/// What is kept, as whoever writes it knows it.
struct Kept<'a> {
    bench: &'a Bench,
    grants: Vec<Grant>,
    alerts: BTreeMap<String, (usize, StoredAlert)>,
}

impl Kept<'_> {
    async fn write(&mut self, tenant: usize, alert: &Alert) {
        let stored = self.alerts.get(alert.id.as_str()).map(|(_, stored)| stored.clone());
        let write = stored.as_ref().map_or_else(|| new(alert), |stored| changed(stored, alert));
        let version = AlertWrite::version(write.previous);
        self.bench.write_all(&self.grants[tenant], &[write]).await;
        self.alerts.insert(alert.id.to_string(), (tenant, crate::support::kept(alert.clone(), version)));
    }

    /// Says which alert changed, and whether it had its moment for itself.
    async fn change(&mut self, place: usize, meanwhile: Meanwhile) -> Option<String> {
        if let Meanwhile::Appears(minutes) = meanwhile {
            let id = format!("later-{}", self.alerts.len());
            self.write(place % 3, &at(&id, minutes)).await;
            return Some(id);
        }
        let (id, (tenant, stored)) = self.alerts.iter().nth(place)?;
        let (id, tenant, before) = (id.clone(), *tenant, stored.known.alert.clone());
        let after = match meanwhile {
            Meanwhile::IsSeenAgain(minutes) => {
                Alert { last_observed: before.last_observed + SignedDuration::from_mins(minutes), ..(*before).clone() }
            }
            _ => Alert { last_observed: before.last_observed, ..resolved(&before, "2026-03-02T12:30:00Z") },
        };
        self.write(tenant, &after).await;
        Some(id)
    }

    fn shares_its_moment(&self, alert: &ListedAlert) -> bool {
        let of = |(tenant, stored): &&(usize, StoredAlert)| {
            self.grants[*tenant].tenant == alert.tenant && stored.known.alert.last_observed == alert.last_observed
        };
        self.alerts.values().filter(of).count() > 1
    }
}

async fn stroll(bench: &Bench, case: u32, walk: &Walk) {
    let tenants: Vec<TenantId> =
        (0..3).map(|number| format!("0a1b2c3d-{number:04}-4f7b-8a34-{case:012x}").parse().unwrap()).collect();
    let mut kept = Kept { bench, grants: Vec::new(), alerts: BTreeMap::new() };
    for tenant in &tenants {
        kept.grants.push(bench.grant(tenant, noon()).await);
    }
    for (number, (tenant, minutes, is_open)) in walk.alerts.iter().enumerate() {
        let alert = at(&format!("a-{number:02}"), *minutes);
        let alert = if *is_open { alert } else { resolved(&alert, "2026-03-02T12:30:00Z") };
        kept.write(*tenant, &alert).await;
    }
    let of = if walk.all_states { ListOf::All } else { ListOf::State(AlertState::Open) };
    let query = ListQuery { newest_first: walk.newest_first, ..query(of) };
    let of: BTreeSet<_> = tenants.into_iter().collect();
    let mut unchanged: BTreeSet<String> = walk
        .alerts
        .iter()
        .enumerate()
        .filter(|(_, (_, _, is_open))| walk.all_states || *is_open)
        .map(|(number, _)| format!("a-{number:02}"))
        .collect();
    let (mut shown, mut shared, mut from) = (Vec::<ListedAlert>::new(), BTreeSet::new(), None);
    for place in 0.. {
        assert!(place < 200, "a list of so few alerts ends");
        // In the end nothing happens any more, and pages are small.
        let (size, meanwhile) = walk.pages.get(place).cloned().unwrap_or((2, Vec::new()));
        let page = bench.store.list(&of, &query, from.as_ref(), size).await.unwrap();
        assert!(page.alerts.len() <= size && page.unreadable == 0 && page.searched_to.is_none());
        shared
            .extend(page.alerts.iter().filter(|alert| kept.shares_its_moment(alert)).map(|alert| alert.id.to_string()));
        shown.extend(page.alerts);
        let Some(next) = page.next else { break };
        from = Some(next);
        for (alert, meanwhile) in meanwhile {
            if let Some(id) = kept.change(alert, meanwhile).await {
                unchanged.remove(&id);
            }
        }
    }
    let moments: Vec<_> = shown.iter().map(|alert| alert.last_observed).collect();
    assert!(
        if walk.newest_first { moments.is_sorted_by(|one, next| one >= next) } else { moments.is_sorted() },
        "in order: {moments:?}"
    );
    let mut times: HashMap<&str, u32> = HashMap::new();
    for alert in &shown {
        *times.entry(alert.id.as_str()).or_default() += 1;
    }
    for id in &unchanged {
        assert_eq!(times.get(id.as_str()), Some(&1), "{id} is shown once, and nothing happened to it");
    }
    for (id, times) in times {
        // One that is resolved while others of its tenant have its very moment may come after them again.
        let may_come_again = !walk.newest_first || (walk.all_states && shared.contains(id));
        assert!(times == 1 || may_come_again, "{id} is shown {times} times");
    }
}

#[test]
fn pages_of_any_size_show_each_alert_once_and_in_order_while_alerts_come_and_move() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bench = runtime.block_on(Bench::new());
    let case = std::cell::Cell::new(0);
    let config = Config { cases: 60, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    let outcome = TestRunner::new(config).run(&any_walk(), |walk| {
        case.set(case.get() + 1);
        runtime.block_on(stroll(&bench, case.get(), &walk));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[tokio::test]
async fn an_alert_is_listed_with_what_is_known_of_it_and_what_people_wrote() {
    let bench = Bench::new().await;
    keep(&bench, &tenant(), &[at("a", 0)]).await;
    let assignee = AttributeValue::M(
        [("tenant", "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a10"), ("id", PERSON), ("name", "someone@contoso.example")]
            .map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())))
            .into(),
    );
    set_work(&bench, "a", [("assignee", assignee), ("notes", AttributeValue::N("3".to_owned()))]).await;
    let page = page(&bench, &open(), None, 10).await;
    let [listed] = page.alerts.as_slice() else { panic!("{page:?}") };
    let expected = at("a", 0);
    assert_eq!((listed.tenant.clone(), listed.id.clone(), listed.version), (tenant(), expected.id, 1));
    assert_eq!((&listed.name, &listed.alert_type), (&expected.display_name, &expected.alert_type));
    assert_eq!((listed.detected, listed.last_observed), (expected.detected, expected.last_observed));
    assert_eq!((&listed.customer, &listed.subscription), (&expected.customer_id, &expected.subscription_id));
    assert_eq!((listed.marks.notes, listed.marks.assignee.as_ref().unwrap().id.as_str()), (3, PERSON));
    assert_eq!((listed.is_gone, listed.is_pending, listed.not_accepted), (false, false, false));
}

const PERSON: &str = "77777777-2222-4333-8444-555555555555";

async fn set_work<const N: usize>(bench: &Bench, id: &str, members: [(&str, AttributeValue); N]) {
    let mut work: HashMap<String, AttributeValue> =
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    work.entry("notes".to_owned()).or_insert(AttributeValue::N("0".to_owned()));
    let mut item = bench.alert_item(id).await;
    item.insert("work".to_owned(), AttributeValue::M(work));
    bench.client.put_item().table_name(&bench.tables.alerts).set_item(Some(item)).send().await.unwrap();
}

#[tokio::test]
async fn what_is_worse_than_whoever_set_it_aside_saw_it_is_awake() {
    let bench = Bench::new().await;
    let alerts = ["worse", "same", "reopened"].map(|id| Alert { severity: Severity::High, ..at(id, 0) });
    keep(&bench, &tenant(), &alerts).await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    for (id, severity) in [("worse", "medium"), ("same", "high"), ("reopened", "high")] {
        let seen = [("version", AttributeValue::N("1".to_owned())), ("severity", text(severity))];
        let seen = seen.map(|(name, value)| (name.to_owned(), value));
        let by = AttributeValue::M([("kind".to_owned(), text("system"))].into());
        let until = text(&(noon() + SignedDuration::from_secs(1)).to_string());
        let snooze = [("until", until), ("why", text("later")), ("by", by), ("seen", AttributeValue::M(seen.into()))];
        let snooze = snooze.map(|(name, value)| (name.to_owned(), value));
        set_work(&bench, id, [("snooze", AttributeValue::M(snooze.into()))]).await;
    }
    // It is resolved, and opened again.
    for alert in [resolved(&alerts[2], "2026-03-02T12:30:00Z"), alerts[2].clone()] {
        let stored = bench.stored("reopened").await.unwrap();
        let known = models::Known::seen(std::sync::Arc::new(alert), models::AlertSource::Graph, 3);
        let threshold = models::FraudThreshold::High;
        let write = AlertWrite::between(&tenant(), Some(&stored), known, threshold, false, noon(), None);
        assert!(bench.store.decide(&tenant(), &write, noon()).await.unwrap());
    }
    for (snoozed, expected) in [(true, vec!["same"]), (false, vec!["reopened", "worse"])] {
        let filter = ListFilter { snoozed: Some((snoozed, noon())), ..ListFilter::default() };
        let found = page(&bench, &ListQuery { filter, ..query(ListOf::All) }, None, 10).await;
        let mut found = ids(&found.alerts);
        found.sort_unstable();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn each_filter_lets_through_what_it_says() {
    let bench = Bench::new().await;
    let alerts = [
        Alert { severity: Severity::Low, alert_type: AlertType("CryptoMining".to_owned()), ..at("low", 0) },
        Alert { severity: Severity::Unknown("dire".to_owned()), status: Status::Investigating, ..at("dire", 1) },
        Alert { is_test: true, customer_id: Some("Other".parse().unwrap()), ..at("test", 2) },
        Alert { subscription_id: Some("SUB-2".parse().unwrap()), ..at("assigned", 3) },
        at("snoozed", 4),
        resolved(&at("resolved", 5), "2026-03-02T12:30:00Z"),
    ];
    keep(&bench, &tenant(), &alerts).await;
    let person = AttributeValue::M([("id".to_owned(), AttributeValue::S(PERSON.to_owned()))].into());
    let mut assignee = person.as_m().unwrap().clone();
    assignee.insert("tenant".to_owned(), AttributeValue::S(tenant().to_string()));
    assignee.insert("name".to_owned(), AttributeValue::S("x".to_owned()));
    set_work(&bench, "assigned", [("assignee", AttributeValue::M(assignee))]).await;
    let by = AttributeValue::M([("kind".to_owned(), AttributeValue::S("system".to_owned()))].into());
    let until = AttributeValue::S((noon() + SignedDuration::from_secs(1)).to_string());
    let why = AttributeValue::S("later".to_owned());
    let snooze = [("until", until), ("why", why), ("by", by)].map(|(name, value)| (name.to_owned(), value));
    set_work(&bench, "snoozed", [("snooze", AttributeValue::M(snooze.into()))]).await;

    let all = query(ListOf::All);
    let with = |filter: ListFilter| ListQuery { filter, ..all.clone() };
    let none = ListFilter::default;
    let customer = |id: &str| query(ListOf::Customer(id.parse::<CustomerId>().unwrap()));
    let subscription = |id: &str| query(ListOf::Subscription(id.parse().unwrap()));
    for (what, query, expected) in [
        ("all", all.clone(), vec!["resolved", "snoozed", "assigned", "test", "dire", "low"]),
        ("open", open(), vec!["snoozed", "assigned", "test", "dire", "low"]),
        ("resolved", query(ListOf::State(AlertState::Resolved)), vec!["resolved"]),
        ("a customer in another case", customer("OTHER"), vec!["test"]),
        ("a subscription in another case", subscription("sub-2"), vec!["assigned"]),
        ("a customer of nobody", customer("nobody"), vec![]),
        (
            "a customer's open ones",
            ListQuery { filter: ListFilter { state: Some(AlertState::Open), ..none() }, ..customer("customer-1") },
            vec!["snoozed", "assigned", "dire", "low"],
        ),
        (
            "a customer's resolved ones",
            ListQuery { filter: ListFilter { state: Some(AlertState::Resolved), ..none() }, ..customer("customer-1") },
            vec!["resolved"],
        ),
        (
            "severities",
            with(ListFilter { severities: [Severity::Low, Severity::from("dire")].into(), ..none() }),
            vec!["dire", "low"],
        ),
        ("statuses", with(ListFilter { statuses: [Status::Investigating].into(), ..none() }), vec!["dire"]),
        ("reasons", with(ListFilter { reasons: [ResolvedReason::Fraud].into(), ..none() }), vec!["resolved"]),
        ("types", with(ListFilter { types: ["CryptoMining".to_owned()].into(), ..none() }), vec!["low"]),
        (
            "a type like an expression",
            with(ListFilter { types: ["x) OR (:a = :a".to_owned()].into(), ..none() }),
            vec![],
        ),
        ("tests", with(ListFilter { test: Some(true), ..none() }), vec!["test"]),
        (
            "no tests",
            with(ListFilter { test: Some(false), ..none() }),
            vec!["resolved", "snoozed", "assigned", "dire", "low"],
        ),
        (
            "somebody's",
            with(ListFilter { assignee: Some(ListAssignee::Person(PERSON.parse().unwrap())), ..none() }),
            vec!["assigned"],
        ),
        (
            "nobody's",
            with(ListFilter { assignee: Some(ListAssignee::Nobody), ..none() }),
            vec!["resolved", "snoozed", "test", "dire", "low"],
        ),
        ("set aside", with(ListFilter { snoozed: Some((true, noon())), ..none() }), vec!["snoozed"]),
        ("set aside no more", with(ListFilter { snoozed: Some((true, minute(1))), ..none() }), vec![]),
        (
            "several at once",
            with(ListFilter {
                snoozed: Some((false, noon())),
                severities: [Severity::High].into(),
                test: Some(false),
                ..none()
            }),
            vec!["resolved", "assigned", "dire"],
        ),
        (
            "from one moment to another",
            ListQuery { since: Some(minute(1)), until: Some(minute(3)), ..all.clone() },
            vec!["assigned", "test", "dire"],
        ),
        (
            "the oldest first",
            ListQuery { newest_first: false, ..open() },
            vec!["low", "dire", "test", "assigned", "snoozed"],
        ),
    ] {
        assert_let_through(&bench, what, &query, &expected).await;
    }
}

/// That a query lets exactly these through, by pages of a list and by a walk.
async fn assert_let_through(bench: &Bench, what: &str, query: &ListQuery, expected: &[&str]) {
    for size in [1, 4, 100] {
        let found = walk(bench, &tenants([tenant()]), query, size).await;
        assert_eq!(ids(&found), expected, "{what}, {size} a page");
        let walked = walked(bench, &tenant(), query, size).await;
        assert_eq!(sorted(walked), sorted(expected.to_vec()), "{what}, by a walk, {size} at once");
    }
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort_unstable();
    all
}

#[tokio::test]
async fn a_list_goes_by_the_first_observation_where_that_is_asked_for() {
    let bench = Bench::new().await;
    let seen = |id: &str, first: i64, last: i64| Alert { first_observed: minute(first), ..at(id, last) };
    keep(&bench, &tenant(), &[seen("a", 1, 9), seen("b", 2, 8), seen("c", 3, 7)]).await;
    let by_first = ListQuery { by: ListMoment::FirstObserved, ..open() };
    assert_eq!(ids(&walk(&bench, &tenants([tenant()]), &by_first, 2).await), ["c", "b", "a"]);
    assert_eq!(ids(&walk(&bench, &tenants([tenant()]), &open(), 2).await), ["a", "b", "c"]);
}

#[tokio::test]
async fn an_alert_that_can_not_be_read_hides_no_other_and_is_counted() {
    let bench = Bench::new().await;
    keep(&bench, &tenant(), &[at("a", 0), at("b", 1), at("c", 2)]).await;
    let mut item = bench.alert_item("b").await;
    item.insert("summary".to_owned(), AttributeValue::M(HashMap::new()));
    bench.client.put_item().table_name(&bench.tables.alerts).set_item(Some(item)).send().await.unwrap();
    let page = page(&bench, &open(), None, 10).await;
    assert_eq!((ids(&page.alerts), page.unreadable, page.next), (vec!["c", "a"], 1, None));
}

#[tokio::test]
async fn an_alert_whose_key_no_place_can_be_made_of_ends_no_list() {
    for newest_first in [true, false] {
        let bench = Bench::new().await;
        keep(&bench, &tenant(), &[at("a", 0), at("b", 1), at("c", 2)]).await;
        let mut item = bench.alert_item("b").await;
        let AttributeValue::S(moment) = &item["last_observed"] else { panic!("{item:?}") };
        let odd = AttributeValue::S(format!("{moment} or so"));
        item.insert("last_observed".to_owned(), odd);
        bench.client.put_item().table_name(&bench.tables.alerts).set_item(Some(item)).send().await.unwrap();
        for size in [1, 2, 10] {
            let query = ListQuery { newest_first, ..open() };
            let mut found = walk(&bench, &tenants([tenant()]), &query, size).await;
            if !newest_first {
                found.reverse();
            }
            assert_eq!(ids(&found), ["c", "a"], "{size}, newest first: {newest_first}");
        }
    }
}

#[tokio::test]
async fn a_position_says_no_more_than_the_alert_that_it_stands_behind() {
    let bench = Bench::new().await;
    let of: Vec<TenantId> =
        (0..25).map(|number| format!("0a1b2c3d-0000-4f7b-8a34-{number:012x}").parse().unwrap()).collect();
    for tenant in &of {
        keep(&bench, tenant, &[at(&format!("{tenant}-{}", "x".repeat(200)), 1), at("y", 2)]).await;
    }
    let page = bench.store.list(&tenants(of), &query(ListOf::All), None, 30).await.unwrap();
    assert_eq!(page.alerts.len(), 30);
    let next = serde_json::to_string(&page.next.unwrap()).unwrap();
    assert!(next.len() < 400, "whatever the number of tenants: {next}");
}

/// So many alerts, ten seconds apart, as copies of one that was written.
async fn crowd(bench: &Bench, count: usize) {
    keep(bench, &tenant(), &[at("a", 0)]).await;
    let first = bench.alert_item("a").await;
    let copy = |number: usize| {
        let mut item: Item = first.clone();
        let text = |text: String| AttributeValue::S(text);
        let at = noon() - SignedDuration::from_secs(10 * i64::try_from(number).unwrap());
        let mut summary = item["summary"].as_m().unwrap().clone();
        summary.insert("id".to_owned(), text(format!("crowd-{number}")));
        summary.insert("last_observed".to_owned(), text(at.to_string()));
        item.insert("pk".to_owned(), text(format!("{}#crowd-{number}", tenant())));
        item.insert("summary".to_owned(), AttributeValue::M(summary));
        item.insert("last_observed".to_owned(), text(at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()));
        WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().unwrap()).build()
    };
    for some in (0..count).collect::<Vec<_>>().chunks(25) {
        let writes: Vec<_> = some.iter().map(|number| copy(*number)).collect();
        bench.client.batch_write_item().request_items(&bench.tables.alerts, writes).send().await.unwrap();
    }
}

/// An alert's severity is low from now on.
async fn lower(bench: &Bench, id: &str) {
    let mut item = bench.alert_item(id).await;
    let mut summary = item["summary"].as_m().unwrap().clone();
    summary.insert("severity".to_owned(), AttributeValue::S("low".to_owned()));
    item.insert("summary".to_owned(), AttributeValue::M(summary));
    bench.client.put_item().table_name(&bench.tables.alerts).set_item(Some(item)).send().await.unwrap();
}

#[tokio::test]
async fn an_alert_that_a_filter_lets_through_waits_for_what_another_tenant_may_still_have_before_it() {
    let bench = Bench::new().await;
    // More than one request reads, and the one that counts behind that.
    crowd(&bench, 700).await;
    lower(&bench, "crowd-650").await;
    let other: TenantId = "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11".parse().unwrap();
    keep(&bench, &other, &[Alert { severity: Severity::Low, ..at("older", -200) }]).await;
    let filter = ListFilter { severities: [Severity::Low].into(), ..ListFilter::default() };
    let both = tenants([tenant(), other]);
    let page = bench.store.list(&both, &ListQuery { filter, ..open() }, None, 10).await.unwrap();
    assert_eq!(ids(&page.alerts), ["crowd-650", "older"]);
}

#[tokio::test]
async fn a_page_reads_so_much_at_most_says_how_far_it_searched_and_goes_on_from_there() {
    let bench = Bench::new().await;
    crowd(&bench, MOST_READ + 300).await;
    let filter = ListFilter { severities: [Severity::Low].into(), ..ListFilter::default() };
    let rare = ListQuery { filter, ..open() };
    let first = page(&bench, &rare, None, 50).await;
    assert_eq!(first.alerts, []);
    // The first one was observed last.
    let last_read = noon() - SignedDuration::from_secs(10 * i64::try_from(MOST_READ - 2).unwrap());
    assert_eq!(first.searched_to, Some(last_read));
    let low: Vec<AlertId> = vec!["crowd-2200".parse().unwrap()];
    lower(&bench, low[0].as_str()).await;
    let second = page(&bench, &rare, first.next.as_ref(), 50).await;
    assert_eq!(second.alerts.iter().map(|alert| alert.id.clone()).collect::<Vec<_>>(), low);
    assert_eq!((second.next, second.searched_to), (None, None));
}
