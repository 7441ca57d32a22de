//! Fraud severity, transitions and statistics, by table and by property.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use jiff::{SignedDuration, Timestamp};
use models::{
    Alert, AlertKind, AlertSource, AlertState, AlertType, Delta, FraudThreshold, Notice, Resolution, ResolvedReason,
    Severity, StatisticsKey, Status, Tenant, TransitionKind, transition,
};
use models::{AlertNotice, AlertSummary, DigestNotice, DigestReason, PortalType};
use proptest::prelude::*;

fn alert() -> Alert {
    let detected: Timestamp = "2026-03-02T06:12:09Z".parse().unwrap();
    Alert {
        description: Some("Look at the machine.".into()),
        customer_id: Some("customer-1".parse().unwrap()),
        subscription_id: Some("subscription-1".parse().unwrap()),
        detected,
        first_observed: detected,
        last_observed: detected,
        ..made_alerts::alert("alert-1")
    }
}

fn resolved(mut alert: Alert, after: SignedDuration) -> Alert {
    alert.status = Status::Resolved;
    alert.resolution = Resolution {
        reason: Some(ResolvedReason::Fraud),
        on: Some(alert.detected + after),
        by: Some("a@b.example".into()),
    };
    alert
}

#[test]
fn fraud_severity_is_at_or_above_the_threshold_unknown_the_highest_test_and_information_never() {
    use FraudThreshold::{High, Low, Medium};
    let unknown = Severity::Unknown("critical".into());
    for (severity, at_low, at_medium, at_high) in [
        (Severity::Informational, false, false, false),
        (Severity::Low, true, false, false),
        (Severity::Medium, true, true, false),
        (Severity::High, true, true, true),
        (unknown, true, true, true),
    ] {
        let real = Alert { severity: severity.clone(), ..alert() };
        let test = Alert { is_test: true, ..real.clone() };
        for (threshold, expected) in [(Low, at_low), (Medium, at_medium), (High, at_high)] {
            assert_eq!(threshold.includes(&real), expected, "{severity} at {threshold:?}");
            assert!(!threshold.includes(&test), "test alert, {severity} at {threshold:?}");
        }
    }
}

#[test]
fn an_unknown_kind_of_alert_is_kept_as_it_came_is_azure_usage_and_counts_like_any_other() {
    let new_kind = Alert { alert_type: AlertType::named("ServiceTypeAddedLater"), ..alert() };
    assert_eq!(new_kind.alert_type, AlertType("ServiceTypeAddedLater".into()));
    assert_eq!(
        (new_kind.alert_type.kind(), new_kind.alert_type.portal_type()),
        (AlertKind::Other, PortalType::AzureUsage)
    );
    assert!(FraudThreshold::High.includes(&new_kind));
}

#[test]
fn old_and_current_names_stand_side_by_side_in_one_spelling_whatever_the_case() {
    for (name, kept, kind) in [
        // The names of fraudEvents, as its table prints them.
        ("ServiceHealthSecurityAdvisory", "serviceHealthSecurityAdvisory", AlertKind::Advisory),
        ("UsageAnomalyDetection", "usageAnomalyDetection", AlertKind::Usage),
        (
            "MultiRegionVirtualMachineScaleSetDeploymentAnomaly",
            "multiRegionVirtualMachineScaleSetDeploymentAnomaly",
            AlertKind::Deployment,
        ),
        ("NetworkConnectionsToCryptoMiningPools", "networkConnectionsToCryptoMiningPools", AlertKind::Mining),
        ("VirtualMachineDeploymentAnomaly", "virtualMachineDeploymentAnomaly", AlertKind::Deployment),
        ("MultiRegionMachineLearningUsageAnomaly", "multiRegionMachineLearningUsageAnomaly", AlertKind::Deployment),
        // The names of Graph.
        ("usageAnomalyDetection", "usageAnomalyDetection", AlertKind::Usage),
        ("CryptoMining", "CryptoMining", AlertKind::Mining),
        ("cryptomining", "CryptoMining", AlertKind::Mining),
        ("ARM_AnomalousResourceConsumption", "ARM_AnomalousResourceConsumption", AlertKind::Usage),
        ("ARM_SuspiciousOperations", "ARM_SuspiciousOperations", AlertKind::Operations),
        ("VM_AnomalousDeployment", "VM_AnomalousDeployment", AlertKind::Deployment),
        ("AzureBatch_AnomalousDeployment", "AzureBatch_AnomalousDeployment", AlertKind::Deployment),
        (
            "AzureContainerInstances_AnomalousDeployment",
            "AzureContainerInstances_AnomalousDeployment",
            AlertKind::Deployment,
        ),
        ("AzureMachineLearning_AnomalousDeployment", "AzureMachineLearning_AnomalousDeployment", AlertKind::Deployment),
    ] {
        let alert_type = AlertType::named(name);
        assert_eq!((alert_type.0.as_str(), alert_type.kind()), (kept, kind), "{name}");
        // An item that was kept in another spelling is of the same kind.
        assert_eq!(AlertType(name.to_owned()).kind(), kind, "{name}");
        let advisory = alert_type.portal_type() == PortalType::AzureNotification;
        assert_eq!(advisory, kind == AlertKind::Advisory, "{name}");
    }
    let names: Vec<_> = AlertType::documented().collect();
    assert_eq!(names.len(), 13);
    assert!(names.iter().all(|name| AlertType::named(name).0 == *name));
}

#[test]
fn the_source_of_a_tenants_alerts_is_said_by_name_and_is_graph_where_an_item_does_not_say() {
    for source in AlertSource::ALL {
        assert_eq!(source.as_str().parse(), Ok(source));
        assert_eq!(serde_json::to_value(source).unwrap(), source.as_str());
    }
    assert_eq!("FraudEvents".parse::<AlertSource>().unwrap_err(), "one of graph, fraud-events");
    let item = serde_json::json!({
        "id": "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10", "display_name": "Contoso", "cloud": "global",
        "path_key_hashes": [], "read_secret": "read", "active": true,
    });
    assert_eq!(serde_json::from_value::<Tenant>(item).unwrap().alert_source, AlertSource::Graph);
}

#[test]
fn transitions_by_table() {
    use TransitionKind::{Opened, Reopened, Resolved, SeverityRaised};
    let open = alert();
    let low = Alert { severity: Severity::Low, ..alert() };
    let closed = resolved(alert(), SignedDuration::from_hours(1));
    let low_closed = resolved(low.clone(), SignedDuration::from_hours(1));
    let odd = Alert { status: Status::Unknown("escalated".into()), ..alert() };
    let later = Alert { last_observed: alert().detected + SignedDuration::from_hours(2), ..alert() };
    for (what, stored, observed, expected) in [
        ("new", None, &open, Some((Opened, true))),
        ("new, not fraud", None, &low, Some((Opened, false))),
        ("new, of unknown status", None, &odd, Some((Opened, true))),
        ("resolved before we saw it", None, &closed, None),
        ("unchanged", Some(&open), &open, None),
        ("only a date moved", Some(&open), &later, None),
        ("resolved", Some(&open), &closed, Some((Resolved, true))),
        ("resolved, not fraud", Some(&low), &low_closed, Some((Resolved, false))),
        ("resolved, lowered at the same time", Some(&open), &low_closed, Some((Resolved, true))),
        ("still resolved", Some(&closed), &closed, None),
        ("reopened", Some(&closed), &open, Some((Reopened, true))),
        ("reopened, not fraud", Some(&closed), &low, Some((Reopened, false))),
        ("raised", Some(&low), &open, Some((SeverityRaised, true))),
        ("lowered", Some(&open), &low, None),
    ] {
        let found = transition(stored, observed, FraudThreshold::High).map(|found| (found.kind, found.fraud));
        assert_eq!(found, expected, "{what}");
    }
}

fn counters(delta: &Delta) -> Vec<(String, &'static str, i64)> {
    let name = |key| match key {
        StatisticsKey::Day(day) => day.to_string(),
        StatisticsKey::Gauge => "gauge".to_owned(),
    };
    delta.items().flat_map(|(key, counters)| counters.into_iter().map(move |(n, v)| (name(key), n, v))).collect()
}

#[test]
fn resolving_moves_the_gauge_and_counts_the_response_on_the_day_of_resolution() {
    let delta = Delta::between(Some(&alert()), &resolved(alert(), SignedDuration::from_hours(24)));
    assert_eq!(
        counters(&delta),
        [
            ("2026-03-03".into(), "resolved", 1),
            ("2026-03-03".into(), "response_le_86400", 1),
            ("2026-03-03".into(), "response_seconds", 86_400),
            ("gauge".into(), "open", -1),
            ("gauge".into(), "resolved", 1),
        ]
    );
}

#[test]
fn a_response_before_the_detection_counts_as_zero_and_is_reported() {
    let delta = Delta::between(Some(&alert()), &resolved(alert(), SignedDuration::from_secs(-5)));
    assert!(counters(&delta).contains(&("2026-03-02".into(), "response_negative", 1)));
    assert!(counters(&delta).iter().all(|(_, name, _)| *name != "response_seconds"), "zero seconds add nothing");
}

#[test]
fn test_alerts_are_left_out_of_everything_but_their_own_count() {
    let test = Alert { is_test: true, ..alert() };
    assert_eq!(counters(&Delta::between(None, &test)), [("gauge".into(), "test", 1)]);
    let cleared = Delta::between(Some(&test), &alert());
    assert!(counters(&cleared).contains(&("gauge".into(), "test", -1)));
    assert!(counters(&cleared).contains(&("2026-03-02".into(), "new", 1)));
}

fn any_alert() -> impl Strategy<Value = Alert> {
    (any::<bool>(), any::<bool>(), -100_000_i64..10_000_000, 0_i64..200, 0_u8..5).prop_map(
        |(is_resolved, is_test, response, days, severity)| {
            let mut alert = alert();
            alert.is_test = is_test;
            alert.detected += SignedDuration::from_hours(24 * days);
            alert.severity = Severity::from(["informational", "low", "medium", "high", "new"][usize::from(severity)]);
            if is_resolved { resolved(alert, SignedDuration::from_secs(response)) } else { alert }
        },
    )
}

#[test]
fn every_counter_is_known_by_its_name_and_every_name_is_a_counter() {
    let moments = models::BUCKET_UPPER_BOUNDS_SECONDS.into_iter().chain([-1, 2_592_001]).map(SignedDuration::from_secs);
    let closed = moments.map(|after| resolved(alert(), after));
    let mut counters: Vec<_> = closed
        .chain([alert(), Alert { is_test: true, ..alert() }])
        .flat_map(|alert| models::contribution(&alert).items().flat_map(|(_, counters)| counters).collect::<Vec<_>>())
        .map(|(name, _)| name)
        .collect();
    counters.sort_unstable();
    counters.dedup();
    let mut names = models::COUNTER_NAMES;
    names.sort_unstable();
    assert_eq!(counters, names);
}

proptest! {
    /// Whatever an alert went through, the sum of the differences is the contribution of where it ended.
    #[test]
    fn differences_telescope(path in prop::collection::vec(any_alert(), 1..12)) {
        let mut sum = Delta::default();
        let mut stored: Option<&Alert> = None;
        for observed in &path {
            sum.add(&Delta::between(stored, observed));
            stored = Some(observed);
        }
        prop_assert_eq!(sum, models::contribution(path.last().unwrap()));
    }

    /// Seeing the same state again changes nothing.
    #[test]
    fn a_repeated_sight_is_no_transition_and_no_difference(alert in any_alert()) {
        prop_assert_eq!(transition(Some(&alert), &alert, FraudThreshold::Low), None);
        prop_assert!(Delta::between(Some(&alert), &alert).is_empty());
    }

    /// An alert of fraud severity that is open and was not so before always wakes somebody.
    #[test]
    fn nothing_becomes_open_fraud_in_silence(stored in proptest::option::of(any_alert()), observed in any_alert()) {
        let wakes = |alert: &Alert| alert.state() == AlertState::Open && FraudThreshold::High.includes(alert);
        if wakes(&observed) && !stored.as_ref().is_some_and(wakes) {
            prop_assert!(transition(stored.as_ref(), &observed, FraudThreshold::High).unwrap().fraud);
        }
    }
}

fn notice(alert: &Alert) -> Notice {
    Notice::Alert(AlertNotice { kind: TransitionKind::Opened, version: 1, alert: Box::new(AlertSummary::from(alert)) })
}

#[test]
fn a_message_stays_within_the_limit_of_sns_whatever_an_alert_holds() {
    let tenant = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap();
    let mut hostile = alert();
    hostile.display_name = "\u{1}".repeat(1_000_000);
    hostile.description = Some("\u{202e}=cmd|' /c calc'!A1\n".repeat(100_000));
    hostile.affected_resources = (0..5_000)
        .map(|_| models::AffectedResource { resource_id: "\u{1}".repeat(3_000), resource_type: None })
        .collect();
    let publication = notice(&hostile).publication(&tenant, hostile.detected).unwrap();
    assert!(publication.json.len() + publication.text.len() <= 120_000);
    let json: serde_json::Value = serde_json::from_str(&publication.json).unwrap();
    assert_eq!((&json["alert"]["id"], &json["alert"]["affectedResourceCount"]), (&"alert-1".into(), &5_000.into()));

    let many = vec![hostile; 60];
    let digest = Notice::Digest(DigestNotice::new(DigestReason::Burst, 1, &many));
    let publication = digest.publication(&tenant, many[0].detected).unwrap();
    assert!(publication.json.len() + publication.text.len() <= 120_000);
}

#[test]
fn the_text_form_gives_no_line_to_a_value_from_outside_and_no_personal_data_leaves() {
    let tenant = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap();
    let forged = Alert { display_name: "x\nSeverity: low\r\nAnswer by: never".into(), ..alert() };
    let forged = resolved(forged, SignedDuration::from_hours(1));
    let publication = notice(&forged).publication(&tenant, forged.detected).unwrap();
    assert!(!publication.text.lines().any(|line| line == "Severity: low" || line == "Answer by: never"));
    assert!(!publication.json.contains("a@b.example") && !publication.text.contains("a@b.example"));
    assert!(publication.subject.is_ascii() && publication.subject.len() <= 100);
    assert!(publication.attributes.len() <= 10 && publication.attributes.values().all(|value| !value.is_empty()));
}

#[test]
fn the_text_form_says_of_an_alert_without_a_severity_why_it_wakes_anybody() {
    let tenant = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap();
    let text = |notice: Notice| notice.publication(&tenant, alert().detected).unwrap().text;
    let without = Alert { severity: Severity::absent(), ..alert() };
    let strange = Alert { severity: Severity::Unknown("critical".into()), ..alert() };
    let why = "Microsoft gave no severity, as its older list of fraud events never does";
    assert!(text(notice(&without)).contains(&format!("Severity: unknown ({why}: it counts as the highest)\n")));
    for counted in [&strange, &alert()] {
        assert!(!text(notice(counted)).contains("Microsoft gave no severity"));
    }
    let digest =
        |alerts: &[&Alert]| text(Notice::Digest(DigestNotice::new(DigestReason::Burst, 1, alerts.iter().copied())));
    let mixed = digest(&[&without, &strange, &without]);
    assert!(mixed.contains(&format!("To 2 of those below {why}: they count as the highest.\n")), "{mixed}");
    assert!(!digest(&[&strange, &alert()]).contains("Microsoft gave no severity"));
}
