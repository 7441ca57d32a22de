//! Writing what a tenant signs in with: over what is kept, after a person's consent where that is asked for, and not before it is
//! proven.
//!
//! Promises: what is not said anew stays; what somebody else wrote meanwhile stays, but for a refresh token, which a consent that was
//! just given outlives. What was current before is `AWSPREVIOUS` then.

use std::io::Write;

use models::{Purpose, Tenant};
use partner_center::{CredentialError, SecretError, SecretsManager, StoredSecret, Written};
use runtime::{Clock as _, SystemClock};
use secrecy::{ExposeSecret as _, SecretString};

use super::{SignInArguments, TenantsError, Way, consent, proof, sign_in::Asked};
use crate::{
    account::Account,
    doctor::{self, Finding},
    output::{Output, printable},
};

/// How often it is tried to write beside somebody else: `renew` writes once a day, and nobody else more than now and then.
const ATTEMPTS: usize = 3;

/// Whether a secret that is there may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    MayBeReplaced,
    StaysAsItIs,
}

/// A secret that is to be written.
pub(super) struct Keeping<'a> {
    pub(super) account: &'a Account,
    pub(super) tenant: &'a Tenant,
    /// The tenant as it was.
    pub(super) before: &'a Tenant,
    pub(super) purpose: Purpose,
    pub(super) existing: Existing,
    pub(super) anyway: bool,
}

/// What is kept at a moment.
#[derive(Clone)]
struct Seen {
    version: String,
    secret: Result<StoredSecret, SecretError>,
}

impl Keeping<'_> {
    /// Makes or changes the tenant's secret as the options say; has a person consent, where that is asked for. Gives what the secret
    /// is good for.
    pub(super) async fn keep(
        &self,
        options: &SignInArguments,
        output: &mut Output<impl Write>,
    ) -> Result<Vec<Finding>, TenantsError> {
        let asked = options.asked(SystemClock.now())?;
        let secrets = self.account.microsoft_for(self.purpose)?.secrets;
        let first = self.look(&secrets).await?;
        // What can't be done is said before a person is asked.
        let secret = self.merged(&asked, first.as_ref())?;
        let (mut token, mut seen, mut checks) = (None, first.clone(), None);
        if let Some(way) = asked.consent {
            token = Some((self.consent(way, &asked, &secret, output).await?, SystemClock.now()));
            // A person takes their time, and `renew` does not wait for them.
            seen = self.look(&secrets).await?;
        }
        for _ in 0..ATTEMPTS {
            if !nothing_but_the_token_changed(first.as_ref(), seen.as_ref()) {
                break;
            }
            let mut secret = self.merged(&asked, seen.as_ref())?;
            if let Some((token, obtained)) = &token {
                secret = secret.with_refresh_token(token.clone(), *obtained);
            }
            let proven = match checks {
                Some(proven) => proven,
                None => self.prove(&secret, first.as_ref()).await?,
            };
            let written = match &seen {
                Some(seen) => secrets.replace(self.tenant, &seen.version, &secret).await,
                None => secrets.create(self.tenant, &secret).await,
            };
            if written.map_err(|error| self.failed(error))? == Written::Yes {
                return Ok(proven);
            }
            checks = Some(proven);
            seen = self.look(&secrets).await?;
        }
        Err(TenantsError::SecretChanged(self.purpose, self.name()))
    }

    async fn consent(
        &self,
        way: Way,
        asked: &Asked,
        secret: &StoredSecret,
        output: &mut Output<impl Write>,
    ) -> Result<SecretString, TenantsError> {
        let consented = consent::run(way, asked.redirect_port, self.tenant, secret, self.account, output).await?;
        if let Some(person) = &consented.person {
            output.ask(&format!("{} has consented.", printable(person)))?;
        }
        Ok(consented.refresh_token)
    }

    /// What is kept. None where there is no secret, or one without a value.
    async fn look(&self, secrets: &SecretsManager) -> Result<Option<Seen>, TenantsError> {
        let kept = secrets.fetch_text(self.tenant).await.map_err(|error| self.failed(error))?;
        Ok(kept.map(|kept| Seen { version: kept.version, secret: StoredSecret::parse(kept.text.expose_secret()) }))
    }

    /// What is asked for, over what is kept: a refresh token not among it that a person still has to consent to.
    fn merged(&self, asked: &Asked, seen: Option<&Seen>) -> Result<StoredSecret, TenantsError> {
        let secret = match (&asked.given, seen) {
            (Some(_), Some(_)) if self.existing == Existing::StaysAsItIs => {
                return Err(TenantsError::SecretExists(self.purpose, self.name()));
            }
            (Some(given), Some(Seen { secret: Ok(seen), .. })) => {
                let loses = seen.has_refresh_token() && !seen.is_for_application_of(given);
                if loses && asked.consent.is_none() && !asked.app_only {
                    return Err(TenantsError::TokenLost(self.purpose, self.name()));
                }
                seen.clone().for_application_of(given.clone())
            }
            // Nothing can be kept of what nobody can read but the whole, which stays as AWSPREVIOUS.
            (Some(given), _) => given.clone(),
            (None, Some(seen)) => {
                let usable = seen.secret.clone().and_then(|secret| secret.credential().map(|_| secret));
                usable.map_err(|problem| self.malformed(problem))?
            }
            (None, None) => return Err(TenantsError::SecretMissing(self.purpose, self.name())),
        };
        Ok(if asked.app_only { secret.without_refresh_token() } else { secret })
    }

    /// What the secret is good for, if it is good enough.
    async fn prove(&self, secret: &StoredSecret, seen: Option<&Seen>) -> Result<Vec<Finding>, TenantsError> {
        let before = async {
            let Self { account, before, purpose, .. } = *self;
            match seen.and_then(|seen| seen.secret.as_ref().ok()) {
                // What does not count is not asked for.
                _ if self.anyway => vec![],
                _ if purpose.secret_of(before) != purpose.secret_of(self.tenant) => {
                    doctor::tenant::kept(account, before, purpose).await
                }
                Some(kept) => doctor::tenant::given(account, before, purpose, kept).await,
                None => vec![],
            }
        };
        let after = doctor::tenant::given(self.account, self.tenant, self.purpose, secret);
        let (before, after) = tokio::join!(Box::pin(before), Box::pin(after));
        let found = proof::judged(after, &before, &[self.purpose], self.anyway)?;
        let has_new_source = self.purpose == Purpose::Read && self.tenant.alert_source != self.before.alert_source;
        if has_new_source { proof::listed(found, self.tenant, self.anyway) } else { Ok(found) }
    }

    fn name(&self) -> String {
        self.purpose.secret_of(self.tenant).unwrap_or_default().to_owned()
    }

    fn malformed(&self, problem: SecretError) -> CredentialError {
        CredentialError::Malformed { purpose: self.purpose, tenant: self.tenant.id.to_string(), problem }
    }

    fn failed(&self, error: CredentialError) -> TenantsError {
        match error {
            // Of a secret that is asked for by its name, it says this alone.
            CredentialError::SecretsManager { code, .. } if code == "InvalidRequestException" => {
                TenantsError::Deleted(self.name())
            }
            error => error.into(),
        }
    }
}

/// Whether what was seen at first is still there, or `renew` alone was at it.
fn nothing_but_the_token_changed(first: Option<&Seen>, now: Option<&Seen>) -> bool {
    match (first, now) {
        (None, None) => true,
        (Some(first), Some(now)) => {
            let alike = || Some(first.secret.as_ref().ok()?.differs_in_refresh_token_alone(now.secret.as_ref().ok()?));
            first.version == now.version || alike().unwrap_or(false)
        }
        _ => false,
    }
}
