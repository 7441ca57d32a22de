//! Tenants as they are shown: everything but the keys, of which there are only hashes.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::Timestamp;
use models::{Purpose, Tenant};
use serde::Serialize;
use store::{CredentialState, LastRun, LastRuns};

use super::SignInArguments;
use crate::{
    doctor::Finding,
    output::{printable, table},
};

/// A tenant as it is shown.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its id in Entra ID.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// The cloud that it lives in.
    pub cloud: &'static str,
    /// Where its alerts are read from.
    pub alert_source: models::AlertSource,
    /// Name or ARN of the secret that can read alerts.
    pub read_secret: String,
    /// Name or ARN of the secret that can resolve alerts.
    pub act_secret: Option<String>,
    /// How many path keys are valid.
    pub path_keys: usize,
    /// Whether it is looked after.
    pub active: bool,
    /// What `renew` found out about its secrets, where it has looked at them: by `read` and `act`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub credentials: BTreeMap<&'static str, ShownCredential>,
    /// When it was last looked at, and when Microsoft last rang; not of one that is being changed.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Box<ShownRuns>>,
    /// Its callback address, where a key was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// What works of a tenant that was just added, and what is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Finding>,
    /// Name or ARN of the secret that was written, where one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_written: Option<String>,
}

impl Shown {
    pub(super) fn with_secret_written(self, sign_in: &SignInArguments, purpose: Purpose, tenant: &Tenant) -> Self {
        let name = purpose.secret_of(tenant).filter(|_| sign_in.ask_for_something());
        Self { secret_written: name.map(str::to_owned), ..self }
    }
}

/// When a tenant was last looked at, as it is shown. What never was is null.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ShownRuns {
    /// When the last run ended, whatever came of it.
    pub last_attempt: Option<Timestamp>,
    /// When the last complete run ended.
    pub last_success: Option<Timestamp>,
    /// What came of the last run that ended: `complete`, `cut`, where the next one reads on, or `failed`.
    pub last_outcome: Option<&'static str>,
    /// When the last verified fraud callback was received.
    pub last_callback: Option<Timestamp>,
    /// How many new alerts runs of the schedule have found in all that no callback had announced.
    pub unannounced: u64,
}

/// What is known of a credential, as it is shown.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ShownCredential {
    /// `ok`, or a word for what is wrong.
    pub outcome: Option<String>,
    /// When that was found out.
    pub checked: Option<Timestamp>,
    /// When the refresh token that is kept was obtained, where there is one.
    pub refresh_token_obtained: Option<Timestamp>,
    /// How old it is, in whole days.
    pub refresh_token_days: Option<i64>,
    /// When the client secret or the certificate expires, where that is known.
    pub expires: Option<Timestamp>,
    /// In how many whole days; negative where it has expired.
    pub expires_in_days: Option<i64>,
}

impl Shown {
    /// The tenant, with what is known of its secrets at this moment.
    pub(super) fn with_credentials(tenant: &Tenant, known: BTreeMap<Purpose, CredentialState>, now: Timestamp) -> Self {
        // What was found out about a secret that the tenant has no more is no news.
        let named = known.into_iter().filter(|(purpose, _)| purpose.secret_of(tenant).is_some());
        let credentials = named.map(|(purpose, known)| (purpose.as_str(), ShownCredential::at(known, now)));
        Self { credentials: credentials.collect(), ..Self::from(tenant) }
    }

    /// The same with its last runs.
    pub(super) fn with_runs(self, runs: LastRuns) -> Self {
        let last_outcome = runs.last_attempt.map(|_| match runs.last() {
            LastRun::Complete => "complete",
            LastRun::Cut => "cut",
            LastRun::Failed => "failed",
        });
        let LastRuns { last_attempt, last_success, last_callback, unannounced, .. } = runs;
        let runs = ShownRuns { last_attempt, last_success, last_outcome, last_callback, unannounced };
        Self { runs: Some(Box::new(runs)), ..self }
    }

    /// When the last complete run was, and whether a later one failed.
    fn last_success(&self) -> String {
        let Some(runs) = self.runs.as_deref() else { return "unknown".to_owned() };
        let success = runs.last_success.map_or_else(|| "never".to_owned(), to_the_second);
        if runs.last_outcome == Some("failed") { success + ", failed since" } else { success }
    }

    /// Since when its secrets are known to be as they are shown: the earlier moment, where there are two.
    fn checked(&self) -> String {
        let moments = self.credentials.values().filter_map(|known| known.checked);
        moments.min().map_or_else(|| "never".to_owned(), to_the_second)
    }

    /// What is known of a secret, in a few words.
    fn summary(&self, purpose: Purpose) -> String {
        let named = purpose != Purpose::Act || self.act_secret.is_some();
        let Some(known) = self.credentials.get(purpose.as_str()) else {
            return if named { "not checked" } else { "none" }.to_owned();
        };
        let mut words = vec![known.outcome.clone().unwrap_or_else(|| "not checked".to_owned())];
        words.extend(known.refresh_token_days.map(|days| format!("token {days} d old")));
        words.extend(known.expires_in_days.map(|days| match days {
            ..0 => "expired".to_owned(),
            0..=FAR => format!("expires in {days} d"),
            _ => known.expires.map_or_else(String::new, |end| format!("expires {}", end.strftime("%F"))),
        }));
        words.join(", ")
    }
}

/// From how many days on an end is said by its date: ten years.
const FAR: i64 = 3_652;

fn to_the_second(moment: Timestamp) -> String {
    moment.strftime("%FT%TZ").to_string()
}

impl ShownCredential {
    fn at(known: CredentialState, now: Timestamp) -> Self {
        let days = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs().div_euclid(86_400);
        Self {
            outcome: known.outcome,
            checked: known.checked,
            refresh_token_obtained: known.refresh_token_obtained,
            refresh_token_days: known.refresh_token_obtained.map(|obtained| days(obtained, now)),
            expires: known.proof_expires,
            expires_in_days: known.proof_expires.map(|end| days(now, end)),
        }
    }
}

impl From<&Tenant> for Shown {
    fn from(tenant: &Tenant) -> Self {
        Self {
            id: tenant.id.to_string(),
            name: tenant.display_name.clone(),
            cloud: tenant.cloud.as_str(),
            alert_source: tenant.alert_source,
            read_secret: tenant.read_secret.clone(),
            act_secret: tenant.act_secret.clone(),
            path_keys: tenant.path_key_hashes.len(),
            active: tenant.active,
            credentials: BTreeMap::new(),
            runs: None,
            callback_url: None,
            checks: Vec::new(),
            secret_written: None,
        }
    }
}

/// A tenant of the list.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Listed {
    /// As it is.
    Readable(Shown),
    /// One whose item can't be read, so that nobody looks after it.
    Unreadable {
        /// What stands in the place of its id.
        id: String,
        /// Why not.
        unreadable: String,
    },
}

/// The tenants as a table, and below it those that can't be read.
pub(super) fn table_of(listed: &[Listed]) -> String {
    if listed.is_empty() {
        return "There is no tenant yet: `tenants add` adds one.".to_owned();
    }
    let (mut shown, mut below) = (Vec::new(), String::new());
    for listed in listed {
        match listed {
            Listed::Readable(readable) => shown.push(readable),
            Listed::Unreadable { id, unreadable } => {
                let (id, why) = (printable(id), printable(unreadable));
                let _ = write!(below, "\nThe item of {id} can't be read, so nobody looks after it: {why}");
            }
        }
    }
    let row = |shown: &&Shown| {
        let state = if shown.active { "active" } else { "inactive" };
        let [read, act] = Purpose::ALL.map(|purpose| shown.summary(purpose));
        let (success, checked) = (shown.last_success(), shown.checked());
        vec![
            shown.id.clone(),
            shown.name.clone(),
            shown.cloud.to_owned(),
            state.to_owned(),
            success,
            read,
            act,
            checked,
        ]
    };
    let header = ["id", "name", "cloud", "state", "last success", "read secret", "act secret", "checked"];
    table(&header, shown.iter().map(row)) + &below
}

/// A tenant as lines of name and value.
pub(super) fn text_of(shown: &Shown) -> String {
    let none = || "none: its alerts can't be decided on here".to_owned();
    let mut rows = vec![
        ("id", shown.id.clone()),
        ("name", shown.name.clone()),
        ("cloud", shown.cloud.to_owned()),
        ("alert source", shown.alert_source.as_str().to_owned()),
        ("read secret", shown.read_secret.clone()),
        ("act secret", shown.act_secret.clone().unwrap_or_else(none)),
        ("path keys", shown.path_keys.to_string()),
        ("active", if shown.active { "yes" } else { "no" }.to_owned()),
    ];
    rows.extend(shown.secret_written.clone().map(|name| ("written", name)));
    for (name, purpose) in [("read works", Purpose::Read), ("act works", Purpose::Act)] {
        if let Some(known) = shown.credentials.get(purpose.as_str()) {
            let checked = known.checked.map_or_else(String::new, |checked| format!(" (checked {checked})"));
            rows.push((name, shown.summary(purpose) + &checked));
        }
    }
    if let Some(runs) = shown.runs.as_deref() {
        let moment = |moment: Option<Timestamp>| moment.map_or("never".to_owned(), |moment| moment.to_string());
        let outcome = match runs.last_outcome {
            Some("failed") => ", not complete: it failed",
            Some("cut") => ", not complete: the next one reads on",
            _ => "",
        };
        rows.push(("last attempt", moment(runs.last_attempt) + outcome));
        rows.push(("last success", moment(runs.last_success)));
        rows.push(("last ring", moment(runs.last_callback)));
        // Of any ring: whose alert it was for nobody can tell.
        let before = "no fraud callback of any customer's in the quarter of an hour before";
        rows.push(("unannounced", format!("{} alerts that the schedule found with {before}", runs.unannounced)));
    }
    rows.extend(shown.callback_url.clone().map(|url| ("callback", url)));
    let lines: Vec<_> = rows.iter().map(|(name, value)| format!("{name:<12} {}", printable(value))).collect();
    lines.join("\n")
}
