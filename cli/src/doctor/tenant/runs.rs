//! When the tenant was last looked at by `poll`.

use jiff::{SignedDuration, Timestamp};
use models::Tenant;
use runtime::{Clock as _, SystemClock};
use store::{LastRun, LastRuns, ReadLastRuns as _, StoreError};

use crate::{
    account::Account,
    doctor::{
        finding::{Finding, Subject},
        refused::unseen_for,
    },
};

/// How long ago the last complete run may be: three ticks of the schedule (`template.yaml`).
const LATEST: SignedDuration = SignedDuration::from_mins(15);

pub(super) async fn check(account: &Account, tenant: &Tenant) -> Vec<Finding> {
    let subject = Subject::of_tenant(&tenant.id, "runs");
    let store = match account.store() {
        Ok(store) => store,
        Err(error) => return vec![subject.unknown("when it was last looked at is not known", error.to_string())],
    };
    vec![match store.last_runs(&tenant.id).await {
        Ok(runs) => judged(&subject, runs, SystemClock.now()),
        Err(StoreError::Failed { code, .. }) => unseen_for(&subject, "dynamodb:GetItem", &code),
        Err(error) => subject.problem(runtime::chain(&error), "look at the item: nothing but poll writes it"),
    }]
}

fn judged(subject: &Subject, runs: LastRuns, now: Timestamp) -> Finding {
    let recent = |moment: Option<Timestamp>| moment.is_some_and(|moment| now.duration_since(moment) <= LATEST);
    let ago = |moment: Timestamp| format!("{} minutes ago", now.duration_since(moment).as_mins().max(0));
    let failing = "the log of poll says why, in lines with the tenant's id: docs/operations.md, \"When runs fail\"";
    let silent =
        "nothing asks for runs, or poll does not get to them: look at the schedules, the queues and the log of poll";
    let advice = if recent(runs.last_attempt) { failing } else { silent };
    match runs.last_success {
        Some(success) if recent(Some(success)) => {
            let complete = format!("the last complete run was {}", ago(success));
            let last = runs.last();
            if let (LastRun::Failed, Some(attempt)) = (last, runs.last_attempt) {
                return subject.warning(format!("the last run failed {}; {complete}", ago(attempt)), failing);
            }
            // A list that is too long for one run is read by several.
            let part = if last == LastRun::Cut {
                ", and a later one stopped in a list that the next one reads on"
            } else {
                ""
            };
            let rang = runs.last_callback.map_or("has not rung yet".to_owned(), |callback| {
                format!("last rang {}, whoever's the customer", ago(callback))
            });
            subject.ok(format!("{complete}{part}; Microsoft {rang}"))
        }
        Some(success) => {
            let attempt = runs.last_attempt.map_or("none since".to_owned(), ago);
            let words = format!("the last complete run was {}, the last attempt {attempt}", ago(success));
            subject.problem(words, advice)
        }
        None if runs.last_attempt.is_some() => subject.problem("no run was complete yet", advice),
        None => subject.warning("there was no run yet", "wait for the schedule, which asks for one every five minutes"),
    }
}

#[cfg(test)]
mod tests {
    use models::TenantId;

    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn a_quarter_of_an_hour_without_a_complete_run_is_too_long_and_what_to_do_depends_on_the_attempts() {
        let now: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        let minutes = |ago: Option<i64>| ago.map(|ago| now - SignedDuration::from_mins(ago));
        let tenant: TenantId = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap();
        for (success, attempt, state, words, advice) in [
            (Some(15), Some(15), State::Ok, "was 15 minutes ago; Microsoft has not rung yet", None),
            (Some(-1), Some(-1), State::Ok, "was 0 minutes ago", None),
            // One that failed may be a passing trouble, and may as well be the first of many.
            (
                Some(3),
                Some(2),
                State::Warning,
                "the last run failed 2 minutes ago; the last complete run was 3 minutes ago",
                Some("log of poll"),
            ),
            (
                Some(16),
                Some(2),
                State::Problem,
                "was 16 minutes ago, the last attempt 2 minutes ago",
                Some("log of poll"),
            ),
            (Some(16), Some(16), State::Problem, "16 minutes ago", Some("nothing asks for runs")),
            (None, Some(2), State::Problem, "no run was complete yet", Some("log of poll")),
            (None, Some(60), State::Problem, "no run was complete yet", Some("nothing asks for runs")),
            (None, None, State::Warning, "there was no run yet", Some("wait")),
        ] {
            let runs =
                LastRuns { last_attempt: minutes(attempt), last_success: minutes(success), ..LastRuns::default() };
            let found = judged(&Subject::of_tenant(&tenant, "runs"), runs, now);
            assert_eq!(found.state, state, "{runs:?}");
            assert!(found.words.contains(words), "{found:?}");
            assert!(advice.is_none_or(|words| found.advice.as_ref().unwrap().contains(words)), "{found:?}");
        }
        let runs = LastRuns { last_success: minutes(Some(1)), last_callback: minutes(Some(90)), ..LastRuns::default() };
        let found = judged(&Subject::of_tenant(&tenant, "runs"), runs, now);
        assert!(found.words.ends_with("Microsoft last rang 90 minutes ago, whoever's the customer"), "{found:?}");
    }

    #[test]
    fn a_run_that_stopped_in_a_long_list_has_not_failed() {
        let now: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        let minutes = |ago: i64| Some(now - SignedDuration::from_mins(ago));
        let tenant: TenantId = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap();
        let cut = |attempt, cut| LastRuns {
            last_attempt: minutes(attempt),
            last_cut: minutes(cut),
            last_success: minutes(9),
            ..LastRuns::default()
        };
        let found = judged(&Subject::of_tenant(&tenant, "runs"), cut(2, 2), now);
        assert_eq!(found.state, State::Ok, "{found:?}");
        assert!(found.words.contains("was 9 minutes ago, and a later one stopped in a list"), "{found:?}");
        for runs in [cut(1, 2), cut(1, 20)] {
            assert_eq!(judged(&Subject::of_tenant(&tenant, "runs"), runs, now).state, State::Warning, "{runs:?}");
        }
        // Of an earlier one nothing is said.
        let found = judged(&Subject::of_tenant(&tenant, "runs"), cut(9, 12), now);
        assert!(found.words.contains("was 9 minutes ago; Microsoft"), "{found:?}");
    }

    #[test]
    fn what_counts_as_too_long_follows_from_how_often_the_schedule_ticks() {
        assert_eq!(LATEST, poll::PERIOD * 3);
    }
}
