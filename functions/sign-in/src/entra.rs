//! The conversation with Entra ID, by `openidconnect`: where a browser is sent, and what its coming back is worth.
//!
//! What a tenant's issuer says of itself is kept for an hour and asked for once a minute at most where it is needed sooner; after a failure
//! without anything to go by, every five seconds. It is believed for half a day while nothing newer can be had, as `authorize` believes keys. The id token is checked in full: signature by a published key, RS256, issuer, audience,
//! expiry and nonce by the library; tenant, version and beginning here.

mod id_token;

use std::{collections::BTreeMap, sync::Arc};

use identity::{Claims, Issuers, Origin};
use jiff::{SignedDuration, Timestamp};
use models::TenantId;
use openidconnect::{
    AuthType, AuthorizationCode, Client as OpenIdClient, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardErrorResponse, StandardTokenResponse,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
        CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use url::Url;

use id_token::{EntraClaims, NotAccepted, judge};

use crate::{Problem, http_client::Client, trip::Trip};

const FRESH: SignedDuration = SignedDuration::from_hours(1);
const COOL_DOWN: SignedDuration = SignedDuration::from_mins(1);
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// From which age on it is not believed.
const MOST: SignedDuration = SignedDuration::from_hours(12);
/// The path that Entra ID sends browsers back to, which is registered there.
const CALLBACK: &str = "/sign-in/callback";

/// Entra ID, for an application of ours in some tenants.
#[derive(Debug)]
pub struct EntraId {
    client: Client,
    issuers: Issuers,
    application: String,
    redirect: String,
    // Each held while its issuer is asked, so that any number of waiting requests ask once.
    kept: BTreeMap<TenantId, Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    asked: Option<Timestamp>,
    read: Option<(Timestamp, Arc<CoreProviderMetadata>)>,
}

type Fields = IdTokenFields<
    EntraClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type Application = OpenIdClient<
    EntraClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl EntraId {
    /// Entra ID for this application, reached by this client, which must not follow redirects.
    #[must_use]
    pub fn new(http: reqwest::Client, issuers: Issuers, application: String, origin: &Origin) -> Self {
        let kept = issuers.tenants().map(|tenant| (tenant.clone(), Mutex::default())).collect();
        let client = Client::new(http, &issuers);
        Self { client, issuers, application, redirect: format!("{}{CALLBACK}", origin.as_str()), kept }
    }

    /// Whose people may sign in.
    #[must_use]
    pub fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// Where the browser is sent, to be asked who they are (`asks`) or, where Entra ID knows that, not to be.
    pub(crate) async fn address_of(&self, trip: &Trip, asks: bool, now: Timestamp) -> Result<Url, Problem> {
        let metadata = self.metadata(&trip.tenant, Wanted::Fresh, now).await?;
        let application = self.application(&metadata, None)?;
        let (state, nonce) = (trip.state.clone(), trip.nonce.clone());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(trip.verifier.clone()));
        let mut request = application
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state.clone()),
                move || Nonce::new(nonce.clone()),
            )
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge);
        if asks {
            request = request.add_prompt(CoreAuthPrompt::SelectAccount);
        }
        let (address, _, _) = request.url();
        // What an answer names gets people's passwords typed into it.
        if address.as_str().starts_with(&format!("{}/", self.issuers.base())) {
            Ok(address)
        } else {
            Err(Problem::NotReached(
                "the authorization endpoint is not one of the configured sign-in service".to_owned(),
            ))
        }
    }

    /// Who has signed in, by the code that a browser brings back.
    pub(crate) async fn claims_of(
        &self,
        code: &str,
        trip: &Trip,
        secret: &SecretString,
        now: Timestamp,
    ) -> Result<Claims, Problem> {
        if !self.issuers.allows(&trip.tenant) {
            return Err(Problem::Tenant);
        }
        let metadata = self.metadata(&trip.tenant, Wanted::Fresh, now).await?;
        let application = self.application(&metadata, Some(secret))?;
        let client = self.client.clone();
        let send = move |request| {
            let client = client.clone();
            async move { client.send(request).await }
        };
        let exchange = application.exchange_code(AuthorizationCode::new(code.to_owned()));
        let exchange = exchange.map_err(|error| Problem::NotReached(runtime::chain(&error)))?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(trip.verifier.clone()));
        let tokens = exchange.request_async(&send).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(answer) => Problem::of_refusal(answer.error()),
            RequestTokenError::Request(error) => Problem::NotReached(runtime::chain(&error)),
            // The library quotes what it can't read, which may be a token.
            _ => Problem::NotReached("the answer can't be read".to_owned()),
        })?;
        match judge(&tokens, &application, trip, now) {
            // A key that is new: the issuer is asked once more.
            Err(NotAccepted::KeyUnknown) => {
                let metadata = self.metadata(&trip.tenant, Wanted::Newer, now).await?;
                judge(&tokens, &self.application(&metadata, Some(secret))?, trip, now)
            }
            judged => judged,
        }
        .map_err(|error| Problem::IdToken(error.to_string()))
    }

    fn application(
        &self,
        metadata: &CoreProviderMetadata,
        secret: Option<&SecretString>,
    ) -> Result<Application, Problem> {
        let secret = secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
        let redirect = RedirectUrl::new(self.redirect.clone());
        let redirect = redirect.map_err(|error| Problem::NotReached(runtime::chain(&error)))?;
        Ok(OpenIdClient::from_provider_metadata(metadata.clone(), ClientId::new(self.application.clone()), secret)
            // Entra ID takes both; in a header the secret would have to be encoded twice.
            .set_auth_type(AuthType::RequestBody)
            .set_redirect_uri(redirect))
    }

    /// What the tenant's issuer says of itself, with its keys.
    async fn metadata(
        &self,
        tenant: &TenantId,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<Arc<CoreProviderMetadata>, Problem> {
        let mut kept = self.kept.get(tenant).ok_or(Problem::Tenant)?.lock().await;
        let fresh = kept.read.as_ref().is_some_and(|(at, _)| now.duration_since(*at).abs() < FRESH);
        let pause = if kept.read.is_some() { COOL_DOWN } else { FIRST_PAUSE };
        let due = kept.asked.is_none_or(|asked| now.duration_since(asked).abs() >= pause);
        let mut failed = "the sign-in service could not be reached a moment ago".to_owned();
        if due && (wanted == Wanted::Newer || !fresh) {
            kept.asked = Some(now);
            match self.discover(tenant).await {
                Ok(metadata) => kept.read = Some((now, Arc::new(metadata))),
                Err(error) => failed = error,
            }
        }
        let believed = kept.read.as_ref().filter(|(at, _)| now.duration_since(*at).abs() < MOST);
        believed.map(|(_, metadata)| Arc::clone(metadata)).ok_or(Problem::NotReached(failed))
    }

    async fn discover(&self, tenant: &TenantId) -> Result<CoreProviderMetadata, String> {
        let issuer = IssuerUrl::new(self.issuers.of(tenant)).map_err(|error| runtime::chain(&error))?;
        let client = self.client.clone();
        let send = move |request| {
            let client = client.clone();
            async move { client.send(request).await }
        };
        CoreProviderMetadata::discover_async(issuer, &send).await.map_err(|error| runtime::chain(&error))
    }
}

/// How new what an issuer says has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Fresh,
    Newer,
}
