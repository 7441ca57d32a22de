//! Received events.

use std::sync::Arc;

use models::{EventId, TenantId};
use store::{KeepEvents as _, Kept, KeptEvent, ReceivedEvent, schema::EVENTS_BY_RECEIVED};
use tokio::task::JoinSet;

use crate::support::{Bench, noon, seconds, tenant, text};

const RETENTION_SECONDS: i64 = 30 * 24 * 3600;

fn event<'a>(tenant: &'a TenantId, id: &'a EventId, body: &'a [u8]) -> ReceivedEvent<'a> {
    ReceivedEvent { tenant, id, body, received: noon(), readable: true, trace: None, request_id: None }
}

#[tokio::test]
async fn an_event_is_new_once() {
    let bench = Bench::new().await;
    let (tenant, id) = (tenant(), EventId::of_body(b"one"));
    let first = event(&tenant, &id, b"one");
    assert_eq!(bench.store.keep(&first).await.unwrap(), Kept::New);
    let key = format!("{tenant}#{id}");
    let before = bench.query(&bench.tables.events, None, "pk", &key).await;
    let later = ReceivedEvent { received: noon() + seconds(1), readable: false, ..first };
    assert_eq!(bench.store.keep(&later).await.unwrap(), Kept::Duplicate { first: Some(noon()) });
    assert_eq!(bench.query(&bench.tables.events, None, "pk", &key).await, before);
    assert_eq!(before.len(), 1);
    assert_eq!(bench.wire.operations(), ["PutItem", "PutItem"]);
}

#[tokio::test]
async fn an_event_that_has_run_out_counts_as_gone() {
    let bench = Bench::new().await;
    let (tenant, id) = (tenant(), EventId::of_body(b"one"));
    let at = |later| ReceivedEvent { received: noon() + seconds(later), ..event(&tenant, &id, b"one") };
    assert_eq!(bench.store.keep(&at(0)).await.unwrap(), Kept::New);
    assert_eq!(bench.store.keep(&at(RETENTION_SECONDS - 1)).await.unwrap(), Kept::Duplicate { first: Some(noon()) });
    assert_eq!(bench.store.keep(&at(RETENTION_SECONDS)).await.unwrap(), Kept::New);
    let items = bench.query(&bench.tables.events, None, "pk", &format!("{tenant}#{id}")).await;
    let expires_at = noon().as_second() + 2 * RETENTION_SECONDS;
    assert_eq!(items[0]["expires_at"].as_n().unwrap(), &expires_at.to_string());
}

#[tokio::test]
async fn the_same_id_at_two_tenants_is_two_events() {
    let bench = Bench::new().await;
    let other = "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11".parse().unwrap();
    let id = EventId::of_body(b"one");
    for tenant in [&tenant(), &other] {
        assert_eq!(bench.store.keep(&event(tenant, &id, b"one")).await.unwrap(), Kept::New);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_copies_at_once_are_new_once() {
    let bench = Arc::new(Bench::new().await);
    let mut under_way = JoinSet::new();
    for _ in 0..64 {
        let bench = Arc::clone(&bench);
        under_way.spawn(async move {
            let (tenant, id) = (tenant(), EventId::of_body(b"one"));
            bench.store.keep(&event(&tenant, &id, b"one")).await.unwrap()
        });
    }
    let kept = under_way.join_all().await;
    assert_eq!(kept.iter().filter(|kept| **kept == Kept::New).count(), 1);
    assert_eq!(kept.len(), 64);
}

#[tokio::test]
async fn an_item_reads_back_as_the_event_that_was_kept() {
    let bench = Bench::new().await;
    let tenant = tenant();
    for (body, readable) in [(&b"one"[..], true), (b"", false), (b"\0\xff", false)] {
        let id = EventId::of_body(body);
        bench.store.keep(&ReceivedEvent { readable, ..event(&tenant, &id, body) }).await.unwrap();
        let mut items = bench.query(&bench.tables.events, None, "pk", &format!("{tenant}#{id}")).await;
        let kept = KeptEvent::from_image(items.remove(0).into()).unwrap();
        let expected =
            KeptEvent { tenant: tenant.clone(), id, body: body.to_vec(), received: noon(), readable, trace: None };
        assert_eq!(kept, expected);
    }
}

#[tokio::test]
async fn the_index_lists_a_tenant_s_events_by_arrival_and_holds_no_body() {
    let bench = Bench::new().await;
    let tenant = tenant();
    for (mark, later) in [("b", 2), ("c", 10), ("a", 1)] {
        let id = EventId::of_body(mark.as_bytes());
        let received = noon() + seconds(later);
        bench.store.keep(&ReceivedEvent { received, ..event(&tenant, &id, mark.as_bytes()) }).await.unwrap();
    }
    let listed = bench.query(&bench.tables.events, Some(EVENTS_BY_RECEIVED), "tenant", tenant.as_str()).await;
    let arrivals: Vec<_> = listed.iter().map(|item| text(item, "received")).collect();
    assert_eq!(arrivals, ["2026-03-02T12:00:01.250Z", "2026-03-02T12:00:02.250Z", "2026-03-02T12:00:10.250Z"]);
    let mut attributes: Vec<_> = listed[0].keys().map(String::as_str).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["pk", "received", "tenant"]);
}
