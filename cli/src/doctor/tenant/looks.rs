//! When `renew` last looked at a tenant's credentials, and what came of it.

use jiff::{SignedDuration, Timestamp};
use models::{Purpose, Tenant};
use partner_center::{WORKS, what_to_do};
use runtime::{Clock as _, SystemClock};
use store::{CredentialState, ReadCredentials as _, StoreError};

use crate::{
    account::Account,
    doctor::{
        finding::{Finding, Subject},
        refused::unseen_for,
    },
};

/// How long ago the last look may be: two ticks of the schedule, and an hour for a run that takes long.
const LATEST: SignedDuration = SignedDuration::from_hours(13);

pub(super) async fn check(account: &Account, tenant: &Tenant) -> Vec<Finding> {
    let subject = |purpose: Purpose| Subject::of_tenant(&tenant.id, format!("{purpose} secret, by renew"));
    let store = match account.store() {
        Ok(store) => store,
        Err(error) => {
            return vec![subject(Purpose::Read).unknown("what renew has found is not known", error.to_string())];
        }
    };
    let known = match store.credentials(&tenant.id).await {
        Ok(known) => known,
        Err(StoreError::Failed { code, .. }) => {
            return vec![unseen_for(&subject(Purpose::Read), "dynamodb:Query", &code)];
        }
        Err(error) => {
            let advice = "look at the item: nothing but renew writes it";
            return vec![subject(Purpose::Read).problem(runtime::chain(&error), advice)];
        }
    };
    let now = SystemClock.now();
    let kept = Purpose::ALL.into_iter().filter(|purpose| purpose.secret_of(tenant).is_some());
    kept.map(|purpose| judged(&subject(purpose), known.get(&purpose), now)).collect()
}

fn judged(subject: &Subject, known: Option<&CredentialState>, now: Timestamp) -> Finding {
    let looked = known.and_then(|known| Some((known.checked?, known.outcome.as_deref()?)));
    let Some((checked, outcome)) = looked else {
        let advice = "wait for the schedule of renew, which looks every six hours";
        return subject.warning("it was not looked at yet", advice);
    };
    let ago = now.duration_since(checked);
    let words = format!("looked at {} hours ago: {outcome}", ago.as_hours().max(0));
    if ago > LATEST {
        subject.problem(words, "renew looks every six hours: look at its schedule and its log")
    } else if outcome == WORKS {
        subject.ok(words)
    } else {
        subject.problem(words, what_to_do(outcome).unwrap_or("the log of renew says what is wrong"))
    }
}

#[cfg(test)]
mod tests {
    use models::TenantId;

    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn a_look_of_long_ago_and_one_that_found_something_are_problems_and_none_yet_a_warning() {
        let now: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        let tenant: TenantId = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap();
        for (seen, state, words, advice) in [
            (Some((13 * 60, "ok")), State::Ok, "looked at 13 hours ago: ok", None),
            (Some((-1, "ok")), State::Ok, "looked at 0 hours ago: ok", None),
            (Some((13 * 60 + 1, "ok")), State::Problem, "13 hours ago: ok", Some("schedule")),
            (Some((60, "mfa-missing")), State::Problem, "1 hours ago: mfa-missing", Some("consent again")),
            (Some((60, "no-refresh-token")), State::Problem, "no-refresh-token", Some("offline_access")),
            (Some((60, "of a later release")), State::Problem, "of a later release", Some("log of renew")),
            (None, State::Warning, "it was not looked at yet", Some("wait")),
        ] {
            let known = seen.map(|(minutes, outcome)| CredentialState {
                checked: Some(now - SignedDuration::from_mins(minutes)),
                outcome: Some(outcome.to_owned()),
                ..CredentialState::default()
            });
            let found = judged(&Subject::of_tenant(&tenant, "read secret, by renew"), known.as_ref(), now);
            assert_eq!(found.state, state, "{known:?}");
            assert!(found.words.contains(words), "{found:?}");
            assert_eq!(found.advice.is_some(), advice.is_some(), "{found:?}");
            assert!(advice.is_none_or(|words| found.advice.as_ref().unwrap().contains(words)), "{found:?}");
        }
    }
}
