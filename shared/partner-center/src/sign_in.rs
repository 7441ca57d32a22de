//! Asking Entra ID for tokens: the token endpoint, whatever the grant.

use jiff::{SignedDuration, Timestamp};
use models::Tenant;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::{Audience, CloudDirectory, Grant, Limits, MicrosoftError, Now, Proof, assertion, exchange::Call};

pub(crate) const CALL: &str = "sign-in (token)";

/// On what grounds tokens are asked for.
#[derive(Clone, Copy)]
pub(crate) enum Grounds<'a> {
    /// What a credential has.
    Grant(&'a Grant),
    /// A person has come back from signing in (RFC 6749, section 4.1.3; RFC 7636).
    Code { code: &'a SecretString, verifier: &'a SecretString, redirect_uri: &'a str, more_scopes: &'static str },
    /// A person signs in elsewhere (RFC 8628, section 3.4).
    Device { code: &'a SecretString, more_scopes: &'static str },
}

impl Grounds<'_> {
    /// What is asked for beside the audience, with a space before it: to go on without the person who is there, and who they are.
    fn more_scopes(self) -> &'static str {
        match self {
            Self::Grant(Grant::ClientCredentials) => "",
            // Whoever leaves it out may be given no new refresh token (Microsoft: "Scopes and permissions in the Microsoft identity platform").
            Self::Grant(Grant::RefreshToken(_)) => " offline_access",
            Self::Code { more_scopes, .. } | Self::Device { more_scopes, .. } => more_scopes,
        }
    }
}

/// What is asked for where a person is there (OpenID Connect Core, sections 3.1.2.1, 5.4 and 11).
pub(crate) const PERSON_SCOPES: &str = " offline_access openid profile";

/// What was given. Prints no token.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) access_token: SecretString,
    pub(crate) expires: Timestamp,
    /// What to go on with, where somebody signed in: a new one each time.
    pub(crate) refresh_token: Option<SecretString>,
    /// Who signed in, where that was asked for.
    pub(crate) id_token: Option<SecretString>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: i64,
    refresh_token: Option<String>,
    id_token: Option<String>,
}

/// The sign-in of one tenant's application at one moment.
#[derive(Clone, Copy)]
pub(crate) struct SignIn<'a> {
    pub(crate) http: &'a reqwest::Client,
    pub(crate) clouds: &'a CloudDirectory,
    pub(crate) limits: Limits,
    pub(crate) tenant: &'a Tenant,
    pub(crate) client_id: &'a str,
    pub(crate) proof: &'a Proof,
    pub(crate) now: &'a Now,
}

impl SignIn<'_> {
    /// Asks for tokens of this audience.
    pub(crate) async fn ask(&self, grounds: Grounds<'_>, audience: Audience) -> Result<Given, MicrosoftError> {
        let call = Call { name: CALL, tenant: &self.tenant.id, limits: self.limits };
        let addresses = self.clouds.of(self.tenant.cloud);
        let addresses = addresses.ok_or_else(|| call.bad("the cloud has no addresses".to_owned()))?;
        let url = addresses.login.join(&[self.tenant.id.as_str(), "oauth2", "v2.0", "token"]);
        let scope = format!("{}/.default{}", addresses.of(audience), grounds.more_scopes());
        let now = (self.now)();
        let mut form = vec![("client_id", self.client_id), ("scope", &scope)];
        let assertion;
        match self.proof {
            Proof::ClientSecret(secret) => form.push(("client_secret", secret.expose_secret())),
            Proof::Certificate(certificate) => {
                assertion = certificate.assertion(self.client_id, url.as_str(), now);
                let assertion = assertion.as_ref().ok_or_else(|| call.bad("no randomness to sign with".to_owned()))?;
                form.extend([
                    ("client_assertion_type", assertion::TYPE),
                    ("client_assertion", assertion.expose_secret()),
                ]);
            }
        }
        form.extend(fields(&grounds));
        let body = call.send(self.now, || self.http.post(url.clone()).form(&form)).await?;
        // The parser's words could repeat a part of the answer, which holds the token.
        let answer: TokenAnswer =
            serde_json::from_slice(&body).map_err(|_| call.bad("no access_token and expires_in".to_owned()))?;
        Ok(Given {
            access_token: answer.access_token.into(),
            expires: now + SignedDuration::from_secs(answer.expires_in.clamp(0, 86_400)),
            refresh_token: answer.refresh_token.map(Into::into),
            id_token: answer.id_token.map(Into::into),
        })
    }
}

fn fields<'a>(grounds: &Grounds<'a>) -> Vec<(&'static str, &'a str)> {
    match *grounds {
        Grounds::Grant(Grant::ClientCredentials) => vec![("grant_type", "client_credentials")],
        Grounds::Grant(Grant::RefreshToken(token)) => {
            vec![("grant_type", "refresh_token"), ("refresh_token", token.expose_secret())]
        }
        Grounds::Code { code, verifier, redirect_uri, .. } => vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("code_verifier", verifier.expose_secret()),
            ("redirect_uri", redirect_uri),
        ],
        Grounds::Device { code, .. } => {
            vec![("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", code.expose_secret())]
        }
    }
}
