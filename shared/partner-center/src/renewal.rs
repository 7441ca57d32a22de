//! Keeping a tenant's credential alive: signing in with it proves that it works, and a refresh token that comes of that takes the
//! place of the one that is kept, before that one runs out.
//!
//! Promises: a refresh token is written at most about once a day; the one before stays as `AWSPREVIOUS`; what somebody else wrote
//! meanwhile stays. Leaves to others: that only one is at it at a time, and what is said of it all (`renew`).

use std::{fmt, future::Future};

use aws_sdk_secretsmanager::Client;
use jiff::{SignedDuration, Timestamp};
use models::{CredentialDates, Purpose, Tenant};
use secrecy::SecretString;

use crate::{
    Audience, CloudDirectory, Credential, CredentialError, Diagnosis, Grant, KeptSecret, Limits, MicrosoftError, Now,
    SecretsManager, Written,
    sign_in::{Grounds, SignIn},
};

/// How old a refresh token is before another takes its place. Every sign-in brings a new one, and none ends the one before, so this
/// is as good as any age far below [`REFRESH_TOKEN_LIFE`]; a little less than a day, so that a run that comes early still counts.
pub const RENEW_AFTER: SignedDuration = SignedDuration::from_hours(20);

/// How long a refresh token is good for (Microsoft: "Refresh tokens in the Microsoft identity platform"; the secure application
/// model says the same).
pub const REFRESH_TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How far ahead of us whoever obtained a token may have been. What lies further ahead stems from a clock that was set back.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// Renews the credentials of tenants.
pub trait RenewCredentials {
    /// Signs in with one of a tenant's secrets, and keeps the refresh token that comes of it, if the kept one has come to age.
    fn renew(&self, tenant: &Tenant, purpose: Purpose) -> impl Future<Output = Renewal> + Send;
}

/// What came of it.
#[derive(Debug)]
pub struct Renewal {
    /// What the secret says of itself, as far as it could be read; after a new token was kept, of that one.
    pub dates: Option<CredentialDates>,
    /// Whether the credential works, and is kept alive.
    pub result: Result<Kept, RenewalError>,
}

/// What is kept of a credential that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// What was kept: there is no refresh token, or one that is young enough.
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
    /// The sign-in worked, but the new refresh token could not be kept.
    #[error("the new refresh token could not be kept; the one before is still there")]
    NotKept(#[source] CredentialError),
}

impl RenewalError {
    /// What Microsoft's refusal means, where it is one and known.
    #[must_use]
    pub fn diagnosis(&self) -> Option<Diagnosis> {
        match self {
            Self::SignIn(error) => error.diagnosis(),
            Self::Secret(_) | Self::NotKept(_) => None,
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
            Self::NotKept(_) => "refresh-token-not-kept",
        }
    }

    /// Whether it may pass by itself: somebody's trouble or haste, and nothing that a person has to mend.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Secret(error) | Self::NotKept(error) => error.may_pass(),
            Self::SignIn(MicrosoftError::BadAnswer { .. }) => true,
            Self::SignIn(error) => matches!(error.diagnosis(), Some(Diagnosis::Throttled | Diagnosis::Unavailable)),
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
            Ok((kept, credential)) => self.renew_kept(tenant, &secrets, &kept, &credential).await,
            Err(error) => Renewal { dates: None, result: Err(RenewalError::Secret(error)) },
        }
    }
}

impl Renewer {
    /// Renews what this client can fetch and replace.
    #[must_use]
    pub fn new(http: reqwest::Client, clouds: CloudDirectory, secrets: Client, limits: Limits, now: Now) -> Self {
        Self { http, clouds, secrets, limits, now }
    }

    async fn renew_kept(
        &self,
        tenant: &Tenant,
        secrets: &SecretsManager,
        kept: &KeptSecret,
        credential: &Credential,
    ) -> Renewal {
        let now = (self.now)();
        let known = kept.secret.refresh_token_obtained();
        let for_a_person = matches!(credential.grant, Grant::RefreshToken(_));
        let obtained = if for_a_person { known.or(kept.written) } else { None };
        let mut dates =
            CredentialDates { refresh_token_obtained: obtained, proof_expires: kept.secret.proof_expires() };
        let result = match self.sign_in(tenant, credential).await {
            Err(error) => Err(RenewalError::SignIn(error)),
            Ok(Some(token)) if for_a_person && is_due(known, now) => {
                let renewed = kept.secret.clone().with_refresh_token(token, now);
                match secrets.replace(tenant, &kept.version, &renewed).await {
                    Ok(Written::Yes) => {
                        dates.refresh_token_obtained = Some(now);
                        Ok(Kept::Renewed)
                    }
                    Ok(Written::SomebodyWasQuicker) => Ok(Kept::AsSomebodyWrote),
                    Err(error) => Err(RenewalError::NotKept(error)),
                }
            }
            Ok(_) => Ok(Kept::AsItWas),
        };
        Renewal { dates: Some(dates), result }
    }

    /// The refresh token that a sign-in brings, where it brings one. What can sign in at all can do so for Graph.
    async fn sign_in(&self, tenant: &Tenant, credential: &Credential) -> Result<Option<SecretString>, MicrosoftError> {
        let (http, clouds, limits, now) = (&self.http, &self.clouds, self.limits, &self.now);
        let Credential { client_id, proof, grant } = credential;
        let sign_in = SignIn { http, clouds, limits, tenant, client_id, proof, now };
        Ok(sign_in.ask(Grounds::Grant(grant), Audience::Graph).await?.refresh_token)
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
