//! Both sources of alerts: whichever a tenant has, the same comes of it.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use models::{AlertSource, AlertType};
use partner_center::{Diagnosis, MicrosoftError};
use poll::ReconcileError;
use serde_json::{Value, json};
use simulator::{AlertChange, Denial, Fault, FaultKind, NewAlert, Person};
use tests::{ByHand, Lines, Setup, TENANT, text, typed};

use crate::support::{
    PAGES_OF_TWO, consent, failed, fault, fault_once, id_of, is_free, list_of, listed, of_s, of_source, raise_of_s,
    resolved, severity, status, to_be_published, turn_to,
};

/// What is kept of each alert, by its id at Graph, and what was told, with those ids, too.
async fn kept(system: &ByHand, source: AlertSource) -> (BTreeMap<String, Value>, Vec<String>) {
    let plain = |id: &str| match source {
        AlertSource::FraudEvents => id.replacen("s_", "", 1),
        AlertSource::Graph => id.to_owned(),
    };
    let mut alerts = BTreeMap::new();
    for (id, version) in system.alerts().await {
        let item = typed(&system.alert(&id).await.unwrap());
        let (mut summary, detail) = (item["summary"]["M"].clone(), &item["detail"]["M"]);
        summary.as_object_mut().unwrap().remove("id");
        let noted = summary.as_object_mut().unwrap().remove("source").unwrap();
        assert_eq!(noted["S"], source.as_str());
        // Each source has its own names of a kind.
        let alert_type = AlertType(summary["type"]["S"].as_str().unwrap().to_owned());
        summary["type"] = json!(alert_type.kind());
        let common = ["description", "resolved_by", "affected_resources", "activity", "reseller", "catalog_offer"];
        let detail: BTreeMap<_, _> = common.map(|name| (name, detail[name].clone())).into();
        alerts.insert(plain(&id), json!({ "version": version, "summary": summary, "detail": detail }));
    }
    let told = system.outbox_lines().await.iter().map(|line| plain(line)).collect();
    (alerts, told)
}

async fn story(source: AlertSource) -> (BTreeMap<String, Value>, Vec<String>) {
    let system = of_source(source, PAGES_OF_TWO).await;
    system.baseline().await;
    let like = |id: &str, change: NewAlert| NewAlert {
        id: Some(id.to_owned()),
        subscription_id: Some("s".to_owned()),
        ..change
    };
    let word = |word: &str| Some(word.to_owned());
    for new in [
        of_s("mining"),
        like(
            "usage",
            NewAlert { alert_type: word("usageAnomalyDetection"), severity: word("medium"), ..NewAlert::default() },
        ),
        like(
            "later",
            NewAlert { alert_type: word("AddedLater"), severity: word("Catastrophic"), ..NewAlert::default() },
        ),
        like("test", NewAlert { is_test: true, ..NewAlert::default() }),
        like(
            "closed",
            NewAlert { status: word("resolved"), resolved_reason: word("legitimate"), ..NewAlert::default() },
        ),
        like(
            "looked-at",
            NewAlert {
                status: word("investigating"),
                value_added_reseller_tenant_id: word("r"),
                ..NewAlert::default()
            },
        ),
        like(
            "whole",
            NewAlert {
                affected_resources: Some(Vec::new()),
                detected_date_time: Some("2026-03-02T06:12:09.69Z".parse().unwrap()),
                ..NewAlert::default()
            },
        ),
    ] {
        system.raise_as(NewAlert { customer_tenant_id: word("c"), ..new });
    }
    system.complete(7, 7).await;
    system.complete(7, 0).await;

    system.change("mining", resolved("fraud"));
    system.change("usage", severity("high"));
    system.change("closed", status("active"));
    system.change("test", AlertChange { is_test: Some(false), ..AlertChange::default() });
    system.complete(7, 4).await;
    kept(&system, source).await
}

#[tokio::test]
async fn what_a_person_mends_shows_with_the_next_run_and_what_lasts_costs_a_sign_in_a_minute() {
    for source in AlertSource::ALL {
        let system = of_source(source, Setup::default()).await;
        let agent = Person::admin_agent(TENANT);
        let without_mfa = system.microsoft.refresh_token_of(TENANT, Person { mfa: false, ..agent }).unwrap();
        consent(&system, &without_mfa);
        let signed_in = || system.microsoft.requests().token;
        let refused_after = async |seconds| {
            system.clock.advance(SignedDuration::from_secs(seconds));
            let error = system.reconcile_at_once().await.unwrap_err();
            assert_eq!(error.diagnosis(), Some(Diagnosis::MfaMissing), "{source:?}");
        };
        refused_after(20).await;
        let before = signed_in();
        // The token is used on until it is a minute old.
        for more in [0, 0, 1, 1, 1, 2, 2] {
            refused_after(20).await;
            assert_eq!(signed_in(), before + more, "{source:?}");
        }

        consent(&system, &system.microsoft.refresh_token(TENANT).unwrap());
        system.complete(0, 0).await;
    }
}

#[tokio::test]
async fn both_bring_the_same_alerts_and_tell_the_same_of_them() {
    let graph = Box::pin(story(AlertSource::Graph)).await;
    let events = Box::pin(story(AlertSource::FraudEvents)).await;
    assert_eq!(graph.0.len(), 7);
    assert_eq!(events.0, graph.0);
    let expected = [
        "closed outbox#000000000002#reopened to be published",
        "later outbox#000000000001#opened to be published",
        "looked-at outbox#000000000001#opened to be published",
        "mining outbox#000000000001#opened to be published",
        "mining outbox#000000000002#resolved to be published",
        "test outbox#000000000001#opened kept",
        "test outbox#000000000002#severity_raised to be published",
        "usage outbox#000000000001#opened kept",
        "usage outbox#000000000002#severity_raised to be published",
        "whole outbox#000000000001#opened to be published",
    ];
    assert_eq!((graph.1, events.1), (expected.map(str::to_owned).to_vec(), expected.map(str::to_owned).to_vec()));
}

#[tokio::test]
async fn whatever_the_size_of_microsofts_pages_every_alert_lands_once() {
    for source in AlertSource::ALL {
        for page_size in 1..=7_u64 {
            let setup = Setup { page_size: page_size.try_into().unwrap(), ..Setup::default() };
            let system = of_source(source, setup).await;
            raise_of_s(&system, 6);

            system.complete(6, 6).await;

            let landed: Vec<_> = (0..6).map(|number| (id_of(source, &format!("alert-{number:03}")), 1)).collect();
            assert_eq!(system.alerts().await, landed, "{source:?}, pages of {page_size}");
            // Nothing but a page without anything new tells the end of fraudEvents.
            let beyond = u64::from(source == AlertSource::FraudEvents);
            assert_eq!(listed(&system, source), 6_u64.div_ceil(page_size) + beyond, "{source:?}, pages of {page_size}");
        }
    }
}

#[tokio::test]
async fn more_events_than_a_page_is_asked_to_have_land_all_the_same() {
    let system = of_source(AlertSource::FraudEvents, Setup { page_size: 1_000, ..Setup::default() }).await;
    raise_of_s(&system, 250);

    system.complete(250, 250).await;

    assert_eq!(listed(&system, AlertSource::FraudEvents), 4, "100, 100, 50 and none");
    assert_eq!(system.alerts().await.len(), 250);
}

/// The first `pages` pages are whole, and this happens to those after them.
fn fault_from(system: &ByHand, source: AlertSource, pages: u32, kind: FaultKind, times: Option<u32>) {
    if pages > 0 {
        let whole = Fault::new(list_of(source), FaultKind::Slow { milliseconds: 0 });
        system.microsoft.set_fault(whole.times(pages)).unwrap();
    }
    let then = Fault { times, ..Fault::new(list_of(source), kind) };
    system.microsoft.set_fault(then).unwrap();
}

#[tokio::test]
async fn whichever_page_fails_for_good_what_was_read_before_has_landed_and_the_next_run_has_all_of_it_once() {
    for source in AlertSource::ALL {
        let system = of_source(source, PAGES_OF_TWO).await;
        system.baseline().await;
        raise_of_s(&system, 6);
        let pages = if source == AlertSource::FraudEvents { 4 } else { 3 };
        for (page, kind) in (0..pages).flat_map(|page| [(page, FaultKind::Truncated), (page, FaultKind::MissingMfa)]) {
            let before = listed(&system, source);
            fault_from(&system, source, page, kind, None);

            let (error, words) = failed(&system).await;

            assert!(matches!(error, ReconcileError::Microsoft(_)), "{source:?}, page {page}: {words}");
            assert!(listed(&system, source) > before + u64::from(page), "{source:?}, page {page}, {kind:?}");
            let read = 2 * usize::try_from(page).unwrap();
            assert_eq!(system.alerts().await.len(), read, "{source:?}, page {page}, {kind:?}");
            assert!(is_free(&system.state().await), "{source:?}, page {page}, {kind:?}");
            system.microsoft.clear_faults();
        }

        let left = if source == AlertSource::FraudEvents { 0 } else { 2 };
        system.complete(6, left).await;

        assert_eq!(to_be_published(&system).await.len(), 6, "{source:?}");
    }
}

#[tokio::test]
async fn whichever_page_fails_once_is_asked_for_again() {
    for source in AlertSource::ALL {
        let system = of_source(source, PAGES_OF_TWO).await;
        raise_of_s(&system, 4);
        let pages = if source == AlertSource::FraudEvents { 3 } else { 2 };
        system.complete(4, 4).await;
        for (page, kind) in [FaultKind::Reset, FaultKind::ExpiredToken]
            .into_iter()
            .flat_map(|kind| (0..pages).map(move |page| (page, kind)))
        {
            system.change("alert-000", severity(if page % 2 == 0 { "low" } else { "high" }));
            let before = listed(&system, source);
            fault_from(&system, source, page, kind, Some(1));

            system.complete(4, 1).await;

            assert_eq!(listed(&system, source) - before, u64::from(pages) + 1, "{source:?}, page {page}, {kind:?}");
            system.change("alert-000", severity("medium"));
            system.complete(4, 1).await;
        }
    }
}

#[tokio::test]
async fn an_application_alone_is_told_that_fraud_events_are_not_for_it_and_what_to_do() {
    let system = ByHand::start().await;
    turn_to(&system, AlertSource::FraudEvents).await;
    let lines = Lines::capture("info");

    let (error, words) = failed(&system).await;

    let expected = format!(
        "Microsoft's list of alerts could not be read: listing fraud events takes app+user credentials alone, and the one of \
         tenant {TENANT} is app-only: listing fraud events for tenant {TENANT} was refused with status 403 and code 900329"
    );
    assert!(words.starts_with(&expected), "{words}");
    assert_eq!(error.diagnosis(), Some(Diagnosis::AppOnlyNotAllowed));
    drop(lines.take());
    system.clock.advance(SignedDuration::from_mins(1));
    system.deliver(&[("m-1", &crate::support::request(TENANT))]).await;
    let line = lines.take_values().pop().unwrap();
    assert_eq!(line["diagnosis"], "app-only-not-allowed");
    assert!(line["advice"].as_str().unwrap().starts_with("give the tenant an app+user credential"), "{line}");
}

#[tokio::test]
async fn the_first_run_after_a_change_to_fraud_events_with_consent_is_green_and_the_secret_is_read_again_once_a_minute()
{
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise_as(of_s("alert"));
    // Names are read at Partner Center by the application alone: that token would do for an hour.
    let customer = "00000001-1111-4111-8111-111111111111";
    let names =
        json!({ "tenant": TENANT, "cause": "again", "names": { "of_alerts": { "customers": [{ "id": customer }] } } })
            .to_string();
    assert!(system.deliver(&[("names", &names)]).await.is_empty());
    assert_eq!(system.microsoft.requests().customer, 1);

    turn_to(&system, AlertSource::FraudEvents).await;
    consent(&system, &system.microsoft.refresh_token(TENANT).unwrap());
    let lines = Lines::capture("warn");

    system.complete(1, 1).await;

    assert_eq!(lines.take(), "");

    // What Microsoft goes on refusing costs one more reading in a minute, whoever rings, and no sign-in while the secret says the same.
    fault(&system, list_of(AlertSource::FraudEvents), FaultKind::Denied(Denial::RoleMissing));
    drop(system.tap.take());
    let before = system.microsoft.requests().token;
    for _ in 0..2 {
        system.clock.advance(SignedDuration::from_secs(20));
        assert_eq!(system.reconcile_at_once().await.unwrap_err().diagnosis(), Some(Diagnosis::RoleLacking));
    }
    let readings = system.tap.take_bodies("GetSecretValue").len();
    assert_eq!((readings, system.microsoft.requests().token - before), (1, 0));
}

#[tokio::test]
async fn a_person_who_is_refused_is_told_so_in_microsofts_words() {
    for (kind, diagnosis) in [
        (FaultKind::MissingMfa, Diagnosis::MfaMissing),
        (FaultKind::Denied(Denial::ConditionalAccess), Diagnosis::ConditionalAccess),
        (FaultKind::Denied(Denial::RoleMissing), Diagnosis::RoleLacking),
        (FaultKind::Denied(Denial::WrongAudience), Diagnosis::AudienceRetired),
    ] {
        let system = of_source(AlertSource::FraudEvents, Setup::default()).await;
        fault(&system, list_of(AlertSource::FraudEvents), kind);
        let (error, words) = failed(&system).await;
        assert!(matches!(error, ReconcileError::Microsoft(MicrosoftError::Refused { .. })), "{words}");
        assert_eq!(error.diagnosis(), Some(diagnosis), "{kind:?}");
    }
    let system = of_source(AlertSource::FraudEvents, Setup::default()).await;
    let nobody = Person { roles: Vec::new(), ..Person::admin_agent(TENANT) };
    consent(&system, &system.microsoft.refresh_token_of(TENANT, nobody).unwrap());
    assert_eq!(failed(&system).await.0.diagnosis(), Some(Diagnosis::RoleLacking));
}

#[tokio::test]
async fn where_the_new_model_is_not_known_the_old_one_comes_and_counts_as_the_highest_severity() {
    for kind in [FaultKind::NewModelIgnored, FaultKind::NewModelRefused] {
        let system = of_source(AlertSource::FraudEvents, PAGES_OF_TWO).await;
        system.baseline().await;
        let before = listed(&system, AlertSource::FraudEvents);
        for number in 0..5 {
            let id = format!("alert-{number}");
            system.raise_as(NewAlert { severity: Some("low".to_owned()), ..of_s(&id) });
        }
        fault(&system, list_of(AlertSource::FraudEvents), kind);

        system.complete(5, 5).await;

        assert_eq!(listed(&system, AlertSource::FraudEvents) - before, 2, "{kind:?}");
        assert_eq!(to_be_published(&system).await.len(), 5, "{kind:?}");
        let summary = system.alert("s_alert-0").await.unwrap()["summary"].as_m().unwrap().clone();
        assert_eq!((text(&summary, "severity"), text(&summary, "type")), ("unknown".to_owned(), "unknown".to_owned()));
    }
}

#[tokio::test]
async fn names_come_with_fraud_events_and_are_kept_with_the_alert() {
    let system = of_source(AlertSource::FraudEvents, Setup::default()).await;
    system.raise_as(NewAlert { customer_tenant_id: Some("c0ffee-1".to_owned()), ..of_s("alert") });

    system.complete(1, 1).await;

    let detail = system.alert("s_alert").await.unwrap()["detail"].as_m().unwrap().clone();
    let details: Value = serde_json::from_str(&text(&detail, "additional_details")).unwrap();
    assert_eq!(details["customerFriendlyName"], "Customer c0ffee");
    assert_eq!(details["subscriptionName"], "Subscription s");
}

#[tokio::test]
async fn a_tenant_that_turns_to_the_other_source_has_what_is_open_a_second_time_under_the_other_ids() {
    let system = of_source(AlertSource::Graph, Setup::default()).await;
    system.baseline().await;
    for id in ["one", "two"] {
        system.raise_as(of_s(id));
    }
    system.complete(2, 2).await;
    turn_to(&system, AlertSource::FraudEvents).await;

    system.complete(2, 2).await;

    let ids: Vec<_> = system.alerts().await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["one", "s_one", "s_two", "two"]);
    // It is not done in silence.
    assert_eq!(
        to_be_published(&system).await,
        ["one", "s_one", "s_two", "two"].map(|id| format!("{id} outbox#000000000001#opened to be published"))
    );
    // Nor does it go on: the former ones stay as they were last seen.
    system.change("one", resolved("fraud"));
    system.complete(2, 1).await;
    fault_once(&system, list_of(AlertSource::FraudEvents), FaultKind::Slow { milliseconds: 0 });
    system.complete(2, 0).await;
    let state = |item: tests::Item| text(&item, "tenant_state");
    assert_eq!(state(system.alert("one").await.unwrap()), format!("{TENANT}#open"));
    assert_eq!(state(system.alert("s_one").await.unwrap()), format!("{TENANT}#resolved"));
}
