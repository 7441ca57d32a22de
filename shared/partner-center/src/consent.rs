//! A person's consent, by the secure application model: they sign in once, with MFA, and what comes of it is a refresh token.
//!
//! Two ways: on the person's own machine, where a browser brings them back (authorization code with PKCE: RFC 6749, 7636 and 8252),
//! or on any other device, by a code that they type there (RFC 8628). Promises: nothing of it prints, and what the browser brings
//! back counts only with the state that was sent along. Leaves to others: to show the person where to go, to wait between looks, and
//! to keep what comes of it.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use models::Tenant;
use reqwest::Url;
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom as _, SystemRandom},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::{
    Audience, BaseUrl, CloudDirectory, Diagnosis, Limits, MicrosoftError, Now, Proof,
    exchange::Call,
    id_token,
    sign_in::{Given, Grounds, PERSON_SCOPES, SignIn},
    support_ids::harmless,
};

/// How much longer a device waits between looks when it is told to slow down (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// How long a device waits between looks where it is not told (RFC 8628, section 3.2).
const INTERVAL: u64 = 5;

/// What a person's consent gives. Prints nothing of it.
#[derive(Clone)]
pub struct Consented {
    /// What to go on with.
    pub refresh_token: SecretString,
    /// What they signed in as, for them to see that it was the right account: personal data, to be kept nowhere.
    pub person: Option<String>,
}

impl std::fmt::Debug for Consented {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Consented").finish_non_exhaustive()
    }
}

/// Why there is no consent.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    /// The person said no.
    #[error("the person who signed in did not consent")]
    Declined,
    /// The person took too long.
    #[error("nobody signed in in time: begin again")]
    Expired,
    /// Microsoft refused.
    #[error("Entra ID did not let the person consent")]
    Microsoft(#[from] MicrosoftError),
    /// Microsoft sent the person back with an error. Only its code is repeated.
    #[error("Entra ID sent the person back with {code}")]
    SentBack {
        /// Microsoft's code.
        code: String,
    },
    /// Who signed in is not told, or is not who was to.
    #[error("Entra ID says that {0}, so what it gave is thrown away: begin again")]
    WrongPerson(&'static str),
    /// There is nothing to go on with.
    #[error("Entra ID gave no refresh token: does the application ask for offline_access?")]
    NoRefreshToken,
    /// The machine has no randomness.
    #[error("the machine has no randomness to begin a sign-in with")]
    Randomness,
}

/// An application of a tenant that a person is to consent to.
pub struct Consent<'a> {
    /// Calls Microsoft.
    pub http: &'a reqwest::Client,
    /// Where.
    pub clouds: &'a CloudDirectory,
    /// Bounds of the calls.
    pub limits: Limits,
    /// The time.
    pub now: &'a Now,
    /// The tenant that the person is of.
    pub tenant: &'a Tenant,
    /// The application's id.
    pub client_id: &'a str,
    /// What it proves itself with.
    pub proof: &'a Proof,
}

impl std::fmt::Debug for Consent<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Consent").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// A sign-in on another device.
#[derive(Debug)]
pub struct DeviceSignIn {
    /// The code that the person types.
    pub user_code: String,
    /// The page that they type it on.
    pub verification_uri: String,
    /// How long to wait before each look.
    pub interval: Duration,
    device_code: SecretString,
    more_scopes: &'static str,
    expires: Timestamp,
}

/// How a sign-in on another device fares.
#[derive(Debug)]
pub enum DeviceProgress {
    /// The person has consented.
    Consented(Consented),
    /// Not yet.
    Waiting,
}

/// A sign-in in a browser on this machine.
#[derive(Debug)]
pub struct BrowserSignIn {
    /// Where the browser goes.
    pub url: Url,
    redirect_uri: String,
    secrets: BrowserSecrets,
    more_scopes: &'static str,
}

/// What nobody but who began a sign-in in a browser knows.
#[derive(Clone, Debug)]
pub(crate) struct BrowserSecrets {
    /// Who comes back is who went.
    pub(crate) state: SecretString,
    /// Who redeems the code is who asked for it (PKCE).
    pub(crate) verifier: SecretString,
    /// The token was made for this sign-in.
    pub(crate) nonce: SecretString,
}

/// What is asked of the person in a browser.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BrowserWish {
    /// Beside Partner Center's own scope.
    pub(crate) more_scopes: &'static str,
    /// Which page Entra ID shows in any case.
    pub(crate) prompt: &'static str,
}

#[derive(Deserialize)]
struct DeviceAnswer {
    device_code: String,
    user_code: String,
    verification_uri: String,
    expires_in: i64,
    interval: Option<u64>,
}

impl Consent<'_> {
    /// Begins a sign-in on another device.
    ///
    /// # Errors
    ///
    /// [`ConsentError`].
    pub async fn begin_on_device(&self) -> Result<DeviceSignIn, ConsentError> {
        self.begin_on_device_for(PERSON_SCOPES).await
    }

    /// The same, asking for these scopes beside Partner Center's own.
    pub(crate) async fn begin_on_device_for(&self, more_scopes: &'static str) -> Result<DeviceSignIn, ConsentError> {
        let call = Call { name: "sign-in (device code)", tenant: &self.tenant.id, limits: self.limits };
        let url = self.login(call)?.join(&[self.tenant.id.as_str(), "oauth2", "v2.0", "devicecode"]);
        let scope = self.scope(call, more_scopes)?;
        let form = [("client_id", self.client_id), ("scope", &scope)];
        let body = call.send(self.now, || self.http.post(url.clone()).form(&form)).await?;
        // The parser's words could repeat a part of the answer, which holds the code.
        let answer: DeviceAnswer = serde_json::from_slice(&body).map_err(|_| call.bad("no device_code".to_owned()))?;
        Ok(DeviceSignIn {
            user_code: answer.user_code,
            verification_uri: answer.verification_uri,
            interval: Duration::from_secs(answer.interval.unwrap_or(INTERVAL).clamp(1, 60)),
            device_code: answer.device_code.into(),
            more_scopes,
            expires: (self.now)() + SignedDuration::from_secs(answer.expires_in.clamp(0, 3_600)),
        })
    }

    /// Looks once whether the person has signed in on the other device.
    ///
    /// # Errors
    ///
    /// [`ConsentError`].
    pub async fn look_at_device(&self, sign_in: &mut DeviceSignIn) -> Result<DeviceProgress, ConsentError> {
        match self.given_on_device(sign_in).await? {
            Some(given) => self.consented(&given, None).map(DeviceProgress::Consented),
            None => Ok(DeviceProgress::Waiting),
        }
    }

    /// What was given to the person on the other device, if they are done.
    pub(crate) async fn given_on_device(&self, sign_in: &mut DeviceSignIn) -> Result<Option<Given>, ConsentError> {
        if (self.now)() >= sign_in.expires {
            return Err(ConsentError::Expired);
        }
        match self.ask(Grounds::Device { code: &sign_in.device_code, more_scopes: sign_in.more_scopes }).await {
            Ok(given) => Ok(Some(given)),
            Err(MicrosoftError::Refused { code, .. }) if is(&code, "authorization_pending") => Ok(None),
            Err(MicrosoftError::Refused { code, .. }) if is(&code, "slow_down") => {
                sign_in.interval += SLOWER;
                Ok(None)
            }
            // RFC 8628, section 3.5: the person may be halfway, and the way there doesn't end with a lost answer.
            Err(error) if matches!(error.diagnosis(), Some(Diagnosis::Throttled | Diagnosis::Unavailable)) => {
                sign_in.interval += SLOWER;
                Ok(None)
            }
            Err(MicrosoftError::Refused { code, .. })
                if is(&code, "authorization_declined") || is(&code, "access_denied") =>
            {
                Err(ConsentError::Declined)
            }
            Err(MicrosoftError::Refused { code, .. }) if is(&code, "expired_token") => Err(ConsentError::Expired),
            Err(error) => Err(error.into()),
        }
    }

    /// Begins a sign-in in a browser that is sent back to this address of the machine that it runs on.
    ///
    /// # Errors
    ///
    /// [`ConsentError`].
    pub fn begin_in_browser(&self, redirect_uri: &str) -> Result<BrowserSignIn, ConsentError> {
        let secrets = BrowserSecrets { state: random()?, verifier: random()?, nonce: random()? };
        // Whoever is signed in already is rarely the one who should consent. `consent` would ask for permissions that an administrator
        // has granted already, which an Admin Agent may not be allowed to answer.
        let wish = BrowserWish { more_scopes: PERSON_SCOPES, prompt: "select_account" };
        self.begin_in_browser_for(redirect_uri, secrets, wish)
    }

    /// The same, for this, and with secrets of the caller's.
    pub(crate) fn begin_in_browser_for(
        &self,
        redirect_uri: &str,
        secrets: BrowserSecrets,
        BrowserWish { more_scopes, prompt }: BrowserWish,
    ) -> Result<BrowserSignIn, ConsentError> {
        let call = Call { name: "sign-in (authorize)", tenant: &self.tenant.id, limits: self.limits };
        let mut url = self.login(call)?.join(&[self.tenant.id.as_str(), "oauth2", "v2.0", "authorize"]);
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, secrets.verifier.expose_secret().as_bytes()));
        url.query_pairs_mut().extend_pairs([
            ("client_id", self.client_id),
            ("response_type", "code"),
            ("response_mode", "query"),
            ("redirect_uri", redirect_uri),
            ("scope", &self.scope(call, more_scopes)?),
            ("state", secrets.state.expose_secret()),
            ("nonce", secrets.nonce.expose_secret()),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("prompt", prompt),
        ]);
        Ok(BrowserSignIn { url, redirect_uri: redirect_uri.to_owned(), secrets, more_scopes })
    }

    /// Takes what the browser brought back: the query of the address that it was sent to. None where that did not come from
    /// this sign-in, and nothing is concluded from it.
    ///
    /// # Errors
    ///
    /// [`ConsentError`].
    pub async fn come_back(&self, sign_in: &BrowserSignIn, query: &str) -> Option<Result<Consented, ConsentError>> {
        let given = self.given_in_browser(sign_in, query).await?;
        Some(given.and_then(|given| self.consented(&given, Some(&sign_in.secrets.nonce))))
    }

    /// What was given to the person in the browser.
    pub(crate) async fn given_in_browser(
        &self,
        sign_in: &BrowserSignIn,
        query: &str,
    ) -> Option<Result<Given, ConsentError>> {
        let code = match sign_in.read(query)? {
            Ok(code) => code,
            Err(error) => return Some(Err(error)),
        };
        let BrowserSignIn { redirect_uri, secrets, more_scopes, .. } = sign_in;
        let grounds = Grounds::Code { code: &code, verifier: &secrets.verifier, redirect_uri, more_scopes };
        Some(self.ask(grounds).await.map_err(ConsentError::from))
    }

    /// What a consent gives, if it is one to this application, of a person of this tenant.
    fn consented(&self, given: &Given, nonce: Option<&SecretString>) -> Result<Consented, ConsentError> {
        let refresh_token = given.refresh_token.clone().ok_or(ConsentError::NoRefreshToken)?;
        Ok(Consented { refresh_token, person: self.person_in(given, nonce)? })
    }

    /// What the person signed in as, where that is told, if they did so to this application and are of this tenant.
    pub(crate) fn person_in(
        &self,
        given: &Given,
        nonce: Option<&SecretString>,
    ) -> Result<Option<String>, ConsentError> {
        let told = given.id_token.as_ref().ok_or(ConsentError::WrongPerson("nobody has signed in"))?;
        id_token::person(told, self.client_id, &self.tenant.id, nonce).map_err(ConsentError::WrongPerson)
    }

    async fn ask(&self, grounds: Grounds<'_>) -> Result<Given, MicrosoftError> {
        let Self { http, clouds, limits, tenant, client_id, proof, now } = *self;
        SignIn { http, clouds, limits, tenant, client_id, proof, now }.ask(grounds, Audience::PartnerCenter).await
    }

    fn login(&self, call: Call<'_>) -> Result<&BaseUrl, MicrosoftError> {
        let addresses = self.clouds.of(self.tenant.cloud);
        Ok(&addresses.ok_or_else(|| call.bad("the cloud has no addresses".to_owned()))?.login)
    }

    /// Everything that the application is registered to ask for, to go on without the person, and to be told who they are. A refresh token is
    /// bound to person and application and not to a service ("Refresh tokens in the Microsoft identity platform"), so it gives tokens for Graph, too.
    fn scope(&self, call: Call<'_>, more_scopes: &str) -> Result<String, MicrosoftError> {
        let addresses = self.clouds.of(self.tenant.cloud);
        let addresses = addresses.ok_or_else(|| call.bad("the cloud has no addresses".to_owned()))?;
        Ok(format!("{}/.default{more_scopes}", addresses.of(Audience::PartnerCenter)))
    }
}

impl BrowserSignIn {
    /// The code in what the browser brought back. None where the state is not ours.
    fn read(&self, query: &str) -> Option<Result<SecretString, ConsentError>> {
        // An address to hang the query on: nothing is ever sent there.
        let mut url = self.url.clone();
        url.set_query(Some(query));
        let value = |wanted: &str| {
            let mut values = url.query_pairs().filter(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
            values.next().filter(|_| values.next().is_none())
        };
        let state = value("state")?;
        // By their digests, so that how long it takes says nothing.
        let digest_of = |text: &str| digest(&SHA256, text.as_bytes());
        if digest_of(&state).as_ref() != digest_of(self.secrets.state.expose_secret()).as_ref() {
            return None;
        }
        Some(match (value("code"), value("error")) {
            (Some(code), None) => Ok(code.into()),
            (None, Some(code)) if code == "access_denied" => Err(ConsentError::Declined),
            (_, code) => Err(ConsentError::SentBack { code: harmless(&code.unwrap_or_default()) }),
        })
    }
}

/// Whether this is Entra ID's word, which its number may follow.
fn is(code: &str, word: &str) -> bool {
    code.split(' ').next() == Some(word)
}

/// 256 bits, as 43 characters: what RFC 7636, section 4.1, recommends.
fn random() -> Result<SecretString, ConsentError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| ConsentError::Randomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}
