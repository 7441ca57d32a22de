//! A person's sign-in for one act: a token for Partner Center, and nothing to go on with afterwards.
//!
//! It is the sign-in of a [`Consent`], on another device or in a browser, but asks for no refresh token, and throws one away that came all the same.
//! In a browser Entra ID asks the person anew, whoever is signed in there. Promises: the token is given to the caller, and kept nowhere. Leaves to
//! others: to see what it says of itself ([`Entitlements::person`](crate::Entitlements::person)), and to seal what has to survive the trip.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Url;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    Consent, ConsentError, DeviceSignIn,
    consent::{BrowserSecrets, BrowserSignIn, BrowserWish},
};

/// What is asked for beside Partner Center: who signs in, and no access without them.
const ONCE_SCOPES: &str = " openid profile";

/// A sign-in for one act, by an application that the person consented to.
#[derive(Debug)]
pub struct StepUp<'a>(Consent<'a>);

/// What has to survive a trip to Entra ID and back: whoever has it can finish the sign-in, so it leaves us sealed only, and does not print.
#[derive(Serialize, Deserialize)]
pub struct StepUpTrip {
    state: String,
    verifier: String,
    nonce: String,
}

impl std::fmt::Debug for StepUpTrip {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("StepUpTrip")
    }
}

impl StepUpTrip {
    /// A trip of these random bytes, other ones each time.
    #[must_use]
    pub fn of_random(random: &dyn Fn() -> [u8; 32]) -> Self {
        let [state, verifier, nonce] = [(); 3].map(|()| URL_SAFE_NO_PAD.encode(random()));
        Self { state, verifier, nonce }
    }

    /// What Entra ID gives back with the browser, by which a trip is known among others.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }

    fn secrets(&self) -> BrowserSecrets {
        let [state, verifier, nonce] = [&self.state, &self.verifier, &self.nonce].map(|text| text.clone().into());
        BrowserSecrets { state, verifier, nonce }
    }
}

/// How a sign-in for one act fares.
#[derive(Debug)]
pub enum StepUpProgress {
    /// The person has signed in; this is their access token for Partner Center.
    SignedIn(SecretString),
    /// Not yet.
    Waiting,
}

impl<'a> StepUp<'a> {
    /// A sign-in to this application.
    #[must_use]
    pub fn new(application: Consent<'a>) -> Self {
        Self(application)
    }

    /// Begins a sign-in on another device.
    ///
    /// # Errors
    ///
    /// [`ConsentError`].
    pub async fn begin_on_device(&self) -> Result<DeviceSignIn, ConsentError> {
        self.0.begin_on_device_for(ONCE_SCOPES).await
    }

    /// Looks once whether the person has signed in on the other device.
    ///
    /// # Errors
    ///
    /// [`ConsentError`].
    pub async fn look_at_device(&self, sign_in: &mut DeviceSignIn) -> Result<StepUpProgress, ConsentError> {
        Ok(match self.0.given_on_device(sign_in).await? {
            Some(given) => {
                self.0.person_in(&given, None)?;
                StepUpProgress::SignedIn(given.access_token)
            }
            None => StepUpProgress::Waiting,
        })
    }

    /// Where the browser goes, to be sent back to this address of ours.
    ///
    /// # Errors
    ///
    /// [`ConsentError`].
    pub fn begin_in_browser(&self, trip: &StepUpTrip, redirect_uri: &str) -> Result<Url, ConsentError> {
        Ok(self.in_browser(trip, redirect_uri)?.url)
    }

    /// The person's access token for Partner Center, by what the browser brought back: the query of the address that it was sent to. None where that did
    /// not come from this trip, and nothing is concluded from it.
    ///
    /// # Errors
    ///
    /// [`ConsentError`].
    pub async fn come_back(
        &self,
        trip: &StepUpTrip,
        redirect_uri: &str,
        query: &str,
    ) -> Option<Result<SecretString, ConsentError>> {
        let sign_in = match self.in_browser(trip, redirect_uri) {
            Ok(sign_in) => sign_in,
            Err(error) => return Some(Err(error)),
        };
        let given = self.0.given_in_browser(&sign_in, query).await?;
        Some(given.and_then(|given| {
            self.0.person_in(&given, Some(&trip.secrets().nonce))?;
            Ok(given.access_token)
        }))
    }

    fn in_browser(&self, trip: &StepUpTrip, redirect_uri: &str) -> Result<BrowserSignIn, ConsentError> {
        // A session at Entra ID that somebody left open is no proof that the person is there.
        let wish = BrowserWish { more_scopes: ONCE_SCOPES, prompt: "login" };
        self.0.begin_in_browser_for(redirect_uri, trip.secrets(), wish)
    }
}
