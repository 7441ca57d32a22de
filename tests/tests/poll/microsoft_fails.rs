//! Every fault of Microsoft's side.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use models::{AlertId, FraudThreshold, ReconcileCause, ReconcileRequest, Tenant};
use partner_center::{ListAlerts, MicrosoftError, Page, Place, Sight};
use poll::{Poll, ReconcileError, Settings};
use serde_json::json;
use simulator::{Denial, FaultKind, NewAlert, RetryAfter, Target};
use store::LeaseTerms;
use tests::{ByHand, Setup, TENANT, number, text};

use crate::support::{
    PAGES_OF_TWO, failed, fault, fault_once, is_free, named, queues, raise_many, request, rung, to_be_published,
};

#[tokio::test]
async fn a_server_error_for_ever_fails_the_message_after_three_attempts_and_gives_the_lease_back() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("alert");
    let (success, listed) = (text(&system.state().await, "last_success"), system.microsoft.requests().list);
    fault(&system, Target::List, FaultKind::Fail { status: 500 });
    system.clock.advance(SignedDuration::from_mins(1));

    assert_eq!(system.deliver(&[("m-1", &rung(TENANT))]).await, ["m-1"]);

    assert_eq!(system.microsoft.requests().list - listed, 3);
    let state = system.state().await;
    assert!(is_free(&state));
    assert_eq!(text(&state, "last_success"), success);
    assert_eq!(text(&state, "last_attempt"), "2026-03-02T09:02:00.000Z");
    assert_eq!(system.alerts().await, []);

    system.microsoft.clear_faults();
    system.complete(1, 1).await;
}

#[tokio::test]
async fn a_run_of_the_schedule_that_fails_is_done_since_the_next_tick_is_its_retry() {
    let system = ByHand::start().await;
    fault(&system, Target::List, FaultKind::MissingMfa);
    let again = json!({ "tenant": TENANT, "cause": "again" }).to_string();

    for message in [request(TENANT), again] {
        system.clock.advance(SignedDuration::from_mins(1));
        assert_eq!(system.deliver(&[("m-1", &message)]).await, Vec::<String>::new());
    }

    assert_eq!(system.microsoft.requests().list, 2);
    let state = system.state().await;
    assert!(is_free(&state));
    assert_eq!(state.get("last_success"), None);
}

#[tokio::test]
async fn a_run_that_takes_too_long_ends_itself_and_gives_the_lease_back() {
    struct Never;
    impl ListAlerts for Never {
        async fn page(&self, _: &Tenant, _: Option<&Place>) -> Result<Page, MicrosoftError> {
            std::future::pending().await
        }

        async fn alert(&self, _: &Tenant, _: &AlertId) -> Result<Sight, MicrosoftError> {
            std::future::pending().await
        }
    }
    let system = ByHand::start().await;
    let lease = LeaseTerms { duration: SignedDuration::from_secs(150), gap: SignedDuration::from_secs(1) };
    let run_limit = std::time::Duration::from_millis(20);
    let settings = Settings { lease, run_limit, threshold: FraudThreshold::High, digest_above: 20, pages: 10 };
    let poll = Poll::new(
        system.store(),
        Never,
        queues(&system),
        system.clock.clone(),
        std::sync::Arc::new(runtime::random_id),
        settings,
    );
    let request = ReconcileRequest { tenant: system.tenant.clone(), cause: ReconcileCause::Schedule, trace: None };

    let error = poll.reconcile(&request, None).await.unwrap_err();

    assert!(matches!(error, ReconcileError::OutOfTime { .. }), "{error:?}");
    let state = system.state().await;
    assert!(is_free(&state));
    assert_eq!(state.get("last_success"), None);
    system.complete(0, 0).await;
}

#[tokio::test]
async fn what_microsoft_says_for_good_is_not_asked_again() {
    let system = ByHand::start().await;
    system.baseline().await;
    let too_long = FaultKind::Throttle { retry_after: RetryAfter::Seconds(120) };
    for (kind, requests, words) in [
        (FaultKind::MissingMfa, 1, "was refused with status 403 and code Unauthorized_MissingMFA after 1 attempt"),
        (FaultKind::Truncated, 1, "gave an answer that can't be used: no page of alerts (it ends too early)"),
        (FaultKind::ForeignNextLink, 1, "gave an answer that can't be used: a next link that leaves Graph's host"),
        (too_long, 1, "was refused with status 429 and code TooManyRequests after 1 attempt"),
        // A new token is asked for once.
        (FaultKind::ExpiredToken, 2, "was refused with status 401 and code InvalidAuthenticationToken after 1 attempt"),
    ] {
        let before = system.microsoft.requests().list;
        fault(&system, Target::List, kind);

        let (error, text) = failed(&system).await;

        assert!(matches!(error, ReconcileError::Microsoft(_)), "{kind:?}");
        let expected = format!(
            "Microsoft's list of alerts could not be read: listing security alerts for tenant {TENANT} {words}"
        );
        assert!(text.starts_with(&expected), "{kind:?}: {text}");
        assert_eq!(system.microsoft.requests().list - before, requests, "{kind:?}");
        assert!(is_free(&system.state().await), "{kind:?}");
        system.microsoft.clear_faults();
    }
}

#[tokio::test]
async fn a_token_that_is_refused_once_is_renewed() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("alert");
    let before = system.microsoft.requests();
    fault_once(&system, Target::List, FaultKind::ExpiredToken);

    system.complete(1, 1).await;

    let after = system.microsoft.requests();
    assert_eq!((after.list - before.list, after.token - before.token), (2, 1));
}

#[tokio::test]
async fn a_token_that_expires_between_two_pages_is_renewed_and_no_page_is_lost() {
    let system = ByHand::with(PAGES_OF_TWO).await;
    raise_many(&system, "alert", 5);
    fault_once(&system, Target::List, FaultKind::Slow { milliseconds: 0 });
    fault_once(&system, Target::List, FaultKind::ExpiredToken);

    system.complete(5, 5).await;

    let requests = system.microsoft.requests();
    assert_eq!((requests.list, requests.token), (4, 2));
}

#[tokio::test]
async fn a_token_is_kept_for_as_long_as_it_is_good_and_renewed_before_its_end() {
    let system = ByHand::start().await;
    system.baseline().await;
    assert_eq!(system.microsoft.requests().token, 1);
    system.complete(0, 0).await;
    assert_eq!(system.microsoft.requests().token, 1);

    // It lives 59:59, and five minutes before that it is renewed.
    system.clock.advance(SignedDuration::from_mins(54));
    system.complete(0, 0).await;
    assert_eq!(system.microsoft.requests().token, 2);
}

#[tokio::test]
async fn trouble_at_the_token_endpoint_is_an_error_of_the_sign_in_and_asks_for_no_list() {
    let system = ByHand::start().await;
    for (kind, requests, words) in [
        (FaultKind::Truncated, 1, "gave an answer that can't be used: no access_token and expires_in"),
        (
            FaultKind::Throttle { retry_after: RetryAfter::Seconds(21) },
            1,
            "was refused with status 429 and code temporarily_unavailable AADSTS90055 after 1 attempt",
        ),
        (
            FaultKind::Fail { status: 502 },
            3,
            "was refused with status 502 and code none (a web page, and no error in Microsoft's form) after 3 attempts",
        ),
        (FaultKind::Reset, 3, "got no whole answer after 3 attempts"),
    ] {
        let before = system.microsoft.requests().token;
        fault(&system, Target::Token, kind);

        let (_, text) = failed(&system).await;

        let expected =
            format!("Microsoft's list of alerts could not be read: sign-in (token) for tenant {TENANT} {words}");
        assert!(text.starts_with(&expected), "{kind:?}: {text}");
        assert_eq!(system.microsoft.requests().token - before, requests, "{kind:?}");
        assert!(is_free(&system.state().await), "{kind:?}");
        system.microsoft.clear_faults();
    }
    assert_eq!(system.microsoft.requests().list, 0);
    assert_eq!(system.state().await.get("last_success"), None);

    system.complete(0, 0).await;
}

#[tokio::test]
async fn throttling_is_waited_out_as_microsoft_asks_or_else_for_a_moment() {
    let system = ByHand::start().await;
    system.raise("alert");
    for retry_after in [RetryAfter::Seconds(1), RetryAfter::Garbage] {
        fault_once(&system, Target::List, FaultKind::Throttle { retry_after });
    }
    fault_once(&system, Target::Token, FaultKind::Throttle { retry_after: RetryAfter::Seconds(0) });
    let began = std::time::Instant::now();

    system.complete(1, 1).await;

    assert!(began.elapsed() >= std::time::Duration::from_secs(1), "the second that Microsoft asked for");
    let requests = system.microsoft.requests();
    assert_eq!((requests.token, requests.list), (2, 3));
}

#[tokio::test]
async fn a_date_to_come_back_at_is_waited_for_by_the_clock_of_the_function_and_no_longer_than_any_pause() {
    let system = ByHand::start().await;
    system.raise("alert");
    let until = |seconds| FaultKind::Throttle { retry_after: RetryAfter::Date(seconds) };
    fault_once(&system, Target::List, until(2));
    let began = std::time::Instant::now();

    system.complete(1, 1).await;

    assert!(began.elapsed() >= std::time::Duration::from_secs(2), "the clock stands still meanwhile");
    assert_eq!(system.microsoft.requests().list, 2);

    fault_once(&system, Target::List, until(21));
    failed(&system).await;
    assert_eq!(system.microsoft.requests().list, 3);
}

#[tokio::test]
async fn each_request_to_graph_has_a_name_of_its_own_and_a_failure_says_what_microsoft_calls_it() {
    let system = ByHand::start().await;
    fault_once(&system, Target::List, FaultKind::Fail { status: 500 });
    system.complete(0, 0).await;
    fault(&system, Target::List, FaultKind::MissingMfa);
    let (_, words) = failed(&system).await;

    let recorded = system.microsoft.recorded();
    let lists: Vec<_> = recorded.iter().filter(|request| request.path.ends_with("/securityAlerts")).collect();
    let names: BTreeSet<_> = lists.iter().map(|list| list.client_request_id.as_ref().unwrap()).collect();
    assert_eq!((lists.len(), names.len()), (3, 3), "{lists:#?}");
    assert!(lists.iter().all(|list| list.request_id.is_none() && list.correlation_id.is_none()), "{lists:#?}");
    let (_, ids) = words.rsplit_once(" after 1 attempt (request-id ").unwrap();
    assert_eq!(ids.len(), "00000000-0000-4000-8000-000000000000)".len(), "{words}");

    system.microsoft.clear_faults();
    fault(&system, Target::Token, FaultKind::Denied(Denial::GrantRevoked));
    system.clock.advance(SignedDuration::from_hours(2));
    let (_, words) = failed(&system).await;
    assert!(words.contains(" after 1 attempt (x-ms-request-id "), "{words}");
}

#[tokio::test]
async fn throttling_without_end_stops_after_three_attempts() {
    let system = ByHand::start().await;
    fault(&system, Target::List, FaultKind::Throttle { retry_after: RetryAfter::Absent });

    let (_, words) = failed(&system).await;

    assert!(words.contains("was refused with status 429 and code TooManyRequests after 3 attempts"), "{words}");
    assert_eq!(system.microsoft.requests().list, 3);
}

#[tokio::test]
async fn an_answer_that_is_too_late_is_none() {
    let setup = Setup { variables: &[("MICROSOFT_TIMEOUT_SECONDS", "1")], ..Setup::default() };
    let system = ByHand::with(setup).await;
    system.raise("alert");
    fault_once(&system, Target::List, FaultKind::Slow { milliseconds: 30_000 });

    system.complete(1, 1).await;

    assert_eq!(system.microsoft.requests().list, 2);
}

#[tokio::test]
async fn a_list_of_more_pages_than_the_bound_is_an_error_and_what_was_read_of_it_has_landed() {
    let setup = Setup { page_size: 1, variables: &[("GRAPH_MAX_PAGES", "3")] };
    let system = ByHand::with(setup).await;
    raise_many(&system, "alert", 4);

    let (_, words) = failed(&system).await;

    assert!(words.contains("gave an answer that can't be used: more than 3 pages ("), "{words}");
    assert_eq!(system.microsoft.requests().list, 3);
    assert_eq!(system.alerts().await.len(), 3);
    assert_eq!(system.state().await.get("baseline"), None);
}

#[tokio::test]
async fn an_alert_with_odd_members_lands_with_the_rest_of_it_and_as_one_that_needs_somebody() {
    let system = ByHand::start().await;
    system.baseline().await;
    raise_many(&system, "alert", 20);
    // The first: a status that is a number, and a date of detection that is none.
    fault_once(&system, Target::List, FaultKind::MalformedAlert);

    system.complete(20, 20).await;

    let odd = system.alert("alert-000").await.unwrap();
    let summary = odd["summary"].as_m().unwrap();
    assert_eq!((text(summary, "status").as_str(), text(summary, "severity").as_str()), ("unknown", "high"));
    assert_eq!(text(summary, "detected"), text(summary, "first_observed"));
    assert_eq!(text(&odd, "tenant_state"), format!("{TENANT}#open"));
    assert_eq!(to_be_published(&system).await.len(), 20);

    // As it really is, it is the same open alert: nothing to tell.
    system.complete(20, 1).await;
    assert_eq!(number(&system.alert("alert-000").await.unwrap(), "version"), 2);
    assert_eq!(to_be_published(&system).await.len(), 20);
}

#[tokio::test]
async fn an_alert_of_monstrous_size_lands_cut_to_what_an_item_holds_and_keeps_no_other_from_landing() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("before");
    let resource = |number| simulator::AffectedResource {
        resource_id: format!("/subscriptions/monster/{number:05}/{}", "r".repeat(200)),
        resource_type: "AzureResource".to_owned(),
    };
    let details = (0..2_000).map(|number| (format!("member{number}"), "d".repeat(1_000))).collect();
    system.raise_as(NewAlert {
        description: Some("\u{1f4a3}".repeat(250_000)),
        display_name: Some("\u{1f4a3}".repeat(5_000)),
        affected_resources: Some((0..5_000).map(resource).collect()),
        additional_details: Some(details),
        ..named("monster")
    });
    system.raise("behind");

    system.complete(3, 3).await;

    assert_eq!(system.alerts().await, [("before".to_owned(), 1), ("behind".to_owned(), 1), ("monster".to_owned(), 1)]);
    let size = tests::typed(&system.alert("monster").await.unwrap()).to_string().len();
    assert!((150_000..400_000).contains(&size), "{size}");
    system.complete(3, 0).await;
}
