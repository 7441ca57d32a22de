//! Alerts that can't be read, kept aside.

use aws_sdk_dynamodb::types::AttributeValue;
use models::AlertId;
use store::{AlertFingerprint, Grant, KeepAside as _, KnownAlerts, Unreadable};

use crate::support::{Bench, Item, alert, noon, seconds, tenant, text};

fn id() -> AlertId {
    "strange".parse().unwrap()
}

fn unreadable<'a>(id: &'a AlertId, body: &'a [u8]) -> Unreadable<'a> {
    Unreadable { id, body, whole: body.len() + 1, problem: "it has no date" }
}

async fn kept(bench: &Bench) -> Option<Item> {
    bench.item(&bench.tables.alerts, tenant().as_str(), "unreadable#strange").await
}

fn body(item: &Item) -> &[u8] {
    let AttributeValue::B(bytes) = &item["body"] else { panic!("{item:?}") };
    bytes.as_ref()
}

#[tokio::test]
async fn the_latest_bytes_are_kept_with_the_first_and_the_last_sight_of_them() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let longest = vec![0xff; 64_000];
    bench.store.keep_aside(&grant, unreadable(&id(), b"{}"), noon()).await.unwrap();
    bench.store.keep_aside(&grant, unreadable(&id(), &longest), noon() + seconds(60)).await.unwrap();

    let item = kept(&bench).await.unwrap();
    assert_eq!(body(&item), longest);
    assert_eq!(item["whole_bytes"], AttributeValue::N("64001".to_owned()));
    assert_eq!(
        (text(&item, "first_seen"), text(&item, "last_seen")),
        ("2026-03-02T12:00:00.250Z", "2026-03-02T12:01:00.250Z")
    );
    let expires = (noon() + seconds(60 + 30 * 86_400)).as_second();
    assert_eq!(item["expires_at"], AttributeValue::N(expires.to_string()));
    // It is in no index, the outbox's above all.
    for name in ["tenant", "outbox_shard", "tenant_state", "detected_id"] {
        assert_eq!(item.get(name), None, "{name}");
    }
}

#[tokio::test]
async fn what_can_be_read_again_says_so_and_what_was_never_kept_stays_away() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    bench.store.readable_again(&grant, &id(), noon()).await.unwrap();
    assert_eq!(kept(&bench).await, None);

    bench.store.keep_aside(&grant, unreadable(&id(), b"{}"), noon()).await.unwrap();
    bench.store.readable_again(&grant, &id(), noon() + seconds(60)).await.unwrap();
    let item = kept(&bench).await.unwrap();
    assert_eq!((text(&item, "readable_since"), body(&item)), ("2026-03-02T12:01:00.250Z", b"{}".as_slice()));

    bench.store.keep_aside(&grant, unreadable(&id(), b"{}"), noon()).await.unwrap();
    assert_eq!(kept(&bench).await.unwrap().get("readable_since"), None);
}

#[tokio::test]
async fn a_run_whose_lease_has_passed_on_changes_nothing() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let before = Grant { fence: grant.fence - 1, ..grant.clone() };
    bench.store.keep_aside(&grant, unreadable(&id(), b"new"), noon()).await.unwrap();

    bench.store.keep_aside(&before, unreadable(&id(), b"old"), noon()).await.unwrap();
    bench.store.readable_again(&before, &id(), noon()).await.unwrap();

    let item = kept(&bench).await.unwrap();
    assert_eq!((body(&item), item.get("readable_since")), (b"new".as_slice(), None));
}

#[test]
fn what_is_known_tells_an_unreadable_alert_from_a_readable_one() {
    let mut known = KnownAlerts::default();
    assert!(!known.was_unreadable(&id()));
    let print = AlertFingerprint::of_unreadable(b"{}");
    known.note(&id(), print);
    assert!(known.was_unreadable(&id()) && known.knows(&id(), print));
    assert_ne!(print, AlertFingerprint::of_unreadable(b"{ }"));
    known.note(&id(), AlertFingerprint::of(&alert("strange")));
    assert!(!known.was_unreadable(&id()));
}
