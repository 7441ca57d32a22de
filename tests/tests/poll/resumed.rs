//! A list that broke off is read on by the next run, and from its start where that can't be.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use models::{Alert, AlertId, FraudThreshold, ReconcileCause, ReconcileRequest, Tenant};
use partner_center::{ListAlerts, MicrosoftError, Page, Place, Sight};
use poll::{Poll, ReconcileError, Reconciled, Settings};
use serde_json::Value;
use simulator::{AlertChange, Fault, FaultKind, Target};
use store::{LeaseTerms, ReadAlerts as _};
use tests::{ByHand, Setup, TENANT, number, text};

use crate::support::{digests, failed, fault, queues, raise_many, resolved, severity, to_be_published};

const ONE_A_PAGE: Setup<'static> = Setup { page_size: 1, variables: &[] };

/// From the page after so many on, every page is refused for good.
fn refused_after(system: &ByHand, pages: u32) {
    system.microsoft.set_fault(Fault { after: pages, ..Fault::new(Target::List, FaultKind::MissingMfa) }).unwrap();
}

/// How many pages a run asked for.
async fn pages_of(system: &ByHand, run: Pin<Box<impl Future>>) -> u64 {
    let before = system.microsoft.requests().list;
    run.await;
    system.microsoft.requests().list - before
}

#[tokio::test]
async fn a_list_that_broke_off_behind_ten_pages_is_read_on_there_and_from_the_start_by_the_run_after_that() {
    let system = ByHand::with(ONE_A_PAGE).await;
    system.baseline().await;
    raise_many(&system, "alert", 15);
    refused_after(&system, 11);

    let (error, words) = failed(&system).await;

    assert!(matches!(error, ReconcileError::Microsoft(_)), "{words}");
    assert_eq!(system.alerts().await.len(), 11);
    assert_eq!(to_be_published(&system).await.len(), 11, "what was read is told");
    system.microsoft.clear_faults();
    assert_eq!(pages_of(&system, Box::pin(system.complete(4, 4))).await, 4);
    assert_eq!(to_be_published(&system).await.len(), 15);
    assert_eq!(pages_of(&system, Box::pin(system.complete(15, 0))).await, 15);
}

#[tokio::test]
async fn what_failed_before_the_tenth_page_is_read_from_the_start() {
    let system = ByHand::with(ONE_A_PAGE).await;
    system.baseline().await;
    raise_many(&system, "alert", 15);
    refused_after(&system, 9);
    failed(&system).await;
    system.microsoft.clear_faults();

    assert_eq!(pages_of(&system, Box::pin(system.complete(15, 6))).await, 15);
}

#[tokio::test]
async fn a_page_that_goes_on_failing_does_not_keep_those_before_it_from_being_read() {
    let system = ByHand::with(ONE_A_PAGE).await;
    raise_many(&system, "alert", 15);
    system.complete(15, 15).await;
    refused_after(&system, 12);
    failed(&system).await;
    // Read on, and refused at once.
    refused_after(&system, 0);
    assert_eq!(pages_of(&system, Box::pin(failed(&system))).await, 1);
    system.microsoft.clear_faults();
    system.change("alert-000", resolved("fraud"));
    refused_after(&system, 12);

    failed(&system).await;

    assert_eq!(number(&system.alert("alert-000").await.unwrap(), "version"), 2);
}

#[tokio::test]
async fn a_place_that_microsoft_no_longer_takes_and_one_that_is_an_hour_old_are_left() {
    let system = ByHand::with(ONE_A_PAGE).await;
    system.baseline().await;
    raise_many(&system, "alert", 12);
    refused_after(&system, 11);
    failed(&system).await;
    system.microsoft.clear_faults();
    fault(&system, Target::List, FaultKind::ExpiredNextLink);
    // The place is refused, so is every other page but the first.
    failed(&system).await;
    system.microsoft.clear_faults();
    system.complete(12, 1).await;

    refused_after(&system, 11);
    failed(&system).await;
    system.microsoft.clear_faults();
    system.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(pages_of(&system, Box::pin(system.complete(12, 0))).await, 12);
}

#[tokio::test]
async fn a_place_in_the_list_of_another_source_is_left() {
    let system = ByHand::with(ONE_A_PAGE).await;
    system.baseline().await;
    raise_many(&system, "alert", 12);
    refused_after(&system, 11);
    failed(&system).await;
    system.microsoft.clear_faults();
    // As if somebody had changed the source meanwhile.
    let tenants = &system.test.system.tables().tenants;
    let mut kept = system.item(tenants, TENANT, "place").await.unwrap();
    let other = text(&kept, "place").replace(r#""source":"graph""#, r#""source":"fraud-events""#);
    assert_ne!(other, text(&kept, "place"));
    kept.insert("place".to_owned(), AttributeValue::S(other));
    system.dynamodb.put_item().table_name(tenants).set_item(Some(kept)).send().await.unwrap();

    assert_eq!(pages_of(&system, Box::pin(system.complete(12, 1))).await, 12);
}

#[tokio::test]
async fn a_baseline_that_took_two_runs_is_one_digest_of_all_that_is_open() {
    let system = ByHand::with(ONE_A_PAGE).await;
    raise_many(&system, "alert", 14);
    system.change("alert-003", resolved("fraud"));
    refused_after(&system, 12);
    failed(&system).await;
    system.microsoft.clear_faults();
    assert_eq!(system.outbox().await.iter().filter(|item| item.publish).count(), 0);

    system.complete(2, 2).await;

    let (reason, total, listed) = digests(&system).await.remove(0);
    assert_eq!((reason.as_str(), total, listed.len()), ("baseline", 13, 13));
    assert_eq!(to_be_published(&system).await.len(), 1);
}

#[tokio::test]
async fn a_baseline_that_took_two_runs_counts_what_both_list_once_and_as_it_was_listed_last() {
    for (is_resolved, expected) in [(false, 14_u64), (true, 13)] {
        let system = ByHand::with(ONE_A_PAGE).await;
        raise_many(&system, "alert", 14);
        refused_after(&system, 12);
        failed(&system).await;
        system.microsoft.clear_faults();
        // The list has moved by one meanwhile: the second run begins with what the first ended with.
        system.microsoft.set_fault(Fault::new(Target::List, FaultKind::AlertListedTwice).times(1)).unwrap();
        if is_resolved {
            system.change("alert-011", resolved("fraud"));
        }

        system.reconcile().await.unwrap();

        let (reason, total, listed) = digests(&system).await.remove(0);
        assert_eq!((reason.as_str(), total, listed.len()), ("baseline", expected, 14 - usize::from(is_resolved)));
        let of_the_moved = listed.iter().filter(|id| *id == "alert-011").count();
        assert_eq!(of_the_moved, usize::from(!is_resolved), "{listed:?}");
    }
}

#[tokio::test]
async fn nothing_is_concluded_from_the_end_of_a_list_alone() {
    let system = ByHand::with(ONE_A_PAGE).await;
    raise_many(&system, "alert", 14);
    system.complete(14, 14).await;
    system.change("alert-000", AlertChange { gone: Some(true), ..AlertChange::default() });
    refused_after(&system, 12);
    failed(&system).await;
    system.microsoft.clear_faults();

    system.complete(1, 0).await;
    assert_eq!(system.microsoft.requests().get, 0);
    system.complete(13, 1).await;
    assert_eq!(system.microsoft.requests().get, 1);
}

/// Microsoft with fourteen pages of one alert each, and no answer for the twelfth as long as it is silent.
struct Slow {
    alert: Alert,
    is_silent: Arc<AtomicBool>,
}

impl ListAlerts for Slow {
    async fn page(&self, _: &Tenant, at: Option<&Place>) -> Result<Page, MicrosoftError> {
        let number: u32 = at.map_or(0, |place| place.as_str().parse().unwrap());
        if number == 11 && self.is_silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let alert = Alert { id: format!("alert-{number:03}").parse().unwrap(), ..self.alert.clone() };
        let next = (number < 13).then(|| Place::from((number + 1).to_string()));
        Ok(Page { alerts: vec![alert], unreadable: Vec::new(), next })
    }

    async fn alert(&self, _: &Tenant, _: &AlertId) -> Result<Sight, MicrosoftError> {
        Ok(Sight::NoWayToAsk)
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_takes_longer_than_a_run_may_is_told_as_far_as_it_was_read_and_read_on_by_the_run_that_is_rung_for()
{
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("alert");
    system.complete(1, 1).await;
    let id = "alert".parse().unwrap();
    let kept = system.store().alerts(&system.tenant, std::slice::from_ref(&id)).await.unwrap();
    let alert = kept.readable[&id].known.alert.as_ref().clone();
    let is_silent = Arc::new(AtomicBool::new(true));
    let source = Slow { alert, is_silent: Arc::clone(&is_silent) };
    let lease = LeaseTerms { duration: SignedDuration::from_secs(150), gap: SignedDuration::from_secs(15) };
    let run_limit = std::time::Duration::from_secs(110);
    let settings = Settings { lease, run_limit, threshold: FraudThreshold::High, digest_above: 20, pages: 100 };
    let (new_id, queues) = (Arc::new(runtime::random_id), queues(&system));
    let poll = Poll::new(system.store(), source, queues, system.clock.clone(), new_id, settings);
    let request = ReconcileRequest { tenant: system.tenant.clone(), cause: ReconcileCause::Schedule, trace: None };
    system.clock.advance(SignedDuration::from_mins(1));
    let _ = system.tap.take();

    let error = poll.reconcile(&request, None).await.unwrap_err();

    assert!(matches!(error, ReconcileError::OutOfTime { seconds: 82, last: None }), "{error:?}");
    assert_eq!(to_be_published(&system).await.len(), 1 + 11, "told before the time was up");
    let rung = system.tap.take_bodies("SendMessage");
    let rung: Value = serde_json::from_str(&rung[0]).unwrap();
    let message = rung["MessageBody"].as_str().unwrap();
    assert_eq!(message, format!(r#"{{"tenant":"{TENANT}","cause":"again","hops":1}}"#));
    is_silent.store(false, Ordering::Relaxed);
    system.clock.advance(SignedDuration::from_mins(1));
    let read_on = poll.reconcile(&request, None).await.unwrap();
    assert_eq!(read_on, Reconciled::Done { listed: 3, changed: 3 });
    assert_eq!(to_be_published(&system).await.len(), 1 + 14);
}

#[tokio::test]
async fn a_change_that_is_taken_back_on_a_later_page_is_none() {
    let system = ByHand::with(ONE_A_PAGE).await;
    raise_many(&system, "alert", 4);
    system.complete(4, 4).await;
    let before = to_be_published(&system).await;
    // The first page shows the change, the second one the alert once more, as it was.
    system.change("alert-000", AlertChange { lag: simulator::Lag { list: 0, get: 0 }, ..resolved("fraud") });
    let twice = Fault { after: 1, ..Fault::new(Target::List, FaultKind::AlertListedTwice) };
    system.microsoft.set_fault(twice.times(1)).unwrap();
    let reading = system.reconcile();
    let result = reading.await.unwrap();

    assert!(matches!(result, Reconciled::Done { listed: 4, changed: 1 }), "{result:?}");
    let after = to_be_published(&system).await;
    assert_eq!(after.len(), before.len() + 1, "listed twice, told once: {after:?}");
    system.change("alert-000", severity("low"));
    system.complete(4, 1).await;
}
