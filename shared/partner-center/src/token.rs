//! Access tokens, one for each tenant and audience, fetched once for any number of waiting calls and renewed early.

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use models::{Tenant, TenantId};
use reqwest::{RequestBuilder, header::ACCEPT};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    Audience, CloudDirectory, Credential, Credentials, Diagnosis, Grant, Limits, MicrosoftError,
    exchange::Call,
    sign_in::{Given, Grounds, SignIn},
};

/// How long before its end a token is renewed: longer than any run uses it.
const RENEW_EARLY: SignedDuration = SignedDuration::from_mins(5);
/// How long a token is used on that was found to lack a right. After that another is asked for, in which shows what has been mended
/// since: a lasting refusal thereby costs a sign-in a minute at most, however often it is met.
const USED_ON: SignedDuration = SignedDuration::from_mins(1);

/// Tells the time: `runtime`'s clock, without the dependency.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Makes random ids: `runtime`'s, without the dependency.
pub type NewId = Arc<dyn Fn() -> Uuid + Send + Sync>;

/// A token that is kept.
#[derive(Clone)]
struct Kept {
    given: Given,
    /// When it was given to us.
    since: Timestamp,
    /// Whether a service has refused it for want of a right.
    lacks_a_right: bool,
}

impl Kept {
    fn new(given: Given, since: Timestamp) -> Self {
        Self { given, since, lacks_a_right: false }
    }

    fn is_of_use(&self, now: Timestamp) -> bool {
        let is_worn = self.lacks_a_right && now.duration_since(self.since) >= USED_ON;
        self.given.expires - RENEW_EARLY > now && !is_worn
    }

    fn is(&self, token: &SecretString) -> bool {
        self.given.access_token.expose_secret() == token.expose_secret()
    }
}

/// Where a token is kept, and awaited while one call fetches it.
type Slot = Arc<Mutex<Option<Kept>>>;

/// Gives access tokens.
pub struct Tokens<C> {
    http: reqwest::Client,
    clouds: CloudDirectory,
    credentials: C,
    limits: Limits,
    now: Now,
    new_id: NewId,
    kept: Mutex<HashMap<(TenantId, Audience), Slot>>,
}

impl<C> std::fmt::Debug for Tokens<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl<C: Credentials + Sync> Tokens<C> {
    /// Tokens for the tenants whose credentials `credentials` holds.
    #[must_use]
    pub fn new(
        http: reqwest::Client,
        clouds: CloudDirectory,
        credentials: C,
        limits: Limits,
        now: Now,
        new_id: NewId,
    ) -> Self {
        Self { http, clouds, credentials, limits, now, new_id, kept: Mutex::default() }
    }

    pub(crate) fn clouds(&self) -> &CloudDirectory {
        &self.clouds
    }

    /// Signs a tenant in for this audience, to see whether that can be done.
    ///
    /// # Errors
    ///
    /// [`MicrosoftError`].
    pub async fn sign_in(&self, tenant: &Tenant, audience: Audience) -> Result<(), MicrosoftError> {
        self.token(tenant, audience).await.map(drop)
    }

    /// A token of this tenant for this audience.
    pub(crate) async fn token(&self, tenant: &Tenant, audience: Audience) -> Result<SecretString, MicrosoftError> {
        let slot = Arc::clone(self.kept.lock().await.entry((tenant.id.clone(), audience)).or_default());
        let mut token = slot.lock().await;
        let now = (self.now)();
        if let Some(kept) = token.as_ref().filter(|kept| kept.is_of_use(now)) {
            return Ok(kept.given.access_token.clone());
        }
        let given = self.fetch(tenant, audience).await?;
        *token = Some(Kept::new(given.clone(), now));
        Ok(given.access_token)
    }

    /// Whether a tenant's credential is for its application alone, as far as it can be read.
    pub(crate) async fn is_app_only(&self, tenant: &Tenant) -> bool {
        let credential = self.credentials.credential(tenant).await;
        matches!(credential, Ok(Credential { grant: Grant::ClientCredentials, .. }))
    }

    /// Holds a token that is there already, in place of one that would be fetched.
    pub(crate) async fn hold(&self, tenant: &TenantId, audience: Audience, given: Given) {
        let slot = Arc::new(Mutex::new(Some(Kept::new(given, (self.now)()))));
        self.kept.lock().await.insert((tenant.clone(), audience), slot);
    }

    /// Does this with a token that Microsoft refused, unless another has taken its place: then nobody has to sign in anew.
    async fn with_refused(
        &self,
        tenant: &TenantId,
        audience: Audience,
        refused: &SecretString,
        change: impl FnOnce(&mut Option<Kept>),
    ) {
        let slot = self.kept.lock().await.get(&(tenant.clone(), audience)).map(Arc::clone);
        if let Some(slot) = slot {
            change_refused(&mut *slot.lock().await, refused, change);
        }
    }

    /// Makes a call with a token. One that Microsoft no longer takes is replaced once. One that lacks a right is not
    /// used on for long, so that a later call signs in anew, with what the secret then says.
    ///
    /// To Partner Center every attempt has the same `MS-RequestId`, so that the work is done once however often it is asked for, and an
    /// `MS-CorrelationId` of its own. To Graph it has a `client-request-id` of its own: there the former has no counterpart.
    pub(crate) async fn call(
        &self,
        call: Call<'_>,
        tenant: &Tenant,
        audience: Audience,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Vec<u8>, MicrosoftError> {
        let id = (self.new_id)();
        let named = || match audience {
            Audience::Graph => request().header("client-request-id", self.fresh_id()),
            Audience::PartnerCenter => {
                request().header("MS-RequestId", id.to_string()).header("MS-CorrelationId", self.fresh_id())
            }
        };
        let with = |token: SecretString| {
            let named = &named;
            move || named().bearer_auth(token.expose_secret()).header(ACCEPT, "application/json")
        };
        let mut token = self.token(tenant, audience).await?;
        let mut answer = call.send(&self.now, with(token.clone())).await;
        if answer.as_ref().is_err_and(may_be_the_token) {
            self.with_refused(&tenant.id, audience, &token, |kept| *kept = None).await;
            token = self.token(tenant, audience).await?;
            answer = call.send(&self.now, with(token.clone())).await;
        }
        if answer.as_ref().is_err_and(lacks_a_right) {
            let mark = |kept: &mut Option<Kept>| kept.iter_mut().for_each(|kept| kept.lacks_a_right = true);
            self.with_refused(&tenant.id, audience, &token, mark).await;
        }
        answer
    }

    fn fresh_id(&self) -> String {
        (self.new_id)().to_string()
    }

    async fn fetch(&self, tenant: &Tenant, audience: Audience) -> Result<Given, MicrosoftError> {
        let credential = self
            .credentials
            .credential(tenant)
            .await
            .map_err(|source| MicrosoftError::Credential { tenant: tenant.id.to_string(), source })?;
        let Credential { client_id, proof, grant } = &credential;
        let Self { http, clouds, limits, now, .. } = self;
        let sign_in = SignIn { http, clouds, limits: *limits, tenant, client_id, proof, now };
        sign_in.ask(Grounds::Grant(grant), audience).await
    }
}

fn change_refused(kept: &mut Option<Kept>, refused: &SecretString, change: impl FnOnce(&mut Option<Kept>)) {
    if kept.as_ref().is_some_and(|kept| kept.is(refused)) {
        change(kept);
    }
}

/// Whether another token may be taken where this one was not. For want of a second factor, or of the right audience, any is refused.
fn may_be_the_token(error: &MicrosoftError) -> bool {
    let of_any = matches!(error.diagnosis(), Some(Diagnosis::MfaMissing | Diagnosis::AudienceRetired));
    matches!(error, MicrosoftError::Refused { status: 401, .. }) && !of_any
}

/// Whether a token of the same credential may be taken once somebody has mended what it lacks: a consent, a role, a second factor, a
/// policy. That partner and customer are strangers is no matter of the token.
fn lacks_a_right(error: &MicrosoftError) -> bool {
    let of_the_token = match error.diagnosis() {
        Some(Diagnosis::MfaMissing) => return true,
        Some(Diagnosis::RelationshipMissing) => false,
        _ => true,
    };
    // In whoever's words: what services say to a token that lacks a right is documented for the least of them.
    matches!(error, MicrosoftError::Refused { status: 403, .. }) && of_the_token
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(token: &str, expires: Timestamp) -> Given {
        Given { access_token: token.to_owned().into(), expires, refresh_token: None, id_token: None }
    }

    #[test]
    fn a_refused_token_is_forgotten_and_not_the_one_that_took_its_place() {
        let now = Timestamp::UNIX_EPOCH;
        let left = |token: Option<&str>, refused: &str| {
            let mut kept = token.map(|token| Kept::new(given(token, now), now));
            change_refused(&mut kept, &refused.to_owned().into(), |kept| *kept = None);
            kept.map(|kept| kept.given.access_token.expose_secret().to_owned())
        };
        // Two calls went out with the first token; the answer to one of them comes when the other has signed in anew.
        assert_eq!(left(Some("second"), "first").as_deref(), Some("second"));
        assert_eq!(left(Some("second"), "second"), None);
        assert_eq!(left(None, "first"), None);
    }

    #[test]
    fn a_token_is_of_use_until_shortly_before_its_end_and_for_a_minute_where_it_lacks_a_right() {
        let now = Timestamp::UNIX_EPOCH;
        let seconds = SignedDuration::from_secs;
        for (lacks_a_right, lives, after, expected) in [
            (false, 3_600, 0, true),
            (false, 3_600, 3_299, true),
            (false, 3_600, 3_300, false),
            (true, 3_600, 59, true),
            (true, 3_600, 60, false),
            (true, 300, 0, false),
        ] {
            let kept = Kept { lacks_a_right, ..Kept::new(given("a", now + seconds(lives)), now) };
            assert_eq!(kept.is_of_use(now + seconds(after)), expected, "{lacks_a_right} {lives} {after}");
        }
    }

    #[test]
    fn another_token_is_asked_for_at_once_or_the_next_time_only_where_it_may_help() {
        for (status, code, at_once, later) in [
            (401, "none", true, false),
            (401, "InvalidAuthenticationToken", true, false),
            (401, "900421", false, true),
            (401, "900420", false, false),
            (403, "none", false, true),
            (403, "Unauthorized_MissingMFA", false, true),
            (403, "Forbidden", false, true),
            (403, "900150", false, true),
            (403, "900329", false, true),
            (403, "20002", false, false),
            (403, "900159", false, false),
            (404, "none", false, false),
            (429, "none", false, false),
        ] {
            let refused = MicrosoftError::Refused {
                call: "a call",
                tenant: "a tenant".to_owned(),
                status,
                code: code.to_owned(),
                body: crate::RefusalBody::Microsofts,
                ids: crate::SupportIds::default(),
                attempts: 1,
                wait_until: None,
            };
            assert_eq!((may_be_the_token(&refused), lacks_a_right(&refused)), (at_once, later), "{status} {code}");
        }
    }
}
