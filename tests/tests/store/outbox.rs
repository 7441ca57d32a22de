//! What is still to be published.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use models::{DigestNotice, DigestReason, Notice, TransitionKind};
use store::{AlertWrite, FindUnpublished as _, OUTBOX_SHARDS, Outbox as _, OutboxRecord, StoreError, WriteAlerts as _};

use crate::support::{Bench, alert, new, noon, record, seconds, tenant, text, told};

const RETENTION_SECONDS: i64 = 30 * 24 * 3600;

/// What is unpublished in all shards.
async fn unpublished(bench: &Bench, until: jiff::Timestamp) -> Vec<Result<OutboxRecord, StoreError>> {
    let mut all = Vec::new();
    for shard in 0..OUTBOX_SHARDS {
        all.extend(bench.store.unpublished(shard, until, 100).await.unwrap());
    }
    all
}

async fn readable(bench: &Bench, until: jiff::Timestamp) -> Vec<OutboxRecord> {
    unpublished(bench, until).await.into_iter().map(Result::unwrap).collect()
}

/// Writes a new alert with a message that was made then.
async fn write(bench: &Bench, grant: &store::Grant, id: &str, later: i64, publish: bool) -> OutboxRecord {
    let record = record(&alert(id), 1, TransitionKind::Opened, noon() + seconds(later), publish);
    let write = AlertWrite { outbox: Some(record.clone()), ..new(&alert(id)) };
    bench.write_all(grant, &[write]).await;
    record
}

#[tokio::test]
async fn what_was_written_is_unpublished_from_its_moment_on() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let record = write(&bench, &grant, "a", 0, true).await;
    assert_eq!(readable(&bench, noon() - seconds(1) / 1000).await, []);
    for later in [0, 1] {
        assert_eq!(readable(&bench, noon() + seconds(later)).await, std::slice::from_ref(&record));
    }
}

#[tokio::test]
async fn what_is_not_to_be_published_is_a_record_that_expires() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    write(&bench, &grant, "a", 0, false).await;
    assert_eq!(readable(&bench, noon()).await, []);
    let item =
        bench.item(&bench.tables.alerts, &format!("{}#a", tenant()), "outbox#000000000001#opened").await.unwrap();
    let expires = noon().as_second() + RETENTION_SECONDS;
    assert_eq!(item["expires_at"], AttributeValue::N(expires.to_string()));
    assert!(!item.contains_key("outbox_shard"));
}

#[tokio::test]
async fn each_item_is_in_one_shard_oldest_first_and_they_spread() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let mut expected = BTreeSet::new();
    for number in (0..40).rev() {
        let id = format!("a{number:02}");
        write(&bench, &grant, &id, number, true).await;
        expected.insert(id);
    }
    let mut found = BTreeSet::new();
    for shard in 0..OUTBOX_SHARDS {
        let records = bench.store.unpublished(shard, noon() + seconds(40), 100).await.unwrap();
        let records: Vec<_> = records.into_iter().map(Result::unwrap).collect();
        assert!(records.is_sorted_by_key(|record| record.created));
        assert!(!records.is_empty(), "forty alerts leave shard {shard} empty");
        for record in records {
            let Notice::Alert(notice) = record.notice else { panic!("no digest was written") };
            assert!(found.insert(notice.alert.id.to_string()));
        }
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn no_more_than_wanted_are_found_and_those_are_the_oldest() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    // Two changes of one alert are in one shard.
    let first = write(&bench, &grant, "a", 0, true).await;
    let stored = bench.stored("a").await.unwrap();
    let second = record(&alert("a"), 2, TransitionKind::Resolved, noon() + seconds(1), true);
    let change = AlertWrite { outbox: Some(second.clone()), ..crate::support::changed(&stored, &alert("a")) };
    bench.write_all(&grant, &[change]).await;
    for (limit, expected) in [(1, vec![first.clone()]), (2, vec![first, second])] {
        let mut found = Vec::new();
        for shard in 0..OUTBOX_SHARDS {
            found.extend(bench.store.unpublished(shard, noon() + seconds(1), limit).await.unwrap());
        }
        assert_eq!(found.into_iter().map(Result::unwrap).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn a_mark_takes_an_item_out_of_the_index_and_lets_it_expire() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let record = write(&bench, &grant, "a", 0, true).await;
    let other = write(&bench, &grant, "b", 0, true).await;
    let marked = noon() + seconds(60);
    bench.store.mark_published(&record, marked).await.unwrap();
    assert_eq!(readable(&bench, marked).await, [other]);
    let item =
        bench.item(&bench.tables.alerts, &format!("{}#a", tenant()), "outbox#000000000001#opened").await.unwrap();
    assert_eq!(text(&item, "published"), "2026-03-02T12:01:00.250Z");
    let expires = marked.as_second() + RETENTION_SECONDS;
    assert_eq!(item["expires_at"], AttributeValue::N(expires.to_string()));
    assert!(!item.contains_key("outbox_shard"));
    let read = OutboxRecord::from_image(item.into()).unwrap().unwrap();
    assert_eq!(read, OutboxRecord { publish: false, ..record });
}

#[tokio::test]
async fn marking_twice_or_marking_what_is_gone_is_no_error_and_makes_nothing() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let there = write(&bench, &grant, "a", 0, true).await;
    for _ in 0..2 {
        bench.store.mark_published(&there, noon()).await.unwrap();
    }
    let gone = record(&alert("gone"), 1, TransitionKind::Opened, noon(), true);
    bench.store.mark_published(&gone, noon()).await.unwrap();
    assert_eq!(bench.outbox_of("gone").await, [""; 0]);
}

#[tokio::test]
async fn a_broken_item_is_an_error_of_its_own_and_hides_no_other() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let good = write(&bench, &grant, "a", 1, true).await;
    let shard = bench.query(&bench.tables.alerts, None, "pk", &format!("{}#a", tenant())).await;
    let shard = shard.iter().find_map(|item| item.get("outbox_shard")).unwrap().as_s().unwrap().clone();
    let (tenant, created) = (tenant().to_string(), "2026-03-02T12:00:00.000Z".to_owned());
    for (place, spoilt) in
        [("tenant", "no tenant"), ("notice", "no json"), ("notice", r#"{"unknown":{}}"#)].iter().enumerate()
    {
        let mut item = std::collections::HashMap::from([
            ("pk".to_owned(), AttributeValue::S(format!("{tenant}#broken-{place}"))),
            ("sk".to_owned(), AttributeValue::S("outbox#000000000001#opened".to_owned())),
            ("outbox_shard".to_owned(), AttributeValue::S(shard.clone())),
            ("created".to_owned(), AttributeValue::S(created.clone())),
            ("tenant".to_owned(), AttributeValue::S(tenant.clone())),
            ("notice".to_owned(), AttributeValue::S(serde_json::to_string(&good.notice).unwrap())),
        ]);
        item.insert(spoilt.0.to_owned(), AttributeValue::S(spoilt.1.to_owned()));
        bench.client.put_item().table_name(&bench.tables.alerts).set_item(Some(item)).send().await.unwrap();
    }
    let (read, broken): (Vec<_>, Vec<_>) =
        unpublished(&bench, noon() + seconds(1)).await.into_iter().partition(Result::is_ok);
    assert_eq!(read.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [good]);
    let mut broken: Vec<_> = broken.into_iter().map(|error| error.unwrap_err().to_string()).collect();
    broken.sort();
    let expected =
        |place| format!("an item of the alerts table is not what it should be (key {tenant}#broken-{place})");
    assert_eq!(broken, [expected(0), expected(1), expected(2)]);
}

fn digest(run: u64, reason: DigestReason) -> OutboxRecord {
    let notice = Notice::Digest(DigestNotice::new(reason, run, [&alert("a")]));
    OutboxRecord { tenant: tenant(), created: noon(), notice, publish: true, trace: None }
}

#[tokio::test]
async fn a_digest_is_written_once_with_the_first_part_of_a_long_write() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let digest = digest(grant.fence, DigestReason::Burst);
    let writes: Vec<_> =
        (0..100).map(|number| told(new(&alert(&format!("a{number}"))), TransitionKind::Opened, false)).collect();
    let written = bench.store.write(&grant, &writes, Some(&digest), noon()).await.unwrap();
    assert_eq!(written, crate::support::all_of(&writes));
    assert_eq!(readable(&bench, noon()).await, [digest]);
    let holds_digest = |sent: &tests::wire::Sent| sent.body.contains("digest-burst");
    let sent = bench.wire.sent().into_iter().filter(|sent| sent.operation == "TransactWriteItems");
    assert_eq!(sent.map(|sent| holds_digest(&sent)).collect::<Vec<_>>(), [true, false, false]);
}

#[tokio::test]
async fn the_digest_of_a_baseline_is_written_with_its_end_or_not_at_all() {
    let bench = Bench::new().await;
    let old = bench.grant(&tenant(), noon()).await;
    let new = bench.grant(&tenant(), noon() + crate::support::TERMS.duration).await;
    let baseline = digest(old.fence, DigestReason::Baseline);
    assert!(!bench.store.finish_baseline(&old, Some(&baseline), noon()).await.unwrap());
    assert_eq!(readable(&bench, noon()).await, []);
    let baseline = digest(new.fence, DigestReason::Baseline);
    assert!(bench.store.finish_baseline(&new, Some(&baseline), noon()).await.unwrap());
    assert_eq!(readable(&bench, noon()).await, std::slice::from_ref(&baseline));
    bench.store.mark_published(&baseline, noon()).await.unwrap();
    assert_eq!(readable(&bench, noon()).await, []);
}
