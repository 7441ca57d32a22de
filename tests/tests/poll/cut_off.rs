//! Runs that fail or run out of time somewhere in the middle: what they leave behind, and what the next one makes of it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::SignedDuration;
use models::{
    Alert, AlertId, Decision, FraudThreshold, ReconcileCause, ReconcileRequest, ResolvedReason, Status, Tenant,
};
use partner_center::{ListAlerts, MicrosoftError, Page, Place, Sight};
use poll::{Poll, Queues, ReconcileError, Reconciled, Settings};
use simulator::{FaultKind, Target};
use store::{AlertWrite, LeaseTerms, ReadAlerts as _, Store, StoredAlert, WriteAlerts as _};
use tests::{ByHand, Setup, number};

use crate::support::{digests, failed, fault, of_severity, queues, raise_many, to_be_published};

const ONE_A_PAGE: Setup<'static> = Setup { page_size: 1, variables: &[] };

/// A read of the table fails for good behind eleven pages that were taken.
async fn reading_fails_on_the_twelfth_page(system: &ByHand) {
    for _ in 0..11 {
        system.tap.pass("BatchGetItem");
    }
    system.tap.refuse("BatchGetItem", "AccessDeniedException");
    let (error, words) = failed(system).await;
    assert!(matches!(error, ReconcileError::Store(_)), "{words}");
    assert_eq!(system.alerts().await.len(), 11);
    // The hint may lack what that page would have been.
    let state = system.state().await;
    assert!(number(&state, "hint_of") < number(&state, "fence"), "{state:?}");
}

#[tokio::test]
async fn a_page_that_could_not_be_compared_is_read_again_and_not_skipped() {
    let system = ByHand::with(ONE_A_PAGE).await;
    system.baseline().await;
    raise_many(&system, "alert", 15);
    reading_fails_on_the_twelfth_page(&system).await;

    let Ok(Reconciled::Done { changed, .. }) = system.reconcile().await else { panic!("it fails") };

    assert_eq!(changed, 4);
    assert_eq!(system.alerts().await.len(), 15);
    assert_eq!(to_be_published(&system).await.len(), 15);
}

#[tokio::test]
async fn what_no_callback_announced_is_noted_once_whether_a_run_fails_is_cut_off_or_complete() {
    for pages in [3, 11] {
        let system = ByHand::with(ONE_A_PAGE).await;
        system.baseline().await;
        raise_many(&system, "alert", 15);
        for _ in 0..pages {
            system.tap.pass("BatchGetItem");
        }
        system.tap.refuse("BatchGetItem", "AccessDeniedException");
        failed(&system).await;
        assert_eq!(number(&system.state().await, "unannounced"), pages);
        system.reconcile().await.unwrap();
        assert_eq!(number(&system.state().await, "unannounced"), 15);
    }
}

#[tokio::test]
async fn a_baseline_that_failed_in_the_middle_of_a_page_counts_every_alert_once() {
    let system = ByHand::with(ONE_A_PAGE).await;
    raise_many(&system, "alert", 15);
    reading_fails_on_the_twelfth_page(&system).await;
    // Nothing was held back, so that the place behind the eleventh is kept.
    let state = system.state().await;
    assert_eq!(number(&state, "cut"), number(&state, "fence"));

    system.reconcile().await.unwrap();
    system.reconcile().await.unwrap();

    let digests = digests(&system).await;
    let [(reason, total, listed)] = digests.as_slice() else { panic!("{digests:?}") };
    assert_eq!((reason.as_str(), *total, listed.len()), ("baseline", 15, 15));
    assert_eq!(to_be_published(&system).await.len(), 1, "and nothing beside the digest");
}

#[tokio::test]
async fn a_hint_that_may_lack_something_is_not_believed_and_places_behind_it_are_not_kept() {
    let system = ByHand::with(ONE_A_PAGE).await;
    system.baseline().await;
    // Twelve are held back; one behind them is written at once, and fails.
    raise_many(&system, "alert", 12);
    system.raise_as(of_severity("low", "low"));
    raise_many(&system, "more", 2);
    system.tap.refuse("TransactWriteItems", "AccessDeniedException");

    failed(&system).await;

    let state = system.state().await;
    assert!(number(&state, "hint_of") < number(&state, "fence"), "{state:?}");
    let _ = system.tap.take();
    system.complete(15, 3).await;
    assert!(system.tap.take_operations().contains(&"BatchGetItem".to_owned()), "every alert is compared");
    assert_eq!(to_be_published(&system).await.len(), 14);
}

#[tokio::test]
async fn a_list_that_is_read_on_leaves_the_day_of_the_full_comparison_as_it_was() {
    let system = ByHand::with(ONE_A_PAGE).await;
    raise_many(&system, "alert", 14);
    system.complete(14, 14).await;
    let compared = number(&system.state().await, "compared");
    system.clock.advance(SignedDuration::from_hours(25));
    let behind = simulator::Fault { after: 12, ..simulator::Fault::new(Target::List, FaultKind::MissingMfa) };
    system.microsoft.set_fault(behind).unwrap();
    failed(&system).await;
    system.microsoft.clear_faults();

    system.complete(2, 0).await;

    assert_eq!(number(&system.state().await, "compared"), compared);
}

#[tokio::test]
async fn a_list_that_is_never_read_to_its_end_is_told_after_an_hour_and_what_comes_then_is_news() {
    let system = ByHand::with(ONE_A_PAGE).await;
    raise_many(&system, "alert", 3);
    fault(&system, Target::List, FaultKind::LoopingNextLink);
    failed(&system).await;
    failed(&system).await;
    assert_eq!(to_be_published(&system).await, Vec::<String>::new());

    system.clock.advance(SignedDuration::from_hours(1));
    failed(&system).await;

    let (reason, total, _) = digests(&system).await.remove(0);
    assert_eq!((reason.as_str(), total), ("baseline", 1), "what could be read");
    system.microsoft.clear_faults();
    system.complete(3, 2).await;
    assert_eq!(to_be_published(&system).await.len(), 3, "the digest, and the two that nobody had seen");
}

#[tokio::test]
async fn after_an_hour_too_nothing_is_told_of_what_is_not_written() {
    let system = ByHand::with(ONE_A_PAGE).await;
    raise_many(&system, "alert", 15);
    fault(&system, Target::List, FaultKind::MissingMfa);
    failed(&system).await;
    system.microsoft.clear_faults();
    system.clock.advance(SignedDuration::from_hours(1));
    reading_fails_on_the_twelfth_page(&system).await;
    assert_eq!(to_be_published(&system).await, Vec::<String>::new());

    system.reconcile().await.unwrap();

    assert_eq!(digests(&system).await[0].1, 15);
    assert_eq!(to_be_published(&system).await.len(), 1);
}

/// Microsoft as slow as a test likes: pages of one alert each, and answers to questions for one.
struct Slow {
    alerts: Vec<Alert>,
    /// How long a page takes.
    page: Duration,
    /// How long a question takes.
    question: Duration,
    /// Whether a question is answered with what proves nothing.
    proves_nothing: AtomicBool,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ListAlerts for Slow {
    async fn page(&self, _: &Tenant, at: Option<&Place>) -> Result<Page, MicrosoftError> {
        let number: usize = at.map_or(0, |place| place.as_str().parse().unwrap());
        tokio::time::sleep(self.page).await;
        let next = (number + 1 < self.alerts.len()).then(|| Place::from((number + 1).to_string()));
        Ok(Page { alerts: vec![self.alerts[number].clone()], unreadable: Vec::new(), next })
    }

    async fn alert(&self, tenant: &Tenant, id: &AlertId) -> Result<Sight, MicrosoftError> {
        self.asked.lock().unwrap().push(id.to_string());
        tokio::time::sleep(self.question).await;
        if self.proves_nothing.load(Ordering::Relaxed) {
            let (call, tenant, code) = ("reading", tenant.id.to_string(), "odd".to_owned());
            let ids = partner_center::SupportIds::default();
            return Err(MicrosoftError::Refused {
                call,
                tenant,
                status: 404,
                code,
                body: partner_center::RefusalBody::Microsofts,
                ids,
                attempts: 1,
                description: None,
                wait_until: None,
            });
        }
        Ok(Sight::Gone)
    }
}

impl Slow {
    fn with(alerts: Vec<Alert>) -> Self {
        let (page, question) = (Duration::ZERO, Duration::ZERO);
        Self { alerts, page, question, proves_nothing: AtomicBool::new(false), asked: Arc::default() }
    }
}

fn poll_of<L>(system: &ByHand, source: L) -> Poll<Store, L, Queues> {
    let lease = LeaseTerms { duration: SignedDuration::from_secs(150), gap: SignedDuration::from_secs(15) };
    let (run_limit, threshold) = (Duration::from_secs(110), FraudThreshold::High);
    let settings = Settings { lease, run_limit, threshold, digest_above: 20, pages: 100 };
    let (new_id, queues) = (Arc::new(runtime::random_id), queues(system));
    Poll::new(system.store(), source, queues, system.clock.clone(), new_id, settings)
}

async fn run<L: ListAlerts + Sync>(
    system: &ByHand,
    poll: &Poll<Store, L, Queues>,
) -> Result<Reconciled, ReconcileError> {
    system.clock.advance(SignedDuration::from_mins(5));
    let request = ReconcileRequest { tenant: system.tenant.clone(), cause: ReconcileCause::Schedule, trace: None };
    poll.reconcile(&request, None).await
}

async fn stored(system: &ByHand, id: &str) -> StoredAlert {
    let id: AlertId = id.parse().unwrap();
    system.store().alerts(&system.tenant, std::slice::from_ref(&id)).await.unwrap().readable.remove(&id).unwrap()
}

/// The alerts that are kept, as Microsoft might list them.
async fn kept(system: &ByHand) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for (id, _) in system.alerts().await {
        alerts.push(stored(system, &id).await.known.alert.as_ref().clone());
    }
    alerts
}

#[tokio::test(start_paused = true)]
async fn a_list_of_few_slow_pages_is_read_to_its_end_by_as_many_runs_as_it_takes() {
    let other = ByHand::start().await;
    raise_many(&other, "alert", 9);
    other.complete(9, 9).await;
    let system = ByHand::start().await;
    let poll = poll_of(&system, Slow { page: Duration::from_secs(12), ..Slow::with(kept(&other).await) });

    let first = run(&system, &poll).await.unwrap_err();
    assert!(matches!(first, ReconcileError::OutOfTime { .. }), "{first:?}");
    assert_eq!(run(&system, &poll).await.unwrap(), Reconciled::Done { listed: 3, changed: 3 });

    assert_eq!(system.alerts().await.len(), 9);
    assert_eq!(digests(&system).await[0].1, 9);
}

#[tokio::test(start_paused = true)]
async fn slow_answers_about_single_alerts_keep_no_run_from_being_complete() {
    let system = ByHand::start().await;
    raise_many(&system, "alert", 22);
    system.complete(22, 22).await;
    let alerts = kept(&system).await.split_off(21);
    let poll = poll_of(&system, Slow { question: Duration::from_secs(30), ..Slow::with(alerts) });

    for changed in [3, 3, 3, 3, 3, 3, 3, 0] {
        assert_eq!(run(&system, &poll).await.unwrap(), Reconciled::Done { listed: 1, changed });
    }
    assert!(stored(&system, "alert-000").await.known.gone.is_some());
}

/// Microsoft with an empty list and one alert that can't be read when it is asked for.
struct Odd;

impl ListAlerts for Odd {
    async fn page(&self, _: &Tenant, _: Option<&Place>) -> Result<Page, MicrosoftError> {
        Ok(Page::default())
    }

    async fn alert(&self, _: &Tenant, id: &AlertId) -> Result<Sight, MicrosoftError> {
        let undated = format!(r#"{{"id":"{id}"}}"#);
        Ok(Sight::Unreadable(partner_center::read_alert(undated.as_bytes()).unwrap_err()))
    }
}

#[tokio::test]
async fn an_alert_that_is_listed_no_longer_and_cannot_be_read_is_kept_aside_once() {
    let system = ByHand::start().await;
    system.raise("alert");
    system.complete(1, 1).await;
    let poll = poll_of(&system, Odd);
    run(&system, &poll).await.unwrap();
    let table = &system.test.system.tables().alerts;
    let kept = system.items(table).await;
    assert!(kept.iter().any(|item| tests::text(item, "sk") == "unreadable#alert"));

    run(&system, &poll).await.unwrap();

    assert_eq!(system.items(table).await, kept, "and not written again");
}

/// Somebody decides that an alert is fraud.
async fn decide(system: &ByHand, id: &str) {
    let seen = stored(system, id).await;
    let now = system.now();
    let decision = Decision { status: Status::Resolved, reason: Some(ResolvedReason::Fraud), at: now };
    let known = seen.known.decided(decision, None);
    let write = AlertWrite::between(&system.tenant, Some(&seen), known, FraudThreshold::High, true, now, None);
    assert!(system.store().decide(&system.tenant, &write, now).await.unwrap());
}

#[tokio::test]
async fn decisions_about_alerts_that_microsoft_says_nothing_of_leave_room_for_the_others() {
    let system = ByHand::start().await;
    raise_many(&system, "alert", 40);
    system.complete(40, 40).await;
    let alerts = kept(&system).await.split_off(39);
    for number in 0..20 {
        decide(&system, &format!("alert-{number:03}")).await;
    }
    let source = Slow { proves_nothing: AtomicBool::new(true), ..Slow::with(alerts) };
    let asked = Arc::clone(&source.asked);
    let poll = poll_of(&system, source);
    for _ in 0..4 {
        run(&system, &poll).await.unwrap();
        assert!(asked.lock().unwrap().len() <= 80);
    }

    let mut asked = std::mem::take(&mut *asked.lock().unwrap());
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), 39, "each of them within four runs");
}

/// An empty list. One alert can't be shown, for no reason of its own that Microsoft would name; of the others it knows nothing.
struct Poison;

impl ListAlerts for Poison {
    async fn page(&self, _: &Tenant, _: Option<&Place>) -> Result<Page, MicrosoftError> {
        Ok(Page::default())
    }

    async fn alert(&self, tenant: &Tenant, id: &AlertId) -> Result<Sight, MicrosoftError> {
        if id.as_str() != "alert-000" {
            return Ok(Sight::Gone);
        }
        let problem = "not the alert that was asked for".to_owned();
        Err(MicrosoftError::BadAnswer { call: "reading", tenant: tenant.id.to_string(), problem })
    }
}

#[tokio::test]
async fn one_alert_that_can_never_be_shown_keeps_none_from_being_asked_for_and_its_decision_is_not_waited_for_for_ever()
{
    let system = ByHand::start().await;
    raise_many(&system, "alert", 4);
    system.complete(4, 4).await;
    decide(&system, "alert-000").await;
    let poll = poll_of(&system, Poison);

    run(&system, &poll).await.unwrap();

    for number in 1..4 {
        assert!(stored(&system, &format!("alert-{number:03}")).await.known.gone.is_some(), "{number}");
    }
    let is_pending = async || stored(&system, "alert-000").await.known.decision.is_some();
    system.clock.advance(SignedDuration::from_mins(45));
    run(&system, &poll).await.unwrap();
    assert!(is_pending().await);
    system.clock.advance(SignedDuration::from_mins(10));
    run(&system, &poll).await.unwrap();
    assert!(!is_pending().await);
    assert_eq!(stored(&system, "alert-000").await.known.alert.status, Status::Resolved, "it stays as it was decided");
}
