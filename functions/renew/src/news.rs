//! What those who look after Partner Alerts are told of a credential, each thing once.
//!
//! An alarm tells when the worst of all credentials changes, and is silent of the second that fails. This tells of each. It is pure: what
//! was told before comes in, and with each message comes out what is to be noted once it has gone out.

use jiff::{SignedDuration, Timestamp};
use models::{CredentialDates, Purpose, Tenant};
use partner_center::{REFRESH_TOKEN_LIFE, REFRESH_TOKEN_OLD, WORKS, what_to_do};
use store::Told;

use crate::{look::Seen, report::Verdict};

/// How many days before its end a client secret or a certificate is told of, the last time when it has ended.
const DAYS_BEFORE: [u16; 5] = [30, 14, 7, 1, 0];

/// A message of our own words, with nothing in it but ids, names of ours and moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) subject: &'static str,
    pub(crate) text: String,
    /// What is to be noted when it has gone out.
    pub(crate) told: Told,
}

/// What is news of this credential, now that it has been looked at, and these dates are the last that are known of it.
pub(crate) fn news(
    (tenant, purpose): (&Tenant, Purpose),
    told: &Told,
    seen: &Seen,
    dates: CredentialDates,
    now: Timestamp,
) -> Vec<News> {
    let whose = format!("the {purpose} secret of tenant {}", tenant.id);
    let more = format!(
        "Looked at: {now:.0}\nTo look again: partner-alerts doctor --tenant {}\nWhat each outcome means: docs/operations.md, \"Credentials\"\n",
        tenant.id
    );
    let parts = [
        of_outcome(&whose, told, seen),
        dates.proof_expires.and_then(|end| of_end(&whose, told, end, now)),
        dates.refresh_token_obtained.and_then(|obtained| of_age(&whose, told, obtained, now)),
    ];
    let signed = |news: News| News { text: format!("{}\n\n{more}", news.text), ..news };
    parts.into_iter().flatten().map(signed).collect()
}

/// It has begun to fail, fails for another reason, or works again. What could not be judged is no news, and neither is a first success.
fn of_outcome(whose: &str, told: &Told, seen: &Seen) -> Option<News> {
    let before = told.outcome.as_deref().unwrap_or(WORKS);
    let judged = matches!(seen.verdict, Verdict::Failed | Verdict::Works);
    if !judged || before == seen.outcome {
        return None;
    }
    let told = Told { outcome: Some(seen.outcome.to_owned()), ..Told::default() };
    if seen.verdict == Verdict::Works {
        let text = format!("The credential in {whose} works again. Before it was: {before}.");
        return Some(News { subject: "Partner Alerts: a credential works again", text, told });
    }
    let advice = what_to_do(seen.outcome).unwrap_or("look at the log of renew");
    let text = format!(
        "The credential in {whose} does not work, or is not kept alive: {}.\n\nWhat to do: {advice}.",
        seen.outcome
    );
    Some(News { subject: "Partner Alerts: a credential does not work", text, told })
}

/// Its client secret or certificate has come nearer to its end than one of the steps.
fn of_end(whose: &str, told: &Told, end: Timestamp, now: Timestamp) -> Option<News> {
    let left = end.duration_since(now);
    let step = DAYS_BEFORE.into_iter().filter(|days| left <= DAY * i32::from(*days)).min()?;
    let before = told.end_days.filter(|_| told.end == Some(end));
    if before.is_some_and(|before| before <= step) {
        return None;
    }
    let (subject, words) = if step == 0 {
        ("Partner Alerts: a client secret or certificate has ended", "has ended")
    } else {
        ("Partner Alerts: a client secret or certificate ends soon", "ends")
    };
    let text = format!(
        "The client secret or certificate in {whose} {words}: {end:.0}.\n\nWhat to do: make a new one for the application in Entra ID, and \
         write it with its end by `partner-alerts tenants set`."
    );
    Some(News { subject, text, told: Told { end: Some(end), end_days: Some(step), ..Told::default() } })
}

/// Its refresh token is not being renewed.
fn of_age(whose: &str, told: &Told, obtained: Timestamp, now: Timestamp) -> Option<News> {
    if now.duration_since(obtained) < REFRESH_TOKEN_OLD || told.old_token == Some(obtained) {
        return None;
    }
    let ends = obtained.saturating_add(REFRESH_TOKEN_LIFE).unwrap_or(Timestamp::MAX);
    let text = format!(
        "The refresh token in {whose} was obtained at {obtained:.0} and is not being renewed. It ends at {ends:.0}.\n\nWhat to do: mend what the \
         log of renew says of it, or have a person consent anew by `partner-alerts tenants set --consent` before that."
    );
    let told = Told { old_token: Some(obtained), ..Told::default() };
    Some(News { subject: "Partner Alerts: a refresh token is not being renewed", text, told })
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
