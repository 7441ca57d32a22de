//! The walk over a tenant's alerts: each once and whole, whatever happens meanwhile. `lists.rs` holds what it lets through to what lists show.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use models::{Alert, TenantId};
use store::{ListFilter, ListMoment, ListOf, ListQuery, WalkAlerts as _, WalkPage, WalkPosition, WholeAlert};

use crate::support::{Bench, alert, changed, new, noon, resolved, tenant};

/// Every alert, whatever it is.
fn all() -> ListQuery {
    ListQuery { of: ListOf::All, filter: ListFilter::default(), ..ListQuery::open() }
}

async fn page(bench: &Bench, from: Option<&WalkPosition>, most: usize) -> WalkPage {
    bench.store.walk(&tenant(), &all(), from, most).await.unwrap()
}

fn ids(alerts: &[WholeAlert]) -> Vec<String> {
    alerts.iter().map(|alert| alert.stored.known.alert.id.to_string()).collect()
}

/// The ids of all that a query lets through, so many read at once.
pub(crate) async fn walked(bench: &Bench, of: &TenantId, query: &ListQuery, most: usize) -> Vec<String> {
    let (mut all, mut from) = (Vec::new(), None);
    loop {
        assert!(all.len() < 200, "a walk over so few alerts ends");
        let page = bench.store.walk(of, query, from.as_ref(), most).await.unwrap();
        all.extend(ids(&page.alerts));
        match page.next {
            Some(next) => from = Some(next),
            None => return all,
        }
    }
}

/// An alert that was detected so many minutes after noon.
fn detected(id: &str, minutes: i64) -> Alert {
    Alert { detected: noon() + SignedDuration::from_mins(minutes), ..alert(id) }
}

async fn keep(bench: &Bench, alerts: &[Alert]) {
    let grant = bench.grant(&tenant(), noon()).await;
    bench.write_all(&grant, &alerts.iter().map(new).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn an_alert_that_changes_between_two_pages_comes_once_as_it_was_read() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let alerts = [detected("c", 0), detected("a", 1), detected("b", 2)];
    bench.write_all(&grant, &alerts.each_ref().map(new)).await;
    let first = page(&bench, None, 2).await;
    assert_eq!((ids(&first.alerts), first.read), (vec!["c".to_owned(), "a".to_owned()], 2));
    // One that was read is seen again, detected later than all others by now; so is one that was not, which is resolved, too.
    for (alert, minutes) in [(&alerts[0], 90), (&alerts[2], 91)] {
        let stored = bench.stored(alert.id.as_str()).await.unwrap();
        let later = noon() + SignedDuration::from_mins(minutes);
        let moved = Alert { detected: later, last_observed: later, ..resolved(alert, "2026-03-02T12:30:00Z") };
        bench.write_all(&grant, &[changed(&stored, &moved)]).await;
    }
    let rest = page(&bench, first.next.as_ref(), 10).await;
    assert_eq!((ids(&rest.alerts), &rest.next), (vec!["b".to_owned()], &None));
    let [b] = rest.alerts.as_slice() else { panic!("{rest:?}") };
    assert_eq!((b.stored.version, b.stored.known.alert.status.as_str()), (2, "resolved"), "as it was read");
}

#[tokio::test]
async fn an_alert_is_walked_over_whole_with_what_people_wrote() {
    let bench = Bench::new().await;
    let alert = Alert {
        additional_details: BTreeMap::from([("vmName".to_owned(), "web-1".into())]),
        ..resolved(&detected("a", 0), "2026-03-02T12:30:00Z")
    };
    keep(&bench, std::slice::from_ref(&alert)).await;
    let mut item = bench.alert_item("a").await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let map = |members: Vec<(&str, AttributeValue)>| {
        AttributeValue::M(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    };
    let note = map(vec![
        ("id", text("00000000-0000-4000-8000-000000000001")),
        ("at", text("2026-03-02T12:00:00Z")),
        ("by", map(vec![("kind", text("system"))])),
        ("text", text("Called them.")),
    ]);
    item.insert("notes".to_owned(), AttributeValue::L(vec![note]));
    bench.client.put_item().table_name(&bench.tables.alerts).set_item(Some(item)).send().await.unwrap();
    let page = page(&bench, None, 10).await;
    let [whole] = page.alerts.as_slice() else { panic!("{page:?}") };
    assert_eq!(*whole.stored.known.alert, alert);
    assert_eq!(whole.work.notes[0].text.as_str(), "Called them.");
}

#[tokio::test]
async fn what_can_not_be_read_is_counted_and_hides_no_other() {
    let bench = Bench::new().await;
    keep(&bench, &[detected("a", 0), detected("b", 1), detected("c", 2), detected("d", 3)]).await;
    for (id, spoilt) in [("b", "detail"), ("c", "work")] {
        let mut item = bench.alert_item(id).await;
        let odd = HashMap::from([("affected_resources".to_owned(), AttributeValue::Bool(true))]);
        let odd = if spoilt == "work" { AttributeValue::Bool(true) } else { AttributeValue::M(odd) };
        item.insert(spoilt.to_owned(), odd);
        bench.client.put_item().table_name(&bench.tables.alerts).set_item(Some(item)).send().await.unwrap();
    }
    let page = page(&bench, None, 10).await;
    assert_eq!((ids(&page.alerts), page.read, page.unreadable), (vec!["a".to_owned(), "d".to_owned()], 4, 2));
}

#[tokio::test]
async fn a_walk_by_the_first_observation_lets_through_what_that_moment_says_and_one_of_no_moment_reads_nothing() {
    let bench = Bench::new().await;
    let minute = |minutes: i64| noon() + SignedDuration::from_mins(minutes);
    let seen = |id: &str, first: i64| Alert { first_observed: minute(first), ..detected(id, 0) };
    keep(&bench, &[seen("a", 1), seen("b", 2), seen("c", 3)]).await;
    let (since, until) = (Some(minute(2)), Some(minute(2)));
    let query = ListQuery { by: ListMoment::FirstObserved, since, until, ..all() };
    assert_eq!(walked(&bench, &tenant(), &query, 10).await, ["b"]);
    let never = ListQuery { since: Some(minute(3)), until: Some(minute(1)), ..query };
    assert_eq!(bench.store.walk(&tenant(), &never, None, 10).await.unwrap(), WalkPage::default());
}

#[tokio::test]
async fn a_walk_shows_nothing_of_another_tenant() {
    let bench = Bench::new().await;
    keep(&bench, &[detected("a", 0), detected("b", 1)]).await;
    let other: TenantId = "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11".parse().unwrap();
    assert_eq!(walked(&bench, &other, &all(), 10).await, [""; 0]);
    // Not even with a position of somebody else's: DynamoDB holds it to the tenant's key.
    let of_tenant = page(&bench, None, 1).await.next;
    let found = bench.store.walk(&other, &all(), of_tenant.as_ref(), 10).await;
    assert!(found.is_err() || found.unwrap().alerts.is_empty());
}
