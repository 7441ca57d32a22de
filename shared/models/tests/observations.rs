//! The steps that an alert can take, by table and by property.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{collections::BTreeSet, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use models::{
    Alert, AlertSource, DECISION_PATIENCE, Decision, FraudThreshold, Known, Observation, Resolution, ResolvedReason,
    Seen, Severity, Status, Step, observe,
};
use proptest::{prelude::*, sample::subsequence};

const NOW: Timestamp = made_alerts::DETECTED;

fn alert() -> Alert {
    made_alerts::alert("alert-1")
}

fn closed(reason: ResolvedReason) -> Alert {
    let resolution = Resolution { reason: Some(reason), on: Some(NOW), by: None };
    Alert { status: Status::Resolved, resolution, ..alert() }
}

fn known(alert: Alert) -> Known {
    Known::seen(Arc::new(alert), AlertSource::Graph, 5)
}

fn there(alert: Alert) -> Seen {
    Seen::There(Arc::new(alert))
}

/// A decision of now that the alert is resolved as fraud.
fn decided() -> Known {
    let decision = Decision { status: Status::Resolved, reason: Some(ResolvedReason::Fraud), at: NOW };
    known(alert()).decided(decision, Some("a@b.example".into()))
}

#[test]
fn each_step_by_table() {
    let minutes = SignedDuration::from_mins;
    let low = Alert { severity: Severity::Low, ..alert() };
    let later = Alert { last_observed: NOW + minutes(2), ..alert() };
    let gone = Known { gone: Some(5), ..known(alert()) };
    let looked_into = Alert { status: Status::Investigating, ..alert() };
    let by_fraud = || closed(ResolvedReason::Fraud);
    let refused = Known { not_accepted: true, ..known(alert()) };
    let gone_and_decided = Known { gone: Some(5), ..decided() };
    let patience = DECISION_PATIENCE;
    let cases = [
        (None, there(alert()), minutes(0), Step::Appeared),
        (None, there(by_fraud()), minutes(0), Step::AppearedResolved),
        (None, Seen::Gone, minutes(0), Step::Unknown),
        (Some(known(alert())), there(alert()), minutes(0), Step::Unchanged),
        (Some(known(alert())), there(later.clone()), minutes(0), Step::Corrected),
        (Some(known(alert())), there(looked_into), minutes(0), Step::Corrected),
        (Some(known(alert())), there(low.clone()), minutes(0), Step::Corrected),
        (Some(known(low.clone())), there(alert()), minutes(0), Step::SeverityRaised),
        (Some(known(alert())), there(by_fraud()), minutes(0), Step::ResolvedElsewhere),
        (Some(known(by_fraud())), there(closed(ResolvedReason::Ignore)), minutes(0), Step::Corrected),
        (Some(known(by_fraud())), there(alert()), minutes(0), Step::Reopened),
        (Some(known(alert())), Seen::Gone, minutes(0), Step::Vanished),
        (Some(gone.clone()), Seen::Gone, minutes(9), Step::Unchanged),
        (Some(gone.clone()), there(alert()), minutes(9), Step::CameBack),
        (Some(gone.clone()), there(later), minutes(9), Step::CameBack),
        (Some(gone), there(by_fraud()), minutes(9), Step::ResolvedElsewhere),
        (Some(decided()), there(by_fraud()), minutes(1), Step::DecisionSeen),
        (Some(decided()), there(by_fraud()), minutes(60), Step::DecisionSeen),
        (Some(decided()), there(alert()), minutes(0), Step::DecisionAwaited),
        (Some(decided()), there(alert()), patience - minutes(1), Step::DecisionAwaited),
        (Some(decided()), there(alert()), patience, Step::DecisionNotAccepted),
        (Some(decided()), there(closed(ResolvedReason::Ignore)), patience, Step::DecisionNotAccepted),
        // Clocks differ: asked before it was decided.
        (Some(decided()), there(alert()), minutes(-2), Step::DecisionAwaited),
        (Some(decided()), Seen::Gone, minutes(1), Step::Vanished),
        (None, Seen::Nothing, minutes(0), Step::Unknown),
        (Some(known(alert())), Seen::Nothing, minutes(60), Step::Unchanged),
        (Some(decided()), Seen::Nothing, minutes(-2), Step::DecisionAwaited),
        (Some(decided()), Seen::Nothing, patience - minutes(1), Step::DecisionAwaited),
        (Some(decided()), Seen::Nothing, patience, Step::DecisionUnseen),
        (Some(gone_and_decided.clone()), Seen::Nothing, patience, Step::DecisionUnseen),
        (Some(gone_and_decided.clone()), Seen::Gone, minutes(1), Step::Unchanged),
        (Some(gone_and_decided), Seen::Gone, patience, Step::Vanished),
        (Some(refused.clone()), there(alert()), minutes(20), Step::Unchanged),
        (Some(refused), there(by_fraud()), minutes(20), Step::ResolvedElsewhere),
    ];
    let mut met = BTreeSet::from([Step::Overtaken]);
    for (known, seen, after, step) in cases {
        let observation = Observation { seen, source: AlertSource::Graph, run: 6, asked: NOW + after };
        let observed = observe(known.as_ref(), &observation, FraudThreshold::High);
        assert_eq!(observed.step, step, "{known:?} {observation:?}");
        met.insert(step);

        let Some(state) = &observed.known else {
            assert_eq!(step, Step::Unknown);
            continue;
        };
        let apart_from_runs = |known: &Known| Known { run: 0, gone: known.gone.map(|_| 0), ..known.clone() };
        let same = known.as_ref().is_some_and(|known| apart_from_runs(known) == apart_from_runs(state));
        assert_eq!(step.is_worth_writing(), !same, "{step:?}: what is worth writing is another");
        let again = observe(Some(state), &observation, FraudThreshold::High);
        assert!(!again.step.is_worth_writing(), "{step:?}, seen once more, is {:?}", again.step);
        assert_eq!(again.known.as_ref(), Some(state));

        let older = Observation { run: 4, ..observation };
        let overtaken = observe(Some(state), &older, FraudThreshold::High);
        assert_eq!((overtaken.step, overtaken.known.as_ref()), (Step::Overtaken, Some(state)));
    }
    assert_eq!(met, BTreeSet::from(Step::ALL), "every step has its line");
}

#[test]
fn a_decision_shows_at_once_and_what_microsoft_says_later_counts() {
    let decided = decided();
    assert_eq!(decided.alert.status, Status::Resolved);
    assert_eq!(decided.alert.resolution.by.as_deref(), Some("a@b.example"));
    let see = |known: &Known, alert, minutes, run| {
        let asked = NOW + SignedDuration::from_mins(minutes);
        observe(
            Some(known),
            &Observation { seen: there(alert), source: AlertSource::Graph, run, asked },
            FraudThreshold::High,
        )
        .known
        .unwrap()
    };
    let awaited = see(&decided, alert(), 5, 6);
    assert_eq!((&awaited.alert, &awaited.decision), (&decided.alert, &decided.decision));

    let not_accepted = see(&awaited, alert(), 15, 7);
    assert_eq!((not_accepted.alert.as_ref(), not_accepted.not_accepted), (&alert(), true));
    assert_eq!(not_accepted.decision, None);
    let still = see(&not_accepted, alert(), 20, 8);
    assert!(still.not_accepted);
    assert!(!see(&still, closed(ResolvedReason::Legitimate), 25, 9).not_accepted);

    let accepted = see(&awaited, closed(ResolvedReason::Fraud), 16, 7);
    assert_eq!((accepted.decision, accepted.not_accepted), (None, false));

    // Of one that nothing is seen of nobody knows more than was decided; what is seen in the end counts.
    let asked = NOW + DECISION_PATIENCE;
    let unseen = observe(
        Some(&awaited),
        &Observation { seen: Seen::Nothing, source: AlertSource::Graph, run: 7, asked },
        FraudThreshold::High,
    );
    let unseen = unseen.known.unwrap();
    assert_eq!((&unseen.alert, &unseen.decision, unseen.not_accepted), (&decided.alert, &None, false));
    let reopened = Observation { seen: there(alert()), source: AlertSource::Graph, run: 8, asked };
    assert_eq!(observe(Some(&unseen), &reopened, FraudThreshold::High).step, Step::Reopened);

    let open = Decision { status: Status::Active, reason: None, at: NOW };
    let reopened = known(closed(ResolvedReason::Ignore)).decided(open, None);
    assert_eq!((&reopened.alert.status, &reopened.alert.resolution), (&Status::Active, &Resolution::default()));
}

#[test]
fn what_stood_so_before_both_decisions_proves_nothing_of_the_second() {
    let open = Decision { status: Status::Active, reason: None, at: NOW + SignedDuration::from_mins(1) };
    let reopened = decided().decided(open, None);
    let sight = |seen: Alert, minutes| Observation {
        seen: there(seen),
        source: AlertSource::Graph,
        run: 6,
        asked: NOW + SignedDuration::from_mins(minutes),
    };
    let step = |seen, minutes| observe(Some(&reopened), &sight(seen, minutes), FraudThreshold::High);
    // Open as it was before it was resolved: that may be older than both.
    let early = step(alert(), 2);
    assert_eq!(early.step, Step::DecisionAwaited);
    assert!(early.known.unwrap().decision.is_some());
    assert_eq!(step(closed(ResolvedReason::Fraud), 2).step, Step::DecisionAwaited);
    // Microsoft dropped the second: that is said, though it was open all the time as far as anybody saw.
    let dropped = step(closed(ResolvedReason::Fraud), 17);
    assert_eq!((dropped.step, dropped.known.unwrap().before), (Step::DecisionNotAccepted, None));
    let late = step(alert(), 17);
    assert_eq!((late.step, late.known.unwrap().before), (Step::DecisionSeen, None));
    // One that changes nothing is no first one, and is proven at once.
    let same = Decision { status: Status::Active, reason: None, at: NOW };
    let kept = observe(Some(&known(alert()).decided(same, None)), &sight(alert(), 1), FraudThreshold::High);
    assert_eq!(kept.step, Step::DecisionSeen);
    // A first decision is proven by its first sight.
    let seen = observe(Some(&decided()), &sight(closed(ResolvedReason::Fraud), 1), FraudThreshold::High);
    assert_eq!(seen.step, Step::DecisionSeen);
}

fn any_alert() -> impl Strategy<Value = Arc<Alert>> {
    let severity = prop::sample::select(vec!["low", "high", "new"]);
    let state = prop::sample::select(vec!["active", "investigating", "resolved", "escalated"]);
    (severity, state, 0_i64..3).prop_map(|(severity, status, minutes)| {
        let last_observed = NOW + SignedDuration::from_mins(minutes);
        Arc::new(Alert { severity: Severity::from(severity), status: Status::from(status), last_observed, ..alert() })
    })
}

fn any_seen() -> impl Strategy<Value = Seen> {
    prop_oneof![1 => Just(Seen::Gone), 4 => any_alert().prop_map(Seen::There)]
}

/// What each run of a history saw, and the same in an order of its own, some of it twice. Nobody asks for an alert that he does not
/// know: the first sight comes first.
fn history_and_another_order() -> impl Strategy<Value = (Vec<Observation>, Vec<Observation>)> {
    (any_alert(), prop::collection::vec(any_seen(), 0..8)).prop_flat_map(|(first, more)| {
        let asked = |run: u64| NOW + SignedDuration::from_mins(i64::try_from(run).unwrap());
        let seen = std::iter::once(Seen::There(first)).chain(more);
        let history: Vec<_> = (1..)
            .zip(seen)
            .map(|(run, seen)| Observation { seen, source: AlertSource::Graph, run, asked: asked(run) })
            .collect();
        let twice = subsequence(history.clone(), 0..=history.len());
        let later = history[1..].to_vec();
        let another = twice.prop_map(move |twice| [later.clone(), twice].concat()).prop_shuffle();
        let first = history[0].clone();
        (Just(history), another.prop_map(move |rest| [vec![first.clone()], rest].concat()))
    })
}

fn end_of(observations: &[Observation]) -> Known {
    let next = |known: Option<Known>, observation| observe(known.as_ref(), observation, FraudThreshold::High).known;
    observations.iter().fold(None, next).unwrap()
}

proptest! {
    /// Sights that come late, twice or in another order leave an alert as the latest run saw it.
    #[test]
    fn any_order_and_repetition_of_the_same_sights_ends_in_the_same_state(
        (history, another) in history_and_another_order(),
    ) {
        let end = end_of(&history);
        prop_assert_eq!(&end_of(&another), &end);
        let alerts = history.iter().rev().filter_map(|observation| match &observation.seen {
            Seen::There(alert) => Some(alert),
            Seen::Gone | Seen::Nothing => None,
        });
        prop_assert_eq!(Some(&end.alert), alerts.into_iter().next(), "as it was seen last");
        prop_assert_eq!(end.gone.is_some(), history.last().unwrap().seen == Seen::Gone);
    }
}
