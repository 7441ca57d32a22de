//! What a run that fails tells whoever reads the log: why, what it was for, how far it came, and what to do.

use std::time::Duration;

use models::{ReconcileCause, ReconcileRequest};
use poll::{Config, ReconcileError};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, RetryAfter, Target};
use tests::{ByHand, Lines, TENANT};

use crate::support::{PAGES_OF_TWO, fault, fault_once, raise_many};

const FAILED: &str = "the tenant could not be reconciled";

/// The one line that says so.
fn line(lines: &Lines, message: &str) -> Value {
    let mut found: Vec<_> = lines.take_values().into_iter().filter(|line| line["message"] == message).collect();
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[tokio::test]
async fn a_run_that_fails_tells_its_cause_its_pages_and_what_microsoft_calls_an_answer_that_can_t_be_used() {
    let system = ByHand::with(PAGES_OF_TWO).await;
    raise_many(&system, "alert", 4);
    system.microsoft.set_fault(Fault::new(Target::List, FaultKind::Truncated).after(1)).unwrap();
    let lines = Lines::capture("info");

    system.deliver(&[("1", &json!({ "tenant": TENANT, "cause": "again", "hops": 3 }).to_string())]).await;

    let line = line(&lines, FAILED);
    let told = ["cause", "hops", "pages", "tenant.id"].map(|name| line[name].clone());
    assert_eq!(told, [json!("again"), json!(3), json!(1), json!(TENANT)]);
    let (_, ids) =
        line["error"].as_str().unwrap().split_once(": no page of alerts (it ends too early) (request-id ").unwrap();
    assert_eq!(ids.len(), "00000000-0000-4000-8000-000000000000)".len(), "{line}");
    assert!(line["advice"].as_str().unwrap().contains("Microsoft's support"), "{line}");
    assert_eq!(line.get("diagnosis"), None);
}

#[tokio::test]
async fn what_fails_before_there_is_a_run_tells_no_pages_and_that_the_store_is_ours() {
    let system = ByHand::start().await;
    system.tap.refuse("Query", "AccessDeniedException");
    let lines = Lines::capture("info");

    system.deliver(&[("1", &json!({ "tenant": TENANT, "cause": "schedule" }).to_string())]).await;

    let line = line(&lines, FAILED);
    assert_eq!((&line["cause"], &line["pages"]), (&json!("schedule"), &json!(0)));
    assert!(line["error"].as_str().unwrap().starts_with("the store failed: "), "{line}");
    assert!(line["advice"].as_str().unwrap().contains("the next tick runs anyway"), "{line}");
}

#[tokio::test]
async fn a_run_that_has_no_more_time_tells_what_microsoft_said_last() {
    let system = ByHand::start().await;
    system.baseline().await;
    // The pause that Microsoft asks for is longer than the run may take.
    fault(&system, Target::List, FaultKind::Throttle { retry_after: RetryAfter::Seconds(20) });
    let mut config = Config::read(&system.parts.variables).unwrap();
    config.settings.run_limit = Duration::from_secs(16);
    let http = runtime::http_client(&system.parts.tls, config.timeout).unwrap();
    let poll = poll::wire_with(config, http, &system.parts);
    let request = ReconcileRequest { tenant: system.tenant.clone(), cause: ReconcileCause::Schedule, trace: None };
    let lines = Lines::capture("info");
    system.clock.advance(jiff::SignedDuration::from_mins(1));

    let time_goes_by = async {
        while !lines.take().contains("trying again") {
            tokio::task::yield_now().await;
        }
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(12)).await;
        tokio::time::resume();
    };
    let (ran, ()) = tokio::join!(poll.reconcile(&request, None), time_goes_by);

    let error = ran.unwrap_err();
    assert!(matches!(error, ReconcileError::OutOfTime { seconds: 12, last: Some(_) }), "{error:?}");
    assert_eq!(error.diagnosis(), Some(partner_center::Diagnosis::Throttled));
    let words = runtime::chain(&error);
    assert!(
        words.starts_with("the run was not complete after 12 seconds: listing security alerts for tenant "),
        "{words}"
    );
    assert!(
        words.contains("was refused with status 429 and code TooManyRequests after 1 attempt (request-id "),
        "{words}"
    );
}

#[tokio::test]
async fn an_alert_without_a_readable_status_is_told_with_its_tenant_and_once() {
    let system = ByHand::start().await;
    system.baseline().await;
    raise_many(&system, "alert", 2);
    let lines = Lines::capture("info");
    for _ in 0..2 {
        // The first alert of the page has a status that is a number.
        fault_once(&system, Target::List, FaultKind::MalformedAlert);
        system.reconcile().await.unwrap();
    }

    let line = line(&lines, "an alert has no readable status: it counts as open");
    assert_eq!((&line["tenant.id"], &line["alert.id"]), (&json!(TENANT), &json!("alert-000")));
}
