//! Keeping a tenant's credential alive: signing in with it and calling what it is for prove that it works, and a refresh token that
//! comes of the sign-in takes the place of the one that is kept, before that one runs out.
//!
//! Promises: a refresh token is written at most about once a day, whatever the calls say; the one before stays as `AWSPREVIOUS`; what
//! somebody else wrote meanwhile stays. Leaves to others: that only one is at it at a time, and what is said of it all (`renew`).

use std::{fmt, future::Future};

use aws_sdk_secretsmanager::Client;
use jiff::{SignedDuration, Timestamp};
use models::{CredentialDates, Purpose, Tenant};

use crate::{
    Audience, CloudDirectory, Credential, CredentialError, Diagnosis, Grant, KeptSecret, Limits, MicrosoftError, NewId,
    Now, SecretsManager, Written,
    access::Access,
    sign_in::{Given, Grounds, SignIn},
};

/// How old a refresh token is before another takes its place. Every sign-in brings a new one, and none ends the one before, so this
/// is as good as any age far below [`REFRESH_TOKEN_LIFE`]; a little less than a day, so that a run that comes early still counts.
pub const RENEW_AFTER: SignedDuration = SignedDuration::from_hours(20);

/// How long a refresh token is good for (Microsoft: "Refresh tokens in the Microsoft identity platform"; the secure application
/// model says the same).
pub const REFRESH_TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// From what age on a refresh token is not being renewed as it should be: one day is healthy, two is a day's trouble that has passed.
pub const REFRESH_TOKEN_OLD: SignedDuration = SignedDuration::from_hours(3 * 24);

/// The outcome of a credential that works.
pub const WORKS: &str = "ok";
/// The outcome of a look that took too long.
pub const OUT_OF_TIME: &str = "out-of-time";

/// What to do about each outcome that is no diagnosis.
const ADVICE: [(&str, &str); 9] = [
    ("call-refused", "look the code up, which the log of renew has with the id that Microsoft's support asks for"),
    ("call-unreadable", "nothing: it is tried again; if it stays, look at Microsoft's service health"),
    (
        "no-refresh-token",
        "have a person consent anew, and leave the application's delegated permission offline_access to it: the kept refresh token \
         works, and ends 90 days after it was obtained",
    ),
    (OUT_OF_TIME, "nothing: it is tried again; if it stays, look at the health of Microsoft and of AWS"),
    (
        "refresh-token-not-kept",
        "let renew write the secret: the log of renew says what Secrets Manager said. What is kept works, and ages",
    ),
    ("secret-malformed", "write the secret anew with `tenants set`: the log of renew says what is wrong with it"),
    (
        "secret-not-read",
        "check the name of the secret in `tenants show`, that there is one, and that renew may read it and use its key",
    ),
    ("sign-in-refused", "look the code up, which the log of renew has with the id that Microsoft's support asks for"),
    ("sign-in-unreadable", "nothing: it is tried again; if it stays, look at Microsoft's service health"),
];

/// What to do about an outcome, which a [`RenewalError`] or [`OUT_OF_TIME`] is: none where nothing is to be done, or it is unknown.
#[must_use]
pub fn what_to_do(outcome: &str) -> Option<&'static str> {
    let diagnosis = Diagnosis::ALL.into_iter().find(|diagnosis| diagnosis.code() == outcome);
    let own = || ADVICE.into_iter().find(|(code, _)| *code == outcome).map(|(_, advice)| advice);
    diagnosis.map(Diagnosis::what_to_do).or_else(own)
}

/// How far ahead of us whoever obtained a token may have been. What lies further ahead stems from a clock that was set back.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// Renews the credentials of tenants.
pub trait RenewCredentials {
    /// Signs in with one of a tenant's secrets, keeps the refresh token that comes of it, if the kept one has come to age, and calls what
    /// the secret is for.
    fn renew(&self, tenant: &Tenant, purpose: Purpose) -> impl Future<Output = Renewal> + Send;
}

/// What came of it.
#[derive(Debug)]
pub struct Renewal {
    /// What the secret says of itself, as far as it could be read; after a new token was kept, of that one.
    pub dates: Option<CredentialDates>,
    /// What is kept now, whether it works or not.
    pub kept: Kept,
    /// Whether the credential works, and is kept alive.
    pub result: Result<(), RenewalError>,
}

/// What is kept of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// What was kept: there is no refresh token, one that is young enough, or none to take its place.
    AsItWas,
    /// The new refresh token.
    Renewed,
    /// What somebody else wrote at the same time. It is looked at next time.
    AsSomebodyWrote,
}

/// Why a credential doesn't work, or isn't kept alive.
#[derive(Debug, thiserror::Error)]
pub enum RenewalError {
    /// The secret can't be read.
    #[error("the secret can't be read")]
    Secret(#[source] CredentialError),
    /// Microsoft does not let the application in.
    #[error("the sign-in failed")]
    SignIn(#[source] MicrosoftError),
    /// The sign-in worked, and a service does not take what came of it.
    #[error("it signs in, and a call with it failed")]
    Call(#[source] MicrosoftError),
    /// The sign-in worked, but brought no refresh token to go on with.
    #[error("the sign-in brought no new refresh token; the one before is still there")]
    NoRefreshToken,
    /// The sign-in worked, but the new refresh token could not be kept.
    #[error("the new refresh token could not be kept; the one before is still there")]
    NotKept(#[source] CredentialError),
}

impl RenewalError {
    /// What Microsoft's refusal means, where it is one and known.
    #[must_use]
    pub fn diagnosis(&self) -> Option<Diagnosis> {
        match self {
            Self::SignIn(error) | Self::Call(error) => error.diagnosis(),
            Self::Secret(_) | Self::NoRefreshToken | Self::NotKept(_) => None,
        }
    }

    /// A short name, which does not change: the diagnosis' own, where there is one.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Secret(CredentialError::SecretsManager { .. }) => "secret-not-read",
            Self::Secret(_) => "secret-malformed",
            Self::SignIn(MicrosoftError::BadAnswer { .. }) => "sign-in-unreadable",
            Self::SignIn(error) => error.diagnosis().map_or("sign-in-refused", Diagnosis::code),
            Self::Call(MicrosoftError::BadAnswer { .. }) => "call-unreadable",
            Self::Call(error) => error.diagnosis().map_or("call-refused", Diagnosis::code),
            Self::NoRefreshToken => "no-refresh-token",
            Self::NotKept(_) => "refresh-token-not-kept",
        }
    }

    /// Whether it may pass by itself: somebody's trouble or haste, and nothing that a person has to mend.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Secret(error) | Self::NotKept(error) => error.may_pass(),
            Self::SignIn(MicrosoftError::BadAnswer { .. }) | Self::Call(MicrosoftError::BadAnswer { .. }) => true,
            Self::SignIn(error) | Self::Call(error) => {
                matches!(error.diagnosis(), Some(Diagnosis::Throttled | Diagnosis::Unavailable))
            }
            Self::NoRefreshToken => false,
        }
    }
}

/// Renews credentials that lie in Secrets Manager.
pub struct Renewer {
    http: reqwest::Client,
    clouds: CloudDirectory,
    secrets: Client,
    limits: Limits,
    now: Now,
    new_id: NewId,
}

impl fmt::Debug for Renewer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Renewer").field("clouds", &self.clouds).finish_non_exhaustive()
    }
}

impl RenewCredentials for Renewer {
    async fn renew(&self, tenant: &Tenant, purpose: Purpose) -> Renewal {
        let secrets = SecretsManager::new(self.secrets.clone(), purpose);
        let read = secrets.fetch(tenant).await.and_then(|kept| {
            let credential = kept.secret.credential();
            let tenant = || tenant.id.to_string();
            let credential =
                credential.map_err(|problem| CredentialError::Malformed { purpose, tenant: tenant(), problem });
            credential.map(|credential| (kept, credential))
        });
        match read {
            Ok((kept, credential)) => self.renew_kept(tenant, purpose, &secrets, &kept, &credential).await,
            Err(error) => Renewal { dates: None, kept: Kept::AsItWas, result: Err(RenewalError::Secret(error)) },
        }
    }
}

impl Renewer {
    /// Renews what this client can fetch and replace.
    #[must_use]
    pub fn new(
        http: reqwest::Client,
        clouds: CloudDirectory,
        secrets: Client,
        limits: Limits,
        now: Now,
        new_id: NewId,
    ) -> Self {
        Self { http, clouds, secrets, limits, now, new_id }
    }

    async fn renew_kept(
        &self,
        tenant: &Tenant,
        purpose: Purpose,
        secrets: &SecretsManager,
        kept: &KeptSecret,
        credential: &Credential,
    ) -> Renewal {
        let known = kept.secret.refresh_token_obtained();
        let for_a_person = matches!(credential.grant, Grant::RefreshToken(_));
        let obtained = if for_a_person { known.or(kept.written) } else { None };
        let mut dates =
            CredentialDates { refresh_token_obtained: obtained, proof_expires: kept.secret.proof_expires() };
        let now = (self.now)();
        let given = match self.sign_in(tenant, credential).await {
            Ok(given) => given,
            Err(error) => {
                let result = Err(RenewalError::SignIn(error));
                return Renewal { dates: Some(dates), kept: Kept::AsItWas, result };
            }
        };
        let mut failures = Vec::new();
        // First of all: what the calls say, or how long they take, costs no refresh token.
        let is_due = for_a_person && is_due(known, now);
        let written = if is_due { self.keep(tenant, secrets, kept, &given, now).await } else { Ok(Kept::AsItWas) };
        let written = written.unwrap_or_else(|error| {
            failures.push(error);
            Kept::AsItWas
        });
        if written == Kept::Renewed {
            dates.refresh_token_obtained = Some(now);
        }
        let Self { http, clouds, limits, now, new_id, .. } = self;
        let access = Access { http, clouds, limits: *limits, now, new_id };
        let refusals = access.refusals(tenant, purpose, &kept.secret, given).await;
        failures.extend(refusals.into_iter().map(RenewalError::Call));
        // What somebody has to mend counts before what may pass.
        let worst = failures.into_iter().min_by_key(RenewalError::may_pass);
        Renewal { dates: Some(dates), kept: written, result: worst.map_or(Ok(()), Err) }
    }

    async fn keep(
        &self,
        tenant: &Tenant,
        secrets: &SecretsManager,
        kept: &KeptSecret,
        given: &Given,
        now: Timestamp,
    ) -> Result<Kept, RenewalError> {
        let token = given.refresh_token.clone().ok_or(RenewalError::NoRefreshToken)?;
        let renewed = kept.secret.clone().with_refresh_token(token, now);
        match secrets.replace(tenant, &kept.version, &renewed).await {
            Ok(Written::Yes) => Ok(Kept::Renewed),
            Ok(Written::SomebodyWasQuicker) => Ok(Kept::AsSomebodyWrote),
            Err(error) => Err(RenewalError::NotKept(error)),
        }
    }

    /// For the service that the tenant's alerts come from: of another one nothing has to be known.
    async fn sign_in(&self, tenant: &Tenant, credential: &Credential) -> Result<Given, MicrosoftError> {
        let (http, clouds, limits, now) = (&self.http, &self.clouds, self.limits, &self.now);
        let Credential { client_id, proof, grant } = credential;
        let sign_in = SignIn { http, clouds, limits, tenant, client_id, proof, now };
        sign_in.ask(Grounds::Grant(grant), Audience::of_source(tenant.alert_source)).await
    }
}

/// Whether a refresh token is old enough for another, or nobody knows how old it is.
fn is_due(obtained: Option<Timestamp>, now: Timestamp) -> bool {
    let young = -CLOCK_TOLERANCE..RENEW_AFTER;
    obtained.is_none_or(|obtained| !young.contains(&now.duration_since(obtained)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_that_is_no_diagnosis_says_what_to_do_and_a_credential_that_works_nothing() {
        let not_kept = || CredentialError::NotNamed { purpose: Purpose::Read, tenant: "t".to_owned() };
        let bad = || MicrosoftError::BadAnswer { call: "c", tenant: "t".to_owned(), problem: "p".to_owned() };
        for error in [
            RenewalError::Secret(not_kept()),
            RenewalError::NotKept(not_kept()),
            RenewalError::NoRefreshToken,
            RenewalError::SignIn(bad()),
            RenewalError::Call(bad()),
        ] {
            assert!(what_to_do(error.code()).is_some(), "{}", error.code());
        }
        assert_eq!(what_to_do("mfa-missing"), Some(Diagnosis::MfaMissing.what_to_do()));
        assert_eq!(what_to_do(WORKS), None);
    }

    #[test]
    fn a_token_is_due_from_twenty_hours_on_and_where_nobody_knows_its_age() {
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        for (obtained, due) in [
            (None, true),
            (Some("2026-03-01T13:00:01Z"), false),
            (Some("2026-03-01T13:00:00Z"), true),
            (Some("2025-01-01T00:00:00Z"), true),
            (Some("2026-03-02T09:01:00Z"), false),
            (Some("2026-03-02T09:01:01Z"), true),
        ] {
            assert_eq!(is_due(obtained.map(|text| text.parse().unwrap()), now), due, "{obtained:?}");
        }
    }
}
