//! Pages of a list: to the end, and no further.

use partner_center::MicrosoftError;
use poll::ReconcileError;
use simulator::{Fault, FaultKind, Target};
use tests::ByHand;

use crate::support::{PAGES_OF_TWO, failed, fault, fault_once, raise_many, to_be_published};

#[tokio::test]
async fn every_page_is_read_and_every_alert_lands_once() {
    let system = ByHand::with(PAGES_OF_TWO).await;
    raise_many(&system, "alert", 5);

    system.complete(5, 5).await;

    assert_eq!(system.microsoft.requests().list, 3);
    let landed: Vec<_> = (0..5).map(|number| (format!("alert-{number:03}"), 1)).collect();
    assert_eq!(system.alerts().await, landed);
}

#[tokio::test]
async fn an_empty_page_with_a_next_link_is_not_the_end() {
    let system = ByHand::with(PAGES_OF_TWO).await;
    raise_many(&system, "alert", 3);
    fault_once(&system, Target::List, FaultKind::EmptyPage);

    system.complete(3, 3).await;

    assert_eq!(system.microsoft.requests().list, 3);
}

#[tokio::test]
async fn whichever_page_fails_for_good_what_was_read_before_has_landed_and_the_next_run_has_all_of_it_once() {
    let system = ByHand::with(PAGES_OF_TWO).await;
    system.baseline().await;
    raise_many(&system, "alert", 6);
    for page in 0..3 {
        let before = system.microsoft.requests().list;
        if page > 0 {
            let whole = Fault::new(Target::List, FaultKind::Slow { milliseconds: 0 });
            system.microsoft.set_fault(whole.times(page)).unwrap();
        }
        fault(&system, Target::List, FaultKind::Truncated);

        let (error, words) = failed(&system).await;

        assert!(matches!(error, ReconcileError::Microsoft(MicrosoftError::BadAnswer { .. })), "page {page}: {words}");
        assert_eq!(system.microsoft.requests().list - before, u64::from(page) + 1);
        assert_eq!(system.alerts().await.len(), 2 * usize::try_from(page).unwrap());
        system.microsoft.clear_faults();
    }

    system.complete(6, 2).await;

    assert_eq!(system.alerts().await.len(), 6);
    assert_eq!(to_be_published(&system).await.len(), 6);
}

#[tokio::test]
async fn a_page_that_breaks_off_once_is_asked_for_again() {
    let system = ByHand::with(PAGES_OF_TWO).await;
    raise_many(&system, "alert", 4);
    for kind in [FaultKind::Reset, FaultKind::Fail { status: 503 }] {
        fault_once(&system, Target::List, kind);
    }

    system.complete(4, 4).await;

    assert_eq!(system.microsoft.requests().list, 4, "two that failed and two pages");
}
